"""Xter Connect: values packed without gaps."""

import pytest

from decoders.catalog import codec
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.measurement import Reading
from decoders.quantity import Quantity
from tests.decoders.named import decode, named


def test_absent_values_take_no_room() -> None:
    """The presence bits alone say what follows, here two temperatures in three bytes."""
    assert named("xter/connect", 2, "2000000cfff064") == {
        "device_clock": 0,
        "device_temperature": -0.1,
        "external_temperature": 10,
    }


@pytest.mark.parametrize("payload", ["", "10", "101337", "101337ff12", "10133700ff", "0001000f0a"])
def test_other_lengths_than_the_bits_say_are_refused(payload: str) -> None:
    """Missing and surplus bytes are errors."""
    with pytest.raises(WrongLength):
        decode("xter/connect", 2, payload)


def test_an_unknown_message_is_malformed() -> None:
    """Only four kinds are known."""
    with pytest.raises(MalformedPayload):
        decode("xter/connect", 2, "40133700")


def test_a_clock_that_is_none_gives_no_reading() -> None:
    """Hour 25 is left out, the counts stay."""
    assert named("xter/connect", 2, "1019008005") == {"people_count.pio0": 5}


def test_what_does_not_fit_twelve_bits_is_refused() -> None:
    """Neither a count nor a temperature is cut."""
    clock = Reading(Quantity.DEVICE_CLOCK, 0.0)
    for reading in (Reading(Quantity.PEOPLE_COUNT, 4096.0, "pio2"), Reading(Quantity.DEVICE_TEMPERATURE, 205.0)):
        with pytest.raises(EncodeError):
            codec("xter/connect").encode(2, [clock, reading])
