"""HTTP interface, waste: people with the token report what they saw of a container."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol

from fastapi import APIRouter, Depends, HTTPException

from ingest.api.command import Command
from ingest.waste_report import ReportError


class Report(Command):
    """What was seen; so far there is one thing to report."""

    side_waste: Literal[True]


class Take(Protocol):
    """Takes a report."""

    def __call__(self, container: str, actor: str, reason: str) -> Awaitable[dict[str, Any]]:
        """What was noted; raises ReportError."""
        ...


def router(take: Take, authorised: Callable[..., None]) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/waste", dependencies=[Depends(authorised)])

    @routes.post("/containers/{container}/report")
    async def report(container: str, seen: Report) -> dict[str, Any]:
        try:
            return await take(container, seen.actor, seen.reason)
        except ReportError as error:
            raise HTTPException(409, str(error)) from error

    return routes
