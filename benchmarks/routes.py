"""Route planning: beside PyVRP called directly, and a thousand containers within their bounds.

A direct call is one with PyVRP's own model, written here a second time, its usual parameters, the same seed and as many
iterations. `--cvrplib FILE` compares on an instance in the format of CVRPLIB, too, which PyVRP reads itself.
"""

import argparse
import random
import resource
import time
from array import array
from pathlib import Path
from typing import NamedTuple

import pyvrp
from pyvrp.stop import MaxIterations

from rules.waste.route.check import checked
from rules.waste.route.distance import straight_matrix
from rules.waste.route.model import Capacity, Depot, DisposalSite, Matrix, Problem, Stop, Vehicle
from rules.waste.route.solve import Limit, solve

HOUR_S = 3600
FRACTION = "residual"
SHARE = 0.001
"""How far our cost may lie above that of PyVRP called directly."""
WALL_S, MEMORY_MB = 60, 1000


class Compared(NamedTuple):
    """Costs of the same iterations."""

    ours: int
    direct: int

    @property
    def excess(self) -> float:
        """How far ours lies above, as a share."""
        return self.ours / self.direct - 1


def seeded(containers: int, vehicles: int, seed: int) -> Problem:
    """A day in a city: 60 % of the containers mandatory, a tenth of all in zones that close at ten, one site."""
    chance = random.Random(seed)
    depot = Depot("depot", 7.80, 51.67)
    site = DisposalSite("site", 7.76, 51.71, frozenset({FRACTION}), unload_s=1200)
    stops = tuple(_stop(chance, number) for number in range(containers))
    trucks = tuple(
        Vehicle(
            id=f"truck-{number}",
            depot=depot.id,
            shift_from_s=6 * HOUR_S,
            shift_until_s=14 * HOUR_S,
            break_s=1800,
            capacity={FRACTION: Capacity(9_000, 80_000)},
            disposal_sites=(site.id,),
            max_reloads=3,
            cost_fixed=80_000_000,
            cost_per_m=1_200,
            cost_per_s=15_000,
        )
        for number in range(vehicles)
    )
    return Problem((depot,), (site,), stops, trucks, {"": straight_matrix((depot, site, *stops))})


def _stop(chance: random.Random, number: int) -> Stop:
    volume_l = chance.randrange(60, 2_400)
    return Stop(
        id=f"container-{number}",
        longitude=chance.gauss(7.80, 0.06),
        latitude=chance.gauss(51.68, 0.035),
        fraction=FRACTION,
        volume_l=volume_l,
        mass_kg=volume_l // 9,
        service_s=chance.randrange(60, 180),
        prize=None if chance.random() < 0.6 else chance.randrange(1_000_000, 15_000_000),  # noqa: PLR2004 - see above
        window_until_s=10 * HOUR_S if chance.random() < 0.1 else 48 * HOUR_S,  # noqa: PLR2004 - the same
    )


def from_cvrplib(path: Path) -> tuple[Problem, pyvrp.ProblemData]:
    """An instance as our problem, and as PyVRP itself reads it."""
    data = pyvrp.read(str(path), round_func="round")
    rows = [list(map(int, row)) for row in data.distance_matrices()[0]]
    legs = tuple(array("q", row) for row in rows)
    fleet = data.vehicle_types()[0]
    stops = tuple(
        Stop(f"stop-{number}", 0.0, 0.0, FRACTION, volume_l=client.delivery[0], mass_kg=0, service_s=0)
        for number, client in enumerate(data.clients())
    )
    trucks = tuple(
        Vehicle(f"truck-{number}", "depot", 0, 24 * HOUR_S, {FRACTION: Capacity(1, fleet.capacity[0])})
        for number in range(fleet.num_available)
    )
    still = tuple(array("q", bytes(8 * len(rows))) for _ in rows)
    return Problem((Depot("depot", 0.0, 0.0),), (), stops, trucks, {"": Matrix(legs, still)}), data


