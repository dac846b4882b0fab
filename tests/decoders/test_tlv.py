"""Typed values one after the other: ages, histories, lengths, and what happens at unknown types."""

import pytest

from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Field, Pad
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity
from decoders.tlv import ChannelTlv, LengthTlv, OffsetTlv

T = Quantity.AIR_TEMPERATURE
RH = Quantity.AIR_HUMIDITY
EXT = Quantity.EXTERNAL_TEMPERATURE
NOW_MS = 1_800_000_000_000

AGED = OffsetTlv(
    ">",
    {
        0x01: Field(T, "h", divisor=10),
        0x02: Field(RH, "B"),
        0x19: [Field(EXT, "h", probe, divisor=10) for probe in ("probe2", "probe3")],
        0x13: Pad(3),
    },
    stop=(0x3E,),
)
CHANNELS = ChannelTlv(
    "<",
    {0x0367: Field(T, "h", divisor=10), 0x0468: Field(RH, "B", divisor=2)},
    history={0x20CE: (Field(T, "h", divisor=10), Field(RH, "B", divisor=2))},
)
SELECTED = ChannelTlv(
    "<",
    {0x0367: Field(T, "h", divisor=10), 0x10E401: Field(RH, "B", "one"), 0x10E402: Field(RH, "B", "two")},
    history={0x20CE00: Field(RH, "B"), 0x20CE01: (Field(RH, "B"), Field(T, "h", divisor=10)), 0x20CE0207: Pad(1)},
    clock=0x0AEF,
)
LENGTHS = LengthTlv(">", {0x0201: Field(T, "h"), 0x0202: Field(RH, "B")}, silent={0xF105: "password_change"})
Frame = OffsetTlv | ChannelTlv | LengthTlv


def decode(frame: Frame, payload: str) -> list[tuple[int, dict[str, float]]]:
    """Time and readings by name of every measurement."""
    return [
        (measurement.time_ms, {f"{item.quantity.field}/{item.channel}": item.value for item in measurement.readings})
        for measurement in frame.decode(bytes.fromhex(payload), NOW_MS, {})
    ]


def test_values_of_now_are_one_measurement() -> None:
    """Values without an age belong to the time of the uplink."""
    assert decode(AGED, "0100e20229") == [(NOW_MS, {"air_temperature/": 22.6, "air_humidity/": 41.0})]


@pytest.mark.parametrize(
    ("payload", "age_s"), [("4100e20a0229", 10), ("8100e201000229", 256), ("c100e20100000229", 65536)]
)
def test_an_age_keeps_the_place(payload: str, age_s: int) -> None:
    """One to three bytes of age behind a value are stepped over; the value has its own earlier time."""
    assert decode(AGED, payload) == [
        (NOW_MS, {"air_humidity/": 41.0}),
        (NOW_MS - age_s * 1000, {"air_temperature/": 22.6}),
    ]


def test_ages_are_sorted_newest_first() -> None:
    """Values of one age are one measurement; without a value of now there is no measurement of now."""
    assert decode(AGED, "4100643c4100c80a42293c") == [
        (NOW_MS - 10_000, {"air_temperature/": 20.0}),
        (NOW_MS - 60_000, {"air_temperature/": 10.0, "air_humidity/": 41.0}),
    ]


def test_age_zero_is_now() -> None:
    """An age of zero seconds is the time of the uplink."""
    assert decode(AGED, "4100640042290001000a")[0] == (NOW_MS, {"air_temperature/": 1.0, "air_humidity/": 41.0})


def test_repeated_types_have_channels() -> None:
    """A repeatable type's occurrences have a channel each, at each time anew; too many are MalformedPayload."""
    assert decode(AGED, "190064190065") == [
        (NOW_MS, {"external_temperature/probe2": 10.0, "external_temperature/probe3": 10.1})
    ]
    assert decode(AGED, "190064590065051900c8") == [
        (NOW_MS, {"external_temperature/probe2": 10.0, "external_temperature/probe3": 20.0}),
        (NOW_MS - 5000, {"external_temperature/probe2": 10.1}),
    ]
    with pytest.raises(MalformedPayload, match="more than 2 times"):
        AGED.decode(bytes.fromhex("190064190065190066"), NOW_MS, {})


def test_the_later_of_two_values_holds() -> None:
    """A quantity and channel occur once in a measurement."""
    assert decode(AGED, "0100e201000a") == [(NOW_MS, {"air_temperature/": 1.0})]
    assert decode(CHANNELS, "0367e20003670a00") == [(NOW_MS, {"air_temperature/": 1.0})]


def test_an_unknown_type_ends_an_aged_frame() -> None:
    """Nothing tells the unknown value's length: what came before holds, what follows is not read."""
    assert decode(AGED, "0100e22b01000a") == [(NOW_MS, {"air_temperature/": 22.6})]
    with pytest.raises(MalformedPayload, match="unknown type 0x2b at byte 0"):
        AGED.decode(b"\x2b\x01", NOW_MS, {})


