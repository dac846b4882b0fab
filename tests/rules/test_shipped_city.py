"""The example city that is shipped."""

import json
from collections import Counter
from pathlib import Path

import pytest

from rules.catalog import RULES
from rules.city import City
from rules.engine import Engine

TEXT = (Path(__file__).parents[2] / "deploy" / "city" / "hamm.geojson").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def city() -> City:
    """The example city."""
    return City.parse(TEXT)


def test_every_rule_accepts_every_asset(city: City) -> None:
    """The engine is made and each lot, container, station and detector has its subjects."""
    engine = Engine(city, RULES)
    ruled = [asset for asset in city.assets if engine.subjects_of(asset)]
    kinds = Counter(asset.kind for asset in city.assets.values())
    ruled_kinds = ("lot", "container", "station", "detector", "zone")
    assert len(ruled) == sum(kinds[kind] for kind in ruled_kinds)


def test_it_says_that_it_is_invented() -> None:
    """A notice in the file itself."""
    assert "invented" in json.loads(TEXT)["notice"]


def test_every_device_is_of_the_simulated_range_and_has_a_model(city: City) -> None:
    """DevEUIs begin with the reserved prefix; model and interval are given."""
    devices = [device for asset in city.assets.values() for device in asset.devices]
    assert len(devices) == 130
    assert all(device.dev_eui.startswith("025354464b") for device in devices)
    assert len({device.model for device in devices}) == 9
    assert all(isinstance(device.properties["interval_s"], int) for device in devices)


def test_it_has_the_seven_districts_of_hamm(city: City) -> None:
    """Each asset but a district lies in one of them, and in the box of the city."""
    districts = {asset.name for asset in city.assets.values() if asset.kind == "district"}
    assert districts == {"Hamm-Mitte", "Uentrop", "Rhynern", "Pelkum", "Herringen", "Bockum-Hövel", "Heessen"}
    assert all(asset.district for asset in city.assets.values())
    assert all(7.6 < asset.longitude < 8.0 and 51.5 < asset.latitude < 51.8 for asset in city.assets.values())
