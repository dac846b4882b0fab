"""Policies side by side."""

import pytest

from rules.waste.evaluation.figures import Figures
from rules.waste.evaluation.policies import Fixed, Pattern
from rules.waste.evaluation.rolling import Driven
from rules.waste.evaluation.study import POLICIES, SETTLING_DAYS, Step, Study, compared, flat, lived, prepared
from rules.waste.route.model import Problem
from rules.waste.route.solution import Solution
from rules.waste.route.solve import Limit, solve
from tests.rules.waste.evaluation.towns import MONDAY_MS, drawn, small

DAYS = 14


def quick(problem: Problem, seed: int) -> Solution:
    """A short search."""
    return solve(problem, Limit(iterations=10), seed)


@pytest.fixture(scope="module")
def study() -> Study:
    """Twelve containers about to be compared."""
    return prepared(drawn(1), small(12), MONDAY_MS, DAYS)


def rows(study: Study) -> list[Figures]:
    """The rows of all policies."""
    return list(compared(study, POLICIES, quick))


def test_the_same_city_gives_the_same_rows(study: Study) -> None:
    """Nothing but the seed decides, and comparing changes nothing of what the next comparison starts from."""
    first = rows(study)
    assert [row.policy for row in first] == list(POLICIES)
    assert all(row.km > 0 and row.visits > 0 for row in first)
    assert rows(prepared(drawn(1), small(12), MONDAY_MS, DAYS)) == first
    assert rows(study) == first


def test_each_policy_meets_the_same_waste(study: Study) -> None:
    """The truth does not depend on who drives: who empties everything daily finds all of it, whatever the name."""
    daily = Fixed(study.town.places, {place.id: Pattern(1, frozenset({0})) for place in study.town.places})
    row = lived(study, "daily", daily, flat)
    working_days = 12
    assert row.visits == working_days * len(study.town.places)
    assert row.overflow_days == 0
    counting = study.truth.day_ms(study.first + SETTLING_DAYS)
    assert counting == MONDAY_MS


def test_who_never_drives_overflows(study: Study) -> None:
    """The days of settling do not count: containers are full when counting begins, and no day is missed."""
    row = lived(study, "never", Fixed(study.town.places, dict.fromkeys(study.patterns, Pattern(1, frozenset()))), flat)
    assert row.visits == 0
    assert row.overflow > 0.8


def test_a_silent_sensors_container_keeps_the_cycle_of_its_fixed_tour(study: Study) -> None:
    """Cycles are those of the tuned patterns in whole days."""
    for place in study.town.places:
        days = place.config.cycle_ms / 86_400_000
        assert 1 <= days <= 7 / (6 * study.patterns[place.id].per_day) + 1e-9 or days == 1


def test_progress_is_told(study: Study) -> None:
    """Each day on which somebody drives is told, with how many there are."""
    steps: list[Step] = []
    lived(study, "x", Fixed(study.town.places, study.patterns), lambda _now, _wishes: Driven({}), steps.append)
    assert {step.what for step in steps} == {"x"}
    assert [step.done for step in steps] == sorted({step.done for step in steps})
    assert max(step.done for step in steps) < steps[0].all == SETTLING_DAYS + DAYS
