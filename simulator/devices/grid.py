"""The values that a format has: what comes of any value when it goes over the air."""

from collections.abc import Callable
from functools import lru_cache

FINEST = 1_000_000
"""Steps in one, beyond which nothing is rounded to decimals."""
SAME = 1e-9
FARTHEST = 1e12
"""Beyond it lies the lowest value of a float, from which no steps can be counted."""
Grid = Callable[[float], float]


@lru_cache(4096)
def grid(low: float, high: float, step: float) -> Grid:
    """To the nearest step between `low` and `high`; decimals as a format's own division gives them."""
    origin = low if abs(low) < FARTHEST else 0.0
    per_one = round(1 / step)
    if 0 < per_one <= FINEST and _whole(step * per_one) and _whole(origin * per_one):

        def parts(value: float) -> float:
            found = round(value * per_one) / per_one
            return found if low <= found <= high else min(high, max(low, found))

        return parts

    def steps(value: float) -> float:
        found = origin + round((value - origin) / step) * step
        return found if low <= found <= high else min(high, max(low, found))

    return steps


def _whole(number: float) -> bool:
    return abs(number - round(number)) <= SAME * max(1.0, abs(number))
