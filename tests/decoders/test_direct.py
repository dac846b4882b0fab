"""Encoding without trial gives what trying gives: the same frame, and what it says of rounding is true."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import attribute
from decoders.catalog import CODECS
from decoders.choice import Choice, by_length, by_prefix
from decoders.codec import Codec, CodecField
from decoders.direct import Direct, Written, values_of
from decoders.error import DecodeError, EncodeError
from decoders.field import Bits, Const, Curve, Field, Given, Pad, Part
from decoders.layout import Layout, Order
from decoders.measurement import Measurement, Reading, same
from decoders.quantity import Quantity
from decoders.tlv import ChannelTlv, LengthTlv
from decoders.typed import Typed
from tests.decoders.published import parameters_of

T, V, D = Quantity.AIR_TEMPERATURE, Quantity.BATTERY_VOLTAGE, Quantity.DISTANCE
BENT = Curve(lambda raw: None if raw % 7 == 0 else float(raw**2), lambda value: round(value**0.5), 1, 40_000, 400)
PARTS: tuple[Part, ...] = (
    Field(T, "h", divisor=10, invalid=-0x8000),
    Field(T, "H", "centred", offset=-0x8000, divisor=10, invalid=(0, 0xFFFF)),
    Field(T, "B", "scaled", scale=165, offset=-40 * 256, divisor=256),
    Field(V, "u24", divisor=1000),
    Field(V, "s24", "signed", scale=256, divisor=10_000_000),
    Field(V, "u16le", "listed", values={0: 3.6, 1: 3.0, 2: 2.4, 9: 9.0, 7: 2.4}, invalid=9),
    Field(D, "f", digits=2),
    Field(D, "B", "bent", curve=BENT),
    Bits("H", Const("12-15", 5), Field(T, "0-6", "bits"), Field(D, "7-9", "bits"), attribute.number("n", "10-11")),
    Bits("3sle", Field(V, "0-11", "low", divisor=100), Field(V, "8-23", "shared", divisor=100)),
    Const("B", 9),
    Pad(2),
    attribute.number("count", "H"),
    attribute.hexadecimal("serial", 2),
    attribute.real("ratio"),
    Field(T, "b", "", invalid=-1),
)
NUMBERS = st.one_of(
    st.integers(-40, 300).map(float),
    st.integers(-4000, 70_000).map(lambda raw: raw / 10),
    st.floats(-1e6, 1e6),
    st.floats(),
)
FORMS = [
    pytest.param(model, port, form, id=f"{model.id}-{port}-{form or 'only'}")
    for model in CODECS
    for port in model.ports
    for form in dict.fromkeys(item.frame for item in model.fields() if item.f_port == port)
]
MOST_FIELDS = 60


def _by_parts(layout: Layout, given_: Given) -> bytes | None:
    """What the parts write one after the other; None where one refuses, or something is left."""
    try:
        payload = layout._packed(given_)
        given_.refuse_rest()
    except EncodeError:
        return None
    return payload


@settings(max_examples=400)
@given(data=st.data())
def test_compiled_writing_does_what_the_parts_do(data: st.DataObject) -> None:
    """Of any layout and any readings: the same frame or none, and `exact` if reading gives the same again."""
    parts = data.draw(st.lists(st.sampled_from(PARTS), min_size=1, max_size=5))
    layout = Layout(data.draw(st.sampled_from((">", "<"))), *parts)
    places = list(dict.fromkeys((field.quantity, field.channel) for field in layout.parts()))
    chosen = [place for place in places if data.draw(st.integers(0, 5))]
    readings = tuple(Reading(quantity, data.draw(NUMBERS), channel) for quantity, channel in chosen)
    words = data.draw(
        st.dictionaries(st.sampled_from(("n", "count", "zip")), st.sampled_from(("0", "3", "70000", "x")))
    )
    measurement = Measurement.of(0, readings, words)
    written = layout.written(values_of(readings), words, {})
    assert (written and written.payload) == _by_parts(layout, Given(measurement))
    if written is not None:
        assert written.exact == same(layout.decode(written.payload, 0, {}), measurement)
        assert layout.has_places(chosen)


@pytest.mark.parametrize(
    ("part", "reading"),
    [
        (attribute.number("n", "B"), Reading(T, 1.0)),
        (Field(T, "b", invalid=-1), Reading(T, 1.0)),
        (Field(V, "B", values={5: 3.0, 2: 1.0}), Reading(V, 2.0)),
        (Field(V, "B", values={2: 1.0, 5: 3.0, 1: 3.0}), Reading(V, 3.0)),
        (Field(V, "B", values={2: 1.0, 5: 3.0, 1: 3.0}), Reading(V, 2.9)),
        (Field(V, "B", values={2: 1.0, 5: 3.0}), Reading(V, 0.9)),
        (Field(D, "f", digits=2), Reading(D, 1_234_567.89)),
        (Field(D, "f", digits=2), Reading(D, 1234.56)),
    ],
)
def test_twice_the_same_and_values_in_a_list(part: Part, reading: Reading) -> None:
    """What is given is sent once; between two listed values, or of two for one, the first in the list's order."""
    layout = Layout(">", Field(T, "h", "other", invalid=0), part, part if isinstance(part, Field) else Pad(1), part)
    for words in ({}, {"n": "3"}, {"n": "03"}, {"n": "3", "zip": "3"}):
        measurement = Measurement.of(0, (reading,), words)
        for parts in (layout, Layout(">", Field(T, "b", invalid=0), part)):
            written = parts.written(values_of(measurement.readings), words, {})
            assert (written and written.payload) == _by_parts(parts, Given(measurement))
            assert written is None or written.exact == same(parts.decode(written.payload, 0, {}), measurement)


