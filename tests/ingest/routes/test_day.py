"""A day's tours, from a city and the states of its rules to a plan."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest

from ingest.routes import worker
from ingest.routes.day import Request, plan_day, plan_fractions
from ingest.routes.matrix_cache import NAME
from ingest.routes.planning import Told
from ingest.settings_routes import RoutesSettings
from rules.city import City
from rules.rule import StateRow
from rules.waste.route.crew import UnderWay
from rules.waste.route.day_plan import DayPlan
from rules.waste.route.distance import way
from rules.waste.route.evaluate import evaluate
from rules.waste.route.model import Load, Order, RouteError
from tests.doubles.routing_engine import EngineDouble, metres, routing_engine
from tests.rules.waste.route.cities import HOUR_MS, MONDAY, city, container, depot, site, states, vehicle

TUESDAY = date(2026, 9, 15)
EVENING = MONDAY + 18 * HOUR_MS
SETTINGS = RoutesSettings()
PAPER = Request(TUESDAY, "paper", iterations=30)
PLACES = ((7.81, 51.68), (7.83, 51.66), (7.84, 51.70))


def town(*more: Any, **properties: object) -> City:  # noqa: ANN401 - features
    """Three containers for paper with these properties, a truck, and more."""
    bins = (
        container(f"bin-{number}", place, **{"forecast": False, "name": f"Straße {number}", **properties})
        for number, place in enumerate(PLACES)
    )
    return city(depot(), site(), vehicle(name="Kran 1"), *bins, *more)


def full(place: City, *names: str, level: float = 90.0) -> list[StateRow]:
    """These containers were heard full on Monday at noon."""
    return states(place, *((name, level, MONDAY + 12 * HOUR_MS) for name in names))


async def planned(place: City, rows: list[StateRow], request: Request = PAPER, **settings: object) -> DayPlan:
    """The plan, as of Monday evening."""
    return await plan_day(place, rows, SETTINGS.model_copy(update=settings), request, EVENING, None)


def served(plan: DayPlan) -> set[str]:
    """The stops on its tours."""
    return {visit.place for tour in plan.solution.tours for visit in tour.visits if visit.kind == "stop"}


@pytest.fixture
async def double() -> AsyncIterator[EngineDouble]:
    """A routing engine."""
    async with routing_engine() as engine:
        yield engine


async def test_a_plan_visits_what_is_due_and_says_why() -> None:
    """Two of three are full: both are on the tour with their words, names, districts; nothing is promised in time."""
    place = town(district="mitte")
    plan = await planned(place, full(place, "bin-0", "bin-2"))
    assert served(plan) == set(plan.why) == {"bin-0", "bin-2"}
    assert (plan.day, plan.fraction, plan.timezone, plan.created_ms) == (TUESDAY, "paper", "Europe/Berlin", EVENING)
    assert plan.time_ms(6 * 3600) == MONDAY + 30 * HOUR_MS
    assert plan.why["bin-0"].text_en == "Empty on Tue 15 Sep: fill level 90 %, limit 80 %."
    assert plan.names == {
        "bin-0": "Straße 0",
        "bin-2": "Straße 2",
        "depot": "Betriebshof",
        "site": "site",
        "truck-1": "Kran 1",
    }
    assert plan.districts == {"bin-0": "Hamm-Mitte", "bin-2": "Hamm-Mitte", "depot": "Hamm-Mitte"}
    assert (plan.solution.drivable, plan.status, plan.warnings, plan.lines) == (False, "proposed", (), {})
    assert evaluate(plan.problem, plan.solution.orders).cost == plan.solution.cost


async def test_the_same_request_gives_the_same_plan() -> None:
    """With a number of iterations down to its id; another seed or time is another plan, by its id, too."""
    place = town()
    rows = full(place, "bin-0", "bin-1", "bin-2")
    one, same, other = await asyncio.gather(
        planned(place, rows), planned(place, rows), planned(place, rows, replace(PAPER, seed=7))
    )
    assert one == same
    assert one.id.startswith("2026-09-15-paper-")
    assert other.id != one.id


async def test_a_fraction_names_a_plan_whatever_stands_in_it() -> None:
    """What cannot stand in the name of a file does not stand in the id."""
    room = {"papier/pappe …": {"mass_kg": 9000, "volume_l": 30_000}}
    place = city(depot(), site(fractions=list(room)), vehicle(capacity=room))
    plan = await planned(place, [], replace(PAPER, fraction="papier/pappe …"))
    assert plan.id.startswith("2026-09-15-papier_pappe_-")


async def test_without_stops_nobody_drives(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan without tours, and no search for one."""
    monkeypatch.delattr(worker, "plan")
    plan = await planned(town(), [])
    assert (plan.solution.tours, plan.why, [one.id for one in plan.problem.vehicles]) == ((), {}, ["truck-1"])


