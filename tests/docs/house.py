"""A folder in which the commands of the pages can be run: settings, city, filled journal, files that they name."""

import asyncio
import json
import re
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.settings import Settings, load
from tests.ingest.bench import running
from tests.ingest.uplinks import CITY, LOT_DEVICES, PROFILES, message, occupied, raw
from tests.rules.waste.route.cities import container, depot, district, site, vehicle

ROOT = Path(__file__).parents[2]
TRAFFIC = ROOT / "docs" / "rules-traffic.md"
SENSOR = ROOT / "docs" / "adding-a-sensor.md"
BIN, BIN_DEVICE, BIN_PROFILE = "container-12", "70b3d57ed0000081", "Milesight EM400-MUD"
FULL = bytes.fromhex("0175640367000004822c01050000")
"""300 mm below the sensor of a container of 1,500 mm."""
MINUTE_MS, DAY_MS = 60_000, 86_400_000
SETTINGS = """\
[city]
file = "city.geojson"
[mqtt]
port = {port}
[journal]
path = "journal.db"
[store]
path = "store.db"
[codecs]
folder = "codecs"
profiles = {{ {profiles} }}
[rules.modes]
"waste.collection_due" = "confirm"
[routes]
iterations = 20
[http]
enabled = false
"""
CODEC = "function decodeUplink(input) { return {data: {temperature: input.bytes[0] / 10}}; }\n"
EXAMPLES = '[{"name": "warm", "input": {"fPort": 1, "bytes": [215]}, "expected": {"data": {"temperature": 21.5}}}]\n'


def block(page: Path, language: str, mark: str = "") -> str:
    """The page's block in a language, behind a mark where it has several."""
    (found,) = re.findall(rf"{re.escape(mark)}```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


def city() -> dict[str, Any]:
    """The places that the pages name: a lot, a container and its vehicles, the junctions of the traffic page."""
    truck = {"capacity": {"paper": {"mass_kg": 9000, "volume_l": 30_000}}}
    bin_ = container(
        BIN, devices=[{"dev_eui": BIN_DEVICE}], depth_mm=1500, sensor_offset_mm=100, forecast=False, name="Ostring"
    )
    waste = (district(), depot(), site(), vehicle(), vehicle("crane-1", **truck), vehicle("crane-2", **truck), bin_)
    return {**CITY, "features": [*CITY["features"], *waste, *json.loads(block(TRAFFIC, "json"))["features"]]}


def tours() -> str:
    """Sixteen weekly tours to two containers that are half full."""
    first = datetime(2026, 1, 5, 7, tzinfo=UTC)
    rows = [
        f"{BIN}-{number},{(first + timedelta(weeks=week, minutes=10 * number)).isoformat()},{45 + (7 * week) % 20}"
        for week in range(16)
        for number in range(2)
    ]
    return "\n".join(["stop,time,fill", *rows, ""])


def write(path: Path, text: str) -> None:
    """A file with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def furnish(folder: Path) -> None:
    """Everything that the pages name but the journal."""
    write(folder / "city.geojson", json.dumps(city()))
    write(folder / "new.geojson", json.dumps(city()))
    write(folder / "event.json", block(SENSOR, "json", "<!-- file: event.json -->\n"))
    recorded = message(dev_eui=LOT_DEVICES[0], payload=occupied(yes=True), f_cnt=900, time_ms=now_ms() - DAY_MS)
    line = {"topic": recorded.topic, "payload": recorded.payload.decode()}
    write(folder / "record.ndjson", json.dumps(line) + "\n")
    vendor = folder / "chirpstack-device-profiles" / "vendors" / "acme"
    write(vendor / "vendor.toml", '[vendor]\nname = "Acme"\n')
    write(vendor / "devices" / "th1.toml", '[device]\nname = "TH 1"\n[[device.firmware]]\ncodec = "th1.js"\n')
    write(vendor / "codecs" / "th1.js", CODEC)
    write(vendor / "codecs" / "test_decode_th1.json", EXAMPLES)
    write(folder / "tours-2026.csv", tours())
    (folder / "codecs").mkdir()
    settle(folder)


def settle(folder: Path, port: int = 1883, more: str = "") -> None:
    """The settings file, for a broker at this port."""
    profiles = ", ".join(f'"{name}" = "{codec}"' for name, codec in PROFILES.items())
    write(folder / "stadtfunk.toml", SETTINGS.format(port=port, profiles=profiles) + more)


def fill(folder: Path) -> None:
    """A journal of the last hours: a lot that fills, a container that is due, a dead letter, somebody's word."""
    asyncio.run(_filled(load(folder / "stadtfunk.toml"), now_ms()))


async def _filled(settings: Settings, at_ms: int) -> None:
    async with running(settings, at_ms) as bench:
        for number in (0, 1):
            then_ms = at_ms - (360 - 359 * number) * MINUTE_MS
            await bench.send(
                *(
                    message(dev_eui=name, payload=occupied(yes=number == 1), f_cnt=number, time_ms=then_ms + index)
                    for index, name in enumerate(LOT_DEVICES)
                )
            )
        full = message(dev_eui=BIN_DEVICE, payload=FULL, f_port=85, time_ms=at_ms, profile=BIN_PROFILE)
        await bench.send(full, raw(b"{"))


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


class House:
    """The folder while its commands run; what the pages write as `…` or as a date stands for something here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.today = datetime.now(UTC).date()

    def meant(self, words: list[str]) -> list[str]:
        """The words of a command with the house's own event, head and days."""
        return [self._word(words[index - 1] if index else "", word) for index, word in enumerate(words)]

    def _word(self, before: str, word: str) -> str:
        days = {"--from": -3, "--since": -30, "--to": 3, "--until": 30, "--date": 1}
        if before in days and re.fullmatch(r"\d{4}-\d\d-\d\d", word):
            return (self.today + timedelta(days=days[before])).isoformat()
        if before == "--head":
            return self._one("SELECT number || ':' || lower(hex(hash)) FROM audit ORDER BY number DESC LIMIT 1")
        if re.fullmatch(r"[0-9a-f]{8}-…", word):
            return self._one("SELECT id FROM event WHERE status = 'waiting' ORDER BY seq DESC LIMIT 1")
        return word

    def _one(self, query: str) -> str:
        with closing(sqlite3.connect(f"file:{self.folder}/journal.db?mode=ro", uri=True)) as connection:
            (found,) = connection.execute(query).fetchone()
        return str(found)
