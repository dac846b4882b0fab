"""`stadtfunk dead-letters`: what could not be used, and what becomes of it."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Annotated, Any

import typer
from rich.table import Table

from ingest import dead_letter_store as store
from ingest.audit import Action, operating_system_user
from ingest.commands import service as cli_service
from ingest.commands.error import CommandError
from ingest.commands.service import AsJson, Config, Why
from ingest.commands.table import print_table
from ingest.dead_letter import Reason
from ingest.dead_letter_store import DeadLetterError, StoredLetter
from ingest.settings import Settings, load

SHOWN_BYTES = 512

app = typer.Typer(
    name="dead-letters",
    help="Messages and lines that could not be used: list, show, retry, discard.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Ids = Annotated[list[int] | None, typer.Argument(help="Numbers of dead letters, as `list` shows them.")]
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
    apply = _through_service if cli_service.runs(settings) else _alone
    results = apply(verb, settings, chosen, reason)
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


def _through_service(verb: str, settings: Settings, numbers: list[int], reason: str) -> Results:
    results: Results = []
    for number in numbers:
        answer = cli_service.post(settings, f"/api/v1/dead-letters/{number}/{verb}", cli_service.order(reason))
        error = answer.error or answer.body["error"]
        results.append((number, None if error is None else str(error)))
    return results


def _alone(verb: str, settings: Settings, numbers: list[int], reason: str) -> Results:
    cli_service.quiet_logs(settings)
    return asyncio.run(_alone_all(verb, settings, numbers, operating_system_user(), reason))


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
def _reading(settings: Settings) -> Iterator[Connection]:
    with cli_service.reading(settings) as connection:
        try:
            yield connection
        except DeadLetterError as error:
            raise CommandError(str(error)) from error


def _time(letter: StoredLetter) -> str:
    return datetime.fromtimestamp(letter.time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
