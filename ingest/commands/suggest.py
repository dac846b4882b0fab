"""`stadtfunk codecs suggest`: a mapping table for an unknown decoded object."""

import json
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Never

import typer

from decoders.suggest import proposals, table
from ingest.commands.error import CommandError

MAX_BYTES = 1_000_000
EXAMPLE = "Example: stadtfunk codecs suggest event.json > /etc/stadtfunk/codecs/dragino/lse01.toml"


def suggest(
    file: Annotated[
        Path, typer.Argument(help="A decoded object, or a ChirpStack event with one, as JSON; - reads stdin.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Propose a mapping table for a decoded object: which value becomes which quantity, in which unit."""
    found = decoded_object(read_text(file), file)
    if as_json:
        typer.echo(
            json.dumps(
                [
                    {
                        "path": item.path,
                        "value": None if isinstance(item.value, float) and not isfinite(item.value) else item.value,
                        "quantity": item.quantity.field if item.quantity else None,
                        "unit": item.unit or None,
                        "sure": item.sure,
                    }
                    for item in proposals(found)
                ]
            )
        )
        return
    typer.echo(table(found), nl=False)


def read_text(file: Path) -> str:
    """The text of a file or of stdin; CommandError names what is wrong with it."""
    if str(file) == "-":
        return typer.get_text_stream("stdin").read(MAX_BYTES)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise CommandError(f"{file}: more than {MAX_BYTES} bytes; give one object")
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is not UTF-8: {error}") from error


def decoded_object(text: str, file: Path) -> dict[str, Any]:
    """The object in a JSON text: itself, the `object` of a ChirpStack event, or the `data` of a codec's answer."""
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{file} is no JSON: {error}") from error
    if isinstance(found, dict):
        for key, companion in (("object", "deviceInfo"), ("data", "data")):
            if isinstance(found.get(key), dict) and companion in found:
                found = found[key]
        if found:
            return dict(found)
    raise CommandError(f"{file} holds no object with values")


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is no number of JSON")
