"""A problem as PyVRP 0.14 wants it, and its routes as orders.

PyVRP charges no service at the depot where a route ends. So a route ends at the disposal site; the last unloading and
the way home (the tail) are taken off the shift and added to the fixed cost. Where the last site is a matter of the last
stop (`Ending.chosen`), the route ends instead at a place of its own, HOME, and the ways there are those by the site. A
vehicle with something on board has a tour whatever is planned: a client of its own at its start, which only it can
reach, and first. One under way with nothing on board has none, for the search is much worse with it; its way home is
added to the cost. PyVRP knows no breaks: shifts are shorter by them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import pyvrp

from rules.waste.route.ending import Ending, ending
from rules.waste.route.model import Order, Problem, Stop, Vehicle
from rules.waste.route.pyvrp_loads import Dimension, dimensions
from rules.waste.route.pyvrp_ways import Profile, matrices, profile


class Encoded(NamedTuple):
    """PyVRP's data, and what stands behind each of its vehicle types.

    When not `exact`, PyVRP may have a vehicle wait where it would not have to.
    """

    data: pyvrp.ProblemData
    vehicles: tuple[tuple[Vehicle, ...], ...]
    endings: tuple[Ending, ...]

    @property
    def exact(self) -> bool:
        """Whether a route costs just what the tour costs."""
        return all(each.exact for each in self.endings if each.chosen)


class _Kind(NamedTuple):
    """Vehicles that differ in nothing but their names."""

    profile: int
    ending: Ending
    vehicles: list[Vehicle]


def encode(problem: Problem, *, all_required: bool) -> Encoded:
    """The problem as PyVRP's; mandatory stops are required, or else optional at UNSERVED_COST."""
    profiles: dict[Profile, int] = {}
    kinds = _kinds(problem, profiles)
    with_home = any(kind.ending.chosen for kind in kinds)
    tables = [matrices(problem, each, with_home=with_home) for each in profiles]
    locations = [pyvrp.Location(place.longitude, place.latitude, name=place.id) for place in problem.places]
    if with_home:
        locations.append(pyvrp.Location(problem.depots[0].longitude, problem.depots[0].latitude, name="home"))
    loads, homes = dimensions(problem), _homes(kinds)
    data = pyvrp.ProblemData(
        locations=locations,
        clients=[*_clients(problem, loads, all_required=all_required), *_markers(problem, len(loads))],
        depots=[*_depots(problem), *(pyvrp.Depot(len(locations) - 1, early_s) for early_s in homes)],
        vehicle_types=[_type(problem, kind, loads, homes) for kind in kinds],
        distance_matrices=[metres for metres, _ in tables],  # type: ignore[misc] # PyVRP's stubs misuse ndarray
        duration_matrices=[seconds for _, seconds in tables],  # type: ignore[misc] # the same
    )
    return Encoded(data, tuple(tuple(kind.vehicles) for kind in kinds), tuple(kind.ending for kind in kinds))


def orders(problem: Problem, encoded: Encoded, solution: pyvrp.Solution) -> tuple[Order, ...]:
    """The routes of a solution, each with one of the vehicles of its type."""
    ready = [list(vehicles) for vehicles in encoded.vehicles]
    found = []
    for route in solution.routes():
        number = route.vehicle_type()
        places = (*_places(problem, route),)
        last = _last_site(encoded.endings[number], places)
        found.append(Order(ready[number].pop(0).id, places + last))
    return tuple(found)


def idle_cost(encoded: Encoded, solution: pyvrp.Solution) -> int:
    """What the solution does not count: the way home of vehicles under way without a tour."""
    used = {route.vehicle_type() for route in solution.routes()}
    return sum(ends.idle for number, ends in enumerate(encoded.endings) if number not in used)


def idle_orders(problem: Problem) -> tuple[Order, ...]:
    """How vehicles under way come home without a stop."""
    endings = (ending(problem, vehicle) for vehicle in problem.vehicles if vehicle.start)
    return tuple(Order(ends.vehicle.id, _last_site(ends, ())) for ends in endings)


def warm_start(problem: Problem, encoded: Encoded, *, feasible: bool = False) -> pyvrp.Solution:
    """The previous plan with the vehicles, stops and sites of today; `feasible` leaves out what does not fit any more.

    PyVRP finds no way to have a full vehicle unload for a single stop: each that has none gets one that nobody had.
    """
    previous = {order.vehicle: order.places for order in problem.remaining()}
    marker = {vehicle.id: number for number, vehicle in enumerate(_loaded(problem), len(problem.stops))}
    planned = {place for places in previous.values() for place in places}
    new = [stop for stop in problem.stops if stop.prize is None and stop.id not in planned]
    routes = []
    for number, group in enumerate(encoded.vehicles):
        for vehicle in group:
            activities = list(_activities(problem, previous.get(vehicle.id, ()) or _after_unloading(vehicle, new)))
            if vehicle.id in marker:
                activities.insert(0, pyvrp.Activity(pyvrp.ActivityType.CLIENT, marker[vehicle.id]))
            while activities:
                route = pyvrp.Route(encoded.data, activities, number)
                if route.is_feasible() or not feasible:
                    routes.append(route)
                    break
                activities.pop()
    return pyvrp.Solution(encoded.data, routes)


def _after_unloading(vehicle: Vehicle, new: list[Stop]) -> tuple[str, ...]:
    """For a vehicle under way with something on board its first site and one of the stops, which is taken from them."""
    if vehicle.start and not vehicle.is_empty and vehicle.disposal_sites and vehicle.max_reloads:
        for stop in new:
            if not vehicle.obstacle(stop):
                new.remove(stop)
                return vehicle.disposal_sites[0], stop.id
    return ()


