"""Rain and wind over the city, and how much of both a place gets."""

import math
from collections.abc import Iterator
from itertools import pairwise, product
from random import Random

from simulator.scenario.script import Script
from simulator.world import CENTRE, HOUR_MS, Moment, Showers, Spot, Weather, Wind

KM_PER_DEGREE = 111.2
APART_KM = 4.0


class Rainfall:
    """Rain in mm since the start and mm/h now, of a place or on the average of several."""

    def __init__(self, showers: Showers, spots: list[Spot], start: Moment, script: Script) -> None:
        self._showers = showers
        self._spots = spots
        self._script = script
        self._ms = start.ms
        self.rain_mm = 0.0
        self.rate = self._rate(start.ms)

    def advance(self, now: Moment) -> None:
        """Move on to this time."""
        if now.ms <= self._ms:
            return
        before, self._ms = self._ms, now.ms
        end = self._showers.hours(now.ms)
        self._showers.until(end)
        for begin_ms, end_ms in pairwise(self._script.turns(before, now.ms)):
            told = self._script.rain((begin_ms + end_ms) // 2)
            self.rain_mm += self._fallen_mm(begin_ms, end_ms) if told is None else told * (end_ms - begin_ms) / HOUR_MS
        self.rate = self._rate(now.ms)
        for spot in self._spots:
            spot.forget(end)

    def _rate(self, ms: int) -> float:
        told, hours = self._script.rain(ms), self._showers.hours(ms)
        return sum(spot.rate(hours) for spot in self._wet()) / len(self._spots) if told is None else told

    def _fallen_mm(self, begin_ms: int, end_ms: int) -> float:
        begin, end = self._showers.hours(begin_ms), self._showers.hours(end_ms)
        return sum(spot.fallen_mm(begin, end) for spot in self._wet()) / len(self._spots)

    def _wet(self) -> Iterator[Spot]:
        return (spot for spot in self._spots if spot.pulses)


class Sky:
    """Over the whole city: rain in mm since the start and mm/h now; wind and gusts in m/s, degrees it comes from.

    The city's rain is the mean of nine places around `centre` (degrees); `over` tells that of any other.
    """

    def __init__(
        self, rng: Random, start: Moment, script: Script | None = None, centre: tuple[float, float] = CENTRE
    ) -> None:
        self._script = script or Script()
        self._stretch = math.cos(math.radians(centre[0]))
        self._wind = Wind(rng.getrandbits(64), start.ms)
        self._showers = Showers(rng.getrandbits(64), start.ms, self._drift)
        x, y = self._km(*centre)
        steps = (-APART_KM, 0.0, APART_KM)
        spots = [self._showers.spot(x + east, y + north) for east, north in product(steps, steps)]
        self._rainfall = Rainfall(self._showers, spots, start, self._script)
        self.wind = self.gust = self.direction = 0.0
        self.advance(start)

    @property
    def rain_mm(self) -> float:
        """Mm since the start."""
        return self._rainfall.rain_mm

    @property
    def rate(self) -> float:
        """Mm/h now."""
        return self._rainfall.rate

    def advance(self, now: Moment) -> None:
        """Move on to this time."""
        self._rainfall.advance(now)
        blow, factor = self._wind.at(now.ms), self._script.wind(now.ms)
        self.wind, self.gust, self.direction = blow.speed * factor, blow.gust * factor, blow.direction % 360

    def over(self, latitude: float, longitude: float, now: Moment) -> Rainfall:
        """The rain at a place in degrees, counted from now on."""
        return Rainfall(self._showers, [self._showers.spot(*self._km(latitude, longitude))], now, self._script)

    def _km(self, latitude: float, longitude: float) -> tuple[float, float]:
        return longitude * KM_PER_DEGREE * self._stretch, latitude * KM_PER_DEGREE

    def _drift(self, ms: int) -> tuple[float, float]:
        return self._wind.drift(ms, self._script.wind(ms))


def dew_point(weather: Weather) -> float:
    """The dew point in °C (Magnus formula, coefficients of the WMO's guide to instruments, 17.62 and 243.12)."""
    gamma = math.log(weather.humidity / 100) + 17.62 * weather.temperature / (243.12 + weather.temperature)
    return 243.12 * gamma / (17.62 - gamma)
