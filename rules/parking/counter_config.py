"""The parameters of the counters at a lot's entries and exits, from the properties of lot and devices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from rules.asset import Asset, Assignment
from rules.local_time import minutes_of, timezone_of

Way = Literal["in", "out"]
ANY = "*"
"""Stands for every channel of a counter."""


@dataclass(frozen=True, slots=True)
class CounterConfig:
    """`ways` says of each counter (dev_eui) and channel whether it counts cars in or out, `dated` when it stands there.

    `night` is what stands in the lot in the quiet of the night with its standard deviation, in spaces; None where only
    sensors can tell. The night's window is in minutes after local midnight.

    Defaults: 40 cars a minute are more than a lane can pass (saturation 1.8 s per car, HBS 2015); loop and radar
    counters at barriers miss 1 to 2 % of the cars (2). The spread of 0.02 of the balance between both ways, 5 % of the
    capacity for a count that broke off, and 20 % (19 times out of 20) as the end of what is called known are judgement.
    """

    ways: Mapping[str, Mapping[str, Way]]
    dated: Mapping[str, tuple[Assignment, ...]]
    per_minute: float
    miss_variance: float
    break_spaces: float
    max_uncertainty: float
    learn_ratio: bool
    night: tuple[float, float] | None
    night_from_min: int
    night_until_min: int
    quiet_ms: int
    timezone: str
    spread: float = 0.02
    """Standard deviation of the balance between both ways before anything was learned."""

    def way(self, dev_eui: str, channel: str) -> Way | None:
        """Which way this channel counts."""
        ways = self.ways[dev_eui]
        return ways.get(channel, ways.get(ANY))

    def standing(self, time_ms: int) -> Iterable[str]:
        """The counters that stand there at that time."""
        if not self.dated:
            return self.ways
        always = self.ways.keys() - self.dated.keys()
        return [*always, *(id_ for id_, spans in self.dated.items() if any(span.covers(time_ms) for span in spans))]


def counters_of(asset: Asset) -> tuple[Assignment, ...]:
    """The assignments of devices that count."""
    return tuple(device for device in asset.devices if "counts" in device.properties)


def configure_counters(asset: Asset, capacity: int) -> CounterConfig | None:
    """The parameters of this lot's counters, None where it has none; raises CityError."""
    counters = counters_of(asset)
    if not counters:
        return None
    ways = {device.dev_eui: _ways(asset, device) for device in counters}
    if {way for each in ways.values() for way in each.values()} != {"in", "out"}:
        raise asset.error("devices", sorted(ways), "counters of both ways (`counts` of the devices: in and out)")
    missed = asset.number("counter_missed_percent", 2, low=0, high=50) / 100
    return CounterConfig(
        ways=ways,
        dated={id_: tuple(each for each in counters if each.dev_eui == id_) for id_ in ways if _dated(counters, id_)},
        per_minute=asset.number("counter_per_minute", 40, low=1, high=1000),
        miss_variance=missed * (1 - missed),
        break_spaces=asset.number("counter_break_percent", 5, low=0, high=100) * capacity / 100,
        max_uncertainty=asset.number("max_uncertainty_percent", 20, low=1, high=100) * capacity / 100,
        learn_ratio=asset.flag("learn_ratio", default=True),
        night=_night(asset, capacity, sensors=len(asset.devices) > len(counters)),
        night_from_min=minutes_of(asset, "night_from", "03:00"),
        night_until_min=minutes_of(asset, "night_until", "05:00"),
        quiet_ms=asset.whole("night_quiet_s", 1200, low=0, high=14_400) * 1000,
        timezone=timezone_of(asset),
    )


def _dated(counters: tuple[Assignment, ...], dev_eui: str) -> bool:
    return any(each.dated for each in counters if each.dev_eui == dev_eui)


def _ways(asset: Asset, device: Assignment) -> dict[str, Way]:
    counts = device.properties["counts"]
    found = counts if isinstance(counts, Mapping) else {ANY: counts}
    ways: dict[str, Way] = {}
    for channel, way in found.items():
        if way == "in":
            ways[str(channel)] = "in"
        elif way == "out":
            ways[str(channel)] = "out"
    if len(ways) != len(found) or not ways:
        raise asset.error("devices", counts, '`counts` of a device to be "in", "out" or {"channel": "in" or "out"}')
    return ways


def _night(asset: Asset, capacity: int, *, sensors: bool) -> tuple[float, float] | None:
    occupied = asset.number("night_occupied", low=0, high=capacity)
    if occupied is None:
        if sensors or "sensors" in asset.properties:
            return None
        raise asset.error("night_occupied", None, "the spaces taken at night, for counters drift and need an anchor")
    usual = max(2.0, capacity / 50)
    return occupied, asset.number("night_uncertainty", usual, low=0.5, high=capacity)
