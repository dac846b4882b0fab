"""From the journal to the consumers of events: at least once, newest only where state-like, never an old request."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from ingest.backoff import Backoff
from ingest.clock import Clock
from ingest.journal import Journal
from ingest.journal_records import EventRow, Retained, StoredEvent
from ingest.journal_schema import JournalError
from ingest.mqtt_error import PublishFailed, PublishRefused
from ingest.telemetry import Telemetry

IDLE_S = 0.1
"""Seconds between looks into a journal in which nothing waits: retained events may have expired."""
BATCH = 200
"""Events in one round at most."""
REFUSED_S = 60.0
"""Seconds until a topic that the broker refused is tried again."""
BACKOFF_S = (0.5, 30.0)
"""Seconds between attempts, least and most."""
SINK = "events"
CONTENT_TYPE = "application/cloudevents+json"

log = structlog.get_logger(__name__)


class Channel(Protocol):
    """Where events go."""

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool, expiry_s: int | None, content_type: str | None
    ) -> None:
        """Returns after the broker's acknowledgement; raises PublishFailed."""
        ...


@dataclass(slots=True)
class Round:
    """What one round did: (seq, status) of events, what stands on retained topics, which topics were emptied."""

    done: list[tuple[int, str]] = field(default_factory=list)
    standing: list[Retained] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)


class Outbox:
    """Publishes what waits until cancelled; empties retained topics whose event has expired."""

    def __init__(
        self, channel: Channel, journal: Journal, clock: Clock, telemetry: Telemetry, speed: float = 1.0
    ) -> None:
        self._channel = channel
        self._journal = journal
        self._clock = clock
        self._telemetry = telemetry
        self._speed = speed
        self._backoff = Backoff(*BACKOFF_S)
        self._failing = False
        self._refusals: dict[str, float] = {}

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            try:
                published = await self._round()
            except (PublishFailed, JournalError) as error:
                await self._back_off(str(error))
                continue
            if self._failing:
                self._failing = False
                self._backoff.reset()
                self._telemetry.backing_off(SINK, 0.0, "")
            if not published:
                await self._rest()

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S):
                await self._journal.new_events.wait()

    async def _round(self) -> int:
        self._journal.new_events.clear()
        waiting = await self._journal.pending_events(BATCH, self._clock(), self._refused_topics())
        expired = await self._journal.retained_until(self._clock())
        result = Round()
        by_topic: dict[str, list[StoredEvent]] = {}
        for stored in waiting:
            if stored.superseded:
                result.done.append((stored.seq, "superseded"))
            else:
                by_topic.setdefault(stored.event.topic, []).append(stored)
        try:
            ends = await asyncio.gather(
                *(self._send_in_order(events, result) for events in by_topic.values()), return_exceptions=True
            )
            for failure in ends:
                if failure is not None:
                    raise failure
            renewed = {stored.event.topic for stored in waiting if stored.event.retained}
            for standing in expired:
                if standing.topic not in renewed:
                    await self._empty(standing.topic, result)
        finally:
            await self._note(result)
        return len(result.done)

    async def _send_in_order(self, events: Sequence[StoredEvent], result: Round) -> None:
        """Send the events of one topic; topics go side by side, for each waits for the broker's word."""
        for stored in events:
            if stored.event.topic in self._refusals:
                return
            status = await self._send(stored.event, result)
            if status:
                result.done.append((stored.seq, status))

    async def _send(self, event: EventRow, result: Round) -> str | None:
        """What became of the event; None when it stays pending because the broker refuses it."""
        now_ms = self._clock()
        if event.valid_until_ms <= now_ms:
            if event.retained:
                await self._empty(event.topic, result)
            return "expired_unpublished"
        expiry_s = max(1, int((event.valid_until_ms - now_ms) / 1000 / self._speed))
        try:
            await self._channel.publish(
                event.topic, event.payload, retain=event.retained, expiry_s=expiry_s, content_type=CONTENT_TYPE
            )
        except PublishRefused as error:
            self._refused(event.topic, error)
            return None
        if event.retained:
            result.standing.append(Retained(event.topic, event.id, event.valid_until_ms))
        return "published"

    async def _empty(self, topic: str, result: Round) -> None:
        try:
            await self._channel.publish(topic, b"", retain=True, expiry_s=None, content_type=None)
        except PublishRefused as error:
            self._refused(topic, error)
        result.emptied.append(topic)

    def _refused(self, topic: str, error: PublishRefused) -> None:
        self._refusals[topic] = time.monotonic() + REFUSED_S
        self._telemetry.event("refused")
        log.error("the broker refuses an event; others go on", topic=topic, error=str(error), again_in_s=REFUSED_S)

    def _refused_topics(self) -> list[str]:
        now = time.monotonic()
        self._refusals = {topic: until for topic, until in self._refusals.items() if until > now}
        return list(self._refusals)

    async def _note(self, result: Round) -> None:
        if result.done or result.emptied:
            await self._journal.events_done(result.done, result.standing, result.emptied, self._clock())
        for _, status in result.done:
            self._telemetry.event(status)
        if result.emptied:
            log.info("retained events expired, topics emptied", topics=result.emptied)

    async def _back_off(self, reason: str) -> None:
        wait = self._backoff.next_s()
        self._failing = True
        self._telemetry.backing_off(SINK, wait, reason)
        log.warning("events wait, nothing is lost", error=reason, retry_in_s=round(wait, 1))
        await asyncio.sleep(wait)
