"""Invariants over every codec of the catalogue."""

from dataclasses import replace
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.catalog import CODECS, by_id, codec
from decoders.codec import Codec, CodecField
from decoders.error import DecodeError, EncodeError, UnknownCodec, UnknownPort
from decoders.layout import Layout
from decoders.measurement import Measurement, Reading
from decoders.quantity import Family, Privacy, Quantity

NOW_MS = 1_800_000_000_000
MODELS = [pytest.param(model, id=model.id) for model in CODECS]
FRAMES = [
    pytest.param(model, port, id=f"{model.id}-{port}") for model in CODECS for port in model.ports if model.fields()
]
FORMS = [
    pytest.param(model, port, form, id=f"{model.id}-{port}-{form or 'only'}")
    for model in CODECS
    for port in model.ports
    for form in dict.fromkeys(item.frame for item in model.fields() if item.f_port == port)
]
LAYOUTS = [
    pytest.param(model, port, frame.size, id=f"{model.id}-{port}")
    for model in CODECS
    for port, frame in model.ports.items()
    if isinstance(frame, Layout)
]
# What a simulator sends: codec, f_port, readings.
EXAMPLES: list[tuple[str, int, list[Reading]]] = [
    ("bosch/tps110", 1, [Reading(Quantity.OCCUPIED, 1.0)]),
    ("bosch/tps110", 2, [Reading(Quantity.OCCUPIED, 1.0)]),
    ("bosch/tps110", 2, [Reading(Quantity.OCCUPIED, 0.0), Reading(Quantity.DEVICE_TEMPERATURE, -7.0)]),
    ("nwave/nps405", 1, [Reading(Quantity.OCCUPIED, 1.0)]),
    ("nwave/nps405", 1, [Reading(Quantity.OCCUPIED, 1.0), Reading(Quantity.STATE_DURATION, 95.0)]),
    (
        "nwave/nps405",
        2,
        [
            Reading(Quantity.OCCUPIED, 0.0),
            Reading(Quantity.BATTERY_VOLTAGE, 3.344),
            Reading(Quantity.DEVICE_TEMPERATURE, 12.5),
        ],
    ),
    (
        "decentlab/dl-pm",
        1,
        [Reading(Quantity.BATTERY_VOLTAGE, 3.1), Reading(Quantity.AIR_PRESSURE, 1013.24)],
    ),
    (
        "elsys/generic",
        5,
        [
            Reading(Quantity.AIR_TEMPERATURE, -3.4),
            Reading(Quantity.AIR_HUMIDITY, 81.0),
            Reading(Quantity.CO2, 440.0),
            Reading(Quantity.BATTERY_VOLTAGE, 3.612),
        ],
    ),
    (
        "milesight/em400-mud",
        85,
        [
            Reading(Quantity.BATTERY_LEVEL, 88.0),
            Reading(Quantity.AIR_TEMPERATURE, 25.7),
            Reading(Quantity.DISTANCE, 1430.0),
            Reading(Quantity.TILTED, 0.0),
        ],
    ),
    ("milesight/em310-udl", 85, [Reading(Quantity.BATTERY_LEVEL, 88.0), Reading(Quantity.DISTANCE, 1430.0)]),
    (
        "pmx/tcr",
        13,
        [
            Reading(Quantity.VEHICLE_COUNT, 12.0, "ltr"),
            Reading(Quantity.VEHICLE_SPEED, 47.0, "ltr"),
            Reading(Quantity.VEHICLE_COUNT, 0.0, "rtl"),
            Reading(Quantity.SUPPLY_VOLTAGE, 12.1),
        ],
    ),
    (
        "parametric/pcr2",
        14,
        [
            Reading(Quantity.PEOPLE_COUNT, 4.0, "ltr"),
            Reading(Quantity.PEOPLE_COUNT, 5.0, "rtl"),
            Reading(Quantity.PEOPLE_COUNT_TOTAL, 400.0, "ltr"),
            Reading(Quantity.PEOPLE_COUNT_TOTAL, 500.0, "rtl"),
            Reading(Quantity.BATTERY_VOLTAGE, 7.2),
            Reading(Quantity.SOLAR_POWER, 3300.0),
            Reading(Quantity.DEVICE_TEMPERATURE, 31.3),
        ],
    ),
    (
        "pepperl-fuchs/wilsen-sonic",
        1,
        [
            Reading(Quantity.DISTANCE, 336.0),
            Reading(Quantity.FILL_LEVEL, 82.0),
            Reading(Quantity.AIR_TEMPERATURE, 22.1),
            Reading(Quantity.BATTERY_VOLTAGE, 3.5),
        ],
    ),
]


