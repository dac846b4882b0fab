"""Frames of printable ASCII."""

import pytest

from decoders.error import EncodeError, MalformedPayload
from decoders.field import Field
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity
from decoders.text_frame import Number, TextFrame, Words

V = Quantity.BATTERY_VOLTAGE
T = Quantity.AIR_TEMPERATURE
LINE = TextFrame(
    "(U", Number(Field(V, "H", divisor=100), (1, 2), 2), "T", Number(Field(T, "b"), (2, 3), signed=True), ")"
)
NAMED = TextFrame("?S:", Words("serial_number"))


@pytest.mark.parametrize(
    ("line", "voltage", "temperature"),
    [("(U3.76T+14)", 3.76, 14), ("(U3.05T-07)", 3.05, -7), ("(U12.50T+100)", 12.5, 100)],
)
def test_numbers(line: str, voltage: float, temperature: float) -> None:
    """Digits, point and sign, there and back."""
    (measurement,) = LINE.decode(line.encode(), 5, {})
    assert measurement == Measurement.of(5, (Reading(V, voltage), Reading(T, temperature)))
    assert LINE.encode(measurement, {}) == line.encode()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "(U3.76T+14",
        "(U3.7T+14)",
        "(U3.76T14)",
        "(U376T+14)",
        "(U3.76T+14)x",
        "(U3.76T+1)",
        "(U3.76T+999)",
        "(U\xb3.76T+14)",
    ],
)
def test_other_lines_are_malformed(line: str) -> None:
    """A line that is cut, longer, of other digits, beyond the range, or no ASCII."""
    with pytest.raises(MalformedPayload):
        LINE.decode(line.encode("latin-1"), 5, {})


def test_words() -> None:
    """The rest of the line is an attribute; none, or one with a blank, is refused."""
    (measurement,) = NAMED.decode(b"?S:00107084", 5, {})
    assert measurement == Measurement.of(5, (), {"serial_number": "00107084"})
    assert NAMED.encode(measurement, {}) == b"?S:00107084"
    for text in ("", "a b"):
        with pytest.raises(EncodeError):
            NAMED.encode(Measurement.of(0, (), {"serial_number": text}), {})
        with pytest.raises(MalformedPayload):
            NAMED.decode(b"?S:" + text.encode(), 5, {})


def test_what_has_too_many_digits_is_refused() -> None:
    """No number is cut."""
    with pytest.raises(EncodeError, match="more than 2 digits"):
        LINE.encode(Measurement.of(0, (Reading(V, 100.0), Reading(T, 1.0))), {})
