"""What holds for every dashboard and panel, whatever it shows."""

import base64
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard, units

from ingest.grafana.dashboards.build import dashboards
from ingest.grafana.dashboards.catalog import DASHBOARDS, INTERNAL_ONLY
from ingest.grafana.dashboards.maps import NO_TILES, ground
from ingest.grafana.dashboards.parking_lots import STATES, TRENDS
from ingest.grafana.dashboards.spec import LANGUAGES, ORGANISATIONS, Language, Organisation
from ingest.grafana.dashboards.traffic_plans import WHY
from ingest.grafana.dashboards.traffic_road import PRIORITY, QUALITY, WAVES
from rules.parking.lot_event import STATE_CODES
from rules.parking.trend import CODES as TREND_CODES
from rules.traffic.bus_priority import ORDER
from rules.traffic.green_wave import CODES as WAVE_CODES
from rules.traffic.measured import QUALITY_CODES
from rules.traffic.signal_plan import WHY_CODES

BOTH = [(language, organisation) for language in LANGUAGES for organisation in ORGANISATIONS]
COLOUR = re.compile("(light-)?(green|yellow|orange|red|purple|blue)|#[0-9a-f]{6}")
DEVICE_URL = "/d/stadtfunk-device-{}?"


def panels(language: Language, organisation: Organisation) -> Iterator[tuple[str, dict[str, Any]]]:
    """All panels with the uid of their dashboard."""
    for uid, board in dashboards(language, organisation).items():
        for panel in board["panels"]:
            yield uid, panel


def strings(model: object) -> Iterator[str]:
    """All strings within."""
    if isinstance(model, str):
        yield model
    elif isinstance(model, dict):
        for value in model.values():
            yield from strings(value)
    elif isinstance(model, list):
        for value in model:
            yield from strings(value)


@pytest.mark.parametrize(("language", "organisation"), BOTH)
def test_every_panel_says_what_it_shows(language: Language, organisation: Organisation) -> None:
    """Title, description, unit and thresholds, each with a base; numbers and titles are unique in a dashboard."""
    for uid, panel in panels(language, organisation):
        where = f"{uid}/{panel.get('title')}"
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"], where
        assert len(panel["description"]) > 10, where
        assert panel["description"].endswith("."), where
        assert defaults["unit"], where
        steps = defaults["thresholds"]["steps"]
        assert steps[0]["value"] is None, where
        assert [step["value"] for step in steps[1:]] == sorted(step["value"] for step in steps[1:]), where
        assert all(COLOUR.fullmatch(step["color"]) for step in steps), where
    for uid, board in dashboards(language, organisation).items():
        for key in ("id", "title"):
            found = [panel[key] for panel in board["panels"]]
            assert len(set(found)) == len(found), (uid, key)


def test_uids_are_those_that_links_have_out_there() -> None:
    """Bookmarks and alerts hold them: a uid may come, none may change."""
    names = ("overview", "traffic", "parking", "environment", "waste", "network", "device", "service")
    assert list(dashboards("de", "internal")) == [f"stadtfunk-{name}-de" for name in names]
    assert list(dashboards("en", "open")) == [f"stadtfunk-{name}-en" for name in names[:5]]
    assert all(len(uid) <= 40 for uid in dashboards("en", "internal"))


def test_every_panel_of_operations_leads_to_the_device() -> None:
    """Each has the link, in its own language, to a dashboard that is there; on the device's own there is none."""
    for language in LANGUAGES:
        assert f"stadtfunk-device-{language}" in dashboards(language, "internal")
        for uid, panel in panels(language, "internal"):
            links = [link["url"] for link in panel["fieldConfig"]["defaults"]["links"]]
            assert links == [] if "-device-" in uid else links[0].startswith(DEVICE_URL.format(language)), uid


def test_a_link_carries_the_place_and_the_device() -> None:
    """Where a panel parts its figures by asset or device, the link chooses it."""
    found = {f"{uid}/{panel['title']}": panel for uid, panel in panels("de", "internal")}
    table = found["stadtfunk-network-de/Batterien, Ladung"]["fieldConfig"]["defaults"]["links"][0]["url"]
    assert "var-device=${__data.fields.dev_eui}" in table
    assert "var-asset=${__data.fields.asset}" in table
    lines = found["stadtfunk-parking-de/Freie Plätze"]["fieldConfig"]["defaults"]["links"][0]["url"]
    assert lines.endswith("&var-asset=${__field.labels.asset}")


