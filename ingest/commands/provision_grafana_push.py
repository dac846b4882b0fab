"""What `stadtfunk provision grafana` does over HTTP: read the secrets, plan, show, do, note."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from decoders.quantity import Privacy
from ingest import audit_note
from ingest.audit import Action, operating_system_user
from ingest.commands.error import CommandError
from ingest.settings import Settings

if TYPE_CHECKING:
    from ingest.grafana.provision.plan import Plan, Step

COMMAND = "provision grafana"
PASSWORD_VARIABLE = "GRAFANA_ADMIN_PASSWORD"  # noqa: S105 - a variable's name
"""Not one of our settings: the service has no use for an administrator's secret."""


class Secrets(NamedTuple):
    """Files and names of those who ask and are asked."""

    admin_user: str
    admin_password_file: Path | None
    admin_token_file: Path | None
    tokens: Mapping[Privacy, Path | None]
    webhook_file: Path | None


class Report:
    """What the command prints: lines as they come, or one JSON object at the end."""

    def __init__(self, *, as_json: bool, dry_run: bool) -> None:
        self._as_json, self._dry_run = as_json, dry_run
        self._steps: list[str] = []
        self._left: list[dict[str, object]] = []
        self._notes: list[str] = []
        self._planned = False

    def plan(self, plan: "Plan", *, force: bool) -> None:
        """What people should know, and what differs where something would be overwritten."""
        self._planned = True
        for note in plan.notes:
            self._notes.append(note)
            self._line(f"note: {note}")
        for step in plan.steps:
            if step.edited and not force:
                self._left.append({"step": step.describe(), "diff": list(step.diff)})
                self._line(f"edited by hand: {step.describe()}")
            if step.edited or self._dry_run:
                self._lines(step.diff)
            if self._dry_run and (force or not step.edited):
                self.step(step)
        if not plan.steps:
            self._line("nothing to do")

    def step(self, step: "Step") -> None:
        """A step that was taken, or would be."""
        self._steps.append(step.describe())
        self._line(f"{'would' if self._dry_run else 'done'}: {step.describe()}")

    def end(self) -> None:
        """The JSON object; of a run that failed halfway, what was done."""
        if self._as_json and self._planned:
            found = {"dry_run": self._dry_run, "steps": self._steps, "edited": self._left, "notes": self._notes}
            typer.echo(json.dumps(found, ensure_ascii=False))

    def _lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._line(f"  {line}")

    def _line(self, text: str) -> None:
        if not self._as_json:
            typer.echo(text)


def secret(option: str, file: Path) -> str:
    """The secret in a file; raises CommandError, which names option and file."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"{option} {file}: {reason}") from error
    if not text or "\n" in text:
        raise CommandError(f"{option} {file}: expected one line")
    return text


def administrator(given: Secrets) -> tuple[str, str]:
    """Name and password, or no name and a token."""
    if given.admin_token_file is not None:
        return "", secret("--admin-token-file", given.admin_token_file)
    if given.admin_password_file is not None:
        return given.admin_user, secret("--admin-password-file", given.admin_password_file)
    password = os.environ.get(PASSWORD_VARIABLE)
    if not password:
        raise CommandError(
            f"who asks? give --admin-password-file, or the variable {PASSWORD_VARIABLE}, or --admin-token-file"
        )
    return given.admin_user, password


def tokens(given: Secrets) -> dict[Privacy, str]:
    """InfluxDB's tokens by class."""
    return {
        privacy: secret(f"--{privacy.name.lower()}-token-file", file)
        for privacy, file in given.tokens.items()
        if file is not None
    }


def noted(settings: Settings, steps: Sequence["Step"]) -> None:
    """Leave a row in the audit table for each step that was taken."""
    actor = operating_system_user()
    actions = [Action(actor, COMMAND, "grafana", detail=step.describe()) for step in steps]
    if actions:
        audit_note.note(settings, actions)
