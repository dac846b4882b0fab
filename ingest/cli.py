"""The command line: `stadtfunk`. Other packages add commands by the entry point group `stadtfunk.commands`."""

import asyncio
import json
import signal
import sys
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Annotated

import typer

from ingest import cli_codecs, cli_dead_letters
from ingest.app import Service
from ingest.check import Finding, findings
from ingest.cli_error import CommandError
from ingest.demo import demo
from ingest.settings import SettingsError, load
from ingest.telemetry import configure_logging

Config = Annotated[
    Path | None, typer.Option("-c", "--config", help="Settings file (TOML).", show_default="./stadtfunk.toml if there")
]

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
    settings = load(config)
    configure_logging(settings.telemetry)
    asyncio.run(_serve(Service(settings)))


async def _serve(service: Service) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    await service.run()


@app.command(epilog="Example: stadtfunk check -c stadtfunk.toml")
def check(
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False,
) -> None:
    """Check settings, files and connections; one line each."""
    settings = load(config)
    found = asyncio.run(findings(settings))
    if as_json:
        typer.echo(json.dumps([finding._asdict() for finding in found]))
    else:
        for finding in found:
            typer.echo(_line(finding))
    if any(finding.level == "error" for finding in found):
        raise typer.Exit(1)


def _line(finding: Finding) -> str:
    mark = {"ok": "ok     ", "warning": "warning", "error": "error  "}[finding.level]
    return f"{mark}  {finding.subject}: {finding.text}"


app.command(epilog="Example: stadtfunk demo --for 20")(demo)
cli_codecs.register(app)
cli_dead_letters.register(app)


def main() -> None:
    """Entry point: one line on standard error for what goes wrong; exit 0 fine, 1 failed, 2 wrong usage."""
    for entry in entry_points(group="stadtfunk.commands"):
        entry.load()(app)
    try:
        app()
    except (CommandError, SettingsError) as error:
        _fail(str(error))
    except ExceptionGroup as group:
        _fail("; ".join(_reasons(group)))
    except Exception as error:  # noqa: BLE001 - the outermost boundary: one line, no traceback
        _fail(f"{type(error).__name__}: {error}")


def _reasons(group: ExceptionGroup[Exception]) -> list[str]:
    found: list[str] = []
    for error in group.exceptions:
        found += _reasons(error) if isinstance(error, ExceptionGroup) else [f"{type(error).__name__}: {error}"]
    return found


def _fail(text: str) -> None:
    line = " ".join(text.split())
    print(f"stadtfunk: error: {line}", file=sys.stderr)  # noqa: T201 - the last word of a command
    sys.exit(1)


if __name__ == "__main__":
    main()
