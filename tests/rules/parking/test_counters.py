"""The state of a lot by counters at its entry and exit, alone and beside space sensors, in good and bad situations."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Asset, Assignment, CityError
from rules.event import LotState, LotStateData
from rules.parking.lot import Lot
from rules.parking.lot_state import RULE, configure, dump, load
from rules.rule import Json, Observation, Outputs, Tick

MINUTE, HOUR = 60_000, 3_600_000
NIGHT = 1_790_042_400_000
"""Four in the morning in Germany, 22 September 2026."""
COUNTERS = (Assignment("in", properties={"counts": "in"}), Assignment("out", properties={"counts": "out"}))

GATE = Assignment("gate", properties={"counts": {"ltr": "in", "rtl": "out"}})


def asset(
    capacity: int = 100,
    sensors: int = 0,
    given: Mapping[str, object] | None = None,
    *,
    devices: Sequence[Assignment] = COUNTERS,
) -> Asset:
    """A lot with two counters, that many space sensors, and 4 cars at night where it has none."""
    spaces = tuple(Assignment(f"s{index}") for index in range(sensors))
    properties = {} if sensors else {"night_occupied": 4}
    return Asset(
        "lot", "lot", "Lot", {"capacity": capacity, **properties, **(given or {})}, (*devices, *spaces), 7.8, 51.6
    )


class Play:
    """A lot by the rule itself; `go` lets both counters speak every five minutes."""

    def __init__(self, capacity: int = 100, sensors: int = 0) -> None:
        self.config = configure(asset(capacity, sensors))
        self.lot: Lot = RULE.initial(self.config)
        self.at = NIGHT
        self.counts = {"in": 1000.0, "out": 1000.0}
        self.events: list[LotState] = []

    @property
    def now(self) -> LotStateData:
        """What the newest event says."""
        return self.events[-1].data

    def take(self, outputs: tuple[Lot, Outputs]) -> None:
        """Keep state and events of a step."""
        self.lot = outputs[0]
        self.events += cast("tuple[LotState, ...]", outputs[1].events)

    def say(
        self, device: str, value: float, quantity: Quantity = Quantity.VEHICLE_COUNT_TOTAL, measured: int | None = None
    ) -> None:
        """A device's word at this time."""
        at = self.at if measured is None else measured
        cause = f"{device}{self.at}{measured}{value}"
        self.take(
            RULE.step(
                self.config,
                self.lot,
                Observation(device, device, "lot", at, self.at, (Reading(quantity, value),), cause, self.at),
            )
        )

    def speak(self) -> None:
        """Both counters say their counts."""
        for way, value in self.counts.items():
            self.say(way, value)

    def go(self, minutes: int, entering: int = 0, leaving: int = 0) -> None:
        """Time passes, and so many cars pass at its begin."""
        if entering or leaving:
            self.counts["in"] += entering
            self.counts["out"] += leaving
        for _ in range(0, minutes, 5):
            self.speak()
            self.at += 5 * MINUTE
        self.tick()

    def tick(self) -> None:
        """A tick at this time."""
        self.take(RULE.step(self.config, self.lot, Tick(self.at)))

    def sense(self, taken: int, of: int) -> None:
        """All space sensors speak; the first ones are taken."""
        for index in range(of):
            self.say(f"s{index}", float(index < taken), Quantity.OCCUPIED)


def anchored(capacity: int = 100) -> Play:
    """A lot whose balance was anchored at four cars in a quiet night; it is half past four."""
    play = Play(capacity)
    play.go(30)
    assert play.now.occupied == 4
    return play


def test_a_balance_is_unknown_until_its_first_night() -> None:
    """Counters that begin by day say nothing about what stands in the lot."""
    play = Play()
    play.at = NIGHT + 6 * HOUR
    play.go(60, 10, 2)
    assert (play.now.state, play.now.reason, play.now.occupied, play.now.basis) == (
        "unknown",
        "too_uncertain",
        None,
        None,
    )


