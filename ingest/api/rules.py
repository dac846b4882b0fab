"""HTTP interface, rules: people with the token stop and start domains, confirm requests, have settings read again."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from fastapi import APIRouter, Depends, HTTPException

from ingest.api.command import Command
from ingest.decisions.control import RulesControl
from ingest.decisions.store import RulesError
from ingest.settings import SettingsError


class Reload(Protocol):
    """Reads city file and rules' settings again."""

    def __call__(self, actor: str, reason: str) -> Awaitable[dict[str, Any]]:
        """What changed; raises SettingsError when the old ones stay."""
        ...


def router(rules: Callable[[], RulesControl], reload: Reload, authorised: Callable[..., None]) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1", dependencies=[Depends(authorised)])

    @routes.post("/rules/events/{name}/confirm")
    async def confirm(name: str, command: Command) -> dict[str, Any]:
        return await _agreed(rules().confirm(name, command.actor, command.reason))

    @routes.post("/rules/domains/{domain}/stop")
    async def stop(domain: str, command: Command) -> dict[str, Any]:
        return await _agreed(rules().stop(domain, command.actor, command.reason))

    @routes.post("/rules/domains/{domain}/start")
    async def start(domain: str, command: Command) -> dict[str, Any]:
        return await _agreed(rules().start(domain, command.actor, command.reason))

    @routes.post("/reload")
    async def read_again(command: Command) -> dict[str, Any]:
        try:
            return await reload(command.actor, command.reason)
        except SettingsError as error:
            raise HTTPException(409, str(error)) from error

    return routes


async def _agreed(work: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    try:
        return await work
    except RulesError as error:
        raise HTTPException(409, str(error)) from error
