"""Conditioning: values that come late, early, together, or without a time of their own."""

import pytest

from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity
from rules.condition import condition
from rules.condition_entry import NOTHING, Doubt
from rules.condition_time import EARLIEST_MS, can_be, settled
from tests.rules.conditioned import LATEST, MINUTE, PEOPLE, PEOPLE_TOTAL, START, WORD, Device, T, at, told

Q = Quantity


def test_a_late_value_is_judged_by_its_range_alone() -> None:
    """It changes nothing that is remembered, and is no jump."""
    device = Device()
    device.feed(T, (0, 10), (20, 21))
    before = device.entries
    assert device.feed(T, (5, 10, 6, 7), (60, 60, 99, 21.5)) == [0, 0, Doubt.RANGE, 0]
    assert device.entries == before


def test_a_value_from_the_future_is_judged_by_its_range_alone() -> None:
    """A clock that runs ahead would make all that follows late."""
    device = Device()
    found = device.uplink(at(60, Reading(T, 20.0), Reading(PEOPLE_TOTAL, 5.0, "in")), latest_ms=START)
    assert found.entries is NOTHING
    found = device.uplink(at(60, Reading(T, 99.0)), latest_ms=START)
    assert told(found) == {(T, ""): (99.0, Doubt.RANGE)}


def test_history_is_judged_in_the_order_of_its_times() -> None:
    """An uplink brings its newest value first; what comes back has the order of what came in."""
    device = Device(WORD)
    counts = [at(minute, Reading(PEOPLE_TOTAL, float(total), "in")) for minute, total in ((20, 9), (0, 2), (10, 5))]
    found = device.uplink(*counts).judged
    amounts = [[value for q, value, _ in judged.measurement.readings if q is PEOPLE] for judged in found]
    assert amounts == [[4.0], [], [3.0]]
    assert [judged.measurement.time_ms for judged in found] == [measurement.time_ms for measurement in counts]


def test_several_uplinks_worth_of_history_are_judged_one_after_the_other() -> None:
    """A day's log in one frame: the jump in the middle is found, what comes again is late."""
    device = Device()
    values = (20.0, 20.5, 44.0, 20.4, 20.9)
    log = [at(10 * place, Reading(T, value)) for place, value in enumerate(values)]
    first, again = (device.uplink(*reversed(log)).judged for _ in range(2))
    assert [sum(judged.doubts.values()) for judged in reversed(first)] == [0, 0, Doubt.SPIKE, 0, 0]
    assert [judged.doubts for judged in again] == [{}] * 5


# -- no time of its own -----------------------------------------------------------------------------------------------

DAY = 1440 * MINUTE


@pytest.mark.parametrize(
    ("then_ms", "believed"),
    [
        (START, True),
        (START - 399 * DAY, True),
        (START - 401 * DAY, False),
        (0, False),
        (946_684_800_000, False),
        (START + DAY, True),
        (START + DAY + 1, False),
        (4_294_967_295_000, False),
    ],
)
def test_times_that_can_be(then_ms: int, believed: bool) -> None:
    """Up to 400 days back and one ahead; neither 1970 nor 2000 nor 2106."""
    assert can_be(then_ms, START) == believed


def test_before_2015_nothing_was_measured() -> None:
    """However old the settings let a memory be."""
    assert not can_be(EARLIEST_MS - 1, START, oldest_days=1e6)
    assert can_be(EARLIEST_MS, START, oldest_days=1e6)


def test_what_has_no_time_stands_beside_its_uplink() -> None:
    """Each apart from the others, in their order; what has a time keeps it."""
    then = (START, 3000, START - DAY, 2000, START + 400 * DAY)
    given = [Measurement.of(then_ms, (Reading(T, float(place)),)) for place, then_ms in enumerate(then)]
    times, lost = settled(given, START, START, 400)
    assert [each.time_ms for each in times] == [START, START - 1, START - DAY, START - 2, START - 3]
    assert [each.readings for each in times] == [each.readings for each in given]
    assert lost == {1, 3, 4}
    assert settled(given[:1], START, START, 400) == (given[:1], frozenset())


def test_an_uplink_at_its_own_time_is_never_settled() -> None:
    """The present is what the network server says it is, also in a record of long ago."""
    given = [Measurement.of(1000, (Reading(T, 20.0),))]
    assert settled(given, 1000, START, 400).measurements is given


def test_what_has_no_time_is_all_doubtful_and_changes_nothing() -> None:
    """Out of range is out of range; no counter starts from it, no jump, nothing sound is left."""
    device = Device(WORD, offset_air_temperature=1)
    device.give(0, Reading(T, 20.0), Reading(PEOPLE_TOTAL, 5.0, "in"))
    before = device.entries
    readings = Reading(T, 69.0), Reading(PEOPLE_TOTAL, 900.0, "in"), Reading(Q.CO2, -1.0)
    found = condition(device.plan, before, [at(10, *readings), at(9, Reading(T, 20.5))], LATEST, frozenset({0}))
    doubtful, sound = found.judged
    assert doubtful.doubts == {(T, ""): Doubt.CLOCK, (PEOPLE_TOTAL, "in"): Doubt.CLOCK, (Q.CO2, ""): Doubt.RANGE}
    assert doubtful.measurement.readings[0] == Reading(T, 70.0)
    assert doubtful.sound.readings == ()
    assert doubtful.doubtful == doubtful.measurement.readings
    assert sound.doubts == {}
    assert found.entries == {**before, "air_temperature": (20.5, START + 9 * MINUTE)}
    (alone,) = condition(device.plan, before, [at(10, *readings)], LATEST, frozenset({0})).judged
    assert alone.doubts == doubtful.doubts
