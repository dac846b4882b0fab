"""Sentinum Febris: parts by length, earlier values."""

import pytest

from decoders.catalog import codec
from decoders.error import WrongLength

NOW_MS = 1_800_000_000_000
HEAD = "112302195204e32103cd069e01"


def decode(payload: str) -> dict[str, float]:
    """Readings by name."""
    (measurement,) = codec("sentinum/febris-co2").decode(1, bytes.fromhex(payload), NOW_MS)
    return {
        f"{item.quantity.field}/{item.channel}" if item.channel else item.quantity.field: item.value
        for item in measurement.readings
    }


def test_earlier_values_are_stepped_over() -> None:
    """Two earlier values of seven bytes between head and dew point change nothing."""
    assert decode(HEAD + "0205" + "aa" * 14 + "6c") == decode(HEAD + "0005" + "6c")
    assert decode(HEAD + "0005" + "6c")["dew_point"] == 8.0


def test_zero_is_no_reading() -> None:
    """No CO2 sensor sends 0 ppm and 0 hPa; no dew point is 0, which would be -100 °C."""
    readings = decode("112302195204e3210000000001" + "0005" + "00")
    assert not {"co2", "air_pressure", "dew_point"} & readings.keys()


@pytest.mark.parametrize("payload", ["", HEAD, HEAD + "0005" + "6c7b", HEAD + "0105" + "6c", HEAD + "0005" + "6c" * 5])
def test_other_lengths(payload: str) -> None:
    """Lengths that no set of parts has."""
    with pytest.raises(WrongLength):
        decode(payload)
