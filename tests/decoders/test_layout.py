"""Fixed frames as tables: numbers, bits, markers, constants, attributes, and their encoding."""

import struct

import pytest

from decoders import attribute
from decoders.choice import Choice, by_length, by_prefix
from decoders.error import DecodeError, EncodeError, MalformedPayload, WrongLength
from decoders.field import Attribute, Bits, Const, Field, Pad
from decoders.layout import Layout, Order
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity

T = Quantity.AIR_TEMPERATURE
V = Quantity.BATTERY_VOLTAGE
STATUS = Layout(">", Field(V, "H", divisor=1000), Field(T, "h", divisor=10, invalid=-0x8000))


def values(layout: Layout, payload: bytes) -> dict[str, float]:
    """Readings by name, with the channel behind a stroke."""
    (measurement,) = layout.decode(payload, 5, {})
    assert measurement.time_ms == 5
    return {f"{quantity.field}/{channel}": value for quantity, value, channel in measurement.readings}


def encode(layout: Layout, *readings: Reading, **attributes: str) -> bytes:
    """The frame of these readings and attributes."""
    return layout.encode(Measurement.of(0, readings, attributes), {})


def test_numbers_are_divided() -> None:
    """Raw values are divided, which gives the right decimal where a factor would not."""
    assert values(STATUS, bytes.fromhex("0e2e00e3")) == {"battery_voltage/": 3.63, "air_temperature/": 22.7}
    assert 227 * 0.1 != 22.7


@pytest.mark.parametrize("length", [0, 3, 5, 40])
def test_length_is_exact(length: int) -> None:
    """Too short and too long is WrongLength."""
    with pytest.raises(WrongLength, match=f"{length} bytes; the frame has 4"):
        STATUS.decode(bytes(length), 0, {})


def test_a_marker_means_no_reading() -> None:
    """A field's own marker leaves that field out, and is sent for a missing reading."""
    assert values(STATUS, bytes.fromhex("0e2e8000")) == {"battery_voltage/": 3.63}
    assert encode(STATUS, Reading(V, 3.63)) == bytes.fromhex("0e2e8000")


def test_several_markers_and_bytes() -> None:
    """Each of several markers counts, in a table of byte values as in a word."""
    for code, width in (("B", 1), ("H", 2)):
        layout = Layout(">", Field(Quantity.FILL_LEVEL, code, invalid=(0, 126, 127)))
        readings = {raw: values(layout, raw.to_bytes(width, "big")) for raw in (0, 1, 126, 127, 128)}
        assert [raw for raw, found in readings.items() if not found] == [0, 126, 127]
        assert readings[128] == {"fill_level/": 128.0}


@pytest.mark.parametrize(
    ("code", "raw"), [("b", -128), ("b", -1), ("B", 255), ("h", -32768), ("i", -5), ("I", 2**32 - 1)]
)
def test_signs(code: str, raw: int) -> None:
    """Signed codes are signed at both ends, tables of bytes included."""
    layout = Layout("<", Field(T, code))
    assert values(layout, struct.pack("<" + code, raw)) == {"air_temperature/": float(raw)}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("code", "raw"), [("u24", 0xF00001), ("s24", -2), ("s24", 0x7FFFFF)])
def test_three_byte_numbers(order: str, code: str, raw: int) -> None:
    """24 bit numbers keep order and sign, both ways."""
    layout = Layout("<" if order == "<" else ">", Pad(1), Field(T, code))
    payload = b"\0" + (raw % 2**24).to_bytes(3, "little" if order == "<" else "big")
    assert values(layout, payload) == {"air_temperature/": float(raw)}
    assert encode(layout, Reading(T, float(raw))) == payload


def test_a_little_endian_number_in_a_big_endian_frame() -> None:
    """`u16le` stays little-endian."""
    layout = Layout(">", Field(T, "u16le"))
    assert values(layout, b"\x01\x02") == {"air_temperature/": 513.0}
    assert encode(layout, Reading(T, 513.0)) == b"\x01\x02"


def test_a_big_endian_number_in_a_little_endian_frame() -> None:
    """`u16be` stays big-endian."""
    layout = Layout("<", Field(T, "u16be"))
    assert values(layout, b"\x01\x02") == {"air_temperature/": 258.0}
    assert encode(layout, Reading(T, 258.0)) == b"\x01\x02"


