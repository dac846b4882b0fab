"""A codec that does not answer in time is left alone for a while: it costs messages, not the rhythm of the service."""

from collections import deque
from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds, from any beginning."""
TIMEOUTS = 3
OFTEN, OFTEN_S = 10, 60.0
FIRST_PAUSE_S = 60.0
LONGEST_PAUSE_S = 3600.0


class Breaker:
    """Refuses a codec that timed out three times in a row: for a minute, then twice as long each time, up to an hour.

    So it does with one that had to be ended from outside once, or that timed out ten times within a minute, whatever
    was between. Without a clock it refuses nothing.
    """

    __slots__ = ("_clock", "_late", "_pause_s", "_recent_s", "_until_s", "_why")

    def __init__(self, clock: Clock | None) -> None:
        self._clock = clock
        self._late = 0
        self._pause_s = FIRST_PAUSE_S
        self._recent_s: deque[float] = deque(maxlen=OFTEN)
        self._until_s = 0.0
        self._why = ""

    @property
    def problem(self) -> str:
        """Why calls are refused now, else nothing."""
        left_s = self._until_s - self._clock() if self._clock is not None and self._until_s else 0.0
        return f"{self._why}; not asked again for {left_s:.0f} s" if left_s > 0 else ""

    def late(self) -> None:
        """A call timed out."""
        self._late += 1
        if self._clock is None:
            return
        now_s = self._clock()
        self._recent_s.append(now_s)
        if self._late >= TIMEOUTS:
            self._open(now_s, f"no answer in time {self._late} times")
        elif len(self._recent_s) == OFTEN and now_s - self._recent_s[0] <= OFTEN_S:
            self._open(now_s, f"no answer in time {OFTEN} times within {OFTEN_S:.0f} s")

    def hung(self, how: str) -> None:
        """A call had to be ended from outside."""
        self._late += 1
        if self._clock is not None:
            self._open(self._clock(), how)

    def _open(self, now_s: float, why: str) -> None:
        self._why = why
        self._until_s = now_s + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._recent_s.clear()

    def in_time(self) -> None:
        """A call ended, whatever it said."""
        if self._late:
            self._late, self._pause_s, self._until_s = 0, FIRST_PAUSE_S, 0.0
