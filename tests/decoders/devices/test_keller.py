"""KELLER: channels by bits."""

import pytest

from decoders.catalog import codec
from decoders.error import DecodeError, EncodeError, MalformedPayload, WrongLength
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000


def decode(payload: str) -> Measurement:
    """The one measurement of a payload."""
    (measurement,) = codec("keller/level").decode(1, bytes.fromhex(payload), NOW_MS)
    return measurement


def test_nan_is_no_pressure() -> None:
    """A channel without value is NaN; the channels beside it hold."""
    readings = decode("01030003" + "7fc00000" + "3f800000").readings
    assert readings == (Reading(Quantity.WATER_PRESSURE, 1.0, "p1"),)


def test_the_connection_says_what_a_bit_means() -> None:
    """Bit 0 is P1 - P2 of a transmitter without barometer, P1 against air of one with it."""
    assert decode("01000001" + "3f800000").readings[0].channel == "p1_p2"
    assert decode("01020001" + "3f800000").readings[0].channel == "p1_baro"


def test_numbers_without_unit_are_attributes() -> None:
    """What an SDI-12 sensor says has no unit that we know."""
    measurement = decode("01070010" + "42280000")
    assert (measurement.readings, measurement.attributes["sdi12_1"]) == ((), "42")


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ("", MalformedPayload),
        ("0103", WrongLength),
        ("01030003" + "3f800000", WrongLength),
        ("01030001" + "3f80000000", WrongLength),
        ("010c0001" + "3f800000", MalformedPayload),
        ("01030100" + "3f800000", MalformedPayload),
        ("02030001" + "3f800000", MalformedPayload),
    ],
)
def test_broken_frames(payload: str, error: type[DecodeError]) -> None:
    """Unknown functions, connections and channels, and lengths that do not fit the bits."""
    with pytest.raises(error):
        decode(payload)


def test_only_channels_of_one_connection_go_together() -> None:
    """A frame has the channels of its connection type, and of no other."""
    level = codec("keller/level")
    pulse = Reading(Quantity.PULSE_COUNT_TOTAL, 7.0)
    raw = Reading(Quantity.WATER_CONDUCTIVITY, 100.0, "raw")
    with pytest.raises(EncodeError, match="no connection type"):
        level.encode(1, [pulse, raw])
    with pytest.raises(EncodeError, match="connection_type = '12'"):
        level.encode(1, [pulse], attributes={"connection_type": "12"})
    assert level.encode(1, [pulse], attributes={"connection_type": "8"})[1] == 8
    with pytest.raises(EncodeError, match="no connection type"):
        level.encode(1, [])
