"""The streets of tours from a routing engine, against a double of OSRM and Valhalla."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace

import pytest

from ingest.routes.engines import Engine, Osrm, Spot, Valhalla, Ways
from ingest.routes.geometry import Drawn, lines
from ingest.routes.matrix import Patience
from rules.waste.route.day_plan import DayPlan
from rules.waste.route.evaluate import evaluate
from rules.waste.route.model import Order
from tests.doubles.routing_engine import EngineDouble, polyline, routing_engine, streets
from tests.ingest.routes.output.plans import made, small
from tests.rules.waste.route.instances import problem, stop, vehicle

Make = Callable[[str], Engine]
ENGINES = pytest.mark.parametrize("make", [Osrm, Valhalla], ids=["osrm", "valhalla"])


@pytest.fixture
async def double() -> AsyncIterator[EngineDouble]:
    """A routing engine."""
    async with routing_engine() as engine:
        yield engine


def long_day(count: int) -> DayPlan:
    """A tour of so many stops along a line."""
    stops = tuple(stop(f"bin-{number}", longitude=round(7.8 + number / 1e4, 4), volume_l=1) for number in range(count))
    of = problem(stops, (vehicle(),), drivable=True)
    return made(of, evaluate(of, (Order("truck-1", tuple(one.id for one in stops)),)))


async def drawn(plan: DayPlan, engines: Mapping[str, Engine | None], patience: Patience | None = None) -> Drawn:
    """The lines of a plan."""
    return await lines(plan.problem, plan.solution, engines, patience)


def expected(plan: DayPlan, name: str) -> tuple[tuple[float, float], ...]:
    """What the double draws for a vehicle, points that follow themselves left out."""
    places = {place.id: place for place in plan.problem.places}
    tour = next(tour for tour in plan.solution.tours if tour.vehicle == name)
    spots = [places[place] for place in ("depot", *(visit.place for visit in tour.visits))]
    line = streets([(spot.longitude, spot.latitude) for spot in spots])
    return tuple(point for number, point in enumerate(line) if not number or point != line[number - 1])


@ENGINES
async def test_each_tour_gets_its_streets(double: EngineDouble, make: Make) -> None:
    """From the depot by every halt back to it, in longitude and latitude; a vehicle that stays gets none."""
    plan = small(drivable=True)
    got = await drawn(plan, {"": make(double.url)})
    assert got.warnings == ()
    assert got.lines == {name: expected(plan, name) for name in ("truck-1", "truck-2")}
    assert len(got.lines["truck-1"]) > 6


@ENGINES
@pytest.mark.parametrize("count", [1, 17, 18, 97, 98, 130])
async def test_long_tours_are_asked_in_parts_and_joined(double: EngineDouble, make: Make, count: int) -> None:
    """No request is larger than the server takes; the line is as if there was only one, whatever is left for the last.

    Each way is asked once, and the last part has at least a way.
    """
    plan = long_day(count)
    got = await drawn(plan, {"": make(double.url)})
    assert got.lines == {"truck-1": expected(plan, "truck-1")}
    assert max(double.drawn) <= (100 if make is Osrm else 20)
    assert min(double.drawn) >= 2
    assert sum(size - 1 for size in double.drawn) == count + 2


@ENGINES
@pytest.mark.parametrize(
    ("knobs", "says"),
    [
        ({"silent": True}, "no answer in time"),
        ({"body": "<html>busy</html>", "status": 503}, "JSONDecodeError"),
        ({"body": '{"code": "NoSegment", "message": "far off", "error_code": 171, "error": "far off"}'}, "far off"),
        ({"body": '{"code": "Ok", "routes": [], "trip": []}'}, ""),
        ({"body": '{"code": "Ok", "routes": [{"legs": [{}]}], "trip": {"legs": [{}]}}'}, "expected 5 legs"),
    ],
)
async def test_a_server_of_no_use_means_no_line_and_a_warning(
    double: EngineDouble, make: Make, knobs: dict[str, object], says: str
) -> None:
    """Silence, an error page, an error in the engine's own words and a wrong answer cost the line, nothing else."""
    for name, value in knobs.items():
        setattr(double, name, value)
    patience = Patience(timeout_s=0.3) if double.silent else Patience()
    got = await drawn(small(drivable=True), {"": make(double.url)}, patience)
    assert got.lines == {}
    assert len(got.warnings) == 2
    assert got.warnings[0].en.startswith("no streets for the tour of truck-1: ")
    assert says in got.warnings[0].en


