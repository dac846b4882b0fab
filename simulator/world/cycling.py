"""Bicycles and people on foot on one path: two demands, and what weather, daylight and calendar do to each.

What weather does to bicycles in an hour:

* Temperature, rain, gusts: 3.2 % more for each K, 10.6 % fewer for each mm, 1.4 % fewer for each km/h (S. Tin Tin et
  al., Environmental Health 11:12, 2012, Auckland). Ours: it gets no better above 25 °C, heat above 30 °C takes 4 %
  for each K, and gusts up to 20 km/h deter nobody.
* That it rains at all, and that it has rained: counters show both, the latter for three hours (T. Nosal and L.
  Miranda-Moreno, Transportation Research Part A, 2014, North America). Ours: 60 % fewer, and 20 % on a wet path.
* Darkness: 38 % more by day than in the dark at the same hour (J. Uttley and S. Fotios, Journal of Environmental
  Psychology 53, 2017, Arlington). Ours: it falls while the sun sinks from 0° to -6°.
* Ice: of 91 % who would ride on a bare path 18 % would on the worst of snow and ice (M. D. Fenre and A. Klein-Paste,
  Journal of Infrastructure Preservation and Resilience, 2021, a survey). Ours: all ice is of the worst.
* Leisure is much more sensitive than errands (T. Thomas et al., Transportation, 2013, Netherlands). Ours: the power.

The day is that of a path for errands and leisure (City of Vienna, automatic counts 2002 to 2010, type 2): on weekdays
two peaks, the later higher; at weekends one in the afternoon, least on Saturdays, on Sundays a little above those of
weekdays. The busiest hour of a weekday has 10 to 12 % of it (A. J. M. van Laarhoven, Verkeerskunde 35, 1984,
Netherlands). Hours, widths, shares of directions and what school holidays change are ours.
"""

import math
from collections.abc import Callable
from random import Random
from typing import Generic, NamedTuple, Protocol, TypeVar

from simulator.scenario.script import Script
from simulator.world.calendar import S_PER_HOUR, WEEKEND, Moment
from simulator.world.ground import FILM_MM, RoadSurface
from simulator.world.sun import CENTRE, sine_of_height
from simulator.world.traffic import INBOUND, OUTBOUND, Road, poisson
from simulator.world.weather import Rain, Weather

USUAL_C, PLEASANT_C, HOT_C = 20.0, 25.0, 30.0
PER_K, PER_K_OF_HEAT = 1.032, 0.96
PER_MM, DRIZZLE_MM_PER_HOUR, RAINS = 0.894, 0.5, 0.4
WET_PATH = 0.8
PER_KMH, BREEZE_KMH, KMH_PER_M_S = 0.986, 20.0, 3.6
DARK, CIVIL_TWILIGHT = 1 / 1.38, math.sin(math.radians(6))
ICE = 18 / 91
LEISURE_POWER = 1.5

MORNING, EVENING, DAY, LEISURE = (7.6, 1.0), (17.25, 2.0), (13.5, 4.0), (15.0, 3.0)
"""Hour of the day, and half the width at 1/e in hours."""
IN_THE_MORNING, IN_THE_EVENING, BY_DAY, AT_ANY_HOUR = 0.17, 0.31, 0.46, 0.06
"""Shares of a weekday."""
INBOUND_IN_THE_MORNING, INBOUND_IN_THE_EVENING = 0.65, 0.38
HOLIDAY_MORNING, HOLIDAY_LEISURE = 0.6, 0.2
SATURDAY, SUNDAY = 0.5, 0.65
"""Against a weekday, in weather of no influence."""
WALKING_KMH = 5.0

Number = TypeVar("Number", int, float)
Shares = Callable[[Moment], tuple[float, float]]
"""How many ride and how many walk, against a dry day of 20 °C."""


class Passersby(NamedTuple, Generic[Number]):
    """Who passes, left to right and right to left."""

    bicycles_ltr: Number
    bicycles_rtl: Number
    pedestrians_ltr: Number
    pedestrians_rtl: Number

    @property
    def ltr(self) -> Number:
        """All from left to right."""
        return self.bicycles_ltr + self.pedestrians_ltr

    @property
    def rtl(self) -> Number:
        """All from right to left."""
        return self.bicycles_rtl + self.pedestrians_rtl


class Windy(Protocol):
    """What a path knows of the wind: gusts in m/s."""

    @property
    def gust(self) -> float:
        """Now."""
        ...


def outdoors(weather: Weather) -> float:
    """The share of people that come out on foot in this weather: 1 on a mild dry day. Ours."""
    warmth = min(1.0, max(0.5, 0.5 + (weather.temperature + 2) / 24))
    heat = max(0.6, 1 - max(0.0, weather.temperature - 29) / 15)
    return warmth * heat * (1 - 0.55 * weather.wet)


def in_the_air(celsius: float, mm_per_hour: float, gust_m_s: float) -> float:
    """Bicycles in this air against a dry hour of 20 °C without strong gusts."""
    warmth = math.pow(PER_K, min(PLEASANT_C, celsius) - USUAL_C) * math.pow(PER_K_OF_HEAT, max(0.0, celsius - HOT_C))
    rains = min(1.0, mm_per_hour / DRIZZLE_MM_PER_HOUR)
    rain = (1 - rains * (1 - RAINS)) * math.pow(PER_MM, mm_per_hour)
    return warmth * rain * math.pow(PER_KMH, max(0.0, gust_m_s * KMH_PER_M_S - BREEZE_KMH))


