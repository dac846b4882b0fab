"""What a depot says, as the service reads it."""

import json

import pytest

from rules import answer, feedback
from rules.feedback import SkipReason
from simulator.depot.report import BrokeDown, Confirmed, Report, Stopped, message
from tests.simulator.depot.driving import MINUTE, SHIFT

ODD = "truck 1/+#%"


@pytest.mark.parametrize("reason", [None, "blocked", "out_of_time"])
def test_a_stop_is_feedback_of_its_vehicle(reason: SkipReason | None) -> None:
    """Read strictly, by a topic that is safe whatever the vehicle is called; to the microsecond; nobody is named."""
    note = message(Stopped(SHIFT + 1_234_567_000, ODD, "bin-0", reason))
    vehicle = feedback.vehicle_of(note.topic)
    assert vehicle == ODD
    given = feedback.parse(note.payload, ODD)
    assert (given.data.stop, given.data.result, given.data.reason) == (
        "bin-0",
        "skipped" if reason else "served",
        reason,
    )
    assert given.time == given.data.time
    assert (given.data.time_ms, given.data.time.microsecond) == ((SHIFT + 1_234_000_000) // 1_000_000, 234_567)
    assert json.loads(note.payload)["source"] == "/simulator/depot"


def test_answers_name_the_tour_that_they_are_about() -> None:
    """Accepted; overridden by a fault, which is how a vehicle drops out."""
    for report, said in (
        (Confirmed(SHIFT, ODD, "e1"), ("accepted", None)),
        (BrokeDown(SHIFT, ODD, "e1"), ("overridden", "fault")),
    ):
        note = message(report)
        assert answer.about(note.topic) == (ODD, "route")
        given = answer.parse(note.payload)
        assert (given.data.request_id, (given.data.status, given.data.by)) == ("e1", said)
        assert given.time_ms == SHIFT // 1_000_000


def test_each_report_has_an_id_of_its_own_and_the_same_again() -> None:
    """Whatever differs makes another one; the same report gives the same bytes."""
    reports: list[Report] = [
        Stopped(SHIFT, "a", "b"),
        Stopped(SHIFT, "a", "b", "blocked"),
        Stopped(SHIFT + MINUTE, "a", "b"),
        Stopped(SHIFT, "b", "b"),
        Confirmed(SHIFT, "a", "b"),
        BrokeDown(SHIFT, "a", "b"),
    ]
    assert len({json.loads(message(report).payload)["id"] for report in reports}) == len(reports)
    assert [message(report) for report in reports] == [message(report) for report in reports]
