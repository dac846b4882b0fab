"""Guidance of a zone, fed with what the rule of its lots concludes."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Asset, Assignment, CityError
from rules.event import LotState, instant
from rules.event_parking import GuidanceHealth, ParkingGuidance, ParkingGuidanceData
from rules.followed import Followed
from rules.parking import lot_state
from rules.parking.guidance import RULE, configure, dump, load, step
from rules.parking.guidance_config import lots_of
from rules.parking.zone import Zone
from rules.point import Point
from rules.request_health import CARRIED
from rules.rule import Answered, Input, Json, Observation, Tick

START = 1_790_000_000_000
MINUTE, HOUR = 60_000, 3_600_000
LIMIT = timedelta(minutes=15)


class Play:
    """Lots of 20 spaces and their zone; `fill` lets every sensor of a lot speak. Requests go out while `publishes`."""

    publishes = True

    def __init__(self, *lots: str, closed: tuple[str, ...] = (), **properties: object) -> None:
        names = [{"id": lot, "name": f"Lot {lot.upper()}"} for lot in lots]
        self.config = configure(Asset("zone", "zone", "Zone", {"lots": names, **properties}, (), 7.8, 51.6))
        self.zone: Zone = RULE.initial(self.config)
        self.lots = {lot: lot_state.configure(asset(lot, closed=lot in closed)) for lot in lots}
        self.states = {lot: lot_state.RULE.initial(config) for lot, config in self.lots.items()}
        self.at = START
        self.events: list[ParkingGuidance] = []
        self.health: list[GuidanceHealth] = []
        self.points: list[Point] = []

    @property
    def now(self) -> ParkingGuidanceData:
        """What the newest request says."""
        return self.events[-1].data

    def give(self, given: Input | Followed) -> None:
        """Any input of the zone."""
        self.zone, outputs = step(self.config, self.zone, given)
        requests = [event for event in outputs.events if isinstance(event, ParkingGuidance)]
        self.events += requests
        self.health += [event for event in outputs.events if isinstance(event, GuidanceHealth)]
        self.points += outputs.points
        for request in requests if self.publishes else ():
            self.went_out(request)

    def went_out(self, request: ParkingGuidance) -> None:
        """The broker has the request."""
        self.give(Answered("zone", request.id, "sent", None, self.at, self.at, f"sent {request.id}", "guidance"))

    def of_lot(self, lot: str, *inputs: Input) -> None:
        """Inputs of a lot at one time, and what it concludes from them in the end."""
        told: list[Followed] = []
        for each in inputs:
            self.states[lot], outputs = lot_state.step(self.lots[lot], self.states[lot], each)
            told += [Followed(event, each.now_ms, each.cause) for event in outputs.events]
        for concluded in told[-1:]:
            self.give(concluded)

    def fill(self, lot: str, taken: int, measured: int | None = None) -> None:
        """All sensors of a lot speak; the first ones are taken."""
        at = self.at if measured is None else measured
        words = []
        for index in range(20):
            device, reading = f"{lot}{index}", (Reading(Quantity.OCCUPIED, float(index < taken)),)
            words.append(Observation(device, device, "lot", at, self.at, reading, f"{device}{self.at}", self.at))
        self.of_lot(lot, *words)

    def ticks(self, minutes: float) -> None:
        """Time passes; whoever wants a tick gets it, each ten seconds."""
        for _ in range(int(minutes * 6)):
            self.at += 10_000
            for lot, config in self.lots.items():
                if lot_state.wake(config, self.states[lot]) <= self.at:
                    self.of_lot(lot, Tick(self.at))
            wake_ms = RULE.wake(self.config, self.zone)
            if wake_ms is not None and wake_ms <= self.at:
                self.give(Tick(self.at))


def asset(lot: str, *, closed: bool = False) -> Asset:
    """A lot of 20 spaces with a sensor each."""
    devices = tuple(Assignment(f"{lot}{index}") for index in range(20))
    return Asset(lot, "lot", lot, {"capacity": 20, "closed": closed}, devices, 7.8, 51.6)


def test_free_lots_are_recommended_in_the_zones_order() -> None:
    """With figures, evidence, both texts, a quarter of an hour of validity, and the numbers of a request."""
    play = Play("a", "b")
    play.fill("b", 4)
    play.fill("a", 10)
    event, data = play.events[-1], play.now
    assert (data.recommend, data.divert_from, data.reason) == (("a", "b"), (), "guided")
    assert [(lot.lot, lot.free, lot.occupancy, lot.age_s) for lot in data.lots] == [
        ("a", 10, 0.5, 0),
        ("b", 16, 0.2, 0),
    ]
    assert data.text_de == "Freie Plätze: Lot A (10), Lot B (16)."
    assert data.text_en == "Free spaces: Lot A (10), Lot B (16)."
    assert data.valid_until == event.time + LIMIT
    assert data.issued_at == event.time
    assert (event.topic, event.retained, event.acting) == ("stadtfunk/v1/parking/zone/zone/guidance", False, True)
    evidence = data.evidence[0]
    assert (evidence.quantity, evidence.value, evidence.threshold, evidence.hysteresis) == ("occupied", 10, 19, 1)
    assert (evidence.n_samples, len(evidence.sources)) == (20, 8)
    assert dict(play.points[-1].fields) == {
        "latitude": 51.6,
        "longitude": 7.8,
        "lots_known": 2,
        "lots_recommended": 2,
        "free": 26,
    }


def test_an_almost_full_lot_comes_behind_the_free_ones() -> None:
    """It is still recommended, but last."""
    play = Play("a", "b")
    play.fill("a", 18)
    play.fill("b", 4)
    assert play.now.recommend == ("b", "a")


def test_from_95_percent_on_drivers_are_diverted_until_90() -> None:
    """Of twenty spaces the 19th turns drivers away, and the 18th lets them come again."""
    play = Play("a", "b")
    play.fill("b", 4)
    found = []
    for taken in (17, 18, 19, 20, 19, 18, 17):
        play.at += MINUTE
        play.fill("a", taken)
        found.append(play.now.divert_from)
    assert found == [(), (), ("a",), ("a",), ("a",), (), ()]
    assert "Voll oder geschlossen" not in play.now.text_de


def test_a_figure_is_told_anew_when_it_moved_by_a_tenth() -> None:
    """One space of twenty more or less is no new request, two are; the smallest lots do not chatter either."""
    play = Play("a")
    told = []
    for taken in (4, 5, 6, 7, 6):
        play.fill("a", taken)
        told.append((len(play.events), play.now.lots[0].free))
    assert told == [(1, 16), (1, 16), (2, 14), (2, 14), (2, 14)]


def test_between_the_limits_a_lot_is_what_it_was() -> None:
    """Diverted from 19 of twenty, and until 16 are taken."""
    play = Play("a", "b", divert_until_percent=80)
    play.fill("b", 4)
    found = []
    for taken in (18, 19, 18, 17, 16, 18):
        play.at += MINUTE
        play.fill("a", taken)
        found.append("a" in play.now.divert_from)
    assert found == [False, True, True, True, False, False]


def test_a_lot_that_calls_itself_full_is_avoided() -> None:
    """Where a lot is full with three spaces left, 85 % is enough."""
    play = Play("a")
    early = Asset("a", "lot", "a", {"capacity": 20, "full_free_spaces": 3}, asset("a").devices, 7.8, 51.6)
    play.lots["a"] = lot_state.configure(early)
    play.fill("a", 17)
    assert play.now.divert_from == ("a",)


def test_a_short_validity_is_renewed_by_ticks() -> None:
    """Five minutes at a time, as long as the news are fresh; no gap, and none beyond them."""
    play = Play("a", validity_s=300)
    play.fill("a", 4)
    play.ticks(14)
    assert [event.time_ms - START for event in play.events] == [0, 150_000, 300_000, 450_000, 600_000]
    assert play.events[-1].valid_until_ms == START + 15 * MINUTE


def test_when_all_are_full_nobody_is_sent_anywhere() -> None:
    """Every lot is to be avoided, none is recommended."""
    play = Play("a", "b")
    play.fill("a", 20)
    play.fill("b", 20)
    assert (play.now.reason, play.now.recommend, play.now.divert_from) == ("all_full", (), ("a", "b"))
    assert play.now.text_en == "No free spaces known. Full or closed: Lot A, Lot B."


def test_a_closed_lot_is_avoided() -> None:
    """It has no space to offer, whatever its sensors say."""
    play = Play("a", "b", closed=("a",))
    play.fill("b", 4)
    play.fill("a", 0)
    assert (play.now.recommend, play.now.divert_from) == (("b",), ("a",))
    assert play.now.lots[0].free == 0


def test_nothing_is_requested_while_nothing_is_known() -> None:
    """Neither at the start nor by ticks nor by lots that say unknown."""
    play = Play("a", "b")
    play.give(Tick(START))
    play.ticks(30)
    assert play.events == []


def test_silence_ends_recommendations_after_a_quarter_of_an_hour() -> None:
    """Said once, with nothing to recommend; then nothing more is requested."""
    play = Play("a")
    play.fill("a", 4)
    play.ticks(14.5)
    assert len(play.events) == 1
    play.ticks(1)
    assert (play.now.reason, play.now.recommend, play.now.lots[0].advice) == ("no_news", (), "unknown")
    assert play.now.lots[0].free is None
    play.ticks(120)
    assert len(play.events) == 2


def test_a_lot_that_falls_silent_leaves_the_others_alone() -> None:
    """Only it becomes unknown; the other one goes on being recommended and renewed."""
    play = Play("a", "b")
    play.fill("a", 4)
    for _ in range(6):
        play.fill("b", 4)
        play.ticks(5)
    assert (play.now.recommend, play.now.lots[0].advice) == (("b",), "unknown")


def test_delayed_news_recommend_nothing() -> None:
    """What was measured an hour ago frees no lot."""
    play = Play("a")
    play.fill("a", 4, measured=START - HOUR)
    assert play.events == []
    play.fill("a", 4, measured=START - 10 * MINUTE)
    assert play.now.valid_until == play.events[-1].time + timedelta(minutes=5)


def test_news_of_a_patient_lot_are_too_old_for_guidance() -> None:
    """A lot that counts as known for a day is recommended for a quarter of an hour after its newest reading."""
    play = Play("a")
    patient = Asset("a", "lot", "a", {"capacity": 20}, asset("a").devices, 7.8, 51.6)
    play.lots["a"] = replace(lot_state.configure(patient), unknown_after_ms=24 * HOUR)
    play.fill("a", 4)
    play.ticks(16)
    assert play.states["a"].shown is not None
    assert play.states["a"].shown.reason == "counted"
    assert play.now.reason == "no_news"


def test_renewed_while_news_flow() -> None:
    """At half of its validity, so that signs never go dark between two requests, and not with every word."""
    play = Play("a")
    for _ in range(60):
        play.fill("a", 4)
        play.ticks(1)
    assert 7 <= len(play.events) <= 9
    assert all(one.data.valid_until > other.time for one, other in zip(play.events, play.events[1:], strict=False))


def test_whoever_takes_over_the_signs_is_left_alone() -> None:
    """No request until the time the answer names; then what has become true meanwhile."""
    play = Play("a", "b")
    play.fill("a", 4)
    request = play.events[-1]
    play.give(Answered("zone", request.id, "overridden", None, START, START, "x", "guidance", "hand", START + HOUR))
    for _ in range(11):
        play.ticks(5)
        play.fill("a", 20)
    assert len(play.events) == 1
    play.ticks(6)
    assert play.events[-1].time_ms >= START + HOUR
    assert play.now.divert_from == ("a",)


def test_an_override_without_an_end_lasts_half_an_hour_and_ends_with_an_acceptance() -> None:
    """`active` gives the signs back at once; an end in a far future is none."""
    play = Play("a")
    play.fill("a", 4)
    play.give(Answered("zone", "r", "overridden", None, START, START, "x", "guidance", "hand", None))
    assert play.zone.held_until_ms == START + 30 * MINUTE
    play.give(Answered("zone", "r", "active", None, START, START, "y", "guidance"))
    assert play.zone.held_until_ms == 0
    play.give(Answered("zone", "r", "overridden", None, START, START, "z", "guidance", "fault", START * 2))
    assert play.zone.held_until_ms == START + 24 * HOUR


def test_events_of_other_lots_are_none_of_its_business() -> None:
    """A lot that the zone does not name changes nothing."""
    play = Play("a")
    other = Play("b")
    other.fill("b", 4)
    before = play.zone
    state, outputs = lot_state.step(other.lots["b"], lot_state.RULE.initial(other.lots["b"]), Tick(START))
    assert state is not None
    play.give(Followed(outputs.events[0], START, "c"))
    assert play.zone is before


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"lots": "a"}, "expected a list of ids of lots"),
        ({"lots": ["a", "a"]}, "each once"),
        ({"lots": [{"name": "A"}]}, "expected a list of ids of lots"),
        ({"lots": [1]}, "expected a list of ids of lots"),
        ({"lots": [], "divert_percent": 101}, "'divert_percent' is 101"),
        ({"lots": [], "divert_until_percent": 95}, "'divert_until_percent' is 95, expected less than divert_percent"),
        ({"lots": [], "news_max_s": 901}, "'news_max_s' is 901, expected a whole number from 60 to 900"),
        ({"lots": [], "validity_s": 1801}, "'validity_s' is 1801"),
    ],
)
def test_wrong_parameters_are_named(properties: dict[str, object], complaint: str) -> None:
    """The error names the feature, the property and what was expected."""
    with pytest.raises(CityError, match="feature 'zone'") as caught:
        configure(Asset("zone", "zone", "Zone", properties, (), 7.8, 51.6))
    assert complaint in str(caught.value)


def test_the_lots_it_follows() -> None:
    """Ids alone or with names, in the file's order."""
    zone = Asset("z", "zone", "Z", {"lots": ["b", {"id": "a", "name": "A"}]}, (), 7.8, 51.6)
    assert lots_of(zone) == ("b", "a")


