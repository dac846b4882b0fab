"""The traffic computer's word is last: what it takes, what it refuses, when it switches, and what it says of it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules import answer
from rules.event import instant
from rules.event_traffic import SignalPlanRequested
from simulator.sumo.traffic_computer import LOCAL, Group, Said, TrafficComputer

NOON_MS = int(datetime(2026, 11, 23, 11, tzinfo=UTC).timestamp() * 1000)
MINUTE_MS = 60_000
MINIMUM_MS = 3 * MINUTE_MS
GROUP = Group("ring/west", ("north", "south"), frozenset({"1", "2", "3"}))
TOPIC = "stadtfunk/v1/traffic/group/ring%2Fwest/signal-plan"
CORRIDOR = "stadtfunk/v1/traffic/corridor/allee"


def _request(plan: str = "2", sequence: int = 1, id_: str = "", **changes: object) -> bytes:
    """A request as the service writes it, issued at noon and valid for a quarter of an hour."""
    begin, end = instant(NOON_MS), instant(NOON_MS + 15 * MINUTE_MS)
    data = {
        "rule": "traffic.signal_plan",
        "rule_version": 1,
        "issued_at": begin,
        "valid_until": end,
        "evidence": (),
        "sequence": sequence,
        "plan": plan,
        "plan_name": plan,
        "reason": "responsive",
        "reported": None,
        "scheduled": None,
        "junctions": GROUP.junctions,
        "text_de": "",
        "text_en": "",
    }
    event = {
        "id": id_ or f"request-{sequence}",
        "source": "/stadtfunk/rules/traffic.signal_plan",
        "subject": GROUP.id,
        "time": begin,
        "data": data,
    }
    made = SignalPlanRequested.model_validate(event)
    assert made.topic == TOPIC
    wire = json.loads(made.payload())
    subject = changes.pop("subject", None)
    if subject is not None:
        wire["subject"] = subject
    wire["data"] |= changes
    return json.dumps(wire).encode()


def _computer(local: str = "1", minimum_s: float = 180) -> TrafficComputer:
    """A computer that runs its local plan since noon less the minimum time."""
    computer = TrafficComputer(GROUP, local, minimum_s)
    computer.tick(NOON_MS - MINIMUM_MS, local, cycle_ends=False)
    return computer


def _said(answers: list[Said]) -> list[tuple[str, str, str | None]]:
    """Request, status and plan of each answer, all on the topic that the service listens to."""
    found: list[tuple[str, str, str | None]] = []
    for each in answers:
        about = answer.about(each.topic)
        assert about is not None
        assert about.subject == GROUP.id
        parsed = answer.parse(each.payload)
        found.append((parsed.data.request_id, parsed.data.status, parsed.data.plan))
    return found


def test_begins_with_its_own_schedule() -> None:
    """Before anything is asked it says which plan of its schedule runs, once."""
    computer = TrafficComputer(GROUP, "3")
    assert _said(computer.tick(NOON_MS, "3", cycle_ends=True)) == [(LOCAL, "active", "3")]
    assert computer.tick(NOON_MS + 1000, "3", cycle_ends=True) == []
    assert computer.plan == "3"


def test_accepts_and_switches_at_the_end_of_the_cycle() -> None:
    """A request is accepted, and active when the cycle ends, not before."""
    computer = _computer()
    assert _said(computer.hear(TOPIC, _request(), NOON_MS)) == [("request-1", "accepted", "1")]
    assert computer.tick(NOON_MS + 1000, "1", cycle_ends=False) == []
    assert computer.plan == "1"
    assert _said(computer.tick(NOON_MS + 2000, "1", cycle_ends=True)) == [("request-1", "active", "2")]
    assert computer.plan == "2"


def test_renewal_is_active_at_once() -> None:
    """A renewal of the plan that runs is active without a switch, and makes it last."""
    computer = _computer()
    computer.hear(TOPIC, _request(), NOON_MS)
    computer.tick(NOON_MS, "1", cycle_ends=True)
    later = {"valid_until": instant(NOON_MS + 25 * MINUTE_MS).isoformat()}
    assert _said(computer.hear(TOPIC, _request(sequence=2, **later), NOON_MS)) == [("request-2", "active", "2")]
    assert computer.tick(NOON_MS + 20 * MINUTE_MS, "1", cycle_ends=True) == []
    assert computer.plan == "2"


def test_keeps_a_plan_for_its_minimum_time() -> None:
    """A plan that runs for less than the minimum stays over the ends of cycles."""
    computer = _computer()
    computer.hear(TOPIC, _request("2"), NOON_MS)
    computer.tick(NOON_MS, "1", cycle_ends=True)
    computer.hear(TOPIC, _request("3", sequence=2), NOON_MS + 1000)
    assert computer.tick(NOON_MS + MINIMUM_MS - 1, "1", cycle_ends=True) == []
    assert computer.plan == "2"
    assert _said(computer.tick(NOON_MS + MINIMUM_MS, "1", cycle_ends=True)) == [("request-2", "active", "3")]


def test_falls_back_when_a_request_expires() -> None:
    """An expired request is said to be so at once; at the end of the cycle the schedule's plan comes, and is told."""
    computer = _computer()
    computer.hear(TOPIC, _request(), NOON_MS)
    computer.tick(NOON_MS, "1", cycle_ends=True)
    end_ms = NOON_MS + 15 * MINUTE_MS
    assert computer.tick(end_ms - 1, "1", cycle_ends=True) == []
    assert _said(computer.tick(end_ms, "1", cycle_ends=False)) == [("request-1", "expired", "2")]
    assert _said(computer.tick(end_ms + 5000, "1", cycle_ends=True)) == [(LOCAL, "active", "1")]
    assert computer.plan == "1"


