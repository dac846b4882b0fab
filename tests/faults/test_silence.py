"""The broker cut off for twenty minutes of stepped time: every lot becomes unknown, and says so when it is back."""

import asyncio
import json
from pathlib import Path

import pytest

from ingest.app import Service
from ingest.broker import Mosquitto
from ingest.clock import wall_clock
from ingest.settings import load
from tests.faults.harness import Installation, Traffic, listening

LOT = "stadtfunk/v1/parking/lot/lot-markt/state"
MINUTE_MS = 60_000
WAIT_S = 20.0


@pytest.mark.mosquitto
async def test_every_lot_becomes_unknown_and_says_so(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty minutes without broker: the lot is unknown by ticks alone; its retained state says so when it is back."""
    monkeypatch.setattr("ingest.pipeline.ABSENT_S", 0.2)
    monkeypatch.setattr("ingest.pipeline.STEP_BELIEVED_S", 0.2)
    installation = Installation(tmp_path, mosquitto.port)
    offset_ms = 0
    service = Service(load(installation.settings), clock=lambda: wall_clock() + offset_ms)
    running = asyncio.create_task(service.run())
    traffic = Traffic(mosquitto.port)
    try:
        async with asyncio.timeout(WAIT_S):
            while not (service.subscriber.connected and service.publisher.connected):
                await asyncio.sleep(0.02)
        await traffic.burst(40)
        async with asyncio.timeout(WAIT_S):
            while state(service) in {None, "unknown"}:
                await asyncio.sleep(0.05)
        await mosquitto.stop()
        for _ in range(20):
            offset_ms += MINUTE_MS
            await asyncio.sleep(0.1)
        async with asyncio.timeout(WAIT_S):
            while state(service) != "unknown":
                await asyncio.sleep(0.05)
        await mosquitto.start()
        async with listening(mosquitto.port) as listener, asyncio.timeout(WAIT_S):
            while LOT not in listener.newest or json.loads(listener.newest[LOT])["data"]["state"] != "unknown":
                await asyncio.sleep(0.05)
            assert json.loads(listener.newest[LOT])["data"]["occupied"] is None
        async with listening(mosquitto.port, "late-comer") as late, asyncio.timeout(WAIT_S):
            while LOT not in late.newest:
                await asyncio.sleep(0.05)
            assert json.loads(late.newest[LOT])["data"]["state"] == "unknown"
    finally:
        service.stop()
        await running


def state(service: Service) -> str | None:
    """The newest state of the lot in the journal."""
    query = "SELECT payload FROM event WHERE topic = ? ORDER BY seq DESC LIMIT 1"
    row = service.journal._reader.execute(query, (LOT,)).fetchone()
    return str(json.loads(row[0])["data"]["state"]) if row else None
