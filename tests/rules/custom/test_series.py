"""Windows: exact at the intervals of LoRaWAN, bounded at any other, and honest about what they do not cover."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.custom.series import PARTS, Tracks, dump, figure, load, look, take_up

HOUR, MINUTE = 3_600_000, 60_000
T0 = 1_773_486_000_000
FIGURES = ("avg", "min", "max", "sum", "count", "first", "last", "delta", "rate")


def heard(*readings: tuple[float, float], device: str = "a", tracks: Tracks | None = None) -> Tracks:
    """Readings as (minute, value)."""
    found: Tracks = tracks or {}
    for minute, value in readings:
        found = take_up(found, device, T0 + round(minute * MINUTE), value, (HOUR,), 2 * HOUR)
    return found


def figures(tracks: Tracks, minute: float, *names: str) -> list[float | None]:
    """Aggregates over the hour up to a minute."""
    window = look(tracks, HOUR, T0 + round(minute * MINUTE), HOUR)
    return [figure(name, window) for name in names or FIGURES]


def test_a_window_has_the_readings_of_its_time_only() -> None:
    """The reading of just one window ago is out, the next one in; it is the base of the change."""
    tracks = heard((0, 100.0), (20, 1.0), (40, 2.0), (60, 6.0))
    assert figures(tracks, 60) == [3.0, 1.0, 6.0, 9.0, 3.0, 1.0, 6.0, -94.0, -94.0 / 3600]
    assert figures(tracks, 59.9, "count") == [4.0]


def test_a_window_without_readings_knows_none_but_their_number() -> None:
    """After silence there is no average of nothing."""
    assert figures(heard((0, 1.0)), 61) == [None, None, None, None, 0.0, None, None, None, None]


def test_the_change_begins_at_the_first_reading_where_none_is_older() -> None:
    """Also where the older one is so old that it says nothing of the window's begin; one reading is no change."""
    assert figures(heard((0, 10.0), (30, 25.0)), 30, "delta", "rate") == [15.0, 15.0 / 1800]
    assert figures(heard((0, 10.0)), 30, "delta", "rate") == [None, None]
    old = heard((0, 10.0), (130, 25.0), (150, 40.0))
    assert figures(old, 160, "delta") == [15.0]


def test_devices_are_counted_together_and_changes_by_the_newest() -> None:
    """Two meters at one place: averages take both, a change is that of the one heard last."""
    tracks = heard((10, 100.0), (30, 110.0), device="b", tracks=heard((0, 1.0), (20, 3.0)))
    assert figures(tracks, 30, "avg", "count", "first", "last", "delta") == [53.5, 4.0, 1.0, 110.0, 10.0]


def test_coverage_is_the_share_of_the_window_in_which_a_value_was_known() -> None:
    """A reading holds for the time it carries; what lies before the first and after that is not covered."""
    tracks = heard((0, 1.0), (50, 1.0))
    now = T0 + 60 * MINUTE
    assert look(tracks, HOUR, now, 10 * MINUTE).coverage == pytest.approx(20 / 60)
    assert look(tracks, HOUR, now, 20 * MINUTE).coverage == pytest.approx(30 / 60)
    assert look(tracks, HOUR, now, HOUR).coverage == 1.0
    assert look(heard((60, 1.0)), HOUR, now, HOUR).coverage == 0.0
    assert look(heard((61, 1.0)), HOUR, now, HOUR).coverage == 0.0


@pytest.mark.parametrize("seconds", [20, 149, 300, 3600])
def test_a_window_holds_its_parts_and_one_before(seconds: int) -> None:
    """However long and often a device sends, nothing older stays."""
    tracks = heard(*((number * seconds / 60, 1.0) for number in range(500)))
    kept = tracks["a"].windows[HOUR]
    assert len(kept) <= PARTS + 2
    assert kept[1].first_ms > tracks["a"].time_ms - HOUR


@given(st.lists(st.tuples(st.integers(1, 600), st.floats(-1e6, 1e6)), min_size=1, max_size=400))
def test_windows_stay_small_and_near_what_was_read(steps: list[tuple[int, float]]) -> None:
    """At any pace there are a part for each 24th and one before; the number lacks a 24th of the window at most."""
    tracks: Tracks = {}
    time_ms, readings = T0, []
    for seconds, value in steps:
        time_ms += seconds * 1000
        readings.append((time_ms, value))
        tracks = take_up(tracks, "a", time_ms, value, (HOUR,), 2 * HOUR)
    assert len(tracks["a"].windows[HOUR]) <= PARTS + 2
    window = look(tracks, HOUR, time_ms, HOUR)
    count = figure("count", window) or 0.0
    inside = [each for each in readings if each[0] > time_ms - HOUR]
    surely = [each for each in readings if each[0] > time_ms - HOUR + HOUR // PARTS]
    assert len(surely) <= count <= len(inside)
    low, high = figure("min", window), figure("max", window)
    assert low is not None
    assert high is not None
    assert min(value for _, value in inside) <= low <= high <= max(value for _, value in inside)


@given(st.lists(st.tuples(st.integers(1, 900), st.floats(-1e6, 1e6)), min_size=1, max_size=50))
def test_what_is_kept_comes_back_the_same(steps: list[tuple[int, float]]) -> None:
    """Through JSON and back nothing changes; a new window begins empty, one that is not needed any more is gone."""
    tracks: Tracks = {}
    time_ms = T0
    for seconds, value in steps:
        time_ms += seconds * 1000
        tracks = take_up(tracks, "a", time_ms, value, (HOUR,), 2 * HOUR)
    kept = json.loads(json.dumps(dump(tracks)))
    assert load(kept, (HOUR,)) == tracks
    other = load(kept, (2 * HOUR,))
    assert other["a"].windows == {2 * HOUR: ()}
    assert (other["a"].time_ms, other["a"].value) == (tracks["a"].time_ms, tracks["a"].value)


def test_a_device_that_is_gone_is_forgotten() -> None:
    """Beyond the horizon another device's reading takes its place."""
    tracks = heard((0, 1.0))
    assert sorted(heard((119, 2.0), device="b", tracks=tracks)) == ["a", "b"]
    assert sorted(heard((121, 2.0), device="b", tracks=tracks)) == ["b"]
