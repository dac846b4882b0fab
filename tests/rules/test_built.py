"""Events that are built without being checked: what validation would have made of them, to the byte and the type."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Asset, Assignment
from rules.city import City
from rules.engine import Engine
from rules.event import Event
from rules.parking import lot_state
from rules.rule import Observation, RuleFailure, Tick
from rules.traffic import measured

START = 1_790_000_000_000
MINUTE = 60_000
COUNT, TOTAL, SPEED = Quantity.VEHICLE_COUNT, Quantity.VEHICLE_COUNT_TOTAL, Quantity.VEHICLE_SPEED
VALUES = st.one_of(st.sampled_from([0.0, 3.0, 40.0, 9999.0]), st.floats(0, 1e5))
CHANNELS = st.sampled_from(["", "ltr", "cat1", "cat2_ltr"])
READINGS = st.lists(st.builds(Reading, st.sampled_from([COUNT, TOTAL, SPEED]), VALUES, CHANNELS), max_size=6)


def detector(**properties: object) -> Asset:
    """A detector with two devices; numbers of its file are whole ones."""
    devices = (Assignment("d"), Assignment("e"))
    own: dict[str, object] = {"role": "demand", "distance_m": 200, "lanes": 2}
    return Asset("one", "detector", "One", {**own, **properties}, devices, 7, 51)


def lot(*, counters: bool) -> Asset:
    """A lot of eight spaces, with counters where wanted."""
    devices = tuple(Assignment(f"s{number}") for number in range(8))
    counting = tuple(Assignment(f"c-{way}", properties={"counts": way}) for way in ("in", "out"))
    properties = {"capacity": 9, "night_occupied": 2}
    return Asset("one", "lot", "One", properties, devices + counting * counters, 7, 51)


def as_validated(event: Event) -> None:
    """The event is what validation makes of its values: bytes, values, and types of values."""
    again = type(event).model_validate(event.model_dump(mode="python"))
    assert again == event
    assert again.payload() == event.payload()
    assert repr(again) == repr(event)
    assert typed(again.model_dump()) == typed(event.model_dump())


def typed(value: object) -> object:
    """Values with their types, in their order."""
    if isinstance(value, dict):
        return [(name, typed(each)) for name, each in value.items()]
    return [typed(each) for each in value] if isinstance(value, tuple | list) else (type(value), value)


def said(asset: Asset, inputs: Iterable[Observation | Tick]) -> tuple[list[Event], list[RuleFailure]]:
    """The events and failures that inputs lead to."""
    overlay = Engine(City([asset]), [measured.RULE, lot_state.RULE]).overlay()
    for item in inputs:
        if isinstance(item, Tick):
            overlay.tick(item)
        else:
            overlay.observe(item)
    return overlay.events, overlay.failures


def uplink(number: int, device: str, readings: Iterable[Reading]) -> Observation:
    """An uplink, five minutes after the one before it."""
    at = START + number * 5 * MINUTE
    return Observation(device, device, "one", at, at + 700, tuple(readings), f"c{number}")


@given(st.lists(st.tuples(st.sampled_from("de"), READINGS), max_size=8))
def test_what_a_detector_measured_is_built_as_validated(told: list[tuple[str, list[Reading]]]) -> None:
    """Counts of all kinds, one after the other: counters, classes, contradictions, resets."""
    events, _ = said(detector(), [uplink(number, *each) for number, each in enumerate(told)])
    for event in events:
        as_validated(event)


def test_a_detector_says_something() -> None:
    """Or the test before would show nothing; once with classes."""
    classes = [Reading(COUNT, 4.0, "cat1"), Reading(SPEED, 30.0, "cat1"), Reading(COUNT, 5.0, "cat2")]
    events, failures = said(detector(), [uplink(0, "d", [Reading(COUNT, 40.0)]), uplink(1, "d", classes)])
    assert (len(events), failures) == (2, [])
    for event in events:
        as_validated(event)


@pytest.mark.parametrize("readings", [[Reading(COUNT, -4.0)], [Reading(COUNT, 4.0), Reading(SPEED, -1.0)]])
def test_numbers_out_of_bounds_are_refused_as_before(readings: list[Reading]) -> None:
    """What the event's fields cannot hold is a failure of the rule, never an event."""
    events, failures = said(detector(), [uplink(0, "d", readings)])
    assert events == []
    assert "greater than or equal to 0" in failures[0].error


def test_a_whole_number_that_a_device_tells_is_a_float_in_the_event() -> None:
    """Readings should be floats; an event is right even where one is not."""
    events, _ = said(detector(), [uplink(0, "d", [Reading(COUNT, 4), Reading(SPEED, 30)])])
    as_validated(events[0])
    assert b'"count":4.0' in events[0].payload()


@given(st.booleans(), st.lists(st.tuples(st.integers(0, 10), st.integers(0, 9)), max_size=40))
def test_the_state_of_a_lot_is_built_as_validated(counters: bool, told: list[tuple[int, int]]) -> None:
    """Spaces, counters, silence: free, full, unknown."""
    inputs: list[Observation | Tick] = [Tick(START - 1)]
    for number, (who, value) in enumerate(told):
        if who == 10:
            inputs.append(Tick(START + number * 5 * MINUTE))
        elif who < 8:
            inputs.append(uplink(number, f"s{who}", [Reading(Quantity.OCCUPIED, float(value % 2))]))
        else:
            inputs.append(uplink(number, ("c-in", "c-out")[who - 8], [Reading(COUNT, float(value))]))
    events, failures = said(lot(counters=counters), inputs)
    assert failures == []
    assert events
    for event in events:
        as_validated(event)
