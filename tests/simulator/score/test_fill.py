"""Containers against their truth, on series made by hand."""

from collections.abc import Sequence

import pytest

from rules.event import instant
from rules.event_waste import ContainerDueData
from simulator.score.course import DAY_MS as DAY
from simulator.score.course import HOUR_MS as H
from simulator.score.course import Course, Span
from simulator.score.fill import FillScore, Tally, TrueContainer, add
from simulator.score.hearing import SaidOfContainer

START = 1_781_474_400_000
"""2026-06-15T00:00+02:00, a Monday without holidays in its week."""
ZONE = "Europe/Berlin"
SPAN = Span(START, START + 6 * DAY)
EVEN = (1.0,) * 7


def _said(
    hours: float,
    level: float | None,
    *,
    due: bool = False,
    rate: float | None = None,
    factors: Sequence[float] = EVEN,
    full: tuple[float, float, float] = (24, 48, 72),
    emptied: float | None = None,
    measured: float | None = None,
) -> SaidOfContainer:
    """What is said so many hours after the start; other times in hours after it, too."""
    time_ms = START + int(hours * H)
    early, middle, late = (instant(START + int(each * H)).isoformat() for each in full)
    newest = time_ms if measured is None else START + int(measured * H)
    forecast = {
        "model_version": 1,
        "full_p05": early,
        "full_p50": middle,
        "full_p95": late,
        "risk": 0.1,
        "fill_rate": rate,
        "weekday_factors": factors,
        "cycles": 1,
        "errors": 0,
    }
    evidence = {
        "quantity": "fill_level",
        "value": level,
        "unit": "%",
        "window_s": None,
        "threshold": 80,
        "hysteresis": 50,
        "n_samples": 1,
        "newest_at": instant(newest).isoformat(),
        "age_s": 0,
        "sources": (),
    }
    data = {
        "rule": "waste.collection_due",
        "rule_version": 3,
        "valid_until": instant(time_ms + DAY).isoformat(),
        "evidence": (evidence,),
        "due": due,
        "reason": "over_threshold" if due else "below_threshold",
        "fill_level": level,
        "threshold": 80,
        "since": None,
        "forecast": None if rate is None else forecast,
        "last_emptied": None if emptied is None else instant(START + int(emptied * H)).isoformat(),
    }
    return SaidOfContainer(time_ms, ContainerDueData.model_validate(data))


def _true(*levels: tuple[float, float], emptied: Sequence[float] = ()) -> TrueContainer:
    """Levels by hours since the start, and the hours at which it was emptied."""
    fill = Course([(START + int(hours * H), level) for hours, level in levels])
    rounds = [(START, 0.0), *((START + int(hours * H), number + 1.0) for number, hours in enumerate(emptied))]
    return TrueContainer(fill, Course(rounds))


def _score(true: TrueContainer, *said: SaidOfContainer, span: Span = SPAN) -> FillScore:
    tally = Tally()
    add(tally, true, said, ZONE, span)
    return tally.score()


def test_a_forecast_is_level_and_rate() -> None:
    """40 % and 10 % a day are 50, 60 and 70 %; compared with the true levels, and with saying that nothing comes."""
    score = _score(_true((0, 40), (24, 47), (48, 66), (72, 70)), _said(0, 40, rate=10))
    assert [each.forecasts for each in score.horizons] == [1, 1, 1]
    assert [each.error_pp for each in score.horizons] == [3, 6, 0]
    assert [each.bias_pp for each in score.horizons] == [3, -6, 0]
    assert [each.unchanged_pp for each in score.horizons] == [7, 26, 30]


def test_weekdays_count() -> None:
    """From Monday noon it is half of Monday's factor and half of Tuesday's."""
    factors = (3.0, 0.5, 1, 1, 1, 0.25, 0.25)
    score = _score(_true((0, 40), (36, 57.5)), _said(12, 40, rate=10, factors=factors))
    assert (score.horizons[0].error_pp, score.horizons[0].bias_pp) == (0, 0)


def test_a_forecast_begins_where_it_was_measured() -> None:
    """A level that is half a day old has risen since."""
    score = _score(_true((0, 40), (36, 55)), _said(12, 40, rate=10, measured=0))
    assert score.horizons[0].error_pp == 0


def test_nothing_is_foretold_above_full() -> None:
    """90 % and 20 % a day are 100 %, and so is what truly lies above it."""
    assert _score(_true((0, 90), (24, 130)), _said(0, 90, rate=20)).horizons[0].error_pp == 0


