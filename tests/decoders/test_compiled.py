"""The compiled way of reading a layout gives what its parts say one by one."""

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import attribute
from decoders.catalog import CODECS
from decoders.choice import Choice
from decoders.codec import Frame
from decoders.compiled import compile_read, order_of
from decoders.error import DecodeError, MalformedPayload
from decoders.field import BYTEWISE, RANGES, Attribute, Bits, Const, Curve, Field, Pad, Part, bit_place
from decoders.layout import ORDER_NAMES, Layout, Order
from decoders.measurement import Reading
from decoders.quantity import Quantity

BENT = Curve(lambda raw: None if raw % 7 == 0 else raw**0.5, lambda value: round(value**2), 0, 256, 1)


def number(raw: bytes, code: str, order: Order) -> float:
    """A raw number of a format."""
    if code in BYTEWISE:
        return int.from_bytes(raw, order_of(code, ORDER_NAMES[order]), signed=code == "s24")
    found: float = struct.unpack(order + code, raw)[0]
    return found


def size(part: Part) -> int:
    """The bytes of a part."""
    if isinstance(part, Pad):
        return part.size
    code = part.format if isinstance(part, Field) else part.code
    return BYTEWISE.get(code) or struct.calcsize(">" + code)


def read(order: Order, parts: tuple[Part, ...], payload: bytes) -> tuple[list[Reading], dict[str, str]] | None:
    """Readings and attributes, part by part; None where a constant differs."""
    readings: list[Reading | None] = []
    attributes: dict[str, str] = {}
    at = 0
    for part in parts:
        raw = payload[at : at + size(part)]
        at += size(part)
        if isinstance(part, Field):
            readings.append(part.read(number(raw, part.format, order)))
        elif isinstance(part, Const) and number(raw, part.code, order) != part.value:
            return None
        elif isinstance(part, Attribute):
            attributes[part.name] = part.text(raw if part.code.endswith("s") else number(raw, part.code, order))
        elif isinstance(part, Bits):
            whole = int.from_bytes(raw, part.order if part.code.endswith("s") else ORDER_NAMES[order])
            every: list[Field | Attribute | Const] = [*part.constants, *part.fields, *part.attributes]
            for inner in every:
                shift, mask = inner.place if isinstance(inner, Field) else bit_place(inner.code)
                bits = whole >> shift & mask
                if isinstance(inner, Field):
                    readings.append(inner.read(bits))
                elif isinstance(inner, Attribute):
                    attributes[inner.name] = inner.text(bits)
                elif bits != inner.value:
                    return None
    return [item for item in readings if item is not None], {name: text for name, text in attributes.items() if text}


def compiled(layout: Layout, payload: bytes) -> tuple[list[Reading], dict[str, str]] | None:
    """The same by the compiled function."""
    readings: list[Reading] = []
    attributes: dict[str, str] = {}
    try:
        layout.read(b"??" + payload, 2, readings, attributes)
    except MalformedPayload:
        return None
    return readings, attributes


def decoded(layout: Layout, payload: bytes) -> tuple[list[Reading], dict[str, str]] | None:
    """The same as a whole frame."""
    try:
        (found,) = layout.decode(payload, 3, {})
    except MalformedPayload:
        return None
    assert found.time_ms == 3
    return list(found.readings), dict(found.attributes)


def numbers(code: str) -> st.SearchStrategy[Field]:
    """A field of this format, of any kind."""
    least, greatest = RANGES.get(code) or (0, bit_place(code)[1])
    raws = st.integers(least, greatest)
    linear = st.builds(
        Field,
        st.sampled_from(Quantity),
        st.just(code),
        st.sampled_from(("", "a", "b")),
        divisor=st.sampled_from((1, 10, 1.024, 65536)),
        scale=st.sampled_from((1, 1.0, 5, 0.25, -2)),
        offset=st.sampled_from((0, 0.0, -40, 0.5)),
        invalid=st.one_of(st.just(()), raws, st.tuples(raws, raws)),
    )
    listed = st.builds(
        Field,
        st.sampled_from(Quantity),
        st.just(code),
        values=st.dictionaries(raws, st.floats(-100, 100), min_size=1, max_size=6),
        invalid=st.one_of(st.just(()), raws),
    )
    bent = st.builds(Field, st.sampled_from(Quantity), st.just(code), curve=st.just(BENT))
    return st.one_of(linear, listed, bent) if least >= 0 else st.one_of(linear, listed)


