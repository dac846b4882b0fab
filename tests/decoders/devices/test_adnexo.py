"""Adnexo ax-dist: measurements that are none."""

import pytest

from decoders.error import WrongLength
from tests.decoders.named import decode, named


@pytest.mark.parametrize("f_port", [100, 101, 102])
def test_markers_are_no_readings(f_port: int) -> None:
    """The distance ffff and the temperature 8000."""
    assert named("adnexo/ax-dist", f_port, "ffff00808a0c") == {"battery_voltage": 3.21}


def test_a_distance_that_varied_is_none() -> None:
    """The published invalid measurement: 261.2 cm varied by 62.5 cm, so they are dropped; the rest holds."""
    (measurement,) = decode("adnexo/ax-dist", 104, "340a7102dc008a0c")
    assert {item.quantity.field: item.value for item in measurement.readings} == {
        "air_temperature": 22,
        "battery_voltage": 3.21,
    }
    assert measurement.attributes == {"measurement_variance_cm": "62.5"}


def test_what_came_before_an_unknown_parameter_is_kept() -> None:
    """A configuration with a parameter that is not known ends there."""
    (measurement,) = decode("adnexo/ax-dist", 4, "0506990701")
    assert measurement.attributes == {"send_interval": "6", "unknown_type": "0x99"}


@pytest.mark.parametrize("payload", ["", "340adc008a", "340adc008a0c00"])
def test_other_lengths_are_refused(payload: str) -> None:
    """Six bytes."""
    with pytest.raises(WrongLength):
        decode("adnexo/ax-dist", 100, payload)
