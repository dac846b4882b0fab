"""What routing engines are asked and what they answer: OSRM's table service and Valhalla's matrix service.

Sources: OSRM 5 "HTTP API", General options and Table service (`GET /table/v1/{profile}/{coordinates}`, seconds and
metres as floats, null without a way, `code` other than Ok is an error; `--max-table-size` is 100 by default).
Valhalla "Time-Distance Matrix API" (`POST /sources_to_targets`, seconds and kilometres, null without a way;
`max_matrix_location_pairs` is 2,500 by default) and its location options `heading` and `preferred_side`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import aiohttp

from rules.waste.route.model import NO_WAY

BLOCK = 50
"""Sources and targets a request: a hundred coordinates for OSRM, 2,500 pairs for Valhalla."""
APPROACH_RANGE_DEG = 60
"""How far the street's direction may be off the direction of approach."""
MAX_ANSWER = 10_000_000
MOST = 10_000_000
"""Metres or seconds of a way that cannot be."""


class EngineError(Exception):
    """No answer, or none that can be used; the message names engine and address."""


class Spot(NamedTuple):
    """A position and how it is to be approached."""

    longitude: float
    latitude: float
    approach_deg: int | None = None
    kerb: str = "any"


class Way(NamedTuple):
    """Whole metres and seconds; NO_WAY both where there is none."""

    metres: int
    seconds: int


NONE = Way(NO_WAY, NO_WAY)
Ways = list[list[Way]]


class Engine(Protocol):
    """One server with one profile."""

    @property
    def key(self) -> str:
        """What ways are kept under: another server, profile or option is another key."""

    async def ask(self, session: aiohttp.ClientSession, sources: Sequence[Spot], targets: Sequence[Spot]) -> Ways:
        """The ways from each source to each target, at most BLOCK of both; raises EngineError."""


@dataclass(frozen=True, slots=True)
class Osrm:
    """OSRM; height, weight and width of the vehicle are in the profile that its data were prepared with."""

    url: str
    profile: str = "driving"

    @property
    def key(self) -> str:
        """Server and profile."""
        return f"osrm {self.url} {self.profile}"

    async def ask(self, session: aiohttp.ClientSession, sources: Sequence[Spot], targets: Sequence[Spot]) -> Ways:
        """One request to the table service."""
        spots = [*sources, *targets]
        where = ";".join(f"{spot.longitude:.6f},{spot.latitude:.6f}" for spot in spots)
        query = {
            "annotations": "duration,distance",
            "sources": ";".join(map(str, range(len(sources)))),
            "destinations": ";".join(map(str, range(len(sources), len(spots)))),
            **approaches(spots),
        }
        address = f"{self.url.rstrip('/')}/table/v1/{self.profile}/{where}"
        said = await exchange(self.key, session.get(address, params=query))
        if said.get("code") != "Ok":
            raise EngineError(f"{self.key}: {said.get('code')!r}: {said.get('message')!r:.200}")
        return _joined(self.key, said.get("distances"), said.get("durations"), (len(sources), len(targets)))


@dataclass(frozen=True, slots=True)
class Valhalla:
    """Valhalla; `options` are the costing's own (for `truck`: height, width, length in m, weight, axle_load in t)."""

    url: str
    costing: str = "truck"
    options: Mapping[str, float | bool] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Server, costing and its options."""
        return f"valhalla {self.url} {self.costing} {json.dumps(dict(self.options), sort_keys=True)}"

    async def ask(self, session: aiohttp.ClientSession, sources: Sequence[Spot], targets: Sequence[Spot]) -> Ways:
        """One request to the matrix service."""
        request: dict[str, object] = {
            "sources": [location(spot) for spot in sources],
            "targets": [location(spot) for spot in targets],
            "costing": self.costing,
            "units": "kilometers",
        }
        if self.options:
            request["costing_options"] = {self.costing: dict(self.options)}
        address = f"{self.url.rstrip('/')}/sources_to_targets"
        said = await exchange(self.key, session.post(address, json=request))
        if "sources_to_targets" not in said:
            raise EngineError(f"{self.key}: error {said.get('error_code')!r}: {said.get('error')!r:.200}")
        if said.get("units", "kilometers") != "kilometers":
            raise EngineError(f"{self.key}: distances in {said['units']!r:.40}, asked for kilometers")
        rows = _rows(self.key, said["sources_to_targets"], (len(sources), len(targets)))
        return [[_cell(self.key, cell) for cell in row] for row in rows]


async def exchange(key: str, request: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> Mapping[str, object]:
    """The JSON object that is answered, whatever the status; raises EngineError."""
    try:
        async with request as response:
            said = json.loads(await _body(response))
    except TimeoutError as error:
        raise EngineError(f"{key}: no answer in time") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise EngineError(f"{key}: {type(error).__name__}: {error!s:.200}") from error
    if not isinstance(said, dict):
        raise EngineError(f"{key}: answered {said!r:.80}, expected a JSON object")
    return said


async def _body(response: aiohttp.ClientResponse) -> bytes:
    parts = bytearray()
    async for part in response.content.iter_any():
        parts += part
        if len(parts) > MAX_ANSWER:
            raise ValueError(f"an answer of more than {MAX_ANSWER} bytes")
    return bytes(parts)


def approaches(spots: Iterable[Spot]) -> Mapping[str, str]:
    """OSRM: which side of the street and from which direction; left out when nobody minds."""
    sides = ["curb" if spot.kerb == "right" else "unrestricted" for spot in spots]
    bearings = ["" if spot.approach_deg is None else f"{spot.approach_deg},{APPROACH_RANGE_DEG}" for spot in spots]
    found = {}
    if "curb" in sides:
        found["approaches"] = ";".join(sides)
    if any(bearings):
        found["bearings"] = ";".join(bearings)
    return found


def location(spot: Spot) -> dict[str, object]:
    """Valhalla: where it is, on which side of the street and from which direction."""
    found: dict[str, object] = {"lat": round(spot.latitude, 6), "lon": round(spot.longitude, 6)}
    if spot.kerb == "right":
        found["preferred_side"] = "same"
    if spot.approach_deg is not None:
        found |= {"heading": spot.approach_deg, "heading_tolerance": APPROACH_RANGE_DEG}
    return found


def _rows(key: str, rows: object, shape: tuple[int, int]) -> list[list[object]]:
    """A table of this shape."""
    if isinstance(rows, list) and len(rows) == shape[0]:
        table = [row for row in rows if isinstance(row, list) and len(row) == shape[1]]
        if len(table) == shape[0]:
            return table
    raise EngineError(f"{key}: answered {rows!r:.80}, expected {shape[0]} rows of {shape[1]}")


def _joined(key: str, metres: object, seconds: object, shape: tuple[int, int]) -> Ways:
    both = zip(_rows(key, metres, shape), _rows(key, seconds, shape), strict=True)
    return [[_way(key, *pair, scale=1) for pair in zip(*rows, strict=True)] for rows in both]


def _cell(key: str, cell: object) -> Way:
    if not isinstance(cell, dict):
        raise EngineError(f"{key}: answered {cell!r:.80} for a way, expected an object")
    return _way(key, cell.get("distance"), cell.get("time"), scale=1000)


def _way(key: str, distance: object, seconds: object, scale: int) -> Way:
    if distance is None or seconds is None:
        return NONE
    return Way(round(_number(key, distance) * scale), round(_number(key, seconds)))


def _number(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MOST:
        raise EngineError(f"{key}: answered {value!r:.80} for a way, expected a number of at least 0")
    return value
