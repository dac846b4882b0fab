"""Whole frames decoded by one compiled function: which form is meant, what is left out, what is refused."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import attribute
from decoders.catalog import BY_ID, CODECS
from decoders.choice import Choice, by_bits, by_length, by_prefix
from decoders.codec import Codec, Fixed, Frame, Parameter
from decoders.devices.decentlab import Groups
from decoders.error import DecodeError, MalformedPayload, MissingParameter, UnknownPort, WrongLength
from decoders.field import Attribute, Bits, Const, Field, Pad
from decoders.layout import Layout
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading
from decoders.quantity import Family, Quantity

T = Quantity.AIR_TEMPERATURE
V = Quantity.BATTERY_VOLTAGE
COUNT = Quantity.VEHICLE_COUNT
NAMES = ("decode", "reader")
FIGURES = {"height": 2000.0}


def codec(**ports: Frame) -> Codec:
    """A codec with frames on the ports named p1, p2 and so on."""
    frames = {int(name[1:]): frame for name, frame in ports.items()}
    return Codec(id="acme/x", vendor="Acme", model="X", family=Family.TRAFFIC, source="a test", ports=frames)


def outcome(frame: Frame, payload: bytes, *, fused: bool) -> object:
    """The measurements, or the error, by the function or by the method."""
    step_by_step = frame._decode_any if isinstance(frame, Layout) else frame.decode
    read = frame.reader() if fused and isinstance(frame, Fixed) else step_by_step
    try:
        return repr(read(payload, 5, FIGURES))
    except DecodeError as error:
        return type(error), str(error)


FUSED = [
    pytest.param(frame, id=f"{each.id}-{port}")
    for each in CODECS
    for port, frame in each.ports.items()
    if isinstance(frame, Fixed)
]


def forms(frame: Frame) -> list[Layout]:
    """The layouts that a frame is, or chooses from."""
    if isinstance(frame, Layout):
        return [frame]
    every = frame._forms.values() if isinstance(frame, Choice) else getattr(frame, "_layouts", {}).values()
    return [each for each in every if isinstance(each, Layout)]


def meant(frame: Frame, payload: bytes, number: int) -> bytes:
    """The payload with this number in the byte that tells forms apart, where there is one."""
    chosen = frame._chosen if isinstance(frame, Choice) else None
    if chosen is None or len(payload) <= chosen.at:
        return payload
    at, (shift, mask), _ = chosen
    byte = payload[at] & ~(mask << shift) | (number & mask) << shift
    return payload[:at] + bytes((byte,)) + payload[at + 1 :]


@pytest.mark.parametrize("frame", FUSED)
@settings(max_examples=30)
@given(data=st.data())
def test_a_frame_means_the_same_at_once_and_step_by_step(frame: Frame, data: st.DataObject) -> None:
    """Any form, of its own length or another, with its own beginning or another: same measurement, same error."""
    layouts = forms(frame) or [Layout(">", Pad(4))]
    chosen = data.draw(st.sampled_from(layouts))
    other = data.draw(st.sampled_from(layouts))
    size = data.draw(st.sampled_from((chosen.size, chosen.size, other.size, max(0, chosen.size - 1))))
    head = data.draw(st.sampled_from((chosen.head, chosen.head, other.head, b"")))
    if isinstance(frame, Groups):
        flags = data.draw(st.sampled_from(list(frame._layouts)))
        head = b"\x02\x00\x07" + flags.to_bytes(2, "big")
    payload = (head + data.draw(st.binary(min_size=size, max_size=size)))[:size]
    payload = meant(frame, payload, data.draw(st.integers(0, 15)))
    assert outcome(frame, payload, fused=True) == outcome(frame, payload, fused=False)


def test_places_are_made_once() -> None:
    """Two frames of a layout share their places; their values are their own."""
    layout = Layout(">", Field(V, "H", divisor=1000), Field(T, "h", divisor=10))
    (first,), (second,) = layout.decode(b"\x0e\x10\x00\x64", 0, {}), layout.decode(b"\x0e\x11\x00\x65", 0, {})
    assert first.places is second.places
    assert (first.values, second.values) == ((3.6, 10.0), (3.601, 10.1))
    assert first.attributes is NO_ATTRIBUTES


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [("0001000200030004", "abcd"), ("ffff000200030004", "bcd"), ("00010002ffff0004", "abd"), ("ffffffffffffffff", "d")],
)
def test_values_that_are_not_there(payload: str, wanted: str) -> None:
    """Each marker leaves out its own field and none else; order stays."""
    marked = [Field(COUNT, "H", channel, invalid=0xFFFF) for channel in "abc"]
    layout = Layout(">", *marked, Field(COUNT, "H", "d"))
    (found,) = layout.decode(bytes.fromhex(payload), 0, {})
    assert "".join(channel for _, channel in found.places) == wanted
    assert len(found.values) == len(wanted)
    assert found.values[-1] == int(payload[-4:], 16)


def test_several_ways_of_not_being_there_in_one_frame() -> None:
    """A list of values, a table, several markers, a float that is no number, beside a value that is always there."""
    layout = Layout(
        ">",
        Field(COUNT, "H", "listed", values={1: 10, 2: 20}),
        Field(COUNT, "B", "table", invalid=0),
        Field(COUNT, "H", "marked", invalid=(7, 8)),
        Field(T, "f"),
        Field(COUNT, "H", "sure"),
    )
    there = layout.decode(bytes.fromhex("0001 05 0006 41200000 0009"), 0, {})[0]
    assert there.values == (10.0, 5.0, 6.0, 10.0, 9.0)
    missing = layout.decode(bytes.fromhex("0003 00 0008 7fc00000 0009"), 0, {})[0]
    assert missing.readings == (Reading(COUNT, 9.0, "sure"),)


@pytest.mark.parametrize("code", ["B", "b"])
def test_a_frame_of_one_byte(code: str) -> None:
    """Every byte is looked up, signed or not; no byte and two are refused."""
    layout = Layout(">", Field(T, code, divisor=2, invalid=5))
    for byte in range(256):
        value = int.from_bytes((byte,), signed=code == "b")
        assert layout.decode(bytes((byte,)), 0, {})[0].values == (() if value == 5 else (value / 2,))
    for wrong in (b"", b"\x01\x01"):
        with pytest.raises(WrongLength):
            layout.decode(wrong, 0, {})


def test_bytes_alone_stand_where_they_stand() -> None:
    """Frames of nothing but bytes are read by index, past padding; a constant among them is checked."""
    layout = Layout(">", Pad(2), Const("B", 9), Field(T, "b"), Pad(1), Bits("B", Field(COUNT, "4-7"), Field(V, "0-3")))
    (found,) = layout.decode(bytes.fromhex("aaaa09feaa53"), 0, {})
    assert found.values == (-2.0, 5.0, 3.0)
    with pytest.raises(MalformedPayload, match="0x8; expected 0x9"):
        layout.decode(bytes.fromhex("aaaa08feaa53"), 0, {})


def test_words_beside_values() -> None:
    """One attribute or several; those with nothing to say are left out, and without any the common empty one stands."""
    one = Layout(">", attribute.words("state", "H", {0: ""}), Field(T, "h"))
    assert one.decode(bytes.fromhex("00010002"), 0, {})[0].attributes == {"state": "1"}
    assert one.decode(bytes.fromhex("00000002"), 0, {})[0].attributes is NO_ATTRIBUTES
    two = Layout(">", attribute.words("state", "B", {0: ""}), attribute.words("kind", "B", {0: ""}))
    assert two.decode(b"\x01\x02", 0, {})[0].attributes == {"state": "1", "kind": "2"}
    assert two.decode(b"\x00\x02", 0, {})[0].attributes == {"kind": "2"}
    assert two.decode(b"\x00\x00", 0, {}) == (Measurement.of(0, ()),)
    assert two.decode(b"\x00\x00", 0, {})[0].attributes is NO_ATTRIBUTES


def test_of_two_beginnings_the_first_counts() -> None:
    """A form whose beginning an earlier one has, too, is never meant, though length and constants would be its own."""
    short, long = Layout(">", Const("B", 1), Field(COUNT, "B")), Layout(">", Const("H", 0x0102), Field(COUNT, "B"))
    choice = by_prefix({"short": (b"\x01", short), "long": (b"\x01\x02", long)})
    with pytest.raises(WrongLength):
        codec(p1=choice).decode(1, b"\x01\x02\x03", 0)
    assert codec(p1=choice).decode(1, b"\x01\x02", 0)[0].values == (2.0,)


def test_a_beginning_that_is_no_constant_is_looked_at() -> None:
    """A form that does not begin with its prefix as a constant is found by its prefix alone."""
    first, second = Layout(">", Field(COUNT, "H", "first")), Layout(">", Field(COUNT, "H", "second"))
    choice = codec(p1=by_prefix({"first": (b"\x01", first), "second": (b"\x02", second)}))
    assert [choice.decode(1, bytes((byte, 0)), 0)[0].places[0][1] for byte in (1, 2)] == ["first", "second"]
    with pytest.raises(MalformedPayload):
        choice.decode(1, b"\x03\x00", 0)


def test_lengths_tell_forms_apart() -> None:
    """A form of one byte beside longer ones, in whichever order."""
    one, two = Layout(">", Field(COUNT, "B", "one")), Layout(">", Field(COUNT, "H", "two"))
    for order in ({"one": one, "two": two}, {"two": two, "one": one}):
        choice = codec(p1=by_length(order))
        assert [choice.decode(1, bytes(size), 0)[0].places[0][1] for size in (1, 2)] == ["one", "two"]
        with pytest.raises(WrongLength, match="3 bytes; frames have"):
            choice.decode(1, bytes(3), 0)


def test_a_plain_form_is_found_without_a_choice() -> None:
    """All forms whose length and constants tell them are in the one function; only others are chosen among."""

    def refused(payload: bytes) -> str:
        raise WrongLength(f"{len(payload)} bytes")

    every = {str(size): Layout(">", Field(COUNT, "B"), Pad(size - 1)) for size in (1, 2, 3)}
    read = Choice(every, refused, tuple(every.values())).reader()
    assert [read(bytes((size,)) + bytes(size - 1), 0, {})[0].values for size in (1, 2, 3)] == [(1.0,), (2.0,), (3.0,)]
    with pytest.raises(WrongLength):
        read(bytes(4), 0, {})


@pytest.mark.parametrize("numbers", [(0, 1, 2, 3), (0, 3), (2,), (1, 2)])
def test_bits_tell_forms_apart(numbers: tuple[int, ...]) -> None:
    """Each number has its form, whatever the byte's other bits are; one without it and other lengths are refused."""
    layouts = {number: (str(number), Layout(">", Pad(1), Field(COUNT, "H", str(number)))) for number in numbers}
    choice = by_bits(0, "3-4", layouts, "report")
    assert choice.reader() != choice.decode
    for byte in range(256):
        number = byte >> 3 & 3
        payload = bytes((byte, 1, 2))
        assert outcome(choice, payload, fused=True) == outcome(choice, payload, fused=False)
        if number in numbers:
            assert codec(p1=choice).decode(1, payload, 5) == (Measurement.of(5, [Reading(COUNT, 258.0, str(number))]),)
        else:
            with pytest.raises(MalformedPayload, match=f"^unknown report {number}$"):
                codec(p1=choice).decode(1, payload, 5)
    for wrong in (b"", bytes((numbers[0] << 3, 1)), bytes((numbers[0] << 3, 1, 2, 3))):
        with pytest.raises(WrongLength, match=f"^{len(wrong)} bytes; frames have 3$"):
            codec(p1=choice).decode(1, wrong, 5)


