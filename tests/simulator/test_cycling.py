"""Bicycles and people on foot: what the clock, the calendar, the weather and a scenario make of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from random import Random
from statistics import mean

import pytest

from decoders.quantity import Quantity
from rules.city import Asset
from simulator.counters import ParametricPcr2
from simulator.scenario.model import Scenario
from simulator.scenario.script import Script
from simulator.sensor import Surroundings
from simulator.sky import Sky
from simulator.truth import rows
from simulator.world import Calendar, Moment, Outside, Passersby, Path, Weather
from simulator.world.cycling import BREEZE_KMH, KMH_PER_M_S, in_the_air, in_the_light, on_the_ground
from simulator.world.ground import FILM_MM
from tests.simulator.scenario.played import Played, play, within

BERLIN = Calendar("Europe/Berlin")
BREEZE = BREEZE_KMH / KMH_PER_M_S
WEDNESDAY, SATURDAY, SUNDAY = "2026-06-24", "2026-06-27", "2026-06-28"
HOLIDAY = "2026-07-22"
"""A Wednesday, too."""


def _at(day: str, hour: float = 0) -> Moment:
    midnight = round(datetime.fromisoformat(f"{day}T00:00:00+02:00").timestamp() * 1000)
    return BERLIN.at(midnight + round(hour * 3_600_000))


def _path(riding: float = 1.0, walking: float = 1.0, script: Script | None = None, asset_id: str = "a") -> Path:
    """1,000 bicycles and 500 people on foot a day, `ltr` into the city, in weather that is always the same."""
    return Path(
        Random(1), lambda _: (riding, walking), 1000, 500, spread=0, inbound_ltr=True, script=script, asset_id=asset_id
    )


def _day(path: Path, day: str) -> list[Passersby[float]]:
    """Every quarter of an hour."""
    return [path.demand(_at(day, quarter / 4)) for quarter in range(96)]


def _bicycles(found: Sequence[Passersby[float]]) -> float:
    """Of a day, both ways."""
    return sum(each.bicycles_ltr + each.bicycles_rtl for each in found) / 4


def _peaks(flows: list[float]) -> list[float]:
    """The hours at which a flow is higher than before and after."""
    return [at / 4 for at in range(1, 95) if flows[at - 1] < flows[at] >= flows[at + 1]]


@pytest.mark.parametrize(
    ("more", "less", "ratio"),
    [
        pytest.param((21, 0, 0), (20, 0, 0), 1.032, id="warmth"),
        pytest.param((6, 0, 0), (5, 0, 0), 1.032, id="less-cold"),
        pytest.param((-9, 0, 0), (-10, 0, 0), 1.032, id="less-frost"),
        pytest.param((25, 0, 0), (30, 0, 0), 1, id="warm-enough"),
        pytest.param((30, 0, 0), (31, 0, 0), 1 / 0.96, id="heat"),
        pytest.param((15, 2, 0), (15, 3, 0), 1 / 0.894, id="harder-rain"),
        pytest.param((15, 0, 0), (15, 0.25, 0), 1 / (0.7 * 0.894**0.25), id="a-few-drops"),
        pytest.param((15, 0, 0), (15, 0.5, 0), 1 / (0.4 * 0.894**0.5), id="rain"),
        pytest.param((15, 0, 0), (15, 0, BREEZE), 1, id="breeze"),
        pytest.param((15, 0, BREEZE), (15, 0, BREEZE + 1), 0.986**-3.6, id="gusts"),
    ],
)
def test_air(more: tuple[float, float, float], less: tuple[float, float, float], ratio: float) -> None:
    """Warmth up to 25 °C and heat above 30 °C, rain and how much of it, gusts above a breeze: as published, or ours."""
    assert in_the_air(*more) / in_the_air(*less) == pytest.approx(ratio)


def test_usual_air() -> None:
    """Everything counts against 20 °C, dry and calm."""
    assert in_the_air(20, 0, 0) == 1


def test_ground() -> None:
    """A wet path takes a fifth, ice four fifths."""
    assert [on_the_ground(film, icy=False) for film in (0, FILM_MM / 2, FILM_MM, 9)] == pytest.approx(
        [1, 0.9, 0.8, 0.8]
    )
    assert on_the_ground(FILM_MM, icy=True) == pytest.approx(0.2, abs=0.01)


def test_light() -> None:
    """By day 38 % more than in the dark; in between while it dawns."""
    assert [in_the_light(sine) for sine in (0.9, 0.0)] == [1, 1]
    assert 1 / in_the_light(-0.1046) == pytest.approx(1.38)
    assert in_the_light(-0.9) == in_the_light(-0.1046)
    assert in_the_light(-0.9) < in_the_light(-0.05) < 1


def _shares(now: Moment, start: Moment, **sections: Sequence[Mapping[str, object]]) -> tuple[float, float]:
    """How many ride and walk in a scenario, looked at every five minutes from its start on."""
    script = Script(Scenario.model_validate({"title": "x", "rain": [{"mm_per_hour": 0}], **sections}), start.ms)
    sky = Sky(Random(1), start, script)
    outside = Outside(Weather(Random(2), start, script, sky), sky, sky, start)
    for ms in range(start.ms, now.ms, 300_000):
        outside.shares(BERLIN.at(ms))
    return outside.shares(now)


def test_rain_now_and_rain_before() -> None:
    """In the rain few ride, soon after it not all, hours later all; it deters less on foot, and only while it lasts."""
    start, rain = _at(WEDNESDAY, 6), {"from": "2h", "until": "4h", "mm_per_hour": 4}
    mild = [{"temperature": 18}]
    dry, wet, after, late = (
        _shares(_at(WEDNESDAY, hour), start, air=mild, rain=[rains, {"mm_per_hour": 0}])
        for hour, rains in ((9.9, {**rain, "mm_per_hour": 0}), (9.9, rain), (10.2, rain), (15, rain))
    )
    assert wet[0] < 0.3 * dry[0]
    assert wet[0] / dry[0] < wet[1] / dry[1] < 0.5
    assert 0.78 * dry[0] < after[0] < 0.9 * dry[0]
    assert after[1] == pytest.approx(dry[1])
    assert late[0] == pytest.approx(dry[0])


@pytest.mark.parametrize(
    ("good", "bad", "low", "high"),
    [
        pytest.param({"temperature": 24}, {"temperature": 4}, 0.5, 0.56, id="cold"),
        pytest.param({"temperature": 27}, {"temperature": 36}, 0.76, 0.8, id="heat"),
        pytest.param({"temperature": 18}, {"temperature": 18, "wind": 5}, 0.05, 0.6, id="gale"),
    ],
)
def test_what_the_air_does(good: dict[str, object], bad: dict[str, object], low: float, high: float) -> None:
    """The city's own weather reaches who rides."""
    noon = _at(WEDNESDAY, 13)
    fine, poor = (_shares(noon, _at(WEDNESDAY, 12), air=[air])[0] for air in (good, bad))
    assert low < poor / fine < high


