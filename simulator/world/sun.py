"""Where the sun stands."""

import math

MS_PER_DAY = 86_400_000
DAYS_TO_2000 = 10_957.5
"""From 1970 to noon of 1 January 2000."""
TILT = math.radians(23.439)
CENTRE = (51.68, 7.82)
"""Latitude and longitude of Hamm in degrees."""


def sine_of_height(ms: int, latitude: float, longitude: float) -> float:
    """Sine of the sun's height at a place in degrees, ms since 1970; below 0 at night, refraction left out.

    Source: the Astronomical Almanac's low-precision formulas, right to 0.01° between 1950 and 2050.
    """
    days = ms / MS_PER_DAY - DAYS_TO_2000
    anomaly = math.radians((357.528 + 0.9856003 * days) % 360)
    mean = 280.46 + 0.9856474 * days
    seen = math.radians(mean % 360 + 1.915 * math.sin(anomaly) + 0.02 * math.sin(2 * anomaly))
    declination = math.asin(math.sin(TILT) * math.sin(seen))
    ascension = math.atan2(math.cos(TILT) * math.sin(seen), math.cos(seen))
    angle = math.radians((280.46062 + 360.98564737 * days + longitude) % 360) - ascension
    here = math.radians(latitude)
    return math.sin(here) * math.sin(declination) + math.cos(here) * math.cos(declination) * math.cos(angle)
