"""`stadtfunk waste simulate`: fixed tours, a threshold and prizes side by side in a simulated city."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from random import Random
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ingest.commands.error import CommandError
from ingest.commands.service import AsJson
from ingest.commands.table import print_table
from rules.asset import TIMEZONE
from rules.waste.due_config import FRACTIONS
from rules.waste.evaluation.chance import Chance, Draw
from rules.waste.evaluation.chart import chart
from rules.waste.evaluation.figures import Change, Figures, change
from rules.waste.evaluation.study import OVERFLOW, POLICIES, Step, Told, compared, prepared
from rules.waste.evaluation.tours import Solve
from rules.waste.evaluation.town import town
from rules.waste.route.model import Problem, RouteError
from rules.waste.route.solution import Solution

BEGIN: Final = date(2026, 9, 7)
"""A Monday; no public holiday lies in the four weeks from it on, nor in the two before."""
GRID: Final = time(6)
ITERATIONS: Final = 300
MOST_SHARE: Final = 1_000.0


def register(waste: typer.Typer) -> None:
    """Add the command to `waste`."""
    waste.command(epilog="Example: stadtfunk waste simulate --containers 200 --days 28 --seed 1 --plot policies.svg")(
        simulate
    )


def simulate(
    containers: Annotated[int, typer.Option(min=2, max=2_000, help="Containers of the city.")] = 200,
    days: Annotated[int, typer.Option(min=7, max=364, help="Days that count.")] = 28,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city, and the same figures.")] = 1,
    policies: Annotated[
        str, typer.Option(metavar="NAMES", help="What is compared, with commas; changes are told against the first.")
    ] = ",".join(POLICIES),
    mix: Annotated[
        str, typer.Option(metavar="SHARES", help="Fractions with their shares, each with tours of its own.")
    ] = "residual=1",
    overflow: Annotated[
        float,
        typer.Option(min=0, max=50, metavar="PERCENT", help="Container-days that tuned policies may let overflow."),
    ] = OVERFLOW * 100,
    iterations: Annotated[
        int, typer.Option(min=1, max=100_000, help="Of the search for each day's tours.")
    ] = ITERATIONS,
    begin: Annotated[str, typer.Option("--from", metavar="DATE", help="First day that counts.")] = BEGIN.isoformat(),
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a chart (SVG).")] = None,
    as_json: AsJson = False,
) -> None:
    """Live through the same weeks with several ways of collecting: the same waste, sensors, vehicles and solver.

    The fixed tours are tuned on a year of true levels, the threshold on eight weeks; prizes are the rule's.
    """
    names, shares = _policies(policies), _mix(mix)
    solve = _solver(iterations)
    with progress(quiet=as_json) as told:
        told(Step("a year of levels, fixed tours", 0, 1))
        study = prepared(drawn(seed), town(drawn(seed), containers, shares), _begin_ms(begin), days, overflow / 100)
        try:
            rows = list(compared(study, names, solve, told))
        except RouteError as error:
            raise CommandError(f"no tours: {error}") from error
    source = f"simulated, seed {seed}; {containers} containers, {days} days from {begin}, {iterations} iterations a day"
    if plot is not None:
        write_chart(plot, chart(source, rows))
    if as_json:
        typer.echo(json.dumps(_as_dict(rows, source, seed)))
        return
    print_rows(rows, source)


def drawn(seed: int) -> Draw:
    """Streams of chance of a seed."""

    def draw(name: str) -> Chance:
        return Random(f"{seed}/{name}")  # noqa: S311 - a simulation

    return draw


def print_rows(rows: Sequence[Figures], source: str) -> None:
    """The table, each policy against the first."""
    heads = (
        "policy",
        "km",
        "hours",
        "tours",
        "visits",
        "fill at visit (p10, p90)",
        "overflow days",
        "CO2 kg",
        "cost EUR",
    )
    table = Table(*heads, box=None)
    for row in rows:
        told = change(row, rows[0])
        table.add_row(
            row.policy,
            f"{row.km:,.0f}{_signed(told.km, row, rows)}",
            f"{row.hours:,.1f}{_signed(told.hours, row, rows)}",
            f"{row.tours}",
            f"{row.visits:,}{_signed(told.visits, row, rows)}",
            f"{row.fill_mean:.0f} % ({row.fill_p10:.0f}, {row.fill_p90:.0f})",
            f"{row.overflow_days} ({row.overflow:.2%})",
            f"{row.co2_kg:,.0f}",
            f"{row.cost_eur:,.0f}{_signed(told.cost, row, rows)}",
        )
    print_table(table)
    typer.echo(source)


def _signed(share: float, row: Figures, rows: Sequence[Figures]) -> str:
    return "" if row is rows[0] else f" ({share:+.1%})"


def _as_dict(rows: Sequence[Figures], source: str, seed: int) -> dict[str, Any]:
    def shares(told: Change) -> dict[str, float]:
        return {name: round(value, 4) for name, value in told._asdict().items()}

    return {
        "source": source,
        "seed": seed,
        "policies": [
            {
                **{
                    name: round(value, 4) if isinstance(value, float) else value
                    for name, value in row._asdict().items()
                },
                "change": shares(change(row, rows[0])),
            }
            for row in rows
        ],
    }


def _policies(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    wrong = [name for name in names if name not in POLICIES]
    if wrong or len(set(names)) < len(names):
        raise typer.BadParameter(
            f"{text!r}: expected some of {', '.join(POLICIES)}, each once", param_hint="--policies"
        )
    return names


def _mix(text: str) -> Mapping[str, float]:
    found = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        try:
            found[name.strip()] = float(share or "1")
        except ValueError:
            found[name.strip()] = -1.0
    if not all(name in FRACTIONS and 0 < share <= MOST_SHARE for name, share in found.items()):
        raise typer.BadParameter(
            f"{text!r}: expected fractions of {', '.join(FRACTIONS)} with shares, like residual=0.7,glass=0.3",
            param_hint="--mix",
        )
    return found


def _begin_ms(text: str) -> int:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no date, expected for example 2026-09-07", param_hint="--from"
        ) from error
    return int(datetime.combine(day, GRID, ZoneInfo(TIMEZONE)).timestamp()) * 1000


def _solver(iterations: int) -> Solve:
    try:
        from rules.waste.route.solve import Limit, solve  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise CommandError(f"PyVRP cannot be imported ({error}): install stadtfunk[routes]") from error

    def solved(problem: Problem, seed: int) -> Solution:
        return solve(problem, Limit(iterations=iterations), seed)

    return solved


@contextmanager
def progress(*, quiet: bool) -> Iterator[Told]:
    """A bar on standard error, where that is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("")

        def told(step: Step) -> None:
            progress.update(task, description=step.what, completed=step.done, total=step.all)

        yield told


def write_chart(file: Path, text: str) -> None:
    """Write a picture; raises CommandError that names the file."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
