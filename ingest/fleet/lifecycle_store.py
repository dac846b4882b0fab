"""Lifecycle and assignments in the journal."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence

import structlog

from ingest.bulk_insert import insert
from ingest.fleet.lifecycle import Change, State
from ingest.journal_records import Assigned
from ingest.journal_schema import checksum

MISFIT = "its checksum does not fit"

log = structlog.get_logger(__name__)


def changes(connection: sqlite3.Connection) -> Iterator[Change]:
    """All lifecycle rows; one that is damaged or names no state is left out and logged."""
    for subject, from_ms, state, until_ms, crc in connection.execute(
        "SELECT subject, from_ms, state, until_ms, crc FROM lifecycle ORDER BY subject, from_ms"
    ):
        if checksum(subject, from_ms, state, until_ms) != crc:
            log.error("lifecycle row left out", subject=subject, error=MISFIT)
            continue
        try:
            yield Change(subject, from_ms, State(state), until_ms)
        except ValueError as error:
            log.error("lifecycle row left out", subject=subject, error=str(error))  # noqa: TRY400 - one line


def set_state(change: Change) -> Callable[[sqlite3.Connection], None]:
    """The journal change that notes a state."""

    def write(connection: sqlite3.Connection) -> None:
        row = (change.subject, change.from_ms, change.state.value, change.until_ms)
        connection.execute(
            "INSERT OR REPLACE INTO lifecycle (subject, from_ms, state, until_ms, crc) VALUES (?, ?, ?, ?, ?)",
            (*row, checksum(*row)),
        )

    return write


def assign(word: Assigned) -> Callable[[sqlite3.Connection], None]:
    """The journal change that notes an assignment."""

    def write(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT OR REPLACE INTO assignment (dev_eui, valid_from_ms, asset, source, crc) VALUES (?, ?, ?, ?, ?)",
            (*word, checksum(*word)),
        )

    return write


def write_assigned(connection: sqlite3.Connection, words: Sequence[Assigned]) -> None:
    """Keep what tags said, in the transaction of a batch; what a person said of that device and time stays."""
    insert(connection, "INSERT OR IGNORE INTO assignment", [(*word, checksum(*word)) for word in words])


def assignments(connection: sqlite3.Connection) -> Iterator[Assigned]:
    """All dated assignments; a damaged one is left out and logged."""
    query = "SELECT dev_eui, valid_from_ms, asset, source, crc FROM assignment ORDER BY dev_eui, valid_from_ms"
    for *columns, crc in connection.execute(query):
        word = Assigned(*columns)
        if checksum(*word) == crc:
            yield word
        else:
            log.error("assignment left out", device=word.dev_eui, error=MISFIT)