def test_a_field_that_the_telling_bits_decide() -> None:
    """A list that the form's own bytes never leave gives its value, one that they may leave or always do none then."""
    listed: tuple[dict[int, float], ...] = ({0: 1, 2: 1}, {1: 0})
    for lists, wanted in ((listed, [1.0, 0.0, 1.0, None]), (listed[::-1], [None] * 4)):
        fields = [Field(Quantity.POSITION_FIX, "0-1", values=values) for values in lists]
        forms = {odd: (str(odd), Layout(">", Bits("B", field))) for odd, field in enumerate(fields)}
        choice = codec(p1=by_bits(0, "0", forms))
        found = [choice.decode(1, bytes((byte,)), 0)[0].values for byte in range(4)]
        assert found == [() if value is None else (value,) for value in wanted]


def test_forms_that_bits_cannot_tell_apart() -> None:
    """Forms of several lengths, or without the byte in question, are refused when they are put together."""
    one, two = Layout(">", Field(COUNT, "B")), Layout(">", Field(COUNT, "H"))
    for at, forms in ((0, {0: ("one", one), 1: ("two", two)}), (1, {0: ("one", one)}), (0, {})):
        with pytest.raises(ValueError, match=f"no byte {at} in one length"):
            by_bits(at, "0-7", forms)


