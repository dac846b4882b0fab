"""How a quantity behaves at a sensor that stands anywhere in the city.

Ranges are those in which a Central European city finds itself, not those that a sensor could measure.
"""

from decoders.codec import CodecField
from decoders.quantity import Quantity

LEAST, MOST = -1e6, 5e9
USUAL: dict[Quantity, tuple[float, float]] = {
    Quantity.AIR_TEMPERATURE: (2, 28),
    Quantity.AIR_HUMIDITY: (35, 95),
    Quantity.AIR_PRESSURE: (985, 1030),
    Quantity.ILLUMINANCE: (10, 40_000),
    Quantity.WIND_SPEED: (0, 12),
    Quantity.WIND_GUST: (2, 20),
    Quantity.WIND_DIRECTION: (0, 359),
    Quantity.PRECIPITATION_RATE: (0, 6),
    Quantity.PRECIPITATION: (0, 3),
    Quantity.DEW_POINT: (-2, 16),
    Quantity.CO2: (400, 1600),
    Quantity.TVOC: (20, 600),
    Quantity.PM1: (2, 25),
    Quantity.PM2_5: (3, 40),
    Quantity.PM4: (4, 50),
    Quantity.PM10: (5, 60),
    Quantity.O3: (5, 60),
    Quantity.NO2: (5, 45),
    Quantity.SOUND_LEVEL: (38, 78),
    Quantity.SOUND_LEVEL_PEAK: (60, 95),
    Quantity.SOUND_LEVEL_AVERAGE: (42, 72),
    Quantity.SURFACE_TEMPERATURE: (0, 40),
    Quantity.EXTERNAL_TEMPERATURE: (2, 30),
    Quantity.SOIL_MOISTURE: (12, 40),
    Quantity.SOIL_TEMPERATURE: (4, 22),
    Quantity.SOIL_WATER_TENSION: (5, 120),
    Quantity.WATER_TEMPERATURE: (4, 22),
    Quantity.PH: (6.5, 8.5),
    Quantity.LATITUDE: (51.62, 51.74),
    Quantity.LONGITUDE: (7.70, 7.95),
    Quantity.ALTITUDE: (50, 80),
    Quantity.SPEED: (0, 50),
    Quantity.VEHICLE_COUNT: (0, 120),
    Quantity.VEHICLE_SPEED: (20, 60),
    Quantity.PEOPLE_COUNT: (0, 80),
    Quantity.DISTANCE: (300, 2500),
    Quantity.FILL_LEVEL: (5, 95),
    Quantity.WATER_LEVEL: (300, 1800),
    Quantity.MAINS_VOLTAGE: (226, 234),
    Quantity.MAINS_CURRENT: (0.5, 12),
    Quantity.MAINS_FREQUENCY: (49.95, 50.05),
    Quantity.POWER: (100, 2500),
    Quantity.FLOW_TEMPERATURE: (40, 75),
    Quantity.RETURN_TEMPERATURE: (25, 50),
    Quantity.DEVICE_TEMPERATURE: (0, 35),
    Quantity.TILT_ANGLE: (-5, 5),
}
EMPTY_V, FULL_V = 2.9, 3.6
COUNTED = (Quantity.UPTIME, Quantity.OPERATING_TIME, Quantity.CHARGE_TOTAL)
IN_SECONDS = (Quantity.UPTIME, Quantity.OPERATING_TIME, Quantity.OCCUPIED_TIME_TOTAL)


def span(item: CodecField) -> tuple[float, float]:
    """The usual range of a field, within what its frame can carry."""
    low, high = max(item.low, LEAST), min(item.high, MOST)
    usual = USUAL.get(item.quantity, (item.quantity.low, item.quantity.high))
    least, most = max(low, usual[0]), min(high, usual[1])
    return (least, most) if least <= most else (low, high)


def voltages(low: float, high: float) -> tuple[float, float]:
    """An empty and a full battery in V within a range: a lithium cell, or in another range a pack of its own."""
    empty, full = max(low, EMPTY_V), min(high, FULL_V)
    return (empty, full) if full - empty > (FULL_V - EMPTY_V) / 2 else (low, min(high, low * FULL_V / EMPTY_V))


def counted(quantity: Quantity) -> bool:
    """Whether a value only grows, until it wraps."""
    return quantity in COUNTED or quantity.name.endswith("_TOTAL")


def switched(item: CodecField) -> bool:
    """Whether a value is nothing but yes or no."""
    return (item.low, item.high, item.step) == (0, 1, 1)
