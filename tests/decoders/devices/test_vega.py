"""VEGAPULS Air: markers per value, units, packets of every number."""

import pytest

from decoders.catalog import codec
from decoders.devices.vega import PACKETS
from decoders.error import DecodeError, EncodeError
from decoders.measurement import Measurement
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000


def decode(payload: str) -> Measurement:
    """The one measurement of a payload."""
    (measurement,) = codec("vega/vegapuls-air").decode(1, bytes.fromhex(payload), NOW_MS)
    return measurement


def values(payload: str) -> dict[str, float]:
    """Readings by name."""
    return {item.quantity.field: item.value for item in decode(payload).readings}


@pytest.mark.parametrize("nan", ["7fffffff", "ffffffff"])
def test_a_position_that_was_not_found_is_none(nan: str) -> None:
    """NaN with or without sign, not attempted or failed, is no position."""
    assert values(f"09 3fa00000 2d 24 {nan} {nan} 0104 20 09") == {
        "distance": 1250.0,
        "battery_level": 36.0,
        "device_temperature": 26.0,
        "tilt_angle": 9.0,
    }


def test_only_8000_is_no_temperature() -> None:
    """8000 is none; a temperature whose second byte is zero is one."""
    assert "device_temperature" not in values("08 3fa00000 2d 24 8000 20 09")
    assert values("08 3fa00000 2d 24 0100 20 09")["device_temperature"] == 25.6


@pytest.mark.parametrize(("unit", "distance"), [("2c", 381.0), ("2d", 1250.0), ("2f", 31.8), ("31", 1.2)])
def test_lengths_have_their_unit(unit: str, distance: float) -> None:
    """1.25 ft, m, in, mm in millimetres."""
    assert values(f"08 3fa00000 {unit} 24 0104 20 09")["distance"] == distance


def test_a_volume_is_no_distance() -> None:
    """A unit that is none of length leaves no distance; the code stays as an attribute."""
    measurement = decode("08 3fa00000 29 24 0104 20 09")
    assert Quantity.DISTANCE not in {reading.quantity for reading in measurement.readings}
    assert measurement.attributes["unit"] == "41"
    assert "device_temperature" not in values("08 3fa00000 2d 24 0104 23 09")


# Bytes of each packet, added up by hand from the packet table.
SIZES = {
    2: 11, 3: 19, 4: 15, 5: 23, 6: 10, 7: 6, 8: 11, 9: 19, 10: 16, 11: 24, 12: 20, 13: 28, 14: 25, 15: 33, 16: 35,
    17: 39, 18: 11, 19: 9, 20: 9, 21: 10, 22: 11, 23: 11, 24: 10, 25: 11, 26: 10, 254: 1,
}  # fmt: skip


@pytest.mark.parametrize("packet", sorted(PACKETS))
def test_every_packet_has_one_length(packet: int) -> None:
    """Each packet decodes at just one length, the sum of its parts."""
    right = []
    for size in range(1, 60):
        try:
            codec("vega/vegapuls-air").decode(1, bytes((packet,)) + bytes(size - 1), NOW_MS)
        except DecodeError:
            continue
        right.append(size)
    assert right == [SIZES[packet]]


@pytest.mark.parametrize("payload", ["", "01", "1b00"])
def test_unknown_packets(payload: str) -> None:
    """An unknown number, or nothing at all, is an error."""
    with pytest.raises(DecodeError):
        decode(payload)


def test_names_and_schedules_are_attributes() -> None:
    """Packet 17 has the names, packet 16 what the device is and does."""
    names = decode("11" + b"Lippe".ljust(19, b"\0").hex() + b"LI-01".ljust(19, b"\0").hex())
    assert names.attributes == {"device_name": "Lippe", "device_tag": "LI-01"}
    assert decode("18 00 0000002a 01020304").attributes == {
        "namur_status": "good",
        "device_type": "42",
        "software_version": "1.2.3.4",
    }


@pytest.mark.parametrize("payload", ["0840a000002c2401a62109", "0860a000002f64fefc2109", "0840a00000310180002009"])
def test_units_of_the_sender_are_sent_again(payload: str) -> None:
    """Feet, inches, millimetres, °F: the same readings and the same words."""
    measurement = decode(payload)
    again = codec("vega/vegapuls-air").encode(1, measurement.readings, None, measurement.attributes)
    assert decode(again.hex()) == measurement


@pytest.mark.parametrize("name", ["unit", "temperature_unit"])
def test_units_without_a_meaning_carry_nothing(name: str) -> None:
    """A distance in kilograms, a temperature in a unit that is none."""
    measurement = decode("0840a000002d2401a62009")
    with pytest.raises(EncodeError, match="is none of a"):
        codec("vega/vegapuls-air").encode(1, measurement.readings, None, {**measurement.attributes, name: "61"})
