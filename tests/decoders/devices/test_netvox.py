"""Netvox: absent sensors, mains, report types."""

import pytest

from decoders.catalog import codec
from decoders.error import DecodeError, MalformedPayload
from decoders.measurement import Reading
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000


def decode(payload: str, model: str = "ra0715") -> dict[str, float]:
    """Readings by name, without the battery's."""
    (measurement,) = codec(f"netvox/{model}").decode(6, bytes.fromhex(payload), NOW_MS)
    return {
        f"{item.quantity.field}/{item.channel}" if item.channel else item.quantity.field: item.value
        for item in measurement.readings
        if item.channel != "battery"
    }


@pytest.mark.parametrize("kind", [*range(1, 10), 11, 12, 13, 14])
def test_all_ones_are_no_sensor(kind: int) -> None:
    """Sensors that are not connected give nothing, -0.01 °C least of all."""
    assert decode(f"0105{kind:02x}00ffffffffffff00") == {}


def test_a_short_absence_marker() -> None:
    """The fourth value of the soil report has one byte of its own."""
    assert decode("01050a00ffffffffffffff") == {}
    assert decode("01050a00ffffffffffff0c") == {"soil_conductivity": 1200.0}


def test_mains_is_no_battery_of_0_volt() -> None:
    """A battery byte of zero says mains; its upper bit alone says low."""
    assert "battery_voltage" not in decode("0105020000010002000300")
    (measurement,) = codec("netvox/ra0715").decode(6, bytes.fromhex("0105029f00010002000300"), NOW_MS)
    assert Reading(Quantity.BATTERY_VOLTAGE, 3.1) in measurement.readings
    assert Reading(Quantity.ALARM, 1.0, "battery") in measurement.readings


def test_gases_are_tenths_of_ppm() -> None:
    """1 is 0.1 ppm, which is 100 ppb."""
    assert decode("0105050000010002000300") == {"o3": 100.0, "co": 200.0, "no": 300.0}


def test_ra0716_has_its_own_report() -> None:
    """Type 1 of an RA0716 begins with the temperature."""
    assert decode("01350100ff9c1a90012c00", "ra0716") == {
        "air_temperature": -1.0,
        "air_humidity": 68.0,
        "pm2_5": 300.0,
    }
    with pytest.raises(MalformedPayload, match="report type 2"):
        decode("01350200ff9c1a90012c00", "ra0716")


@pytest.mark.parametrize("payload", ["", "0105", "010502780064", "01050278006400c802bc0000", "02050278006400c802bc00"])
def test_broken_frames(payload: str) -> None:
    """Another length or payload version is an error."""
    with pytest.raises(DecodeError):
        decode(payload)


def test_refused_configuration() -> None:
    """An answer other than zero is told as the number that it is."""
    (measurement,) = codec("netvox/ra0715").decode(7, bytes.fromhex("8105010000000000000000"), NOW_MS)
    assert measurement.attributes["outcome"] == "1"


def test_an_unknown_report_type_is_named() -> None:
    """All eight bits of the type count."""
    with pytest.raises(MalformedPayload, match="report type 18"):
        decode("01051278006400c802bc00")
