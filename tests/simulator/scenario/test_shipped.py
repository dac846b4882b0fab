"""What each shipped scenario says does happen: in the truth, and in what sensors say."""

from itertools import pairwise
from statistics import mean

import pytest

from decoders import catalog
from decoders.quantity import Quantity
from simulator.faults import Outcome
from simulator.play import Simulation
from simulator.scenario.file import check, load, shipped
from tests.simulator.scenario.played import CITY, Played, Values, play, steps, within

NAMES = (
    "bad-day-for-sensors",
    "broker-outage",
    "collection-strike",
    "event-maximilianpark",
    "freezing-rain",
    "gateway-outage",
    "heat-wave",
    "heavy-rain",
    "incident",
    "ordinary-week",
    "saturday-shopping",
)


def test_all_are_there_and_fit_the_example_city() -> None:
    """Each has a line of its own, a start, a length, and names only what the city has."""
    assert tuple(shipped()) == NAMES
    titles = set()
    for name in NAMES:
        loaded = load(name)
        check(loaded, CITY)
        assert loaded.scenario.begin is not None
        assert loaded.scenario.lasts_s
        titles.add(loaded.scenario.title)
    assert len(titles) == len(NAMES)


def test_an_ordinary_week_has_a_weekend() -> None:
    """Detectors see less in the rush hour of Sunday than of Monday, in truth and as counted; nothing is amiss."""
    played = play("ordinary-week", 7 * 24, "detector", "station")
    asset = "detector-marker-allee"
    demand = played.truth[asset, "demand_ltr"]
    counted = played.readings(asset, "vehicle_count", "ltr")
    for values in (demand, counted):
        monday, sunday = (mean(within(values, day * 24 + 7, day * 24 + 9)) for day in (0, 6))
        assert sunday < 0.7 * monday
    fallen = [played.truth[place, "precipitation_total"][-1][1] for place in ("station-roemerstrasse", "city")]
    assert min(fallen) > 0
    assert fallen[0] != fallen[1]
    report = played.simulation.report
    assert report.silent == report.unpublished == 0
    assert {message.outcome for message in played.messages} == {Outcome.UNIQUE, Outcome.JOIN, Outcome.STATUS}


def test_saturday_shopping_fills_the_city() -> None:
    """Lots in the city are full at noon, Weststraße is crowded, and both are seen; the ordinary day has neither."""
    played, without = (
        play("saturday-shopping", 12, "lot", "detector", ordinary=ordinary) for ordinary in (False, True)
    )
    lot, street = "lot-santa-monica-platz", "detector-fussgaengerzone-weststrasse"
    assert mean(within(played.truth[lot, "occupied_spaces"], 6, 10)) > 13
    assert mean(within(without.truth[lot, "occupied_spaces"], 6, 10)) < 12
    assert mean(within(played.readings(lot, "occupied"), 6, 10)) > 0.5
    for counts in (
        [each.truth[street, "demand_ltr"] for each in (played, without)],
        [each.readings(street, "people_count") for each in (played, without)],
    ):
        crowd, usual = (mean(within(values, 6, 10)) for values in counts)
        assert crowd > 1.6 * usual


def test_an_event_has_arrivals_and_departures() -> None:
    """Outbound before it, inbound after it, slow then; the lot at the park is full in between and empty at night."""
    played, without = (
        play("event-maximilianpark", 14, "lot", "detector", ordinary=ordinary) for ordinary in (False, True)
    )
    # on the east side `ltr` is inbound or outbound as the asset's channel says
    asset = CITY.assets["detector-marker-allee"]
    inbound = str(asset.properties["channel"])
    outbound = {"ltr": "rtl", "rtl": "ltr"}[inbound]
    for channel, begin, end, factor in ((outbound, 4, 5, 2), (inbound, 10.5, 12.5, 3)):
        for there, usual in (
            [each.truth[asset.id, f"demand_{channel}"] for each in (played, without)],
            [each.readings(asset.id, "vehicle_count", channel) for each in (played, without)],
        ):
            assert mean(within(there, begin, end)) > factor * mean(within(usual, begin, end))
    assert mean(within(played.truth[asset.id, "speed"], 11, 12)) < 0.75 * mean(
        within(without.truth[asset.id, "speed"], 11, 12)
    )
    west = "detector-marker-allee-west"
    counts = [mean(within(each.readings(west, "vehicle_count"), 10.5, 12.5)) for each in (played, without)]
    assert counts[0] > 2 * counts[1]
    for lot, full, empty in (("lot-maximilianpark", 6.5, 5), ("lot-zentralhallen", 20, 15)):
        for taken in (played.truth[lot, "occupied_spaces"], _taken(played, lot)):
            assert mean(within(taken, 5, 10)) > full
            assert mean(within(taken, 13, 14)) < empty