def decoded(model: Codec, f_port: int, payload: bytes) -> tuple[Measurement, ...] | None:
    """The measurements, or None for a DecodeError; anything else is raised."""
    try:
        return model.decode(f_port, payload, NOW_MS)
    except DecodeError:
        return None


def carried(item: CodecField, where: float) -> Reading:
    """A reading of a field, at a share of its range that a real sensor would use."""
    low, high = max(item.low, -1e6), min(item.high, 5e9)
    return Reading(item.quantity, low + (high - low) * where, item.channel)


def form_fields(model: Codec, port: int, form: str) -> list[CodecField]:
    """The fields of one form of a frame."""
    return [item for item in model.fields() if item.f_port == port and item.frame == form]


@pytest.mark.parametrize("model", MODELS)
@given(payload=st.binary(max_size=80), f_port=st.integers(0, 255))
def test_any_bytes_give_readings_or_a_decode_error(model: Codec, payload: bytes, f_port: int) -> None:
    """Any bytes on any port: finite readings of the listed quantities and channels, or DecodeError."""
    known = model.channels()
    for measurement in decoded(model, f_port, payload) or ():
        assert isinstance(measurement, Measurement)
        for quantity, value, channel in measurement.readings:
            assert channel in known[quantity]
            assert type(value) is float
            assert isfinite(value)


@pytest.mark.parametrize(("model", "port"), FRAMES)
@given(data=st.data())
def test_bytes_of_the_right_kind_give_finite_readings(model: Codec, port: int, data: st.DataObject) -> None:
    """Frames with a right head and any body: finite, each quantity and channel once a time, newest first."""
    heads = data.draw(st.sampled_from(HEADS.get(model.id, [b""])))
    body = data.draw(st.binary(max_size=40))
    measurements = decoded(model, port, heads + body) or ()
    times = [measurement.time_ms for measurement in measurements]
    assert times == sorted(times, reverse=True)
    for measurement in measurements:
        keys = [(reading.quantity, reading.channel) for reading in measurement.readings]
        assert len(keys) == len(set(keys))
        assert all(isfinite(reading.value) for reading in measurement.readings)


HEADS = {
    "decentlab/dl-pm": [bytes((2, 0, 1, 0, flags)) for flags in range(17)],
    "elsys/generic": [bytes((kind,)) for kind in (1, 0x41, 0x82, 0xC9, 0x15, 0x19)],
    "milesight/em400-mud": [bytes.fromhex(head) for head in ("0367", "8482", "0175", "ff0b", "fe02")],
    "milesight/em310-udl": [bytes.fromhex(head) for head in ("0382", "0400", "ff16")],
    "parametric/pcr2": [bytes.fromhex(head) for head in ("be0104", "be0103", "0a", "0066")],
    "pepperl-fuchs/wilsen-sonic": [bytes.fromhex(head) for head in ("060201", "040b02", "03f103", "102a25")],
    "pmx/tcr": [b"\xa2", b"\xc2", b"\xd2"],
}


@pytest.mark.parametrize(("model", "port", "form"), FORMS)
@given(data=st.data())
def test_decode_after_encode_is_identity(model: Codec, port: int, form: str, data: st.DataObject) -> None:
    """What was encoded decodes to the nearest values the form can carry, and those encode to the same bytes."""
    fields = {(item.quantity, item.channel): item for item in form_fields(model, port, form)}
    shares = data.draw(st.lists(st.floats(0, 1), min_size=len(fields), max_size=len(fields)))
    readings = [carried(item, share) for item, share in zip(fields.values(), shares, strict=True)]
    payload = model.encode(port, readings)
    (measurement,) = model.decode(port, payload, NOW_MS)
    found = {(reading.quantity, reading.channel): reading.value for reading in measurement.readings}
    assert found.keys() == fields.keys()
    for reading in readings:
        item = fields[reading.quantity, reading.channel]
        tolerance = item.step * (0.5 if item.step < 5 else 1) + abs(reading.value) * 1e-6
        assert abs(found[reading.quantity, reading.channel] - reading.value) <= tolerance
    assert model.encode(port, measurement.readings) == payload
    assert model.decode(port, payload, NOW_MS) == (measurement,)


@pytest.mark.parametrize(("model", "port", "size"), LAYOUTS)
@given(body=st.binary(min_size=64, max_size=64))
def test_every_other_length_of_a_fixed_frame_is_rejected(model: Codec, port: int, size: int, body: bytes) -> None:
    """Each truncation and each extension of a fixed frame is a DecodeError."""
    for length in range(len(body)):
        if length != size:
            with pytest.raises(DecodeError):
                model.decode(port, body[:length], NOW_MS)


