"""Corrections: what a replay or a backfill was asked for and came to, and how its parts get into the journal.

A part is one commit: the erasure of a span of a device together with the lines that take its place, or lines of history
together with the identities of their uplinks. Done twice it changes nothing: what was interrupted is done again.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, Protocol

import structlog
from pydantic import BaseModel, ConfigDict, Field

from decoders.quantity import Privacy
from ingest import audit
from ingest.clock import Clock
from ingest.codecs.version import NAME, InForce
from ingest.journal import Journal
from ingest.journal_records import Batch, RawMessage, SeenUplink
from ingest.journal_schema import checksum
from ingest.replay.erasure import Erasure, behind
from ingest.replay.unread import Unread

log = structlog.get_logger(__name__)
SHOWN_PROBLEMS = 100
"""Lines of a report that are kept."""


class CorrectionError(Exception):
    """A correction that is not there or not running; the message says which."""


class Record(BaseModel):
    """Base of what is kept as JSON: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Order(Record):
    """What was asked for; empty filters mean all. `codecs` is the digest of what decoded."""

    kind: Literal["replay", "backfill"]
    actor: str = Field(min_length=1, max_length=200)
    reason: str = Field("", max_length=1000)
    source: str
    from_ms: int
    to_ms: int
    devices: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    application: str = ""
    codecs: str = ""

    def covers(self, dev_eui: str, model: str, application: str, time_ms: int) -> bool:
        """Whether a device's points of that time were part of it."""
        return (
            self.from_ms <= time_ms < self.to_ms
            and (not self.devices or dev_eui in self.devices)
            and (not self.models or model in self.models)
            and self.application in {"", application}
        )

    @property
    def subject(self) -> str:
        """What it is about, in a few words."""
        chosen = [", ".join(self.devices), ", ".join(self.models), self.application]
        return "; ".join(part for part in chosen if part) or "all devices"


class Change(Record):
    """Which codec wrote the old points of some messages, and which the new ones, each as `id fingerprint`."""

    before: str
    after: str
    messages: int


class Result(Record):
    """What a correction came to; a count is None where it cannot be known."""

    state: Literal["done", "stopped"] = "done"
    counts: dict[str, int | None] = {}
    changes: tuple[Change, ...] = ()
    problems: tuple[str, ...] = ()


class Correction(NamedTuple):
    """A correction in the journal; without a result it runs or was interrupted."""

    id: int
    time_ms: int
    order: Order
    result: Result | None

    def summary(self) -> dict[str, object]:
        """For lists and JSON."""
        result = self.result.model_dump() if self.result else {"state": "running"}
        return {"id": self.id, "time_ms": self.time_ms, **self.order.model_dump(), **result}


class Part(NamedTuple):
    """What one commit of a correction holds; one with erasures says up to which raw row its lines were decoded."""

    lines: Mapping[Privacy, list[str]]
    erasures: tuple[Erasure, ...] = ()
    seen: tuple[SeenUplink, ...] = ()
    raw: tuple[RawMessage, ...] = ()
    read_up_to: int | None = None


class Waiting(NamedTuple):
    """Whether a part was kept, and how many bytes of lines wait for the slowest sink.

    `unread`: it was not, since it would erase points of raw messages that came after it was decoded; read them first.
    """

    kept: bool
    bytes: int
    unread: bool = False


class _UnreadError(Exception):
    """A part that would erase points of messages that it does not know."""


class Keeper(Protocol):
    """Takes the parts of corrections into the journal."""

    async def begin(self, order: Order, in_force: InForce) -> int:
        """Open a correction; returns its number."""
        ...

    async def keep(self, number: int, part: Part) -> Waiting:
        """Commit a part, unless the journal is full or holds newer messages of a device that it erases points of."""
        ...

    async def end(self, number: int, result: Result) -> None:
        """Close a correction with what it came to."""
        ...


