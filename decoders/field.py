"""The parts that frame tables are made of: readings, bits, constants, padding, attributes.

A number's format is a struct code (B b H h I i Q f) or `u24`, `s24`, `u16le` or `u16be` (of that order whatever the
frame's is), or inside `Bits` a bit number ("0") or a range of them ("4-7"), lowest first. Every part turns a raw number
or bytes into what it means and back.
"""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from math import isfinite
from typing import Literal, NamedTuple

from decoders.codec import CodecField
from decoders.error import EncodeError
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity

Raw = int | float | bytes
RANGES: Mapping[str, tuple[int, int]] = {
    "B": (0, 0xFF),
    "b": (-0x80, 0x7F),
    "H": (0, 0xFFFF),
    "h": (-0x8000, 0x7FFF),
    "u16le": (0, 0xFFFF),
    "u16be": (0, 0xFFFF),
    "u24": (0, 0xFFFFFF),
    "s24": (-0x800000, 0x7FFFFF),
    "I": (0, 0xFFFFFFFF),
    "i": (-0x80000000, 0x7FFFFFFF),
    "Q": (0, 0xFFFFFFFFFFFFFFFF),
}
BYTEWISE: Mapping[str, int] = {"u24": 3, "s24": 3, "u16le": 2, "u16be": 2}
FLOAT_LIMIT = 3.4028234e38
# NamedTuple's own constructor costs twice this one, and there is one call a reading.
new_tuple = tuple.__new__


NOTHING = Measurement.of(0, ())


class Given:
    """What is to be encoded; each part takes out what it carries, what stays the frame cannot carry."""

    __slots__ = ("attributes", "values")

    def __init__(self, measurement: Measurement) -> None:
        self.values = {(reading.quantity, reading.channel): reading.value for reading in measurement.readings}
        self.attributes = dict(measurement.attributes)

    def copy(self) -> "Given":
        """The same once more, to try what a part takes out."""
        other = Given(NOTHING)
        other.values, other.attributes = self.values.copy(), self.attributes.copy()
        return other

    def left(self) -> list[str]:
        """The names of what was not carried yet."""
        return [name(quantity, channel) for quantity, channel in self.values] + list(self.attributes)

    def refuse_rest(self) -> None:
        """Raise EncodeError if something was not carried."""
        rest = self.left()
        if rest:
            raise EncodeError(f"the frame has no place for {', '.join(rest)}")


class Bit(NamedTuple):
    """The place of a number inside a word: shift to the right, then mask."""

    shift: int
    mask: int


def bit_place(code: str) -> Bit:
    """The place that a bit number ("0") or a range of them ("4-7") names."""
    low, _, high = code.partition("-")
    width = int(high or low) - int(low) + 1
    return Bit(int(low), (1 << width) - 1)


class Curve(NamedTuple):
    """A formula that is no straight line, and its inverse; `value` gives None where a raw number is no reading.

    `low`, `high` and `step` (the coarsest) are in the quantity's unit.
    """

    value: Callable[[int], float | None]
    raw: Callable[[float], int]
    low: float
    high: float
    step: float


