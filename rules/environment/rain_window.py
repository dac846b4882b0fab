"""Sliding sums of precipitation of a device, in buckets; they survive loss and irregular intervals.

An amount of a cumulative counter belongs to the whole time since the value before it, the amount of an interval to that
interval; both are spread evenly over the buckets, and a bucket that is partly out of the window counts in part.
"""

from collections.abc import Iterable
from typing import NamedTuple

from decoders.measurement import Reading
from decoders.quantity import Quantity

AMOUNT, TOTAL = Quantity.PRECIPITATION, Quantity.PRECIPITATION_TOTAL
DIGITS = 3


class Rain(NamedTuple):
    """Of one device: newest used time, since when it was heard without a gap, last counter, amounts from `first` on."""

    newest_ms: int = 0
    since_ms: int = 0
    total: float | None = None
    first: int = 0
    amounts: tuple[float, ...] = ()


class Fallen(NamedTuple):
    """What an observation says: mm, and whether they belong to the whole time since the one before."""

    amount: float | None
    whole: bool
    total: float | None


def fallen(rain: Rain, readings: Iterable[Reading]) -> Fallen | None:
    """The amount in these readings; None when there is none of precipitation.

    A counter that went back (a restart) begins anew; what fell meanwhile is only what the device itself says.
    """
    amount = total = None
    for quantity, value, _ in readings:
        if quantity is AMOUNT:
            amount = value if amount is None else max(amount, value)
        elif quantity is TOTAL:
            total = value
    if total is None:
        return None if amount is None else Fallen(amount, whole=False, total=None)
    if amount is None or rain.total is None:
        return Fallen(amount, whole=False, total=total)
    return Fallen(max(amount, total - rain.total), whole=True, total=total)


def add(rain: Rain, found: Fallen, time_ms: int, *, interval_ms: int, bucket_ms: int, kept: int, gap_ms: int) -> Rain:
    """The device after an observation at that time; `kept` buckets are remembered."""
    elapsed_ms = time_ms - rain.newest_ms
    lost = not rain.newest_ms or (elapsed_ms > gap_ms and not found.whole)
    since_ms = max(0, time_ms - interval_ms) if lost else rain.since_ms
    first, amounts = rain.first, rain.amounts
    if found.amount:
        span_ms = elapsed_ms if found.whole else min(interval_ms, elapsed_ms or interval_ms)
        first, amounts = _spread(first, amounts, (time_ms - span_ms, time_ms, found.amount), bucket_ms, kept)
    if amounts:
        first, amounts = _trimmed(first, amounts, time_ms // bucket_ms - kept)
    return Rain(time_ms, since_ms, found.total, first, amounts)


def sum_of(rain: Rain, window_ms: int, now_ms: int, bucket_ms: int) -> float:
    """What fell in the window that ends now, in mm."""
    if not rain.amounts:
        return 0.0
    begin_ms = now_ms - window_ms
    index = begin_ms // bucket_ms
    inside = rain.amounts[max(0, index + 1 - rain.first) :]
    part = 0.0
    if 0 <= index - rain.first < len(rain.amounts):
        part = rain.amounts[index - rain.first] * ((index + 1) * bucket_ms - begin_ms) / bucket_ms
    return round(sum(inside) + part, DIGITS)


def _spread(
    first: int, amounts: tuple[float, ...], span: tuple[int, int, float], bucket_ms: int, kept: int
) -> tuple[int, tuple[float, ...]]:
    begin_ms, end_ms, amount = span
    oldest = end_ms // bucket_ms - kept
    low, high = max(begin_ms // bucket_ms, oldest), (end_ms - 1) // bucket_ms
    start = min(first, low) if amounts else low
    end = max(first + len(amounts) - 1, high) if amounts else high
    found = [0.0] * (end - start + 1)
    for offset, value in enumerate(amounts):
        found[first - start + offset] = value
    for index in range(low, high + 1):
        inside_ms = min(end_ms, (index + 1) * bucket_ms) - max(begin_ms, index * bucket_ms)
        found[index - start] = round(found[index - start] + amount * inside_ms / (end_ms - begin_ms), DIGITS)
    return start, tuple(found)


def _trimmed(first: int, amounts: tuple[float, ...], oldest: int) -> tuple[int, tuple[float, ...]]:
    cut = max(0, oldest - first)
    while cut < len(amounts) and not amounts[cut]:
        cut += 1
    left = amounts[cut:]
    return (first + cut, left) if left else (0, ())
