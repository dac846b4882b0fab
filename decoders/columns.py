"""The function that decodes whole frames of fixed length, made of their parts as Python source and compiled once.

The places of a frame are known beforehand, so that only its values are made, in one expression. As in `compiled`, the
source holds nothing but numbers, operators and names that are made here. Frames are read as words (`frame_words`) or,
where numbers run across bytes or a byte tells forms apart, as bytes (`frame_bytes`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from decoders.codec import Decode
from decoders.field import Bit, Bits, Pad, Part
from decoders.frame_bytes import BYTE, ByBytes, Possible
from decoders.frame_source import OTHERWISE, Form, Names, indented, under
from decoders.frame_words import ByWords, is_fields, rows_of

ANY: Possible = {}
FEW = 2
Case = tuple[int, Sequence[str]]
"""A number, and the lines for it."""


class Chosen(NamedTuple):
    """Forms of one length, by the number that bits of the byte `at` are."""

    at: int
    bits: Bit
    forms: Mapping[int, Form]


def compile_decode(forms: Sequence[Form], otherwise: Decode) -> Decode:
    """The decoding function of these forms; of several that fit by length and constants the first holds.

    `otherwise` gets every payload that is none of them.
    """
    names = Names(otherwise)
    lines: list[str] = []
    # A byte is looked up without a look at the length, and what is longer pays for it: last.
    for form in sorted(forms, key=lambda form: form.packed.size == 1):
        lines += _told_by_length(form, names)
    return names.compiled([*lines, OTHERWISE])


def compile_choice(chosen: Chosen, otherwise: Decode) -> Decode:
    """The decoding function of these forms; `otherwise` gets every payload that is none of them."""
    names = Names(otherwise)
    at, (shift, mask), forms = chosen
    size = next(iter(forms.values())).packed.size
    cases: list[Case] = []
    for number in sorted(forms):
        possible = {at: [byte for byte in BYTE if byte >> shift & mask == number]}
        cases.append((number << shift, [*_told_by_byte(forms[number], names, possible)]))
    among = range(0, mask + 1 << shift, 1 << shift)
    told = f"b{at}" if among == BYTE else f"b{at} & {mask << shift}"
    found = indented((f"told = {told}", *_searched(cases, among, _is_below(cases, names))))
    named = ("try:", f"    {_bytes_named(size)}", "except ValueError:", "    pass", "else:")
    return names.compiled((*named, *found, OTHERWISE))


def _told_by_length(form: Form, names: Names) -> Iterator[str]:
    """Lines that return the measurement if length and constants fit."""
    words = [part for part in form.parts if not isinstance(part, Pad)]
    if form.packed.size == len(words) == 1 and is_fields(words[0]):
        yield from _looked_up_whole(words[0], names)
        return
    across = any(isinstance(word, Bits) and word.code.endswith("s") for word in words)
    by_bytes = ByBytes(form, names, ANY)
    found = by_bytes.found() if across else None
    yield f"if len(payload) == {form.packed.size}:"
    if found is None:
        yield from indented(ByWords(form, names).lines())
    else:
        yield from indented((_bytes_named(form.packed.size), *under(by_bytes.checks(), found)))


def _looked_up_whole(word: Part, names: Names) -> Iterator[str]:
    """A frame of one byte."""
    rows = {bytes((byte,)): row for byte, row in enumerate(rows_of(word))}
    yield "try:"
    yield f"    places, values = {names.constant(rows)}[payload]"
    yield "except KeyError:"
    yield "    pass"
    yield "else:"
    yield "    return (Measurement((time_ms, places, values, nothing)),)"


def _told_by_byte(form: Form, names: Names, possible: Possible) -> Iterator[str]:
    """Lines that return the measurement if constants fit; the length does, and the bytes have their names."""
    by_bytes = ByBytes(form, names, possible)
    found = by_bytes.found()
    if found is None:
        yield from ByWords(form, names).lines()
        return
    if checks := by_bytes.checks():
        # The interpreter compares faster where it has not far to jump.
        yield f"if not ({' and '.join(checks)}): {OTHERWISE}"
    yield from found


def _bytes_named(size: int) -> str:
    """The line that names the bytes of a payload; it raises ValueError if there are more or fewer."""
    return f"{', '.join(f'b{at}' for at in range(size))}, = payload"


def _is_below(cases: Sequence[Case], names: Names) -> Callable[[int], str]:
    """What makes the condition that `told` is less than a number.

    Over some of many cases it is far to jump: there the interpreter compares slowly, and a look into a table is faster.
    """
    if len(cases) == FEW:
        return lambda number: f"told < {number}"
    return lambda number: f"{names.constant([byte < number for byte in BYTE])}[told]"


def _searched(cases: Sequence[Case], among: range, is_below: Callable[[int], str]) -> Iterator[str]:
    """The lines of the case whose number is `told`, one of those `among` which it can be; found by halves."""
    if len(cases) == 1:
        ((number, lines),) = cases
        yield from under(() if len(among) == 1 else (f"told == {number}",), lines)
        return
    middle = len(cases) // 2
    between = cases[middle][0]
    yield f"if {is_below(between)}:"
    yield from indented(_searched(cases[:middle], range(among.start, between, among.step), is_below))
    yield "else:"
    yield from indented(_searched(cases[middle:], range(between, among.stop, among.step), is_below))
