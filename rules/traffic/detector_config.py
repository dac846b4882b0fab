"""What a detector declares of itself: role, approach, lanes, distance to the stop line, and how its devices count."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias, cast, get_args

from rules.asset import Asset

Role: TypeAlias = Literal["demand", "queue", "exit"]
Heading: TypeAlias = Literal["inbound", "outbound"]

HOUR_S = 3600
USUAL_WRAPS = (2.0**16, 2.0**24, 2.0**32)
"""Where counters of devices wrap that do not say it."""


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """The parameters of a detector; `role` and `heading` are None where the file does not say them.

    lanes            lanes that its devices count together; `lane` is the number of the first, from the kerb
    approach         what its traffic approaches, by default the detector itself; lanes of one approach are summed
    distance_m       metres upstream of the stop line
    channel          the direction of its devices that counts here ("ltr", "left"); empty for all
    interval_ms      the longest interval of its devices
    wraps_at         numbers at which a cumulative counter may begin again
    most_vph         more vehicles an hour than the lanes can carry: 1.5 × the saturation flow of 2000 Kfz/h and lane
                     (HBS 2015), since a platoon's minute may lie above the mean
    stuck_after      equal counts of at least `stuck_least` in a row that nobody believes
    zero_after_ms    for how long a detector may count nothing
    fresh_ms         older intervals decide nothing (10 min)
    apart            two devices contradict each other when their flows differ by more than this part of the larger
    apart_vph        and by more than so many vehicles an hour
    validity_ms      how long a measured interval is valid after its end
    """

    asset: str
    name: str
    role: Role | None
    heading: Heading | None
    approach: str
    lane: int
    lanes: int
    distance_m: float | None
    channel: str
    interval_ms: int
    wraps_at: tuple[float, ...]
    most_vph: float
    stuck_after: int
    stuck_least: float
    zero_after_ms: int
    fresh_ms: int
    apart: float
    apart_vph: float
    validity_ms: int
    devices: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]

    def contradict(self, one_vph: float, other_vph: float) -> bool:
        """Whether two flows of the same lanes cannot both be right."""
        difference = abs(one_vph - other_vph)
        return difference > self.apart_vph and difference > self.apart * max(one_vph, other_vph)


def configure(asset: Asset) -> DetectorConfig:
    """The parameters of this detector; raises CityError."""
    lanes = asset.whole("lanes", 1, low=1, high=8)
    wraps_at = asset.number("counter_wraps_at", low=2, high=2.0**53)
    interval_s = _interval_s(asset)
    config = DetectorConfig(
        asset=asset.id,
        name=asset.name,
        role=cast("Role | None", word(asset, "role", get_args(Role))),
        heading=cast("Heading | None", word(asset, "direction", get_args(Heading))),
        approach=text(asset, "approach") or asset.id,
        lane=asset.whole("lane", 1, low=1, high=8),
        lanes=lanes,
        distance_m=asset.number("distance_m", low=0, high=5000),
        channel=text(asset, "channel"),
        interval_ms=round(interval_s * 1000),
        wraps_at=USUAL_WRAPS if wraps_at is None else (wraps_at,),
        most_vph=lanes * asset.number("most_vehicles_per_hour_and_lane", 3000, low=100, high=10_000),
        stuck_after=asset.whole("stuck_after", 8, low=2, high=1000),
        stuck_least=asset.number("stuck_least", 5, low=1, high=10_000),
        zero_after_ms=asset.whole("zero_after_s", 6 * HOUR_S, low=HOUR_S // 4, high=30 * 24 * HOUR_S) * 1000,
        fresh_ms=asset.whole("fresh_s", 600, low=60, high=HOUR_S) * 1000,
        apart=asset.number("contradiction_percent", 50, low=1, high=100) / 100,
        apart_vph=asset.number("contradiction_vehicles_per_hour", 100, low=0, high=10_000),
        validity_ms=asset.whole("validity_s", max(900, round(2 * interval_s)), low=60, high=24 * HOUR_S) * 1000,
        devices=tuple(dict.fromkeys(device.dev_eui for device in asset.devices)),
        tags=asset.tags,
        position=asset.position,
    )
    return _one(repr(config), config)


@lru_cache(maxsize=65_536)
def _one(_text: str, config: DetectorConfig) -> DetectorConfig:
    """The same object for the same parameters (1 and 1.0 are not): all rules about a detector hold one."""
    return config


def text(asset: Asset, name: str) -> str:
    """A property that is text, or empty when it is missing; raises CityError."""
    value = asset.properties.get(name, "")
    if not isinstance(value, str):
        raise asset.error(name, value, "text")
    return value


def word(asset: Asset, name: str, known: tuple[str, ...]) -> str | None:
    """A property that is one of these words, None when it is missing; raises CityError."""
    value = asset.properties.get(name)
    if value is None and name not in asset.properties:
        return None
    if value not in known:
        raise asset.error(name, value, f"one of {', '.join(known)}")
    return str(value)


def _interval_s(asset: Asset) -> float:
    """The longest interval of the devices, by their own property `interval_s` or the asset's."""
    usual = asset.number("interval_s", 300, low=1, high=24 * HOUR_S)
    longest = 0.0
    for device in asset.devices:
        value = device.properties.get("interval_s", usual)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 24 * HOUR_S:
            raise asset.error("interval_s", value, f"seconds from 1 to {24 * HOUR_S} at device {device.dev_eui}")
        longest = max(longest, value)
    return longest or usual
