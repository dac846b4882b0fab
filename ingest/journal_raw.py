"""The journal's raw messages: plain functions on a connection, each that writes inside its caller's transaction.

A row holds the messages of one commit and privacy class; `compact` merges small rows into segments of up to 1 MB, which
take the place of the last row merged and span at most a day (an hour if personal), so that retention forgets in time.
"""

import heapq
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from decoders.quantity import Privacy
from ingest.journal_records import RawMessage
from ingest.journal_schema import checksum
from ingest.raw import Kept, RawError, pack_batch, pack_segment, unpack, unpacked_bytes
from ingest.settings import JournalSettings

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
SEGMENT_BYTES = 1_000_000
SEGMENT_ROWS = 250
"""Rows that one call merges at most, so that commits wait some 20 ms at most."""
SPAN_MS = {Privacy.OPEN: DAY_MS, Privacy.INTERNAL: DAY_MS, Privacy.PERSONAL: HOUR_MS}
"""Network server time that a segment spans at most."""
LAST = 1 << 62
"""Beyond every row and every time."""
CODECS = "codecs"
COMPLETE = "raw complete from/"
COMPACTED = "raw compacted up to/"

_NEXT = """
SELECT seq, first_ms, last_ms, messages, privacy, body, crc FROM raw
WHERE seq > ? AND privacy = ? AND +last_ms >= ? AND +first_ms < ? ORDER BY seq LIMIT 1
"""
_FOLLOWING = """
SELECT seq, first_ms, last_ms, messages, privacy, body, crc FROM raw WHERE seq > ? AND privacy = ? ORDER BY seq
"""
_INSERT = "INSERT INTO raw (seq, first_ms, last_ms, messages, privacy, body, crc) VALUES (?, ?, ?, ?, ?, ?, ?)"


class Damaged(NamedTuple):
    """A row whose messages cannot be read; network server times as far as they can be believed."""

    seq: int
    messages: int
    first_ms: int
    last_ms: int
    reason: str


class _Row(NamedTuple):
    seq: int
    first_ms: int
    last_ms: int
    messages: int
    privacy: int
    body: bytes
    crc: int

    @property
    def intact(self) -> bool:
        return checksum(self.first_ms, self.last_ms, self.messages, self.privacy, self.body) == self.crc


def write(connection: sqlite3.Connection, number: int, messages: Sequence[RawMessage], *, live: bool) -> None:
    """Keep the messages of commit `number`; not `live` are those that a backfill brought, which no rule saw."""
    if not messages:
        return
    first_ms = min(message.ns_time_ms for message in messages)
    _begin(connection, number, {message.privacy for message in messages}, first_ms)
    codecs = _word(connection, CODECS) or ""
    for privacy in Privacy:
        places = [place for place, message in enumerate(messages) if message.privacy is privacy]
        if not places:
            continue
        chosen = messages if len(places) == len(messages) else [messages[place] for place in places]
        body = pack_batch(chosen, number, codecs, places, live=live)
        _insert(connection, None, chosen, privacy, body)


def read(
    connection: sqlite3.Connection,
    from_ms: int,
    to_ms: int,
    damaged: Callable[[Damaged], None],
    *,
    after: int = 0,
    up_to: int = LAST,
) -> Iterator[Kept]:
    """The messages whose row has network server times in [from_ms, to_ms), in the order in which they were committed.

    Lazily, a row at a time, between which others may write and compact; only those first written to a row behind
    `after` and not behind `up_to`. `damaged` hears of rows that are passed over.
    """
    streams = [_stream(connection, privacy, (from_ms, to_ms), after, damaged) for privacy in Privacy]
    return (kept for kept in heapq.merge(*streams, key=_order) if kept.origin <= up_to)


