"""The state of a parking lot, driven through the engine."""

import json
from collections.abc import Callable
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Privacy, Quantity
from rules.asset import Asset, Assignment, CityError
from rules.city import City
from rules.engine import Engine
from rules.event import LotState
from rules.parking.lot_config import configure, usual_full_in
from rules.parking.lot_state import RULE, Lot, Shown, Space, dump, load
from rules.point import Point
from rules.rule import Json, Observation, Tick

START = 1_790_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE


def asset(spaces: int, *, devices: tuple[Assignment, ...] | None = None, **properties: object) -> Asset:
    """A lot with that many spaces and as many sensors d0, d1 … unless given."""
    listed = devices if devices is not None else tuple(Assignment(f"d{index}") for index in range(spaces))
    return Asset("lot-a", "lot", "Lot A", {"capacity": spaces, **properties}, listed, 7.8, 51.6, "mitte")


class Play:
    """A lot with its engine; every input is committed at once."""

    def __init__(self, spaces: int, *, devices: tuple[Assignment, ...] | None = None, **properties: object) -> None:
        self.engine = Engine(City([asset(spaces, devices=devices, **properties)]), [RULE])
        self.events: list[LotState] = []
        self.points: list[Point] = []
        self.inputs = 0

    def hear(self, device: str, occupied: float, at: int, measured: int | None = None) -> list[LotState]:
        """An uplink taken at `at`."""
        self.inputs += 1
        reading = (Reading(Quantity.OCCUPIED, occupied),)
        time_ms = at if measured is None else measured
        return self.give(Observation(device, device, "lot-a", time_ms, at, reading, f"c{self.inputs}"))

    def fill(self, occupied: int, of: int, at: int) -> list[LotState]:
        """Each of the sensors d0 … says its word; the first ones are occupied."""
        found = [self.hear(f"d{index}", float(index < occupied), at) for index in range(of)]
        return [event for events in found for event in events]

    def give(self, given: Observation | Tick) -> list[LotState]:
        """Any input."""
        overlay = self.engine.overlay()
        if isinstance(given, Tick):
            overlay.tick(given)
        else:
            overlay.observe(given)
        assert not overlay.failures
        self.engine.merge(overlay)
        found = cast("list[LotState]", overlay.events)
        self.events += found
        self.points += overlay.points
        return found

    def ticks(self, begin: int, end: int, step: int = 10_000) -> list[LotState]:
        """Ticks from begin to end, both included."""
        return [event for at in range(begin, end + 1, step) for event in self.give(Tick(at))]

    @property
    def now(self) -> LotState:
        """The newest event."""
        return self.events[-1]


def states(events: list[LotState]) -> list[str]:
    """What the events said."""
    return [event.data.state for event in events]


def levels(sensors: int, *counts: int) -> list[str]:
    """The states of a lot after that many occupied spaces, one after the other; cars come and go one by one."""
    play = Play(sensors)
    found: list[str] = []
    play.fill(0, sensors, START)
    for at, occupied in enumerate(counts, START + 1):
        play.fill(occupied, sensors, at)
        found.append(play.now.data.state)
    return found


def test_almost_full_comes_at_90_and_goes_at_85_percent() -> None:
    """Between 85 and 90 % the state is the one it came from."""
    assert levels(100, 89, 90, 86, 85, 89) == ["free", "almostFull", "almostFull", "free", "free"]


def test_full_comes_at_two_free_spaces_and_goes_at_three_percent() -> None:
    """A lot of 300 is full at 1 % = 3 free spaces until 3 % = 9 are free, then almost full."""
    assert levels(300, 296, 297, 292, 291) == ["almostFull", "full", "full", "almostFull"]


@pytest.mark.parametrize(
    ("capacity", "full_in"), [(1, 0), (5, 0), (10, 0), (20, 1), (40, 2), (100, 2), (200, 2), (300, 3), (1000, 10)]
)
def test_small_lots_are_not_full_while_a_fair_share_is_free(capacity: int, full_in: int) -> None:
    """Two free spaces or 1 % make a lot full, but never more than 5 % of it."""
    assert usual_full_in(capacity) == full_in


def test_a_lot_of_twenty_goes_through_all_states() -> None:
    """90 % is almost full, one free space is full, two free end that, 85 % is free again."""
    assert levels(20, 17, 18, 19, 18, 17) == ["free", "almostFull", "full", "almostFull", "free"]


@given(capacity=st.integers(1, 2000))
def test_the_limits_of_every_capacity_leave_a_gap(capacity: int) -> None:
    """Whatever the capacity, leaving a state needs at least one space more than entering it, and 0 free is full."""
    config = configure(asset(0, capacity=capacity))
    assert config.almost_out < config.almost_in <= capacity
    assert 0 <= config.full_in < config.full_out


