"""Plan tours with PyVRP (extra `routes`) and have the plan checked by the evaluator, which shares nothing with it.

The same problem, seed and number of iterations give the same plan; a limit in seconds does not promise that.
"""

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import pyvrp
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.stop import MaxRuntime

from rules.waste.route.bound import lower_bound, previous_cost
from rules.waste.route.evaluate import evaluate
from rules.waste.route.model import Problem, RouteError
from rules.waste.route.pyvrp_data import Encoded, encode, orders, warm_start
from rules.waste.route.solution import Solution, Unserved

INFEASIBLE = 2**62
"""PyVRP's cost of an infeasible solution is the largest whole number it knows, 2**63 - 1."""


class Limit(NamedTuple):
    """When the search ends, whichever comes first; None does not end it."""

    iterations: int | None = None
    seconds: float | None = None


class Progress(NamedTuple):
    """How far the search is; `best` is the cost of the best plan, None before there is one."""

    iteration: int
    best: int | None


Watch = Callable[[Progress], bool]
"""Told of each iteration; false ends the search with the best plan so far."""


class PlanError(RouteError):
    """No plan could be made or trusted."""


def solve(
    problem: Problem, limit: Limit, seed: int = 0, watch: Watch | None = None, unserved: tuple[Unserved, ...] = ()
) -> Solution:
    """A plan for a problem that was checked; `unserved` are the stops that the check left out.

    First every mandatory stop is required. If half of the limit finds no such plan, the rest of it looks for the one
    that leaves out as few of them as possible. Raises PlanError when limit, solver or plan are of no use.
    """
    if limit.iterations is None and limit.seconds is None:
        raise PlanError("a search without limit: expected iterations or seconds")
    if not problem.stops or not problem.vehicles:
        return evaluate(problem, (), unserved)
    search = _Search(limit, watch)
    encoded = encode(problem, all_required=True)
    found = search.run(problem, encoded, seed, until_feasible=True)
    if not found.is_feasible():
        encoded = encode(problem, all_required=False)
        found = search.run(problem, encoded, seed, until_feasible=False)
    if not found.is_feasible():
        raise PlanError("no plan keeps all capacities, windows and shifts; try more iterations or seconds")
    return _judged(problem, encoded, found, unserved, search.iterations)


class _Search:
    """Runs within one limit and under one watch."""

    def __init__(self, limit: Limit, watch: Watch | None) -> None:
        self._limit = limit
        self._watch = watch
        self._late = _clock(limit.seconds)
        self._half = _clock(None if limit.seconds is None else limit.seconds / 2)
        self._hopeless = True
        self.iterations = 0
        self.stopped = False

    def run(self, problem: Problem, encoded: Encoded, seed: int, *, until_feasible: bool) -> pyvrp.Solution:
        self._hopeless = until_feasible
        start = warm_start(problem, encoded) if problem.previous else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PenaltyBoundWarning)  # says that stops do not fit; the plan will, by name
            result = pyvrp.solve(
                encoded.data,
                self._stop,
                seed=seed,
                collect_stats=False,
                display=False,
                params=pyvrp.SolveParams() if until_feasible else pyvrp.SolveParams(penalty=_penalties(problem)),
                initial_solution=start,
            )
        return result.best

    def _stop(self, best_cost: int) -> bool:
        """PyVRP's stopping criterion, asked before each iteration."""
        known = None if best_cost >= INFEASIBLE else best_cost
        if self.stopped or not self._goes_on(known):
            return True
        self.iterations += 1
        return False

    def _goes_on(self, best: int | None) -> bool:
        if self._watch is not None and not self._watch(Progress(self.iterations, best)):
            self.stopped = True
            return False
        share = 2 if self._hopeless and best is None else 1
        if self._limit.iterations is not None and self.iterations * share >= self._limit.iterations:
            return False
        return not (self._half if share > 1 else self._late)()


def _penalties(problem: Problem) -> pyvrp.PenaltyParams:
    """PyVRP's penalties for late and overloaded plans, dear enough that leaving a mandatory stop out is cheaper."""
    usual = pyvrp.PenaltyParams()
    scale = max(1, *(vehicle.cost_per_m for vehicle in problem.vehicles))
    return pyvrp.PenaltyParams(min_penalty=usual.min_penalty, max_penalty=usual.max_penalty * scale)


def _clock(seconds: float | None) -> Callable[[], bool]:
    """Whether so many seconds have passed since now."""
    if seconds is None:
        return lambda: False
    over = MaxRuntime(seconds)
    over(0)  # the first call starts it
    return lambda: over(0)


def _judged(
    problem: Problem, encoded: Encoded, found: pyvrp.Solution, unserved: tuple[Unserved, ...], iterations: int
) -> Solution:
    plan = evaluate(problem, orders(problem, encoded, found), unserved)
    if plan.violations:
        raise PlanError(f"the solver's plan does not hold: {plan.violations[0]}")
    cost = pyvrp.CostEvaluator([0] * encoded.data.num_load_dimensions, 0, 0).cost(found)
    if cost != plan.cost.total:
        raise PlanError(f"the solver says the plan costs {cost}, the evaluator says {plan.cost.total}")
    return replace(plan, bound=lower_bound(problem), previous_cost=previous_cost(problem), iterations=iterations)
