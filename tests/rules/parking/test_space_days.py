"""The daily look at a lot's spaces: stays, overstays, and sensors that do not behave as their neighbours."""

import json
from collections.abc import Mapping
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Privacy, Quantity
from rules.asset import Asset, Assignment, CityError
from rules.event_parking import SensorSuspicion
from rules.local_time import day_of
from rules.parking.gates import MOST_WAITING
from rules.parking.space_days import RULE, configure, dump, load
from rules.parking.space_record import Days
from rules.point import Point
from rules.rule import Json, Observation, Tick

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = 1_789_941_600_000
"""Midnight in Germany, 21 September 2026."""
COUNTERS = (Assignment("in", properties={"counts": "in"}), Assignment("out", properties={"counts": "out"}))


def asset(spaces: int, given: Mapping[str, object], *, gates: bool = False) -> Asset:
    """A lot with a sensor in every space, with counters at its gates if wanted."""
    sensors = tuple(Assignment(f"s{index}") for index in range(spaces))
    return Asset("lot", "lot", "Lot", {"capacity": spaces, **given}, sensors + COUNTERS * gates, 7.8, 51.6, "mitte")


class Play:
    """A lot by the rule itself."""

    def __init__(self, spaces: int = 6, given: Mapping[str, object] | None = None, *, gates: bool = False) -> None:
        self.config = configure(asset(spaces, given or {"max_stay_s": 7200}, gates=gates))
        self.days: Days = RULE.initial(self.config)
        self.events: list[SensorSuspicion] = []
        self.points: list[Point] = []

    def give(self, given: Observation | Tick) -> None:
        """Any input."""
        self.days, outputs = RULE.step(self.config, self.days, given)
        self.events += cast("tuple[SensorSuspicion, ...]", outputs.events)
        self.points += outputs.points

    def say(
        self,
        device: str,
        value: float,
        at: int,
        quantity: Quantity = Quantity.OCCUPIED,
        heard: int | None = None,
    ) -> None:
        """A device's word, measured at `at`."""
        now = at if heard is None else heard
        self.give(Observation(device, device, "lot", at, now, (Reading(quantity, value),), f"{device}{at}{value}", now))

    def park(self, space: int, begin: int, stay: int) -> None:
        """A car comes and leaves again."""
        self.say(f"s{space}", 1, begin)
        self.say(f"s{space}", 0, begin + stay)

    def all_free(self, at: int, spaces: int = 6) -> None:
        """Every sensor says free."""
        for space in range(spaces):
            self.say(f"s{space}", 0, at)

    def figures(self, day: int) -> dict[str, float | str]:
        """The figures of the n-th day, after its end."""
        (point,) = [each for each in self.points if each.time_ms == START + day * DAY]
        return {name: value for name, value in point.fields if name not in {"latitude", "longitude"}}

    def suspects(self) -> list[tuple[str, str]]:
        """Whom the newest event names."""
        return [(each.dev_eui, each.fault) for each in self.events[-1].data.suspects] if self.events else []


def test_stays_and_overstays_are_figures_of_a_day() -> None:
    """Six stays, one of them over two hours; told at the end of the day with its begin as time, by lot alone."""
    play = Play()
    play.all_free(START)
    for space in range(5):
        play.park(space, START + 8 * HOUR, HOUR)
    play.park(5, START + 9 * HOUR, 3 * HOUR)
    assert play.points == []
    play.give(Tick(START + DAY))
    assert play.figures(0) == {"stays": 6, "sensors_heard": 6, "overstays": 1, "stay_mean": 4800}
    point = play.points[0]
    assert (dict(point.tags), point.privacy) == ({"asset": "lot", "district": "mitte", "kind": "lot"}, Privacy.OPEN)


def test_exactly_the_limit_is_no_overstay() -> None:
    """Two hours are allowed, a second more is not."""
    for stay, over in ((2 * HOUR, 0), (2 * HOUR + 1000, 1)):
        play = Play()
        play.all_free(START)
        play.park(0, START + HOUR, stay)
        play.give(Tick(START + DAY))
        assert play.figures(0)["overstays"] == over


def test_an_overstay_counts_once_on_the_day_on_which_it_passed_the_limit() -> None:
    """A car from ten in the evening to two in the afternoon passes it at midnight: the next day's."""
    play = Play()
    play.all_free(START)
    play.say("s0", 1, START + 23 * HOUR)
    play.give(Tick(START + DAY))
    play.say("s0", 0, START + DAY + 14 * HOUR)
    play.give(Tick(START + 2 * DAY))
    assert [play.figures(day)["overstays"] for day in (0, 1)] == [0, 1]


