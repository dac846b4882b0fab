"""`stadtfunk events`: what is on the wire, for whoever consumes it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ingest.commands.error import CommandError
from ingest.commands.service import AsJson

app = typer.Typer(
    name="events", help="Events: their schemas and examples.", no_args_is_help=True, rich_markup_mode=None
)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app)


@app.callback()
def options() -> None:
    """Options of all commands: none."""


@app.command(epilog="Example: stadtfunk events schema --out docs/events")
def schema(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write to; it is created.")] = Path("docs/events"),
    as_json: AsJson = False,
) -> None:
    """Write the JSON Schema and an example of every message, and one AsyncAPI document."""
    from ingest import events_schema  # noqa: PLC0415 - slow to import, where it is needed only

    written = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, page in events_schema.pages():
            (out / name).write_text(page(), encoding="utf-8")
            written.append(str(out / name))
    except OSError as error:
        raise CommandError(f"{out}: {error.strerror}") from error
    typer.echo(json.dumps(written) if as_json else f"{len(written)} files in {out}")
