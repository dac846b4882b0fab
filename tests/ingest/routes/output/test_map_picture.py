"""The map picture of a plan."""

import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise

import pytest

from ingest.routes.output.map_picture import COLOURS, DASHES, map_picture
from ingest.routes.output.words import Language
from rules.waste.route.day_plan import DayPlan
from rules.waste.route.evaluate import evaluate
from rules.waste.route.model import Order, Start
from tests.ingest.routes.output.plans import made, small, solved
from tests.rules.waste.route.instances import Size, problem, stop, vehicle

SPACE = "{http://www.w3.org/2000/svg}"


def read(plan: DayPlan, language: Language = "de") -> ET.Element:
    """The picture, which is well formed."""
    return ET.fromstring(map_picture(plan, language))  # noqa: S314 - our own


def texts(root: ET.Element) -> list[str]:
    """All that is written on it."""
    return [element.text or "" for element in root.iter(f"{SPACE}text")]


def tours(root: ET.Element) -> list[ET.Element]:
    """The lines of tours."""
    return [line for line in root.iter(f"{SPACE}polyline") if line.get("stroke-linejoin")]


def points(line: ET.Element) -> list[tuple[float, float]]:
    """The points of a line."""
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in (line.get("points") or "").split())]


def many(count: int) -> DayPlan:
    """A vehicle for each of so many stops."""
    stops = tuple(stop(f"bin-{number}", latitude=51.6 + number / 1000) for number in range(count))
    trucks = tuple(vehicle(f"truck-{number}") for number in range(count))
    of = problem(stops, trucks)
    return made(of, evaluate(of, tuple(Order(f"truck-{number}", (f"bin-{number}",)) for number in range(count))))


def under_way() -> DayPlan:
    """The small plan, its first vehicle on the road already."""
    plan = small()
    first = replace(plan.problem.vehicles[0], start="now-1")
    vehicles = (first, *plan.problem.vehicles[1:])
    return replace(plan, problem=replace(plan.problem, starts=(Start("now-1", 7.84, 51.66),), vehicles=vehicles))


def test_stops_are_numbered_in_order_with_their_reason() -> None:
    """Numbers as on the sheet; pointed at, each says vehicle, name and why."""
    root = read(small())
    groups = {group.findtext(f"{SPACE}title"): group.findtext(f"{SPACE}text") for group in root.iter(f"{SPACE}g")}
    assert groups["Wagen 1, 1: bin-1. Am Di 24.11. leeren: Füllstand 60 %, Grenze 80 %."] == "1"
    assert [number for title, number in groups.items() if title and title.startswith("Wagen 1, 3: =Käfig & <b>")] == [
        "3"
    ]
    assert [number for title, number in groups.items() if title and title.startswith("truck-2, 1: bin-3")] == ["1"]
    assert [title for title in groups if title and title.startswith("bin-4: der Weg lohnt sich heute nicht")]


def test_lines_go_from_halt_to_halt_or_along_streets() -> None:
    """Straight ones say so; with an engine's line the picture follows it."""
    straight = read(small())
    assert [len(points(line)) for line in tours(straight)] == [6, 4]
    assert "Linien sind gerade Verbindungen, keine Straßen." in texts(straight)
    streets = tuple((7.8 + number / 1000, 51.67) for number in range(30))
    drawn = read(small(drivable=True, lines={"truck-1": streets, "truck-2": streets}), "en")
    assert [len(points(line)) for line in tours(drawn)] == [30, 30]
    assert "Lines follow the streets." in texts(drawn)
    half = read(small(drivable=True, lines={"truck-1": streets}), "en")
    assert "Lines follow the streets where they are known; the others are straight connections." in texts(half)


def test_streets_are_drawn_as_finely_as_can_be_seen() -> None:
    """Ten thousand points within the picture become few; none of what is left is far from where it was."""
    streets = tuple((7.8 + number / 200_000, 51.67) for number in range(10_000))
    line = tours(read(small(drivable=True, lines={"truck-1": streets})))[0]
    assert 1_000 < len(points(line)) < 2_500
    gaps = [math.dist(one, other) for one, other in pairwise(points(line))]
    assert max(gaps) < 1.2


