"""NAS luminaire controllers: heads of several lengths, addresses, truncation."""

import pytest

from decoders.devices.nas import LUMINAIRE
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.measurement import Reading
from decoders.quantity import Quantity

DOCUMENTED = bytes.fromhex("dfd41d5e004b041502ae05050aff32030306ff00")


def levels(payload: bytes) -> dict[str, float]:
    """The dimming levels of a status by address."""
    (measurement,) = LUMINAIRE.decode(24, payload, 0)
    return {item.channel: item.value for item in measurement.readings if item.quantity is Quantity.DIMMING_LEVEL}


def test_of_two_profiles_of_an_address_the_later_holds() -> None:
    """Address 0a twice: 50 %, then 20 %."""
    payload = DOCUMENTED + bytes.fromhex("06060aff14")
    assert levels(payload) == {"single5": 20.0, "single3": 0.0}
    (measurement,) = LUMINAIRE.decode(24, payload, 0)
    assert len([item for item in measurement.readings if item.channel == "single5"]) == 1


def test_of_two_reports_of_an_address_the_later_holds() -> None:
    """Energy twice: 1.5 kWh, then 1.6 kWh."""
    (measurement,) = LUMINAIRE.decode(25, bytes.fromhex("0401dc050000" + "040140060000"), 0)
    assert measurement.readings == (Reading(Quantity.ENERGY_TOTAL, 1.6, "single2"),)


def test_a_status_without_profiles_is_one() -> None:
    """Heads alone: the later one, and the legacy one of six bytes."""
    assert levels(DOCUMENTED[:10]) == {}
    assert levels(bytes(6)) == {}


def test_a_level_beyond_full_is_no_reading() -> None:
    """Zero to a hundred percent are levels."""
    assert levels(DOCUMENTED[:-1] + b"\x64") == {"single5": 50.0, "single3": 100.0}
    assert levels(DOCUMENTED[:-1] + b"\x65") == {"single5": 50.0}


@pytest.mark.parametrize("length", [0, 5, 7, 9, 12, 17, 19])
def test_a_truncated_status_is_refused(length: int) -> None:
    """Less than a head, or a part of a block."""
    with pytest.raises((WrongLength, MalformedPayload)):
        LUMINAIRE.decode(24, DOCUMENTED[:length], 0)


def test_the_last_of_64_drivers() -> None:
    """A short address has six bits."""
    assert levels(DOCUMENTED + bytes.fromhex("06067eff14"))["single63"] == 20.0


@pytest.mark.parametrize("address", [0x03, 0x80, 0xA1])
def test_other_addresses_are_refused(address: int) -> None:
    """Odd ones, and groups, which have no meter."""
    with pytest.raises(MalformedPayload, match="DALI address"):
        LUMINAIRE.decode(25, bytes((address, 0)), 0)


@pytest.mark.parametrize("payload", ["", "04", "0401dc05", "0403dc0500002d", "04000401"])
def test_a_truncated_report_is_refused(payload: str) -> None:
    """No report, no flags, half a value, a second value that is missing, the same in a second report."""
    with pytest.raises(WrongLength):
        LUMINAIRE.decode(25, bytes.fromhex(payload), 0)


def test_the_controllers_lamp_time_is_in_hours() -> None:
    """Drivers count in seconds, the controller in hours."""
    for address, channel, seconds in (("ff", "internal_lamp", 36_000.0), ("02", "single1_lamp", 10.0)):
        (measurement,) = LUMINAIRE.decode(25, bytes.fromhex(address + "80" + "0a000000"), 0)
        assert measurement.readings == (Reading(Quantity.OPERATING_TIME, seconds, channel),)


def test_settings_come_back_as_they_went() -> None:
    """The answer to a configuration is kept whole; without one there is no frame, and digits must be digits."""
    (measurement,) = LUMINAIRE.decode(50, b"\x07\x10\x0e", 0)
    assert measurement.attributes == {"configuration": "07100e"}
    assert LUMINAIRE.encode(50, [], attributes=measurement.attributes) == b"\x07\x10\x0e"
    with pytest.raises(WrongLength):
        LUMINAIRE.decode(50, b"", 0)
    for digits in ("", "0", "zz"):
        with pytest.raises(EncodeError):
            LUMINAIRE.encode(50, [], attributes={"configuration": digits})


def test_an_empty_report_is_not_encoded() -> None:
    """There is nothing to send."""
    with pytest.raises(EncodeError, match="nothing"):
        LUMINAIRE.encode(25, [])
