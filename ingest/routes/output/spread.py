"""Marks on a map that lie on one another are moved apart."""

import math
from collections.abc import Iterable, Iterator

from rules.svg import Point

TURNS = 12
"""Directions that are tried on each ring."""
RINGS = 40
Cell = tuple[int, int]


def spread(points: Iterable[Point], radius: float) -> list[Point]:
    """A place for each mark of this radius: its own, or the nearest free one of the rings around it."""
    taken: dict[Cell, list[Point]] = {}
    found = []
    for point in points:
        place = next((place for place in _rings(point, radius) if _free(place, taken, radius)), point)
        taken.setdefault(_cell(place, radius), []).append(place)
        found.append(place)
    return found


def _rings(point: Point, radius: float) -> Iterator[Point]:
    yield point
    for ring in range(1, RINGS + 1):
        for turn in range(TURNS):
            angle = math.tau * (turn / TURNS) + ring / 2
            yield Point(point.x + ring * radius * math.cos(angle), point.y + ring * radius * math.sin(angle))


def _free(place: Point, taken: dict[Cell, list[Point]], radius: float) -> bool:
    column, row = _cell(place, radius)
    near = (taken.get((column + right, row + down), ()) for right in (-1, 0, 1) for down in (-1, 0, 1))
    return all(math.dist(place, other) >= 2 * radius for cell in near for other in cell)


def _cell(place: Point, radius: float) -> Cell:
    return math.floor(place.x / (2 * radius)), math.floor(place.y / (2 * radius))