def test_nothing_of_devices_is_in_the_open_organisation() -> None:
    """Its panels, annotations and variables ask the open data source alone, and no link leads to the others."""
    for language in LANGUAGES:
        for uid, board in dashboards(language, "open").items():
            written = json.dumps(board)
            assert "stadtfunk-internal" not in written, uid
            assert "stadtfunk-device" not in written, uid
            assert '"stadtfunk-open"' in written, uid
    assert {each.name for each in DASHBOARDS} - INTERNAL_ONLY == {
        uid.removeprefix("stadtfunk-").removesuffix("-de") for uid in dashboards("de", "open")
    }


@pytest.mark.parametrize(("language", "organisation"), BOTH)
def test_no_foreign_host_is_called(language: Language, organisation: Organisation) -> None:
    """No address stands anywhere, and every map has a ground of its own, for Grafana's would come from elsewhere."""
    for uid, board in dashboards(language, organisation).items():
        assert not [text for text in strings(board) if "//" in text.replace("data:image/png;base64,", "")], uid
        for panel in board["panels"]:
            if panel["type"] == "geomap":
                assert panel["options"]["basemap"]["type"] == "xyz"
                assert panel["options"]["basemap"]["config"]["url"] == NO_TILES


def test_the_ground_is_a_transparent_pixel() -> None:
    """One pixel, RGBA, all zero; braces in it would be taken for places of a tile."""
    data = base64.b64decode(NO_TILES.partition(",")[2], validate=True)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    at = data.index(b"IDAT")
    pixels = zlib.decompress(data[at + 4 : at + 4 + int.from_bytes(data[at - 4 : at])])
    assert (width, height, data[25], pixels) == (1, 1, 6, bytes(5))
    assert "{" not in NO_TILES


def test_the_operator_may_set_tiles() -> None:
    """Then every map has them as its ground."""
    tiles = "https://tiles.example/{z}/{x}/{y}.png"
    maps = [
        panel
        for board in dashboards("de", "open", tiles).values()
        for panel in board["panels"]
        if panel["type"] == "geomap"
    ]
    assert len(maps) == 5
    assert all(panel["options"]["basemap"]["config"]["url"] == tiles for panel in maps)
    assert ground(tiles)["config"] == {"url": tiles, "attribution": ""}


def shape(model: object) -> object:
    """A model without its words: what both languages must have alike."""
    if isinstance(model, dict):
        words = {"title", "description", "text", "alias", "name", "label", "noValue", "unit", "query", "url", "value"}
        return {key: shape(value) for key, value in model.items() if key not in words | {"tags", "uid", "textColumn"}}
    return [shape(each) for each in model] if isinstance(model, list) else model


def test_units_are_grafanas() -> None:
    """Each is an id that the SDK lists, or a suffix; another would stand behind the figure as it is."""
    known = {value for value in vars(units).values() if isinstance(value, str)}
    for uid, panel in panels("en", "internal"):
        shown = [panel["fieldConfig"]["defaults"]["unit"]]
        for column in panel["fieldConfig"]["overrides"]:
            shown += [item["value"] for item in column["properties"] if item["id"] == "unit"]
        strange = [unit for unit in shown if unit not in known and not unit.startswith("suffix: ")]
        assert strange == [], (uid, panel["title"])


def test_what_is_known_once_a_day_is_shown_for_a_month() -> None:
    """A day's figure stands at the day's begin, so that a span of a day would hide it; no other panel has its own."""
    for uid, panel in panels("de", "internal"):
        daily = panel["interval"] == "1d"
        assert panel.get("timeFrom") == ("30d" if daily else None), (uid, panel["title"])
        if daily and panel["type"] == "timeseries":
            assert "GROUP BY time($__interval, -2h)" in panel["targets"][0]["query"], (uid, panel["title"])


def test_models_are_those_of_the_sdk() -> None:
    """Each is read by grafana-foundation-sdk's model and written again with nothing lost of what it knows."""
    for board in dashboards("en", "internal").values():
        again = json.loads(json.dumps(dashboard.Dashboard.from_json(board), cls=JSONEncoder))
        for key in ("uid", "title", "time", "templating", "links", "refresh"):
            assert again[key] == board[key]
        for one, other in zip(again["panels"], board["panels"], strict=True):
            assert {key: one[key] for key in one if key != "targets"} == {
                key: other[key] for key in other if key != "targets"
            }


@pytest.mark.parametrize("organisation", ORGANISATIONS)
def test_both_languages_are_the_same_but_for_words(organisation: Organisation) -> None:
    """Panels, places, sources, colours and thresholds are alike."""
    german, english = (list(dashboards(language, organisation).values()) for language in LANGUAGES)
    assert [shape(board) for board in german] == [shape(board) for board in english]


def test_words_are_in_the_language() -> None:
    """No German title stands in an English dashboard, but for names that are the same."""
    same = {"RSSI", "SNR", "Trend", "Wind"}
    for spec in DASHBOARDS:
        for panel in spec.panels:
            for words in (panel.title, panel.description):
                assert words.de != words.en or words.en in same or words.de == "Gateways", words
                assert not re.search("[äöüßÄÖÜ]", words.en), words


