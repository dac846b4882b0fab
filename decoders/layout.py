"""Fixed frames as tables.

    STATUS = Layout(
        ">",
        Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000),
        Field(Quantity.AIR_TEMPERATURE, "h", divisor=10, invalid=-0x8000),
    )

Divide, do not multiply: raw / 10 is the right decimal, raw · 0.1 often is not.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from decoders.codec import CodecField
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import BYTEWISE, Attribute, Bit, Bits, Const, Field, Given, Pad, Part, Raw, bit_place, new_tuple
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading
from decoders.quantity import Quantity

BYTE_VALUES = 256
Order = Literal["<", ">"]
ORDER_NAMES: Mapping[Order, Literal["little", "big"]] = {"<": "little", ">": "big"}


class _Step(NamedTuple):
    """One field, ready to be read: which word, and how to make a reading of it; without `read` by raw / divisor."""

    word: int
    read: Callable[[Any], Reading | None] | None
    divisor: float
    quantity: Quantity
    channel: str


class _Check(NamedTuple):
    word: int
    expected: int
    meaning: str


class Layout:
    """A frame (or a value inside one) of fixed length: parts in their order on the air, `>` big-endian, `<` little.

    Decoding raises WrongLength for any other length and MalformedPayload where a constant differs.
    """

    __slots__ = ("_attributes", "_bit_checks", "_checks", "_order", "_parts", "_steps", "_unpack", "_words", "size")

    def __init__(self, order: Order, *parts: Part) -> None:
        self._order = ORDER_NAMES[order]
        self._parts = parts
        self._words = [part for part in parts if not isinstance(part, Pad)]
        compiled = struct.Struct(order + "".join(_code(part) for part in parts))
        self.size = compiled.size
        self._unpack = compiled
        self._steps = tuple(self._compile())
        self._checks = tuple(
            _Check(index, word.value, word.meaning) for index, word in enumerate(self._words) if isinstance(word, Const)
        )
        self._bit_checks = tuple(self._compile_bit_checks())
        self._attributes = tuple(self._compile_attributes())

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement at the given time."""
        if len(payload) != self.size:
            raise WrongLength(f"{len(payload)} bytes; the frame has {self.size}")
        readings: list[Reading] = []
        attributes: dict[str, str] = {}
        self.read(payload, 0, readings, attributes)
        return (new_tuple(Measurement, (time_ms, tuple(readings), attributes or NO_ATTRIBUTES)),)

    def read(self, payload: bytes, at: int, readings: list[Reading], attributes: dict[str, str]) -> None:
        """Append what stands at byte `at`; the caller has checked the length."""
        raws = self._unpack.unpack_from(payload, at)
        for index, expected, meaning in self._checks:
            if raws[index] != expected:
                raise MalformedPayload(f"{meaning} is {raws[index]:#x}; expected {expected:#x}")
        for index, order, (shift, mask), expected, meaning in self._bit_checks:
            found = _whole(raws[index], order) >> shift & mask
            if found != expected:
                raise MalformedPayload(f"{meaning} is {found:#x}; expected {expected:#x}")
        for index, read, divisor, quantity, channel in self._steps:
            if read is None:
                readings.append(new_tuple(Reading, (quantity, raws[index] / divisor, channel)))
            else:
                reading = read(raws[index])
                if reading is not None:
                    readings.append(reading)
        for index, attribute in self._attributes:
            text = attribute.text(raws[index])
            if text:
                attributes[attribute.name] = text

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The frame that carries the whole measurement, or EncodeError."""
        given = Given(measurement)
        payload = self.write(given)
        given.refuse_rest()
        return payload

    def write(self, given: Given) -> bytes:
        """The frame with what it takes out of `given`; raises EncodeError."""
        try:
            return self._unpack.pack(*(self._raw(word, given) for word in self._words))
        except (struct.error, OverflowError) as error:
            raise EncodeError(f"a value does not fit its place: {error}") from error

    def carries(self, given: Given) -> bool:
        """Whether `given` holds something of this layout, and all that it cannot do without."""
        fields = list(self.parts())
        keys = [(field.quantity, field.channel) in given.values for field in fields]
        needed = all(there or field.markers for there, field in zip(keys, fields, strict=True))
        return needed and (any(keys) or any(word.name in given.attributes for _, word in self._attributes))

    def fields(self) -> tuple[CodecField, ...]:
        """What the layout carries."""
        return tuple(field.describe() for field in self.parts())

    def parts(self) -> Iterable[Field]:
        """The fields in their order, those inside bits too."""
        for word in self._words:
            if isinstance(word, Field):
                yield word
            elif isinstance(word, Bits):
                yield from word.fields

    def _compile(self) -> Iterable[_Step]:
        for index, word in enumerate(self._words):
            if isinstance(word, Field):
                yield _step(index, word, self._reader(word))
            elif isinstance(word, Bits):
                for field in word.fields:
                    yield _step(index, field, _bit_reader(word, field))

    def _compile_bit_checks(self) -> Iterable[tuple[int, Literal["little", "big"], Bit, int, str]]:
        for index, word in enumerate(self._words):
            if isinstance(word, Bits):
                for constant in word.constants:
                    yield index, word.order, bit_place(constant.code), constant.value, constant.meaning

    def _compile_attributes(self) -> Iterable[tuple[int, Attribute]]:
        for index, word in enumerate(self._words):
            if isinstance(word, Attribute):
                yield index, word
            elif isinstance(word, Bits):
                for attribute in word.attributes:
                    yield index, _bit_attribute(attribute, word.order)

    def _reader(self, field: Field) -> Callable[[Any], Reading | None] | None:
        """The field's own reader, behind that of a number which struct does not know."""
        if field.format not in BYTEWISE:
            return field.reader()
        order, signed, read = self._order_of(field.format), field.format == "s24", field.read
        return lambda raw: read(int.from_bytes(raw, order, signed=signed))

    def _order_of(self, code: str) -> Literal["little", "big"]:
        return "little" if code.endswith("le") else "big" if code.endswith("be") else self._order

    def _raw(self, word: Part, given: Given) -> Raw:
        if isinstance(word, Const):
            return word.value
        if isinstance(word, Pad):
            return bytes(word.size)
        raw = word.write(given)
        if isinstance(word, Field) and word.format in BYTEWISE and isinstance(raw, int):
            return raw.to_bytes(BYTEWISE[word.format], self._order_of(word.format), signed=word.format == "s24")
        return raw


