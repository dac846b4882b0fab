"""Watering of street trees."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import CityError
from rules.environment.tree_watering import RULE, configure, members
from tests.rules.environment.play import HOUR, START, Place, asset

Q = Quantity
TENSION = Q.SOIL_WATER_TENSION
RAIN, TOTAL = Q.PRECIPITATION, Q.PRECIPITATION_TOTAL


def soil(place: Place, begin: float, count: int, shallow: float, deep: float | None = None, device: str = "d") -> None:
    """Hourly tensions at two depths."""
    for hour in range(count):
        readings = [Reading(TENSION, shallow, "depth_20cm")]
        readings += [] if deep is None else [Reading(TENSION, deep, "depth_60cm")]
        place.hear((begin + hour) * 60, *readings, device=device)


def test_dry_for_a_day_is_level_one_and_very_dry_two() -> None:
    """Above 32 kPa for 24 h: level 1; above 80 kPa for 24 h: level 2 with 100 litres in the text."""
    place = Place(RULE, "site")
    soil(place, 0, 24, 50, 50)
    assert place.events == []
    soil(place, 24, 2, 90, 90)
    assert place.told() == [("raised", 1)]
    soil(place, 26, 24, 90, 90)
    assert place.told() == [("raised", 1), ("updated", 2)]
    assert "etwa 100 l je Baum" in place.now.data.text_de
    assert "about 100 l a tree" in place.now.data.text_en


@pytest.mark.parametrize(("shallow", "deep", "level"), [(60, 4, 0), (61, 4, 1), (156, 4, 1), (157, 4, 2), (32, 32, 0)])
def test_the_middle_of_two_depths_counts(shallow: float, deep: float, level: int) -> None:
    """Dry above and wet below: their median decides, 32 and 80 kPa not included."""
    place = Place(RULE, "site")
    soil(place, 0, 26, shallow, deep)
    assert max((event.data.level for event in place.events), default=0) == level


def test_a_wet_hour_begins_the_day_anew() -> None:
    """One hour at 30 kPa after 20 dry ones: 24 more dry hours are needed."""
    place = Place(RULE, "site")
    soil(place, 0, 20, 50, 50)
    soil(place, 20, 1, 30, 30)
    soil(place, 21, 24, 50, 50)
    assert place.events == []
    soil(place, 45, 1, 50, 50)
    assert place.told() == [("raised", 1)]


def test_an_alert_ends_below_its_hysteresis() -> None:
    """29 kPa (10 % below 32) holds the alert, 28.8 kPa ends it."""
    place = Place(RULE, "site")
    soil(place, 0, 26, 50, 50)
    soil(place, 26, 5, 29, 29)
    assert place.told() == [("raised", 1)]
    soil(place, 31, 1, 28.8, 28.8)
    assert place.told() == [("raised", 1), ("cleared", 0)]


@pytest.mark.parametrize(("amount", "told"), [(9.9, [("raised", 2)]), (10.0, [("raised", 1)])])
def test_rain_spares_the_watering(amount: float, told: list[tuple[str, int]]) -> None:
    """With 10 mm in the last 48 h nothing is recommended until they are past; 9.9 mm change nothing."""
    del told
    place = Place(RULE, "site")
    soil(place, 0, 20, 90, 90)
    place.hear(20 * 60 + 1, (RAIN, amount))
    soil(place, 21, 10, 90, 90)
    assert bool(place.events) is (amount < 10)
    soil(place, 31, 42, 90, 90)
    assert place.now.data.level == 2
    assert [each.quantity for each in place.now.data.evidence] == ["soil_water_tension", "precipitation"]


def test_the_rain_of_a_station_nearby_counts() -> None:
    """`rain_station` names it as a member; other readings of that station are no soil."""
    place = Place(RULE, "site", rain_station="station-9")
    soil(place, 0, 20, 90, 90)
    place.hear(1201, (TOTAL, 0.0), place="station-9", device="r")
    place.hear(1211, (TOTAL, 15.0), (RAIN, 15.0), (TENSION, 1.0), place="station-9", device="r")
    soil(place, 21, 10, 90, 90)
    assert place.events == []
    assert members(asset("site", rain_station="station-9")) == ("station-9",)
    assert members(asset("site")) == ()


def test_silence_breaks_the_day_and_ends_the_alert() -> None:
    """Six hours without a reading: cleared for want of data, and 24 dry hours are needed again."""
    place = Place(RULE, "site")
    soil(place, 0, 26, 50, 50)
    found = place.wait(25 * 60 + 1, 32 * 60, 5)
    assert [(event.data.reason, event.data.level) for event in found if event.data.level == 0] == [("no_data", 0)]
    assert found[-1].time_ms <= START + 31 * HOUR + 300_000
    soil(place, 40, 24, 50, 50)
    assert place.told() == [("raised", 1), ("cleared", 0)]
    soil(place, 64, 1, 50, 50)
    assert place.told()[-1] == ("raised", 1)


def test_one_depth_alone_is_incomplete() -> None:
    """It decides, and says that something is missing."""
    place = Place(RULE, "site")
    soil(place, 0, 26, 50)
    assert (place.now.data.level, place.now.data.incomplete) == (1, True)


def test_devices_at_one_depth_that_contradict_are_flagged() -> None:
    """20 and 120 kPa at the same depth: the middle counts, flagged; different depths may differ."""
    place = Place(RULE, "site")
    for hour in range(26):
        soil(place, hour, 1, 20, 20)
        soil(place, hour, 1, 120, 120, device="e")
    assert (place.now.data.evidence[0].value, place.now.data.contradicting) == (70.0, True)
    differing = Place(RULE, "site")
    soil(differing, 0, 26, 10, 110)
    assert not differing.now.data.contradicting


def test_a_jump_decides_nothing() -> None:
    """One reading of 200 kPa is no dry day."""
    place = Place(RULE, "site")
    soil(place, 0, 12, 20, 20)
    soil(place, 12, 1, 200, 200)
    soil(place, 13, 30, 20, 20)
    assert place.events == []


def test_late_and_wrongly_timed_readings_are_not_used() -> None:
    """Seven hours late, or a day ahead."""
    place = Place(RULE, "site")
    for hour in range(40):
        place.hear(hour * 60, (TENSION, 150.0), late=420)
        place.hear(hour * 60 + 2880, (TENSION, 150.0), late=-2880, device="e")
    assert place.events == []


@pytest.mark.parametrize(
    "wrong", [{"rain_station": 5}, {"rain_station": ""}, {"tree_tension_kpa": [80, 32]}, {"tree_litres": 0}]
)
def test_wrong_parameters_are_named(wrong: dict[str, object]) -> None:
    """The error names the property."""
    with pytest.raises(CityError, match=f"property '{next(iter(wrong))}'"):
        configure(asset("site", wrong))


@settings(max_examples=30)
@given(st.lists(st.floats(28.9, 40), min_size=1, max_size=30))
def test_no_flapping_within_the_hysteresis(values: list[float]) -> None:
    """Once raised, tensions above 90 % of the limit never end it."""
    place = Place(RULE, "site")
    soil(place, 0, 26, 50, 50)
    for hour, value in enumerate(values, 26):
        soil(place, hour, 1, value, value)
    assert place.told() == [("raised", 1)]


def test_keeping_changes_nothing() -> None:
    """Restarts after every input give the same events and points."""
    places = [Place(RULE, "site"), Place(RULE, "site", kept=True)]
    for place in places:
        soil(place, 0, 26, 51.7, 44.1)
        place.hear(1561, (RAIN, 3.3))
        soil(place, 27, 3, 10, 10)
    assert [event.payload() for event in places[0].events] == [event.payload() for event in places[1].events] != []
    assert places[0].points == places[1].points


def test_the_soil_of_another_place_is_none_of_ours() -> None:
    """What the rain station tells of its own soil changes nothing here."""
    place = Place(RULE, "site", rain_station="station-9")
    for hour in range(26):
        soil(place, hour, 1, 10, 10)
        place.hear(hour * 60 + 1, Reading(TENSION, 500.0, "depth_20cm"), place="station-9", device="r")
    assert place.events == []
    assert set(place.fields("soil_water_tension")) == {10}
