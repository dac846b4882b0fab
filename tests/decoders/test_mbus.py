"""M-Bus records: headers, codings, values that are none, units."""

import struct

import pytest

from decoders.error import DecodeError, MalformedPayload, WrongLength
from decoders.field import Field
from decoders.mbus import SCALES, Record, records
from decoders.mbus_frame import Records, Value
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity

VALUES = Records((Value(b"\x04\x06", Field(Quantity.ENERGY_TOTAL, "i")),))


def only(text: str) -> Record:
    """The one record of these bytes."""
    (record,) = records(bytes.fromhex(text))
    return record


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("010680", None),
        ("0106ff", -1),
        ("02060080", None),
        ("0206fe7f", 0x7FFE),
        ("0306ffffff", -1),
        ("040600000080", None),
        ("0406ffffff7f", 0x7FFFFFFF),
        ("0606000000000080", None),
        ("07060100000000000000", 1),
        ("0906 42", 42),
        ("0a06 3412", 1234),
        ("0a06 34f2", -234),
        ("0b06 563412", 123456),
        ("0c06 785634f2", -2345678),
        ("0c06 7856341a", None),
        ("0e06 907856341200", 1234567890),
        ("0006", None),
        ("0d06 03414243", None),
    ],
)
def test_codings(text: str, number: int | None) -> None:
    """Integers of every size with their invalid value, decimals with sign, what is no number."""
    assert only(text).number == number


@pytest.mark.parametrize(("real", "number"), [(1.5, 1.5), (float("nan"), None), (float("inf"), None), (0.1, 0.1)])
def test_floats(real: float, number: float | None) -> None:
    """A float is rounded to what it can mean; NaN and infinity are none."""
    assert only("0506" + struct.pack("<f", real).hex()).number == number


@pytest.mark.parametrize(
    ("header", "channel"),
    [
        ("0106", ""),
        ("1106", "max"),
        ("2106", "min"),
        ("4106", "storage1"),
        ("811006", "tariff1"),
        ("813006", "tariff3"),
        ("810106", "storage2"),
        ("c10106", "storage3"),
        ("814006", "input1"),
        ("81804006", "input2"),
        ("81c04006", "input3"),
        ("911106", "max_storage2_tariff1"),
        ("81901006", "tariff5"),
    ],
)
def test_addresses(header: str, channel: str) -> None:
    """Function, storage number, tariff and subunit, over several extensions."""
    assert only(header + "01").head.channel == channel


def test_a_faulty_value_is_none() -> None:
    """The function that says so wins over the bytes."""
    assert only("310605").number is None


def test_fillers_are_skipped_and_a_makers_own_bytes_end() -> None:
    """2f between records, 0f before bytes that only the maker understands."""
    found = list(records(bytes.fromhex("2f2f0106052f010607 0fffffff")))
    assert [record.number for record in found] == [5, 7]


@pytest.mark.parametrize("text", ["01", "0106", "81", "8101", "0186", "04060102 03", "0d06", "0d060141 41"[:4] + "06"])
def test_truncation_is_refused(text: str) -> None:
    """In the header, in the value, in a text."""
    with pytest.raises(WrongLength):
        list(records(bytes.fromhex(text)))


@pytest.mark.parametrize("text", ["0d06c0", "0f8106"[2:] + "", "3f06", "01" + "86" * 11 + "06" + "01"])
def test_what_is_no_record_is_refused(text: str) -> None:
    """A length of no text, a coding of no value, a header without end."""
    with pytest.raises(DecodeError):
        list(records(bytes.fromhex(text)))


@pytest.mark.parametrize(
    ("vif", "value", "unit"),
    [
        ("03", 1, 0.001),
        ("06", 1, 1),
        ("0e", 36, 10),
        ("fb00", 1, 100),
        ("fb01", 1, 1000),
        ("fb08", 36, 1000),
        ("fb0d", 1, 1.163),
    ],
)
def test_energies_in_kwh(vif: str, value: int, unit: float) -> None:
    """Wh, kWh, MJ, MWh, GJ and Mcal."""
    (measurement,) = VALUES.decode(bytes.fromhex("01" + vif) + bytes((value,)), 5, {})
    assert measurement.readings[0].value == pytest.approx(unit)


@pytest.mark.parametrize(
    ("vif", "quantity", "value"),
    [
        ("13", Quantity.VOLUME_TOTAL, 1),
        ("16", Quantity.VOLUME_TOTAL, 1000),
        ("2b", Quantity.POWER, 1),
        ("30", Quantity.POWER, 1 / 3600),
        ("3b", Quantity.VOLUME_FLOW, 1),
        ("5a", Quantity.FLOW_TEMPERATURE, 0.1),
        ("5f", Quantity.RETURN_TEMPERATURE, 1),
        ("65", Quantity.EXTERNAL_TEMPERATURE, 0.01),
    ],
)
def test_units(vif: str, quantity: Quantity, value: float) -> None:
    """Litres, watts, litres an hour, degrees."""
    scale = SCALES[bytes.fromhex(vif)]
    assert scale.quantity is quantity
    assert scale.multiplier / scale.divisor == pytest.approx(value)


def test_what_the_values_do_not_list_is_no_reading() -> None:
    """Another channel, another quantity, another meaning."""
    (measurement,) = VALUES.decode(bytes.fromhex("410601 011301 01ff0101 010602"), 5, {})
    assert [(item.quantity, item.value) for item in measurement.readings] == [(Quantity.ENERGY_TOTAL, 2.0)]


def test_the_later_of_two_holds() -> None:
    """One quantity and channel is one reading."""
    (measurement,) = VALUES.decode(bytes.fromhex("010601 010602"), 5, {})
    assert [item.value for item in measurement.readings] == [2.0]


def test_no_record_is_no_frame() -> None:
    """An empty payload."""
    with pytest.raises(WrongLength):
        VALUES.decode(b"", 5, {})


def test_a_coding_of_no_value_is_named() -> None:
    """The special coding 8 is for read-out requests and has no value, f none at all."""
    with pytest.raises(MalformedPayload, match="coding"):
        list(records(bytes.fromhex("3f0601")))


@pytest.mark.parametrize(
    ("value", "payload"),
    [
        (12.0, "04060c000000"),
        (12.3, "0405" + "7b000000"),
        (5e9, "04fb01" + "404b4c00"),
        (5_000_000_000.5, "0705" + "05743ba40b000000"),
        (0.000001234567, "05" + "00" + struct.pack("<f", 1.234567).hex()),
        (0.123456789012, "040600000000"),
    ],
)
def test_a_number_is_sent_in_a_unit_that_carries_it(value: float, payload: str) -> None:
    """In the meter's own unit, in a finer one, in more bytes, as a float; rounded only where none of them does."""
    wanted = Measurement.of(0, (Reading(Quantity.ENERGY_TOTAL, value),))
    assert VALUES.encode(wanted, {}) == bytes.fromhex(payload)
