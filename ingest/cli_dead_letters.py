"""`stadtfunk dead-letters`: what could not be used, and what becomes of it."""

import asyncio
import json
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from ingest import dead_letter_store as store
from ingest.audit import Action, operating_system_user
from ingest.cli_error import CommandError
from ingest.cli_table import print_table
from ingest.dead_letter import Reason
from ingest.dead_letter_store import DeadLetterError, StoredLetter
from ingest.journal_schema import JournalError, is_locked, open_reader
from ingest.settings import Settings, load
from ingest.token_file import token_path

TIMEOUT_S = 30
SHOWN_BYTES = 512

app = typer.Typer(
    name="dead-letters",
    help="Messages and lines that could not be used: list, show, retry, discard.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Config = Annotated[Path | None, typer.Option("-c", "--config", help="Settings file (TOML).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Ids = Annotated[list[int] | None, typer.Argument(help="Numbers of dead letters, as `list` shows them.")]
Why = Annotated[str, typer.Option("--reason", help="Why; goes into the audit table.")]
Everything = Annotated[bool, typer.Option("--all", help="All open ones.")]
Kind = Annotated[Reason | None, typer.Option("--kind", help="Only those kept for this reason.")]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app)


@app.command("list", epilog="Example: stadtfunk dead-letters list --kind unknown_profile --json")
def list_(
    config: Config = None,
    kind: Kind = None,
    status: Annotated[str, typer.Option(help="open, retried, discarded or all.")] = "open",
    limit: Annotated[int, typer.Option(min=1, help="Newest ones at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List dead letters, newest first."""
    with _reading(load(config)) as connection:
        found = store.listed(connection, None if status == "all" else status, kind.value if kind else None, limit)
    if as_json:
        typer.echo(json.dumps([letter.summary() for letter in found]))
        return
    table = Table("id", "time (UTC)", "reason", "device", "times", "detail", box=None)
    for letter in found:
        device = letter.dev_eui or "-"
        table.add_row(str(letter.id), _time(letter), letter.reason, device, str(letter.times), letter.detail)
    if found:
        print_table(table)
    else:
        typer.echo("no dead letters")


@app.command(epilog="Example: stadtfunk dead-letters show 17")
def show(
    number: Annotated[int, typer.Argument(help="Number of the dead letter.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter with its bytes."""
    with _reading(load(config)) as connection:
        letter = store.get(connection, number)
    if as_json:
        typer.echo(json.dumps({**letter.summary(), "payload_hex": letter.payload.hex()}))
        return
    for key, value in letter.summary().items():
        typer.echo(f"{key:10} {_time(letter) if key == 'time_ms' else value}")
    typer.echo(f"payload    {letter.payload[:SHOWN_BYTES]!r}" + (" …" if len(letter.payload) > SHOWN_BYTES else ""))


@app.command(epilog="Example: stadtfunk dead-letters retry --kind unknown_profile --all --reason 'codec added'")
def retry(
    numbers: Ids = None,
    config: Config = None,
    every: Everything = False,
    kind: Kind = None,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Put dead letters through again, as if they had just arrived."""
    _change("retry", load(config), numbers, every, kind, reason, as_json)


@app.command(epilog="Example: stadtfunk dead-letters discard 17 18 --reason 'test device'")
def discard(
    numbers: Ids = None,
    config: Config = None,
    every: Everything = False,
    kind: Kind = None,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Set dead letters aside; they stay listed under `--status discarded`."""
    _change("discard", load(config), numbers, every, kind, reason, as_json)


def _change(
    verb: str,
    settings: Settings,
    numbers: list[int] | None,
    every: bool,
    kind: Reason | None,
    reason: str,
    as_json: bool,
) -> None:
    if bool(numbers) == every:
        raise typer.BadParameter("give numbers, or --all (with --kind to narrow it)")
    chosen = numbers or _open_numbers(settings, kind)
    actor = operating_system_user()
    apply = _through_service if is_locked(settings.journal.path) else _alone
    results = apply(verb, settings, chosen, actor, reason)
    if as_json:
        typer.echo(json.dumps([{"id": number, "error": error} for number, error in results]))
    else:
        for number, error in results:
            typer.echo(f"{number}: {error or 'done'}")
    if any(error for _, error in results):
        raise typer.Exit(1)


Results = list[tuple[int, str | None]]


def _open_numbers(settings: Settings, kind: Reason | None) -> list[int]:
    with _reading(settings) as connection:
        return [letter.id for letter in store.listed(connection, "open", kind.value if kind else None, 1_000_000)][::-1]


def _through_service(verb: str, settings: Settings, numbers: list[int], actor: str, reason: str) -> Results:
    path = token_path(settings.journal.path)
    try:
        access = json.loads(path.read_text())
    except OSError as error:
        raise CommandError(
            f"the service runs, but {path} cannot be read ({error.strerror}); is http.enabled?"
        ) from error
    body = json.dumps({"actor": actor, "reason": reason}).encode()
    return [
        (number, _post(f"{access['url']}/api/v1/dead-letters/{number}/{verb}", access["token"], body))
        for number in numbers
    ]


def _post(url: str, token: str, body: bytes) -> str | None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - the address our own service left
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - the same
            error = json.load(answer)["error"]
    except urllib.error.HTTPError as problem:
        error = _detail(problem)
    except OSError as problem:
        raise CommandError(f"the service does not answer at {url}: {problem}") from problem
    return None if error is None else str(error)


def _detail(problem: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(problem)["detail"])
    except (ValueError, KeyError):
        return f"HTTP {problem.code}"


def _alone(verb: str, settings: Settings, numbers: list[int], actor: str, reason: str) -> Results:
    from ingest.telemetry import configure_logging  # noqa: PLC0415 - slow to import, where it is needed only

    configure_logging(settings.telemetry.model_copy(update={"log_level": "error"}))
    return asyncio.run(_alone_all(verb, settings, numbers, actor, reason))


async def _alone_all(verb: str, settings: Settings, numbers: list[int], actor: str, reason: str) -> Results:
    from ingest.app import Service  # noqa: PLC0415 - slow to import, where it is needed only

    results: Results = []
    service = Service(settings)
    async with service.without_broker():
        for number in numbers:
            action = Action(actor, f"dead-letters {verb}", str(number), reason)
            work: Callable[[int, Action], Any] = service.retry if verb == "retry" else service.discard
            try:
                results.append((number, await work(number, action)))
            except DeadLetterError as error:
                results.append((number, str(error)))
    return results


@contextmanager
def _reading(settings: Settings) -> Iterator[sqlite3.Connection]:
    try:
        connection = open_reader(settings.journal.path)
    except JournalError as error:
        raise CommandError(str(error)) from error
    try:
        yield connection
    except DeadLetterError as error:
        raise CommandError(str(error)) from error
    finally:
        connection.close()


def _time(letter: StoredLetter) -> str:
    return datetime.fromtimestamp(letter.time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
