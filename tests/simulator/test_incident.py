"""A closed lane: what cannot pass waits, is seen once the queue is there, and some drive elsewhere."""

from datetime import datetime
from random import Random
from statistics import mean

import pytest

from simulator.scenario.model import Scenario
from simulator.scenario.script import Script
from simulator.world import Calendar, Moment, Near, Road, no2_ppb, noise_db
from simulator.world.incident import DISCHARGED_PER_LANE, M_PER_VEHICLE, Jam

BERLIN = Calendar("Europe/Berlin")
START = BERLIN.at(round(datetime.fromisoformat("2026-06-10T05:00:00+02:00").timestamp() * 1000))


def _at(minutes: float) -> Moment:
    return BERLIN.at(START.ms + round(minutes * 60_000))


def _jam(limit: float | None, lanes: int = 1, distance_m: float = 70, come: float = 600) -> Jam:
    """So many vehicles an hour come in the first hour, none in the second; the limit holds for the first."""
    return Jam(
        START.ms,
        lambda now: come if now.ms < _at(60).ms else 0.0,
        lambda ms: limit if ms < _at(60).ms else None,
        lanes,
        distance_m,
    )


def test_a_queue_is_what_came_less_what_passed() -> None:
    """240 vehicles wait after an hour of 240 more than can pass; they leave at the rate that the lanes allow."""
    jam = _jam(360)
    jam.advance(_at(60))
    assert jam.vehicles == pytest.approx(240)
    jam.advance(_at(66))
    assert jam.vehicles == pytest.approx(240 - DISCHARGED_PER_LANE / 10)
    jam.advance(_at(80))
    assert jam.vehicles == 0
    wide = _jam(360, lanes=2)
    wide.advance(_at(66))
    assert wide.vehicles == pytest.approx(240 - 2 * DISCHARGED_PER_LANE / 10)


def test_it_does_not_matter_how_often_one_looks() -> None:
    """Two looks or two hundred."""
    often, seldom = _jam(300), _jam(300)
    for number in range(200):
        often.advance(_at(number / 3))
    for jam in (often, seldom):
        jam.advance(_at(67))
    assert often.vehicles == seldom.vehicles > 0


def test_the_detector_sees_a_queue_that_has_reached_it() -> None:
    """All who come at their speed before; then only who passes, at a crawl that is slower the fewer pass."""
    jam = _jam(360)
    reached = round(70 / M_PER_VEHICLE / 4)
    assert jam.seen(_at(reached - 1), 45.0) == (600, 45)
    assert jam.seen(_at(reached + 1), 45.0) == (360, 4.5)
    assert _jam(800, distance_m=0).seen(_at(30), 45.0) == (600, 45)
    assert _jam(100).seen(_at(50), 45.0) == (100, 4)
    assert _jam(360).seen(_at(61), 45.0) == (DISCHARGED_PER_LANE, 12)
    assert _jam(360, lanes=2).seen(_at(reached + 1), 45.0) == (600, 45)
    assert _jam(1200, lanes=2, come=1800).seen(_at(30), 45.0) == (1200, 7.5)


def _roads(*incidents: dict[str, object]) -> dict[str, Road]:
    """Three roads, `a`, `b` and `c`, of which the last has twice the traffic."""
    script = Script(Scenario.model_validate({"title": "x", "incident": incidents}), START.ms)
    found: dict[str, Road] = {}
    for name, per_day in (("a", 20_000), ("b", 20_000), ("c", 40_000)):
        road = Road(Random(1), per_day, 48, spread=0, inbound_ltr=True, script=script, asset_id=name)
        found[name] = road
    for road in found.values():
        road.among(found, START.ms, 1, 140)
    return found


CLOSED = {"from": "2h", "until": "4h", "assets": ["a"], "vehicles_per_hour": 400}


