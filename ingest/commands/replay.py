"""`stadtfunk replay`: raw messages decoded again, history from elsewhere, and what corrections there were."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from decoders import catalog
from decoders.mapping import OBJECT
from ingest.audit import operating_system_user
from ingest.codecs.files import OBJECTS, PREFIX
from ingest.commands import service as cli_service
from ingest.commands.error import CommandError
from ingest.commands.service import AsJson, Config, Why
from ingest.commands.table import print_table
from ingest.commands.time import LAST_MS, instant_ms, local_time
from ingest.replay import correction
from ingest.replay.correction import Order, Result
from ingest.settings import Settings, load

JOURNAL = "journal"
SHOWN = 20
REPORT_EVERY = 500
EXAMPLE = "Example: stadtfunk replay --from 2026-03-01 --to 2026-04-01 --model elsys/generic --reason 'codec fixed'"

Devices = Annotated[list[str] | None, typer.Option("--device", metavar="EUI", help="Only this device; more than once.")]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="CODEC", help="Only devices with messages of this codec, each whole."),
]


def register(parent: typer.Typer) -> None:
    """Add the command."""
    parent.command("replay", epilog=EXAMPLE)(replay)


def replay(
    config: Config = None,
    begin: Annotated[str, typer.Option("--from", metavar="TIME", help="ISO 8601, the city's time zone.")] = "",
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Not included.")] = "",
    devices: Devices = None,
    models: Models = None,
    application: Annotated[
        str, typer.Option(help="Only devices with messages of this ChirpStack application, each whole.")
    ] = "",
    source: Annotated[
        str,
        typer.Option(metavar="SOURCE", help="journal, a recorded file, or postgresql://… of ChirpStack."),
    ] = JOURNAL,
    into: Annotated[
        str, typer.Option(metavar="PLACE", help="Write to another bucket or store file; delete nothing.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change.")] = False,
    resume: Annotated[int | None, typer.Option(metavar="ID", help="Do an interrupted replay again.")] = None,
    listing: Annotated[bool, typer.Option("--list", help="List corrections, newest first.")] = False,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Decode the raw messages of a span again, and put their points in the place of the old ones.

    With a file or a database as source its messages are added to the points instead: history from before this service,
    of which nothing is stored twice. Passwords: leave them out of the address and set PGPASSFILE.
    """
    settings = load(config)
    if listing:
        _list(settings, as_json=as_json)
        return
    if into and dry_run:
        raise typer.BadParameter("--into deletes nothing, so it has no dry run")
    if resume is not None:
        if begin or end or devices or models or application or source != JOURNAL:
            raise typer.BadParameter("--resume does the same again: choose nothing else with it")
        found = _interrupted(settings, resume)
        why = reason or f"resumes {resume}: {found.reason}"
        order = found.model_copy(update={"actor": operating_system_user(), "reason": why[:1000]})
    else:
        zone = settings.city.timezone
        from_ms, to_ms = _span(begin, end, zone, needed=source == JOURNAL)
        order = Order(
            kind="replay" if source == JOURNAL else "backfill",
            actor=operating_system_user(),
            reason=reason,
            source=source,
            from_ms=from_ms,
            to_ms=to_ms,
            devices=tuple(_dev_eui(name) for name in devices or ()),
            models=tuple(_model(name) for name in models or ()),
            application=application,
        )
    from ingest.commands import replay_work as cli_replay_work  # noqa: PLC0415 - the service's parts take a second to import

    with _Told.shown(quiet=as_json) as told:
        result = cli_replay_work.run(settings, order, told, into=into, dry_run=dry_run)
    if resume is not None and not dry_run and not into:
        cli_replay_work.close(settings, resume)
    _report(result, as_json=as_json, dry_run=dry_run, into=into, waits=not cli_service.runs(settings))


def _span(begin: str, end: str, zone: str, *, needed: bool) -> tuple[int, int]:
    if needed and not (begin and end):
        raise typer.BadParameter("give --from and --to")
    from_ms = instant_ms(begin, zone) if begin else 0
    to_ms = instant_ms(end, zone) if end else LAST_MS
    if from_ms >= to_ms:
        raise typer.BadParameter("--to must be later than --from")
    return from_ms, to_ms


def _dev_eui(text: str) -> str:
    name = text.lower()
    if len(name) != 16 or set(name) - set("0123456789abcdef"):  # noqa: PLR2004 - an EUI-64
        raise typer.BadParameter(f"{text!r} is no DevEUI, expected 16 hexadecimal digits")
    return name


def _model(text: str) -> str:
    if text not in catalog.BY_ID and text != OBJECT.id and not text.startswith((PREFIX, OBJECTS)):
        raise typer.BadParameter(f"unknown codec {text!r}; `stadtfunk codecs list` shows them")
    return text


def _interrupted(settings: Settings, number: int) -> Order:
    with cli_service.reading(settings) as connection:
        try:
            found = correction.get(connection, number)
        except correction.CorrectionError as error:
            raise CommandError(str(error)) from error
    if found.result is not None:
        raise CommandError(f"correction {number} is {found.result.state}")
    if found.order.source.startswith("postgresql://"):
        raise CommandError(f"correction {number} read a database: give the same command again, nothing is stored twice")
    return found.order


def _list(settings: Settings, *, as_json: bool) -> None:
    with cli_service.reading(settings) as connection:
        found = correction.listed(connection)
    if as_json:
        typer.echo(json.dumps([item.summary() for item in found]))
        return
    zone = settings.city.timezone
    table = Table("id", "time", "kind", "state", "from", "to", "about", "actor", "reason", box=None)
    for item in found:
        order, state = item.order, item.result.state if item.result else "running"
        end = "" if order.to_ms == LAST_MS else local_time(order.to_ms, zone)
        span = (local_time(order.from_ms, zone), end)
        table.add_row(
            str(item.id),
            local_time(item.time_ms, zone),
            order.kind,
            state,
            *span,
            order.subject,
            order.actor,
            order.reason,
        )
    if found:
        print_table(table)
    else:
        typer.echo("no corrections")


def _report(result: Result, *, as_json: bool, dry_run: bool, into: str, waits: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result.model_dump()))
        return
    for name, count in result.counts.items():
        typer.echo(f"{name.replace('_', ' '):17} {'not known' if count is None else count}")
    for change in result.changes:
        typer.echo(f"codec             {change.before} → {change.after}, {change.messages} messages")
    for problem in result.problems[:SHOWN]:
        typer.echo(f"problem           {problem}")
    if len(result.problems) > SHOWN:
        typer.echo(f"problem           and {len(result.problems) - SHOWN} more")
    if waits and not dry_run and not into:
        typer.echo("no service runs: it waits in the journal and goes out when one is started")


class _Told:
    """Shows how far a replay is, on a terminal."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        if progress is not None:
            self._task = progress.add_task("reading", total=None, what="")

    @classmethod
    @contextmanager
    def shown(cls, *, quiet: bool) -> "Iterator[_Told]":
        """Show it until the end of the context."""
        console = Console(stderr=True)
        if quiet or not console.is_terminal:
            yield cls(None)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[what]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console) as progress:
            yield cls(progress)

    def reading(self, messages: int) -> None:
        """So many messages were read."""
        if self._progress is not None and messages % REPORT_EVERY == 0:
            self._progress.update(self._task, what=f"{messages} messages")

    def writing(self, done: int, devices: int) -> None:
        """So many of the devices are done."""
        if self._progress is not None:
            what = f"{done} of {devices} devices"
            self._progress.update(self._task, description="writing", completed=done, total=devices, what=what)
