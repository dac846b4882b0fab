"""HTTP interface, ledger: what every device sent by day and what became of it; for people with the token."""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query

from ingest.calendar import EPOCH, Calendar
from ingest.clock import Clock
from ingest.fleet import ledger_view
from ingest.journal_schema import JournalError, open_reader
from ingest.settings import Settings

MAX_ROWS = 10_000


def router(settings: Settings, clock: Clock, authorised: Callable[..., None]) -> APIRouter:
    """The routes; each reads on a connection of its own, so that no sink waits for it."""
    routes = APIRouter(prefix="/api/v1/ledger", dependencies=[Depends(authorised)])

    def read(begin: date | None, end: date | None, device: str, limit: int) -> dict[str, Any]:
        calendar = Calendar(settings.city.timezone)
        today = calendar.day_of(clock())
        first = today if begin is None else begin.toordinal() - EPOCH
        last = max(first, today) if end is None else end.toordinal() - EPOCH
        connection = open_reader(settings.journal.path)
        try:
            found = ledger_view.view(connection, calendar, first, last, clock(), device, limit)
            return found if device else {**found, "now": ledger_view.standing(connection)}
        finally:
            connection.close()

    @routes.get("")
    async def ledger(
        begin: Annotated[date | None, Query(alias="from")] = None,
        end: Annotated[date | None, Query(alias="to")] = None,
        device: Annotated[str, Query(pattern="^([0-9a-f]{16})?$")] = "",
        limit: Annotated[int, Query(ge=0, le=MAX_ROWS)] = 1000,
    ) -> dict[str, Any]:
        try:
            return await asyncio.to_thread(read, begin, end, device, limit)
        except JournalError as error:
            raise HTTPException(503, str(error)) from error

    return routes
