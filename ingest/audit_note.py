"""Audit rows of commands that change something outside the journal."""

from collections.abc import Sequence
from contextlib import closing

from ingest import audit, cli_service
from ingest.audit import Action
from ingest.cli_error import CommandError
from ingest.clock import wall_clock
from ingest.journal_schema import open_writer, take_lock, transaction
from ingest.settings import Settings


def note(settings: Settings, actions: Sequence[Action]) -> bool:
    """Leave a row for each, through the service or alone; False where there is no journal. Raises CommandError."""
    path = settings.journal.path
    if not path.exists():
        return False
    if cli_service.runs(settings):
        for action in actions:
            answer = cli_service.post(settings, "/api/v1/audit", dict(action._asdict()))
            if answer.error is not None:
                raise CommandError(f"changed, but not in the audit table: {answer.error}")
        return True
    with take_lock(path), closing(open_writer(path)) as connection, transaction(connection):
        for action in actions:
            audit.append(connection, action, wall_clock())
    return True
