"""Means of clock hours from irregular readings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.environment.hours import HOUR_MS, NO_HOURS, Closed, HourRules, Hours, close, hear, next_close_ms
from rules.rule import Observation
from tests.rules.environment.play import MINUTE, START

PM = Quantity.PM10
RULES = HourRules({PM: None}, hold_ms=30 * MINUTE, grace_ms=5 * MINUTE, min_coverage=0.75)


def play(*heard: tuple[float, float] | tuple[float, float, str], until: float = 65) -> tuple[Hours, list[Closed]]:
    """Hours after readings (minute, value, device) and the passing of time, and what was closed."""
    hours, _ = close(RULES, NO_HOURS, START)
    closed: list[Closed] = []
    for minute, value, *device in heard:
        time_ms = START + round(minute * MINUTE)
        hours, found = close(RULES, hours, time_ms)
        closed += found
        name = device[0] if device else "d"
        reading = (Reading(PM, value),)
        hours = hear(RULES, hours, Observation(name, name, "s", time_ms, time_ms, reading, "c", time_ms))
    hours, found = close(RULES, hours, START + round(until * MINUTE))
    return hours, closed + list(found)


def mean(closed: list[Closed], index: int = 0) -> float | None:
    """The mean of a closed hour."""
    found = closed[index].means.get("pm10") if index < len(closed) else None
    return None if found is None else found.mean


def test_a_reading_stands_for_the_time_before_it() -> None:
    """10 for half an hour, 30 for the other: 20, with full coverage."""
    _, closed = play((30, 10.0), (60, 30.0))
    assert mean(closed) == 20.0
    found = closed[0].means["pm10"]
    assert (found.coverage, found.samples, found.low, found.high, found.sources) == (1.0, 2, 10.0, 30.0, ("d",))


def test_crowded_readings_do_not_outweigh_sparse_ones() -> None:
    """Thirty readings in one half hour weigh as much as one in the other."""
    crowd = [(minute, 10.0) for minute in range(1, 31)]
    _, closed = play(*crowd, (60, 30.0))
    assert mean(closed) == pytest.approx(20.0)


def test_a_lost_reading_costs_nothing() -> None:
    """Every second ten-minute reading lost: the same mean of a constant, still 100 %."""
    _, closed = play(*((minute, 42.0) for minute in range(20, 61, 20)))
    assert mean(closed) == pytest.approx(42.0)
    assert closed[0].means["pm10"].coverage == 1.0


def test_silence_is_missing_coverage() -> None:
    """Readings until minute 40 cover two thirds: too little for a mean."""
    _, closed = play(*((minute, 42.0) for minute in range(10, 41, 10)))
    assert mean(closed) is None


def test_a_reading_over_the_hour_is_shared() -> None:
    """Of its fourteen minutes ten lie in the first hour and four in the second."""
    _, closed = play((20, 0.0), (50, 0.0), (64, 60.0), (90, 0.0), (120, 0.0), until=125)
    assert mean(closed, 0) == pytest.approx(10.0)
    assert mean(closed, 1) == pytest.approx(4.0)


def test_an_hour_waits_for_its_grace_and_no_longer() -> None:
    """Four minutes after the hour it is open, five minutes after closed; what comes later changes nothing."""
    heard = [(float(minute), 42.0) for minute in range(10, 61, 10)]
    hours, closed = play(*heard, until=64.9)
    assert not closed
    assert next_close_ms(RULES, hours) == START + 65 * MINUTE
    _, closed = play(*heard, until=65)
    assert mean(closed) == pytest.approx(42.0)
    hours, _ = play(*heard, until=66)
    late = Observation(
        "x", "x", "s", START + 40 * MINUTE, START + 40 * MINUTE, (Reading(PM, 900.0),), "c", START + 66 * MINUTE
    )
    assert hear(RULES, hours, late) is hours


def test_a_clock_ahead_moves_nothing() -> None:
    """A reading more than two minutes ahead of the network server is not used."""
    hours, _ = close(RULES, NO_HOURS, START)
    ahead = Observation("d", "d", "s", START + 10 * MINUTE, START, (Reading(PM, 9.0),), "c", START)
    assert hear(RULES, hours, ahead) is hours


def test_the_same_instant_counts_once() -> None:
    """A second reading of one time has no weight."""
    _, closed = play((30, 10.0), (60, 30.0), (60, 900.0))
    assert mean(closed) == 20.0


def test_three_devices_outvote_one() -> None:
    """The median of the devices: one that stands at 900 changes nothing, but the spread tells."""
    heard = [
        (float(minute), value, name)
        for minute in (20, 40, 60)
        for name, value in (("a", 10.0), ("b", 900.0), ("c", 12.0))
    ]
    _, closed = play(*heard)
    assert mean(closed) == pytest.approx(12.0)
    assert closed[0].means["pm10"].spread == pytest.approx(890.0)


def test_silent_hours_are_passed_over() -> None:
    """After five hours of silence the next hour counts as if nothing had been."""
    heard = [(float(minute), 42.0) for minute in range(10, 61, 10)]
    later = [(300.0 + minute, 10.0) for minute in range(10, 61, 10)]
    hours, closed = play(*heard, *later, until=365)
    assert [(each.hour - START // HOUR_MS, each.means["pm10"].mean) for each in closed] == [(0, 42.0), (5, 10.0)]
    assert len(hours.tracks) <= 1


@given(st.lists(st.tuples(st.integers(1, 20), st.floats(0, 500)), min_size=1, max_size=40))
def test_means_lie_between_the_extremes(gaps: list[tuple[int, float]]) -> None:
    """Whatever the intervals: a mean lies within the readings, coverage within one."""
    minute, heard = 0.0, []
    for gap, value in gaps:
        minute += gap
        heard.append((minute, value))
    _, closed = play(*heard, until=minute + 130)
    for hour in closed:
        found = hour.means["pm10"]
        assert found.low - 1e-6 <= found.mean <= found.high + 1e-6
        assert 0.75 <= found.coverage <= 1
