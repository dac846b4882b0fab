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