async def test_what_was_served_is_not_visited_again() -> None:
    """Stops that are named as served are left out."""
    place = town()
    plan = await planned(
        place, full(place, "bin-0", "bin-1"), replace(PAPER, without=frozenset({"bin-0", "elsewhere"}))
    )
    assert served(plan) == set(plan.why) == {"bin-1"}


async def test_a_vehicle_that_dropped_out_leaves_its_stops_to_the_others() -> None:
    """The stops of the plan before move; alone it is an error that names it."""
    place = town(vehicle("truck-2"))
    rows = full(place, "bin-0", "bin-1")
    request = replace(
        PAPER,
        previous=(Order("truck-1", ("bin-0", "bin-1")),),
        cost_per_change=5_000_000,
        unavailable=frozenset({"truck-1"}),
    )
    plan = await planned(place, rows, request)
    assert [(tour.vehicle, tour.cost.changes) for tour in plan.solution.tours] == [("truck-2", 0)]
    with pytest.raises(RouteError, match=r"no vehicle takes paper .*: truck-1"):
        await planned(town(), rows, request)


async def test_a_vehicle_under_way_drives_on_from_its_last_stop() -> None:
    """The first way begins there and not in the depot, and what it holds counts."""
    place = town()
    request = replace(
        PAPER,
        iterations=300,
        without=frozenset({"bin-0"}),
        under_way={"truck-1": UnderWay("bin-0", Load(100, 2000), break_taken=True)},
    )
    plan = await planned(place, full(place, "bin-0", "bin-1"), request)
    (tour,) = plan.solution.tours
    first, bins = tour.visits[0], place.assets
    assert first.metres == way(bins["bin-0"], bins["bin-1"])[0]
    assert (first.place, first.load_kg, first.load_l) == ("bin-1", 100 + 392, 2000 + 2700)
    assert plan.names[plan.problem.starts[0].id] == "Straße 0"


async def test_a_plan_before_is_kept_where_changes_cost() -> None:
    """With a price for changes each stop stays with its vehicle, though one vehicle alone would do."""
    place = town(vehicle("truck-2"))
    rows = full(place, "bin-0", "bin-1")
    previous = (Order("truck-1", ("bin-0",)), Order("truck-2", ("bin-1",)))
    kept = await planned(place, rows, replace(PAPER, previous=previous, cost_per_change=500_000_000))
    assert {tour.vehicle: tour.visits[0].place for tour in kept.solution.tours} == {
        "truck-1": "bin-0",
        "truck-2": "bin-1",
    }
    assert len((await planned(place, rows)).solution.tours) == 1


FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "no volume": ({"volume_l": None}, "bin-3: volume is None l, expected more than 0: set `volume_l`"),
    "too much for any vehicle": (
        {"volume_l": 60_000},
        "bin-3: no vehicle can serve it: truck-1 holds 9000 kg, 30000 l",
    ),
    "a window that is over before": ({"window_until": "05:00"}, "bin-3: no vehicle can reach it: truck-1 arrives"),
    "a low bridge": ({"max_height_cm": 250}, "bin-3: no vehicle can serve it: truck-1 is 400 cm high"),
}


@pytest.mark.parametrize(("properties", "message"), FAULTS.values(), ids=FAULTS)
async def test_faults_are_told_before_the_search(properties: dict[str, object], message: str) -> None:
    """By name and with what to change; with `skip_invalid` the rest is planned, and the container listed."""
    place = town(container("bin-3", (7.85, 51.68), **{"never_skip": True, **properties}))
    rows = full(place, "bin-0")
    with pytest.raises(RouteError) as caught:
        await planned(place, rows)
    assert message in str(caught.value)
    plan = await planned(place, rows, replace(PAPER, skip_invalid=True))
    assert served(plan) == {"bin-0"}
    (left,) = plan.solution.unserved
    assert left.stop == "bin-3"
    assert message.partition(": ")[2] in left.detail.en
    assert left.detail.de not in {"", left.detail.en}
    assert plan.why["bin-3"].reason == "never_skip"
    assert plan.names["bin-3"] == "bin-3"


