"""Whether a lot fills or empties."""

import pytest

from rules.parking.trend import SLOT_MS, WINDOW_MS, History, remembered, trend

START = 1_790_000_100_000
MINUTE = 60_000


def history(*changes: tuple[int, int]) -> History:
    """Minutes after the start and spaces taken then."""
    found: History = ()
    for minute, taken in changes:
        found = remembered(found, taken, START + minute * MINUTE)
    return found


@pytest.mark.parametrize(
    ("changes", "minute", "expected"),
    [
        ([(0, 50)], 9, "unknown"),
        ([(0, 50)], 20, "stable"),
        ([(0, 50), (10, 51)], 20, "stable"),
        ([(0, 50), (10, 55)], 30, "increasing"),
        ([(0, 50), (10, 70)], 30, "increasingQuickly"),
        ([(0, 50), (10, 45)], 30, "decreasing"),
        ([(0, 50), (10, 20)], 30, "decreasingQuickly"),
        ([(0, 50), (10, 70)], 50, "stable"),
        ([(0, 50), (5, 70), (20, 50)], 30, "stable"),
        ([], 30, "unknown"),
    ],
)
def test_the_last_half_hour_says_the_trend(changes: list[tuple[int, int]], minute: int, expected: str) -> None:
    """From 10 % of the lot an hour it changes, from 30 % quickly; a single space is no trend."""
    assert trend(history(*changes), 100, 0.1, 0.3, START + minute * MINUTE) == expected


def test_a_single_space_of_a_small_lot_is_no_trend() -> None:
    """One of five is a fifth of it, and still one car."""
    assert trend(history((0, 2), (10, 3)), 5, 0.1, 0.3, START + 30 * MINUTE) == "stable"
    assert trend(history((0, 2), (10, 4)), 5, 0.1, 0.3, START + 30 * MINUTE) == "increasingQuickly"


def test_a_history_is_never_longer_than_half_an_hour_and_one_entry() -> None:
    """Changes every second over two hours leave eight entries at most, in order."""
    found: History = ()
    for second in range(7200):
        found = remembered(found, second % 90, START + second * 1000)
        assert len(found) <= WINDOW_MS // SLOT_MS + 2
        assert list(found) == sorted(found)
