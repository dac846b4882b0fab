"""What is known of a container."""

from rules.waste.days import DAY_MS
from rules.waste.evaluation.sensed import Known, emptied, heard
from tests.rules.waste.evaluation.towns import MONDAY_MS, one

HOUR_MS = 3_600_000
CONFIG = one().config


def told(known: Known, begin_ms: int, *levels: float) -> Known:
    """A word every six hours."""
    for number, level in enumerate(levels):
        known = heard(CONFIG, known, begin_ms + number * 6 * HOUR_MS, level)
    return known


def test_a_word_is_a_whole_percentage_within_bounds() -> None:
    """An error that carries a level beyond full or empty is cut off, as a sensor does it."""
    assert told(Known(0), MONDAY_MS, 12.4).fill.level == 12
    assert told(Known(0), MONDAY_MS, -3.0).fill.level == 0
    assert told(Known(0), MONDAY_MS, 104.0).fill.level == 100


def test_the_crews_report_ends_a_cycle() -> None:
    """Its rate is learned at once, and what comes next counts from the sensor's first word on."""
    before = told(Known(0), MONDAY_MS, *range(10, 90, 3))
    after = emptied(CONFIG, before, MONDAY_MS + 7 * DAY_MS)
    assert after.fill.level == 0
    assert after.fill.emptied_ms == MONDAY_MS + 7 * DAY_MS
    assert len(after.history.rates) == len(before.history.rates) + 1
    assert 10 < after.history.rates[-1] < 14
    assert (after.history.rise, after.history.days) == (0.0, 0.0)
    assert told(after, MONDAY_MS + 8 * DAY_MS, 7, 10).history.rise == 3


def test_an_old_report_changes_nothing() -> None:
    """A report from before the newest emptying is passed over."""
    known = emptied(CONFIG, told(Known(0), MONDAY_MS, 10, 20, 30, 40, 50), MONDAY_MS + 2 * DAY_MS)
    assert emptied(CONFIG, known, MONDAY_MS + DAY_MS) == known