async def test_a_vehicle_with_faults_stays_in_the_depot() -> None:
    """With `skip_invalid` the others drive, and a warning says why it does not."""
    place = town(
        site("glassworks", fractions=["glass"]), vehicle("truck-2", disposal_sites=["glassworks"], cost_fixed_eur=0)
    )
    plan = await planned(place, full(place, "bin-0"), replace(PAPER, skip_invalid=True))
    assert [tour.vehicle for tour in plan.solution.tours] == ["truck-1"]
    (warning,) = plan.warnings
    assert warning.en.startswith("stays in the depot: truck-2: disposal site 'glassworks' takes no paper")
    assert warning.de.startswith("bleibt im Depot: truck-2: die Entsorgungsanlage glassworks nimmt Papier nicht an")


async def test_a_state_that_cannot_be_read_is_a_warning_of_the_plan() -> None:
    """Planning goes on."""
    plan = await planned(town(), [StateRow("waste.collection_due", "bin-1", 2, "[]")])
    assert [line.en.partition(":")[0] for line in plan.warnings] == ["bin-1"]


async def test_progress_is_told() -> None:
    """The listener hears of the search."""
    place, heard = town(), list[Told]()
    await plan_day(place, full(place, "bin-0"), SETTINGS, PAPER, EVENING, None, heard.append)
    assert heard[0].iteration == 0


async def test_the_settings_end_a_search_that_the_request_does_not() -> None:
    """Their seconds and iterations hold together; a request's own limit replaces both."""
    place = town()
    rows = full(place, "bin-0", "bin-1", "bin-2")
    limits = {"seconds": 600.0, "iterations": 7}
    by_settings = await planned(place, rows, replace(PAPER, iterations=None), **limits)
    by_request = await planned(place, rows, replace(PAPER, iterations=9), **limits)
    assert (by_settings.solution.iterations, by_request.solution.iterations) == (7, 9)


# -- with a routing engine --------------------------------------------------------------------------------------------


async def with_engine(
    double: EngineDouble,
    place: City,
    rows: list[StateRow],
    engine: Literal["osrm", "valhalla"] = "osrm",
    ways: Path | None = None,
) -> DayPlan:
    """The plan by the double."""
    settings = RoutesSettings(engine=engine, url=double.url)
    return await plan_day(place, rows, settings, PAPER, EVENING, ways)


async def test_an_engine_makes_a_plan_to_drive_by(double: EngineDouble) -> None:
    """Its metres are those of the plan, sides and directions are asked for, and known ways are not asked for again."""
    place = town(kerb="right", approach_deg=90)
    rows = full(place, "bin-0")
    plan = await with_engine(double, place, rows)
    assert plan.solution.drivable
    assert plan.solution.tours[0].visits[0].metres == metres(7.80, 7.81)
    query = double.queries[0]
    assert query["profile"] == "driving"
    assert query["approaches"] == ";".join(["unrestricted", "unrestricted", "curb"] * 2)
    assert query["bearings"] == ";;90,60;;;90,60"
    assert plan.lines.keys() == {"truck-1"}
    assert plan.warnings == ()


async def test_known_ways_are_kept_beside_the_journal(double: EngineDouble, tmp_path: Path) -> None:
    """The second plan asks for no way."""
    place = town()
    rows = full(place, "bin-0")
    await with_engine(double, place, rows, ways=tmp_path / NAME)
    asked = len(double.asked)
    await with_engine(double, place, rows, ways=tmp_path / NAME)
    tables = [query for query in double.queries if "sources" in query]
    assert asked >= 1
    assert len(tables) == 1


