"""Rules run again with other parameters, and the picture of what would have been."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from ingest.cli import app
from ingest.commands import rules as cli_rules
from ingest.decisions.param import ParameterError, with_parameters
from ingest.decisions.plot import COLOURS, svg
from ingest.decisions.replay import Finding, Said, Verdict
from rules.city import Asset, City
from tests.ingest.bench import city_settings, running
from tests.ingest.test_modes import say
from tests.ingest.uplinks import NOW

TOWN = City(
    Asset(id_, kind, id_, {"capacity": 10, "name": "x"}, (), 7.8, 51.6)
    for id_, kind in (("a", "lot"), ("a.b", "lot"), ("c", "zone"))
)
HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a.capacity=7"], {"a": 7, "a.b": 10, "c": 10}),
        (["a.b.capacity=7.5"], {"a": 10, "a.b": 7.5, "c": 10}),
        (["lot.capacity=7", "a.capacity=8"], {"a": 8, "a.b": 7, "c": 10}),
        (["c.capacity=a few = 3"], {"a": 10, "a.b": 10, "c": "a few = 3"}),
        ([], {"a": 10, "a.b": 10, "c": 10}),
    ],
)
def test_parameters_of_an_asset_or_of_a_kind(given: list[str], expected: dict[str, object]) -> None:
    """The longest asset id wins; later ones overwrite; values are JSON or text; all else stays."""
    changed = with_parameters(TOWN, given)
    assert {id_: asset.properties["capacity"] for id_, asset in changed.assets.items()} == expected
    assert {asset.properties["name"] for asset in changed.assets.values()} == {"x"}
    assert TOWN.assets["a"].properties["capacity"] == 10


@pytest.mark.parametrize("text", ["a.capacity", "x.capacity=1", "lot=1", "=1", "lot.=1"])
def test_what_names_nothing_is_refused(text: str) -> None:
    """No value, no such asset or kind, no property."""
    with pytest.raises(ParameterError, match=r"expected ASSET\.PROPERTY=VALUE"):
        with_parameters(TOWN, [text])


def test_the_picture_has_a_mark_for_every_event() -> None:
    """One row for each rule and subject, marks from left to right in time, coloured by verdict, text escaped."""
    verdicts: list[Verdict] = ["same", "different", "missing", "additional"]
    findings = [
        Finding(verdict, Said(str(number), "r", "<a&b>", "t", f"2027-01-15T0{8 + number // 2}:30:00Z", b""))
        for number, verdict in enumerate(verdicts)
    ]
    root = ET.fromstring(svg(findings, NOW, NOW + 2 * HOUR_MS, "Europe/Berlin"))  # noqa: S314 - our own
    space = {"s": "http://www.w3.org/2000/svg"}
    marks = [mark for mark in root.findall("s:circle", space) if mark.find("s:title", space) is not None]
    assert [mark.get("fill") for mark in marks] == [COLOURS[verdict] for verdict in verdicts]
    places = [float(mark.get("cx", "0")) for mark in marks]
    assert places[0] == places[1] < places[2] == places[3]
    texts = [text.text for text in root.findall("s:text", space)]
    assert "r <a&b>" in texts
    assert "15.01. 09:00" in texts


async def test_the_command_shows_what_would_have_been(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same parameters: the same; another capacity: different, in text, JSON and picture; a wrong one: exit 2."""
    settings = city_settings(tmp_path)
    async with running(settings, NOW + 2000) as bench:
        await say(bench, 0, NOW)
    monkeypatch.setattr(cli_rules, "load", lambda *_, **__: settings)
    words = ["rules", "replay", "--from", "2027-01-15T00:00Z", "--to", "2027-01-16T00:00Z", "--json"]
    words += ["--rule", "parking.lot_state"]
    same = CliRunner().invoke(app, words)
    assert set(json.loads(same.stdout)["counts"]) == {"same"}
    picture = tmp_path / "plot.svg"
    other = CliRunner().invoke(app, [*words, "--param", "lot-markt.capacity=80", "--plot", str(picture)])
    assert "different" in json.loads(other.stdout)["counts"]
    assert COLOURS["different"] in picture.read_text().partition("<line")[2]
    assert CliRunner().invoke(app, [*words, "--param", "lot-x.capacity=80"]).exit_code == 2