def test_a_stay_that_goes_on_counts_on_its_day_and_no_other() -> None:
    """A car that stays for three days is one overstay, of the first."""
    play = Play()
    play.all_free(START)
    play.say("s0", 1, START + 8 * HOUR)
    for day in range(3):
        for hour in range(9, 24):
            play.say("s0", 1, START + day * DAY + hour * HOUR)
        play.give(Tick(START + (day + 1) * DAY))
    play.say("s0", 0, START + 3 * DAY + HOUR)
    play.give(Tick(START + 4 * DAY))
    assert [play.figures(day)["overstays"] for day in range(4)] == [1, 0, 0, 0]


def test_few_stays_have_no_mean() -> None:
    """Under five it would tell of single cars."""
    play = Play()
    play.all_free(START)
    for space in range(4):
        play.park(space, START + HOUR, HOUR)
    play.give(Tick(START + DAY))
    assert play.figures(0) == {"stays": 4, "sensors_heard": 6, "overstays": 0}


def test_lots_under_five_spaces_stay_inside() -> None:
    """Their figures are internal."""
    play = Play(4)
    play.all_free(START, 4)
    play.give(Tick(START + DAY))
    assert play.points[0].privacy is Privacy.INTERNAL


def test_without_a_limit_there_are_no_overstays() -> None:
    """Cars may stay as long as they like."""
    play = Play(6, {"capacity": 6})
    play.all_free(START)
    play.park(0, START + HOUR, 20 * HOUR)
    play.give(Tick(START + DAY))
    assert play.figures(0) == {"stays": 1, "sensors_heard": 6}


def test_a_stay_whose_begin_is_unknown_is_none() -> None:
    """A first word `occupied`, and a change after a long silence, begin no stay that could be told the length of."""
    play = Play()
    play.all_free(START)
    play.days = play.days._replace(spaces={})
    play.say("s0", 1, START + HOUR)
    play.say("s0", 0, START + 2 * HOUR)
    play.say("s1", 0, START + HOUR)
    play.say("s1", 1, START + 3 * HOUR)
    play.say("s1", 0, START + 30 * HOUR)
    play.say("s2", 0, START + HOUR)
    play.say("s2", 1, START + 31 * HOUR)
    play.say("s2", 0, START + 32 * HOUR)
    play.give(Tick(START + 2 * DAY))
    assert [point for point in play.points if dict(point.fields)["stays"]] == []


def test_a_day_without_news_gives_no_figures() -> None:
    """A network that is down for two days is no lot in which nobody parks."""
    play = Play()
    play.all_free(START)
    for day in (1, 2, 3):
        play.give(Tick(START + day * DAY))
    assert [point.time_ms for point in play.points] == [START]


def test_days_follow_the_citys_clock() -> None:
    """The day on which the clocks go back has 25 hours."""
    play = Play()
    begin, end = day_of("Europe/Berlin", 1_792_926_000_000)
    assert end - begin == 25 * HOUR
    play.all_free(begin)
    assert RULE.wake(play.config, play.days) == end
    play.give(Tick(end - 1))
    assert play.points == []
    play.give(Tick(end))
    assert [point.time_ms for point in play.points] == [begin]


def test_late_words_reopen_nothing() -> None:
    """A word older than the newest remembered one of its space changes nothing, nor one from the future."""
    play = Play()
    play.all_free(START + 5 * HOUR)
    before = play.days
    play.say("s0", 1, START + 4 * HOUR, heard=START + 6 * HOUR)
    play.say("s0", 1, START + 7 * HOUR, heard=START + 6 * HOUR)
    play.say("s0", 0.5, START + 6 * HOUR)
    play.say("s0", 1, START + 6 * HOUR, Quantity.BATTERY_LEVEL)
    assert play.days is before


def test_words_that_change_nothing_leave_the_state_alone() -> None:
    """But for one an hour, which keeps the space known."""
    play = Play()
    play.all_free(START)
    before = play.days
    play.say("s0", 0, START + HOUR - 1)
    assert play.days is before
    play.say("s0", 0, START + HOUR)
    assert play.days.spaces["s0"].newest_ms == START + HOUR


