"""The fill level, word by word."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import CityError
from rules.waste.fill import Change, Fill, look, served, take
from rules.waste.fill_config import FillConfig, configure_fill
from tests.rules.waste.bins import HOUR, START, asset, heard

Q = Quantity


def config(**properties: object) -> FillConfig:
    """Of a container."""
    return configure_fill(asset(**properties), 30)


def played(setting: FillConfig, words: Iterable[float | Reading]) -> tuple[Fill, list[Change]]:
    """Levels or readings, an hour apart."""
    fill, changes = Fill(), list[Change]()
    for hour, word in enumerate(words):
        reading = word if isinstance(word, Reading) else Reading(Q.FILL_LEVEL, word)
        fill, change = take(setting, fill, heard(reading, at=START + hour * HOUR))
        changes.append(change)
    return fill, changes


def level(setting: FillConfig, *readings: Reading) -> float | None:
    """The level in one uplink."""
    return look(setting, readings).level


@pytest.mark.parametrize(
    ("distance", "expected"),
    [(1100, 0.0), (600, 50.0), (100, 100.0), (20, 100.0), (1150, 0.0), (1201, None), (65_535, None), (0, None)],
)
def test_level_from_distance(distance: float, expected: float | None) -> None:
    """Depth 1000 mm, sensor 100 mm above: clipped to 0 … 100 %; what is no container's inside is no reading."""
    assert level(config(depth_mm=1000, sensor_offset_mm=100), Reading(Q.DISTANCE, distance)) == expected


def test_mounting_and_shape_count() -> None:
    """A beam at 60° sees twice the depth; a funnel half as high holds less than half."""
    tilted = config(depth_mm=1000, mount_tilt_deg=60)
    assert level(tilted, Reading(Q.DISTANCE, 1000)) == pytest.approx(50)
    funnel = config(depth_mm=1000, shape="cone", bottom_percent=40)
    assert level(funnel, Reading(Q.DISTANCE, 500)) == pytest.approx(29.8, abs=0.1)


def test_sound_is_slower_in_the_cold() -> None:
    """A sensor that reckons with 20 °C states 1000 mm where at -20 °C there are 929."""
    setting = config(depth_mm=1000, sound_reference_c=20)
    cold = level(setting, Reading(Q.DISTANCE, 1000), Reading(Q.AIR_TEMPERATURE, -20.0))
    assert cold == pytest.approx(100 - 92.93, abs=0.1)
    assert level(setting, Reading(Q.DISTANCE, 1000)) == 0


def test_the_sensors_own_level_wins_and_beams_are_balanced() -> None:
    """A device that reports both is believed its level; of several beams the median counts."""
    setting = config(depth_mm=1000)
    assert level(setting, Reading(Q.DISTANCE, 900.0), Reading(Q.FILL_LEVEL, 55.0)) == 55
    beams = [Reading(Q.DISTANCE, value, str(value)) for value in (950.0, 300.0, 900.0)]
    assert level(setting, *beams) == pytest.approx(10)
    assert level(setting, Reading(Q.FILL_LEVEL, 101.0)) is None


def test_a_bag_before_the_sensor_moves_nothing() -> None:
    """A sudden short distance that goes back is passed over, and said to be a bag; then all is well again."""
    fill, changes = played(config(), [40, 95, 41])
    assert changes == ["level", "nothing", "level"]
    assert (fill.level, fill.odd, fill.held) == (41, "bag", None)
    assert played(config(), [40, 95, 41, 42])[0].odd == ""
    assert played(config(), [40, 95])[0].odd == "held_rise"


def test_a_rise_that_was_only_quick_is_no_bag() -> None:
    """The second word is within what two hours may bring, and near the first: nothing odd about it."""
    fill, changes = played(config(), [20, 62, 60])
    assert (changes, fill.level, fill.odd) == (["level", "nothing", "level"], 60, "")


def test_a_rise_that_stays_is_taken_and_flagged() -> None:
    """The next word that agrees makes it the level, with the flag that it rose implausibly fast."""
    fill, changes = played(config(), [20, 90, 92])
    assert changes == ["level", "nothing", "moved"]
    assert (fill.level, fill.odd) == (92, "implausible_rise")
    assert played(config(), [20, 90, 60, 62])[0].level == 62


def test_two_words_within_ten_minutes_confirm_nothing() -> None:
    """The bag would be in both of them."""
    setting, fill = config(), Fill()
    for minute, value in ((0, 20.0), (1, 90.0), (2, 90.0)):
        fill, _ = take(setting, fill, heard(Reading(Q.FILL_LEVEL, value), at=START + minute * 60_000))
    assert fill.level == 20


def test_an_emptying_needs_a_second_word_or_a_tilt() -> None:
    """A drop to 5 % counts when the next word agrees, at once after a tilt; its time is that of the first word."""
    fill, changes = played(config(), [80, 5, 6])
    assert changes == ["level", "nothing", "emptied"]
    assert (fill.level, fill.emptied_ms, fill.confirmed) == (6, START + HOUR, False)
    fill, changes = played(config(), [80, Reading(Q.TILTED, 1.0), 5])
    assert changes == ["level", "nothing", "emptied"]
    assert (fill.emptied_ms, fill.confirmed) == (START + 2 * HOUR, True)


