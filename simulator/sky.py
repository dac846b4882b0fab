"""Rain, wind, rivers, roads and soil: what the weather does to the city. Seeded, moved on only by asking for later.

Figures are typical, not calibrated: showers of gamma intensity with exponential lengths, wind as AR(1), rivers that
rise hours after the rain (two linear reservoirs, the larger river the later) and fall within days, road surfaces
between air and sun with a film of water, soil that dries by a few kPa a day.
"""

import math
from itertools import pairwise
from random import Random

from simulator.scenario.script import Script
from simulator.world import MS_PER_S, S_PER_HOUR, Moment, Weather

DRY_HOURS, WET_HOURS = 14.0, 1.2
MM_PER_HOUR = 1.8
WIND_MEAN, WIND_SIGMA = 3.4, 1.3
RUN_OFF_HOURS = 20.0
DELAY_HOURS_PER_M = 4.0
FILM_MM, DRYING_MM_PER_HOUR = 0.6, 0.15
DRY_KPA_PER_DAY = 2.5
SOAKED_KPA_PER_MM = 0.8
TENSIONS = (5.0, 120.0)


class Sky:
    """Rain in mm since the start and mm/h now, wind and gusts in m/s, the direction the wind comes from in degrees."""

    def __init__(self, rng: Random, start: Moment, script: Script | None = None) -> None:
        self._rng = rng
        self._ms = start.ms
        self._script = script or Script()
        self._shower = 0.0
        self._left_hours = rng.expovariate(1 / DRY_HOURS)
        self._wind = rng.gauss(0, WIND_SIGMA)
        self.rain_mm = 0.0
        self.rate = 0.0
        self.wind = self.gust = 0.0
        self.direction = rng.uniform(180, 300)
        self.advance(start)

    def advance(self, now: Moment) -> None:
        """Move on to this time."""
        before, self._ms = self._ms, max(self._ms, now.ms)
        hours = (self._ms - before) / MS_PER_S / S_PER_HOUR
        keep = math.pow(0.9, hours)
        self._wind = self._wind * keep + self._rng.gauss(0, WIND_SIGMA * math.sqrt(1 - keep * keep))
        self.wind = max(0.2, WIND_MEAN + self._wind) * self._script.wind(self._ms)
        self.gust = self.wind * 1.5 + abs(self._rng.gauss(0, 0.6))
        self.direction = (self.direction + self._rng.gauss(0, 20) * math.sqrt(hours)) % 360
        for begin, end in pairwise(self._script.turns(before, self._ms)):
            told = self._script.rain((begin + end) // 2)
            span = (end - begin) / MS_PER_S / S_PER_HOUR
            fallen = self._fallen_mm(span)
            self.rain_mm += fallen if told is None else told * span
        told = self._script.rain(self._ms)
        self.rate = self._shower if told is None else told

    def _fallen_mm(self, hours: float) -> float:
        """What the showers of the next hours bring."""
        fallen = 0.0
        while hours > 0:
            span = min(hours, self._left_hours)
            fallen += self._shower * span
            hours -= span
            self._left_hours -= span
            if self._left_hours <= 0:
                self._turn()
        return fallen

    def _turn(self) -> None:
        """A shower begins or ends."""
        if self._shower:
            self._shower, mean_hours = 0.0, DRY_HOURS
        else:
            self._shower, mean_hours = self._rng.gammavariate(1.5, MM_PER_HOUR / 1.5), WET_HOURS
        self._left_hours = max(0.05, self._rng.expovariate(1 / mean_hours))


class River:
    """A water level in mm around its mean, higher from hours after rain on for a day."""

    def __init__(self, rng: Random, sky: Sky, start: Moment, mean_mm: float) -> None:
        self._rng = rng
        self._sky = sky
        self._ms = start.ms
        self._mean_mm = mean_mm
        self._wave = rng.gauss(0, 0.06)
        self._store_mm = self._coming_mm = 0.0
        self._delay_hours = max(0.5, DELAY_HOURS_PER_M * mean_mm / 1000)
        self._rained_mm = sky.rain_mm
        self.level_mm = mean_mm * (1 + self._wave)

    def advance(self, now: Moment) -> None:
        """Move on to this time."""
        hours = max(0, now.ms - self._ms) / MS_PER_S / S_PER_HOUR
        self._ms = max(self._ms, now.ms)
        self._sky.advance(now)
        arrived = self._coming_mm * -math.expm1(-hours / self._delay_hours)
        self._coming_mm += self._sky.rain_mm - self._rained_mm - arrived
        self._rained_mm = self._sky.rain_mm
        self._store_mm = self._store_mm * math.exp(-hours / RUN_OFF_HOURS) + arrived
        keep = math.pow(0.98, hours)
        self._wave = self._wave * keep + self._rng.gauss(0, 0.06 * math.sqrt(1 - keep * keep))
        self.level_mm = max(0.0, self._mean_mm * (1 + self._wave + 0.02 * self._store_mm))


class Soil:
    """The water tension at one depth in kPa."""

    def __init__(self, rng: Random, sky: Sky, start: Moment) -> None:
        self._sky = sky
        self._ms = start.ms
        self._rained_mm = sky.rain_mm
        self._per_day = DRY_KPA_PER_DAY * rng.uniform(0.5, 1.5)
        self.tension = rng.uniform(12, 40)

    def advance(self, now: Moment) -> None:
        """Move on to this time."""
        days = max(0, now.ms - self._ms) / MS_PER_S / S_PER_HOUR / 24
        self._ms = max(self._ms, now.ms)
        self._sky.advance(now)
        soaked = SOAKED_KPA_PER_MM * (self._sky.rain_mm - self._rained_mm)
        self._rained_mm = self._sky.rain_mm
        self.tension = min(TENSIONS[1], max(TENSIONS[0], self.tension + self._per_day * days - soaked))


def dew_point(weather: Weather) -> float:
    """The dew point in °C (Magnus formula, coefficients of the WMO's guide to instruments, 17.62 and 243.12)."""
    gamma = math.log(weather.humidity / 100) + 17.62 * weather.temperature / (243.12 + weather.temperature)
    return 243.12 * gamma / (17.62 - gamma)


def road_surface(weather: Weather) -> float:
    """A road's surface in °C: colder than the air in clear nights, warmer in the sun."""
    return weather.temperature - 1.5 + 8 * weather.illuminance / 50_000


class RoadSurface:
    """A road's surface: its temperature in °C and the film of water on it in mm."""

    def __init__(self, weather: Weather, sky: Sky, start: Moment) -> None:
        self._weather = weather
        self._sky = sky
        self._ms = start.ms
        self._rained_mm = sky.rain_mm
        self.film_mm = self.temperature = 0.0
        self.advance(start)

    def advance(self, now: Moment) -> None:
        """Move on to this time."""
        hours = max(0, now.ms - self._ms) / MS_PER_S / S_PER_HOUR
        self._ms = max(self._ms, now.ms)
        self._weather.advance(now)
        self._sky.advance(now)
        sun = self._weather.illuminance / 40_000
        film = self.film_mm + self._sky.rain_mm - self._rained_mm - DRYING_MM_PER_HOUR * (0.3 + sun) * hours
        self._rained_mm = self._sky.rain_mm
        self.film_mm = min(FILM_MM, max(0.0, film))
        self.temperature = road_surface(self._weather)

    @property
    def icy(self) -> bool:
        """Whether water on it freezes."""
        return self.temperature <= 0 and self.film_mm > 0


def outdoors(weather: Weather) -> float:
    """The share of people and bicycles that come out in this weather: 1 on a mild dry day."""
    warmth = min(1.0, max(0.5, 0.5 + (weather.temperature + 2) / 24))
    heat = max(0.6, 1 - max(0.0, weather.temperature - 29) / 15)
    return warmth * heat * (1 - 0.55 * weather.wet)
