"""`stadtfunk routes plan`: the tours of a day, from what the journal knows of its containers."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import typer

from ingest.commands import routes_life as cli_routes_life
from ingest.commands import service as cli_service
from ingest.commands.error import CommandError
from ingest.commands.service import AsJson, Config, Why
from ingest.commands.table import print_table
from ingest.journal_schema import JournalError
from ingest.settings import Settings, load

if TYPE_CHECKING:
    from ingest.routes.day import Planned
    from rules.city import City
    from rules.rule import StateRow
    from rules.waste.route.day_plan import DayPlan
    from rules.waste.route.stops import DueList
    from rules.waste.words import Words

Language = cli_routes_life.Language
Said = Mapping[str, Mapping[str, Any]]
"""What became of plans that were offered, by their id."""
EVERY_FRACTION = "each with containers due"
BEGUN = "its tours have begun: ask for changes with `stadtfunk routes replan`"

app = typer.Typer(
    name="routes", help="Tours of waste collection: plan a day.", no_args_is_help=True, rich_markup_mode=None
)


class Known(NamedTuple):
    """What plans are made from: the city, the states of its rules, and what could not be read of them."""

    city: "City"
    rows: "Sequence[StateRow]"
    now_ms: int
    warnings: "tuple[Words, ...]"


class Search(NamedTuple):
    """How a plan is looked for; None leaves it to the settings."""

    seconds: float | None
    iterations: int | None
    seed: int
    skip_invalid: bool


@app.callback()
def options() -> None:
    """Options of all commands: none."""


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    cli_routes_life.register(app)
    parent.add_typer(app)


@app.command("plan", epilog="Example: stadtfunk routes plan --date 2026-11-24 --fraction paper --out tours")
def plan_(
    day: Annotated[
        str | None,
        typer.Option("--date", metavar="DAY", help="ISO 8601.", show_default="the next day on which a vehicle works"),
    ] = None,
    vehicles: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID,…", help="Only these, on duty or not; repeatable.", show_default="those whose day it is"
        ),
    ] = None,
    fraction: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="What is collected; repeatable.", show_default=EVERY_FRACTION),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.1, max=3600, metavar="S", help="Search for a plan so long.", show_default="routes.seconds"),
    ] = None,
    iterations: Annotated[
        int | None,
        typer.Option(min=1, max=10_000_000, help="Search so many times; the same number and seed give the same plan."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, help="Of the search.", show_default="routes.seed")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write table, map, tour sheets and job lists here.")
    ] = None,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Leave out containers and vehicles with faults, and plan the rest.")
    ] = False,
    language: Annotated[Language, typer.Option(help="Of table, warnings and tour sheets.")] = "de",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show and write files: keep nothing, tell nobody.")
    ] = False,
    config: Config = None,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Plan tours for a day: what must be emptied and what is worth it, with reasons. The depot confirms them.

    One plan for each fraction; a vehicle with a tour in one is not asked for the next. A fraction that cannot be
    planned leaves the others alone and makes the exit code 1.
    """
    settings = load(config)
    known = _known(settings)
    from rules.waste.route.service_day import ServiceDay  # noqa: PLC0415 - the rules take a second to import
    from rules.waste.route.stops import due_on  # noqa: PLC0415 - the same

    wanted = _day(known, day, settings.city.timezone)
    only = _vehicles(known.city, vehicles or [])
    due = due_on(known.city, known.rows, ServiceDay(wanted, settings.city.timezone), known.now_ms)
    fractions = tuple(dict.fromkeys(fraction or [name for name in due.fractions if name]))
    search = Search(seconds, iterations, settings.routes.seed if seed is None else seed, skip_invalid)
    made = _planned(settings, known, wanted, fractions, only, search, quiet=as_json)
    files = [file for plan in made.plans for file in _write(plan, out, language)]
    said, problems = ({}, []) if dry_run else _offered(settings, made.plans, reason)
    warnings = (*known.warnings, *_without_fraction(due))
    if as_json:
        typer.echo(json.dumps(_as_dict(wanted, made, said, files, warnings), ensure_ascii=False))
    else:
        _print(wanted, made, said, files, warnings, language)
    problems = [*(f"{name}: {_line(why)}" for name, why in made.refused.items()), *problems]
    if problems:
        raise CommandError("; ".join(problems))


def _known(settings: Settings) -> Known:
    from ingest.app import read_city, service_clock  # noqa: PLC0415 - the service's parts take a second to import
    from ingest.journal_sql import states  # noqa: PLC0415 - the same
    from rules.waste.route.fleet import vehicles_in  # noqa: PLC0415 - the same

    if settings.city.file is None:
        raise CommandError("city.file is not set: tours are planned for the containers and vehicles in it")
    city = read_city(settings)
    if not vehicles_in(city):
        raise CommandError(f"{settings.city.file}: no feature of the kind 'vehicle', expected at least one")
    with cli_service.reading(settings) as connection:
        rows, damaged = states(connection)
    from rules.waste.words import Words  # noqa: PLC0415 - the same

    warnings = tuple(
        Words(
            f"{row.subject}: sein Stand im Journal ist beschädigt",
            f"{row.subject}: its state in the journal is damaged",
        )
        for row in damaged
    )
    return Known(city, rows, service_clock(settings)(), warnings)


