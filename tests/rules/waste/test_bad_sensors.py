"""Containers whose sensors cannot be trusted: emptied in time all the same, and no fire that is none."""

import pytest

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.rule import Observation, Tick
from rules.waste import collection_due, fire
from rules.waste.days import DAY_MS
from tests.rules.waste.bins import HOUR, START, Play

MINUTE = 60_000
LONGEST_DAYS = 14


def bin_of(**properties: object) -> Play:
    """A container for residual waste without a forecast, two weeks between emptyings at most."""
    return Play(collection_due.RULE, **{"fraction": "residual", "forecast": False, **properties})


def hours(play: Play, *levels: float, begin: int = START) -> None:
    """Levels an hour apart."""
    for hour, level in enumerate(levels):
        play.level(level, begin + hour * HOUR)


def due_days(play: Play) -> list[int]:
    """The days since the beginning on which it was said to be due."""
    return sorted({(event.time_ms - START) // DAY_MS for event in play.events if event.data.due})


@pytest.mark.parametrize("forecast", [False, True])
def test_a_level_that_stands_still_is_emptied_when_it_has_been_too_long(forecast: bool) -> None:
    """Stuck at 20 % for weeks: no forecast puts it off beyond the fraction's longest time."""
    play = bin_of(forecast=forecast)
    hours(play, *([20.0] * 24 * 20))
    days = due_days(play)
    assert LONGEST_DAYS - 4 <= days[0] <= LONGEST_DAYS
    assert play.said.reason == "too_long"


def test_levels_that_are_doubted_are_no_levels() -> None:
    """What the service flags as stuck or out of range does not reach the rule: silent, and then the fixed cycle."""
    play = bin_of(cycle_days=7)
    play.level(20, START)
    for hour in range(1, 24 * 8):
        now, doubtful = START + hour * HOUR, (Reading(Quantity.FILL_LEVEL, 20.0),)
        play.give(Observation("d0", "d0", "bin-a", now, now, (), f"doubted {hour}", doubtful=doubtful))
        play.give(Tick(now))
    reasons = list(dict.fromkeys(event.data.reason for event in play.events))
    assert reasons == ["below_threshold", "silent", "fixed_cycle"]


def test_a_level_that_jumps_is_neither_full_nor_empty() -> None:
    """10 and 100 % in turns, each hour: never due by its level, and the driver is told what is odd about it."""
    play = bin_of()
    hours(play, *([10.0, 100.0] * 24))
    assert due_days(play) == []
    assert play.state.fill.level == 10
    assert play.state.fill.odd == "held_rise"
    play = bin_of()
    hours(play, *([100.0, 10.0] * 24))
    assert (play.said.due, play.state.fill.emptied_ms) == (True, 0)


def test_levels_delayed_by_an_hour_decide_in_the_order_of_their_measurement() -> None:
    """They count at their own times; one older than the newest used changes nothing."""
    play = bin_of()
    for hour in range(1, 6):
        at = START + hour * HOUR
        play.hear(Reading(Quantity.FILL_LEVEL, 15.0 * hour), at=at, measured=at - HOUR)
    assert (play.state.fill.level, play.state.fill.measured_ms) == (75, START + 4 * HOUR)
    before = play.state
    play.hear(Reading(Quantity.FILL_LEVEL, 99.0), at=START + 6 * HOUR, measured=START + 3 * HOUR)
    assert play.state is before


def test_a_sensor_that_begins_again_at_zero_is_emptied_when_it_has_been_too_long() -> None:
    """Reset in the middle and saying 0 % ever since: an emptying after two words, due after the longest time."""
    play = bin_of()
    hours(play, 40, 45, 50, 0)
    assert (play.state.fill.emptied_ms, play.state.fill.odd) == (0, "held_drop")
    hours(play, *([0.0] * 24 * 16), begin=START + 4 * HOUR)
    assert play.state.fill.emptied_ms == START + 3 * HOUR
    assert not play.state.fill.confirmed
    assert LONGEST_DAYS - 4 <= due_days(play)[0] <= LONGEST_DAYS


@pytest.mark.parametrize("skew", [10 * MINUTE, 3 * HOUR, 365 * DAY_MS])
def test_a_clock_that_is_ahead_decides_nothing(skew: int) -> None:
    """Neither full nor on fire by a measurement of tomorrow; nor does it shut out what comes in time."""
    play = bin_of()
    play.level(20, START)
    play.hear(Reading(Quantity.FILL_LEVEL, 99.0), at=START + HOUR, measured=START + HOUR + skew)
    assert (play.state.fill.level, play.said.due) == (20, False)
    play.level(90, START + 2 * HOUR)
    play.level(90, START + 3 * HOUR)
    assert play.said.due
    hot = Play(fire.RULE)
    hot.hear(Reading(Quantity.AIR_TEMPERATURE, 90.0), at=START + HOUR, measured=START + HOUR + skew)
    assert hot.all == []


def test_two_sensors_that_contradict_each_other_are_told_of() -> None:
    """One sees 20 %, one 85 %: what was known stays, the driver is told that a jump is not confirmed or was a bag."""
    play = bin_of()
    for hour in range(12):
        for device, level in (("one", 20.0), ("two", 85.0)):
            now = START + hour * HOUR + (30 * MINUTE if device == "two" else 0)
            said = (Reading(Quantity.FILL_LEVEL, level),)
            play.give(Observation(device, device, "bin-a", now, now, said, f"{device} {hour}", now))
    assert (play.state.fill.level, play.state.fill.odd) == (20, "held_rise")
    play.ticks(START + 12 * HOUR, START + 12 * HOUR + DAY_MS, HOUR)
    assert "jump upwards not confirmed yet" in play.said.text_en or play.said.odd == "bag"


def test_a_crew_that_contradicts_the_sensor_is_believed_until_two_words_say_otherwise() -> None:
    """Empty by the crew, full by the sensor: one word is held back, the second one makes it due again and says so."""
    play = bin_of()
    hours(play, 88, 90)
    assert play.said.due
    play.serve(START + HOUR + MINUTE)
    assert not play.said.due
    play.level(91, START + 2 * HOUR)
    assert (play.said.due, play.state.fill.odd) == (False, "held_rise")
    play.level(91, START + 3 * HOUR)
    assert (play.said.due, play.said.reason, play.said.odd) == (True, "over_threshold", "implausible_rise")


def test_of_two_thermometers_the_hotter_one_raises_the_alert() -> None:
    """A fire is not averaged away; the alert stays while that one says so."""
    play = Play(fire.RULE)
    for step in range(6):
        for offset, celsius in ((0, 15.0), (MINUTE, 70.0)):
            play.hear(Reading(Quantity.AIR_TEMPERATURE, celsius), at=START + step * 10 * MINUTE + offset)
    assert play.all
    assert all(getattr(event.data, "status", "") != "cleared" for event in play.all)


def test_a_warm_thermometer_that_stands_still_is_no_fire() -> None:
    """45 °C all day without a rise: stuck, or in the sun."""
    play = Play(fire.RULE)
    for step in range(96):
        play.hear(Reading(Quantity.AIR_TEMPERATURE, 45.0), at=START + step * 15 * MINUTE)
    assert play.all == []
