"""EMU Professional II: the meter's time, checksum, large energies, unknown types."""

import pytest

from decoders.devices.emu import PROFESSIONAL_II, checksum
from decoders.error import MalformedPayload, WrongLength
from decoders.measurement import Reading
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000
PUBLISHED = bytes.fromhex("b4d77b6101b4d77b61031207000039")


def frame(values: str) -> bytes:
    """Values behind a clock that is not set, with their checksum."""
    body = bytes(4) + bytes.fromhex(values)
    return body + bytes((checksum(body),))


def test_a_readout_has_the_meters_time() -> None:
    """The published readout is of when the meter says; one without a clock is of now."""
    assert PROFESSIONAL_II.decode(1, PUBLISHED, NOW_MS)[0].time_ms == 1_635_506_100_000
    assert PROFESSIONAL_II.decode(1, frame("0b01000000"), NOW_MS)[0].time_ms == NOW_MS


def test_a_wrong_checksum_is_refused() -> None:
    """Every single flipped bit of the published readout."""
    for bit in range(8 * len(PUBLISHED)):
        broken = bytearray(PUBLISHED)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(MalformedPayload, match="checksum"):
            PROFESSIONAL_II.decode(1, bytes(broken), NOW_MS)


def test_64_bits_count() -> None:
    """2^40 Wh, of which 32 bits would leave nothing; an energy too large for 32 bits is sent in 64."""
    (measurement,) = PROFESSIONAL_II.decode(1, frame("24" + "0000000000010000"), NOW_MS)
    assert measurement.readings == (Reading(Quantity.ENERGY_TOTAL, 2**40 / 1000, "import_tariff1"),)
    assert PROFESSIONAL_II.encode(1, measurement.readings) == frame("24" + "0000000000010000")


def test_powers_and_factors_have_a_sign() -> None:
    """What flows back is negative."""
    (measurement,) = PROFESSIONAL_II.decode(1, frame("0b18fcffff" + "17c4"), NOW_MS)
    assert measurement.readings == (
        Reading(Quantity.POWER, -1000.0),
        Reading(Quantity.POWER_FACTOR, -0.6, "l1"),
    )


def test_an_unknown_type_keeps_what_came_before() -> None:
    """The power holds, the type is named; alone it is refused."""
    (measurement,) = PROFESSIONAL_II.decode(1, frame("0b01000000" + "8001"), NOW_MS)
    assert measurement.readings == (Reading(Quantity.POWER, 1.0),)
    assert measurement.attributes == {"unknown_type": "0x80"}
    with pytest.raises(MalformedPayload):
        PROFESSIONAL_II.decode(1, frame("8001"), NOW_MS)


def test_two_bytes_are_a_sign_of_life() -> None:
    """No reading, no error; nothing at all is none."""
    assert PROFESSIONAL_II.decode(1, b"\x01\x02", NOW_MS)[0].readings == ()
    for length in (0, 3, 5):
        with pytest.raises(WrongLength):
            PROFESSIONAL_II.decode(1, bytes(length), NOW_MS)
