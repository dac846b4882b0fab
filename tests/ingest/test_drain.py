"""Drains: each sink at its own pace; what a sink refuses for good is a dead letter."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from decoders.quantity import Privacy
from ingest.drain import Drain
from ingest.journal import Journal
from ingest.journal_records import Batch
from ingest.settings import JournalSettings
from ingest.sink import Rejected, SinkUnavailable
from ingest.telemetry import Telemetry

NOW = 1_800_000_000_000
WAIT_S = 30.0


class Store:
    """A sink that remembers, is away when told to, and refuses lines that say `bad`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[tuple[Privacy, bytes]] = []
        self.away: SinkUnavailable | None = None
        self.attempts = 0

    async def write(self, privacy: Privacy, body: bytes) -> list[Rejected]:
        """Remember, or fail."""
        self.attempts += 1
        if self.away:
            raise self.away
        bad = [line for line in body.splitlines() if b"bad" in line]
        self.lines += [(privacy, line) for line in body.splitlines() if line not in bad]
        return [Rejected(line, "it is bad") for line in bad]

    async def close(self) -> None:
        """Nothing to do."""


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """A fresh journal."""
    async with Journal(JournalSettings(path=tmp_path / "journal.db")) as opened:
        yield opened


@contextlib.asynccontextmanager
async def draining(journal: Journal, *stores: Store) -> AsyncIterator[Telemetry]:
    """Drains at work."""
    telemetry = Telemetry()
    for store in stores:
        journal.register(store.name)
    tasks = [
        asyncio.create_task(
            Drain(
                store, journal, journal.settings, lambda: NOW, telemetry, batch_lines=100, backoff_s=(0.01, 0.02)
            ).run()
        )
        for store in stores
    ]
    try:
        yield telemetry
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.01)


def batch(*lines: str) -> Batch:
    """Open lines."""
    made = Batch()
    made.lines[Privacy.OPEN] = list(lines)
    return made


async def test_lines_arrive_with_their_privacy_class_and_leave_the_journal(journal: Journal) -> None:
    """Every line once, in its class; the journal forgets what all sinks have."""
    store = Store("store")
    async with draining(journal, store):
        both = batch("a x=1 1")
        both.lines[Privacy.INTERNAL] = ["b x=1 1"]
        await journal.commit(both, NOW)
        await until(lambda: len(store.lines) == 2)
        async with asyncio.timeout(WAIT_S):
            while (await journal.size()).points:
                await asyncio.sleep(0.01)
    assert store.lines == [(Privacy.OPEN, b"a x=1 1"), (Privacy.INTERNAL, b"b x=1 1")]


async def test_a_sink_that_is_away_stops_no_other(journal: Journal) -> None:
    """One sink writes on while the other is away, and the other gets everything when it is back."""
    here, away = Store("here"), Store("away")
    away.away = SinkUnavailable("connection refused")
    async with draining(journal, here, away) as telemetry:
        for number in range(5):
            await journal.commit(batch(f"a x={number} {number}"), NOW)
        await until(lambda: len(here.lines) == 5 and away.attempts > 2)
        assert telemetry.sink_errors == {"away": "connection refused"}
        away.away = None
        await until(lambda: len(away.lines) == 5)
        assert telemetry.sink_errors == {}
    assert away.lines == here.lines


async def test_a_sink_says_when_to_come_again(journal: Journal) -> None:
    """Retry-After is kept, not our own back-off."""
    store = Store("store")
    store.away = SinkUnavailable("too many requests", retry_after_s=60)
    async with draining(journal, store):
        await journal.commit(batch("a x=1 1"), NOW)
        await until(lambda: store.attempts == 1)
        await asyncio.sleep(0.2)
        assert store.attempts == 1


async def test_a_refused_line_is_a_dead_letter_and_its_neighbours_are_stored(journal: Journal) -> None:
    """The guilty line is kept with sink, class and reason."""
    store = Store("store")
    async with draining(journal, store):
        await journal.commit(batch("a x=1 1", "bad x=1 1", "c x=1 1"), NOW)
        await until(lambda: len(store.lines) == 2)
        async with asyncio.timeout(WAIT_S):
            while not (await journal.size()).dead_letters:
                await asyncio.sleep(0.01)
    query = "SELECT reason, source, detail, payload FROM dead_letter"
    row = await journal.query(lambda c: tuple(c.execute(query).fetchone()))
    assert row == ("sink", "sink/store/open", "it is bad", b"bad x=1 1")


async def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    """After a restart only what was not noted is written again."""
    store = Store("store")
    settings = JournalSettings(path=tmp_path / "j.db")
    async with Journal(settings) as journal, draining(journal, store):
        await journal.commit(batch("a x=1 1"), NOW)
        await until(lambda: len(store.lines) == 1)
        await journal.flush(NOW)
        await journal.commit(batch("b x=1 1"), NOW)
    async with Journal(settings) as journal, draining(journal, store):
        await until(lambda: (Privacy.OPEN, b"b x=1 1") in store.lines)
    assert store.lines[0] == (Privacy.OPEN, b"a x=1 1")
    assert store.lines.count((Privacy.OPEN, b"a x=1 1")) == 1
