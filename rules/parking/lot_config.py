"""The parameters of a lot's state, from the asset's properties."""

from collections.abc import Mapping
from dataclasses import dataclass

from decoders.quantity import Privacy
from rules.asset import Asset, Assignment
from rules.parking.counter_config import CounterConfig, configure_counters, counters_of

MIN_OPEN_SPACES = 5
"""Figures of smaller lots stay inside: they tell of single cars."""
MAX_SOURCES = 8
DAY_S = 86_400
OLDEST_NEWS_S = 900
"""Beyond it nobody is told of free spaces, whatever a city sets: usual in parking guidance."""


@dataclass(frozen=True, slots=True)
class LotConfig:
    """Limits in whole spaces: `full_in` and `full_out` free ones, `almost_in` and `almost_out` occupied ones.

    `installed` is the number of sensors, None where it changes with the time; `dated` are the assignments of devices
    that come or go; `sources` are the first devices. `steady` and `quick` bound the trends, as shares of the capacity
    an hour.

    Almost full at 90 until 85 %, full until 3 % are free, 15 min of validity and of silence: the usual figures of
    parking guidance. Half of the sensors, a wrong word of a sensor in a hundred, and the trends (10 and 30 %) are
    judgement.
    """

    asset: str
    capacity: int
    closed: bool
    installed: int | None
    min_working_percent: float
    almost_in: int
    almost_out: int
    full_in: int
    full_out: int
    unknown_after_ms: int
    space_silent_ms: int
    validity_ms: int
    assignments: tuple[Assignment, ...]
    sources: tuple[str, ...]
    dated: Mapping[str, tuple[Assignment, ...]]
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]
    privacy: Privacy
    sensor_error: float
    steady: float
    quick: float
    counters: CounterConfig | None

    @property
    def renewal_ms(self) -> int:
        """How long before the end of its validity an event is renewed."""
        return min(self.validity_ms, self.unknown_after_ms) // 2

    def sensors(self, time_ms: int) -> int:
        """The sensors that the lot has at that time."""
        if self.installed is not None:
            return self.installed
        return sum(assignment.covers(time_ms) for assignment in self.assignments)

    def holds(self, dev_eui: str, time_ms: int) -> bool:
        """Whether the device stands in this lot at that time; one that the file does not name does."""
        spans = self.dated.get(dev_eui)
        return spans is None or any(span.covers(time_ms) for span in spans)

    def next_change_ms(self, time_ms: int) -> int | None:
        """When the next assignment begins or ends after that time."""
        dates = (date for item in self.assignments for date in (item.valid_from_ms, item.valid_to_ms))
        return min((date for date in dates if date is not None and date > time_ms), default=None)


def configure(asset: Asset) -> LotConfig:
    """The parameters of this lot; raises CityError."""
    capacity = asset.whole("capacity", low=1, high=100_000)
    almost_in = asset.number("almost_full_percent", 90, low=1, high=100)
    almost_out = asset.number("almost_full_until_percent", min(85, max(0, almost_in - 5)), low=0, high=100)
    if almost_out >= almost_in:
        raise asset.error("almost_full_until_percent", almost_out, f"less than almost_full_percent ({almost_in:g})")
    full_in = asset.whole("full_free_spaces", usual_full_in(capacity), low=0, high=capacity - 1)
    full_until = asset.number("full_until_free_percent", 3, low=0, high=100)
    quick = asset.number("trend_quick_percent_per_hour", 30, low=0, high=10_000) / 100
    counting = {device.dev_eui for device in counters_of(asset)}
    sensing = tuple(device for device in asset.devices if device.dev_eui not in counting)
    config = LotConfig(
        asset=asset.id,
        capacity=capacity,
        closed=asset.flag("closed"),
        installed=_installed(asset, sensing, capacity),
        min_working_percent=asset.number("min_working_percent", 50, low=0, high=100),
        almost_in=_up(almost_in * capacity / 100),
        almost_out=int(almost_out * capacity / 100),
        full_in=full_in,
        full_out=max(_up(full_until * capacity / 100), full_in + 1),
        unknown_after_ms=asset.whole("unknown_after_s", OLDEST_NEWS_S, low=60, high=OLDEST_NEWS_S) * 1000,
        space_silent_ms=asset.whole("space_silent_s", 26 * 3600, low=60, high=30 * DAY_S) * 1000,
        validity_ms=asset.whole("validity_s", 900, low=60, high=DAY_S) * 1000,
        assignments=sensing,
        sources=tuple(device.dev_eui for device in asset.devices[:MAX_SOURCES]),
        dated={
            device.dev_eui: tuple(span for span in asset.devices if span.dev_eui == device.dev_eui)
            for device in asset.devices
            if device.dated
        },
        tags=asset.tags,
        position=asset.position,
        privacy=Privacy.OPEN if capacity >= MIN_OPEN_SPACES else Privacy.INTERNAL,
        sensor_error=asset.number("sensor_error_percent", 1, low=0, high=50) / 100,
        steady=min(quick, asset.number("trend_percent_per_hour", 10, low=0, high=10_000) / 100),
        quick=quick,
        counters=configure_counters(asset, capacity),
    )
    _check_sensors(asset, config)
    return config


def usual_full_in(capacity: int) -> int:
    """Free spaces at which a lot counts as full: two or 1 %, but never more than 5 % of a small lot."""
    return min(max(2, capacity // 100), capacity // 20)


def _installed(asset: Asset, sensing: tuple[Assignment, ...], capacity: int) -> int | None:
    if "sensors" in asset.properties:
        return asset.whole("sensors", low=1, high=capacity)
    return None if any(device.dated for device in sensing) else len(sensing)


def _check_sensors(asset: Asset, config: LotConfig) -> None:
    begins = {device.valid_from_ms or 0 for device in config.assignments}
    for begin_ms in sorted(begins):
        sensors = sum(device.covers(begin_ms) for device in config.assignments)
        if sensors > config.capacity:
            raise asset.error("capacity", config.capacity, f"at least its {sensors} sensors")


def _up(value: float) -> int:
    return -int(-value // 1)
