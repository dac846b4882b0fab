"""Audit rows of commands that change something outside the journal."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from ingest import audit
from ingest.audit import Action
from ingest.clock import wall_clock
from ingest.commands import service as cli_service
from ingest.commands.error import CommandError
from ingest.journal_schema import JournalError, open_writer, take_lock, transaction
from ingest.settings import Settings


def prepare(settings: Settings) -> None:
    """See that rows can be left, before anything is changed; makes the journal where none is. Raises CommandError."""
    problem = "nothing changed, for it could not be noted"
    try:
        alone = not cli_service.runs(settings)
    except OSError as error:
        raise CommandError(f"{problem}: {error}") from error
    if alone:
        with _alone(settings, problem):
            pass


def note(settings: Settings, actions: Sequence[Action]) -> None:
    """Leave a row for each, through the service or alone; raises CommandError."""
    problem = "changed, but not in the audit table"
    if not cli_service.runs(settings):
        with _alone(settings, problem) as connection, transaction(connection):
            for action in actions:
                audit.append(connection, action, wall_clock())
        return
    for action in actions:
        answer = cli_service.post(settings, "/api/v1/audit", dict(action._asdict()))
        if answer.error is not None:
            raise CommandError(f"{problem}: {answer.error}")


@contextmanager
def _alone(settings: Settings, problem: str) -> Iterator[sqlite3.Connection]:
    path = settings.journal.path
    try:
        with take_lock(path), closing(open_writer(path)) as connection:
            yield connection
    except (JournalError, OSError) as error:
        raise CommandError(f"{problem}: {error}") from error