def test_a_settings_frame_has_no_readings() -> None:
    """A type after which nothing can be read ends the frame, as its first type, too."""
    assert decode(AGED, "3e0100e2") == [(NOW_MS, {})]
    assert decode(AGED, "02293e0100e2") == [(NOW_MS, {"air_humidity/": 41.0})]


def test_what_must_not_be_kept_is_stepped_over() -> None:
    """A padded type leaves no reading and keeps the place."""
    assert decode(AGED, "13aabbcc0229") == [(NOW_MS, {"air_humidity/": 41.0})]


@pytest.mark.parametrize("payload", ["01", "0100", "4100e2", "c100e20000", "02290100", "13aabb"])
def test_a_cut_aged_frame_is_too_short(payload: str) -> None:
    """A value or an age that ends behind the payload is WrongLength."""
    with pytest.raises(WrongLength):
        AGED.decode(bytes.fromhex(payload), NOW_MS, {})


def test_channels() -> None:
    """Channel id and type name the value."""
    assert decode(CHANNELS, "0367e20004685d") == [(NOW_MS, {"air_temperature/": 22.6, "air_humidity/": 46.5})]


def test_history_has_its_own_times() -> None:
    """A record is a measurement of its Unix time (Milesight EM300-TH README: 27.2 °C and 46.5 % at 1665561758)."""
    record = "20ce9e74466310015d"
    assert decode(CHANNELS, record) == [(1_665_561_758_000, {"air_temperature/": 27.2, "air_humidity/": 46.5})]
    newer = "20ce9f74466311015d"
    assert [time for time, _ in decode(CHANNELS, "0367e200" + record + newer)] == [
        NOW_MS,
        1_665_561_759_000,
        1_665_561_758_000,
    ]


@pytest.mark.parametrize("payload", ["03", "0367", "0367e2", "20ce", "20ce9e744663", "20ce9e7446631001"])
def test_a_cut_channel_frame_is_refused(payload: str) -> None:
    """A channel, value or record that ends behind the payload is an error."""
    with pytest.raises((WrongLength, MalformedPayload)):
        CHANNELS.decode(bytes.fromhex(payload), NOW_MS, {})


def test_an_unknown_channel_ends_the_frame() -> None:
    """What came before an unknown channel holds, and an attribute names it; as the first it is MalformedPayload."""
    (measurement,) = CHANNELS.decode(bytes.fromhex("0367e20009990468ff"), NOW_MS, {})
    assert measurement == Measurement.of(NOW_MS, (Reading(T, 22.6),), {"unknown_type": "0x0999"})
    with pytest.raises(MalformedPayload, match="unknown type 0x0999 at byte 0"):
        CHANNELS.decode(bytes.fromhex("09990367e200"), NOW_MS, {})


def test_an_unknown_channel_keeps_the_history() -> None:
    """Records before an unknown channel hold, too."""
    later_ms = 1_700_000_000_000
    now, record = CHANNELS.decode(bytes.fromhex("20ce9e74466310015d0999"), later_ms, {})
    assert now == Measurement.of(later_ms, (), {"unknown_type": "0x0999"})
    assert record.time_ms == 1_665_561_758_000


def test_first_bytes_of_a_value_choose_its_meaning() -> None:
    """A longer key names the value's first bytes; they are sent as a part of the type."""
    assert decode(SELECTED, "10e4022910e4012a") == [(NOW_MS, {"air_humidity/two": 41.0, "air_humidity/one": 42.0})]
    assert SELECTED.encode(Measurement.of(0, (Reading(RH, 41.0, "two"),)), {}) == bytes.fromhex("10e40229")


def test_first_bytes_of_a_record_choose_its_meaning() -> None:
    """They stand behind the time; records of one time are one measurement."""
    records = "20ce9e7446630029" + "20ce9f744663012a1001" + "20ce9e744663020700"
    assert decode(SELECTED, records) == [
        (1_665_561_759_000, {"air_humidity/": 42.0, "air_temperature/": 27.2}),
        (1_665_561_758_000, {"air_humidity/": 41.0}),
    ]


def test_an_unknown_choice_ends_the_frame() -> None:
    """It is like an unknown type, since nothing tells its length."""
    (measurement,) = SELECTED.decode(bytes.fromhex("0367e20010e4032910e40129"), NOW_MS, {})
    assert measurement == Measurement.of(NOW_MS, (Reading(T, 22.6),), {"unknown_type": "0x10e4"})
    with pytest.raises(MalformedPayload, match="unknown type 0x20ce at byte 0"):
        SELECTED.decode(bytes.fromhex("20ce9e7446630329"), NOW_MS, {})


@pytest.mark.parametrize("payload", ["10e4", "10e401", "20ce9e7446", "20ce9e744663", "20ce9e7446630129", "0aef9e7446"])
def test_a_cut_choice_is_too_short(payload: str) -> None:
    """A choice, record or clock that ends behind the payload is WrongLength."""
    with pytest.raises(WrongLength):
        SELECTED.decode(bytes.fromhex(payload), NOW_MS, {})


