"""The city's air: season and hour, noise as AR(1), fine dust as lognormal AR(1) with 0.95 an hour."""

import math
from random import Random
from typing import Protocol

from simulator.scenario.script import Script
from simulator.world.calendar import MS_PER_S, S_PER_HOUR, Moment
from simulator.world.sun import CENTRE, sine_of_height

DAYLIGHT_LX = 40_000
ZENITH_LX = 60_000
LAMP_LX = 8
COARSE_PER_FINE = 1.6
RAINY_HUMIDITY = 93.0
CLOUDS = 0.3
WASHED_OUT = 0.6
SOAKING_MM_PER_HOUR = 0.5


class Rain(Protocol):
    """What air and ground know of the rain: mm/h now, mm since it was first asked for."""

    @property
    def rate(self) -> float:
        """Mm/h now."""
        ...

    @property
    def rain_mm(self) -> float:
        """Mm so far."""
        ...

    def advance(self, now: Moment) -> None:
        """Move on to this time."""
        ...


class Weather:
    """The city's air; stations add their own bias. °C, %, hPa, lx, µg/m³.

    Under `rain`, when there is any, it is humid, dark and clean; `wet` says how much so: 0..1. The sun is that of
    `centre`, latitude and longitude in degrees.
    """

    def __init__(
        self,
        rng: Random,
        start: Moment,
        script: Script | None = None,
        rain: Rain | None = None,
        centre: tuple[float, float] = CENTRE,
    ) -> None:
        self._centre = centre
        self._rng = rng
        self._ms = start.ms
        self._script = script or Script()
        self._rain = rain
        self._noise = rng.gauss(0, 2)
        self._pressure = rng.gauss(0, 8)
        self._dust = rng.gauss(0, 0.5)
        self.wet = 0.0
        self.temperature = self.humidity = self.pressure = self.illuminance = self.pm2_5 = self.pm10 = 0.0
        self.advance(start)

    def advance(self, now: Moment) -> None:
        """Move on to this time."""
        hours = max(0, now.ms - self._ms) / MS_PER_S / S_PER_HOUR
        self._ms = max(self._ms, now.ms)
        self._noise = self._step(self._noise, 2.0, 0.95, hours)
        self._pressure = self._step(self._pressure, 8.0, 0.99, hours)
        self._dust = self._step(self._dust, 0.5, 0.95, hours)
        wet = self.wet = self._wetness(now)
        season = -math.cos(2 * math.pi * (now.day_of_year - 20) / 365)
        day = math.cos(2 * math.pi * (now.hour - 15) / 24)
        natural = 10.5 + 8.5 * season + (3.5 + 2 * season) * day + self._noise - 1.5 * wet
        self.temperature = self._script.temperature(now.ms, natural)
        dry = min(98.0, max(25.0, 74 - 12 * day - 6 * season - 2 * self._noise))
        self.humidity = self._script.humidity(now.ms, dry + wet * max(0.0, RAINY_HUMIDITY - dry))
        self.pressure = 1008 + self._pressure
        sun = ZENITH_LX * sine_of_height(now.ms, *self._centre)
        self.illuminance = max(LAMP_LX, sun * (1 - wet * (1 - CLOUDS)))
        evening = math.exp(-(((now.hour - 20) / 4) ** 2))
        dust = 9 * math.exp(self._dust) * (1 + max(0.0, -season) * (0.4 + 0.6 * evening))
        self.pm2_5 = dust * (1 - wet * (1 - WASHED_OUT))
        self.pm10 = self.pm2_5 * COARSE_PER_FINE

    def _wetness(self, now: Moment) -> float:
        """How much it rains, as far as the air is concerned: 0..1."""
        if self._rain is None:
            return 0.0
        self._rain.advance(now)
        return min(1.0, self._rain.rate / SOAKING_MM_PER_HOUR)

    def _step(self, value: float, sigma: float, per_hour: float, hours: float) -> float:
        keep = math.pow(per_hour, hours)
        return value * keep + self._rng.gauss(0, sigma * math.sqrt(1 - keep * keep))
