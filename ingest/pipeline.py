"""The delivery promise: messages in, one commit, then the acknowledgements.

Group commit: whatever waits when the last commit returned is the next batch. Nothing that a batch changed in memory is
in force before its commit returned; a commit that fails is tried again with the same messages, unacknowledged so far.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

import structlog

from ingest.audit import Action
from ingest.clock import Clock
from ingest.journal import Journal
from ingest.journal_schema import JournalError, JournalFull
from ingest.mqtt import Message, Receipt
from ingest.process import Arrived, Outcome, Poison, Processor
from ingest.settings import JournalSettings
from ingest.telemetry import Telemetry

LEAST_BATCH = 8
"""Messages worth a commit of their own while the disk is idle."""
QUIET_S = 1.0
"""Seconds without a message after which nothing seems to wait at the broker."""
ABSENT_S = 30.0
"""Seconds without a connection after which the wall clock goes on alone."""
STOPPING = "the service is stopping"
FULL = "the journal is at its size limit; try again when the sinks have taken some"
STEP_MS = 600_000
"""A jump of the wall clock beyond this is looked at before the rules follow it."""
STEP_BELIEVED_S = 60.0
"""Seconds after which a jump of the wall clock is believed."""
RETRY_S = 1.0
"""Seconds until a failed commit is tried again."""

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Stopping(Exception):
    """The service is stopping; what was asked for was not done."""


class Intake(Protocol):
    """Where messages come from and acknowledgements go."""

    @property
    def connected(self) -> bool:
        """Whether the broker can reach us."""
        ...

    def acknowledge(self, receipts: Sequence[Receipt]) -> None:
        """Tell the broker that these messages are ours now."""
        ...

    def pause(self) -> None:
        """Deliver nothing until `resume`."""
        ...

    def resume(self) -> None:
        """Deliver again."""
        ...


class Retry(NamedTuple):
    """A dead letter to be tried again, and where its answer goes."""

    letter_id: int
    message: Message
    action: Action
    answer: asyncio.Future[str | None]


class Errand(NamedTuple):
    """Something to be done between two batches, and where its result goes."""

    work: Callable[[], Awaitable[Any]]
    answer: asyncio.Future[Any]


class Pipeline:
    """Takes messages from the intake and puts them through the processor into the journal."""

    def __init__(
        self,
        settings: JournalSettings,
        processor: Processor,
        journal: Journal,
        clock: Clock,
        telemetry: Telemetry,
        speed: float = 1.0,
    ) -> None:
        self._settings = settings
        self._processor = processor
        self._journal = journal
        self._clock = clock
        self._telemetry = telemetry
        self._speed = speed
        self._intake: Intake | None = None
        self._waiting: deque[Message] = deque()
        self._retries: deque[Retry] = deque()
        self._errands: deque[Errand] = deque()
        self._waiting_bytes = 0
        self._enough = LEAST_BATCH
        self._wake = asyncio.Event()
        self._enough_waits = asyncio.Event()
        self._paused = False
        self._stopping = False
        self._was_connected = False
        self._last_message = self._last_connected = now = time.monotonic()
        self._last_look = (now, clock())
        self._jumped_at = now - STEP_BELIEVED_S

    # -- from the intake ----------------------------------------------------------------------------------------------

    def attach(self, intake: Intake) -> None:
        """Say where messages come from, before `run`."""
        self._intake = intake

    def deliver(self, message: Message) -> None:
        """Take one message; never blocks, never raises. Pauses the intake when two batches wait."""
        self._waiting.append(message)
        self._waiting_bytes += len(message.payload)
        waiting = len(self._waiting)
        if waiting == 1:
            self._wake.set()
        if waiting == self._enough:
            self._enough_waits.set()
        full = waiting >= 2 * self._settings.batch_messages or self._waiting_bytes >= 2 * self._settings.batch_bytes
        if full and not self._paused and self._intake is not None:
            self._paused = True
            self._intake.pause()

    async def retry(self, letter_id: int, message: Message, action: Action) -> str | None:
        """Put a dead letter through again; returns why it failed, or None."""
        if self._stopping:
            return STOPPING
        if self._journal.full:
            return FULL
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._retries.append(Retry(letter_id, message, action, answer))
        self._wake.set()
        return await answer

    async def tell(self, message: Message, action: Action) -> None:
        """Put a message of our own through, in one commit with who asked for it; raises Stopping, JournalFull."""
        if self._journal.full:
            raise JournalFull(FULL)
        await self.between(partial(self._tell, message, action))

    async def between(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something between two batches, when nothing is half done; returns or raises what it does, or Stopping."""
        if self._stopping:
            raise Stopping(STOPPING)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._errands.append(Errand(work, answer))
        self._wake.set()
        return await answer

    async def reach(self, now_ms: int) -> None:
        """Finish all that was received and tick at this time, without waiting for quiet; raises Stopping."""
        await self.finish()
        await self.between(partial(self._tick_at, now_ms))

    async def finish(self) -> None:
        """Return when all that was received is committed; raises Stopping."""
        left = 1
        while left:
            left = await self.between(self._left)

    async def _left(self) -> int:
        return len(self._waiting)

    @property
    def waiting(self) -> int:
        """Messages received and not yet in a batch."""
        return len(self._waiting)

    # -- the loop -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until `stop`; a batch that was begun is finished."""
        last_ms = self._processor.last_tick_ms
        if last_ms and abs(self._clock() - last_ms) > STEP_MS * self._speed:
            self._jumped_at = time.monotonic()
        while not self._stopping:
            await self._message_or_tick()
            await self._run_errands()
            if self._waiting or self._retries:
                await self._company()
                await self._batch()
            else:
                await self._tick()
        for retry in self._retries:
            if not retry.answer.done():
                retry.answer.set_result(STOPPING)
        for errand in self._errands:
            if not errand.answer.done():
                errand.answer.set_exception(Stopping(STOPPING))

    def stop(self) -> None:
        """End `run` after the batch in hand; what waits stays unacknowledged and comes again."""
        self._stopping = True
        self._wake.set()
        self._enough_waits.set()

    async def _message_or_tick(self) -> None:
        if self._waiting or self._retries or self._errands or self._stopping:
            return
        self._wake.clear()
        try:
            async with asyncio.timeout(QUIET_S):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _run_errands(self) -> None:
        while self._errands:
            work, answer = self._errands.popleft()
            try:
                result = await work()
            except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
                if not answer.done():
                    answer.set_exception(error)
            else:
                if not answer.done():
                    answer.set_result(result)

    async def _company(self) -> None:
        if len(self._waiting) >= self._enough or self._stopping:
            return
        self._enough_waits.clear()
        try:
            async with asyncio.timeout(self._settings.batch_wait_s):
                await self._enough_waits.wait()
        except TimeoutError:
            return

    async def _tell(self, message: Message, action: Action) -> None:
        if await self._settle([self._processor.read(message)], [action]) is None:
            raise Stopping(STOPPING)

    async def _batch(self) -> None:
        await self._room()
        messages, retries = self._take()
        arrived = [self._processor.read(message) for message in messages]
        arrived += [self._processor.read(retry.message, retry.letter_id) for retry in retries]
        outcome = await self._settle(arrived, [retry.action for retry in retries])
        if outcome is None:
            self._retries.extend(retries)
            return
        receipts = [message.receipt for message in messages if message.receipt is not None]
        if self._intake is not None:
            self._intake.acknowledge(receipts)
        answers = dict(outcome.batch.resolved)
        for retry in retries:
            if not retry.answer.done():
                letter = answers.get(retry.letter_id)
                retry.answer.set_result(f"{letter.reason}: {letter.detail}" if letter else None)
        self._last_message = self._last_connected = time.monotonic()

    def _take(self) -> tuple[list[Message], list[Retry]]:
        messages: list[Message] = []
        size = 0
        while self._waiting and len(messages) < self._settings.batch_messages and size < self._settings.batch_bytes:
            message = self._waiting.popleft()
            size += len(message.payload)
            messages.append(message)
        self._waiting_bytes -= size
        self._enough = max(LEAST_BATCH, len(messages))
        retries = list(self._retries)
        self._retries.clear()
        self._resume()
        return messages, retries

    def _resume(self) -> None:
        room = len(self._waiting) < self._settings.batch_messages and self._waiting_bytes < self._settings.batch_bytes
        if self._paused and room and self._intake is not None:
            self._paused = False
            self._intake.resume()

    async def _settle(self, arrived: Sequence[Arrived], actions: list[Action]) -> Outcome | None:
        """Process and commit until it holds; None when the service stops before it did."""
        while True:
            begin = time.perf_counter()
            try:
                known = await self._journal.look_up(self._processor.wanted(arrived, self._journal.newest_seen_ms))
                outcome = self._processor.process(arrived, known)
            except Poison as poison:
                log.exception("a message made us fail; it is kept as a dead letter", topic=poison.item.message.topic)
                culprit = self._processor.give_up(poison.item, poison.error)
                arrived = [culprit if item is poison.item else item for item in arrived]
                continue
            except JournalError as error:
                log.error("journal cannot be read, nothing acknowledged", error=str(error))  # noqa: TRY400 - one line
            else:
                outcome.batch.actions = actions
                if await self._commit(outcome, time.perf_counter() - begin):
                    return outcome
            if self._stopping:
                return None
            await asyncio.sleep(RETRY_S)

    async def _commit(self, outcome: Outcome, processing_s: float) -> bool:
        begin = time.perf_counter()
        try:
            new = await asyncio.shield(self._journal.commit(outcome.batch, self._clock()))
        except JournalFull as error:
            self._telemetry.commit_failed("full")
            log.error("commit failed, nothing acknowledged", error=str(error), messages=outcome.batch.messages)  # noqa: TRY400
            return False
        except JournalError as error:
            self._telemetry.commit_failed("error")
            log.error("commit failed, nothing acknowledged", error=str(error), messages=outcome.batch.messages)  # noqa: TRY400
            return False
        self._processor.merge(outcome)
        self._telemetry.committed(outcome, new, processing_s, time.perf_counter() - begin)
        return True

    async def _room(self) -> None:
        said = False
        while self._journal.full and not self._stopping:
            if not said:
                log.error(
                    "journal is at its size limit: acknowledging nothing until the sinks have taken some",
                    waiting_bytes=self._journal.waiting_bytes,
                    limit=self._settings.max_bytes,
                )
                said = True
            self._telemetry.commit_failed("size limit")
            try:
                await self._journal.flush(self._clock())
            except JournalError as error:
                log.error("journal takes nothing", error=str(error))  # noqa: TRY400 - one line
            await asyncio.sleep(RETRY_S)
        if said:
            log.info("journal has room again", waiting_bytes=self._journal.waiting_bytes)

    # -- time without messages ----------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        now = time.monotonic()
        connected = self._intake is not None and self._intake.connected
        if connected and not self._was_connected:
            self._last_message = now
        self._was_connected = connected
        if connected:
            self._last_connected = now
            quiet = now - self._last_message >= QUIET_S
        else:
            quiet = now - self._last_connected >= ABSENT_S
        now_ms = self._clock()
        if quiet and self._steady(now, now_ms):
            await self._tick_at(now_ms)

    async def _tick_at(self, now_ms: int) -> None:
        if not self._processor.tick_due(now_ms):
            return
        try:
            known = await self._journal.look_up(self._processor.wanted_at(now_ms))
        except JournalError as error:
            log.error("journal cannot be read, no tick", error=str(error))  # noqa: TRY400 - one line
            return
        await self._commit(self._processor.tick(now_ms, known), 0.0)

    def _steady(self, now: float, now_ms: int) -> bool:
        """Whether the wall clock runs on; after a jump it is believed only when it stays where it went."""
        last, last_ms = self._last_look
        jumped = abs(now_ms - last_ms - (now - last) * 1000 * self._speed) > STEP_MS * self._speed
        self._last_look = (now, now_ms)
        if jumped:
            self._jumped_at = now
            log.warning("the wall clock jumped; rules wait before they follow", jump_s=round((now_ms - last_ms) / 1000))
        return now - self._jumped_at >= STEP_BELIEVED_S
