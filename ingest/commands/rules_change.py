"""`stadtfunk rules list, confirm, stop, start` and `stadtfunk reload`: what people decide about rules."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer
from pydantic import JsonValue
from rich.table import Table

from ingest.audit import operating_system_user
from ingest.commands import service as cli_service
from ingest.commands.error import CommandError
from ingest.commands.service import AsJson, Config, Why
from ingest.commands.table import print_table
from ingest.commands.time import local_time
from ingest.decisions import store as rules_store
from ingest.decisions.control import RulesControl
from ingest.decisions.custom import rules_of
from ingest.decisions.modes import Modes
from ingest.decisions.store import RulesError, Waiting
from ingest.journal_schema import JournalError
from ingest.settings import Settings, load, settings_file
from rules.catalog import RULES

Change = Callable[[RulesControl], Awaitable[dict[str, Any]]]
Domain = Annotated[str, typer.Argument(metavar="DOMAIN", help="First word of the rules' ids, as `traffic`.")]


def register(parent: typer.Typer, rules: typer.Typer) -> None:
    """Add the commands: `reload` to the program, the others to `rules`."""
    rules.command("list", epilog="Example: stadtfunk rules list --json")(list_rules)
    rules.command(epilog="Example: stadtfunk rules confirm 0d7c…-5e21 --reason 'seen the camera'")(confirm)
    rules.command(epilog="Example: stadtfunk rules stop traffic --reason 'roadworks at the station'")(stop)
    rules.command(epilog="Example: stadtfunk rules start traffic --reason 'roadworks over'")(start)
    parent.command(epilog="Example: stadtfunk reload --reason 'new thresholds of the car park'")(reload)


def list_rules(config: Config = None, as_json: AsJson = False) -> None:
    """The rules with their modes, the domains that are stopped, and the events that wait for a person."""
    settings = load(config)
    from ingest.app import service_clock  # noqa: PLC0415 - slow to import, where it is needed only

    try:
        with cli_service.reading(settings) as connection:
            stopped = rules_store.stopped(connection)
            waiting = list(rules_store.waiting(connection, service_clock(settings)()))
    except CommandError:
        if settings.journal.path.exists():
            raise
        stopped, waiting = set(), []
    modes = Modes(settings, stopped)
    rules = [
        _rule(rule.id, rule.version, rule.kind, modes, settings)
        for rule in rules_of(settings, file=settings_file(config))
    ]
    if as_json:
        found = {"rules": rules, "stopped": sorted(stopped), "waiting": [item._asdict() for item in waiting]}
        typer.echo(json.dumps(found))
        return
    _print(rules, stopped, waiting, settings.city.timezone)


def confirm(
    event_id: Annotated[str, typer.Argument(metavar="EVENT_ID", help="As `stadtfunk rules list` shows it.")],
    config: Config = None,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Let an event out that waits for a person, while it is valid."""
    made = _change(
        load(config),
        f"/api/v1/rules/events/{cli_service.segment(event_id)}/confirm",
        reason,
        lambda control: control.confirm(event_id, operating_system_user(), reason),
    )
    _done(made, f"{event_id}: confirmed", as_json=as_json)


def stop(domain: Domain, config: Config = None, reason: Why = "", as_json: AsJson = False) -> None:
    """Let nothing of a domain out any more, at once, and withdraw what is outside; holds over restarts."""
    made = _change(
        load(config),
        f"/api/v1/rules/domains/{cli_service.segment(domain)}/stop",
        reason,
        lambda control: control.stop(domain, operating_system_user(), reason),
    )
    text = f"{domain}: stopped; {made['requests']} requests withdrawn, {made['states']} states taken back"
    if made.get("downlinks"):
        text += (
            f"; {made['downlinks']} downlinks are with ChirpStack, which sends them: flush its queue if they must not"
        )
    _done(made, text, as_json=as_json)


def start(domain: Domain, config: Config = None, reason: Why = "", as_json: AsJson = False) -> None:
    """Let a stopped domain speak again; its newest states go out at once."""
    made = _change(
        load(config),
        f"/api/v1/rules/domains/{cli_service.segment(domain)}/start",
        reason,
        lambda control: control.start(domain, operating_system_user(), reason),
    )
    _done(made, f"{domain}: started; {made['states']} states go out", as_json=as_json)


def reload(config: Config = None, reason: Why = "", as_json: AsJson = False) -> None:
    """Have the running service read the city's file and [rules] again; what is wrong there changes nothing."""
    settings = load(config)
    if not cli_service.runs(settings):
        raise CommandError("no service runs with this journal; it reads its files when it starts")
    answer = cli_service.post(settings, "/api/v1/reload", cli_service.order(reason))
    if answer.error is not None:
        raise CommandError(answer.error)
    made: dict[str, Any] = dict(answer.body)
    counts = ", ".join(f"{len(made[name])} {name}" for name in ("added", "removed", "changed"))
    later = f"; only after a restart: {', '.join(made['restart'])}" if made["restart"] else ""
    _done(made, f"{made['assets']} assets: {counts}{later}", as_json=as_json)


def _change(settings: Settings, path: str, reason: str, alone: Change) -> dict[str, Any]:
    """What the service, or without one the journal, says to a change."""
    if cli_service.runs(settings):
        order: dict[str, JsonValue] = cli_service.order(reason)
        answer = cli_service.post(settings, path, order)
        if answer.error is not None:
            raise CommandError(answer.error)
        return dict(answer.body)
    cli_service.quiet_logs(settings)
    try:
        return asyncio.run(_alone(settings, alone))
    except RulesError as error:
        raise CommandError(str(error)) from error


async def _alone(settings: Settings, change: Change) -> dict[str, Any]:
    from ingest.app import service_clock  # noqa: PLC0415 - slow to import, where it is needed only
    from ingest.journal import Journal  # noqa: PLC0415 - the same

    if not settings.journal.path.exists():
        raise JournalError(f"journal {settings.journal.path} does not exist")
    async with Journal(settings.journal) as journal:
        modes = Modes(settings, await journal.query(rules_store.stopped))
        return await change(RulesControl(journal, modes, RULES, service_clock(settings)))


def _rule(id_: str, version: int, kind: str, modes: Modes, settings: Settings) -> dict[str, Any]:
    prefix = f"{id_}/"
    subjects = {
        key.removeprefix(prefix): modes.mode(id_, key.removeprefix(prefix), acting=False)
        for key in settings.rules.modes
        if key.startswith(prefix)
    }
    return {
        "rule": id_,
        "version": version,
        "kind": kind,
        "mode": modes.mode(id_, "", acting=False),
        "requests": modes.mode(id_, "", acting=True),
        "subjects": subjects,
    }


def _print(rules: list[dict[str, Any]], stopped: set[str], waiting: list[Waiting], timezone: str) -> None:
    table = Table("rule", "version", "about", "mode", "requests", "otherwise", box=None)
    for rule in rules:
        other = " ".join(f"{subject}={mode}" for subject, mode in rule["subjects"].items())
        table.add_row(rule["rule"], str(rule["version"]), rule["kind"], rule["mode"], rule["requests"], other)
    print_table(table)
    for domain in sorted(stopped):
        typer.echo(f"stopped: {domain}")
    for item in waiting:
        until = local_time(item.valid_until_ms, timezone)
        typer.echo(f"waits until {until}: {item.id} {item.rule} {item.subject}")


def _done(made: dict[str, Any], text: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(made) if as_json else text)
