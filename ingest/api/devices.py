"""HTTP interface, devices: their state and where they belong, changed by people with the token."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, HTTPException
from pydantic import Field

from ingest.api.command import Command
from ingest.fleet.assignments import AssignmentError
from ingest.fleet.lifecycle import LifecycleError, State
from ingest.fleet.register import Register

LAST_MS = 9_223_372_036_854
"""The last time that InfluxDB can hold."""


class StateCommand(Command):
    """A state from a time on (ms since 1970; now without it), maintenance until another."""

    state: State
    from_ms: int | None = Field(None, ge=0, le=LAST_MS)
    until_ms: int | None = Field(None, ge=0, le=LAST_MS)


class AssignmentCommand(Command):
    """An asset (empty: none) from a time on (ms since 1970; now without it)."""

    asset: str = Field(max_length=200)
    from_ms: int | None = Field(None, ge=0, le=LAST_MS)


def router(register: Callable[[], Register], authorised: Callable[..., None]) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/devices", dependencies=[Depends(authorised)])

    @routes.post("/{subject:path}/state")
    async def state(subject: str, command: StateCommand) -> dict[str, Any]:
        times = (command.from_ms, command.until_ms)
        try:
            made = await register().set_state(subject, command.state, *times, command.actor, command.reason)
        except LifecycleError as error:
            raise HTTPException(409, str(error)) from error
        return made._asdict()

    @routes.post("/{dev_eui}/assignment")
    async def assignment(dev_eui: str, command: AssignmentCommand) -> dict[str, Any]:
        try:
            made = await register().assign(dev_eui, command.asset, command.from_ms, command.actor, command.reason)
        except AssignmentError as error:
            raise HTTPException(409, str(error)) from error
        return made._asdict()

    return routes
