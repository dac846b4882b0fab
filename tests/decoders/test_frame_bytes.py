"""Frames read by their bytes mean what they mean read as words: numbers across bytes, signs, markers, formulas."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from decoders import attribute
from decoders.choice import Choice, by_bits
from decoders.error import MalformedPayload
from decoders.field import Attribute, Bits, Const, Curve, Field, Pad, Part
from decoders.frame_bytes import ByBytes, Spot, TwosComplement, value_of
from decoders.frame_source import Names, Value
from decoders.layout import Layout, Order
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity

T = Quantity.AIR_TEMPERATURE
TAG = 7
ORDERS: tuple[Order, ...] = ("<", ">")
FORMATS = {"B": 1, "b": 1, "H": 2, "h": 2, "u24": 3, "s24": 3, "I": 4, "i": 4, "u16le": 2, "u16be": 2, "Q": 8}
DIVISORS = (1, 8, 10, 1000, 0.5, 2.54, -4)


def alike(layout: Layout, payload: bytes) -> Measurement:
    """What a form told by its first byte means, found to be the same at once and step by step."""
    (fused,) = by_bits(0, "0-7", {TAG: ("it", layout)}).reader()(payload, 5, {})
    (wanted,) = layout._decode_any(payload, 5, {})
    assert repr(fused) == repr(wanted)
    return fused


def by_bytes(*parts: Part, order: Order = ">") -> bool:
    """Whether bytes are a way of reading these parts."""
    (form,) = Layout(order, *parts).forms
    return ByBytes(form, Names(lambda *_: ()), {}).found() is not None


def curve(bits: int, scale: float = 180, divisor: float = 2**23) -> Curve:
    """A curve of which decoding alone is asked."""
    return Curve(TwosComplement(bits, scale, divisor), round, low=-1, high=1, step=1)


@given(data=st.data())
def test_numbers_across_bytes(data: st.DataObject) -> None:
    """However a word is cut into numbers, and whatever their formulas are, each has its own bits and nobody else's."""
    size = data.draw(st.integers(1, 8))
    cuts = sorted(data.draw(st.sets(st.integers(1, 8 * size - 1), max_size=5)))
    bounds = list(zip([0, *cuts], [*cuts, 8 * size], strict=True))
    fields = []
    for low, end in bounds:
        signed = data.draw(st.booleans())
        scale = data.draw(st.sampled_from((1, 45, -3)))
        divisor = data.draw(st.sampled_from(DIVISORS))
        bits, channel = f"{low}-{end - 1}", str(low)
        formula = curve(end - low, scale, divisor) if signed else None
        markers: tuple[tuple[int, ...], ...] = ((), ((1 << (end - low)) - 1,), (0,))
        marker = data.draw(st.sampled_from(markers))
        offset = data.draw(st.sampled_from((0, 3500)))
        fields.append(
            Field(T, bits, channel, scale=scale, divisor=divisor, offset=offset, invalid=marker, curve=formula)
        )
    code = f"{size}s{data.draw(st.sampled_from(('', 'le')))}"
    layout = Layout(data.draw(st.sampled_from(ORDERS)), Const("B", TAG), Pad(1), Bits(code, *fields))
    blocks = data.draw(st.lists(st.sampled_from((b"\0", b"\xff", b"\x80", b"\x5a")), min_size=size, max_size=size))
    for payload in (data.draw(st.binary(min_size=size, max_size=size)), b"".join(blocks)):
        alike(layout, bytes((TAG, 0)) + payload)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("divisor", DIVISORS)
@pytest.mark.parametrize("code", FORMATS)
def test_whole_numbers(code: str, divisor: float, order: Order) -> None:
    """All integer formats with either order, with and without a marker, at the ends of their ranges and between."""
    marker = -1 if code in {"b", "h", "s24", "i"} else (1 << 8 * FORMATS[code]) - 1
    fields = (
        Field(T, code, "plain", divisor=divisor),
        Field(T, code, "marked", divisor=divisor, invalid=marker),
        Field(T, code, "moved", divisor=divisor, scale=3, offset=-40),
    )
    layout = Layout(order, Const("B", TAG), *fields)
    size = FORMATS[code]
    for first, last in (b"\0\0", b"\xff\xff", b"\xff\xfe", b"\xfe\xff", b"\x80\0", b"\x7f\xff", b"\0\x80", b"\x12\x34"):
        number = bytes((first, *[last] * (size - 1)))
        there = alike(layout, bytes((TAG,)) + 3 * number)
        assert ((T, "marked") in there.places) == (number != b"\xff" * size)


@pytest.mark.parametrize(
    "field",
    [
        Field(T, "I", invalid=0xFFFFFFFF),
        Field(T, "i", scale=45, offset=3500, divisor=1000),
        Field(T, "h", divisor=2.54),
        Field(T, "B", scale=5.625, invalid=(0, 255)),
        Field(T, "b", values={-1: 5}),
    ],
    ids=lambda field: field.format,
)
def test_what_bytes_tell(field: Field) -> None:
    """Formulas of whole numbers in any format, and whatever a byte can say."""
    assert by_bytes(field)


