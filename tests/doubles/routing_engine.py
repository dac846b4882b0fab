"""A stand-in for OSRM's table and route services and Valhalla's matrix and route services, with their limits.

Sources: OSRM 5 "HTTP API"; Valhalla "Time-Distance Matrix API", "Routing service" and its default `service_limits`.
A way is a metre for every millionth of a degree of longitude towards the east, two towards the west, and takes a tenth
of that in seconds: as no street network does, but different both ways. A way to oneself is no way of nothing: positions
are snapped. Streets go east or west first, then north or south: `streets`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from aiohttp import web

MAX_TABLE = 100
MAX_PAIRS = 2_500
MAX_ROUTE = 500
MAX_LOCATIONS = 20
Spot = tuple[float, float]


def metres(source: float, target: float) -> int:
    """The double's way between two longitudes."""
    steps = round((target - source) * 1e6)
    return steps if steps >= 0 else -2 * steps


def streets(spots: list[Spot]) -> list[Spot]:
    """The double's line through these (longitude, latitude): a corner between each two."""
    found = spots[:1]
    for (_, before), (longitude, latitude) in pairwise(spots):
        found += [(longitude, before), (longitude, latitude)]
    return found


def polyline(points: list[Spot]) -> str:
    """Google's encoding with six digits, latitude first."""
    letters, last = [], (0, 0)
    for longitude, latitude in points:
        now = (round(latitude * 1e6), round(longitude * 1e6))
        for step in (now[0] - last[0], now[1] - last[1]):
            rest = (-step << 1) - 1 if step < 0 else step << 1
            while rest >= 32:
                letters.append(chr(rest % 32 + 95))
                rest //= 32
            letters.append(chr(rest + 63))
        last = now
    return "".join(letters)


@dataclass
class EngineDouble:
    """What was asked, and knobs: `islands` are longitudes without any way, the others are faults to play.

    `drawn` are the numbers of coordinates of requests for routes, `paths` their paths as they came.
    """

    url: str = ""
    asked: list[tuple[int, int]] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    bodies: list[dict[str, object]] = field(default_factory=list)
    drawn: list[int] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
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

    async def osrm_route(self, request: web.Request) -> web.StreamResponse:
        """OSRM, for `overview=full&geometries=polyline6`."""
        spots = [_pair(spot) for spot in request.match_info["where"].split(";")]
        query = dict(request.query)
        if len(spots) > MAX_ROUTE:
            return web.json_response({"code": "TooBig", "message": "Too many coordinates"}, status=400)
        if (query["overview"], query["geometries"]) != ("full", "polyline6"):
            return web.json_response({"code": "InvalidOptions", "message": "not played here"}, status=400)
        self.queries.append({"profile": request.match_info["profile"], **query})
        fault = await self._no_route(request, len(spots))
        if fault is not None:
            return fault
        if {spot[0] for spot in spots} & self.islands:
            return web.json_response({"code": "NoRoute", "message": "Impossible route between points"}, status=400)
        legs = [{"distance": 1.0, "duration": 1.0, "weight": 1.0, "summary": "", "steps": []} for _ in spots[1:]]
        route = {"distance": 1.0, "duration": 1.0, "geometry": polyline(streets(spots)), "legs": legs}
        waypoints = [{"location": list(spot), "name": "", "distance": 0.1} for spot in spots]
        return web.json_response({"code": "Ok", "routes": [route], "waypoints": waypoints})

    async def valhalla_route(self, request: web.Request) -> web.StreamResponse:
        """Valhalla, for locations of type `break`."""
        body = await request.json()
        spots = [(place["lon"], place["lat"]) for place in body["locations"]]
        if len(spots) > MAX_LOCATIONS:
            said = {"error_code": 150, "error": "Exceeded max locations", "status_code": 400, "status": "Bad Request"}
            return web.json_response(said, status=400)
        self.bodies.append(body)
        fault = await self._no_route(request, len(spots))
        if fault is not None:
            return fault
        if {spot[0] for spot in spots} & self.islands:
            said = {"error_code": 442, "error": "No path could be found for input", "status_code": 400}
            return web.json_response(said, status=400)
        legs = [{"shape": polyline(streets(list(pair))), "summary": {}} for pair in pairwise(spots)]
        trip = {"legs": legs, "status": 0, "status_message": "Found route between points", "units": "kilometers"}
        return web.json_response({"trip": trip})

    async def _no_route(self, request: web.Request, spots: int) -> web.StreamResponse | None:
        self.paths.append(request.path_qs)
        self.drawn.append(spots)
        return await self._played()

    async def _fault(self, sources: int, targets: int) -> web.StreamResponse | None:
        self.asked.append((sources, targets))
        return await self._played()

    async def _played(self) -> web.StreamResponse | None:
        if self.silent:
            await self.released.wait()
        if self.body or self.status != 200 or len(self.asked) + len(self.drawn) > self.healthy_requests:
            return web.Response(text=self.body or "<html>", status=self.status)
        return None

    def _way(self, source: float, target: float) -> tuple[float, float] | None:
        if source == target:
            return 3.0, 1.0
        if {source, target} & self.islands:
            return None
        return float(metres(source, target)), metres(source, target) / 10


def _pair(text: str) -> Spot:
    longitude, latitude = text.split(",")
    return float(longitude), float(latitude)


@asynccontextmanager
async def routing_engine() -> AsyncIterator[EngineDouble]:
    """A double that listens on a free port of this machine."""
    double = EngineDouble()
    app = web.Application()
    app.router.add_get("/table/v1/{profile}/{where}", double.table)
    app.router.add_post("/sources_to_targets", double.matrix)
    app.router.add_get("/route/v1/{profile}/{where}", double.osrm_route)
    app.router.add_post("/route", double.valhalla_route)
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