@pytest.mark.parametrize(("code", "payload"), [("B", "ad"), ("H", "00ad"), ("5s", "00000000ad")])
def test_attributes_inside_bits(code: str, payload: str) -> None:
    """A word's bits can be attributes beside fields; more than their bits can hold is refused."""
    cause = attribute.words("cause", "1-3", {6: "watchdog"})
    layout = Layout(">", Bits(code, Field(Quantity.OCCUPIED, "0"), cause, attribute.number("mode", "4-7")))
    (measurement,) = layout.decode(bytes.fromhex(payload), 0, {})
    assert measurement.readings == (Reading(Quantity.OCCUPIED, 1.0),)
    assert measurement.attributes == {"cause": "watchdog", "mode": "10"}
    assert layout.encode(measurement, {}) == bytes.fromhex(payload)
    with pytest.raises(EncodeError, match="cause = 8 does not fit"):
        layout.encode(measurement._replace(attributes={"cause": "8"}), {})


def test_constants_inside_bits() -> None:
    """A word's bits can be a constant: sent, and checked alone."""
    layout = Layout(">", Bits("B", Field(Quantity.OCCUPIED, "7"), Const("0-3", 4, "kind")))
    assert encode(layout, Reading(Quantity.OCCUPIED, 1.0)) == b"\x84"
    assert values(layout, b"\xf4") == {"occupied/": 1.0}
    with pytest.raises(MalformedPayload, match="kind is 0x5; expected 0x4"):
        values(layout, b"\x85")


def test_words_of_many_bytes() -> None:
    """Bits of a word of any length, the highest first on the air, whatever the frame's order is."""
    orders: tuple[Order, ...] = ("<", ">")
    for order in orders:
        layout = Layout(
            order, Bits("5s", Field(T, "30-39", offset=-40), Field(Quantity.FILL_LEVEL, "0-6", invalid=127))
        )
        assert values(layout, bytes.fromhex("100000002a")) == {"air_temperature/": 24.0, "fill_level/": 42.0}
        assert encode(layout, Reading(T, 24.0)) == bytes.fromhex("100000007f")


def test_words_of_many_bytes_with_the_lowest_first() -> None:
    """Bits of a little-endian word of any length: numbers, attributes and constants."""
    layout = Layout(
        ">",
        Bits("3sle", Field(Quantity.OCCUPIED, "23"), attribute.number("kind", "8-12"), Const("0-7", 4, "type")),
    )
    assert values(layout, bytes.fromhex("04e380")) == {"occupied/": 1.0}
    assert encode(layout, Reading(Quantity.OCCUPIED, 1.0), kind="3") == bytes.fromhex("040380")
    assert layout.decode(bytes.fromhex("04e300"), 5, {})[0].attributes == {"kind": "3"}
    with pytest.raises(MalformedPayload, match="type is 0x80"):
        values(layout, bytes.fromhex("80e304"))


def test_one_listed_value() -> None:
    """A field whose only raw value is listed can be described, and refuses every other."""
    layout = Layout(">", Bits("B", Field(Quantity.OCCUPIED, "0", values={1: 0})))
    assert (layout.fields()[0].low, layout.fields()[0].high, layout.fields()[0].step) == (0.0, 0.0, 1.0)
    assert encode(layout, Reading(Quantity.OCCUPIED, 0.0)) == b"\x01"
    assert values(layout, b"\0") == {}
    with pytest.raises(EncodeError):
        encode(layout, Reading(Quantity.OCCUPIED, 1.0))


def test_scale_and_offset() -> None:
    """(raw · scale + offset) / divisor, and its inverse to the nearest raw value; a marker comes first."""
    layout = Layout(">", Field(T, "H", scale=3, offset=-40, divisor=4, invalid=9))
    assert values(layout, b"\0\x64") == {"air_temperature/": 65.0}
    assert values(layout, b"\0\x09") == {}
    assert encode(layout, Reading(T, 65.3)) == b"\0\x64"