def test_nothing_heard_is_unknown_by_the_first_tick() -> None:
    """A lot that never spoke is said to be unknown, without figures."""
    play = Play(10)
    (event,) = play.ticks(START, START + 60_000)
    data = event.data
    assert (data.state, data.reason, data.occupied, data.free, data.occupancy) == (
        "unknown",
        "no_news",
        None,
        None,
        None,
    )
    assert event.time_ms == START
    assert data.evidence[0].value is None


def test_fifteen_minutes_without_news_make_it_unknown_by_ticks_alone() -> None:
    """The state ends with its validity, not before and not later than the next tick; news make it known again."""
    play = Play(10)
    play.fill(4, 10, START)
    assert play.now.data.state == "free"
    assert play.now.valid_until_ms == START + 15 * MINUTE
    assert play.ticks(START + 10_000, START + 15 * MINUTE - 10_000) == []
    (unknown,) = play.ticks(START + 15 * MINUTE, START + 16 * MINUTE)
    assert (unknown.data.state, unknown.data.reason) == ("unknown", "no_news")
    assert states(play.hear("d0", 1.0, START + 17 * MINUTE)) == ["free"]


def test_an_unknown_state_is_renewed_by_ticks() -> None:
    """Each half validity the retained event is renewed, so it never expires while the service lives."""
    play = Play(10)
    events = play.ticks(START, START + 2 * HOUR)
    assert [event.time_ms - START for event in events[:3]] == [0, 450_000, 900_000]
    assert all(after.time_ms < before.valid_until_ms for before, after in pairwise(events))


@given(st.lists(st.integers(1, 14 * 60), min_size=5, max_size=40))
def test_a_known_state_never_expires_while_news_flow(gaps: list[int]) -> None:
    """Heartbeats that change nothing, at most 14 minutes apart: the state stays free and its validity unbroken."""
    play = Play(2)
    play.fill(0, 2, START)
    at = START
    for gap in gaps:
        play.ticks(at, at + gap * 1000, 10_000)
        at += gap * 1000
        play.hear("d0", 0.0, at)
    assert set(states(play.events[2:])) <= {"free"}
    known = [event for event in play.events if event.data.state == "free"]
    assert all(after.time_ms <= before.valid_until_ms for before, after in pairwise(known))
    assert at <= known[-1].valid_until_ms


def test_heartbeats_alone_renew_a_state() -> None:
    """At half of its validity, without a tick, even where nothing changed."""
    play = Play(2)
    play.fill(0, 2, START)
    events = [event for minute in range(1, 31) for event in play.hear("d0", 0.0, START + minute * MINUTE)]
    assert [event.time_ms - START for event in events] == [8 * MINUTE, 16 * MINUTE, 24 * MINUTE]


def test_the_trend_of_a_lot_begins_anew_after_a_silence() -> None:
    """What was before an unknown state says nothing about the half hour after it."""
    play = Play(10)
    play.fill(2, 10, START)
    play.fill(8, 10, START + 14 * MINUTE)
    play.ticks(START + 29 * MINUTE, START + 30 * MINUTE)
    play.fill(2, 10, START + 31 * MINUTE)
    trends = {event.time_ms - START: event.data.trend for event in play.events}
    assert [trends[minute * MINUTE] for minute in (14, 29, 31)] == ["increasingQuickly", None, "unknown"]


def test_no_state_is_valid_longer_than_its_news() -> None:
    """A reading that came ten minutes late makes the lot known for five minutes only."""
    play = Play(1)
    (event,) = play.hear("d0", 0.0, START, measured=START - 10 * MINUTE)
    assert event.valid_until_ms == START + 5 * MINUTE


def test_heartbeats_that_change_nothing_say_nothing() -> None:
    """An event comes on change and on renewal, not with every uplink."""
    play = Play(10)
    play.fill(4, 10, START)
    before = len(play.events)
    play.fill(4, 10, START + MINUTE)
    assert len(play.events) == before


def test_every_change_of_the_count_is_said_and_stored() -> None:
    """The event and the derived point carry occupied, free and occupancy."""
    play = Play(10)
    play.fill(4, 10, START)
    (event,) = play.hear("d4", 1.0, START + MINUTE)
    data = event.data
    assert (data.occupied, data.free, data.occupancy, data.coverage, data.estimated) == (5, 5, 0.5, 1.0, False)
    point = play.points[-1]
    assert point.measurement == "asset"
    assert dict(point.tags) == {"asset": "lot-a", "district": "mitte", "kind": "lot"}
    expected = {"latitude": 51.6, "longitude": 7.8, "state": 0.0, "occupied": 5, "free": 5, "occupancy": 0.5}
    expected |= {"uncertainty": 1}
    assert dict(point.fields) == expected
    assert (point.time_ms, point.privacy) == (START + MINUTE, Privacy.OPEN)


