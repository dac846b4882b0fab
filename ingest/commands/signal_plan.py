"""`stadtfunk signal-plan propose`: cycle, splits and offsets of a coordinated road, for an engineer to check."""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rich.table import Table

from ingest.commands.error import CommandError
from ingest.commands.service import AsJson
from ingest.commands.suggest import read_text
from ingest.commands.table import print_table
from rules.traffic.proposal import Junction, Proposal, propose
from rules.traffic.time_space import diagram
from rules.traffic.webster import SignalError, Stage

NOTICE = (
    "A proposal, no supply data: intergreens, least greens and pedestrians have to be checked by two people before "
    "anything runs."
)

app = typer.Typer(
    name="signal-plan", help="Signal plans, offline: propose.", no_args_is_help=True, rich_markup_mode=None
)


class StageFile(BaseModel):
    """A stage of a junction."""

    model_config = ConfigDict(extra="forbid")

    name: str
    flow_vph: float = Field(ge=0, le=20_000, description="critical flow, vehicles an hour")
    saturation_vph: float = Field(2000, ge=500, le=20_000, description="saturation flow of the same lanes")
    min_green_s: int = Field(5, ge=1, le=120)
    lost_s: int = Field(6, ge=0, le=60, description="intergreen less what of the yellow is driven on")
    coordinated: bool = False


class JunctionFile(BaseModel):
    """A junction of the road."""

    model_config = ConfigDict(extra="forbid")

    name: str
    position_m: float = Field(ge=0, le=100_000)
    limit_kmh: float | None = Field(None, gt=0, le=100, description="on the way from the junction before")
    stages: list[StageFile] = Field(min_length=1, max_length=8)


class RoadFile(BaseModel):
    """The road; outbound is the direction of growing positions."""

    model_config = ConfigDict(extra="forbid")

    name: str
    limit_kmh: float = Field(50, gt=0, le=100, description="posted limit")
    junctions: list[JunctionFile] = Field(min_length=1, max_length=30)


@app.callback()
def options() -> None:
    """Options of all commands: none."""


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app)


@app.command(
    "propose", epilog="Example: stadtfunk signal-plan propose werler-strasse.toml --diagram werler-strasse.svg"
)
def propose_(
    file: Annotated[
        Path, typer.Argument(help="The road as TOML: name, limit_kmh, junctions with stages; - reads stdin.")
    ],
    cycle: Annotated[
        int | None, typer.Option(min=20, max=200, metavar="S", help="The common cycle.", show_default="by Webster")
    ] = None,
    max_cycle: Annotated[int, typer.Option(min=30, max=200, metavar="S", help="No longer cycle than this.")] = 120,
    outbound: Annotated[
        float, typer.Option(min=0, max=1, help="Weight of the outbound band; the inbound one has the rest.")
    ] = 0.5,
    picture: Annotated[
        Path | None, typer.Option("--diagram", metavar="FILE", help="Write the time-space diagram as SVG.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Propose cycle, splits (Webster) and offsets (widest green bands) for a road, never faster than its limit."""
    road = _road(file)
    junctions = [_junction(each, road.limit_kmh) for each in road.junctions]
    try:
        found = propose(junctions, cycle_s=cycle, weight_out=outbound, most_s=max_cycle)
    except SignalError as error:
        raise CommandError(f"{file}: {error}") from error
    if picture is not None:
        _write(picture, diagram(road.name, found.stops, found.coordination))
    if as_json:
        typer.echo(json.dumps(_as_dict(found)))
        return
    _print(found)


def _road(file: Path) -> RoadFile:
    try:
        return RoadFile.model_validate(tomllib.loads(read_text(file)))
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"{file} is no TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise CommandError(f"{file}: {where}: {first['msg']}") from error


def _junction(given: JunctionFile, limit_kmh: float) -> Junction:
    stages = tuple(Stage(**stage.model_dump()) for stage in given.stages)
    return Junction(given.name, given.position_m, given.limit_kmh or limit_kmh, stages)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error


def _as_dict(found: Proposal) -> dict[str, Any]:
    together = found.coordination
    return {
        "cycle_s": together.cycle_s,
        "speed_factor": together.factor,
        "efficiency": round(together.efficiency, 4),
        "outbound_band_s": round(together.outbound.length_s, 1),
        "inbound_band_s": round(together.inbound.length_s, 1),
        "junctions": [
            {
                "name": junction.name,
                "position_m": junction.position_m,
                "progression_kmh": round(junction.limit_kmh * together.factor, 1),
                "offset_s": offset_s,
                "level": timing.level,
                "stages": [
                    {
                        "name": stage.name,
                        "begin_s": timing.begins_s[number],
                        "green_s": timing.greens_s[number],
                        "saturation": round(timing.saturation[number], 3),
                        "delay_s": _rounded(timing.delays_s[number]),
                        "coordinated": stage.coordinated,
                    }
                    for number, stage in enumerate(junction.stages)
                ],
            }
            for junction, timing, offset_s in zip(found.junctions, found.timings, together.offsets_s, strict=True)
        ],
        "notice": NOTICE,
    }


def _print(found: Proposal) -> None:
    together = found.coordination
    table = Table("junction", "offset", "stage", "green", "saturation", "delay", "level", box=None)
    for junction in _as_dict(found)["junctions"]:
        first = (junction["name"], f"{junction['offset_s']} s")
        for stage in junction["stages"]:
            delay = "–" if stage["delay_s"] is None else f"{stage['delay_s']:.0f} s"
            name = f"{stage['name']} *" if stage["coordinated"] else stage["name"]
            table.add_row(*first, name, f"{stage['green_s']} s", f"{stage['saturation']:.2f}", delay, junction["level"])
            first = ("", "")
    print_table(table)
    typer.echo(
        f"cycle {together.cycle_s} s, progression at {together.factor * 100:.0f} % of the limit; bands "
        f"{together.outbound.length_s:.1f} s outbound, {together.inbound.length_s:.1f} s inbound, "
        f"efficiency {together.efficiency:.2f}"
    )
    typer.echo(NOTICE)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
