"""`stadtfunk decode` and `stadtfunk codecs`: what can be decoded, and one payload by hand."""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from decoders import catalog
from decoders.codec import Codec, CodecField
from decoders.error import DecodeError, UnknownCodec
from decoders.measurement import Measurement
from ingest.codecs.folder import Library
from ingest.commands import codecs_test as cli_codecs_test
from ingest.commands import suggest as cli_suggest
from ingest.commands.error import CommandError
from ingest.commands.table import print_table
from ingest.settings import CodecSettings

SHOWN_CHANNELS = 32
HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")

app = typer.Typer(
    name="codecs",
    help="What can be decoded; vendors' JavaScript: test, import.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


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
    folder: Annotated[
        Path | None, typer.Option(help="Folder of vendors' JavaScript, for codecs that are called js/….")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decode one payload and print its readings."""
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    with closing(Library(CodecSettings(folder=folder))) as library:
        try:
            codec = library.codec(model)
            measurements = codec.decode(f_port, _bytes(payload), now_ms, _parameters(parameter or []))
        except (UnknownCodec, DecodeError) as error:
            raise CommandError("; ".join([str(error), *library.problems().values()])) from error
    if as_json:
        typer.echo(json.dumps([_as_dict(measurement, now_ms) for measurement in measurements]))
        return
    for measurement in measurements:
        _print(measurement, now_ms)


@app.command("list", epilog="Example: stadtfunk codecs list --json")
def list_(as_json: AsJson = False) -> None:
    """List all codecs."""
    if as_json:
        typer.echo(json.dumps([_summary(codec) for codec in catalog.CODECS]))
        return
    table = Table("id", "vendor", "model", "family", "ports", box=None)
    for codec in catalog.CODECS:
        table.add_row(codec.id, codec.vendor, codec.model, codec.family.value, _ports(codec))
    print_table(table)


@app.command(epilog="Example: stadtfunk codecs show elsys/generic")
def show(model: Annotated[str, typer.Argument(help="Codec id.")], as_json: AsJson = False) -> None:
    """Show one codec: its fields with units and ports, its parameters, its source."""
    codec = _codec(model)
    if as_json:
        fields = [_field(item) for item in codec.fields()]
        parameters = [{"name": p.name, "unit": p.unit, "meaning": p.meaning} for p in codec.parameters]
        typer.echo(json.dumps({**_summary(codec), "fields": fields, "parameters": parameters}))
        return
    typer.echo(f"{codec.id}: {codec.vendor} {codec.model} ({codec.family.value}, {codec.privacy.name.lower()})")
    typer.echo(f"source: {codec.source}")
    if codec.untested:
        typer.echo("untested against a device: nobody has published a payload of one")
    for parameter in codec.parameters:
        typer.echo(f"parameter {parameter.name} ({parameter.unit}): {parameter.meaning}")
    table = Table("f_port", "frame", "quantity", "channel", "unit", "range", "step", "", box=None)
    for item in _together(codec.fields()):
        row = _field(item)
        port = "any" if item.f_port is None else str(item.f_port)
        mark = "" if item.verified else "unverified"
        spread = f"{item.low:g} … {item.high:g}"
        table.add_row(port, item.frame, row["quantity"], item.channel, row["unit"], spread, f"{item.step:g}", mark)
    print_table(table)


def _together(fields: Iterable[CodecField]) -> list[CodecField]:
    """The fields, where more than a few differ in nothing but the channel as one of the first and the last."""
    found: list[CodecField] = []
    for _, same in groupby(fields, key=lambda item: item._replace(channel="")):
        alike = list(same)
        if len(alike) > SHOWN_CHANNELS:
            alike = [alike[0]._replace(channel=f"{alike[0].channel} … {alike[-1].channel}")]
        found += alike
    return found


app.command(epilog=cli_suggest.EXAMPLE)(cli_suggest.suggest)
app.command("test", epilog=cli_codecs_test.TEST_EXAMPLE)(cli_codecs_test.run)
app.command("import", epilog=cli_codecs_test.IMPORT_EXAMPLE)(cli_codecs_test.import_)


def _codec(name: str) -> Codec:
    try:
        return catalog.codec(name)
    except UnknownCodec as error:
        raise CommandError(str(error)) from error


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


def _summary(codec: Codec) -> dict[str, Any]:
    return {
        "id": codec.id,
        "vendor": codec.vendor,
        "model": codec.model,
        "family": codec.family.value,
        "privacy": codec.privacy.name.lower(),
        "ports": sorted(codec.ports),
        "any_port": codec.any_port is not None,
        "source": codec.source,
        "untested": codec.untested,
    }


def _ports(codec: Codec) -> str:
    return ", ".join([*(str(port) for port in sorted(codec.ports)), *(["any"] if codec.any_port else [])])


def _field(item: CodecField) -> dict[str, Any]:
    return {
        "f_port": item.f_port,
        "frame": item.frame,
        "quantity": item.quantity.field,
        "channel": item.channel,
        "unit": item.quantity.unit,
        "low": item.low,
        "high": item.high,
        "step": item.step,
        "verified": item.verified,
    }


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
