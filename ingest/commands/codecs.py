"""`stadtfunk decode` and `stadtfunk codecs`: what can be decoded, and one payload by hand."""

import base64
import binascii
import json
import re
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from decoders import catalog
from decoders.error import DecodeError, UnknownCodec
from decoders.mapping import OBJECT
from decoders.measurement import Measurement
from ingest.codecs.folder import AnyCodec, Library
from ingest.commands import codecs_described
from ingest.commands import codecs_test as cli_codecs_test
from ingest.commands import suggest as cli_suggest
from ingest.commands.error import CommandError
from ingest.commands.table import print_table
from ingest.settings import CodecSettings

HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")

app = typer.Typer(
    name="codecs",
    help="What can be decoded; vendors' JavaScript: test, import.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Folder = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Folder of vendors' JavaScript and of mapping tables, for codecs that are called js/… and object/….",
    ),
]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.command(epilog="Example: stadtfunk decode --model bosch/tps110 --f-port 2 0112")(decode)
    parent.add_typer(app)


def decode(
    payload: Annotated[str, typer.Argument(help="The payload in hexadecimal or base64.")],
    model: Annotated[str, typer.Option("--model", "-m", help="Codec id, as `codecs list` shows it.")],
    f_port: Annotated[int, typer.Option("--f-port", "-p", min=1, max=255, help="LoRaWAN port.")],
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", help="NAME=VALUE, for codecs that need a device's figures.")
    ] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Decode one payload and print its readings."""
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    with closing(Library(CodecSettings(folder=folder))) as library:
        try:
            codec = library.codec(model)
            measurements = codec.decode(f_port, _bytes(payload), now_ms, _parameters(parameter or []))
        except (UnknownCodec, DecodeError) as error:
            raise CommandError(_refusal(error, library)) from error
    if as_json:
        typer.echo(json.dumps([_as_dict(measurement, now_ms) for measurement in measurements]))
        return
    for measurement in measurements:
        _print(measurement, now_ms)


@app.command("list", epilog="Example: stadtfunk codecs list --folder /etc/stadtfunk/codecs --json")
def list_(folder: Folder = None, as_json: AsJson = False) -> None:
    """List all codecs: native ones, and those of a folder. What of the folder is refused is told on standard error."""
    with closing(Library(CodecSettings(folder=folder))) as library:
        own: list[AnyCodec] = [*catalog.CODECS, OBJECT, *library.content.scripts.values()]
        problems = library.problems()
    codecs = sorted(own, key=lambda codec: codec.id)
    if as_json:
        typer.echo(json.dumps([codecs_described.summary(codec) for codec in codecs]))
    else:
        table = Table("id", "vendor", "model", "family", "ports", "marks", box=None)
        for codec in codecs:
            marks, ports = ", ".join(codecs_described.marks(codec)), codecs_described.ports(codec)
            table.add_row(codec.id, codec.vendor, codec.model, codec.family.value, ports, marks)
        print_table(table)
    for subject, reason in problems.items():
        typer.echo(f"{subject}: {reason}", err=True)


@app.command(epilog="Example: stadtfunk codecs show elsys/generic")
def show(
    model: Annotated[str, typer.Argument(help="Codec id.")], folder: Folder = None, as_json: AsJson = False
) -> None:
    """Show one codec: source, privacy, parameters, known payloads, and its fields with ports, units and ranges."""
    with closing(Library(CodecSettings(folder=folder))) as library:
        try:
            codec = library.codec(model)
        except UnknownCodec as error:
            raise CommandError(_refusal(error, library)) from error
    if as_json:
        typer.echo(json.dumps(codecs_described.details(codec)))
        return
    for line in codecs_described.head(codec):
        typer.echo(line)
    print_table(codecs_described.table(codec))


def _refusal(error: Exception, library: Library) -> str:
    """Why a codec is unknown or cannot read, with what of the folder is refused."""
    return "; ".join([str(error), *(f"{subject}: {reason}" for subject, reason in library.problems().items())])


app.command(epilog=cli_suggest.EXAMPLE)(cli_suggest.suggest)
app.command("test", epilog=cli_codecs_test.TEST_EXAMPLE)(cli_codecs_test.run)
app.command("import", epilog=cli_codecs_test.IMPORT_EXAMPLE)(cli_codecs_test.import_)


def _bytes(text: str) -> bytes:
    compact = "".join(text.split()).removeprefix("0x")
    if not compact or HEX.fullmatch(compact):
        return bytes.fromhex(compact)
    try:
        return base64.b64decode(compact, validate=True)
    except binascii.Error as error:
        raise CommandError(f"payload {text!r} is neither hexadecimal nor base64") from error


def _parameters(given: list[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for item in given:
        name, _, value = item.partition("=")
        try:
            found[name] = float(value)
        except ValueError as error:
            raise typer.BadParameter(f"{item!r}: expected NAME=NUMBER") from error
    return found


def _as_dict(measurement: Measurement, now_ms: int) -> dict[str, Any]:
    return {
        "age_s": (now_ms - measurement.time_ms) / 1000,
        "readings": [
            {"quantity": r.quantity.field, "value": r.value, "unit": r.quantity.unit, "channel": r.channel}
            for r in measurement.readings
        ],
        "attributes": dict(measurement.attributes),
    }


def _print(measurement: Measurement, now_ms: int) -> None:
    age_s = (now_ms - measurement.time_ms) / 1000
    if age_s:
        typer.echo(f"{age_s:g} s before:")
    for quantity, value, channel in measurement.readings:
        name = f"{quantity.field}[{channel}]" if channel else quantity.field
        typer.echo(f"{name:32} {value:g} {quantity.unit}".rstrip())
    for key, text in measurement.attributes.items():
        typer.echo(f"{key:32} {text}")
