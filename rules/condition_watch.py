"""A continuous quantity of a device: whether a value stands still, or jumps."""

from dataclasses import dataclass

from rules.condition_entry import CHANGED, MOST_KEPT, SUSPECT, Doubt, Entries, Entry

FASTEST = 2.0
"""A second step in the same direction, by the pace of the first."""
WHOLE = 1e-6
GOES_ON = 0
"""The run of a value in a change that goes on."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How a quantity is judged; limits are of raw values.

    Stuck is a value that stood `stuck_after` times and for `stuck_ms` while one of the `continuous` fields varied, but
    not in `rests` (a dark night, fog) and not a multiple of `coarse`. With `runs` a fast change may go on.
    """

    key: str
    per_minute: float
    per_ms: float
    stuck_after: float
    stuck_ms: float
    rests: tuple[tuple[float, float], ...]
    coarse: float
    continuous: frozenset[str]
    runs: bool

    def take(self, kept: dict[str, Entry], before: Entry | None, value: float, time_ms: int) -> int:
        """Put a raw value among what is kept, and say what is to be said against it; a late one changes nothing."""
        if before is None:
            if len(kept) < MOST_KEPT:
                kept[self.key] = (value, -1, time_ms, time_ms)
            return 0
        if time_ms <= before[-1]:
            return 0
        entry = kept[self.key] = self._next(before, value, time_ms)
        if len(entry) == SUSPECT and entry[1]:
            return Doubt.SPIKE
        return Doubt.STUCK if self._is_stuck(entry) and self._varied(kept, entry[2]) else 0

    def _next(self, before: Entry, value: float, time_ms: int) -> Entry:
        known, run, since_ms, good_ms = _unfolded(before)
        if value == known:
            return (value, run + 1 if run >= 0 else run - 1, since_ms, time_ms)
        if self._is_stuck(before):
            good_ms = since_ms
        suspected = len(before) == SUSPECT
        if suspected and self._agree(before[4], before[5], value, time_ms):
            return (value, time_ms)
        if self._agree(known, good_ms, value, time_ms):
            return (value, time_ms)
        if suspected and self.runs and _goes_on((known, good_ms), before[4:], (value, time_ms)):
            return (before[4], GOES_ON, before[5], before[5], value, time_ms)
        return (known, run or 1, since_ms, good_ms, value, time_ms)

    def _agree(self, known: float, known_ms: float, value: float, time_ms: int) -> bool:
        return abs(value - known) <= max(self.per_minute, self.per_ms * (time_ms - known_ms))

    def _is_stuck(self, entry: Entry) -> bool:
        if len(entry) == CHANGED or abs(entry[1]) < self.stuck_after or entry[3] - entry[2] < self.stuck_ms:
            return False
        value, coarse = entry[0], self.coarse
        for low, high in self.rests:
            if low <= value <= high:
                return False
        return not coarse or abs(value / coarse - round(value / coarse)) > WHOLE

    def _varied(self, kept: Entries, since_ms: float) -> bool:
        """Whether a continuous quantity took another value after this time."""
        for key, entry in kept.items():
            if key in self.continuous or key.partition("/")[0] in self.continuous:
                _, run, changed_ms, _ = _unfolded(entry)
                if run >= 0 and changed_ms > since_ms:
                    return True
        return False


def _unfolded(entry: Entry) -> tuple[float, float, float, float]:
    """Value, run, since when, and when it was last believed."""
    if len(entry) == CHANGED:
        return entry[0], 1, entry[1], entry[1]
    return entry[0], entry[1], entry[2], entry[3]


def _goes_on(first: Entry, second: Entry, third: Entry) -> bool:
    """Whether a step of (value, time) goes on where the one before went, and not much faster."""
    pace = (second[0] - first[0]) / (second[1] - first[1])
    return 0 < (third[0] - second[0]) / (third[1] - second[1]) / pace <= FASTEST
