"""Vendors' codecs that change, break and hang while uplinks flow, against a real broker and a real process."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from ingest.broker import Mosquitto
from ingest.clock import wall_clock
from tests.faults.balance import StoredPoints, check_uplinks, published
from tests.faults.harness import Installation, Running, Traffic, service
from tests.ingest.uplinks import LOT_DEVICES, event, topic

RATE = 100.0
WAIT_S = 60.0
SCRIPT = """function decodeUplink(input) {
  if (input.bytes[0] === 0) { var a = []; a.length = 4294967295; a.sort(); }
  return {data: {temperature: input.bytes[0] / %d}};
}
"""
QUERY = (
    "SELECT json_extract(fields, '$.air_temperature'), count(*) FROM point JOIN series ON series = id"
    " WHERE json_extract(fields, '$.air_temperature') IS NOT NULL GROUP BY 1"
)


class Scripted(Traffic):
    """The same uplinks from devices whose codec is a file; `byte` is what they send."""

    byte = 100

    def _uplink(self) -> tuple[str, bytes]:
        number = self.sent
        dev_eui = LOT_DEVICES[number % len(LOT_DEVICES)]
        self._last_ms = max(wall_clock(), self._last_ms + (number % len(LOT_DEVICES) == 0))
        uplink = event(dev_eui, f_cnt=number, time_ms=self._last_ms, payload=bytes([self.byte]), profile="Acme")
        return topic(dev_eui), json.dumps(uplink).encode()


async def told(running: Running, part: str) -> None:
    """Wait until a warning or a problem has this in it."""
    async with asyncio.timeout(WAIT_S):
        while True:
            status = await running.status()
            if part in json.dumps([status["warnings"], status["problems"]]):
                return
            await asyncio.sleep(0.1)


def temperatures(installation: Installation) -> Counter[float]:
    """How often each value is in the store."""
    return Counter({float(value): int(times) for value, times in installation.store_rows(QUERY)})


async def reads(installation: Installation, value: float) -> None:
    """Wait until uplinks are read by the codec that makes this of them."""
    async with asyncio.timeout(WAIT_S):
        while not temperatures(installation)[value]:
            await asyncio.sleep(0.1)


@pytest.mark.mosquitto
@pytest.mark.timeout(300)
async def test_no_uplink_is_lost_or_read_by_a_broken_codec(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Saved as editors do, broken, replaced by a folder, mended; then one payload that makes it hang."""
    codecs = tmp_path / "codecs"
    codecs.mkdir()
    script, draft = codecs / "th.js", codecs / ".th.js.new"
    script.write_text(SCRIPT % 10)
    (codecs / "profiles.toml").write_text('[profiles]\n"Acme" = "js/th"\n')
    installation = Installation(tmp_path, mosquitto.port)
    traffic, stop = Scripted(mosquitto.port), asyncio.Event()
    async with service(installation) as running:
        await running.connected()
        publishing = asyncio.create_task(traffic.at_rate(RATE, stop))
        await reads(installation, 10)
        draft.write_text(SCRIPT % 5)
        draft.replace(script)
        await reads(installation, 20)
        script.write_text("function decodeUplink( {")
        await told(running, "SyntaxError")
        script.unlink()
        script.mkdir()
        await told(running, "no file")
        script.rmdir()
        script.write_text(SCRIPT % 2)
        await reads(installation, 50)
        stop.set()
        await publishing
        await running.settled(traffic.sent)
        found = temperatures(installation)
        assert found.keys() == {10, 20, 50}
        assert found.total() == traffic.sent
        check_uplinks(StoredPoints(installation).links(), published(traffic))
        assert installation.journal_rows("SELECT count(*) FROM dead_letter") == [(0,)]
        traffic.byte = 0
        await traffic.burst(1)
        await told(running, "had to be ended; not asked again")
        traffic.byte = 100
        await traffic.burst(20)
        async with asyncio.timeout(WAIT_S):
            while installation.journal_rows("SELECT sum(times) FROM dead_letter") != [(21,)]:
                await asyncio.sleep(0.1)
        assert (await running.status())["totals"]["uplinks"] == traffic.sent
