"""What comes out where nothing could be planned: of each vehicle the last confirmed tour, with the reason."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from rules.event import event_id
from rules.waste.route.day_plan import Why
from rules.waste.route.in_force import Held
from rules.waste.route.record import PlanRecord, TourRecord, moved
from rules.waste.route.route_event import ID
from rules.waste.route.route_text import day_of
from rules.waste.route.solution import Unserved
from rules.waste.words import Words

NONE_KNOWN: Final = Words(
    "keine bestätigte Tour bekannt, nichts geplant", "no confirmed tour is known, nothing planned"
)


@dataclass(frozen=True, slots=True)
class Gap:
    """A day of a fraction without a plan.

    `shifts` are the ends of the vehicles' shifts, `known` what the city has, `due` the containers on the day's list.
    """

    day: date
    fraction: str
    timezone: str
    midnight_ms: int
    shifts: Mapping[str, int]
    known: Collection[str]
    why: Words
    due: Mapping[str, Why] = field(default_factory=dict)


def fallback(gap: Gap, last: Mapping[str, Held], now_ms: int) -> PlanRecord:
    """The plan of a day for which there is none; `last` are the last confirmed tours, by vehicle."""
    tours: list[TourRecord] = []
    names: dict[str, str] = {}
    taken: set[str] = set()
    mandatory = tuple(sorted(place for place, why in gap.due.items() if why.obligation == "mandatory"))
    for vehicle, until_s in sorted(gap.shifts.items()):
        held = last.get(vehicle)
        if held is None:
            tours.append(TourRecord(vehicle, until_s, status="fallback", reason=_because(gap, NONE_KNOWN)))
            continue
        tour = moved(held.tour, held.plan.day, gap.day, gap.timezone, set(gap.known) - taken)
        taken.update(tour.stops)
        names |= {place: held.plan.names[place] for place in tour.stops if place in held.plan.names}
        day = day_of(held.plan)
        reason = _because(gap, Words(f"letzte bestätigte Tour vom {day.de}", f"last confirmed tour, of {day.en}"))
        tours.append(_again(tour, until_s, reason))
    return PlanRecord(
        id=event_id(ID, gap.fraction, gap.day.isoformat(), f"fallback {now_ms}"),
        day=gap.day,
        fraction=gap.fraction,
        timezone=gap.timezone,
        midnight_ms=gap.midnight_ms,
        created_ms=now_ms,
        origin="fallback",
        drivable=bool(last) and all(held.plan.drivable for held in last.values()),
        tours=tuple(tours),
        unserved=tuple(Unserved(place, "not_planned", gap.why) for place in mandatory if place not in taken),
        mandatory=mandatory,
        why={place: why for place, why in gap.due.items() if place in taken},
        names=names,
        failure=gap.why,
    )


def last_confirmed(plans: Sequence[PlanRecord], vehicle: str, day: date) -> Held | None:
    """The vehicle's last confirmed tour of a whole day: of the same weekday where there is one, else the newest."""
    held = [
        Held(plan, tour)
        for plan in plans
        for tour in plan.tours
        if plan.day < day and plan.origin != "replanned" and tour.vehicle == vehicle and _was_driven(tour)
    ]
    held.sort(key=lambda one: (one.plan.day.weekday() == day.weekday(), one.plan.day, one.tour.confirmed_ms))
    return held[-1] if held else None


def _was_driven(tour: TourRecord) -> bool:
    return tour.confirmed_ms is not None and bool(tour.stops)


def _again(tour: TourRecord, until_s: int, reason: Words) -> TourRecord:
    return replace(tour, until_s=until_s, status="fallback", reason=reason, rejected="", confirmed_ms=None, event_id="")


def _because(gap: Gap, what: Words) -> Words:
    return Words(f"{what.de}; {gap.why.de}", f"{what.en}; {gap.why.en}")
