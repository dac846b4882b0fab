"""`stadtfunk routes list, show, confirm, withdraw, replan`: what became of plans, and what people decide of them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer
from pydantic import JsonValue
from rich.table import Table

from ingest.audit import operating_system_user
from ingest.commands import service as cli_service
from ingest.commands.error import CommandError
from ingest.commands.service import AsJson, Config, Why
from ingest.commands.table import print_table
from ingest.commands.time import local_time
from ingest.journal_schema import JournalError
from ingest.settings import Settings, load

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.routes.control import RoutesControl
    from ingest.routes.tours import Tours
    from rules.waste.route.day_plan import DayPlan
    from rules.waste.route.record import PlanRecord, TourRecord
    from rules.waste.words import Words

SHOWN = 20
Language = Literal["de", "en"]
Change = Callable[["RoutesControl"], Awaitable[dict[str, Any]]]
PlanName = Annotated[str, typer.Argument(metavar="PLAN", help="As `stadtfunk routes list` shows it.")]
Day = Annotated[str | None, typer.Option("--date", metavar="DAY", help="ISO 8601.", show_default="today")]
Fraction = Annotated[str | None, typer.Option(metavar="NAME", help="What is collected.", show_default="all")]


def register(app: typer.Typer) -> None:
    """Add the commands to `routes`."""
    app.command("list", epilog="Example: stadtfunk routes list --json")(list_)
    app.command(epilog="Example: stadtfunk routes show --date 2026-11-24")(show)
    app.command(epilog="Example: stadtfunk routes confirm 2026-11-24-paper-1f3c9a02 --reason 'as agreed'")(confirm)
    app.command(epilog="Example: stadtfunk routes withdraw 2026-11-24-paper-1f3c9a02 --reason 'ice'")(withdraw)
    app.command(epilog="Example: stadtfunk routes replan --without-vehicle truck-2 --reason 'flat tyre'")(replan)


def list_(
    config: Config = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Plans at most.")] = SHOWN,
    as_json: AsJson = False,
) -> None:
    """The newest plans, the latest day first: what the depot said of them, and how much is in them."""
    from ingest.routes import store  # noqa: PLC0415 - the rules take a second to import

    settings = load(config)
    with cli_service.reading(settings) as connection:
        plans = [store.shown(plan) for plan in store.newest(connection, limit)]
    if as_json:
        typer.echo(json.dumps(plans))
        return
    table = Table(
        "plan", "day", "fraction", "status", "made for", "at", "vehicles", "stops", "km", "left out", box=None
    )
    for plan in plans:
        made = local_time(plan["created_ms"], settings.city.timezone)
        figures = (str(plan["stops"]), f"{plan['metres'] / 1000:.1f}", str(plan["left_out"]))
        words = (plan["id"], plan["day"], plan["fraction"], plan["status"], plan["origin"], made)
        table.add_row(*words, ", ".join(plan["vehicles"]) or "-", *figures)
    print_table(table)


def show(
    name: Annotated[str | None, typer.Argument(metavar="[PLAN]", help="A plan; without one those of a day.")] = None,
    day: Day = None,
    language: Annotated[Language, typer.Option(help="Of reasons, warnings and why something is left out.")] = "en",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """A plan with its tours and their stops, or all plans of a day that are not withdrawn."""
    from ingest.routes import store  # noqa: PLC0415 - the rules take a second to import

    if name is not None and day is not None:
        raise typer.BadParameter("a plan or --date, not both")
    settings = load(config)
    with cli_service.reading(settings) as connection:
        if name is not None:
            found = store.find(connection, name)
            plans = [found] if found is not None else []
        else:
            plans = [plan for plan in store.of_day(connection, _day(settings, day)) if plan.status != "withdrawn"]
    if not plans:
        raise CommandError(f"no plan {name}" if name is not None else f"no plan for {_day(settings, day)}")
    if as_json:
        typer.echo(json.dumps([store.whole(plan) for plan in plans], ensure_ascii=False))
        return
    for plan in plans:
        _print(plan, settings.city.timezone, language)


def confirm(
    name: PlanName,
    vehicle: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only its tour; repeatable.", show_default="all tours")
    ] = None,
    config: Config = None,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Put a plan in force: its vehicles are told, older tours of theirs end.

    Where the plan takes a stop from a vehicle's confirmed tour and gives it to another vehicle, the tours of both are
    confirmed together: one of them alone is refused, and the answer names the others. The depot's answers over MQTT
    come one by one: there each waits for the others.
    """
    vehicles = tuple(vehicle or ())
    made = _change(
        load(config),
        f"/api/v1/routes/{cli_service.segment(name)}/confirm",
        {**cli_service.order(reason), "vehicles": list(vehicles)},
        lambda control: control.confirm(name, vehicles, operating_system_user(), reason),
    )
    _done(made, f"{name}: confirmed; told: {', '.join(made['vehicles']) or 'nobody, it was already'}", as_json=as_json)