@ENGINES
@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ("7", "expected a polyline"),
        ('""', "empty line"),
        ('"_p~iF~ps|U\\u00fc"', "expected another letter"),
        ('"_"', "in the middle of a number"),
        ('"?"', "expected pairs"),
        (f'"{polyline([(7.8, 51.67), (200.0, 51.67)])}"', "leaves the earth"),
        (f'"{polyline([(13.4, 52.5), (13.5, 52.5)])}"', "instead of"),
        (f'"{polyline([(7.8, 51.67), (7.8, 52.5)])}"', "instead of"),
        (f'"{polyline([(7.8, 51.67), (7.8, 51.67)])}"', "a line of 1 points"),
    ],
)
async def test_a_line_that_cannot_be_is_refused(double: EngineDouble, make: Make, shape: str, says: str) -> None:
    """Broken encodings, lines off the earth or in another city, and points are no streets."""
    of = problem((stop(longitude=7.8, latitude=51.67),), (vehicle(disposal_sites=()),), drivable=True)
    plan = made(of, evaluate(of, (Order("truck-1", ("bin-1",)),)))
    legs = f'[{{"shape": {shape}}}, {{"shape": ""}}]'
    double.body = f'{{"code": "Ok", "routes": [{{"geometry": {shape}, "legs": {legs}}}], "trip": {{"legs": {legs}}}}}'
    got = await drawn(plan, {"": make(double.url)})
    assert got.lines == {}
    assert says in got.warnings[0].en


@ENGINES
async def test_one_tour_without_streets_leaves_the_others_theirs(double: EngineDouble, make: Make) -> None:
    """Where a container has no way, its tour alone has no line."""
    double.islands.add(7.82)
    got = await drawn(small(drivable=True), {"": make(double.url)})
    assert list(got.lines) == ["truck-1"]
    assert len(got.warnings) == 1
    assert "truck-2" in got.warnings[0].en


async def test_what_was_drawn_before_patience_ended_stays(double: EngineDouble) -> None:
    """A limit in all ends the asking, names who has no line, and is no error."""
    plan = small(drivable=True)
    other = Osrm("http://127.0.0.1:9")
    assert (await drawn(plan, {"": other})).lines == {}
    slow = tuple(replace(one, profile="slow" if one.id == "truck-2" else "") for one in plan.problem.vehicles)
    plan = replace(plan, problem=replace(plan.problem, vehicles=slow))
    async with routing_engine() as silent:
        silent.silent = True
        engines = {"": Osrm(double.url), "slow": Osrm(silent.url)}
        got = await drawn(plan, engines, Patience(timeout_s=60, total_s=2))
    assert list(got.lines) == ["truck-1"]
    assert got.warnings == (
        (
            "keine Straßen für truck-2: nicht alle Antworten kamen innerhalb von 2 s",
            "no streets for truck-2: not all answers within 2 s",
        ),
    )


async def test_without_an_engine_nothing_is_asked(double: EngineDouble) -> None:
    """A plan by straight lines, and a profile without an engine, have no streets and no warning."""
    assert await drawn(small(drivable=False), {"": Osrm(double.url)}) == Drawn({})
    assert await drawn(small(drivable=True), {"": None}) == Drawn({})
    assert await drawn(small(drivable=True), {}) == Drawn({})
    assert double.drawn == []


async def test_an_engine_that_draws_nothing_is_said() -> None:
    """Another engine that knows distances only costs the lines."""

    class Distances:
        """An engine of the city's own."""

        key = "own"

        async def ask(self, _session: object, _sources: object, _targets: object) -> Ways:
            """Not asked here."""
            raise AssertionError

    got = await drawn(small(drivable=True), {"": Distances()})
    assert got.warnings[0].en == "no streets for the tour of truck-1: own: draws no streets"


async def test_side_and_approach_are_passed_on_and_nothing_else(double: EngineDouble) -> None:
    """Where, from which side and with what vehicle: the server gets no id and no name of ours."""
    plan = small(drivable=True)
    await drawn(plan, {"": Osrm(double.url, "lorry")})
    query = double.queries[0]
    assert query["profile"] == "lorry"
    assert query["bearings"] == ";95,60;;;;"
    assert query["approaches"].split(";")[:2] == ["unrestricted", "curb"]
    assert query["continue_straight"] == "false"
    await drawn(plan, {"": Valhalla(double.url, options={"height": 3.8})})
    body = double.bodies[0]
    sided = {"lat": 51.68, "lon": 7.81, "preferred_side": "same", "heading": 95, "heading_tolerance": 60}
    assert body["locations"][1] == {**sided, "type": "break"}  # type: ignore[index] # as the double got it
    assert (body["costing"], body["costing_options"]) == ("truck", {"truck": {"height": 3.8}})
    sent = f"{double.paths} {double.bodies}"
    known = (plan.id, *plan.names, *plan.names.values(), *(one.id for one in plan.problem.stops), "paper", "truck-1")
    assert [name for name in known if name in sent] == []


def test_spots_carry_only_what_engines_are_told() -> None:
    """A new field of a spot is a decision about what leaves the house."""
    assert Spot._fields == ("longitude", "latitude", "approach_deg", "kerb")
