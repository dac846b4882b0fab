"""`stadtfunk status`: how the service fares, and the ledger of a day."""

import json
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from ingest.calendar import EPOCH, Calendar
from ingest.clock import wall_clock
from ingest.commands import service as cli_service
from ingest.commands.error import CommandError
from ingest.commands.service import AsJson, Config
from ingest.commands.table import print_table
from ingest.fleet import ledger_view
from ingest.settings import Settings, load

ROWS = 1000


def register(parent: typer.Typer) -> None:
    """Add the command."""
    parent.command(epilog="Example: stadtfunk status --day 2026-11-21 --devices")(status)


def status(
    config: Config = None,
    day: Annotated[str | None, typer.Option(help="Day of the ledger, YYYY-MM-DD.", show_default="today")] = None,
    device: Annotated[str, typer.Option(help="Only this device (dev_eui).")] = "",
    devices: Annotated[bool, typer.Option("--devices", help="Show the ledger of every device.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how the service fares, what waits, and the ledger: expected, received, lost, stored.

    Works on the journal alone, too, while no service runs. Exit 1 when a running service has a problem.
    """
    settings = load(config)
    runs = cli_service.runs(settings)
    service = _asked(settings, "/api/v1/status") if runs else None
    found = {"running": runs, "service": service, "ledger": _ledger(settings, day, device.lower(), service)}
    if as_json:
        typer.echo(json.dumps(found))
    else:
        _print(found, devices=devices or bool(device))
    if service and service["problems"]:
        raise typer.Exit(1)


def _ledger(settings: Settings, day: str | None, device: str, service: dict[str, Any] | None) -> dict[str, Any]:
    calendar = Calendar(settings.city.timezone)
    now_ms = int(service["now_ms"]) if service else wall_clock()
    number = calendar.day_of(now_ms) if day is None else _day(day)
    with cli_service.reading(settings) as connection:
        found = ledger_view.view(connection, calendar, number, number, now_ms, device, ROWS)
        return {**found, "now": ledger_view.standing(connection)}


def _day(text: str) -> int:
    try:
        return date.fromisoformat(text).toordinal() - EPOCH
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day, expected for example 2026-11-21") from error


def _asked(settings: Settings, path: str) -> dict[str, Any]:
    answer = cli_service.get(settings, path)
    if answer.error is not None:
        raise CommandError(f"the service refuses {path}: {answer.error}")
    return dict(answer.body)


def _print(found: dict[str, Any], *, devices: bool) -> None:
    service, ledger = found["service"], found["ledger"]
    typer.echo(f"service    {_service(service)}")
    for name, problem in (service["problems"] if service else {}).items():
        typer.echo(f"problem    {name}: {problem}")
    if service and service["chain"]["stage"]:
        typer.echo(f"chain      {service['chain']['problem']}")
    if service:
        waits = service["journal"]
        typer.echo(f"waiting    {waits['lines']} lines, {waits['events']} events, {waits['dead_letters']} dead letters")
    now = ledger["now"]
    troubled = ", ".join(f"{count} {name}" for name, count in sorted(now["problems"].items())) or "none in trouble"
    typer.echo(f"devices    {now['known']} known; {troubled}")
    totals = ledger["totals"]
    counts = ", ".join(f"{totals[name]} {name.replace('_', ' ')}" for name in ledger_view.COUNTS)
    typer.echo(f"{ledger['from']} {counts}")
    if ledger["gateways"]:
        print_table(_table(ledger["gateways"], ("id", "uplinks", "share", "rssi", "snr")))
    if devices and ledger["devices"]:
        print_table(_table(ledger["devices"], ("id", "device", "asset", *ledger_view.COUNTS, "interval_s")))
        if ledger["rows"] > len(ledger["devices"]):
            typer.echo(f"… and {ledger['rows'] - len(ledger['devices'])} more; --device shows one")


def _service(service: dict[str, Any] | None) -> str:
    if service is None:
        return "not running"
    since = datetime.fromtimestamp(service["since_ms"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    totals = service["totals"]
    return f"runs since {since}: {totals['uplinks']} uplinks, {totals['stored']} stored, {totals['events']} events"


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> Table:
    table = Table(*(name.replace("_", " ") for name in columns), box=None)
    for row in rows:
        table.add_row(*(_text(row.get(name)) for name in columns))
    return table


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