def test_a_chosen_form_that_is_read_as_words() -> None:
    """Beside forms that bytes tell, one with a float and one whose reading is its own are read in their ways."""

    class Doubled(Layout):
        __slots__ = ()

        def read(self, payload: bytes, at: int, readings: list[Reading], attributes: dict[str, str]) -> None:
            super().read(payload, at, readings, attributes)
            super().read(payload, at, readings, attributes)

    floating = Layout("<", Const("B", 0), Field(T, "f"))
    doubled, plain = (kind("<", Pad(1), Field(COUNT, "H"), Pad(2)) for kind in (Doubled, Layout))
    choice = codec(p1=by_bits(0, "0-7", {0: ("floating", floating), 1: ("doubled", doubled), 2: ("plain", plain)}))
    found = [choice.decode(1, bytes((kind,)) + bytes.fromhex("0000c03f"), 0)[0].values for kind in range(3)]
    assert found == [(1.5,), (0.0, 0.0), (0.0,)]
    alone = codec(p1=by_bits(0, "0-7", {1: ("doubled", doubled)}))
    assert alone.decode(1, b"\x01\x02\0\0\0", 0)[0].values == (2.0, 2.0)


@pytest.mark.parametrize("shape", ["bytes", "words", "bits"])
def test_what_a_byte_says_is_said_once(shape: str) -> None:
    """A word for a byte is asked for at its first frame; frames share it, and one with nothing to say has nothing."""
    asked = []

    def text(raw: float | bytes) -> str:
        asked.append(raw)
        return f"state {raw!r}" if raw else ""

    state = Attribute("state", "0-3" if shape == "bits" else "B", text, int)
    word = Bits("B", state) if shape == "bits" else state
    layout = Layout(">", Pad(1), word, Field(T, "H"))
    read = (by_bits(0, "0-7", {0: ("it", layout)}) if shape == "bytes" else layout).reader()
    first, again, other, silent = (read(bytes((0, byte, 0, 9)), 0, {})[0].attributes for byte in (3, 3, 4, 0))
    assert (first, other, silent) == ({"state": "state 3"}, {"state": "state 4"}, {})
    assert first is again
    assert silent is NO_ATTRIBUTES
    assert asked == [3, 4, 0]


