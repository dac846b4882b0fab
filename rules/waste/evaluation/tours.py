"""A day's tours by the same solver with the same vehicles for every policy, a problem for each fraction."""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rules.local_time import day_of
from rules.waste.evaluation.policies import Wish
from rules.waste.evaluation.rolling import Driven
from rules.waste.evaluation.town import Place, Town
from rules.waste.route.distance import straight_matrix
from rules.waste.route.model import Capacity, Matrix, Problem, Stop, Vehicle
from rules.waste.route.solution import Solution
from rules.waste.route.stops import DENSITIES, LITRES, OTHER_DENSITY

Solve = Callable[[Problem, int], Solution]
"""The solver, with a seed."""
HOUR_S = 3600
EURO = 1_000_000
CAPACITY: Final = Capacity(mass_kg=9_000, volume_l=80_000)
SERVICE_S: Final = 150
VEHICLES: Final = 3
"""For each fraction: more than any policy needs, so that none is held back."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What a vehicle costs and when it drives; figures are a judgement."""

    shift_from_s: int = 6 * HOUR_S
    shift_until_s: int = 14 * HOUR_S
    break_s: int = 1800
    capacity: Capacity = CAPACITY
    cost_fixed: int = 80 * EURO
    cost_per_m: int = 1_200
    cost_per_s: int = 15_000


class Solver:
    """Drives the wishes of a day as the solver plans them."""

    def __init__(self, town: Town, solve: Solve, fleet: Fleet = Fleet()) -> None:
        self._town = town
        self._solve = solve
        self._fleet = fleet
        self._matrix = straight_matrix((town.depot, town.site, *town.places))
        self._row = {place.id: row for row, place in enumerate(town.places, 2)}
        self._places: Mapping[str, Place] = {place.id: place for place in town.places}

    def drive(self, now_ms: int, wishes: Sequence[Wish]) -> Driven:
        """The tours of all fractions; a fraction's day is the seed."""
        midnight_ms = day_of(self._town.timezone, now_ms)[0]
        driven = Driven({})
        for fraction in self._town.fractions:
            wanted = [wish for wish in wishes if self._places[wish.container].fraction == fraction]
            if wanted:
                plan = self._solve(self._problem(fraction, wanted), midnight_ms // 1000 % 1_000_000_007)
                driven = _added(driven, plan, midnight_ms, {wish.container for wish in wanted if wish.prize is None})
        return driven

    def _problem(self, fraction: str, wishes: Sequence[Wish]) -> Problem:
        kept = [0, 1, *(self._row[wish.container] for wish in wishes)]
        vehicles = tuple(self._vehicle(fraction, number) for number in range(1, VEHICLES + 1))
        return Problem(
            (self._town.depot,),
            (self._town.site,),
            tuple(self._stop(wish) for wish in wishes),
            vehicles,
            {"": Matrix(_cut(self._matrix.metres, kept), _cut(self._matrix.seconds, kept))},
        )

    def _stop(self, wish: Wish) -> Stop:
        place = self._places[wish.container]
        volume_l = max(1, round(place.volume_l * wish.level / 100))
        return Stop(
            place.id,
            place.longitude,
            place.latitude,
            place.fraction,
            volume_l,
            volume_l * DENSITIES.get(place.fraction, OTHER_DENSITY) // LITRES,
            SERVICE_S,
            None if wish.prize is None else round(wish.prize * EURO),
        )

    def _vehicle(self, fraction: str, number: int) -> Vehicle:
        fleet = self._fleet
        return Vehicle(
            f"truck-{number}",
            self._town.depot.id,
            fleet.shift_from_s,
            fleet.shift_until_s,
            {fraction: fleet.capacity},
            (self._town.site.id,),
            fleet.break_s,
            max_reloads=2,
            cost_fixed=fleet.cost_fixed,
            cost_per_m=fleet.cost_per_m,
            cost_per_s=fleet.cost_per_s,
        )


def _added(driven: Driven, plan: Solution, midnight_ms: int, must: set[str]) -> Driven:
    served = {
        visit.place: midnight_ms + visit.start_s * 1000
        for tour in plan.tours
        for visit in tour.visits
        if visit.kind == "stop"
    }
    return Driven(
        {**driven.served, **served},
        driven.metres + sum(tour.metres for tour in plan.tours),
        driven.seconds + sum(tour.seconds for tour in plan.tours),
        driven.cents + plan.cost.cents,
        driven.vehicles + len(plan.tours),
        (*driven.left, *sorted(must - set(served))),
    )


def _cut(rows: Sequence["array[int]"], kept: Sequence[int]) -> tuple["array[int]", ...]:
    return tuple(array("q", (rows[row][column] for column in kept)) for row in kept)
