"""Who changed what: an append-only table, each row chained to the one before by a hash."""

import getpass
import hashlib
import json
import sqlite3
from typing import NamedTuple

GENESIS = bytes(32)


class Action(NamedTuple):
    """One change by a person: who, what, on which subject, why."""

    actor: str
    action: str
    subject: str
    reason: str = ""
    detail: str = ""


def operating_system_user() -> str:
    """The actor of a command on this machine."""
    return f"os:{getpass.getuser()}"


def append(connection: sqlite3.Connection, action: Action, time_ms: int) -> None:
    """Add a row inside the caller's transaction."""
    last = connection.execute("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    number, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
    digest = chain(previous, number, time_ms, action)
    connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (number, time_ms, *action, digest))


def chain(previous: bytes, number: int, time_ms: int, action: Action) -> bytes:
    """The hash of a row: SHA-256 over the previous row's hash and the row as canonical JSON."""
    row = json.dumps([number, time_ms, *action], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(previous + row.encode()).digest()


def verify(connection: sqlite3.Connection) -> int | None:
    """The number of the first row that does not fit its chain, or None."""
    previous = GENESIS
    expected = 1
    for number, time_ms, actor, what, subject, reason, detail, digest in connection.execute(
        "SELECT number, time_ms, actor, action, subject, reason, detail, hash FROM audit ORDER BY number"
    ):
        action = Action(actor, what, subject, reason, detail)
        if number != expected or chain(previous, number, time_ms, action) != digest:
            return int(expected)
        previous, expected = digest, number + 1
    return None
