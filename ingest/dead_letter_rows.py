"""How dead letters get into the journal: plain functions on a connection, each inside its caller's transaction."""

import sqlite3

from decoders.quantity import Privacy
from ingest.dead_letter import DeadLetter
from ingest.journal_privacy import PersonalData
from ingest.journal_records import Resolved

LETTER = "reason, detail, source, payload, length, digest, time_ms, dev_eui, codec"
AT_ONCE = 100
"""Dead letters that are asked for their class in one step."""


def write_dead_letter(connection: sqlite3.Connection, letter: DeadLetter, privacy: Privacy = Privacy.INTERNAL) -> bool:
    """Keep a dead letter; False when the same bytes are open already, which are only counted."""
    (times,) = connection.execute(
        "INSERT INTO dead_letter"
        " (status, reason, detail, source, payload, length, digest, time_ms, dev_eui, codec, privacy)"
        " VALUES ('open', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (digest) WHERE status = 'open' DO UPDATE SET times = times + 1 RETURNING times",
        (*letter, int(privacy)),
    ).fetchone()
    return int(times) == 1


def tell_classes(connection: sqlite3.Connection, personal: PersonalData) -> int:
    """Say the class of dead letters that an earlier schema kept without one, some at a time; returns how many."""
    query = f"SELECT id, {LETTER} FROM dead_letter WHERE privacy IS NULL LIMIT ?"  # noqa: S608 - own constant
    found = connection.execute(query, (AT_ONCE,)).fetchall()
    told = [(int(personal.privacy(DeadLetter(*letter))), name) for name, *letter in found]
    connection.executemany("UPDATE dead_letter SET privacy = ? WHERE id = ?", told)
    return len(told)


def write_resolved(connection: sqlite3.Connection, resolved: Resolved, personal: PersonalData) -> None:
    """Note what became of a dead letter that was tried again."""
    letter, error = resolved
    if error is None:
        connection.execute("UPDATE dead_letter SET status = 'retried' WHERE id = ?", (letter,))
    else:
        connection.execute(
            "UPDATE dead_letter SET retries = retries + 1, reason = ?, detail = ?,"
            " privacy = max(coalesce(privacy, 0), ?) WHERE id = ?",
            (error.reason, error.detail, int(personal.privacy(error)), letter),
        )
