"""The one world of all sensors: who shares what, and what is told of it."""

from datetime import UTC, datetime
from random import Random

import pytest

from rules.city import Asset
from simulator.scenario.model import Scenario
from simulator.scenario.script import Script
from simulator.surroundings import Surroundings
from simulator.truth import rows
from simulator.world import Calendar, Moment, Road

CALENDAR = Calendar("Europe/Berlin")
START_MS = round(datetime(2026, 6, 1, 4, tzinfo=UTC).timestamp() * 1000)


def _at(hours: float) -> Moment:
    return CALENDAR.at(START_MS + round(hours * 3_600_000))


def _around(**sections: list[dict[str, object]]) -> Surroundings:
    script = Script(Scenario.model_validate({"title": "x", **sections}), START_MS)
    return Surroundings(Random(3), _at(0), script)


def _asset(name: str, kind: str, latitude: float = 51.68, district: str = "", **properties: object) -> Asset:
    return Asset(name, kind, name, properties, (), 7.82, latitude, district)


def _truth(around: Surroundings, now: Moment) -> dict[tuple[str, str], float]:
    return {(row.asset, row.quantity): row.value for row in rows(around.facts, now, 0)}


def test_a_container_is_emptied_when_told_to() -> None:
    """It is empty then and fills from there; it counts as a collection; an unknown one is told with False."""
    around = _around(strike=[{}])
    container = around.bin(_asset("container-1", "container", fraction="glass"))
    container.waste = 1.2
    before = _truth(around, _at(5))
    assert before["container-1", "fill_level"] >= 120
    assert before["container-1", "overflow"] == 1
    assert around.empty("container-1", _at(6))
    assert not around.empty("container-2", _at(6))
    after = _truth(around, _at(6.5))
    assert after["container-1", "fill_level"] < 10
    assert (after["container-1", "overflow"], after["container-1", "collections"]) == (0, 1)


def test_what_came_in_before_it_was_emptied_does_not_come_again() -> None:
    """A container that nobody looked at for days is empty once emptied, not filled with those days."""
    around = _around(strike=[{}])
    container = around.bin(_asset("container-1", "container"))
    around.empty("container-1", _at(240))
    container.advance(_at(240.1))
    assert container.waste < 0.08


def test_containers_of_a_district_are_alike() -> None:
    """Of one district all fill as much faster or slower; of none they are as usual; districts differ."""
    around = _around()
    found = {name: around._district(name) for name in ("a", "b", "c", "")}
    assert found[""] == 1
    assert len(set(found.values())) == 4
    assert all(0.85 <= each <= 1.2 for each in found.values())
    assert around._district("a") == found["a"]
    around._busy |= {"a": 1.2, "b": 0.85}
    rates = [
        sum(around.bin(_asset(f"{name}-{number}", "container", district=name))._per_day for number in range(100)) / 100
        for name in ("a", "b")
    ]
    assert rates[0] / rates[1] == pytest.approx(1.2 / 0.85, rel=0.08)
    assert rates[0] * 7.7 == pytest.approx(1.2 * (0.65 + 1.5) / 2, rel=0.06)


def test_copies_are_in_no_truth_and_cannot_be_emptied() -> None:
    """What stands elsewhere shares the sky, but nobody is told of it, and its roads are no neighbours."""
    around = _around()
    facts = len(around.facts)
    elsewhere = around.elsewhere()
    asset = _asset("container-1", "container")
    assert elsewhere.bin(asset) is not elsewhere.bin(asset)
    elsewhere.road(_asset("detector-1", "detector"), Road(around.rng, 1000, 50))
    elsewhere.noise(_asset("station-1", "station"))
    assert not around.empty("container-1", _at(1))
    assert len(around.facts) == facts
    assert elsewhere.facts == []


def test_the_rain_of_a_station_is_its_own() -> None:
    """Two stations 6 km apart have one truth of rain each; every sensor at a place has the same."""
    around = _around()
    here, there = _asset("station-1", "station"), _asset("station-2", "station", 51.734)
    assert around.rain(here) is around.rain(here)
    around.noise(there)
    around.soil(_asset("site-1", "site"), "watermark1")
    found = [_truth(around, _at(hours / 4)) for hours in range(4 * 24 * 20)]
    assert ("site-1", "precipitation_rate") not in found[0]
    rates = [(each["station-1", "precipitation_rate"], each["station-2", "precipitation_rate"]) for each in found]
    assert any(one > 0.5 and other == 0 for one, other in rates)
    assert any(other > 0.5 and one == 0 for one, other in rates)
    assert any(one > 0 and other > 0 for one, other in rates)
    for name in ("station-1", "station-2", "city"):
        assert found[-1][name, "precipitation_total"] > 5


def test_incidents_are_told() -> None:
    """Whether a lane is closed, who wants to pass and does, who waits; each way."""
    incident = {"assets": ["detector-1"], "vehicles_per_hour": 100, "direction": "inbound"}
    around = _around(incident=[{**incident, "from": "1h", "until": "3h"}])
    asset = _asset("detector-1", "detector", lanes=1, distance_m=100)
    road = Road(around.rng, 20_000, 50, spread=0, inbound_ltr=False, script=around.script, asset_id=asset.id)
    around.road(asset, road)
    found = [_truth(around, _at(hours)) for hours in (0.5, 2)]
    before, during = ({name: value for (of, name), value in each.items() if of == asset.id} for each in found)
    assert (before["incident"], before["queue_rtl"]) == (0, 0)
    assert before["flow_rtl"] == before["demand_rtl"]
    assert during["incident"] == 1
    assert during["flow_rtl"] == 100 < during["demand_rtl"]
    assert during["queue_rtl"] > 100
    assert (during["queue_ltr"], during["flow_ltr"]) == (0, during["demand_ltr"])
    assert during["speed_rtl"] == 4
    assert during["speed_rtl"] < during["speed"] < during["speed_ltr"]