@dataclass(frozen=True, slots=True)
class Field:
    """A number that becomes a reading: (raw · scale + offset) / divisor, in the quantity's unit.

    `invalid` are raw values that mean "no reading"; the first of them is sent when the reading is not given.
    `values` lists raw values one by one where no formula does; a raw value outside of it is no reading.
    `curve` is any other formula of an integer, in place of scale, offset and divisor.
    `digits` rounds a float's value to what its sender can have meant. NaN and infinity are no reading.
    """

    quantity: Quantity
    format: str
    channel: str = ""
    _: KW_ONLY
    divisor: float = 1
    scale: float = 1
    offset: float = 0
    invalid: int | tuple[int, ...] = ()
    values: Mapping[int, float] | None = None
    curve: Curve | None = None
    digits: int = 4
    verified: bool = True

    @property
    def markers(self) -> tuple[int, ...]:
        """The raw values that mean "no reading"."""
        return (self.invalid,) if isinstance(self.invalid, int) else self.invalid

    @property
    def plain(self) -> bool:
        """Whether every value is nothing but raw / divisor."""
        return self.scale == 1 and self.offset == 0 and not self.markers and self.curve is None

    @property
    def place(self) -> Bit:
        """The bits of a format inside `Bits`."""
        return bit_place(self.format)

    def raw_range(self) -> tuple[int, int]:
        """Least and greatest raw value of an integer format."""
        known = RANGES.get(self.format)
        return known or (0, self.place.mask)

    def value(self, raw: float) -> float | None:
        """What a raw value stands for; None where it means "no reading"."""
        if self.format == "f":
            found = round((raw * self.scale + self.offset) / self.divisor, self.digits) if isfinite(raw) else raw
            return found if isfinite(found) else None
        if raw in self.markers or (self.values is not None and raw not in self.values):
            return None
        if self.values is not None:
            return float(self.values[int(raw)])
        if self.curve is not None:
            return self.curve.value(int(raw))
        return (raw * self.scale + self.offset) / self.divisor

    def read(self, raw: float) -> Reading | None:
        """The reading of a raw value; None where it means "no reading"."""
        found = self.value(raw)
        return None if found is None else Reading(self.quantity, found, self.channel)

    def write(self, given: Given) -> Raw:
        """The raw value nearest to the given reading; raises EncodeError."""
        value = given.values.pop((self.quantity, self.channel), None)
        if value is None:
            if self.markers:
                return self.markers[0]
            raise EncodeError(f"{name(self.quantity, self.channel)} is needed")
        if not isfinite(value):
            raise EncodeError(f"{name(self.quantity, self.channel)} = {value} is no number that can be sent")
        return self._float(value) if self.format == "f" else self._integer(value)

    def _float(self, value: float) -> float:
        raw = (round(value, self.digits) * self.divisor - self.offset) / self.scale
        if abs(raw) > FLOAT_LIMIT:
            raise EncodeError(f"{name(self.quantity, self.channel)} = {value} is too large for a float")
        return raw

    def _integer(self, value: float) -> int:
        if self.values is not None:
            listed = {raw: item for raw, item in self.values.items() if raw not in self.markers}
            raw = min(listed, key=lambda raw: abs(listed[raw] - value))
            low, high = min(listed.values()), max(listed.values())
            fits = low <= value <= high
        elif self.curve is not None:
            fits = self.curve.low <= value <= self.curve.high
            raw = self.curve.raw(value) if fits else 0
        else:
            raw = round((value * self.divisor - self.offset) / self.scale)
            least, greatest = self.raw_range()
            fits = least <= raw <= greatest
        if not fits or raw in self.markers:
            carried = self.describe()
            raise EncodeError(
                f"{name(self.quantity, self.channel)} = {value} cannot be sent; {carried.low} to {carried.high} can"
            )
        return raw

    def describe(self) -> CodecField:
        """Range and resolution of the value, for lists and simulators."""
        if self.format == "f":
            return CodecField(self.quantity, self.channel, self.verified, -FLOAT_LIMIT, FLOAT_LIMIT, 10.0**-self.digits)
        if self.values is not None:
            values = sorted(value for raw, value in self.values.items() if raw not in self.markers)
            gaps = [after - before for before, after in pairwise(values)]
            return CodecField(
                self.quantity,
                self.channel,
                self.verified,
                float(values[0]),
                float(values[-1]),
                float(max(gaps, default=1)),
            )
        if self.curve is not None:
            return CodecField(
                self.quantity, self.channel, self.verified, self.curve.low, self.curve.high, self.curve.step
            )
        low, high = sorted((raw * self.scale + self.offset) / self.divisor for raw in self._useful_range())
        return CodecField(self.quantity, self.channel, self.verified, low, high, abs(self.scale / self.divisor))

    def _useful_range(self) -> tuple[int, int]:
        low, high = self.raw_range()
        while low in self.markers:
            low += 1
        while high in self.markers:
            high -= 1
        return low, high


class Bits:
    """A word whose bits are fields, attributes and constants; bits that none names are ignored, and sent as zero.

    `code` is that of an unsigned integer, or `5s` for five bytes that are one big-endian number (`5sle` a little-endian
    one).
    """

    def __init__(self, code: str, *parts: "Field | Attribute | Const") -> None:
        self.order: Literal["little", "big"] = "little" if code.endswith("le") else "big"
        self.code = code.removesuffix("le")
        self.fields = tuple(part for part in parts if isinstance(part, Field))
        self.attributes = tuple(part for part in parts if isinstance(part, Attribute))
        self.constants = tuple(part for part in parts if isinstance(part, Const))

    def write(self, given: Given) -> int | bytes:
        """The word that carries all its parts; EncodeError where parts that share bits do not go together."""
        word = 0
        for constant in self.constants:
            word |= constant.value << bit_place(constant.code).shift
        for attribute in self.attributes:
            shift, mask = bit_place(attribute.code)
            raw = int(attribute.write(given))
            if not 0 <= raw <= mask:
                raise EncodeError(f"{attribute.name} = {raw} does not fit into its bits")
            word |= raw << shift
        raws = [int(field.write(given)) for field in self.fields]
        for field, raw in zip(self.fields, raws, strict=True):
            word |= raw << field.place.shift
        for field, raw in zip(self.fields, raws, strict=True):
            shift, mask = field.place
            if field.read(word >> shift & mask) != field.read(raw):
                raise EncodeError(f"{name(field.quantity, field.channel)} cannot be sent beside the others of its bits")
        return word.to_bytes(int(self.code[:-1]), self.order) if self.code.endswith("s") else word


@dataclass(frozen=True, slots=True)
class Const:
    """A number that must stand there: a marker, a version, a frame type."""

    code: str
    value: int
    meaning: str = "frame type"


@dataclass(frozen=True, slots=True)
class Pad:
    """Bytes without meaning to us, or that we must not keep; sent as zero."""

    size: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """What the device says of itself in words. `text` may give "" for nothing to say; `parse` is its inverse."""

    name: str
    code: str
    text: Callable[[Raw], str]
    parse: Callable[[str], Raw]

    def write(self, given: Given) -> Raw:
        """The raw value of the attribute, zero if it is not given; raises EncodeError."""
        words = given.attributes.pop(self.name, None)
        if words is None:
            return bytes(int(self.code[:-1])) if self.code.endswith("s") else 0
        try:
            raw = self.parse(words)
        except (KeyError, ValueError) as error:
            raise EncodeError(f"{self.name} = {words!r} cannot be sent") from error
        if isinstance(raw, bytes) and len(raw) > int(self.code[:-1]):
            raise EncodeError(f"{self.name} = {words!r} does not fit into {self.code[:-1]} bytes")
        return raw


Part = Field | Bits | Const | Pad | Attribute


def name(quantity: Quantity, channel: str) -> str:
    """A reading's name in messages."""
    return f"{quantity.field}/{channel}" if channel else quantity.field
