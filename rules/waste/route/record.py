"""What is kept of a day's plan: enough to show it, to say it, to fall back on it and to plan again from it.

Times are seconds that have passed since `midnight_ms`, as in `DayPlan`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from math import sqrt
from typing import Literal
from zoneinfo import ZoneInfo

from rules.event_route import RouteStatus
from rules.waste.route.crew import UnderWay
from rules.waste.route.day_plan import DayPlan, Why
from rules.waste.route.solution import Unserved, Visit
from rules.waste.words import NO_WORDS, Words

Origin = Literal["frozen", "refreshed", "replanned", "asked", "fallback"]
"""What a plan was made for: the evening before, before the shift, during the day, by a person, in place of a plan."""


@dataclass(frozen=True, slots=True)
class TourRecord:
    """A vehicle's tour until the end of its shift; without visits it stays in the depot.

    `places` is its `Order`, `event_id` the newest event about it, `reason` why it is no usual one, `rejected` what the
    depot said against it, `accepted_ms` when it agreed to one that waits for others. `began` is where it began that was
    planned for a vehicle under way.
    """

    vehicle: str
    until_s: int
    places: tuple[str, ...] = ()
    visits: tuple[Visit, ...] = ()
    departs_s: int = 0
    metres: int = 0
    seconds: int = 0
    status: RouteStatus = "proposed"
    reason: Words = NO_WORDS
    rejected: str = ""
    confirmed_ms: int | None = None
    accepted_ms: int | None = None
    event_id: str = ""
    began: UnderWay | None = None

    @property
    def stops(self) -> tuple[str, ...]:
        """The containers in order."""
        return tuple(visit.place for visit in self.visits if visit.kind == "stop")

    @property
    def open(self) -> bool:
        """Whether the depot has still to say something to it."""
        return self.status in {"proposed", "fallback"}


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """The tours of a day for a fraction, one for each vehicle, also for those that stay.

    `mandatory` are the containers that must be emptied, `unavailable` vehicles that dropped out. `asked_ms` is when a
    person asked for a new plan from this one (0: nobody), `looked_ms` when it was last found to be the best there is,
    `failure` why there is no newer one. `fixed_stops` is how many stops the day would have in fixed cycles. `told_by`
    is the vehicle in whose event the plan before said what is on no tour.
    """

    id: str
    day: date
    fraction: str
    timezone: str
    midnight_ms: int
    created_ms: int
    origin: Origin
    drivable: bool
    tours: tuple[TourRecord, ...]
    unserved: tuple[Unserved, ...] = ()
    mandatory: tuple[str, ...] = ()
    why: Mapping[str, Why] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[Words, ...] = ()
    unavailable: tuple[str, ...] = ()
    asked_ms: int = 0
    looked_ms: int = 0
    failure: Words = NO_WORDS
    fixed_stops: float = 0.0
    told_by: str = ""

    @property
    def status(self) -> RouteStatus:
        """What the depot's word on its tours makes of the plan: proposed as long as one of them waits for it.

        One without any tour stands in for a plan.
        """
        said = {tour.status for tour in self.tours}
        if "proposed" in said:
            return "proposed"
        return next((word for word in ("fallback", "confirmed") if word in said), "withdrawn" if said else "fallback")

    @property
    def places(self) -> frozenset[str]:
        """The containers on its tours."""
        return frozenset(place for tour in self.tours for place in tour.stops)

    @property
    def speaker(self) -> str:
        """The vehicle in whose event it is said what is on no tour: the same as before as long as it has a tour.

        Else the first that has one; empty without vehicles.
        """
        named = [tour.vehicle for tour in self.tours]
        driving = [tour.vehicle for tour in self.tours if tour.visits and tour.status != "withdrawn"]
        return self.told_by if self.told_by in driving else next(iter(driving or named), "")

    @property
    def ends_ms(self) -> int:
        """When the last shift is over."""
        return self.time_ms(max((tour.until_s for tour in self.tours), default=0))

    def time_ms(self, second: int) -> int:
        """The instant (ms since 1970) of a time of day."""
        return self.midnight_ms + second * 1000

    def fixed_metres(self, tour: TourRecord) -> int | None:
        """About how long this tour would be in fixed cycles; None where nothing is known of them.

        Shortest tours grow with the root of the number of stops (Beardwood, Halton, Hammersley 1959).
        """
        stops = len(self.places)
        return round(tour.metres * sqrt(self.fixed_stops / stops)) if stops and self.fixed_stops else None

    def tour(self, vehicle: str) -> TourRecord | None:
        """The tour of a vehicle."""
        return next((tour for tour in self.tours if tour.vehicle == vehicle), None)

    def with_tours(self, changed: Mapping[str, TourRecord]) -> "PlanRecord":
        """The plan with these tours, by vehicle, in the place of its own."""
        return replace(self, tours=tuple(changed.get(tour.vehicle, tour) for tour in self.tours))


def record_of(
    plan: DayPlan,
    origin: Origin = "asked",
    unavailable: Collection[str] = (),
    under_way: Mapping[str, UnderWay] | None = None,
) -> PlanRecord:
    """What is kept of a plan; `under_way` are the vehicles that it was made for on their tour."""
    tours = {tour.vehicle: tour for tour in plan.solution.tours}
    orders = {order.vehicle: order.places for order in plan.solution.orders}
    known = under_way or {}
    found = [TourRecord(one.id, one.shift_until_s, began=known.get(one.id)) for one in plan.problem.vehicles]
    return PlanRecord(
        id=plan.id,
        day=plan.day,
        fraction=plan.fraction,
        timezone=plan.timezone,
        midnight_ms=plan.midnight_ms,
        created_ms=plan.created_ms,
        origin=origin,
        drivable=plan.solution.drivable,
        tours=tuple(
            replace(
                one,
                places=orders[one.vehicle],
                visits=tour.visits,
                departs_s=tour.departs_s,
                metres=tour.metres,
                seconds=tour.seconds,
                status=plan.status,
                reason=Words(*plan.status_reason),
                confirmed_ms=plan.confirmed_ms,
            )
            if (tour := tours.get(one.vehicle)) is not None
            else replace(one, status=plan.status, reason=Words(*plan.status_reason), confirmed_ms=plan.confirmed_ms)
            for one in found
        ),
        unserved=plan.solution.unserved,
        mandatory=tuple(stop.id for stop in plan.problem.stops if stop.prize is None),
        why=dict(plan.why),
        names=dict(plan.names),
        warnings=plan.warnings,
        unavailable=tuple(sorted(unavailable)),
        fixed_stops=plan.fixed_stops,
    )


def noon_s(day: date, timezone: str) -> int:
    """Seconds from local midnight to noon: other than twelve hours where the clocks change."""
    zone = ZoneInfo(timezone)
    noon, midnight = (datetime.combine(day, hour, zone).astimezone(UTC) for hour in (time(12), time()))
    return int((noon - midnight).total_seconds())


def moved(tour: TourRecord, from_day: date, to_day: date, timezone: str, known: Collection[str]) -> TourRecord:
    """A tour of another day, at the same times by the clock, without containers and sites that are there no more."""
    later_s = noon_s(to_day, timezone) - noon_s(from_day, timezone)
    return replace(
        tour,
        places=tuple(place for place in tour.places if place in known),
        visits=tuple(_moved(tour.visits, later_s, known)),
        departs_s=tour.departs_s + later_s,
    )


def _moved(visits: Sequence[Visit], later_s: int, known: Collection[str]) -> Iterator[Visit]:
    for visit in visits:
        if visit.place in known or visit.kind != "stop":
            times = (visit.arrival_s + later_s, visit.start_s + later_s, visit.end_s + later_s)
            yield visit._replace(arrival_s=times[0], start_s=times[1], end_s=times[2])
