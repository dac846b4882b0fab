"""`stadtfunk codecs test` and `codecs import`: a repository of vendors' JavaScript, tried and taken."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn
from rich.table import Table

from decoders.javascript import ScriptCodec
from ingest import audit_note
from ingest.audit import Action, operating_system_user
from ingest.codecs import trial as codec_trial
from ingest.codecs.files import PREFIX
from ingest.codecs.imports import CopyError, Importer
from ingest.codecs.repository import Kind, Repository, RepositoryError, Vendor
from ingest.codecs.script_process import ScriptProcess
from ingest.codecs.trial import Trial
from ingest.commands.error import CommandError
from ingest.commands.service import Config, Why
from ingest.commands.table import print_table
from ingest.settings import load

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="A codec repository of ChirpStack's or The Things Stack's layout.")
]
TEST_EXAMPLE = "Example: stadtfunk codecs test chirpstack-device-profiles --json"
IMPORT_EXAMPLE = "Example: stadtfunk codecs import chirpstack-device-profiles --reason 'sensors of lot 3'"
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Unread:
    """Files of a repository that could not be read."""

    def __init__(self, folder: Path) -> None:
        self.found: list[dict[str, str]] = []
        self._root = folder.resolve()

    def __call__(self, path: Path, reason: str) -> None:
        """Remember one."""
        name = str(path.relative_to(self._root)) if path.is_relative_to(self._root) else str(path)
        self.found.append({"path": name, "reason": " ".join(reason.split())})


def run(folder: Folder, as_json: AsJson = False) -> None:
    """Run the tests that come with a repository of codecs. Exit 1 when one fails or a file cannot be read.

    JSON: {"decode": {"passed": n, "failed": [{codec, test, reason}]}, "encode": the same,
    "unreadable": [{path, reason}]}.
    """
    unread = Unread(folder)
    process = ScriptProcess()
    try:
        trials = list(_trials(folder, unread, process))
    finally:
        process.close()
    if as_json:
        typer.echo(json.dumps(_report(trials, unread)))
    else:
        _print(trials, unread)
    if unread.found or any(trial.failed for trial in trials):
        raise typer.Exit(1)


def _trials(folder: Path, unread: Unread, process: ScriptProcess) -> Iterator[Trial]:
    for repository, vendor in _progressing(folder, unread, process):
        for script in vendor.scripts.values():
            try:
                text = repository.text(script.path)
            except RepositoryError as error:
                unread(script.path, str(error))
            else:
                codec = ScriptCodec(f"{PREFIX}{script.key}", text, box=process.box, clock=time.monotonic)
                yield codec_trial.run(script, codec)


def import_(
    folder: Folder,
    config: Config = None,
    into: Annotated[
        Path | None, typer.Option(help="Where to; the folder of codecs.", show_default="codecs.folder of the settings")
    ] = None,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Copy a repository's codecs into the folder of codecs, and its devices' names into its profiles.

    A service that runs takes them within seconds. What is there is replaced when the repository has another version;
    mapping tables and profiles that are there stay. A second run changes nothing.
    """
    settings = load(config)
    target = into or settings.codecs.folder
    if target is None:
        raise CommandError("where to? set codecs.folder or give --into")
    unread = Unread(folder)
    process = ScriptProcess()
    importer: Importer | None = None
    try:
        for repository, vendor in _progressing(folder, unread, process):
            if importer is None:
                audit_note.prepare(settings)
                importer = Importer(repository, target, process.box)
            importer.take(vendor)
        if importer is None:
            raise CommandError(f"{folder}: no vendor in it")
        importer.finish()
    except CopyError as error:
        raise CommandError(str(error)) from error
    finally:
        process.close()
    if importer.taken or importer.new_profiles:
        detail = f"{len(importer.taken)} codecs and {importer.new_profiles} profiles into {target}"
        audit_note.note(settings, [Action(operating_system_user(), "codecs import", str(folder), reason, detail)])
    _tell(importer, unread, target, as_json=as_json)
    if not importer.taken and not importer.unchanged:
        raise typer.Exit(1)


def _progressing(folder: Path, unread: Unread, process: ScriptProcess) -> Iterator[tuple[Repository, Vendor]]:
    """Vendor after vendor, with a bar on standard error for who watches."""
    console = Console(stderr=True)
    try:
        repository = Repository(folder, unread, process.literal)
    except RepositoryError as error:
        raise CommandError(str(error)) from error
    with Progress(
        TextColumn("{task.completed} of {task.total} vendors"),
        *Progress.get_default_columns()[1:2],
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        for vendor in progress.track(repository.vendors(), total=len(repository.folders)):
            yield repository, vendor


def _report(trials: list[Trial], unread: Unread) -> dict[str, Any]:
    return {
        **{kind: _of_kind(kind, trials) for kind in ("decode", "encode")},
        "unreadable": unread.found,
    }


def _of_kind(kind: Kind, trials: list[Trial]) -> dict[str, Any]:
    return {
        "passed": sum(trial.passed.get(kind, 0) for trial in trials),
        "failed": [
            {"codec": trial.codec, "test": failure.name, "reason": failure.reason}
            for trial in trials
            for failure in trial.failed
            if failure.kind == kind
        ],
    }


def _first(trial: Trial) -> str:
    return f"{trial.failed[0].name}: {trial.failed[0].reason}" if trial.failed else ""


def _print(trials: list[Trial], unread: Unread) -> None:
    table = Table("codec", "tests", "passed", "failed", "first failure", box=None)
    for trial in trials:
        passed = sum(trial.passed.values())
        table.add_row(trial.codec, str(trial.tests), str(passed), str(len(trial.failed)), _first(trial))
    print_table(table)
    for item in unread.found:
        typer.echo(f"unreadable {item['path']}: {item['reason']}")
    tests, failed = sum(trial.tests for trial in trials), sum(len(trial.failed) for trial in trials)
    typer.echo(f"{len(trials)} codecs, {tests} tests, {failed} failed, {len(unread.found)} files unreadable")


def _tell(importer: Importer, unread: Unread, into: Path, *, as_json: bool) -> None:
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "into": str(into),
                    "taken": importer.taken,
                    "unchanged": importer.unchanged,
                    "new_profiles": importer.new_profiles,
                    "problems": [problem._asdict() for problem in importer.problems],
                    "unreadable": unread.found,
                }
            )
        )
        return
    for name in importer.taken:
        typer.echo(f"taken {name}")
    for problem in importer.problems:
        typer.echo(f"not taken {problem.subject}: {problem.reason}")
    for item in unread.found:
        typer.echo(f"unreadable {item['path']}: {item['reason']}")
    problems = len(importer.problems) + len(unread.found)
    counts = f"{len(importer.taken)} codecs taken, {len(importer.unchanged)} unchanged"
    typer.echo(f"{counts}, {importer.new_profiles} new profiles, {problems} problems; into {into}")
