"""Tinovi: sensors by flags."""

import pytest

from decoders.catalog import codec
from decoders.error import DecodeError
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000


def decode(payload: str) -> dict[Quantity, float]:
    """Readings without those of soil's second sensor."""
    (measurement,) = codec("tinovi/pm-io-5-sm").decode(1, bytes.fromhex(payload), NOW_MS)
    return {item.quantity: item.value for item in measurement.readings if item.channel != "second"}


def test_sensors_come_in_the_vendors_order() -> None:
    """The pulse counter (flag 4) stands before the second soil sensor (flag 3)."""
    readings = decode("184d" + "00000007" + "04d2007bff380015")
    assert readings[Quantity.PULSE_COUNT_TOTAL] == 7.0
    assert Quantity.SOIL_MOISTURE not in readings


def test_a_pressure_of_65536_pascal_is_none() -> None:
    """The marker of a sensor that did not answer."""
    assert Quantity.AIR_PRESSURE not in decode("024dfe3e1fc23cb0")
    assert decode("024dfe3e1fc23cb1")[Quantity.AIR_PRESSURE] == 655.37


def test_further_flags_may_be_empty() -> None:
    """One more byte without a leaf sensor is none; with its flag and values it is one."""
    assert decode("004d00") == decode("004d")
    assert decode("004d02138800fa")[Quantity.LEAF_WETNESS] == 50.0


@pytest.mark.parametrize("payload", ["", "00", "014d04d2", "004d02", "004d0213", "004d03138800fa", "004d02138800fa00"])
def test_broken_frames(payload: str) -> None:
    """Sensors whose values are missing, and bytes that belong to none."""
    with pytest.raises(DecodeError):
        decode(payload)
