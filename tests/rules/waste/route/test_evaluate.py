"""The evaluator, by hand-made days whose figures can be added in the head."""

import re
from collections.abc import Iterable
from dataclasses import replace

import pytest

from rules.waste.route.evaluate import evaluate
from rules.waste.route.model import UNSERVED_COST, Capacity, Order, Problem, RouteError
from rules.waste.words import Words
from tests.rules.waste.route.instances import HOUR_S, flat, problem, stop, vehicle


def day(**changed: object) -> Problem:
    """Two containers, a truck for 700 a metre and 12,500 a second; the site opens at six, as the shift begins."""
    plain = problem((stop("one"), stop("two")), (vehicle(),), matrices={"": flat(4)})
    return replace(plain, **changed)  # type: ignore[arg-type] # the tests' own shorthand


def in_both_languages(texts: Iterable[Words]) -> bool:
    """Whether each says the same figures in words of its own."""
    return all(de != en and re.findall(r"\d+", de) == re.findall(r"\d+", en) for de, en in texts)


ONE_TRIP = [Order("truck-1", ("one", "two"))]


def test_cost_is_that_of_the_legs_and_the_hours() -> None:
    """Four legs, two services, one unloading: 4 km and 2,080 s to the cent."""
    plan = evaluate(day(), ONE_TRIP)
    (tour,) = plan.tours
    assert (tour.metres, tour.seconds, tour.wait_s) == (4000, 4 * 100 + 2 * 240 + 1200, 0)
    assert plan.cost.total == 40_000_000 + 4000 * 700 + 2080 * 12_500
    assert plan.cost.cents == 6880
    assert [visit.kind for visit in tour.visits] == ["stop", "stop", "unload", "home"]
    assert [visit.load_kg for visit in tour.visits] == [60, 120, 0, 0]
    assert plan.violations == ()


def test_a_stop_before_its_window_is_waited_for_and_the_start_is_late() -> None:
    """A window from eight makes the tour start as late as it can, and the wait between two windows is paid."""
    early = stop("one", window_until_s=6 * HOUR_S + 100)
    late = stop("two", window_from_s=8 * HOUR_S)
    plan = evaluate(day(stops=(early, late)), ONE_TRIP)
    assert plan.tours[0].departs_s == 6 * HOUR_S
    assert plan.tours[0].wait_s == 2 * HOUR_S - 100 - 240 - 100
    assert plan.violations == ()
    free = evaluate(day(stops=(stop("one"), late)), ONE_TRIP)
    assert free.tours[0].wait_s == 0
    assert free.tours[0].departs_s == 8 * HOUR_S - 100 - 240 - 100


def test_unloading_on_the_way_home_counts() -> None:
    """The shift that ends with the last container ends too early: unloading and the way home belong to it."""
    need_s = 4 * 100 + 2 * 240 + 1200
    enough = vehicle(shift_until_s=6 * HOUR_S + need_s, break_s=0)
    assert evaluate(day(vehicles=(enough,)), ONE_TRIP).violations == ()
    short = vehicle(shift_until_s=6 * HOUR_S + need_s - 1, break_s=0)
    assert "ends 1 s before the tour" in evaluate(day(vehicles=(short,)), ONE_TRIP).violations[0].en


def test_a_break_shortens_the_shift_and_says_so() -> None:
    """The same shift with a break is too short by the break, and every plan with a break tells of it."""
    need_s = 4 * 100 + 2 * 240 + 1200
    rested = vehicle(shift_until_s=6 * HOUR_S + need_s, break_s=1800)
    plan = evaluate(day(vehicles=(rested,)), ONE_TRIP)
    assert "ends 1800 s before the tour" in plan.violations[0].en
    assert "30 min shorter for the break" in plan.notes[0].en
    assert in_both_languages([*plan.violations, *plan.notes])


def test_a_reload_empties_the_vehicle() -> None:
    """Two containers that fill a vehicle each need the site in between; without it the load is a violation."""
    full = day(vehicles=(vehicle(capacity={"paper": Capacity(100, 9_000)}),))
    assert "120 kg" in evaluate(full, ONE_TRIP).violations[0].en
    plan = evaluate(full, [Order("truck-1", ("one", "site", "two"))])
    assert plan.violations == ()
    assert plan.tours[0].seconds == 5 * 100 + 2 * 240 + 2 * 1200
    once = replace(full, vehicles=(replace(full.vehicles[0], max_reloads=0),))
    assert "more than 0 times" in evaluate(once, plan.orders).violations[0].en


