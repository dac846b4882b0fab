"""Plans that are changed during the day: only what must be."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.waste.route.check import checked
from rules.waste.route.evaluate import evaluate
from rules.waste.route.model import Capacity, Order, Problem
from rules.waste.route.solution import Solution
from rules.waste.route.solve import Limit, solve
from tests.rules.waste.route.instances import (
    HOUR_S,
    SITE,
    Size,
    problem,
    random_problem,
    rebuilt,
    stop,
    under_way,
    vehicle,
    with_second_site,
)

SHORT = Limit(iterations=100)
DEAR = 1_000_000_000
ROOMY = Size(stops=16, vehicles=3, mass_kg=9_000, volume_l=60_000)
SEEDS = st.integers(0, 10_000)


def carriers(orders: tuple[Order, ...]) -> dict[str, str]:
    """Which vehicle has which stop."""
    return {place: order.vehicle for order in orders for place in order.places if place.startswith(("bin", "new"))}


def planned(seed: int, *, is_noon: bool, prized: float = 0.5) -> tuple[Problem, Solution]:
    """A roomy day, or its rest from nine on, and its plan."""
    day = with_second_site(random_problem(seed, replace(ROOMY, optional=prized)), seed)
    day, _, _ = checked(under_way(day, seed) if is_noon else day, skip_invalid=True)
    return day, solve(day, SHORT, 1)


@given(seed=SEEDS, is_noon=st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_new_mandatory_stop_is_inserted_and_nothing_else_changes(seed: int, *, is_noon: bool) -> None:
    """Dear changes: every stop stays with its vehicle, the new one is served by any."""
    day, before = planned(seed, is_noon=is_noon)
    new = stop("new", longitude=7.84, latitude=51.69, volume_l=100, mass_kg=10, service_s=60)
    more = rebuilt(replace(day, stops=(*day.stops, new), previous=before.orders, cost_per_change=DEAR))
    had = carriers(before.orders)
    after = solve(more, SHORT, 2)
    now = carriers(after.orders)
    moved = {place for place, truck in had.items() if now.get(place) != truck}
    assert "new" in now
    assert after.cost.changes == len(moved) * DEAR or not moved
    assert not moved


@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_the_stops_of_a_vehicle_that_dropped_out_are_spread(seed: int) -> None:
    """The mandatory stops that others can serve are on their tours; whatever those had before, they keep."""
    day, before = planned(seed, is_noon=False)
    gone = day.vehicles[0]
    rest, left, _ = checked(
        replace(day, vehicles=day.vehicles[1:], previous=before.orders, cost_per_change=DEAR), skip_invalid=True
    )
    after = solve(rest, SHORT, 2, unserved=left)
    had, now = carriers(before.orders), carriers(after.orders)
    assert gone.id not in now.values()
    assert all(now.get(place) == truck for place, truck in had.items() if truck != gone.id)
    assert all(each.id in now for each in rest.stops if each.prize is None)
    assert after.cost.changes == 0


def test_the_order_of_a_vehicle_is_free() -> None:
    """A change is another vehicle or none: the same stops in another order cost no change."""
    given = problem(tuple(stop(f"bin-{n}") for n in range(3)), (vehicle(),))
    given = replace(given, previous=(Order("truck-1", ("bin-0", "bin-1", "bin-2")),), cost_per_change=DEAR)
    assert evaluate(given, [Order("truck-1", ("bin-2", "bin-0", "bin-1"))]).cost.changes == 0
    assert evaluate(given, [Order("truck-1", ("bin-0", "bin-1"))]).cost.changes == DEAR


def test_only_as_many_stops_move_as_must() -> None:
    """A vehicle that comes back with half of its shift hands on what no longer fits, and nothing more."""
    stops = tuple(stop(f"bin-{n}", longitude=7.81 + n / 2000, service_s=1800) for n in range(10))
    trucks = (vehicle("truck-1", max_reloads=0), vehicle("truck-2", max_reloads=0, cost_fixed=0))
    before = (Order("truck-1", tuple(each.id for each in stops)),)
    given = problem(stops, (replace(trucks[0], shift_from_s=10 * HOUR_S), trucks[1]), previous=before)
    after = solve(replace(given, cost_per_change=DEAR), SHORT, 1)
    kept = sum(truck == "truck-1" for truck in carriers(after.orders).values())
    assert len(carriers(after.orders)) == 10
    longer = evaluate(given, [Order("truck-1", tuple(each.id for each in stops[: kept + 1]))])
    assert "ends" in longer.violations[0].en
    assert len(carriers(solve(given, SHORT, 1).orders)) - kept < 10


def test_what_the_previous_plan_says_of_today_is_used() -> None:
    """Stops that are gone, sites and reloads that a vehicle has no longer, stops named twice are left out."""
    stops = tuple(stop(f"bin-{n}") for n in range(3))
    before = (
        Order("truck-1", ("gone", "site", "bin-0", "site", "bin-0", "site", "bin-1", "tip")),
        Order("truck-9", ("bin-2",)),
    )
    given = problem(stops, (vehicle(max_reloads=0), vehicle("truck-2", disposal_sites=())), previous=before)
    assert given.remaining() == (Order("truck-1", ("bin-0", "bin-1")),)
    assert solve(given, SHORT).unserved == ()
    one = replace(given, vehicles=(vehicle(max_reloads=1),))
    assert one.remaining() == (Order("truck-1", ("bin-0", "site", "bin-1")),)


def test_the_last_site_of_the_previous_plan_counts() -> None:
    """Without an iteration the plan of before comes back, with its last sites and its cost."""
    near = replace(SITE, id="near", longitude=7.80, latitude=51.67)
    truck = vehicle(disposal_sites=("site", "near"), max_reloads=0, capacity={"paper": Capacity(9_000, 60_000)})
    day = rebuilt(replace(problem((stop("bin-1"), stop("bin-2")), (truck,)), sites=(SITE, near)))
    before = solve(day, SHORT)
    assert before.orders[0].places[-1] == "near"
    again = solve(replace(day, previous=before.orders), Limit(iterations=0), 2)
    assert (again.orders, again.gap_to_previous) == (before.orders, 0)