def _kinds(problem: Problem, profiles: dict[Profile, int]) -> list[_Kind]:
    """Vehicles of one kind together; numbers their profiles."""
    planned = problem.planned() if problem.cost_per_change else {}
    kinds: list[_Kind] = []
    for vehicle in problem.vehicles:
        ends = ending(problem, vehicle)
        number = profiles.setdefault(profile(problem, ends, planned), len(profiles))
        alike = (kind for kind in kinds if kind.profile == number and _same(kind.vehicles[0], vehicle))
        kind = next(alike, None)
        if kind is None:
            kinds.append(_Kind(number, ends, [vehicle]))
        else:
            kind.vehicles.append(vehicle)
    return kinds


def _loaded(problem: Problem) -> list[Vehicle]:
    """Those under way with something on board."""
    return [vehicle for vehicle in problem.vehicles if vehicle.start and not vehicle.is_empty]


def _same(one: Vehicle, other: Vehicle) -> bool:
    return replace(one, id="") == replace(other, id="")


def _clients(problem: Problem, loads: Sequence[Dimension], *, all_required: bool) -> list[pyvrp.Client]:
    first, planned = len(problem.depots) + len(problem.sites), problem.planned()
    return [
        pyvrp.Client(
            location=number,
            pickup=[dimension.of_stop(stop) for dimension in loads],
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


def _markers(problem: Problem, dimensions: int) -> list[pyvrp.Client]:
    """What makes loaded vehicles drive."""
    index = problem.index()
    return [pyvrp.Client(index[each.origin], pickup=[0] * dimensions, name=each.origin) for each in _loaded(problem)]


def _depots(problem: Problem) -> list[pyvrp.Depot]:
    """Depots, disposal sites and starts."""
    index = problem.index()
    return [
        *(pyvrp.Depot(index[depot.id], name=depot.id) for depot in problem.depots),
        *(
            pyvrp.Depot(index[site.id], site.opens_s, site.closes_s, site.unload_s, name=site.id)
            for site in problem.sites
        ),
        *(pyvrp.Depot(index[start.id], name=start.id) for start in problem.starts),
    ]


def _homes(kinds: Iterable[_Kind]) -> list[int]:
    """The times from which on vehicles may be home; each is a depot at HOME."""
    return sorted({kind.ending.early_s for kind in kinds if kind.ending.chosen})


def _type(problem: Problem, kind: _Kind, loads: Sequence[Dimension], homes: Sequence[int]) -> pyvrp.VehicleType:
    vehicle, ends = kind.vehicles[0], kind.ending
    known = [place.id for places in (problem.depots, problem.sites, problem.starts) for place in places]
    sites = [known.index(site) for site in vehicle.disposal_sites]
    after_m, after_s = (0, 0) if ends.chosen else ends.tail
    last = vehicle.disposal_sites[0] if sites else vehicle.depot
    unbounded = sum(stop.mass_kg for stop in problem.stops)
    return pyvrp.VehicleType(
        num_available=len(kind.vehicles),
        capacity=[dimension.of_vehicle(vehicle, unbounded) for dimension in loads],
        start_depot=known.index(vehicle.origin),
        end_depot=len(known) + homes.index(ends.early_s) if ends.chosen else known.index(last),
        fixed_cost=vehicle.going_out + after_m * vehicle.cost_per_m + after_s * vehicle.cost_per_s,
        tw_early=vehicle.shift_from_s,
        tw_late=ends.late_s if ends.chosen else vehicle.until_s - after_s,
        shift_duration=vehicle.until_s - vehicle.shift_from_s - after_s,
        unit_distance_cost=vehicle.cost_per_m,
        unit_duration_cost=vehicle.cost_per_s,
        profile=kind.profile,
        start_late=vehicle.shift_from_s if vehicle.start else None,
        initial_load=[dimension.on_board(vehicle) for dimension in loads],
        reload_depots=sites,
        max_reloads=vehicle.max_reloads if sites else 0,
        name=vehicle.id,
    )


def _places(problem: Problem, route: pyvrp.Route) -> Iterable[str]:
    """Stops and disposal sites of a route, without its two ends."""
    first = len(problem.depots)
    for activity in list(route)[1:-1]:
        if not activity.is_client():
            yield problem.sites[activity.idx - first].id
        elif activity.idx < len(problem.stops):
            yield problem.stops[activity.idx].id


def _last_site(ends: Ending, places: Sequence[str]) -> tuple[str, ...]:
    """Where the vehicle unloads last, if that has to be said."""
    vehicle, usual = ends.vehicle, ends.vehicle.disposal_sites[:1]
    is_emptied = bool(places) and places[-1] in vehicle.disposal_sites
    if not ends.chosen:
        return usual if is_emptied else ()
    finish = None if is_emptied else ends.finish(ends.places[places[-1] if places else vehicle.origin])
    if finish is None or finish.site is None or (finish.site.id,) == usual:
        return ()
    return (finish.site.id,)


def _activities(problem: Problem, places: Sequence[str]) -> Iterable[pyvrp.Activity]:
    """Of the places of an order; its last unloading goes without saying."""
    stops = {stop.id: number for number, stop in enumerate(problem.stops)}
    sites = {site.id: number for number, site in enumerate(problem.sites, len(problem.depots))}
    for place in places[:-1] if places and places[-1] in sites else places:
        if place in stops:
            yield pyvrp.Activity(pyvrp.ActivityType.CLIENT, stops[place])
        else:
            yield pyvrp.Activity(pyvrp.ActivityType.DEPOT, sites[place])
