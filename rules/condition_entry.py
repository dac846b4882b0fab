"""What conditioning remembers of a continuous quantity or a counter of a device, from one value to the next.

An entry holds raw values and times in ms; its last figure is the newest time.

* `(value, changed_ms)`; while the value stands still `(value, run, since_ms, newest_ms)`, where a negative run says
  that it never varied; after a jump `(value, run, since_ms, good_ms, suspect, suspect_ms)`;
* of a counter `(count, counted_ms)`, of what a device tells itself beside a counter `(told_ms,)`.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from decoders.quantity import Quantity

MINUTE_MS: Final = 60_000
MOST_KEPT: Final = 48
"""Entries of one device; what comes beyond is judged by its range alone."""
CHANGED, SUSPECT = 2, 6
"""Lengths of entries."""

Entry = tuple[float, ...]
Entries = Mapping[str, Entry]
"""What is remembered of a device, by `quantity` or `quantity/channel`."""
NOTHING: Final[Entries] = {}
# NamedTuple's own constructor costs twice this one.
new_tuple = tuple.__new__


class Doubt(IntEnum):
    """Why a value is doubtful; stored beside it as `<quantity>_quality`."""

    RANGE = 1
    STUCK = 2
    SPIKE = 3
    RESET = 4


class Count(NamedTuple):
    """Raw counts of a counter since its last value, and what is to be said against them (0: nothing)."""

    quantity: Quantity
    channel: str
    step: float
    elapsed_ms: float
    doubt: int = 0


@dataclass(frozen=True, slots=True)
class Watch:
    """A continuous quantity of a device; limits are of raw values, `ends` those of its range.

    A value that stands at an end is not stuck: a dark night, fog.
    """

    key: str
    per_minute: float
    per_ms: float
    stuck_after: float
    ends: tuple[float, float]

    def take(
        self, kept: dict[str, Entry], before: Entry | None, value: float, time_ms: int, continuous: Container[str]
    ) -> int:
        """Put a raw value among what is kept, and say what is to be said against it; a late one changes nothing."""
        if before is None:
            if len(kept) < MOST_KEPT:
                kept[self.key] = (value, -1, time_ms, time_ms)
            return 0
        if time_ms <= before[-1]:
            return 0
        entry = kept[self.key] = self._next(before, value, time_ms)
        if len(entry) == SUSPECT:
            return Doubt.SPIKE
        return Doubt.STUCK if self._is_stuck(entry) and _varied(kept, continuous, entry[2]) else 0

    def _next(self, before: Entry, value: float, time_ms: int) -> Entry:
        known, run, since_ms, good_ms = _unfolded(before)
        if value == known:
            return (value, run + 1 if run > 0 else run - 1, since_ms, time_ms)
        if self._is_stuck(before):
            good_ms = since_ms
        suspected = len(before) == SUSPECT and self._agree(before[4], before[5], value, time_ms)
        if suspected or self._agree(known, good_ms, value, time_ms):
            return (value, time_ms)
        return (known, run, since_ms, good_ms, value, time_ms)

    def _agree(self, known: float, known_ms: float, value: float, time_ms: int) -> bool:
        return abs(value - known) <= max(self.per_minute, self.per_ms * (time_ms - known_ms))

    def _is_stuck(self, entry: Entry) -> bool:
        return len(entry) > CHANGED and abs(entry[1]) >= self.stuck_after and entry[0] not in self.ends


@dataclass(frozen=True, slots=True)
class Told:
    """A quantity that a device tells itself, so that its counter need not."""

    key: str

    def take(
        self, kept: dict[str, Entry], before: Entry | None, _value: float, time_ms: int, _continuous: Container[str]
    ) -> None:
        """Note that it does."""
        if before is None and len(kept) < MOST_KEPT:
            kept[self.key] = (time_ms,)


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter of a device: where it may wrap, and the most raw counts in a time.

    `told` is the key of the quantity that it becomes, where the device tells that itself.
    """

    key: str
    told: str
    quantity: Quantity
    channel: str
    moduli: tuple[float, ...]
    per_minute: float
    per_ms: float

    def take(
        self,
        kept: dict[str, Entry],
        before: Entry | None,
        value: float,
        time_ms: int,
        _continuous: Container[str],
    ) -> Count | None:
        """Put a raw count among what is kept; the counts since the one before, None for a first, late or needless one.

        A fall is a wrap where the step that this means is plausible, else a new beginning; one that cannot have begun
        at zero (another meter) tells nothing.
        """
        if self.told in kept:
            return None
        if before is None:
            if len(kept) < MOST_KEPT:
                kept[self.key] = (value, time_ms)
            return None
        elapsed_ms = time_ms - before[1]
        if elapsed_ms <= 0:
            return None
        kept[self.key] = (value, time_ms)
        most = max(self.per_minute, self.per_ms * elapsed_ms)
        step = value - before[0]
        if step >= 0:
            return self._count(step, elapsed_ms, 0 if step <= most else Doubt.SPIKE)
        for modulus in self.moduli:
            if before[0] < modulus and step + modulus <= min(most, modulus / 2):
                return self._count(step + modulus, elapsed_ms)
        return self._count(value, elapsed_ms, Doubt.RESET) if 0 <= value <= most else None

    def _count(self, step: float, elapsed_ms: float, doubt: int = 0) -> Count:
        return new_tuple(Count, (self.quantity, self.channel, step, elapsed_ms, doubt))


def _unfolded(entry: Entry) -> tuple[float, float, float, float]:
    """Value, run, since when, and when it was last believed."""
    if len(entry) == CHANGED:
        return entry[0], 1, entry[1], entry[1]
    return entry[0], entry[1], entry[2], entry[3]


def _varied(kept: Entries, continuous: Container[str], since_ms: float) -> bool:
    """Whether a continuous quantity took another value after this time."""
    for key, entry in kept.items():
        if key in continuous:
            _, run, changed_ms, _ = _unfolded(entry)
            if run > 0 and changed_ms > since_ms:
                return True
    return False
