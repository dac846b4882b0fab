"""Invariants over every codec of the catalogue."""

from dataclasses import replace
from math import isfinite

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from decoders.catalog import CODECS, by_id, codec
from decoders.codec import Codec, CodecField
from decoders.error import DecodeError, EncodeError, UnknownCodec, UnknownPort
from decoders.layout import Layout
from decoders.measurement import Measurement, Reading
from decoders.quantity import Family, Privacy, Quantity
from tests.decoders.published import EXAMPLES, Hand, parameters_of, payloads

NOW_MS = 1_800_000_000_000
MODELS = [pytest.param(model, id=model.id) for model in CODECS]
FIELDS = {model.id: model.fields() for model in CODECS}
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
IDS = [f"{example.codec}-{example.f_port}-{number}" for number, example in enumerate(EXAMPLES)]
# A format of more fields is tried with those of a few channels at a time.
MANY_FIELDS = 200
# So many codecs share what a run has time for; `make fuzz` tries a million.
FEW = settings(max_examples=30)
# Trackers, phone counters, household meters.
PERSONAL = {
    "alpha-omega/klax",
    "axioma/qalcosonic-w1",
    "digital-matter/oyster",
    "digital-matter/oyster-3",
    "dragino/lgt92",
    "elvaco/cmi41xx",
    "emu/professional-ii",
    "innotas/water-meter",
    "kamstrup/water",
    "landis-gyr/t550",
    "milesight/at101",
    "opensource/esp32-paxcounter",
    "quandify/cubicmeter",
    "sontex/supercal-5",
}
# Counters at the entries of lots see no single space.
OPEN_PARKING = {"nwave/ncc405"}
PUBLISHED = payloads()


def decoded(model: Codec, f_port: int, payload: bytes) -> tuple[Measurement, ...] | None:
    """The measurements, or None for a DecodeError; anything else is raised."""
    try:
        return model.decode(f_port, payload, NOW_MS, parameters_of(model.id))
    except DecodeError:
        return None


def carried(item: CodecField, where: float) -> Reading:
    """A reading of a field, at a share of its range that a real sensor would use."""
    low, high = max(item.low, -1e6), min(item.high, 5e9)
    return Reading(item.quantity, low + (high - low) * where, item.channel)


def form_fields(model: Codec, port: int, form: str) -> list[CodecField]:
    """The fields of one form of a frame."""
    return [item for item in FIELDS[model.id] if item.f_port == port and item.frame == form]


@pytest.mark.parametrize("model", MODELS)
@FEW
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
@FEW
@given(data=st.data())
def test_bytes_of_the_right_kind_give_finite_readings(model: Codec, port: int, data: st.DataObject) -> None:
    """Frames with a right head and any body: finite, each quantity and channel once a time, newest first."""
    real = [payload for codec_id, f_port, payload in PUBLISHED if codec_id == model.id and f_port == port]
    head = data.draw(st.sampled_from(real or [b""]))
    head = head[: data.draw(st.integers(0, len(head)))]
    measurements = decoded(model, port, head + data.draw(st.binary(max_size=40))) or ()
    times = [measurement.time_ms for measurement in measurements]
    assert times == sorted(times, reverse=True)
    for measurement in measurements:
        keys = [(reading.quantity, reading.channel) for reading in measurement.readings]
        assert len(keys) == len(set(keys))
        assert all(isfinite(reading.value) for reading in measurement.readings)


@pytest.mark.parametrize("model", CODECS, ids=lambda model: model.id)
def test_every_field_has_a_range_and_a_step(model: Codec) -> None:
    """The least value comes first, and steps go up, also where a device tells its figure negated."""
    for item in model.fields():
        assert item.low <= item.high, item
        assert item.step > 0, item


