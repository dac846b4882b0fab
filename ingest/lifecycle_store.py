"""Lifecycle and assignments in the journal."""

import sqlite3
from collections.abc import Callable, Iterator

import structlog

from ingest.journal_records import Assigned
from ingest.lifecycle import Change, State

log = structlog.get_logger(__name__)


def changes(connection: sqlite3.Connection) -> Iterator[Change]:
    """All lifecycle rows; one that names no state is left out and logged."""
    for subject, from_ms, state, until_ms in connection.execute(
        "SELECT subject, from_ms, state, until_ms FROM lifecycle ORDER BY subject, from_ms"
    ):
        try:
            yield Change(subject, from_ms, State(state), until_ms)
        except ValueError as error:
            log.error("lifecycle row left out", subject=subject, error=str(error))  # noqa: TRY400 - one line


def set_state(change: Change) -> Callable[[sqlite3.Connection], None]:
    """The journal change that notes a state."""

    def write(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT OR REPLACE INTO lifecycle (subject, from_ms, state, until_ms) VALUES (?, ?, ?, ?)", change
        )

    return write


def assign(word: Assigned) -> Callable[[sqlite3.Connection], None]:
    """The journal change that notes an assignment."""

    def write(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT OR REPLACE INTO assignment (dev_eui, valid_from_ms, asset, source) VALUES (?, ?, ?, ?)", word
        )

    return write
