"""What is wrong with a problem, said before the solver starts: each fault names the asset and what to change."""

from array import array
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from rules.waste.route.model import DAY_S, NO_WAY, DisposalSite, Matrix, Problem, RouteError, Stop, Vehicle
from rules.waste.route.reach import reach
from rules.waste.route.solution import Reason, Unserved
from rules.waste.words import Words, fraction_of, joined

MAX_SHIFT_S = DAY_S
Faults = Iterator["Fault"]


class Fault(NamedTuple):
    """What is wrong with an asset; `reason` None cannot be planned around, and is in English alone, as errors are."""

    asset: str
    message: Words
    reason: Reason | None = None

    def __str__(self) -> str:
        return f"{self.asset}: {self.message}"


class Checked(NamedTuple):
    """A problem without faults, the stops that were left out of it, and the vehicles that stay in the depot."""

    problem: Problem
    unserved: tuple[Unserved, ...] = ()
    grounded: tuple[Fault, ...] = ()


def checked(problem: Problem, *, skip_invalid: bool = False) -> Checked:
    """The problem, or with `skip_invalid` what is left of it when containers and vehicles with faults stay out.

    Raises RouteError with a line for each fault that is not skipped.
    """
    faults = check(problem)
    if not faults:
        return Checked(problem)
    named = {fault.asset: fault for fault in faults}
    grounded = tuple(named[vehicle.id] for vehicle in problem.vehicles if vehicle.id in named)
    fatal = any(fault.reason is None for fault in faults) or len(grounded) == len(problem.vehicles)
    if fatal or not skip_invalid:
        raise RouteError("\n".join(str(fault) for fault in faults))
    left = tuple(_unserved(named[stop.id]) for stop in problem.stops if stop.id in named)
    rest = Checked(_without(problem, named), left, grounded)
    if not grounded:
        return rest
    more = checked(rest.problem, skip_invalid=True)  # what only these vehicles could serve
    return Checked(more.problem, left + more.unserved, grounded + more.grounded)


def check(problem: Problem) -> tuple[Fault, ...]:
    """Every fault that can be seen; stops are looked at only when places, matrices and vehicles are fine."""
    for step in (_structure, _sites, _vehicles, _stops):
        faults = tuple(step(problem))
        if faults:
            return faults
    return ()


def _unserved(fault: Fault) -> Unserved:
    return Unserved(fault.asset, fault.reason or "invalid", fault.message)


def _fatal(asset: str, message: str) -> Fault:
    return Fault(asset, Words(message, message))


def _structure(problem: Problem) -> Faults:
    seen: set[str] = set()
    for id_ in (*(place.id for place in problem.places), *(vehicle.id for vehicle in problem.vehicles)):
        if id_ in seen:
            yield _fatal(id_, "stands twice in the problem, expected once")
        seen.add(id_)
    if not problem.vehicles:
        yield _fatal("vehicles", "there are none, expected at least one")
    if not problem.depots:
        yield _fatal("depots", "there are none, expected at least one")
    for name, matrix in problem.matrices.items():
        yield from _matrix(problem, name, matrix)
    for vehicle in problem.vehicles:
        yield from _names(problem, vehicle)
    yield from _starts(problem)


def _starts(problem: Problem) -> Faults:
    known = {start.id for start in problem.starts}
    taken: dict[str, str] = {}
    for vehicle in problem.vehicles:
        if vehicle.start is None:
            continue
        if vehicle.start not in known:
            yield _fatal(vehicle.id, f"start {vehicle.start!r} is unknown, expected one of the problem")
        if vehicle.start in taken:
            yield _fatal(vehicle.id, f"start {vehicle.start!r} is that of {taken[vehicle.start]!r}, expected its own")
        taken[vehicle.start] = vehicle.id


def _matrix(problem: Problem, name: str, matrix: Matrix) -> Faults:
    size = len(problem.places)
    for what, rows in (("metres", matrix.metres), ("seconds", matrix.seconds)):
        if len(rows) != size or any(len(row) != size for row in rows):
            shape = f"{len(rows)} rows of {sorted({len(row) for row in rows})}"
            yield _fatal(f"matrix {name!r}", f"{what}: {shape}, expected {size} of {size}: one per place")
            continue
        for place, row in zip(problem.places, rows, strict=True):
            if min(row) < NO_WAY:
                yield _fatal(place.id, f"{what} of a way from it are {min(row)} in matrix {name!r}, expected 0 or more")


