"""How many spaces of a lot are taken, by its sensors, its counters or both, and how sure that is."""

from math import ceil, sqrt
from typing import NamedTuple

from rules.event import LotBasis, LotReason
from rules.parking.anchor import Figure, combined
from rules.parking.counter_config import CounterConfig
from rules.parking.counters import Counters, heard_ms, variance
from rules.parking.lot import Lot, Shown
from rules.parking.lot_config import LotConfig
from rules.parking.sensed import figure, occupied_by

SURE = 1.96
"""Standard deviations within which a figure lies 19 times out of 20."""
STEADY = 0.75
"""Spaces by which a figure between whole ones must differ from the one shown to take its place."""
CONTRADICTION = 3.0
"""Standard deviations that sensors and counters may lie apart."""
CONTRADICTION_SHARE = 0.05
"""Share of the capacity that they may lie apart in any case."""
RECONCILED = 2 / 3
"""Share of these at which a contradiction ends."""


class Estimate(NamedTuple):
    """Spaces taken; `occupied` is None and `reason` says why when that is unknown. Good until `fresh_ms`."""

    reason: LotReason
    occupied: int | None
    basis: LotBasis
    fresh_ms: int
    contradicting: bool = False


def estimate(config: LotConfig, lot: Lot, now_ms: int) -> Estimate:
    """What is known of the lot at this time."""
    against = _against_sensors(config, lot, now_ms)
    counting = config.counters
    if counting is None or lot.counters is None:
        occupied = None if against else occupied_by(config, lot)
        return Estimate(against or "counted", occupied, "sensors", fresh_ms(config, lot, "sensors", now_ms))
    against_counters = _against_counters(config, counting, lot.counters, now_ms)
    if against and against_counters:
        reason = against_counters if against == "too_few_sensors" or not config.sensors(now_ms) else against
        return Estimate(reason, None, "counters", now_ms)
    if against_counters:
        return Estimate("counted", occupied_by(config, lot), "sensors", fresh_ms(config, lot, "sensors", now_ms))
    counted = Figure(lot.counters.inside, variance(counting, lot.counters))
    if against:
        occupied = _whole(config, lot.shown, counted.occupied)
        return Estimate("counted", occupied, "counters", fresh_ms(config, lot, "counters", now_ms))
    return _both(config, lot, now_ms, counted)


def uncertainty(config: LotConfig, lot: Lot, basis: LotBasis, *, contradicting: bool) -> int:
    """Spaces by which the figure on this basis may be wrong, 19 times out of 20."""
    counting, counters = config.counters, lot.counters
    if basis == "sensors" or counting is None or counters is None:
        found = figure(config, lot).variance
    else:
        counted = Figure(counters.inside, variance(counting, counters))
        if basis == "counters":
            found = counted.variance
        else:
            sensed = figure(config, lot)
            if contradicting:
                return min(config.capacity, ceil(abs(sensed.occupied - counted.occupied)))
            found = _related(sensed.variance, counted.variance)
    return min(config.capacity, ceil(SURE * sqrt(found)))


def fresh_ms(config: LotConfig, lot: Lot, basis: LotBasis, now_ms: int) -> int:
    """Until when the news of this basis are news, as it stands at this time."""
    counting, counters = config.counters, lot.counters
    if basis == "sensors" or counting is None or counters is None:
        return lot.heard_ms + config.unknown_after_ms
    counted_ms = heard_ms(counting, counters.totals, now_ms) + config.unknown_after_ms
    return counted_ms if basis == "counters" else min(counted_ms, lot.heard_ms + config.unknown_after_ms)


def sensed_figure(config: LotConfig, lot: Lot, now_ms: int) -> Figure | None:
    """What the sensors say, None while they cannot tell."""
    return None if _against_sensors(config, lot, now_ms) else figure(config, lot)


def _against_sensors(config: LotConfig, lot: Lot, now_ms: int) -> LotReason | None:
    if now_ms >= lot.heard_ms + config.unknown_after_ms:
        return "no_news"
    if not lot.working or lot.working * 100 < config.min_working_percent * config.sensors(now_ms):
        return "too_few_sensors"
    return None


def _against_counters(config: LotConfig, counting: CounterConfig, counters: Counters, now_ms: int) -> LotReason | None:
    if now_ms >= heard_ms(counting, counters.totals, now_ms) + config.unknown_after_ms:
        return "no_news"
    if not counters.anchored_ms or SURE * sqrt(variance(counting, counters)) > counting.max_uncertainty:
        return "too_uncertain"
    return None


def _both(config: LotConfig, lot: Lot, now_ms: int, counted: Figure) -> Estimate:
    """Both weighed; where they contradict each other, the fuller one, so that nobody is sent in vain."""
    sensed = figure(config, lot)
    apart = abs(sensed.occupied - counted.occupied)
    limit = max(CONTRADICTION * sqrt(sensed.variance + counted.variance), CONTRADICTION_SHARE * config.capacity)
    if lot.shown is not None and lot.shown.contradicting:
        limit *= RECONCILED
    contradicting = apart > limit
    found = max(sensed.occupied, counted.occupied) if contradicting else combined(sensed, counted).occupied
    occupied = _whole(config, lot.shown, found)
    return Estimate("counted", occupied, "both", fresh_ms(config, lot, "both", now_ms), contradicting)


def _related(one: float, other: float) -> float:
    """The variance of both weighed when their errors go together: the sensors may have set the counters."""
    weight = one + other
    return ((other * sqrt(one) + one * sqrt(other)) / weight) ** 2 if weight else 0.0


def _whole(config: LotConfig, shown: Shown | None, found: float) -> int:
    """The figure in whole spaces, the one shown as long as it is near."""
    if shown is not None and shown.occupied is not None and abs(found - shown.occupied) < STEADY:
        return shown.occupied
    return min(config.capacity, max(0, int(found + 0.5)))