def withdraw(name: PlanName, config: Config = None, reason: Why = "", as_json: AsJson = False) -> None:
    """Take a plan back; confirmed tours of before hold again."""
    made = _change(
        load(config),
        f"/api/v1/routes/{cli_service.segment(name)}/withdraw",
        cli_service.order(reason),
        lambda control: control.withdraw(name, operating_system_user(), reason),
    )
    _done(made, f"{name}: withdrawn; told: {', '.join(made['vehicles']) or 'nobody'}", as_json=as_json)


def replan(
    without_vehicle: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A vehicle that dropped out; repeatable.")
    ] = None,
    day: Day = None,
    fraction: Fraction = None,
    config: Config = None,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Ask for a newer plan of a day, with as few changes as possible; the depot confirms it like any other.

    The running service plans it in the background; without one it is planned here and goes out with the next start.
    """
    settings, without = load(config), tuple(without_vehicle or ())
    wanted = _day(settings, day)
    body: dict[str, JsonValue] = {
        **cli_service.order(reason),
        "day": wanted.isoformat(),
        "fraction": fraction,
        "without": list(without),
    }
    running = cli_service.runs(settings)
    made = _change(
        settings,
        "/api/v1/routes/replan",
        body,
        lambda control: control.replan(wanted, fraction, without, operating_system_user(), reason),
        plan=True,
    )
    if made.get("warnings"):
        raise CommandError("; ".join(made["warnings"].values()))
    what = "the service plans" if running else "planned"
    _done(made, f"{wanted}, {', '.join(made['fractions'])}: {what}; see `stadtfunk routes list`", as_json=as_json)


def propose(settings: Settings, plan: "DayPlan", reason: str) -> dict[str, Any]:
    """Offer a plan that a person made to the depot: kept in the journal and published; raises CommandError."""
    from ingest.routes.store import PLAN  # noqa: PLC0415 - the rules take a second to import
    from rules.waste.route.record import record_of  # noqa: PLC0415 - the same

    record = record_of(plan)
    return _change(
        settings,
        "/api/v1/routes",
        {**cli_service.order(reason), "plan": PLAN.dump_python(record, mode="json")},
        lambda control: control.propose(record, operating_system_user(), reason),
    )


def _day(settings: Settings, text: str | None) -> date:
    if text is None:
        from ingest.app import service_clock  # noqa: PLC0415 - slow to import, where it is needed only

        zone = ZoneInfo(settings.city.timezone)
        return datetime.fromtimestamp(service_clock(settings)() / 1000, UTC).astimezone(zone).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day, expected for example 2026-11-24") from error


def _change(
    settings: Settings, path: str, order: dict[str, JsonValue], alone: Change, *, plan: bool = False
) -> dict[str, Any]:
    """What the service, or without one the journal, says to a change; `plan`: do what it asks for here, too."""
    if cli_service.runs(settings):
        answer = cli_service.post(settings, path, order)
        if answer.error is not None:
            raise CommandError(answer.error)
        return dict(answer.body)
    cli_service.quiet_logs(settings)
    from rules.waste.route.life import LifeError  # noqa: PLC0415 - the rules take a second to import

    try:
        return asyncio.run(_alone(settings, alone, plan=plan))
    except LifeError as error:
        raise CommandError(str(error)) from error


async def _alone(settings: Settings, change: Change, *, plan: bool) -> dict[str, Any]:
    from ingest.journal import Journal  # noqa: PLC0415 - slow to import, where it is needed only

    if not settings.journal.path.exists():
        raise JournalError(f"journal {settings.journal.path} does not exist")
    async with Journal(settings.journal) as journal:
        tours = _tours(settings, journal)
        made = await change(tours.control)
        if plan:
            await tours.look()
            made["warnings"] = tours.warnings()
        return made


def _tours(settings: Settings, journal: "Journal") -> "Tours":
    """The service's task on this journal, to be asked once."""
    from ingest.app import read_city, service_clock  # noqa: PLC0415 - the service's parts take a second to import
    from ingest.decisions import store as rules_store  # noqa: PLC0415 - the same
    from ingest.decisions.modes import Modes  # noqa: PLC0415 - the same
    from ingest.routes.tours import Tours  # noqa: PLC0415 - the same
    from ingest.telemetry import Telemetry  # noqa: PLC0415 - the same

    city, clock = read_city(settings), service_clock(settings)
    modes = Modes(settings, rules_store.read_stopped(settings.journal.path))
    return Tours(journal, modes, lambda: settings, lambda: city, clock, Telemetry(clock))


