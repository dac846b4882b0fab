"""The hourly air quality index and its alert."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import CityError
from rules.environment.air_quality import RULE, configure
from rules.environment.gas import factor
from tests.rules.environment.play import Place, asset

Q = Quantity
POLLUTANTS = {"pm10": Q.PM10, "pm2_5": Q.PM2_5, "o3": Q.O3, "no2": Q.NO2, "so2": Q.SO2}
CLEAN = {"pm10": 5.0, "pm2_5": 3.0, "o3": 10.0, "no2": 5.0, "so2": 5.0}


def readings(**values: float) -> list[tuple[Quantity, float]]:
    """Readings of these µg/m³, gases as the ppb that sensors report."""
    found = []
    for name, value in values.items():
        quantity = POLLUTANTS[name]
        found.append((quantity, value if name.startswith("pm") else value / factor(quantity)))
    return found


def hour(place: Place, number: int, **values: float) -> None:
    """An hour of ten-minute readings, and the minutes after it in which it is closed."""
    for minute in range(10, 61, 10):
        place.hear(number * 60 + minute, *readings(**values))
    place.wait(number * 60 + 61, number * 60 + 66)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("pm10", (9.4, 9.5, 27.4, 27.5, 54.4, 54.5, 90.4, 90.5)),
        ("pm2_5", (5.4, 5.5, 15.4, 15.5, 30.4, 30.5, 50.4, 50.5)),
        ("o3", (24.4, 24.6, 72.4, 72.6, 144.4, 144.6, 240.4, 240.6)),
        ("no2", (10.4, 10.6, 30.4, 30.6, 60.4, 60.6, 100.4, 100.6)),
        ("so2", (10.4, 10.6, 30.4, 30.6, 60.4, 60.6, 100.4, 100.6)),
    ],
)
def test_the_classes_are_those_of_2025(name: str, values: tuple[float, ...]) -> None:
    """Rounded to whole µg/m³ before they are compared: both sides of every bound of every pollutant."""
    found = []
    for value in values:
        place = Place(RULE)
        hour(place, 0, **{**CLEAN, name: value})
        found += place.fields("air_quality_index")
    assert found == [1, 2, 2, 3, 3, 4, 4, 5]


def test_the_worst_pollutant_decides() -> None:
    """NO₂ of class 4 among clean ones: index 4, first in the evidence and in the text."""
    place = Place(RULE)
    hour(place, 0, **{**CLEAN, "no2": 70.0})
    assert place.fields("air_quality_index") == [4]
    assert place.fields("air_quality_incomplete") == [0]
    data = place.now.data
    assert data.evidence[0].quantity == "no2"
    assert (data.evidence[0].value, data.evidence[0].unit, data.evidence[0].threshold) == (70.0, "ug/m3", 60.0)
    assert "NO₂ 70 µg/m³" in data.text_de
    assert "schlecht" in data.text_de
    assert "poor" in data.text_en


def test_a_missing_pollutant_makes_it_incomplete() -> None:
    """Index of what is there, with the flag; an asset may expect fewer."""
    place, modest = Place(RULE), Place(RULE, air_pollutants=["pm10", "pm2_5"])
    for each in (place, modest):
        hour(each, 0, pm10=60.0, pm2_5=3.0)
    assert [each.fields("air_quality_incomplete") for each in (place, modest)] == [[1], [0]]
    assert (place.now.data.incomplete, modest.now.data.incomplete) == (True, False)
    assert "unvollständig" in place.now.data.text_de


def test_raised_updated_cleared_with_hysteresis() -> None:
    """55 raises, 91 is level 2, 82 holds it (10 % of 90), 80 is level 1, 50 holds, 48 ends it."""
    place = Place(RULE)
    for number, value in enumerate((54, 55, 91, 82, 80, 50, 48, 50)):
        hour(place, number, **{**CLEAN, "pm10": value})
    assert place.told() == [("raised", 1), ("updated", 2), ("updated", 1), ("cleared", 0)]


def test_an_alert_is_renewed_by_news_and_ends_without() -> None:
    """Each hour renews it; two hours after the last closed one ended it is cleared for want of data."""
    place = Place(RULE)
    for number in range(3):
        hour(place, number, **{**CLEAN, "pm10": 70})
    assert [event.data.status for event in place.events] == ["raised", "updated", "updated"]
    found = place.wait(190, 305)
    assert [(event.data.status, event.data.reason) for event in found] == [("cleared", "no_data")]
    assert found[0].time_ms == place.start + 300 * 60_000
    assert found[0].data.evidence[0].value is None
    assert place.wait(306, 1500, 10) == []


def test_an_hour_with_too_few_readings_says_nothing() -> None:
    """Half an hour of poison alone is no hourly mean."""
    place = Place(RULE)
    for minute in (10, 20, 30):
        place.hear(minute, *readings(pm10=500))
    place.wait(31, 300)
    assert (place.events, place.points) == ([], [])


def test_a_stuck_sensor_is_left_out() -> None:
    """Values that conditioning doubts never reach the rule: no index, no alert."""
    place = Place(RULE)
    for minute in range(10, 61, 10):
        place.hear(minute, doubtful=[Reading(Q.PM10, 500.0)])
    place.wait(61, 70)
    assert (place.events, place.points) == ([], [])


def test_a_single_jump_does_not_make_an_hour() -> None:
    """One reading of 200 among six of 20 is a mean of 50: no alert."""
    place = Place(RULE)
    for minute in range(10, 61, 10):
        place.hear(minute, *readings(**{**CLEAN, "pm10": 200.0 if minute == 30 else 20.0}))
    place.wait(61, 66)
    assert place.fields("pm10_hour") == [50]
    assert place.events == []


def test_readings_delayed_by_an_hour_decide_nothing() -> None:
    """They belong to hours that are closed: stored, but no index of yesterday's news."""
    place = Place(RULE)
    for minute in range(0, 300, 10):
        place.hear(minute, *readings(**{**CLEAN, "pm10": 80.0}), late=66)
    place.wait(370, 400)
    assert (place.events, place.points) == ([], [])


