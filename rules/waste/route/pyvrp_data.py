"""A problem as PyVRP 0.14 wants it, and its routes as orders.

PyVRP charges no service at the depot where a route ends. So a route ends at the disposal site; the last unloading and
the way home (the tail) are taken off the shift and added to the fixed cost. It knows no breaks: shifts are shorter by
them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyvrp

from rules.waste.route.model import NO_WAY, DisposalSite, Matrix, Order, Problem, Stop, Vehicle

FORBIDDEN_M = 10_000_000
FORBIDDEN_S = 864_000
"""For a way that does not exist: longer than any shift, so no feasible route takes it."""

Whole = npt.NDArray[np.int64]
Profile = tuple[str, tuple[int, ...], tuple[int, ...], int]
"""Of a vehicle: its matrix, places it may not enter, places that cost a change, and metres of a change."""


class Encoded(NamedTuple):
    """PyVRP's data, and which vehicles stand behind each of its vehicle types."""

    data: pyvrp.ProblemData
    vehicles: tuple[tuple[Vehicle, ...], ...]


class Tail(NamedTuple):
    """The last unloading and the way home."""

    metres: int
    seconds: int


def tail(problem: Problem, vehicle: Vehicle) -> Tail:
    """What a vehicle does after it has reached its last disposal site; nothing for one that has none."""
    if not vehicle.disposal_sites:
        return Tail(0, 0)
    index, matrix = problem.index(), problem.matrices[vehicle.profile]
    row, column = index[vehicle.disposal_sites[0]], index[vehicle.depot]
    site = next(site for site in problem.sites if site.id == vehicle.disposal_sites[0])
    return Tail(matrix.metres[row][column], site.unload_s + matrix.seconds[row][column])


def encode(problem: Problem, *, all_required: bool) -> Encoded:
    """The problem as PyVRP's; mandatory stops are required, or else optional at UNSERVED_COST."""
    profiles: dict[Profile, int] = {}
    planned = problem.planned() if problem.cost_per_change else {}
    numbered: list[tuple[int, list[Vehicle]]] = []
    for vehicle in problem.vehicles:
        number = profiles.setdefault(_profile(problem, vehicle, planned), len(profiles))
        alike = next((alike for known, alike in numbered if known == number and _same(alike[0], vehicle)), None)
        if alike is None:
            numbered.append((number, [vehicle]))
        else:
            alike.append(vehicle)
    matrices = [_matrices(problem.matrices[profile[0]], profile) for profile in profiles]
    dimensions = _dimensions(problem)
    data = pyvrp.ProblemData(
        locations=[pyvrp.Location(place.longitude, place.latitude, name=place.id) for place in problem.places],
        clients=_clients(problem, dimensions, all_required=all_required),
        depots=_depots(problem),
        vehicle_types=[_type(problem, alike, number, dimensions) for number, alike in numbered],
        distance_matrices=[metres for metres, _ in matrices],  # type: ignore[misc] # PyVRP's stubs misuse ndarray
        duration_matrices=[seconds for _, seconds in matrices],  # type: ignore[misc] # the same
    )
    return Encoded(data, tuple(tuple(alike) for _, alike in numbered))


def orders(problem: Problem, encoded: Encoded, solution: pyvrp.Solution) -> tuple[Order, ...]:
    """The routes of a solution, each with one of the vehicles of its type."""
    ready = [list(vehicles) for vehicles in encoded.vehicles]
    return tuple(
        Order(ready[route.vehicle_type()].pop(0).id, tuple(_places(problem, route))) for route in solution.routes()
    )


def warm_start(problem: Problem, encoded: Encoded) -> pyvrp.Solution:
    """The previous plan as far as it still fits: vehicles, stops and sites of today."""
    types = {vehicle.id: number for number, group in enumerate(encoded.vehicles) for vehicle in group}
    routes = []
    for order in problem.previous:
        activities = list(_activities(problem, order))
        if order.vehicle in types and activities:
            routes.append(pyvrp.Route(encoded.data, activities, types[order.vehicle]))
    return pyvrp.Solution(encoded.data, routes)


def _same(one: Vehicle, other: Vehicle) -> bool:
    return replace(one, id="") == replace(other, id="")


def _profile(problem: Problem, vehicle: Vehicle, planned: dict[str, str]) -> Profile:
    first = len(problem.depots) + len(problem.sites)
    closed = tuple(number for number, stop in enumerate(problem.stops, first) if vehicle.obstacle(stop))
    if not planned:
        return vehicle.profile, closed, (), 0
    changed = tuple(
        number for number, stop in enumerate(problem.stops, first) if planned.get(stop.id, vehicle.id) != vehicle.id
    )
    return vehicle.profile, closed, changed, problem.change_m(vehicle)


def _matrices(matrix: Matrix, profile: Profile) -> tuple[Whole, Whole]:
    metres, seconds = _whole(matrix.metres), _whole(matrix.seconds)
    none = (metres == NO_WAY) | (seconds == NO_WAY)
    _, closed, changed, change_m = profile
    metres[:, list(changed)] += change_m
    none[:, list(closed)] = True
    metres[none], seconds[none] = FORBIDDEN_M, FORBIDDEN_S
    np.fill_diagonal(metres, 0)
    np.fill_diagonal(seconds, 0)
    return metres, seconds


