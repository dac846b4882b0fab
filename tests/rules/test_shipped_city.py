"""The example city that is shipped."""

import json
from collections import Counter
from pathlib import Path

import pytest

from rules.catalog import RULES
from rules.city import City
from rules.engine import Engine
from rules.traffic.plan_config import configure as configure_plan
from rules.traffic.wave_config import configure as configure_wave
from simulator.models import SENSORS

TEXT = (Path(__file__).parents[2] / "deploy" / "city" / "hamm.geojson").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def city() -> City:
    """The example city."""
    return City.parse(TEXT)


def test_every_rule_accepts_every_asset(city: City) -> None:
    """The engine is made and each asset of a kind that has rules has its subjects."""
    engine = Engine(city, RULES)
    ruled = [asset for asset in city.assets if engine.subjects_of(asset)]
    kinds = Counter(asset.kind for asset in city.assets.values())
    ruled_kinds = {rule.kind for rule in RULES}
    assert all(kinds[kind] for kind in ruled_kinds)
    assert len(ruled) == sum(kinds[kind] for kind in ruled_kinds)


def test_each_rule_for_a_calendar_has_the_citys_zone(city: City) -> None:
    """Another zone of the city changes the parameters of these rules, and of no others."""
    before, after = (Engine(each, RULES).parameters() for each in (city, City.parse(TEXT, "Asia/Tokyo")))
    changed = {name.partition("/")[0] for name in before if before[name] != after[name]}
    assert changed == {
        "parking.lot_state",
        "parking.space_days",
        "environment.limits",
        "environment.noise",
        "environment.heat",
        "traffic.signal_plan",
        "waste.collection_due",
    }


def test_what_decides_about_signals_is_accepted(city: City) -> None:
    """Both groups for themselves, the corridor with all programmes; its groups leave it to the corridor."""
    groups = {asset.id: configure_plan(asset) for asset in city.assets.values() if asset.kind == "control_group"}
    alone = {name for name, config in groups.items() if not config.refused}
    assert alone == {"group-werler-strasse", "group-muensterstrasse"}
    assert {len(groups[name].junctions) for name in alone} == {1, 2}
    (corridor,) = (asset for asset in city.assets.values() if asset.kind == "corridor")
    wave = configure_wave(corridor)
    assert (wave.refused, wave.lacking, set(wave.programmes)) == ((), (), {"inbound", "outbound", "balanced"})
    led = {group for programme in wave.programmes.values() for group in programme.plans}
    assert led == groups.keys() - alone


def test_it_says_that_it_is_invented() -> None:
    """A notice in the file itself; plans and water levels, too."""
    notice = json.loads(TEXT)["notice"]
    assert all(word in notice for word in ("invented", "signal plans", "information_value", "traffic volumes"))


def test_every_device_is_of_the_simulated_range_and_has_a_model(city: City) -> None:
    """DevEUIs begin with the reserved prefix; model and interval are given."""
    devices = [device for asset in city.assets.values() for device in asset.devices]
    assert len(devices) == 142
    assert all(device.dev_eui.startswith("025354464b") for device in devices)
    assert len({device.model for device in devices}) == len(SENSORS)
    assert all(isinstance(device.properties["interval_s"], int) for device in devices)


def test_it_has_the_seven_districts_of_hamm(city: City) -> None:
    """Each asset but a district lies in one of them, and in the box of the city."""
    districts = {asset.name for asset in city.assets.values() if asset.kind == "district"}
    assert districts == {"Hamm-Mitte", "Uentrop", "Rhynern", "Pelkum", "Herringen", "Bockum-Hövel", "Heessen"}
    assert all(asset.district for asset in city.assets.values())
    assert all(7.6 < asset.longitude < 8.0 and 51.5 < asset.latitude < 51.8 for asset in city.assets.values())
