"""Matrices from a routing engine, against a double of OSRM and Valhalla."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from ingest.routes.engines import Engine, Osrm, Spot, Valhalla
from ingest.routes.matrix import Patience, fetch
from ingest.routes.matrix_cache import MAX_AGE_S, WayCache
from rules.waste.route.distance import straight_matrix
from tests.doubles.routing_engine import EngineDouble, metres, routing_engine

NOW_S = 1_700_000_000
Make = Callable[[str], Engine]


@pytest.fixture
async def double() -> AsyncIterator[EngineDouble]:
    """A routing engine."""
    async with routing_engine() as engine:
        yield engine


def spots(count: int) -> list[Spot]:
    """Positions along a line, a metre or so apart."""
    return [Spot(7.8 + number / 1e4, 51.67) for number in range(count)]


ENGINES = pytest.mark.parametrize("make", [Osrm, Valhalla], ids=["osrm", "valhalla"])


@ENGINES
async def test_every_pair_is_asked_in_blocks_the_server_takes(double: EngineDouble, make: Make) -> None:
    """120 places are nine requests of at most 50 by 50, and each way lies in its place, each direction its own."""
    places = spots(120)
    got = await fetch(places, make(double.url), None, NOW_S)
    assert (got.drivable, got.warnings) == (True, ())
    assert sorted(double.asked) == sorted([(50, 50)] * 4 + [(50, 20)] * 2 + [(20, 50)] * 2 + [(20, 20)])
    for row, column in ((0, 1), (1, 0), (49, 50), (119, 3), (77, 118)):
        way_m = metres(places[row].longitude, places[column].longitude)
        assert (got.matrix.metres[row][column], got.matrix.seconds[row][column]) == (way_m, round(way_m / 10))
    assert all(got.matrix.metres[number][number] == 0 for number in range(120))


@ENGINES
async def test_no_way_is_a_hole_and_no_straight_line(double: EngineDouble, make: Make) -> None:
    """Null for a pair becomes -1 both in metres and seconds; the rest is as usual."""
    places = spots(4)
    double.islands.add(places[2].longitude)
    got = await fetch(places, make(double.url), None, NOW_S)
    assert got.drivable
    assert list(got.matrix.metres[2]) == [-1, -1, 0, -1]
    assert list(got.matrix.seconds[2]) == [-1, -1, 0, -1]
    assert got.matrix.metres[0][1] == 100


@ENGINES
@pytest.mark.parametrize(
    ("knobs", "says"),
    [
        ({"silent": True}, "no answer in time"),
        ({"body": "<html>busy</html>", "status": 503}, "JSONDecodeError"),
        ({"body": '{"code": "NoSegment", "message": "far off", "error_code": 171, "error": "far off"}'}, "far off"),
        ({"body": "[1, 2]"}, "expected a JSON object"),
        (
            {"body": '{"code": "Ok", "distances": [[1]], "durations": [[1]], "sources_to_targets": [[{}]]}'},
            "expected 3 rows of 3",
        ),
        ({"body": '{"code": "Ok", "distances": 7, "durations": 7, "sources_to_targets": 7}'}, "expected 3 rows of 3"),
    ],
)
async def test_a_server_of_no_use_means_straight_lines_and_a_warning(
    double: EngineDouble, make: Make, knobs: dict[str, object], says: str
) -> None:
    """Silence, an error page, an error in the engine's own words and a wrong table all fall back, and say why."""
    for name, value in knobs.items():
        setattr(double, name, value)
    patience = Patience(timeout_s=0.3) if double.silent else Patience()
    got = await fetch(spots(3), make(double.url), None, NOW_S, patience)
    assert got.drivable is False
    assert got.matrix == straight_matrix(spots(3))
    assert says in got.warnings[0].en


@pytest.mark.parametrize("cell", ["-1", '"far"', "true", "1e99"])
async def test_a_way_that_cannot_be_is_refused(double: EngineDouble, cell: str) -> None:
    """Negative, endless and worded distances are errors of the engine."""
    row = ",".join(['{"distance": 1, "time": 1}'] * 2 + [f'{{"distance": {cell}, "time": 1}}'])
    double.body = f'{{"sources_to_targets": [[{row}], [{row}], [{row}]]}}'
    got = await fetch(spots(3), Valhalla(double.url), None, NOW_S)
    assert "expected a number" in got.warnings[0].en


async def test_nobody_listens() -> None:
    """A server that is not there falls back; so does a search that lasts too long in all."""
    got = await fetch(spots(3), Osrm("http://127.0.0.1:9"), None, NOW_S)
    assert got.warnings
    async with routing_engine() as slow:
        slow.silent = True
        got = await fetch(spots(3), Osrm(slow.url), None, NOW_S, Patience(timeout_s=30, total_s=0.3))
    assert "not all answers within 0.3 s" in got.warnings[0].en


