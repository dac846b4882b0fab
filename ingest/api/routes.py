"""HTTP interface, tours: what is planned for a day and what the depot said of it; changed by people with the token."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import Field

from ingest.api.command import Command
from ingest.journal import Journal
from ingest.journal_schema import JournalError
from ingest.routes import store
from ingest.routes.control import RoutesControl
from rules.waste.route.life import LifeError
from rules.waste.route.record import PlanRecord

Name = Annotated[str, Field(min_length=1, max_length=200)]


class Confirmation(Command):
    """The vehicles whose tours are confirmed; all of the plan without any."""

    vehicles: tuple[Name, ...] = ()


class Replan(Command):
    """A newer plan of a day (today's without one), for a fraction or all, without vehicles that dropped out."""

    day: date | None = None
    fraction: str | None = None
    without: tuple[Name, ...] = ()


class Proposal(Command):
    """A plan that a person made."""

    plan: PlanRecord


def router(
    control: RoutesControl, journal: Journal, today: Callable[[], date], authorised: Callable[..., None]
) -> APIRouter:
    """The routes; `today` is the day in the city."""
    routes = APIRouter(prefix="/api/v1/routes", dependencies=[Depends(authorised)])

    @routes.get("")
    async def of_day(
        day: Annotated[date | None, Query()] = None, fraction: Annotated[str | None, Query()] = None
    ) -> dict[str, Any]:
        wanted = day or today()
        plans = await journal.query(lambda connection: store.of_day(connection, wanted, fraction))
        return store.day_shown(wanted, plans)

    @routes.get("/{plan}")
    async def one(plan: str) -> dict[str, Any]:
        found = await journal.query(lambda connection: store.find(connection, plan))
        if found is None:
            raise HTTPException(404, f"no plan {plan}")
        return store.whole(found)

    @routes.post("")
    async def propose(said: Proposal) -> dict[str, Any]:
        return await _agreed(control.propose(said.plan, said.actor, said.reason))

    @routes.post("/replan")
    async def replan(said: Replan) -> dict[str, Any]:
        work = control.replan(said.day or today(), said.fraction, said.without, said.actor, said.reason)
        return await _agreed(work)

    @routes.post("/{plan}/confirm")
    async def confirm(plan: str, said: Confirmation) -> dict[str, Any]:
        return await _agreed(control.confirm(plan, said.vehicles, said.actor, said.reason))

    @routes.post("/{plan}/withdraw")
    async def withdraw(plan: str, said: Command) -> dict[str, Any]:
        return await _agreed(control.withdraw(plan, said.actor, said.reason))

    return routes


async def _agreed(work: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    try:
        return await work
    except LifeError as error:
        raise HTTPException(409, str(error)) from error
    except JournalError as error:
        raise HTTPException(503, str(error)) from error
