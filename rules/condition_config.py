"""What conditioning goes by: plausible ranges, fastest changes, continuous quantities.

The fastest changes are judgement, wide enough for what cheap sensors in the sun show. (For weather stations the WMO
holds more than 4 °C or 3 hPa within an hour for doubtful: WMO-No. 305, 1993, part VI.) Fill levels may empty within
half an hour; water may rise as in a flash flood; counters may count what a busy place lets pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import NamedTuple

from decoders.quantity import Quantity

Q = Quantity
STUCK_AFTER = 24

PER_MINUTE: Mapping[Quantity, float] = {
    Q.AIR_TEMPERATURE: 1.0,
    Q.AIR_HUMIDITY: 5.0,
    Q.AIR_PRESSURE: 1.0,
    Q.DEW_POINT: 1.0,
    Q.SURFACE_TEMPERATURE: 2.0,
    Q.SOIL_TEMPERATURE: 1.0,
    Q.WATER_TEMPERATURE: 1.0,
    Q.WATER_LEVEL: 100.0,
    Q.DISTANCE: 50.0,
    Q.FILL_LEVEL: 5.0,
    Q.VEHICLE_COUNT_TOTAL: 120.0,
    Q.PEOPLE_COUNT_TOTAL: 600.0,
    Q.PRECIPITATION_TOTAL: 20.0,
    Q.PULSE_COUNT_TOTAL: 60_000.0,
    Q.VOLUME_TOTAL: 16_000.0,
    Q.ENERGY_TOTAL: 1_600.0,
}
"""The fastest believable change in the quantity's unit; quantities that are not here may jump."""

CONTINUOUS = frozenset(
    {
        Q.AIR_TEMPERATURE,
        Q.AIR_HUMIDITY,
        Q.AIR_PRESSURE,
        Q.DEW_POINT,
        Q.VAPOUR_PRESSURE,
        Q.SURFACE_TEMPERATURE,
        Q.WATER_TEMPERATURE,
        Q.WATER_CONDUCTIVITY,
        Q.DISSOLVED_OXYGEN,
        Q.WIND_SPEED,
        Q.WIND_GUST,
        Q.CO2,
        Q.O3,
        Q.NO2,
        Q.NO,
        Q.PM2_5,
        Q.PM10,
        Q.SOUND_LEVEL,
        Q.SOUND_LEVEL_AVERAGE,
    }
)
"""What never stands still for long, so that a value that does is a stuck sensor's."""


class Becomes(Enum):
    """What the difference of two counts is turned into."""

    AMOUNT = "amount"
    PER_HOUR = "per hour"
    POWER = "power"


class Target(NamedTuple):
    """The quantity that a counter's interval is told in."""

    quantity: Quantity
    becomes: Becomes


TARGETS: Mapping[Quantity, Target] = {
    Q.VEHICLE_COUNT_TOTAL: Target(Q.VEHICLE_COUNT, Becomes.AMOUNT),
    Q.PEOPLE_COUNT_TOTAL: Target(Q.PEOPLE_COUNT, Becomes.AMOUNT),
    Q.PRECIPITATION_TOTAL: Target(Q.PRECIPITATION, Becomes.AMOUNT),
    Q.PULSE_COUNT_TOTAL: Target(Q.PULSE_COUNT, Becomes.AMOUNT),
    Q.VOLUME_TOTAL: Target(Q.VOLUME_FLOW, Becomes.PER_HOUR),
    Q.ENERGY_TOTAL: Target(Q.POWER, Becomes.POWER),
}
SOURCES: Mapping[Quantity, Quantity] = {target.quantity: total for total, target in TARGETS.items()}
"""The counter of what a counter becomes."""


class Limits(NamedTuple):
    """Of a quantity: plausible range, fastest change in a minute (0: any), equal values that make it stuck (0: never).

    None stands for what holds without anybody's word.
    """

    low: float | None = None
    high: float | None = None
    per_minute: float | None = None
    stuck_after: int | None = None


class Bounds(NamedTuple):
    """Limits in force; where there is none they are infinite."""

    low: float
    high: float
    per_minute: float
    stuck_after: float


UNSAID = Limits()


@dataclass(frozen=True, slots=True)
class ConditionRules:
    """The limits of this installation: `stuck_after` equal values of continuous quantities, and others by quantity."""

    stuck_after: int = STUCK_AFTER
    limits: Mapping[Quantity, Limits] = field(default_factory=dict)

    def bounds(self, quantity: Quantity) -> Bounds:
        """What holds for a quantity."""
        low, high, per_minute, stuck_after = self.limits.get(quantity, UNSAID)
        if stuck_after is None:
            stuck_after = self.stuck_after if quantity in CONTINUOUS else 0
        if per_minute is None:
            per_minute = PER_MINUTE.get(quantity, 0)
        return Bounds(
            quantity.low if low is None else low,
            quantity.high if high is None else high,
            per_minute or inf,
            stuck_after or inf,
        )
