"""Frames with measurements of earlier times: what is encoded decodes to the same, whatever the codec."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from decoders.catalog import CODECS, codec
from decoders.codec import Codec, CodecField, HistoryFrame
from decoders.error import EncodeError
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity
from tests.decoders.published import parameters_of

NOW_MS = 1_800_000_000_000
HOUR_S = 3600
FEW = settings(max_examples=30)
CARRIERS = [
    pytest.param(model, port, id=f"{model.id}-{port}")
    for model in CODECS
    for port, frame in model.ports.items()
    if isinstance(frame, HistoryFrame) and frame.history_fields()
]
# A meter's log has steps of its own, and so has a reader's; one has a single time, and some need to speak of now, too.
HOURLY, STEPPED, ONE, WITH_NOW = (
    {"axioma/qalcosonic-w1"},
    {"alpha-omega/klax"},
    {"emu/professional-ii"},
    {"axioma/qalcosonic-w1", "alpha-omega/klax"},
)
SHORT = 3


def fields_of(model: Codec, port: int) -> dict[tuple[Quantity, str], CodecField]:
    """What a record can carry; of two places for one value the coarser may be the only one that holds it."""
    frame = model.frame(port)
    assert isinstance(frame, HistoryFrame)
    found: dict[tuple[Quantity, str], CodecField] = {}
    for item in frame.history_fields():
        known = found.get((item.quantity, item.channel), item)
        low, high = max(item.low, known.low), min(item.high, known.high)
        found[item.quantity, item.channel] = item._replace(step=max(item.step, known.step), low=low, high=high)
    return found


@st.composite
def histories(draw: st.DrawFn, model: Codec, port: int) -> list[Measurement]:
    """Measurements of earlier times with all that one record keeps."""
    fields = fields_of(model, port)
    count = 1 if model.id in ONE else draw(st.integers(1, SHORT))
    gap_s = {**dict.fromkeys(HOURLY, st.just(HOUR_S)), **dict.fromkeys(STEPPED, st.just(int(60 * step(model))))}.get(
        model.id, st.integers(1, 20_000)
    )
    time_ms = NOW_MS
    found: list[Measurement] = []
    for number in range(count):
        time_ms -= 0 if number == 0 and model.id in WITH_NOW else draw(gap_s) * 1000
        shares = draw(st.lists(st.floats(0, 1), min_size=len(fields), max_size=len(fields)))
        readings = [_carried(item, share) for item, share in zip(fields.values(), shares, strict=True)]
        found.append(Measurement.of(time_ms, model.kept(port, readings)))
    return found


def step(model: Codec) -> float:
    """The minutes between two values of a reader."""
    return parameters_of(model.id).get("interval_min", 1.0)


def _carried(item: CodecField, share: float) -> Reading:
    low, high = max(item.low, -1e6), min(item.high, 5e9)
    return Reading(item.quantity, low + (high - low) * share, item.channel)


@pytest.mark.parametrize(("model", "port"), CARRIERS)
@FEW
@given(data=st.data())
def test_decode_after_encode_history_is_identity(model: Codec, port: int, data: st.DataObject) -> None:
    """Each measurement comes back at its second with the nearest values, and those survive another round."""
    history = data.draw(histories(model, port))
    if model.id in HOURLY | STEPPED:
        history = grown(model, port, history)
    figures = parameters_of(model.id)
    fields = fields_of(model, port)
    try:
        payload = model.encode_history(port, history, NOW_MS, figures)
    except EncodeError as error:
        assume("would mean something else" not in str(error))
        raise
    found = model.decode(port, payload, NOW_MS, figures)
    assert [measurement.time_ms for measurement in found] == [measurement.time_ms for measurement in history]
    for one, other in zip(found, history, strict=True):
        values = {(reading.quantity, reading.channel): reading.value for reading in one.readings}
        for quantity, value, channel in other.readings:
            item = fields.get((quantity, channel))
            if item is not None:
                tolerance = item.step * (0.5 if item.step < 5 else 1) + abs(value) * 1e-6
                assert abs(values[quantity, channel] - value) <= tolerance
    again = model.decode(port, model.encode_history(port, found, NOW_MS, figures), NOW_MS, figures)
    assert [(one.time_ms, set(one.readings)) for one in again] == [(one.time_ms, set(one.readings)) for one in found]


def grown(model: Codec, port: int, history: list[Measurement]) -> list[Measurement]:
    """Meters: what is told of now is told whole, and a log's volumes only grow."""
    now = [
        Reading(item.quantity, 0.0, item.channel)
        for item in model.fields()
        if item.f_port == port and item.quantity in {Quantity.ALARM, Quantity.BATTERY_LEVEL}
    ]
    grows = [
        one._replace(readings=tuple(item._replace(value=1000.0 * (len(history) - age)) for item in one.readings))
        for age, one in enumerate(history)
    ]
    first = {(item.quantity, item.channel): item for item in (*grows[0].readings, *now)}
    return [grows[0]._replace(readings=tuple(first.values())), *grows[1:]]


