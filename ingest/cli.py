"""The command line: `stadtfunk`. Other packages add commands by the entry point group `stadtfunk.commands`.

The service's own parts take a second to import; only the commands that need them do.
"""

# ruff: noqa: PLC0415 - see above

import asyncio
import json
import sys
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Annotated

import typer

from ingest.commands import audit as cli_audit
from ingest.commands import codecs as cli_codecs
from ingest.commands import dead_letters as cli_dead_letters
from ingest.commands import devices as cli_devices
from ingest.commands import events as cli_events
from ingest.commands import provision as cli_provision
from ingest.commands import replay as cli_replay
from ingest.commands import routes as cli_routes
from ingest.commands import rules as cli_rules
from ingest.commands import signal_plan as cli_signal_plan
from ingest.commands import status as cli_status
from ingest.commands import waste as cli_waste
from ingest.commands.error import CommandError
from ingest.journal_schema import JournalDamaged, JournalError
from ingest.settings import SettingsError, load, settings_file
from ingest.store_schema import StoreError
from rules.city import CityError

Config = Annotated[
    Path | None, typer.Option("-c", "--config", help="Settings file (TOML).", show_default="./stadtfunk.toml if there")
]

SPEAKING = (CommandError, SettingsError, JournalError, JournalDamaged, StoreError, CityError)
"""Errors whose message stands for itself."""
INTERRUPTED = 130

app = typer.Typer(
    name="stadtfunk",
    help="The sensor nerve of a city: uplinks from ChirpStack to the database and to decisions, with nothing lost.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("stadtfunk"))
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of the program itself."""


@app.command(epilog="Example: stadtfunk run -c /etc/stadtfunk/stadtfunk.toml")
def run(config: Config = None) -> None:
    """Run the service until SIGTERM or SIGINT."""
    from ingest.app import serve
    from ingest.decisions.reload import Source

    serve(load(config), Source(settings_file(config), lambda: load(config)))


@app.command(epilog="Example: stadtfunk check -c stadtfunk.toml --listen 30")
def check(
    config: Config = None,
    listen: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Listen to events for so long: do they come at QoS 1?")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False,
) -> None:
    """Check settings, files and connections; one line each."""
    settings = load(config)
    from ingest.check import findings, line
    from ingest.telemetry import configure_logging

    configure_logging(settings.telemetry.model_copy(update={"log_level": "error"}))
    found = asyncio.run(findings(settings, listen, settings_file(config)))
    if as_json:
        typer.echo(json.dumps([finding._asdict() for finding in found]))
    else:
        for finding in found:
            typer.echo(line(finding))
    if any(finding.level == "error" for finding in found):
        raise typer.Exit(1)


@app.command(epilog="Example: stadtfunk demo --for 20")
def demo(
    seconds: Annotated[
        float | None, typer.Option("--for", min=1, help="End after so many seconds, with a report.")
    ] = None,
    speed: Annotated[float, typer.Option(min=1, help="Simulated seconds in a second.")] = 60,
    devices: Annotated[int | None, typer.Option(min=1, help="Simulated devices.", show_default="the city's")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """A living city on this machine: broker, simulated devices, service and store, nothing to set up.

    With --for it ends by itself; exit 0 only if every uplink sent was stored, a duplicate or a dead letter as intended.
    """
    from ingest.demo import Demo, play

    balance = play(Demo(seconds=seconds, speed=speed, devices=devices, seed=seed), quiet=as_json)
    mistakes = balance.mistakes()
    if as_json:
        typer.echo(json.dumps({**balance._asdict(), "mistakes": mistakes}))
    else:
        typer.echo(balance.text())
        for mistake in mistakes:
            typer.echo(f"does not add up: {mistake}")
    if mistakes:
        raise typer.Exit(1)


cli_audit.register(app)
cli_codecs.register(app)
cli_dead_letters.register(app)
cli_provision.register(app)
cli_devices.register(app)
cli_status.register(app)
cli_replay.register(app)
cli_rules.register(app)
cli_routes.register(app)
cli_signal_plan.register(app)
cli_waste.register(app)
cli_events.register(app)


def main() -> None:
    """Entry point: one line on standard error for what goes wrong; exit 0 fine, 1 failed, 2 wrong usage."""
    for entry in entry_points(group="stadtfunk.commands"):
        entry.load()(app)
    try:
        app()
    except ExceptionGroup as group:
        _fail("; ".join(_reasons(group)))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the outermost boundary: one line, no traceback
        _fail(_reason(error))


def _reasons(group: ExceptionGroup[Exception]) -> list[str]:
    found: list[str] = []
    for error in group.exceptions:
        found += _reasons(error) if isinstance(error, ExceptionGroup) else [_reason(error)]
    return found


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, SPEAKING) else f"{type(error).__name__}: {error}"


def _fail(text: str) -> None:
    line = " ".join(text.split())
    print(f"stadtfunk: error: {line}", file=sys.stderr)  # noqa: T201 - the last word of a command
    sys.exit(1)


if __name__ == "__main__":
    main()