@pytest.mark.parametrize("emptied", [20.0, 24.0])
def test_what_was_emptied_in_between_is_not_compared(emptied: float) -> None:
    """An emptying between level and target, or at the target, ends the forecast; one before it does not."""
    true = _true((0, 40), (24, 5), emptied=[emptied])
    assert [each.forecasts for each in _score(true, _said(0, 40, rate=10)).horizons] == [0, 0, 0]
    later = _said(emptied + 0.5, 5, rate=10)
    assert [each.forecasts for each in _score(true, later).horizons] == [1, 1, 1]


def test_a_target_after_the_end_is_not_compared() -> None:
    """So are events without a forecast or without a level; then there is no error, not 0."""
    true = _true((0, 40))
    short = _score(true, _said(0, 40, rate=10), span=Span(START, START + DAY))
    assert (short.horizons[0].forecasts, short.horizons[0].error_pp) == (0, None)
    assert _score(true, _said(0, 40), _said(0, None, rate=10)).horizons[0].forecasts == 0


def test_the_time_when_it_is_full() -> None:
    """Full at 48 h: one interval holds it, one does not; the middle was wrong by 2 and 12 hours."""
    said = (_said(0, 40, rate=10, full=(24, 50, 72)), _said(1, 40, rate=10, full=(50, 60, 72)))
    score = _score(_true((0, 40), (48, 100)), *said)
    assert (score.full_forecasts, score.full_in_interval_pct, score.full_error_h) == (2, 50, 2)
    assert _score(_true((0, 40), (40, 5), (48, 100), emptied=[40]), said[0]).full_forecasts == 0
    assert _score(_true((0, 100)), said[0]).full_forecasts == 0


def test_overflows_are_announced_before() -> None:
    """Said to be due 10 h before; after it was full it is no announcement; taken back it is none either."""
    true = _true((0, 40), (48, 100), (60, 5), emptied=[60])
    early = _score(true, _said(30, 60), _said(38, 80, due=True), _said(40, 82, due=True))
    assert (early.overflows, early.overflows_announced, early.warning_median_h) == (1, 1, 10)
    assert _score(true, _said(49, 100, due=True)).overflows_announced == 0
    assert _score(true, _said(38, 80, due=True), _said(40, 60)).overflows_announced == 0


def test_days_on_which_it_was_full() -> None:
    """From Tuesday noon to Thursday morning it is three; one that begins full has not become it."""
    assert _score(_true((0, 40), (36, 100), (75, 5))).overflow_days == 3
    begun = _score(_true((0, 100), (5, 5)))
    assert (begun.overflow_days, begun.overflows) == (1, 0)


def test_emptyings() -> None:
    """Seen within twelve hours, each once; what nobody emptied is invented; near the end nobody can say yet."""
    true = _true((0, 90), emptied=[10, 40, 140])
    score = _score(true, _said(11, 5, emptied=11), _said(12, 5, emptied=11), _said(80, 5, emptied=80))
    assert (score.emptyings_seen, score.emptyings_missed, score.emptyings_invented, score.emptyings_open) == (
        1,
        1,
        1,
        1,
    )
    late = _score(_true((0, 90), emptied=[10]), _said(22.5, 5, emptied=22.5))
    assert (late.emptyings_seen, late.emptyings_missed, late.emptyings_invented) == (0, 1, 1)
    before = _score(_true((0, 90), emptied=[10]), _said(22, 5, emptied=9.9))
    assert before.emptyings_seen == 1


def test_an_emptying_that_is_published_late_is_missed() -> None:
    """When it was said first counts; nobody invented it, and a timely word goes before a late one."""
    late = _score(_true((0, 90), emptied=[10]), _said(22.1, 5, emptied=10))
    assert (late.emptyings_seen, late.emptyings_missed, late.emptyings_invented) == (0, 1, 0)
    again = _score(_true((0, 90), emptied=[10]), _said(11, 5, emptied=10), _said(80, 5, emptied=10))
    assert (again.emptyings_seen, again.emptyings_missed, again.emptyings_invented) == (1, 0, 0)
    both = _score(_true((0, 90), emptied=[10]), _said(12, 5, emptied=11), _said(80, 5, emptied=10))
    assert (both.emptyings_seen, both.emptyings_missed, both.emptyings_invented) == (1, 0, 1)


def test_one_emptying_is_not_seen_twice() -> None:
    """Two of the truth need two that were published."""
    score = _score(_true((0, 90), emptied=[10, 11]), _said(12, 5, emptied=11.5))
    assert (score.emptyings_seen, score.emptyings_missed) == (1, 1)


def test_what_was_emptied_before_the_play_does_not_count() -> None:
    """The service may know of one from before."""
    assert _score(_true((0, 40)), _said(1, 40, emptied=-5)).emptyings_invented == 0
