"""A stand-in for InfluxDB's write interface that keeps state and answers as recorded from 1.8.10 and 2.8.0."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from aiohttp import web

from ingest.line_protocol import Line, LineError, parse

Key = tuple[str, tuple[tuple[str, str], ...], int]


Buckets = dict[str, dict[Key, dict[str, float | str]]]


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

    version: Literal["1.8", "2.8"]
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

    def values(self, bucket: str, name: str) -> list[float | str]:
        """All values of a field, by time."""
        points = sorted(self.buckets[bucket].items(), key=lambda item: item[0][2])
        return [fields[name] for _, fields in points if name in fields]

    async def write(self, request: web.Request) -> web.Response:
        """`POST /api/v2/write`."""
        raw = await request.read()
        compressed = request.headers.get("Content-Encoding") == "gzip"
        body = gzip.decompress(raw) if compressed and raw[:2] == b"\x1f\x8b" else raw
        await asyncio.sleep(self.delay_s)
        answer = self.script.pop(0) if self.script else self._take(request, body, len(raw))
        seen = Request(
            dict(request.query), request.headers.get("Authorization", ""), compressed, body.split(b"\n"), answer.status
        )
        self.requests.append(seen)
        return web.Response(status=answer.status, text=answer.body, headers=answer.headers)

    def _take(self, request: web.Request, body: bytes, size: int) -> Scripted:
        bucket = request.query["bucket"]
        if self.token is not None and request.headers.get("Authorization") != f"Token {self.token}":
            return self._say(401, "unauthorized", "unauthorized access")
        if bucket not in self.buckets:
            old = self.version == "1.8"
            message = f'database not found: "{bucket}"' if old else f'bucket "{bucket}" not found'
            return self._say(404, "not found", message)
        if size > self.max_body_bytes:
            return self._say(413, "request too large", "Request Entity Too Large")
        if self.poison is not None and self.poison in body:
            return self._say(500, "internal error", "An internal error has occurred")
        return self._store(bucket, body)

    def _store(self, bucket: str, body: bytes) -> Scripted:
        lines, unreadable = [], []
        for line in body.split(b"\n"):
            if line.startswith(b"#"):
                continue
            try:
                lines.append(parse(line))
            except LineError as error:
                unreadable.append(f"unable to parse '{line.decode(errors='replace')}': {error}")
        if unreadable and (self.version == "2.8" or not lines):
            return self._say(400, "invalid", "\n".join(unreadable))
        dropped = [reason for line in lines if (reason := self._keep(bucket, line))]
        if dropped:
            return self._partial(dropped)
        if unreadable:
            return self._say(400, "", f"partial write: {chr(10).join(unreadable)} dropped=0")
        return Scripted(204)

    def _partial(self, dropped: list[str]) -> Scripted:
        if self.version == "1.8":
            return self._say(400, "", f"partial write: {dropped[0]} dropped={len(dropped)}")
        message = f"failure writing points to database: partial write: {dropped[0]} dropped={len(dropped)}"
        return self._say(422, "unprocessable entity", message)

    def _keep(self, bucket: str, line: Line) -> str | None:
        """Store a line, or say why it is dropped."""
        if line.time_ms < self.retention_from_ms:
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
        said = {"error": message} if self.version == "1.8" else {"code": code, "message": message}
        return Scripted(status, json.dumps(said))


@asynccontextmanager
async def serving(
    version: Literal["1.8", "2.8"], port: int = 0, buckets: Buckets | None = None
) -> AsyncIterator[InfluxDouble]:
    """A double on this or a free loopback port, with the service's three buckets or those of a double before it."""
    double = InfluxDouble(version)
    double.buckets = (
        {f"stadtfunk_{name}": {} for name in ("open", "internal", "personal")} if buckets is None else buckets
    )
    application = web.Application(client_max_size=0)
    application.router.add_post("/api/v2/write", double.write)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        double.url = "http://{}:{}".format(*runner.addresses[0][:2])
        yield double
    finally:
        await runner.cleanup()
