"""Instances in the format of CVRPLIB go through the same planning as a city's days."""

import importlib.util
import random
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[4]
STOPS, CAPACITY = 30, 60


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    """The benchmark of routes, which reads such files."""
    spec = importlib.util.spec_from_file_location("routes_benchmark", ROOT / "benchmarks" / "routes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """Thirty stops on a plane, with whole demands."""
    chance = random.Random(1)
    places = [(500, 500)] + [(chance.randrange(1000), chance.randrange(1000)) for _ in range(STOPS)]
    lines = [
        f"NAME : made-n{STOPS + 1}",
        "COMMENT : made by a test",
        "TYPE : CVRP",
        f"DIMENSION : {STOPS + 1}",
        "EDGE_WEIGHT_TYPE : EUC_2D",
        f"CAPACITY : {CAPACITY}",
        "NODE_COORD_SECTION",
        *(f"{number} {x} {y}" for number, (x, y) in enumerate(places, 1)),
        "DEMAND_SECTION",
        "1 0",
        *(f"{number} {chance.randrange(5, 20)}" for number in range(2, STOPS + 2)),
        "DEPOT_SECTION",
        "1",
        "-1",
        "EOF",
    ]
    file = tmp_path / "made.vrp"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_an_instance_is_read_as_a_problem(benchmark: ModuleType, instance: Path) -> None:
    """Each stop with its demand, vehicles with the capacity, distances rounded as the library rounds them."""
    problem, data = benchmark.from_cvrplib(instance)
    assert len(problem.stops) == STOPS == data.num_clients
    assert all(5 <= stop.volume_l < 20 for stop in problem.stops)
    assert {vehicle.capacity["residual"].volume_l for vehicle in problem.vehicles} == {CAPACITY}
    assert [list(row) for row in problem.matrices[""].metres] == data.distance_matrices()[0].tolist()


def test_our_plan_costs_what_the_solver_alone_finds(benchmark: ModuleType, instance: Path) -> None:
    """The same seed and iterations: within a thousandth, and enough vehicles for the demand."""
    problem, data = benchmark.from_cvrplib(instance)
    found = benchmark.compare(problem, data, 60, 1)
    assert abs(found.excess) <= benchmark.SHARE
    plan = benchmark.solve(problem, benchmark.Limit(iterations=60), 1)
    assert sum(stop.volume_l for stop in problem.stops) <= CAPACITY * len(plan.tours)
    assert plan.cost.total == found.ours
