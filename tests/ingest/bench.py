"""A service without a broker, with a clock that the test sets."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from ingest.app import Service
from ingest.mqtt import Message, Receipt
from ingest.settings import Settings, load
from tests.ingest.uplinks import (
    CITY,
    NOW,
    PROFILES,
)

WAIT_S = 30.0
MINUTE_MS = 60_000


class Broker:
    """An intake that remembers what it was told."""

    def __init__(self) -> None:
        self.connected = True
        self.acknowledged: list[Receipt] = []
        self.paused = False
        self.pauses = 0

    def acknowledge(self, receipts: Sequence[Receipt]) -> None:
        """Remember."""
        self.acknowledged += receipts

    def pause(self) -> None:
        """Remember."""
        self.paused = True
        self.pauses += 1

    def resume(self) -> None:
        """Remember."""
        self.paused = False


class Bench:
    """A service without a broker, with a clock that the test sets."""

    def __init__(self, settings: Settings, now_ms: int) -> None:
        self.now_ms = now_ms
        self.service = Service(settings, clock=lambda: self.now_ms)
        self.broker = Broker()
        self.service.pipeline.attach(self.broker)
        self.service.journal.register("test")

    async def send(self, *messages: Message) -> None:
        """Deliver and wait until all are settled."""
        expected = len(self.broker.acknowledged) + len(messages)
        for item in messages:
            self.service.pipeline.deliver(item)
        await until(lambda: len(self.broker.acknowledged) >= expected)

    async def tick(self, time_ms: int) -> None:
        """Let time pass up to then, as in a city from which nothing arrives."""
        service = self.service
        self.now_ms = max(self.now_ms, time_ms)
        known = await service.journal.look_up(service.processor.wanted_at(time_ms))
        assert await service.pipeline._commit(service.processor.tick(time_ms, known), 0.0)

    async def lines(self) -> list[str]:
        """All lines that wait for a sink."""
        rows = await self.service.journal.points_after(0, 1_000_000, NOW)
        return [line for row in rows for line in row.body.decode().splitlines()]

    async def letters(self) -> list[tuple[str, str]]:
        """Reason and status of all dead letters, oldest first."""
        query = "SELECT reason, status FROM dead_letter ORDER BY id"
        return await self.service.journal.query(lambda c: [(row[0], row[1]) for row in c.execute(query)])

    async def events(self, kind: str) -> list[dict[str, object]]:
        """The data of all events of a kind, oldest first."""
        rows = await self.service.journal.query(
            lambda c: c.execute("SELECT payload FROM event ORDER BY seq").fetchall()
        )
        found = [json.loads(row[0]) for row in rows]
        return [item["data"] for item in found if f".{kind}." in item["type"]]


async def until(condition: object) -> None:
    """Wait for something to become true."""
    assert callable(condition)
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def running(settings: Settings, now_ms: int = NOW) -> AsyncIterator[Bench]:
    """A bench whose pipeline runs."""
    bench = Bench(settings, now_ms)
    async with bench.service.without_broker():
        yield bench


def city_settings(tmp_path: Path) -> Settings:
    """Settings with a small city in a fresh folder."""
    city = tmp_path / "city.geojson"
    city.write_text(json.dumps(CITY))
    return load(
        city={"file": city},
        journal={"path": tmp_path / "journal.db", "batch_messages": 50},
        codecs={"profiles": PROFILES},
        http={"enabled": False},
    )
