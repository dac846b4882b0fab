"""Nothing that acts stands on old data: random traces through the engine, for every rule that makes requests.

The traces hold what sensors do: counts that are lost, delayed, stuck, jump or begin again, clocks that are wrong, two
devices that contradict each other, answers of all kinds, silence. What was fresh is known from the trace itself.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.answer import AnswerStatus
from rules.asset import Asset, Assignment
from rules.event import Request
from rules.event_parking import ParkingGuidance
from rules.parking import guidance, lot_state
from rules.rule import AHEAD_MS, AnyRule, Observation
from rules.traffic import bus_priority, green_wave, signal_plan
from rules.traffic.timetable import attach
from tests.rules.traffic.test_bus_priority import EVERY_TEN, feed
from tests.rules.traffic.test_bus_priority import road as bus_road
from tests.rules.traffic.test_green_wave import road as wave_road
from tests.rules.traffic.town import COUNT, MINUTE, TOTAL, Play, detector, town

FRESH_MS = {"traffic": 10 * MINUTE, "parking": 15 * MINUTE}
SPACES = 5
STATUSES: tuple[AnswerStatus, ...] = ("accepted", "active", "rejected", "expired", "overridden")
SIDES = {"in": "inbound", "out": "outbound"}


class Step(NamedTuple):
    """What happens next: who says how much, how late (min) and by how wrong a clock (min), and then a wait."""

    who: str
    value: int
    late: int
    skew: int
    then: int


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["in", "in", "out", "out", "second", "lot", "lot", "answer", "nobody"]),
        st.integers(0, 200),
        st.sampled_from([0, 0, 0, 1, 9, 12, 60]),
        st.sampled_from([0, 0, 0, 1, 3, -3, 30, -30, 600]),
        st.sampled_from([0, 0, 1, 3, 5, 9, 14]),
    ),
    max_size=30,
)


def lots() -> list[Asset]:
    """A lot of a few spaces, and a zone of it."""
    devices = tuple(Assignment(f"space{number}") for number in range(SPACES))
    lot = Asset("lot", "lot", "Lot", {"capacity": SPACES, "unknown_after_s": 900}, devices, 7.8, 51.6)
    return [lot, Asset("zone", "zone", "Zone", {"lots": ["lot"]}, (), 7.8, 51.6)]


def detectors() -> list[Asset]:
    """One for each direction; a second device looks at the inbound lane."""
    inbound = detector("in")
    second = Assignment("second", properties={"interval_s": 300})
    return [replace(inbound, devices=(*inbound.devices, second)), detector("out", "outbound")]


def city(rule: AnyRule) -> Play:
    """The town in which this rule decides."""
    if rule is guidance.RULE:
        return Play(lots(), rule, lot_state.RULE)
    if rule is signal_plan.RULE:
        return Play(town(detectors()), rule)
    road = wave_road() if rule is green_wave.RULE else bus_road()
    assets = town(detectors(), [road])
    return Play(attach(assets, feed(*EVERY_TEN), ZoneInfo("Europe/Berlin")), rule)


class Trace:
    """A town in a peak, and what its sensors measured when, by their own clocks."""

    def __init__(self, rule: AnyRule) -> None:
        self.rule = rule
        self.city = city(rule)
        self.measured: dict[str, list[tuple[int, int]]] = {"in": [], "out": [], "lot": []}
        self._totals = 0
        for number in range(7):
            self.say(Step("in", 90 + number, 0, 0, 0))
            self.say(Step("out", 20 + number, 0, 0, 0))
            self.say(Step("lot", number, 0, 0, 5))

    def say(self, step: Step) -> None:
        """One step of the trace."""
        now = self.city.now
        if step.who == "answer":
            if any(event.acting for event in self.city.events):
                self._answer(step)
        elif step.who != "nobody":
            self._hear(step, now)
        if step.then:
            self.city.tick(step.then)

    def _hear(self, step: Step, now: int) -> None:
        where = "in" if step.who == "second" else step.who
        time_ms = now - step.late * MINUTE + step.skew * MINUTE
        self.measured[where].append((now, time_ms))
        if where != "lot":
            device, quantity = "second" if step.who == "second" else "", TOTAL if step.value % 7 == 6 else COUNT
            self.city.hear(where, float(step.value), measured=time_ms, device=device, quantity=quantity)
            return
        for number in range(SPACES):
            reading = (Reading(Quantity.OCCUPIED, float(number < step.value % (SPACES + 1))),)
            name = f"space{number}"
            self._totals += 1
            self.city.give(Observation(name, name, "lot", time_ms, now, reading, f"s{self._totals}"))

    def _answer(self, step: Step) -> None:
        subject, what = {
            signal_plan.RULE: ("group", "signal-plan"),
            green_wave.RULE: ("road", "green-wave"),
            bus_priority.RULE: ("road", "bus-priority"),
            guidance.RULE: ("zone", "guidance"),
        }[self.rule]
        status = STATUSES[step.value % len(STATUSES)]
        self.city.answer(status, subject=subject, what=what, time_ms=self.city.now + step.skew * MINUTE)

    def fresh(self, where: str, at_ms: int, limit_ms: int) -> bool:
        """Whether something was heard by then that was measured within the limit before it."""
        heard_by_then = [time_ms for heard, time_ms in self.measured[where] if heard <= at_ms]
        return any(at_ms - limit_ms <= time_ms <= at_ms + AHEAD_MS for time_ms in heard_by_then)

    @property
    def requests(self) -> list[Request]:
        """What was asked for."""
        return [event for event in self.city.events if isinstance(event, Request)]


RULES = [signal_plan.RULE, green_wave.RULE, bus_priority.RULE, guidance.RULE]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_fresh_traffic_and_lots_lead_to_requests(rule: AnyRule) -> None:
    """Or the next test would show nothing."""
    assert len(Trace(rule).requests) >= 2


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_no_request_on_data_older_than_its_limit(rule: AnyRule, steps: Sequence[Step]) -> None:
    """Plans, waves and policies: both directions within ten minutes; guidance: the lots it tells of within fifteen.

    Evidence says the same, and no request outlives half an hour.
    """
    trace = Trace(rule)
    for step in steps:
        trace.say(step)
    trace.city.tick(40)
    limit_ms = FRESH_MS[rule.id.partition(".")[0]]
    for request in trace.requests:
        told = [each for each in request.data.evidence if each.newest_at is not None]
        assert all(each.age_s is not None and each.age_s * 1000 <= limit_ms for each in told)
        assert request.time_ms < request.valid_until_ms <= request.time_ms + 30 * MINUTE
        if rule is guidance.RULE:
            advices = [lot.advice for lot in cast("ParkingGuidance", request).data.lots]
            wanted = ["lot"] if {"recommend", "divert"} & set(advices) else []
        else:
            wanted = list(SIDES)
        assert all(trace.fresh(where, request.time_ms, limit_ms) for where in wanted), (request, trace.measured)
