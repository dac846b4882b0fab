"""Costs to compare a plan with: one that no plan undercuts, and that of the previous plan."""

from collections.abc import Sequence
from typing import NamedTuple

from rules.waste.route.evaluate import evaluate
from rules.waste.route.model import NO_WAY, UNSERVED_COST, Matrix, Problem, Stop, Vehicle

NEVER = 2**60
Rates = tuple[str, int, int]
"""A profile, cost per metre and per second: what makes ways cost the same."""


class _Ways(NamedTuple):
    """Of each place the cheapest way in and the cheapest way out."""

    into: tuple[int, ...]
    out: tuple[int, ...]

    def through(self, number: int) -> int:
        """Twice the share of driving that a visit costs at least."""
        return self.into[number] + self.out[number]


def lower_bound(problem: Problem) -> int:
    """A cost that no plan undercuts, from the nearest neighbours of each stop and the trips that the loads need.

    It is rough: a good plan lies 10 to 60 % above it, the more the further apart the stops are from the sites.
    """
    ways = {rates: _ways(problem.matrices[rates[0]], rates) for rates in {_rates(each) for each in problem.vehicles}}
    if not ways:
        return sum(problem.loss(stop, {}) for stop in problem.stops)
    planned, first = problem.planned(), len(problem.depots) + len(problem.sites)
    doubled = sum(
        min(2 * problem.loss(stop, planned), _visit(problem, ways, stop, number))
        for number, stop in enumerate(problem.stops, first)
    )
    if not any(stop.prize is None for stop in problem.stops):
        none_served = sum(problem.loss(stop, planned) for stop in problem.stops)
        return min(none_served, (doubled + _trips(problem, ways, 1)) // 2)
    return min(UNSERVED_COST, (doubled + _trips(problem, ways, _needed_trips(problem))) // 2)


def previous_cost(problem: Problem) -> int | None:
    """What the previous plan would cost today without stops and vehicles that are gone; None if it cannot be driven."""
    if not problem.previous:
        return None
    driven = evaluate(problem, problem.remaining())
    return None if driven.violations else driven.cost.total


def _rates(vehicle: Vehicle) -> Rates:
    return vehicle.profile, vehicle.cost_per_m, vehicle.cost_per_s


def _ways(matrix: Matrix, rates: Rates) -> _Ways:
    costs = [
        [
            NEVER if row == column or NO_WAY in (way_m, way_s) else way_m * rates[1] + way_s * rates[2]
            for column, (way_m, way_s) in enumerate(zip(metres, seconds, strict=True))
        ]
        for row, (metres, seconds) in enumerate(zip(matrix.metres, matrix.seconds, strict=True))
    ]
    return _Ways(tuple(min(column) for column in zip(*costs, strict=True)), tuple(min(row) for row in costs))


def _visit(problem: Problem, ways: dict[Rates, _Ways], stop: Stop, number: int) -> int:
    """Twice what it costs at least to serve a stop."""
    able = {_rates(vehicle) for vehicle in problem.vehicles if not vehicle.obstacle(stop)}
    return min((ways[rates].through(number) + 2 * stop.service_s * rates[2] for rates in able), default=NEVER)


def _trips(problem: Problem, ways: dict[Rates, _Ways], trips: int) -> int:
    """Twice what so many trips cost at least beyond their stops: vehicles, ways at depots and sites, unloading."""
    index = problem.index()
    vehicles = [
        2 * each.going_out + ways[_rates(each)].out[index[each.origin]] + ways[_rates(each)].into[index[each.depot]]
        for each in problem.vehicles
    ]
    unloads = [_unload(problem, ways, vehicle, index) for vehicle in problem.vehicles]
    together = min(vehicles) + trips * min(unloads)
    most = [each.max_reloads + 1 if each.disposal_sites else 1 for each in problem.vehicles]
    spread = min(vehicle // at_most + unload for vehicle, unload, at_most in zip(vehicles, unloads, most, strict=True))
    return max(together, trips * spread)


def _unload(problem: Problem, ways: dict[Rates, _Ways], vehicle: Vehicle, index: dict[str, int]) -> int:
    rates = _rates(vehicle)
    return min(
        (
            ways[rates].through(index[site.id]) + 2 * site.unload_s * rates[2]
            for site in problem.sites
            if site.id in vehicle.disposal_sites
        ),
        default=0,
    )


def _needed_trips(problem: Problem) -> int:
    """How many trips the mandatory stops fill at least."""
    must = [stop for stop in problem.stops if stop.prize is None]
    needed = [1, sum(stop.roll_off for stop in must)]
    for fraction in {stop.fraction for stop in must}:
        rooms = [vehicle.capacity[fraction] for vehicle in problem.vehicles if fraction in vehicle.capacity]
        stops = [stop for stop in must if stop.fraction == fraction]
        needed.append(_share(sum(stop.mass_kg for stop in stops), [room.mass_kg for room in rooms]))
        needed.append(_share(sum(stop.volume_l or 0 for stop in stops), [room.volume_l for room in rooms]))
    return max(needed)


def _share(load: int, rooms: Sequence[int]) -> int:
    return -(-load // max(rooms)) if rooms and max(rooms) else 0
