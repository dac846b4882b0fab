"""Source of frames that are read as words, r0, r1 and so on, which are unpacked at once."""

from collections.abc import Generator, Iterator, Sequence

from decoders.compiled import LARGEST_TABLE, attributes_of, bits, fields_of, linear, numbers, raw_values
from decoders.field import Bits, Const, Field, Pad, Part
from decoders.frame_source import Form, Names, Value, is_number, numbers_of, returned, under, value_or_none
from decoders.measurement import Places, Values

Row = tuple[Places, Values]


class ByWords:
    """Source of one form by its words."""

    def __init__(self, form: Form, names: Names) -> None:
        self._form = form
        self._words = [part for part in form.parts if not isinstance(part, Pad)]
        self._names = names

    def lines(self) -> Iterator[str]:
        """What returns the measurement if constants fit."""
        yield from self._raws()
        yield from numbers(self._words, self._form.order)
        yield from under(self._checks(), self._found())

    def _raws(self) -> Iterator[str]:
        """Raw values of all words: by index if each is a byte, else unpacked at once."""
        words = self._words
        if all(is_byte(word) for word in words):
            yield from (f"r{index} = payload[{at}]" for index, at in enumerate(_offsets(self._form.parts)))
        else:
            yield raw_values(words, f"{self._names.name(self._form.packed.unpack)}(payload)")

    def _checks(self) -> Iterator[str]:
        for index, word in enumerate(self._words):
            if isinstance(word, Const):
                yield f"r{index} == {int(word.value)}"
            elif isinstance(word, Bits):
                yield from (f"({bits(index, each.code)}) == {int(each.value)}" for each in word.constants)

    def _found(self) -> Iterator[str]:
        said = yield from self._texts()
        telling = [(index, word) for index, word in enumerate(self._words) if any(fields_of(index, word))]
        if len(telling) == 1 and is_byte(telling[0][1]):
            yield f"places, values = {self._names.constant(rows_of(telling[0][1]))}[r{telling[0][0]}]"
            yield f"return (Measurement((time_ms, places, values, {said})),)"
            return
        fields = [found for index, word in telling for found in fields_of(index, word)]
        values = [self._value(field, raw, f"f{number}") for number, (field, raw) in enumerate(fields)]
        yield from returned([field for field, _ in fields], values, said, self._names)

    def _value(self, field: Field, raw: str, local: str) -> Value:
        if field.format == "f":
            return value_or_none(f"{self._names.name(field.value)}({raw})", local)
        low, high = field.raw_range()
        if high - low < LARGEST_TABLE:
            # Numbers below zero stand at the end of a list.
            table = [field.value(number) for number in (*range(high + 1), *range(low, 0))]
            return value_or_none(f"{self._names.table(table)}[{raw}]", local, sure=None not in table)
        if field.values is not None:
            listed = {number: field.value(number) for number in field.values if low <= number <= high}
            return value_or_none(f"{self._names.name(listed.get)}({raw})", local)
        if field.curve is not None:
            return value_or_none(f"{self._names.name(field.value)}({raw})", local)
        value, marked = linear(field, raw), field.markers
        if not marked:
            return value_or_none(value, local, sure=True)
        there = (
            f"({raw}) != {marked[0]}"
            if len(marked) == 1
            else f"({raw}) not in {self._names.constant(frozenset(marked))}"
        )
        return Value(value, there, f"{value} if {there} else None")

    def _texts(self) -> Generator[str, None, str]:
        """Lines that collect what the device says in words; returns the expression of all of it."""
        found = [each for index, word in enumerate(self._words) for each in attributes_of(index, word)]
        if not found:
            return "nothing"
        if len(found) == 1 and is_number(found[0][0]):
            yield f"said = {self._names.said(found[0][0], numbers_of(found[0][0]), found[0][1])}"
            return "said"
        texts = [(self._names.name(each.name), f"{self._names.name(each.text)}({raw})") for each, raw in found]
        if len(texts) == 1:
            yield f"said = {{{texts[0][0]}: text}} if (text := {texts[0][1]}) else nothing"
            return "said"
        yield "said = {}"
        yield from (f"if text := {text}: said[{name}] = text" for name, text in texts)
        return "said or nothing"


def is_byte(word: Part) -> bool:
    """Whether it is one byte, and whose sign does not matter to what a table says of it."""
    return word.format in {"B", "b"} if isinstance(word, Field) else not isinstance(word, Pad) and word.code == "B"


def is_fields(word: Part) -> bool:
    """Whether it is a byte of nothing but fields."""
    if isinstance(word, Bits):
        return is_byte(word) and bool(word.fields) and not word.attributes and not word.constants
    return isinstance(word, Field) and is_byte(word)


def rows_of(word: Part) -> list[Row]:
    """Places and values of all fields of a byte, by its value."""
    fields = [word] if isinstance(word, Field) else word.fields if isinstance(word, Bits) else ()
    known: dict[Places, Places] = {}
    found = []
    for byte in range(LARGEST_TABLE):
        values = [_of_byte(each, byte) for each in fields]
        there = [each for each, value in zip(fields, values, strict=True) if value is not None]
        places = tuple((each.quantity, each.channel) for each in there)
        found.append((known.setdefault(places, places), tuple(value for value in values if value is not None)))
    return found


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
