"""A service's journal replayed in a test: into a store, without a command line."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from typing_extensions import override

from ingest.calendar import Calendar
from ingest.codecs import version as codec_version
from ingest.codecs.version import InForce
from ingest.dead_letter import DeadLetter
from ingest.drain import Drain
from ingest.history import Recorded
from ingest.journal_records import PointsRow
from ingest.journal_schema import open_reader
from ingest.replay.backfill import Backfill
from ingest.replay.correction import JournalKeeper, Keeper, Order, Part, Result, Waiting
from ingest.replay.decode_again import Decoder
from ingest.replay.erasure import in_order
from ingest.replay.read_back import ReadBack, from_store
from ingest.replay.replay import Replay, patient
from ingest.settings import Settings, load
from ingest.sink import Sink
from ingest.sqlite_store import SqliteStore
from tests.ingest.bench import Bench
from tests.ingest.uplinks import CITY, NOW, PROFILES

DRAIN_S = 60.0
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Untold:
    """Nobody watches."""

    def reading(self, messages: int) -> None:
        """Say nothing."""

    def writing(self, done: int, devices: int) -> None:
        """Say nothing."""


class InOrder(Drain):
    """A drain that meets erasures in order."""

    @override
    async def _write(self, rows: list[PointsRow]) -> list[DeadLetter]:
        return await in_order(rows, self._sink, super()._write)


def replay_settings(tmp_path: Path, **sections: object) -> Settings:
    """Settings with a small city, a store and a long memory for raw messages in a fresh folder."""
    city = tmp_path / "city.geojson"
    city.write_text(json.dumps(CITY))
    given: dict[str, object] = {
        "city": {"file": city},
        "journal": {"path": tmp_path / "journal.db", "batch_messages": 50, "raw_days": 400},
        "store": {"path": tmp_path / "store.db", "retention_days": 36_500},
        "codecs": {"profiles": PROFILES},
        "http": {"enabled": False},
        **sections,
    }
    return load(None, **given)


def note_codecs(bench: Bench) -> None:
    """Keep what is in force now with the raw messages that follow."""
    codec_version.note(bench.service.journal.remember, InForce.now(bench.service.settings.codecs))


async def drained(bench: Bench, sink: Sink) -> None:
    """Let the sink take all lines that wait."""
    service = bench.service
    journal = service.journal
    drain = InOrder(
        sink, journal, service.settings.journal, service.clock, service.telemetry, batch_lines=1000, backoff_s=(0.1, 1)
    )
    (newest,) = await journal.query(lambda c: c.execute("SELECT coalesce(max(seq), 0) FROM points").fetchone())
    task = asyncio.create_task(drain.run())
    try:
        async with asyncio.timeout(DRAIN_S):
            while journal.cursor(sink.name) < newest:
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def order(from_ms: int, to_ms: int, **choice: object) -> Order:
    """A replay that somebody asked for."""
    fields = {"kind": "replay", "actor": "os:test", "reason": "codec fixed", "source": "journal", **choice}
    return Order.model_validate({**fields, "from_ms": from_ms, "to_ms": to_ms})


@contextlib.contextmanager
def reading(settings: Settings) -> Iterator[sqlite3.Connection]:
    """The journal as another process reads it."""
    connection = open_reader(settings.journal.path)
    try:
        yield connection
    finally:
        connection.close()


async def replayed(
    bench: Bench, asked: Order, *, keeper: Keeper | None = None, read_back: ReadBack | None = None
) -> Result:
    """Replay in place, through the journal of the running bench."""
    settings = bench.service.settings
    in_force = InForce.now(settings.codecs)
    asked = asked.model_copy(update={"codecs": in_force.digest})
    keeper = keeper or JournalKeeper(bench.service.journal, bench.service.clock)
    store = settings.store.path
    assert store is not None
    with reading(settings) as connection:
        decoder = Decoder(settings, bench.service.city)
        replay = Replay(connection, decoder, asked, in_force, Calendar(settings.city.timezone))
        number = await keeper.begin(asked, in_force)

        async def keep(part: Part) -> Waiting:
            return await keeper.keep(number, part)

        result = await replay.in_place(patient(keep), read_back or from_store(store), Untold())
        await keeper.end(number, result)
    return result


async def backfilled(bench: Bench, source: list[Recorded], from_ms: int = 0, to_ms: int = NOW * 2) -> Result:
    """Add history through the journal of the running bench."""
    settings = bench.service.settings
    asked = order(from_ms, to_ms, kind="backfill", source="a file")
    keeper = JournalKeeper(bench.service.journal, bench.service.clock)
    in_force = InForce.now(settings.codecs)
    with reading(settings) as connection:
        backfill = Backfill(connection, Decoder(settings, bench.service.city), asked, settings.journal)
        number = await keeper.begin(asked, in_force)

        async def keep(part: Part) -> Waiting:
            return await keeper.keep(number, part)

        result = await backfill.store(source, patient(keep), Untold())
        await keeper.end(number, result)
    return result


def points(path: Path, *measurements: str) -> list[tuple[str, int, dict[str, float | str]]]:
    """All points of the store: series, time, fields; of these Influx measurements, or all."""
    query = "SELECT key, time_ms, fields, measurement FROM point JOIN series ON series.id = point.series ORDER BY 1, 2"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [
            (series, time_ms, json.loads(fields))
            for series, time_ms, fields, measurement in connection.execute(query)
            if not measurements or measurement in measurements
        ]


def new_store(bench: Bench) -> SqliteStore:
    """The store of the settings, known to the journal."""
    settings = bench.service.settings.store
    assert settings.path is not None
    store = SqliteStore(settings.path, settings.retention_days)
    bench.service.journal.register(store.name)
    return store
