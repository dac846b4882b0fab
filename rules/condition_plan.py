"""What is to be done with each reading of a device: its range in raw values, its correction, who knows what follows."""

from collections.abc import Iterable, Sequence
from math import floor, inf, log10
from typing import Final

from decoders.codec import CodecField
from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.calibration import Figures, Line, line
from rules.condition_config import RUNNING, SATURATED, SOURCES, TARGETS, Becomes, Bounds, ConditionRules
from rules.condition_counter import Counter, Told
from rules.condition_entry import MINUTE_MS
from rules.condition_watch import Watch

DIGITS: Final = 9
"""Decimals of what is computed here: enough for every resolution, too few for what floats add."""
EXACT: Final = 2.0**53
USUAL_MODULI: Final = (2.0**16, 2.0**24, 2.0**32)
"""Where counters of codecs that do not say it wrap."""

Key = tuple[Quantity, str]


Memory = tuple[str, float, float, Watch | Counter | Told]
"""What is kept of a quantity: under which key, change per minute and per ms, who knows what follows.

A changed value within these limits is as good as the one before; where they are negative none is.
"""
Slot = tuple[float, float, Memory | None]
"""What is to be done with a raw value: its range, and what is kept of it. A plain tuple: each value unpacks one."""


# NamedTuple's own constructor costs twice this one.
new_tuple = tuple.__new__


class Plan:
    """What is to be done with each reading of the devices of one codec and calibration; made as readings come.

    `carried` is what the codec can say, None where nobody knows.
    """

    __slots__ = ("_carried", "_continuous", "_figures", "_rules", "corrects", "lines", "slots")

    def __init__(
        self, rules: ConditionRules, carried: Sequence[CodecField] | None = None, figures: Figures | None = None
    ) -> None:
        self.slots: dict[Key, Slot] = {}
        self.lines: dict[Key, Line] = {}
        self.corrects = bool(figures)
        self._rules = rules
        self._continuous = rules.continuous
        self._carried = carried
        self._figures = figures or {}

    def slot(self, quantity: Quantity, channel: str) -> Slot:
        """The slot of a reading."""
        bounds = self._rules.bounds(quantity)
        factor, offset = self.lines[quantity, channel] = line(self._figures, quantity, channel)
        low, high = sorted(((bounds.low - offset) / factor, (bounds.high - offset) / factor))
        memory = self._memory(quantity, channel, bounds, abs(factor))
        slot = self.slots[quantity, channel] = low, high, memory
        return slot

    def calibrated(self, readings: Iterable[Reading]) -> list[Reading]:
        """What raw readings stand for."""
        if not self.corrects:
            return list(readings)
        lines, found = self.lines, []
        for reading in readings:
            quantity, value, channel = reading
            factor, offset = lines[quantity, channel]
            if factor == 1 and not offset:
                found.append(reading)
            else:
                found.append(new_tuple(Reading, (quantity, round(value * factor + offset, DIGITS), channel)))
        return found

    def is_saturated(self, quantity: Quantity, value: float) -> bool:
        """Whether a calibrated value beyond its range is what a sensor shows at the end of it."""
        beyond = SATURATED.get(quantity)
        if beyond is None or self._rules.bounds(quantity).high != quantity.high:
            return False
        return quantity.high < value <= quantity.high + beyond

    def _memory(self, quantity: Quantity, channel: str, bounds: Bounds, factor: float) -> Memory | None:
        key = f"{quantity.field}/{channel}" if channel else quantity.field
        per_minute = bounds.per_minute / factor
        per_ms = per_minute / MINUTE_MS
        if quantity in TARGETS:
            told = TARGETS[quantity].quantity.field + key.removeprefix(quantity.field)
            moduli = self._wraps(quantity, channel)
            return key, -1.0, -1.0, Counter(key, told, quantity, channel, moduli, per_minute, per_ms)
        if quantity in SOURCES and self._carries(SOURCES[quantity], channel):
            return key, -1.0, -1.0, Told(key)
        step, rests = self._rules.steady(quantity)
        coarse = self._coarse(quantity, channel, step)
        stuck_after = bounds.stuck_after if coarse < inf else inf
        if per_minute == stuck_after == inf:
            return None
        keeper = Watch(
            key,
            per_minute,
            per_ms,
            stuck_after,
            self._rules.stuck_ms,
            rests,
            coarse,
            self._continuous,
            runs=quantity in RUNNING,
        )
        return key, per_minute, per_ms, keeper

    def _coarse(self, quantity: Quantity, channel: str, finest: float) -> float:
        """Multiples of this may stand: none (0), all (inf), or, where nobody knows the steps, what looks rounded."""
        if finest == inf:
            return 0.0
        steps = [each.step for each in self._carried or () if each.quantity is quantity and each.channel == channel]
        if steps:
            return inf if max(steps) > finest else 0.0
        return float(10 ** (floor(log10(finest)) + 1))

    def _carries(self, quantity: Quantity, channel: str) -> bool:
        """Whether a device may tell this, too."""
        carried = self._carried
        return carried is None or any(each.quantity is quantity and each.channel == channel for each in carried)

    def _wraps(self, quantity: Quantity, channel: str) -> tuple[float, ...]:
        """Where a counter may wrap."""
        if self._carried is None:
            return USUAL_MODULI if TARGETS[quantity].becomes is Becomes.AMOUNT else ()
        return tuple(sorted(_moduli(self._carried, quantity, channel)))


def _moduli(carried: Iterable[CodecField], quantity: Quantity, channel: str) -> set[float]:
    """Where a counter may wrap; floats and signed numbers do not."""
    return {
        round(each.high + each.step, DIGITS)
        for each in carried
        if each.quantity is quantity and each.channel == channel and each.low >= 0 and each.high < EXACT
    }
