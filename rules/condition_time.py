"""Times that a device says, as far as they can be: a clock that was never set stamps 1970, 2000, or the future.

A value of such a time is neither of then nor of now. It is kept at the time of its uplink, with a doubt that says so.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from decoders.measurement import Measurement

DAY_MS: Final = 86_400_000
EARLIEST_MS: Final = 1_420_070_400_000
"""2015-01-01 UTC: LoRaWAN 1.0. No device measured for us before."""
OLDEST_DAYS: Final = 400.0
"""A memory of a year, and a month in which nobody asked it."""
AHEAD_DAYS: Final = 1.0
"""As far ahead as a replay looks for points."""


class Times(NamedTuple):
    """Measurements at times that can be; `lost` are the places of those that had another."""

    measurements: Sequence[Measurement]
    lost: frozenset[int]


NOBODY: Final[frozenset[int]] = frozenset()


def can_be(time_ms: int, taken_ms: int, oldest_days: float = OLDEST_DAYS) -> bool:
    """Whether something that the network server took at `taken_ms` may have been measured at this time."""
    age_ms = taken_ms - time_ms
    return -AHEAD_DAYS * DAY_MS <= age_ms <= oldest_days * DAY_MS and time_ms >= EARLIEST_MS


def settled(measurements: Sequence[Measurement], time_ms: int, taken_ms: int, oldest_days: float) -> Times:
    """What an uplink of that time says, at times that can be.

    Values of one uplink without a time of their own stand a millisecond apart behind it, so that none is written over
    another.
    """
    found = [
        place
        for place, (then_ms, _, _, _) in enumerate(measurements)
        if then_ms != time_ms and not can_be(then_ms, taken_ms, oldest_days)
    ]
    if not found:
        return Times(measurements, NOBODY)
    settled = list(measurements)
    for behind, place in enumerate(found, start=1):
        settled[place] = settled[place]._replace(time_ms=time_ms - behind)
    return Times(settled, frozenset(found))