@pytest.mark.parametrize(("model", "port", "form"), FORMS)
@FEW
@given(data=st.data())
def test_decode_after_encode_is_identity(model: Codec, port: int, form: str, data: st.DataObject) -> None:
    """What was encoded decodes to the nearest values the form can carry, and those survive another round.

    Zeros that mean "nothing here" cannot be encoded as readings.
    """
    fields: dict[tuple[Quantity, str], CodecField] = {}
    for item in form_fields(model, port, form):
        key = (item.quantity, item.channel)
        # Of two places for one value the coarser may be the only one that holds it.
        fields[key] = item._replace(step=max(item.step, fields[key].step)) if key in fields else item
    if len(fields) > MANY_FIELDS:
        channels = sorted({channel.partition("_")[0] for _, channel in fields})
        kept = data.draw(st.sets(st.sampled_from(channels), min_size=1, max_size=3))
        fields = {key: item for key, item in fields.items() if key[1].partition("_")[0] in kept}
    shares = data.draw(st.lists(st.floats(0, 1), min_size=len(fields), max_size=len(fields)))
    readings = [carried(item, share) for item, share in zip(fields.values(), shares, strict=True)]
    figures = parameters_of(model.id)
    try:
        payload = model.encode(port, readings, figures)
    except EncodeError as error:
        assume("would mean something else" not in str(error))
        raise
    (measurement,) = model.decode(port, payload, NOW_MS, figures)
    found = {(reading.quantity, reading.channel): reading.value for reading in measurement.readings}
    assert found.keys() == fields.keys()
    for reading in readings:
        item = fields[reading.quantity, reading.channel]
        tolerance = item.step * (0.5 if item.step < 5 else 1) + abs(reading.value) * 1e-6
        assert abs(found[reading.quantity, reading.channel] - reading.value) <= tolerance
    (again,) = model.decode(port, model.encode(port, measurement.readings, figures), NOW_MS, figures)
    assert set(again.readings) == set(measurement.readings)


@pytest.mark.parametrize(("model", "port", "size"), LAYOUTS)
@FEW
@given(body=st.binary(min_size=64, max_size=64))
def test_every_other_length_of_a_fixed_frame_is_rejected(model: Codec, port: int, size: int, body: bytes) -> None:
    """Each truncation and each extension of a fixed frame is a DecodeError."""
    for length in range(len(body)):
        if length != size:
            with pytest.raises(DecodeError):
                model.decode(port, body[:length], NOW_MS, parameters_of(model.id))


@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_truncated_examples_are_rejected_or_hold_less(example: Hand) -> None:
    """A truncation of a real frame never yields a reading that the whole frame does not hold."""
    model = codec(example.codec)
    payload = model.encode(example.f_port, example.readings, example.parameters)
    for length in range(len(payload)):
        for measurement in decoded(model, example.f_port, payload[:length]) or ():
            assert set(measurement.readings) < set(example.readings)


@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_a_simulator_can_encode_plain_readings(example: Hand) -> None:
    """Plain readings of each model encode, and decode to themselves."""
    model = codec(example.codec)
    payload = model.encode(example.f_port, example.readings, example.parameters)
    (measurement,) = model.decode(example.f_port, payload, NOW_MS, example.parameters)
    assert measurement.time_ms == NOW_MS
    assert sorted(measurement.readings, key=str) == sorted(example.readings, key=str)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_no_number_that_is_none_is_encoded(example: Hand, value: float) -> None:
    """NaN and infinity are refused by every encoder."""
    readings = [example.readings[0]._replace(value=value), *example.readings[1:]]
    with pytest.raises(EncodeError):
        codec(example.codec).encode(example.f_port, readings, example.parameters)


@pytest.mark.parametrize("model", MODELS)
def test_a_foreign_reading_is_refused(model: Codec) -> None:
    """A reading for which a frame has no place is an EncodeError, never left out silently."""
    for f_port in model.ports:
        with pytest.raises(EncodeError):
            model.encode(f_port, [Reading(Quantity.PM4, 1.0, "nowhere")], parameters_of(model.id))


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


def test_privacy() -> None:
    """Single parking spaces are internal; what follows a person or a household is personal; the rest is open."""
    classes = {model.id: model.privacy for model in CODECS}
    assert {name for name, privacy in classes.items() if privacy is Privacy.PERSONAL} == PERSONAL
    parking = {model.id for model in CODECS if model.family is Family.PARKING}
    assert {name for name, privacy in classes.items() if privacy is Privacy.INTERNAL} == parking - OPEN_PARKING


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