@pytest.mark.parametrize(
    ("model", "port", "ages_s", "reason"),
    [
        ("milesight/em500-udl", 85, (60, 60), "would mean something else"),
        ("milesight/em500-udl", 85, (60, 120, 60), "would mean something else"),
        ("elsys/generic", 5, (1 << 24,), "an age of 16777216 s"),
        ("elsys/generic", 5, (-5,), "an age of -5 s"),
        ("axioma/qalcosonic-w1", 100, (0, 3600, 9000), "a volume every 3600 s"),
        ("emu/professional-ii", 1, (60, 120), "the frame has one"),
        ("bosch/tps110", 1, (60,), "have no earlier times"),
        ("milesight/em400-mud", 85, (60,), "no place"),
    ],
)
def test_what_cannot_be_said(model: str, port: int, ages_s: tuple[int, ...], reason: str) -> None:
    """Two times of one second, steps that a log does not have, formats without history: an EncodeError says so."""
    quantity, value = SAID[model]
    reading = Reading(quantity, value)
    history = [Measurement.of(NOW_MS - age_s * 1000, (reading,)) for age_s in ages_s]
    if model.startswith("axioma"):
        names = ("low_battery", "permanent_error", "temporary_error")
        alarms = tuple(Reading(Quantity.ALARM, 0, name) for name in names)
        history[0] = history[0]._replace(readings=(reading, *alarms))
    with pytest.raises(EncodeError, match=reason):
        codec(model).encode_history(port, history, NOW_MS)


SAID = {
    "milesight/em500-udl": (Quantity.DISTANCE, 100.0),
    "milesight/em400-mud": (Quantity.DISTANCE, 100.0),
    "elsys/generic": (Quantity.AIR_TEMPERATURE, 20.0),
    "axioma/qalcosonic-w1": (Quantity.VOLUME_TOTAL, 5.0),
    "emu/professional-ii": (Quantity.POWER, 5.0),
    "bosch/tps110": (Quantity.OCCUPIED, 1.0),
}


def test_the_fullest_record_is_chosen() -> None:
    """Of a VS350's two kinds of records the one with totals is sent where there are totals."""
    readings = [
        Reading(quantity, 7.0, way)
        for quantity in (Quantity.PEOPLE_COUNT, Quantity.PEOPLE_COUNT_TOTAL)
        for way in ("in", "out")
    ]
    model = codec("milesight/vs350")
    assert set(model.kept(85, readings)) == set(readings)
    sent = model.encode_history(85, [Measurement.of(NOW_MS - 60_000, tuple(readings))], NOW_MS)
    assert sent.hex() == "20ce" + (1_799_999_940).to_bytes(4, "little").hex() + "01" + "0700" * 4
    assert model.kept(85, readings[:2]) == tuple(readings[:2])


def test_a_published_record() -> None:
    """The record of Milesight's EM300-TH README, with the byte that the EM300 family has behind it."""
    readings = (Reading(Quantity.AIR_TEMPERATURE, 27.2), Reading(Quantity.AIR_HUMIDITY, 46.5))
    sent = codec("milesight/em300-th").encode_history(85, [Measurement.of(1_665_561_758_000, readings)], NOW_MS)
    assert sent.hex() == "20ce9e74466310015d00"


def test_now_and_earlier() -> None:
    """What is measured now stands beside what was: ELSYS's ages, Milesight's records behind live values."""
    warm, cold = Reading(Quantity.AIR_TEMPERATURE, 22.6), Reading(Quantity.AIR_TEMPERATURE, 22.0)
    history = [Measurement.of(NOW_MS, (cold,)), Measurement.of(NOW_MS - 60_000, (warm,))]
    assert codec("elsys/generic").encode_history(5, history, NOW_MS).hex() == "0100dc4100e23c"
    assert codec("elsys/generic").history_port(5) == 5
    assert codec("sensative/strips").history_port(1) == 2
    assert codec("bosch/tps110").history_port(1) is None
