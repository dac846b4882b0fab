"""The function that writes a layout, made of the layout's parts as Python source and compiled once.

It does what the parts' `write` do one after the other, and says besides whether reading gives the same values again.
Whatever it would refuse it leaves to them, so that there is one place that says why. The source holds nothing but
numbers, operators and names that are made here, as that of the reading function does.
"""

import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import cast

from decoders.compiled import Order, order_of
from decoders.direct import Values, Words, Written
from decoders.error import EncodeError
from decoders.field import BYTEWISE, FLOAT_LIMIT, Attribute, Bits, Const, Field, Part, bit_place, new_tuple
from decoders.measurement import Place

FILE = "<layout>"
SINGLE = struct.Struct("f")
REFUSED = (KeyError, ValueError, OverflowError, struct.error)
Write = Callable[[Values, Words], Written | None]
"""What a layout makes of the values that it has places for; None where one is missing or does not fit."""
Pack = Callable[..., bytes]


def compile_write(words: Sequence[Part], order: Order, pack: Pack) -> Write:
    """The writing function of these words (parts but padding), whose raw values `pack` makes a frame of."""
    source = _Source(words, order, pack)
    names = source.names
    exec(compile("\n".join(source.lines()), FILE, "exec"), names)  # noqa: S102 - of our own numbers and names alone
    return cast("Write", names["write"])


class _Source:
    """Source text and the values of its names.

    `x3` is the value that is given, `r3` its raw number, `t3` an attribute's text; `exact` holds what decides whether
    anything is rounded.
    """

    def __init__(self, words: Sequence[Part], order: Order, pack: Pack) -> None:
        self._words = words
        self._order = order
        self._count = 0
        self._needed = 0
        self._seen: set[Place | str] = set()
        self._exact: list[str] = []
        self.names: dict[str, object] = {"pack": pack, "refused": REFUSED, "new": new_tuple, "Written": Written}
        self.names |= {"single": SINGLE.pack, "number": SINGLE.unpack}

    def lines(self) -> Iterator[str]:
        """The function `write`."""
        body: list[str] = []
        raws = [self._word(word, body) for word in self._words]
        yield "def write(values, words):"
        yield f"    used = {self._needed}"
        yield "    exact = True"
        yield "    try:"
        yield from (f"        {line}" for line in body)
        yield f"        payload = pack({', '.join(raws)})"
        yield "    except refused:"
        yield "        return None"
        yield f"    return new(Written, (payload, {' and '.join(['exact', *self._exact])}, used))"

    def _name(self, value: object) -> str:
        name = f"v{len(self.names)}"
        self.names[name] = value
        return name

    def _word(self, word: Part, body: list[str]) -> str:
        """The expression that `pack` gets for a word; what comes before it is added to the body."""
        if isinstance(word, Const):
            return repr(int(word.value))
        if isinstance(word, Bits):
            return self._bits(word, body)
        if isinstance(word, Attribute):
            return self._attribute(word, body)
        if not isinstance(word, Field):
            raise TypeError(f"{word!r} is no word of a frame")
        raw = self._field(word, body)
        if word.format not in BYTEWISE:
            return raw
        size, order = BYTEWISE[word.format], order_of(word.format, self._order)
        return f"({raw}).to_bytes({size}, {order!r}, signed={word.format == 's24'})"

    def _bits(self, bits: Bits, body: list[str]) -> str:
        """A word of which some bits are constants; a field that shares bits is read again."""
        fields = [(field.place, self._field(field, body), field) for field in bits.fields]
        others = [(bit_place(part.code), self._attribute(part, body)) for part in bits.attributes]
        terms = [repr(constant.value << bit_place(constant.code).shift) for constant in bits.constants]
        for (shift, mask), raw in (*((place, raw) for place, raw, _ in fields), *others):
            body.append(f"if not 0 <= {raw} <= {mask}: return None")
            terms.append(f"{raw} << {shift}" if shift else raw)
        word = f"w{self._number()}"
        body.append(f"{word} = {' | '.join(terms) or '0'}")
        parts: tuple[Field | Attribute | Const, ...] = (*bits.fields, *bits.attributes, *bits.constants)
        taken = [_bits_of(part) for part in parts]
        for (shift, mask), raw, field in fields:
            if sum(bool(mask << shift & other) for other in taken) > 1:
                read = self._name(field.read)
                body.append(f"if {read}({word} >> {shift} & {mask}) != {read}({raw}): return None")
        return f"({word}).to_bytes({int(bits.code[:-1])}, {bits.order!r})" if bits.code.endswith("s") else word

    def _attribute(self, attribute: Attribute, body: list[str]) -> str:
        """An integer's text is parsed, others that are given take a closer look; zero what was taken before."""
        number, name = self._number(), self._name(attribute.name)
        nothing = bytes(int(attribute.code[:-1])) if attribute.code.endswith("s") else 0
        if attribute.name in self._seen:
            return repr(nothing)
        self._seen.add(attribute.name)
        if nothing or attribute.code == "f":
            body.append(f"if {name} in words: return None")
            return repr(nothing)
        body += (
            f"r{number} = 0",
            f"if words and (t{number} := words.get({name})) is not None:",
            "    used += 1",
            f"    r{number} = int({self._name(attribute.parse)}(t{number}))",
            f"    exact = exact and {self._name(attribute.text)}(r{number}) == t{number}",
        )
        return f"r{number}"

    def _field(self, field: Field, body: list[str]) -> str:
        """The raw number of a field; the first of its markers where the reading is not given, or was taken before."""
        place, number = (field.quantity, field.channel), self._number()
        x, r = f"x{number}", f"r{number}"
        if place in self._seen:
            if not field.markers:
                body.append("return None")
                return "0"
            return repr(field.markers[0])
        self._seen.add(place)
        steps, same = self._steps(field, x, r)
        if not field.markers:
            self._needed += 1
            self._exact.append(same)
            body += (f"{x} = values[{self._name(place)}]", *steps)
            return r
        body += (
            f"{x} = values.get({self._name(place)})",
            f"if {x} is None: {r} = {field.markers[0]!r}",
            "else:",
            "    used += 1",
            *(f"    {step}" for step in steps),
            f"    if {r} in {self._name(frozenset(field.markers))}: return None",
            f"    exact = exact and {same}",
        )
        return r

    def _steps(self, field: Field, x: str, r: str) -> tuple[list[str], str]:
        """How a raw number comes of a value, and the condition that it means the same."""
        if field.format == "f":
            limit = f"if not {-FLOAT_LIMIT!r} <= {r} <= {FLOAT_LIMIT!r}: return None"
            back = _value(field, f"number(single({r}))[0]")
            return [
                f"{r} = {_raw(field, f'round({x}, {field.digits})')}",
                limit,
            ], f"round({back}, {field.digits}) == {x}"
        if field.values is not None:
            return [f"{r} = {self._name(_Listed(field))}({x})"], f"{self._name(field.values)}[{r}] == {x}"
        if field.curve is not None:
            low, high = field.curve.low, field.curve.high
            limit = f"if not {low!r} <= {x} <= {high!r}: return None"
            return [limit, f"{r} = {self._name(field.curve.raw)}({x})"], f"{self._name(field.curve.value)}({r}) == {x}"
        return [f"{r} = round({_raw(field, x)})"], f"{_value(field, r)} == {x}"

    def _number(self) -> int:
        self._count += 1
        return self._count