def test_cars_in_and_out_are_the_balance() -> None:
    """Four at night, sixty in, ten out: 54, free, with what it stands on and how sure it is."""
    play = anchored()
    play.go(60, 60, 10)
    data = play.now
    assert (data.state, data.occupied, data.free, data.basis, data.estimated) == ("free", 54, 46, "counters", False)
    assert data.uncertainty is not None
    assert 2 <= data.uncertainty <= 8
    balance, ratio = data.evidence
    assert (balance.quantity, balance.value, balance.n_samples) == ("vehicle_count_total", 54, 70)
    assert (ratio.quantity, ratio.value, ratio.n_samples) == ("count_ratio", 1.0, 0)
    assert set(balance.sources) == {"in", "out"}


def test_lost_words_of_a_counter_lose_no_cars() -> None:
    """Counts go on while words are lost: after two hours of silence the balance is as if all had been heard."""
    play = anchored()
    play.at += 2 * HOUR
    play.tick()
    assert (play.now.state, play.now.reason) == ("unknown", "no_news")
    play.go(10, 60, 10)
    assert (play.now.state, play.now.occupied) == ("free", 54)


@pytest.mark.parametrize(("before", "after"), [(65_530, 4), (2**24 - 3, 7), (2**32 - 1, 9)])
def test_a_counter_that_wraps_goes_on(before: int, after: int) -> None:
    """Ten cars over the end of 16, 24 or 32 bits are ten cars."""
    play = Play()
    play.counts["in"] = float(before)
    play.go(30)
    play.counts["in"] = float(after)
    play.go(10)
    assert play.now.occupied == 14
    assert play.lot.counters is not None
    assert play.lot.counters.breaks == 0


def test_a_counter_reset_in_the_middle_counts_from_zero_and_widens_the_uncertainty() -> None:
    """The cars since the restart count, those before it may be missing, and that night teaches no ratio."""
    play = anchored()
    play.go(10, 40)
    sure = play.now.uncertainty
    play.counts["in"] = 6
    play.go(10)
    assert play.now.occupied == 50
    assert sure is not None
    assert play.now.uncertainty is not None
    assert play.now.uncertainty >= sure + 3
    play.go(10, 0, 40)
    play.at = NIGHT + 23 * HOUR
    play.go(60)
    assert play.lot.counters is not None
    assert (play.lot.counters.nights, play.lot.counters.breaks) == (0, 0)
    assert play.lot.counters.ratio == 1


def test_a_count_that_jumps_is_not_believed() -> None:
    """Ten thousand cars in five minutes are none; the count goes on from there, less sure."""
    play = anchored()
    play.go(10, 10_000)
    assert play.now.occupied == 4
    play.go(10, 10)
    assert play.now.occupied == 14
    assert play.lot.counters is not None
    assert play.lot.counters.breaks == 1


def test_too_many_breaks_make_the_balance_unknown() -> None:
    """A counter that restarts again and again tells nothing any more."""
    play = anchored()
    for _ in range(6):
        play.counts["in"] = 0.0
        play.go(5)
        play.counts["in"] = 5.0
        play.go(5)
    assert (play.now.state, play.now.reason) == ("unknown", "too_uncertain")


@pytest.mark.parametrize("stuck", ["in", "out"])
def test_a_stuck_counter_ends_as_unknown_not_as_free(stuck: str) -> None:
    """While cars pass the other way only, the balance runs against the wall and says that it is too uncertain."""
    play = anchored()
    play.go(10, 60, 0)
    for _ in range(20):
        play.go(10, 0 if stuck == "in" else 20, 0 if stuck == "out" else 20)
    assert (play.now.state, play.now.reason) == ("unknown", "too_uncertain")


def test_one_silent_counter_of_two_makes_it_unknown() -> None:
    """The exit speaks on, the entry is silent for a quarter of an hour: no news."""
    play = anchored()
    for _ in range(4):
        play.say("out", play.counts["out"])
        play.at += 5 * MINUTE
    play.tick()
    assert (play.now.state, play.now.reason) == ("unknown", "no_news")


def test_counts_delayed_by_an_hour_make_nothing_known() -> None:
    """Whatever was measured over a quarter of an hour ago is counted, but no state stands on it."""
    play = anchored()
    play.at += 2 * HOUR
    play.tick()
    before = len(play.events)
    for way in ("in", "out"):
        play.say(way, play.counts[way] + 20, measured=play.at - HOUR)
    assert len(play.events) == before
    assert play.now.state == "unknown"
    assert play.lot.counters is not None
    assert play.lot.counters.entered == 20


