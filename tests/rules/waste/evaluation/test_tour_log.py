"""What policies would have done with a log's waste."""

from dataclasses import replace
from random import Random

import pytest

from rules.waste.days import DAY_MS
from rules.waste.evaluation.log_study import LOGGED, NAMES, Row, Setting, interval, judged, lived, setting
from rules.waste.evaluation.logged_ways import Line, Ways, ways
from rules.waste.evaluation.rolling import begin, roll
from rules.waste.evaluation.tour_log import (
    AsLogged,
    Log,
    LogError,
    Logged,
    drawn_truth,
    mean_cycle_days,
    ordered,
    service_days,
)
from tests.rules.waste.evaluation.towns import MONDAY_MS, drawn

ZONE = "Europe/Berlin"
HOUR_MS = 3_600_000


def emptied(stop: str, every: int, fill: float, days: int = 112) -> list[Logged]:
    """A container that was found so full every so many days at about ten."""
    return [Logged(stop, MONDAY_MS + day * DAY_MS + 4 * HOUR_MS, fill) for day in range(0, days, every)]


def log_of(containers: int, every: int, fill: float) -> Log:
    """Containers that are all alike but for the day they begin with."""
    rows = [
        row._replace(time_ms=row.time_ms + number % every * DAY_MS)
        for number in range(containers)
        for row in emptied(f"stop-{number:02}", every, fill)
    ]
    return ordered(rows, ZONE)


def rows_of(log: Log) -> dict[str, Row]:
    """What is judged of a log, two draws."""
    given = setting(log, ZONE)
    return {row.policy: row for row in judged(drawn(1)("again"), [lived(drawn(n), given) for n in (1, 2)], given)}


def test_the_drawn_waste_is_what_the_crews_found() -> None:
    """Driven as it was logged, each visit finds what the log says, whatever way the waste came."""
    log = log_of(5, 7, 60.0)
    given = setting(log, ZONE)
    for seed in (1, 2):
        real, as_logged = drawn_truth(drawn(seed), log), AsLogged(log)
        span = roll(given.places, real, begin(given.places, real), range(log.days), as_logged, as_logged.drive)
        found = {stop: [each.level for each in span.emptyings if each.container == stop] for stop in log.emptyings}
        for levels in found.values():
            assert levels[1:] == pytest.approx([60.0] * (len(levels) - 1), abs=12)
            assert sum(levels[1:]) / len(levels[1:]) == pytest.approx(60.0, abs=1)


def test_too_short_a_log_tells_nothing() -> None:
    """Eight weeks at least, and containers with four emptyings; those with fewer are named."""
    with pytest.raises(LogError, match="empty"):
        ordered([], ZONE)
    with pytest.raises(LogError, match="spans 29 days"):
        ordered(emptied("a", 7, 50.0, days=30), ZONE)
    with pytest.raises(LogError, match="no container"):
        ordered(emptied("a", 60, 50.0), ZONE)
    log = ordered([*emptied("a", 7, 50.0), *emptied("rare", 50, 50.0)], ZONE)
    assert log.dropped == ("rare",)
    assert set(log.emptyings) == {"a"}


def test_tours_go_on_the_logs_weekdays() -> None:
    """One odd Sunday is no service day; cycles are the log's."""
    rows = [Logged("a", MONDAY_MS + (week * 7 + day) * DAY_MS, 50.0) for week in range(20) for day in (0, 1, 2, 3, 4)]
    log = ordered([*rows, Logged("a", MONDAY_MS + 6 * DAY_MS, 50.0)], ZONE)
    assert service_days(log, ZONE) == ("mon", "tue", "wed", "thu", "fri")
    assert mean_cycle_days(emptied("b", 9, 50.0)) == 9


def test_containers_that_are_emptied_half_empty_could_wait() -> None:
    """Emptied at a third for months: the prizes need clearly fewer visits, and nothing more overflows."""
    prize = rows_of(log_of(12, 2, 22.0))["prize"]
    assert prize.verdict == "less"
    assert prize.change.high < -0.2
    assert prize.change.low <= prize.change.middle <= prize.change.high


