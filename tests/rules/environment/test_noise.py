"""Sound levels by parts of the day."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.quantity import Quantity
from rules.asset import CityError
from rules.environment.noise import RULE
from rules.environment.noise_config import AREAS, configure
from rules.environment.sound import energy, l_den, level_db
from tests.rules.environment.play import HOUR, START, Place, asset, at

SOUND = Quantity.SOUND_LEVEL_AVERAGE
MORNING = at("2026-07-06T06:00:00+02:00")


def hours(place: Place, begin: float, count: float, *levels: float, device: str = "d") -> None:
    """Readings each ten minutes, the levels in turn."""
    for index, minute in enumerate(range(10, round(count * 60) + 1, 10)):
        place.hear(begin * 60 + minute, (SOUND, levels[index % len(levels)]), device=device)


def end(place: Place, hour: float) -> None:
    """Time passes over the end of an hour."""
    place.wait(hour * 60 + 1, hour * 60 + 6)


def test_a_day_gives_its_levels_and_l_den() -> None:
    """60, 55, 50 dB: L_den 60.0 by the formula, each level stored at the beginning of its part."""
    place = Place(RULE, start=MORNING)
    hours(place, 0, 12, 60)
    hours(place, 12, 4, 55)
    hours(place, 16, 8, 50)
    end(place, 24)
    assert [place.fields(name) for name in ("l_day", "l_evening", "l_night", "l_den")] == [
        [60.0],
        [55.0],
        [50.0],
        [60.0],
    ]
    assert [(point.time_ms - MORNING) // HOUR for point in place.points] == [0, 12, 16]


def test_l_den_by_hand() -> None:
    """65/62/55 dB: (12·10^6.5 + 4·10^6.7 + 8·10^6.5) / 24 is 65.4 dB."""
    assert l_den(65, 62, 55) == pytest.approx(65.41, abs=0.01)


def test_levels_are_means_of_energy() -> None:
    """Half the time 70 and half 50 dB is 67 dB, not 60."""
    place = Place(RULE, start=MORNING)
    hours(place, 0, 12, 70, 50)
    end(place, 12)
    assert place.fields("l_day") == [67.0]


@given(st.floats(0, 140))
def test_energy_and_level_are_inverse(level: float) -> None:
    """There and back is the same to a millionth of a dB."""
    assert level_db(energy(level)) == pytest.approx(level, abs=1e-6)


def test_a_part_wants_three_quarters_of_its_time() -> None:
    """Eight of twelve hours give no L_day, nine do; without it there is no L_den."""
    for heard, found in ((8, []), (9, [60.0])):
        place = Place(RULE, start=MORNING)
        hours(place, 0, heard, 60)
        place.wait(heard * 60 + 5, 12 * 60 + 6, 5)
        hours(place, 12, 4, 55)
        hours(place, 16, 8, 50)
        end(place, 24)
        assert place.fields("l_day") == found
        assert len(place.fields("l_den")) == len(found)


@pytest.mark.parametrize(("start", "night"), [("2026-03-28T22:00:00+01:00", 7), ("2026-10-24T22:00:00+02:00", 9)])
def test_nights_of_seven_and_nine_hours(start: str, night: int) -> None:
    """On both clock changes the night ends at six o'clock local time."""
    place = Place(RULE, start=at(start))
    hours(place, 0, night, 45)
    hours(place, night, 1, 80)
    end(place, night + 1)
    assert place.fields("l_night") == [45.0]


def test_a_day_is_not_mixed_with_the_one_before() -> None:
    """The evening of a day without L_day gives no L_den with yesterday's."""
    place = Place(RULE, start=MORNING)
    hours(place, 0, 24, 60)
    place.wait(24 * 60 + 1, 36 * 60, 10)
    hours(place, 36, 12, 60)
    end(place, 48)
    assert len(place.fields("l_den")) == 1


def test_reference_values_by_area() -> None:
    """General housing: 56 dB by day is level 1, 61 dB level 2; 41 dB by night level 1."""
    for day, night, told in (
        (55, 40, []),
        (56, 40, [("raised", 1)]),
        (61, 40, [("raised", 2)]),
        (55, 41, [("raised", 1)]),
    ):
        place = Place(RULE, start=MORNING, noise_area="WA")
        hours(place, 0, 16, day)
        hours(place, 16, 8, night)
        end(place, 24)
        assert place.told() == told


