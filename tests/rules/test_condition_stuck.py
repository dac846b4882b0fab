"""Conditioning: values that stand still."""

from collections.abc import Iterable

import pytest

from decoders.codec import CodecField
from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.condition_config import CONTINUOUS, ConditionRules, Limits
from rules.condition_entry import Doubt
from tests.rules.conditioned import Device, H, T

Q = Quantity
HOUR = 60
DAYS = range(0, 72 * HOUR, HOUR)
"""Three days of hourly uplinks, in minutes."""


def weather(device: Device, minutes: Iterable[int], temperature: float, *, varied: bool = True) -> list[int]:
    """Doubts about a temperature that stands, beside a humidity that varies or not."""
    return [
        device.give(minute, Reading(H, 50.0 + (minute // 10 % 7 if varied else 0)), Reading(T, temperature))[T, ""][1]
        for minute in minutes
    ]


def standing(quantity: Quantity, value: float, step: float = 0.0, rules: ConditionRules | None = None) -> int:
    """How often a value that stands for three days, told in such steps, is called stuck beside a busy one."""
    fields = (CodecField(quantity, "", verified=True, low=-9999, high=9999, step=step),) if step else ()
    other = H if quantity is T else T
    device = Device(fields, rules)
    doubts = [
        device.give(minute, Reading(quantity, value), Reading(other, 10.5 + minute // HOUR % 5))[quantity, ""][1]
        for minute in DAYS
    ]
    assert set(doubts) <= {0, Doubt.STUCK}
    return doubts.count(Doubt.STUCK)


# -- stuck ------------------------------------------------------------------------------------------------------------


def test_a_value_that_stands_while_another_varies_is_stuck() -> None:
    """After 24 uplinks and a day with the same value it is doubtful, and all that follow."""
    assert weather(Device(), DAYS, 20.5) == [0] * 24 + [Doubt.STUCK] * 48


@pytest.mark.parametrize(("minutes", "uplinks"), [(10, 145), (60, 25), (120, 24)])
def test_both_the_uplinks_and_the_time_must_pass(minutes: int, uplinks: int) -> None:
    """Many uplinks in a few hours show no stuck sensor, nor do a few in many hours."""
    assert weather(Device(), range(0, minutes * 200, minutes), 20.5).index(Doubt.STUCK) + 1 == uplinks


def test_a_stuck_value_that_moves_is_believed_at_once() -> None:
    """How far it may have come is counted from when it began to stand."""
    device = Device()
    assert weather(device, DAYS, 20.5)[-1] == Doubt.STUCK
    assert weather(device, (72 * HOUR - 50, 72 * HOUR - 40), -30.0) == [0, 0]


@pytest.mark.parametrize(
    ("quantity", "value", "step"),
    [
        (Q.AIR_TEMPERATURE, 20.5, 0.1),
        (Q.AIR_HUMIDITY, 45.5, 0.5),
        (Q.AIR_PRESSURE, 1013.2, 0.1),
        (Q.CO2, 812.0, 1.0),
        (Q.PM2_5, 17.0, 1.0),
        (Q.SOUND_LEVEL, 57.0, 1.0),
        (Q.WIND_SPEED, 3.4, 0.1),
        (Q.WATER_TEMPERATURE, 10.34, 0.01),
        (Q.AIR_TEMPERATURE, 21.0, 0.1),
    ],
)
def test_sensors_that_hang_are_found(quantity: Quantity, value: float, step: float) -> None:
    """In fine steps nothing in the open or in a used room stands for three days."""
    assert standing(quantity, value, step) == 48


def test_after_a_restart_the_same_is_said() -> None:
    """What varies is known by its name, before it is told again, whichever comes first in the frame."""
    for channel in ("", "outside"):
        device, again = Device(), Device()
        for minute in DAYS:
            found = device.give(minute, Reading(T, 20.5), Reading(H, 50.5 + minute // HOUR % 3, channel))
        assert found[T, ""][1] == Doubt.STUCK
        again.entries = device.entries
        found = again.give(72 * HOUR, Reading(T, 20.5), Reading(H, 50.5, channel))
        assert found[T, ""][1] == Doubt.STUCK


# -- what may stand ---------------------------------------------------------------------------------------------------


def test_nothing_is_stuck_in_a_device_where_nothing_varies() -> None:
    """A calm cellar: all values stand, so none is to blame."""
    assert weather(Device(), DAYS, 20.5, varied=False) == [0] * 72


def test_a_change_before_the_value_began_to_stand_is_no_proof() -> None:
    """Humidity varied, then both stood."""
    device = Device()
    device.give(0, Reading(H, 40.0), Reading(T, 19.0))
    device.give(10, Reading(H, 50.0), Reading(T, 19.5))
    device.give(20, Reading(H, 50.0), Reading(T, 20.5))
    assert weather(device, range(60, 72 * HOUR, HOUR), 20.5, varied=False) == [0] * 71


def test_a_quantity_that_came_later_has_not_varied() -> None:
    """The first value of another quantity is no change."""
    device = Device()
    device.feed(T, DAYS, [20.5] * 72)
    assert weather(device, range(72 * HOUR, 90 * HOUR, HOUR), 20.5, varied=False) == [0] * 18


def test_a_night_at_a_tenth_of_a_degree_is_not_stuck() -> None:
    """Overcast, no wind: every ten minutes the same for ten hours, while humidity moves by a step now and then."""
    device = Device((CodecField(T, "", verified=True, low=-40, high=80, step=0.1),))
    assert set(weather(device, range(0, 10 * HOUR, 10), 3.2)) == {0}


@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        (Q.AIR_HUMIDITY, 100.0),
        (Q.AIR_HUMIDITY, 99.9),
        (Q.CO2, 400.0),
        (Q.WIND_SPEED, 0.0),
        (Q.WIND_SPEED, 0.3),
        (Q.PM2_5, 1.0),
        (Q.NO2, 0.0),
        (Q.SURFACE_TEMPERATURE, 0.1),
        (Q.SOUND_LEVEL, 33.0),
    ],
)
def test_what_rests_is_not_stuck(quantity: Quantity, value: float) -> None:
    """Fog, the floor of a sensor, a calm, clean air, melting snow, a quiet house: for days."""
    assert standing(quantity, value, step=0.001) == 0


@pytest.mark.parametrize(
    ("quantity", "value", "step"),
    [(T, 21.0, 1.0), (H, 45.0, 1.0), (Q.O3, 100.0, 100.0), (Q.WATER_TEMPERATURE, 11.2, 0.1), (T, 21.0, 0.0)],
)
def test_what_is_told_in_coarse_steps_is_not_stuck(quantity: Quantity, value: float, step: float) -> None:
    """A heated room in whole degrees, ground water in tenths; where nobody knows the steps, a round figure."""
    assert standing(quantity, value, step) == 0


@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        (Q.DISTANCE, 900.0),
        (Q.FILL_LEVEL, 35.5),
        (Q.WATER_LEVEL, 412.0),
        (Q.PRECIPITATION, 0.0),
        (Q.OCCUPIED, 1.0),
        (Q.VEHICLE_COUNT, 0.0),
        (Q.BATTERY_VOLTAGE, 3.61),
        (Q.BATTERY_LEVEL, 100.0),
        (Q.SOIL_MOISTURE, 23.4),
        (Q.ILLUMINANCE, 0.0),
    ],
)
def test_what_may_stand_is_never_stuck(quantity: Quantity, value: float) -> None:
    """A bin that nobody uses, a basin in a dry summer, a car that is left, an empty lot, a battery."""
    assert standing(quantity, value) == 0


def test_settings_name_what_else_may_not_stand() -> None:
    """Whatever its steps are; the ends of its range remain free."""
    rules = ConditionRules(limits={q: Limits(stuck_after=5) for q in (Q.DISTANCE, T)}, stuck_hours=5)
    assert standing(Q.DISTANCE, 900.0, 10.0, rules) == 67
    assert standing(T, 20.0, 1.0, rules) == 67
    assert standing(Q.DISTANCE, 0.0, 10.0, rules) == 0


def test_what_may_stand_is_no_proof() -> None:
    """Only a continuous quantity that varies shows that another one ought to."""
    device = Device()
    for minute in DAYS:
        found = device.give(minute, Reading(Q.DISTANCE, 900.0 + minute), Reading(T, 20.5))
    assert found[T, ""][1] == 0


def test_stuck_can_be_turned_off_for_all() -> None:
    """`stuck_after = 0`."""
    assert set(weather(Device(rules=ConditionRules(stuck_after=0)), DAYS, 20.5)) == {0}


def test_every_rest_lies_within_reach() -> None:
    """Its low end below its high one; a part of the range only, humidity's with what is beyond saturation."""
    for quantity, (step, rests) in CONTINUOUS.items():
        assert step > 0
        assert all(low < high for low, high in rests)
        assert sum(high - low for low, high in rests) < (quantity.high - quantity.low) / 3
