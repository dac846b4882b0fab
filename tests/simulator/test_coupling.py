"""One world: rain, air, streets and people answer to each other and to the calendar."""

from datetime import datetime
from random import Random
from statistics import mean

import pytest

from simulator.scenario.model import Scenario
from simulator.scenario.script import Script
from simulator.sky import Sky
from simulator.world import Calendar, Moment, River, Road, RoadSurface, Streets, Weather, no2_ppb, noise_db, outdoors

BERLIN = Calendar("Europe/Berlin")


def _at(text: str) -> Moment:
    return BERLIN.at(round(datetime.fromisoformat(text).timestamp() * 1000))


def _later(moment: Moment, hours: float) -> Moment:
    return BERLIN.at(moment.ms + round(hours * 3_600_000))


START = _at("2026-06-03T00:00:00+02:00")


def _raining(mm_per_hour: float) -> tuple[Sky, Weather]:
    scenario = Scenario.model_validate({"title": "x", "rain": [{"mm_per_hour": mm_per_hour}]})
    script = Script(scenario, START.ms)
    sky = Sky(Random(1), START, script)
    return sky, Weather(Random(2), START, script, sky)


def test_rain_makes_the_air_humid_dark_and_clean_and_keeps_people_in() -> None:
    """At the same hour of the same day, with and without rain."""
    noon = _later(START, 13)
    found = []
    for rate in (0.0, 4.0):
        _, weather = _raining(rate)
        weather.advance(noon)
        found.append((weather.humidity, -weather.illuminance, -weather.pm2_5, -outdoors(weather)))
    assert all(dry < wet for dry, wet in zip(*found, strict=True))
    assert found[1][0] >= 90


def test_a_road_is_wet_in_the_rain_and_icy_only_below_zero() -> None:
    """A film of water that dries in the sun."""
    sky, weather = _raining(2.0)
    surface = RoadSurface(weather, sky, START)
    surface.advance(_later(START, 1))
    assert surface.film_mm > 0.3
    assert not surface.icy
    surface.temperature = -0.1
    assert surface.icy
    dry_sky, dry_weather = _raining(0.0)
    dry = RoadSurface(dry_weather, dry_sky, START)
    dry.film_mm = 0.5
    dry.advance(_later(START, 13))
    assert dry.film_mm == 0


def test_a_larger_river_answers_later() -> None:
    """Of two rivers in the same rain, the larger one has its highest level hours after the smaller."""
    rain = [{"until": "4h", "mm_per_hour": 10}, {"mm_per_hour": 0}]
    sky = Sky(Random(1), START, Script(Scenario.model_validate({"title": "x", "rain": rain}), START.ms))
    rivers = [River(Random(1), sky, START, usual) for usual in (500, 3000)]
    peaks = []
    for river in rivers:
        river._wave = 0.0
        river._rng = Random(3)
    levels: list[list[float]] = [[], []]
    for quarter in range(200):
        for river, found in zip(rivers, levels, strict=True):
            river.advance(_later(START, quarter / 4))
            found.append(river._store_mm)
    peaks = [found.index(max(found)) / 4 for found in levels]
    assert 3 < peaks[0] < 9
    assert peaks[1] > peaks[0] + 4


@pytest.mark.parametrize(
    ("day", "holidays"),
    [
        ("2026-07-19", False),
        ("2026-07-20", True),
        ("2026-09-01", True),
        ("2026-09-02", False),
        ("2026-12-31", True),
        ("2027-01-07", False),
        ("2031-07-20", False),
    ],
)
def test_school_holidays(day: str, holidays: bool) -> None:
    """First and last days, at noon and just after midnight; unknown years have none."""
    for hour in ("00:01", "12:00"):
        assert _at(
            f"{day}T{hour}:00+02:00" if day[5:7] not in {"12", "01"} else f"{day}T{hour}:00+01:00"
        ).school_holidays is (holidays)


def test_the_morning_is_quieter_in_school_holidays() -> None:
    """Less traffic at 8 on a Wednesday in the holidays, the same at 22."""
    road = Road(Random(1), 9000, 50, spread=0, inbound_ltr=True)
    school, holidays = _at("2026-06-24T08:00:00+02:00"), _at("2026-07-22T08:00:00+02:00")
    assert road.demand(holidays).ltr < 0.9 * road.demand(school).ltr
    assert road.demand(_later(holidays, 14)).rtl == pytest.approx(road.demand(_later(school, 14)).rtl, rel=0.01)


def test_streets_are_heard_and_breathed() -> None:
    """Louder and dirtier at the peak than at night, near than far, in calm than in wind; none is quiet all the same."""
    streets = Streets()
    assert streets.near(51.68, 7.82) is None
    streets.add(51.68, 7.82, Road(Random(1), 12_000, 50, spread=0))
    streets.add(51.70, 7.90, Road(Random(1), 1, 50, spread=0))
    near, far = streets.near(51.6803, 7.82), streets.near(51.685, 7.82)
    assert near is not None
    assert far is not None
    assert near.road is far.road
    assert near.distance_m == pytest.approx(33.4, abs=0.1)
    assert far.distance_m == pytest.approx(556, abs=1)
    peak, night = _at("2026-06-03T17:00:00+02:00"), _at("2026-06-03T03:00:00+02:00")
    assert 60 < noise_db(near, peak) < 75
    assert noise_db(near, night) + 4 < noise_db(near, peak)
    assert noise_db(far, peak) + 8 < noise_db(near, peak)
    assert no2_ppb(near, night, 3, 0.5) + 5 < no2_ppb(near, peak, 3, 0.5)
    assert no2_ppb(near, peak, 6, 0.5) < no2_ppb(near, peak, 1, 0.5)
    assert no2_ppb(far, peak, 3, 0.5) < no2_ppb(near, peak, 3, 0.5)
    assert noise_db(None, night) < noise_db(None, peak) < 60


def test_what_a_scenario_says_of_the_world() -> None:
    """Temperature set and shifted, humidity, wind, demand by asset and way, share of a lot: within their time only."""
    sections = {
        "air": [{"from": "1h", "until": "2h", "temperature": 30, "warmer_by": 1, "humidity": 40, "wind": 2}],
        "traffic": [{"from": "1h", "until": "2h", "demand": 3, "speed": 0.5, "direction": "inbound", "assets": ["a"]}],
        "parking": [{"from": "1h", "until": "2h", "share": 0.9, "assets": ["p"]}],
        "strike": [{"from": "1h", "until": "2h", "fractions": ["paper"]}],
    }
    script = Script(Scenario.model_validate({"title": "x", **sections}), START.ms)
    during, after = START.ms + 5_400_000, START.ms + 7_200_000
    assert (script.temperature(during, 5), script.humidity(during, 80), script.wind(during)) == (31, 40, 2)
    assert (script.temperature(after, 5), script.humidity(after, 80), script.wind(after)) == (5, 80, 1)
    assert [script.demand(during, *of) for of in (("a", "inbound"), ("a", "outbound"), ("b", "inbound"))] == [
        (3, 0.5),
        (1, 0.5),
        (1, 1),
    ]
    assert [script.wanted(during, lot, 0.2) for lot in "pq"] == [pytest.approx(0.9), 0.2]
    assert [script.collected(during, fraction) for fraction in ("paper", "glass")] == [False, True]
    assert script.collected(after, "paper")


def test_weather_without_rain_is_dry() -> None:
    """A weather of its own knows no rain."""
    weather = Weather(Random(1), START)
    weather.advance(_later(START, 5))
    assert weather.wet == 0
    assert mean([weather.humidity]) < 98
