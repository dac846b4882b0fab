"""Python source that is made for one frame and compiled once: what it refers to, and how it gives a measurement."""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress
from types import FunctionType
from typing import NamedTuple, cast

from decoders.codec import Decode
from decoders.compiled import LARGEST_TABLE, Order
from decoders.field import Attribute, Field, Part, bit_place
from decoders.measurement import NO_ATTRIBUTES, Measurement, Places, Values

FILE = "<frames>"
OTHERWISE = "return otherwise(payload, time_ms, parameters)"
Said = Mapping[str, str]


class Form(NamedTuple):
    """A frame of fixed length: its parts in their order on the air, the byte order, the struct of all but padding."""

    parts: Sequence[Part]
    order: Order
    packed: struct.Struct


class Value(NamedTuple):
    """Expressions of a field's value, of whether there is one (empty: always), and of the value or None."""

    value: str
    there: str
    maybe: str


class Names:
    """What source refers to: values by name, and constants, which are faster; the source holds strings for them."""

    def __init__(self, otherwise: Decode) -> None:
        self.values: dict[str, object] = {
            "Measurement": Measurement,
            "nothing": NO_ATTRIBUTES,
            "number": int.from_bytes,
            "otherwise": otherwise,
            "sparse": _sparse,
        }
        self._constants: dict[str, object] = {}
        self._tables: dict[tuple[object, ...], str] = {}
        self._said: dict[tuple[Attribute, int], tuple[str, str]] = {}

    def name(self, value: object) -> str:
        """The name of a value."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return name

    def constant(self, value: object) -> str:
        """The string that stands for a value."""
        name = f"c{len(self._constants)}"
        self._constants[name] = value
        return repr(name)

    def table(self, table: Sequence[object]) -> str:
        """The string that stands for a table of what can be a key; for the same table the same."""
        key = tuple(table)
        if key not in self._tables:
            self._tables[key] = self.constant(table)
        return self._tables[key]

    def said(self, attribute: Attribute, size: int, raw: str) -> str:
        """The expression of what an attribute with so many raw values says."""
        key = (attribute, size)
        if key not in self._said:
            known, say = _sayings(attribute, size)
            self._said[key] = self.constant(known), self.name(say)
        known_name, say_name = self._said[key]
        return f"(said if (said := {known_name}[{raw}]) is not None else {say_name}({raw}))"

    def compiled(self, lines: Iterable[str]) -> Decode:
        """The function of these lines: payload, time_ms, parameters → measurements."""
        source = ("def decode(payload, time_ms, parameters):", *indented(lines))
        exec(compile("\n".join(source), FILE, "exec"), self.values)  # noqa: S102 - of our own numbers and names alone
        code = cast("FunctionType", self.values.pop("decode")).__code__
        constants = (self._constants.get(each, each) if isinstance(each, str) else each for each in code.co_consts)
        return FunctionType(code.replace(co_consts=tuple(constants)), self.values)


def _sayings(attribute: Attribute, size: int) -> tuple[list[Said | None], Callable[[int], Said]]:
    """What an attribute said before, by raw value, and the function that says it for the first time."""
    known: list[Said | None] = [None] * size

    def say(raw: int) -> Said:
        text = attribute.text(raw)
        known[raw] = found = {attribute.name: text} if text else NO_ATTRIBUTES
        return found

    return known, say


def _sparse(time_ms: int, places: Places, values: tuple[float | None, ...], said: Said) -> tuple[Measurement, ...]:
    """The measurement of those values that are there."""
    there = [value is not None for value in values]
    found = cast("Values", tuple(compress(values, there)))
    return (Measurement((time_ms, tuple(compress(places, there)), found, said)),)


def indented(lines: Iterable[str]) -> Iterator[str]:
    """Inside of the line before."""
    return (f"    {line}" for line in lines)


def under(conditions: Iterable[str], lines: Iterable[str]) -> Iterator[str]:
    """Lines that are reached if all conditions hold."""
    condition = " and ".join(conditions)
    if not condition:
        yield from lines
        return
    yield f"if {condition}:"
    yield from indented(lines)


def value_or_none(found: str, local: str, *, sure: bool = False) -> Value:
    """Of an expression that gives the value, or None where there is none; `local` is a free name."""
    return Value(found, "", found) if sure else Value(local, f"({local} := {found}) is not None", found)


def returned(fields: Sequence[Field], values: Sequence[Value], said: str, names: Names) -> Iterator[str]:
    """Lines that return the measurement of these values."""
    places = names.constant(tuple((field.quantity, field.channel) for field in fields))
    full = f"return (Measurement((time_ms, {places}, ({''.join(f'{each.value}, ' for each in values)}), {said})),)"
    there = [each.there for each in values if each.there]
    yield from under(there, (full,))
    if there:
        yield f"return sparse(time_ms, {places}, ({''.join(f'{each.maybe}, ' for each in values)}), {said})"


def is_number(attribute: Attribute) -> bool:
    """Whether it is a number of which there are few."""
    return 0 < numbers_of(attribute) <= LARGEST_TABLE


def numbers_of(attribute: Attribute) -> int:
    """How many raw values a number has that is a byte, or bits; 0 for all else."""
    if attribute.code == "B":
        return LARGEST_TABLE
    return bit_place(attribute.code).mask + 1 if attribute.code[-1].isdigit() else 0
