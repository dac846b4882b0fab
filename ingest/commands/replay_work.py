"""What the command `replay` does: where messages come from, where points go, who keeps the journal."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from ingest.app import BUCKETS, influx_settings, read_city, service_clock, store_path
from ingest.calendar import Calendar
from ingest.clock import wall_clock
from ingest.codecs.version import InForce
from ingest.commands import service as cli_service
from ingest.commands.error import CommandError
from ingest.fleet import store as fleet_store
from ingest.fleet.assignments import Assignments
from ingest.history import HistoryError, Recorded, from_file
from ingest.influxdb.search import ServerFault
from ingest.journal import Journal
from ingest.journal_schema import JournalError, open_reader
from ingest.replay.backfill import Backfill
from ingest.replay.correction import JournalKeeper, Keeper, Order, Part, Result, Waiting
from ingest.replay.correction_client import ServiceKeeper
from ingest.replay.decode_again import Decoder
from ingest.replay.read_back import ReadBack, from_store
from ingest.replay.replay import Keep, Replay, ReplayError, Told, patient
from ingest.settings import Settings
from ingest.sink import Sink, SinkUnavailable
from ingest.sqlite_store import SqliteStore

JOURNAL = "journal"
POSTGRESQL = ("postgresql://", "postgres://")
FILES = (".db", ".sqlite", ".sqlite3")


def run(settings: Settings, order: Order, told: Told, *, into: str = "", dry_run: bool = False) -> Result:
    """Do it; raises CommandError with what to do when it cannot be done."""
    cli_service.quiet_logs(settings)
    work = _replay if order.source == JOURNAL else _backfill
    try:
        return asyncio.run(work(settings, order, told, into, dry_run))
    except (ReplayError, HistoryError, JournalError, ServerFault) as error:
        raise CommandError(str(error)) from error
    except SinkUnavailable as error:
        raise CommandError(f"{error}; nothing was deleted or corrected, try again when it answers") from error


def close(settings: Settings, number: int) -> None:
    """Close an interrupted correction that another one has done again."""

    async def stop() -> None:
        async with _keeper(settings) as (keeper, _):
            await keeper.end(number, Result(state="stopped"))

    asyncio.run(stop())


def is_database(source: str) -> bool:
    """Whether a source is a PostgreSQL database."""
    return source.startswith(POSTGRESQL)


def _end_ms(settings: Settings, order: Order) -> int:
    """Now, or the newest message: what comes while we work is none of ours, else the end would never come."""
    with cli_service.reading(settings) as connection:
        (newest_ms,) = connection.execute("SELECT coalesce(max(last_ms), 0) FROM raw").fetchone()
    return max(service_clock(settings)(), int(newest_ms) + 1, order.from_ms + 1)


async def _replay(settings: Settings, order: Order, told: Told, into: str, dry_run: bool) -> Result:
    in_force = InForce.now(settings.codecs)
    order = order.model_copy(update={"codecs": in_force.digest, "to_ms": min(order.to_ms, _end_ms(settings, order))})
    with cli_service.reading(settings) as connection:
        calendar = Calendar(settings.city.timezone)
        replay = Replay(connection, _decoder(settings, connection), order, in_force, calendar)
        if into:
            async with _elsewhere(settings, into) as sink:
                return await replay.into(sink, told)
        async with _now(settings) as read_back:
            if dry_run:
                return await replay.compare(read_back, told)
            await _ask_sinks(settings)
            async with _keeper(settings) as (keeper, serviced):
                number = await keeper.begin(order, in_force)
                result = await replay.in_place(_keep(keeper, number, serviced=serviced), read_back, told)
                await keeper.end(number, result)
                return result


async def _backfill(settings: Settings, order: Order, told: Told, into: str, dry_run: bool) -> Result:
    in_force = InForce.now(settings.codecs)
    order = order.model_copy(update={"codecs": in_force.digest})
    if not into and not dry_run and not settings.journal.path.exists():
        await Journal(settings.journal).close()
    with _reading(settings, needed=not into) as connection:
        backfill = Backfill(connection, _decoder(settings, connection), order, settings.journal)
        source = _source(settings, order, backfill.counts.problems)
        if into:
            async with _elsewhere(settings, into) as sink:
                return await backfill.into(source, sink, told)
        if dry_run:
            return await backfill.store(source, _keep_nothing, told)
        async with _keeper(settings) as (keeper, serviced):
            shown = order.model_copy(update={"source": _place(order.source)})
            number = await keeper.begin(shown, in_force)
            result = await backfill.store(source, _keep(keeper, number, serviced=serviced), told)
            await keeper.end(number, result)
            return result


async def _keep_nothing(_: Part) -> bool:
    return True


def _keep(keeper: Keeper, number: int, *, serviced: bool) -> Keep:
    async def keep(part: Part) -> Waiting:
        return await keeper.keep(number, part)

    word = f"the journal is full: let a service empty it, then `stadtfunk replay --resume {number}`"
    return patient(keep, () if serviced else (word,))


def _source(settings: Settings, order: Order, problems: list[str]) -> Iterator[Recorded]:
    if not is_database(order.source):
        return from_file(Path(order.source), problems.append)
    from ingest.history_postgresql import from_postgresql  # noqa: PLC0415 - its extra is needed only here

    return from_postgresql(order.source, order.from_ms, order.to_ms, order.devices, settings.mqtt.event_topic)


def _place(source: str) -> str:
    if not is_database(source):
        return source
    from ingest.history_postgresql import place  # noqa: PLC0415 - its extra is needed only here

    return place(source)


def _decoder(settings: Settings, connection: sqlite3.Connection | None) -> Decoder:
    assignments = None if connection is None else Assignments(fleet_store.assignments(connection))
    return Decoder(settings, read_city(settings), assignments)


@contextmanager
def _reading(settings: Settings, *, needed: bool = True) -> Iterator[sqlite3.Connection | None]:
    """The journal, read-only; None where there is none and it is not needed."""
    if not needed and not settings.journal.path.exists():
        yield None
        return
    connection = open_reader(settings.journal.path)
    try:
        yield connection
    finally:
        connection.close()


@asynccontextmanager
async def _keeper(settings: Settings) -> AsyncIterator[tuple[Keeper, bool]]:
    """Who keeps the parts: the running service (True), or the journal itself."""
    if cli_service.runs(settings):
        yield ServiceKeeper(settings), True
        return
    async with Journal(settings.journal) as journal:
        yield JournalKeeper(journal, wall_clock), False


@asynccontextmanager
async def _now(settings: Settings) -> AsyncIterator[ReadBack]:
    """What stands where the replay will write."""
    if settings.influxdb.url is not None:
        from ingest.replay.influx import from_influx  # noqa: PLC0415 - half a second to import, where it is needed only

        async with from_influx(influx_settings(settings)) as read_back:
            yield read_back
        return
    path = store_path(settings)
    if path is None:
        raise CommandError("neither influxdb.url nor store.path is set: there are no points to correct")
    yield from_store(path)


async def _ask_sinks(settings: Settings) -> None:
    """Refuse before anything is changed where a database cannot delete; raises SinkUnavailable, CommandError."""
    if settings.influxdb.url is None:
        return
    from ingest.influxdb.delete import CannotDelete, Eraser  # noqa: PLC0415 - half a second to import, where needed only
    from ingest.influxdb.http import about  # noqa: PLC0415 - the same
    from ingest.influxdb.version import UnknownVersion  # noqa: PLC0415 - the same

    influx = influx_settings(settings)
    eraser = Eraser(influx)
    try:
        await eraser.ask()
    except (CannotDelete, UnknownVersion) as error:
        raise CommandError(f"{error}, so nothing was changed; replay --into another bucket") from error
    except ServerFault as fault:
        raise SinkUnavailable(about(influx, f": {fault}"), fault.retry_after_s) from fault
    finally:
        await eraser.close()


@asynccontextmanager
async def _elsewhere(settings: Settings, into: str) -> AsyncIterator[Sink]:
    """Another bucket of the same InfluxDB, or a store file (`/` in its name, or it ends in .db)."""
    if settings.influxdb.url is None or "/" in into or into.endswith(FILES):
        if Path(into) == store_path(settings):
            raise CommandError(f"{into} is the service's own store; leave --into out to correct it")
        sink: Sink = SqliteStore(Path(into), settings.store.retention_days)
    else:
        from ingest.influx import InfluxSink  # noqa: PLC0415 - half a second to import, where it is needed only

        influx = influx_settings(settings)
        if into in {getattr(influx, name) for name in BUCKETS}:
            raise CommandError(f"{into} is the service's own bucket; leave --into out to correct it")
        sink = InfluxSink(influx.model_copy(update=dict.fromkeys(BUCKETS, into)))
    try:
        yield sink
    finally:
        await sink.close()
