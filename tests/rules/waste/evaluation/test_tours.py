"""A day's tours."""

from rules.waste.evaluation.policies import Wish
from rules.waste.evaluation.tours import SERVICE_S, VEHICLES, Solver
from rules.waste.evaluation.town import town
from rules.waste.route.evaluate import evaluate
from rules.waste.route.model import Order, Problem
from rules.waste.route.solution import Solution
from rules.waste.route.solve import Limit, solve
from tests.rules.waste.evaluation.towns import MONDAY_MS, drawn, small


def quick(problem: Problem, seed: int) -> Solution:
    """A short search."""
    return solve(problem, Limit(iterations=20), seed)


def test_all_that_must_be_is_served_in_the_shift() -> None:
    """Times are instants of the day, the sums those of the plan, and the same wishes give the same tours."""
    city = small(12)
    wishes = [Wish(place.id, None, 60.0) for place in city.places]
    driven = Solver(city, quick).drive(MONDAY_MS, wishes)
    assert set(driven.served) == {place.id for place in city.places}
    assert driven.left == ()
    hours = [(time_ms - MONDAY_MS) / 3_600_000 for time_ms in driven.served.values()]
    assert min(hours) >= 0
    assert max(hours) < 8
    assert driven.metres > 0
    assert driven.seconds > 12 * SERVICE_S
    assert driven.cents > 8_000
    assert driven == Solver(city, quick).drive(MONDAY_MS, wishes)


def test_a_prize_decides_whether_a_container_is_worth_its_way() -> None:
    """For a cent nobody goes, for a hundred euros somebody does; what is left out for that is not missed."""
    city = small(12)
    first, second = (
        Solver(city, quick).drive(
            MONDAY_MS, [Wish(place.id, None if number else prize, 60.0) for number, place in enumerate(city.places)]
        )
        for prize in (0.01, 100.0)
    )
    assert set(second.served) - set(first.served) == {city.places[0].id}
    assert first.left == ()


def test_fractions_have_tours_of_their_own() -> None:
    """Glass and paper are never in one vehicle; what they come to is added."""
    city = town(drawn(1), 12, {"glass": 0.5, "paper": 0.5})
    seen: list[Problem] = []

    def noted(problem: Problem, seed: int) -> Solution:
        seen.append(problem)
        return quick(problem, seed)

    driven = Solver(city, noted).drive(MONDAY_MS, [Wish(place.id, None, 60.0) for place in city.places])
    assert [{stop.fraction for stop in problem.stops} for problem in seen] == [{"glass"}, {"paper"}]
    assert len(driven.served) == 12
    assert driven.vehicles == 2


def test_what_must_be_and_is_not_served_is_told() -> None:
    """A plan that leaves a mandatory container out leaves it on the list."""
    city = small(4)

    def lazy(problem: Problem, _seed: int) -> Solution:
        return evaluate(problem, [Order(problem.vehicles[0].id, (problem.stops[0].id,))])

    driven = Solver(city, lazy).drive(MONDAY_MS, [Wish(place.id, None, 60.0) for place in city.places])
    assert driven.left == tuple(place.id for place in city.places[1:])


def test_the_solver_is_given_what_is_thought_not_what_is() -> None:
    """Loads are those of the wishes' levels, and every day has the same vehicles."""
    city = small(4)
    seen: list[Problem] = []

    def noted(problem: Problem, seed: int) -> Solution:
        seen.append(problem)
        return quick(problem, seed)

    Solver(city, noted).drive(MONDAY_MS, [Wish(place.id, None, 50.0) for place in city.places])
    assert [stop.volume_l for stop in seen[0].stops] == [place.volume_l // 2 for place in city.places]
    assert len(seen[0].vehicles) == VEHICLES
