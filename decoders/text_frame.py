"""Frames of printable ASCII as tables: literals, numbers of a fixed look, words.

TextFrame("C0:", Number(Field(Quantity.DISTANCE, "H"), digits=(4, 5)))
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from decoders.codec import CodecField
from decoders.error import EncodeError, MalformedPayload
from decoders.field import Field, Given
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading

SHOWN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal number: its digits without the point are the field's raw value.

    `digits` are the fewest and the most before the point, `decimals` those behind it; `signed` numbers always have a
    sign.
    """

    field: Field
    digits: tuple[int, int]
    decimals: int = 0
    signed: bool = False

    @property
    def pattern(self) -> str:
        """The regular expression of the number."""
        least, most = self.digits
        point = rf"\.[0-9]{{{self.decimals}}}" if self.decimals else ""
        return f"({'[+-]' if self.signed else ''}[0-9]{{{least},{most}}}{point})"

    def read(self, text: str) -> Reading | None:
        """The reading of the number, or None where it means none; MalformedPayload beyond the field's range."""
        raw = int(text.replace(".", ""))
        low, high = self.field.raw_range()
        if not low <= raw <= high:
            raise MalformedPayload(f"{self.field.quantity.field}: {text} is beyond what can be")
        return self.field.read(raw)

    def write(self, given: Given) -> str:
        """The number of the given reading; raises EncodeError."""
        raw = int(self.field.write(given))
        whole, part = divmod(abs(raw), 10**self.decimals)
        if len(str(whole)) > self.digits[1]:
            raise EncodeError(f"{self.field.quantity.field}: {whole} has more than {self.digits[1]} digits")
        sign = ("-" if raw < 0 else "+") if self.signed else ""
        return f"{sign}{whole:0{self.digits[0]}}" + (f".{part:0{self.decimals}}" if self.decimals else "")


@dataclass(frozen=True, slots=True)
class Words:
    """The rest of the line as an attribute."""

    name: str
    pattern: str = "([!-~]+)"

    def write(self, given: Given) -> str:
        """The given attribute; raises EncodeError."""
        text = given.attributes.pop(self.name, "")
        if not re.fullmatch(self.pattern, text):
            raise EncodeError(f"{self.name} = {text!r} cannot be sent")
        return text


class TextFrame:
    """A line of literals, numbers and words, which must match as a whole."""

    __slots__ = ("_parts", "_pattern", "_values")

    def __init__(self, *parts: str | Number | Words) -> None:
        self._parts = parts
        self._values = tuple(part for part in parts if not isinstance(part, str))
        self._pattern = re.compile("".join(_pattern(part) for part in parts))

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement at the given time."""
        match = self._pattern.fullmatch(payload.decode("ascii", errors="replace"))
        if match is None:
            raise MalformedPayload(f"{payload[:SHOWN_BYTES]!r} is no line of this form")
        readings = []
        attributes = {}
        for part, text in zip(self._values, match.groups(), strict=True):
            if isinstance(part, Words):
                attributes[part.name] = text
            else:
                reading = part.read(text)
                if reading is not None:
                    readings.append(reading)
        return (Measurement.of(time_ms, tuple(readings), attributes or NO_ATTRIBUTES),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The line that carries the whole measurement, or EncodeError."""
        given = Given(measurement)
        line = "".join(part if isinstance(part, str) else part.write(given) for part in self._parts)
        given.refuse_rest()
        return line.encode("ascii")

    def fields(self) -> tuple[CodecField, ...]:
        """What the line carries."""
        return tuple(_fields(self._values))


def _pattern(part: str | Number | Words) -> str:
    return re.escape(part) if isinstance(part, str) else part.pattern


def _fields(values: Iterable[Number | Words]) -> Iterable[CodecField]:
    return (part.field.describe() for part in values if isinstance(part, Number))
