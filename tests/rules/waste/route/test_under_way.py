"""Vehicles that are under way: where they are, what they hold, and that their time runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rules.waste.route.bound import lower_bound
from rules.waste.route.check import check, checked
from rules.waste.route.evaluate import evaluate
from rules.waste.route.model import Capacity, Load, Order, Problem, RouteError, Start
from rules.waste.route.solve import Limit, solve
from tests.rules.waste.route.instances import (
    HOUR_S,
    SITE,
    Size,
    flat,
    problem,
    random_problem,
    rebuilt,
    stop,
    under_way,
    vehicle,
    with_second_site,
)

HERE = Start("here", 7.83, 51.68)
NOW_S = 9 * HOUR_S
SHORT = Limit(iterations=60)


def day(*names: str, stops: Sequence[Mapping[str, object]] = (), truck: Mapping[str, object] | None = None) -> Problem:
    """At nine a truck with 1 t, 6,000 l on board stands here; every way is 1 km and 100 s long."""
    changed = (*stops, *({} for _ in names))
    usual: dict[str, object] = {
        "start": "here",
        "shift_from_s": NOW_S,
        "on_board": {"paper": Load(1_000, 6_000)},
        "break_s": 0,
    }
    bins = tuple(stop(name, **one) for name, one in zip(names, changed, strict=False))
    plain = problem(bins, (vehicle("truck-1", **(usual | dict(truck or {}))),), matrices={"": flat(3 + len(bins))})
    return replace(plain, starts=(HERE,))


def test_the_tour_goes_on_from_here_and_going_out_is_paid() -> None:
    """Three legs from here, one service, one unloading; what it holds is on board from the first halt on."""
    plan = evaluate(day("one"), [Order("truck-1", ("one",))])
    (tour,) = plan.tours
    assert (tour.departs_s, tour.metres, tour.seconds) == (NOW_S, 3000, 3 * 100 + 240 + 1200)
    assert [(visit.load_kg, visit.load_l) for visit in tour.visits] == [(1_060, 7_000), (0, 0), (0, 0)]
    assert (plan.cost.fixed, plan.cost.total) == (0, 3000 * 700 + tour.seconds * 12_500)
    assert (plan.violations, plan.notes) == ((), ())


def test_its_time_runs() -> None:
    """A window that opens later is waited for: nobody can start later any more."""
    late = day("one", stops=({"window_from_s": NOW_S + 1000},))
    (tour,) = evaluate(late, [Order("truck-1", ("one",))]).tours
    assert (tour.departs_s, tour.wait_s) == (NOW_S, 900)


def test_a_vehicle_without_stops_unloads_and_comes_home() -> None:
    """It is out, so it has a tour whatever is planned; with nothing on board that leads straight home."""
    loaded, empty = evaluate(day("one"), []), evaluate(day("one", truck={"on_board": {}}), [])
    assert [visit.kind for visit in loaded.tours[0].visits] == ["unload", "home"]
    assert [visit.kind for visit in empty.tours[0].visits] == ["home"]
    assert loaded.orders == (Order("truck-1", ()),)
    assert empty.tours[0].metres == 1000


def test_what_is_on_board_takes_room() -> None:
    """A stop that does not fit any more fits after unloading."""
    full = day("one", stops=({"volume_l": 6_001},))
    assert "too much paper: 1060 kg, 12001 l" in evaluate(full, [Order("truck-1", ("one",))]).violations[0].en
    assert evaluate(full, [Order("truck-1", ("site", "one"))]).violations == ()
    heavy = day("one", truck={"payload_kg": 1_059})
    assert "1060 kg, the vehicle carries 1059" in evaluate(heavy, [Order("truck-1", ("one",))]).violations[0].en
    hook = day("one", stops=({"roll_off": True},), truck={"roll_off": True})
    assert "second roll-off" in evaluate(hook, [Order("truck-1", ("one",))]).violations[0].en


def test_too_much_on_board_counts_as_full() -> None:
    """Loads are estimates: with more than it takes a vehicle comes home, and takes what needs no room there."""
    both = {"paper": Capacity(2_000, 12_000), "glass": Capacity(2_000, 12_000)}
    over = {"paper": Load(2_500, 13_000)}
    given = day("one", "two", stops=({}, {"fraction": "glass"}), truck={"capacity": both, "on_board": over})
    assert evaluate(given, []).violations == ()
    assert evaluate(given, [Order("truck-1", ("two",))]).violations == ()
    assert "too much paper" in evaluate(given, [Order("truck-1", ("one",))]).violations[0].en
    plan = solve(given, SHORT)
    assert plan.unserved == ()
    assert plan.orders[0].places.index("site") < plan.orders[0].places.index("one")


def test_the_solver_unloads_what_is_in_the_way() -> None:
    """A full vehicle unloads before its next stop, one with room does not."""
    assert solve(day("one", truck={"on_board": {"paper": Load(0, 11_001)}}), SHORT).orders == (
        Order("truck-1", ("site", "one")),
    )
    assert solve(day("one", truck={"on_board": {"paper": Load(0, 11_000)}}), SHORT).orders == (
        Order("truck-1", ("one",)),
    )


def test_a_vehicle_that_is_out_goes_before_one_that_is_not() -> None:
    """Of two like trucks the one under way takes the stop, although the other one is as near."""
    given = day("one")
    given = replace(given, vehicles=(vehicle("truck-2", shift_from_s=NOW_S), *given.vehicles))
    assert [order.vehicle for order in solve(given, SHORT).orders] == ["truck-1"]


@given(
    seed=st.integers(0, 10_000),
    stops=st.integers(0, 25),
    vehicles=st.integers(1, 4),
    volume_l=st.sampled_from([3_000, 6_000, 20_000]),
    now_s=st.sampled_from([6 * HOUR_S, 9 * HOUR_S, 11 * HOUR_S]),
    sites=st.integers(1, 2),
)
@settings(max_examples=100, deadline=None)
def test_solver_and_evaluator_agree(
    seed: int, stops: int, vehicles: int, volume_l: int, now_s: int, sites: int
) -> None:
    """In the middle of any day the plan holds, costs what the solver says, and brings every vehicle home from now."""
    day = random_problem(seed, Size(stops=stops, vehicles=vehicles, volume_l=volume_l))
    if sites > 1:
        day = with_second_site(day, seed)
    try:
        rest, left, _ = checked(under_way(day, seed, now_s), skip_invalid=True)
    except RouteError:  # late in the day none of the vehicles may come home in time
        assume(condition=False)
        raise
    plan = solve(rest, SHORT, 1, unserved=left)
    assert plan.violations == ()
    served = [visit.place for tour in plan.tours for visit in tour.visits if visit.kind == "stop"]
    assert sorted([*served, *(left.stop for left in plan.unserved)]) == sorted(each.id for each in day.stops)
    departs = {tour.vehicle: tour.departs_s for tour in plan.tours}
    assert all(departs[each.id] == now_s for each in rest.vehicles if each.start)
    assert lower_bound(rest) <= plan.cost.total


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"start": "there"}, "truck-1: start 'there' is unknown"),
        ({"on_board": {"glass": Load(1, 1)}}, "truck-1: holds 1 kg, 1 l of glass, expected 0 or more of what it takes"),
        ({"on_board": {"paper": Load(-1, 1)}}, "truck-1: holds -1 kg"),
        ({"shift_until_s": NOW_S + 1399}, "truck-1: would end its shift 1 min late"),
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, object], says: str) -> None:
    """Unknown starts, loads that the vehicle cannot have, and a way home after the shift are faults of the vehicle."""
    (fault,) = check(day("one", truck=changed))
    assert says in str(fault)


def test_each_vehicle_has_a_start_of_its_own() -> None:
    """Two vehicles at one start are refused, and a start stands among the places once."""
    given = day("one")
    twice = replace(given, vehicles=(*given.vehicles, replace(given.vehicles[0], id="truck-2")))
    assert [str(fault) for fault in check(twice)] == ["truck-2: start 'here' is that of 'truck-1', expected its own"]
    same = replace(given, starts=(replace(HERE, id=SITE.id),), vehicles=(replace(given.vehicles[0], start=SITE.id),))
    assert "stands twice" in str(check(same)[0])


def test_the_rest_of_a_plan_costs_what_was_planned() -> None:
    """Halfway through a tour the plan for the rest, started from it, is the rest of the tour, at the same times."""
    day, _, _ = checked(random_problem(3, Size(stops=12, vehicles=1, optional=0)), skip_invalid=True)
    whole = solve(day, SHORT, 1)
    stops, visits = {each.id: each for each in day.stops}, whole.tours[0].visits
    last = next(number for number, visit in enumerate(visits) if visit.kind == "stop" and number > 3)
    done, here = {visit.place for visit in visits[: last + 1]}, stops[visits[last].place]
    unloads = sum(visit.kind == "unload" for visit in visits[:last])
    truck = replace(
        day.vehicles[0],
        start="here",
        shift_from_s=visits[last].end_s,
        on_board={"paper": Load(visits[last].load_kg, visits[last].load_l)},
        max_reloads=3 - unloads,
    )
    left = tuple(each for each in day.stops if each.id not in done)
    start = Start("here", here.longitude, here.latitude)
    rest = rebuilt(replace(day, stops=left, vehicles=(truck,), starts=(start,), previous=whole.orders))
    assert solve(rest, Limit(iterations=0), 1).tours[0].visits == visits[last + 1 :]
