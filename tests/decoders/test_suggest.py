"""Mapping tables proposed for unknown objects."""

import json
from typing import Any

import pytest
from hypothesis import given

from decoders.mapping import parse
from decoders.quantity import Quantity
from decoders.suggest import proposals, table
from tests.decoders.published import VECTORS
from tests.decoders.test_mapping import JSON, NOW_MS


def proposed(found: dict[str, Any]) -> dict[str, tuple[Quantity | None, str, bool]]:
    """What is proposed, by path."""
    return {item.path: (item.quantity, item.unit, item.sure) for item in proposals(found)}


@pytest.mark.parametrize(
    ("name", "value", "quantity", "unit"),
    [
        ("temperature", 21.5, Quantity.AIR_TEMPERATURE, ""),
        ("soil_temperature_f", 60, Quantity.SOIL_TEMPERATURE, "°F"),
        ("battery_voltage_mv", 3600, Quantity.BATTERY_VOLTAGE, "mV"),
        ("distance_cm", 143, Quantity.DISTANCE, "cm"),
        ("CO2_ppm", 612, Quantity.CO2, ""),
        ("TempC_SHT", "19.5", Quantity.AIR_TEMPERATURE, ""),
    ],
)
def test_a_clear_name_is_sure(name: str, value: object, quantity: Quantity, unit: str) -> None:
    """A known name, with a unit at its end where it has one."""
    assert proposed({name: value})[name] == (quantity, unit, True)


def test_what_is_like_a_name_is_only_a_hint() -> None:
    """A near miss stands in comments, a stranger names the value and no quantity."""
    text = table({"temprature": 21.5, "zork": 3, "co2": 500})
    assert '# path = "temprature"\n# quantity = "air_temperature"' in text
    assert "# zork = 3: no quantity is like it" in text
    assert [entry.quantity for entry in parse(text, "t").entries] == [Quantity.CO2]


def test_second_of_a_quantity_gets_a_channel() -> None:
    """Two temperatures are two series."""
    text = table({"a": {"temperature": 1}, "b": {"temperature": 2}})
    readings = parse(text, "t").measurement({"a": {"temperature": 1}, "b": {"temperature": 2}}, NOW_MS).readings
    assert [(item.value, item.channel) for item in readings] == [(1.0, ""), (2.0, "b_temperature")]


@pytest.mark.parametrize(("value", "clock"), [(1_700_000_000, "unix_s"), (1_700_000_000_000, "unix_ms")])
def test_a_time_is_recognised(value: int, clock: str) -> None:
    """A timestamp becomes the time of the measurement."""
    text = table({"timestamp": value, "co2": 500})
    assert f'as = "{clock}"' in text
    assert parse(text, "t").measurement({"timestamp": value, "co2": 500}, 0).time_ms == 1_700_000_000_000


def test_one_time_is_enough() -> None:
    """Of two values that look like times the first is the measurement's."""
    text = table({"timestamp": 1_700_000_000, "timeStamp": 1, "co2": 500})
    assert text.count("time = {") == 1
    assert parse(text, "t").measurement({"timestamp": 1_700_000_000, "co2": 1}, 0).time_ms == 1_700_000_000_000


def test_a_value_called_value_hides_no_other() -> None:
    """At the top it is one of many; only inside of a value does it stand for that."""
    assert proposed({"value": 3, "temperature": 21.5}).keys() == {"value", "temperature"}
    assert proposed({"a": {"temperature": {"value": 21, "unit": "°C"}}}).keys() == {"a.temperature"}


def test_stated_units_are_used() -> None:
    """{value, unit} says its own unit; one that does not fit makes the proposal unsure."""
    assert proposed({"temperature": {"value": 70, "unit": "°F"}})["temperature"] == (
        Quantity.AIR_TEMPERATURE,
        "°F",
        True,
    )
    assert proposed({"temperature": {"value": 70, "unit": "V"}})["temperature"][2] is False


@given(found=JSON)
def test_any_object_gets_a_readable_table(found: Any) -> None:  # noqa: ANN401 - JSON
    """The proposal is TOML that `parse` takes, or has no line to take."""
    text = table({"object": found, "co2": 1})
    assert any(entry.quantity is Quantity.CO2 for entry in parse(text, "t").entries)


def test_published_objects_get_a_table() -> None:
    """The objects of published vectors lead to tables that can be read."""
    for vector in VECTORS:
        if isinstance(vector.expected, dict):
            text = table({**vector.expected, "co2": 1})
            assert parse(text, json.dumps(vector.file)).entries


def test_an_object_as_deep_as_a_parser_makes_it() -> None:
    """Its values are proposed in order, each with its whole path."""
    found: dict[str, Any] = {"co2": 612, "z": 10**400}
    for _ in range(1500):
        found = {"x": found}
    assert [item.value for item in proposals({"first": 1, **found, "last": [2, {"y": 3}]})] == [1, 612, 10**400, 2, 3]
    assert '.co2"' in table(found)