@pytest.mark.parametrize(
    "part",
    [
        Field(T, "f"),
        Field(T, "Q"),
        Field(T, "I", scale=2**22),
        Field(T, "H", scale=0.1),
        Field(T, "H", offset=0.5),
        Field(T, "H", values={1: 2, 500: 3}),
        Field(T, "H", invalid=(1, 2)),
        Field(T, "H", curve=Curve(float, round, low=0, high=1, step=1)),
        Bits("H", Field(T, "0-13", curve=curve(15))),
        Bits("H", Field(T, "0-13", curve=curve(14, 0.1))),
        attribute.hexadecimal("date", 1),
        Attribute("state", "b", str, int),
        Bits("H", attribute.number("state", "4-11")),
    ],
)
def test_what_bytes_do_not_tell(part: Part) -> None:
    """Floats, sums that would round, lists and curves of long numbers, text: those frames are read as words."""
    assert not by_bytes(part)
    size = Layout(">", part).size
    for byte in (0, 1, 0x7F, 0x80, 0xFF):
        alike(Layout(">", Const("B", TAG), part), bytes((TAG, *[byte] * size)))


def test_few_bits_of_two_bytes_may_mean_anything() -> None:
    """A list, a curve and two markers are looked up in rows when one of the bytes has four bits at most."""
    fields = (
        Field(T, "4-12", "list", values={0: 5, 300: 7}),
        Field(T, "13-20", "curve", curve=Curve(lambda raw: None if raw == 9 else raw**2, round, low=0, high=1, step=1)),
        Field(T, "21-26", "marked", invalid=(3, 60)),
    )
    assert by_bytes(Bits("4s", *fields))
    layout = Layout(">", Const("B", TAG), Bits("4sle", *fields))
    found = [
        alike(layout, bytes((TAG,)) + number.to_bytes(4, "little")).values
        for number in (300 << 4 | 12 << 13 | 59 << 21, 301 << 4 | 9 << 13 | 60 << 21, 0)
    ]
    assert found == [(7.0, 144.0, 59.0), (), (5.0, 0.0, 0.0)]


@given(raw=st.integers(0, 2**24 - 1))
def test_twos_complement(raw: int) -> None:
    """The top bit is the sign; half the range is below zero."""
    assume(raw)
    formula = TwosComplement(24, 360, 2**24)
    assert formula(raw) == -formula(2**24 - raw) or raw == 2**23
    assert (formula(raw) < 0) == (raw >= 2**23)
    assert -180 <= formula(raw) < 180


def test_what_is_always_the_same_is_not_looked_up() -> None:
    """Where the bytes that there can be give one value only, it stands in the source."""
    field = Field(T, "B", values={2: 5, 3: 6, 4: 5})
    spots = (Spot(0, 0, 0xFF, 0),)
    names = Names(lambda *_: ())
    assert value_of(field, spots, {0: (2, 4)}, "f0", names) == Value("5.0", "", "5.0")
    there = {possible: value_of(field, spots, {0: possible}, "f0", names) for possible in ((2, 3), (2, 5))}
    assert {possible: bool(value and value.there) for possible, value in there.items()} == {(2, 3): False, (2, 5): True}


def test_a_marker_that_cannot_be_is_none() -> None:
    """A number below zero marks nothing in a format without sign, whatever its bits are."""
    layout = Layout(">", Const("B", TAG), Field(T, "H", invalid=-1))
    assert alike(layout, b"\x07\xff\xff").values == (65535.0,)


@pytest.mark.parametrize("code", ["B", "H", "I"])
def test_constants_are_checked_by_their_bytes(code: str) -> None:
    """Each byte of a constant counts; a frame that differs is refused as ever."""
    size = FORMATS[code]
    number = int.from_bytes(bytes(range(1, size + 1)), "big")
    layout = Layout(">", Const("B", TAG), Const(code, number), Bits("H", Const("6-9", 5), Field(T, "0-5")))
    right = bytes((TAG, *range(1, size + 1))) + (5 << 6 | 33).to_bytes(2, "big")
    assert alike(layout, right).values == (33.0,)
    choice = by_bits(0, "0-7", {TAG: ("it", layout)})
    for at in range(1, size + 2):
        wrong = bytes((*right[:at], right[at] ^ 1, *right[at + 1 :]))
        with pytest.raises(MalformedPayload, match="expected"):
            choice.reader()(wrong, 0, {})


def test_constants_tell_forms_across_bytes() -> None:
    """Of forms of one length with numbers across bytes that is meant whose constant fits; others are refused."""

    def refused(payload: bytes) -> str:
        raise MalformedPayload(payload.hex())

    forms = {str(kind): Layout(">", Bits("3s", Const("20-23", kind), Field(T, "2-19", str(kind)))) for kind in (1, 2)}
    read = Choice(forms, refused, tuple(forms.values())).reader()
    found = [read(bytes((kind << 4, 1, 0)), 0, {})[0].readings for kind in (1, 2)]
    assert found == [(Reading(T, 64.0, "1"),), (Reading(T, 64.0, "2"),)]
    with pytest.raises(MalformedPayload, match="300100"):
        read(bytes((3 << 4, 1, 0)), 0, {})
