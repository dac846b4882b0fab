"""Who changed what: an append-only table, each row chained to the one before by a hash.

The canonical form, for whoever checks a copy elsewhere: a row's hash is SHA-256 over the previous row's hash (32 zero
bytes before row 1) followed by the UTF-8 bytes of the JSON array [number, time_ms, actor, action, subject, reason,
detail], written without spaces and without escaping anything but `"`, backslash and control characters (RFC 8259).
"""

import getpass
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

GENESIS = bytes(32)
COLUMNS = "number, time_ms, actor, action, subject, reason, detail, hash"
PAGE = 1000
"""Rows in one read: a long one keeps the write-ahead log from shrinking."""


class Action(NamedTuple):
    """One change by a person: who, what, on which subject, why."""

    actor: str
    action: str
    subject: str
    reason: str = ""
    detail: str = ""


class Row(NamedTuple):
    """An action in the table; `hash` chains it to the row before."""

    number: int
    time_ms: int
    action: Action
    hash: bytes


class Head(NamedTuple):
    """The end of a chain, for a person to note elsewhere; written `number:hash`."""

    number: int
    hash: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `number:hash`; raises ValueError."""
        number, _, digest = text.strip().partition(":")
        head = cls(int(number), bytes.fromhex(digest))
        if len(head.hash) != len(GENESIS) or head.number < 0:
            raise ValueError(f"{text!r} is no head of an audit chain, expected number:hash (64 hexadecimal digits)")
        return head

    def __str__(self) -> str:
        return f"{self.number}:{self.hash.hex()}"


EMPTY = Head(0, GENESIS)


def operating_system_user() -> str:
    """The actor of a command on this machine."""
    return f"os:{getpass.getuser()}"


def append(connection: sqlite3.Connection, action: Action, time_ms: int) -> None:
    """Add a row inside the caller's transaction; what is no Unicode text is made to fit."""
    last = connection.execute("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    number, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
    action = Action(*(word.encode(errors="replace").decode() for word in action))
    digest = chain(previous, number, time_ms, action)
    connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (number, time_ms, *action, digest))


def chain(previous: bytes, number: int, time_ms: int, action: Action) -> bytes:
    """The hash of a row: SHA-256 over the previous row's hash and the row as canonical JSON."""
    row = json.dumps([number, time_ms, *action], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(previous + row.encode()).digest()


def rows(connection: sqlite3.Connection, after: int = 0) -> Iterator[Row]:
    """All rows behind this number in order, a page at a time."""
    query = f"SELECT {COLUMNS} FROM audit WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608 - own constant
    while page := connection.execute(query, (after, PAGE)).fetchall():
        yield from map(_row, page)
        after = page[-1][0]


def listed(
    connection: sqlite3.Connection, since_ms: int, actor: str | None, action: str | None, limit: int
) -> list[Row]:
    """The newest rows since then, newest first; `action` is a whole one or its first words."""
    query = (
        f"SELECT {COLUMNS} FROM audit WHERE time_ms >= :since"  # noqa: S608 - own constant
        " AND (:actor IS NULL OR actor = :actor)"
        " AND (:action IS NULL OR action = :action OR substr(action, 1, length(:action) + 1) = :action || ' ')"
        " ORDER BY number DESC LIMIT :limit"
    )
    found = connection.execute(query, {"since": since_ms, "actor": actor, "action": action, "limit": limit})
    return [_row(row) for row in found]


def _row(columns: Sequence[Any]) -> Row:
    number, time_ms, actor, action, subject, reason, detail, digest = columns
    return Row(number, time_ms, Action(actor, action, subject, reason, detail), digest)


@dataclass(slots=True)
class Check:
    """A walk along a chain from its beginning, or from `head`: feed it rows in order.

    `bad` is the number of the first row that does not fit. `noted` is a head written down earlier: `missing` says,
    once all rows are through, that it is not in this chain, which was cut off at its end or made anew.
    """

    head: Head = EMPTY
    noted: Head | None = None
    bad: int | None = None
    count: int = 0
    found: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.found = self.noted in {None, EMPTY, self.head}

    def feed(self, chained: Iterable[Row]) -> Self:
        """Walk on until the end or the first bad row."""
        for row in chained:
            if not self._fits(row):
                self.bad = self.head.number + 1
                break
            self.count += 1
            self.head = Head(row.number, row.hash)
            self.found = self.found or self.head == self.noted
        return self

    @property
    def missing(self) -> bool:
        """Whether the noted head did not come along."""
        return not self.found

    def _fits(self, row: Row) -> bool:
        if row.number != self.head.number + 1:
            return False
        try:
            return row.hash == chain(self.head.hash, row.number, row.time_ms, row.action)
        except (TypeError, ValueError):
            return False


def verify(connection: sqlite3.Connection) -> int | None:
    """The number of the first row that does not fit its chain, or None."""
    return Check().feed(rows(connection)).bad
