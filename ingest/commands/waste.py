"""`stadtfunk waste backtest`: how good forecasts of fill levels would have been, beside simple ones."""

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.table import Table

from ingest.commands.error import CommandError
from ingest.commands.service import AsJson
from ingest.commands.table import print_table
from ingest.commands.time import instant_ms
from ingest.commands.waste_evaluate import register as register_evaluate
from ingest.commands.waste_report import register as register_report
from ingest.commands.waste_simulate import register as register_simulate
from ingest.commands.waste_simulated import simulated
from rules.waste.backtest import METHODS, Compared, Figures, Level, compare, figures, with_emptyings
from rules.waste.due_config import FRACTIONS, OTHER
from rules.waste.forecast import FULL, MODEL_VERSION, Prior

COLUMNS: Final = ("container", "time", "fill_level")
YES, NO = frozenset({"1", "true", "yes"}), frozenset({"", "0", "false", "no"})

app = typer.Typer(
    name="waste",
    help="Waste: how good forecasts are, what emptying by fill level saves, and what people saw.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
register_report(app)
register_simulate(app)
register_evaluate(app)


class Recorded(NamedTuple):
    """The levels of a container, and its fraction (empty where nothing is said of it)."""

    levels: list[Level]
    fraction: str


@app.callback()
def options() -> None:
    """Options of all commands: none."""


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app)


@app.command(epilog="Example: stadtfunk waste backtest --data levels.csv --from 2026-09-01")
def backtest(
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Recorded levels as CSV with the columns container, time (ISO 8601), fill_level (%) and, if there, "
            "fraction and emptied (1 at the first level after an emptying).",
            show_default="simulated levels",
        ),
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Compare from here on; what lies before is learned.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Leave out what was measured later.")] = None,
    containers: Annotated[int, typer.Option(min=1, max=10_000, help="Simulated containers.")] = 100,
    days: Annotated[int, typer.Option(min=7, max=730, help="Simulated days, from 5 January 2026 on.")] = 56,
    seed: Annotated[int, typer.Option(help="The same seed gives the same levels.")] = 1,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            max=500,
            metavar="PERCENT",
            help="Mean rate before anything is learned.",
            show_default="the fraction's",
        ),
    ] = None,
    timezone: Annotated[str, typer.Option(help="Whose days and holidays (IANA name).")] = "Europe/Berlin",
    as_json: AsJson = False,
) -> None:
    """Foretell each day of recorded or simulated levels one to three days ahead, and compare with what came.

    Mean absolute errors are in % of the volume, beside the last day's rate and a straight line since the emptying.
    Coverage is the part of levels between the 5th and the 95th percentile: 90 % is right.
    """
    _check_zone(timezone)
    begin_ms = instant_ms(begin, timezone) if begin else 0
    end_ms = instant_ms(end, timezone) if end else None
    if data is None:
        found = simulated(containers, days, seed, timezone)
        recorded = {name: Recorded(levels, "residual") for name, levels in found.items()}
    else:
        recorded = read(data, timezone)
    told = figures(_compared(recorded, begin_ms, end_ms, rate, timezone))
    if not told:
        raise CommandError(
            "nothing to compare: expected levels of a container on four days in a row without an emptying"
        )
    source = f"{data}" if data else f"simulated, seed {seed}"
    if as_json:
        typer.echo(json.dumps(_as_dict(told, source, len(recorded))))
        return
    _print(told, source, len(recorded))


def read(file: Path, timezone: str) -> dict[str, Recorded]:
    """The containers of a CSV file; a line that cannot be read is a CommandError that names it."""
    found: dict[str, Recorded] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            for name, fraction, level in _rows(file, csv.DictReader(text), ZoneInfo(timezone)):
                found.setdefault(name, Recorded([], fraction)).levels.append(level)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{file} is no CSV in UTF-8: {error}") from error
    return found


def _rows(file: Path, rows: "csv.DictReader[str]", zone: ZoneInfo) -> Iterator[tuple[str, str, Level]]:
    missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise CommandError(f"{file}: column {missing[0]!r} is missing, expected {', '.join(COLUMNS)}")
    for row in rows:
        where = f"{file}, line {rows.line_num}"
        name = (row["container"] or "").strip()
        if not name:
            raise CommandError(f"{where}: column 'container' is empty, expected the container's id")
        time_ms, level = _time_ms(where, row["time"] or "", zone), _level(where, row["fill_level"] or "")
        emptied = (row.get("emptied") or "").strip().lower()
        if emptied not in YES | NO:
            raise CommandError(f"{where}: column 'emptied' is {emptied!r:.40}, expected 1 or 0")
        yield name, (row.get("fraction") or "").strip(), Level(time_ms, level, emptied in YES)


def _time_ms(where: str, text: str, zone: ZoneInfo) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise CommandError(f"{where}: column 'time' is {text!r:.40}, expected for example 2026-09-01T06:30") from error
    local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return int(local.astimezone(UTC).timestamp() * 1000)


def _level(where: str, text: str) -> float:
    try:
        level = float(text)
    except ValueError:
        level = float("nan")
    if not isfinite(level) or not 0 <= level <= FULL:
        raise CommandError(f"{where}: column 'fill_level' is {text!r:.40}, expected a number from 0 to 100")
    return level


def _check_zone(timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise typer.BadParameter(f"{timezone!r} is no time zone, expected a name like Europe/Berlin") from error


def _compared(
    recorded: Mapping[str, Recorded], begin_ms: int, end_ms: int | None, rate: float | None, timezone: str
) -> Iterator[Compared]:
    for levels, fraction in recorded.values():
        prior = Prior(float(rate or FRACTIONS.get(fraction, OTHER).rate), timezone)
        kept = [level for level in levels if end_ms is None or level.time_ms < end_ms]
        yield from compare(prior, with_emptyings(kept), begin_ms)


def _as_dict(told: list[Figures], source: str, containers: int) -> dict[str, Any]:
    return {
        "source": source,
        "containers": containers,
        "model_version": MODEL_VERSION,
        "horizons": [
            {
                "days": each.days,
                "compared": each.compared,
                "mae_percent": {method: round(each.mae[method], 3) for method in METHODS},
                "coverage": round(each.coverage, 4),
                "width_percent": round(each.width, 2),
            }
            for each in told
        ],
    }


def _print(told: list[Figures], source: str, containers: int) -> None:
    table = Table("days ahead", "compared", "forecast", "last rate", "linear", "coverage", "width", box=None)
    for each in told:
        errors = (f"{each.mae[method]:.1f} %" for method in METHODS)
        coverage, width = f"{each.coverage * 100:.0f} %", f"{each.width:.0f} %"
        table.add_row(str(each.days), str(each.compared), *errors, coverage, width)
    print_table(table)
    typer.echo(f"{source}; {containers} containers; mean absolute errors in % of the volume; coverage of p05 to p95")