def test_no_two_of_35_tours_look_alike() -> None:
    """Colour and dashes together differ, and neighbours in both."""
    looks = [(line.get("stroke"), line.get("stroke-dasharray")) for line in tours(read(many(35)))]
    assert len(set(looks)) == 35
    assert all(one[0] != other[0] and one[1] != other[1] for one, other in pairwise(looks))


def test_colours_are_seen_on_white_and_told_apart() -> None:
    """Each differs from white and from each other in lightness or hue; dashes differ, too."""
    assert len(set(COLOURS)) == len(COLOURS) == 7
    assert len(set(DASHES)) == len(DASHES) == 5
    for colour in COLOURS:
        red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
        assert 0.2126 * red + 0.7152 * green + 0.0722 * blue < 190


def test_title_description_scale_and_legend_are_there() -> None:
    """For those who see it and those who do not."""
    root = read(small(), "en")
    assert root.get("role") == "img"
    title, description = root.findtext(f"{SPACE}title") or "", root.findtext(f"{SPACE}desc") or ""
    assert title.startswith("Map of the tours: Order of stops, not for driving: paper, Tue 24 Nov 2026")
    assert "North is up." in description
    assert "Wagen 1: 2 containers, 19.4 km (estimated); truck-2: 1 container" in description
    assert "On no tour: 2" in description
    written = texts(root)
    for text in ("N", "Depot", "Disposal site", "must be emptied", "taken along", "On no tour", "Müllverbrennung"):
        assert text in written
    assert [text for text in written if re.fullmatch(r"\d+ k?m", text)] == ["1 km"]


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    """A kilometre on the bar is one between depot and container."""
    root = read(small())
    bar = next(line for line in root.iter(f"{SPACE}line") if line.get("stroke-width") == "3")
    px_per_m = (float(bar.get("x2", "")) - float(bar.get("x1", ""))) / 1000
    depot, first = points(tours(root)[0])[:2]
    assert math.dist(depot, first) / px_per_m == pytest.approx(1701 / 1.3, rel=0.01)


def test_everything_is_on_the_picture() -> None:
    """No mark, line or text begins outside, on a small and on a large day."""
    for plan in (small(), solved(2, Size(stops=150, vehicles=4)), many(20), under_way()):
        root = read(plan)
        width, height = float(root.get("width", "")), float(root.get("height", ""))
        for element in root.iter():
            for name in ("x", "x1", "x2", "cx"):
                assert 0 <= float(element.get(name, "0")) <= width
            for name in ("y", "y1", "y2", "cy"):
                assert 0 <= float(element.get(name, "0")) <= height


def test_containers_at_one_place_can_all_be_read() -> None:
    """Glass in three colours stands together: the marks are moved apart, with lines to where they belong."""
    stops = tuple(stop(f"bin-{number}") for number in range(3))
    of = problem(stops, (vehicle(),))
    root = read(made(of, evaluate(of, (Order("truck-1", tuple(one.id for one in stops)),))))
    marks = [group.find(f"{SPACE}circle") for group in root.iter(f"{SPACE}g")]
    places = {(mark.get("cx"), mark.get("cy")) for mark in marks if mark is not None}
    assert len(places) == 3
    assert sum(line.get("stroke") == "#767676" for line in root.iter(f"{SPACE}line")) == 2


def test_names_are_escaped_and_nothing_comes_from_outside() -> None:
    """Markup in names is text."""
    names = dict.fromkeys(("depot", "site", "bin-1", "truck-1"), '</text><script href="x">&')
    text = map_picture(small(names=names, fraction="<b>"), "de")
    root = ET.fromstring(text)  # noqa: S314 - our own
    assert {element.tag.removeprefix(SPACE) for element in root.iter()} <= {
        *("svg", "title", "desc", "rect", "text", "polyline", "line", "circle", "polygon", "g")
    }
    assert '</text><script href="x">&' in texts(root)
    assert not re.findall(r"http://(?!www.w3.org/2000/svg)|url\(", text)


def test_a_day_without_tours_and_a_vehicle_under_way_are_drawn() -> None:
    """Nothing is too little for a picture; a vehicle's position is on it while it has a tour."""
    plan = small()
    read(made(plan.problem, evaluate(plan.problem, ())))
    assert "Standort des Fahrzeugs" in texts(read(under_way()))
    empty = problem((), (vehicle(),))
    read(made(empty, evaluate(empty, ())))
