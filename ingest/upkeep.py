"""What the service does beside messages, every few seconds to every hour: measure, tell, fold, compact, forget."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from decoders.quantity import Privacy
from ingest import journal_sql, service_points
from ingest.clock import Clock
from ingest.fleet.fleet import Fleet
from ingest.journal import Journal
from ingest.journal_records import Batch
from ingest.journal_schema import JournalError
from ingest.line_protocol import encode
from ingest.mqtt import Subscriber
from ingest.pipeline import Pipeline
from ingest.sink import Sink, SinkUnavailable
from ingest.sqlite_store import SqliteStore
from ingest.telemetry import Telemetry
from rules.device.config import DAY_MS

UPKEEP_S = 5.0
"""Seconds between looks at the journal's size."""
FOLD_S = 900.0
"""Seconds between foldings of device records into their table: deadlines there must not be past for most devices."""
MAX_FRESH = 150_000
"""Device records in memory that wait for folding; beyond, it is done at once."""
MAX_LOGGED = 300_000
"""Records in the log that wait for folding, some 80 MB of it; beyond, it is done at once."""
COMPACT_S = 60.0
"""Seconds between rounds of joining raw messages."""
COMPACT_PAUSE_S = 0.05
"""Seconds for commits between two steps of joining raw messages."""
PRUNE_S = 3600.0
"""Seconds between prunings."""

log = structlog.get_logger(__name__)


class Upkeep:
    """Looks after journal, device records and sinks; `chain` and `problems` say how the service fares."""

    def __init__(
        self,
        journal: Journal,
        fleet: Fleet,
        telemetry: Telemetry,
        pipeline: Pipeline,
        subscriber: Subscriber,
        clock: Clock,
        chain: Callable[[], Mapping[str, Any]],
        problems: Callable[[], Mapping[str, str]],
    ) -> None:
        self._journal = journal
        self._fleet = fleet
        self._telemetry = telemetry
        self._pipeline = pipeline
        self._subscriber = subscriber
        self._clock = clock
        self._chain = chain
        self._problems = problems
        self._started_ms = clock()

    async def run(self, sinks: Sequence[Sink]) -> None:
        """Until cancelled; what fails is logged and tried again in its turn."""
        loop = asyncio.get_running_loop()
        last_prune = -PRUNE_S
        last_told = loop.time()
        last_compact = loop.time()
        last_fold = last_compact - FOLD_S if self._fleet.fresh else last_compact
        while True:
            try:
                self._telemetry.journal_size(await self._journal.size())
            except JournalError as error:
                log.warning("journal not measured", error=str(error))
            self._telemetry.subscriber(self._subscriber)
            if loop.time() - last_told >= service_points.EVERY_S:
                last_told = loop.time()
                await self.tell_figures(sinks)
            full = self._fleet.fresh > MAX_FRESH or self._fleet.unfolded_logs > MAX_LOGGED
            if full or loop.time() - last_fold >= FOLD_S:
                last_fold = loop.time()
                await self.fold()
            if loop.time() - last_compact >= COMPACT_S:
                last_compact = loop.time()
                await self._compact()
            if loop.time() - last_prune >= PRUNE_S:
                last_prune = loop.time()
                await self.prune(sinks)
            await asyncio.sleep(UPKEEP_S)

    async def tell_figures(self, sinks: Sequence[Sink]) -> None:
        """Keep how the service fares, for dashboards."""
        try:
            figures, batch = await self._figures(sinks), Batch()
            points = service_points.points(figures, self._clock())
            batch.lines[Privacy.INTERNAL] += [line for point in points if (line := encode(point))]
            await self._journal.commit(batch, self._clock())
        except JournalError as error:
            log.warning("figures of the service not kept", error=str(error))

    async def _figures(self, sinks: Sequence[Sink]) -> service_points.Figures:
        chain, newest_ms, now_ms = self._chain(), self._journal.newest_ns_time_ms, self._clock()
        rows = await self._journal.query(journal_sql.newest_points)
        return service_points.Figures(
            size=await self._journal.size(),
            totals=self._telemetry.totals,
            journal_limit_bytes=self._journal.settings.max_bytes,
            lag_s=(now_ms - newest_ms) / 1000 if newest_ms else None,
            uptime_s=(now_ms - self._started_ms) / 1000,
            waiting=self._pipeline.waiting,
            problems=len(self._problems()),
            broker_connected=self._subscriber.connected,
            chain_age_s=chain.get("age_s"),
            chain_round_trip_s=chain.get("round_trip_s"),
            sinks={
                sink.name: service_points.SinkFigures(
                    self._telemetry.backoff_s(sink.name), max(0, rows - self._journal.cursor(sink.name))
                )
                for sink in sinks
            },
        )

    async def _compact(self) -> None:
        try:
            while await self._journal.compact():  # noqa: ASYNC110 - commits get their turn in between
                await asyncio.sleep(COMPACT_PAUSE_S)
        except JournalError as error:
            log.warning("raw messages not compacted", error=str(error))

    async def fold(self) -> None:
        """Put the device records of the log into their table."""
        number, records = self._fleet.unfolded()
        try:
            await self._journal.fold_devices(number, records)
        except JournalError as error:
            log.warning("device records not folded; they stay in the log", error=str(error))
            return
        self._fleet.folded(records)

    async def prune(self, sinks: Sequence[Sink]) -> None:
        """Forget what is old by our clock and by the network server's: neither alone may make us forget."""
        now_ms = min(self._clock(), self._journal.newest_ns_time_ms)
        try:
            gone = await self._journal.prune(now_ms, self._clock())
        except JournalError as error:
            log.warning("journal not pruned", error=str(error))
            return
        self._fleet.forget(self._clock() - int(self._journal.personal.days * DAY_MS))
        for sink in sinks:
            if isinstance(sink, SqliteStore):
                try:
                    gone += await sink.prune(now_ms, self._clock())
                except SinkUnavailable as error:
                    log.warning("store not pruned", error=str(error))
        log.info("pruned", rows=gone)
