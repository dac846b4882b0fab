"""Water on the ground: rivers, soil and roads. Seeded, moved on only by asking for later.

Figures are typical, not calibrated: rivers rise hours after the rain (two linear reservoirs, the larger river the
later) and fall within days, road surfaces lie between air and sun with a film of water, soil dries by a few kPa a day.
"""

import math
from random import Random

from simulator.world.calendar import MS_PER_S, S_PER_HOUR, Moment
from simulator.world.weather import Rain, Weather

RUN_OFF_HOURS = 20.0
DELAY_HOURS_PER_M = 4.0
FILM_MM, DRYING_MM_PER_HOUR = 0.6, 0.15
DRY_KPA_PER_DAY = 2.5
SOAKED_KPA_PER_MM = 0.8
TENSIONS = (5.0, 120.0)


class River:
    """A water level in mm around its mean, higher from hours after rain on for a day."""

    def __init__(self, rng: Random, rain: Rain, start: Moment, mean_mm: float) -> None:
        self._rng = rng
        self._rain = rain
        self._ms = start.ms
        self._mean_mm = mean_mm
        self._wave = rng.gauss(0, 0.06)
        self._store_mm = self._coming_mm = 0.0
        self._delay_hours = max(0.5, DELAY_HOURS_PER_M * mean_mm / 1000)
        self._rained_mm = rain.rain_mm
        self.level_mm = mean_mm * (1 + self._wave)

    def advance(self, now: Moment) -> None:
        """Move on to this time."""
        hours = max(0, now.ms - self._ms) / MS_PER_S / S_PER_HOUR
        self._ms = max(self._ms, now.ms)
        self._rain.advance(now)
        arrived = self._coming_mm * -math.expm1(-hours / self._delay_hours)
        self._coming_mm += self._rain.rain_mm - self._rained_mm - arrived
        self._rained_mm = self._rain.rain_mm
        self._store_mm = self._store_mm * math.exp(-hours / RUN_OFF_HOURS) + arrived
        keep = math.pow(0.98, hours)
        self._wave = self._wave * keep + self._rng.gauss(0, 0.06 * math.sqrt(1 - keep * keep))
        self.level_mm = max(0.0, self._mean_mm * (1 + self._wave + 0.02 * self._store_mm))


class Soil:
    """The water tension at one depth in kPa."""

    def __init__(self, rng: Random, rain: Rain, start: Moment) -> None:
        self._rain = rain
        self._ms = start.ms
        self._rained_mm = rain.rain_mm
        self._per_day = DRY_KPA_PER_DAY * rng.uniform(0.5, 1.5)
        self.tension = rng.uniform(12, 40)

    def advance(self, now: Moment) -> None:
        """Move on to this time."""
        days = max(0, now.ms - self._ms) / MS_PER_S / S_PER_HOUR / 24
        self._ms = max(self._ms, now.ms)
        self._rain.advance(now)
        soaked = SOAKED_KPA_PER_MM * (self._rain.rain_mm - self._rained_mm)
        self._rained_mm = self._rain.rain_mm
        self.tension = min(TENSIONS[1], max(TENSIONS[0], self.tension + self._per_day * days - soaked))


def road_surface(weather: Weather) -> float:
    """A road's surface in °C: colder than the air in clear nights, warmer in the sun."""
    return weather.temperature - 1.5 + 8 * weather.illuminance / 50_000


class RoadSurface:
    """A road's surface: its temperature in °C and the film of water on it in mm."""

    def __init__(self, weather: Weather, rain: Rain, start: Moment) -> None:
        self._weather = weather
        self._rain = rain
        self._ms = start.ms
        self._rained_mm = rain.rain_mm
        self.film_mm = self.temperature = 0.0
        self.advance(start)

    def advance(self, now: Moment) -> None:
        """Move on to this time."""
        hours = max(0, now.ms - self._ms) / MS_PER_S / S_PER_HOUR
        self._ms = max(self._ms, now.ms)
        self._weather.advance(now)
        self._rain.advance(now)
        sun = self._weather.illuminance / 40_000
        film = self.film_mm + self._rain.rain_mm - self._rained_mm - DRYING_MM_PER_HOUR * (0.3 + sun) * hours
        self._rained_mm = self._rain.rain_mm
        self.film_mm = min(FILM_MM, max(0.0, film))
        self.temperature = road_surface(self._weather)

    @property
    def icy(self) -> bool:
        """Whether water on it freezes."""
        return self.temperature <= 0 and self.film_mm > 0
