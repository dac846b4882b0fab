"""The simulated city: plausible, seeded, and on its own calendar."""

from datetime import datetime
from random import Random
from statistics import mean, stdev
from zoneinfo import ZoneInfo

import pytest

from simulator.scenario.model import Scenario
from simulator.scenario.script import Script
from simulator.world import Bin, Calendar, LotCurve, Moment, Road, Space, Weather, poisson
from simulator.world.weather import LAMP_LX

BERLIN = Calendar("Europe/Berlin")


def _at(text: str) -> Moment:
    return BERLIN.at(round(datetime.fromisoformat(text).timestamp() * 1000))


def _later(moment: Moment, hours: float) -> Moment:
    return BERLIN.at(moment.ms + round(hours * 3_600_000))


@pytest.mark.parametrize(
    ("text", "hour", "weekday"),
    [
        ("2026-03-28T23:30:00+00:00", 0.5, 6),
        ("2026-03-29T00:59:59.999+00:00", 2.0, 6),
        ("2026-03-29T01:00:00+00:00", 3.0, 6),
        ("2026-10-25T00:30:00+00:00", 2.5, 6),
        ("2026-10-25T01:30:00+00:00", 2.5, 6),
    ],
)
def test_calendar(text: str, hour: float, weekday: int) -> None:
    """Local hour and weekday, across both clock changes."""
    moment = Calendar("Europe/Berlin").at(round(datetime.fromisoformat(text).timestamp() * 1000))
    assert moment.hour == pytest.approx(hour, abs=0.001)
    assert moment.weekday == weekday


def test_calendar_in_any_order() -> None:
    """The calendar answers the same for a time asked again after another one."""
    calendar = Calendar("Europe/Berlin")
    for ms in (1_795_000_000_000, 1_795_086_400_000, 1_795_000_000_000):
        local = datetime.fromtimestamp(ms / 1000, ZoneInfo("Europe/Berlin"))
        assert calendar.at(ms).hour == pytest.approx(local.hour + local.minute / 60 + local.second / 3600)


