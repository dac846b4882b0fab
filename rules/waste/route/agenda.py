"""When the plans of a day are made: frozen the evening before, refreshed before the shift, changed during the day."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from rules.city import City
from rules.waste.days import LOOK_DAYS
from rules.waste.route.fleet import fleet_of, next_service_day, on_duty
from rules.waste.route.life import left_out, newest, standing
from rules.waste.route.record import PlanRecord
from rules.waste.route.service_day import ServiceDay

MINUTE_MS: Final = 60_000
AGAIN_MS: Final = 10 * MINUTE_MS
"""Between two plans of a day, however often something changes."""
Step = Literal["freeze", "refresh", "replan", "late"]
"""`late`: the shift has begun, and there is no plan."""


@dataclass(frozen=True, slots=True)
class Times:
    """Of a day and a fraction: when it is frozen and refreshed, when its shifts begin and end; ms since 1970."""

    freeze_ms: int
    refresh_ms: int
    begin_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class News:
    """What a plan may have to follow: containers that must be emptied, those emptied today, vehicles that are there."""

    mandatory: Collection[str] = ()
    served: Collection[str] = ()
    vehicles: Collection[str] = ()


def days(city: City, today: date, timezone: str, freeze_min: int, now_ms: int) -> tuple[ServiceDay, ...]:
    """The days to look after; raises CityError.

    Today, the day before while vehicles of it are on their shift past midnight, and the one that the newest evening was
    to plan.
    """
    begun = now_ms >= at_ms(ServiceDay(today, timezone), freeze_min)
    evening = today if begun else today - timedelta(days=1)
    target = next_service_day(city, evening, timezone)
    before = ServiceDay(today - timedelta(days=1), timezone)
    night = before.date if _goes_on(city, before, now_ms) else None
    found = dict.fromkeys(day for day in (night, today, target) if day is not None)
    return tuple(ServiceDay(day, timezone) for day in found)


def _goes_on(city: City, day: ServiceDay, now_ms: int) -> bool:
    """Whether a vehicle of that day is still on its shift."""
    crew = fleet_of(city, day, on_duty(city, day)).vehicles
    return any(day.midnight_ms + vehicle.shift_until_s * 1000 > now_ms for vehicle in crew)


def at_ms(day: ServiceDay, minutes: int) -> int:
    """The instant at which clocks show so many minutes after midnight."""
    return day.midnight_ms + day.second(minutes) * 1000


def evening_before(city: City, day: ServiceDay) -> ServiceDay:
    """The last day of service before this one, on whose evening it is planned; the day before where there is none."""
    for back in range(1, LOOK_DAYS + 1):
        earlier = day._replace(date=day.date - timedelta(days=back))
        if on_duty(city, earlier):
            return earlier
    return day._replace(date=day.date - timedelta(days=1))


def step(plans: Sequence[PlanRecord], times: Times, now_ms: int, made_ms: int, *, ever: bool) -> Step | None:
    """What is to be done before the shift, or by order of a person.

    `made_ms` is when the newest plan of the day was made, also one that is withdrawn by now (0: none). `ever` says
    whether the fraction had plans on other days: on the first of all nobody misses one.
    """
    last = newest(plans)
    touched_ms = max([made_ms, *(plan.looked_ms for plan in plans)])
    if now_ms >= times.end_ms:
        return None
    if last is not None and last.asked_ms:
        return "replan"
    if now_ms < times.begin_ms:
        if times.refresh_ms <= now_ms:
            due: Step = "refresh" if last is not None else "freeze"
            return due if touched_ms < max(times.refresh_ms, times.freeze_ms) else None
        return "freeze" if times.freeze_ms <= now_ms and touched_ms < times.freeze_ms else None
    return "late" if ever and not made_ms else None


def disturbed(plans: Sequence[PlanRecord], times: Times, news: News, now_ms: int) -> bool:
    """Whether something of the day's tours has to change: a new mandatory container, or a vehicle that is gone."""
    last = newest(plans)
    if last is None or not times.begin_ms <= now_ms < times.end_ms:
        return False
    if now_ms - max(last.created_ms, last.looked_ms) < AGAIN_MS:
        return False
    held = standing(plans)
    if any(one.tour.visits and one.tour.vehicle not in news.vehicles for one in held.values()):
        return True
    known = last.places.union(news.served, left_out(last), *(one.tour.stops for one in held.values()))
    return not known.issuperset(news.mandatory)