def test_late_counts_reopen_nothing() -> None:
    """A count measured before the newest used one of its counter changes nothing."""
    play = anchored()
    play.go(10, 10)
    before = play.lot
    play.say("in", 1001.0, measured=play.at - 20 * MINUTE)
    assert play.lot is before


def test_a_clock_far_ahead_moves_nothing() -> None:
    """Counts from over two minutes in the future are not used."""
    play = anchored()
    before = play.lot
    play.say("in", 1050.0, measured=play.at + 2 * MINUTE + 1)
    assert play.lot is before


def test_amounts_of_an_interval_add_up_too() -> None:
    """A counter without a running count tells amounts; those that come twice with one time count once."""
    play = Play()
    for _ in range(6):
        play.say("in", 0.0, Quantity.VEHICLE_COUNT)
        play.say("out", 0.0, Quantity.VEHICLE_COUNT)
        play.at += 5 * MINUTE
    play.say("in", 7.0, Quantity.VEHICLE_COUNT)
    play.say("in", 7.0, Quantity.VEHICLE_COUNT)
    assert play.now.occupied == 11


def test_amounts_beside_a_running_count_count_once() -> None:
    """Where a measurement holds both, as conditioning leaves it, the running count alone is used."""
    play = anchored()
    both = (Reading(Quantity.VEHICLE_COUNT_TOTAL, 1010.0), Reading(Quantity.VEHICLE_COUNT, 10.0))
    play.take(RULE.step(play.config, play.lot, Observation("in", "in", "lot", play.at, play.at, both, "c", play.at)))
    assert play.now.occupied == 14


def test_one_device_may_count_both_ways_by_channel() -> None:
    """`counts` names the way of each channel; a channel it does not name is not used."""
    config = configure(asset(devices=(GATE,)))
    lot, at = RULE.initial(config), NIGHT
    for step in range(8):
        counts = {"ltr": 10.0 + step, "rtl": 10.0, "cat1": 500.0 * step}
        readings = tuple(Reading(Quantity.VEHICLE_COUNT_TOTAL, value, channel) for channel, value in counts.items())
        lot, _ = RULE.step(config, lot, Observation("gate", "gate", "lot", at, at, readings, f"c{step}", at))
        at += 5 * MINUTE
    assert lot.counters is not None
    assert (lot.counters.entered, lot.counters.left) == (7, 0)


def test_a_counter_that_was_replaced_leaves_the_balance_to_its_successor() -> None:
    """The old one may be silent from its last day on; the new one begins with a break in the count."""
    change = NIGHT + 2 * HOUR
    old = Assignment("in", valid_to_ms=change, properties={"counts": "in"})
    new = Assignment("new", valid_from_ms=change, properties={"counts": "in"})
    play = Play()
    play.config = configure(asset(devices=(old, new, COUNTERS[1])))
    play.go(30)
    play.go(80, 6)
    assert play.now.occupied == 10
    del play.counts["in"]
    play.at = change
    play.counts["new"] = 500.0
    play.go(20)
    play.counts["new"] += 5
    play.go(30)
    assert (play.now.state, play.now.occupied) == ("free", 15)
    assert play.lot.counters is not None
    assert play.lot.counters.breaks == 1


def test_no_anchor_while_cars_pass() -> None:
    """A night in which somebody passes every ten minutes is not quiet; the balance goes on to the next one."""
    play = anchored()
    play.at = NIGHT + 23 * HOUR
    for _ in range(12):
        play.go(10, 1, 1)
    assert play.lot.counters is not None
    assert play.lot.counters.nights == 0
    assert play.lot.counters.anchored_ms < NIGHT + HOUR


def test_sensors_anchor_the_counters_of_a_lot_that_has_both() -> None:
    """Known as soon as the sensors are, on both; when these fall silent the counters carry on from there."""
    play = Play(20, sensors=16)
    play.sense(8, 16)
    assert (play.now.basis, play.now.estimated) == ("sensors", True)
    play.speak()
    play.go(5, 4)
    assert (play.now.basis, play.now.occupied, play.now.contradicting) == ("both", 12, False)
    assert len(play.now.evidence) == 3
    play.go(5, 0, 4)
    assert (play.now.basis, play.now.occupied) == ("both", 10)
    play.say("in", play.counts["in"] + 4)
    assert (play.now.basis, play.now.occupied) == ("both", 12)