def test_one_echo_from_below_is_no_emptying() -> None:
    """80, 5, 81 %: nothing happened."""
    fill, changes = played(config(), [80, 5, 81])
    assert (fill.level, fill.emptied_ms, changes[1:]) == (81, 0, ["nothing", "level"])


def test_a_tilt_speaks_for_three_hours_only() -> None:
    """Later a drop needs its second word again."""
    _, changes = played(config(), [80, Reading(Q.TILTED, 1.0), 81, 81, 81, 5])
    assert changes[-1] == "nothing"


def test_small_drops_and_half_emptyings_are_none() -> None:
    """Waste settles; a fall that leaves more than 30 % is a moved level."""
    fill, changes = played(config(), [80, 65, 46])
    assert (changes, fill.level, fill.emptied_ms) == (["level"] * 3, 46, 0)
    fill, changes = played(config(), [90, 50, 50])
    assert (changes[-1], fill.emptied_ms) == ("moved", 0)


@pytest.mark.parametrize(
    ("reading", "odd"),
    [
        (Reading(Q.DISTANCE, 3000.0), "lid_open"),
        (Reading(Q.OPEN, 1.0), "lid_open"),
        (Reading(Q.TILT_ANGLE, 90.0), "tilted"),
        (Reading(Q.TILTED, 1.0), "tilted"),
    ],
)
def test_what_does_not_look_at_the_waste_has_no_level(reading: Reading, odd: str) -> None:
    """An open lid sees far beyond the bottom, a tilted container anything; the level stays."""
    fill, changes = played(config(depth_mm=1000, tilt_zero_deg=0), [50, reading])
    assert (fill.level, fill.odd, changes[-1]) == (50, odd, "nothing")


def test_tilt_is_told_from_the_mounted_angle() -> None:
    """A sensor mounted at 90° is not tilted at 90°; angles of single axes are not looked at, nor any unasked."""
    setting = config(tilt_zero_deg=90)
    mounted, axis = Reading(Q.TILT_ANGLE, 90.0), Reading(Q.TILT_ANGLE, 0.0, "x")
    tilted, full = Reading(Q.TILT_ANGLE, 110.0), Reading(Q.FILL_LEVEL, 50.0)
    assert level(setting, mounted, axis, full) == 50
    assert level(setting, tilted, full) is None
    assert level(config(), tilted, full) == 50


def test_a_tour_confirms_an_emptying() -> None:
    """It counts as empty from then on; a report of what is known already only confirms it."""
    setting = config()
    fill, _ = played(setting, [80])
    known, change = served(setting, fill, START + HOUR, "truck-1")
    assert (known.level, known.emptied_ms, known.confirmed, change) == (0, START + HOUR, True, "emptied")
    assert known.source == "truck-1"
    fill, _ = played(setting, [80, 5, 6])
    for minutes in (-90, 0, 10, 90):
        confirmed = served(setting, fill, START + HOUR + minutes * 60_000, "truck-1")
        assert confirmed == (fill._replace(confirmed=True), "nothing")
    assert served(setting, fill, START - 3 * HOUR, "truck-1") == (fill, "nothing")


def test_a_level_measured_after_the_report_counts_until_it_falls() -> None:
    """Clocks differ: what was measured later stays, and the first low word is the emptying; older words are late."""
    setting = config()
    fill, _ = played(setting, [80, 85])
    doubted, change = served(setting, fill, START + HOUR - 60_000, "truck-1")
    assert (doubted.level, doubted.emptied_ms, change) == (85, START + HOUR - 60_000, "nothing")
    assert take(setting, doubted, heard(Reading(Q.FILL_LEVEL, 3.0), at=START + 2 * HOUR))[1] == "emptied"
    empty, _ = served(setting, fill, START + 2 * HOUR, "truck-1")
    assert take(setting, empty, heard(Reading(Q.FILL_LEVEL, 85.0), at=START + 2 * HOUR - 1))[0] is empty


def test_a_distance_without_depth_names_the_property() -> None:
    """The rule says what the city file lacks instead of staying silent."""
    with pytest.raises(ValueError, match="feature 'bin-a': property 'depth_mm' is missing"):
        level(config(), Reading(Q.DISTANCE, 500.0))


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"depth_mm": "deep"}, "'depth_mm' is 'deep', expected a number from 50 to 20000"),
        ({"shape": "lying_cylinder"}, "'depth_mm' is missing"),
        ({"volume_l": 0}, "'volume_l' is 0"),
        ({"volume_l": "large"}, "'volume_l' is 'large'"),
        ({"mount_tilt_deg": 80}, "'mount_tilt_deg' is 80"),
    ],
)
def test_wrong_parameters_are_named(properties: dict[str, object], complaint: str) -> None:
    """The error names the asset, the property and what was expected."""
    with pytest.raises(CityError, match="feature 'bin-a'") as caught:
        config(**properties)
    assert complaint in str(caught.value)


@given(
    st.lists(st.one_of(st.floats(0, 100), st.sampled_from([Reading(Q.TILTED, 1.0), Reading(Q.OPEN, 1.0)])), max_size=30)
)
def test_any_words_leave_a_level_that_was_heard(words: list[float | Reading]) -> None:
    """No level is made up, and late words change nothing."""
    setting = config()
    fill, _ = played(setting, words)
    assert fill.level is None or fill.level in words
    late = heard(Reading(Q.FILL_LEVEL, 50.0), at=START + 100 * HOUR, measured=START - 1)
    assert take(setting, fill, late) == (fill, "nothing") or not words
