"""The GeoJSON of a plan, against the rules of RFC 7946."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ingest.routes.output.geojson import geojson
from rules.waste.route.day_plan import DayPlan
from rules.waste.route.model import Start
from tests.ingest.routes.output.plans import small, solved

Json = Mapping[str, Any]


def read(plan: DayPlan) -> list[Json]:
    """The features of a collection that keeps the rules."""
    found = json.loads(geojson(plan), parse_constant=pytest.fail)
    assert found["type"] == "FeatureCollection"
    assert not {"crs", "geometry", "properties", "coordinates", "geometries"} & set(found)
    features: list[Json] = found["features"]
    for feature in features:
        assert feature["type"] == "Feature"
        assert isinstance(feature["id"], str | int)
        assert isinstance(feature["properties"], dict)
        check_geometry(feature["geometry"])
    assert len({feature["id"] for feature in features}) == len(features)
    return features


def check_geometry(geometry: Json) -> None:
    """Type and coordinates: longitude, latitude; two positions of a line at least."""
    assert set(geometry) == {"type", "coordinates"}
    positions = geometry["coordinates"]
    if geometry["type"] == "Point":
        positions = [positions]
    else:
        assert geometry["type"] == "LineString"
        assert len(positions) >= 2
    for longitude, latitude in positions:
        assert 7.6 < longitude < 8.0
        assert 51.5 < latitude < 51.8


def of_kind(features: list[Json], kind: str) -> list[Json]:
    """The features of a kind."""
    return [feature for feature in features if feature["properties"]["kind"] == kind]


@pytest.mark.parametrize("drivable", [True, False])
def test_a_plan_of_the_solver_keeps_the_rules(*, drivable: bool) -> None:
    """A day with both fractions, reloads and left out stops is valid; every stop is on it once."""
    plan = solved(3)
    plan = replace(plan, solution=replace(plan.solution, drivable=drivable))
    features = read(plan)
    places = [feature["properties"]["id"] for feature in of_kind(features, "stop") + of_kind(features, "left_out")]
    assert sorted(places) == sorted(stop.id for stop in plan.problem.stops)


def test_stops_carry_vehicle_order_and_reason() -> None:
    """What a map needs to colour, number and explain them."""
    features = read(small())
    found = {feature["properties"]["id"]: feature["properties"] for feature in of_kind(features, "stop")}
    assert [(found[name]["vehicle"], found[name]["order"]) for name in ("bin-1", "bin-2", "bin-3")] == [
        ("truck-1", 1),
        ("truck-1", 3),
        ("truck-2", 1),
    ]
    assert found["bin-1"]["mandatory"] is True
    assert found["bin-2"]["mandatory"] is False
    assert found["bin-1"]["level_percent"] == 60
    assert found["bin-1"]["why_de"] == "Am Di 24.11. leeren: Füllstand 60 %, Grenze 80 %."
    assert found["bin-1"]["why_en"] == "Empty on Tue 24 Nov: fill level 60 %, limit 80 %."
    assert found["bin-2"]["name"].startswith("=Käfig & <b>")
    (missed,) = of_kind(features, "left_out")
    assert (missed["properties"]["id"], missed["properties"]["reason"]) == ("bin-4", "not_worth_it")
    assert missed["geometry"]["coordinates"] == [7.79, 51.66]


def test_depots_and_sites_tell_who_comes_when() -> None:
    """A place that is visited several times is one point, with vehicle and order of each visit; 0 is the start."""
    features = read(small())
    (depot,) = of_kind(features, "depot")
    (site,) = of_kind(features, "disposal_site")
    visits = [(visit["vehicle"], visit["order"]) for visit in depot["properties"]["visits"]]
    assert visits == [("truck-1", 0), ("truck-1", 5), ("truck-2", 0), ("truck-2", 3)]
    visits = [(visit["vehicle"], visit["order"]) for visit in site["properties"]["visits"]]
    assert visits == [("truck-1", 2), ("truck-1", 4), ("truck-2", 2)]


def test_lines_are_drivable_only_where_an_engine_drew_them() -> None:
    """Its streets for the vehicle that has some, straight connections from halt to halt for the other."""
    streets = ((7.8, 51.67), (7.81234567, 51.68), (7.8, 51.67))
    plan = small(drivable=True, lines={"truck-1": streets, "truck-2": ((7.8, 51.67),)})
    one, two = of_kind(read(plan), "tour")
    assert one["properties"]["drivable"] is True
    assert one["geometry"]["coordinates"] == [[7.8, 51.67], [7.812346, 51.68], [7.8, 51.67]]
    assert two["properties"]["drivable"] is False
    assert two["geometry"]["coordinates"] == [[7.8, 51.67], [7.82, 51.69], [7.86, 51.69], [7.8, 51.67]]
    assert json.loads(geojson(plan))["drivable"] is True


def test_without_an_engine_no_line_is_drivable() -> None:
    """Not even one that somebody drew: nobody drives by this plan."""
    plan = small(drivable=False, lines={"truck-1": ((7.8, 51.67), (7.81, 51.68))})
    assert [line["properties"]["drivable"] for line in of_kind(read(plan), "tour")] == [False, False]
    assert json.loads(geojson(plan))["title_en"] == "Order of stops, not for driving"


def test_a_vehicle_under_way_begins_where_it_is() -> None:
    """Its position is a point and the begin of its line; the depot is where it comes back to."""
    start = Start("now-1", 7.84, 51.66)
    plan = small()
    first = replace(plan.problem.vehicles[0], start="now-1")
    vehicles = (first, *plan.problem.vehicles[1:])
    plan = replace(plan, problem=replace(plan.problem, starts=(start,), vehicles=vehicles))
    features = read(plan)
    (point,) = of_kind(features, "start")
    assert point["properties"]["visits"] == [{"vehicle": "truck-1", "order": 0}]
    assert of_kind(features, "tour")[0]["geometry"]["coordinates"][0] == [7.84, 51.66]
