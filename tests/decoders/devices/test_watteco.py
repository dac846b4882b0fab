"""Watteco: batches with their times, reports and their heads."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.catalog import codec
from decoders.devices.watteco_bits import CODES, WORDS, Stream, Writer
from decoders.error import DecodeError, EncodeError, MalformedPayload, WrongLength
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity

SENT = datetime(2023, 7, 19, 7, 51, 25, 508_000, tzinfo=UTC)
SENT_MS = round(SENT.timestamp() * 1000)
BATCH = "70060000e2760090cfc0015b028423fb03272919804c121c003ebc5bd6895f0040000b68b72c27a0ddb4dc8076db920c68b72c19605b04"


def decode(payload: str) -> tuple[Measurement, ...]:
    """The measurements of a payload that came at `SENT`."""
    return codec("watteco/vaqao-plus").decode(125, bytes.fromhex(payload), SENT_MS)


def test_samples_of_a_batch_have_their_own_times() -> None:
    """The published batch: every sample at the second that its publisher gives, newest first."""
    times = [datetime.fromtimestamp(item.time_ms / 1000, UTC) for item in decode(BATCH)]
    assert [time.strftime("%H:%M:%S.%f")[:-3] for time in times] == [
        "07:44:51.508",
        "07:42:54.508",
        "07:41:25.508",
        "07:41:24.508",
        "07:34:51.508",
        "07:32:52.508",
        "07:31:24.508",
        "07:31:23.508",
        "07:31:09.508",
    ]


@pytest.mark.parametrize("size", range(0, len(BATCH), 2))
def test_a_truncated_batch_is_refused(size: int) -> None:
    """No truncation of the batch decodes."""
    with pytest.raises(DecodeError):
        decode(BATCH[:size])


def common(*bits: tuple[int, int]) -> str:
    """A payload of numbers (value, bits); where bits is negative, a code word of table -bits - 1."""
    writer = Writer()
    for number, size in bits:
        if size < 0:
            writer.word(-size - 1, number)
        else:
            writer.number(number, size)
    return writer.payload().hex()


def test_series_may_share_their_times() -> None:
    """Three common times; the series' second sample is missing, the third 200 higher, a first null is the first one."""
    payload = common(
        (1 << 4 | 0x02, 8),
        (5, 3),
        (0, 1),
        # CO2 400 at second 1000, differences both ways, table 0.
        *((3, 3), (1000, 32), (400, 16), (0, 2), (0, 2)),
        # Three times: the first one, 60 s and 60 s later.
        *((3, 8), (0, 2), (0, -1), (5, -1), (29, 5), (5, -1), (29, 5)),
        # Present and no difference: the first sample once more; absent; present, + 20 · 10.
        *((3, 3), (1, 1), (0, -1), (0, 1), (1, 1), (5, -1), (20, 5)),
        # Sent 3 s after the last time.
        *((2, -2), (0, 2)),
    )
    newest, oldest = decode(payload)
    assert newest == Measurement.of(SENT_MS - 3000, (Reading(Quantity.CO2, 600.0),), {"batch_counter": "5"})
    assert oldest == Measurement.of(SENT_MS - 123_000, (Reading(Quantity.CO2, 400.0),))


@pytest.mark.parametrize(("coding", "bits", "value"), [(0, 20, 600.0), (0, 4, 130.0), (1, 4, 750.0), (2, 4, 50.0)])
def test_differences(coding: int, bits: int, value: float) -> None:
    """Both ways, upwards, downwards: each from the value before, in multiples of the resolution."""
    payload = common(
        (1 << 4, 8),
        (0, 4),
        *((3, 3), (1000, 32), (400, 16), (coding, 2), (0, 2)),
        *((3, 3), (1, 8), (0, 2), (1, -1), (0, 1), (5, -1), (bits, 5)),
        (0, -2),
    )
    assert decode(payload)[0].readings == (Reading(Quantity.CO2, value),)


