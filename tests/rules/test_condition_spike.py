"""Conditioning: values that jump."""

import pytest

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.condition_config import ConditionRules, Limits
from rules.condition_entry import Doubt
from tests.rules.conditioned import Device, T

Q = Quantity


def test_a_jump_is_doubtful_and_what_was_before_is_not() -> None:
    """20 °C, 45 °C ten minutes later, 20 °C again."""
    assert Device().feed(T, (0, 10, 20, 30), (20, 45, 20.1, 20.2)) == [0, Doubt.SPIKE, 0, 0]


def test_two_values_that_agree_are_believed() -> None:
    """The sensor was really moved into the sun."""
    assert Device().feed(T, (0, 10, 20, 30), (20, 45, 45.5, 46)) == [0, Doubt.SPIKE, 0, 0]


def test_jumps_that_do_not_agree_are_all_doubtful() -> None:
    """Noise is never believed."""
    assert Device().feed(T, (0, 5, 10, 15), (20, 45, -10, 60)) == [0, 3, 3, 3]


def test_the_limit_grows_with_the_time() -> None:
    """1 °C a minute: 9 °C in ten minutes are fine, 11 °C are not; below a minute it does not shrink."""
    assert Device().feed(T, (0, 10), (20, 29)) == [0, 0]
    assert Device().feed(T, (0, 10), (20, 31)) == [0, Doubt.SPIKE]
    assert Device().feed(T, (0, 0.1), (20, 20.9)) == [0, 0]
    assert Device().feed(T, (0, 0.1), (20, 21.1)) == [0, Doubt.SPIKE]


def test_the_limit_counts_from_the_last_good_value() -> None:
    """Half an hour after it, 25 °C more can be; a suspect in between does not shorten that."""
    assert Device().feed(T, (0, 10, 30), (20, 69, 45)) == [0, Doubt.SPIKE, 0]


def test_the_limit_is_of_calibrated_values() -> None:
    """A factor of 10 makes a small raw step a large one."""
    assert Device(factor_air_temperature=10).feed(T, (0, 10), (2.0, 3.5)) == [0, Doubt.SPIKE]


def test_settings_set_the_limit_or_take_it_away() -> None:
    """`per_minute`; 0 lets a quantity jump."""
    slow, free = (ConditionRules(limits={T: Limits(per_minute=limit)}) for limit in (0.1, 0))
    assert Device(rules=slow).feed(T, (0, 10), (20, 22)) == [0, Doubt.SPIKE]
    assert Device(rules=free).feed(T, (0, 10), (20, 69)) == [0, 0]


def test_a_container_may_be_emptied_within_half_an_hour() -> None:
    """A distance of 1.4 m more is believed then, and not at once."""
    assert Device().feed(Q.DISTANCE, (0, 30), (200, 1600)) == [0, 0]
    assert Device().feed(Q.DISTANCE, (0, 5), (200, 1600)) == [0, Doubt.SPIKE]


def test_channels_are_judged_apart() -> None:
    """A jump from one channel's value to another's is none."""
    device = Device()
    readings = [Reading(Q.SOIL_TEMPERATURE, value, channel) for value, channel in ((5.0, "a"), (25.0, "b"))]
    assert [doubt for minute in (0, 10, 20) for _, doubt in device.give(minute, *readings).values()] == [0] * 6


# -- what goes on -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("quantity", "first", "pace"), [(Q.WATER_LEVEL, 300, 150), (Q.DISTANCE, 19_000, -120)])
def test_a_flash_flood_is_seen(quantity: Quantity, first: float, pace: float) -> None:
    """Water that rises faster than is usual is believed from the second step on, and so is its crest."""
    minutes = range(0, 70, 10)
    levels = [first + pace * min(minute, 50) for minute in minutes]
    assert Device().feed(quantity, minutes, levels) == [0, Doubt.SPIKE, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("level", "doubt"), [(9500, 0), (9501, Doubt.SPIKE), (7700, 0), (5000, 0), (2900, Doubt.SPIKE)]
)
def test_what_goes_on_goes_no_faster(level: float, doubt: int) -> None:
    """5000, 6500 and then at twice the pace at most; or back."""
    assert Device().feed(Q.WATER_LEVEL, (0, 10, 20), (5000, 6500, level)) == [0, Doubt.SPIKE, doubt]


@pytest.mark.parametrize(
    ("level", "doubt"), [(11_000, 0), (11_001, Doubt.SPIKE), (8100, 0), (6500, 0), (4400, Doubt.SPIKE)]
)
def test_while_it_goes_on_every_step_is_compared_with_the_one_before(level: float, doubt: int) -> None:
    """5000, 6500, 8000, and ten minutes later."""
    assert Device().feed(Q.WATER_LEVEL, (0, 10, 20, 30), (5000, 6500, 8000, level)) == [0, Doubt.SPIKE, 0, doubt]


def test_what_came_back_has_varied() -> None:
    """A level that goes on and returns to the one before is not one that never moved."""
    device = Device()
    assert device.feed(Q.WATER_LEVEL, (0, 10, 20, 30), (5000, 6500, 8000, 6500)) == [0, Doubt.SPIKE, 0, 0]
    value, run, *_ = device.entries["water_level"]
    assert (value, run) == (6500, 1)


def test_air_does_not_run() -> None:
    """A temperature that leaps twice by 25 °C is doubtful twice."""
    assert Device().feed(T, (0, 10, 20), (-20, 5, 30)) == [0, Doubt.SPIKE, Doubt.SPIKE]


@pytest.mark.parametrize(
    ("quantity", "minutes", "values"),
    [
        (Q.CO2, range(0, 30, 5), (420, 900, 2400, 2350, 800, 430)),
        (Q.WATER_LEVEL, range(0, 60, 10), (1200, 1340, 1480, 1600, 1500, 1390)),
        (Q.FILL_LEVEL, range(0, 120, 30), (10, 95, 5, 6)),
        (Q.SOIL_MOISTURE, range(0, 30, 10), (12, 38, 37)),
        (Q.ILLUMINANCE, range(0, 30, 10), (0, 90_000, 12)),
        (Q.WIND_GUST, range(0, 30, 10), (2, 31, 3)),
    ],
)
def test_what_moves_fast_is_no_jump(quantity: Quantity, minutes: range, values: tuple[float, ...]) -> None:
    """A full room aired, a tide, a container filled and emptied, irrigation, a lamp, a squall."""
    assert set(Device().feed(quantity, minutes, values)) == {0}


def test_a_lid_that_is_opened_is_a_jump() -> None:
    """The sensor looks at the sky once; the level before and after is the same."""
    assert Device().feed(Q.DISTANCE, (0, 10, 20, 30), (800, 4000, 805, 810)) == [0, Doubt.SPIKE, 0, 0]


def test_after_a_silence_any_value_is_believed() -> None:
    """A week later the weather is another."""
    assert Device().feed(T, (0, 7 * 1440), (25, -12)) == [0, 0]


def test_a_first_value_is_believed_and_what_contradicts_it_twice_takes_its_place() -> None:
    """85 °C of a probe that was not ready is out of range of air; 60 °C is not, and gone after two uplinks."""
    assert Device().feed(T, (0, 10, 20, 30), (60, 20, 20.1, 20.2)) == [0, Doubt.SPIKE, 0, 0]
