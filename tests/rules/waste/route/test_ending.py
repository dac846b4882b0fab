"""Where a vehicle unloads last."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.waste.route.bound import lower_bound
from rules.waste.route.check import check, checked
from rules.waste.route.ending import ending
from rules.waste.route.evaluate import evaluate
from rules.waste.route.model import DisposalSite, Load, Order, Problem, Start, Vehicle
from rules.waste.route.solution import Solution
from rules.waste.route.solve import Limit, solve
from tests.rules.waste.route.instances import (
    DEPOT,
    HOUR_S,
    SITE,
    Size,
    flat,
    problem,
    random_problem,
    rebuilt,
    stop,
    vehicle,
    with_second_site,
)

SHORT = Limit(iterations=60)
NEAR = DisposalSite("near", DEPOT.longitude, DEPOT.latitude, SITE.fractions, unload_s=600)


def day(first: DisposalSite = SITE, other: DisposalSite = NEAR, max_reloads: int = 3) -> Problem:
    """Two containers, and two sites of which the second one lies beside the depot."""
    plain = problem(
        (stop("one"), stop("two")), (vehicle(disposal_sites=(first.id, other.id), max_reloads=max_reloads),)
    )
    return rebuilt(replace(plain, sites=(first, other)))


def last_sites(plan: Solution) -> list[str]:
    """Where each tour unloads last."""
    return [[visit.place for visit in tour.visits if visit.kind == "unload"][-1] for tour in plan.tours]


def test_an_order_may_say_where_it_ends() -> None:
    """A site at the end of an order is the last unloading; without one it is the first of the vehicle."""
    given = replace(day(), matrices={"": flat(5)})
    for places, halts in (
        (("one", "two"), ["one", "two", "site", "depot"]),
        (("one", "two", "near"), ["one", "two", "near", "depot"]),
        (("one", "site", "two", "site"), ["one", "site", "two", "site", "depot"]),
    ):
        (tour,) = evaluate(given, [Order("truck-1", places)]).tours
        assert [visit.place for visit in tour.visits] == halts


def test_only_reloads_in_between_are_counted() -> None:
    """The last unloading needs no reload, wherever it is."""
    given = day(max_reloads=0)
    assert evaluate(given, [Order("truck-1", ("one", "two", "near"))]).violations == ()
    assert "more than 0 times" in evaluate(given, [Order("truck-1", ("one", "near", "two", "near"))]).violations[0].en


def test_the_day_ends_at_the_best_site() -> None:
    """The site on the way home is taken, although another one is named first."""
    assert last_sites(solve(day(), SHORT)) == ["near"]
    far = replace(NEAR, longitude=7.5)
    assert last_sites(solve(day(other=far), SHORT)) == ["site"]


def test_a_site_with_shorter_hours_does_not_stand_in() -> None:
    """Where the first site is open and the other one is not, the day ends at the first."""
    assert last_sites(solve(day(other=replace(NEAR, closes_s=13 * HOUR_S)), SHORT)) == ["site"]
    assert last_sites(solve(day(other=replace(NEAR, opens_s=7 * HOUR_S)), SHORT)) == ["site"]
    same = replace(NEAR, opens_s=7 * HOUR_S, closes_s=13 * HOUR_S)
    assert last_sites(solve(day(replace(SITE, opens_s=7 * HOUR_S, closes_s=13 * HOUR_S), same), SHORT)) == ["near"]


def test_the_best_site_is_reached_within_its_hours() -> None:
    """Two sites that close at eight are reached by then, and what does not fit before is left out."""
    closing = (replace(SITE, closes_s=8 * HOUR_S), replace(NEAR, closes_s=8 * HOUR_S))
    stops = tuple(stop(f"bin-{n}", longitude=7.81 + n / 1000, prize=60_000_000, service_s=900) for n in range(12))
    given = rebuilt(replace(day(*closing), stops=stops))
    plan = solve(given, SHORT)
    unloads = [visit for tour in plan.tours for visit in tour.visits if visit.kind == "unload"]
    assert unloads
    assert plan.unserved
    assert all(visit.start_s <= 8 * HOUR_S for visit in unloads)


def test_a_tour_that_ends_before_the_sites_open_is_a_plan() -> None:
    """Where one site opens late for the solver's sake only, the plan costs less than the solver said, and stands."""
    opening = (replace(SITE, opens_s=8 * HOUR_S), replace(NEAR, opens_s=8 * HOUR_S))
    given = day(*opening)
    early = replace(given.stops[0], window_until_s=6 * HOUR_S + 600)
    plan = solve(replace(given, stops=(early, *given.stops[1:])), SHORT)
    assert plan.violations == ()
    assert plan.tours[0].visits[-2].start_s >= 8 * HOUR_S


def test_a_site_without_a_way_home_is_no_end() -> None:
    """A site behind a one-way street is used in between at most, and the check finds no fault."""
    given = day()
    matrix = given.matrices[""]
    matrix.metres[2][0] = -1
    assert check(given) == ()
    assert last_sites(solve(given, SHORT)) == ["site"]


def test_a_loaded_vehicle_without_stops_ends_at_the_best_site() -> None:
    """Under way with nothing left to do it unloads where it is cheapest, with and without stops for others."""
    given = day()
    here = Start("here", 7.80, 51.67)
    busy = replace(given.vehicles[0], start="here", on_board={"paper": Load(2_000, 12_000)}, max_reloads=0)
    for stops in ((), given.stops):
        rest = rebuilt(replace(given, stops=stops, vehicles=(busy, vehicle("truck-2")), starts=(here,)))
        (order,) = (order for order in solve(rest, SHORT).orders if order.vehicle == "truck-1")
        assert order.places == ("near",)


@given(seed=st.integers(0, 10_000), stops=st.integers(1, 20), vehicles=st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_no_other_last_site_would_be_cheaper(seed: int, stops: int, vehicles: int) -> None:
    """With two sites the plan costs what the solver says, and no tour gains by ending at another site."""
    day, _, _ = checked(
        with_second_site(random_problem(seed, Size(stops=stops, vehicles=vehicles)), seed), skip_invalid=True
    )
    plan = solve(day, SHORT, 1)
    assert plan.violations == ()
    assert lower_bound(day) <= plan.cost.total
    trucks = {each.id: each for each in day.vehicles}
    for order in plan.orders:
        for other in _others(day, trucks[order.vehicle], order):
            changed = evaluate(day, [other if each is order else each for each in plan.orders])
            assert changed.violations or changed.cost.total >= plan.cost.total


def _others(day: Problem, truck: Vehicle, order: Order) -> list[Order]:
    sites = {site.id for site in day.sites}
    stops = order.places[:-1] if order.places[-1] in sites else order.places
    ends = ending(day, truck)
    return [Order(truck.id, (*stops, site.id)) for site in ends.sites if ends.chosen]
