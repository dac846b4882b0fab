"""Frames read from their single bytes, b0, b1 and so on: a table for each byte in place of shifts over all of them.

A field of one byte is a look into a table, of few bits in two bytes a look into a row of one. The formula of a longer
one is a sum of what each of its bytes adds, where that is exact: where its numerator is whole and fits into a float.
"""

import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import frexp
from typing import NamedTuple

from decoders.compiled import Order, order_of
from decoders.field import BYTEWISE, Attribute, Bits, Const, Field, Pad, Part, bit_place
from decoders.frame_source import Form, Names, Value, is_number, returned, value_or_none

BYTE = range(256)
BYTE_BITS = 8
WHOLE_BYTE = 0xFF
LARGEST_ROW_NUMBER = 0xF
EXACT = 2**53
SIGNED = frozenset({"b", "h", "s24", "i"})
Possible = Mapping[int, Collection[int]]
"""By their places in the frame, bytes that are known to be one of a few."""


@dataclass(frozen=True, slots=True)
class TwosComplement:
    """A number of so many bits, the top one its sign, that means number · scale / divisor: what a `Curve` may be of."""

    bits: int
    scale: float
    divisor: float

    def __call__(self, raw: int) -> float:
        """The value of the bits as they stand."""
        return _signed(raw, self.bits) * self.scale / self.divisor


class Spot(NamedTuple):
    """Bits of one byte that are bits of a number: which byte, which bits, and how far up they go in the number."""

    byte: int
    shift: int
    mask: int
    up: int

    @property
    def bits(self) -> str:
        """The expression of the bits as a number."""
        if self.mask == WHOLE_BYTE:
            return f"b{self.byte}"
        return f"b{self.byte} >> {self.shift} & {self.mask}" if self.shift else f"b{self.byte} & {self.mask}"

    @property
    def width(self) -> int:
        """How many bits there are."""
        return self.mask.bit_length()

    def of(self, byte: int) -> int:
        """What the byte with this value adds to the number."""
        return (byte >> self.shift & self.mask) << self.up

    def wanted(self, number: int) -> int:
        """What the bits are in this number."""
        return number >> self.up & self.mask


class _Line(NamedTuple):
    """The formula (number · scale + offset) / divisor."""

    signed: bool
    scale: int
    offset: int
    divisor: float


class ByBytes:
    """Source of one form by its bytes."""

    def __init__(self, form: Form, names: Names, possible: Possible) -> None:
        self._names = names
        self._possible = possible
        self._fields: list[tuple[Field, Sequence[Spot]]] = []
        self._attributes: list[tuple[Attribute, Sequence[Spot]]] = []
        self._constants: list[tuple[Const, Sequence[Spot]]] = []
        for part, spots in spots_of(form.parts, form.order):
            if isinstance(part, Field):
                self._fields.append((part, spots))
            elif isinstance(part, Attribute):
                self._attributes.append((part, spots))
            else:
                self._constants.append((part, spots))

    def checks(self) -> list[str]:
        """The conditions that together say that constants fit."""
        return [check for each, spots in self._constants for check in same_bits(spots, each.value, self._possible)]

    def found(self) -> list[str] | None:
        """What returns the measurement; None where bytes alone are no way of reading it."""
        said = self._said()
        values = [
            value_of(field, spots, self._possible, f"f{number}", self._names)
            for number, (field, spots) in enumerate(self._fields)
        ]
        known = [value for value in values if value is not None]
        if said is None or len(known) < len(values):
            return None
        return [*returned([field for field, _ in self._fields], known, said, self._names)]

    def _said(self) -> str | None:
        if not self._attributes:
            return "nothing"
        ((attribute, spots), *others) = self._attributes
        if others or len(spots) > 1 or not is_number(attribute):
            return None
        return self._names.said(attribute, spots[0].mask + 1, spots[0].bits)


def spots_of(parts: Sequence[Part], order: Order) -> Iterator[tuple[Field | Attribute | Const, tuple[Spot, ...]]]:
    """Fields, attributes and constants of a frame, each with its bits, lowest first."""
    at = 0
    for part in parts:
        size = _size(part)
        if isinstance(part, Bits):
            own = part.order if part.code.endswith("s") else order
            inside: tuple[Field | Attribute | Const, ...] = (*part.fields, *part.attributes, *part.constants)
            for inner in inside:
                shift, mask = bit_place(inner.format if isinstance(inner, Field) else inner.code)
                yield inner, tuple(_spots(at, size, own, shift, mask.bit_length()))
        elif not isinstance(part, Pad):
            own = order_of(part.format, order) if isinstance(part, Field) else order
            yield part, tuple(_spots(at, size, own, 0, size * BYTE_BITS))
        at += size