def test_a_zone_whose_lots_changed_forgets_the_one_that_left() -> None:
    """What is kept of the others goes on, what was shown does not count any more."""
    play = Play("a", "b")
    play.fill("a", 4)
    play.fill("b", 4)
    body = cast("Json", json.loads(json.dumps(dump(play.zone))))
    found = load(Play("b").config, RULE.version, body)
    assert found is not None
    assert list(found.lots) == ["b"]
    assert found.shown is None
    assert load(play.config, RULE.version + 1, body) is None


def test_a_state_of_the_first_version_is_taken_up() -> None:
    """It knew nothing of answers; a restart of the newer program does not make the signs go dark."""
    play = Play("a")
    play.fill("a", 4)
    body = cast("dict[str, Json]", json.loads(json.dumps(dump(play.zone))))
    del body["carried"]
    found = load(play.config, 1, body)
    assert found is not None
    assert (found.shown, found.carried) == (play.zone.shown, CARRIED)


STEPS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "wait"]), st.integers(0, 20), st.integers(0, 25)), min_size=1, max_size=25
)


@given(STEPS)
def test_nothing_is_requested_on_old_news_and_nothing_flaps(steps: list[tuple[str, int, int]]) -> None:
    """Whatever happens: valid for 15 min after the oldest news of a recommended lot, and each request says another."""
    play = Play("a", "b")
    for what, taken, minutes in steps:
        if what == "wait":
            play.ticks(minutes)
        else:
            play.fill(what, taken)
    for event in play.events:
        ages = [lot.age_s for lot in event.data.lots if lot.advice == "recommend" and lot.age_s is not None]
        assert all(event.data.valid_until <= event.time + LIMIT - timedelta(seconds=age) for age in ages)
        assert len(ages) == len(event.data.recommend)
        assert not set(event.data.recommend) & set(event.data.divert_from)