def _fields(model: Codec, port: int, form: str) -> list[CodecField]:
    found: dict[tuple[Quantity, str], CodecField] = {}
    for item in model.fields():
        if item.f_port == port and item.frame == form:
            found.setdefault((item.quantity, item.channel), item)
    return list(found.values())[:MOST_FIELDS]


def _value(item: CodecField, share: float, *, even: bool) -> float:
    low, high = max(item.low, -1e6), min(item.high, 5e9)
    value = low + (high - low) * share
    return round(low + round((value - low) / item.step) * item.step, 4) if even else value


def _encoded(model: Codec, port: int, readings: list[Reading]) -> bytes | None:
    try:
        return model.encode(port, readings, parameters_of(model.id))
    except EncodeError:
        return None


def _nothing(*_: object) -> None:
    """A format that never says at once."""


@pytest.mark.parametrize(("model", "port", "form"), FORMS)
@settings(max_examples=12)
@given(data=st.data())
def test_every_codec_encodes_as_by_trying(model: Codec, port: int, form: str, data: st.DataObject) -> None:
    """Of each codec, for all its fields or some: the bytes, or the refusal, that trying all ways would give."""
    fields = _fields(model, port, form)
    if data.draw(st.booleans()):
        fields = data.draw(st.lists(st.sampled_from(fields), min_size=1, max_size=6, unique=True))
    even = data.draw(st.booleans())
    shares = data.draw(st.lists(st.floats(-0.01, 1), min_size=len(fields), max_size=len(fields)))
    readings = [
        Reading(item.quantity, _value(item, share, even=even), item.channel)
        for item, share in zip(fields, shares, strict=True)
    ]
    found = _encoded(model, port, readings)
    with pytest.MonkeyPatch.context() as patched:
        for kind in (Layout, Typed, Choice):
            patched.setattr(kind, "written", _nothing)
        patched.setattr(Layout, "part", _nothing)
        assert found == _encoded(model, port, readings)


