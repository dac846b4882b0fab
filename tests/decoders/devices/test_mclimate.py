"""MClimate: the thermistor's bit, answers before a measurement."""

import pytest

from decoders.catalog import codec
from decoders.error import DecodeError
from decoders.measurement import Measurement
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000


def decode(payload: str, model: str = "ht") -> Measurement:
    """The one measurement of a payload."""
    (measurement,) = codec(f"mclimate/{model}").decode(2, bytes.fromhex(payload), NOW_MS)
    return measurement


def value(measurement: Measurement, quantity: Quantity) -> float | None:
    """The value of a quantity."""
    return next((item.value for item in measurement.readings if item.quantity is quantity), None)


@pytest.mark.parametrize(
    ("word", "celsius"), [("0000", 0.0), ("00d7", 21.5), ("fbff", 102.3), ("04d7", None), ("0400", None)]
)
def test_a_thermistor_that_is_not_connected(word: str, celsius: float | None) -> None:
    """Bit 10 says that there is none; without it 0 °C is a temperature."""
    assert value(decode("0102058080" + word), Quantity.EXTERNAL_TEMPERATURE) == celsius


def test_a_zero_digit_counts() -> None:
    """0205 is 517: 11.7 °C; the vendor's decoder reads 25 and gives -36.3 °C."""
    assert value(decode("01020580800400"), Quantity.AIR_TEMPERATURE) == 11.7


def test_answers_stand_before_the_measurement() -> None:
    """Both are read; an unknown answer after a measurement leaves the measurement."""
    both = decode("1b01" + "01020580800400")
    assert (both.attributes["uplink_type"], value(both, Quantity.AIR_TEMPERATURE)) == ("1", 11.7)
    assert value(decode("01020580800400" + "7f00"), Quantity.AIR_TEMPERATURE) == 11.7


@pytest.mark.parametrize("payload", ["", "7f", "0102058080", "1b"])
def test_broken_frames(payload: str) -> None:
    """Truncated and unknown commands are errors."""
    with pytest.raises(DecodeError):
        decode(payload)


def test_bits_do_not_reach_into_each_other() -> None:
    """Each field of the AQI's frame with all its bits, the others zero."""
    fields = {
        "ff80000000000000": Quantity.AIR_QUALITY_INDEX,
        "0000ff0000000000": None,
        "000000ff00000000": Quantity.TVOC,
        "00000000ff000000": Quantity.AIR_HUMIDITY,
        "0000000000ffe000": Quantity.AIR_PRESSURE,
        "0000000000000ffc": Quantity.AIR_TEMPERATURE,
    }
    nothing = {(item.quantity, item.channel): item.value for item in decode("01" + "00" * 9, "aqi").readings}
    for bits, quantity in fields.items():
        found = decode("01" + bits + "00", "aqi").readings
        changed = {item.quantity for item in found if item.value != nothing[item.quantity, item.channel]}
        assert changed == ({Quantity.CO2} if quantity is None else {quantity})
