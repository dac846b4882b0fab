"""The wall clock, as the service sees it."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Milliseconds since 1970 (UTC)."""


def wall_clock() -> int:
    """The machine's own clock."""
    return time.time_ns() // 1_000_000


def simulated_clock(start_ms: int, speed: float, source: Callable[[], float] = time.monotonic) -> Clock:
    """A clock that shows `start_ms` now and runs `speed` times as fast as the wall."""
    begin = source()
    return lambda: start_ms + int((source() - begin) * 1000 * speed)


class SteppedClock:
    """A clock that stands until it is set, and never runs back."""

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms

    def __call__(self) -> int:
        """The time that was set last."""
        return self._now_ms

    def set(self, now_ms: int) -> None:
        """Show this time; a time that is over is passed over."""
        self._now_ms = max(self._now_ms, now_ms)
