"""A stand-in for a whole Grafana that keeps state: organisations, and what stands in each.

Sources: Grafana's documentation, HTTP API (organisation, data source, folder, folder permissions, team, dashboard,
dashboard versions, alerting provisioning); what it leaves open is as in Grafana 11.6: a provenance may change from none
to any and from `api` to none, else 403 (alerting.notifications.invalidProvenance); a rule group with a uid that another
group holds is 409; the id in an organisation's answer to its making is a number.
"""

import base64
import copy
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiohttp import web

from tests.doubles.grafana_things import ADMIN, ROUTES, Asked, Organisation, say

PASSWORD = "a-secret:with-a-colon"
TOKEN = "glsa_of-the-admin"
MAIN = 1


class Fault(NamedTuple):
    """What is answered in the place of carrying out; used up by `times` requests whose "METHOD path" fits."""

    fits: str
    status: int
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed
    message: str = "a fault to play"
    times: int = 1


@dataclass
class GrafanaServer:
    """Organisations, and knobs. `requests` are "METHOD path" and status of all that came."""

    url: str = ""
    organisations: dict[int, Organisation] = field(default_factory=lambda: {MAIN: Organisation(MAIN, "Main Org.")})
    tokens: dict[str, int] = field(default_factory=lambda: {TOKEN: MAIN})
    foreign: set[int] = field(default_factory=set)
    """Organisations of which the administrator is no member."""
    viewer: bool = False
    """Whether the administrator is none: whatever wants more than looking is 403."""
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, int]] = field(default_factory=list)
    before: Callable[[str], None] = lambda _: None
    """Called with "METHOD path" before a request is carried out: what somebody else does meanwhile."""

    def named(self, name: str) -> Organisation:
        """The organisation of this name."""
        return next(each for each in self.organisations.values() if each.name == name)

    @property
    def changes(self) -> list[str]:
        """The requests that changed something."""
        return [what for what, status in self.requests if not what.startswith("GET") and status < 400]

    async def answer(self, request: web.Request) -> web.Response:
        """Any request."""
        what = f"{request.method} {request.path.removeprefix('/api')}"
        body = await request.json() if request.can_read_body else None
        response = self._fault(what)
        if response is None:
            self.before(what)
            response = self._carry_out(request, what, body)
        self.requests.append((what, response.status))
        return response

    def _fault(self, what: str) -> web.Response | None:
        for at, fault in enumerate(self.faults):
            if re.fullmatch(fault.fits, what):
                left = fault._replace(times=fault.times - 1)
                self.faults[at : at + 1] = [left] if left.times else []
                return web.json_response({"message": fault.message}, status=fault.status, headers=fault.headers)
        return None

    def _carry_out(self, request: web.Request, what: str, body: Any) -> web.Response:  # noqa: ANN401 - JSON
        number, everywhere = self._asked_as(request)
        if number is None:
            return say(401, "Invalid username or password")
        if self.viewer and (request.method != "GET" or "/orgs" in what):
            return say(403, "You'll need additional permissions to perform this action.")
        if what.split()[1].startswith("/orgs"):
            return self._orgs(what, body) if everywhere else say(403, "Permission denied")
        organisation = self.organisations[number]
        for pattern, handler in ROUTES:
            if found := re.fullmatch(pattern, what):
                asked = Asked(found.groupdict(), request.query, request.headers)
                return handler(organisation, asked, copy.deepcopy(body))
        return say(404, "Not found")

    def _asked_as(self, request: web.Request) -> tuple[int | None, bool]:
        kind, _, said = request.headers.get("Authorization", "").partition(" ")
        asked = int(request.headers.get("X-Grafana-Org-Id", MAIN))
        if kind == "Bearer":
            own = self.tokens.get(said)
            return (own if asked in {own, MAIN} else None), False
        if kind != "Basic" or base64.b64decode(said).decode() != f"{ADMIN}:{PASSWORD}":
            return None, False
        return (asked if asked in self.organisations and asked not in self.foreign else MAIN), True

    def _orgs(self, what: str, body: Any) -> web.Response:  # noqa: ANN401 - JSON
        names = {each.name: number for number, each in self.organisations.items()}
        if what == "POST /orgs":
            if body["name"] in names:
                return say(409, "Organization name taken")
            number = max(self.organisations) + 1
            self.organisations[number] = Organisation(number, body["name"])
            return web.json_response({"message": "Organization created", "orgId": number})
        name = what.removeprefix("GET /orgs/name/")
        if name not in names:
            return say(404, "Organization not found")
        return web.json_response({"id": names[name], "name": name})


@asynccontextmanager
async def grafana_server(server: GrafanaServer | None = None, *, path: str = "") -> AsyncIterator[GrafanaServer]:
    """A double at a free port of loopback, below this path."""
    served = server or GrafanaServer()

    async def answer(request: web.Request) -> web.Response:
        return await served.answer(request.clone(rel_url=str(request.rel_url).removeprefix(path)))

    handler: Callable[[web.Request], Awaitable[web.StreamResponse]] = answer if path else served.answer
    application = web.Application(client_max_size=8 * 2**20)
    application.router.add_route("*", f"{path}/api/{{rest:.*}}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
    try:
        yield served
    finally:
        await runner.cleanup()