def test_bits_and_nibbles() -> None:
    """Bits of bytes and words, unnamed ones ignored, in and out."""
    for code, low, size in (("B", 4, 1), ("H", 12, 2)):
        nibble = f"{low}-{low + 3}"
        layout = Layout(
            ">", Bits(code, Field(Quantity.OCCUPIED, "0"), Field(Quantity.FILL_LEVEL, nibble, divisor=2, invalid=15))
        )
        word = (5 << low | 0b101).to_bytes(size, "big")
        assert values(layout, word) == {"occupied/": 1.0, "fill_level/": 2.5}
        assert values(layout, (15 << low).to_bytes(size, "big")) == {"occupied/": 0.0}
        sent = encode(layout, Reading(Quantity.OCCUPIED, 1.0), Reading(Quantity.FILL_LEVEL, 2.5))
        assert sent == (5 << low | 1).to_bytes(size, "big")
        with pytest.raises(EncodeError, match=r"fill_level = 8\.0 cannot be sent; 0\.0 to 7\.0 can"):
            encode(layout, Reading(Quantity.OCCUPIED, 1.0), Reading(Quantity.FILL_LEVEL, 8.0))


def test_listed_values() -> None:
    """Raw values without a listed meaning are no reading; encoding takes the nearest one within the list."""
    layout = Layout(">", Field(Quantity.STATE_DURATION, "H", values={1: 5, 2: 60, 9: 0}, invalid=9))
    assert values(layout, b"\0\x02") == {"state_duration/": 60.0}
    assert values(layout, b"\0\x03") == {}
    assert values(layout, b"\0\x09") == {}
    assert encode(layout, Reading(Quantity.STATE_DURATION, 40.0)) == b"\0\x02"
    for outside in (4.0, 61.0):
        with pytest.raises(EncodeError):
            encode(layout, Reading(Quantity.STATE_DURATION, outside))


def test_floats_are_rounded_and_finite() -> None:
    """A float keeps the digits its sender can have meant; NaN and infinity are no reading."""
    layout = Layout(">", Field(T, "f", digits=2))
    assert values(layout, bytes.fromhex("41b0cccd")) == {"air_temperature/": 22.1}
    for nothing in ("7fc00000", "ffc00001", "7f800000", "ff800000"):
        assert values(layout, bytes.fromhex(nothing)) == {}
    assert encode(layout, Reading(T, 22.1)) == bytes.fromhex("41b0cccd")
    with pytest.raises(EncodeError, match="too large"):
        encode(layout, Reading(T, 1e39))


def test_constants_are_checked() -> None:
    """A constant that differs is MalformedPayload and names both values."""
    layout = Layout(">", Const("B", 2, "protocol version"), Field(V, "B"))
    assert values(layout, b"\x02\x05") == {"battery_voltage/": 5.0}
    with pytest.raises(MalformedPayload, match="protocol version is 0x3; expected 0x2"):
        layout.decode(b"\x03\x05", 0, {})
    assert encode(layout, Reading(V, 5.0)) == b"\x02\x05"


def test_out_of_range_is_refused() -> None:
    """What does not fit the raw range, or would read as a marker, is EncodeError."""
    for value in (66.0, -0.001, -3276.8):
        with pytest.raises(EncodeError):
            encode(STATUS, Reading(V, value))
    with pytest.raises(EncodeError, match=r"air_temperature = -3276\.8"):
        encode(STATUS, Reading(V, 3.0), Reading(T, -3276.8))


def test_a_needed_field_must_be_given() -> None:
    """A field without a marker cannot be left out."""
    with pytest.raises(EncodeError, match="battery_voltage is needed"):
        encode(STATUS, Reading(T, 3.0))


ATTRIBUTES: list[tuple[Attribute, str, str]] = [
    (attribute.number("n", "H"), "0102", "258"),
    (attribute.words("n", "B", {1: "watchdog"}), "01", "watchdog"),
    (attribute.words("n", "B", {1: "watchdog"}), "09", "9"),
    (attribute.version("n"), "02040a", "2.4.10"),
    (attribute.nibble_version("n"), "1203", "1.2.3"),
    (attribute.hexadecimal("n", 3), "00aBff", "00abff"),
    (attribute.plain_text("n", 4), "41420000", "AB"),
]


@pytest.mark.parametrize(("part", "payload", "text"), ATTRIBUTES)
def test_attributes_both_ways(part: Attribute, payload: str, text: str) -> None:
    """Each kind of attribute reads and writes the same words."""
    layout = Layout(">", part)
    (measurement,) = layout.decode(bytes.fromhex(payload), 0, {})
    assert measurement == Measurement.of(0, (), {"n": text})
    assert encode(layout, n=text) == bytes.fromhex(payload)
    assert encode(layout) == bytes(layout.size)