def same_bits(spots: Sequence[Spot], number: int, possible: Possible) -> Iterator[str]:
    """The conditions that together say that the bits are those of the number, the highest first."""
    for spot in reversed(spots):
        wanted = spot.wanted(number)
        if any(byte >> spot.shift & spot.mask != wanted for byte in possible.get(spot.byte, BYTE)):
            yield f"({spot.bits}) == {wanted}"


def value_of(field: Field, spots: Sequence[Spot], possible: Possible, local: str, names: Names) -> Value | None:
    """Expressions of a field by tables; None where there is no way. `local` is a free name."""
    if field.format == "f":
        return None
    if len(spots) == 1:
        return _looked_up(field, spots[0], possible, local, names)
    narrow, wide = sorted(spots, key=lambda spot: spot.mask)[:2]
    if len(spots) == len((narrow, wide)) and narrow.mask <= LARGEST_ROW_NUMBER:
        return _looked_up_in_rows(field, narrow, wide, local, names)
    return _summed(field, spots, names)


def _looked_up(field: Field, spot: Spot, possible: Possible, local: str, names: Names) -> Value:
    signed = field.format in SIGNED
    table = [field.value(_signed(byte, BYTE_BITS) if signed else spot.of(byte)) for byte in BYTE]
    there = {table[byte] for byte in possible.get(spot.byte, BYTE)}
    if len(there) == 1 and None not in there:
        return value_or_none(repr(there.pop()), local, sure=True)
    return value_or_none(f"{names.table(table)}[b{spot.byte}]", local, sure=None not in there)


def _looked_up_in_rows(field: Field, narrow: Spot, wide: Spot, local: str, names: Names) -> Value:
    """The narrower byte says the row, the other one the place in it."""
    numbers = {narrow.of(byte) for byte in BYTE}
    rows = {number: [field.value(number | wide.of(byte)) for byte in BYTE] for number in numbers}
    sure = not any(None in row for row in rows.values())
    table = names.constant([rows[narrow.of(byte)] for byte in BYTE])
    return value_or_none(f"{table}[b{narrow.byte}][b{wide.byte}]", local, sure=sure)


def _summed(field: Field, spots: Sequence[Spot], names: Names) -> Value | None:
    """The sum of what the bytes add; whole numbers that floats hold, so that only the division rounds, as it does."""
    width = sum(spot.width for spot in spots)
    line = _line(field, width)
    low, high = field.raw_range()
    markers = [marker for marker in field.markers if low <= marker <= high]
    if line is None or len(markers) > 1 or (abs(line.scale) << width) + abs(line.offset) > EXACT:
        return None
    # Division by a power of two is exact before the sum as well.
    divisor = line.divisor if abs(frexp(line.divisor)[0]) == 1 / 2 else 1
    added = []
    for index, spot in enumerate(spots):
        signed, offset = line.signed and spot is spots[-1], line.offset if index == 0 else 0
        numbers = (_signed(spot.of(byte), width) if signed else spot.of(byte) for byte in BYTE)
        table = [(number * line.scale + offset) / divisor for number in numbers]
        added.append(f"{names.table(table)}[b{spot.byte}]")
    total = " + ".join(added)
    value = total if divisor == line.divisor else f"({total}) / {float(line.divisor)!r}"
    if not markers:
        return value_or_none(value, "", sure=True)
    there = f"not ({' and '.join(same_bits(spots, markers[0], {}))})"
    return Value(value, there, f"{value} if {there} else None")


def _line(field: Field, width: int) -> _Line | None:
    """The formula of a field of so many bits, if it has one of whole numbers."""
    if field.values is not None or not (float(field.scale).is_integer() and float(field.offset).is_integer()):
        return None
    if field.curve is None:
        return _Line(field.format in SIGNED, int(field.scale), int(field.offset), field.divisor)
    known = field.curve.value
    if isinstance(known, TwosComplement) and known.bits == width and float(known.scale).is_integer():
        return _Line(signed=True, scale=int(known.scale), offset=0, divisor=known.divisor)
    return None


def _signed(number: int, bits: int) -> int:
    return number - (1 << bits) if number >> (bits - 1) else number


def _size(part: Part) -> int:
    if isinstance(part, Pad):
        return part.size
    code = part.format if isinstance(part, Field) else part.code
    return BYTEWISE[code] if code in BYTEWISE else struct.calcsize(f"<{code}")


def _spots(at: int, size: int, order: Order, low: int, width: int) -> Iterator[Spot]:
    """The bits from `low` on of a word of that size at byte `at`."""
    done = 0
    while done < width:
        byte, shift = divmod(low + done, BYTE_BITS)
        taken = min(BYTE_BITS - shift, width - done)
        yield Spot(at + (byte if order == "little" else size - 1 - byte), shift, (1 << taken) - 1, done)
        done += taken
