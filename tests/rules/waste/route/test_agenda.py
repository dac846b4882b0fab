"""When plans are made."""

from dataclasses import replace
from datetime import date

import pytest

from rules.waste.route import agenda, life
from rules.waste.route.agenda import AGAIN_MS, News, Step, Times
from rules.waste.route.record import PlanRecord
from rules.waste.route.service_day import ServiceDay
from rules.waste.route.solution import Unserved
from rules.waste.words import NO_WORDS
from tests.rules.waste.route.cities import city, container, depot, site, vehicle
from tests.rules.waste.route.plans import TIMEZONE, plan

HOUR = 3_600_000
TIMES = Times(freeze_ms=18 * HOUR, refresh_ms=29 * HOUR, begin_ms=30 * HOUR, end_ms=39 * HOUR)
FREEZE, REFRESH, BEGIN, END = TIMES.freeze_ms, TIMES.refresh_ms, TIMES.begin_ms, TIMES.end_ms
TOURS = {"truck-1": ("bin-0", "bin-1"), "truck-2": ("bin-3",)}


def made(created_ms: int, *, asked_ms: int = 0, looked_ms: int = 0) -> PlanRecord:
    """A plan made then."""
    return replace(plan(TOURS), created_ms=created_ms, asked_ms=asked_ms, looked_ms=looked_ms)


def gone(record: PlanRecord) -> PlanRecord:
    """The same, withdrawn."""
    return replace(record, tours=tuple(replace(tour, status="withdrawn") for tour in record.tours))


@pytest.mark.parametrize(
    ("plans", "now_ms", "expected"),
    [
        ([], FREEZE - 1, None),
        ([], FREEZE, "freeze"),
        ([], REFRESH, "freeze"),
        ([], BEGIN - 1, "freeze"),
        ([], BEGIN, "late"),
        ([], END, None),
        ([made(FREEZE - 1)], FREEZE, "freeze"),
        ([made(FREEZE)], FREEZE, None),
        ([made(FREEZE)], REFRESH - 1, None),
        ([made(FREEZE)], REFRESH, "refresh"),
        ([made(FREEZE, looked_ms=REFRESH)], REFRESH + 1, None),
        ([made(FREEZE), made(REFRESH)], BEGIN - 1, None),
        ([made(FREEZE)], BEGIN, None),
        ([gone(made(FREEZE))], FREEZE + 1, None),
        ([gone(made(FREEZE))], REFRESH, "freeze"),
        ([gone(made(FREEZE))], BEGIN, None),
        ([made(FREEZE, asked_ms=FREEZE + 5)], FREEZE + 6, "replan"),
        ([made(FREEZE, asked_ms=BEGIN)], BEGIN + 1, "replan"),
        ([made(FREEZE, asked_ms=BEGIN)], END, None),
    ],
)
def test_what_is_due(plans: list[PlanRecord], now_ms: int, expected: Step | None) -> None:
    """Each step in its time, once; nothing after the last shift."""
    newest_ms = max((one.created_ms for one in plans), default=0)
    assert agenda.step(plans, TIMES, now_ms, newest_ms, ever=True) == expected


def test_nobody_misses_a_plan_on_the_first_day() -> None:
    """A service that was set up in the morning has no plan for the day, which is no failure."""
    assert agenda.step([], TIMES, BEGIN, 0, ever=False) is None


NEW = News(("bin-7",), (), ("truck-1", "truck-2"))


@pytest.mark.parametrize(
    ("news", "now_ms", "expected"),
    [
        (NEW, BEGIN, True),
        (NEW, BEGIN - 1, False),
        (NEW, END, False),
        (replace(NEW, mandatory=()), BEGIN, False),
        (replace(NEW, served=("bin-7",)), BEGIN, False),
        (replace(NEW, mandatory=("bin-0", "bin-3")), BEGIN, False),
        (replace(NEW, mandatory=(), vehicles=("truck-1",)), BEGIN, True),
    ],
)
def test_what_changes_the_day(news: News, now_ms: int, *, expected: bool) -> None:
    """A mandatory container on no tour and not emptied, or a vehicle with a tour that is gone; during the shift."""
    assert agenda.disturbed([made(FREEZE)], TIMES, news, now_ms) is expected


def test_what_found_no_place_asks_no_second_time() -> None:
    """A container that the newest plan leaves out does not make another one."""
    known = replace(made(FREEZE), unserved=(Unserved("bin-7", "no_room", NO_WORDS),))
    assert not agenda.disturbed([known], TIMES, NEW, BEGIN)


@pytest.mark.parametrize("newest", [made(BEGIN), made(FREEZE, looked_ms=BEGIN)])
def test_the_day_changes_every_ten_minutes_at_most(newest: PlanRecord) -> None:
    """Counted from the newest plan, or from when it was last found to be the best."""
    assert not agenda.disturbed([newest], TIMES, NEW, BEGIN + AGAIN_MS - 1)
    assert agenda.disturbed([newest], TIMES, NEW, BEGIN + AGAIN_MS)


def test_without_a_plan_nothing_can_change() -> None:
    """None was made, or all are withdrawn."""
    assert not agenda.disturbed([], TIMES, NEW, BEGIN)
    assert not agenda.disturbed([gone(made(FREEZE))], TIMES, NEW, BEGIN)
    assert life.newest([gone(made(FREEZE))]) is None


def test_the_evening_before_is_that_of_a_working_day() -> None:
    """Monday is planned on Friday, Tuesday on Monday; a public holiday is no working day."""
    place = city(depot(), site(), vehicle(), container())
    monday = ServiceDay(date(2026, 9, 21), TIMEZONE)
    assert agenda.evening_before(place, monday).date == date(2026, 9, 18)
    assert agenda.evening_before(place, monday._replace(date=date(2026, 9, 22))).date == date(2026, 9, 21)
    easter_tuesday = monday._replace(date=date(2027, 3, 30))
    assert agenda.evening_before(place, easter_tuesday).date == date(2027, 3, 25)


@pytest.mark.parametrize(
    ("day", "hour", "expected"),
    [
        (date(2026, 9, 15), 17, [date(2026, 9, 15)]),
        (date(2026, 9, 15), 18, [date(2026, 9, 15), date(2026, 9, 16)]),
        (date(2026, 9, 19), 12, [date(2026, 9, 19), date(2026, 9, 21)]),
        (date(2026, 9, 20), 12, [date(2026, 9, 20), date(2026, 9, 21)]),
    ],
)
def test_the_days_to_look_after(day: date, hour: int, expected: list[date]) -> None:
    """Today, and from the evening on the next day of service."""
    place = city(depot(), site(), vehicle(), container())
    now_ms = ServiceDay(day, TIMEZONE).midnight_ms + hour * HOUR
    assert [one.date for one in agenda.days(place, day, TIMEZONE, 18 * 60, now_ms)] == expected


def test_a_shift_past_midnight_is_looked_after_to_its_end() -> None:
    """At two in the night the tours of the evening before go on; at five they are over."""
    place = city(depot(), site(), vehicle(shift_from="20:00", shift_until="04:00"), container())
    wednesday = date(2026, 9, 16)
    for hour, expected in ((2, [date(2026, 9, 15), wednesday]), (5, [wednesday])):
        now_ms = ServiceDay(wednesday, TIMEZONE).midnight_ms + hour * HOUR
        assert [one.date for one in agenda.days(place, wednesday, TIMEZONE, 18 * 60, now_ms)] == expected