def test_without_an_area_there_is_no_comparison() -> None:
    """Levels are stored, nothing is said."""
    place = Place(RULE, start=MORNING)
    hours(place, 0, 24, 90)
    end(place, 24)
    assert place.events == []
    assert place.fields("l_den") != []


def test_a_loud_night_holds_over_a_quiet_day_and_ends_with_a_quiet_night() -> None:
    """Night 44 dB raises; the day at 50 dB changes nothing; a night 1 dB over the end holds, 38 dB ends it."""
    place = Place(RULE, start=MORNING, noise_area="WA")
    for day, level in enumerate((44, 39, 38)):
        hours(place, day * 24, 16, 50)
        hours(place, day * 24 + 16, 8, level)
        end(place, day * 24 + 24)
    assert place.told() == [("raised", 1), ("cleared", 0)]
    assert place.now.time_ms > MORNING + 71 * HOUR


def test_the_text_is_orientation() -> None:
    """It names the level, the part of the day, and that the figure is for orientation."""
    place = Place(RULE, start=MORNING, noise_area="WA")
    hours(place, 0, 16, 58)
    end(place, 16)
    data = place.now.data
    assert "58 dB" in data.text_de
    assert "Orientierung" in data.text_de
    assert "reference value" in data.text_en
    assert (data.evidence[0].threshold, data.evidence[0].hysteresis) == (55.0, 2.0)


def test_silence_ends_the_alert() -> None:
    """26 hours after the part that raised it the alert is cleared for want of data."""
    place = Place(RULE, start=MORNING, noise_area="WA")
    hours(place, 0, 16, 58)
    found = place.wait(960, 2600, 5)
    assert [(event.data.status, event.data.reason) for event in found] == [
        ("raised", "measured"),
        ("cleared", "no_data"),
    ]
    assert found[-1].time_ms == MORNING + 42 * HOUR


def test_devices_that_contradict_are_flagged() -> None:
    """50 and 65 dB at one place: the energy's middle counts, flagged; 60 and 61 dB are not."""
    for other, contradicting in ((50.0, True), (64.0, False)):
        place = Place(RULE, start=MORNING, noise_area="WA")
        for minute in range(10, 961, 10):
            place.hear(minute, (SOUND, 65.0))
            place.hear(minute, (SOUND, other), device="e")
        end(place, 16)
        assert place.now.data.contradicting is contradicting


def test_late_and_wrongly_timed_readings_are_not_used() -> None:
    """An hour late or a day ahead: no level."""
    place = Place(RULE, start=MORNING)
    for minute in range(0, 1440, 10):
        place.hear(minute, (SOUND, 90.0), late=70)
        place.hear(minute + 1440, (SOUND, 90.0), late=-1440, device="e")
    place.wait(1520, 1530)
    assert place.points == []


@pytest.mark.parametrize("wrong", [{"noise_area": "XY"}, {"noise_day_db": 5}, {"noise_part_percent": 0}])
def test_wrong_parameters_are_named(wrong: dict[str, object]) -> None:
    """The error names the property."""
    with pytest.raises(CityError, match=f"property '{next(iter(wrong))}'"):
        configure(asset("station", wrong))


def test_own_values_win_over_the_area() -> None:
    """`noise_night_db` replaces the area's; days keep theirs. Nights are never noisier than days in the table."""
    limits = configure(asset(noise_area="MI", noise_night_db=50)).limits
    assert [limits[name][0].value for name in ("day", "night")] == [60, 50]
    assert all(night <= day for day, night in AREAS.values())


def test_keeping_changes_nothing() -> None:
    """Restarts after every input give the same events and points."""
    places = [Place(RULE, start=MORNING, noise_area="WR"), Place(RULE, start=MORNING, kept=True, noise_area="WR")]
    for place in places:
        hours(place, 0, 24, 61.3, 44.7)
        end(place, 24)
    assert [event.payload() for event in places[0].events] == [event.payload() for event in places[1].events] != []
    assert places[0].points == places[1].points
    assert START < MORNING
