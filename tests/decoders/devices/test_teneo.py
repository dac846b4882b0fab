"""Teneo filling degree: measurements that failed, lengths."""

import pytest

from decoders.error import WrongLength
from tests.decoders.named import decode, named


@pytest.mark.parametrize("status", ["01", "04", "ff"])
def test_a_failed_measurement_has_no_distance(status: str) -> None:
    """Neither the 0 cm that stands there nor the -1 cm of the vendor's decoder, with a number beside it, too."""
    assert "distance" not in named("teneo/filling-degree", 1, "0d0000" + status)
    found = named("teneo/filling-degree", 1, "0d0064" + status + "0753114d")
    assert found == {
        "battery_voltage": 3.3,
        "hardware_status": int(status, 16),
        "air_temperature": 18.75,
        "air_humidity": 44.29,
    }


def test_zero_centimetres_are_no_distance() -> None:
    """A frame without a status that measured nothing."""
    assert named("teneo/filling-degree", 1, "0d0000") == {"battery_voltage": 3.3}


def test_temperatures_are_signed() -> None:
    """Frost is below zero."""
    assert named("teneo/filling-degree", 1, "0e0078fe0c114d")["air_temperature"] == -5


@pytest.mark.parametrize("payload", ["", "0d", "0d00", "0d00000000", "0d000000000000000000"])
def test_other_lengths_are_refused(payload: str) -> None:
    """Three, four, seven or eight bytes."""
    with pytest.raises(WrongLength):
        decode("teneo/filling-degree", 1, payload)
