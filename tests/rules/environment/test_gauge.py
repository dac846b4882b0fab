"""Water levels against information values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import CityError
from rules.environment.gauge import RULE, configure, level_cm
from tests.rules.environment.play import HOUR, START, Place, asset

Q = Quantity
VALUES: dict[str, object] = {
    "information_value_1_cm": 250,
    "information_value_2_cm": 300,
    "information_value_3_cm": 380,
}


def levels(place: Place, begin: float, *values: float, device: str = "d", every: float = 10) -> None:
    """Levels in cm, one each ten minutes."""
    for index, value in enumerate(values):
        place.hear(begin + index * every, (Q.WATER_LEVEL, value * 10), device=device)


def test_the_information_values_come_from_the_asset() -> None:
    """Raised, updated and cleared with 5 cm of hysteresis."""
    place = Place(RULE, "gauge", more=VALUES)
    levels(place, 0, *(value for each in (249, 250, 301, 296, 295, 400, 246, 245) for value in (each, each, each)))
    assert place.told() == [
        ("raised", 1),
        ("updated", 2),
        ("updated", 1),
        ("updated", 3),
        ("updated", 1),
        ("cleared", 0),
    ]


def test_without_information_values_there_are_only_points() -> None:
    """A city file without them gives no alert, whatever the level; the level is stored."""
    place = Place(RULE, "gauge")
    levels(place, 0, 900, 900, 900)
    assert place.events == []
    assert place.fields("gauge_level_cm") == [900, 900, 900]


def test_a_single_wrong_echo_raises_nothing() -> None:
    """One reading of 600 cm among 100 cm: the middle of three counts; nor does it as the second ever heard."""
    place = Place(RULE, "gauge", more=VALUES)
    levels(place, 0, 100, 600, 100, 100, 600, 100)
    assert place.events == []


def test_one_reading_alone_decides_nothing() -> None:
    """The first reading may be wrong: two that agree are needed."""
    place = Place(RULE, "gauge", more=VALUES)
    levels(place, 0, 310)
    assert place.events == []
    levels(place, 10, 312)
    assert place.told() == [("raised", 2)]


def test_a_sensor_above_the_water_tells_a_distance() -> None:
    """`sensor_height_mm` above the gauge's zero minus the distance; without it the rule says what is missing."""
    config = configure(asset("gauge", sensor_height_mm=6000))
    assert level_cm(config, [Reading(Q.DISTANCE, 2500.0)]) == 350
    assert level_cm(config, [Reading(Q.DISTANCE, 0.0)]) is None
    with pytest.raises(ValueError, match="'sensor_height_mm' is missing"):
        level_cm(configure(asset("gauge")), [Reading(Q.DISTANCE, 2500.0)])
    assert level_cm(configure(asset("gauge", gauge_zero_mm=1000)), [Reading(Q.WATER_LEVEL, 500.0)]) == 150


def test_silence_ends_the_alert() -> None:
    """An hour after the newest reading it is cleared for want of data; the text says that this means nothing."""
    place = Place(RULE, "gauge", more=VALUES)
    levels(place, 0, 310, 310)
    found = place.wait(11, 80)
    assert [(event.data.reason, event.data.level) for event in found] == [("no_data", 0)]
    assert found[0].time_ms == START + HOUR + 600_000
    assert "sagt das nichts" in found[0].data.text_de


def test_late_and_wrongly_timed_levels_are_not_used() -> None:
    """An hour late, older than the newest, ahead of time."""
    place = Place(RULE, "gauge", more=VALUES)
    for minute in range(0, 200, 10):
        place.hear(minute, (Q.WATER_LEVEL, 4000.0), late=60)
        place.hear(minute + 600, (Q.WATER_LEVEL, 4000.0), late=-500, device="e")
    assert place.events == []


def test_devices_that_contradict_are_flagged() -> None:
    """100 and 320 cm: the highest counts, flagged."""
    place = Place(RULE, "gauge", more=VALUES)
    levels(place, 0, 100, 100, 100)
    levels(place, 21, 320, 320, device="e", every=1)
    assert (place.now.data.level, place.now.data.contradicting) == (2, True)
    assert place.now.data.evidence[0].sources == ("d", "e")


def test_the_text_sends_people_to_the_flood_service() -> None:
    """And says that this is no official warning."""
    place = Place(RULE, "gauge", more=VALUES)
    levels(place, 0, 310, 310)
    data = place.now.data
    assert "Informationswert 2" in data.text_de
    assert "Hochwasserdienst" in data.text_de
    assert "310 cm" in data.text_en
    assert place.now.topic == "stadtfunk/v1/environment/gauge/place-1/alert"


@pytest.mark.parametrize(
    "wrong",
    [{"information_value_1_cm": "high"}, {"information_value_2_cm": 300}, {**VALUES, "information_value_2_cm": 250}],
)
def test_wrong_parameters_are_named(wrong: dict[str, object]) -> None:
    """No number, a gap in the values, values that do not rise."""
    with pytest.raises(CityError, match=r"property 'information_value_[12]_cm' is"):
        configure(asset("gauge", wrong))


@given(st.lists(st.floats(295.6, 304.4), max_size=30))
def test_no_flapping_within_the_hysteresis(values: list[float]) -> None:
    """Waves around a value raise its level once."""
    place = Place(RULE, "gauge", more=VALUES)
    levels(place, 0, 305, 305, 305, *values)
    assert place.told() == [("raised", 2)]


def test_keeping_changes_nothing() -> None:
    """Restarts after every input give the same events."""
    places = [Place(RULE, "gauge", more=VALUES), Place(RULE, "gauge", kept=True, more=VALUES)]
    for place in places:
        levels(place, 0, 100, 260, 270, 310.55, 400, 390, 200, 100)
        place.wait(71, 150, 5)
    assert [event.payload() for event in places[0].events] == [event.payload() for event in places[1].events] != []


def test_two_readings_that_are_hours_apart_confirm_nothing() -> None:
    """The first is too old when the second comes."""
    place = Place(RULE, "gauge", more=VALUES)
    levels(place, 0, 310, 310, every=70)
    assert place.events == []
