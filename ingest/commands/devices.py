"""`stadtfunk devices`: which there are, in which state, where they belong."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer
from pydantic import JsonValue
from rich.table import Table

from ingest.audit import operating_system_user
from ingest.commands import service as cli_service
from ingest.commands.error import CommandError
from ingest.commands.service import AsJson, Config, Why
from ingest.commands.table import print_table
from ingest.commands.time import instant_ms, local_time
from ingest.fleet import device_list
from ingest.fleet.assignments import AssignmentError
from ingest.fleet.lifecycle import LifecycleError, State
from ingest.fleet.register import Register
from ingest.settings import Settings, load

TIMES = ("first_ms", "last_ms", "until_ms", "from_ms", "valid_from_ms")
NOWHERE = "-"

app = typer.Typer(
    name="devices",
    help="Devices: list, show, set a state, assign to an asset.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
DevEui = Annotated[str, typer.Argument(metavar="DEV_EUI", help="16 hexadecimal digits.")]
From = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Since when, in the city's time zone.", show_default="now")
]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app)


@app.command("list", epilog="Example: stadtfunk devices list --state retired --json")
def list_(
    config: Config = None,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    asset: Annotated[str | None, typer.Option(help="Only those that belong to this asset.")] = None,
    silent: Annotated[
        bool, typer.Option("--silent", help="Only those silent for 2.5 × their learned interval.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List devices that were heard, or of which somebody said something."""
    settings = load(config)
    city, now_ms = _city_and_time(settings)
    with cli_service.reading(settings) as connection:
        found = [
            device
            for device in device_list.listed(connection, city, now_ms)
            if state in {None, device["state"]}
            and asset in {None, device["asset"]}
            and (device["silent"] or not silent)
        ]
    if as_json:
        typer.echo(json.dumps(found))
    elif found:
        _print(found, settings.city.timezone)
    else:
        typer.echo("no devices")


@app.command(epilog="Example: stadtfunk devices show 70b3d57ed0000001")
def show(dev_eui: DevEui, config: Config = None, as_json: AsJson = False) -> None:
    """Show what is known of a device, and what was said of it."""
    settings = load(config)
    city, now_ms = _city_and_time(settings)
    with cli_service.reading(settings) as connection:
        found = device_list.shown(connection, city, dev_eui.lower(), now_ms)
    if found is None:
        raise CommandError(f"nothing is known of device {dev_eui}")
    if as_json:
        typer.echo(json.dumps(found))
        return
    for key, value in found.items():
        for part in value if key in {"states", "assignments"} else [value] if key != "downlinks" else []:
            typer.echo(f"{key:12} {_word(key, part, settings.city.timezone)}")
    for sent in found["downlinks"]:
        typer.echo(f"{'downlink':12} {_downlink(sent, settings.city.timezone)}")


@app.command(
    "set",
    epilog="Example: stadtfunk devices set lot-markt --state maintenance --until 2026-12-01 --reason 'road works'",
)
def set_(
    subject: Annotated[
        str, typer.Argument(metavar="DEV_EUI|ASSET", help="A device, or an asset with all its devices.")
    ],
    state: Annotated[State, typer.Option(help="What it is from now on.")],
    config: Config = None,
    since: From = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="End of maintenance; a date is its begin.")] = None,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Set the state of a device or an asset. Only active ones count in the ledger and raise health events."""
    settings = load(config)
    subject = subject.lower() if len(subject) == 16 and _is_hex(subject) else subject  # noqa: PLR2004 - of a DevEUI
    from_ms, until_ms = (_instant(text, settings) for text in (since, until))
    made = _change(
        settings,
        f"/api/v1/devices/{cli_service.segment(subject)}/state",
        {"state": state.value, "from_ms": from_ms, "until_ms": until_ms, **cli_service.order(reason)},
        lambda known: known.set_state(subject, state, from_ms, until_ms, operating_system_user(), reason),
    )
    _done(made, "subject", settings, as_json=as_json)


@app.command(epilog="Example: stadtfunk devices assign 70b3d57ed0000001 lot-markt --from 2026-11-02 --reason 'moved'")
def assign(
    dev_eui: DevEui,
    asset: Annotated[str, typer.Argument(metavar="ASSET|-", help="Id of an asset in the city's file; - is none.")],
    config: Config = None,
    since: From = None,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Say where a device belongs from a time on. The city's file is stronger, ChirpStack's tag `asset` weaker."""
    settings = load(config)
    dev_eui, asset = dev_eui.lower(), "" if asset == NOWHERE else asset
    from_ms = _instant(since, settings)
    made = _change(
        settings,
        f"/api/v1/devices/{cli_service.segment(dev_eui)}/assignment",
        {"asset": asset, "from_ms": from_ms, **cli_service.order(reason)},
        lambda known: known.assign(dev_eui, asset, from_ms, operating_system_user(), reason),
    )
    _done(made, "dev_eui", settings, as_json=as_json)