def test_fewer_in_the_dark() -> None:
    """At the same hour and temperature, in June and December, at Hamm: by day there is no difference."""
    winter, summer = "2026-12-16", "2026-06-17"
    for hour, ratio in ((13, 1), (18, 1 / 1.38), (8, 1 / 1.38)):
        dark, light = (
            _shares(_at(day, hour), _at(day, hour), air=[{"temperature": 10, "wind": 0}])[0] for day in (winter, summer)
        )
        assert dark / light == pytest.approx(ratio, abs=0.05)


def test_ice_and_snow() -> None:
    """What falls below zero stays as ice: it takes most who would ride on a wet path a few degrees warmer."""
    start = _at("2027-01-14", 5)
    rain: list[dict[str, object]] = [{"until": "1h", "mm_per_hour": 1}, {"mm_per_hour": 0}]
    icy, wet = (_shares(_at("2027-01-14", 7), start, air=[{"temperature": each}], rain=rain) for each in (-2, 3))
    assert icy[0] < 0.3 * wet[0]
    assert icy[1] > 0.7 * wet[1]


def test_commuters_ride_both_ways() -> None:
    """Two peaks on a weekday in each direction, towards the city in the morning, back and higher in the evening."""
    found = _day(_path(), WEDNESDAY)
    inbound, outbound = [each.bicycles_ltr for each in found], [each.bicycles_rtl for each in found]
    for flows in (inbound, outbound):
        assert [peak for peak in _peaks(flows) if not 9 < peak < 15] == pytest.approx([7.6, 17], abs=0.5)
    both = [one + other for one, other in zip(inbound, outbound, strict=True)]
    assert inbound[30] > 1.5 * outbound[30]
    assert outbound[69] > 1.3 * inbound[69]
    assert max(both[24:40]) < max(both[56:80])
    assert 100 < max(both) < 120
    assert sum(both) / 4 == pytest.approx(1000, rel=0.005)


def test_weekends_have_one_hump() -> None:
    """In the afternoon, alike both ways; least on Saturdays; Sunday's is as high as weekdays' peaks, but fewer ride."""
    path = _path()
    weekday, saturday, sunday = (_day(path, day) for day in (WEDNESDAY, SATURDAY, SUNDAY))
    for found in (saturday, sunday):
        assert _peaks([each.bicycles_ltr for each in found]) == [15]
        assert [each.bicycles_ltr for each in found] == [each.bicycles_rtl for each in found]
    assert _bicycles(saturday) < _bicycles(sunday) < _bicycles(weekday)
    highest = [max(each.bicycles_ltr + each.bicycles_rtl for each in found) for found in (saturday, sunday, weekday)]
    assert highest[0] < highest[2] < highest[1] < 1.15 * highest[2]


