"""Digital Matter trackers: positions that are not of now, two scales of the battery, lengths."""

import pytest

from decoders.devices.digital_matter import OYSTER, OYSTER_3
from decoders.error import EncodeError, WrongLength
from decoders.measurement import Reading
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000
FIX = bytes.fromhex("0030edec003224450000de")
POSITION = {Quantity.LATITUDE, Quantity.LONGITUDE, Quantity.SPEED, Quantity.HEADING}


def quantities(f_port: int, payload: bytes) -> dict[Quantity, float]:
    """The values of a frame by quantity."""
    (measurement,) = OYSTER_3.decode(f_port, payload, NOW_MS)
    return {reading.quantity: reading.value for reading in measurement.readings}


@pytest.mark.parametrize(
    ("f_port", "payload", "at", "bit"),
    [(1, FIX, 8, 2), (4, bytes(9), 8, 2), (33, bytes.fromhex("e825f49b9e872b6a992aab"), 0, 1)],
)
def test_a_cached_position_is_no_reading_of_now(f_port: int, payload: bytes, at: int, bit: int) -> None:
    """The same frame with the bit of a failed fix has no position, speed or heading; battery and motion stay."""
    failed = payload[:at] + bytes((payload[at] | bit,)) + payload[at + 1 :]
    with_fix, without = quantities(f_port, payload), quantities(f_port, failed)
    assert with_fix[Quantity.POSITION_FIX] == 1.0
    assert without[Quantity.POSITION_FIX] == 0.0
    assert with_fix.keys() - without.keys() == POSITION
    assert without[Quantity.BATTERY_VOLTAGE] == with_fix[Quantity.BATTERY_VOLTAGE]


def test_a_fix_without_a_position_is_not_encoded() -> None:
    """The encoder invents no position."""
    with pytest.raises(EncodeError):
        OYSTER.encode(1, [Reading(Quantity.POSITION_FIX, 1.0), Reading(Quantity.MOVING, 1.0)])


@pytest.mark.parametrize(("flags", "volts"), [(0b0010, 5.0), (0b1010, 9.9)])
def test_the_battery_has_two_scales(flags: int, volts: float) -> None:
    """A bit of port 4 says which."""
    assert quantities(4, bytes(7) + bytes((200, flags)))[Quantity.BATTERY_VOLTAGE] == volts


@pytest.mark.parametrize(("f_port", "length"), [(1, 10), (1, 12), (2, 4), (3, 10), (4, 8), (33, 10), (33, 12)])
def test_other_lengths_are_refused(f_port: int, length: int) -> None:
    """A frame that is cut off or too long."""
    with pytest.raises(WrongLength):
        OYSTER_3.decode(f_port, bytes(length), NOW_MS)


def test_southern_and_western_positions_are_negative() -> None:
    """Two's complement in 23 and 24 bits: the published frame of the Oyster 4."""
    values = quantities(33, bytes.fromhex("e825f49b9e872b6a992aab"))
    assert values[Quantity.LATITUDE] == pytest.approx(-8.3333874, abs=1e-7)
    assert values[Quantity.LONGITUDE] == pytest.approx(-169.2850041, abs=1e-7)


@pytest.mark.parametrize("payload", ["becd3be3eb4e5f1e79", "becd3be3eb4e5fffff", "becd3be3eb4e5fff07"])
def test_of_two_scales_the_nearer_is_sent(payload: str) -> None:
    """A battery of 4.46 V is a step of one scale and lies between two of the other."""
    (measurement,) = OYSTER_3.decode(4, bytes.fromhex(payload), NOW_MS)
    again = OYSTER_3.encode(4, measurement.readings)
    assert OYSTER_3.decode(4, again, NOW_MS) == (measurement,)
