"""Slippery roads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import CityError
from rules.environment.ice import RULE, configure, dew_point
from tests.rules.environment.play import MINUTE, START, Place, asset

Q = Quantity
SURFACE, DEW, RAIN = Q.SURFACE_TEMPERATURE, Q.DEW_POINT, Q.RAIN_DETECTED


@pytest.mark.parametrize(
    ("surface", "dew", "rain", "level"),
    [(3.1, -5, 0, 0), (3.0, -5, 0, 1), (1.0, -5, 0, 1), (1.0, 0.5, 0, 2), (1.1, 1.1, 0, 1), (1.0, 0.4, 0, 1),
     (0.0, -0.5, 0, 3), (0.0, -0.6, 0, 1), (-8.0, -20, 0, 1), (0.0, -20, 1, 4), (0.1, -20, 1, 2), (1.1, -20, 1, 1)],
)  # fmt: skip
def test_the_table_of_levels(surface: float, dew: float, rain: float, level: int) -> None:
    """Both sides of every limit: inspection, possible, likely, black ice."""
    place = Place(RULE, "road_section")
    place.hear(0, (SURFACE, surface), (DEW, dew), (RAIN, rain))
    assert [event.data.level for event in place.events] == ([level] if level else [])


def test_a_wet_road_stays_wet_for_two_hours() -> None:
    """Rain at 4 °C, then frost: likely until two hours after the rain, then only inspection (after half an hour)."""
    place = Place(RULE, "road_section")
    place.hear(0, (SURFACE, 4.0), (RAIN, 1.0))
    for minute in range(40, 181, 10):
        place.hear(minute, (SURFACE, -1.0), (RAIN, 0.0))
    assert place.told() == [("raised", 3), ("updated", 1)]
    assert place.events[-1].time_ms - START >= 150 * MINUTE


@pytest.mark.parametrize(
    ("temperature", "humidity", "expected"), [(20, 50, 9.3), (0, 100, 0.0), (5, 80, 1.8), (-5, 90, -6.4)]
)
def test_the_dew_point_from_air(temperature: float, humidity: float, expected: float) -> None:
    """Values of the usual tables to a tenth."""
    assert dew_point(temperature, humidity) == pytest.approx(expected, abs=0.1)


def test_the_dew_point_is_made_of_temperature_and_humidity() -> None:
    """Saturated air at 0 °C over a surface of 0 °C: likely."""
    place = Place(RULE, "road_section")
    place.hear(0, (SURFACE, 0.0), (Q.AIR_TEMPERATURE, 0.0), (Q.AIR_HUMIDITY, 100.0))
    assert (place.now.data.level, place.now.data.incomplete) == (3, False)


def test_without_a_dew_point_it_is_incomplete() -> None:
    """Only inspection, and it says that something is missing."""
    place = Place(RULE, "road_section")
    place.hear(0, (SURFACE, -3.0))
    assert (place.now.data.level, place.now.data.incomplete) == (1, True)


def test_without_a_surface_temperature_nothing_is_said() -> None:
    """Air at -5 °C and rain are no road."""
    place = Place(RULE, "road_section")
    place.hear(0, (Q.AIR_TEMPERATURE, -5.0), (Q.AIR_HUMIDITY, 95.0), (RAIN, 1.0))
    place.wait(1, 60)
    assert (place.events, place.points) == ([], [])


def test_a_level_ends_one_kelvin_above_after_half_an_hour() -> None:
    """At 1.0 °C more nothing ends; warmer for 29 minutes neither, for 30 it does; a relapse begins anew."""
    place = Place(RULE, "road_section")
    place.hear(0, (SURFACE, 3.0))
    for minute in range(10, 100, 10):
        place.hear(minute, (SURFACE, 4.0))
    assert place.told() == [("raised", 1)]
    place.hear(100, (SURFACE, 4.1))
    place.hear(120, (SURFACE, 3.9))
    place.hear(130, (SURFACE, 4.1))
    place.hear(150, (SURFACE, 4.1))
    place.wait(151, 159)
    assert place.told() == [("raised", 1)]
    place.wait(160, 160)
    assert place.told() == [("raised", 1), ("cleared", 0)]


def test_silence_ends_the_alert() -> None:
    """Half an hour without a surface temperature: cleared for want of data, though it rains."""
    place = Place(RULE, "road_section")
    place.hear(0, (SURFACE, -1.0), (RAIN, 1.0))
    place.hear(20, (RAIN, 1.0))
    found = place.wait(21, 40)
    assert [(event.data.reason, event.time_ms - START) for event in found] == [("no_data", 30 * MINUTE)]


def test_late_and_wrongly_timed_readings_are_not_used() -> None:
    """An hour late, older than the newest, ahead of time."""
    place = Place(RULE, "road_section")
    place.hear(-60, (SURFACE, -5.0), (RAIN, 1.0), late=60)
    place.hear(0, (SURFACE, 9.0))
    place.hear(-5, (SURFACE, -5.0), late=10)
    place.hear(500, (SURFACE, -5.0), late=-490)
    assert place.events == []


def test_the_coldest_of_two_counts_and_is_flagged() -> None:
    """8 and -1 °C at one place contradict each other; the colder counts."""
    place = Place(RULE, "road_section")
    place.hear(0, (SURFACE, 8.0))
    place.hear(1, (SURFACE, -1.0), device="e")
    assert (place.now.data.evidence[0].value, place.now.data.contradicting) == (-1.0, True)


def test_a_stuck_sensor_is_left_out() -> None:
    """A doubtful surface temperature raises nothing."""
    place = Place(RULE, "road_section")
    place.hear(0, doubtful=[Reading(SURFACE, -4.0)])
    assert place.events == []


@given(st.lists(st.floats(0.01, 3.99), max_size=40))
def test_no_flapping_within_the_hysteresis(values: list[float]) -> None:
    """A dry surface between 0 and 4 °C keeps the inspection that it called for."""
    place = Place(RULE, "road_section")
    place.hear(0, (SURFACE, 2.0))
    for minute, value in enumerate(values, 1):
        place.hear(minute * 10, (SURFACE, value))
    assert place.told() == [("raised", 1)]


def test_limits_must_rise() -> None:
    """Likely above possible cannot be."""
    with pytest.raises(CityError, match="property 'ice_possible_celsius'"):
        configure(asset("road_section", ice_likely_celsius=2))


def test_keeping_changes_nothing() -> None:
    """Restarts after every input give the same events and points."""
    places = [Place(RULE, "road_section"), Place(RULE, "road_section", kept=True)]
    for place in places:
        for minute, value in enumerate((5, 2.2, 0.7, -0.3, 0.4, 2.5, 3.9, 4.5, 4.6)):
            place.hear(
                minute * 13, (SURFACE, value), (Q.AIR_TEMPERATURE, 1.0), (Q.AIR_HUMIDITY, 97.3), (RAIN, minute % 2)
            )
        place.wait(110, 170, 3)
    assert [event.payload() for event in places[0].events] == [event.payload() for event in places[1].events] != []
    assert places[0].points == places[1].points


def test_without_news_of_the_surface_nothing_is_renewed() -> None:
    """A dew point alone, after half of the validity, says nothing new."""
    place = Place(RULE, "road_section")
    place.hear(0, (SURFACE, 2.0))
    place.hear(20, (DEW, -9.0))
    assert len(place.events) == 1
    place.hear(21, (SURFACE, 2.0))
    assert [event.data.status for event in place.events] == ["raised", "updated"]


def test_a_surface_that_is_no_longer_heard_counts_no_more() -> None:
    """The cold device fell silent, the warm one goes on: cleared after an hour (30 min of silence, 30 of patience)."""
    place = Place(RULE, "road_section")
    place.hear(0, (SURFACE, 1.0), device="e")
    for minute in range(5, 100, 5):
        place.hear(minute, (SURFACE, 9.0))
    assert place.told() == [("raised", 1), ("cleared", 0)]
    assert place.now.time_ms == START + 60 * MINUTE