def test_a_clock_tells_the_time_of_all_but_records() -> None:
    """Wherever it stands; a clock that is not set (zero) leaves the time of the uplink."""
    record = "20ce9e7446630029"
    for payload in ("0367e2000aef9f744663" + record, record + "0aef9f7446630367e200"):
        assert [time for time, _ in decode(SELECTED, payload)] == [1_665_561_759_000, 1_665_561_758_000]
    assert decode(SELECTED, "0aef000000000367e200") == [(NOW_MS, {"air_temperature/": 22.6})]


def test_a_record_of_the_future_comes_first() -> None:
    """Measurements are sorted by their times, whatever a device's clock says."""
    assert [time for time, _ in decode(CHANNELS, "0367e20020ceffffffff10015d")] == [4_294_967_295_000, NOW_MS]


def test_lengths_are_stepped_by() -> None:
    """A value that looks like an id is a value: 0202 inside a temperature is no humidity."""
    assert decode(LENGTHS, "0402010202") == [(NOW_MS, {"air_temperature/": 514.0})]
    assert decode(LENGTHS, "040201020203020205") == [(NOW_MS, {"air_temperature/": 514.0, "air_humidity/": 5.0})]


def test_silent_ids_are_not_read() -> None:
    """A silent id of any length says that it is done, never what was in it."""
    for payload in ("02f105", "0af10573656372657421ff"):
        (measurement,) = LENGTHS.decode(bytes.fromhex(payload), NOW_MS, {})
        assert measurement == Measurement.of(NOW_MS, (), {"password_change": "done"})


def test_an_unknown_id_is_stepped_over() -> None:
    """What stands around it is read, since its length is known, and it is named; not so at the beginning."""
    (measurement,) = LENGTHS.decode(bytes.fromhex("04020102020409990101030998000302022a"), NOW_MS, {})
    assert measurement == Measurement.of(NOW_MS, (Reading(T, 514.0), Reading(RH, 42.0)), {"unknown_type": "0x0999"})
    with pytest.raises(MalformedPayload, match="unknown id 0x0999 at byte 0"):
        LENGTHS.decode(bytes.fromhex("04099901010302022a"), NOW_MS, {})


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ("04020102", WrongLength),
        ("00", WrongLength),
        ("0102", WrongLength),
        ("05", WrongLength),
        ("0302010a", MalformedPayload),
        ("050201000000", MalformedPayload),
        ("03090900", MalformedPayload),
    ],
)
def test_wrong_lengths_and_ids(payload: str, error: type[Exception]) -> None:
    """A length that does not fit the payload or the id, and an unknown id at the beginning, are errors."""
    with pytest.raises(error):
        LENGTHS.decode(bytes.fromhex(payload), NOW_MS, {})


@pytest.mark.parametrize("frame", [AGED, CHANNELS, LENGTHS])
def test_nothing_is_nothing(frame: Frame) -> None:
    """An empty payload is WrongLength, and nothing to send EncodeError."""
    with pytest.raises(WrongLength, match="empty"):
        frame.decode(b"", NOW_MS, {})
    with pytest.raises(EncodeError, match="nothing to send"):
        frame.encode(Measurement.of(0, ()), {})


@pytest.mark.parametrize(("frame", "payload"), [(AGED, "0100e20229"), (CHANNELS, "0367e2000468 52")])
def test_encoding_follows_the_table(frame: Frame, payload: str) -> None:
    """Readings are sent in the order of the table, whatever theirs is; a foreign one is refused."""
    readings = (Reading(RH, 41.0), Reading(T, 22.6))
    assert frame.encode(Measurement.of(0, readings), {}) == bytes.fromhex(payload)
    with pytest.raises(EncodeError, match="no place for pm4/x"):
        frame.encode(Measurement.of(0, (*readings, Reading(Quantity.PM4, 1.0, "x"))), {})


def test_encoding_with_lengths() -> None:
    """The length counts id and value."""
    assert LENGTHS.encode(Measurement.of(0, (Reading(T, 514.0),)), {}) == bytes.fromhex("0402010202")


COARSE_FIRST = ChannelTlv(
    "<",
    {
        0x01: (Field(T, "b"), Field(RH, "B")),
        0x02: Field(T, "h", divisor=10),
        0x03: Field(RH, "B"),
        0x04: [Field(EXT, "b", "first"), Field(EXT, "b", "second")],
    },
    type_bytes=1,
)


@pytest.mark.parametrize(
    ("celsius", "payload"), [(21.0, "011529"), (21.5, "02d7000329"), (21.54, "011629"), (200.0, "02d0070329")]
)
def test_what_does_not_round_is_preferred(celsius: float, payload: str) -> None:
    """A type that would round, or that a value does not fit, is left out if others say all without rounding."""
    readings = (Reading(T, celsius), Reading(RH, 41.0))
    assert COARSE_FIRST.encode(Measurement.of(0, readings), {}) == bytes.fromhex(payload)


def test_a_second_occurrence_needs_the_first() -> None:
    """Alone it would be the first."""
    first, second = Reading(EXT, 1.0, "first"), Reading(EXT, 2.0, "second")
    assert COARSE_FIRST.encode(Measurement.of(0, (second, first)), {}) == bytes.fromhex("04010402")
    with pytest.raises(EncodeError, match="before"):
        COARSE_FIRST.encode(Measurement.of(0, (second,)), {})
