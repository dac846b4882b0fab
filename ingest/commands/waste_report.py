"""`stadtfunk waste report`: what a person saw of a container, for the rule that says when it is emptied."""

import asyncio
import json
from typing import Annotated, Any

import typer
from pydantic import JsonValue

from ingest.audit import operating_system_user
from ingest.commands import service as cli_service
from ingest.commands.error import CommandError
from ingest.commands.service import AsJson, Config, Why
from ingest.settings import Settings, load
from ingest.waste_report import ReportError


def register(waste: typer.Typer) -> None:
    """Add the command to `waste`."""
    waste.command(epilog="Example: stadtfunk waste report container-12 --side-waste --reason 'call of a citizen'")(
        report
    )


def report(
    container: Annotated[str, typer.Argument(metavar="CONTAINER", help="Its id in the city's file.")],
    side_waste: Annotated[bool, typer.Option("--side-waste", help="Waste lies beside it.")] = False,
    config: Config = None,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Report waste beside a container: it must be emptied on the next tour, until an emptying after now.

    Name nobody in --reason: it stays in the audit table, with your user name.
    """
    if not side_waste:
        raise typer.BadParameter("say what was seen: --side-waste")
    settings = load(config)
    apply = _through_service if cli_service.runs(settings) else _alone
    made = apply(settings, container, reason)
    typer.echo(json.dumps(made) if as_json else f"{container}: waste beside it noted at {made['time']}")


def _through_service(settings: Settings, container: str, reason: str) -> dict[str, Any]:
    order: dict[str, JsonValue] = {**cli_service.order(reason), "side_waste": True}
    answer = cli_service.post(settings, f"/api/v1/waste/containers/{cli_service.segment(container)}/report", order)
    if answer.error is not None:
        raise CommandError(answer.error)
    return dict(answer.body)


def _alone(settings: Settings, container: str, reason: str) -> dict[str, Any]:
    cli_service.quiet_logs(settings)
    try:
        return asyncio.run(_taken(settings, container, reason))
    except ReportError as error:
        raise CommandError(str(error)) from error


async def _taken(settings: Settings, container: str, reason: str) -> dict[str, Any]:
    from ingest.app import Service  # noqa: PLC0415 - slow to import, where it is needed only

    service = Service(settings)
    async with service.without_broker():
        return await service.report_side_waste(container, operating_system_user(), reason)