def _taken(played: Played, lot: str) -> Values:
    """How many spaces of a lot are taken, by what their sensors said last."""
    spaces: dict[str, float] = {}
    found = []
    for each in played.said:
        if each.asset == lot:
            codec = catalog.codec(each.event.device_info.tags["codec"])
            (measurement,) = codec.decode(each.event.f_port, each.event.data, 0)
            for reading in measurement.readings:
                if reading.quantity is Quantity.OCCUPIED:
                    spaces[each.event.device_info.dev_eui] = reading.value
            found.append((each.measured, sum(spaces.values())))
    return found


def test_an_incident_makes_a_queue_and_detours() -> None:
    """Lanes are closed: slow and few on these streets, and only there and then; more where people drive instead."""
    played, without = (play("incident", 7, "detector", ordinary=ordinary) for ordinary in (False, True))
    closed, queue, detour = "detector-werler-strasse-sued", "detector-hafenstrasse", "detector-muensterstrasse-nord"
    for asset, channel, passing, waiting in ((closed, "ltr", 460, 50), (queue, "ltr", 90, 9), (queue, "rtl", 90, 9)):
        assert max(within(played.truth[asset, f"flow_{channel}"], 3, 4)) < passing
        assert max(within(played.truth[asset, f"speed_{channel}"], 3, 4)) < 10
        assert max(within(played.truth[asset, f"queue_{channel}"], 3, 4)) > waiting
        assert set(within(played.truth[asset, f"queue_{channel}"], 6, 7)) == {0.0}
        assert set(within(played.truth[asset, "incident"], 2.1, 3.9)) == {1.0}
    assert {value for _, value in played.truth[closed, "queue_rtl"]} == {0.0}
    for asset, begin, end, low, high in (
        (queue, 3, 4, 0.1, 0.5),
        (detour, 2.4, 4, 1.03, 1.4),
        (detour, 5, 7, 0.9, 1.1),
    ):
        seen = [mean(within(each.readings(asset, "vehicle_count", "ltr"), begin, end)) for each in (played, without)]
        assert low < seen[0] / seen[1] < high
    wanted = [mean(within(each.truth[detour, "demand_ltr"], 3, 3.5)) for each in (played, without)]
    assert wanted[0] / wanted[1] == pytest.approx(1 + 0.125 * 20_000 / 15_000, abs=0.001)
    slow = within(played.readings(queue, "vehicle_speed"), 2.6, 4)
    assert max(slow) < 15
    assert min(within(played.readings(queue, "vehicle_speed"), 6, 7)) > 30
    came = [mean(within(played.truth[closed, f"{name}_ltr"], 3, 4)) for name in ("demand", "flow")]
    assert came[0] > 1.1 * came[1]


def test_heavy_rain_raises_the_rivers() -> None:
    """72 mm fall in six hours; the Ahse rises first, the Lippe hours later; gauge, station and soil probe say so."""
    played = play("heavy-rain", 30, "station", "gauge", "site")
    for place in ("city", "station-westenwall", "station-roemerstrasse", "station-schloss-heessen"):
        fallen = played.truth[place, "precipitation_total"]
        assert fallen[-1][1] - fallen[0][1] == pytest.approx(72, abs=0.1)
    peaks = {}
    for gauge, rise_mm in (("gauge-ahse", 600), ("gauge-lippe", 1000)):
        levels = played.truth[gauge, "water_level"]
        before = mean(within(levels, 0, 4))
        peaks[gauge], highest = max(levels, key=lambda item: item[1])
        assert highest > before + rise_mm
        assert mean(within(levels, 4.5, 5)) < before + 0.3 * rise_mm
    assert 10 < peaks["gauge-ahse"] < peaks["gauge-lippe"] - 2
    seen = played.readings("gauge-lippe", "water_level")
    assert max(value for _, value in seen) > mean(within(seen, 0, 4)) + 1000
    distance = played.readings("gauge-ahse", "distance")
    assert min(value for _, value in distance) < mean(within(distance, 0, 4)) - 600
    assert set(within(played.readings("station-westenwall", "precipitation_rate"), 5, 9)) == {12.0}
    tension = played.readings("site-ostenallee", "soil_water_tension")
    assert mean(within(tension, 8, 12)) < mean(within(tension, 0, 4)) / 2


