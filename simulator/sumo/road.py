"""The arterial: five junctions of a road that runs from the city (west) outwards (east), and what its figures are."""

from typing import NamedTuple

LIMIT_KMH = 50


class Place(NamedTuple):
    """A junction: name, metres from the first one, and how much its side road carries against the usual one."""

    name: str
    position_m: int
    side_share: float


PLACES = (
    Place("J1", 0, 1.1),
    Place("J2", 340, 0.85),
    Place("J3", 720, 1.15),
    Place("J4", 1030, 0.8),
    Place("J5", 1450, 1.0),
)
CITY_M, EDGE_M = -650, 2100
"""Where the road enters the picture, at either end."""
