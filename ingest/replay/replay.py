"""Replay: raw messages decoded again, and their points put in the place of the old ones, device by device.

For each device a part erases a slice of the span and writes it anew in one commit of the journal; every sink follows in
the order of the journal. So each slice is the old one or the new one, whatever crashes. The journal takes no part that
would erase points of messages that were not read; they are read then, and at the end what came late is replayed, too.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from decoders.quantity import Privacy
from ingest import journal_raw
from ingest.calendar import Calendar
from ingest.codecs.version import InForce
from ingest.devices import DEVICE
from ingest.replay.correction import Order, Part, Result, Waiting
from ingest.replay.decode_again import Decoder
from ingest.replay.erasure import Erasure
from ingest.replay.read_back import Points, ReadBack
from ingest.replay.reading import AHEAD_MS, Reading
from ingest.replay.spool import Slice, Spool
from ingest.replay.tally import Step, Tally
from ingest.sink import Sink

PACE_BYTES = 20_000_000
"""Bytes of lines that wait for the sinks before we let them catch up."""
PACE_S = 1.0

Keep = Callable[[Part], Awaitable[bool]]
"""Commits a part; False: nothing was done, for messages of its device came that must be read before."""


class ReplayError(Exception):
    """A replay that cannot be done; the message says why and what to do."""


class Told(Protocol):
    """Hears how far a replay is."""

    def reading(self, messages: int) -> None:
        """So many messages were read."""
        ...

    def writing(self, done: int, devices: int) -> None:
        """So many of the devices are done."""
        ...


class Replay:
    """One replay of the raw messages in a journal, which it only reads."""

    def __init__(
        self, connection: sqlite3.Connection, decoder: Decoder, order: Order, in_force: InForce, calendar: Calendar
    ) -> None:
        self._connection = connection
        self._decoder = decoder
        self._order = order
        self._in_force = in_force
        self._calendar = calendar
        self._tally = Tally()
        self._since: dict[str, int] = {}

    async def in_place(self, keep: Keep, read_back: ReadBack, told: Told) -> Result:
        """Put the points in the place of the old ones by `keep`; raises ReplayError, nearly always before it began."""
        with Spool() as spool:
            reading = self._read(spool, told, whole=False)
            self._refuse_damage(reading)
            chosen = list(self._chosen(reading))
            for done, dev_eui in enumerate(chosen):
                told.writing(done, len(chosen))
                self._read_on(reading)
                await self._renew(dev_eui, (self._since[dev_eui], self._order.to_ms), reading, keep, read_back)
            self._read_on(reading)
            while late := list(self._late(chosen, reading)):
                for dev_eui, span_ms in late:
                    await self._renew(dev_eui, span_ms, reading, keep)
                self._read_on(reading)
            told.writing(len(chosen), len(chosen))
            return self._result(reading, len(chosen))

    async def compare(self, read_back: ReadBack, told: Told) -> Result:
        """What `in_place` would come to."""

        async def keep(_: Part) -> bool:
            return True

        return await self.in_place(keep, read_back, told)

    async def into(self, sink: Sink, told: Told) -> Result:
        """Write the points, radio side included, to another place, where nothing is deleted; raises SinkUnavailable."""
        self._tally = Tally(known=False)
        with Spool() as spool:
            reading = self._read(spool, told, whole=True)
            devices = sorted(dev_eui for dev_eui, work in reading.works.items() if work.messages)
            for done, dev_eui in enumerate(devices):
                told.writing(done, len(devices))
                for found in spool.slices(dev_eui, self._order.from_ms, self._order.to_ms):
                    self._tally.lines += found.total
                    self._tally.remarks += await write_all(sink, found)
            told.writing(len(devices), len(devices))
            return self._result(reading, len(devices))

    def _read(self, spool: Spool, told: Told, *, whole: bool) -> Reading:
        reading = Reading(self._decoder, self._order, self._in_force, spool, whole=whole)
        reading.read(self._connection, told.reading)
        return reading

    def _late(self, chosen: Iterable[str], reading: Reading) -> Iterator[tuple[str, tuple[int, int]]]:
        """What is to be replaced once more, since messages came for what was replaced already."""
        for dev_eui in chosen:
            if not reading.works[dev_eui].hopeless:
                yield from ((dev_eui, span_ms) for span_ms in reading.late(dev_eui, self._since[dev_eui]))

    def _read_on(self, reading: Reading) -> None:
        reading.read(self._connection)
        self._refuse_damage(reading)

    async def _renew(
        self,
        dev_eui: str,
        span_ms: tuple[int, int],
        reading: Reading,
        keep: Keep,
        read_back: ReadBack | None = None,
    ) -> None:
        """Replace a span of a device slice by slice; counted with `read_back`."""
        at_ms, to_ms = span_ms
        asked_ms = 0
        before: Points = {}
        while at_ms < to_ms:
            if why := reading.works[dev_eui].hopeless:
                self._tally.remarks.append(f"{dev_eui} left as it is from {at_ms} ms on: {why}")
                return
            step = self._step(dev_eui, reading, at_ms, to_ms)
            if read_back is not None and asked_ms != step.slice.to_ms:
                asked_ms, before = step.slice.to_ms, await self._tally.look(step, read_back)
            if not await keep(Part(step.slice.lines, step.erasures, read_up_to=reading.read_up_to)):
                self._read_on(reading)
                continue
            if read_back is not None:
                self._tally.count(step, before)
            at_ms = step.slice.to_ms
            reading.replaced(dev_eui, step.slice.from_ms, at_ms)

    def _refuse_damage(self, reading: Reading) -> None:
        """Delete no points whose messages cannot be read."""
        order = self._order
        for row in reading.damaged:
            if row.last_ms >= order.from_ms - AHEAD_MS and row.first_ms < order.to_ms + AHEAD_MS:
                raise ReplayError(
                    f"{row.messages} raw messages of {row.first_ms}–{row.last_ms} ms cannot be read ({row.reason}) and "
                    "their points would be lost: replay spans a day away from them, or --into another place"
                )

    def _chosen(self, reading: Reading) -> Iterator[str]:
        """The devices that can be replayed whole; why the others are left as they are becomes a remark."""
        kept_from = {privacy: journal_raw.complete_from(self._connection, privacy) for privacy in Privacy}
        for dev_eui, work in sorted(reading.works.items()):
            since = [kept_from[privacy] for privacy in work.classes]
            known = [moment for moment in since if moment is not None]
            if work.hopeless:
                why = work.hopeless
            elif work.undecodable and work.undecodable >= work.messages:
                why = f"none of its {work.messages} messages can be decoded"
            elif len(known) < len(since):
                why = "not all of its messages were kept"
            elif max(known, default=0) >= self._order.to_ms:
                why = f"all of its messages are kept only since {max(known)} ms"
            else:
                self._since[dev_eui] = self._begin_ms(dev_eui, max([self._order.from_ms, *known]), kept_from, reading)
                yield dev_eui
                continue
            self._tally.remarks.append(f"{dev_eui} left as it is: {why}")

    def _begin_ms(self, dev_eui: str, since_ms: int, kept_from: Mapping[Privacy, int | None], reading: Reading) -> int:
        """From when on a device is replayed, whose messages of the classes that were read are kept since `since_ms`.

        It may have been of a class whose messages are gone: older than those of all classes are only points behind
        its first message.
        """
        if since_ms > self._order.from_ms:
            self._tally.remarks.append(f"{dev_eui} only from {since_ms} ms on: since then all of its messages are kept")
        every_ms = max(journal_raw.LAST if moment is None else moment for moment in kept_from.values())
        return max(since_ms, min(every_ms, reading.first_ms(dev_eui)))

    def _step(self, dev_eui: str, reading: Reading, from_ms: int, to_ms: int) -> Step:
        """The first slice of a span."""
        found = reading.spool.slice(dev_eui, from_ms, to_ms)
        measurements = tuple(sorted({*reading.works[dev_eui].measurements, DEVICE}))
        families = tuple(name for name in measurements if name != DEVICE)
        erasures = [Erasure(dev_eui, families, found.from_ms, found.to_ms)] if families else []
        erasures += [Erasure(dev_eui, (DEVICE,), *span) for span in self._between_days(found)]
        return Step(dev_eui, found, measurements, tuple(erasures))

    def _between_days(self, found: Slice) -> Iterator[tuple[int, int]]:
        """The slice without the instants at which days begin: there stands the ledger, which no raw message holds."""
        at, day = found.from_ms, self._calendar.day_of(found.from_ms)
        while at < found.to_ms:
            begin_ms, next_ms = self._calendar.begin_ms(day), self._calendar.begin_ms(day + 1)
            from_ms, to_ms = max(at, begin_ms + 1), min(next_ms, found.to_ms)
            if from_ms < to_ms:
                yield from_ms, to_ms
            at, day = next_ms, day + 1

    def _result(self, reading: Reading, devices: int) -> Result:
        counts = {
            "messages": sum(work.messages for work in reading.works.values()),
            "undecodable": sum(work.undecodable for work in reading.works.values()),
            "devices": devices,
            **self._tally.counts(),
            "damaged_messages": sum(row.messages for row in reading.damaged),
        }
        problems = (*self._tally.remarks, *reading.problems)
        return Result(counts=counts, changes=reading.all_changes(), problems=problems)


async def write_all(sink: Sink, found: Slice) -> list[str]:
    """Write a slice to a sink; returns what it refused, for people. Raises SinkUnavailable."""
    refused: list[str] = []
    for privacy in Privacy:
        body = "\n".join(found.lines[privacy]).encode()
        if body:
            refused += [f"{item.reason}: {item.line.decode()}" for item in await sink.write(privacy, body)]
    return refused


def patient(keep: Callable[[Part], Awaitable[Waiting]], full: Sequence[str] = ()) -> Keep:
    """`keep` that waits for the sinks where it must; with `full`, the word for a journal nobody empties, it raises."""

    async def patiently(part: Part) -> bool:
        while True:
            waiting = await keep(part)
            if waiting.unread:
                return False
            if not waiting.kept and full:
                raise ReplayError(*full)
            if not waiting.kept or (waiting.bytes > PACE_BYTES and not full):
                await asyncio.sleep(PACE_S)
            if waiting.kept:
                return True

    return patiently
