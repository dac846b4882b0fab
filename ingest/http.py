"""HTTP interface: health and metrics for watchers, commands for people with the token."""

import contextlib
import secrets
import socket
from collections.abc import Iterator
from typing import Annotated, Any, Protocol

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

from ingest.api import audit as http_audit
from ingest.api import devices as http_devices
from ingest.api import ledger as http_ledger
from ingest.api import replay as http_replay
from ingest.api import routes as http_routes
from ingest.api import rules as http_rules
from ingest.api import waste as http_waste
from ingest.api.command import Command
from ingest.audit import Action
from ingest.clock import Clock
from ingest.dead_letter_store import DeadLetterError
from ingest.decisions.control import RulesControl
from ingest.fleet.register import Register
from ingest.journal import Journal
from ingest.replay.correction import Keeper
from ingest.routes.tours import Tours
from ingest.settings import Settings

MAX_BODY = 64_000_000
"""Bytes of a part of a correction, generously."""


class Control(Protocol):
    """What the interface shows and does."""

    settings: Settings
    clock: Clock
    registry: CollectorRegistry
    register: Register
    corrections: Keeper
    journal: Journal
    rules: RulesControl
    tours: Tours

    def problems(self) -> dict[str, str]:
        """What keeps the service from its work now, by part; empty when ready."""
        ...

    async def status(self) -> dict[str, Any]:
        """Counts, what waits, what is wrong."""
        ...

    def chain(self) -> dict[str, Any]:
        """How the newest round trip through the whole service fared; `complete` says whether all is well."""
        ...

    async def retry(self, letter_id: int, action: Action) -> str | None:
        """Why it failed again, or None; raises DeadLetterError."""
        ...

    async def discard(self, letter_id: int, action: Action) -> None:
        """Set it aside; raises DeadLetterError."""
        ...

    async def report_side_waste(self, container: str, actor: str, reason: str) -> dict[str, Any]:
        """What was noted; raises ReportError."""
        ...

    async def reload(self, actor: str, reason: str) -> dict[str, Any]:
        """What changed; raises SettingsError when the old settings stay."""
        ...


class Guard:
    """Refuses changes without the token, and bodies above MAX_BODY bytes, before a byte of them is read."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._bearer = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        if not secrets.compare_digest(headers.get(b"authorization", b""), self._bearer):
            refusal = JSONResponse({"detail": "the token of the token file is needed"}, 401)
        elif not length.isdigit() or int(length) > MAX_BODY:
            refusal = JSONResponse({"detail": f"a body needs a length of {MAX_BODY} bytes at most"}, 413)
        else:
            await self._app(scope, receive, send)
            return
        await refusal(scope, receive, send)


def application(control: Control, token: str) -> FastAPI:
    """The routes; those that change something or show payloads need the token."""
    app = FastAPI(title="Stadtfunk", docs_url=None, redoc_url=None)
    app.add_middleware(Guard, token=token)

    def authorised(authorization: Annotated[str, Header()] = "") -> None:
        if not secrets.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
            raise HTTPException(401, "the token of the token file is needed")

    @app.get("/health/live")
    def live() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/health/ready")
    def ready(response: Response) -> dict[str, Any]:
        problems = control.problems()
        response.status_code = 503 if problems else 200
        return {"status": "not ready" if problems else "ready", "problems": problems}

    @app.get("/health/chain")
    def chain(response: Response) -> dict[str, Any]:
        found = control.chain()
        response.status_code = 200 if found["complete"] else 503
        return found

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(control.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/api/v1/status")
    async def status() -> dict[str, Any]:
        return await control.status()

    @app.post("/api/v1/dead-letters/{letter_id}/retry", dependencies=[Depends(authorised)])
    async def retry(letter_id: int, command: Command) -> dict[str, Any]:
        action = Action(command.actor, "dead-letters retry", str(letter_id), command.reason)
        error = await _found(control.retry(letter_id, action))
        return {"id": letter_id, "error": error}

    @app.post("/api/v1/dead-letters/{letter_id}/discard", dependencies=[Depends(authorised)])
    async def discard(letter_id: int, command: Command) -> dict[str, Any]:
        action = Action(command.actor, "dead-letters discard", str(letter_id), command.reason)
        await _found(control.discard(letter_id, action))
        return {"id": letter_id, "error": None}

    app.include_router(http_replay.router(lambda: control.corrections, authorised))
    app.include_router(http_ledger.router(control.settings, control.clock, authorised))
    app.include_router(http_audit.router(control.journal, control.clock, authorised))
    app.include_router(http_rules.router(lambda: control.rules, control.reload, authorised))
    app.include_router(http_routes.router(control.tours.control, control.journal, control.tours.today, authorised))
    app.include_router(http_devices.router(lambda: control.register, authorised))
    app.include_router(http_waste.router(control.report_side_waste, authorised))
    return app


async def _found(work: Any) -> Any:  # noqa: ANN401 - whatever the coroutine returns
    try:
        return await work
    except DeadLetterError as error:
        raise HTTPException(409, str(error)) from error


class Server(uvicorn.Server):
    """Uvicorn inside the service's loop; signals are the service's own business."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listener(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.create_server((host, port), family=family, backlog=64)
    made.setblocking(False)  # noqa: FBT003 - the socket's own signature
    return made


def server(app: FastAPI) -> Server:
    """A server for these routes; its logs are the service's."""
    return Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1))
