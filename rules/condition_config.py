"""What conditioning goes by: plausible ranges, fastest changes, continuous quantities.

The fastest changes are judgement, wide enough for what cheap sensors in the sun show. (For weather stations the WMO
holds more than 4 °C or 3 hPa within an hour for doubtful: WMO-No. 305, 1993, part VI.) Fill levels may empty within
half an hour; water may rise as in a flash flood; counters may count what a busy place lets pass.

A sensor is stuck when its value stands for longer than the thing that it measures can. In a day air goes through its
whole course (the persistence tests of meteorological networks look at a day, too); what stands in coarse steps, in
fog, in a calm or at a sensor's floor is not stuck, and neither is ground water.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import NamedTuple

from decoders.quantity import Quantity
from rules.condition_time import OLDEST_DAYS

Q = Quantity
STUCK_AFTER = 24
STUCK_HOURS = 24.0
HOUR_MS = 3_600_000

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

RUNNING = frozenset({Q.WATER_LEVEL, Q.DISTANCE, Q.FILL_LEVEL})
"""What may go on for long faster than that: a flood. A second step of the same kind is believed."""

SATURATED: Mapping[Quantity, float] = {Q.AIR_HUMIDITY: 5.0}
"""How far beyond its range a sensor shows what is at its end: air in fog, by a sensor that is off by a little."""


class Steady(NamedTuple):
    """When a continuous quantity may stand: where it comes in steps larger than `step`, and in `rests`."""

    step: float
    rests: tuple[tuple[float, float], ...] = ()


CONTINUOUS: Mapping[Quantity, Steady] = {
    Q.AIR_TEMPERATURE: Steady(0.1),
    Q.AIR_HUMIDITY: Steady(0.5, ((0, 5), (95, 110))),
    Q.AIR_PRESSURE: Steady(0.1),
    Q.DEW_POINT: Steady(0.1),
    Q.VAPOUR_PRESSURE: Steady(0.1),
    Q.SURFACE_TEMPERATURE: Steady(0.1, ((-0.5, 0.5),)),
    Q.WATER_TEMPERATURE: Steady(0.02, ((-0.5, 0.5),)),
    Q.WATER_CONDUCTIVITY: Steady(0.01, ((0, 1),)),
    Q.DISSOLVED_OXYGEN: Steady(0.01, ((0, 0.1),)),
    Q.WIND_SPEED: Steady(0.1, ((0, 0.5),)),
    Q.WIND_GUST: Steady(0.1, ((0, 1),)),
    Q.CO2: Steady(1, ((0, 430),)),
    Q.O3: Steady(1, ((0, 5),)),
    Q.NO2: Steady(1, ((0, 5),)),
    Q.NO: Steady(1, ((0, 5),)),
    Q.PM2_5: Steady(1, ((0, 2),)),
    Q.PM10: Steady(1, ((0, 3),)),
    Q.SOUND_LEVEL: Steady(1, ((0, 40),)),
    Q.SOUND_LEVEL_AVERAGE: Steady(1, ((0, 40),)),
}
"""What never stands still for a day, so that a value that does is a stuck sensor's: judgement, in favour of the sensor.

Rests are of raw values: fog and very dry air, melting ice, calm, the floors of sensors (CO2 sensors take the lowest
value of a week for the outside air).
"""


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
    """The limits of this installation: `stuck_after` equal values of continuous quantities, and others by quantity.

    Values must stand for `stuck_hours`, too, whatever their number. A measurement that says to be older than
    `oldest_days` has no time of its own. `continuous` are the fields whose values do not stand.
    """

    stuck_after: int = STUCK_AFTER
    limits: Mapping[Quantity, Limits] = field(default_factory=dict)
    stuck_hours: float = STUCK_HOURS
    oldest_days: float = OLDEST_DAYS
    continuous: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Look once at all quantities."""
        found = frozenset(quantity.field for quantity in Quantity if self.bounds(quantity).stuck_after < inf)
        object.__setattr__(self, "continuous", found)

    @property
    def stuck_ms(self) -> float:
        """How long a value must stand."""
        return self.stuck_hours * HOUR_MS

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

    def steady(self, quantity: Quantity) -> Steady:
        """When a quantity may stand; one that the settings name only at the ends of its range."""
        ends = ((quantity.low, quantity.low), (quantity.high, quantity.high))
        found = CONTINUOUS.get(quantity, Steady(inf))
        named = self.limits.get(quantity, UNSAID).stuck_after is not None
        return Steady(inf if named else found.step, found.rests + ends)
