"""Where chance comes from: it is given, like time, so that the same seed gives the same city."""

from collections.abc import Callable
from typing import Protocol


class Chance(Protocol):
    """A stream of random numbers, as `random.Random` is one."""

    def random(self) -> float: ...  # noqa: D102 - of [0, 1)

    def uniform(self, a: float, b: float, /) -> float: ...  # noqa: D102 - of [a, b]

    def gauss(self, mu: float, sigma: float, /) -> float: ...  # noqa: D102 - mean and standard deviation

    def gammavariate(self, alpha: float, beta: float, /) -> float: ...  # noqa: D102 - shape and scale

    def randrange(self, stop: int, /) -> int: ...  # noqa: D102 - of [0, stop)


Draw = Callable[[str], Chance]
"""The stream of a name: the same name, the same numbers, whatever else was drawn."""
