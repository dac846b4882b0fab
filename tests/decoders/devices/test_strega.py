"""Strega valves: blocks by position, power, answers, what is no frame."""

import pytest

from decoders.devices.strega import SMART_VALVE
from decoders.error import MalformedPayload, WrongLength
from decoders.quantity import Quantity

HEAD = b"31882"


def values(payload: bytes) -> dict[Quantity, float]:
    """The values of a frame that occur once."""
    (measurement,) = SMART_VALVE.decode(4, payload, 0)
    return {reading.quantity: reading.value for reading in measurement.readings}


def test_letters_inside_binary_words_are_no_blocks() -> None:
    """A temperature and a humidity whose bytes read as letters, then a counter."""
    found = values(HEAD + b"#CVCV" + b"C00000A")
    assert found[Quantity.PULSE_COUNT_TOTAL] == 10
    assert Quantity.INPUT_VOLTAGE not in found


def test_class_and_power_stand_in_the_first_digit() -> None:
    """The digit itself counts on in class C; with external power there is no battery."""
    for first, words in ((0x33, ("A", "battery")), (0xB3, ("C", "battery")), (0x73, ("A", "external"))):
        (measurement,) = SMART_VALVE.decode(4, bytes((first,)) + HEAD[1:], 0)
        assert (measurement.attributes["class"], measurement.attributes["power"]) == words
        battery = values(bytes((first,)) + HEAD[1:]).get(Quantity.BATTERY_VOLTAGE)
        assert battery == (3.188 if words[1] == "battery" else None)


def test_of_two_blocks_of_a_kind_the_later_holds() -> None:
    """Ten, then eleven: one reading."""
    (measurement,) = SMART_VALVE.decode(4, HEAD + b"C00000A" + b"C00000B", 0)
    assert [item.value for item in measurement.readings if item.quantity is Quantity.PULSE_COUNT_TOTAL] == [11.0]


def test_an_answer_is_kept_in_words() -> None:
    """Alone, and behind the status."""
    assert SMART_VALVE.decode(4, b"@2300001F", 0)[0].attributes == {"answer": "2300001F"}
    (measurement,) = SMART_VALVE.decode(4, HEAD + b"@0931", 0)
    assert measurement.attributes["answer"] == "0931"
    assert len(measurement.readings) == 8


def test_an_unknown_letter_keeps_what_came_before() -> None:
    """The counter holds, and the letter is named."""
    (measurement,) = SMART_VALVE.decode(4, HEAD + b"C00000A" + b"X1", 0)
    assert measurement.attributes["unknown_type"] == "0x58"
    assert values(HEAD + b"C00000A" + b"X1")[Quantity.PULSE_COUNT_TOTAL] == 10


@pytest.mark.parametrize("payload", [b"3x882", b"\x0188822", HEAD[:4] + b"\x2f", HEAD[:4] + b"\xb0", HEAD + b"C00000 "])
def test_what_is_no_frame_is_refused(payload: bytes) -> None:
    """Letters in the battery, no digit at all, a status of none, a counter of other letters."""
    with pytest.raises(MalformedPayload):
        SMART_VALVE.decode(4, payload, 0)


@pytest.mark.parametrize("payload", [b"", HEAD[:4], HEAD + b"#123", HEAD + b"C00000"])
def test_truncation_is_refused(payload: bytes) -> None:
    """In the head, and in a block."""
    with pytest.raises(WrongLength):
        SMART_VALVE.decode(4, payload, 0)


@pytest.mark.parametrize("payload", [b"@", HEAD[:4] + b"1@", b"@\0ok"])
def test_an_answer_without_words_is_no_attribute(payload: bytes) -> None:
    """Nothing behind the sign of an answer."""
    (measurement,) = SMART_VALVE.decode(4, payload, 0)
    assert "answer" not in measurement.attributes
