"""`stadtfunk provision`: create what is missing in the programs around the service, as often as one likes."""

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ingest import audit_note
from ingest.audit import Action, operating_system_user
from ingest.commands.error import CommandError
from ingest.commands.provision_chirpstack import chirpstack
from ingest.commands.provision_grafana import EXAMPLE, grafana
from ingest.influxdb.provision_plan import (
    READER,
    READERS,
    WRITER,
    ChangeAccess,
    CreateAccess,
    Plan,
    ProvisionError,
    Step,
    wanted,
)
from ingest.settings import Settings, load

ADMIN_VARIABLE = "INFLUXDB_ADMIN_TOKEN"
"""Not one of our settings: the service has no use for an administrator's secret."""
Done = Callable[[Sequence[Action]], None]

app = typer.Typer(
    name="provision",
    help="Create what is missing in the programs around the service; a second run changes nothing.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: stadtfunk provision chirpstack --password-file /etc/stadtfunk/chirpstack")(chirpstack)
    app.command(epilog=EXAMPLE)(grafana)
    parent.add_typer(app)


@app.callback()
def programs() -> None:
    """One command for each program; without this a single one would lose its name."""


@app.command(epilog="Example: stadtfunk provision influxdb --dry-run -c /etc/stadtfunk/stadtfunk.toml")
def influxdb(
    config: Annotated[Path | None, typer.Option("-c", "--config", help="Settings file (TOML).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    admin_token_file: Annotated[
        Path | None,
        typer.Option(help=f"Administrator's token (1.8: user:password); else {ADMIN_VARIABLE}, else influxdb.token."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(help="New file, mode 0600, for the service's token; without it the token is printed, once."),
    ] = None,
    reader_token_file: Annotated[
        Path | None,
        typer.Option(help="Also make a token that reads all buckets but the personal one, into this new file."),
    ] = None,
    open_reader_token_file: Annotated[
        Path | None, typer.Option(help="The same for open readings alone: for dashboards that everybody sees.")
    ] = None,
    internal_reader_token_file: Annotated[
        Path | None, typer.Option(help="The same for internal readings alone.")
    ] = None,
    personal_reader_token_file: Annotated[
        Path | None, typer.Option(help="The same for personal readings alone.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Buckets with their retention, hourly and daily values, and a token with least rights for the service."""
    settings = load(config)
    token = _admin_token(admin_token_file)
    places = {
        WRITER: token_file,
        READER: reader_token_file,
        f"{READER}_open": open_reader_token_file,
        f"{READER}_internal": internal_reader_token_file,
        f"{READER}_personal": personal_reader_token_file,
    }
    files = {name: file for name, file in places.items() if file is not None}
    report = Report(as_json=as_json, dry_run=dry_run)
    try:
        prepare = partial(audit_note.prepare, settings)
        asyncio.run(provision(settings, token, files, report, partial(_noted, settings), prepare))
    except ProvisionError as error:
        raise CommandError(str(error)) from error
    finally:
        report.end()


def _noted(settings: Settings, actions: Sequence[Action]) -> None:
    if actions:
        audit_note.note(settings, actions)


class Report:
    """What the command prints: lines as they come, or one JSON object at the end."""

    def __init__(self, *, as_json: bool, dry_run: bool) -> None:
        self.dry_run = dry_run
        self._as_json = as_json
        self._steps: list[str] = []
        self._notes: list[str] = []
        self._tokens: dict[str, str] = {}
        self._files: dict[str, str] = {}
        self._planned = False

    def plan(self, plan: Plan) -> None:
        """What is to be done, before it is."""
        self._planned = True
        for note in plan.notes:
            self._notes.append(note)
            self._line(f"note: {note}")
        for step in plan.steps if self.dry_run else ():
            self.step(step)
        if not plan.steps:
            self._line("nothing to do")

    def step(self, step: Step) -> None:
        """A step that was taken, or would be."""
        self._steps.append(step.describe())
        self._line(f"{'would' if self.dry_run else 'done'}: {step.describe()}")

    def token(self, name: str, token: str, file: Path | None) -> None:
        """A new secret: into its file, else shown, this one time."""
        if file is None:
            self._tokens[name] = token
            self._line(f"token of {name}, shown only now: {token}")
        else:
            file.write_text(token)
            self._files[name] = str(file)
            self._line(f"token of {name} written to {file}")

    def end(self) -> None:
        """The JSON object; of a run that failed halfway, what was done."""
        if self._as_json and self._planned:
            found = {"dry_run": self.dry_run, "steps": self._steps, "notes": self._notes}
            typer.echo(json.dumps({**found, "tokens": self._tokens, "token_files": self._files}))

    def _line(self, text: str) -> None:
        if not self._as_json:
            typer.echo(text)


async def provision(
    settings: Settings,
    token: str | None,
    files: Mapping[str, Path],
    report: Report,
    on_done: Done | None = None,
    on_begin: Callable[[], None] | None = None,
) -> None:
    """Plan and, unless it is a dry run, do; `on_begin` may refuse before the first step, `on_done` hears of all.

    Raises ProvisionError and CommandError.
    """
    from ingest.app import influx_settings  # noqa: PLC0415 - slow to import, where it is needed only
    from ingest.influxdb.provision import provisioner  # noqa: PLC0415 - the same

    influx = influx_settings(settings)
    what = wanted(influx, settings.city.timezone, files.keys() & READERS.keys())
    async with provisioner(influx, what, token) as found:
        report.plan(found.plan)
        if report.dry_run:
            return
        if on_begin is not None and found.plan.steps:
            on_begin()
        new = _new_files(files, found.plan)
        try:
            await found.run(
                report.step,
                lambda name, secret: report.token(name, secret, new.get(name)),
                lambda steps: on_done(_actions(steps)) if on_done else None,
            )
        finally:
            _remove_empty(new.values())


def _actions(steps: Sequence[Step]) -> list[Action]:
    actor = operating_system_user()
    return [Action(actor, "provision influxdb", "influxdb", detail=step.describe()) for step in steps]


def _admin_token(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(ADMIN_VARIABLE) or None
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--admin-token-file {file}: {error}") from error
    if not token:
        raise CommandError(f"--admin-token-file {file} is empty")
    return token


def _new_files(files: Mapping[str, Path], plan: Plan) -> dict[str, Path]:
    """The files of the tokens that will be made, empty and ours alone, before a secret exists that had no place."""
    made = {
        step.access.name
        for step in plan.steps
        if isinstance(step, CreateAccess) or (isinstance(step, ChangeAccess) and step.renews)
    }
    new: dict[str, Path] = {}
    for name in sorted(made & files.keys()):
        try:
            os.close(os.open(files[name], os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            _remove_empty(new.values())
            raise CommandError(f"token file {files[name]}: {error.strerror}") from error
        new[name] = files[name]
    return new


def _remove_empty(files: Iterable[Path]) -> None:
    for file in files:
        with suppress(OSError):
            if not file.stat().st_size:
                file.unlink()