def test_a_heat_wave_has_tropical_nights() -> None:
    """Above 30 °C by day and never below 20 °C at night, dry, and the soil dries; stations agree."""
    played = play("heat-wave", 52, "station", "site")
    for values in (
        played.truth["city", "air_temperature"],
        played.readings("station-roemerstrasse", "air_temperature"),
    ):
        for night in (16, 40):
            assert min(within(values, night, night + 8)) >= 20
        for day in (6, 30):
            assert max(within(values, day, day + 6)) > 31
    assert len({value for _, value in played.truth["city", "precipitation_total"]}) == 1
    tension = [value for _, value in played.truth["site-ostenallee", "soil_water_tension.watermark1"]]
    assert tension[-1] > tension[0] + 2
    assert all(step >= 0 for step in steps(tension))


def test_freezing_rain_is_rain_on_frozen_roads() -> None:
    """Roads are frozen before it rains and icy once it does; the probe and the station say so; traffic crawls."""
    played, without = (
        play("freezing-rain", 11, "road_section", "station", "detector", ordinary=ordinary)
        for ordinary in (False, True)
    )
    ice = played.truth["road-lippebruecke", "ice"]
    assert set(within(ice, 0, 3)) == {0.0}
    assert set(within(ice, 3.2, 9)) == {1.0}
    assert max(within(played.readings("road-lippebruecke", "surface_temperature"), 3, 8)) < 0
    assert set(within(played.readings("station-westenwall", "precipitation_rate"), 4, 9)) == {0.8}
    fast, slow = (
        mean(within(each.readings("detector-marker-allee", "vehicle_speed"), 5, 9)) for each in (without, played)
    )
    assert slow < 0.6 * fast


def test_a_strike_leaves_waste_where_it_is() -> None:
    """For ten days nothing of residual and paper is emptied, and glass is; all are afterwards, and sensors see it."""
    played = play("collection-strike", 12 * 24, "container")
    rounds: dict[str, list[list[float]]] = {"struck": [], "glass": []}
    for asset in CITY.assets.values():
        if asset.kind == "container":
            kind = "glass" if asset.properties["fraction"] == "glass" else "struck"
            rounds[kind].append([value for _, value in played.truth[asset.id, "collections"]])
            if kind == "struck":
                assert max(steps(within(played.readings(asset.id, "distance"), 0, 240))) < 100
    ten_days = 2880
    assert all(each[ten_days - 1] == 0 for each in rounds["struck"])
    assert sum(each[-1] > 0 for each in rounds["struck"]) > len(rounds["struck"]) / 2
    assert all(each[ten_days - 1] > 0 for each in rounds["glass"])
    full = [
        played.truth[asset.id, "fill_level"][2879][1]
        for asset in CITY.assets.values()
        if asset.properties.get("fraction") in ("residual", "paper") and asset.kind == "container"
    ]
    assert mean(full) > 80
    assert max(full) > 100
    for asset in CITY.assets.values():
        if asset.kind == "container":
            told = zip(played.truth[asset.id, "fill_level"], played.truth[asset.id, "overflow"], strict=True)
            assert all(over == (level >= 100) and level <= 130 for (_, level), (_, over) in told)
    glass = within(played.readings("container-suedring-1", "distance"), 0, 240)
    assert max(steps(glass)) > 100


def test_a_gateway_that_is_down_hears_nothing() -> None:
    """No copy is the town hall's for three hours; fewer uplinks are heard; before and after it hears some."""
    played, without = (play("gateway-outage", 5, ordinary=ordinary) for ordinary in (False, True))
    town_hall = "025354464bff0001"
    heard = {
        span: [
            town_hall in {rx.gateway_id for rx in each.event.rx_info}
            for each in played.said
            if span[0] + 0.01 <= each.hours < span[1] - 0.01
        ]
        for span in ((0, 1), (1, 4), (4, 5))
    }
    assert not any(heard[1, 4])
    assert len(heard[1, 4]) > 100
    assert any(heard[0, 1])
    assert any(heard[4, 5])
    assert played.simulation.report.lost > without.simulation.report.lost + 100
    assert len(played.said) + 100 < len(without.said)


