"""Distances without a routing engine: along the great circle, times a detour factor."""

import math
from array import array
from collections.abc import Sequence
from typing import Protocol

from rules.waste.route.model import Matrix

EARTH_M = 6_371_008.8
"""Mean radius R1 of the WGS 84 ellipsoid."""
DETOUR = 1.3
"""Streets are longer than the straight line by about so much: a judgement."""
SPEED_KMH = 30.0


class Located(Protocol):
    """Anything with a position in degrees."""

    @property
    def longitude(self) -> float: ...  # noqa: D102 - the class says it

    @property
    def latitude(self) -> float: ...  # noqa: D102 - the class says it


def haversine_m(one: Located, other: Located) -> float:
    """The great circle between two positions, in metres."""
    rise = math.radians(other.latitude - one.latitude) / 2
    turn = math.radians(other.longitude - one.longitude) / 2
    scale = math.cos(math.radians(one.latitude)) * math.cos(math.radians(other.latitude))
    return 2 * EARTH_M * math.asin(math.sqrt(min(1.0, math.sin(rise) ** 2 + scale * math.sin(turn) ** 2)))


def way(one: Located, other: Located, detour: float = DETOUR, speed_kmh: float = SPEED_KMH) -> tuple[int, int]:
    """Metres and seconds of a way that no routing engine knows."""
    metres = haversine_m(one, other) * detour
    return round(metres), round(metres * 3.6 / speed_kmh)


def straight_matrix(places: Sequence[Located], detour: float = DETOUR, speed_kmh: float = SPEED_KMH) -> Matrix:
    """The matrix of these places, the same both ways."""
    size = len(places)
    metres = tuple(array("q", bytes(8 * size)) for _ in places)
    seconds = tuple(array("q", bytes(8 * size)) for _ in places)
    for row, one in enumerate(places):
        for column in range(row):
            way_m, way_s = way(one, places[column], detour, speed_kmh)
            metres[row][column] = metres[column][row] = way_m
            seconds[row][column] = seconds[column][row] = way_s
    return Matrix(metres, seconds)
