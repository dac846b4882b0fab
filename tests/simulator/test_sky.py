"""Rain, wind, water and soil: seeded, plausible, and no matter how often one looks."""

from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from statistics import mean

import pytest

from simulator.scenario.model import Scenario
from simulator.scenario.script import Script
from simulator.sky import Rainfall, Sky, dew_point
from simulator.world import Calendar, Moment, River, Soil, Weather, Wind, road_surface

CALENDAR = Calendar("Europe/Berlin")
START = round(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
HOUR_MS = 3_600_000
KM = 1 / 111.2


def at(hours: float) -> Moment:
    """So long after the start."""
    return CALENDAR.at(START + round(hours * HOUR_MS))


def moments(hours: int, step: float = 1) -> list[Moment]:
    """Instants from the start on."""
    return [at(number * step) for number in range(int(hours / step))]


def raining(*spells: tuple[float, float]) -> Sky:
    """A sky that rains so many mm/h until so many hours, in turn; after that it is dry."""
    sections, begin = [], 0.0
    for until, rate in spells:
        sections.append({"from": begin * 3600, "until": until * 3600, "mm_per_hour": rate})
        begin = until
    sections.append({"from": begin * 3600, "mm_per_hour": 0})
    script = Script(Scenario.model_validate({"title": "x", "rain": sections}), START)
    return Sky(Random(1), at(0), script)


def test_a_year_of_rain_and_wind_is_plausible() -> None:
    """Some hundred mm in showers, dry most of the time, rain never falls back; gusts above the wind, from all sides."""
    times = moments(365 * 24, 0.5)
    sky = Sky(Random(3), times[0])
    fallen, rates, winds, ways = [], [], [], []
    for now in times:
        sky.advance(now)
        fallen.append(sky.rain_mm)
        rates.append(sky.rate)
        winds.append(sky.wind)
        ways.append(sky.direction)
        assert sky.gust >= sky.wind > 0
        assert 0 <= sky.direction < 360
    assert all(one <= other for one, other in pairwise(fallen))
    assert 500 < fallen[-1] < 1100
    assert 0.04 < mean(rate > 0 for rate in rates) < 0.2
    assert 2 < mean(winds) < 5
    assert mean(180 <= way < 300 for way in ways) > 0.5
    assert any(way < 90 for way in ways)


def test_rain_and_wind_do_not_depend_on_how_often_one_looks() -> None:
    """Ten days in looks of five minutes and in two looks are the same, in the city and at a place."""
    often, seldom = Sky(Random(5), at(0)), Sky(Random(5), at(0))
    places = [sky.over(51.7, 7.75, at(0)) for sky in (often, seldom)]
    for hours in (120, 240):
        for number in range(1, 120 * 12 + 1):
            now = at(hours - 120 + number / 12)
            often.advance(now)
            places[0].advance(now)
        seldom.advance(at(hours))
        places[1].advance(at(hours))
        assert seldom.rain_mm == pytest.approx(often.rain_mm)
        assert places[1].rain_mm == pytest.approx(places[0].rain_mm)
        assert (seldom.wind, seldom.gust, seldom.direction) == (often.wind, often.gust, often.direction)
    assert min(seldom.rain_mm, places[1].rain_mm) > 0.5


def test_a_scenario_sets_the_rain_everywhere() -> None:
    """What it tells falls, to the mm, in the city and at each place, whatever would have fallen."""
    sky = raining((1, 0), (3.5, 8))
    place = sky.over(51.6, 7.9, at(0))
    for hours, rate, fallen in ((0.5, 0, 0), (2, 8, 8), (3, 8, 16), (30, 0, 20)):
        sky.advance(at(hours))
        place.advance(at(hours))
        assert (sky.rate, place.rate) == (rate, rate)
        assert sky.rain_mm == pytest.approx(fallen)
        assert place.rain_mm == pytest.approx(fallen)


def test_places_have_showers_of_their_own() -> None:
    """Two places 5 km apart often differ in an hour, one next door never does; all agree with the city over years."""
    sky = Sky(Random(2), at(0))
    here, next_door, there = (sky.over(51.68 + km * KM, 7.82, at(0)) for km in (0, 0.05, 5))
    hours: list[list[float]] = []
    before = [0.0] * 3
    for now in moments(8766):
        sky.advance(now)
        hours.append([_more(place, now, before, number) for number, place in enumerate((here, next_door, there))])
    wet = [each for each in hours if max(each) > 0.2]
    assert mean(abs(one - other) > 0.5 * max(one, other) for one, _, other in wet) > 0.5
    assert mean(abs(one - other) > 0.5 * max(one, other) for one, other, _ in wet) < 0.02
    totals = [place.rain_mm for place in (here, next_door, there)]
    assert totals == pytest.approx([sky.rain_mm] * 3, rel=0.15)


def _more(place: Rainfall, now: Moment, before: list[float], number: int) -> float:
    """What has fallen since the last look."""
    place.advance(now)
    more, before[number] = place.rain_mm - before[number], place.rain_mm
    return more


def test_showers_come_with_the_wind() -> None:
    """A place downwind of another one has its rain a little later: they agree best with that delay, not the other."""
    sky = Sky(Random(4), at(0), Script())
    middle = sky.over(51.68, 7.82, at(0))
    east = sky.over(51.68, 7.82 + 12 * KM / 0.62, at(0))
    rows = []
    for now in moments(3000, 0.1):
        sky.advance(now)
        middle.advance(now)
        east.advance(now)
        if 225 <= sky.direction < 315:
            rows.append((now.ms, middle.rate, east.rate))
    first, second = ({ms: row[which] for ms, *row in rows} for which in (0, 1))

    def agreement(minutes: int) -> float:
        later = [(rate, second.get(ms + minutes * 60_000)) for ms, rate in first.items()]
        return mean(one * other for one, other in later if other is not None)

    with_the_wind, at_once, against_it = (agreement(minutes) for minutes in (18, 0, -18))
    assert with_the_wind > 1.5 * at_once > 1.5 * against_it


def test_wind_is_steady() -> None:
    """In a minute it hardly changes, in a day it does; asked for what was it does not go on."""
    wind = Wind(1, START)
    minutes = [wind.at(START + number * 60_000) for number in range(3 * 1440)]
    assert max(abs(one.speed - other.speed) for one, other in pairwise(minutes)) < 0.3
    assert max(abs(one.direction - other.direction) for one, other in pairwise(minutes)) < 8
    assert max(each.speed for each in minutes) > min(each.speed for each in minutes) + 1
    end = START + len(minutes) * 60_000
    last = wind.at(end)
    wind.at(START)
    assert wind.at(end) == last


@pytest.mark.parametrize(("degrees", "east", "north"), [(270, 1, 0), (180, 0, 1), (90, -1, 0)])
def test_clouds_drift_with_the_wind(degrees: float, east: float, north: float) -> None:
    """West wind drives them to the east, faster than it blows below."""
    wind = Wind(1, START)
    blow = wind.at(START)._replace(direction=degrees, speed=4.0)
    wind._knot = wind._next = blow
    found = wind.drift(START)
    assert found == pytest.approx((43.2 * east, 43.2 * north), abs=1e-6)


def test_rivers_rise_with_the_rain_and_fall_again() -> None:
    """By a third and more after a day of it, back within a week."""
    sky = raining((24, 4))
    river = River(Random(2), sky, at(0), 1000)
    levels = []
    for now in moments(24 * 8):
        river.advance(now)
        levels.append(river.level_mm)
    assert max(levels) > 1.35 * levels[0]
    assert levels[-1] < 1.25 * levels[0]


def test_soil_dries_and_is_soaked() -> None:
    """A few kPa a day, less after rain, within what a probe can tell."""
    sky = raining((96, 0), (998, 5))
    soil = Soil(Random(2), sky, at(0))
    before = soil.tension
    soil.advance(at(96))
    dry = soil.tension
    assert 4 < dry - before < 20
    soil.advance(at(98))
    assert soil.tension < dry
    soil.advance(at(998))
    assert soil.tension == 5.0


def test_dew_point_and_road() -> None:
    """Below the air unless it is full of water; the road is colder than the air at night."""
    weather = Weather(Random(1), at(0))
    weather.temperature, weather.humidity, weather.illuminance = 20.0, 50.0, 8.0
    assert dew_point(weather) == pytest.approx(9.26, abs=0.05)
    assert road_surface(weather) < weather.temperature
    weather.humidity = 100.0
    assert dew_point(weather) == pytest.approx(20.0, abs=0.001)
