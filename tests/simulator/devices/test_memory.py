"""What devices keep of readings that nobody has, and the frames in which they send them."""

from random import Random

import pytest

from decoders import catalog
from decoders.catalog import CODECS
from simulator.devices.forms import figures
from simulator.devices.generic import GenericSensor
from simulator.devices.memory import MOST_KEPT, STEPPED, Memory, keeps
from simulator.world import Calendar

NOW_MS = 1_795_000_000_000
MINUTE_MS = 60_000
KEEPERS = [codec.id for codec in CODECS if keeps(codec.id)]
CALENDAR = Calendar("Europe/Berlin")


def _filled(model: str, frames: int) -> tuple[Memory, dict[int, tuple[int, bytes]]]:
    """A memory with frames of ten minutes each, the newest ten minutes ago; and those frames by their time."""
    codec, sensor = catalog.codec(model), GenericSensor(model, Random(2))
    memory, sent = Memory(codec, figures(codec)), {}
    for age in range(frames, 0, -1):
        time_ms = NOW_MS - age * 10 * MINUTE_MS
        frame = sensor.report(CALENDAR.at(time_ms), 600, 0.8)
        assert frame.data is not None
        sent[time_ms] = frame.f_port, frame.data
        memory.keep(frame.f_port, frame.data, time_ms)
    return memory, sent


def test_who_keeps_readings() -> None:
    """Formats with free earlier times: Milesight's records, ELSYS's ages, Dragino's entries, and a few more."""
    assert {"milesight/em300-th", "elsys/generic", "dragino/lht65", "dragino/sw3l"} <= set(KEEPERS)
    assert {"sensative/strips", "watteco/vaqao-plus", "watteco/presso", "emu/professional-ii"} <= set(KEEPERS)
    assert not {"bosch/tps110", "decentlab/dl-pm", "milesight/em400-mud", *STEPPED} & set(KEEPERS)


@pytest.mark.parametrize("model", KEEPERS)
def test_kept_readings_come_back_with_their_times(model: str) -> None:
    """What was kept decodes to readings of the frames that were not heard, each at its second, the oldest first."""
    memory, sent = _filled(model, 12)
    codec, parameters = catalog.codec(model), figures(catalog.codec(model))
    told: list[int] = []
    while memory:
        found = memory.frame(222, NOW_MS)
        assert found is not None
        assert len(found.data) <= 222
        measurements = codec.decode(found.f_port, found.data, NOW_MS, parameters)
        assert [each.time_ms for each in reversed(measurements)] == list(found.times_ms)
        for each in measurements:
            (original, *_) = codec.decode(sent[each.time_ms][0], sent[each.time_ms][1], each.time_ms, parameters)
            before = {(reading.quantity, reading.channel): reading.value for reading in original.readings}
            assert each.readings
            for quantity, value, channel in each.readings:
                assert value == pytest.approx(before[quantity, channel], rel=0.02, abs=0.51)
        told += found.times_ms
        memory.told(found.times_ms)
    assert told == sorted(set(told))
    assert len(told) >= 6


def test_frames_are_as_long_as_they_may_be() -> None:
    """At a slow data rate fewer readings go into a frame; nothing is lost for it."""
    memory, sent = _filled("milesight/em300-th", 30)
    short, long = memory.frame(51, NOW_MS), memory.frame(222, NOW_MS)
    assert short is not None
    assert long is not None
    assert len(short.data) <= 51 < len(long.data)
    assert 1 < len(short.times_ms) < len(long.times_ms)
    assert short.times_ms == long.times_ms[: len(short.times_ms)]
    assert len(memory) == len(sent)


def test_a_memory_is_bounded() -> None:
    """The oldest of too much goes."""
    memory, sent = _filled("milesight/em300-th", MOST_KEPT + 5)
    assert len(memory) == MOST_KEPT
    oldest = memory.frame(222, NOW_MS)
    assert oldest is not None
    assert oldest.times_ms[0] == sorted(sent)[5]


def test_what_the_format_cannot_say_is_dropped() -> None:
    """Two measurements of one second cannot be told apart: one of them goes, and the others are told."""
    memory, _ = _filled("milesight/em300-th", 3)
    (port, data), *_ = _filled("milesight/em300-th", 1)[1].values()
    memory.keep(port, data, NOW_MS - 10 * MINUTE_MS)
    told: list[int] = []
    while (found := memory.frame(222, NOW_MS)) is not None:
        told += found.times_ms
        memory.told(found.times_ms)
    assert sorted(set(told)) == [NOW_MS - age * 10 * MINUTE_MS for age in (3, 2, 1)]


def test_nothing_is_kept_without_places() -> None:
    """A format without earlier times keeps nothing."""
    codec = catalog.codec("bosch/tps110")
    memory = Memory(codec, {})
    memory.keep(1, b"\x01", NOW_MS)
    assert not memory
    assert memory.frame(222, NOW_MS) is None


def test_what_is_too_long_today_waits_for_a_faster_rate() -> None:
    """Readings too long for the data rate are kept, and told once it is better."""
    memory, sent = _filled("milesight/em300-th", 3)
    assert memory.frame(8, NOW_MS) is None
    later = memory.frame(222, NOW_MS)
    assert later is not None
    assert list(later.times_ms) == sorted(sent)


def test_what_is_too_long_stops_nothing() -> None:
    """At a slow data rate all short records go out, also those behind long ones; these come at a faster one."""
    memory, sent = _filled("watteco/vaqao-plus", 40)
    short: list[int] = []
    while (found := memory.frame(20, NOW_MS)) is not None:
        short += found.times_ms
        memory.told(found.times_ms)
    long: list[int] = []
    while (found := memory.frame(222, NOW_MS)) is not None:
        long += found.times_ms
        memory.told(found.times_ms)
    assert sorted(short + long) == sorted(sent)
    assert min(long) < max(short)