def _names(problem: Problem, vehicle: Vehicle) -> Faults:
    if vehicle.depot not in {depot.id for depot in problem.depots}:
        yield _fatal(vehicle.id, f"depot {vehicle.depot!r} is unknown, expected one of the problem")
    for site in vehicle.disposal_sites:
        if site not in {known.id for known in problem.sites}:
            yield _fatal(vehicle.id, f"disposal site {site!r} is unknown, expected one of the problem")
    if vehicle.profile not in problem.matrices:
        yield _fatal(vehicle.id, f"profile {vehicle.profile!r} has no matrix, those are {sorted(problem.matrices)}")
    if problem.cost_per_change and vehicle.cost_per_m <= 0:
        yield _fatal(vehicle.id, "costs nothing per metre: changes of a plan are weighed in metres, set `cost_per_m`")


def _sites(problem: Problem) -> Faults:
    for site in problem.sites:
        if site.unload_s < 0:
            yield _fatal(site.id, f"unloading takes {site.unload_s} s, expected 0 or more")
        if site.opens_s > site.closes_s:
            yield _fatal(
                site.id, f"opens at {clock(site.opens_s)} and closes at {clock(site.closes_s)}, expected later"
            )


def _vehicles(problem: Problem) -> Faults:
    sites = {site.id: site for site in problem.sites}
    for vehicle in problem.vehicles:
        for message in _vehicle(problem, vehicle, [sites[id_] for id_ in vehicle.disposal_sites]):
            yield Fault(vehicle.id, message, "invalid")


def _vehicle(problem: Problem, vehicle: Vehicle, sites: Collection[DisposalSite]) -> Iterator[Words]:
    length_s = vehicle.shift_until_s - vehicle.shift_from_s
    if not 0 < length_s <= MAX_SHIFT_S or vehicle.shift_from_s < 0:
        begin, end = clock(vehicle.shift_from_s), clock(vehicle.shift_until_s)
        yield Words(
            f"Schicht von {begin} bis {end}, möglich sind bis zu 24 Stunden",
            f"shift from {begin} to {end}, expected up to 24 hours",
        )
        return
    if not 0 <= vehicle.break_s < length_s:
        yield Words(
            f"Pause von {vehicle.break_s} s in einer Schicht von {length_s} s, sie muss kürzer sein",
            f"a break of {vehicle.break_s} s in a shift of {length_s} s, expected a shorter one",
        )
        return
    if min(vehicle.cost_fixed, vehicle.cost_per_m, vehicle.cost_per_s, vehicle.max_reloads) < 0:
        yield Words(
            "Kosten oder `max_reloads` sind negativ, möglich ist 0 oder mehr",
            "a cost or `max_reloads` is negative, expected 0 or more",
        )
    yield from _loads(vehicle)
    for site in sites:
        refused = sorted(set(vehicle.capacity) - site.fractions)
        if refused:
            names = ", ".join(fraction_of(fraction).de for fraction in refused)
            yield Words(
                f"die Entsorgungsanlage {site.id} nimmt {names} nicht an: andere Anlage oder weniger Fraktionen",
                f"disposal site {site.id!r} takes no {', '.join(refused)}: send the vehicle elsewhere or with less",
            )
    home = reach(problem, vehicle).home_fault()
    if home is not None:
        yield home


def _loads(vehicle: Vehicle) -> Iterator[Words]:
    if not vehicle.capacity:
        yield Words(
            "ist für keine Fraktion, nötig ist eine Ladung in kg und l für mindestens eine (`capacity`)",
            "takes no fraction, expected capacities in kg and l for at least one",
        )
    for fraction, room in vehicle.capacity.items():
        if min(room) <= 0:
            yield Words(
                f"fasst {room.mass_kg} kg, {room.volume_l} l {fraction_of(fraction).de}, beides muss mehr als 0 sein",
                f"capacity for {fraction} is {room.mass_kg} kg, {room.volume_l} l, expected more than 0 of both",
            )
    for fraction, load in vehicle.on_board.items():
        if fraction not in vehicle.capacity or min(load) < 0:
            yield Words(
                f"hat {load.mass_kg} kg, {load.volume_l} l {fraction_of(fraction).de} geladen, möglich ist 0 oder mehr "
                "von dem, was es mitnimmt",
                f"holds {load.mass_kg} kg, {load.volume_l} l of {fraction}, expected 0 or more of what it takes",
            )


