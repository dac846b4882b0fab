"""Replay: raw messages decoded again, and their points put in the place of the old ones, device by device.

For each device a part erases a slice of the span and writes it anew in one commit of the journal; every sink follows in
the order of the journal. So each slice is the old one or the new one, whatever crashes. At the end, what was committed
since reading began is read, too, and its devices are done again: an erasure takes nothing of it away.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from decoders.quantity import Privacy
from ingest import journal_raw
from ingest.calendar import Calendar
from ingest.codec_version import InForce
from ingest.correction import Order, Part, Result
from ingest.decode_again import Decoder
from ingest.devices import DEVICE
from ingest.erasure import Erasure
from ingest.read_back import Points, ReadBack, difference
from ingest.replay_reading import AHEAD_MS, Reading
from ingest.replay_spool import Slice, Spool
from ingest.sink import Sink

PACE_BYTES = 20_000_000
"""Bytes of lines that wait for the sinks before we let them catch up."""
PACE_S = 1.0

Keep = Callable[[Part], Awaitable[None]]


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


class Step(NamedTuple):
    """A slice of a device's span, and what is deleted before it is written."""

    dev_eui: str
    slice: Slice
    measurements: tuple[str, ...]
    erasures: tuple[Erasure, ...]


@dataclass(slots=True)
class Tally:
    """What a replay came to; the first three are None where they cannot be known. `remarks` are for people."""

    before: int | None = 0
    after: int | None = 0
    readings: int | None = 0
    lines: int = 0
    remarks: list[str] = field(default_factory=list)


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
        """Put the points in the place of the old ones by `keep`; raises ReplayError before it began."""
        with Spool() as spool:
            reading = self._read(spool, told, whole=False)
            self._refuse_damage(reading)
            chosen = list(self._chosen(reading))
            for done, dev_eui in enumerate(chosen):
                told.writing(done, len(chosen))
                for step in self._steps(dev_eui, reading, spool):
                    await self._count(step, read_back)
                    await keep(Part(step.slice.lines, step.erasures))
            while dirty := reading.read(self._connection).intersection(chosen):
                for dev_eui in sorted(dirty):
                    for step in self._steps(dev_eui, reading, spool):
                        await keep(Part(step.slice.lines, step.erasures))
            told.writing(len(chosen), len(chosen))
            return self._result(reading, len(chosen))

    async def compare(self, read_back: ReadBack, told: Told) -> Result:
        """What `in_place` would come to."""

        async def keep(_: Part) -> None:
            return

        return await self.in_place(keep, read_back, told)

    async def into(self, sink: Sink, told: Told) -> Result:
        """Write the points, radio side included, to another place, where nothing is deleted; raises SinkUnavailable."""
        self._tally = Tally(None, None, None)
        with Spool() as spool:
            reading = self._read(spool, told, whole=True)
            devices = sorted(reading.works)
            for done, dev_eui in enumerate(devices):
                told.writing(done, len(devices))
                for step in self._steps(dev_eui, reading, spool):
                    self._tally.lines += step.slice.total
                    self._tally.remarks += await write_all(sink, step.slice)
            told.writing(len(devices), len(devices))
            return self._result(reading, len(devices))

    def _read(self, spool: Spool, told: Told, *, whole: bool) -> Reading:
        reading = Reading(self._decoder, self._order, self._in_force, spool, whole=whole)
        reading.read(self._connection, told.reading)
        return reading

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
        for dev_eui, work in sorted(reading.works.items()):
            since = [journal_raw.complete_from(self._connection, privacy) for privacy in work.classes]
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
                self._since[dev_eui] = max([self._order.from_ms, *known])
                if self._since[dev_eui] > self._order.from_ms:
                    self._tally.remarks.append(
                        f"{dev_eui} only from {self._since[dev_eui]} ms on: since then all of its messages are kept"
                    )
                yield dev_eui
                continue
            self._tally.remarks.append(f"{dev_eui} left as it is: {why}")

    def _steps(self, dev_eui: str, reading: Reading, spool: Spool) -> Iterator[Step]:
        measurements = tuple(sorted({*reading.works[dev_eui].measurements, DEVICE}))
        for found in spool.slices(dev_eui, self._since.get(dev_eui, self._order.from_ms), self._order.to_ms):
            families = tuple(name for name in measurements if name != DEVICE)
            erasures = [Erasure(dev_eui, families, found.from_ms, found.to_ms)] if families else []
            erasures += [Erasure(dev_eui, (DEVICE,), *span) for span in self._between_days(found)]
            yield Step(dev_eui, found, measurements, tuple(erasures))

    def _between_days(self, found: Slice) -> Iterator[tuple[int, int]]:
        """The slice without the instants at which days begin: there stands the ledger, which no raw message holds."""
        at, day = found.from_ms, self._calendar.day_of(found.from_ms)
        while at < found.to_ms:
            begin_ms, next_ms = self._calendar.begin_ms(day), self._calendar.begin_ms(day + 1)
            from_ms, to_ms = max(at, begin_ms + 1), min(next_ms, found.to_ms)
            if from_ms < to_ms:
                yield from_ms, to_ms
            at, day = next_ms, day + 1

    async def _count(self, step: Step, read_back: ReadBack) -> None:
        found, tally = step.slice, self._tally
        tally.lines += found.total
        before = await read_back(step.measurements, step.dev_eui, found.from_ms, found.to_ms)
        if before is None or tally.before is None or tally.after is None or tally.readings is None:
            tally.before = tally.after = tally.readings = None
            return
        change = difference(_erased(before, step), (line for lines in found.lines.values() for line in lines))
        tally.before += change.before
        tally.after += change.after
        tally.readings += change.readings

    def _result(self, reading: Reading, devices: int) -> Result:
        tally = self._tally
        counts = {
            "messages": sum(work.messages for work in reading.works.values()),
            "undecodable": sum(work.undecodable for work in reading.works.values()),
            "devices": devices,
            "lines": tally.lines,
            "points_before": tally.before,
            "points_after": tally.after,
            "readings_changed": tally.readings,
            "damaged_messages": sum(row.messages for row in reading.damaged),
        }
        problems = (*tally.remarks, *reading.problems)
        return Result(counts=counts, changes=reading.all_changes(), problems=problems)


async def write_all(sink: Sink, found: Slice) -> list[str]:
    """Write a slice to a sink; returns what it refused, for people. Raises SinkUnavailable."""
    refused: list[str] = []
    for privacy in Privacy:
        body = "\n".join(found.lines[privacy]).encode()
        if body:
            refused += [f"{item.reason}: {item.line.decode()}" for item in await sink.write(privacy, body)]
    return refused


def patient(keep: Callable[[Part], Awaitable[tuple[bool, int]]], full: Sequence[str] = ()) -> Keep:
    """`keep` that waits for the sinks where it must; with `full`, the word for a journal nobody empties, it raises."""

    async def patiently(part: Part) -> None:
        while True:
            kept, waiting_bytes = await keep(part)
            if not kept and full:
                raise ReplayError(*full)
            if not kept or (waiting_bytes > PACE_BYTES and not full):
                await asyncio.sleep(PACE_S)
            if kept:
                return

    return patiently


def _erased(points: Points, step: Step) -> Points:
    """The points that the step's erasures meet."""
    found = {}
    for key, fields in points.items():
        name = key[0].partition(",")[0]
        if any(name in item.measurements and item.from_ms <= key[1] < item.to_ms for item in step.erasures):
            found[key] = fields
    return found