def test_attributes_that_cannot_be_sent() -> None:
    """Words of the wrong form or length are EncodeError; so is an attribute the frame does not know."""
    layout = Layout(">", attribute.version("firmware_version"))
    for wrong in ("1.2.x", "1.2.3.4", "1.2.999"):
        with pytest.raises(EncodeError, match="firmware_version"):
            encode(layout, firmware_version=wrong)
    with pytest.raises(EncodeError, match="no place for colour"):
        encode(layout, colour="red")


def test_text_from_the_air_is_harmless() -> None:
    """Bytes that are no printable ASCII become question marks."""
    assert attribute.printable(b"a\x1b[31m\xc3\xa4\0b") == "a?[31m??"


SHORT = Layout(">", Field(V, "B"))
LONG = Layout(">", Field(V, "B"), Field(T, "b"))


def test_forms_by_length() -> None:
    """The length names the form; encoding takes the form that carries all readings."""
    choice = by_length({"short": SHORT, "long": LONG})
    assert len(choice.decode(b"\x01\x02", 0, {})[0].readings) == 2
    assert choice.encode(Measurement.of(0, (Reading(V, 1.0),)), {}) == b"\x01"
    assert choice.encode(Measurement.of(0, (Reading(V, 1.0), Reading(T, 2.0))), {}) == b"\x01\x02"
    with pytest.raises(WrongLength, match="3 bytes; frames have 1, 2"):
        choice.decode(bytes(3), 0, {})
    with pytest.raises(EncodeError, match=r"short: .* long: "):
        choice.encode(Measurement.of(0, (Reading(T, 2.0),)), {})
    with pytest.raises(ValueError, match="same length"):
        by_length({"short": SHORT, "again": SHORT})


def test_forms_by_prefix() -> None:
    """The first bytes name the form, and stay a part of it."""
    choice = by_prefix({"a": (b"\x01", LONG), "b": (b"\x02", SHORT)})
    assert len(choice.decode(b"\x01\x02", 0, {})[0].readings) == 2
    assert len(choice.decode(b"\x02", 0, {})[0].readings) == 1
    assert [field.frame for field in choice.fields()] == ["a", "a", "b"]
    for unknown in (b"", b"\x03\x04"):
        with pytest.raises(DecodeError, match="known are 01, 02"):
            choice.decode(unknown, 0, {})


def test_flags_in_words() -> None:
    """All bits that are set, lowest first, unknown ones by number, none as nothing; and back."""
    layout = Layout(">", attribute.flags("alarms", "B", {0: "leak", 3: "burst"}))
    for payload, words in ((b"\x09", "leak, burst"), (b"\x30", "bit 4, bit 5"), (b"\x08", "burst")):
        assert layout.decode(payload, 5, {})[0].attributes == {"alarms": words}
        assert encode(layout, alarms=words) == payload
    assert layout.decode(b"\0", 5, {})[0].attributes == {}
    with pytest.raises(EncodeError):
        encode(layout, alarms="flood")


def test_a_form_that_rounds_is_the_last_resort() -> None:
    """Of two forms the one that carries the value as it is; where both round, the first."""
    coarse, fine = Layout(">", Field(T, "b")), Layout(">", Field(T, "h", divisor=10))
    choice = by_length({"coarse": coarse, "fine": fine})
    for celsius, payload in ((21.0, "15"), (21.5, "00d7"), (21.54, "16")):
        assert choice.encode(Measurement.of(0, (Reading(T, celsius),)), {}) == bytes.fromhex(payload)


def test_a_form_that_another_one_would_read_is_refused() -> None:
    """What is encoded is what the selected form reads."""
    choice = Choice(
        {"one": Layout(">", Field(V, "B")), "none": Layout(">", Pad(1))}, lambda data: "one" if data[0] else "none"
    )
    assert choice.encode(Measurement.of(0, (Reading(V, 1.0),)), {}) == b"\x01"
    with pytest.raises(EncodeError, match="something else"):
        choice.encode(Measurement.of(0, (Reading(V, 0.0),)), {})


def test_parts_that_share_bits_agree_or_are_refused() -> None:
    """A number of eight bits beside a word of the highest of them."""
    both = Layout(
        ">", Bits("B", Field(V, "0-7", invalid=tuple(range(0x80, 0x100))), attribute.number("restarted", "7"))
    )
    assert encode(both, restarted="1") == b"\x80"
    assert both.encode(Measurement.of(0, (Reading(V, 5.0),)), {}) == b"\x05"
    with pytest.raises(EncodeError, match="beside"):
        both.encode(Measurement.of(0, (Reading(V, 5.0),), {"restarted": "1"}), {})