def test_figures_of_tiny_lots_stay_inside() -> None:
    """Under five spaces the derived point is internal: it tells of single cars."""
    play = Play(4)
    play.fill(1, 4, START)
    assert play.points[-1].privacy is Privacy.INTERNAL


def test_late_data_reopen_nothing() -> None:
    """A reading measured before the newest used one of its sensor changes neither state nor events nor validity."""
    play = Play(2)
    play.fill(2, 2, START)
    before = play.engine.state(0)
    assert play.hear("d0", 0.0, START + MINUTE, measured=START - 1) == []
    assert play.engine.state(0) == before


def test_a_clock_far_ahead_moves_nothing() -> None:
    """Two minutes ahead of the network server is believed, more is not."""
    play = Play(2)
    play.fill(0, 2, START)
    assert play.hear("d0", 1.0, START + 1000, measured=START + 1001 + 120_000) == []
    (event,) = play.hear("d0", 1.0, START + 1000, measured=START + 1000 + 120_000)
    assert event.valid_until_ms == START + 1000 + 15 * MINUTE


def test_old_news_leave_an_unknown_lot_unknown() -> None:
    """What was measured over 15 minutes ago is counted but makes nothing known."""
    play = Play(1)
    play.give(Tick(START))
    assert play.hear("d0", 1.0, START + 1000, measured=START - 15 * MINUTE) == []


def test_values_that_are_no_flag_are_no_news() -> None:
    """An occupancy of 0.5 is not used."""
    assert Play(1).hear("d0", 0.5, START) == []


def test_other_readings_are_no_news() -> None:
    """A battery report does not keep the state alive."""
    play = Play(1)
    reading = (Reading(Quantity.BATTERY_VOLTAGE, 3.5),)
    assert play.give(Observation("d0", "d0", "lot-a", START, START, reading, "c")) == []


def test_lots_with_few_sensors_are_estimated() -> None:
    """Spaces without a sensor are taken to be like the others, and the event says so."""
    play = Play(10, capacity=40)
    play.fill(5, 10, START)
    data = play.now.data
    assert (data.occupied, data.free, data.coverage, data.estimated) == (20, 20, 0.25, True)


def test_too_few_working_sensors_make_it_unknown() -> None:
    """Below half of the installed sensors a lot is not judged."""
    play = Play(10)
    assert states(play.fill(0, 4, START)) == ["unknown"]
    assert play.now.data.reason == "too_few_sensors"
    assert states(play.hear("d4", 1.0, START)) == ["free"]
    assert play.now.data.occupied == 2


def test_a_silent_sensor_counts_no_more() -> None:
    """After 26 hours without a word of its own a space is estimated from the others; a word brings it back."""
    play = Play(4)
    play.fill(2, 4, START)
    at = START
    while at < START + 26 * HOUR:
        at += 10 * MINUTE
        for index in range(1, 4):
            play.hear(f"d{index}", float(index < 2), at)
    play.ticks(at, at + MINUTE)
    data = play.now.data
    assert (data.occupied, data.coverage, data.estimated) == (1, 0.75, True)
    (event,) = play.hear("d0", 1.0, at + 2 * MINUTE)
    assert (event.data.occupied, event.data.estimated) == (2, False)


def test_a_replaced_sensor_leaves_the_count_on_its_day() -> None:
    """Old and new sensor of one space are never counted both."""
    change = START + HOUR
    play = Play(1, devices=(Assignment("old", valid_to_ms=change), Assignment("new", valid_from_ms=change)))
    assert states(play.hear("old", 1.0, change - MINUTE)) == ["full"]
    (event,) = play.ticks(change, change)
    assert (event.data.state, event.data.reason) == ("unknown", "too_few_sensors")
    (event,) = play.hear("new", 0.0, change + MINUTE)
    assert (event.data.occupied, event.data.coverage) == (0, 1.0)


def test_a_closed_lot_is_closed_whatever_its_sensors_say() -> None:
    """It offers no space, and the state is renewed without news."""
    play = Play(2, closed=True)
    events = play.ticks(START, START + HOUR)
    play.fill(0, 2, START + HOUR)
    assert set(states(play.events)) == {"closed"}
    assert {event.data.free for event in play.events} == {0}
    assert len(events) == 9


