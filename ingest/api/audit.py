"""HTTP interface, audit: rows for changes that a command made elsewhere, in a database or dashboard."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends
from pydantic import Field

from ingest.api.command import Command
from ingest.audit import Action
from ingest.clock import Clock
from ingest.journal import Journal


class Note(Command):
    """What was changed where."""

    action: str = Field(min_length=1, max_length=200)
    subject: str = Field(max_length=200)
    detail: str = Field("", max_length=10_000)


def router(journal: Journal, clock: Clock, authorised: Callable[..., None]) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/audit", dependencies=[Depends(authorised)])

    @routes.post("")
    async def note(said: Note) -> dict[str, Any]:
        action = Action(said.actor, said.action, said.subject, said.reason, said.detail)
        await journal.change(lambda _: None, action, clock())
        return action._asdict()

    return routes