def test_capacity_speed_and_queue_drop_and_come_back() -> None:
    """In its time, on the road and in the direction that it names; before and behind it all is as ever."""
    road, free = _roads({**CLOSED, "direction": "inbound", "speed": 0.5})["a"], _roads()["a"]
    for minute in (60, 119, 420):
        assert road.passing(_at(minute)) == free.passing(_at(minute))
        assert not road.closed(_at(minute))
    road = _roads({**CLOSED, "direction": "inbound", "speed": 0.5})["a"]
    assert road.passing(_at(120)).speed_ltr == pytest.approx(free.passing(_at(120)).speed_ltr / 2)
    during, usual = road.passing(_at(180)), free.passing(_at(180))
    assert (during.ltr, during.speed_ltr) == (400, 5)
    assert (during.rtl, during.speed_rtl, during.queue_rtl) == (usual.rtl, usual.speed_rtl, 0)
    assert during.queue_ltr > 100
    assert usual.queue_ltr == 0
    assert road.closed(_at(180))
    assert not free.closed(_at(180))
    assert road.demand(_at(180)) == free.demand(_at(180))


def test_what_is_counted_is_what_passes() -> None:
    """Counts and speeds of a jam are its own, each way."""
    road = _roads({**CLOSED, "direction": "inbound"})["a"]
    counts = [road.count(_at(minute), 300) for minute in range(180, 230, 5)]
    assert mean(each.ltr for each in counts) == pytest.approx(400 / 12, rel=0.2)
    assert mean(each.rtl for each in counts) > 36
    assert mean(each.speed_ltr for each in counts) < 8
    assert mean(each.speed_rtl for each in counts) > 35
    assert all(each.speed_ltr < each.speed < each.speed_rtl for each in counts)


def test_who_waits_is_neither_heard_nor_breathed() -> None:
    """Noise and nitrogen dioxide are those of the traffic that passes."""
    jam, free = (Near(_roads(*incidents)["a"], 25) for incidents in ([{**CLOSED, "vehicles_per_hour": 50}], []))
    assert noise_db(jam, _at(200)) < noise_db(free, _at(200)) - 3
    assert no2_ppb(jam, _at(200), 3, 0.5) < no2_ppb(free, _at(200), 3, 0.5) - 1


def test_who_drives_elsewhere_is_counted_there() -> None:
    """A share of those who come, half of it on each of two roads, in both directions; nobody is lost."""
    there, free = _roads({**CLOSED, "diverted": 0.3, "to": ["b", "c"]}), _roads()
    for way in (0, 1):
        usual = {name: road.demand(_at(180))[way] for name, road in free.items()}
        found = {name: road.demand(_at(180))[way] for name, road in there.items()}
        assert found["a"] == pytest.approx(0.7 * usual["a"])
        assert found["b"] - usual["b"] == pytest.approx(0.15 * usual["a"])
        assert sum(found.values()) == pytest.approx(sum(usual.values()))
    assert there["b"].demand(_at(100)) == free["b"].demand(_at(100))


def test_some_drive_where_nobody_counts() -> None:
    """Without other detectors they are gone; with a ramp they get more; the other direction stays."""
    road = _roads({**CLOSED, "diverted": 0.5, "direction": "outbound", "ramp": "20m"})["a"]
    free = _roads()["a"]
    shares = [road.demand(_at(minute)).rtl / free.demand(_at(minute)).rtl for minute in (120, 130, 150, 235)]
    assert shares == pytest.approx([1, 0.75, 0.5, 0.875])
    assert road.demand(_at(180)).ltr == free.demand(_at(180)).ltr


def test_a_smaller_queue_where_some_drive_elsewhere() -> None:
    """Those who drive elsewhere do not wait."""
    waiting = [
        _roads({**CLOSED, "diverted": share})["a"].passing(_at(220)).queue_ltr
        if share
        else _roads(CLOSED)["a"].passing(_at(220)).queue_ltr
        for share in (0, 0.2, 0.6)
    ]
    assert waiting[0] > waiting[1] + 50 > waiting[2] + 100


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"to": ["b"]}, "to needs diverted"),
        ({"diverted": 0.2, "to": ["a"]}, "'a' is in assets and in to"),
        ({"diverted": 1.2}, "less than or equal to 1"),
        ({"assets": []}, "at least 1 item"),
        ({"speed": 0}, "greater than 0"),
    ],
)
def test_what_is_no_incident(given: dict[str, object], said: str) -> None:
    """Keys that contradict each other, and values out of range."""
    with pytest.raises(ValueError, match=said):
        Scenario.model_validate({"title": "x", "incident": [{**CLOSED, **given}]})
