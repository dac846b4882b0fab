"""Conditioning: values out of their plausible range."""

import math

import pytest

from decoders.measurement import Reading
from rules.condition_config import ConditionRules, Limits
from rules.condition_entry import Doubt
from tests.rules.conditioned import Device, H, T, at


@pytest.mark.parametrize("value", [-50.01, 70.01, math.nan, math.inf, -math.inf])
def test_a_value_out_of_its_range_is_doubtful_and_not_sound(value: float) -> None:
    """It is still there to be stored; rules see what is left."""
    (judged,) = Device().uplink(at(0, Reading(T, value), Reading(H, 50.0))).judged
    assert judged.doubts == {(T, ""): Doubt.RANGE}
    assert judged.sound.readings == (Reading(H, 50.0),)
    assert judged.doubtful == judged.measurement.readings[:1]


def test_the_ends_of_the_range_belong_to_it() -> None:
    """-50 and 70 °C are plausible."""
    assert [Device().give(0, Reading(T, value))[T, ""][1] for value in (-50.0, 70.0)] == [0, 0]


@pytest.mark.parametrize("factor", [2, -2])
def test_the_calibrated_value_is_what_must_be_plausible(factor: float) -> None:
    """Also where the factor turns the range round."""
    device = Device(factor_air_temperature=factor, offset_air_temperature=10)
    sign = math.copysign(1, factor)
    assert device.give(0, Reading(T, 29.9 * sign))[T, ""] == (69.8, 0)
    assert device.give(30, Reading(T, 30.1 * sign))[T, ""] == (70.2, Doubt.RANGE)


def test_settings_set_another_range_for_one_quantity() -> None:
    """One end alone may be set; the other stays."""
    rules = ConditionRules(limits={T: Limits(low=-20)})
    assert [Device(rules=rules).give(0, Reading(T, value))[T, ""][1] for value in (-21, -20, 70, 71)] == [1, 0, 0, 1]


def test_a_value_out_of_range_changes_nothing_that_is_remembered() -> None:
    """It is neither good, nor a beginning, nor does it make the next one a jump."""
    device = Device()
    assert device.feed(T, (0, 10, 20), (20, 99, 21)) == [0, Doubt.RANGE, 0]


@pytest.mark.parametrize(
    ("offset", "value", "expected"),
    [
        (2, 100.0, (100.0, 0)),
        (0, 104.9, (100.0, 0)),
        (2, 97.0, (99.0, 0)),
        (0, 105.1, (105.1, 1)),
        (-2, 1.0, (-1.0, 1)),
    ],
)
def test_air_in_fog_is_saturated(offset: float, value: float, expected: tuple[float, int]) -> None:
    """A sensor that is off, or corrected, by a little shows over 100 %: it is 100 % then; much more is doubtful."""
    assert Device(offset_air_humidity=offset).give(0, Reading(H, value), Reading(T, 4.0)) == {
        (H, ""): expected,
        (T, ""): (4.0, 0),
    }


def test_saturation_ends_where_the_settings_say_so() -> None:
    """Whoever calls 95 % the end does not mean 100 %."""
    device = Device(rules=ConditionRules(limits={H: Limits(high=95)}))
    assert [device.give(minute, Reading(H, value))[H, ""] for minute, value in ((0, 97.0), (10, 101.0))] == [
        (97.0, Doubt.RANGE),
        (101.0, Doubt.RANGE),
    ]