@st.composite
def bits(draw: st.DrawFn) -> Bits:
    """A word of fields, attributes and constants, which may share bits."""
    code = draw(st.sampled_from(("B", "H", "I", "3s", "9sle")))
    width = 8 * struct.calcsize(">" + code.removesuffix("le"))
    low = st.integers(0, width - 1)
    places = [
        draw(low.flatmap(lambda begin: st.tuples(st.just(begin), st.integers(begin, width - 1)))) for _ in range(3)
    ]
    first, second, third = (str(begin) if begin == end else f"{begin}-{end}" for begin, end in places)
    inner: list[Field | Attribute | Const] = [
        draw(numbers(first)),
        draw(numbers(second)),
        attribute.number("inner", third),
    ]
    if draw(st.booleans()):
        inner.append(Const("0", draw(st.integers(0, 1))))
    return Bits(code, *draw(st.permutations(inner)))


REAL = st.builds(
    Field, st.sampled_from(Quantity), st.just("f"), divisor=st.sampled_from((1, 1000)), digits=st.integers(0, 6)
)
PARTS = st.one_of(
    st.sampled_from(tuple(RANGES)).flatmap(numbers),
    REAL,
    bits(),
    st.builds(Const, st.just("B"), st.integers(0, 2)),
    st.builds(Pad, st.integers(0, 3)),
    st.just(attribute.hexadecimal("serial", 3)),
    st.just(attribute.words("word", "H", {0: "", 1: "one"})),
)


@settings(max_examples=200)
@given(order=st.sampled_from(("<", ">")), parts=st.lists(PARTS, max_size=6).map(tuple), data=st.data())
def test_any_layout(order: Order, parts: tuple[Part, ...], data: st.DataObject) -> None:
    """Formats, bits, markers, lists, curves, constants, attributes in any order: the same readings, in that order."""
    length = sum(map(size, parts))
    anything = st.binary(min_size=length, max_size=length)
    drawn = data.draw(st.one_of(anything, anything, st.sampled_from((bytes(length), b"\xff" * length))))
    wanted = repr(read(order, parts, drawn))
    layout = Layout(order, *parts)
    assert repr(compiled(layout, drawn)) == wanted
    assert repr(decoded(layout, drawn)) == wanted


def layouts(frame: Frame) -> Iterator[Layout]:
    """The layouts that stand inside a frame, as far as it is one or a choice of them."""
    if isinstance(frame, Layout):
        yield frame
    elif isinstance(frame, Choice):
        for form in frame._forms.values():
            yield from layouts(form)


EVERY = [
    pytest.param(layout, id=f"{codec.id}-{port}-{number}")
    for codec in CODECS
    for port, frame in codec.ports.items()
    for number, layout in enumerate(layouts(frame))
]


@pytest.mark.parametrize("layout", EVERY)
@given(data=st.data())
def test_the_layouts_of_the_catalogue(layout: Layout, data: st.DataObject) -> None:
    """Each reads any bytes as its parts do."""
    payload = data.draw(st.binary(min_size=layout.size, max_size=layout.size))
    order: Order = "<" if layout._order == "little" else ">"
    wanted = repr(read(order, layout._parts, payload))
    assert repr(compiled(layout, payload)) == wanted
    assert repr(decoded(layout, payload)) == wanted


def test_what_a_constant_must_be_is_named() -> None:
    """The meaning, what was found and what was expected, whatever characters the meaning has."""
    words = (Const("B", 3, 'a "type"\n{x}'),)
    function = compile_read(words, "big", struct.Struct(">B").unpack_from)
    with pytest.raises(DecodeError, match=r'a "type"\\n\{x\} is 0x4; expected 0x3'):
        function(b"\x04", 0, [], {})


def test_a_layout_is_compiled_with_its_first_frame() -> None:
    """And once, for whole frames and for values alike: the catalogue has thousands of layouts, a city a few."""
    layout = Layout(">", Field(Quantity.AIR_TEMPERATURE, "h", divisor=10))
    ways = []
    for payload in (b"\0\1", b"\0\2"):
        ways.append((layout._decode, layout._read))
        layout.decode(payload, 0, {})
        ways.append((layout._decode, layout._read))
        layout.read(payload, 0, [], {})
    ways.append((layout._decode, layout._read))
    assert ways[0] == (None, None)
    assert ways[1][0] is not None
    assert ways[1][1] is None
    assert ways[2][1] is not None
    assert ways[2] == ways[3] == ways[4]
