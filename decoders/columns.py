"""The function that decodes whole frames of fixed length, made of their parts as Python source and compiled once.

The places of a frame are known beforehand, so that only its values are made, in one expression. As in `compiled`, the
source holds nothing but numbers, operators and names that are made here.
"""

import struct
from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import compress
from typing import NamedTuple, cast

from decoders.codec import Decode
from decoders.compiled import LARGEST_TABLE, Order, attributes_of, bits, fields_of, linear, numbers, raw_values
from decoders.field import Bits, Const, Field, Pad, Part
from decoders.measurement import NO_ATTRIBUTES, Measurement, Places, Values

FILE = "<frames>"
Row = tuple[Places, Values]


class Form(NamedTuple):
    """A frame of fixed length: its parts in their order on the air, the byte order, the struct of all but padding."""

    parts: Sequence[Part]
    order: Order
    packed: struct.Struct


class _Value(NamedTuple):
    """Expressions of a field's value, of whether there is one (empty: always), and of the value or None."""

    value: str
    there: str
    maybe: str


def compile_decode(forms: Sequence[Form], otherwise: Decode) -> Decode:
    """The decoding function of these forms; of several that fit by length and constants the first holds.

    `otherwise` gets every payload that is none of them.
    """
    names: dict[str, object] = {
        "Measurement": Measurement,
        "nothing": NO_ATTRIBUTES,
        "number": int.from_bytes,
        "otherwise": otherwise,
        "sparse": _sparse,
    }
    lines = ["def decode(payload, time_ms, parameters):"]
    # A byte is looked up without a look at the length, and what is longer pays for it: last.
    for form in sorted(forms, key=lambda form: form.packed.size == 1):
        lines += [f"    {line}" for line in _Source(form, names).lines()]
    lines.append("    return otherwise(payload, time_ms, parameters)")
    exec(compile("\n".join(lines), FILE, "exec"), names)  # noqa: S102 - of our own numbers and names alone
    return cast("Decode", names["decode"])


def _sparse(
    time_ms: int, places: Places, values: tuple[float | None, ...], attributes: Mapping[str, str]
) -> tuple[Measurement, ...]:
    """The measurement of those values that are there."""
    there = [value is not None for value in values]
    found = cast("Values", tuple(compress(values, there)))
    return (Measurement((time_ms, tuple(compress(places, there)), found, attributes)),)


