"""Battery low, and how many days are left by the trend of daily means.

The trend is a straight line through the daily means, each day back counting `DECAY` as much as the next. Percent ends
at 0; volts end where the device's `battery_empty_v` says, and without that no forecast is made.
"""

from rules.device.config import DeviceRules
from rules.device.record import Battery, Record

DECAY = 0.97
LEAST_FALL = 1e-6
"""Units a day below which a level is taken to stand still."""
CLEAR = 1.25
"""How far above its mark a level must be for the problem to end, as a factor of the mark."""
RENEWED = 0.1
"""A rise by this share of the value since yesterday's mean is a new battery."""
RENEWED_PERCENT = 15.0

# NamedTuple's own constructor costs twice this one.
new_tuple = tuple.__new__


def charge(
    before: Battery | None, value: float, day: int, *, volts: bool, low: float | None, empty: float | None
) -> Battery:
    """The battery after another reading on this day; percent wins where a device reports both."""
    if before is None or before.volts != volts:
        if before is not None and volts:
            return before
        return Battery(value, low, empty, volts, day, day, value, 1)
    if day <= before.day:
        total, readings = before.total + value, before.readings + 1
        return new_tuple(Battery, (value, low, empty, *before[3:6], total, readings, *before[8:]))
    mean = before.total / before.readings
    jump = RENEWED * mean if volts else RENEWED_PERCENT
    if value - mean > jump:
        return Battery(value, low, empty, volts, day, day, value, 1)
    at = float(before.day - before.first_day)
    keep = DECAY ** (day - before.day)
    return Battery(
        value,
        low,
        empty,
        volts,
        before.first_day,
        day,
        value,
        1,
        keep * (before.weight + 1),
        keep * (before.days + at),
        keep * (before.values + mean),
        keep * (before.squares + at * at),
        keep * (before.products + at * mean),
        before.samples + 1,
    )


def days_left(rules: DeviceRules, battery: Battery) -> float | None:
    """Days until the battery is empty by its trend; None without a trend, or while the level does not fall."""
    if battery.samples < rules.battery_trend_days or (battery.volts and battery.empty is None):
        return None
    weight, days, values = battery.weight, battery.days, battery.values
    spread = weight * battery.squares - days * days
    if spread <= 0:
        return None
    slope = (weight * battery.products - days * values) / spread
    if slope > -LEAST_FALL:
        return None
    level = (values - slope * days) / weight + slope * (battery.day - battery.first_day)
    return max(0.0, (level - (battery.empty or 0.0)) / -slope)


def low(rules: DeviceRules, record: Record, *, before: bool) -> bool:
    """Whether level or forecast are below their marks; ends when they are clearly above."""
    battery = record.battery
    if battery is None:
        return False
    factor = CLEAR if before else 1.0
    mark = mark_of(rules, battery)
    if mark is not None and battery.value <= mark * (1 + (factor - 1) / 5 if battery.volts else factor):
        return True
    left = days_left(rules, battery)
    return left is not None and left <= rules.battery_days * factor


def mark_of(rules: DeviceRules, battery: Battery) -> float | None:
    """The level (% or V) at which the battery counts as low; None where no mark is known."""
    return battery.low if battery.volts else rules.battery_low
