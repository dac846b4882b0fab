"""Signs of a fire in a container."""

import json
from itertools import pairwise
from typing import cast

import pytest

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import CityError
from rules.event_waste import ContainerAlert
from rules.rule import Json
from rules.waste.fire import RULE, Fire, configure
from tests.rules.waste.bins import HOUR, START, Play, asset

MINUTE = 60_000


class Bin(Play):
    """A container of which the rule about fires hears."""

    def __init__(self, **properties: object) -> None:
        super().__init__(RULE, **properties)

    def warm(self, celsius: float, minute: float) -> list[ContainerAlert]:
        """A temperature so many minutes after the begin."""
        return self.read(minute, Reading(Quantity.AIR_TEMPERATURE, celsius))

    def read(self, minute: float, *readings: Reading) -> list[ContainerAlert]:
        """Readings so many minutes after the begin; what is said of a fire."""
        return [
            event
            for event in self.hear(*readings, at=START + int(minute * MINUTE))
            if isinstance(event, ContainerAlert)
        ]


def test_heat_is_told_at_the_first_reading() -> None:
    """60 °C is severe at once, without any history."""
    (event,) = Bin().warm(60, 0)
    assert (event.data.status, event.data.severity, event.data.signs) == ("raised", "severe", ("hot",))
    assert (event.data.temperature, event.time_ms) == (60, START)
    assert event.topic == "stadtfunk/v1/waste/container/bin-a/alert"
    assert event.data.text_de == "Bin A: womöglich ein Brand, 60 °C."
    assert ContainerAlert.model_validate_json(event.payload()) == event


def test_sudden_warming_is_a_warning_slow_warming_is_none() -> None:
    """15 K within the hour and 40 °C; the same over a morning is summer."""
    sudden = Bin()
    assert sudden.warm(25, 0) == []
    (event,) = sudden.warm(41, 60)
    assert (event.data.severity, event.data.signs) == ("warning", ("heating_up",))
    slow = Bin()
    assert [slow.warm(20 + minute / 15, minute) for minute in range(0, 361, 20)] == [[]] * 19
    later = Bin()
    assert later.warm(25, 0) == later.warm(41, 120) == []
    cold = Bin()
    assert cold.warm(5, 0) == cold.warm(35, 30) == []


@pytest.mark.parametrize(
    ("properties", "channel", "told"),
    [
        ({}, "fire", True),
        ({}, "battery", False),
        ({}, "", False),
        ({"fire_alarms": ["temperature"]}, "temperature", True),
    ],
)
def test_the_sensors_own_alarm_counts(properties: dict[str, object], channel: str, told: bool) -> None:
    """By the channels that are fires; a flag that is not raised is none."""
    play = Bin(**properties)
    assert play.read(0, Reading(Quantity.ALARM, 0.0, channel)) == []
    events = play.read(1, Reading(Quantity.ALARM, 1.0, channel))
    assert [event.data.signs for event in events] == ([("sensor_alarm",)] if told else [])
    assert all(event.data.severity == "severe" for event in events)


def test_a_doubtful_heat_is_heard() -> None:
    """A sudden heat looks like an error, so the rule asks for doubtful readings."""
    assert RULE.doubtful


def test_it_ends_when_it_is_quiet_and_cool() -> None:
    """Half an hour without a sign and under 35 °C; a repeated sign says nothing new, another one does."""
    play = Bin()
    play.warm(25, 0)
    assert [event.data.status for event in play.warm(45, 10)] == ["raised"]
    assert play.warm(46, 20) == []
    assert [(event.data.status, event.data.severity) for event in play.warm(70, 30)] == [("updated", "severe")]
    assert play.warm(34, 40) == []
    assert play.warm(36, 70) == []
    (event,) = play.warm(34, 80)
    assert (event.data.status, event.data.reason, event.data.signs, event.data.since) == (
        "cleared",
        "measured",
        (),
        None,
    )
    assert play.warm(30, 90) == []


def test_silence_ends_it_and_says_what_that_means() -> None:
    """A sensor that burnt says nothing any more; that is not all-clear."""
    play = Bin()
    play.warm(80, 0)
    (event,) = play.ticks(START, START + 10 * HOUR)
    assert isinstance(event, ContainerAlert)
    assert (event.time_ms, event.data.status, event.data.reason) == (START + 3 * HOUR, "cleared", "no_data")
    assert "ob es noch brennt, ist nicht bekannt" in event.data.text_de


def test_an_alert_is_renewed_while_it_lasts() -> None:
    """No alert expires while readings flow."""
    play = Bin()
    found = [event for minute in range(0, 601, 30) for event in play.warm(65, minute)]
    assert [event.data.status for event in found] == ["raised"] + ["updated"] * (len(found) - 1)
    assert all(one.valid_until_ms >= other.time_ms for one, other in pairwise(found))
    assert 5 <= len(found) <= 8


def test_wrong_clocks_and_late_words_change_nothing() -> None:
    """Older than the newest word, or more than two minutes ahead."""
    play = Bin()
    play.warm(20, 60)
    heat = Reading(Quantity.AIR_TEMPERATURE, 90.0)
    assert play.hear(heat, at=START + 2 * HOUR, measured=START) == []
    assert play.hear(heat, at=START + 2 * HOUR, measured=START + 3 * HOUR) == []


def test_state_survives_being_kept_and_stays_small() -> None:
    """Dumped to JSON and loaded it is equal, after any number of readings of one hour."""
    play = Bin()
    for step in range(600):
        play.warm(10 + step / 100, step / 10)
    state = cast("Fire", play.engine.state(0))
    assert len(state.recent) <= 12
    assert min(value for _, value in state.recent) == 10
    kept = cast("Json", json.loads(json.dumps(RULE.dump(state))))
    assert RULE.load(configure(asset()), 1, kept) == state
    assert RULE.load(configure(asset()), 2, kept) is None


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"fire_c": 20}, "'fire_c' is 20"),
        ({"fire_cleared_c": 45}, "'fire_cleared_c' is 45, expected less than fire_warm_c (40)"),
        ({"fire_warm_c": 61}, "at most fire_c (60)"),
        ({"fire_alarms": "fire"}, "'fire_alarms' is 'fire', expected a list"),
    ],
)
def test_wrong_parameters_are_named(properties: dict[str, object], complaint: str) -> None:
    """The error names the feature, the property and what was expected."""
    with pytest.raises(CityError, match="feature 'bin-a'") as caught:
        configure(asset(**properties))
    assert complaint in str(caught.value)
