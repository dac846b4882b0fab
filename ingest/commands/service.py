"""How commands reach what a service holds: read the journal, change it through the service, or alone without one."""

import json
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import quote

import typer
from pydantic import JsonValue

from ingest.audit import operating_system_user
from ingest.commands.error import CommandError
from ingest.journal_schema import JournalError, is_locked, open_reader
from ingest.settings import Settings
from ingest.token_file import token_path

TIMEOUT_S = 30

Config = Annotated[Path | None, typer.Option("-c", "--config", help="Settings file (TOML).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Why = Annotated[str, typer.Option("--reason", help="Why; goes into the audit table.")]


class Answer(NamedTuple):
    """What the service said: its JSON, or why it refused."""

    body: dict[str, JsonValue]
    error: str | None = None


def runs(settings: Settings) -> bool:
    """Whether a service holds the journal now."""
    return is_locked(settings.journal.path)


def order(reason: str) -> dict[str, JsonValue]:
    """Who asks for a change, and why, as the HTTP interface takes it."""
    return {"actor": operating_system_user(), "reason": reason}


def post(settings: Settings, path: str, body: dict[str, JsonValue]) -> Answer:
    """Ask the running service for a change; raises CommandError when it cannot be asked."""
    return _ask(settings, path, json.dumps(body).encode())


def get(settings: Settings, path: str) -> Answer:
    """Ask the running service what it says of itself; raises CommandError when it cannot be asked."""
    return _ask(settings, path, None)


def segment(text: str) -> str:
    """A part of a path, whatever it contains."""
    return quote(text, safe="")


@contextmanager
def reading(settings: Settings) -> Iterator[sqlite3.Connection]:
    """A connection to the journal that only reads; raises CommandError."""
    try:
        connection = open_reader(settings.journal.path)
    except JournalError as error:
        raise CommandError(str(error)) from error
    try:
        yield connection
    except sqlite3.Error as error:
        raise CommandError(f"journal {settings.journal.path}: {error}") from error
    finally:
        connection.close()


def quiet_logs(settings: Settings) -> None:
    """Only errors on standard error, for commands that do a service's work."""
    from ingest.telemetry import configure_logging  # noqa: PLC0415 - slow to import, where it is needed only

    configure_logging(settings.telemetry.model_copy(update={"log_level": "error"}))


def _ask(settings: Settings, path: str, body: bytes | None) -> Answer:
    file = token_path(settings.journal.path)
    try:
        access = json.loads(file.read_text())
    except OSError as error:
        raise CommandError(
            f"the service runs, but {file} cannot be read ({error.strerror}); is http.enabled?"
        ) from error
    url = f"{access['url']}{path}"
    headers = {"Authorization": f"Bearer {access['token']}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - the address our own service left
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - the same
            return Answer(json.load(answer))
    except urllib.error.HTTPError as problem:
        with problem:
            return Answer({}, _detail(problem))
    except OSError as problem:
        raise CommandError(f"the service does not answer at {url}: {problem}") from problem


def _detail(problem: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(problem)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {problem.code}"