class _Source:
    """Source text of one form; names and what they stand for go into `names`."""

    def __init__(self, form: Form, names: dict[str, object]) -> None:
        self._form = form
        self._words = [part for part in form.parts if not isinstance(part, Pad)]
        self._names = names

    def lines(self) -> Iterator[str]:
        """What returns the measurement if length and constants fit."""
        if self._form.packed.size == len(self._words) == 1 and _is_fields(self._words[0]):
            yield from self._looked_up_whole()
            return
        checks = " and ".join(self._checks())
        yield f"if len(payload) == {self._form.packed.size}:"
        yield from (f"    {line}" for line in (*self._raws(), *numbers(self._words, self._form.order)))
        yield f"    if {checks}:" if checks else "    if True:"
        yield from (f"        {line}" for line in self._found())

    def _name(self, value: object) -> str:
        name = f"v{len(self._names)}"
        self._names[name] = value
        return name

    def _looked_up_whole(self) -> Iterator[str]:
        """A frame of one byte."""
        rows = {bytes((byte,)): row for byte, row in enumerate(_rows(self._words[0]))}
        yield "try:"
        yield f"    places, values = {self._name(rows)}[payload]"
        yield "except KeyError:"
        yield "    pass"
        yield "else:"
        yield "    return (Measurement((time_ms, places, values, nothing)),)"

    def _raws(self) -> Iterator[str]:
        """Raw values of all words: by index if each is a byte, else unpacked at once."""
        words = self._words
        if all(_is_byte(word) for word in words):
            yield from (f"r{index} = payload[{at}]" for index, at in enumerate(_offsets(self._form.parts)))
        else:
            yield raw_values(words, f"{self._name(self._form.packed.unpack)}(payload)")

    def _checks(self) -> Iterator[str]:
        for index, word in enumerate(self._words):
            if isinstance(word, Const):
                yield f"r{index} == {int(word.value)}"
            elif isinstance(word, Bits):
                yield from (f"({bits(index, each.code)}) == {int(each.value)}" for each in word.constants)

    def _found(self) -> Iterator[str]:
        said = yield from self._texts()
        telling = [(index, word) for index, word in enumerate(self._words) if any(fields_of(index, word))]
        if len(telling) == 1 and _is_byte(telling[0][1]):
            yield f"places, values = {self._name(_rows(telling[0][1]))}[r{telling[0][0]}]"
            yield f"return (Measurement((time_ms, places, values, {said})),)"
            return
        fields = [found for index, word in telling for found in fields_of(index, word)]
        places = self._name(tuple((field.quantity, field.channel) for field, _ in fields))
        values = [self._value(field, raw, f"f{number}") for number, (field, raw) in enumerate(fields)]
        full = f"return (Measurement((time_ms, {places}, ({''.join(f'{each.value}, ' for each in values)}), {said})),)"
        there = " and ".join(each.there for each in values if each.there)
        if not there:
            yield full
            return
        yield f"if {there}:"
        yield f"    {full}"
        yield f"return sparse(time_ms, {places}, ({''.join(f'{each.maybe}, ' for each in values)}), {said})"

    def _value(self, field: Field, raw: str, local: str) -> _Value:
        if field.format == "f":
            return _value(f"{self._name(field.value)}({raw})", local)
        low, high = field.raw_range()
        if high - low < LARGEST_TABLE:
            # Numbers below zero stand at the end of a list.
            table = [field.value(number) for number in (*range(high + 1), *range(low, 0))]
            return _value(f"{self._name(table)}[{raw}]", local, sure=None not in table)
        if field.values is not None:
            listed = {number: field.value(number) for number in field.values if low <= number <= high}
            return _value(f"{self._name(listed.get)}({raw})", local)
        if field.curve is not None:
            return _value(f"{self._name(field.value)}({raw})", local)
        value, marked = linear(field, raw), field.markers
        if not marked:
            return _value(value, local, sure=True)
        there = f"({raw}) != {marked[0]}" if len(marked) == 1 else f"({raw}) not in {self._name(frozenset(marked))}"
        return _Value(value, there, f"{value} if {there} else None")

    def _texts(self) -> Generator[str, None, str]:
        """Lines that collect what the device says in words; returns the expression of all of it."""
        texts = [
            (self._name(each.name), f"{self._name(each.text)}({raw})")
            for index, word in enumerate(self._words)
            for each, raw in attributes_of(index, word)
        ]
        if not texts:
            return "nothing"
        if len(texts) == 1:
            yield f"said = {{{texts[0][0]}: text}} if (text := {texts[0][1]}) else nothing"
            return "said"
        yield "said = {}"
        yield from (f"if text := {text}: said[{name}] = text" for name, text in texts)
        return "said or nothing"


def _value(found: str, local: str, *, sure: bool = False) -> _Value:
    """Of an expression that gives the value, or None where there is none."""
    return _Value(found, "", found) if sure else _Value(local, f"({local} := {found}) is not None", found)


def _is_byte(word: Part) -> bool:
    """Whether it is one byte, and whose sign does not matter to what a table says of it."""
    return word.format in {"B", "b"} if isinstance(word, Field) else not isinstance(word, Pad) and word.code == "B"


def _is_fields(word: Part) -> bool:
    """Whether it is a byte of nothing but fields."""
    if isinstance(word, Bits):
        return _is_byte(word) and bool(word.fields) and not word.attributes and not word.constants
    return isinstance(word, Field) and _is_byte(word)


def _rows(word: Part) -> list[Row]:
    """Places and values of all fields of a byte, by its value."""
    fields = [word] if isinstance(word, Field) else word.fields if isinstance(word, Bits) else ()
    known: dict[Places, Places] = {}
    rows = []
    for byte in range(LARGEST_TABLE):
        values = [_of_byte(each, byte) for each in fields]
        there = [each for each, value in zip(fields, values, strict=True) if value is not None]
        places = tuple((each.quantity, each.channel) for each in there)
        rows.append((known.setdefault(places, places), tuple(value for value in values if value is not None)))
    return rows


def _of_byte(field: Field, byte: int) -> float | None:
    """The value that a field takes from a byte."""
    if field.format == "b":
        return field.value(int.from_bytes((byte,), signed=True))
    if field.format == "B":
        return field.value(byte)
    shift, mask = field.place
    return field.value(byte >> shift & mask)


def _offsets(parts: Sequence[Part]) -> Iterator[int]:
    """Where words of one byte stand."""
    at = 0
    for part in parts:
        if isinstance(part, Pad):
            at += part.size
        else:
            yield at
            at += 1