class JournalKeeper:
    """Keeps corrections in an open journal; begin and end leave a row in the audit table."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._unread = Unread()

    async def begin(self, order: Order, in_force: InForce) -> int:
        """Open a correction; returns its number."""
        now_ms = self._clock()

        def change(connection: sqlite3.Connection) -> int:
            key = f"{NAME}/{in_force.digest}"
            word = (key, in_force.text, checksum(key, in_force.text))
            connection.execute("INSERT OR IGNORE INTO meta (key, value, crc) VALUES (?, ?, ?)", word)
            body = json.dumps({"order": order.model_dump(), "result": None})
            return _insert(connection, now_ms, body)

        detail = json.dumps({"source": order.source, "from_ms": order.from_ms, "to_ms": order.to_ms})
        action = audit.Action(order.actor, order.kind, order.subject, order.reason, detail)
        return await self._journal.change(change, action, now_ms)

    async def keep(self, number: int, part: Part) -> Waiting:
        """Commit a part, unless the journal is full or holds messages that it should know.

        Raises CorrectionError, JournalError.
        """
        correction = await self._journal.query(lambda connection: get(connection, number))
        if correction.result is not None:
            raise CorrectionError(f"correction {number} is {correction.result.state} already")
        if self._journal.full:
            return Waiting(kept=False, bytes=self._journal.waiting_bytes)
        batch = Batch(lines=behind(part.erasures, part.lines), seen=list(part.seen), raw=list(part.raw))
        try:
            await self._journal.commit(batch, self._clock(), lambda connection: self._check(connection, part))
        except _UnreadError:
            return Waiting(kept=False, bytes=self._journal.waiting_bytes, unread=True)
        return Waiting(kept=True, bytes=self._journal.waiting_bytes)

    def _check(self, connection: sqlite3.Connection, part: Part) -> None:
        """In the transaction of the part, so that nothing can come in between."""
        for dev_eui in dict.fromkeys(erasure.dev_eui for erasure in part.erasures):
            if part.read_up_to is None:
                raise CorrectionError("a part that erases must say up to which raw message it read: update the command")
            if self._unread.holds(connection, dev_eui, part.read_up_to):
                raise _UnreadError

    async def end(self, number: int, result: Result) -> None:
        """Close a correction with what it came to; raises CorrectionError."""
        correction = await self._journal.query(lambda connection: get(connection, number))
        order = correction.order
        kept = result.model_copy(update={"problems": result.problems[:SHOWN_PROBLEMS]})

        def change(connection: sqlite3.Connection) -> None:
            body = json.dumps({"order": order.model_dump(), "result": kept.model_dump()})
            crc = checksum(number, correction.time_ms, body)
            connection.execute("UPDATE correction SET body = ?, crc = ? WHERE id = ?", (body, crc, number))

        action = audit.Action(
            order.actor, f"{order.kind} {kept.state}", f"correction {number}", order.reason, json.dumps(kept.counts)
        )
        await self._journal.change(change, action, self._clock())


def get(connection: sqlite3.Connection, number: int) -> Correction:
    """One correction; raises CorrectionError."""
    row = connection.execute("SELECT id, time_ms, body, crc FROM correction WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise CorrectionError(f"there is no correction {number}")
    found = _correction(*row)
    if found is None:
        raise CorrectionError(f"correction {number} is damaged: its checksum does not fit")
    return found


def listed(connection: sqlite3.Connection) -> list[Correction]:
    """All corrections that are intact, newest first; a damaged one is logged."""
    found: list[Correction] = []
    for row in connection.execute("SELECT id, time_ms, body, crc FROM correction ORDER BY id DESC"):
        correction = _correction(*row)
        if correction is None:
            log.error("correction left out: its checksum does not fit", number=row[0])
        else:
            found.append(correction)
    return found


def _insert(connection: sqlite3.Connection, time_ms: int, body: str) -> int:
    """Returns the number that the row got, which its checksum covers."""
    cursor = connection.execute("INSERT INTO correction (time_ms, body) VALUES (?, ?)", (time_ms, body))
    number = int(cursor.lastrowid or 0)
    connection.execute("UPDATE correction SET crc = ? WHERE id = ?", (checksum(number, time_ms, body), number))
    return number


def versions(connection: sqlite3.Connection) -> dict[str, InForce]:
    """What was in force, by the digest that raw messages and corrections name."""
    rows = connection.execute("SELECT key, value, crc FROM meta WHERE key LIKE ?", (f"{NAME}/%",))
    return dict(_versions(rows.fetchall()))


def _versions(rows: list[tuple[str, str, int]]) -> Iterator[tuple[str, InForce]]:
    for key, value, crc in rows:
        if crc == checksum(key, value):
            yield key.partition("/")[2], InForce.parse(value)


def _correction(number: int, time_ms: int, body: str, crc: int) -> Correction | None:
    """None for a row that is not as it was written."""
    if checksum(number, time_ms, body) != crc:
        return None
    found = json.loads(body)
    result = found["result"]
    return Correction(
        number,
        time_ms,
        Order.model_validate(found["order"]),
        None if result is None else Result.model_validate(result),
    )