def modelled(problem: Problem) -> pyvrp.ProblemData:
    """A day of `seeded` in PyVRP's own modelling language, way by way."""
    model, matrix, truck, site = pyvrp.Model(), problem.matrices[""], problem.vehicles[0], problem.sites[0]
    places = [model.add_location(place.longitude, place.latitude) for place in problem.places]
    depot = model.add_depot(places[0])
    dump = model.add_depot(places[1], service_duration=site.unload_s)
    for place, stop in zip(places[2:], problem.stops, strict=True):
        model.add_client(
            place,
            pickup=[stop.mass_kg, stop.volume_l or 0],
            service_duration=stop.service_s,
            tw_early=stop.window_from_s,
            tw_late=stop.window_until_s,
            prize=stop.prize or 0,
            required=stop.prize is None,
        )
    home_m, home_s = matrix.metres[1][0], matrix.seconds[1][0] + site.unload_s
    shift_s = truck.shift_until_s - truck.shift_from_s - truck.break_s - home_s
    model.add_vehicle_type(
        len(problem.vehicles),
        capacity=list(truck.capacity[FRACTION]),
        start_depot=depot,
        end_depot=dump,
        fixed_cost=truck.cost_fixed + home_m * truck.cost_per_m + home_s * truck.cost_per_s,
        tw_early=truck.shift_from_s,
        tw_late=truck.shift_from_s + shift_s,
        shift_duration=shift_s,
        unit_distance_cost=truck.cost_per_m,
        unit_duration_cost=truck.cost_per_s,
        reload_depots=[dump],
        max_reloads=truck.max_reloads,
    )
    for row, source in enumerate(places):
        for column, target in enumerate(places):
            if row != column:
                model.add_edge(source, target, matrix.metres[row][column], matrix.seconds[row][column])
    return model.data()


def compare(problem: Problem, data: pyvrp.ProblemData, iterations: int, seed: int) -> Compared:
    """Our plan's cost by the evaluator, and PyVRP's own by itself."""
    plan = solve(problem, Limit(iterations=iterations), seed)
    direct = pyvrp.solve(data, MaxIterations(iterations), seed=seed, collect_stats=False, display=False)
    return Compared(plan.cost.total, int(direct.cost()))


def thousand(seconds: float, seed: int) -> None:
    """A thousand containers, from the positions to the judged plan."""
    began = time.perf_counter()
    problem, left, _ = checked(seeded(1000, 12, seed), skip_invalid=True)
    ready_s = time.perf_counter() - began
    plan = solve(problem, Limit(seconds=seconds), seed, unserved=left)
    wall_s = time.perf_counter() - began
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    gap = "-" if plan.gap is None else f"{plan.gap:.1%}"
    print(
        f"1,000 containers, seed {seed}: {wall_s:.1f} s wall (bound {WALL_S}; matrix and check {ready_s:.1f} s), "
        f"{memory_mb:.0f} MB (bound {MEMORY_MB}), {plan.iterations} iterations, {len(plan.tours)} tours, "
        f"{len(plan.unserved)} left out, {plan.cost.cents / 100:.2f} EUR, at most {gap} above the optimum"
    )


def main() -> None:
    """Print a line for each comparison, and one for the thousand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cvrplib", type=Path, nargs="*", default=[], metavar="FILE")
    parser.add_argument("--iterations", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=45, help="of search for the thousand containers; 0: none")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    arguments = parser.parse_args()
    if arguments.seconds:
        thousand(arguments.seconds, arguments.seeds[0])
    for seed in arguments.seeds:
        problem, _, _ = checked(seeded(500, 8, seed), skip_invalid=True)
        report(f"500 containers, seed {seed}", compare(problem, modelled(problem), arguments.iterations, seed))
    for path in arguments.cvrplib:
        for seed in arguments.seeds:
            report(f"{path.name}, seed {seed}", compare(*from_cvrplib(path), arguments.iterations, seed))


def report(name: str, compared: Compared) -> None:
    """One line of figures and whether they are within the bound."""
    verdict = "within" if compared.excess <= SHARE else "NOT within"
    print(
        f"{name}: ours {compared.ours}, PyVRP directly {compared.direct}, {compared.excess:+.3%}: {verdict} {SHARE:.1%}"
    )


if __name__ == "__main__":
    main()
