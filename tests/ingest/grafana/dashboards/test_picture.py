"""Pictures of dashboards, drawn from figures given by hand."""

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from ingest.grafana.dashboards.build import dashboards
from ingest.grafana.dashboards.picture import asked, drawn
from ingest.grafana.dashboards.picture_panels import Found, Span
from ingest.grafana.dashboards.picture_values import coloured, shown

SVG = "{http://www.w3.org/2000/svg}"
HOUR = 3_600_000
STEPS = {"steps": [{"color": "green", "value": None}, {"color": "orange", "value": 80}]}
CODES = [{"options": {"4": {"text": "unknown", "color": "#5b5b5b"}, "due": {"text": "due", "color": "orange"}}}]
GREEN, ORANGE, PLAIN = "#37872d", "#fa6400", "#24292e"
PLACE = {"h": 8, "w": 12, "x": 0, "y": 0}


def panel(kind: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of a panel
    """A panel as Grafana has it, of one query."""
    target = {"query": "SELECT x FROM y WHERE $timeFilter", "datasource": {"uid": "stadtfunk-open"}}
    defaults = {"unit": "percent", "thresholds": STEPS, "custom": {"drawStyle": "line"}, "mappings": CODES}
    config = {"defaults": defaults, "overrides": []}
    base = {"type": kind, "title": "Fill", "gridPos": PLACE, "interval": "1h", "targets": [target]}
    return {**base, "fieldConfig": config, "options": {}, **more}


def picture(shown_panel: dict[str, Any], *found: Found) -> ET.Element:
    """The picture of a dashboard with this panel alone."""
    board = {"title": "Waste & more", "description": "how full", "panels": [shown_panel]}

    def ask(_query: str, _uid: str) -> Sequence[Found]:
        return found

    return ET.fromstring(drawn(board, ask, 0, 4 * HOUR))  # noqa: S314 - our own


def words(svg: ET.Element) -> list[str]:
    """All texts of a picture."""
    return [element.text or "" for element in svg.iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        (0.625, {"unit": "percentunit"}, "62 %"),
        (12.34, {"unit": "celsius", "decimals": 1}, "12.3 °C"),
        (12.34, {"unit": "suffix: cm"}, "12.3 cm"),
        (1234.5, {"unit": "none"}, "1234"),
        (4, {"mappings": CODES}, "unknown"),
        ("due", {"mappings": CODES}, "due"),
        ("lot-1", {"unit": "none"}, "lot-1"),
        (None, {"unit": "none"}, ""),
    ],
)
def test_values_are_shown_with_their_unit(value: object, field: dict[str, Any], expected: str) -> None:
    """As a reader of the dashboard would see them."""
    assert shown(value, field) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, GREEN), (79.9, GREEN), (80, ORANGE), (4, "#5b5b5b"), ("due", ORANGE), ("else", PLAIN), (None, PLAIN)],
)
def test_colours_are_those_of_thresholds_and_codes(value: object, expected: str) -> None:
    """The highest threshold reached; what is no number and no code has none."""
    assert coloured(value, {"thresholds": STEPS, "mappings": CODES}) == expected


def test_a_figure_is_the_newest() -> None:
    """With its colour; the title of the picture is escaped."""
    svg = picture(panel("stat"), Found({}, ["time", "last"], [[0, 10], [HOUR, 90]]))
    assert "90 %" in words(svg)
    assert "Waste & more" in words(svg)


def test_lines_have_a_point_for_each_value_and_a_name() -> None:
    """Called as their query says; a hole in the data is no point."""
    svg = picture(
        panel("timeseries"),
        Found({"asset": "bin-1"}, ["time", "mean"], [[0, 1.0], [HOUR, None], [2 * HOUR, 3.0]]),
        Found({"asset": "bin-2"}, ["time", "mean"], [[0, 2.0]]),
    )
    lines = [element.attrib["points"].split() for element in svg.iter(f"{SVG}polyline")]
    assert [len(points) for points in lines] == [2, 1]
    assert {"bin-1", "bin-2"} <= set(words(svg))


def test_states_last_until_they_change() -> None:
    """Two of the same are one stretch; the last one lasts until the end."""
    values = [[0, 10], [HOUR, 20], [2 * HOUR, 90]]
    svg = picture(panel("state-timeline"), Found({"asset": "bin-1"}, ["time", "last"], values))
    stretches = [element for element in svg.iter(f"{SVG}polygon") if element.attrib["fill"] in {GREEN, ORANGE}]
    widths = []
    for each in stretches:
        across = [float(point.split(",")[0]) for point in each.attrib["points"].split()]
        widths.append(max(across) - min(across))
    assert [each.attrib["fill"] for each in stretches] == [GREEN, ORANGE]
    assert widths[0] == pytest.approx(widths[1], abs=0.5)


def test_a_map_has_a_mark_for_each_place() -> None:
    """Where it is, north above, with its name and value when pointed at."""
    layer = {"config": {"style": {"color": {"field": "fill"}}}}
    columns = ["time", "fill", "latitude", "longitude"]
    svg = picture(
        panel("geomap", options={"layers": [layer]}),
        Found({"asset": "south<west"}, columns, [[0, 10, 51.0, 7.0]]),
        Found({"asset": "north-east"}, columns, [[0, 90, 52.0, 8.0]]),
    )
    south, north = svg.iter(f"{SVG}circle")
    assert (south.attrib["fill"], north.attrib["fill"]) == (GREEN, ORANGE)
    assert float(north.attrib["cx"]) > float(south.attrib["cx"])
    assert float(north.attrib["cy"]) < float(south.attrib["cy"])
    assert [element.text for element in svg.iter(f"{SVG}title")][1:] == ["south<west: 10 %", "north-east: 90 %"]


def test_a_table_shows_its_columns_by_their_titles() -> None:
    """Tags and fields; empty columns are left out."""
    override = {"matcher": {"options": "fill"}, "properties": [{"id": "displayName", "value": "Fill level"}]}
    shown_panel = panel("table")
    shown_panel["fieldConfig"]["overrides"].append(override)
    svg = picture(shown_panel, Found({"asset": "bin-1"}, ["time", "fill", "nothing"], [[0, 55, None]]))
    assert words(svg)[-4:] == ["asset", "Fill level", "bin-1", "55 %"]


def test_an_empty_panel_says_so() -> None:
    """In the words of the panel."""
    empty = panel("stat")
    empty["fieldConfig"]["defaults"]["noValue"] = "nothing wrong"
    assert words(picture(empty))[-1] == "nothing wrong"
    assert words(picture(panel("stat")))[-1] == "–"


def test_every_kind_of_panel_can_be_drawn() -> None:
    """None of the dashboards has a panel of a kind that pictures do not know."""
    for board in dashboards("en", "internal").values():
        ET.fromstring(drawn(board, lambda _query, _uid: (), 0, HOUR))  # noqa: S314 - our own


def test_queries_are_asked_as_grafana_does() -> None:
    """With the span and the interval of the panel, everything chosen."""
    target = {"query": "WHERE a =~ /^$asset$/ AND $timeFilter GROUP BY time($__interval)"}
    expected = "WHERE a =~ /^.*$/ AND time >= 5ms AND time <= 9ms GROUP BY time(1h)"
    assert asked({"interval": "1h"}, target, Span(5, 9)) == expected