def test_school_holidays() -> None:
    """Fewer in the morning, more in the afternoon, the same at night; a Sunday is a Sunday."""
    path = _path()
    school, free = _day(path, WEDNESDAY), _day(path, HOLIDAY)
    assert free[30].bicycles_ltr < 0.7 * school[30].bicycles_ltr
    assert free[60].bicycles_ltr > 1.15 * school[60].bicycles_ltr
    assert free[12].bicycles_ltr == pytest.approx(school[12].bicycles_ltr, rel=0.01)
    assert _bicycles(_day(path, "2026-07-26")) == pytest.approx(_bicycles(_day(path, SUNDAY)))


def test_weather_takes_more_of_leisure() -> None:
    """What leaves half of the bicycles on weekdays leaves less on Sundays; who walks does not depend on who rides."""
    for day, low, high in ((WEDNESDAY, 0.49, 0.51), (SUNDAY, 0.34, 0.38)):
        found = [_day(_path(riding), day) for riding in (1, 0.5)]
        assert low < _bicycles(found[1]) / _bicycles(found[0]) < high
        assert [each.pedestrians_ltr for each in found[1]] == [each.pedestrians_ltr for each in found[0]]
    noon = _at(WEDNESDAY, 12)
    most, few = (_path(walking=walking).demand(noon) for walking in (1, 0.25))
    assert few.pedestrians_rtl == most.pedestrians_rtl / 4
    assert few.bicycles_rtl == most.bicycles_rtl


def test_a_scenario_sends_people() -> None:
    """Its demand holds for those who ride and walk, on its assets and in its direction only."""
    traffic = {"demand": 3, "direction": "inbound", "assets": ["a"]}
    script = Script(Scenario.model_validate({"title": "x", "traffic": [traffic]}), _at(WEDNESDAY).ms)
    noon = _at(WEDNESDAY, 12)
    usual, more, elsewhere = (
        path.demand(noon) for path in (_path(), _path(script=script), _path(script=script, asset_id="b"))
    )
    assert [one / other for one, other in zip(more, usual, strict=True)] == pytest.approx([3, 1, 3, 1])
    assert elsewhere == usual


def test_counts() -> None:
    """The same seed counts the same, another one does not; on the average what the demand is."""
    noon = _at(WEDNESDAY, 12)
    first, second = ([path.count(noon, 600) for _ in range(400)] for path in (_path(), _path()))
    assert first == second
    other = Path(Random(2), lambda _: (1.0, 1.0), 1000, 500, spread=0, inbound_ltr=True)
    assert [other.count(noon, 600) for _ in range(400)] != first
    demand = _path().demand(noon)
    for channel in range(4):
        assert mean(each[channel] for each in first) == pytest.approx(demand[channel] / 6, rel=0.1)
    assert demand.ltr == demand.bicycles_ltr + demand.pedestrians_ltr
    assert demand.rtl == demand.bicycles_rtl + demand.pedestrians_rtl


def test_paths_differ() -> None:
    """In how many use them and in where the city lies, unless that is told."""
    morning = _at(WEDNESDAY, 7.5)
    found = [Path(Random(seed), lambda _: (1.0, 1.0), 1000, 500).demand(morning) for seed in range(40)]
    inbound = [each.bicycles_ltr > each.bicycles_rtl for each in found]
    assert inbound == [each.pedestrians_ltr > each.pedestrians_rtl for each in found]
    assert 8 < sum(inbound) < 32
    bicycles = [each.bicycles_ltr + each.bicycles_rtl for each in found]
    assert 2 < max(bicycles) / min(bicycles) <= 3


def _around(**sections: Sequence[Mapping[str, object]]) -> Surroundings:
    start = _at(WEDNESDAY, 5)
    return Surroundings(Random(3), start, Script(Scenario.model_validate({"title": "x", **sections}), start.ms))


def _asset(counts: str = "", latitude: float = 51.68, longitude: float = 7.82) -> Asset:
    name = f"detector-{latitude:g}-{longitude:g}"
    return Asset(name, "detector", name, {"counts": counts}, (), longitude, latitude, "")


def _told(around: Surroundings, asset: Asset, now: Moment) -> dict[str, float]:
    return {row.quantity: row.value for row in rows(around.facts, now, 0) if row.asset == asset.id}


