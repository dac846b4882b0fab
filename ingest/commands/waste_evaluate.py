"""`stadtfunk waste evaluate`: what the policies would have done with the waste of tours that were driven."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.table import Table

from ingest.commands.error import CommandError
from ingest.commands.service import AsJson
from ingest.commands.table import print_table
from ingest.commands.waste_simulate import drawn, progress, write_chart
from rules.asset import TIMEZONE
from rules.waste.due_config import FRACTIONS
from rules.waste.evaluation.chart import log_chart
from rules.waste.evaluation.log_study import DRAWS, LOGGED, Interval, Row, Verdict, judged, lived, setting
from rules.waste.evaluation.study import Step
from rules.waste.evaluation.tour_log import Log, LogError, Logged, ordered

COLUMNS: Final = ("stop", "time", "fill")
MOST_FILL, MOST_KM, MOST_HOURS = 200.0, 2_000.0, 48.0
WORDS: Final[dict[Verdict, str]] = {
    "less": "{policy}: {low:.0f} to {high:.0f} % fewer emptyings than were driven; {overflow:.2%} of container-days "
    "overflow beside {base:.2%}.",
    "more": "{policy}: more emptyings than were driven ({low:.0f} to {high:.0f} %): no saving here.",
    "no saving": "{policy}: no saving here that this log could show: between {low:.0f} and {high:.0f} % "
    "(negative: fewer emptyings).",
    "more overflow": "{policy}: it would let more containers overflow ({overflow:.2%} of container-days beside "
    "{base:.2%}): no saving here that would be one.",
}


def register(waste: typer.Typer) -> None:
    """Add the command to `waste`."""
    waste.command(epilog="Example: stadtfunk waste evaluate tours-2026.csv --fraction glass")(evaluate)


def evaluate(
    log: Annotated[
        Path,
        typer.Argument(
            metavar="LOG.csv",
            help="Emptyings as CSV with the columns stop, time (ISO 8601), fill (% as the crew found it; more than 100 "
            "for waste beside it) and, if there, vehicle, km and hours (of the whole tour).",
        ),
    ],
    fraction: Annotated[str, typer.Option(help="What the containers are for.", show_default="any other")] = "",
    draws: Annotated[int, typer.Option(min=1, max=100, help="Ways in which the waste may have come.")] = DRAWS,
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures.")] = 1,
    timezone: Annotated[str, typer.Option(help="Whose days (IANA name).")] = TIMEZONE,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a chart (SVG).")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what fixed tours, a threshold and prizes would have done in the second half of a log, learned on the first.

    Changes are against the log itself, from the 5th to the 95th percentile. It says so where nothing is saved.
    """
    if fraction and fraction not in FRACTIONS:
        raise typer.BadParameter(f"{fraction!r}: expected one of {', '.join(FRACTIONS)}", param_hint="--fraction")
    try:
        kept = ordered(read(log, _zone(timezone)), timezone)
    except LogError as error:
        raise CommandError(f"{log}: {error}") from error
    given = setting(kept, timezone, fraction)
    with progress(quiet=as_json) as told:
        found = []
        for number in range(draws):
            told(Step("draws of the waste", number, draws))
            found.append(lived(drawn(seed * 1_000 + number), given))
    rows = judged(drawn(seed)("resampled"), found, given)
    if plot is not None:
        write_chart(plot, log_chart(f"{log.name}: {kept.days - kept.half} days", rows))
    if as_json:
        typer.echo(json.dumps(_as_dict(rows, kept)))
        return
    _print(rows, kept)


def read(file: Path, zone: ZoneInfo) -> list[Logged]:
    """The emptyings of a CSV file; a line that cannot be read is a CommandError that names it and its column."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            return list(_rows(file, csv.DictReader(text), zone))
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{file} is no CSV in UTF-8: {error}") from error


def _rows(file: Path, rows: "csv.DictReader[str]", zone: ZoneInfo) -> Iterator[Logged]:
    missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise CommandError(f"{file}: column {missing[0]!r} is missing, expected {', '.join(COLUMNS)}")
    for row in rows:
        where = f"{file}, line {rows.line_num}"
        stop = (row["stop"] or "").strip()
        if not stop:
            raise CommandError(f"{where}: column 'stop' is empty, expected the container's id")
        yield Logged(
            stop,
            _time_ms(where, row["time"] or "", zone),
            _number(where, "fill", row["fill"] or "", MOST_FILL),
            (row.get("vehicle") or "").strip(),
            _optional(where, "km", row, MOST_KM),
            _optional(where, "hours", row, MOST_HOURS),
        )


def _time_ms(where: str, text: str, zone: ZoneInfo) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
        local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return int(local.astimezone(UTC).timestamp()) * 1000
    except (ValueError, OverflowError) as error:
        raise CommandError(f"{where}: column 'time' is {text!r:.40}, expected for example 2026-09-01T06:30") from error


def _optional(where: str, column: str, row: Mapping[str, str | None], most: float) -> float | None:
    written = (row.get(column) or "").strip()
    return _number(where, column, written, most) if written else None


def _number(where: str, column: str, text: str, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number) or not 0 <= number <= most:
        raise CommandError(f"{where}: column {column!r} is {text!r:.40}, expected a number from 0 to {most:g}")
    return number


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise typer.BadParameter(f"{timezone!r} is no time zone, expected a name like Europe/Berlin") from error


def verdict(row: Row, base: Row) -> str:
    """What a row comes to, in plain words."""
    low, high = row.change.low * 100, row.change.high * 100
    if row.verdict == "less":
        low, high = -high, -low
    words = WORDS[row.verdict]
    return words.format(policy=row.policy, low=low, high=high, overflow=row.overflow, base=base.overflow)


def _print(rows: Sequence[Row], log: Log) -> None:
    table = Table("policy", "emptyings", "fill at visit", "overflow days", "km", "hours", "CO2, kg", box=None)
    for row in rows:
        more = row.policy != LOGGED
        table.add_row(
            row.policy,
            _changed(row.visits, row.change if more else None),
            f"{row.fill:.0f} %",
            f"{row.overflow_days:.1f} ({row.overflow:.2%})",
            _changed(row.km, row.km_change if more else None),
            _changed(row.hours, row.hours_change if more else None, ".1f"),
            _changed(row.co2_kg, None),
        )
    print_table(table)
    for row in rows[1:]:
        typer.echo(verdict(row, rows[0]))
    dropped = f"; {len(log.dropped)} containers with fewer than four emptyings left out" if log.dropped else ""
    typer.echo(
        f"{len(log.emptyings)} containers, {log.days - log.half} days after {log.half} to learn from{dropped}; "
        "km and hours are estimated from the log's own tours, CO2 from the km, waste is drawn between emptyings"
    )


def _changed(value: float | None, change: Interval | None, form: str = ".0f") -> str:
    if value is None:
        return ""
    if change is None:
        return f"{value:,{form}}"
    return f"{value:,{form}} {change.middle:+.0%} ({change.low:+.0%} to {change.high:+.0%})"


def _as_dict(rows: Sequence[Row], log: Log) -> dict[str, Any]:
    return {
        "containers": len(log.emptyings),
        "left_out": list(log.dropped),
        "days": log.days - log.half,
        "learned_days": log.half,
        "policies": [
            {
                **row._asdict(),
                "co2_kg": row.co2_kg,
                "change": row.change._asdict(),
                "km_change": None if row.km_change is None else row.km_change._asdict(),
                "hours_change": None if row.hours_change is None else row.hours_change._asdict(),
                "text": "" if row.policy == LOGGED else verdict(row, rows[0]),
            }
            for row in rows
        ],
    }
