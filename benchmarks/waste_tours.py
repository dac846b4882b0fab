"""Fixed tours, a threshold and prizes in simulated cities: the saving beside what it must reach.

Each seed is a city of its own: the fixed tours are tuned on a year of its true levels, threshold and prizes on its last
eight weeks, all to the same allowance of overflow; then four weeks are counted, on the same waste for all of them.
"""

import argparse
import random
from collections.abc import Sequence
from datetime import datetime
from multiprocessing import get_context
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules.waste.evaluation.chance import Chance
from rules.waste.evaluation.figures import Figures, added, change
from rules.waste.evaluation.study import POLICIES, compared, prepared
from rules.waste.evaluation.town import town
from rules.waste.route.model import Problem
from rules.waste.route.solution import Solution
from rules.waste.route.solve import Limit, solve

KM, HOURS = -0.18, -0.20
"""Changes against the fixed tours that must be reached, at no more overflow."""
BEGIN_MS = int(datetime(2026, 9, 7, 6, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()) * 1000
CORES = 2


class Case(NamedTuple):
    """A city and how long it is looked at."""

    seed: int
    containers: int
    days: int
    iterations: int


def lived(case: Case) -> list[Figures]:
    """The rows of a city."""

    def draw(name: str) -> Chance:
        return random.Random(f"{case.seed}/{name}")

    def solved(problem: Problem, seed: int) -> Solution:
        return solve(problem, Limit(iterations=case.iterations), seed)

    study = prepared(draw, town(draw, case.containers), BEGIN_MS, case.days)
    return list(compared(study, POLICIES, solved))


def report(name: str, rows: Sequence[Figures]) -> None:
    """A line for each policy."""
    for row in rows:
        told = change(row, rows[0])
        print(
            f"{name:8} {row.policy:10} {row.km:7.0f} km {told.km:+6.1%}  {row.hours:6.1f} h {told.hours:+6.1%}  "
            f"{row.visits:5} visits at {row.fill_mean:4.1f} %  {row.overflow_days:3} overflowed ({row.overflow:.2%})  "
            f"{row.tours:3} tours  {row.cost_eur:6.0f} EUR  {row.left} left",
            flush=True,
        )


def main() -> None:
    """Print each city, the sum of all, and the verdict."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--containers", type=int, default=200)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--iterations", type=int, default=300)
    arguments = parser.parse_args()
    cases = [Case(seed, arguments.containers, arguments.days, arguments.iterations) for seed in arguments.seeds]
    with get_context("spawn").Pool(min(CORES, len(cases))) as pool:
        cities = []
        for case, rows in zip(cases, pool.imap(lived, cases), strict=True):
            report(f"seed {case.seed}", rows)
            cities.append(rows)
    total = [added(rows) for rows in zip(*cities, strict=True)]
    report("all", total)
    told = change(total[-1], total[0])
    reached = told.km <= KM and told.hours <= HOURS and told.overflow_days <= 0
    print(
        f"prize against fixed: {told.km:+.1%} km (must reach {KM:.0%}), {told.hours:+.1%} hours ({HOURS:.0%}), "
        f"{told.overflow_days:+d} overflow days: {'reached' if reached else 'NOT reached'}"
    )


if __name__ == "__main__":
    main()