def test_a_request_that_was_never_carried_out_expires_too() -> None:
    """Where no cycle ended in time, accepted becomes expired and nothing is switched."""
    computer = _computer()
    computer.hear(TOPIC, _request(), NOON_MS)
    said = computer.tick(NOON_MS + 15 * MINUTE_MS, "1", cycle_ends=True)
    assert _said(said) == [("request-1", "expired", "1")]
    assert computer.plan == "1"


def test_follows_its_schedule() -> None:
    """The schedule's next plan comes at the end of a cycle and is told; under a request it waits."""
    computer = _computer()
    assert _said(computer.tick(NOON_MS, "3", cycle_ends=True)) == [(LOCAL, "active", "3")]
    computer.hear(TOPIC, _request("2"), NOON_MS)
    computer.tick(NOON_MS + MINIMUM_MS, "3", cycle_ends=True)
    assert computer.tick(NOON_MS + 2 * MINIMUM_MS, "1", cycle_ends=True) == []
    assert computer.plan == "2"


def test_withdrawal_ends_a_request() -> None:
    """An empty payload takes the request back: the schedule's plan comes; without a request it means nothing."""
    computer = _computer()
    assert computer.hear(TOPIC, b"", NOON_MS) == []
    computer.hear(TOPIC, _request(), NOON_MS)
    computer.tick(NOON_MS, "1", cycle_ends=True)
    assert _said(computer.hear(TOPIC, b"", NOON_MS + 1000)) == [("request-1", "expired", "2")]
    computer.tick(NOON_MS + MINIMUM_MS, "1", cycle_ends=True)
    assert computer.plan == "1"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown plan": ({"plan": "9"}, "plan 9 is unknown"),
    "not all junctions": ({"junctions": ["north"]}, "as a whole"),
    "foreign junction": ({"junctions": ["north", "south", "east"]}, "as a whole"),
    "another group": ({"subject": "ring/east"}, "as a whole"),
    "issued ahead": (
        {"issued_at": instant(NOON_MS + 150_000).isoformat(), "valid_until": instant(NOON_MS + 600_000).isoformat()},
        "ahead",
    ),
    "valid too long": ({"valid_until": instant(NOON_MS + 31 * MINUTE_MS).isoformat()}, "expected 0:30:00 at most"),
    "no time zone": ({"valid_until": "2026-11-23T12:15:00"}, "data.valid_until"),
    "no junctions": ({"junctions": None}, "data.junctions"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str) -> None:
    """What must not be carried out is rejected with its reason, and nothing changes."""
    changes, reason = REFUSED[case]
    computer = _computer()
    (said,) = computer.hear(TOPIC, _request(**changes), NOON_MS)
    assert _said([said]) == [("request-1", "rejected", "1")]
    assert reason in answer.parse(said.payload).data.reason
    computer.tick(NOON_MS, "1", cycle_ends=True)
    assert computer.plan == "1"


def test_an_expired_request_is_not_carried_out() -> None:
    """A request that arrives at its end is answered as expired."""
    computer = _computer()
    late_ms = NOON_MS + 15 * MINUTE_MS
    assert _said(computer.hear(TOPIC, _request(), late_ms)) == [("request-1", "expired", "1")]
    computer.tick(late_ms, "1", cycle_ends=True)
    assert computer.plan == "1"


