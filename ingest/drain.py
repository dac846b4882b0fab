"""From the journal to the places where readings go: each sink at its own pace, with its own cursor and back-off."""

import asyncio
import time

import structlog

from decoders.quantity import Privacy
from ingest.backoff import Backoff
from ingest.clock import Clock
from ingest.dead_letter import DeadLetter, Reason, dead_letter
from ingest.dead_letter_store import SINK_SOURCE
from ingest.journal import Journal
from ingest.journal_records import PointsRow
from ingest.journal_schema import JournalDamaged, JournalError
from ingest.replay.erasure import few, in_order
from ingest.settings import JournalSettings
from ingest.sink import Rejected, Sink, SinkUnavailable
from ingest.telemetry import Telemetry

IDLE_S = 0.1
"""Seconds between looks into a journal in which nothing waits."""

log = structlog.get_logger(__name__)


class Drain:
    """Moves lines from the journal to one sink until cancelled."""

    def __init__(
        self,
        sink: Sink,
        journal: Journal,
        settings: JournalSettings,
        clock: Clock,
        telemetry: Telemetry,
        *,
        batch_lines: int,
        backoff_s: tuple[float, float],
    ) -> None:
        self._sink = sink
        self._journal = journal
        self._settings = settings
        self._clock = clock
        self._telemetry = telemetry
        self._batch_lines = batch_lines
        self._backoff = Backoff(*backoff_s)
        self._failing_since: float | None = None

    async def run(self) -> None:
        """Drain for ever."""
        while True:
            try:
                rows = await self._journal.points_after(
                    self._journal.cursor(self._sink.name), self._batch_lines, self._clock()
                )
                if not rows:
                    await self._rest()
                    continue
                rows = few(rows)
                rejected = await in_order(rows, self._sink, self._write)
            except (SinkUnavailable, JournalError) as error:
                await self._back_off(error)
                continue
            except JournalDamaged:
                raise
            except Exception as error:
                log.exception("a sink raised what it should not", sink=self._sink.name)
                await self._back_off(error)
                continue
            self._recovered()
            self._journal.advance(self._sink.name, rows[-1].seq, rejected)
            self._telemetry.drained(self._sink.name, sum(row.lines for row in rows), len(rejected))

    async def _write(self, rows: list[PointsRow]) -> list[DeadLetter]:
        letters: list[DeadLetter] = []
        for privacy in Privacy:
            body = b"\n".join(row.body for row in rows if row.privacy is privacy and row.body)
            if body:
                letters += [self._letter(line, privacy) for line in await self._sink.write(privacy, body)]
        return letters

    def _letter(self, rejected: Rejected, privacy: Privacy) -> DeadLetter:
        source = f"{SINK_SOURCE}{self._sink.name}/{privacy.name.lower()}"
        return dead_letter(Reason.SINK, rejected.reason, source, rejected.line, self._clock(), self._settings)

    async def _rest(self) -> None:
        try:
            await self._journal.flush(self._clock())
        except JournalError as error:
            log.warning("cursor not noted yet", sink=self._sink.name, error=str(error))
        await asyncio.sleep(IDLE_S)

    async def _back_off(self, error: Exception) -> None:
        asked = error.retry_after_s if isinstance(error, SinkUnavailable) else None
        wait = self._backoff.next_s() if asked is None else asked
        if self._failing_since is None:
            self._failing_since = time.monotonic()
        self._telemetry.backing_off(self._sink.name, wait, str(error))
        log.warning(
            "sink takes nothing; everything is kept", sink=self._sink.name, error=str(error), retry_in_s=round(wait, 1)
        )
        await asyncio.sleep(wait)

    def _recovered(self) -> None:
        if self._failing_since is not None:
            log.info("sink takes again", sink=self._sink.name, away_s=round(time.monotonic() - self._failing_since, 1))
            self._failing_since = None
            self._backoff.reset()
            self._telemetry.backing_off(self._sink.name, 0.0, "")
