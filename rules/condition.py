"""Per device, before anything else sees them: calibration, doubts about values, counters turned into amounts.

A value is doubtful when it is out of its plausible range, when it stands still while others of its device vary, when it
jumps faster than its quantity can, or (an amount) when its counter began again. A jump is believed as soon as the next
value agrees with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Final, NamedTuple

from decoders.codec import CodecField
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity
from rules.calibration import Figures, Line, line
from rules.condition_config import SOURCES, TARGETS, Becomes, Bounds, ConditionRules
from rules.condition_entry import CHANGED, MINUTE_MS, NOTHING, Count, Counter, Doubt, Entries, Entry, Told, Watch

__all__ = ["NOTHING", "NO_DOUBTS", "Conditioned", "Doubt", "Doubts", "Entries", "Judged", "Plan", "condition", "judge"]

HOUR_MS: Final = 3_600_000
WATTS: Final = 1000.0
"""In a kilowatt."""
DIGITS: Final = 9
"""Decimals of what is computed here: enough for every resolution, too few for what floats add."""
EXACT: Final = 2.0**53
USUAL_MODULI: Final = (2.0**16, 2.0**24, 2.0**32)
"""Where counters of codecs that do not say it wrap."""

Key = tuple[Quantity, str]
Doubts = Mapping[Key, int]
NO_DOUBTS: Doubts = {}
RANGE = Doubt.RANGE


class Judged(NamedTuple):
    """A measurement, calibrated and with the amounts of its counters; `sound` is the part without doubts."""

    measurement: Measurement
    doubts: Doubts
    sound: Measurement

    @property
    def doubtful(self) -> tuple[Reading, ...]:
        """The readings in doubt."""
        doubts = self.doubts
        return tuple(each for each in self.measurement.readings if (each[0], each[2]) in doubts) if doubts else ()


class Conditioned(NamedTuple):
    """The measurements of an uplink in the order in which they came, and what is remembered after it."""

    judged: tuple[Judged, ...]
    entries: Entries


class Memory(NamedTuple):
    """What is kept of a quantity: under which key, and who knows what follows.

    A changed value within these limits is as good as the one before; where they are negative none is.
    """

    key: str
    per_minute: float
    per_ms: float
    keeper: Watch | Counter | Told


class Slot(NamedTuple):
    """What is to be done with a raw value: its range, and what is kept of it."""

    low: float
    high: float
    memory: Memory | None


# NamedTuple's own constructor costs twice this one.
new_tuple = tuple.__new__


class Plan:
    """What is to be done with each reading of the devices of one codec and calibration; made as readings come.

    `carried` is what the codec can say, None where nobody knows.
    """

    __slots__ = ("_carried", "_figures", "_rules", "continuous", "corrects", "lines", "slots")

    def __init__(
        self, rules: ConditionRules, carried: Sequence[CodecField] | None = None, figures: Figures | None = None
    ) -> None:
        self.slots: dict[Key, Slot] = {}
        self.lines: dict[Key, Line] = {}
        self.continuous: set[str] = set()
        self.corrects = bool(figures)
        self._rules = rules
        self._carried = carried
        self._figures = figures or {}

    def slot(self, quantity: Quantity, channel: str) -> Slot:
        """The slot of a reading."""
        bounds = self._rules.bounds(quantity)
        factor, offset = self.lines[quantity, channel] = line(self._figures, quantity, channel)
        low, high = sorted(((bounds.low - offset) / factor, (bounds.high - offset) / factor))
        memory = self._memory(quantity, channel, bounds, abs(factor))
        slot = self.slots[quantity, channel] = Slot(low, high, memory)
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

    def _memory(self, quantity: Quantity, channel: str, bounds: Bounds, factor: float) -> Memory | None:
        key = _key(quantity, channel)
        per_minute = bounds.per_minute / factor
        per_ms = per_minute / MINUTE_MS
        if quantity in TARGETS:
            told = _key(TARGETS[quantity].quantity, channel)
            moduli = self._wraps(quantity, channel)
            return Memory(key, -1.0, -1.0, Counter(key, told, quantity, channel, moduli, per_minute, per_ms))
        if quantity in SOURCES and self._carries(SOURCES[quantity], channel):
            return Memory(key, -1.0, -1.0, Told(key))
        if bounds.per_minute == bounds.stuck_after == inf:
            return None
        if bounds.stuck_after < inf:
            self.continuous.add(key)
        ends = (quantity.low, quantity.high)
        return Memory(key, per_minute, per_ms, Watch(key, per_minute, per_ms, bounds.stuck_after, ends))

    def _carries(self, quantity: Quantity, channel: str) -> bool:
        """Whether a device may tell this, too."""
        carried = self._carried
        return carried is None or any(each.quantity is quantity and each.channel == channel for each in carried)

    def _wraps(self, quantity: Quantity, channel: str) -> tuple[float, ...]:
        """Where a counter may wrap."""
        if self._carried is None:
            return USUAL_MODULI if TARGETS[quantity].becomes is Becomes.AMOUNT else ()
        return tuple(sorted(_moduli(self._carried, quantity, channel)))


def _key(quantity: Quantity, channel: str) -> str:
    return f"{quantity.field}/{channel}" if channel else quantity.field


def _moduli(carried: Iterable[CodecField], quantity: Quantity, channel: str) -> set[float]:
    """Where a counter may wrap; floats and signed numbers do not."""
    return {
        round(each.high + each.step, DIGITS)
        for each in carried
        if each.quantity is quantity and each.channel == channel and each.low >= 0 and each.high < EXACT
    }


def condition(plan: Plan, kept: Entries, measurements: Sequence[Measurement], latest_ms: int) -> Conditioned:
    """Judge the measurements of an uplink by their times; those beyond `latest_ms` are judged by their range alone."""
    if len(measurements) == 1:
        judged, kept = judge(plan, kept, measurements[0], latest_ms)
        return new_tuple(Conditioned, ((judged,), kept))
    found: dict[int, Judged] = {}
    places = range(len(measurements))
    for place in sorted(places, key=lambda place: measurements[place].time_ms):
        found[place], kept = judge(plan, kept, measurements[place], latest_ms)
    return Conditioned(tuple([found[place] for place in places]), kept)


def judge(plan: Plan, kept: Entries, measurement: Measurement, latest_ms: int) -> tuple[Judged, Entries]:
    """One measurement: calibrated, doubted, its counters told as amounts; and what is remembered after it."""
    time_ms, readings, _ = measurement
    slots, believable = plan.slots, time_ms <= latest_ms
    fresh: dict[str, Entry] | None = None
    doubts: dict[Key, int] | None = None
    counts: list[Count] | None = None
    for quantity, value, channel in readings:
        low, high, memory = slots.get((quantity, channel)) or plan.slot(quantity, channel)
        found: int | Count | None = 0
        if not low <= value <= high:
            found = RANGE
        elif memory is not None and believable:
            key, per_minute, per_ms, keeper = memory
            if fresh is None:
                fresh = {**kept}
            before = fresh.get(key)
            if before is not None and len(before) == CHANGED:
                elapsed_ms = time_ms - before[1]
                most = per_ms * elapsed_ms if elapsed_ms > MINUTE_MS else per_minute
                if elapsed_ms > 0 and -most <= value - before[0] <= most and value != before[0]:
                    fresh[key] = (value, time_ms)
                    continue
            found = keeper.take(fresh, before, value, time_ms, plan.continuous)
        if found:
            if isinstance(found, Count):
                counts = [found] if counts is None else [*counts, found]
            else:
                doubts = doubts or {}
                doubts[quantity, channel] = found
    if plan.corrects or counts:
        measurement, doubts = _completed(plan, measurement, counts or (), doubts or {})
    sound = _without(measurement, doubts) if doubts else measurement
    judged = new_tuple(Judged, (measurement, doubts or NO_DOUBTS, sound))
    return judged, kept if fresh is None else fresh


def _completed(
    plan: Plan, measurement: Measurement, counts: Iterable[Count], doubts: dict[Key, int]
) -> tuple[Measurement, dict[Key, int]]:
    """Calibrated, with what counters say of the time since their last values."""
    readings = plan.calibrated(measurement.readings)
    for total, channel, step, elapsed_ms, doubt in counts:
        quantity, becomes = TARGETS[total]
        low, high, _ = plan.slots.get((quantity, channel)) or plan.slot(quantity, channel)
        value = round(step * plan.lines[total, channel][0] * _per(becomes, elapsed_ms), DIGITS)
        readings += plan.calibrated([new_tuple(Reading, (quantity, value, channel))])
        wrong = becomes is not Becomes.AMOUNT and not low <= value <= high
        if wrong or doubt:
            doubts[quantity, channel] = RANGE if wrong else doubt
    return new_tuple(Measurement, (measurement[0], tuple(readings), measurement[2])), doubts


def _per(becomes: Becomes, elapsed_ms: float) -> float:
    """What one count in this time is worth: itself, its part of an hour, or of kilowatt-hours as watts."""
    if becomes is Becomes.AMOUNT:
        return 1.0
    per_hour = HOUR_MS / elapsed_ms
    return per_hour * WATTS if becomes is Becomes.POWER else per_hour


def _without(measurement: Measurement, doubts: Doubts) -> Measurement:
    sound = tuple([reading for reading in measurement.readings if (reading[0], reading[2]) not in doubts])
    return measurement._replace(readings=sound)
