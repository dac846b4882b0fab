"""Gusts in a sliding hour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.environment.gust import RULE, configure, initial, step
from rules.rule import Observation
from tests.rules.environment.play import HOUR, MINUTE, START, Place, asset

Q = Quantity
GUST, WIND = Q.WIND_GUST, Q.WIND_SPEED


def ms(kmh: float) -> tuple[Quantity, float]:
    """A gust in km/h as its reading."""
    return GUST, kmh / 3.6


@pytest.mark.parametrize(
    ("kmh", "level"),
    [(50.4, 0), (50.6, 1), (64.4, 1), (64.6, 2), (104.4, 2), (104.6, 3), (140.4, 3), (140.6, 4)],
)
def test_the_levels_of_the_dwd(kmh: float, level: int) -> None:
    """Rounded to whole km/h: above 50, from 65, from 105, above 140."""
    place = Place(RULE)
    place.hear(0, ms(kmh))
    assert [event.data.level for event in place.events] == ([level] if level else [])


def test_the_highest_gust_of_an_hour_counts() -> None:
    """70 km/h raise level 2 for an hour, then the 55 km/h of minute 30 hold level 1 for half an hour more."""
    place = Place(RULE)
    place.hear(0, ms(70))
    for minute in range(10, 121, 10):
        place.hear(minute, ms(55 if minute == 30 else 20))
        place.wait(minute + 1, minute + 9)
    assert place.told() == [("raised", 2), ("updated", 1), ("cleared", 0)]
    ends = [event.time_ms - START for event in place.events if event.data.level != event.data.previous_level]
    assert ends == [0, HOUR, 90 * MINUTE]


def test_hysteresis_holds_a_level() -> None:
    """After 66 km/h, hours with 61 km/h keep level 2, with 60 km/h do not."""
    for kmh, levels in ((61, [2]), (60, [2, 1])):
        place = Place(RULE)
        place.hear(0, ms(66))
        for minute in range(10, 100, 10):
            place.hear(minute, ms(kmh))
        assert [level for _, level in place.told()] == levels


@pytest.mark.parametrize(("gust", "wind", "used"), [(30, 5, True), (40, 5, False), (4, 5, False), (9, 0, True)])
def test_a_gust_must_fit_its_wind(gust: float, wind: float, used: bool) -> None:
    """Below the mean wind, or above five times it and 10 m/s, it is a fault of the sensor."""
    config = configure(asset())
    heard = Observation("d", "d", "place-1", START, START, (Reading(GUST, gust), Reading(WIND, wind)), "c", START)
    state, _ = step(config, initial(config), heard)
    assert bool(state.devices) is used


def test_silence_ends_the_alert() -> None:
    """An hour without a message: cleared for want of data, not because the wind calmed."""
    place = Place(RULE, gust_window_s=7200)
    place.hear(0, ms(80))
    found = place.wait(1, 70)
    assert [(event.data.status, event.data.reason) for event in found] == [("cleared", "no_data")]
    assert found[0].time_ms == START + HOUR


def test_late_and_wrongly_timed_gusts_are_not_used() -> None:
    """An hour late at first, older than the newest, or ahead of time."""
    place = Place(RULE)
    place.hear(-61, ms(90), late=61)
    place.hear(0, ms(10))
    place.hear(-20, ms(90), late=30)
    place.hear(900, ms(90), late=-880)
    assert place.events == []


def test_devices_that_contradict_are_flagged() -> None:
    """10 and 80 km/h: the highest counts, flagged."""
    place = Place(RULE)
    place.hear(0, ms(10))
    place.hear(1, ms(80), device="e")
    assert (place.now.data.level, place.now.data.contradicting) == (2, True)


def test_wind_without_gusts_says_nothing() -> None:
    """The mean wind is no gust."""
    place = Place(RULE)
    place.hear(0, (WIND, 30.0))
    assert (place.events, place.points) == ([], [])


@given(st.lists(st.tuples(st.integers(1, 30), st.floats(0, 45)), min_size=1, max_size=50))
def test_the_kept_gusts_are_the_maximum_of_the_window(heard: list[tuple[int, float]]) -> None:
    """At any intervals the first of what is kept is the highest of the last hour, and what is kept falls."""
    config, minute, given_values = configure(asset()), 0, []
    state = initial(config)
    for gap, value in heard:
        minute += gap
        now = START + minute * MINUTE
        given_values.append((now, value))
        state, _ = step(config, state, Observation("d", "d", "place-1", now, now, (Reading(GUST, value),), "c", now))
        peaks = state.devices["d"]
        assert peaks[0].value == max(value for time, value in given_values if time > now - HOUR) * 3.6
        assert [peak.value for peak in peaks] == sorted((peak.value for peak in peaks), reverse=True)


def test_keeping_changes_nothing() -> None:
    """Restarts after every input give the same events."""
    places = [Place(RULE), Place(RULE, kept=True)]
    for place in places:
        for minute, kmh in enumerate((10, 70, 66, 40, 110, 20, 30)):
            place.hear(minute * 15, ms(kmh))
        place.wait(91, 200, 3)
    assert [event.payload() for event in places[0].events] == [event.payload() for event in places[1].events] != []


def test_the_hour_ends_by_ticks_alone() -> None:
    """The last message came a minute before the gust leaves the window; nobody speaks after it."""
    place = Place(RULE, gust_fresh_s=7200)
    place.hear(0, ms(70))
    place.hear(59, ms(20))
    place.wait(60, 61)
    assert place.told() == [("raised", 2), ("cleared", 0)]
    assert (place.now.time_ms, place.now.data.reason) == (START + HOUR, "measured")
