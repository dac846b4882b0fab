"""Lots against their truth, on series made by hand."""

import pytest

from rules.asset import Asset
from rules.parking.lot_config import LotConfig, configure
from simulator.score.course import Course, Span
from simulator.score.hearing import SaidOfLot
from simulator.score.lots import tally, together, true_states

S = 1000
SPAN = Span(0, 100 * S)


def _lot(**properties: object) -> LotConfig:
    return configure(Asset("lot-1", "lot", "", {"capacity": 20, "sensors": 20, **properties}, (), 7.8, 51.7))


def _said(*steps: tuple[int, str, int | None]) -> Course[SaidOfLot | None]:
    return Course([(second * S, SaidOfLot(state, free)) for second, state, free in steps])


def _true(*steps: tuple[int, float]) -> Course[float]:
    return Course([(second * S, taken) for second, taken in steps])


def test_true_states_have_hysteresis() -> None:
    """Almost full from 18 of 20 until 17; full with one free space, until two are free."""
    taken = _true((0, 17), (1, 18), (2, 18), (3, 17), (4, 19), (5, 18), (6, 17), (7, 20), (8, 19))
    expected = ["free", "almostFull", "almostFull", "free", "full", "almostFull", "free", "full", "full"]
    assert true_states(_lot(), taken).values == expected


def test_almost_full_goes_on_until_its_own_limit() -> None:
    """A lot of hundred that was almost full at 90 is so at 86, and no longer at 85; full until three are free."""
    lot = _lot(capacity=100, sensors=100)
    assert true_states(lot, _true((0, 86), (1, 90), (2, 86), (3, 85))).values == [
        "free",
        "almostFull",
        "almostFull",
        "free",
    ]
    assert true_states(lot, _true((0, 98), (1, 97))).values == ["full", "almostFull"]
    assert true_states(lot, _true((0, 99), (1, 98))).values == ["full", "full"]


def test_shares_of_time() -> None:
    """Right, wrong and unknown are shares of the whole; accuracy knows nothing of the unknown."""
    score = tally(_lot(), _true((0, 10), (50, 20)), _said((20, "free", 10), (60, "full", 0)), SPAN).score("lot-1")
    assert (score.right_pct, score.wrong_pct, score.unknown_pct) == (70, 10, 20)
    assert score.accuracy_pct == 87.5


@pytest.mark.parametrize("state", ["unknown", None])
def test_unknown_is_not_wrong(state: str | None) -> None:
    """The state unknown, and one that was withdrawn, count as unknown and have no error of free spaces."""
    said = _said((0, "free", 10))
    said.add(40 * S, None if state is None else SaidOfLot(state, None))
    score = tally(_lot(), _true((0, 10)), said, SPAN).score("lot-1")
    assert (score.right_pct, score.wrong_pct, score.unknown_pct, score.free_error) == (40, 0, 60, 0)


def test_delay_of_a_change() -> None:
    """A change is followed when its state was published while it lasted; one that was published before is on time."""
    taken = _true((0, 10), (10, 20), (30, 10), (50, 20), (60, 10))
    said = _said((0, "free", 10), (14, "full", 0), (29, "free", 10), (60, "full", 0), (61, "free", 10))
    score = tally(_lot(), taken, said, SPAN).score("lot-1")
    assert (score.changes, score.followed) == (4, 3)
    assert (score.delay_median_s, score.delay_p95_s) == (1, 4)


def test_free_spaces_are_wrong_by_a_mean_over_time() -> None:
    """Too many and too few do not cancel each other."""
    score = tally(_lot(), _true((0, 10)), _said((0, "free", 12), (25, "free", 9), (50, "free", 10)), SPAN).score("x")
    assert score.free_error == round((2 * 25 + 1 * 25) / 100, 2)


def test_a_closed_lot_is_closed() -> None:
    """Its true state is closed, whatever stands on it; its free spaces are not scored."""
    score = tally(_lot(closed=True), _true((0, 10)), _said((0, "closed", 0)), SPAN).score("lot-1")
    assert (score.right_pct, score.free_error) == (100, None)


def test_nothing_heard_is_unknown_not_wrong() -> None:
    """A lot of which nothing was published has no accuracy."""
    score = tally(_lot(), _true((0, 10)), _said(), SPAN).score("lot-1")
    assert (score.unknown_pct, score.accuracy_pct, score.delay_median_s) == (100, None, None)


def test_all_lots_together() -> None:
    """Times, changes and delays add up; shares are those of the sums."""
    right = tally(_lot(), _true((0, 10), (50, 20)), _said((0, "free", 10), (58, "full", 0)), SPAN)
    silent = tally(_lot(), _true((0, 10)), _said(), SPAN)
    score = together([right, silent]).score("all")
    assert (score.right_pct, score.wrong_pct, score.unknown_pct) == (46, 4, 50)
    assert (score.changes, score.followed, score.delay_median_s, score.free_error) == (1, 1, 8, 0.8)
