"""The function that reads a layout, made of the layout's parts as Python source and compiled once.

The source holds nothing but numbers, operators and names that are made here; all else (quantities, channels, tables,
functions of attributes) are values of its globals.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NoReturn, cast

from decoders.error import MalformedPayload
from decoders.field import BYTEWISE, Attribute, Bits, Const, Field, Part, bit_place, new_tuple
from decoders.measurement import Reading

LARGEST_TABLE = 256
FILE = "<layout>"
Read = Callable[[bytes, int, list[Reading], dict[str, str]], None]
"""Appends what stands at a byte of a payload to readings and attributes; raises MalformedPayload."""
Unpack = Callable[[bytes, int], tuple[object, ...]]
Order = Literal["little", "big"]


def compile_read(words: Sequence[Part], order: Order, unpack: Unpack) -> Read:
    """The reading function of these words (parts but padding), of which `unpack` gives the raw values."""
    source = _Source(words, order, unpack)
    names = source.names
    exec(compile("\n".join(source.lines()), FILE, "exec"), names)  # noqa: S102 - of our own numbers and names alone
    return cast("Read", names["read"])


def order_of(code: str, order: Order) -> Order:
    """The byte order of a format, which may bring its own."""
    return "little" if code.endswith("le") else "big" if code.endswith("be") else order


def raw_values(words: Sequence[Part], unpacked: str) -> str:
    """The line that names the raw values of words: r0, r1 and so on."""
    return f"{', '.join(f'r{index}' for index in range(len(words)))}, = {unpacked}"


def numbers(words: Sequence[Part], order: Order) -> Iterator[str]:
    """Lines for those words that struct gives as bytes and that are numbers; `number` is `int.from_bytes`."""
    for index, word in enumerate(words):
        if isinstance(word, Bits) and word.code.endswith("s"):
            yield f"r{index} = number(r{index}, {word.order!r})"
        elif isinstance(word, Field) and word.format in BYTEWISE:
            own, signed = order_of(word.format, order), word.format == "s24"
            yield f"r{index} = number(r{index}, {own!r}, signed={signed})"


def fields_of(index: int, word: Part) -> Iterator[tuple[Field, str]]:
    """The fields of a word, each with the expression of its raw value."""
    if isinstance(word, Field):
        yield word, f"r{index}"
    elif isinstance(word, Bits):
        yield from ((field, bits(index, field.format)) for field in word.fields)


def attributes_of(index: int, word: Part) -> Iterator[tuple[Attribute, str]]:
    """The attributes of a word, each with the expression of its raw value."""
    if isinstance(word, Attribute):
        yield word, f"r{index}"
    elif isinstance(word, Bits):
        yield from ((attribute, bits(index, attribute.code)) for attribute in word.attributes)


def bits(index: int, code: str) -> str:
    """The expression of a number inside a word."""
    shift, mask = bit_place(code)
    return f"r{index} >> {shift} & {mask}" if shift else f"r{index} & {mask}"


def linear(field: Field, raw: str) -> str:
    """The expression of a value by scale, offset and divisor."""
    scaled = f"({raw})" if field.scale == 1 else f"({raw}) * {field.scale!r}"
    return f"{scaled if field.offset == 0 else f'({scaled} + {field.offset!r})'} / {field.divisor!r}"


class _Source:
    """Source text and the values of its names."""

    def __init__(self, words: Sequence[Part], order: Order, unpack: Unpack) -> None:
        self._words = words
        self._order = order
        self.names: dict[str, object] = {
            "unpack": unpack,
            "differs": _differs,
            "new": new_tuple,
            "Reading": Reading,
            "number": int.from_bytes,
        }

    def lines(self) -> Iterator[str]:
        """The function `read`: numbers, checks of constants, readings, attributes."""
        yield "def read(payload, at, readings, attributes):"
        if self._words:
            yield f"    {raw_values(self._words, 'unpack(payload, at)')}"
        for step in (numbers(self._words, self._order), self._checks(), self._readings(), self._texts()):
            yield from (f"    {line}" for line in step)
        yield "    return None"

    def _name(self, value: object) -> str:
        name = f"v{len(self.names)}"
        self.names[name] = value
        return name

    def _checks(self) -> Iterator[str]:
        for index, word in enumerate(self._words):
            if isinstance(word, Const):
                yield self._check(f"r{index}", word)
            elif isinstance(word, Bits):
                yield from (self._check(bits(index, constant.code), constant) for constant in word.constants)

    def _check(self, found: str, constant: Const) -> str:
        expected = int(constant.value)
        return f"if {found} != {expected}: differs({found}, {expected}, {self._name(constant.meaning)})"

    def _readings(self) -> Iterator[str]:
        """Those that are always there together; the others where they stand, so that the order of the parts is kept."""
        sure: list[str] = []
        for index, word in enumerate(self._words):
            if isinstance(word, Bits) and word.code == "B" and word.fields:
                sure.append(f"*{self._name(_byte_table(word))}[r{index}]")
                continue
            for field, raw in fields_of(index, word):
                reading, there = self._reading(field, raw)
                if there is None:
                    sure.append(reading)
                    continue
                yield from _added(sure)
                sure = []
                yield f"if {there}: readings.append({reading})"
        yield from _added(sure)

    def _reading(self, field: Field, raw: str) -> tuple[str, str | None]:
        """The expression of a reading, and the one that says whether there is one; None where there always is."""
        table = None if field.format == "f" else _table(field)
        if isinstance(table, list):
            found = f"{self._name(table)}[{raw}]"
            return (found, None) if all(table) else ("found", f"(found := {found}) is not None")
        if table is not None:
            return "found", f"(found := {self._name(table.get)}({raw})) is not None"
        if field.format == "f" or field.curve is not None:
            return "found", f"(found := {self._name(field.read)}({raw})) is not None"
        reading = f"new(Reading, ({self._name(field.quantity)}, {linear(field, raw)}, {self._name(field.channel)}))"
        if not field.markers:
            return reading, None
        return reading, f"({raw}) not in {self._name(frozenset(field.markers))}"

    def _texts(self) -> Iterator[str]:
        for index, word in enumerate(self._words):
            for each, raw in attributes_of(index, word):
                yield f"if text := {self._name(each.text)}({raw}): attributes[{self._name(each.name)}] = text"


def _added(readings: Sequence[str]) -> Iterator[str]:
    if len(readings) == 1:
        yield f"readings += {readings[0][1:]}" if readings[0].startswith("*") else f"readings.append({readings[0]})"
    elif readings:
        yield f"readings += ({', '.join(readings)})"


def _byte_table(word: Bits) -> list[tuple[Reading, ...]]:
    """All readings of a byte of fields, by its value."""
    places = [(field, field.place) for field in word.fields]
    found = [[field.read(raw >> shift & mask) for field, (shift, mask) in places] for raw in range(LARGEST_TABLE)]
    return [tuple(reading for reading in row if reading is not None) for row in found]


def _table(field: Field) -> list[Reading | None] | dict[int, Reading | None] | None:
    """Readings by raw value, if there are few of them; numbers below zero stand at the end of a list."""
    low, high = field.raw_range()
    if high - low < LARGEST_TABLE:
        return [field.read(raw) for raw in (*range(high + 1), *range(low, 0))]
    if field.values is not None:
        return {raw: field.read(raw) for raw in field.values if low <= raw <= high}
    return None


def _differs(found: int, expected: int, meaning: str) -> NoReturn:
    raise MalformedPayload(f"{meaning} is {found:#x}; expected {expected:#x}")