def test_weather() -> None:
    """A year of weather is plausible: winter colder than summer, afternoons warmer than nights, all within range."""
    weather = Weather(Random(1), _at("2026-01-01T00:00:00+01:00"))
    found: dict[tuple[str, int], list[float]] = {}
    pressures: list[float] = []
    moment = _at("2026-01-01T00:00:00+01:00")
    for _ in range(365 * 8):
        moment = _later(moment, 3)
        weather.advance(moment)
        assert -30 < weather.temperature < 45
        assert 0 < weather.humidity <= 100
        assert 0 < weather.pm2_5 < weather.pm10 < 500
        assert 940 < weather.pressure < 1070
        pressures.append(weather.pressure)
        season = "winter" if moment.day_of_year < 60 else "summer" if 150 < moment.day_of_year < 240 else "other"
        found.setdefault((season, int(moment.hour) // 12), []).append(weather.temperature)
    assert 5 < stdev(pressures) < 12
    assert mean(found["winter", 1]) + 8 < mean(found["summer", 1])
    assert mean(found["summer", 0]) + 2 < mean(found["summer", 1])


def _light(day: str, longitude: float = 7.82) -> tuple[float, float]:
    """The first and the last UTC hour of a day in which the sun is up."""
    start = _at(f"{day}T00:00:00+00:00")
    weather = Weather(Random(1), start, centre=(51.68, longitude))
    up = []
    for minute in range(0, 24 * 60, 5):
        weather.advance(_later(start, minute / 60))
        if weather.illuminance > LAMP_LX:
            up.append(minute / 60)
    return up[0], up[-1]


@pytest.mark.parametrize(
    ("day", "rises", "sets"), [("2026-06-21", 3.30, 19.72), ("2026-12-21", 7.67, 15.22), ("2026-03-20", 5.60, 17.60)]
)
def test_the_sun_is_that_of_the_city(day: str, rises: float, sets: float) -> None:
    """It rises and sets within a quarter of an hour of when it does in Hamm, and an hour earlier 15 degrees east."""
    assert _light(day) == pytest.approx((rises, sets), abs=0.25)
    assert _light(day, 22.82) == pytest.approx((rises - 1, sets - 1), abs=0.25)


def test_the_sun_knows_no_clock_change() -> None:
    """Light goes on evenly over both changes, and a winter's noon is much darker than a summer's."""
    for text in ("2026-03-29T00:00:00+00:00", "2026-10-25T00:00:00+00:00"):
        start = _at(text)
        weather = Weather(Random(1), _later(start, -16))
        mornings = []
        for day in (-1, 0):
            weather.advance(_later(start, day * 24 + 8))
            mornings.append(weather.illuminance)
        assert mornings[0] == pytest.approx(mornings[1], rel=0.05)
    assert Weather(Random(1), _at("2026-06-21T11:30:00+00:00")).illuminance == pytest.approx(53_000, rel=0.03)
    assert Weather(Random(1), _at("2026-12-21T11:30:00+00:00")).illuminance == pytest.approx(15_000, rel=0.1)


def test_weather_does_not_go_back() -> None:
    """Asked for an earlier time, the slow parts of the weather stay where they are."""
    weather = Weather(Random(1), _at("2026-06-01T12:00:00+02:00"))
    before = weather.pressure
    weather.advance(_at("2026-06-01T11:00:00+02:00"))
    assert weather.pressure == before


def test_lot_follows_its_curve() -> None:
    """Over many days, the share of taken spaces at noon and at night is near the curve."""
    rng = Random(3)
    start = _at("2026-06-01T00:00:00+02:00")
    curve = LotCurve(rng)
    noon: list[bool] = []
    night: list[bool] = []
    for _ in range(40):
        space = Space(rng, curve, start)
        moment = start
        looks = {hour: _later(start, hour) for hour in (3, 12)}
        for hour, look in looks.items():
            while True:
                following = BERLIN.at(moment.ms + round(space.until_change_s(moment) * 1000))
                if following.ms > look.ms:
                    break
                moment = following
                space.change(moment)
            (noon if hour == 12 else night).append(space.occupied)
            moment = look
    assert mean(night) < 0.5 < mean(noon)
    assert curve.share(_at("2026-06-02T13:00:00+02:00")) > 2 * curve.share(_at("2026-06-02T03:00:00+02:00"))


def test_space_remembers() -> None:
    """A change turns the state and keeps how many whole minutes the one before lasted."""
    start = _at("2026-06-01T12:00:00+02:00")
    space = Space(Random(1), LotCurve(Random(1)), start)
    space.change(start)
    occupied = space.occupied
    space.change(_later(start, 1.26))
    assert space.occupied is not occupied
    assert space.before_min == 75


def test_bins_fill_and_are_emptied() -> None:
    """A bin only fills between collections, and is collected about weekly on a working day."""
    bins = [Bin(Random(seed), _at("2026-06-01T00:00:00+02:00")) for seed in range(20)]
    moment = _at("2026-06-01T00:00:00+02:00")
    emptied = 0
    for _ in range(28 * 24):
        moment = _later(moment, 1)
        for each in bins:
            before = each.fill
            if each.advance(moment):
                emptied += 1
                assert each.fill <= 0.05
                assert moment.weekday < 5
                assert 6 <= moment.hour < 15
            else:
                assert before <= each.fill <= 1
    assert 3.5 < emptied / len(bins) < 6


def _thrown_away(fraction: str, day: str = "2026-06-01", days: float = 1, busy: float = 1, count: int = 300) -> float:
    """How much on the average comes into containers from midnight on, as a share of their volume."""
    start = _at(f"{day}T00:00:00+02:00")
    strike = Script(Scenario.model_validate({"title": "x", "strike": [{}]}), start.ms)
    more = []
    for seed in range(count):
        each = Bin(Random(seed), start, strike, fraction, busy)
        each.waste = 0.0
        for hour in range(1, round(24 * days)):
            each.advance(_later(start, hour))
        more.append(each.waste)
    return mean(more)


def test_fractions_districts_and_weekdays_fill_differently() -> None:
    """Glass slower than paper, paper than residual; busy districts faster; more on Saturdays, less on Sundays."""
    residual, paper, glass = (_thrown_away(fraction) for fraction in ("residual", "paper", "glass"))
    assert residual > 1.02 * paper > 1.04 * glass
    assert _thrown_away("paper", busy=1.2) == pytest.approx(1.2 * paper, rel=0.05)
    for fraction in ("residual", "paper", "glass", "other"):
        tuesday, saturday, sunday = (_thrown_away(fraction, f"2026-06-0{day}") for day in (2, 6, 7))
        assert saturday > 1.15 * tuesday > 1.3 * sunday
    assert _thrown_away("glass", "2026-06-07") < 0.6 * _thrown_away("glass", "2026-06-02")
    assert 0.05 < glass < residual < 0.25


def test_what_overflows_lies_beside_it() -> None:
    """Nobody collects: more comes than goes in, up to a third; a sensor sees a full one; emptying takes all."""
    start = _at("2026-06-01T00:00:00+02:00")
    strike = Script(Scenario.model_validate({"title": "x", "strike": [{}]}), start.ms)
    each = Bin(Random(1), start, strike, "residual")
    seen = []
    for hour in range(1, 30 * 24):
        assert not each.advance(_later(start, hour))
        seen.append(each.waste)
        assert each.fill == min(1, each.waste)
        assert each.overflows == (each.waste >= 1)
    assert any(1 < waste < 1.3 for waste in seen)
    assert seen[-1] == 1.3
    now = _later(start, 30 * 24)
    each.empty(now)
    assert (each.rounds, each.overflows) == (1, False)
    assert each.waste <= 0.05


def test_a_full_one_is_collected_out_of_turn() -> None:
    """One that overflows is emptied on the next working day, once, though it is not its own day."""
    start = _at("2026-06-01T00:00:00+02:00")
    for seed in range(10):
        each = Bin(Random(seed), start)
        each._round_day = 4
        each.waste = 1.1
        hours = [hour for hour in range(1, 72) if each.advance(_later(start, hour))]
        assert hours == [30]


def test_traffic() -> None:
    """Workday rush hours see more than night and weekend mornings; slower when busy; the day's sum is the road's."""
    road = Road(Random(2), 9000, 48)
    day = _at("2026-06-03T00:00:00+02:00")
    sums = []
    for hour in range(1, 25):
        count = road.count(_later(day, hour), 3600)
        sums.append(count.ltr + count.rtl)
        assert 4 <= count.speed < 60
    assert max(sums) in sums[6:19]
    assert sums[2] * 4 < sums[7]
    assert 3000 < sum(sums) < 22_000
    sunday = road.count(_at("2026-06-07T08:00:00+02:00"), 3600)
    assert sunday.ltr + sunday.rtl < sums[7]


@pytest.mark.parametrize("expected", [0.0, 0.4, 7.0, 49.0, 400.0])
def test_poisson(expected: float) -> None:
    """Mean and spread are the Poisson distribution's, for small and large means."""
    rng = Random(4)
    found = [poisson(rng, expected) for _ in range(2000)]
    assert mean(found) == pytest.approx(expected, abs=0.15 + expected * 0.02)
    assert mean((one - expected) ** 2 for one in found) == pytest.approx(expected, rel=0.15, abs=0.1)
    assert min(found) >= 0
