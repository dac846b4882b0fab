"""Dead letters in the journal: listed, shown, tried again, discarded."""

import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple

from decoders.quantity import Privacy
from ingest.dead_letter import Reason
from ingest.journal_sql import write_points
from ingest.mqtt import Message

COLUMNS = "id, status, reason, detail, source, payload, length, time_ms, dev_eui, codec, times, retries, privacy"
SINK_SOURCE = "sink/"


class DeadLetterError(Exception):
    """A dead letter that is not there or cannot be tried again; the message says why."""


class StoredLetter(NamedTuple):
    """A dead letter in the journal."""

    id: int
    status: str
    reason: str
    detail: str
    source: str
    payload: bytes
    length: int
    time_ms: int
    dev_eui: str
    codec: str
    times: int
    retries: int
    privacy: int | None

    def summary(self) -> dict[str, Any]:
        """All but the payload, for lists and JSON."""
        found = {key: value for key, value in self._asdict().items() if key != "payload"}
        return {**found, "privacy": None if self.privacy is None else Privacy(self.privacy).name.lower()}

    def message(self) -> Message:
        """The message as it arrived; raises DeadLetterError when only its head was kept."""
        if self.length != len(self.payload):
            raise DeadLetterError(
                f"dead letter {self.id}: only the first {len(self.payload)} of {self.length} bytes were kept"
            )
        return Message(self.source, self.payload, qos=1, retain=False, duplicate=False, receipt=None)


def listed(
    connection: sqlite3.Connection, status: str | None = "open", reason: str | None = None, limit: int = 100
) -> list[StoredLetter]:
    """Dead letters, newest first; status None lists all."""
    query = (
        f"SELECT {COLUMNS} FROM dead_letter WHERE (:status IS NULL OR status = :status)"  # noqa: S608 - own constants
        " AND (:reason IS NULL OR reason = :reason) ORDER BY id DESC LIMIT :limit"
    )
    rows = connection.execute(query, {"status": status, "reason": reason, "limit": limit})
    return [StoredLetter(*row) for row in rows]


def get(connection: sqlite3.Connection, letter_id: int) -> StoredLetter:
    """One dead letter; raises DeadLetterError."""
    row = connection.execute(
        f"SELECT {COLUMNS} FROM dead_letter WHERE id = ?",  # noqa: S608 - own constants
        (letter_id,),
    ).fetchone()
    if row is None:
        raise DeadLetterError(f"there is no dead letter {letter_id}")
    return StoredLetter(*row)


def open_letter(connection: sqlite3.Connection, letter_id: int) -> StoredLetter:
    """One dead letter that still waits for a decision; raises DeadLetterError."""
    letter = get(connection, letter_id)
    if letter.status != "open":
        raise DeadLetterError(f"dead letter {letter_id} is {letter.status} already")
    return letter


def discard(letter_id: int) -> Callable[[sqlite3.Connection], None]:
    """The change that sets a dead letter aside; it stays listed under `discarded`."""

    def change(connection: sqlite3.Connection) -> None:
        open_letter(connection, letter_id)
        connection.execute("UPDATE dead_letter SET status = 'discarded' WHERE id = ?", (letter_id,))

    return change


def is_line(letter: StoredLetter) -> bool:
    """Whether it is a line that a database refused, no message."""
    return letter.reason == Reason.SINK


def requeue_line(letter: StoredLetter) -> Callable[[sqlite3.Connection], None]:
    """The change that hands a refused line to the sinks once more."""
    privacy = Privacy[letter.source.rsplit("/", 1)[-1].upper()]

    def change(connection: sqlite3.Connection) -> None:
        open_letter(connection, letter.id)
        if letter.length != len(letter.payload):
            raise DeadLetterError(f"dead letter {letter.id}: only its head was kept")
        write_points(connection, privacy, 1, letter.payload)
        connection.execute("UPDATE dead_letter SET status = 'retried' WHERE id = ?", (letter.id,))

    return change
