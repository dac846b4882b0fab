"""A stand-in for Grafana's annotation API that keeps state.

Source: Grafana's documentation, HTTP API, "Annotations"; what it leaves open is as in Grafana 11: a PATCH takes a text
that is not empty, times above 0, and tags that are not null (an empty list empties them); a tag may have 100
characters, all tags of an annotation 500 bytes as JSON.
"""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Right = Literal["annotations:read", "annotations:create", "annotations:write"]
RIGHTS: dict[str, Right] = {"GET": "annotations:read", "POST": "annotations:create", "PATCH": "annotations:write"}
TOKEN = "glsa_a-secret"
LOGIN_PAGE = "<html>Grafana</html>"
MAX_TAG = 100
MAX_TAGS_BYTES = 500


class Fault(NamedTuple):
    """What is done in the place of an answer, to requests of this method (empty: any).

    `after`: the request is carried out first. Without a status the connection is reset.
    """

    status: int = 0
    method: str = ""
    body: str = ""
    after: bool = False
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


@dataclass
class Kept:
    """An annotation."""

    id: int
    time: int
    time_end: int
    text: str
    tags: list[str]
    organisation: int


@dataclass
class GrafanaDouble:
    """Annotations, and knobs: every one is a fault to play. `faults` are used up, one a request; `always` is not.

    While it is `silent` it carries out what it is asked, and does not answer.
    """

    url: str = ""
    port: int = 0
    token: str = TOKEN
    rights: set[str] = field(default_factory=lambda: set(RIGHTS.values()))
    organisation: int = 1
    delay_s: float = 0
    poison: str = ""
    always: Fault | None = None
    faults: list[Fault] = field(default_factory=list)
    kept: dict[int, Kept] = field(default_factory=dict)
    requests: list[tuple[str, int]] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    silent: bool = False

    def with_tag(self, tag: str) -> list[Kept]:
        """The annotations with this tag, in the order of their making."""
        return [kept for kept in self.kept.values() if tag in kept.tags]

    def count(self, method: str) -> int:
        """How many requests of this method came."""
        return sum(made == method for made, _ in self.requests)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Any request: right, faults, and what it asks for."""
        self.begun.set()
        fault = self._fault(request.method)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if fault is not None and not fault.after:
            return self._play(request, fault)
        response = self._refusal(request) or await self._carry_out(request)
        if fault is not None:
            return self._play(request, fault)
        self.requests.append((request.method, response.status))
        while self.silent and request.method != "GET":
            await asyncio.sleep(0.01)
        return response

    def _fault(self, method: str) -> Fault | None:
        for at, fault in enumerate(self.faults):
            if fault.method in {"", method}:
                return self.faults.pop(at)
        return self.always if self.always is not None and self.always.method in {"", method} else None

    def _play(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        self.requests.append((request.method, fault.status))
        if fault.status:
            return web.Response(status=fault.status, text=fault.body, headers=fault.headers)
        assert request.transport is not None
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
        return web.Response()

    def _refusal(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return _say(401, "Invalid API key")
        asked = request.headers.get("X-Grafana-Org-Id")
        if asked is not None and asked != str(self.organisation):
            return _say(401, "Invalid API key")
        right = RIGHTS.get(request.method)
        if right not in self.rights:
            return _say(403, f"You'll need additional permissions to perform this action. Permissions needed: {right}")
        return None

    async def _carry_out(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            return self._find(request)
        body = await request.json()
        if request.method == "POST":
            return self._add(body)
        return self._patch(int(request.match_info["id"]), body)

    def _find(self, request: web.Request) -> web.Response:
        tags = request.query.getall("tags", [])
        found = [kept for kept in self.kept.values() if set(tags) <= set(kept.tags)]
        limit = int(request.query.get("limit", "100"))
        return web.json_response([_shown(kept) for kept in found[:limit]])

    def _add(self, body: dict[str, object]) -> web.Response:
        text, tags, time = body.get("text"), body.get("tags"), body.get("time")
        if not isinstance(text, str) or not text:
            return _say(400, "text field should not be empty")
        if not isinstance(tags, list) or not isinstance(time, int):
            return _say(400, "bad request data")
        if (
            any(len(tag) > MAX_TAG for tag in tags)
            or len(json.dumps(tags, ensure_ascii=False).encode()) > MAX_TAGS_BYTES
        ):
            return _say(400, "tags length exceeds the maximum")
        if self.poison and self.poison in text:
            return _say(500, "Failed to save annotation")
        number = max(self.kept, default=0) + 1
        self.kept[number] = Kept(number, time, _number(body.get("timeEnd")) or time, text, tags, self.organisation)
        return web.json_response({"message": "Annotation added", "id": number})

    def _patch(self, number: int, body: dict[str, object]) -> web.Response:
        kept = self.kept.get(number)
        if kept is None:
            return _say(404, "Could not find annotation")
        text, tags = body.get("text"), body.get("tags")
        if isinstance(text, str) and text:
            kept.text = text
        if isinstance(tags, list):
            kept.tags = tags
        kept.time = _number(body.get("time")) or kept.time
        kept.time_end = _number(body.get("timeEnd")) or kept.time_end
        return _say(200, "Annotation patched")


def _number(given: object) -> int:
    return given if isinstance(given, int) else 0


def _shown(kept: Kept) -> dict[str, object]:
    made = {"id": kept.id, "alertId": 0, "dashboardId": 0, "panelId": 0, "userId": 1, "newState": "", "prevState": ""}
    return {**made, "time": kept.time, "timeEnd": kept.time_end, "text": kept.text, "tags": kept.tags, "data": {}}


def _say(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)


@asynccontextmanager
async def grafana(
    double: GrafanaDouble | None = None, *, path: str = "", tls: ssl.SSLContext | None = None
) -> AsyncIterator[GrafanaDouble]:
    """A double at a free port of loopback (or the port it had), below this path."""
    served = double or GrafanaDouble()
    application = web.Application()
    application.router.add_get(f"{path}/api/annotations", served.answer)
    application.router.add_post(f"{path}/api/annotations", served.answer)
    application.router.add_patch(f"{path}/api/annotations/{{id}}", served.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", served.port, ssl_context=tls, reuse_address=True)
    await site.start()
    assert runner.addresses
    served.port = runner.addresses[0][1]
    served.url = f"{'https' if tls else 'http'}://127.0.0.1:{served.port}{path}"
    try:
        yield served
    finally:
        await runner.cleanup()
