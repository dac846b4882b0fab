"""`stadtfunk provision chirpstack`: a password of its own for the administrator of a new ChirpStack."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from ingest import audit_note
from ingest.audit import Action, operating_system_user
from ingest.commands.error import CommandError
from ingest.settings import load

LONG_ENOUGH = 8


def chirpstack(
    password_file: Annotated[Path, typer.Option(help="File with the administrator's new password.")],
    config: Annotated[Path | None, typer.Option("-c", "--config", help="Settings file (TOML).")] = None,
    host: Annotated[str, typer.Option(help="ChirpStack's interface.", metavar="HOST:PORT")] = "127.0.0.1:8080",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Give the administrator of a new ChirpStack (`admin`) a password of its own; a second run changes nothing."""
    settings = load(config)
    try:
        password = password_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--password-file {password_file}: {error}") from error
    if len(password) < LONG_ENOUGH:
        raise CommandError(
            f"--password-file {password_file}: a password of at least {LONG_ENOUGH} characters is needed"
        )
    from ingest import chirpstack_account  # noqa: PLC0415 - gRPC is slow to import, where it is needed only

    if not dry_run:
        audit_note.prepare(settings)
    try:
        outcome = asyncio.run(chirpstack_account.replace_password(host, password, dry_run=dry_run))
    except chirpstack_account.AccountError as error:
        raise CommandError(str(error)) from error
    if outcome == "changed":
        audit_note.note(
            settings, [Action(operating_system_user(), "provision chirpstack", host, detail="new password")]
        )
    typer.echo(json.dumps({"administrator": outcome}) if as_json else f"administrator's password: {outcome}")
