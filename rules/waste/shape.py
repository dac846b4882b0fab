"""How much of a container's volume lies below a height: tables of rising pairs of parts of one, by its shape.

A container is filled from its bottom (0, 0) to where it counts as full (1, 1); between the pairs the share is linear.
"""

from bisect import bisect_right
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from math import acos, pi, sqrt
from typing import NamedTuple, TypeAlias

from rules.asset import Asset

STEPS = 20
MAX_ROWS = 50
PERCENT = 100.0
SHAPES = ("prism", "cone", "lying_cylinder", "underground", "table")


class Row(NamedTuple):
    """A height and the part of the volume below it, both as parts of one."""

    height: float
    volume: float


Table: TypeAlias = tuple[Row, ...]
PRISM: Table = (Row(0.0, 0.0), Row(1.0, 1.0))


def share_below(table: Table, height: float) -> float:
    """The part of the volume below a height; below the bottom 0, above the top 1."""
    if height <= 0:
        return 0.0
    if height >= 1:
        return 1.0
    after = bisect_right(table, height, key=_height)
    low, high = table[after - 1], table[after]
    return low.volume + (high.volume - low.volume) * (height - low.height) / (high.height - low.height)


def shape_of(asset: Asset) -> Table:
    """The table of the properties `shape` and what belongs to it; raises CityError.

    cone            `bottom_percent`: width of the bottom in % of that at the top (a funnel; above 100 it widens below)
    lying_cylinder  nothing
    underground     `shaft_mm` of `depth_mm` are a shaft whose cross-section is `shaft_percent` of the chamber's
    table           `shape_table`: rising pairs [height %, volume %] from [0, 0] to [100, 100]
    """
    match asset.properties.get("shape", "prism"):
        case "prism":
            return PRISM
        case "cone":
            return cone(asset.number("bottom_percent", 60, low=1, high=300) / PERCENT)
        case "lying_cylinder":
            return _sampled(_circle_below)
        case "underground":
            return _underground(asset)
        case "table":
            return _given(asset)
        case other:
            raise asset.error("shape", other, f"one of {', '.join(SHAPES)}")


def cone(bottom: float) -> Table:
    """A truncated cone or pyramid whose bottom is so wide as a part of its top."""
    return PRISM if bottom == 1 else _sampled(partial(_cone_below, bottom))


def _cone_below(bottom: float, height: float) -> float:
    width = bottom + (1 - bottom) * height
    return (width**3 - bottom**3) / (1 - bottom**3)


def _circle_below(height: float) -> float:
    """Segment of a circle of diameter 1 as a part of the whole."""
    return (acos(1 - 2 * height) - 2 * (1 - 2 * height) * sqrt(height * (1 - height))) / pi


def _sampled(below: Callable[[float], float]) -> Table:
    heights = [step / STEPS for step in range(1, STEPS)]
    return (PRISM[0], *(Row(height, below(height)) for height in heights), PRISM[1])


def _height(row: Row) -> float:
    return row.height


def _underground(asset: Asset) -> Table:
    depth = asset.number("depth_mm", low=50, high=20_000)
    if depth is None:
        raise asset.error("depth_mm", None, "the height from the bottom to where it counts as full, for an underground")
    shaft = asset.number("shaft_mm", low=0, high=20_000)
    if shaft is None or shaft >= depth:
        raise asset.error("shaft_mm", shaft, f"the height of the shaft, less than depth_mm ({depth:g})")
    narrow = asset.number("shaft_percent", 25, low=1, high=100) / PERCENT
    knee = 1 - shaft / depth
    if knee == 1:
        return PRISM
    chamber = knee / (knee + (1 - knee) * narrow)
    return (Row(0.0, 0.0), Row(knee, chamber), Row(1.0, 1.0))


def _given(asset: Asset) -> Table:
    name, given = "shape_table", asset.properties.get("shape_table")
    expected = f"2 to {MAX_ROWS} rising pairs [height %, volume %] from [0, 0] to [100, 100]"
    if not isinstance(given, list) or not 1 < len(given) <= MAX_ROWS:
        raise asset.error(name, given, expected)
    rows: list[Row] = []
    for pair in given:
        match pair:
            case [int() | float() as height, int() | float() as volume]:
                rows.append(Row(height / PERCENT, volume / PERCENT))
            case _:
                raise asset.error(name, given, expected)
    rising = all(one.height < other.height and one.volume <= other.volume for one, other in pairwise(rows))
    if not rising or (rows[0], rows[-1]) != PRISM:
        raise asset.error(name, given, expected)
    return tuple(rows)