def on_the_ground(film_mm: float, *, icy: bool) -> float:
    """Bicycles on a path with so much water on it against a dry one."""
    return ICE if icy else 1 - min(1.0, film_mm / FILM_MM) * (1 - WET_PATH)


def in_the_light(sine_of_sun: float) -> float:
    """Bicycles while the sun stands so high against those by day."""
    return 1 - min(1.0, max(0.0, -sine_of_sun / CIVIL_TWILIGHT)) * (1 - DARK)


class Outside:
    """What those on a path meet there: the city's air and wind, the rain and the daylight of the place.

    `weather` has the rain of `sky`; `place` is in degrees.
    """

    def __init__(
        self, weather: Weather, sky: Windy, rain: Rain, start: Moment, place: tuple[float, float] = CENTRE
    ) -> None:
        self._weather = weather
        self._sky = sky
        self._rain = rain
        self._surface = RoadSurface(weather, rain, start)
        self._place = place

    def shares(self, now: Moment) -> tuple[float, float]:
        """How many ride and how many walk now."""
        self._surface.advance(now)
        air = in_the_air(self._weather.temperature, self._rain.rate, self._sky.gust)
        ground = on_the_ground(self._surface.film_mm, icy=self._surface.icy)
        return air * ground * in_the_light(sine_of_height(now.ms, *self._place)), outdoors(self._weather)


class Path:
    """A path past one counter: so many bicycles and people on foot on a dry weekday of 20 °C without holidays.

    `spread` is by how much paths differ; `inbound_ltr` None leaves it to chance which way the city lies. A scenario's
    demand holds for both.
    """

    def __init__(
        self,
        rng: Random,
        shares: Shares,
        bicycles_per_day: float,
        pedestrians_per_day: float,
        *,
        spread: float = 0.5,
        inbound_ltr: bool | None = None,
        script: Script | None = None,
        asset_id: str = "",
    ) -> None:
        self._rng = rng
        self._shares = shares
        self._bicycles = bicycles_per_day * rng.uniform(1 - spread, 1 + spread)
        self._inbound_ltr = rng.random() < 0.5 if inbound_ltr is None else inbound_ltr  # noqa: PLR2004 - a fair coin
        self._script = script or Script()
        self._asset_id = asset_id
        self._walkers = Road(
            rng,
            pedestrians_per_day,
            WALKING_KMH,
            spread=spread,
            inbound_ltr=self._inbound_ltr,
            script=script,
            asset_id=asset_id,
        )
        self._known: tuple[Moment, Passersby[float]] | None = None

    def demand(self, now: Moment) -> Passersby[float]:
        """Who passes in an hour."""
        if self._known is None or self._known[0] != now:
            self._known = now, self._demand(now)
        return self._known[1]

    def count(self, now: Moment, span_s: float) -> Passersby[int]:
        """Who passed in the span that ends now."""
        hours = span_s / S_PER_HOUR
        return Passersby(*(poisson(self._rng, each * hours) for each in self.demand(now)))

    def _demand(self, now: Moment) -> Passersby[float]:
        riding, walking = self._shares(now)
        inbound, outbound = (
            self._bicycles * share * self._script.demand(now.ms, self._asset_id, way)[0]
            for share, way in zip(_bicycles(now, riding), (INBOUND, OUTBOUND), strict=True)
        )
        ltr, rtl = (inbound, outbound) if self._inbound_ltr else (outbound, inbound)
        walkers = self._walkers.demand(now)
        return Passersby(ltr, rtl, walkers.ltr * walking, walkers.rtl * walking)


def _bicycles(now: Moment, riding: float) -> tuple[float, float]:
    """Which share of a weekday's bicycles rides in an hour, into the city and out of it."""
    leisure = math.pow(riding, LEISURE_POWER) * _hump(now, LEISURE)
    any_hour = riding * AT_ANY_HOUR / 24
    if now.weekday >= WEEKEND:
        each = (any_hour + leisure) * (SATURDAY if now.weekday == WEEKEND else SUNDAY) / 2
        return each, each
    morning = riding * IN_THE_MORNING * _hump(now, MORNING) * (HOLIDAY_MORNING if now.school_holidays else 1)
    evening = riding * IN_THE_EVENING * _hump(now, EVENING)
    steady = any_hour + riding * BY_DAY * _hump(now, DAY) + (HOLIDAY_LEISURE * leisure if now.school_holidays else 0)
    inbound = steady / 2 + INBOUND_IN_THE_MORNING * morning + INBOUND_IN_THE_EVENING * evening
    return inbound, steady + morning + evening - inbound


def _hump(now: Moment, hump: tuple[float, float]) -> float:
    """Which share of a hump passes in an hour: all of it in a day."""
    hour, width = hump
    return math.exp(-(((now.hour - hour) / width) ** 2)) / (width * math.sqrt(math.pi))
