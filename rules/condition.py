"""Per device, before anything else sees them: calibration, doubts about values, counters turned into amounts.

A value is doubtful when it is out of its plausible range, when it stands still while others of its device vary, when it
jumps faster than its quantity can, when it has no time of its own, or (an amount) when its counter began again. A jump
is believed as soon as the next value agrees with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from decoders.measurement import Measurement, Reading
from rules.condition_config import HOUR_MS, TARGETS, Becomes
from rules.condition_counter import Count
from rules.condition_entry import CHANGED, MINUTE_MS, NOTHING, Doubt, Entries, Entry
from rules.condition_plan import DIGITS, Key, Plan
from rules.condition_time import NOBODY

__all__ = ["NOTHING", "NO_DOUBTS", "Conditioned", "Doubt", "Doubts", "Entries", "Judged", "Plan", "condition", "judge"]

WATTS: Final = 1000.0
"""In a kilowatt."""

Doubts = Mapping[Key, int]
NO_DOUBTS: Doubts = {}
RANGE, CLOCK = Doubt.RANGE, Doubt.CLOCK


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


# NamedTuple's own constructor costs twice this one.
new_tuple = tuple.__new__


def condition(
    plan: Plan, kept: Entries, measurements: Sequence[Measurement], latest_ms: int, lost: frozenset[int] = NOBODY
) -> Conditioned:
    """Judge the measurements of an uplink by their times; those beyond `latest_ms` are judged by their range alone.

    `lost` are the places of those that have no time of their own: all that they say is doubtful.
    """
    if len(measurements) == 1 and not lost:
        judged, kept = judge(plan, kept, measurements[0], latest_ms)
        return new_tuple(Conditioned, ((judged,), kept))
    found: dict[int, Judged] = {}
    places = range(len(measurements))
    for place in sorted(places, key=lambda place: measurements[place].time_ms):
        if place in lost:
            found[place] = _timeless(judge(plan, NOTHING, measurements[place], -1)[0])
        else:
            found[place], kept = judge(plan, kept, measurements[place], latest_ms)
    return Conditioned(tuple([found[place] for place in places]), kept)


def judge(plan: Plan, kept: Entries, measurement: Measurement, latest_ms: int) -> tuple[Judged, Entries]:
    """One measurement: calibrated, doubted, its counters told as amounts; and what is remembered after it."""
    time_ms = measurement.time_ms
    slots, believable = plan.slots, time_ms <= latest_ms
    fresh: dict[str, Entry] | None = None
    doubts: dict[Key, int] | None = None
    counts: list[Count] | None = None
    for place, value in measurement.pairs():
        low, high, memory = slots.get(place) or plan.slot(*place)
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
            found = keeper.take(fresh, before, value, time_ms)
        if found:
            if isinstance(found, Count):
                counts = [found] if counts is None else [*counts, found]
            else:
                doubts = doubts or {}
                doubts[place] = found
    if plan.corrects or counts or doubts:
        measurement, doubts = _completed(plan, measurement, counts or (), doubts or {})
    sound = _without(measurement, doubts) if doubts else measurement
    judged = new_tuple(Judged, (measurement, doubts or NO_DOUBTS, sound))
    return judged, kept if fresh is None else fresh


def _completed(
    plan: Plan, measurement: Measurement, counts: Iterable[Count], doubts: dict[Key, int]
) -> tuple[Measurement, dict[Key, int]]:
    """Calibrated, saturated values at the end of their range, with what counters say of the time since their last."""
    readings = plan.calibrated(measurement.readings)
    if doubts:
        _saturate(plan, readings, doubts)
    for total, channel, step, elapsed_ms, doubt in counts:
        quantity, becomes = TARGETS[total]
        low, high, _ = plan.slots.get((quantity, channel)) or plan.slot(quantity, channel)
        value = round(step * plan.lines[total, channel][0] * _per(becomes, elapsed_ms), DIGITS)
        readings += plan.calibrated([new_tuple(Reading, (quantity, value, channel))])
        wrong = becomes is not Becomes.AMOUNT and not low <= value <= high
        if wrong or doubt:
            doubts[quantity, channel] = RANGE if wrong else doubt
    return measurement._replace(readings=readings), doubts


def _saturate(plan: Plan, readings: list[Reading], doubts: dict[Key, int]) -> None:
    for place, (quantity, value, channel) in enumerate(readings):
        if (quantity, channel) in doubts and plan.is_saturated(quantity, value):
            readings[place] = Reading(quantity, quantity.high, channel)
            del doubts[quantity, channel]


def _per(becomes: Becomes, elapsed_ms: float) -> float:
    """What one count in this time is worth: itself, its part of an hour, or of kilowatt-hours as watts."""
    if becomes is Becomes.AMOUNT:
        return 1.0
    per_hour = HOUR_MS / elapsed_ms
    return per_hour * WATTS if becomes is Becomes.POWER else per_hour


def _timeless(judged: Judged) -> Judged:
    """All that is said in doubt, whatever else is to be said against it."""
    measurement = judged.measurement
    doubts = dict.fromkeys(measurement.places, CLOCK)
    return Judged(measurement, {**doubts, **judged.doubts}, measurement._replace(readings=()))


def _without(measurement: Measurement, doubts: Doubts) -> Measurement:
    return measurement._replace(readings=[each for each in measurement.readings if (each[0], each[2]) not in doubts])
