"""What codecs are told of the device: figures of the city's file, of the asset its tag names, and its own tags."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.mqtt import Message
from ingest.settings import Settings, given
from tests.ingest.bench import Bench, running
from tests.ingest.uplinks import LOT_DEVICES, event, raw, topic

DEVICE = LOT_DEVICES[0]
RAIN = bytes.fromhex("020000000300010000000500000bb8")
"""Decentlab's DL-TBRG: one tip of the bucket, five in all, 3 V."""
SCRIPT = """
function decodeUplink(input) {
  var given = input.variables;
  return {data: {temperature: input.bytes[0] * Number(given.scale), humidity: Number(given.height_m)}};
}
"""


def settings(tmp_path: Path, *, listed: bool = False) -> Settings:
    """A station that holds a figure for codecs; its devices are listed, or come by their tag."""
    place = {"type": "Point", "coordinates": [7.8, 51.7]}
    properties: dict[str, Any] = {"kind": "station", "resolution": 0.2, "height_m": 2.5}
    if listed:
        properties["devices"] = [{"dev_eui": DEVICE, "resolution": 0.1}]
    feature = {"type": "Feature", "id": "roof", "geometry": place, "properties": properties}
    city = tmp_path / "city.geojson"
    city.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    codecs = tmp_path / "codecs"
    (codecs / "acme").mkdir(parents=True)
    (codecs / "acme" / "th.js").write_text(SCRIPT)
    return given(
        city={"file": city},
        journal={"path": tmp_path / "journal.db"},
        codecs={"folder": codecs, "profiles": {"TBRG": "decentlab/dl-tbrg", "Acme": "js/acme/th"}},
        http={"enabled": False},
    )


def uplink(profile: str, payload: bytes, **tags: str) -> Message:
    """An uplink of a device with these tags."""
    body = event(DEVICE, profile=profile, payload=payload)
    body["deviceInfo"]["tags"] = tags
    return raw(json.dumps(body).encode(), where=topic(DEVICE))


async def fields(bench: Bench) -> dict[str, float]:
    """The numbers of its environment lines."""
    lines = [line for line in await bench.lines() if line.startswith("environment,")]
    parts = [part.partition("=") for line in lines for part in line.split(" ")[-2].split(",")]
    return {name: float(value) for name, _, value in parts}


@pytest.mark.parametrize(
    ("listed", "tags", "mm"),
    [
        (False, {"asset": "roof"}, 0.2),
        (False, {"asset": "roof", "resolution": "0.5"}, 0.2),
        (False, {"resolution": "0.5"}, 0.5),
        (True, {}, 0.1),
        (True, {"asset": "elsewhere", "resolution": "0.5"}, 0.1),
    ],
)
async def test_a_figure_comes_from_the_city_else_from_a_tag(
    tmp_path: Path, *, listed: bool, tags: dict[str, str], mm: float
) -> None:
    """Of the assignment, else of the asset, also where only the device's tag names it, else of its own tags."""
    async with running(settings(tmp_path, listed=listed)) as bench:
        await bench.send(uplink("TBRG", RAIN, **tags))
        assert await bench.letters() == []
        found = await fields(bench)
    assert found["precipitation"] == pytest.approx(mm)


async def test_a_device_without_its_figure_is_a_dead_letter(tmp_path: Path) -> None:
    """It names the figure that is missing."""
    async with running(settings(tmp_path)) as bench:
        await bench.send(uplink("TBRG", RAIN))
        assert await bench.letters() == [("decode", "open")]


async def test_a_script_gets_tags_and_figures_as_its_variables(tmp_path: Path) -> None:
    """As texts, as ChirpStack gives them: all tags, and what the city's file holds."""
    async with running(settings(tmp_path)) as bench:
        await bench.send(uplink("Acme", b"\x0a", asset="roof", scale="1.5"))
        assert await bench.letters() == []
        found = await fields(bench)
    assert (found["air_temperature"], found["air_humidity"]) == (15.0, 2.5)