class _Listed:
    """The raw number of the nearest of a field's listed values; EncodeError beyond the least and the greatest."""

    def __init__(self, field: Field) -> None:
        listed = [(value, raw) for raw, value in (field.values or {}).items() if raw not in field.markers]
        first = {value: (order, raw) for order, (value, raw) in reversed(list(enumerate(listed)))}
        self._values = sorted(first)
        self._first = first

    def __call__(self, value: float) -> int:
        known = self._first.get(value)
        if known is not None:
            return known[1]
        at = bisect_left(self._values, value)
        if not 0 < at < len(self._values):
            raise EncodeError(f"{value} is beyond the values that are listed")
        near = self._values[at - 1 : at + 1]
        return min((abs(item - value), *self._first[item]) for item in near)[2]


def _raw(field: Field, value: str) -> str:
    """The expression of the raw number of a value."""
    scaled = value if field.divisor == 1 else f"{value} * {field.divisor!r}"
    moved = scaled if field.offset == 0 else f"({scaled} - {field.offset!r})"
    return moved if field.scale == 1 else f"{moved} / {field.scale!r}"


def _value(field: Field, raw: str) -> str:
    """The expression of the value of a raw number."""
    scaled = raw if field.scale == 1 else f"{raw} * {field.scale!r}"
    moved = scaled if field.offset == 0 else f"({scaled} + {field.offset!r})"
    return moved if field.divisor == 1 else f"{moved} / {field.divisor!r}"


def _bits_of(part: Field | Attribute | Const) -> int:
    """The bits of a word that a part takes."""
    shift, mask = part.place if isinstance(part, Field) else bit_place(part.code)
    return mask << shift