def test_no_saving_is_said_where_there_is_none() -> None:
    """Containers that are always found nearly full at the last moment leave nothing to save."""
    rows = rows_of(log_of(12, 6, 85.0))
    assert rows["prize"].verdict in {"no saving", "more", "more overflow"}
    assert rows["prize"].change.high > 0


def test_the_log_is_compared_with_itself() -> None:
    """As logged: no change at all, and its visits are those of the second half."""
    log = log_of(6, 7, 50.0)
    row = rows_of(log)[LOGGED]
    assert (row.change.low, row.change.middle, row.change.high) == (0.0, 0.0, 0.0)
    second = sum(log.day(each.time_ms) >= log.half for rows in log.emptyings.values() for each in rows)
    assert row.visits == second
    assert row.km is None


def test_every_policy_has_a_row() -> None:
    """The log itself first."""
    assert tuple(rows_of(log_of(3, 7, 50.0))) == NAMES


def test_the_length_of_tours_is_told_by_the_logs_own() -> None:
    """20 km a tour and 10 km a root of its stops are found again; a day with more stops than fit has a second tour."""
    rows = [
        Logged(f"s{number}", MONDAY_MS + day * DAY_MS, 50.0, "truck", 20.0 + 10 * (4 + day % 3))
        for day in range(24)
        for number in range((4 + day % 3) ** 2)
    ]
    found = ways(rows)
    assert found.km_line == pytest.approx((20.0, 10.0))
    assert found.most_stops == pytest.approx(36.0)
    assert [found.km(0), found.km(25), found.km(50)] == pytest.approx([0.0, 70.0, 140.0])
    assert found.hours(25) is None


def test_the_hours_of_tours_are_told_by_the_log_or_by_its_times() -> None:
    """Two hours a tour and six minutes a stop are found again; without the column from its first stop to its last."""
    rows = [
        Logged(f"s{number}", MONDAY_MS + day * DAY_MS + number * 360_000, 50.0, "truck", None, 2 + (9 + day % 3) / 10)
        for day in range(24)
        for number in range(9 + day % 3)
    ]
    told = ways(rows)
    assert [told.hours(0), told.hours(10), told.hours(22)] == pytest.approx([0.0, 3.0, 6.2])
    assert told.km(10) is None
    timed = ways(row._replace(hours=None) for row in rows)
    assert timed.hours(10) == pytest.approx(0.9)
    assert ways(row._replace(hours=None, vehicle="") for row in rows).hours_line is None


def test_tours_that_are_all_alike_tell_no_length() -> None:
    """Neither do tours without km, nor a handful of them."""
    alike = [
        Logged(f"s{number}", MONDAY_MS + day * DAY_MS, 50.0, "truck", 30.0) for day in range(24) for number in range(9)
    ]
    assert ways(alike).km_line is None
    assert ways(row._replace(km=None) for row in alike).km_line is None
    assert ways(alike[:20]).km_line is None


def test_an_interval_is_as_wide_as_containers_differ() -> None:
    """Containers that all save alike leave no doubt, two that differ leave much."""
    chance = Random(1)
    alike = interval(chance, [[(8.0, 10.0)] * 9])
    assert (round(alike.low, 9), round(alike.high, 9)) == (-0.2, -0.2)
    apart = interval(chance, [[(0.0, 10.0)] * 4 + [(16.0, 10.0)] * 4])
    assert apart.middle == pytest.approx(-0.2)
    assert apart.low < -0.5
    assert apart.high > 0.1


def test_weeks_of_a_setting_are_whole() -> None:
    """Every day of the second half falls into a week of its own row."""
    log = log_of(3, 7, 50.0)
    given: Setting = setting(log, ZONE)
    each = lived(drawn(1), given)[LOGGED]
    assert each.km is None
    measured = replace(given, ways=Ways(Line(5.0, 0.0), Line(1.0, 0.0), 99.0))
    each = lived(drawn(1), measured)[LOGGED]
    weeks = -(-len(given.days) // 7)
    assert each.km is not None
    assert each.hours is not None
    assert (len(each.km), len(each.hours)) == (weeks, weeks)
    assert sum(each.km) == 5 * sum(each.hours)
    assert sum(each.hours) > 0