CO2, O3, NO2, PM10, PM1 = Quantity.CO2, Quantity.O3, Quantity.NO2, Quantity.PM10, Quantity.PM1
WAYS = ChannelTlv(
    ">",
    {
        0x01: Field(D, "H"),
        0x02: Field(D, "H", scale=10),
        0x03: Field(T, "h", divisor=10),
        0x04: (Field(T, "h", divisor=100), Field(V, "B", divisor=10)),
        0x05: Field(V, "B", divisor=10),
        0x06: [Field(D, "H", "first"), Field(D, "H", "second")],
        0x07: Field(CO2, "H", invalid=0),
        0x0D: Field(O3, "H"),
        0x08: Field(CO2, "I"),
        0x0E: Field(NO2, "B"),
        0x0F: Field(NO2, "h", divisor=10),
        0x0A: Field(PM10, "B"),
        0x0B: (Field(PM10, "B", invalid=255), Field(PM1, "B")),
        0x0C: Field(PM1, "B"),
    },
    type_bytes=1,
)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({D: 300.0}, "01012c"),
        ({D: 70_000.0}, "021b58"),
        ({D: 70_004.0}, "021b58"),
        ({D: 300.4}, "01012c"),
        ({D: 300.0, CO2: 70_000.0}, "01012c0800011170"),
        ({D: 70_000.0, CO2: 0.0}, "021b580800000000"),
        ({CO2: 70_000.0, O3: 5.0}, "0d00050800011170"),
        ({NO2: 2.5}, "0f0019"),
        ({NO2: 2.5, D: 300.4}, "01012c0e02"),
        ({PM10: 7.0, PM1: 5.0}, "0a070bff05"),
        ({T: 2.5, V: 3.6}, "0300190524"),
        ({T: 2.05, V: 3.6}, "0400cd24"),
        ({T: 2.0, V: 3.6}, "0300140524"),
    ],
)
def test_the_first_type_that_fits(values: dict[Quantity, float], expected: str) -> None:
    """Of several types for one value the first that holds it as it is, at worst the first that holds it at all."""
    readings = tuple(Reading(quantity, value) for quantity, value in values.items())
    assert WAYS.encode(Measurement.of(0, readings), {}) == bytes.fromhex(expected)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Typed, "written", _nothing)
        assert WAYS.encode(Measurement.of(0, readings), {}) == bytes.fromhex(expected)


@pytest.mark.parametrize(
    "readings",
    [
        (),
        (Reading(D, 1e6),),
        (Reading(V, 99.0),),
        (Reading(D, 1.0, "second"),),
        (Reading(D, 1.0), Reading(T, 1.0, "x")),
    ],
)
def test_what_cannot_be_said_at_once(readings: tuple[Reading, ...]) -> None:
    """Nothing to send, a value beyond all types, an occurrence without the one before, no place: left to trying."""
    assert WAYS.written(values_of(readings), {}, {}) is None
    with pytest.raises(EncodeError):
        WAYS.encode(Measurement.of(0, readings), {})


def test_words_are_left_to_trying() -> None:
    """Typed values and choices do not look at attributes; a layout does."""
    layout = Layout(">", Field(T, "b"), attribute.number("n", "B"))
    lengths = LengthTlv(">", {0x0201: (Field(T, "b"), attribute.number("n", "B"))})
    values, words = {(T, ""): 5.0}, {"n": "7"}
    assert layout.written(values, words, {}) == Written(b"\x05\x07", exact=True, used=2)
    assert lengths.written(values, words, {}) is None
    assert by_length({"only": layout}).written(values, words, {}) is None
    assert lengths.encode(Measurement.of(0, (Reading(T, 5.0),), words), {}) == bytes.fromhex("0402010507")