def _step(index: int, field: Field, read: Callable[[Any], Reading | None] | None) -> _Step:
    return _Step(index, read, field.divisor, field.quantity, field.channel)


def _bit_reader(word: Bits, field: Field) -> Callable[[Any], Reading | None]:
    """A reader of the whole word: a table for a byte, else the field's reader behind shift and mask."""
    shift, mask = field.place
    if word.code == "B":
        return [field.read(raw >> shift & mask) for raw in range(BYTE_VALUES)].__getitem__
    read, order = field.reader() or field.linear(), word.order
    if word.code.endswith("s"):
        return lambda raw: read(int.from_bytes(raw, order) >> shift & mask)
    return lambda raw: read(raw >> shift & mask)


def _bit_attribute(attribute: Attribute, order: Literal["little", "big"]) -> Attribute:
    """The attribute behind shift and mask."""
    shift, mask = bit_place(attribute.code)
    text = attribute.text
    return replace(attribute, text=lambda raw: text(_whole(raw, order) >> shift & mask))


def _whole(raw: Raw, order: Literal["little", "big"]) -> int:
    """A word as one number."""
    return int.from_bytes(raw, order) if isinstance(raw, bytes) else int(raw)


def _code(part: Part) -> str:
    if isinstance(part, Pad):
        return f"{part.size}x"
    if isinstance(part, Field):
        return f"{BYTEWISE[part.format]}s" if part.format in BYTEWISE else part.format
    return part.code
