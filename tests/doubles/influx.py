"""A stand-in for InfluxDB that keeps state and answers as recorded from 1.8.10, 2.7.12 and 2.8.0; 3 Core as documented.

For 3.0 the source is its documentation: `/ping` answers with JSON, and `/api/v2/write`
stores what it can, makes a missing database, and names the lines it left out under `data`.
"""

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from aiohttp import web

from ingest.line_protocol import Line, LineError, parse
from tests.doubles.influx_2 import Interface, Resources

Key = tuple[str, tuple[tuple[str, str], ...], int]
Points = dict[Key, dict[str, float | str]]
Buckets = dict[str, Points]
Release = Literal["1.8", "2.7", "2.8", "3.0"]
OF_2 = ("2.7", "2.8")
VERSION_HEADERS = {"1.8": "1.8.10", "2.7": "v2.7.12", "2.8": "v2.8.0", "3.0": "3.0.1"}


class Scripted(NamedTuple):
    """An answer given instead of doing anything."""

    status: int
    body: str = ""
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


class Request(NamedTuple):
    """What came in, and the status it got."""

    query: dict[str, str]
    authorization: str
    compressed: bool
    lines: list[bytes]
    status: int


@dataclass
class InfluxDouble:
    """Buckets with their points; every knob is a fault to play."""

    version: Release
    url: str = ""
    token: str | None = None
    retention_from_ms: int = 0
    max_body_bytes: int = 25_000_000
    poison: bytes | None = None
    delay_s: float = 0
    script: list[Scripted] = field(default_factory=list)
    buckets: Buckets = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    kinds: dict[tuple[str, str, str], type] = field(default_factory=dict)
    pings: list[Scripted] = field(default_factory=list)
    asked: int = 0
    resources: Resources = field(default_factory=Resources)

    def values(self, bucket: str, name: str) -> list[float | str]:
        """All values of a field, by time."""
        points = sorted(self.buckets[bucket].items(), key=lambda item: item[0][2])
        return [fields[name] for _, fields in points if name in fields]

    async def ping(self, _: web.Request) -> web.Response:
        """`GET /ping`."""
        self.asked += 1
        if self.pings:
            answer = self.pings.pop(0)
            return web.Response(status=answer.status, text=answer.body, headers=answer.headers)
        headers = {"X-Influxdb-Version": VERSION_HEADERS[self.version], "X-Influxdb-Build": "OSS"}
        if self.version == "3.0":
            return web.json_response({"version": "3.0.1", "revision": "0", "process_id": "0"}, headers=headers)
        return web.Response(status=204, headers=headers)

    async def health(self, _: web.Request) -> web.Response:
        """`GET /health`."""
        return web.json_response({"name": "influxdb", "status": "pass", "version": VERSION_HEADERS[self.version]})

    async def write(self, request: web.Request) -> web.Response:
        """`POST /api/v2/write`."""
        raw = await request.read()
        compressed = request.headers.get("Content-Encoding") == "gzip"
        try:
            body = gzip.decompress(raw) if compressed else raw
            broken = False
        except (OSError, EOFError, zlib.error):
            body, broken = raw, True
        await asyncio.sleep(self.delay_s)
        if self.script:
            answer = self.script.pop(0)
        elif broken:
            answer = self._say(500, "internal error", "An internal error has occurred")
        else:
            answer = self._take(request, body, len(raw))
        seen = Request(
            dict(request.query), request.headers.get("Authorization", ""), compressed, body.split(b"\n"), answer.status
        )
        self.requests.append(seen)
        return web.Response(status=answer.status, text=answer.body, headers=answer.headers)

    def _take(self, request: web.Request, body: bytes, size: int) -> Scripted:
        bucket = request.query["bucket"]
        refused = self._refused(request, bucket)
        if refused is not None:
            return refused
        if size > self.max_body_bytes:
            return self._say(413, "request too large", "Request Entity Too Large")
        if self.poison is not None and self.poison in body:
            return self._say(500, "internal error", "An internal error has occurred")
        return self._store(bucket, body)

    def _refused(self, request: web.Request, bucket: str) -> Scripted | None:
        token = request.headers.get("Authorization", "").removeprefix("Token ")
        if self.token not in {None, token} and not self.resources.knows(token):
            return self._say(401, "unauthorized", "unauthorized access")
        organisation = self.resources.organisation
        if self.version in OF_2 and organisation and request.query.get("org") != organisation:
            return self._say(404, "not found", f'organization name "{request.query.get("org")}" not found')
        if bucket not in self.buckets and self.version == "3.0":
            self.buckets[bucket] = {}
        if bucket not in self.buckets:
            old = self.version == "1.8"
            message = f'database not found: "{bucket}"' if old else f'bucket "{bucket}" not found'
            return self._say(404, "not found", message)
        if self.token not in {None, token} and not self.resources.allows(token, "write", bucket):
            return self._say(403, "forbidden", "insufficient permissions for write")
        return None

    def _store(self, bucket: str, body: bytes) -> Scripted:
        lines, unreadable = [], []
        for line in body.split(b"\n"):
            if line.startswith(b"#"):
                continue
            try:
                lines.append(parse(line))
            except LineError as error:
                unreadable.append(f"unable to parse '{line.decode(errors='replace')}': {error}")
        if unreadable and (self.version in OF_2 or (not lines and self.version == "1.8")):
            return self._say(400, "invalid", "\n".join(unreadable))
        dropped = [reason for line in lines if (reason := self._keep(bucket, line))]
        if self.version == "3.0" and (dropped or unreadable):
            data = [{"error_message": reason, "line_number": 0, "original_line": ""} for reason in dropped + unreadable]
            return Scripted(400, json.dumps({"error": "partial write of line protocol occurred", "data": data}))
        if dropped:
            return self._partial(dropped)
        if unreadable:
            return self._say(400, "", f"partial write: {chr(10).join(unreadable)} dropped=0")
        return Scripted(204)

    def _partial(self, dropped: list[str]) -> Scripted:
        if self.version == "1.8":
            return self._say(400, "", f"partial write: {dropped[0]} dropped={len(dropped)}")
        why = dropped[0]
        if "retention" in why:
            why = f"dropped {len(dropped)} points outside retention policy of duration 720h0m0s"
        message = f"failure writing points to database: partial write: {why} dropped={len(dropped)}"
        return self._say(422, "unprocessable entity", message)

    def _keep(self, bucket: str, line: Line) -> str | None:
        """Store a line, or say why it is dropped."""
        kept_s = self.resources.kept_s.get(bucket, 0)
        oldest_ms = time.time() * 1000 - kept_s * 1000 if kept_s else self.retention_from_ms
        if line.time_ms < oldest_ms:
            return "points beyond retention policy"
        for name, value in line.fields.items():
            kind = self.kinds.setdefault((bucket, line.measurement, name), type(value))
            if kind is not type(value):
                return f'field type conflict: input field "{name}" on measurement "{line.measurement}"'
        self.buckets[bucket].setdefault((line.measurement, tuple(line.tags.items()), line.time_ms), {}).update(
            line.fields
        )
        return None

    def _say(self, status: int, code: str, message: str) -> Scripted:
        said = {"error": message} if self.version not in OF_2 else {"code": code, "message": message}
        return Scripted(status, json.dumps(said))


@asynccontextmanager
async def serving(version: Release, port: int = 0, buckets: Buckets | None = None) -> AsyncIterator[InfluxDouble]:
    """A double on this or a free loopback port, with the service's three buckets or those of a double before it."""
    double = InfluxDouble(version)
    double.buckets = (
        {f"stadtfunk_{name}": {} for name in ("open", "internal", "personal")} if buckets is None else buckets
    )
    application = web.Application(client_max_size=0)
    application.router.add_post("/api/v2/write", double.write)
    application.router.add_get("/ping", double.ping)
    application.router.add_get("/health", double.health)
    if version in OF_2:
        double.resources.tells_missing = version == "2.7"
        application.router.add_routes(Interface(double.resources, double.buckets, lambda: double.token).routes())
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0, auto_decompress=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        double.url = "http://{}:{}".format(*runner.addresses[0][:2])
        yield double
    finally:
        await runner.cleanup()