def live(play: Play, day: int, changing: range, *, still: Mapping[int, int], full: bool = False) -> None:
    """A day on which the spaces change ten times each while others stand still; full ones overlap."""
    begin = START + day * DAY
    for space, value in still.items():
        for hour in range(0, 24, 6):
            play.say(f"s{space}", value, begin + hour * HOUR)
    for turn in range(5):
        at = begin + (8 + 2 * turn) * HOUR
        for space in changing:
            play.say(f"s{space}", 1, at + space * MINUTE)
            if not full:
                play.say(f"s{space}", 0, at + space * MINUTE + 30_000)
        for space in changing if full else ():
            play.say(f"s{space}", 0, at + HOUR + space * MINUTE)
    play.give(Tick(begin + DAY))


def test_a_space_that_stays_taken_while_its_neighbours_change_is_suspected() -> None:
    """After thirty changes of the median neighbour (three days here), cleared with its first change."""
    play = Play()
    play.all_free(START)
    play.say("s5", 1, START + HOUR)
    for day in range(5):
        live(play, day, range(5), still={5: 1})
        assert bool(play.events) == (day >= 3), day
    data = play.events[-1].data
    assert (data.state, play.suspects(), data.sensors) == ("suspicious", [("s5", "stuck_occupied")], 6)
    assert data.text_de == "Ein Stellplatzsensor ist auffällig: bitte vor Ort prüfen."
    assert data.evidence[0].value == 10
    assert data.evidence[0].sources == ("s5",)
    play.say("s5", 0, START + 5 * DAY + HOUR)
    play.say("s5", 1, START + 5 * DAY + 2 * HOUR)
    live(play, 5, range(5), still={})
    assert (play.events[-1].data.state, play.suspects()) == ("ok", [])
    said = len(play.events)
    live(play, 6, range(5), still={5: 0})
    assert len(play.events) == said


def test_a_space_that_stays_free_is_suspected_only_where_the_lot_was_full() -> None:
    """In a lot that never fills, the far corner may stay empty for ever."""
    for full in (False, True):
        play = Play(12)
        play.all_free(START, 12)
        for day in range(6):
            live(play, day, range(11), still={11: 0}, full=full)
        assert play.suspects() == ([("s11", "stuck_free")] if full else [])


def test_a_quiet_lot_suspects_nobody() -> None:
    """Where hardly a car comes, standing still is no sign."""
    play = Play()
    play.all_free(START)
    for day in range(20):
        for hour in range(0, 24, 6):
            play.all_free(START + day * DAY + hour * HOUR)
        play.give(Tick(START + (day + 1) * DAY))
    assert play.events == []


def test_few_neighbours_are_none_to_compare_with() -> None:
    """Under five sensors heard on a day, nobody is judged."""
    play = Play(4)
    play.all_free(START, 4)
    for day in range(8):
        live(play, day, range(3), still={3: 1})
    assert play.events == []


def gate_night(play: Play, day: int, flicker: int, *, counted: int = 0) -> None:
    """A night in which one sensor changes every hour, and the counters speak every ten minutes."""
    begin = START + day * DAY
    value, count = 0, 100.0
    for minute in range(0, 24 * 60, 10):
        at = begin + minute * MINUTE
        if minute % 60 == 30 and minute < 8 * 60:
            value = 1 - value
            play.say(f"s{flicker}", value, at)
            count += counted
        for gate in ("in", "out"):
            play.say(gate, count + day * 1000 * (counted > 0), at + MINUTE, Quantity.VEHICLE_COUNT_TOTAL)
        if minute % 360 == 0:
            for space in set(range(6)) - {flicker}:
                play.say(f"s{space}", 0, at)
    play.give(Tick(begin + DAY))


def test_a_sensor_that_contradicts_the_counters_is_suspected() -> None:
    """Eight changes in a night in which no car passed a gate; where cars passed, none is held against it."""
    for counted, expected in ((0, [("s2", "contradicts_counters")]), (1, [])):
        play = Play(gates=True)
        play.all_free(START)
        gate_night(play, 0, 2, counted=counted)
        assert play.suspects() == expected


@pytest.mark.parametrize(("gate", "before", "expected"), [("in", 10, []), ("out", 10, ["s0"]), ("in", 20, ["s0"])])
def test_a_car_that_parks_came_in_shortly_before(gate: str, before: int, expected: list[str]) -> None:
    """Ten minutes before is in time; twenty are not, and a car that went out is none that came in."""
    play = Play(given={"unseen_changes": 1}, gates=True)
    counts = {"in": 5.0, "out": 5.0}
    parks = START + 5 * HOUR
    for minute in range(-120, 61, 10):
        if minute == -120:
            play.all_free(parks - 2 * HOUR)
        if minute == 0:
            play.say("s0", 1, parks)
        counts[gate] += minute == -before
        for way, count in counts.items():
            play.say(way, count, parks + minute * MINUTE, Quantity.VEHICLE_COUNT_TOTAL)
    play.give(Tick(START + DAY))
    assert [device for device, _ in play.suspects()] == expected