def test_without_sensors_the_counters_carry_on_and_without_counters_the_sensors() -> None:
    """A lot with both stays known when one of them is silent for a quarter of an hour."""
    play = Play(20, sensors=20)
    play.sense(10, 20)
    play.go(20, 0)
    assert (play.now.state, play.now.basis) == ("free", "counters")
    play.at += 20 * MINUTE
    play.sense(10, 20)
    play.tick()
    assert (play.now.state, play.now.basis, play.now.occupied) == ("free", "sensors", 10)


def test_both_together_are_surer_than_a_sample_of_the_spaces() -> None:
    """Anchored in an empty night, the counters make up for the spaces without a sensor; never surer than they are."""
    play = Play(100, sensors=20)
    for _ in range(7):
        play.sense(0, 20)
        play.go(5)
    play.counts["in"] += 50
    play.sense(10, 20)
    sample = play.now.uncertainty
    play.go(5)
    assert (play.now.basis, play.now.contradicting) == ("both", False)
    assert sample is not None
    assert play.now.uncertainty is not None
    assert 4 < play.now.uncertainty < sample


def test_counters_set_by_a_sample_make_it_no_surer() -> None:
    """What was learned from the sensors a moment ago is no second opinion."""
    play = Play(100, sensors=40)
    play.at += 6 * HOUR
    play.sense(20, 40)
    sample = play.now.uncertainty
    play.speak()
    play.go(5, 5)
    assert play.now.basis == "both"
    assert sample is not None
    assert play.now.uncertainty is not None
    assert play.now.uncertainty >= sample - 1


def test_sensors_and_counters_that_contradict_each_other_are_taken_at_the_fuller_figure() -> None:
    """Forty cars came in, no sensor saw one: flagged, the counters' figure counts, uncertain by the whole gap."""
    play = Play(100, sensors=100)
    play.sense(10, 100)
    play.go(5)
    play.counts["in"] += 40
    play.sense(10, 100)
    play.go(5)
    data = play.now
    assert (data.contradicting, data.occupied, data.uncertainty, data.basis) == (True, 50, 40, "both")
    play.sense(50, 100)
    assert not play.now.contradicting


def test_figures_between_whole_spaces_do_not_flap() -> None:
    """A balance that creeps down through the halves shows each figure once, three quarters of a space from the last."""
    config = configure(asset(devices=(GATE,)))
    lot, at, shown = RULE.initial(config), NIGHT, list[int]()
    for step in range(360):
        cars = max(0, step - 8)
        readings = tuple(Reading(Quantity.VEHICLE_COUNT_TOTAL, 10.0 + cars, channel) for channel in ("ltr", "rtl"))
        lot, outputs = RULE.step(config, lot, Observation("gate", "gate", "lot", at, at, readings, f"c{step}", at))
        if step == 8:
            assert lot.counters is not None
            lot = lot._replace(counters=lot.counters._replace(ins=100.6, outs=100.0))
        shown += [event.data.occupied for event in cast("tuple[LotState, ...]", outputs.events) if event.data.occupied]
        at += 5 * MINUTE
    changes = [(one, other) for one, other in pairwise(shown) if one != other]
    assert changes == [(4, 3), (3, 2)]


def test_a_balance_that_wavers_about_a_half_shows_one_figure() -> None:
    """Between 4.4 and 4.6 it stays what it was."""
    play = anchored()
    for step in range(40):
        assert play.lot.counters is not None
        play.lot = play.lot._replace(counters=play.lot.counters._replace(inside=4.4 + 0.2 * (step % 2)))
        play.go(5)
    assert {event.data.occupied for event in play.events[1:]} == {4}