async def test_without_an_engine_lines_are_straight_without_a_warning() -> None:
    """That is the default, and no fault."""
    assert await fetch(spots(3), None, None, NOW_S) == (straight_matrix(spots(3)), False, ())


@ENGINES
async def test_known_ways_are_not_asked_again(double: EngineDouble, make: Make, tmp_path: Path) -> None:
    """A second time nothing is asked; a new place asks for its own row and column only; the matrix is the same."""
    cache = WayCache(tmp_path / "ways.sqlite")
    places = spots(60)
    first = await fetch(places[:59], make(double.url), cache, NOW_S)
    double.asked.clear()
    assert await fetch(places[:59], make(double.url), cache, NOW_S) == first
    assert double.asked == []
    grown = await fetch(places, make(double.url), cache, NOW_S)
    assert sum(sources * targets for sources, targets in double.asked) == 59 + 60
    assert grown == await fetch(places, make(double.url), None, NOW_S)


async def test_what_is_kept_is_kept_by_engine_profile_and_approach(double: EngineDouble, tmp_path: Path) -> None:
    """Another profile, other options and another side of the street are other ways; old ones are asked again."""
    cache = WayCache(tmp_path / "ways.sqlite")
    places = spots(2)
    sided, headed = [places[0], places[1]._replace(kerb="right")], [places[0], places[1]._replace(approach_deg=90)]
    tall = Valhalla(double.url, options={"height": 4.0})
    for engine, where, now_s in (
        (Osrm(double.url), places, NOW_S),
        (Osrm(double.url, "truck"), places, NOW_S),
        (Osrm(double.url), sided, NOW_S),
        (Osrm(double.url), headed, NOW_S),
        (Valhalla(double.url), places, NOW_S),
        (tall, places, NOW_S),
        (Osrm(double.url), places, NOW_S + MAX_AGE_S),
    ):
        double.asked.clear()
        await fetch(where, engine, cache, now_s)
        assert sum(sources * targets for sources, targets in double.asked) >= 2
        double.asked.clear()
        await fetch(where, engine, cache, now_s)
        assert double.asked == []


async def test_what_was_answered_before_a_fault_is_kept(double: EngineDouble, tmp_path: Path) -> None:
    """The next attempt goes on where the last one failed."""
    cache = WayCache(tmp_path / "ways.sqlite")
    double.healthy_requests = 2
    failed = await fetch(spots(100), Osrm(double.url), cache, NOW_S)
    assert failed.drivable is False
    double.healthy_requests = 1_000
    double.asked.clear()
    got = await fetch(spots(100), Osrm(double.url), cache, NOW_S)
    assert got.drivable
    assert len(double.asked) < 4


async def test_a_file_of_no_use_costs_nothing_but_a_warning(double: EngineDouble, tmp_path: Path) -> None:
    """A broken file is said and gone without."""
    path = tmp_path / "ways.sqlite"
    path.write_bytes(b"no database at all, but long enough to be read as one" * 20)
    got = await fetch(spots(3), Osrm(double.url), WayCache(path), NOW_S)
    assert got.drivable
    assert len(got.warnings) == 2


async def test_side_approach_and_vehicle_are_passed_on(double: EngineDouble) -> None:
    """In the words of each engine; where nobody minds they are left out."""
    places = [Spot(7.8, 51.67), Spot(7.9, 51.67, approach_deg=270, kerb="right")]
    await fetch(places, Osrm(double.url, "truck"), None, NOW_S)
    (query,) = double.queries
    assert query["profile"] == "truck"
    assert query["annotations"] == "duration,distance"
    assert query["bearings"] == ";270,60;;270,60"
    assert query["approaches"] == "unrestricted;curb;unrestricted;curb"
    await fetch(places, Valhalla(double.url, options={"height": 3.8, "weight": 26.0}), None, NOW_S)
    (body,) = double.bodies
    plain = {"lat": 51.67, "lon": 7.8}
    sided = {"lat": 51.67, "lon": 7.9, "preferred_side": "same", "heading": 270, "heading_tolerance": 60}
    assert body["sources"] == body["targets"] == [plain, sided]
    assert (body["costing"], body["costing_options"]) == ("truck", {"truck": {"height": 3.8, "weight": 26.0}})
    double.queries.clear()
    await fetch(spots(2), Osrm(double.url), None, NOW_S)
    assert not {"bearings", "approaches"} & set(double.queries[0])
