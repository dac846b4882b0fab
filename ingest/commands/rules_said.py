"""`stadtfunk rules explain` and `rules report`: what rules said, and why."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from ingest.commands import service as cli_service
from ingest.commands.error import CommandError
from ingest.commands.service import AsJson, Config
from ingest.commands.table import print_table
from ingest.commands.time import instant_ms, local_time
from ingest.decisions.custom import rules_of
from ingest.settings import load, settings_file

if TYPE_CHECKING:
    from ingest.decisions.explain import Explanation

SHOWN = 10
COLUMNS = (
    "events",
    "switches",
    "switches_per_hour",
    "agreement_pct",
    "availability_pct",
    "coverage_pct",
    "measured_pct",
)
PARTS = ("quantity", "value", "unit", "threshold", "hysteresis", "window_s", "n_samples", "coverage_pct", "age_s")


def register(rules: typer.Typer) -> None:
    """Add the commands."""
    rules.command(epilog="Example: stadtfunk rules explain 32b38607-c417-5cb0-b7c2-6569514d7333")(explain)
    rules.command(epilog="Example: stadtfunk rules report --since 2026-09-01 --rule traffic.signal_plan")(report)


def explain(
    event_id: Annotated[str, typer.Argument(metavar="EVENT_ID")],
    config: Config = None,
    days: Annotated[
        float, typer.Option(min=0, max=366, help="Days of raw messages that the rule is run over again; 0: none.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Why an event was said: readings, thresholds, the states before and after, and what the neighbours said.

    States are found by running the rule again over the days before; where that gives the event to the byte they are
    exact.
    """
    settings = load(config)
    from ingest.app import read_city  # noqa: PLC0415 - the same
    from ingest.decisions import explain as rules_explain  # noqa: PLC0415 - the service's parts take a second to import
    from ingest.replay.decode_again import Decoder  # noqa: PLC0415 - the same

    city, rules = read_city(settings), rules_of(settings, file=settings_file(config))
    with cli_service.reading(settings) as connection:
        try:
            found = rules_explain.kept(connection, event_id)
        except rules_explain.ExplainError as error:
            raise CommandError(str(error)) from error
        explained = rules_explain.explain(connection, Decoder(settings, city), city, rules, found, days)
    if as_json:
        rest = explained._asdict()
        rest["neighbours"] = [item._asdict() for item in explained.neighbours]
        rest["kept"] = {key: value for key, value in found._asdict().items() if key != "payload"}
        typer.echo(json.dumps(rest))
        return
    _print(explained, settings.city.timezone)


def report(
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="ISO 8601, the city's time zone.")],
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="Not included; now without it.")] = "",
    rule: Annotated[str, typer.Option(metavar="ID", help="Only this rule.")] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """What rules said in a span, in shadow or not: how often it changed, how available, how near to what ran."""
    settings = load(config)
    known = [item.id for item in rules_of(settings, file=settings_file(config))]
    if rule and rule not in known:
        raise typer.BadParameter(f"unknown rule {rule!r}; known are {', '.join(known)}")
    from ingest.app import service_clock  # noqa: PLC0415 - the same
    from ingest.decisions import report as rules_report  # noqa: PLC0415 - slow to import, where it is needed only

    zone = settings.city.timezone
    from_ms = instant_ms(since, zone)
    to_ms = instant_ms(until, zone) if until else service_clock(settings)()
    if from_ms >= to_ms:
        raise typer.BadParameter("--until must be later than --since")
    with cli_service.reading(settings) as connection:
        rows = rules_report.report(connection, from_ms, to_ms, rule)
    if as_json:
        typer.echo(json.dumps({"from_ms": from_ms, "to_ms": to_ms, "rows": rows}))
        return
    table = Table(
        "rule",
        "subject",
        "kept as",
        *(name.replace("_pct", " %").replace("_", " ") for name in COLUMNS),
        "downlinks",
        "problems",
        box=None,
    )
    for row in rows:
        statuses, downlinks, problems = (_counts(row[name]) for name in ("statuses", "downlinks", "problems"))
        figures = ["-" if row[name] is None else str(row[name]) for name in COLUMNS]
        table.add_row(row["rule"], row["subject"], statuses, *figures, downlinks or "-", problems or "-")
    print_table(table)


def _counts(found: dict[str, int]) -> str:
    return " ".join(f"{name}={count}" for name, count in found.items())


def _print(explained: "Explanation", timezone: str) -> None:
    found = explained.kept
    event, data = found.event, found.event["data"]
    noted = "" if found.status_ms is None else f" {local_time(found.status_ms, timezone)}"
    typer.echo(f"{event['type']} about {event['subject']}, {event['time']}: {found.status}{noted}")
    typer.echo(f"by {data['rule']} version {data['rule_version']}, valid until {data['valid_until']}")
    said = {key: value for key, value in data.items() if key not in {"rule", "rule_version", "valid_until", "evidence"}}
    typer.echo(f"says: {json.dumps(said, ensure_ascii=False)}")
    if found.downlink is not None:
        typer.echo(_downlink(found.downlink, timezone))
    _print_evidence(data["evidence"])
    for row in found.audit:
        typer.echo(
            f"{local_time(row['time_ms'], timezone)}: {row['action']} by {row['actor']} {row['reason']}".rstrip()
        )
    if explained.given is not None:
        typer.echo(f"input: {json.dumps(explained.given)}")
        typer.echo(f"parameters: {explained.parameters}")
        typer.echo(f"before: {json.dumps(explained.before)}")
        typer.echo(f"after: {json.dumps(explained.after)}")
        if not explained.exact:
            typer.echo("run again it says something else: states are near, not exact; --days takes more of the past")
    for near in explained.neighbours:
        told = "nothing in the day before" if near.said is None else f"{near.said['time']} {near.said['status']}"
        typer.echo(f"neighbour {near.subject} ({near.distance_m:g} m): {told}; state {json.dumps(near.state)}")
    for problem in explained.problems[:SHOWN]:
        typer.echo(f"problem: {problem}")


def _downlink(sent: dict[str, Any], timezone: str) -> str:
    words = f"downlink to {sent['dev_eui']}: {sent['status']} {local_time(sent['since_ms'], timezone)}"
    return f"{words} ({sent['reason']})" if sent["reason"] else words


def _print_evidence(evidence: list[dict[str, Any]]) -> None:
    table = Table(*(name.replace("_", " ") for name in PARTS), "sources", box=None)
    for part in evidence:
        cells = ["-" if part.get(name) is None else str(part[name]) for name in PARTS]
        table.add_row(*cells, " ".join(part["sources"]))
    print_table(table)