class Slow:
    """A format that is no layout: a byte of tenths."""

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One temperature."""
        return (Measurement.of(time_ms, (Reading(T, payload[1] / 10),)),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """Type and byte."""
        given_ = Given(measurement)
        value = given_.values.pop((T, ""), None)
        given_.refuse_rest()
        if value is None or not 0 <= value <= 25:
            raise EncodeError("no tenths")
        return bytes((1, round(value * 10)))

    def fields(self) -> tuple[CodecField, ...]:
        """The temperature."""
        return (Field(T, "B", divisor=10).describe(),)


WHOLE = Layout(">", Const("B", 0), Field(T, "b"))
BOTH = Layout(">", Const("B", 2), Field(T, "b"), Field(V, "B"))
FINE = Layout(">", Const("B", 3), Field(T, "h", divisor=100))
CHOICE = by_prefix({"whole": (b"\0", WHOLE), "slow": (b"\1", Slow()), "both": (b"\2", BOTH), "fine": (b"\3", FINE)})
PLAIN = by_prefix({"whole": (b"\0", WHOLE), "both": (b"\2", BOTH), "fine": (b"\3", FINE)})


@pytest.mark.parametrize(
    ("choice", "readings", "at_once", "expected"),
    [
        (CHOICE, {T: 3.0}, True, "0003"),
        (CHOICE, {T: 3.5}, False, "0123"),
        (CHOICE, {T: 3.25}, False, "030145"),
        (CHOICE, {T: 3.0, V: 4.0}, True, "020304"),
        (CHOICE, {T: 3.1, V: 4.0}, True, "020304"),
        (PLAIN, {T: 3.25}, True, "030145"),
        (PLAIN, {T: 3.001}, True, "0003"),
        (PLAIN, {T: 130.0}, True, "0332c8"),
    ],
)
def test_the_first_form_that_rounds_nothing(
    choice: Choice, readings: dict[Quantity, float], at_once: bool, expected: str
) -> None:
    """Of forms with all places the first that is exact, else the first; one that is no layout has to be tried."""
    measurement = Measurement.of(0, tuple(Reading(quantity, value) for quantity, value in readings.items()))
    assert (choice.written(values_of(measurement.readings), {}, {}) is not None) == at_once
    assert choice.encode(measurement, {}) == bytes.fromhex(expected)


def test_a_form_that_another_is_taken_for_is_not_sent() -> None:
    """A payload that the choice would read as another form is not said at once."""
    wrong = Choice({"a": WHOLE, "b": FINE}, lambda _: "b")
    assert wrong.written({(T, ""): 3.0}, {}, {}) is None
    assert wrong.encode(Measurement.of(0, (Reading(T, 3.0),)), {}) == bytes.fromhex("03012c")


def test_a_form_that_has_to_be_tried_is_not_passed_over() -> None:
    """A form that could not say at once, and can do it, comes before a later one that could."""
    plain = Layout(">", Const("B", 0x20), Field(T, "h", divisor=100), Field(V, "B", divisor=10))
    choice = Choice({"typed": WAYS, "plain": plain}, lambda payload: "plain" if payload[0] == 0x20 else "typed")
    measurement = Measurement.of(0, (Reading(T, 2.05), Reading(V, 3.6)))
    assert choice.encode(measurement, {}) == bytes.fromhex("0400cd24")


def test_a_choice_of_an_unknown_payload() -> None:
    """A payload that the choice refuses is not said at once either."""

    def refuse(payload: bytes) -> str:
        raise DecodeError(payload.hex())

    assert Choice({"a": WHOLE}, refuse).written({(T, ""): 3.0}, {}, {}) is None


def test_orders_of_places_are_kept_within_bounds() -> None:
    """Whatever is asked for, formats remember a bounded number of orders of readings."""
    many = Layout(">", *(Field(T, "b", str(number), invalid=-1) for number in range(10)))
    table: Typed = ChannelTlv(
        ">", {1: Field(T, "b"), **{2 + n: Field(T, "b", str(n)) for n in range(10)}}, type_bytes=1
    )
    choice = by_length({"only": many})
    for number in range(1, 1024):
        values = {(T, str(bit)): 1.0 for bit in range(10) if number >> bit & 1}
        assert choice.written(values, {}, {}) is not None
        assert table.written(values, {}, {}) is not None
    assert len(choice._known) <= 256
    assert len(table._plans) <= 256


def test_direct_formats_say_so() -> None:
    """A format that is direct has to say what it writes and what it has places for."""
    order: Order = ">"
    assert isinstance(Layout(order, Pad(1)), Direct)
    with pytest.raises(NotImplementedError):
        Direct().written({}, {}, {})
    with pytest.raises(NotImplementedError):
        Direct().has_places(())
