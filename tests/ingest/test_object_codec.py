"""Devices that ChirpStack decodes itself: the event's object becomes the readings."""

import json
from pathlib import Path
from typing import Any

from ingest.mqtt import Message
from ingest.settings import Settings, load
from tests.ingest.bench import running
from tests.ingest.uplinks import LOT_DEVICES, event, raw, topic

DEVICE = LOT_DEVICES[0]


def settings(folder: Path) -> Settings:
    """A service whose profile "Acme" is decoded by ChirpStack."""
    return load(
        journal={"path": folder / "journal.db"},
        codecs={"profiles": {"Acme": "chirpstack/object"}},
        http={"enabled": False},
    )


def decoded(number: int, found: dict[str, Any] | None) -> Message:
    """An uplink with what ChirpStack's codec made of it."""
    body = event(DEVICE, profile="Acme", payload=bytes((number,)), f_cnt=number)
    if found is not None:
        body["object"] = found
    return raw(json.dumps(body).encode(), number, where=topic(DEVICE))


async def test_an_object_is_stored(tmp_path: Path) -> None:
    """Values with common names, and those of the CayenneLPP codec, become lines of the device."""
    async with running(settings(tmp_path)) as bench:
        await bench.send(decoded(1, {"temperature": 21.5, "batV": 3.6, "temperatureSensor": {"4": 7.5}}))
        lines = await bench.lines()
    assert any(line.startswith("environment,") and " air_temperature=21.5 " in line for line in lines)
    assert any(",channel=ch4," in line and " air_temperature=7.5 " in line for line in lines)
    assert any(line.startswith("device,") and "battery_voltage=3.6" in line for line in lines)


async def test_an_object_that_says_nothing_is_a_dead_letter(tmp_path: Path) -> None:
    """No object, or one in which nothing is known: kept, with the reason."""
    async with running(settings(tmp_path)) as bench:
        await bench.send(decoded(1, None), decoded(2, {"mystery": 3}))
        assert await bench.letters() == [("decode", "open"), ("decode", "open")]
        details = await bench.service.journal.query(
            lambda connection: [row[0] for row in connection.execute("SELECT detail FROM dead_letter ORDER BY id")]
        )
    assert "has no object; has the device profile a codec in ChirpStack?" in details[0]
    assert "it has mystery" in details[1]