def test_a_day_without_news_neither_clears_nor_raises_a_suspicion() -> None:
    """When the network is down, and where a handful of sensors is all there is, nobody is judged."""
    play = Play(gates=True)
    play.all_free(START)
    gate_night(play, 0, 2)
    said = len(play.events)
    assert said == 1
    play.give(Tick(START + 2 * DAY))
    assert (len(play.events), bool(play.days.suspects)) == (said, True)
    few = Play(given={"stuck_least_sensors": 7}, gates=True)
    few.all_free(START)
    gate_night(few, 0, 2)
    assert few.events == []


def test_silent_counters_hold_nothing_against_a_sensor() -> None:
    """Without the counters' word a change waits, and of too many the oldest are let go."""
    play = Play(gates=True)
    play.all_free(START)
    for change in range(200):
        play.say("s0", float(change % 2 == 0), START + change * MINUTE)
    assert len(play.days.gates.waiting) == MOST_WAITING
    play.give(Tick(START + DAY))
    assert play.events == []


def test_a_dead_counter_is_not_blamed_on_the_sensors() -> None:
    """When the changes of the median space go unseen, it is the counters that see nothing."""
    play = Play(gates=True)
    play.all_free(START)
    for hour in range(20):
        for space in range(6):
            play.say(f"s{space}", float(hour % 2 == 0), START + hour * HOUR)
        for gate in ("in", "out"):
            play.say(gate, 5.0, START + hour * HOUR + 30 * MINUTE, Quantity.VEHICLE_COUNT_TOTAL)
    play.give(Tick(START + DAY))
    assert play.events == []


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"max_stay_s": -1}, "'max_stay_s' is -1"),
        ({"stuck_changes": 0}, "'stuck_changes' is 0"),
        ({"stuck_least_sensors": 1}, "'stuck_least_sensors' is 1"),
        ({"timezone": 5}, "'timezone' is 5"),
    ],
)
def test_wrong_parameters_are_named(properties: dict[str, object], complaint: str) -> None:
    """The error names the feature, the property and what was expected."""
    with pytest.raises(CityError, match="feature 'lot'") as caught:
        configure(asset(6, properties))
    assert complaint in str(caught.value)


def test_no_event_or_figure_tells_of_a_space_and_a_time() -> None:
    """A suspicion holds no time but its own, the day's end and the newest word in the lot; figures hold no device."""
    play = Play()
    play.all_free(START)
    came = START + HOUR
    play.say("s5", 1, came)
    for day in range(4):
        live(play, day, range(5), still={5: 1})
    assert play.suspects() == [("s5", "stuck_occupied")]
    assert "T23:00:00" not in play.events[-1].payload().decode()
    assert set(json.loads(play.events[-1].payload())["data"]["suspects"][0]) == {"dev_eui", "fault"}
    assert all("dev_eui" not in dict(point.tags) and "device" not in dict(point.tags) for point in play.points)


STEPS = st.lists(
    st.tuples(st.sampled_from(["s0", "s1", "s2", "in", "out", "tick"]), st.integers(0, 3), st.integers(0, 9 * HOUR)),
    min_size=1,
    max_size=50,
)


@given(STEPS, st.integers(0, 49))
def test_a_state_that_was_kept_on_the_way_says_the_same(steps: list[tuple[str, int, int]], stop: int) -> None:
    """Dumped and loaded between any two inputs, the same points and bytes follow; a replay gives them again."""
    told = []
    for kept in (False, False, True):
        play, at, count = Play(6, {"stuck_least_sensors": 2, "stuck_changes": 1}, gates=True), START, 0.0
        for number, (device, value, pause) in enumerate(steps):
            at += pause
            if device == "tick":
                play.give(Tick(at))
            elif device in {"in", "out"}:
                count += value
                play.say(device, count, at, Quantity.VEHICLE_COUNT_TOTAL)
            else:
                play.say(device, float(value % 2), at)
            if kept and number == stop:
                found = load(play.config, RULE.version, cast("Json", json.loads(json.dumps(dump(play.days)))))
                assert found == play.days
                play.days = found
        told.append(([event.payload() for event in play.events], play.points))
        taken = sum(space.occupied for space in play.days.spaces.values())
        assert play.days.taken == taken
    assert told[0] == told[1] == told[2]
    assert load(play.config, RULE.version + 1, dump(play.days)) is None
