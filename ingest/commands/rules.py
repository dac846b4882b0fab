"""`stadtfunk rules`: what the rules say, said, and would say."""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from ingest.commands import rules_change as cli_rules_change
from ingest.commands import rules_said as cli_rules_said
from ingest.commands import service as cli_service
from ingest.commands.error import CommandError
from ingest.commands.service import AsJson, Config
from ingest.commands.table import print_table
from ingest.commands.time import instant_ms
from ingest.decisions.custom import DOMAIN, rules_of
from ingest.decisions.param import ParameterError, with_parameters
from ingest.settings import load, settings_file

if TYPE_CHECKING:
    from ingest.decisions import replay as rules_replay

SHOWN = 20
app = typer.Typer(
    name="rules",
    help="The rules: what they may do, what they said, run again over recorded messages.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    cli_rules_change.register(parent, app)
    cli_rules_said.register(app)
    parent.add_typer(app)


@app.callback()
def options() -> None:
    """Options of all commands: none."""


@app.command(epilog="Example: stadtfunk rules replay --from 2026-03-14 --to 2026-03-15 --rule parking.lot_state")
def replay(
    begin: Annotated[str, typer.Option("--from", metavar="TIME", help="ISO 8601, the city's time zone.")],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Not included.")],
    config: Config = None,
    rule: Annotated[str, typer.Option(metavar="ID", help="Only this rule.")] = "",
    subject: Annotated[str, typer.Option(metavar="ID", help="Only this asset.")] = "",
    city: Annotated[Path | None, typer.Option(help="Another city file than the configured one.")] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="ASSET.PROPERTY=VALUE", help="Another parameter, of an asset or of a KIND; repeatable."),
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the comparison (SVG).")] = None,
    everything: Annotated[bool, typer.Option("--all", help="List events that are the same, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the rules in shadow over raw messages and ticks of a span, and compare with what they said then.

    Nothing is published or stored. Rules begin with nothing known: a span that begins with the journal compares to the
    byte, a later one differs until its rules have caught up.
    """
    settings = load(config, **({"city": {"file": city}} if city else {}))
    rules = rules_of(settings, file=settings_file(config))
    known = [item.id for item in rules]
    if rule and rule not in known:
        raise typer.BadParameter(f"unknown rule {rule!r}; known are {', '.join(known)}")
    for text in param or []:
        if text.startswith(f"{DOMAIN}."):
            raise typer.BadParameter(f"parameter {text!r}: rules without code are changed in the settings, with -c")
    zone = settings.city.timezone
    from ingest.app import read_city  # noqa: PLC0415 - the same
    from ingest.decisions import replay as rules_replay  # noqa: PLC0415 - the service's parts take a second to import
    from ingest.replay.decode_again import Decoder  # noqa: PLC0415 - the same

    chosen = rules_replay.Selection(instant_ms(begin, zone), instant_ms(end, zone), rule, subject)
    if chosen.from_ms >= chosen.to_ms:
        raise typer.BadParameter("--to must be later than --from")
    if settings.journal.raw_days == 0:
        raise CommandError("journal.raw_days is 0: no raw messages are kept")
    try:
        place = with_parameters(read_city(settings), param or [])
    except ParameterError as error:
        raise typer.BadParameter(str(error)) from error
    with cli_service.reading(settings) as connection:
        shadow = rules_replay.run(connection, Decoder(settings, place), place, rules, chosen)
    if plot is not None:
        _draw(plot, shadow, chosen, zone)
    _report(shadow, everything=everything, as_json=as_json)


def _draw(path: Path, shadow: "rules_replay.Shadow", chosen: "rules_replay.Selection", zone: str) -> None:
    from ingest.decisions.plot import svg  # noqa: PLC0415 - the service's parts take a second to import

    try:
        path.write_text(svg(shadow.findings, chosen.from_ms, chosen.to_ms, zone), encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error


def _report(shadow: "rules_replay.Shadow", *, everything: bool, as_json: bool) -> None:
    counts = Counter(finding.verdict for finding in shadow.findings)
    listed = [finding for finding in shadow.findings if everything or finding.verdict != "same"]
    if as_json:
        events = [
            {"verdict": finding.verdict, **finding.said._asdict(), "payload": json.loads(finding.said.payload)}
            for finding in listed
        ]
        summary = {"messages": shadow.messages, "ticks": shadow.ticks, "counts": counts, "problems": shadow.problems}
        typer.echo(json.dumps({**summary, "events": events}))
        return
    if listed:
        table = Table("verdict", "time", "rule", "subject", "id", "said", box=None)
        for verdict, said in listed:
            data = {name: value for name, value in said.data.items() if not name.startswith("rule")}
            table.add_row(verdict, said.time, said.rule, said.subject, said.id, json.dumps(data))
        print_table(table)
    verdicts = ", ".join(f"{counts[name]} {name}" for name in ("same", "different", "missing", "additional"))
    typer.echo(f"{shadow.messages} messages, {shadow.ticks} ticks: {verdicts}")
    for problem in shadow.problems[:SHOWN]:
        typer.echo(f"problem: {problem}")
