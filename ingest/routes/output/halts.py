"""A plan as its readers see it: for each vehicle its halts in order, with names, reasons and what holds there."""

from dataclasses import dataclass
from typing import NamedTuple

from ingest.routes.output import words
from ingest.routes.output.words import Language, plain, said
from rules.waste.route.day_plan import DayPlan, Line, Why
from rules.waste.route.model import DAY_S, Depot, DisposalSite, Start, Stop, Vehicle
from rules.waste.route.solution import Kind, Reason, Tour, Visit
from rules.waste.words import Words

Place = Depot | DisposalSite | Stop | Start
ENOUGH = 2
"""Points of a line."""
NO_WINDOW_S = 2 * DAY_S


class Spot(NamedTuple):
    """A place with its name; texts are plain."""

    id: str
    name: str
    district: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Halt:
    """One halt of a tour; `number` counts all halts of the vehicle from 1.

    `arrival_s` is None where no routing engine knows the streets; `window` in seconds as in the problem.
    """

    vehicle: str
    number: int
    kind: Kind
    spot: Spot
    place: Place
    visit: Visit
    why: Why | None
    arrival_s: int | None

    @property
    def mandatory(self) -> bool:
        """Whether it is a container that must be emptied."""
        return isinstance(self.place, Stop) and self.place.prize is None

    @property
    def window(self) -> tuple[int, int]:
        """Between which seconds service may begin."""
        if isinstance(self.place, Stop):
            return self.place.window_from_s, self.place.window_until_s
        if isinstance(self.place, DisposalSite):
            return self.place.opens_s, self.place.closes_s
        return 0, NO_WINDOW_S

    @property
    def level(self) -> float | None:
        """The newest known fill level in %."""
        return _level(self.why)

    def reason(self, language: Language) -> str:
        """Why the vehicle goes there."""
        if self.why is None:
            return said(words.KIND[self.kind], language)
        return plain(self.why.text_de if language == "de" else self.why.text_en)


class Trip(NamedTuple):
    """A vehicle's tour; `line` is empty where no routing engine drew it."""

    vehicle: Vehicle
    name: str
    tour: Tour
    start: Spot
    halts: tuple[Halt, ...]
    line: Line

    @property
    def stops(self) -> int:
        """How many containers it empties."""
        return sum(halt.kind == "stop" for halt in self.halts)

    @property
    def path(self) -> Line:
        """The streets, or straight connections from halt to halt."""
        places = (self.start, *(halt.spot for halt in self.halts))
        return self.line or tuple((spot.longitude, spot.latitude) for spot in places)


class LeftOut(NamedTuple):
    """A container of the day that is on no tour; `place` is None where nothing is known of it but its name."""

    id: str
    name: str
    reason: Reason
    detail: Words
    why: Why | None
    place: Stop | None

    @property
    def level(self) -> float | None:
        """The newest known fill level in %."""
        return _level(self.why)

    def text(self, language: Language) -> str:
        """What stands against it, and why it was on the list."""
        against = said(words.LEFT_OUT[self.reason], language)
        detail = plain(said(self.detail, language))
        if self.reason in words.EXPLAINED and detail:
            against = f"{against} ({detail})"
        if self.why is None:
            return against
        return f"{against}; {plain(self.why.text_de if language == 'de' else self.why.text_en)}"


def trips(plan: DayPlan) -> tuple[Trip, ...]:
    """The tours in the order of the problem's vehicles."""
    tours = {tour.vehicle: tour for tour in plan.solution.tours}
    places: dict[str, Place] = {place.id: place for place in plan.problem.places}
    found = []
    for vehicle in plan.problem.vehicles:
        tour = tours.get(vehicle.id)
        if tour is not None:
            found.append(_trip(plan, vehicle, tour, places))
    return tuple(found)


def staying(plan: DayPlan) -> tuple[str, ...]:
    """The ids of the vehicles without a tour."""
    busy = {tour.vehicle for tour in plan.solution.tours}
    return tuple(vehicle.id for vehicle in plan.problem.vehicles if vehicle.id not in busy)


def left_out(plan: DayPlan) -> tuple[LeftOut, ...]:
    """The containers on no tour, mandatory ones first, else as the plan has them."""
    stops = {stop.id: stop for stop in plan.problem.stops}
    found = [
        LeftOut(
            plain(one.stop),
            name(plan, one.stop),
            one.reason,
            one.detail,
            plan.why.get(one.stop),
            stops.get(one.stop),
        )
        for one in plan.solution.unserved
    ]
    return tuple(sorted(found, key=lambda one: one.reason == "not_worth_it"))


def spot(plan: DayPlan, place: Place) -> Spot:
    """A place with what people call it."""
    district = plain(plan.districts.get(place.id, ""))
    return Spot(plain(place.id), name(plan, place.id), district, place.longitude, place.latitude)


def _level(why: Why | None) -> float | None:
    return None if why is None or why.level is None else round(why.level, 1)


def _trip(plan: DayPlan, vehicle: Vehicle, tour: Tour, places: dict[str, Place]) -> Trip:
    drivable = plan.solution.drivable
    halts = tuple(
        Halt(
            vehicle=plain(vehicle.id),
            number=number,
            kind=visit.kind,
            spot=spot(plan, places[visit.place]),
            place=places[visit.place],
            visit=visit,
            why=plan.why.get(visit.place),
            arrival_s=visit.arrival_s if drivable else None,
        )
        for number, visit in enumerate(tour.visits, 1)
    )
    drawn = plan.lines.get(vehicle.id, ())
    line = drawn if drivable and len(drawn) >= ENOUGH else ()
    return Trip(vehicle, name(plan, vehicle.id), tour, spot(plan, places[vehicle.origin]), halts, line)


def name(plan: DayPlan, place: str) -> str:
    """What people call a place or a vehicle; its id where it has no name."""
    return plain(plan.names.get(place) or place)
