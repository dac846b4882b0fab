"""`stadtfunk audit`: who changed what, and whether the record of it is whole."""

import json
import sqlite3
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ingest import audit, audit_export
from ingest.audit import EMPTY, Check, Head
from ingest.commands.error import CommandError
from ingest.commands.service import AsJson, Config, reading
from ingest.commands.table import print_table
from ingest.commands.time import instant_ms, local_time
from ingest.settings import load

STANDARD_STREAM = Path("-")

app = typer.Typer(
    name="audit",
    help="Who changed what: list, verify, export.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Since = Annotated[str | None, typer.Option(metavar="TIME", help="Only what happened since then (city's time zone).")]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app)


@app.command("list", epilog="Example: stadtfunk audit list --since 2026-11-01 --actor os:anna")
def list_(
    config: Config = None,
    since: Since = None,
    actor: Annotated[str | None, typer.Option(help="Only what this one did.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action, or all that begin with this word.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Newest ones at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List what people did, newest first."""
    settings = load(config)
    timezone = settings.city.timezone
    since_ms = instant_ms(since, timezone) if since else 0
    with reading(settings) as connection:
        found = audit.listed(connection, since_ms, actor, action, limit)
    if as_json:
        typer.echo(json.dumps([audit_export.as_dict(row) | {"hash": row.hash.hex()} for row in found]))
        return
    if not found:
        typer.echo("no audit rows")
        return
    table = Table("number", "time", "actor", "action", "subject", "reason", "detail", box=None)
    for row in found:
        table.add_row(str(row.number), local_time(row.time_ms, timezone), *row.action)
    print_table(table)


@app.command(epilog="Example: stadtfunk audit verify --head 17:0c9f…")
def verify(
    config: Config = None,
    file: Annotated[
        Path | None, typer.Option(help="Check this export instead of the journal; - is standard in.")
    ] = None,
    head: Annotated[
        str | None, typer.Option(metavar="NUMBER:HASH", help="A head noted earlier, which must still be in the chain.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the whole chain, and print its head: note it elsewhere, for a chain cut off at its end still fits.

    Exit 1 and the number of the first row that does not fit, or when a head noted earlier is gone.
    """
    noted = _head(head) if head else None
    if file is not None:
        checked = _check_file(file, noted)
    else:
        with reading(load(config)) as connection:
            checked = Check(noted=noted).feed(audit.rows(connection))
    problem = _problem(checked)
    if as_json:
        found = {"rows": checked.count, "head": str(checked.head), "bad_row": checked.bad, "problem": problem}
        typer.echo(json.dumps(found))
    elif problem is None:
        first = checked.head.number - checked.count + 1
        span = f"rows {first} to {checked.head.number} fit their chain" if checked.count else "no rows"
        typer.echo(f"{span}\nhead {checked.head}")
    if problem is not None:
        if not as_json:
            raise CommandError(problem)
        raise typer.Exit(1)


@app.command(epilog="Example: stadtfunk audit export audit-2026.ndjson --since 2026-01-01")
def export(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write; - is standard output.")],
    config: Config = None,
    since: Since = None,
) -> None:
    """Write the table as JSON lines, which `audit verify --file` (or anybody else) can check."""
    settings = load(config)
    since_ms = instant_ms(since, settings.city.timezone) if since else 0
    with reading(settings) as connection:
        if out == STANDARD_STREAM:
            _write(connection, since_ms, None)
        else:
            typer.echo(f"{out}: {_write(connection, since_ms, out)} rows", err=True)


def _write(connection: sqlite3.Connection, since_ms: int, out: Path | None) -> int:
    count = 0
    try:
        with out.open("w", encoding="utf-8") if out else nullcontext(sys.stdout) as stream:
            for line in audit_export.lines(audit.rows(connection), since_ms):
                stream.write(f"{line}\n")
                count += 1
    except OSError as error:
        raise CommandError(f"{out or 'standard output'}: {error.strerror}") from error
    return count


def _head(text: str) -> Head:
    try:
        return Head.parse(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no head, expected number:hash as `audit verify` prints it") from error


def _check_file(file: Path, noted: Head | None) -> Check:
    try:
        with file.open(encoding="utf-8") if file != STANDARD_STREAM else nullcontext(sys.stdin) as stream:
            return audit_export.check(stream, noted)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(f"{file}: {error}") from error


def _problem(checked: Check) -> str | None:
    if checked.bad is not None:
        return f"audit row {checked.bad} does not fit its chain; {checked.count} rows before it do"
    if checked.missing:
        end = "is empty" if checked.head == EMPTY else f"ends with {checked.head}"
        return f"the noted head {checked.noted} is not in this chain, which {end}"
    return None
