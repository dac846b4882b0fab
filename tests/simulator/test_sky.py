"""Rain, wind, water and soil: seeded, plausible, and one for the whole city."""

from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from statistics import mean

import pytest

from simulator.sky import River, Sky, Soil, dew_point, road_surface
from simulator.world import Calendar, Moment, Weather

CALENDAR = Calendar("Europe/Berlin")
START = round(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
HOUR_MS = 3_600_000


def moments(hours: int, step: float = 1) -> list[Moment]:
    """Instants from the start on."""
    return [CALENDAR.at(START + round(number * step * HOUR_MS)) for number in range(int(hours / step))]


def test_a_year_of_rain_and_wind_is_plausible() -> None:
    """Some hundred mm in showers, dry most of the time, rain never falls back; gusts above the wind."""
    times = moments(365 * 24, 0.5)
    sky = Sky(Random(3), times[0])
    fallen, rates, winds = [], [], []
    for now in times:
        sky.advance(now)
        fallen.append(sky.rain_mm)
        rates.append(sky.rate)
        winds.append(sky.wind)
        assert sky.gust >= sky.wind > 0
        assert 0 <= sky.direction < 360
    assert all(one <= other for one, other in pairwise(fallen))
    assert 400 < fallen[-1] < 2500
    assert 0.02 < mean(rate > 0 for rate in rates) < 0.2
    assert 2 < mean(winds) < 5


def test_rain_does_not_depend_on_how_often_it_is_looked_at() -> None:
    """A shower of an hour is as much in one look as in sixty."""
    start, end = CALENDAR.at(START), CALENDAR.at(START + 30 * 60_000)
    often, once = Sky(Random(1), start), Sky(Random(1), start)
    for sky in (often, once):
        sky._shower, sky._left_hours = 6.0, 10.0
    for minute in range(31):
        often.advance(CALENDAR.at(START + minute * 60_000))
    once.advance(end)
    assert once.rain_mm == pytest.approx(3.0)
    assert often.rain_mm == pytest.approx(3.0)


def test_rivers_rise_with_the_rain_and_fall_again() -> None:
    """By a third and more after a day of it, back within a week."""
    start = CALENDAR.at(START)
    sky = Sky(Random(1), start)
    river = River(Random(2), sky, start, 1000)
    sky._shower, sky._left_hours = 4.0, 24.0
    levels = []
    for now in moments(24 * 8):
        river.advance(now)
        levels.append(river.level_mm)
        if now.ms >= START + 24 * HOUR_MS:
            sky._shower, sky._left_hours = 0.0, 1e6
    assert max(levels) > 1.35 * levels[0]
    assert levels[-1] < 1.25 * levels[0]


def test_soil_dries_and_is_soaked() -> None:
    """A few kPa a day, less after rain, within what a probe can tell."""
    start = CALENDAR.at(START)
    sky = Sky(Random(1), start)
    sky._shower, sky._left_hours = 0.0, 1e6
    soil = Soil(Random(2), sky, start)
    before = soil.tension
    soil.advance(CALENDAR.at(START + 96 * HOUR_MS))
    dry = soil.tension
    assert 4 < dry - before < 20
    sky._shower = 5.0
    soil.advance(CALENDAR.at(START + 98 * HOUR_MS))
    assert soil.tension < dry
    soil.advance(CALENDAR.at(START + 998 * HOUR_MS))
    assert soil.tension == 5.0


def test_dew_point_and_road() -> None:
    """Below the air unless it is full of water; the road is colder than the air at night."""
    weather = Weather(Random(1), CALENDAR.at(START))
    weather.temperature, weather.humidity, weather.illuminance = 20.0, 50.0, 8.0
    assert dew_point(weather) == pytest.approx(9.26, abs=0.05)
    assert road_surface(weather) < weather.temperature
    weather.humidity = 100.0
    assert dew_point(weather) == pytest.approx(20.0, abs=0.001)
