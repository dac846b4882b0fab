"""Spaces taken by what the sensors of the spaces say."""

from decoders.quantity import Quantity
from rules.layered import put
from rules.parking.anchor import Figure
from rules.parking.lot import NEVER_MS, Lot, Space
from rules.parking.lot_config import LotConfig
from rules.rule import Observation

OCCUPIED = Quantity.OCCUPIED


def hear(config: LotConfig, lot: Lot, given: Observation) -> Lot | None:
    """The lot after a space's word; None when it holds none, or none that may be used."""
    value = None
    for quantity, heard, _ in given.readings:
        if quantity is OCCUPIED:
            value = heard
            break
    if value not in {0.0, 1.0}:
        return None
    dev_eui = given.dev_eui
    before = lot.spaces.get(dev_eui)
    if not given.usable(before.measured_ms if before else 0):
        return None
    occupied = value == 1.0
    silent_ms = given.time_ms + config.space_silent_ms
    return Lot(
        put(lot.spaces, dev_eui, Space(given.time_ms, occupied)),
        max(lot.heard_ms, min(given.time_ms, given.now_ms)),
        lot.working if before else lot.working + 1,
        lot.taken + occupied - (before.occupied if before else 0),
        0 if dev_eui in config.dated else min(lot.recount_ms, silent_ms),
        lot.level,
        lot.shown,
        lot.counters,
        lot.history,
    )


def recount(config: LotConfig, lot: Lot, now_ms: int) -> Lot:
    """The lot without the spaces that were silent too long, counted anew."""
    silent_ms = config.space_silent_ms
    spaces = {dev_eui: space for dev_eui, space in lot.spaces.items() if space.measured_ms + silent_ms > now_ms}
    counted = [space for dev_eui, space in spaces.items() if config.holds(dev_eui, now_ms)]
    recount_ms = min((space.measured_ms + silent_ms for space in spaces.values()), default=NEVER_MS)
    next_change_ms = config.next_change_ms(now_ms)
    return lot._replace(
        spaces=spaces,
        working=len(counted),
        taken=sum(space.occupied for space in counted),
        recount_ms=recount_ms if next_change_ms is None else min(recount_ms, next_change_ms),
    )


def occupied_by(config: LotConfig, lot: Lot) -> int:
    """Spaces taken; those without a working sensor are like the others."""
    capacity, working = config.capacity, lot.working
    if working < capacity:
        return (2 * lot.taken * capacity + working) // (2 * working)
    return min(lot.taken, capacity)


def figure(config: LotConfig, lot: Lot) -> Figure:
    """Spaces taken with their variance.

    A sample without replacement of spaces that are taken with probability p: capacity² · p · (1 − p) / n · (1 − n /
    capacity), p with one taken and one free space added, so that a few sensors of one mind are not sure of it; and
    sensors that are wrong.
    """
    capacity, working = config.capacity, min(lot.working, config.capacity)
    p = (min(lot.taken, working) + 1) / (working + 2)
    sampled = capacity * capacity * p * (1 - p) / working * (1 - working / capacity)
    wrong = config.sensor_error * (1 - config.sensor_error) * capacity * capacity / working
    return Figure(occupied_by(config, lot), sampled + wrong)