def test_a_batch_without_series_says_nothing() -> None:
    """A batch of no series is a sign of life."""
    assert decode(common((0x04, 8), (2, 4), (7, 32))) == (Measurement.of(SENT_MS, (), {"batch_counter": "2"}),)


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ("", WrongLength),
        ("110a", WrongLength),
        ("110a000f0055", WrongLength),
        ("110a000f00551001ff", WrongLength),
        ("110a040200002101f4", MalformedPayload),
        ("110b04020000290b89", MalformedPayload),
        ("310a04020000290b89", MalformedPayload),
        ("110a005000064105032004", MalformedPayload),
        ("110a00500006410603040e6804", MalformedPayload),
        (common((1 << 4 | 0x04, 8), (0, 4), (7, 3), (0, 32)), MalformedPayload),
    ],
)
def test_broken_frames(payload: str, error: type[DecodeError]) -> None:
    """Other clusters, types, endpoints and commands; lengths that do not fit; unknown labels."""
    with pytest.raises(error):
        decode(payload)


def test_an_invalid_value_is_no_reading() -> None:
    """8000 is no temperature, FFFF no concentration."""
    assert decode("110a04020000298000")[0].readings == ()
    assert decode("310a800c000021ffff")[0].readings == ()


def test_what_a_batch_cannot_carry() -> None:
    """Two values need a batch; a counter above seven has no place, nor has a value that is no series."""
    vaqao = codec("watteco/vaqao-plus")
    two = [Reading(Quantity.CO2, 400.0), Reading(Quantity.AIR_TEMPERATURE, 20.0)]
    assert vaqao.encode(125, two, attributes={"batch_counter": "7"})[0] & 1 == 0
    for readings, attributes in (
        (two, {"batch_counter": "8"}),
        ([*two, Reading(Quantity.ALARM, 1.0, "violation")], {}),
    ):
        with pytest.raises(EncodeError):
            vaqao.encode(125, readings, attributes=attributes)


def test_code_words_can_be_told_apart() -> None:
    """No code word of a table begins another one of it."""
    for table, codes in zip(WORDS, CODES, strict=True):
        assert len(table) == len(codes) == 16
        for size, pattern in table:
            assert not [other for other in table if other[0] > size and other[1] >> other[0] - size == pattern]


@given(st.lists(st.tuples(st.integers(1, 32), st.integers(0, 2**32 - 1)), max_size=8))
def test_what_was_written_is_read(numbers: list[tuple[int, int]]) -> None:
    """Numbers of any width come back as they were."""
    writer = Writer()
    for bits, number in numbers:
        writer.number(number & (1 << bits) - 1, bits)
    stream = Stream(writer.payload())
    assert [stream.number(bits) for bits, _ in numbers] == [number & (1 << bits) - 1 for bits, number in numbers]


def test_floats_in_a_batch() -> None:
    """A Press'O's current is a float, its differences multiples of 4 µA; NaN is no reading."""
    head = ((1 << 4, 8), (0, 4), (0, 3), (1000, 32))
    differing = ((1, 2), (0, 2), (0, 3), (1, 8), (0, 2), (1, -1), (0, 1), (5, -1), (4, 5), (0, -2))
    current, nothing = 0x41480000, 0x7FC00000
    later, first = codec("watteco/presso").decode(125, bytes.fromhex(common(*head, (current, 32), *differing)), SENT_MS)
    assert first.readings == (Reading(Quantity.INPUT_CURRENT, 12.5),)
    assert later.readings == (Reading(Quantity.INPUT_CURRENT, 12.64),)
    without = codec("watteco/presso").decode(125, bytes.fromhex(common(*head, (nothing, 32), *differing)), SENT_MS)
    assert [measurement.readings for measurement in without] == [(), ()]


def test_answers_of_a_presso() -> None:
    """Firmware and kind of messages, when they were asked for; another status or attribute is unknown."""
    presso = codec("watteco/presso")
    payload = presso.encode(125, [], attributes={"firmware_version": "3.5.2.5602"})
    assert payload.hex() == "110100000002000d0305020015e2"
    for wrong in ("110100000002860d0305020015e2", "110180040001000800", "110100000002000d0305020015"):
        with pytest.raises(DecodeError):
            presso.decode(125, bytes.fromhex(wrong), SENT_MS)


@pytest.mark.parametrize("causes", ["", "d000"])
def test_an_alarm_stays_one(causes: str) -> None:
    """With causes or, which the attribute says, without."""
    payload = "318a000c00553941a00000" + causes
    presso = codec("watteco/presso")
    (measurement,) = presso.decode(125, bytes.fromhex(payload), SENT_MS)
    assert measurement.attributes == {"alarm_causes": causes or "not told"}
    assert presso.encode(125, measurement.readings, None, measurement.attributes).hex() == payload
    with pytest.raises(EncodeError):
        presso.encode(125, measurement.readings, None, {"alarm_causes": "high"})
