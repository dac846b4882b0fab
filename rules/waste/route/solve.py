"""Plan tours with PyVRP (extra `routes`) and have the plan checked by the evaluator, which shares nothing with it.

The same problem, seed and number of iterations give the same plan; a limit in seconds does not promise that.
"""

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import pyvrp
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.PenaltyManager import PenaltyManager
from pyvrp.search import OPERATORS, LocalSearch, PerturbationManager, compute_neighbours
from pyvrp.stop import MaxRuntime

from rules.waste.route.bound import lower_bound, previous_cost
from rules.waste.route.evaluate import evaluate
from rules.waste.route.model import UNSERVED_COST, Problem, RouteError
from rules.waste.route.pyvrp_data import Encoded, encode, idle_cost, idle_orders, orders, warm_start
from rules.waste.route.solution import Solution, Unserved

INFEASIBLE = 2**62
"""PyVRP's cost of an infeasible solution is the largest whole number it knows, 2**63 - 1."""


class Limit(NamedTuple):
    """When the search ends, whichever comes first; None does not end it."""

    iterations: int | None = None
    seconds: float | None = None


class Progress(NamedTuple):
    """How far the search is; `best` is the cost of the best plan, None before there is one.

    It does not count how vehicles under way without a stop come home.
    """

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
    that leaves out as few of them as possible: until three quarters with penalties at which many stops find their
    place, then with such that no stop is worth the least violation. Raises PlanError when limit, solver or
    plan are of no use.
    """
    if limit.iterations is None and limit.seconds is None:
        raise PlanError("a search without limit: expected iterations or seconds")
    if not problem.stops or not problem.vehicles:
        return evaluate(problem, idle_orders(problem), unserved)
    search = _Search(limit, watch)
    for phase in _PHASES:
        encoded = encode(problem, all_required=phase.all_required)
        found = search.run(problem, encoded, seed, phase)
        if found.is_feasible():
            return _judged(problem, encoded, found, unserved, search.iterations)
    raise PlanError("no plan keeps all capacities, windows and shifts; try more iterations or seconds")


class _Phase(NamedTuple):
    """A part of the search; without a plan it ends at this share of the limit. `penalty` is the greatest one."""

    share: float
    all_required: bool
    penalty: Callable[[Problem], float]


def _usual(problem: Problem) -> float:
    """PyVRP's own for a new plan; the rest of a day is short, and many plans miss it by little."""
    return _dear(problem) if problem.starts or problem.previous else _USUAL.max_penalty


def _dear(problem: Problem) -> float:
    return _USUAL.max_penalty * max(1, *(vehicle.cost_per_m for vehicle in problem.vehicles))


def _forbidding(_: Problem) -> float:
    """The search begins in the middle: there a second too late costs more than to leave out a mandatory stop."""
    return 2.1 * UNSERVED_COST


_USUAL = pyvrp.PenaltyParams()
_PHASES = (
    _Phase(0.5, all_required=True, penalty=_usual),
    _Phase(0.75, all_required=False, penalty=_dear),
    _Phase(1.0, all_required=False, penalty=_forbidding),
)


class _Search:
    """Runs within one limit and under one watch."""

    def __init__(self, limit: Limit, watch: Watch | None) -> None:
        self._limit = limit
        self._watch = watch
        self._late = {
            phase.share: _clock(None if limit.seconds is None else limit.seconds * phase.share) for phase in _PHASES
        }
        self._share = 1.0
        self.iterations = 0
        self.stopped = False

    def run(self, problem: Problem, encoded: Encoded, seed: int, phase: _Phase) -> pyvrp.Solution:
        self._share = phase.share
        penalties = pyvrp.PenaltyParams(min_penalty=_USUAL.min_penalty, max_penalty=phase.penalty(problem))
        start = None
        if problem.previous or phase is _PHASES[-1]:
            start = warm_start(problem, encoded, feasible=not phase.all_required)
            if not (phase.all_required and start.is_feasible()):
                start = _polished(encoded, start, penalties, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PenaltyBoundWarning)  # says that stops do not fit; the plan will, by name
            result = pyvrp.solve(
                encoded.data,
                self._stop,
                seed=seed,
                collect_stats=False,
                display=False,
                params=pyvrp.SolveParams(penalty=penalties),
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
        share = self._share if best is None else 1.0
        if self._limit.iterations is not None and self.iterations >= self._limit.iterations * share:
            return False
        return not self._late[share]()


def _polished(encoded: Encoded, start: pyvrp.Solution, penalties: pyvrp.PenaltyParams, seed: int) -> pyvrp.Solution:
    """The start with all that fits inserted: PyVRP does so with its own random start only, and is slow without."""
    data = encoded.data
    search = LocalSearch(data, pyvrp.RandomNumberGenerator(seed), compute_neighbours(data), PerturbationManager())
    for operator in OPERATORS:
        if operator.supports(data):
            search.add_operator(operator(data))
    costs = PenaltyManager(penalties.midpoint_penalties(data), penalties).max_cost_evaluator()
    found = search(start, costs, exhaustive=True)
    return found if costs.penalised_cost(found) < costs.penalised_cost(start) else start


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
    cost += idle_cost(encoded, found)
    if cost < plan.cost.total or (encoded.exact and cost > plan.cost.total):
        raise PlanError(f"the solver says the plan costs {cost}, the evaluator says {plan.cost.total}")
    return replace(plan, bound=lower_bound(problem), previous_cost=previous_cost(problem), iterations=iterations)