@pytest.mark.parametrize(("codec_id", "f_port", "readings"), EXAMPLES)
def test_truncated_examples_are_rejected_or_hold_less(codec_id: str, f_port: int, readings: list[Reading]) -> None:
    """A truncation of a real frame never yields a reading that the whole frame does not hold."""
    model = codec(codec_id)
    payload = model.encode(f_port, readings)
    for length in range(len(payload)):
        for measurement in decoded(model, f_port, payload[:length]) or ():
            assert set(measurement.readings) < set(readings)


@pytest.mark.parametrize(("codec_id", "f_port", "readings"), EXAMPLES)
def test_a_simulator_can_encode_plain_readings(codec_id: str, f_port: int, readings: list[Reading]) -> None:
    """Plain readings of each model encode, and decode to themselves."""
    model = codec(codec_id)
    (measurement,) = model.decode(f_port, model.encode(f_port, readings), NOW_MS)
    assert measurement.time_ms == NOW_MS
    assert sorted(measurement.readings, key=str) == sorted(readings, key=str)


def test_every_codec_has_an_example() -> None:
    """The examples above leave no codec out."""
    assert {codec_id for codec_id, _, _ in EXAMPLES} == {model.id for model in CODECS}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(("codec_id", "f_port", "readings"), EXAMPLES)
def test_no_number_that_is_none_is_encoded(codec_id: str, f_port: int, readings: list[Reading], value: float) -> None:
    """NaN and infinity are refused by every encoder."""
    with pytest.raises(EncodeError):
        codec(codec_id).encode(f_port, [readings[0]._replace(value=value), *readings[1:]])


@pytest.mark.parametrize("model", MODELS)
def test_a_foreign_reading_is_refused(model: Codec) -> None:
    """A reading for which a frame has no place is an EncodeError, never left out silently."""
    for f_port in model.ports:
        with pytest.raises(EncodeError):
            model.encode(f_port, [Reading(Quantity.PM4, 1.0, "nowhere")])


def test_two_readings_of_one_channel_are_refused() -> None:
    """Encoding does not choose between two values of one quantity and channel."""
    with pytest.raises(EncodeError, match="two readings"):
        codec("bosch/tps110").encode(1, [Reading(Quantity.OCCUPIED, 1.0), Reading(Quantity.OCCUPIED, 0.0)])


def test_an_unknown_id_names_the_nearest() -> None:
    """UnknownCodec helps with a typing error."""
    with pytest.raises(UnknownCodec, match="did you mean 'milesight/em400-mud'"):
        codec("milesight/em400mud")


def test_a_duplicate_id_is_an_error() -> None:
    """Two codecs of one id cannot both be listed."""
    with pytest.raises(ValueError, match="bosch/tps110"):
        by_id([codec("bosch/tps110"), replace(codec("nwave/nps405"), id="bosch/tps110")])


def test_unknown_port_names_the_known_ones() -> None:
    """UnknownPort says which ports have frames."""
    with pytest.raises(UnknownPort, match="known are 1, 13, 14, 15, 16, 17, 190"):
        codec("pmx/tcr").decode(2, b"\xa2", NOW_MS)


def test_families_and_privacy() -> None:
    """Families are those of the schema; single parking spaces are internal, all other codecs open."""
    families = {model.id: model.family for model in CODECS}
    assert families == {
        "bosch/tps110": Family.PARKING,
        "nwave/nps405": Family.PARKING,
        "decentlab/dl-pm": Family.ENVIRONMENT,
        "elsys/generic": Family.ENVIRONMENT,
        "milesight/em310-udl": Family.WASTE,
        "milesight/em400-mud": Family.WASTE,
        "pepperl-fuchs/wilsen-sonic": Family.WASTE,
        "parametric/pcr2": Family.TRAFFIC,
        "pmx/tcr": Family.TRAFFIC,
    }
    internal = {model.id for model in CODECS if model.privacy is not Privacy.OPEN}
    assert internal == {"bosch/tps110", "nwave/nps405"}


def test_channels_are_a_closed_vocabulary() -> None:
    """A radar's channels are its directions, alone and for each category."""
    channels = codec("pmx/tcr").channels()[Quantity.VEHICLE_COUNT]
    categories = [f"cat{number}_{way}" for number in range(1, 5) for way in ("ltr", "rtl")]
    assert channels == ("ltr", "rtl", *categories)


def test_fields_list_each_frame_with_its_port() -> None:
    """A codec whose port can be configured lists its frame once, under the port from the factory."""
    fields = codec("milesight/em310-udl").fields()
    assert {item.f_port for item in fields} == {85}
    distance = next(item for item in fields if item.quantity is Quantity.DISTANCE)
    assert (distance.low, distance.high, distance.step) == (0.0, 65535.0, 1.0)