@pytest.mark.parametrize(("language", "organisation"), BOTH)
def test_panels_stand_beside_each_other(language: Language, organisation: Organisation) -> None:
    """No two overlap and none leaves the grid of 24 columns, whichever panels an organisation does not see."""
    for uid, board in dashboards(language, organisation).items():
        taken: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken, (uid, panel["title"])
            assert place["x"] + place["w"] <= 24
            taken |= cells


def test_queries_are_influxql_of_the_shown_span() -> None:
    """Each is raw InfluxQL, asks for the shown span once, and groups by an interval only where it draws a course."""
    for uid, panel in panels("de", "internal"):
        for target in panel["targets"]:
            query, where = target["query"], f"{uid}/{panel['title']}"
            assert target["rawQuery"] is True, where
            assert query.startswith("SELECT "), where
            assert query.count("$timeFilter") == 1, where
            course = panel["type"] in {"timeseries", "state-timeline", "status-history"}
            assert ("GROUP BY time(" in query) is course or "FROM (" in query or panel["type"] == "stat", where
            form = "table" if panel["type"] in {"table", "geomap"} else "time_series"
            assert target["resultFormat"] == form, where


def test_a_panel_of_two_sources_says_so() -> None:
    """Else Grafana would send all its queries to one of them."""
    for uid, panel in panels("de", "internal"):
        asked = {target["datasource"]["uid"] for target in panel["targets"]}
        known = panel["datasource"]["uid"]
        assert known == (asked.pop() if len(asked) == 1 else "-- Mixed --"), (uid, panel["title"])


def test_every_layer_of_a_map_has_its_query() -> None:
    """As many layers as queries, each bound to one by its letter and coloured by a field that it asks for."""
    for uid, panel in panels("de", "internal"):
        layers = panel["options"].get("layers", ()) if panel["type"] == "geomap" else ()
        targets = panel["targets"] if layers else ()
        for layer, target in zip(layers, targets, strict=True):
            assert layer["filterData"]["options"] == target["refId"], uid
            assert f'AS "{layer["config"]["style"]["color"]["field"]}"' in target["query"], uid


def test_event_words_are_the_readers() -> None:
    """Queries for events ask for the text of the dashboard's language, and leave no placeholder."""
    others: dict[Language, Language] = {"de": "en", "en": "de"}
    for language, other in others.items():
        written = json.dumps(dashboards(language, "internal"))
        assert f"text_{language}" in written
        assert not re.search(rf'\\"text_{other}\\"(?! =)', written)
        assert "text_@" not in written


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (WHY, WHY_CODES.values()),
        (WAVES, WAVE_CODES.values()),
        (PRIORITY, range(len(ORDER))),
        (QUALITY, QUALITY_CODES.values()),
        (STATES, STATE_CODES.values()),
        (TRENDS, TREND_CODES.values()),
    ],
    ids=["why", "green wave", "bus priority", "quality", "lot state", "trend"],
)
def test_every_code_of_the_rules_has_words(words: dict[str, object], codes: Any) -> None:  # noqa: ANN401 - numbers
    """A code that rules write and nobody explains would show as a bare number."""
    assert set(words) == {f"{code:g}" for code in codes}


def test_variables_begin_with_everything() -> None:
    """District, place and device; all chosen at first, as a regular expression that also fits a missing tag."""
    board = dashboards("de", "internal")["stadtfunk-network-de"]
    variables = {each["name"]: each for each in board["templating"]["list"]}
    assert list(variables) == ["district", "asset", "device"]
    assert all(each["allValue"] == ".*" and each["current"]["value"] == "$__all" for each in variables.values())
    assert all(each["query"].startswith("SHOW TAG VALUES FROM ") for each in variables.values())


def test_the_device_dashboard_is_about_chosen_devices() -> None:
    """Nobody opens it to ask for thousands of devices at once."""
    board = dashboards("de", "internal")["stadtfunk-device-de"]
    (device,) = (each for each in board["templating"]["list"] if each["name"] == "device")
    assert (device["includeAll"], device["multi"], "current" in device) == (False, True, False)


def test_annotations_are_in_grafanas_form() -> None:
    """Query, text column and tag columns stand in the target, as Grafana's InfluxDB data source keeps them."""
    for board in dashboards("en", "internal").values():
        for notes in board["annotations"]["list"]:
            target = notes["target"]
            assert (target["fromAnnotations"], target["textColumn"]) == (True, "text_en")
            assert all(f'"{column}"' in target["query"] for column in target["tagsColumn"].split(","))