def _stops(problem: Problem) -> Faults:
    reaches = [reach(problem, vehicle) for vehicle in problem.vehicles]
    for number, stop in enumerate(problem.stops, len(problem.depots) + len(problem.sites)):
        own = next(_own(stop), None)
        if own is not None:
            yield Fault(stop.id, own, "invalid")
            continue
        obstacles = [(vehicle.id, vehicle.obstacle(stop)) for vehicle in problem.vehicles]
        if all(obstacle for _, obstacle in obstacles):
            why = _listed(obstacles)
            message = Words(f"kein Fahrzeug passt: {why.de}", f"no vehicle can serve it: {why.en}")
            yield Fault(stop.id, message, "no_vehicle")
            continue
        late = [
            (each.vehicle.id, each.fault(number, stop))
            for each, (_, obstacle) in zip(reaches, obstacles, strict=True)
            if not obstacle
        ]
        if all(message for _, message in late):
            why = _listed(late)
            message = Words(f"kein Fahrzeug schafft es: {why.de}", f"no vehicle can reach it: {why.en}")
            yield Fault(stop.id, message, "invalid")


def _own(stop: Stop) -> Iterator[Words]:
    if stop.volume_l is None or stop.volume_l <= 0:
        known = "Volumen unbekannt" if stop.volume_l is None else f"Volumen ist {stop.volume_l} l, muss mehr als 0 sein"
        yield Words(
            f"{known}: `volume_l` des Behälters angeben",
            f"volume is {stop.volume_l} l, expected more than 0: set `volume_l` of the container",
        )
    if stop.mass_kg < 0 or stop.service_s < 0:
        yield Words(
            f"{stop.mass_kg} kg in {stop.service_s} s zu laden, möglich ist 0 oder mehr",
            f"{stop.mass_kg} kg to load in {stop.service_s} s, expected 0 or more",
        )
    if stop.prize is not None and stop.prize < 0:
        yield Words(
            f"Wert der Leerung ist {stop.prize}, möglich ist 0 oder mehr", f"prize is {stop.prize}, expected 0 or more"
        )
    if stop.window_from_s > stop.window_until_s or stop.window_from_s < 0:
        begin, end = clock(stop.window_from_s), clock(stop.window_until_s)
        yield Words(
            f"Zeitfenster von {begin} bis {end}, es muss später enden",
            f"window from {begin} to {end}, expected it to end later",
        )


def _listed(messages: Iterable[tuple[str, Words | None]], most: int = 3) -> Words:
    """The first few different messages, each with a vehicle it holds for."""
    different: dict[Words, str] = {}
    for vehicle, message in messages:
        if message is not None:
            different.setdefault(message, vehicle)
    lines = [Words(f"{vehicle} {said.de}", f"{vehicle} {said.en}") for said, vehicle in different.items()]
    more = len(lines) - most
    return joined([*lines[:most], *([Words(f"und {more} weitere", f"and {more} more")] if more > 0 else [])])


def clock(seconds: int) -> str:
    """A time of day as people write it; after midnight it counts on."""
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


def _without(problem: Problem, named: Collection[str]) -> Problem:
    kept = [number for number, place in enumerate(problem.places) if place.id not in named]
    return replace(
        problem,
        stops=tuple(stop for stop in problem.stops if stop.id not in named),
        vehicles=tuple(vehicle for vehicle in problem.vehicles if vehicle.id not in named),
        matrices={name: _cut(matrix, kept) for name, matrix in problem.matrices.items()},
        previous=tuple(
            order._replace(places=tuple(place for place in order.places if place not in named))
            for order in problem.previous
        ),
    )


def _cut(matrix: Matrix, kept: Collection[int]) -> Matrix:
    def cut(rows: tuple["array[int]", ...]) -> tuple["array[int]", ...]:
        return tuple(array("q", (rows[row][column] for column in kept)) for row in kept)

    return Matrix(cut(matrix.metres), cut(matrix.seconds))
