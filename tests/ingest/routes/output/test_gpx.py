"""The GPX of a plan, against the rules of its schema.

Source: https://www.topografix.com/GPX/1/1/gpx.xsd; only the elements that may occur here.
"""

import xml.etree.ElementTree as ET
from datetime import datetime

import pytest

from ingest.routes.output.gpx import gpx
from ingest.routes.output.words import Language
from rules.waste.route.day_plan import DayPlan
from tests.ingest.routes.output.plans import small, solved

SPACE = "{http://www.topografix.com/GPX/1/1}"
POINT = ("ele", "time", "magvar", "geoidheight", "name", "cmt", "desc", "src", "link", "sym", "type")
SEQUENCES = {
    "gpx": ("metadata", "wpt", "rte", "trk"),
    "metadata": ("name", "desc", "author", "copyright", "link", "time", "keywords", "bounds"),
    "rte": ("name", "cmt", "desc", "src", "link", "number", "type", "rtept"),
    "trk": ("name", "cmt", "desc", "src", "link", "number", "type", "trkseg"),
    "trkseg": ("trkpt",),
    "wpt": POINT,
    "rtept": POINT,
    "trkpt": POINT,
}
MANY = {"wpt", "rte", "trk", "rtept", "trkpt", "trkseg", "link"}
LINE = ((7.8, 51.67), (7.8123456789, 51.68), (-0.5, -33.25))


def check(element: ET.Element) -> None:
    """Order and number of children, attributes and texts, all the way down."""
    name = element.tag.removeprefix(SPACE)
    children = [child.tag.removeprefix(SPACE) for child in element]
    allowed = SEQUENCES.get(name, ())
    assert [child for child in children if child not in allowed] == []
    assert children == sorted(children, key=allowed.index)
    assert all(child in MANY or children.count(child) == 1 for child in children)
    if allowed is POINT:
        assert set(element.attrib) == {"lat", "lon"}
        assert -90 <= float(element.attrib["lat"]) <= 90
        assert -180 <= float(element.attrib["lon"]) < 180
    if name == "time":
        assert datetime.fromisoformat(element.text or "").tzinfo
    for child in element:
        check(child)


def documents(plan: DayPlan, language: Language = "de") -> dict[str, ET.Element]:
    """The valid documents by vehicle."""
    found = {}
    for vehicle, text in gpx(plan, language).items():
        root = ET.fromstring(text.encode())  # noqa: S314 - our own
        assert root.tag == f"{SPACE}gpx"
        assert root.attrib["version"] == "1.1"
        assert root.attrib["creator"]
        check(root)
        found[vehicle] = root
    return found


def points(root: ET.Element, kind: str) -> list[tuple[float, float]]:
    """Longitude and latitude of points."""
    return [(float(point.attrib["lon"]), float(point.attrib["lat"])) for point in root.iter(f"{SPACE}{kind}")]


def text_of(root: ET.Element, path: str) -> list[str]:
    """The texts at a path."""
    return [element.text or "" for element in root.findall("/".join(f"{SPACE}{step}" for step in path.split("/")))]


@pytest.mark.parametrize("language", ["de", "en"])
def test_each_vehicle_that_goes_out_has_a_valid_document(language: Language) -> None:
    """Also where a name is full of markup, and for plans of the solver."""
    assert set(documents(small(drivable=True, lines={"truck-1": LINE}), language)) == {"truck-1", "truck-2"}
    plan = solved(2)
    assert set(documents(plan, language)) == {tour.vehicle for tour in plan.solution.tours}


def test_waypoints_are_the_halts_in_order() -> None:
    """From the depot over stops and unloading back, numbered, with id, reason, what holds there and arrival."""
    root = documents(small(drivable=True))["truck-1"]
    at = [(7.8, 51.67), (7.81, 51.68), (7.86, 51.69), (7.83, 51.675), (7.86, 51.69), (7.8, 51.67)]
    assert points(root, "wpt") == points(root, "rtept") == at
    names = text_of(root, "wpt/name")
    assert [name[0] for name in names] == list("012345")
    assert names[0] == "0 Start: Betriebshof"
    assert names[3] == "3 =Käfig & <b>\"Söhne\"</b>, [red]Tor[/] 'A'  \N{REPLACEMENT CHARACTER}"
    assert text_of(root, "wpt/cmt") == ["depot", "bin-1", "site", "bin-2", "site", "depot"]
    assert text_of(root, "wpt/type") == ["start", "stop", "unload", "stop", "unload", "home"]
    assert text_of(root, "wpt/desc")[0] == (
        "Am Di 24.11. leeren: Füllstand 60 %, Grenze 80 %; Beginn 07:00 bis 10:00; steht rechts; "
        "Anfahrt Richtung Osten; Ankunft 07:00"
    )
    assert text_of(root, "wpt/desc")[2].endswith("Höhe bis 3,80 m; Gewicht bis 18,5 t; Ankunft 07:40")
    assert text_of(root, "metadata/keywords") == ["2026-11-24,paper"]
    assert text_of(root, "metadata/time") == ["2026-11-23T17:00:00Z"]


def test_a_track_needs_an_engines_geometry() -> None:
    """The line as it was drawn, for the vehicle that has one."""
    found = documents(small(drivable=True, lines={"truck-1": LINE}))
    assert points(found["truck-1"], "trkpt") == [(7.8, 51.67), (7.812346, 51.68), (-0.5, -33.25)]
    assert found["truck-2"].find(f"{SPACE}trk") is None
    assert len(points(found["truck-2"], "rtept")) == 4


def test_without_an_engine_nothing_leads_along_it() -> None:
    """Neither route nor track, no arrival, and the name says that nobody drives by it."""
    for language, title, arrival in (
        ("de", "Reihenfolge der Halte, nicht zum Fahren", "Ankunft"),
        ("en", "Order of stops, not for driving", "Arrival"),
    ):
        plan = small(drivable=False, lines={"truck-1": LINE})
        root = documents(plan, language)["truck-1"]  # type: ignore[arg-type] # both are languages
        assert (root.find(f"{SPACE}rte"), root.find(f"{SPACE}trk")) == (None, None)
        assert title in text_of(root, "metadata/name")[0]
        assert not any(arrival in told for told in text_of(root, "wpt/desc"))


def test_numbers_sort_as_texts() -> None:
    """Devices that sort by name keep the order: all numbers are of the same width."""
    plan = solved(1)
    for root in documents(plan).values():
        names = text_of(root, "wpt/name")
        assert names == sorted(names)
