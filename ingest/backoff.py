"""How long to wait before the next attempt."""

from collections.abc import Callable
from secrets import SystemRandom

Draw = Callable[[float, float], float]
_uniform: Draw = SystemRandom().uniform


class Backoff:
    """Capped exponential back-off with full jitter: the n-th wait is drawn from 0 to `least_s` · 2ⁿ or to `most_s`."""

    def __init__(self, least_s: float, most_s: float, draw: Draw = _uniform) -> None:
        self._least_s = least_s
        self._most_s = most_s
        self._draw = draw
        self._bound_s = least_s

    def next_s(self) -> float:
        """The next wait in seconds."""
        bound_s = min(self._bound_s, self._most_s)
        self._bound_s = min(2 * bound_s, self._most_s)
        return self._draw(0, bound_s)

    def longest_s(self) -> float:
        """A wait beyond the cap, for a state that haste makes worse; the next ordinary wait is from the cap, too."""
        self._bound_s = self._most_s
        return self._draw(self._most_s, 2 * self._most_s)

    def reset(self) -> None:
        """Start again from the least wait: the attempt has proven itself."""
        self._bound_s = self._least_s
