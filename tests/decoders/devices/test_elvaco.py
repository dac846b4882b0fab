"""Elvaco CMi41xx: registers in error, text, unknown formats."""

import pytest

from decoders.devices.elvaco import CMI41XX, Text
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.measurement import Reading
from decoders.quantity import Quantity

EXTENDED = bytes.fromhex("3f0c0638418900bc100600000000bc200600000000bc3006000000000c7898979670046d3a2b303a")


def test_registers_in_error_are_no_readings() -> None:
    """The tariffs of the published frame are marked as faulty; the meter's number and time behind them count."""
    (measurement,) = CMI41XX.decode(1, EXTENDED, 5)
    assert measurement.readings == (Reading(Quantity.ENERGY_TOTAL, 894138.0),)
    assert measurement.attributes == {"message_format": "3f", "meter_id": "70969798", "meter_time": "2025-10-16T11:58"}


def test_an_attribute_of_every_kind_is_encoded() -> None:
    """Meter number, clock and error flags decode to what was encoded."""
    attributes = {
        "message_format": "00",
        "meter_id": "00000017",
        "meter_time": "2026-02-03T04:05",
        "error_flags": "513",
    }
    readings = [Reading(Quantity.POWER, -250.0)]
    (measurement,) = CMI41XX.decode(1, CMI41XX.encode(1, readings, attributes=attributes), 5)
    assert measurement.attributes == attributes
    assert list(measurement.readings) == readings


@pytest.mark.parametrize(
    "words", [{"meter_id": "12"}, {"meter_id": "xx"}, {"error_flags": "70000"}, {"meter_time": "1"}]
)
def test_an_attribute_that_does_not_fit_is_refused(words: dict[str, str]) -> None:
    """A number of other length, words that are none."""
    with pytest.raises(EncodeError):
        CMI41XX.encode(1, [Reading(Quantity.POWER, 1.0)], attributes=words)


@pytest.mark.parametrize("payload", ["", "0e0c0635418900", "ff", "2b"])
def test_an_unknown_format_is_refused(payload: str) -> None:
    """Formats that no manual lists."""
    with pytest.raises(MalformedPayload, match="message format"):
        CMI41XX.decode(1, bytes.fromhex(payload), 5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"E":"x","U":"kWh","ID":"1"}',
        '{"E":"1","U":"calories","ID":"1"}',
        '{"E":NaN,"U":"kWh","ID":"1"}',
    ],
)
def test_other_text_is_refused(text: str) -> None:
    """Text that is no object of energy, unit and number."""
    with pytest.raises(MalformedPayload):
        CMI41XX.decode(1, b"\x02" + text.encode(), 5)


@pytest.mark.parametrize(("unit", "kwh"), [("Wh", 0.0036), ("kWh", 3.6), ("MWh", 3600), ("MJ", 1), ("GJ", 1000)])
def test_text_is_converted(unit: str, kwh: float) -> None:
    """An energy of 3.6 in each unit, in kWh."""
    (measurement,) = CMI41XX.decode(1, b'\x07{"E":3.6,"U":"%s","ID":7}' % unit.encode(), 5)
    assert measurement.readings[0].value == pytest.approx(kwh)


def test_text_is_encoded_if_asked_for() -> None:
    """The published text, from its readings and its format; the number goes out as text."""
    wanted = b'\x02{"E":"894137","U":"kWh","ID":"70969798"}'
    (measurement,) = CMI41XX.decode(1, wanted, 5)
    assert Text().encode(measurement, {}) == wanted


@pytest.mark.parametrize("length", [1, 2, 4, 6, 8, 10])
def test_a_truncated_record_is_refused(length: int) -> None:
    """No record, half a header, half a value."""
    with pytest.raises(WrongLength):
        CMI41XX.decode(1, EXTENDED[:length], 5)


@pytest.mark.parametrize("energy", ["-1.5", "0.1", "1e20"])
def test_parts_of_a_kilowatt_hour_are_sent_as_text(energy: str) -> None:
    """What a text said in GJ is said in kWh to the last digit."""
    (measurement,) = CMI41XX.decode(1, b'\x02{"E":"%b","U":"GJ","ID":"7"}' % energy.encode(), 5)
    payload = CMI41XX.encode(1, measurement.readings, attributes=measurement.attributes)
    assert CMI41XX.decode(1, payload, 5) == (measurement,)


@pytest.mark.parametrize("energy", [b"1e308", b"1" + b"0" * 400])
def test_an_energy_beyond_all_numbers_is_refused(energy: bytes) -> None:
    """A number that only its unit makes infinite, and one that no float can hold."""
    with pytest.raises(MalformedPayload):
        CMI41XX.decode(1, b'\x02{"E":%b,"U":"MWh","ID":"7"}' % energy, 5)


def test_a_meter_without_a_number_has_no_attribute() -> None:
    """Attributes are never empty."""
    (measurement,) = CMI41XX.decode(1, b'\x02{"E":1,"U":"kWh","ID":""}', 5)
    assert measurement.attributes == {"message_format": "02"}