async def test_each_profile_has_its_own_ways(double: EngineDouble) -> None:
    """OSRM is asked once for each profile that a vehicle names."""
    place = town(vehicle("truck-2", profile="small"), vehicle("truck-3", profile="small"))
    plan = await with_engine(double, place, full(place, "bin-0"))
    assert sorted(query["profile"] for query in double.queries if "sources" in query) == ["driving", "small"]
    assert {one.id: one.profile for one in plan.problem.vehicles} == {
        "truck-1": "driving",
        "truck-2": "small",
        "truck-3": "small",
    }


async def test_valhalla_is_told_height_and_weight(double: EngineDouble) -> None:
    """In m and t, once for each that differs."""
    place = town(
        vehicle("truck-2", height_cm=350, weight_kg=18_000), vehicle("truck-3", height_cm=350, weight_kg=18_000)
    )
    await with_engine(double, place, full(place, "bin-0"), "valhalla")
    told = [body["costing_options"] for body in double.bodies if "sources" in body]
    assert told == [{"truck": {"height": 4.0, "weight": 40.0}}, {"truck": {"height": 3.5, "weight": 18.0}}]


async def test_ways_of_both_kinds_are_never_mixed(double: EngineDouble) -> None:
    """When the second profile gets no answer, both are straight lines, the plan is none to drive by and says why."""
    place = town(vehicle("truck-2", profile="small"))
    double.healthy_requests = 1
    plan = await with_engine(double, place, full(place, "bin-0"))
    assert not plan.solution.drivable
    assert plan.problem.matrices["driving"] == plan.problem.matrices["small"]
    assert plan.lines == {}
    (warning,) = plan.warnings
    assert [text.partition(":")[0] for text in warning] == [
        "gerade Linien statt Straßen",
        "straight lines instead of streets",
    ]


# -- several fractions ------------------------------------------------------------------------------------------------


async def test_a_vehicle_has_one_tour_a_day() -> None:
    """A truck for both fractions is on the tour of the first; the second is refused by name, or has another truck."""
    both = {name: {"mass_kg": 9000, "volume_l": 30_000} for name in ("paper", "glass")}
    glass = container("bin-g", (7.82, 51.68), fraction="glass", never_skip=True)
    requests = [PAPER, replace(PAPER, fraction="glass")]
    alone = city(depot(), site(), vehicle(capacity=both), container(never_skip=True), glass)
    made = await plan_fractions(alone, [], SETTINGS, requests, EVENING, None)
    assert [plan.fraction for plan in made.plans] == ["paper"]
    assert "truck-1" in made.refused["glass"]
    pair = city(
        depot(), site(), vehicle(capacity=both), vehicle("truck-2", capacity=both), container(never_skip=True), glass
    )
    made = await plan_fractions(pair, [], SETTINGS, requests, EVENING, None)
    vehicles = [tour.vehicle for plan in made.plans for tour in plan.solution.tours]
    assert (sorted(vehicles), made.refused) == (["truck-1", "truck-2"], {})


async def test_a_fraction_that_is_refused_does_not_end_the_others() -> None:
    """Its faults are kept as they were told."""
    place = town(container("bin-g", (7.82, 51.68), fraction="glass", never_skip=True))
    requests = [replace(PAPER, fraction="glass"), PAPER]
    made = await plan_fractions(place, full(place, "bin-0"), SETTINGS, requests, EVENING, None)
    assert [plan.fraction for plan in made.plans] == ["paper"]
    assert made.refused == {"glass": "no vehicle takes glass on 2026-09-15"}


async def test_the_example_city_has_a_plan_for_each_fraction() -> None:
    """With every container full: one tour each for residual waste, paper and glass, nobody left behind."""
    place = City.parse((Path(__file__).parents[3] / "deploy" / "city" / "hamm.geojson").read_text(encoding="utf-8"))
    bins = [asset.id for asset in place.assets.values() if asset.kind == "container"]
    requests = [replace(PAPER, fraction=fraction) for fraction in ("residual", "paper", "glass")]
    made = await plan_fractions(place, full(place, *bins), SETTINGS, requests, EVENING, None)
    assert made.refused == {}
    assert [len(plan.solution.tours) for plan in made.plans] == [1, 1, 1]
    assert {stop for plan in made.plans for stop in served(plan)} == set(bins)
    early = next(plan for plan in made.plans if plan.fraction == "residual").solution.tours[0]
    arrivals = {visit.place: visit.start_s for visit in early.visits}
    assert arrivals["container-weststrasse-1"] <= 10 * 3600
