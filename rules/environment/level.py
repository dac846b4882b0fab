"""Levels that rise at once and fall late, and figures as they are compared."""

from collections.abc import Sequence
from itertools import pairwise
from math import floor
from typing import NamedTuple

from rules.asset import Asset


class Limit(NamedTuple):
    """Where a level begins: from this value on, or only above it."""

    value: float
    included: bool = True

    def reached(self, value: float) -> bool:
        """Whether the level has begun."""
        return value >= self.value if self.included else value > self.value


Limits = tuple[Limit, ...]


def level_of(limits: Sequence[Limit], value: float, before: int, hysteresis: float) -> int:
    """The highest level reached; a level that held before goes on until the value is `hysteresis` below its limit."""
    reached = 0
    for limit in limits:
        if not limit.reached(value):
            break
        reached += 1
    for level in range(min(before, len(limits)), reached, -1):
        if value > limits[level - 1].value - hysteresis:
            return level
    return reached


def shown_limit(limits: Sequence[Limit], level: int) -> float | None:
    """The limit that a level is told with: its own, without a level the first."""
    return limits[max(level, 1) - 1].value if limits else None


def half_up(value: float, digits: int = 0) -> float:
    """Rounded as people do it: a half goes up."""
    scale = 10.0**digits
    return floor(value * scale + 0.5) / scale


def rising(asset: Asset, name: str, default: Limits, low: float = 0, high: float = 100_000) -> Limits:
    """The limits in a property, a list of as many rising numbers as the default has; raises CityError."""
    given = asset.properties.get(name)
    if name not in asset.properties:
        return default
    expected = f"a list of {len(default)} rising numbers from {low:g} to {high:g}"
    if not isinstance(given, list) or len(given) != len(default):
        raise asset.error(name, given, expected)
    numbers = [each for each in given if isinstance(each, int | float) and not isinstance(each, bool)]
    ordered = all(one < other for one, other in pairwise(numbers))
    if len(numbers) != len(given) or not ordered or not low <= numbers[0] <= numbers[-1] <= high:
        raise asset.error(name, given, expected)
    return tuple(limit._replace(value=float(number)) for limit, number in zip(default, numbers, strict=True))