@given(STEPS, st.integers(0, 24))
def test_a_state_that_was_kept_on_the_way_says_the_same(steps: list[tuple[str, int, int]], stop: int) -> None:
    """Dumped and loaded between any two inputs, the same bytes follow; a replay gives them again."""
    told = []
    for kept in (False, False, True):
        play = Play("a", "b")
        for number, (what, taken, minutes) in enumerate(steps):
            if what == "wait":
                play.ticks(minutes)
            else:
                play.fill(what, taken)
            if kept and number == stop:
                found = load(play.config, RULE.version, cast("Json", json.loads(json.dumps(dump(play.zone)))))
                assert found == play.zone
                play.zone = found
        told.append([event.payload() for event in play.events])
    assert told[0] == told[1] == told[2]


def test_it_reads_the_news_of_a_lot_with_counters_by_the_older_of_both() -> None:
    """Figures that stand on sensors and counters are as old as the older of them."""
    data = json.loads(LotState.model_validate(TWO).payload())
    play = Play("a")
    play.give(Followed(LotState.model_validate(data), START + MINUTE, "c"))
    assert play.zone.lots["a"].newest_ms == START - 5 * MINUTE
    assert play.zone.lots["a"].until_ms == START + 10 * MINUTE


def evidence(quantity: str, newest_ms: int) -> dict[str, object]:
    """A piece of a lot's evidence."""
    return {
        "quantity": quantity,
        "value": 4,
        "unit": "1",
        "window_s": None,
        "threshold": None,
        "hysteresis": None,
        "n_samples": 3,
        "newest_at": instant(newest_ms).isoformat(),
        "age_s": 0,
        "sources": ["s"],
    }


TWO: dict[str, object] = {
    "id": "i",
    "source": "/stadtfunk/rules/parking.lot_state",
    "subject": "a",
    "time": "2026-09-21T14:13:20Z",
    "data": {
        "rule": "parking.lot_state",
        "rule_version": 2,
        "valid_until": "2026-09-21T16:13:20Z",
        "evidence": [evidence("occupied", START), evidence("vehicle_count_total", START - 5 * MINUTE)],
        "state": "free",
        "reason": "counted",
        "capacity": 20,
        "occupied": 4,
        "free": 16,
        "occupancy": 0.2,
        "coverage": 1.0,
        "estimated": False,
        "basis": "both",
    },
}
