"""From the journal to Grafana: severe events become annotations, once each, in their order, however late.

What is done is noted in the journal after it was done. A crash in between does it again, which changes nothing: an
annotation is looked for by the id of its event before one is added.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import structlog

from ingest.backoff import Backoff
from ingest.clock import Clock
from ingest.grafana.client import Annotation, Denied, New, Refused, ServerFault
from ingest.grafana.episode import Episode, Said, Step, event_tag, read, step, worsened
from ingest.grafana.progress import LATER, LET_OUT, OUT, Progress, Row, following, load, save
from ingest.journal import Journal
from ingest.journal_records import Batch
from ingest.journal_schema import JournalDamaged, JournalError
from ingest.settings import GrafanaSettings
from ingest.sink import SinkUnavailable
from ingest.telemetry import Telemetry

SINK = "grafana"
LOOK_S = 1.0
"""Seconds between looks into a journal in which nothing new is."""
NOTE_S = 60.0
"""Seconds until events in which nothing was of interest are noted as seen."""
SUSPECT_S = 900.0
"""Seconds of answers 5xx to one event until it is tried whether Grafana takes another."""

GREETING = event_tag("none")
"""The tag of no annotation, asked for at the start, so that a wrong token is a problem before the first alarm."""

log = structlog.get_logger(__name__)


class Annotations(Protocol):
    """What Grafana is asked; every method raises SinkUnavailable when it has to be done again."""

    async def find(self, tag: str) -> list[Annotation]:
        """The annotations with this tag."""
        ...

    async def add(self, new: New) -> int:
        """Add one; raises Refused."""
        ...

    async def change(
        self, number: int, *, end_ms: int | None = None, tags: Sequence[str] | None = None, text: str | None = None
    ) -> None:
        """Change what is given; raises Refused."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class Annotator:
    """Keeps annotations in step with the journal until cancelled; `refused` counts the events that Grafana refused."""

    def __init__(
        self,
        grafana: Annotations,
        journal: Journal,
        settings: GrafanaSettings,
        clock: Clock,
        telemetry: Telemetry,
        district_of: Callable[[str], str],
    ) -> None:
        self.refused = 0
        self._grafana = grafana
        self._journal = journal
        self._settings = settings
        self._clock = clock
        self._telemetry = telemetry
        self._district_of = district_of
        self._backoff = Backoff(settings.backoff_min_s, settings.backoff_max_s)
        self._failing_since: float | None = None
        self._progress: Progress | None = None
        self._greeted = False
        self._noted_s = time.monotonic()
        self._unnoted = False
        self._suspect: tuple[int, float] | None = None

    async def run(self) -> None:
        """Follow the journal for ever."""
        try:
            while True:
                try:
                    await self._look()
                except (SinkUnavailable, JournalError) as error:
                    await self._back_off(error)
                    continue
                except JournalDamaged:
                    raise
                except Exception as error:
                    log.exception("annotations raised what they should not")
                    await self._back_off(error)
                    continue
                self._recovered()
                await asyncio.sleep(LOOK_S)
        finally:
            self._grafana.close()
            if self._progress is not None:
                with contextlib.suppress(JournalError):
                    await self._note(self._progress)

    def warnings(self) -> dict[str, str]:
        """What people ought to know, though nothing stands still for it."""
        if not self.refused:
            return {}
        return {"grafana": f"{self.refused} events refused by Grafana since the start: see the log"}

    async def _look(self) -> None:
        """Do what there is to do; the first look makes out where to go on, and whether Grafana lets us in."""
        if self._progress is None:
            self._progress = await self._journal.query(load)
            await self._note(self._progress)
        if not self._greeted:
            await self._grafana.find(GREETING)
            self._greeted = True
        progress = self._progress
        while True:
            rows = await self._journal.query(
                partial(following, seq=progress.seq, held=json.dumps(sorted(progress.held)))
            )
            await self._take_held(progress, rows.held)
            for at, row in enumerate(rows.new):
                await self._take(progress, row, rows.new[at + 1 :])
            seen_all = rows.up_to == progress.seq
            progress.seq = rows.up_to
            if seen_all:
                break
        if self._unnoted or time.monotonic() - self._noted_s >= NOTE_S:
            await self._note(progress)

    async def _take_held(self, progress: Progress, rows: Sequence[Row]) -> None:
        """Take those that were let out meanwhile; forget those that will not be."""
        now_ms = self._clock()
        gone = progress.held - {row.seq for row in rows}
        for row in rows:
            status = row.event.status
            if status in LET_OUT:
                await self._handle(progress, row, ())
            if status not in LATER or row.event.valid_until_ms <= now_ms:
                gone.add(row.seq)
        if gone:
            progress.held -= gone
            self._unnoted = True

    async def _take(self, progress: Progress, row: Row, behind: Sequence[Row]) -> None:
        """One new event; what it led to is noted before the next."""
        if row.event.status in LATER and row.event.valid_until_ms > self._clock():
            progress.hold(row.seq)
            self._unnoted = True
        elif row.event.status in OUT:
            await self._handle(progress, row, behind)
        progress.seq = row.seq
        if self._unnoted:
            await self._note(progress)

    async def _handle(self, progress: Progress, row: Row, behind: Sequence[Row]) -> None:
        """Bring Grafana in step with an event; `behind` are those that wait."""
        try:
            said = self._read(row)
        except ValueError as error:
            self._count_refused()
            log.error("no annotation", event_id=row.event.id, error=" ".join(str(error).split()))  # noqa: TRY400 - one line
            return
        try:
            await self._apply(progress, said)
        except Refused as error:
            self._set_aside(progress, said, str(error))
        except ServerFault:
            if not await self._another_goes(progress, row, behind):
                raise
            await self._last_attempt(progress, said)

    async def _last_attempt(self, progress: Progress, said: Said) -> None:
        """Once more, for Grafana may have recovered in between."""
        try:
            await self._apply(progress, said)
        except (Refused, ServerFault) as error:
            self._set_aside(progress, said, str(error))

    def _read(self, row: Row) -> Said:
        settings = self._settings
        if not row.intact:
            raise ValueError("the checksum of its row does not fit")
        event = row.event
        return read(event.topic, event.payload, settings.language, settings.annotate_level, self._district_of)

    # -- one event ----------------------------------------------------------------------------------------------------

    async def _apply(self, progress: Progress, said: Said) -> bool:
        """Do what the event asks for; whether it changed what is open."""
        episode = progress.open.get(said.topic)
        todo = step(said, episode)
        if todo is Step.NOTHING:
            return False
        if todo is Step.BEGIN:
            await self._begin(said)
            progress.open[said.topic] = Episode(said.event_id, said.weight)
        elif episode is not None and todo is Step.WORSEN:
            await self._worsen(said, episode)
            progress.open[said.topic] = Episode(episode.event_id, said.weight)
        elif episode is not None:
            await self._end(said, episode)
            del progress.open[said.topic]
        self._unnoted = True
        self._telemetry.drained(SINK, 1, 0)
        return True

    async def _begin(self, said: Said) -> None:
        if not await self._grafana.find(event_tag(said.event_id)):
            number = await self._grafana.add(said.new)
            log.info("annotation added", event_id=said.event_id, annotation=number, tags=said.tags)

    async def _worsen(self, said: Said, episode: Episode) -> None:
        """Add the new words to the old ones, for people may have edited them."""
        for found in await self._grafana.find(event_tag(episode.event_id)):
            text = found.text if said.text in found.text else f"{found.text}\n{said.text}"
            await self._grafana.change(found.id, tags=worsened(found.tags or (), said), text=text)

    async def _end(self, said: Said, episode: Episode) -> None:
        """Make a span of it; one that people deleted, or that Grafana refused, has none."""
        if episode.event_id:
            for found in await self._grafana.find(event_tag(episode.event_id)):
                await self._grafana.change(found.id, end_ms=said.time_ms)

    # -- what does not go ---------------------------------------------------------------------------------------------

    async def _another_goes(self, progress: Progress, row: Row, behind: Sequence[Row]) -> bool:
        """Whether Grafana, in trouble over this event for long, takes the next one that is about something else."""
        now_s = time.monotonic()
        if self._suspect is None or self._suspect[0] != row.seq:
            self._suspect = row.seq, now_s
        if now_s - self._suspect[1] < SUSPECT_S:
            return False
        for other in behind:
            if other.event.topic == row.event.topic or other.event.status not in OUT:
                continue
            with contextlib.suppress(ValueError, Refused):
                if await self._apply(progress, self._read(other)):
                    return True
        return False

    def _set_aside(self, progress: Progress, said: Said, reason: str) -> None:
        """Go on without it, and without what follows of its episode."""
        if said.weight:
            progress.open[said.topic] = Episode("", said.weight)
        else:
            progress.open.pop(said.topic, None)
        self._unnoted = True
        self._count_refused()
        log.error("Grafana refuses an event; others go on", event_id=said.event_id, topic=said.topic, error=reason)

    def _count_refused(self) -> None:
        self.refused += 1
        self._telemetry.drained(SINK, 1, 1)

    async def _back_off(self, error: Exception) -> None:
        asked = error.retry_after_s if isinstance(error, SinkUnavailable) else None
        wait = max(self._backoff.next_s(), asked or 0)
        if self._failing_since is None:
            self._failing_since = time.monotonic()
        self._telemetry.backing_off(SINK, wait, str(error))
        say = log.error if isinstance(error, Denied) else log.warning
        say("no annotations; events wait", error=str(error), retry_in_s=round(wait, 1))
        await asyncio.sleep(wait)

    def _recovered(self) -> None:
        if self._failing_since is not None:
            log.info("annotations again", away_s=round(time.monotonic() - self._failing_since, 1))
            self._failing_since = None
            self._backoff.reset()
            self._telemetry.backing_off(SINK, 0.0, "")

    async def _note(self, progress: Progress) -> None:
        """Keep how far it has come."""
        await self._journal.commit(Batch(), self._clock(), partial(save, note=progress.dump()))
        self._noted_s, self._unnoted = time.monotonic(), False
