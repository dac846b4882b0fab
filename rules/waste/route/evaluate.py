"""What tours cost and whether they can be driven, computed from the problem alone and not from what a solver says."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from rules.waste.route.model import (
    NO_WAY,
    UNSERVED_COST,
    DisposalSite,
    Order,
    Problem,
    RouteError,
    Stop,
    Vehicle,
)
from rules.waste.route.solution import Cost, Kind, Solution, Tour, Unserved, Visit
from rules.waste.words import Words, fraction_of

Halt = tuple[str, DisposalSite | Stop | None]
NO_ROOM: Final = Words(
    "Pflicht, aber kein Fahrzeug hat noch Platz oder Zeit dafür",
    "mandatory, but no vehicle has capacity or time left for it",
)


def evaluate(problem: Problem, orders: Iterable[Order], unserved: Sequence[Unserved] = ()) -> Solution:
    """The tours of these orders with times, loads, cost and whatever they violate; vehicles under way all have one.

    `unserved` are stops that were left out before, with their reasons; raises RouteError for an order that names what
    the problem does not have, or a stop or a vehicle twice.
    """
    given = tuple(order for order in orders if order.places)
    _check_names(problem, given)
    busy = {order.vehicle for order in given}
    given += tuple(Order(each.id, ()) for each in problem.vehicles if each.start and each.id not in busy)
    tours = tuple(_Drive(problem, order).tour() for order in given)
    served = {place for order in given for place in order.places}
    left = [stop for stop in problem.stops if stop.id not in served]
    parts = [*(tour.cost for tour in tours), *_left_out(problem, left)]
    return Solution(
        tours=tours,
        unserved=(*unserved, *(_reason(stop) for stop in left)),
        cost=Cost(*(sum(part) for part in zip(*parts, strict=True))) if parts else Cost(),
        orders=given,
        drivable=problem.drivable,
        violations=tuple(line for tour in tours for line in tour.violations),
        notes=tuple(line for tour in tours for line in tour.notes),
    )


def _check_names(problem: Problem, orders: Sequence[Order]) -> None:
    stops, sites = {stop.id for stop in problem.stops}, {site.id for site in problem.sites}
    vehicles = {vehicle.id for vehicle in problem.vehicles}
    seen: set[str] = set()
    for order in orders:
        if order.vehicle not in vehicles or order.vehicle in seen:
            raise RouteError(f"vehicle {order.vehicle!r}: expected a vehicle of the problem, with one tour")
        seen.add(order.vehicle)
        for place in order.places:
            if place in sites:
                continue
            if place not in stops or place in seen:
                raise RouteError(f"vehicle {order.vehicle!r}: {place!r} is no stop of the problem, or is visited twice")
            seen.add(place)


def _left_out(problem: Problem, left: Iterable[Stop]) -> Iterable[Cost]:
    planned = problem.planned()
    for stop in left:
        change = problem.cost_per_change if stop.id in planned else 0
        if stop.prize is None:
            yield Cost(unserved=UNSERVED_COST, changes=change)
        else:
            yield Cost(lost_prizes=stop.prize, changes=change)


def _reason(stop: Stop) -> Unserved:
    if stop.prize is None:
        return Unserved(stop.id, "no_room", NO_ROOM)
    worth = f"{stop.prize / 1e6:.2f}"
    words = Words(
        f"der Weg kostet mehr als die {worth.replace('.', ',')} €, die die Leerung heute wert ist",
        f"the way costs more than the {worth} EUR that it is worth today",
    )
    return Unserved(stop.id, "not_worth_it", words)


class _Drive:
    """One order, driven."""

    def __init__(self, problem: Problem, order: Order) -> None:
        self._problem = problem
        self._order = order
        self._vehicle = next(vehicle for vehicle in problem.vehicles if vehicle.id == order.vehicle)
        self._index = problem.index()
        self._matrix = problem.matrices[self._vehicle.profile]
        self._violations: list[Words] = []
        self._halts = self._all_halts()

    def tour(self) -> Tour:
        vehicle = self._vehicle
        metres, seconds = self._legs()
        visits = self._visits(metres, seconds, vehicle.shift_from_s)
        departs_s = self._latest_start(seconds, visits[-1].end_s)
        visits = self._visits(metres, seconds, departs_s)
        self._check_times(visits)
        self._check_loads()
        total_s = visits[-1].end_s - departs_s
        return Tour(
            vehicle=vehicle.id,
            departs_s=departs_s,
            visits=visits,
            metres=sum(metres),
            seconds=total_s,
            wait_s=sum(visit.start_s - visit.arrival_s for visit in visits),
            cost=Cost(
                fixed=vehicle.going_out,
                distance=sum(metres) * vehicle.cost_per_m,
                time=total_s * vehicle.cost_per_s,
                changes=self._changes(),
            ),
            notes=_notes(vehicle),
            violations=tuple(
                Words(f"Fahrzeug {vehicle.id}: {line.de}", f"vehicle {vehicle.id!r}: {line.en}")
                for line in self._violations
            ),
        )

    def _all_halts(self) -> list[Halt]:
        places: dict[str, DisposalSite | Stop] = {site.id: site for site in self._problem.sites}
        places |= {stop.id: stop for stop in self._problem.stops}
        halts: list[Halt] = [(place, places[place]) for place in self._order.places]
        is_emptied = bool(halts) and not isinstance(halts[-1][1], Stop)
        if not is_emptied and (halts or not self._vehicle.is_empty):
            halts += [(site, places[site]) for site in self._vehicle.disposal_sites[:1]]
        return [*halts, (self._vehicle.depot, None)]

    def _legs(self) -> tuple[list[int], list[int]]:
        path = [self._vehicle.origin, *(place for place, _ in self._halts)]
        metres, seconds = [], []
        for start, end in pairwise(path):
            row, column = self._index[start], self._index[end]
            if NO_WAY in (self._matrix.metres[row][column], self._matrix.seconds[row][column]):
                self._violate(f"kein Weg von {start} nach {end}", f"there is no way from {start!r} to {end!r}")
            metres.append(self._matrix.metres[row][column])
            seconds.append(self._matrix.seconds[row][column])
        return metres, seconds

    def _visits(self, metres: Sequence[int], seconds: Sequence[int], departs_s: int) -> tuple[Visit, ...]:
        now_s, visits = departs_s, []
        load_kg = sum(load.mass_kg for load in self._vehicle.on_board.values())
        load_l = sum(load.volume_l for load in self._vehicle.on_board.values())
        for (place, halt), leg_m, leg_s in zip(self._halts, metres, seconds, strict=True):
            arrival_s = now_s + leg_s
            begin_s, _, service_s = _hours(halt)
            start_s = max(arrival_s, begin_s)
            now_s = start_s + service_s
            if isinstance(halt, Stop):
                load_kg, load_l = load_kg + halt.mass_kg, load_l + (halt.volume_l or 0)
                visits.append(Visit(place, "stop", leg_m, arrival_s, start_s, now_s, load_kg, load_l))
                continue
            if halt is not None:
                load_kg, load_l = 0, 0
            kind: Kind = "home" if halt is None else "unload"
            visits.append(Visit(place, kind, leg_m, arrival_s, start_s, now_s, load_kg, load_l))
        return tuple(visits)

    def _latest_start(self, seconds: Sequence[int], end_s: int) -> int:
        """The latest start that keeps the windows and the end; now, when under way or when they are missed anyway."""
        if self._vehicle.start:
            return self._vehicle.shift_from_s
        latest_s = end_s
        for (_, halt), leg_s in zip(reversed(self._halts), reversed(seconds), strict=True):
            _, until_s, service_s = _hours(halt)
            latest_s = min(latest_s - service_s, until_s) - leg_s
        return max(latest_s, self._vehicle.shift_from_s)

    def _check_times(self, visits: Sequence[Visit]) -> None:
        for visit, (place, halt) in zip(visits, self._halts, strict=True):
            until_s = _hours(halt)[1]
            if visit.start_s > until_s:
                late_s = visit.start_s - until_s
                self._violate(
                    f"{place} wird {late_s} s nach dem Zeitfenster erreicht",
                    f"{place!r} is reached {late_s} s after its window",
                )
        over_s = visits[-1].end_s - self._vehicle.until_s
        if over_s > 0:
            self._violate(
                f"die Schicht endet, die Pause abgezogen, {over_s} s vor der Tour",
                f"the shift, less its break, ends {over_s} s before the tour",
            )

    def _check_loads(self) -> None:
        vehicle, unloads = self._vehicle, 0
        held: dict[str, tuple[int, int]] = dict(vehicle.on_board)
        lifted = int(vehicle.roll_off and not vehicle.is_empty)
        for place, halt in self._halts:
            if isinstance(halt, Stop):
                obstacle = vehicle.obstacle(halt)
                if obstacle is not None:
                    self._violate(f"{place}: das Fahrzeug {obstacle.de}", f"{place!r}: the vehicle {obstacle.en}")
                kilograms, litres = held.get(halt.fraction, (0, 0))
                held[halt.fraction] = (kilograms + halt.mass_kg, litres + (halt.volume_l or 0))
                lifted += 1
                self._check_room(place, held, lifted, {} if unloads else vehicle.on_board)
            elif halt is not None:
                held, lifted, unloads = {}, 0, unloads + 1
                if place not in vehicle.disposal_sites:
                    self._violate(
                        f"{place} ist keine seiner Entsorgungsanlagen", f"{place!r} is none of its disposal sites"
                    )
        if unloads - bool(vehicle.disposal_sites) > vehicle.max_reloads:
            self._violate(
                f"wird zwischendurch öfter als {vehicle.max_reloads}-mal entladen",
                f"is emptied more than {vehicle.max_reloads} times in between",
            )

    def _check_room(
        self, place: str, held: Mapping[str, tuple[int, int]], lifted: int, before: Mapping[str, tuple[int, int]]
    ) -> None:
        """Whether it fits; what was too much `before` the tour is taken as full."""
        vehicle = self._vehicle
        for fraction, (kilograms, litres) in held.items():
            room, (before_kg, before_l) = vehicle.capacity.get(fraction), before.get(fraction, (0, 0))
            if room is not None and (kilograms > max(room.mass_kg, before_kg) or litres > max(room.volume_l, before_l)):
                self._violate(
                    f"{place}: zu viel {fraction_of(fraction).de}: {kilograms} kg, {litres} l",
                    f"{place!r}: too much {fraction}: {kilograms} kg, {litres} l",
                )
        total_kg, total_before_kg = (sum(mass_kg for mass_kg, _ in loads.values()) for loads in (held, before))
        if vehicle.payload_kg is not None and total_kg > max(vehicle.payload_kg, total_before_kg):
            self._violate(
                f"{place}: {total_kg} kg, das Fahrzeug trägt {vehicle.payload_kg}",
                f"{place!r}: {total_kg} kg, the vehicle carries {vehicle.payload_kg}",
            )
        if vehicle.roll_off and lifted > 1:
            self._violate(
                f"{place}: ein zweiter Abrollbehälter auf einer Fahrt", f"{place!r}: a second roll-off on one trip"
            )

    def _violate(self, german: str, english: str) -> None:
        self._violations.append(Words(german, english))

    def _changes(self) -> int:
        if not self._problem.cost_per_change:
            return 0
        planned, vehicle = self._problem.planned(), self._vehicle
        taken = sum(planned.get(place, vehicle.id) != vehicle.id for place in self._order.places)
        return taken * self._problem.change_m(vehicle) * vehicle.cost_per_m


def _hours(halt: DisposalSite | Stop | None) -> tuple[int, int, int]:
    """From when and until when service may begin, and how long it takes."""
    if isinstance(halt, Stop):
        return halt.window_from_s, halt.window_until_s, halt.service_s
    return (halt.opens_s, halt.closes_s, halt.unload_s) if halt is not None else (0, 2**62, 0)


def _notes(vehicle: Vehicle) -> tuple[Words, ...]:
    if not vehicle.break_s:
        return ()
    shorter_min = vehicle.break_s // 60
    words = Words(
        f"Fahrzeug {vehicle.id}: die Schicht ist für die Pause um {shorter_min} min kürzer geplant; was nach der Pause "
        "kommt, kommt um so viel später",
        f"vehicle {vehicle.id!r}: the shift is planned {shorter_min} min shorter for the break; stops after the break "
        "come that much later",
    )
    return (words,)