@pytest.mark.parametrize(("counts", "ride"), [("bicycles", True), ("people", False)])
def test_a_counter_counts_who_rides_and_walks(counts: str, ride: bool) -> None:
    """Its counts are all that passed, its totals their sum; the truth has both demands and their sum."""
    around, asset = _around(), _asset(counts)
    counter = ParametricPcr2(around, asset)
    passed: list[Passersby[int]] = []
    counted = counter._counted

    def watched(now: Moment, span_s: float) -> Passersby[int]:
        found = counted(now, span_s)
        assert isinstance(found, Passersby)
        passed.append(found)
        return found

    counter._counted = watched
    frames = [counter.report(_at(WEDNESDAY, 5 + tens / 6), 600, 1) for tens in range(1, 80)]
    said = [{(each.quantity, each.channel): each.value for each in frame.readings} for frame in frames]
    for channel, ways in (("ltr", [each.ltr for each in passed]), ("rtl", [each.rtl for each in passed])):
        assert [each[Quantity.PEOPLE_COUNT, channel] for each in said] == ways
        totals = [each[Quantity.PEOPLE_COUNT_TOTAL, channel] for each in said]
        assert (totals[-1] - totals[0]) % 65_536 == sum(ways[1:])
    bicycles, pedestrians = sum(sum(each[:2]) for each in passed), sum(sum(each[2:]) for each in passed)
    assert (bicycles > 2 * pedestrians) is ride
    assert (pedestrians > 5 * bicycles) is not ride
    told = _told(around, asset, _at(WEDNESDAY, 19))
    assert set(told) == {f"{of}_{way}" for of in ("demand", "bicycles", "pedestrians") for way in ("ltr", "rtl")}
    for way in ("ltr", "rtl"):
        assert told[f"demand_{way}"] == pytest.approx(told[f"bicycles_{way}"] + told[f"pedestrians_{way}"], abs=0.001)


def test_a_scenario_reaches_a_counter() -> None:
    """Ten times as many ride and walk past it."""
    found = []
    for demand in (1, 10):
        around, asset = _around(traffic=[{"demand": demand}]), _asset("bicycles")
        ParametricPcr2(around, asset)
        found.append(_told(around, asset, _at(WEDNESDAY, 12)))
    for quantity, value in found[0].items():
        assert found[1][quantity] == pytest.approx(10 * value, rel=0.001)


def test_daylight_is_that_of_the_place() -> None:
    """At noon in June it is night on the other side of the world and in the south: fewer ride, as many walk."""
    around, noon = _around(rain=[{"mm_per_hour": 0}]), _at(WEDNESDAY, 13)
    here, behind, below = (
        around.out(_asset("", *place))(noon) for place in ((51.68, 7.82), (51.68, -172.18), (-85, 7.82))
    )
    for there in (behind, below):
        assert there[0] / here[0] == pytest.approx(1 / 1.38, rel=0.1)
        assert there[1] == pytest.approx(here[1], rel=0.1)


def test_rain_is_that_of_the_place() -> None:
    """Few ride in a shower while 6 km on, where it is dry, most do; and the other way round."""
    around = _around()
    here, there = _asset(), _asset(latitude=51.734)
    shares = around.out(here), around.out(there)
    wet_here, wet_there = [], []
    for quarter in range(4 * 24 * 20):
        now = _at(WEDNESDAY, 5 + quarter / 4)
        one, other = (share(now)[0] for share in shares)
        rates = around.rain(here).rate, around.rain(there).rate
        wet_here += [one / other] if rates[0] > 1 and rates[1] == 0 else []
        wet_there += [other / one] if rates[1] > 1 and rates[0] == 0 else []
    assert wet_here
    assert wet_there
    assert max(wet_here + wet_there) < 0.6


def test_heavy_rain_empties_the_bicycle_path() -> None:
    """In the city: who rides stays away, who walks less so, and the counter sees it; before it all is as ever."""
    played, without = (play("heavy-rain", 12, "detector", ordinary=ordinary) for ordinary in (False, True))
    path = "detector-lippe-radweg"
    rain = 4.5, 10
    bicycles, pedestrians = (_left(played, without, path, of, *rain) for of in ("bicycles", "pedestrians"))
    assert bicycles < 0.15
    assert bicycles < pedestrians < 0.6
    for of in ("bicycles", "pedestrians", "demand"):
        assert _left(played, without, path, of, 0, 2.9) == pytest.approx(1)
        assert _left(played, without, path, of, *rain) < 0.6
    seen = [sum(within(each.readings(path, "people_count"), *rain)) for each in (played, without)]
    assert 0 < seen[0] < 0.4 * seen[1]


def _left(played: Played, without: Played, asset: str, of: str, begin: float, end: float) -> float:
    """Which share of the ordinary day is left in these hours, in truth, both ways."""
    found = [
        sum(sum(within(each.truth[asset, f"{of}_{way}"], begin, end)) for way in ("ltr", "rtl"))
        for each in (played, without)
    ]
    return found[0] / found[1]
