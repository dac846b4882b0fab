"""Backfill: history from before this service, stored as points and nothing else: no rule, no event, no ledger.

An uplink that the journal knows, by its deduplication_id or as the same frame within the repeat window, is a duplicate:
a second run changes nothing.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain

from decoders.quantity import Privacy
from ingest.history import Recorded
from ingest.identity import digest, identifier
from ingest.journal_records import RawMessage, SeenUplink
from ingest.replay.correction import Order, Part, Result
from ingest.replay.decode_again import Decoder, Message, Undecodable
from ingest.replay.replay import Keep, Told, write_all
from ingest.replay.spool import Slice
from ingest.settings import JournalSettings
from ingest.sink import Sink

CHUNK = 500
"""Messages in one commit at most."""
CHUNK_MS = 3_600_000
"""Network server time that one commit spans at most: so much of the known frames is looked at for it."""


@dataclass(slots=True)
class Counts:
    """What became of the messages of a source."""

    messages: int = 0
    stored: int = 0
    duplicates: int = 0
    undecodable: int = 0
    left_out: int = 0
    lines: int = 0
    problems: list[str] = field(default_factory=list)

    def result(self) -> Result:
        """As the result of a correction."""
        names = ("messages", "stored", "duplicates", "undecodable", "left_out", "lines")
        return Result(counts={name: getattr(self, name) for name in names}, problems=tuple(self.problems))


class Backfill:
    """One backfill; `connection` reads the journal, None for a copy elsewhere, which knows no duplicates."""

    def __init__(
        self, connection: sqlite3.Connection | None, decoder: Decoder, order: Order, settings: JournalSettings
    ) -> None:
        self._connection = connection
        self._decoder = decoder
        self._order = order
        self._window_ms = settings.repeat_window_s * 1000
        self._keeps_raw = settings.raw_days > 0
        self.counts = Counts()

    async def store(self, source: Iterable[Recorded], keep: Keep, told: Told) -> Result:
        """Commit what is new by `keep`, a chunk at a time."""
        for messages in self._chunks(source, told):
            new = list(self._new(messages))
            lines = self._lines(message for message, _ in new)
            raw = tuple(message.raw for message, _ in new) if self._keeps_raw else ()
            if new:
                await keep(Part(lines.lines, seen=tuple(seen for _, seen in new), raw=raw))
            self._count(len(new), lines)
        return self.counts.result()

    async def into(self, source: Iterable[Recorded], sink: Sink, told: Told) -> Result:
        """Write the points to another place; raises SinkUnavailable."""
        for messages in self._chunks(source, told):
            lines = self._lines(messages)
            self.counts.problems += await write_all(sink, lines)
            self._count(len(messages), lines)
        return self.counts.result()

    def _count(self, stored: int, lines: Slice) -> None:
        self.counts.stored += stored
        self.counts.lines += lines.total

    def _chunks(self, source: Iterable[Recorded], told: Told) -> Iterator[list[Message]]:
        chunk: list[Message] = []
        first_ms = last_ms = 0
        for recorded in source:
            self.counts.messages += 1
            told.reading(self.counts.messages)
            message = self._message(recorded)
            if message is None:
                continue
            time_ms = message.raw.ns_time_ms
            wide = chunk and max(last_ms, time_ms) - min(first_ms, time_ms) > CHUNK_MS
            if wide or len(chunk) >= CHUNK:
                yield chunk
                chunk = []
            first_ms = min(first_ms, time_ms) if chunk else time_ms
            last_ms = max(last_ms, time_ms) if chunk else time_ms
            chunk.append(message)
        if chunk:
            yield chunk

    def _message(self, recorded: Recorded) -> Message | None:
        """The message with its network server time and its assets, or None when it is not wanted or not usable."""
        try:
            message = self._decoder.parse(RawMessage(recorded.topic, recorded.payload, 0, Privacy.INTERNAL))
            ns_time_ms = message.uplink.ns_time_ms if message.uplink else message.time_ms
            if not self._wanted(message, ns_time_ms):
                self.counts.left_out += 1
                return None
            message = message._replace(raw=message.raw._replace(ns_time_ms=ns_time_ms))
            return self._decoder.settled(message)
        except Undecodable as error:
            self.counts.undecodable += 1
            self.counts.problems.append(f"{recorded.topic}: {error}")
            return None

    def _wanted(self, message: Message, ns_time_ms: int) -> bool:
        codec = self._decoder.route(message).codec
        device = message.device
        return self._order.covers(device.dev_eui, codec.id if codec else "", device.application, ns_time_ms)

    def _new(self, messages: list[Message]) -> Iterator[tuple[Message, SeenUplink]]:
        """The messages that nobody has stored yet, with their identities."""
        times = [message.raw.ns_time_ms for message in messages]
        frames = self._frames(min(times) - self._window_ms, max(times) + self._window_ms)
        names: set[tuple[int, bytes]] = set()
        for message in messages:
            seen = _identity(message)
            near = (abs(seen.ns_time_ms - before) <= self._window_ms for before in frames.get(seen.frame, ()))
            if seen[:2] in names or self._known(seen) or (seen.frame and any(near)):
                self.counts.duplicates += 1
                continue
            names.add(seen[:2])
            frames.setdefault(seen.frame, []).append(seen.ns_time_ms)
            yield message, seen

    def _lines(self, messages: Iterable[Message]) -> Slice:
        lines: dict[Privacy, list[str]] = {privacy: [] for privacy in Privacy}
        total = 0
        for message in messages:
            readings = self._decoder.lines(message) if message.uplink else []
            for line in chain(self._decoder.notice(message), readings):
                lines[line.privacy].append(line.text)
                total += 1
        return Slice(0, 0, lines, total)

    def _known(self, seen: SeenUplink) -> bool:
        query = "SELECT 1 FROM seen WHERE ns_time_ms = ? AND deduplication_id = ?"
        return self._connection is not None and self._connection.execute(query, seen[:2]).fetchone() is not None

    def _frames(self, from_ms: int, to_ms: int) -> dict[bytes, list[int]]:
        found: dict[bytes, list[int]] = {}
        if self._connection is not None:
            query = "SELECT frame, ns_time_ms FROM seen WHERE ns_time_ms BETWEEN ? AND ?"
            for frame, ns_time_ms in self._connection.execute(query, (from_ms, to_ms)):
                found.setdefault(frame, []).append(ns_time_ms)
        return found


def _identity(message: Message) -> SeenUplink:
    """What makes it the same message: an uplink's as everywhere, of other events their bytes."""
    raw, uplink = message.raw, message.uplink
    if uplink is not None:
        return SeenUplink(raw.ns_time_ms, identifier(uplink), digest(uplink))
    return SeenUplink(raw.ns_time_ms, blake2b(raw.topic.encode() + raw.payload, digest_size=16).digest(), b"")