def _said(words: "Words", language: Language) -> str:
    return words.de if language == "de" else words.en


def _print(plan: "PlanRecord", timezone: str, language: Language) -> None:
    made = local_time(plan.created_ms, timezone)
    typer.echo(f"{plan.id}: {plan.day}, {plan.fraction}, {plan.status}, {plan.origin} at {made}")
    if not plan.drivable:
        typer.echo("order of stops, not for driving")
    table = Table("vehicle", "status", "no.", "place", "name", "arrival", "kg", "why", box=None)
    for tour in plan.tours:
        _rows(table, plan, tour, language)
    print_table(table)
    for tour in plan.tours:
        if tour.visits and _word(tour, language):
            typer.echo(f"{tour.vehicle}: {_word(tour, language)}")
    for one in plan.unserved:
        typer.echo(f"left out: {one.stop}: {one.reason}: {_said(one.detail, language)}")
    for text in (plan.failure, *plan.warnings):
        if _said(text, language):
            typer.echo(f"note: {_said(text, language)}")


def _rows(table: Table, plan: "PlanRecord", tour: "TourRecord", language: Language) -> None:
    if not tour.visits:
        table.add_row(tour.vehicle, tour.status, "-", "no tour", "", "", "", _word(tour, language))
    for number, visit in enumerate(tour.visits, start=1):
        arrival = local_time(plan.time_ms(visit.arrival_s), plan.timezone)[11:16] if plan.drivable else "-"
        reason = plan.why.get(visit.place) if visit.kind == "stop" else None
        words = visit.kind if reason is None else reason.text_de if language == "de" else reason.text_en
        table.add_row(
            tour.vehicle,
            tour.status,
            str(number),
            visit.place,
            plan.names.get(visit.place, ""),
            arrival,
            str(visit.load_kg),
            words,
        )


def _word(tour: "TourRecord", language: Language) -> str:
    """What the depot said to a tour, or why it is no usual one."""
    if tour.rejected:
        return f"abgelehnt: {tour.rejected}" if language == "de" else f"rejected: {tour.rejected}"
    if tour.accepted_ms is not None:
        return "angenommen, wartet auf andere Touren" if language == "de" else "accepted, waits for other tours"
    return _said(tour.reason, language)


def _done(made: dict[str, Any], text: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(made) if as_json else text)