def _day(known: Known, text: str | None, timezone: str) -> date:
    from rules.waste.route.fleet import next_service_day  # noqa: PLC0415 - the rules take a second to import

    today = datetime.fromtimestamp(known.now_ms / 1000, UTC).astimezone(ZoneInfo(timezone)).date()
    if text is None:
        found = next_service_day(known.city, today, timezone)
        if found is None:
            raise CommandError("no vehicle works within 30 days: see `service_days` of the vehicles")
        return found
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day, expected for example {today + timedelta(days=1)}") from error
    if day < today:
        raise typer.BadParameter(f"{text} is over, expected {today} or later")
    return day


def _vehicles(city: "City", given: Sequence[str]) -> tuple[str, ...]:
    from rules.waste.route.fleet import vehicles_in  # noqa: PLC0415 - the rules take a second to import

    known = [asset.id for asset in vehicles_in(city)]
    wanted = tuple(dict.fromkeys(name.strip() for text in given for name in text.split(",") if name.strip()))
    for name in wanted:
        if name not in known:
            raise typer.BadParameter(f"unknown vehicle {name!r}; known are {', '.join(known)}")
    return wanted


def _planned(
    settings: Settings,
    known: Known,
    day: date,
    fractions: Sequence[str],
    vehicles: tuple[str, ...],
    search: Search,
    *,
    quiet: bool,
) -> "Planned":
    from ingest.commands.routes_progress import shown  # noqa: PLC0415 - the service's parts take a second to import
    from ingest.routes import store  # noqa: PLC0415 - the same
    from ingest.routes.day import Request, plan_fractions  # noqa: PLC0415 - the same
    from ingest.routes.engaged import engaged  # noqa: PLC0415 - the same
    from ingest.routes.matrix_cache import NAME  # noqa: PLC0415 - the same

    with cli_service.reading(settings) as connection:
        others = engaged(store.of_day(connection, day), fractions, known.now_ms)
    away = others.taken | (others.gone - frozenset(vehicles))
    requests = [
        Request(day, fraction, vehicles, *search, unavailable=away)
        for fraction in fractions
        if fraction not in others.begun
    ]
    ways = settings.journal.path.with_name(NAME)
    free = search.seconds is None and search.iterations is None
    limits = settings.routes if free else search
    with shown(limits.seconds, limits.iterations, quiet=quiet) as told:
        made = asyncio.run(plan_fractions(known.city, known.rows, settings.routes, requests, known.now_ms, ways, told))
    return made._replace(refused={**dict.fromkeys(sorted(others.begun), BEGUN), **made.refused})


def _write(plan: "DayPlan", folder: Path | None, language: Language) -> list[Path]:
    if folder is None:
        return []
    from ingest.routes.output.files import write_all  # noqa: PLC0415 - where it is needed only

    try:
        return write_all(plan, folder, language)
    except OSError as error:
        raise CommandError(f"{error.filename or folder}: {error.strerror}") from error


def _offered(settings: Settings, plans: "Sequence[DayPlan]", reason: str) -> tuple[Said, list[str]]:
    """What became of the plans, and of which ones nothing did."""
    said, problems = dict[str, Mapping[str, Any]](), list[str]()
    for plan in plans:
        try:
            said[plan.id] = cli_routes_life.propose(settings, plan, reason)
        except (CommandError, JournalError) as error:
            problems.append(f"{plan.id} is not kept: {error}")
    return said, problems


def _without_fraction(due: "DueList") -> "Iterator[Words]":
    from rules.waste.words import Words  # noqa: PLC0415 - the rules take a second to import

    for stop in due.stops:
        if not stop.fraction:
            yield Words(
                f"{stop.id}: ist fällig und hat keine `fraction`: kein Fahrzeug kommt",
                f"{stop.id}: is due and has no `fraction`: no vehicle comes",
            )


def _as_dict(
    day: date, made: "Planned", said: Said, files: Sequence[Path], warnings: "Sequence[Words]"
) -> dict[str, object]:
    from ingest.routes.output.jobs import jobs_json  # noqa: PLC0415 - where it is needed only

    return {
        "day": day.isoformat(),
        "kept": {plan: answer["status"] for plan, answer in said.items()},
        "plans": [
            {
                **json.loads(jobs_json(plan)),
                "cost_eur": plan.solution.cost.cents / 100,
                "gap": plan.solution.gap,
                "gap_to_previous": plan.solution.gap_to_previous,
            }
            for plan in made.plans
        ],
        "refused": {name: why.splitlines() for name, why in made.refused.items()},
        "warnings": [text.en for text in warnings],
        "warnings_de": [text.de for text in warnings],
        "files": [str(file) for file in files],
    }


def _print(
    day: date, made: "Planned", said: Said, files: Sequence[Path], warnings: "Sequence[Words]", language: Language
) -> None:
    from ingest.routes.output.table import route_table  # noqa: PLC0415 - where it is needed only
    from ingest.routes.output.worth import worth  # noqa: PLC0415 - the same

    for plan in made.plans:
        print_table(route_table(plan, language))
        typer.echo(worth(plan.solution, language))
    if not made.plans and not made.refused:
        typer.echo(f"nothing is due on {day}")
    for file in files:
        typer.echo(f"written: {file}")
    for name, answer in said.items():
        typer.echo(f"{answer['status']}: {name}")
    for text in (*warnings, *(text for plan in made.plans for text in plan.warnings)):
        typer.echo(f"stadtfunk: warning: {_line(text.de if language == 'de' else text.en)}", err=True)


def _line(text: str) -> str:
    return "; ".join(text.splitlines())