def test_a_wrong_clock_decides_nothing() -> None:
    """Readings a day ahead or a year behind are not used."""
    place = Place(RULE)
    for minute in range(0, 300, 10):
        place.hear(minute + 1440, *readings(pm10=80.0), late=-1440)
        place.hear(minute - 525_600, *readings(pm10=80.0), late=525_600, device="e")
    place.wait(301, 400)
    assert (place.events, place.points) == ([], [])


def test_two_devices_that_contradict_are_flagged() -> None:
    """20 and 100: the middle between them counts, and the alert says that they differ."""
    place = Place(RULE)
    for minute in range(10, 61, 10):
        place.hear(minute, *readings(**{**CLEAN, "pm10": 20.0}))
        place.hear(minute, *readings(**{**CLEAN, "pm10": 100.0}), device="e")
    place.wait(61, 66)
    data = place.now.data
    assert (place.fields("pm10_hour"), data.contradicting, data.evidence[0].sources) == ([60], True, ("d", "e"))
    assert "widersprechen" in data.text_de


def test_humid_air_flags_particles_unless_they_are_corrected() -> None:
    """Above 85 % the hour is incomplete; with κ = 0.4 the mean is divided by 1 + 0.4/1.65 · 9 = 3.18 at 90 %."""
    flagged, corrected = Place(RULE), Place(RULE, pm_kappa=0.4)
    for place in (flagged, corrected):
        for minute in range(10, 61, 10):
            place.hear(minute, *readings(**{**CLEAN, "pm10": 100.0}), (Q.AIR_HUMIDITY, 90.0))
        place.wait(61, 66)
    assert (flagged.fields("pm10_hour"), flagged.now.data.incomplete) == ([100], True)
    assert (corrected.fields("pm10_hour"), corrected.fields("air_quality_incomplete")) == ([31], [0])


def test_simple_sensors_are_marked_unless_said_otherwise() -> None:
    """`indicative` is true by default."""
    simple, good = Place(RULE), Place(RULE, indicative=False)
    for place in (simple, good):
        hour(place, 0, **{**CLEAN, "pm10": 60.0})
    assert (simple.now.data.indicative, good.now.data.indicative) == (True, False)


def test_the_class_of_the_alert_names_it() -> None:
    """With alerts from class 3 on, level 1 is called moderate."""
    place = Place(RULE, air_alert_class=3)
    hour(place, 0, **{**CLEAN, "pm10": 30.0})
    assert place.now.data.level == 1
    assert "mäßig" in place.now.data.text_de
    assert "moderate" in place.now.data.text_en


@pytest.mark.parametrize(
    "wrong",
    [{"air_alert_class": 6}, {"air_pollutants": ["pm1"]}, {"air_pollutants": []}, {"air_bounds_no2": [1, 2, 3]},
     {"air_hold_s": 10}, {"air_grace_s": 4000}, {"pm_kappa": -1}, {"indicative": "no"}, {"air_valid_s": 60}],
)  # fmt: skip
def test_wrong_parameters_are_named(wrong: dict[str, object]) -> None:
    """The error names the property and what was expected."""
    with pytest.raises(CityError, match=f"property '{next(iter(wrong))}' is .*, expected"):
        configure(asset("station", wrong))


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0, 200), st.sampled_from("de")), min_size=1, max_size=40))
def test_keeping_and_replaying_change_nothing(heard: list[tuple[int, float, str]]) -> None:
    """Any trace: restarts after every input and a second run give the same bytes and points."""
    places = [Place(RULE), Place(RULE), Place(RULE, kept=True)]
    for place in places:
        minute = 0
        for gap, value, device in heard:
            place.wait(minute, minute + gap, 5)
            minute += gap
            place.hear(minute, *readings(pm10=value, no2=value / 2), device=device)
    first = [event.payload() for event in places[0].events]
    assert all([event.payload() for event in place.events] == first for place in places)
    assert all(place.points == places[0].points for place in places)


@settings(max_examples=20)
@given(st.lists(st.floats(49, 54.4), min_size=2, max_size=8))
def test_no_flapping_within_the_hysteresis(values: list[float]) -> None:
    """After an alert, hourly means between 90 and 100 % of the bound neither end nor raise anything."""
    place = Place(RULE)
    hour(place, 0, **{**CLEAN, "pm10": 60.0})
    for number, value in enumerate(values, 1):
        hour(place, number, **{**CLEAN, "pm10": value})
    assert place.told() == [("raised", 1)]


def test_after_silence_the_hysteresis_is_forgotten() -> None:
    """An alert that ended for want of data does not come back at 50 µg/m³."""
    place = Place(RULE)
    hour(place, 0, **{**CLEAN, "pm10": 60.0})
    place.wait(67, 200)
    hour(place, 4, **{**CLEAN, "pm10": 50.0})
    assert place.told() == [("raised", 1), ("cleared", 0)]


def test_devices_that_agree_are_not_flagged() -> None:
    """60 and 62 µg/m³."""
    place = Place(RULE)
    for minute in range(10, 61, 10):
        place.hear(minute, *readings(**{**CLEAN, "pm10": 60.0}))
        place.hear(minute, *readings(**{**CLEAN, "pm10": 62.0}), device="e")
    place.wait(61, 66)
    assert (place.fields("pm10_hour"), place.now.data.contradicting) == ([61], False)
