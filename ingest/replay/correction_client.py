"""Corrections through the running service that has the journal."""

import asyncio
from typing import Any

from pydantic import JsonValue

from ingest.api.replay import Begin, PartBody
from ingest.codecs.version import InForce
from ingest.commands import service as cli_service
from ingest.commands.error import CommandError
from ingest.replay.correction import Order, Part, Result, Waiting
from ingest.settings import Settings

PATH = "/api/v1/corrections"


class ServiceKeeper:
    """Hands the parts of corrections to the service; raises CommandError when it does not take them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def begin(self, order: Order, in_force: InForce) -> int:
        """Open a correction; returns its number."""
        answer = await self._post("", Begin(order=order, in_force=in_force.text).model_dump(mode="json"))
        return int(str(answer["id"]))

    async def keep(self, number: int, part: Part) -> Waiting:
        """Commit a part, unless the journal is full or holds newer messages of a device that it erases points of."""
        answer = await self._post(f"/{number}/parts", PartBody.of(part).model_dump(mode="json"))
        return Waiting(bool(answer["kept"]), int(str(answer["bytes"])), bool(answer.get("unread")))

    async def end(self, number: int, result: Result) -> None:
        """Close a correction with what it came to."""
        await self._post(f"/{number}/end", result.model_dump(mode="json"))

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, JsonValue]:
        answer = await asyncio.to_thread(cli_service.post, self._settings, PATH + path, body)
        if answer.error is not None:
            raise CommandError(f"the service refuses: {answer.error}")
        return answer.body
