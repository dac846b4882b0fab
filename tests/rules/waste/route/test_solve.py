"""Plans of PyVRP, judged by the evaluator."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.waste.route.bound import lower_bound
from rules.waste.route.check import checked
from rules.waste.route.distance import straight_matrix
from rules.waste.route.evaluate import evaluate
from rules.waste.route.model import Capacity, DisposalSite, Order, Problem
from rules.waste.route.solution import Solution
from rules.waste.route.solve import Limit, PlanError, Progress, solve
from tests.rules.waste.route.instances import DEPOT, HOUR_S, SITE, Size, flat, problem, random_problem, stop, vehicle

SHORT = Limit(iterations=60)


def planned(day: Problem, limit: Limit = SHORT, seed: int = 1) -> Solution:
    """What can be planned of a day."""
    rest, left, _ = checked(day, skip_invalid=True)
    return solve(rest, limit, seed, unserved=left)


@given(
    seed=st.integers(0, 10_000),
    stops=st.integers(1, 25),
    vehicles=st.integers(1, 4),
    volume_l=st.sampled_from([3_000, 6_000, 20_000]),
)
@settings(max_examples=60, deadline=None)
def test_solver_and_evaluator_agree(seed: int, stops: int, vehicles: int, volume_l: int) -> None:
    """On any day the plan holds, costs what the solver says (else it raises), and visits or lists every stop."""
    day = random_problem(seed, Size(stops=stops, vehicles=vehicles, volume_l=volume_l))
    plan = planned(day)
    assert plan.violations == ()
    served = [visit.place for tour in plan.tours for visit in tour.visits if visit.kind == "stop"]
    assert sorted([*served, *(left.stop for left in plan.unserved)]) == sorted(each.id for each in day.stops)
    assert plan.bound <= plan.cost.total


@given(seed=st.integers(0, 10_000), swap=st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_no_order_undercuts_the_bound(seed: int, swap: int) -> None:
    """The bound holds for orders nobody optimised, too."""
    day = random_problem(seed, Size(stops=6, vehicles=2))
    rest, _, _ = checked(day, skip_invalid=True)
    names = [each.id for each in rest.stops]
    cut = swap % (len(names) + 1)
    orders = [
        Order(each.id, part)
        for each, part in zip(rest.vehicles, (tuple(names[:cut]), tuple(names[cut:])), strict=False)
    ]
    plan = evaluate(rest, orders)
    if not plan.violations:
        assert lower_bound(rest) <= plan.cost.total


def test_same_seed_same_plan() -> None:
    """Seed and iterations decide the plan."""
    day = random_problem(4)
    assert planned(day) == planned(day)


def test_a_restricted_zone_is_served_before_ten() -> None:
    """Stops of the pedestrian zone come first, wherever they lie."""
    zone = tuple(stop(f"zone-{n}", longitude=7.90 - n / 1000, window_until_s=8 * HOUR_S) for n in range(4))
    rest = tuple(stop(f"bin-{n}", longitude=7.81 + n / 1000) for n in range(12))
    plan = planned(problem((*rest, *zone), (vehicle(),)))
    starts = {visit.place: visit.start_s for tour in plan.tours for visit in tour.visits}
    assert all(starts[each.id] <= 8 * HOUR_S for each in zone)
    assert plan.unserved == ()


def test_mandatory_stops_that_do_not_fit_are_listed() -> None:
    """Too short a shift leaves out as few as possible, and says which."""
    stops = tuple(stop(f"bin-{n}", longitude=7.80 + n / 500, service_s=1800) for n in range(12))
    plan = planned(problem(stops, (vehicle(break_s=0, shift_until_s=12 * HOUR_S),)))
    assert {left.reason for left in plan.unserved} == {"no_room"}
    assert 1 <= len(plan.unserved) <= 4
    assert plan.gap is None


def test_half_of_the_limit_is_kept_for_a_plan_with_gaps() -> None:
    """Where mandatory stops do not fit there is no plan in the first half of the search, and one in the second."""
    seen: list[Progress] = []

    def watch(progress: Progress) -> bool:
        seen.append(progress)
        return True

    stops = tuple(stop(f"bin-{n}", service_s=3600) for n in range(12))
    plan = solve(problem(stops, (vehicle(),)), SHORT, 1, watch)
    assert all(progress.best is None for progress in seen if progress.iteration < 30)
    assert any(progress.best is not None for progress in seen if 30 < progress.iteration < 60)
    assert plan.iterations == 60


def test_the_bound_counts_trips() -> None:
    """Three roll-offs are unloaded three times in any plan."""
    stops = tuple(stop(f"roll-{n}", roll_off=True) for n in range(3))
    day = problem(stops, (vehicle(roll_off=True),))
    assert lower_bound(day) > 40_000_000 + 3 * (1200 + 240) * 12_500
    full = problem(tuple(stop(f"bin-{n}", volume_l=9_000) for n in range(3)), (vehicle(),))
    assert lower_bound(full) > 40_000_000 + 3 * (1200 + 240) * 12_500


def test_prizes_decide_what_is_visited() -> None:
    """The same far container is left out for 1 euro and fetched for 100."""
    near, far = stop("near"), stop("far", longitude=8.0)
    for euros, fetched in ((1, False), (100, True)):
        plan = planned(problem((near, replace(far, prize=euros * 1_000_000)), (vehicle(),)))
        assert ("far" in {left.stop for left in plan.unserved}) is not fetched


def test_roll_offs_travel_alone() -> None:
    """Three roll-offs are three trips of the hook lift, and no other vehicle takes them."""
    stops = (*(stop(f"roll-{n}", roll_off=True, volume_l=10_000) for n in range(3)), stop("bin-1"))
    plan = planned(problem(stops, (vehicle("truck"), vehicle("hook", roll_off=True))))
    hook = next(tour for tour in plan.tours if tour.vehicle == "hook")
    kinds = "".join(visit.kind[0] for visit in hook.visits)
    assert kinds == "sususuh"
    assert plan.unserved == ()


def test_each_vehicle_keeps_to_its_own_streets() -> None:
    """A dead end that the matrix of one profile closes is served by the vehicle of the other one."""
    stops = tuple(stop(f"bin-{n}", longitude=7.81 + n / 1000) for n in range(4))
    wide, narrow = (straight_matrix((DEPOT, SITE, *stops)) for _ in range(2))
    for row in range(6):
        wide.metres[row][4] = wide.seconds[row][4] = -1 if row != 4 else 0
    trucks = (vehicle("wide", profile="wide"), vehicle("narrow", profile="narrow", cost_per_m=5_000))
    plan = planned(problem(stops, trucks, matrices={"wide": wide, "narrow": narrow}))
    by = {visit.place: tour.vehicle for tour in plan.tours for visit in tour.visits if visit.kind == "stop"}
    assert by["bin-2"] == "narrow"


def test_a_site_that_closes_is_reached_in_time() -> None:
    """The last unloading begins before the site closes, hours before the shift ends."""
    closing = replace(SITE, closes_s=8 * HOUR_S)
    stops = tuple(stop(f"bin-{n}", longitude=7.81 + n / 1000, prize=60_000_000, service_s=900) for n in range(12))
    plan = planned(replace(problem(stops, (vehicle(),)), sites=(closing,)))
    unloads = [visit for tour in plan.tours for visit in tour.visits if visit.kind == "unload"]
    assert unloads
    assert all(visit.start_s <= 8 * HOUR_S for visit in unloads)
    assert plan.unserved


def test_reloads_may_use_another_site() -> None:
    """The nearer of two sites is taken, in between and at the end, although the other one is named first."""
    far = DisposalSite("far-site", 7.60, 51.67, frozenset({"paper"}), unload_s=600)
    stops = tuple(stop(f"bin-{n}", longitude=7.61 + n / 1000, volume_l=9_000) for n in range(3))
    day = Problem(
        (DEPOT,), (SITE, far), stops, (vehicle(disposal_sites=("site", "far-site")),),
        {"": straight_matrix((DEPOT, SITE, far, *stops))},
    )  # fmt: skip
    (tour,) = planned(day).tours
    assert [visit.place for visit in tour.visits if visit.kind == "unload"] == ["far-site"] * 3


def test_replanning_keeps_stops_with_their_vehicle() -> None:
    """With a price on changes, a new container moves fewer stops than without, and none of them for nothing."""
    day = random_problem(3, Size(stops=24, vehicles=3, optional=0, mass_kg=6_000, volume_l=40_000))
    day, _, _ = checked(day, skip_invalid=True)
    halves = [each.id for each in day.stops if not day.vehicles[0].obstacle(each)]
    before = (Order(day.vehicles[0].id, tuple(halves[::2])), Order(day.vehicles[2].id, tuple(halves[1::2])))
    moved = []
    for price in (0, 50_000_000):
        plan = solve(replace(day, previous=before, cost_per_change=price), SHORT, 1)
        by = {visit.place: tour.vehicle for tour in plan.tours for visit in tour.visits}
        moved.append(sum(by.get(place) != order.vehicle for order in before for place in order.places))
    assert moved[1] < moved[0]
    assert moved[1] <= 2


def test_a_warm_start_is_no_worse_than_its_plan() -> None:
    """No iteration at all gives the previous plan back, with a gap of nothing to it."""
    day, _, _ = checked(random_problem(5, Size(optional=0.9)), skip_invalid=True)
    first = solve(day, Limit(iterations=200), 1)
    again = solve(replace(day, previous=first.orders), Limit(iterations=0), 2)
    assert again.cost == first.cost
    assert again.gap_to_previous == 0


def test_the_watch_sees_progress_and_ends_the_search() -> None:
    """The watch hears of each iteration; its first no ends the search with a plan."""
    seen: list[Progress] = []

    def watch(progress: Progress) -> bool:
        seen.append(progress)
        return progress.iteration < 10

    plan = solve(checked(random_problem(0), skip_invalid=True)[0], Limit(iterations=1000), 1, watch)
    assert plan.iterations == 10
    assert [progress.iteration for progress in seen] == list(range(11))
    assert seen[-1].best == plan.cost.total


def test_seconds_end_the_search() -> None:
    """A limit in seconds ends, too, even where the mandatory stops never fit."""
    stops = tuple(stop(f"bin-{n}", service_s=3600) for n in range(12))
    plan = planned(problem(stops, (vehicle(),)), Limit(seconds=0.4))
    assert plan.unserved
    with pytest.raises(PlanError, match="limit"):
        solve(problem(stops, (vehicle(),)), Limit())


def test_equal_vehicles_share_a_type_and_each_gets_a_tour() -> None:
    """Of five like trucks as many go out as are needed, each once."""
    stops = tuple(stop(f"bin-{n}", longitude=7.81 + n / 1000, volume_l=9_000) for n in range(5))
    trucks = tuple(vehicle(f"truck-{n}", max_reloads=0, capacity={"paper": Capacity(900, 9_000)}) for n in range(5))
    plan = planned(problem(stops, trucks))
    assert sorted(tour.vehicle for tour in plan.tours) == [truck.id for truck in trucks]


def test_unlike_vehicles_are_told_apart() -> None:
    """Of five trucks that differ in nothing but what going out costs, the two cheapest go."""
    stops = tuple(stop(f"bin-{n}", longitude=7.81 + n / 1000, volume_l=9_000) for n in range(2))
    given: dict[str, object] = {"max_reloads": 0, "capacity": {"paper": Capacity(900, 9_000)}}
    trucks = tuple(vehicle(f"truck-{n}", cost_fixed=(9 - n) * 10_000_000, **given) for n in range(5))
    plan = planned(problem(stops, trucks))
    assert sorted(tour.vehicle for tour in plan.tours) == ["truck-3", "truck-4"]
    assert plan.cost.fixed == (5 + 6) * 10_000_000


def test_a_day_without_stops_is_an_empty_plan() -> None:
    """Nothing to do is a plan, too; without a routing engine its title says so."""
    plan = solve(problem((), (vehicle(),)), SHORT)
    assert (plan.tours, plan.cost.total) == ((), 0)
    assert plan.title == "Order of stops, not for driving"


def test_far_too_much_still_gives_a_plan() -> None:
    """Where a fifth of the mandatory stops cannot be served, the others are."""
    day = random_problem(2, Size(stops=100, vehicles=2, optional=0.1))
    plan = planned(day, Limit(iterations=1000))
    assert plan.tours
    assert len([left for left in plan.unserved if left.reason == "no_room"]) > 10


def conflict(cost_per_m: int = 700) -> Problem:
    """Two stops that close so soon that only one of them can be served."""
    stops = tuple(stop(f"bin-{n}", service_s=1, window_until_s=6 * HOUR_S + 10) for n in range(2))
    return problem(stops, (vehicle(cost_per_m=cost_per_m),), matrices={"": flat(4, 100, 10)})


def test_a_conflict_of_seconds_leaves_one_stop_out() -> None:
    """Two mandatory stops of which the second is eleven seconds late: one of them is served, whatever ways cost."""
    for cost_per_m in (0, 700):
        plan = solve(conflict(cost_per_m), SHORT, 1)
        assert len(plan.unserved) == 1
        assert plan.unserved[0].reason == "no_room"


def test_a_search_that_is_stopped_at_once_leaves_out_no_more_than_it_must() -> None:
    """The first no of the watch still gives a plan that serves what fits."""
    plan = solve(conflict(), SHORT, 1, lambda _: False)
    assert (plan.iterations, len(plan.unserved), len(plan.tours)) == (0, 1, 1)