@pytest.mark.parametrize(
    ("devices", "properties", "complaint"),
    [
        (COUNTERS[:1], {}, "expected counters of both ways"),
        ((Assignment("in", properties={"counts": "up"}),), {}, "`counts` of a device to be"),
        ((Assignment("in", properties={"counts": {}}),), {}, "`counts` of a device to be"),
        (COUNTERS, {"night_occupied": 101}, "'night_occupied' is 101"),
        (COUNTERS, {"night_from": "3"}, "'night_from' is '3', expected a time of day"),
        (COUNTERS, {"timezone": "Mars/Base"}, "'timezone' is 'Mars/Base', expected a time zone"),
        (COUNTERS, {"learn_ratio": 1}, "'learn_ratio' is 1, expected true or false"),
        (COUNTERS, {"counter_per_minute": 0}, "'counter_per_minute' is 0"),
    ],
)
def test_wrong_parameters_are_named(
    devices: Sequence[Assignment], properties: dict[str, object], complaint: str
) -> None:
    """The error names the feature, the property and what was expected."""
    with pytest.raises(CityError, match="feature 'lot'") as caught:
        configure(asset(100, 0, properties, devices=devices))
    assert complaint in str(caught.value)


def test_counters_without_anything_to_anchor_them_are_refused() -> None:
    """Neither space sensors nor a figure for the night: the file is wrong, not the balance."""
    with pytest.raises(CityError, match="'night_occupied' is missing"):
        configure(Asset("lot", "lot", "Lot", {"capacity": 9}, COUNTERS, 7.8, 51.6))


def test_counters_are_no_spaces() -> None:
    """They count neither among the sensors nor against the capacity."""
    config = configure(asset(2, sensors=2))
    assert (config.installed, config.capacity) == (2, 2)


def test_no_state_is_said_on_news_older_than_its_limit() -> None:
    """Whatever is known is valid for a quarter of an hour after the oldest word behind it, at most."""
    play = Play(20, sensors=20)
    play.sense(10, 20)
    play.speak()
    play.go(40, 5)
    known = [event.data for event in play.events if event.data.basis == "both"]
    assert known
    for data in known:
        oldest = min(each.newest_at for each in data.evidence if each.newest_at is not None)
        assert data.valid_until <= oldest + timedelta(minutes=15)


@given(
    st.lists(
        st.tuples(st.sampled_from(["in", "out", "s0", "s1", "tick"]), st.integers(0, 9), st.integers(0, 40 * MINUTE)),
        min_size=1,
        max_size=40,
    ),
    st.integers(0, 39),
)
def test_a_state_that_was_kept_on_the_way_says_the_same(steps: list[tuple[str, int, int]], stop: int) -> None:
    """Dumped and loaded between any two inputs, the same bytes follow; a replay gives them again."""
    told = []
    for kept in (False, False, True):
        play = Play(10, sensors=2)
        for number, (device, value, pause) in enumerate(steps):
            play.at += pause
            if device == "tick":
                play.tick()
            elif device in {"s0", "s1"}:
                play.say(device, float(value % 2), Quantity.OCCUPIED)
            else:
                play.counts[device] += value
                play.say(device, play.counts[device])
            if kept and number == stop:
                body = cast("Json", json.loads(json.dumps(dump(play.lot))))
                play.lot = cast("Lot", load(play.config, RULE.version, body))
        told.append([event.payload() for event in play.events])
    assert told[0] == told[1] == told[2]


def test_a_state_of_the_first_version_is_taken_up() -> None:
    """Spaces and what was shown go on; counters, where the lot has some now, begin anew."""
    body: Json = {
        "spaces": {"s0": (NIGHT, 1)},
        "heard_ms": NIGHT,
        "working": 1,
        "taken": 1,
        "recount_ms": NIGHT + HOUR,
        "level": "almostFull",
        "shown": {"reason": "counted", "level": "almostFull", "occupied": 9, "valid_until_ms": NIGHT + HOUR},
    }
    lot = load(configure(asset(10, sensors=2)), 1, body)
    assert lot is not None
    assert lot.spaces["s0"].occupied
    assert lot.shown is not None
    assert (lot.shown.basis, lot.counters is not None) == ("sensors", True)
    assert load(configure(asset(10, sensors=2)), 99, body) is None


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60))
def test_whatever_is_counted_the_figures_fit_the_lot(steps: list[tuple[int, int]]) -> None:
    """Occupied and free are within the capacity, and leaving a level takes another figure than entering it."""
    play = anchored(50)
    for entering, leaving in steps:
        play.go(5, entering, leaving)
        if play.now.occupied is not None:
            assert 0 <= play.now.occupied <= 50
            assert play.now.free == 50 - play.now.occupied