@pytest.mark.parametrize("sequence", [4, 5])
def test_out_of_sequence(sequence: int) -> None:
    """A request whose sequence is not above the last one's is rejected, and that one goes on."""
    computer = _computer()
    computer.hear(TOPIC, _request("2", sequence=5), NOON_MS)
    said = computer.hear(TOPIC, _request("3", sequence=sequence, id_="other"), NOON_MS)
    assert _said(said) == [("other", "rejected", "1")]
    computer.tick(NOON_MS, "1", cycle_ends=True)
    assert computer.plan == "2"


def test_a_refused_request_counts_in_the_sequence() -> None:
    """An expired request with a high number makes an older one stale."""
    computer = _computer()
    past = {
        name: instant(NOON_MS - ago * MINUTE_MS).isoformat() for name, ago in (("issued_at", 20), ("valid_until", 5))
    }
    assert _said(computer.hear(TOPIC, _request("3", sequence=9, **past), NOON_MS))[0][1] == "expired"
    assert _said(computer.hear(TOPIC, _request("2", sequence=8), NOON_MS))[0][1] == "rejected"


def test_a_rejection_leaves_the_request_before() -> None:
    """A request that is refused does not end the one that is carried out."""
    computer = _computer()
    computer.hear(TOPIC, _request("2"), NOON_MS)
    computer.hear(TOPIC, _request("9", sequence=2), NOON_MS)
    assert _said(computer.tick(NOON_MS, "1", cycle_ends=True)) == [("request-1", "active", "2")]


def test_redelivery_is_passed_over() -> None:
    """The same request again (QoS 1) is neither answered nor refused again."""
    computer = _computer()
    computer.hear(TOPIC, _request(), NOON_MS)
    assert computer.hear(TOPIC, _request(), NOON_MS + 1000) == []
    assert computer.answers == {"active": 1, "accepted": 1}


def test_the_newest_request_counts() -> None:
    """A newer request takes the place of one that waits for the end of the cycle."""
    computer = _computer()
    computer.hear(TOPIC, _request("2"), NOON_MS)
    computer.hear(TOPIC, _request("3", sequence=2), NOON_MS)
    assert _said(computer.tick(NOON_MS, "1", cycle_ends=True)) == [("request-2", "active", "3")]


@pytest.mark.parametrize("what", ["green-wave", "bus-priority"])
def test_what_it_cannot_do_is_refused(what: str) -> None:
    """Requests for a corridor are rejected as not supported, each once."""
    computer = _computer()
    (said,) = computer.hear(f"{CORRIDOR}/{what}", b'{"id": "wish"}', NOON_MS)
    parsed = answer.parse(said.payload)
    assert answer.about(said.topic) == answer.About("allee", what)
    assert (parsed.data.request_id, parsed.data.status) == ("wish", "rejected")
    assert parsed.data.reason == f"{what} is not supported"
    assert computer.hear(f"{CORRIDOR}/{what}", b'{"id": "wish"}', NOON_MS) == []


@pytest.mark.parametrize(
    "topic",
    [
        "stadtfunk/v1/traffic/group/other/signal-plan",
        f"{CORRIDOR}/green-wave/health",
        "stadtfunk/v1/parking/zone/a/guidance",
    ],
)
def test_the_business_of_others(topic: str) -> None:
    """Other groups' requests and other events are not answered."""
    computer = _computer()
    assert computer.hear(topic, _request(), NOON_MS) == []
    assert computer.unreadable == 0


@pytest.mark.parametrize("payload", [b"{", b"[]", b'{"id": ""}', b"\xff"])
def test_what_nobody_can_name_is_counted(payload: bytes) -> None:
    """A message without a readable id is counted, and nothing is answered."""
    computer = _computer()
    assert computer.hear(TOPIC, payload, NOON_MS) == []
    assert computer.unreadable == 1


def test_answers_have_ids_of_their_own_and_times() -> None:
    """Every answer has another id, and the time at which it was so."""
    computer = _computer()
    said = computer.hear(TOPIC, _request(), NOON_MS) + computer.tick(NOON_MS + 250, "1", cycle_ends=True)
    parsed = [answer.parse(each.payload) for each in said]
    assert len({each.id for each in parsed}) == 2
    assert [each.time - instant(NOON_MS) for each in parsed] == [timedelta(), timedelta(milliseconds=250)]
