"""From the journal to the consumers of events: at least once, newest only where state-like, never an old request."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import structlog

from ingest.backoff import Backoff
from ingest.clock import Clock
from ingest.downlink import is_downlink
from ingest.downlink_courier import Courier
from ingest.journal import Journal
from ingest.journal_records import EventRow, Retained, StoredEvent
from ingest.journal_schema import JournalError
from ingest.mqtt_error import PublishFailed, PublishRefused
from ingest.telemetry import Telemetry

IDLE_S = 0.1
"""Seconds between looks into a journal in which nothing waits: retained events may have expired."""
IN_FLIGHT = 200
"""Topics with an event on its way to the broker at most; as many again may be on their way to be emptied."""
REFUSED_S = 60.0
"""Seconds until a topic that the broker refused is tried again."""
NOTE_S = 0.1
"""Seconds for notes to come together: each commit of them stands in the way of the next batch's."""
RETRY_S = 1.0
"""Seconds until notes that failed are tried again."""
LOOK_S = 0.5
"""Seconds between looks whether the broker is there again."""
BACKOFF_S = (0.5, 30.0)
"""Seconds between attempts, least and most."""
ACTS = -1
"""In the place of the validity of what stands on a topic: a request, which the broker does not keep."""
EXPIRED = "expired_unpublished"
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


class Letter(NamedTuple):
    """What is published: an event, or what stands in its place."""

    topic: str
    payload: bytes
    content_type: str


@dataclass(slots=True)
class Notes:
    """What became of events: (seq, status), what stands on retained topics, which topics were emptied.

    `queued` are downlinks that are with ChirpStack.
    """

    done: list[tuple[int, str]] = field(default_factory=list)
    queued: list[str] = field(default_factory=list)
    standing: dict[str, Retained] = field(default_factory=dict)
    emptied: set[str] = field(default_factory=set)

    def stands(self, retained: Retained) -> None:
        """This stands on its topic now."""
        self.standing[retained.topic] = retained

    def emptied_now(self, topic: str) -> None:
        """Nothing stands on this topic any more."""
        self.standing.pop(topic, None)
        self.emptied.add(topic)

    def touches(self, topic: str) -> bool:
        """Whether they say something of this topic."""
        return topic in self.standing or topic in self.emptied