def test_a_broker_outage_keeps_the_newest_hundred() -> None:
    """Nothing for forty minutes, then a hundred at once, the newest; the rest is counted as unpublished."""
    played, without = (play("broker-outage", 2.5, ordinary=ordinary) for ordinary in (False, True))
    start_ns = played.simulation.plan.start_ns
    hours = [(message.time_ns - start_ns) / 3.6e12 for message in played.messages]
    back = 100 / 60
    assert not [hour for hour in hours if 1 <= hour < back]
    assert sum(abs(hour - back) < 1e-6 for hour in hours) >= 100
    burst = [each.measured for each in played.said if abs(each.hours - back) < 1e-6]
    assert min(burst) > 1.2
    lost = played.simulation.report.unpublished
    assert lost > 100
    told_later = played.simulation.report.history
    assert told_later > 0
    fewer = len(without.said) - len(played.said)
    assert lost - told_later - 15 < fewer < lost + 15


BAD = "bad-day-for-sensors"


def test_stuck_sensors_repeat_themselves() -> None:
    """A stuck container and a stuck station say the same while the truth moves."""
    played = play(BAD, 11)
    for asset, quantity, true_asset, true_quantity in (
        ("container-oststrasse-1", "distance", "container-oststrasse-1", "fill_level"),
        ("station-maximilianpark", "air_temperature", "city", "air_temperature"),
    ):
        assert len(set(within(played.readings(asset, quantity), 2.2, 11))) == 1
        assert len(set(within(played.truth[true_asset, true_quantity], 2.2, 11))) > 4
    assert len(set(within(played.readings("station-maximilianpark", "air_temperature"), 0, 2))) > 1


def test_a_drifting_sensor_drifts() -> None:
    """0.8 K more each hour than the same station would say."""
    played = play(BAD, 11)
    air = dict(played.truth["city", "air_temperature"])
    off = [
        (hours, value - air[min(air, key=lambda known: abs(known - hours))])
        for hours, value in played.readings("station-roemerstrasse", "air_temperature")
    ]
    assert mean(within(off, 9.5, 10.5)) - mean(within(off, 1, 2)) == pytest.approx(0.8 * 8, abs=0.6)


def test_a_jumping_sensor_jumps() -> None:
    """The gauge jumps by a metre and a half, forth and back, while the river does not."""
    played = play(BAD, 11)
    said = steps(within(played.readings("gauge-lippe", "water_level"), 2, 10))
    assert sum(abs(step) > 1000 for step in said) > 0.8 * len(said) > 20
    assert max(map(abs, steps(within(played.truth["gauge-lippe", "water_level"], 2, 10)))) < 100


def test_silent_late_and_restarted_devices() -> None:
    """Silent: nothing for six hours; delayed: three hours late by the network's time; restarted: counts from 0."""
    played = play(BAD, 11)
    silent = [each.hours for each in played.said if each.asset == "detector-kamener-strasse"]
    assert not [hours for hours in silent if 2 <= hours < 8]
    assert [hours for hours in silent if hours < 2]
    assert [hours for hours in silent if hours >= 8]
    assert played.simulation.report.silent > 50
    late = [each for each in played.said if each.asset == "station-schloss-heessen" and 2 <= each.measured < 7]
    assert all(each.hours - each.measured == pytest.approx(3, abs=0.01) for each in late)
    assert len(late) > 10
    counters = [each.event.f_cnt for each in played.said if each.asset == "detector-ahlener-strasse"]
    assert [other for one, other in pairwise(counters) if other < one] == [0]


def test_misfiled_garbled_and_spoofed_devices() -> None:
    """Of each the service must make dead letters: two wrong profiles, garbage, a topic of another device."""
    played = play(BAD, 11)
    assert played.outcomes("detector-dortmunder-strasse", 2, 6) <= {Outcome.DECODE, Outcome.UNIQUE}
    misfiled = {
        each.event.device_info.tags["codec"]
        for each in played.said
        if each.asset == "detector-dortmunder-strasse" and 2.01 <= each.hours < 6
    }
    assert misfiled == {"elsys/generic"}
    for asset, outcome in (
        ("container-roemerstrasse-1", Outcome.UNKNOWN_PROFILE),
        ("detector-lippe-radweg", Outcome.DECODE),
        ("lot-maximilianpark", Outcome.SPOOFED),
    ):
        assert played.outcomes(asset, 2.01, 6) == {outcome}
        assert played.outcomes(asset, 0, 2) | played.outcomes(asset, 6.01, 11) == {Outcome.UNIQUE}


def test_the_same_seed_gives_the_same_bytes_with_and_without_truth() -> None:
    """Whether anybody is told the truth changes no message."""
    played = play(BAD, 11)
    plan = played.simulation.plan
    end_ns = plan.start_ns + int(3 * 3.6e12)
    assert list(Simulation(CITY, plan).messages(end_ns)) == [each for each in played.messages if each.time_ns < end_ns]