@pytest.mark.parametrize(
    ("bin_", "truck", "says"),
    [
        ({"kerb": "right"}, {"loader": "left"}, "loads on the left"),
        ({"max_height_cm": 300}, {"height_cm": 330}, "330 cm high"),
        ({"max_weight_kg": 18_000}, {"weight_kg": 26_000}, "26000 kg"),
        ({"fraction": "glass"}, {}, "takes no glass"),
        ({"roll_off": True}, {}, "cannot lift a roll-off"),
        ({"volume_l": 13_000}, {}, "13000 l"),
        ({}, {"payload_kg": 50}, "carries 50 kg"),
        ({"window_until_s": 6 * HOUR_S + 99}, {}, "1 s after its window"),
    ],
)
def test_what_a_vehicle_cannot_do_is_a_violation(bin_: dict[str, object], truck: dict[str, object], says: str) -> None:
    """Side, height, weight, fraction, kind, size, payload and window are each seen."""
    given = day(stops=(stop("one", **bin_), stop("two")), vehicles=(vehicle("truck-1", **truck),))
    violations = evaluate(given, ONE_TRIP).violations
    assert any(says in line.en for line in violations)
    assert in_both_languages(violations)


@pytest.mark.parametrize(
    ("truck", "order", "says"),
    [
        ({"capacity": {"paper": Capacity(2_000, 1_999)}}, ("one", "two"), "too much paper: 120 kg, 2000 l"),
        ({"capacity": {"paper": Capacity(119, 9_000)}}, ("one", "two"), "too much paper: 120 kg, 2000 l"),
        ({"payload_kg": 119}, ("one", "two"), "120 kg, the vehicle carries 119"),
        ({"disposal_sites": ()}, ("one", "site", "two"), "none of its disposal sites"),
    ],
)
def test_what_fits_singly_may_not_fit_together(truck: dict[str, object], order: tuple[str, ...], says: str) -> None:
    """Litres, kilograms and payload are summed over a trip, and only own sites end one."""
    given = day(vehicles=(vehicle("truck-1", **truck),))
    violations = evaluate(given, [Order("truck-1", order)]).violations
    assert any(says in line.en for line in violations)
    assert in_both_languages(violations)


def test_a_second_roll_off_on_a_trip_is_a_violation() -> None:
    """One container a trip; with the site in between two are fine."""
    stops = (stop("one", roll_off=True), stop("two", roll_off=True))
    given = day(stops=stops, vehicles=(vehicle(roll_off=True),))
    violations = evaluate(given, ONE_TRIP).violations
    assert "second roll-off" in violations[0].en
    assert in_both_languages(violations)
    assert evaluate(given, [Order("truck-1", ("one", "site", "two"))]).violations == ()


def test_a_way_that_does_not_exist_is_a_violation() -> None:
    """A one-way street against the tour is seen."""
    matrix = flat(4)
    matrix.metres[2][3] = -1
    given = day(matrices={"": matrix})
    violations = evaluate(given, ONE_TRIP).violations
    assert "no way from 'one' to 'two'" in violations[0].en
    assert in_both_languages(violations)
    assert evaluate(given, [Order("truck-1", ("two", "one"))]).violations == ()


def test_what_is_left_out_is_listed_with_its_reason_and_price() -> None:
    """An optional container costs its prize, a mandatory one more than any tour."""
    given = day(stops=(stop("one", prize=5_000_000), stop("two")))
    plan = evaluate(given, [])
    assert {(left.stop, left.reason) for left in plan.unserved} == {("one", "not_worth_it"), ("two", "no_room")}
    assert (plan.cost.lost_prizes, plan.cost.unserved) == (5_000_000, UNSERVED_COST)
    assert plan.cost.cents == 0


def test_a_changed_stop_costs() -> None:
    """A stop with another vehicle than before costs, one with the same does not, nor does one that nobody had."""
    trucks = (vehicle("truck-1"), vehicle("truck-2"))
    given = day(vehicles=trucks, previous=(Order("truck-1", ("one",)),), cost_per_change=7_000_001)
    same = evaluate(given, [Order("truck-1", ("one", "two"))])
    other = evaluate(given, [Order("truck-2", ("one", "two"))])
    assert same.cost.changes == 0
    assert other.cost.changes == 7_000_001 + 699  # whole metres of 700
    assert evaluate(given, []).cost.changes == 7_000_001
    gone = replace(given, vehicles=trucks[1:])
    assert evaluate(gone, [Order("truck-2", ("one", "two"))]).cost.changes == 0


@pytest.mark.parametrize(
    "orders",
    [
        [Order("truck-9", ("one",))],
        [Order("truck-1", ("one", "one"))],
        [Order("truck-1", ("nowhere",))],
        [Order("truck-1", ("one",)), Order("truck-1", ("two",))],
    ],
)
def test_an_order_of_nothing_we_know_is_refused(orders: list[Order]) -> None:
    """Unknown or repeated vehicles and stops raise, they are not evaluated."""
    with pytest.raises(RouteError):
        evaluate(day(), orders)
