"""Cars in a lot by what was counted at its entries and exits.

Counters miss cars, more on one way than on the other, so the balance drifts. It is anchored in the quiet of each night,
and the ratio between both ways is learned from one night to the next: cars in = ratio · cars counted out + change.
"""

from collections.abc import Mapping
from typing import NamedTuple

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.parking.counter_config import CounterConfig
from rules.rule import Json, Observation

COUNT, TOTAL = Quantity.VEHICLE_COUNT, Quantity.VEHICLE_COUNT_TOTAL
MODULI = (2.0**16, 2.0**24, 2.0**32)
"""Where counters wrap."""
MINUTE_MS = 60_000
OVERFULL = 1.1
"""Share of the capacity that may be inside: cars circle while they look for a space."""


class Total(NamedTuple):
    """The newest used word of a counter's channel; `reading` None where it tells amounts."""

    reading: float | None
    counted_ms: int


class Counters(NamedTuple):
    """What is remembered of a lot's counters.

    `inside` are cars by the balance, known since `anchored_ms` (0: never) with `anchor_variance`; `entered` and `left`
    were counted since then, `clipped` cars that cannot have been, `breaks` counts that broke off. `ins` / `outs` is the
    learned ratio, `spread` the standard deviation of what it leaves, as a share of `left`, over `nights` nights.
    `anchor` is what stood there at the anchor, `moved_ms` when a car was last counted, `night` the next window.
    """

    totals: dict[str, Total]
    inside: float
    anchored_ms: int
    anchor: float
    anchor_variance: float
    entered: float
    left: float
    clipped: float
    breaks: int
    ins: float
    outs: float
    spread: float
    nights: int
    moved_ms: int
    night: tuple[int, int]

    @property
    def ratio(self) -> float:
        """Cars that leave for each one counted out, by what was counted in."""
        return self.ins / self.outs


class Moves(NamedTuple):
    """What an observation says: cars in and out since the word before, and how many counts broke off."""

    entered: float
    left: float
    breaks: int
    totals: dict[str, Total]


def begin(config: CounterConfig, capacity: int) -> Counters:
    """Nothing counted yet; the capacity is how many cars the first ratio of 1 weighs."""
    weight = float(capacity)
    return Counters({}, 0.0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, weight, weight, config.spread, 0, 0, (0, 0))


def moves(config: CounterConfig, totals: dict[str, Total], given: Observation) -> Moves | None:
    """The cars that an observation tells of; None when it is of no counter or holds nothing that may be used."""
    if given.dev_eui not in config.ways:
        return None
    entered = left = 0.0
    breaks, found = 0, totals
    for channel, value, cumulative in _words(given.readings):
        way = config.way(given.dev_eui, channel)
        key = f"{given.dev_eui}/{channel}" if channel else given.dev_eui
        before = totals.get(key)
        if way is None or not given.usable(before.counted_ms + 1 - cumulative if before else 0):
            continue
        cars, broken = _cars(config, before, value if cumulative else None, given.time_ms)
        if not cumulative:
            cars += value
        if way == "in":
            entered += cars
        else:
            left += cars
        breaks += broken
        found = {**found, key: Total(value if cumulative else None, given.time_ms)}
    return None if found is totals else Moves(entered, left, breaks, found)


def count(config: CounterConfig, counters: Counters, capacity: int, found: Moves, time_ms: int) -> Counters:
    """The balance after these moves."""
    entered, left, breaks, totals = found
    if not entered and not left and not breaks:
        return counters._replace(totals=totals)
    ratio = counters.ratio if config.learn_ratio else 1.0
    inside = counters.inside + entered - ratio * left
    possible = min(max(inside, 0.0), OVERFULL * capacity)
    return counters._replace(
        totals=totals,
        inside=possible,
        entered=counters.entered + entered,
        left=counters.left + left,
        clipped=counters.clipped + abs(inside - possible),
        breaks=counters.breaks + breaks,
        moved_ms=max(counters.moved_ms, time_ms) if entered or left else counters.moved_ms,
    )


def plain_totals(totals: Mapping[str, Total]) -> Json:
    """The totals as JSON."""
    return {key: tuple(total) for key, total in totals.items()}


def heard_ms(config: CounterConfig, totals: Mapping[str, Total], time_ms: int) -> int:
    """When the counter that was silent longest, of those that stand there, was last heard; 0 for never.

    It is asked several times in a step: where counters neither come nor go, the newest answer is remembered.
    """
    last = _newest[0]
    if last is not None and last[0] is totals and last[1] is config:
        return last[2]
    found = _heard_ms(config, totals, time_ms)
    if not config.dated:
        _newest[0] = (totals, config, found)
    return found


_newest: list[tuple[Mapping[str, Total], CounterConfig, int] | None] = [None]


def _heard_ms(config: CounterConfig, totals: Mapping[str, Total], time_ms: int) -> int:
    newest: dict[str, int] = {}
    for key, total in totals.items():
        dev_eui = key.partition("/")[0]
        newest[dev_eui] = max(newest.get(dev_eui, 0), total.counted_ms)
    return min((newest.get(dev_eui, 0) for dev_eui in config.standing(time_ms)), default=0)


def variance(config: CounterConfig, counters: Counters) -> float:
    """The variance of the cars inside, in spaces²."""
    missed = config.miss_variance * (counters.entered + counters.left)
    drift = (counters.spread * counters.left) ** 2
    broken = counters.breaks * config.break_spaces**2
    return counters.anchor_variance + missed + drift + counters.clipped**2 + broken


def _words(readings: tuple[Reading, ...]) -> list[tuple[str, float, bool]]:
    """Channel, value, and whether it is a count that goes on; amounts of a channel that has one are left out."""
    totals = [(channel, value, True) for quantity, value, channel in readings if quantity is TOTAL]
    told = {channel for channel, _, _ in totals}
    amounts = [(channel, value, False) for quantity, value, channel in readings if quantity is COUNT]
    return totals + [each for each in amounts if each[0] not in told]


def _cars(config: CounterConfig, before: Total | None, value: float | None, time_ms: int) -> tuple[float, bool]:
    """Cars since the count before, and whether some may not have been counted.

    A fall is a wrap where the step that this means is plausible, else a new beginning at zero. More cars than a lane
    can pass are none: the count goes on from there.
    """
    if before is None:
        return 0.0, True
    if value is None or before.reading is None:
        return 0.0, before.reading is not None or value is not None
    most = config.per_minute * max(1.0, (time_ms - before.counted_ms) / MINUTE_MS)
    step = value - before.reading
    if step >= 0:
        return (step, False) if step <= most else (0.0, True)
    for modulus in MODULI:
        if before.reading < modulus and step + modulus <= min(most, modulus / 2):
            return step + modulus, False
    return (value, True) if 0 <= value <= most else (0.0, True)