Made = dict[str, Any]


def _change(
    settings: Settings, path: str, body: dict[str, JsonValue], alone: Callable[[Register], Awaitable[Any]]
) -> Made:
    if cli_service.runs(settings):
        answer = cli_service.post(settings, path, body)
        if answer.error is not None:
            raise CommandError(answer.error)
        return answer.body
    cli_service.quiet_logs(settings)
    try:
        return asyncio.run(_alone(settings, alone))
    except (LifecycleError, AssignmentError) as error:
        raise CommandError(str(error)) from error


async def _alone(settings: Settings, change: Callable[[Register], Awaitable[Any]]) -> Made:
    from ingest.app import read_city, service_clock  # noqa: PLC0415 - slow to import, where it is needed only
    from ingest.journal import Journal  # noqa: PLC0415 - the same

    async with Journal(settings.journal) as journal:
        made = await change(Register(journal, read_city(settings), service_clock(settings)))
    return dict(made._asdict())


def _city_and_time(settings: Settings) -> tuple[Any, int]:
    from ingest.app import read_city, service_clock  # noqa: PLC0415 - slow to import, where it is needed only

    return read_city(settings), service_clock(settings)()


def _instant(text: str | None, settings: Settings) -> int | None:
    return None if text is None else instant_ms(text, settings.city.timezone)


def _is_hex(text: str) -> bool:
    return all(letter in "0123456789abcdefABCDEF" for letter in text)


def _done(made: Made, subject: str, settings: Settings, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(made))
        return
    rest = {key: value for key, value in made.items() if key not in {subject, "source"} and value is not None}
    words = (f"{key.removesuffix('_ms')} {_word(key, value, settings.city.timezone)}" for key, value in rest.items())
    typer.echo(f"{made[subject]}: {', '.join(words)}")


def _print(found: list[dict[str, Any]], timezone: str) -> None:
    table = Table("device", "name", "state", "asset", "last heard", "problems", "note", box=None)
    for device in found:
        state = device["state"]
        if state == State.MAINTENANCE:
            state = f"{state} until {local_time(device['until_ms'], timezone)}"
        asset = device["asset"] or NOWHERE
        if device["asset_state"] not in {"", State.ACTIVE}:
            asset = f"{asset} ({device['asset_state']})"
        last = local_time(device["last_ms"], timezone) if device["last_ms"] is not None else NOWHERE
        problems = dict.fromkeys([*device["problems"], *(["silent"] if device["silent"] else [])])
        table.add_row(device["dev_eui"], device["name"], state, asset, last, " ".join(problems), device["note"])
    print_table(table)


def _downlink(sent: dict[str, Any], timezone: str) -> str:
    when, since = (local_time(sent[key], timezone) for key in ("time_ms", "since_ms"))
    size = f"{sent['size']} bytes on port {sent['f_port']}"
    words = f"{when} {sent['status']} since {since}, {size}, {sent['rule']} {sent['subject']}, id {sent['id']}"
    return f"{words}: {sent['reason']}" if sent["reason"] else words


def _word(key: str, value: Any, timezone: str) -> str:  # noqa: ANN401 - whatever a device's record holds
    if isinstance(value, dict):
        return ", ".join(f"{name.removesuffix('_ms')} {_word(name, part, timezone)}" for name, part in value.items())
    if value is None or value == "":
        return NOWHERE
    if key in TIMES:
        return local_time(value, timezone)
    return " ".join(map(str, value)) or NOWHERE if isinstance(value, list) else str(value)