def newest(connection: sqlite3.Connection) -> int:
    """The newest row ever written."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'raw'").fetchone()
    return 0 if row is None else int(row[0])


def complete_from(connection: sqlite3.Connection, privacy: Privacy) -> int | None:
    """Since when (network server time, ms) every stored message of this class is kept; None: none is."""
    found = _word(connection, COMPLETE + privacy.name)
    return None if found is None else int(found)


def compact(connection: sqlite3.Connection) -> int:
    """Merge the next small rows of each privacy class into a segment; returns how many rows went, 0 when done."""
    return sum(_compact(connection, privacy) for privacy in Privacy)


def prune(
    connection: sqlite3.Connection, settings: JournalSettings, now_ms: int, personal_ms: int | None = None
) -> int:
    """Forget rows whose newest message is older than their class may be kept; returns how many rows went.

    `personal_ms` is what personal ones are measured by (else `now_ms`): our own clock, for they go even when no
    uplink tells the time any more.
    """
    gone = 0
    for privacy in Privacy:
        days = settings.raw_days
        if privacy is Privacy.PERSONAL:
            days = min(days, settings.raw_personal_days)
            now_ms = now_ms if personal_ms is None else personal_ms
        before_ms = now_ms - int(days * DAY_MS)
        bounds = (before_ms, privacy) if days else (LAST, privacy)
        gone += connection.execute("DELETE FROM raw WHERE last_ms < ? AND privacy = ?", bounds).rowcount
        known = complete_from(connection, privacy)
        if not days:
            connection.execute("DELETE FROM meta WHERE key = ?", (COMPLETE + privacy.name,))
        elif known is not None and known < before_ms:
            _remember(connection, COMPLETE + privacy.name, str(before_ms))
    return gone


def _begin(connection: sqlite3.Connection, number: int, classes: Iterable[Privacy], first_ms: int) -> None:
    """From now on these are kept: since the newest commit before, or, in a new journal, since its first message.

    A database may be older than the journal beside it: what it holds of earlier days was never in our hands.
    """
    missing = [privacy for privacy in classes if _word(connection, COMPLETE + privacy.name) is None]
    if not missing:
        return
    query = "SELECT max(ns_time_ms) FROM commits WHERE number < ? AND messages > 0"
    (newest_ms,) = connection.execute(query, (number,)).fetchone()
    for privacy in Privacy if newest_ms is None else missing:
        _remember(connection, COMPLETE + privacy.name, str(first_ms if newest_ms is None else newest_ms + 1))


def _insert(
    connection: sqlite3.Connection, seq: int | None, messages: Iterable[RawMessage], privacy: Privacy, body: bytes
) -> None:
    times = [message.ns_time_ms for message in messages]
    row = (min(times), max(times), len(times), int(privacy), body)
    connection.execute(_INSERT, (seq, *row, checksum(*row)))


def _stream(
    connection: sqlite3.Connection,
    privacy: Privacy,
    span_ms: tuple[int, int],
    after: int,
    damaged: Callable[[Damaged], None],
) -> Iterator[Kept]:
    origin = after
    while row := connection.execute(_NEXT, (after, int(privacy), *span_ms)).fetchone():
        after = row[0]
        try:
            for kept in _messages(_Row(*row)):
                if kept.origin > origin:
                    yield kept
        except RawError as error:
            damaged(Damaged(row[0], row[3], row[1], row[2], str(error)))
        origin = after


def _messages(row: _Row) -> Iterator[Kept]:
    if not row.intact:
        raise RawError(f"row {row.seq}: its checksum does not fit")
    return unpack(row.body, Privacy(row.privacy), row.seq)


def _order(kept: Kept) -> tuple[int, bool, int]:
    return kept.commit, kept.live, kept.place


def _compact(connection: sqlite3.Connection, privacy: Privacy) -> int:
    after = int(_word(connection, COMPACTED + privacy.name) or 0)
    rows = map(_Row._make, connection.execute(_FOLLOWING, (after, int(privacy))))
    group, looked_at = _group(rows, SPAN_MS[privacy])
    if not looked_at:
        if not group and newest(connection) > after:
            _remember(connection, COMPACTED + privacy.name, str(newest(connection)))
        return 0
    if len(group) > 1:
        kept = [item for row in group for item in _messages(row)]
        connection.executemany("DELETE FROM raw WHERE seq = ?", [(row.seq,) for row in group])
        _insert(connection, group[-1].seq, [item.message for item in kept], privacy, pack_segment(kept))
    _remember(connection, COMPACTED + privacy.name, str(looked_at))
    return max(1, len(group))


def _group(rows: Iterable[_Row], span_ms: int) -> tuple[list[_Row], int]:
    """The next rows to be merged, and the last row looked at; 0 while there may be more for the group."""
    group: list[_Row] = []
    first_ms = last_ms = size = 0
    for row in rows:
        if not row.intact:
            return group, row.seq
        first_ms = min(first_ms, row.first_ms) if group else row.first_ms
        last_ms = max(last_ms, row.last_ms) if group else row.last_ms
        if group and last_ms - first_ms >= span_ms:
            return group, group[-1].seq
        group.append(row)
        size += unpacked_bytes(row.body)
        if size >= SEGMENT_BYTES or len(group) >= SEGMENT_ROWS:
            return group, row.seq
    return group, 0


def _word(connection: sqlite3.Connection, key: str) -> str | None:
    row = connection.execute("SELECT value, crc FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row is not None and row[1] == checksum(key, row[0]) else None


def _remember(connection: sqlite3.Connection, key: str, value: str) -> None:
    row = (key, value, checksum(key, value))
    connection.execute("INSERT OR REPLACE INTO meta (key, value, crc) VALUES (?, ?, ?)", row)
