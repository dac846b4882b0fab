"""Every query of every panel, annotation and variable against a real InfluxDB that a simulated city has filled."""

import asyncio
import itertools
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from ingest.grafana.dashboards.build import dashboards
from ingest.grafana.dashboards.picture import drawn
from ingest.grafana.dashboards.target import SOURCES
from tests.doubles.influxd import Database
from tests.ingest.grafana.dashboards.filled import Town, filled
from tests.ingest.grafana.dashboards.pictures import asking
from tests.ingest.grafana.dashboards.town import BIN, DAY, END

pytestmark = [pytest.mark.influxd, pytest.mark.timeout(900), pytest.mark.xdist_group("dashboards")]

NOT_YET: dict[str, str] = {}
"""Panels that show nothing here, and what the simulation cannot cause for them."""
Query = dict[str, Any]
BOARDS = dashboards("de", "internal")
PANELS = [(uid, panel) for uid, board in BOARDS.items() for panel in board["panels"]]
NOTES = [(uid, notes) for uid, board in BOARDS.items() for notes in board["annotations"]["list"]]
VARIABLES = [(uid, variable) for uid, board in BOARDS.items() for variable in board["templating"]["list"]]


@pytest.fixture(scope="module")
def town(influxdb: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The filled database; its buckets go with the module."""
    numbers = itertools.count()
    with ExitStack() as stack:

        def new_bucket() -> str:
            name = f"stadtfunk_dashboards_{os.getpid()}_{next(numbers)}"
            influxdb.create(name)
            stack.callback(influxdb.drop, name)
            return name

        yield asyncio.run(filled(influxdb, new_bucket, tmp_path_factory.mktemp("town")))


def substituted(query: str, town: Town, interval: str = "1h", **chosen: str) -> str:
    """The query as Grafana sends it, with everything chosen that is not given."""
    begin_ms, end_ms = town.truth.span
    query = query.replace("$timeFilter", f"time >= {begin_ms}ms AND time <= {end_ms}ms")
    query = query.replace("$__interval", interval)
    for name in ("district", "asset", "device"):
        query = query.replace(f"${name}", chosen.get(name, ".*"))
    assert "$" not in query.replace("$/", "/"), query
    return query


def rows(town: Town, query: str, uid: str, interval: str = "1h", **chosen: str) -> list[list[object]]:
    """What the query finds, in the bucket of its data source; rows without any value are left out."""
    bucket = next(town.buckets[name] for name, known in SOURCES.items() if known == uid)
    found = town.server.query(substituted(query, town, interval, **chosen), bucket)
    return [row for row in found if any(value is not None for value in row[1:])]


def panel_rows(town: Town, uid: str, title: str, **chosen: str) -> list[list[object]]:
    """What the first query of the panel with this title finds."""
    panel = next(panel for board, panel in PANELS if board == uid and panel["title"] == title)
    target = panel["targets"][0]
    return rows(town, target["query"], target["datasource"]["uid"], panel["interval"], **chosen)


@pytest.mark.parametrize(("uid", "panel"), PANELS, ids=[f"{uid}/{panel['title']}" for uid, panel in PANELS])
def test_each_panel_shows_something(town: Town, uid: str, panel: dict[str, Any]) -> None:
    """Each query is understood by the server, and finds something where the panel is not known to be empty yet."""
    found = [rows(town, target["query"], target["datasource"]["uid"], panel["interval"]) for target in panel["targets"]]
    known_empty = f"{uid}/{panel['title']}" in NOT_YET
    assert all(found) is not known_empty, [bool(each) for each in found]


@pytest.mark.parametrize(("uid", "notes"), NOTES, ids=[f"{uid}/{notes['name']}" for uid, notes in NOTES])
def test_each_annotation_finds_something(town: Town, uid: str, notes: dict[str, Any]) -> None:
    """Its query finds events, and their text stands in the column that it names."""
    target = notes["target"]
    assert target["textColumn"] in target["query"]
    assert rows(town, target["query"], notes["datasource"]["uid"])


@pytest.mark.parametrize(("uid", "variable"), VARIABLES, ids=[f"{uid}/{each['name']}" for uid, each in VARIABLES])
def test_each_variable_has_values(town: Town, uid: str, variable: dict[str, Any]) -> None:
    """Its query finds tag values."""
    assert rows(town, variable["query"], variable["datasource"]["uid"])


def test_both_languages_ask_the_same_of_other_words() -> None:
    """English dashboards differ in the text field alone, so what is tested here holds for them, too."""
    english, german = (
        [target["query"] for board in each.values() for panel in board["panels"] for target in panel["targets"]]
        for each in (dashboards("en", "internal"), BOARDS)
    )
    assert [query.replace("text_en", "text_de") for query in english] == [
        query.replace("text_en", "text_de") for query in german
    ]
    assert english != german


def test_a_choice_narrows_what_is_shown(town: Town) -> None:
    """With a district chosen only its places are shown; two chosen are a regular expression as Grafana writes it."""
    title = "Füllstand"
    all_of_them = panel_rows(town, "stadtfunk-waste-de", title)
    some = panel_rows(town, "stadtfunk-waste-de", title, district="(district-mitte|district-heessen)")
    one = panel_rows(town, "stadtfunk-waste-de", title, asset="container-by-hand")
    assert len(all_of_them) > len(some) > len(one) > 0


# -- one value of each dashboard is the truth -------------------------------------------------------------------------


def test_overview_tells_the_free_spaces(town: Town) -> None:
    """As many as the lots' last words in the journal say."""
    assert panel_rows(town, "stadtfunk-overview-de", "Freie Stellplätze")[0][1] == town.truth.free


def test_traffic_tells_the_requests(town: Town) -> None:
    """As many as were put to the controllers."""
    assert panel_rows(town, "stadtfunk-traffic-de", "Anforderungen im Zeitraum")[0][1] == town.truth.requests


def test_parking_tells_the_free_spaces(town: Town) -> None:
    """As many as the lots' last words in the journal say."""
    assert panel_rows(town, "stadtfunk-parking-de", "Freie Stellplätze")[0][1] == town.truth.free


def test_environment_tells_how_high_the_river_stands(town: Town) -> None:
    """265 cm, as the gauge by hand said last."""
    found = panel_rows(town, "stadtfunk-environment-de", "Pegel", asset="gauge-by-hand")
    assert found[-1][1] == 265


def test_a_temperature_that_nobody_believes_is_left_out(town: Town) -> None:
    """The 60 °C of one uplink are stored, flagged, and no line of the dashboard rises to them."""
    found = panel_rows(town, "stadtfunk-environment-de", "Lufttemperatur", asset="station-by-hand")
    assert max(row[1] for row in found if isinstance(row[1], int | float)) < 40


def test_waste_tells_how_full_a_container_is(town: Town) -> None:
    """60 %, by 540 mm of waste in a container of 900 mm."""
    found = panel_rows(town, "stadtfunk-waste-de", "Füllstand", asset="container-by-hand")
    assert found[-1][1] == 60


def test_network_tells_the_uplinks(town: Town) -> None:
    """As many as the service counted as stored."""
    assert panel_rows(town, "stadtfunk-network-de", "Uplinks im Zeitraum")[0][1] == town.truth.stored


def test_the_device_tells_how_well_it_is_heard(town: Town) -> None:
    """-97 dBm, as every uplink by hand says, and nothing of other devices."""
    found = panel_rows(town, "stadtfunk-device-de", "Stärke (RSSI)", device=BIN)
    assert {row[1] for row in found} == {-97}


def test_the_service_tells_its_dead_letters(town: Town) -> None:
    """As many as the journal kept when the service last told."""
    assert panel_rows(town, "stadtfunk-service-de", "Unzustellbar, aufgehoben")[0][1] == town.truth.dead_letters


def test_pictures_show_what_panels_find(town: Town) -> None:
    """Each is whole SVG without anything from outside, has every panel's title, and leaves no panel empty but one."""
    for uid, board in BOARDS.items():
        svg = drawn(board, asking(town), END - DAY, END)
        words = [element.text for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - our own
        assert svg.count("http") == 1, uid
        assert {panel["title"][:12] for panel in board["panels"]} <= {(each or "")[:12] for each in words}
        assert words.count("–") == sum(name.startswith(uid) for name in NOT_YET), uid


def test_intervals_are_those_that_grafana_knows() -> None:
    """The shortest interval of each panel is one that InfluxQL takes, too."""
    assert all(re.fullmatch(r"[0-9]+[mhd]", panel["interval"]) for _, panel in PANELS)
