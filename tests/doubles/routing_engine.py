"""A stand-in for OSRM's table service and Valhalla's matrix service, with their limits.

Sources: OSRM 5 "HTTP API"; Valhalla "Time-Distance Matrix API" and its default `service_limits`. A way is a metre for
every millionth of a degree of longitude towards the east, two towards the west, and takes a tenth of that in seconds:
as no street network does, but different both ways. A way to oneself is no way of nothing: positions are snapped.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

MAX_TABLE = 100
MAX_PAIRS = 2_500


def metres(source: float, target: float) -> int:
    """The double's way between two longitudes."""
    steps = round((target - source) * 1e6)
    return steps if steps >= 0 else -2 * steps


@dataclass
class EngineDouble:
    """What was asked, and knobs: `islands` are longitudes without any way, the others are faults to play."""

    url: str = ""
    asked: list[tuple[int, int]] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    bodies: list[dict[str, object]] = field(default_factory=list)
    islands: set[float] = field(default_factory=set)
    silent: bool = False
    body: str = ""
    status: int = 200
    healthy_requests: int = 1_000_000
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def table(self, request: web.Request) -> web.StreamResponse:
        """OSRM."""
        spots = [tuple(map(float, spot.split(","))) for spot in request.match_info["where"].split(";")]
        query = dict(request.query)
        if len(spots) > MAX_TABLE:
            return web.json_response({"code": "TooBig", "message": "Too many table coordinates"}, status=400)
        for name in ("bearings", "approaches"):
            if name in query and len(query[name].split(";")) != len(spots):
                return web.json_response({"code": "InvalidOptions", "message": name}, status=400)
        sources = [spots[int(number)][0] for number in query["sources"].split(";")]
        targets = [spots[int(number)][0] for number in query["destinations"].split(";")]
        self.queries.append({"profile": request.match_info["profile"], **query})
        fault = await self._fault(len(sources), len(targets))
        if fault is not None:
            return fault
        table = [[self._way(source, target) for target in targets] for source in sources]
        return web.json_response(
            {
                "code": "Ok",
                "distances": [[way and way[0] for way in row] for row in table],
                "durations": [[way and way[1] for way in row] for row in table],
                "sources": [{"location": [source, 51.0], "name": "", "distance": 0.1} for source in sources],
                "destinations": [{"location": [target, 51.0], "name": "", "distance": 0.1} for target in targets],
            }
        )

    async def matrix(self, request: web.Request) -> web.StreamResponse:
        """Valhalla."""
        body = await request.json()
        sources, targets = ([spot["lon"] for spot in body[name]] for name in ("sources", "targets"))
        if len(sources) * len(targets) > MAX_PAIRS:
            text = "Exceeded max location pairs"
            return web.json_response({"error_code": 150, "error": text, "status": "Bad Request"}, status=400)
        self.bodies.append(body)
        fault = await self._fault(len(sources), len(targets))
        if fault is not None:
            return fault
        rows: list[list[dict[str, object]]] = []
        for row, source in enumerate(sources):
            rows.append([])
            for column, target in enumerate(targets):
                way = self._way(source, target)
                told = {"distance": way and way[0] / 1000, "time": way and way[1]}
                rows[-1].append({"from_index": row, "to_index": column, **told})
        said = {"sources_to_targets": rows, "units": "kilometers", "algorithm": "costmatrix"}
        return web.json_response(said)

    async def _fault(self, sources: int, targets: int) -> web.StreamResponse | None:
        self.asked.append((sources, targets))
        if self.silent:
            await self.released.wait()
        if self.body or self.status != 200 or len(self.asked) > self.healthy_requests:
            return web.Response(text=self.body or "<html>", status=self.status)
        return None

    def _way(self, source: float, target: float) -> tuple[float, float] | None:
        if source == target:
            return 3.0, 1.0
        if {source, target} & self.islands:
            return None
        return float(metres(source, target)), metres(source, target) / 10


@asynccontextmanager
async def routing_engine() -> AsyncIterator[EngineDouble]:
    """A double that listens on a free port of this machine."""
    double = EngineDouble()
    app = web.Application()
    app.router.add_get("/table/v1/{profile}/{where}", double.table)
    app.router.add_post("/sources_to_targets", double.matrix)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    double.url = f"http://127.0.0.1:{port}"
    try:
        yield double
    finally:
        double.released.set()
        await runner.cleanup()
