"""The night's anchor of a lot's counters, and what is learned from one night to the next."""

from math import sqrt
from typing import NamedTuple

from rules.local_time import window_after
from rules.parking.counter_config import CounterConfig
from rules.parking.counters import Counters, variance

KEEP = 0.9
"""What a night counts beside the one after it."""
LEAST_RATIO, MOST_RATIO = 0.8, 1.25
"""Beyond this a counter is broken, no ratio."""
LEAST_LEFT = 20.0
"""Cars a day below which nothing is learned."""
SPREAD_KEEP = 0.8


class Figure(NamedTuple):
    """Spaces taken by one way of knowing, with variance."""

    occupied: float
    variance: float


def combined(one: Figure, other: Figure) -> Figure:
    """Both figures, each weighed by how sure it is."""
    weight = one.variance + other.variance
    if not weight:
        return one
    occupied = (one.occupied * other.variance + other.occupied * one.variance) / weight
    return Figure(occupied, one.variance * other.variance / weight)


def is_due(counters: Counters, time_ms: int) -> bool:
    """Whether an anchor may be set at this time: always where there is none, else in the window of the night."""
    return not counters.anchored_ms or time_ms >= counters.night[0]


def anchor(config: CounterConfig, counters: Counters, sensed: Figure | None, time_ms: int) -> Counters:
    """Anchor the balance when it is time: in the quiet of the night, and by sensors where nothing is known yet."""
    begin_ms, end_ms = counters.night
    if time_ms >= end_ms:
        begin_ms, end_ms = window_after(config.timezone, time_ms, config.night_from_min, config.night_until_min)
        counters = counters._replace(night=(begin_ms, end_ms))
    if not counters.anchored_ms and sensed is not None:
        return _anchored(counters, sensed, sensed, time_ms)
    if time_ms < begin_ms or time_ms - counters.moved_ms < config.quiet_ms:
        return counters
    stands = _stands(config, sensed)
    if stands is None:
        return counters
    night = window_after(config.timezone, end_ms, config.night_from_min, config.night_until_min)
    if not counters.anchored_ms:
        return _anchored(counters, stands, stands, time_ms)._replace(night=night)
    balance = combined(Figure(counters.inside, variance(config, counters)), stands)
    return _anchored(_learned(counters, stands), balance, stands, time_ms)._replace(night=night)


def _stands(config: CounterConfig, sensed: Figure | None) -> Figure | None:
    """What stands in the lot at night, by its usual figure and by its sensors."""
    if config.night is None:
        return sensed
    usual = Figure(config.night[0], config.night[1] ** 2)
    return usual if sensed is None else combined(usual, sensed)


def _anchored(counters: Counters, balance: Figure, stands: Figure, time_ms: int) -> Counters:
    return counters._replace(
        inside=balance.occupied,
        anchored_ms=time_ms,
        anchor=stands.occupied,
        anchor_variance=balance.variance,
        entered=0.0,
        left=0.0,
        clipped=0.0,
        breaks=0,
    )


def _learned(counters: Counters, stands: Figure) -> Counters:
    """The ratio and its spread after another night; a day whose counts broke off teaches nothing.

    What two nights differ from their usual figure is no fault of the ratio.
    """
    left = counters.left
    if counters.breaks or left < LEAST_LEFT:
        return counters
    entered = counters.entered - (stands.occupied - counters.anchor)
    error = min(1.0, abs(entered / left - counters.ratio))
    unexplained = max(0.0, error**2 - 2 * stands.variance / left**2)
    ins, outs = KEEP * counters.ins + entered, KEEP * counters.outs + left
    ins = min(max(ins, LEAST_RATIO * outs), MOST_RATIO * outs)
    spread = sqrt(SPREAD_KEEP * counters.spread**2 + (1 - SPREAD_KEEP) * unexplained)
    return counters._replace(ins=ins, outs=outs, spread=spread, nights=counters.nights + 1)