def _whole(rows: Sequence[Iterable[int]]) -> Whole:
    return np.array([np.asarray(row, dtype=np.int64) for row in rows], dtype=np.int64)


class _Dimension(NamedTuple):
    """One load that is bounded: kilograms or litres of a fraction, kilograms of all, or roll-offs."""

    fraction: str
    unit: str

    def of_stop(self, stop: Stop) -> int:
        if self.unit == "roll_off":
            return int(stop.roll_off)
        if self.fraction not in {"", stop.fraction}:
            return 0
        return stop.mass_kg if self.unit == "kg" else stop.volume_l or 0

    def of_vehicle(self, vehicle: Vehicle, unbounded: int) -> int:
        if self.unit == "roll_off":
            return int(vehicle.roll_off)
        if not self.fraction:
            return unbounded if vehicle.payload_kg is None else vehicle.payload_kg
        room = vehicle.capacity.get(self.fraction)
        return 0 if room is None else room.mass_kg if self.unit == "kg" else room.volume_l


def _dimensions(problem: Problem) -> list[_Dimension]:
    found = [
        _Dimension(fraction, unit)
        for fraction in sorted({stop.fraction for stop in problem.stops})
        for unit in ("kg", "l")
    ]
    if any(vehicle.payload_kg is not None for vehicle in problem.vehicles):
        found.append(_Dimension("", "kg"))
    if any(stop.roll_off for stop in problem.stops):
        found.append(_Dimension("", "roll_off"))
    return [dimension for dimension in found if any(dimension.of_stop(stop) for stop in problem.stops)]


def _clients(problem: Problem, dimensions: Sequence[_Dimension], *, all_required: bool) -> list[pyvrp.Client]:
    first, planned = len(problem.depots) + len(problem.sites), problem.planned()
    return [
        pyvrp.Client(
            location=number,
            pickup=[dimension.of_stop(stop) for dimension in dimensions],
            service_duration=stop.service_s,
            tw_early=stop.window_from_s,
            tw_late=stop.window_until_s,
            prize=0 if required else problem.loss(stop, planned),
            required=required,
            name=stop.id,
        )
        for number, stop in enumerate(problem.stops, first)
        for required in [all_required and stop.prize is None]
    ]


def _depots(problem: Problem) -> list[pyvrp.Depot]:
    depots = [pyvrp.Depot(number, name=depot.id) for number, depot in enumerate(problem.depots)]
    return depots + [_disposal(number, site) for number, site in enumerate(problem.sites, len(depots))]


def _disposal(number: int, site: DisposalSite) -> pyvrp.Depot:
    return pyvrp.Depot(number, site.opens_s, site.closes_s, site.unload_s, name=site.id)


def _type(
    problem: Problem, alike: Sequence[Vehicle], profile: int, dimensions: Sequence[_Dimension]
) -> pyvrp.VehicleType:
    vehicle, index = alike[0], problem.index()
    sites = [index[site] for site in vehicle.disposal_sites]
    after = tail(problem, vehicle)
    unbounded = sum(stop.mass_kg for stop in problem.stops)
    return pyvrp.VehicleType(
        num_available=len(alike),
        capacity=[dimension.of_vehicle(vehicle, unbounded) for dimension in dimensions],
        start_depot=index[vehicle.depot],
        end_depot=sites[0] if sites else index[vehicle.depot],
        fixed_cost=vehicle.cost_fixed + after.metres * vehicle.cost_per_m + after.seconds * vehicle.cost_per_s,
        tw_early=vehicle.shift_from_s,
        tw_late=vehicle.until_s - after.seconds,
        shift_duration=vehicle.until_s - vehicle.shift_from_s - after.seconds,
        unit_distance_cost=vehicle.cost_per_m,
        unit_duration_cost=vehicle.cost_per_s,
        profile=profile,
        reload_depots=sites,
        max_reloads=vehicle.max_reloads if sites else 0,
        name=vehicle.id,
    )


def _places(problem: Problem, route: pyvrp.Route) -> Iterable[str]:
    """Stops and disposal sites of a route, without its two ends."""
    first = len(problem.depots)
    for activity in list(route)[1:-1]:
        yield problem.stops[activity.idx].id if activity.is_client() else problem.sites[activity.idx - first].id


def _activities(problem: Problem, order: Order) -> Iterable[pyvrp.Activity]:
    stops = {stop.id: number for number, stop in enumerate(problem.stops)}
    sites = {site.id: number for number, site in enumerate(problem.sites, len(problem.depots))}
    for place in order.places:
        if place in stops:
            yield pyvrp.Activity(pyvrp.ActivityType.CLIENT, stops[place])
        elif place in sites:
            yield pyvrp.Activity(pyvrp.ActivityType.DEPOT, sites[place])