def test_more_sensors_heard_than_spaces_never_exceed_the_capacity() -> None:
    """Devices that the file does not list (tags) may be one too many: occupied stays within the capacity."""
    play = Play(2, devices=(), sensors=2)
    play.fill(3, 3, START)
    assert (play.now.data.occupied, play.now.data.free) == (2, 0)


def test_evidence_names_what_decided() -> None:
    """Count, threshold, hysteresis, samples, coverage, age and devices stand in the event."""
    play = Play(20)
    play.fill(18, 20, START)
    evidence = play.now.data.evidence[0]
    assert (evidence.quantity, evidence.unit, evidence.value, evidence.threshold, evidence.hysteresis) == (
        "occupied",
        "1",
        18.0,
        18.0,
        1.0,
    )
    assert (evidence.n_samples, evidence.coverage_pct, evidence.age_s, len(evidence.sources)) == (20, 100.0, 0.0, 8)


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({}, "'capacity' is missing, expected a whole number"),
        ({"capacity": 0}, "'capacity' is 0"),
        ({"capacity": True}, "'capacity' is True"),
        ({"capacity": 1.5}, "'capacity' is 1.5"),
        ({"capacity": 1}, "'capacity' is 1, expected at least its 2 sensors"),
        ({"capacity": 9, "closed": "no"}, "'closed' is 'no', expected true or false"),
        ({"capacity": 9, "almost_full_percent": 101}, "'almost_full_percent' is 101, expected a number from 1 to 100"),
        ({"capacity": 9, "almost_full_until_percent": 90}, "less than almost_full_percent (90)"),
        ({"capacity": 9, "unknown_after_s": 0}, "'unknown_after_s' is 0"),
        ({"capacity": 9, "unknown_after_s": 901}, "'unknown_after_s' is 901, expected a whole number from 60 to 900"),
        ({"capacity": 9, "sensors": 10}, "'sensors' is 10"),
        ({"capacity": 9, "full_free_spaces": 9}, "'full_free_spaces' is 9"),
    ],
)
def test_wrong_parameters_are_named(properties: dict[str, object], complaint: str) -> None:
    """The error names the feature, the property and what was expected."""
    devices = (Assignment("d0"), Assignment("d1"))
    with pytest.raises(CityError, match="feature 'lot-a'") as caught:
        configure(Asset("lot-a", "lot", "Lot A", properties, devices, 7.8, 51.6))
    assert complaint in str(caught.value)


def test_the_capacity_bounds_sensors_at_one_time_only() -> None:
    """Two sensors one after the other fit one space."""
    devices = (Assignment("d0"), Assignment("d1", valid_to_ms=START), Assignment("d2", valid_from_ms=START))
    assert configure(asset(0, capacity=2, devices=devices)).capacity == 2


TIMES = st.integers(0, 1 << 52)
SPACES = st.builds(Space, TIMES, st.booleans())
LEVELS = st.sampled_from(["free", "almostFull", "full"])
REASONS = st.sampled_from(["counted", "closed", "no_news", "too_few_sensors"])
SHOWN = st.builds(Shown, REASONS, LEVELS, st.none() | st.integers(0, 9), TIMES)
LOTS = st.builds(
    Lot,
    st.dictionaries(st.text(max_size=16), SPACES, max_size=5),
    TIMES,
    st.integers(0, 9),
    st.integers(0, 9),
    TIMES,
    LEVELS,
    st.none() | SHOWN,
    st.none(),
    st.lists(st.tuples(TIMES, st.integers(0, 9)), max_size=7).map(tuple),
)
through_json: Callable[[Json], Json] = lambda body: cast("Json", json.loads(json.dumps(body)))  # noqa: E731 - one line


@given(LOTS)
def test_state_survives_being_kept(lot: Lot) -> None:
    """Dumped to JSON and loaded it is equal; another version's state is not taken up."""
    config = configure(asset(2))
    assert load(config, RULE.version, through_json(dump(lot))) == lot
    assert load(config, RULE.version + 1, through_json(dump(lot))) is None


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 40 * MINUTE)), max_size=60))
def test_counts_kept_on_the_way_equal_a_count_from_scratch(steps: list[tuple[int, bool, int]]) -> None:
    """After any sequence of words and pauses the figures are those of the sensors heard within the silence."""
    play = Play(6, space_silent_s=3600, min_working_percent=0)
    at, words = START, dict[int, tuple[int, bool]]()
    for index, occupied, pause in steps:
        at += pause
        words[index] = (at, occupied)
        play.hear(f"d{index}", float(occupied), at)
        live = [word for heard, word in words.values() if heard + 3_600_000 > at]
        lot = play.engine.state(0)
        assert (lot.working, lot.taken) == (len(live), sum(live))
