"""Heat by felt temperature, hot days, tropical nights."""

import pytest

from decoders.quantity import Quantity
from rules.environment.heat import RULE, felt
from tests.rules.environment.play import Place, at

Q = Quantity
T, RH, WIND = Q.AIR_TEMPERATURE, Q.AIR_HUMIDITY, Q.WIND_SPEED
EVENING = at("2026-07-06T18:00:00+00:00")


def hours(place: Place, begin: int, *temperatures: float, humidity: float | None = None) -> None:
    """One temperature for each hour, read each twenty minutes."""
    for offset, value in enumerate(temperatures):
        for minute in (20, 40, 60):
            more = () if humidity is None else ((RH, humidity), (WIND, 1.0))
            place.hear((begin + offset) * 60 + minute, (T, value), *more)
        place.wait((begin + offset + 1) * 60 + 2, (begin + offset + 1) * 60 + 6)


@pytest.mark.parametrize(
    ("temperature", "humidity", "wind", "expected"),
    [(30, 50, 2, 31.6), (35, 40, 1, 37.7), (25, 50, 5, 22.7), (38, None, 3, 38.0), (20, 0, 0, 16.0)],
)
def test_felt_temperature(temperature: float, humidity: float | None, wind: float, expected: float) -> None:
    """Steadman's apparent temperature worked out by hand; without humidity the air temperature."""
    assert felt(temperature, humidity, wind) == pytest.approx(expected, abs=0.05)


def test_a_warm_night_and_32_degrees_raise_level_one() -> None:
    """Night at 21 °C, then 32 °C felt: level 1 with the night in the text; above 38 °C level 2."""
    place = Place(RULE, start=EVENING)
    hours(place, 0, *[21.0] * 12, 31.9, 32.0, 38.0, 38.1, 37.2, 36.9, 31.2, 30.9)
    assert place.told() == [("raised", 1), ("updated", 2), ("updated", 1), ("cleared", 0)]
    assert "letzte Nacht nicht unter 21,0 °C" in place.events[0].data.text_de
    assert (place.fields("tropical_night"), place.fields("tropical_nights_year")) == ([1], [1])


def test_a_cool_night_leaves_only_extreme_heat() -> None:
    """Night down to 19 °C: 37 °C raises nothing, 38.1 °C does."""
    place = Place(RULE, start=EVENING)
    hours(place, 0, *[22.0] * 6, 19.0, *[22.0] * 5, 35.0, 37.0, 38.1)
    assert place.told() == [("raised", 2)]
    assert place.fields("tropical_night") == [0]


def test_without_the_condition_of_the_night_the_day_alone_counts() -> None:
    """`heat_needs_warm_night` false."""
    place = Place(RULE, start=EVENING, heat_needs_warm_night=False)
    hours(place, 0, *[15.0] * 12, 33.0)
    assert place.told() == [("raised", 1)]


def test_an_unknown_night_does_not_hide_the_heat() -> None:
    """Without a night on record level 1 is raised and marked incomplete."""
    place = Place(RULE, start=EVENING)
    hours(place, 14, 33.0)
    assert place.now.data.level == 1
    assert place.now.data.incomplete


def test_a_night_wants_nine_of_twelve_hours() -> None:
    """Eight hours make no tropical night, nine do."""
    for heard, found in ((8, []), (9, [1])):
        place = Place(RULE, start=EVENING)
        hours(place, 12 - heard, *[21.0] * heard)
        hours(place, 13, 22.0)
        assert place.fields("tropical_night") == found


def test_hot_days_are_counted_by_local_days_and_years() -> None:
    """30.0 °C makes a day hot, 29.9 °C not; a new year begins at zero."""
    place = Place(RULE, start=at("2026-12-30T00:00:00+01:00"))
    for day, top in enumerate((30.0, 29.9, 31.0, 31.0)):
        hours(place, day * 24, *[10.0] * 12, top, *[10.0] * 11)
    hours(place, 96, 10.0)
    assert place.fields("hot_day") == [1, 0, 1, 1]
    assert place.fields("hot_days_year") == [1, 1, 1, 2]


@pytest.mark.parametrize(("start", "length"), [("2026-03-29T00:00:00+01:00", 23), ("2026-10-25T00:00:00+02:00", 25)])
def test_days_of_23_and_25_hours(start: str, length: int) -> None:
    """On both clock changes the day's highest belongs to the local day: its last hour still does."""
    place = Place(RULE, start=at(start))
    hours(place, 0, *[10.0] * (length - 1), 30.0, 12.0)
    assert (place.fields("day_temperature_max"), place.points[-2].time_ms) == ([30], at(start))


def test_humid_air_feels_hotter() -> None:
    """30 °C at 70 % and light wind is above 32 °C felt."""
    place = Place(RULE, start=EVENING, heat_needs_warm_night=False)
    hours(place, 12, 30.0, humidity=70)
    assert place.now.data.evidence[0].quantity == "apparent_temperature"
    assert place.now.data.level == 1


def test_silence_ends_the_alert() -> None:
    """Two hours after the newest hour the alert is cleared for want of data."""
    place = Place(RULE, start=EVENING, heat_needs_warm_night=False)
    hours(place, 12, 35.0)
    found = place.wait(13 * 60 + 10, 16 * 60)
    assert [(each.data.status, each.data.reason) for each in found] == [("cleared", "no_data")]
    assert found[0].time_ms == EVENING + 15 * 3_600_000


def test_a_jump_and_late_readings_raise_nothing() -> None:
    """One reading of 60 °C in an hour of 20 °C, and an hour's old 40 °C."""
    place = Place(RULE, start=EVENING, heat_needs_warm_night=False)
    for minute in range(5, 61, 5):
        place.hear(minute, (T, 60.0 if minute == 30 else 20.0))
        place.hear(minute, (T, 45.0), device="e", late=70)
    place.wait(131, 140)
    assert place.events == []


def test_contradicting_devices_are_flagged() -> None:
    """30 and 40 °C: the middle counts, flagged."""
    place = Place(RULE, start=EVENING, heat_needs_warm_night=False)
    for minute in (20, 40, 60):
        place.hear(minute, (T, 30.0))
        place.hear(minute, (T, 40.0), device="e")
    place.wait(61, 66)
    assert (place.now.data.evidence[0].value, place.now.data.contradicting) == (35.0, True)


def test_keeping_changes_nothing() -> None:
    """Restarts after every input give the same events and points."""
    places = [Place(RULE, start=EVENING), Place(RULE, start=EVENING, kept=True)]
    for place in places:
        hours(place, 0, *[21.0] * 12, 33.0, 39.0, 30.0, humidity=40)
    assert [event.payload() for event in places[0].events] == [event.payload() for event in places[1].events] != []
    assert places[0].points == places[1].points
