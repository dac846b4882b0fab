"""`stadtfunk waste evaluate`: what the policies would have done with the waste of tours that were driven."""

import csv
import json
from collections.abc import Iterator, Sequence
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
from ingest.commands.waste_simulate import drawn, progress
from rules.asset import TIMEZONE
from rules.waste.due_config import FRACTIONS
from rules.waste.evaluation.log_study import DRAWS, LOGGED, Interval, Row, Verdict, judged, lived, setting
from rules.waste.evaluation.study import Step
from rules.waste.evaluation.tour_log import Log, LogError, Logged, ordered

COLUMNS: Final = ("stop", "time", "fill")
MOST_FILL, MOST_KM = 200.0, 2_000.0
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
            "for waste beside it) and, if there, vehicle and km (of the whole tour).",
        ),
    ],
    fraction: Annotated[str, typer.Option(help="What the containers are for.", show_default="any other")] = "",
    draws: Annotated[int, typer.Option(min=1, max=100, help="Ways in which the waste may have come.")] = DRAWS,
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures.")] = 1,
    timezone: Annotated[str, typer.Option(help="Whose days (IANA name).")] = TIMEZONE,
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
        stop, km = (row["stop"] or "").strip(), (row.get("km") or "").strip()
        if not stop:
            raise CommandError(f"{where}: column 'stop' is empty, expected the container's id")
        yield Logged(
            stop,
            _time_ms(where, row["time"] or "", zone),
            _number(where, "fill", row["fill"] or "", MOST_FILL),
            (row.get("vehicle") or "").strip(),
            _number(where, "km", km, MOST_KM) if km else None,
        )


def _time_ms(where: str, text: str, zone: ZoneInfo) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
        local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return int(local.astimezone(UTC).timestamp()) * 1000
    except (ValueError, OverflowError) as error:
        raise CommandError(f"{where}: column 'time' is {text!r:.40}, expected for example 2026-09-01T06:30") from error


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
    table = Table("policy", "emptyings", "change", "fill at visit", "overflow days", "km", "change of km", box=None)
    for row in rows:
        first = row.policy == LOGGED
        table.add_row(
            row.policy,
            f"{row.visits:,.0f}",
            "" if first else _share(row.change),
            f"{row.fill:.0f} %",
            f"{row.overflow_days:.1f} ({row.overflow:.2%})",
            "" if row.km is None else f"{row.km:,.0f}",
            "" if first or row.km_change is None else _share(row.km_change),
        )
    print_table(table)
    for row in rows[1:]:
        typer.echo(verdict(row, rows[0]))
    dropped = f"; {len(log.dropped)} containers with fewer than four emptyings left out" if log.dropped else ""
    typer.echo(
        f"{len(log.emptyings)} containers, {log.days - log.half} days after {log.half} to learn from{dropped}; "
        "km are estimated from the log's own tours, waste is drawn between emptyings"
    )


def _share(change: Interval) -> str:
    return f"{change.middle:+.1%} ({change.low:+.1%} to {change.high:+.1%})"


def _as_dict(rows: Sequence[Row], log: Log) -> dict[str, Any]:
    return {
        "containers": len(log.emptyings),
        "left_out": list(log.dropped),
        "days": log.days - log.half,
        "learned_days": log.half,
        "policies": [
            {
                **row._asdict(),
                "change": row.change._asdict(),
                "km_change": None if row.km_change is None else row.km_change._asdict(),
                "text": "" if row.policy == LOGGED else verdict(row, rows[0]),
            }
            for row in rows
        ],
    }