def test_forms_say_their_own_words() -> None:
    """The same byte has another meaning in another form."""
    lists = ("cold", "warm")
    forms = {
        kind: (word, Layout(">", Pad(1), attribute.words("state", "B", {0: word}))) for kind, word in enumerate(lists)
    }
    read = by_bits(0, "0-7", forms).reader()
    assert [read(bytes((kind, 0)), 0, {})[0].attributes["state"] for kind in (0, 1)] == ["cold", "warm"]


def test_names_of_the_source_are_not_those_of_a_device() -> None:
    """Attributes and channels that are called as constants and names of compiled source stay what they are."""
    named = [attribute.number(name, "H") for name in ("c0", "c1", "v7")]
    (found,) = Layout(">", *named, Field(COUNT, "H", "c0")).decode(bytes(range(8)), 0, {})
    assert found.attributes == {"c0": "1", "c1": "515", "v7": "1029"}
    assert found.places == ((COUNT, "c0"),)


def test_distances_without_samples_are_left_out() -> None:
    """A frame with all its groups is no shortcut past what its model leaves out."""
    rangefinder = BY_ID["decentlab/dl-mbx"]
    payload = "02000700030bb8%s0c80"
    with_samples, without = (
        rangefinder.decode(1, bytes.fromhex(payload % samples), 0)[0].places for samples in ("0005", "0000")
    )
    assert with_samples == ((Quantity.DISTANCE, ""), (Quantity.SAMPLE_COUNT, ""), (V, ""))
    assert without == ((V, ""),)


def test_figures_of_a_device_are_asked_for_each_time() -> None:
    """A codec with a parameter refuses frames of a device that has none, also after one that has."""
    measured = replace(codec(p1=Layout(">", Field(COUNT, "H"))), parameters=(Parameter("height", "mm", "a test"),))
    for _ in range(2):
        assert measured.decode(1, b"\x00\x01", 0, FIGURES)[0].values == (1.0,)
        with pytest.raises(MissingParameter):
            measured.decode(1, b"\x00\x01", 0)


def test_a_layout_that_reads_in_its_own_way_keeps_it() -> None:
    """Who overrides `read` is asked for whole frames, too."""

    class Doubled(Layout):
        __slots__ = ()

        def read(self, payload: bytes, at: int, readings: list[Reading], attributes: dict[str, str]) -> None:
            super().read(payload, at, readings, attributes)
            super().read(payload, at, readings, attributes)

    assert codec(p1=Doubled(">", Field(COUNT, "H"))).decode(1, b"\x00\x01", 0)[0].values == (1.0, 1.0)


def test_who_decodes_in_a_way_of_its_own_is_asked() -> None:
    """In the catalogue no frame has the function of a class below that which says how it decodes."""
    for each in CODECS:
        for frame in each.ports.values():
            if isinstance(frame, Fixed):
                kinds = {name: next(kind for kind in type(frame).__mro__ if name in vars(kind)) for name in NAMES}
                assert issubclass(kinds["reader"], kinds["decode"]), type(frame)


def test_each_port_has_its_frame() -> None:
    """Ports are told apart, an unknown one is refused each time it comes, and a known one is made ready once."""
    both = codec(p1=Layout(">", Field(COUNT, "H", "one")), p2=Layout(">", Field(COUNT, "H", "two")))
    for _ in range(2):
        assert both.decode(1, b"\x00\x01", 0)[0].places == ((COUNT, "one"),)
        assert both.decode(2, b"\x00\x01", 0)[0].places == ((COUNT, "two"),)
        with pytest.raises(UnknownPort):
            both.decode(3, b"\x00\x01", 0)
    assert sorted(both._readers) == [1, 2]
    assert both == codec(p1=both.ports[1], p2=both.ports[2])