class Outbox:
    """Publishes what waits until cancelled; empties retained topics whose event has expired.

    Topics go side by side, the events of one topic in their order, each after the broker's word on the one before. What
    became of them is noted in the journal meanwhile; what is not noted goes out again after a crash. Topics that people
    stopped meanwhile (`is_stopped`) get nothing more, and what stands on them is withdrawn. Requests of downlinks go
    to ChirpStack as the `courier` says; of every other one that the broker has, `went_out` is told. What is to be
    emptied waits for no backlog, and a wait for the broker ends when it is there again (`is_connected`). Whoever holds
    `turn` keeps it from looking for more.
    """

    def __init__(
        self,
        channel: Channel,
        journal: Journal,
        clock: Clock,
        telemetry: Telemetry,
        speed: float = 1.0,
        is_stopped: Callable[[str], bool] = lambda _: False,
        courier: Courier | None = None,
        went_out: Callable[[EventRow], None] = lambda _: None,
        is_connected: Callable[[], bool] = lambda: False,
    ) -> None:
        self._channel = channel
        self._journal = journal
        self._clock = clock
        self._telemetry = telemetry
        self._speed = speed
        self._is_stopped = is_stopped
        self._courier = courier
        self._went_out = went_out
        self._is_connected = is_connected
        self._backoff = Backoff(*BACKOFF_S)
        self._failing = False
        self._failure: PublishFailed | None = None
        self._refusals: dict[str, float] = {}
        self._taken: set[int] = set()
        self._in_flight: dict[str, asyncio.Task[None]] = {}
        self._left = False
        self._notes, self._noting = Notes(), Notes()
        self._to_note = asyncio.Event()
        self.turn = asyncio.Lock()

    async def run(self) -> None:
        """Publish for ever."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_notes())
                await self._publish(group)
        finally:
            with contextlib.suppress(JournalError):
                await self._note(self._noting)
                await self._note(self._notes)

    async def idle(self) -> bool:
        """Whether the broker has everything that the journal has for it, and nothing that expired stands there.

        Raises JournalError.
        """
        if self._in_flight:
            return False
        taken = self._taken.copy()
        found = await self._journal.pending_events(len(taken) + 1, self._clock(), self._refused_topics())
        expired = await self._journal.retained_until(self._clock())
        left = any(stored.seq not in taken for stored in found)
        return not (left or self._in_flight or any(not self._noted(retained.topic) for retained in expired))

    async def _publish(self, group: asyncio.TaskGroup) -> None:
        while True:
            try:
                async with self.turn:
                    await self._look(group)
            except JournalError as error:
                await self._back_off(str(error))
                continue
            await self._rest()
            if self._failure is not None:
                await asyncio.gather(*self._in_flight.values())
                failure, self._failure = self._failure, None
                await self._back_off(str(failure))

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S):
                await self._journal.new_events.wait()

    async def _look(self, group: asyncio.TaskGroup) -> None:
        """Send off what waits on topics that have nothing in flight."""
        self._journal.new_events.clear()
        taken = self._taken.copy()  # what is noted while the journal is read would look as if it waited
        limit = IN_FLIGHT + len(taken)
        found = await self._journal.pending_events(limit, self._clock(), self._refused_topics())
        expired = await self._journal.retained_until(self._clock())
        by_topic: dict[str, list[StoredEvent]] = {}
        self._left = False
        for stored in found:
            if stored.seq in taken:
                continue
            if stored.superseded:
                self._taken.add(stored.seq)
                ended = self._ended(stored.event) if stored.event.acting else None
                self._done(stored.seq, ended or "superseded")
            else:
                by_topic.setdefault(stored.event.topic, []).append(stored)
        for retained in expired:
            if not self._noted(retained.topic):
                by_topic.setdefault(retained.topic, [])
        for topic, events in by_topic.items():
            room = IN_FLIGHT if events else 2 * IN_FLIGHT
            if topic in self._in_flight or len(self._in_flight) >= room:
                self._left = True
                continue
            self._taken.update(stored.seq for stored in events)
            self._in_flight[topic] = group.create_task(self._send_off(topic, events))

    async def _send_off(self, topic: str, events: Sequence[StoredEvent]) -> None:
        """Send the events of one topic; without any, the one that stands there has expired."""
        waiting = deque(events)
        try:
            if not events:
                await self._empty(topic)
            while waiting and topic not in self._refusals:
                status = await self._send(waiting[0].event)
                if status is None:
                    break
                self._done(waiting.popleft().seq, status)
            self._recovered()
        except PublishFailed as error:
            self._failure = error
        finally:
            self._taken.difference_update(stored.seq for stored in waiting)
            del self._in_flight[topic]
            if self._left or self._failure is not None:
                self._journal.new_events.set()

    def _noted(self, topic: str) -> bool:
        """Whether it is known, and not yet in the journal, what stands on a topic now."""
        return self._notes.touches(topic) or self._noting.touches(topic)

    def _recovered(self) -> None:
        if self._failing:
            self._failing = False
            self._backoff.reset()
            self._telemetry.backing_off(SINK, 0.0, "")

    async def _send(self, event: EventRow) -> str | None:
        """What became of the event; None when it stays pending because the broker refuses it."""
        if self._courier is not None and is_downlink(event.topic):
            return await self._command(event, self._courier)
        status = self._ended(event)
        if status is not None:
            if status == EXPIRED and event.retained:
                await self._empty(event.topic)
            return status
        if not await self._post(event, Letter(event.topic, event.payload, CONTENT_TYPE)):
            return None
        if event.acting:
            self._went_out(event)
        if event.retained or event.acting:
            until_ms = event.valid_until_ms if event.retained else ACTS
            self._notes.stands(Retained(event.topic, event.id, until_ms))
        return "published"

    async def _command(self, event: EventRow, courier: Courier) -> str | None:
        """The same of a request of a downlink, which nothing takes back once ChirpStack's broker has it."""
        letter = await courier.prepare(event) if self._ended(event) is None else None
        if isinstance(letter, str):
            return letter
        status = self._ended(event)
        if letter is None or status is not None:
            status = status or EXPIRED
            await courier.missed(event, expired=status == EXPIRED)
            return status
        if not await self._post(event, Letter(*letter)):
            return None
        self._notes.queued.append(event.id)
        return "published"

    def _ended(self, event: EventRow) -> str | None:
        """What the event has become without being sent, by now."""
        if self._is_stopped(event.topic):
            return "withdrawn" if event.acting else "off"
        return EXPIRED if event.valid_until_ms <= self._clock() else None

    async def _post(self, event: EventRow, letter: Letter) -> bool:
        """Publish at once; False when the broker refuses it."""
        expiry_s = max(1, int((event.valid_until_ms - self._clock()) / 1000 / self._speed))
        topic, payload, content_type = letter
        try:
            await self._channel.publish(
                topic, payload, retain=event.retained, expiry_s=expiry_s, content_type=content_type
            )
        except PublishRefused as error:
            self._refused(event.topic, error)
            return False
        return True

    async def _empty(self, topic: str) -> None:
        try:
            await self._channel.publish(topic, b"", retain=True, expiry_s=None, content_type=None)
        except PublishRefused as error:
            self._refused(topic, error)
        self._notes.emptied_now(topic)
        self._to_note.set()

    def _refused(self, topic: str, error: PublishRefused) -> None:
        self._refusals[topic] = time.monotonic() + REFUSED_S
        self._telemetry.event("refused")
        log.error("the broker refuses an event; others go on", topic=topic, error=str(error), again_in_s=REFUSED_S)

    def _refused_topics(self) -> list[str]:
        now = time.monotonic()
        self._refusals = {topic: until for topic, until in self._refusals.items() if until > now}
        return list(self._refusals)

    # -- notes --------------------------------------------------------------------------------------------------------

    def _done(self, seq: int, status: str) -> None:
        self._notes.done.append((seq, status))
        self._telemetry.event(status)
        self._to_note.set()

    async def _keep_notes(self) -> None:
        """Note what became of events, all that there is in one commit; what fails is tried again."""
        while True:
            await self._to_note.wait()
            await asyncio.sleep(NOTE_S)
            self._to_note.clear()
            self._noting, self._notes = self._notes, Notes()
            while True:
                try:
                    await self._note(self._noting)
                    break
                except JournalError as error:
                    log.warning("published events are not noted yet", error=str(error), retry_in_s=RETRY_S)
                    await asyncio.sleep(RETRY_S)
            self._noting = Notes()

    async def _note(self, notes: Notes) -> None:
        if not notes.done and not notes.emptied:
            return
        standing = [noted for stands in notes.standing.values() if (noted := self._standing(stands)) is not None]
        await self._journal.events_done(notes.done, standing, list(notes.emptied), self._clock(), notes.queued)
        self._taken.difference_update(seq for seq, _ in notes.done)
        if notes.emptied:
            log.info("retained events expired, topics emptied", topics=sorted(notes.emptied))

    def _standing(self, stands: Retained) -> Retained | None:
        """What is noted of it: expired when it was stopped meanwhile, and a request only then."""
        if self._is_stopped(stands.topic):
            return stands._replace(valid_until_ms=0)
        return None if stands.valid_until_ms == ACTS else stands

    async def _back_off(self, reason: str) -> None:
        wait = self._backoff.next_s()
        self._failing = True
        self._telemetry.backing_off(SINK, wait, reason)
        log.warning("events wait, nothing is lost", error=reason, retry_in_s=round(wait, 1))
        until, connected = time.monotonic() + wait, self._is_connected()
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, LOOK_S))
            before, connected = connected, self._is_connected()
            if connected and not before:
                break
