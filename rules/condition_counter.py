"""A counter of a device: what was counted since its last total, across wraps, resets and lost frames."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from decoders.quantity import Quantity
from rules.condition_entry import MINUTE_MS, MOST_KEPT, Doubt, Entry

HOUR_MS: Final = 3_600_000
TIMED: Final = 3
"""Length of an entry with a pace."""
HALF: Final = 2
LITTLE: Final = 32
"""A wrap of this part of a turn needs no pace to be believed."""
FASTER: Final = 4
"""By how much a counter may run faster than ever before, for a fall to be a wrap."""
CORRECTED: Final = 0.1
"""A fall by this part of the total is a correction (water that flows back), no new beginning."""
DIGITS: Final = 3
# NamedTuple's own constructor costs twice this one.
new_tuple = tuple.__new__


class Count(NamedTuple):
    """Raw counts of a counter since its last value, and what is to be said against them (0: nothing)."""

    quantity: Quantity
    channel: str
    step: float
    elapsed_ms: float
    doubt: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """A quantity that a device tells itself, so that its counter need not."""

    key: str

    def take(self, kept: dict[str, Entry], before: Entry | None, _value: float, time_ms: int) -> None:
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

    def take(self, kept: dict[str, Entry], before: Entry | None, value: float, time_ms: int) -> Count | None:
        """Put a raw count among what is kept; the counts since the one before, None for a first, late or needless one.

        A fall is a wrap where the step that this means is plausible, else a new beginning; one that is none of both
        (another meter, a correction) tells nothing.
        """
        if self.told in kept:
            return None
        if before is None:
            if len(kept) < MOST_KEPT:
                kept[self.key] = (value, time_ms)
            return None
        elapsed_ms = time_ms - before[-1]
        if elapsed_ms <= 0:
            return None
        pace = before[1] if len(before) == TIMED else 0.0
        found = self._since(before[0], pace, value, elapsed_ms)
        if found is not None and not found.doubt:
            now = found.step * HOUR_MS / max(elapsed_ms, MINUTE_MS)
            if now > pace:
                pace = round(now, DIGITS)
        kept[self.key] = (value, pace, time_ms)
        return found

    def _since(self, last: float, pace: float, value: float, elapsed_ms: float) -> Count | None:
        """What was counted since the last total, by a counter whose fastest hour had this pace."""
        most = self.per_ms * elapsed_ms if elapsed_ms > MINUTE_MS else self.per_minute
        step = value - last
        if step >= 0:
            return self._count(step, elapsed_ms, 0 if step <= most else Doubt.SPIKE)
        usual = pace * elapsed_ms / HOUR_MS
        for modulus in self.moduli:
            limit = max(FASTER * usual, modulus / LITTLE) if usual <= modulus / HALF else 0
            if last < modulus and step + modulus <= min(most, modulus / HALF, limit):
                return self._count(step + modulus, elapsed_ms)
        if value < 0 or value > most or -step <= last * CORRECTED:
            return None
        return self._count(value, elapsed_ms, Doubt.RESET)

    def _count(self, step: float, elapsed_ms: float, doubt: int = 0) -> Count:
        return new_tuple(Count, (self.quantity, self.channel, step, elapsed_ms, doubt))
