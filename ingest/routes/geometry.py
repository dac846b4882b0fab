"""The streets of a plan's tours, drawn by the routing engine: OSRM's route service and Valhalla's.

Sources: OSRM "HTTP API", Route service (`GET /route/v1/{profile}/{coordinates}` with `overview=full` and
`geometries=polyline6`; a leg between each two coordinates). Valhalla "Routing service" (`POST /route`; each of
`trip.legs` has its `shape`, a polyline of six digits; n locations of type `break` make n − 1 legs; 20 locations a
request by default). Both may turn round at a stop, as they may in their matrices, which do not know what comes before
and after.

Where containers stand and how they are approached is all that an engine is told: no names, no ids.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import aiohttp

from ingest.routes.engines import Engine, EngineError, Osrm, Spot, Valhalla, approaches, exchange, location
from ingest.routes.matrix import Patience
from ingest.routes.polyline import PolylineError, decode
from ingest.routes.spots import spots_of
from rules.waste.route.day_plan import Line
from rules.waste.route.model import Problem
from rules.waste.route.solution import Solution
from rules.waste.words import Words

OSRM_AT_ONCE, VALHALLA_AT_ONCE = 100, 20
"""Coordinates a request: OSRM takes 500, but its address grows with them; Valhalla takes 20."""
FEWEST = 2
"""Points of a line."""
FAR_DEG = 0.05
"""How far from its container a street may be: 3 to 6 km, for a depot beyond the mapped streets."""
EAST, NORTH = 180.0, 90.0


class Drawn(NamedTuple):
    """The lines by vehicle; `warnings` say which are missing, and why."""

    lines: Mapping[str, Line]
    warnings: tuple[Words, ...] = ()


async def lines(
    problem: Problem,
    solution: Solution,
    engines: Mapping[str, Engine | None],
    patience: Patience | None = None,
) -> Drawn:
    """The streets of each tour; `engines` by the vehicles' profiles, as for their matrices.

    A tour that its engine cannot draw has no line but a warning; one without an engine has neither, and so has a plan
    that is not `drivable`.
    """
    if not solution.drivable:
        return Drawn({})
    patience = patience or Patience()
    found: dict[str, Line] = {}
    warnings: list[Words] = []
    try:
        async with (
            asyncio.timeout(patience.total_s),
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=patience.timeout_s)) as session,
        ):
            for vehicle, engine, spots in _asked(problem, solution, engines):
                try:
                    found[vehicle] = await _line(engine, session, spots)
                except EngineError as error:
                    warnings.append(
                        Words(
                            f"keine Straßen für die Tour von {vehicle}: {error}",
                            f"no streets for the tour of {vehicle}: {error}",
                        )
                    )
    except TimeoutError:
        missing = ", ".join(tour.vehicle for tour in solution.tours if tour.vehicle not in found)
        warnings.append(
            Words(
                f"keine Straßen für {missing}: nicht alle Antworten kamen innerhalb von {patience.total_s:g} s",
                f"no streets for {missing}: not all answers within {patience.total_s:g} s",
            )
        )
    return Drawn(found, tuple(warnings))


def _asked(
    problem: Problem, solution: Solution, engines: Mapping[str, Engine | None]
) -> Iterator[tuple[str, Engine, Sequence[Spot]]]:
    """Each tour with its engine, from where it begins to the depot."""
    spots = dict(zip((place.id for place in problem.places), spots_of(problem), strict=True))
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    for tour in solution.tours:
        vehicle = vehicles[tour.vehicle]
        engine = engines.get(vehicle.profile)
        if engine is not None:
            places = (vehicle.origin, *(visit.place for visit in tour.visits))
            yield vehicle.id, engine, [spots[place] for place in places]


async def _line(engine: Engine, session: aiohttp.ClientSession, spots: Sequence[Spot]) -> Line:
    """The streets from the first to the last, in as many requests as the engine needs."""
    match engine:
        case Osrm():
            parts = [await _osrm(engine, session, part) for part in _parts(spots, OSRM_AT_ONCE)]
        case Valhalla():
            parts = [await _valhalla(engine, session, part) for part in _parts(spots, VALHALLA_AT_ONCE)]
        case _:
            raise EngineError(f"{engine.key}: draws no streets")
    line = _joined(point for part in parts for point in part)
    if len(line) < FEWEST:
        raise EngineError(f"{engine.key}: answered a line of {len(line)} points")
    return line


async def _osrm(engine: Osrm, session: aiohttp.ClientSession, spots: Sequence[Spot]) -> Line:
    where = ";".join(f"{spot.longitude:.6f},{spot.latitude:.6f}" for spot in spots)
    query = {
        "overview": "full",
        "geometries": "polyline6",
        "steps": "false",
        "continue_straight": "false",
        **approaches(spots),
    }
    address = f"{engine.url.rstrip('/')}/route/v1/{engine.profile}/{where}"
    said = await exchange(engine.key, session.get(address, params=query))
    if said.get("code") != "Ok":
        raise EngineError(f"{engine.key}: {said.get('code')!r}: {said.get('message')!r:.200}")
    route = _first(engine.key, said.get("routes"))
    _legs(engine.key, route, len(spots) - 1)
    return _near(engine.key, _shape(engine.key, route.get("geometry")), spots)


async def _valhalla(engine: Valhalla, session: aiohttp.ClientSession, spots: Sequence[Spot]) -> Line:
    request: dict[str, object] = {
        "locations": [{**location(spot), "type": "break"} for spot in spots],
        "costing": engine.costing,
        "directions_type": "none",
        "units": "kilometers",
    }
    if engine.options:
        request["costing_options"] = {engine.costing: dict(engine.options)}
    said = await exchange(engine.key, session.post(f"{engine.url.rstrip('/')}/route", json=request))
    trip = said.get("trip")
    if not isinstance(trip, dict):
        raise EngineError(f"{engine.key}: error {said.get('error_code')!r}: {said.get('error')!r:.200}")
    legs = _legs(engine.key, trip, len(spots) - 1)
    line = _joined(point for leg in legs for point in _shape(engine.key, leg.get("shape")))
    return _near(engine.key, line, spots)


def _parts(spots: Sequence[Spot], size: int) -> Iterator[Sequence[Spot]]:
    """Parts of at most this size, each beginning where the one before ends."""
    for begin in range(0, len(spots) - 1, size - 1):
        yield spots[begin : begin + size]


def _joined(points: Iterable[tuple[float, float]]) -> Line:
    """One line, without the points that are there twice where parts meet."""
    found = list(points)
    return (*found[:1], *(point for before, point in pairwise(found) if point != before))


def _first(key: str, routes: object) -> Mapping[str, object]:
    if isinstance(routes, list) and routes and isinstance(routes[0], dict):
        return routes[0]
    raise EngineError(f"{key}: answered {routes!r:.80}, expected a route")


def _legs(key: str, route: Mapping[str, object], count: int) -> list[Mapping[str, object]]:
    legs = route.get("legs")
    if isinstance(legs, list) and len(legs) == count and all(isinstance(leg, dict) for leg in legs):
        return legs
    raise EngineError(f"{key}: answered {legs!r:.80}, expected {count} legs")


def _shape(key: str, shape: object) -> Line:
    """A line as a polyline of six digits."""
    if not isinstance(shape, str):
        raise EngineError(f"{key}: answered {shape!r:.80} for a line, expected a polyline")
    try:
        line = decode(shape)
    except PolylineError as error:
        raise EngineError(f"{key}: {error}") from error
    if any(abs(longitude) > EAST or abs(latitude) > NORTH for longitude, latitude in line):
        raise EngineError(f"{key}: answered a line that leaves the earth")
    return line


def _near(key: str, line: Line, spots: Sequence[Spot]) -> Line:
    """The line, if it begins and ends about where it should."""
    if not line:
        raise EngineError(f"{key}: answered an empty line")
    for point, spot in ((line[0], spots[0]), (line[-1], spots[-1])):
        if max(abs(point[0] - spot.longitude), abs(point[1] - spot.latitude)) > FAR_DEG:
            raise EngineError(f"{key}: answered a line that is at {point} instead of {spot[:2]}")
    return line
