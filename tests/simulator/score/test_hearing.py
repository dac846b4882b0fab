"""What is taken from the events of a service."""

import json
from pathlib import Path
from typing import Any

import pytest

from rules.event import instant
from simulator.error import SimulatorError
from simulator.score.course import Span
from simulator.score.hearing import Asked, Hearing, SaidOfLot
from simulator.stage import Heard

EXAMPLES = Path(__file__).parents[3] / "docs" / "events"
STEP = Span(1_000_000, 1_060_000)
BEFORE, WITHIN, AFTER = 900_000, 1_010_000, 1_070_000


def _event(name: str, time_ms: int, subject: str, **data: object) -> bytes:
    """The example of an event, at another time, of another asset, with other data."""
    event: dict[str, Any] = json.loads((EXAMPLES / f"{name}.example.json").read_text())
    event |= {"time": instant(time_ms).isoformat(), "subject": subject}
    event["data"] |= {"valid_until": instant(time_ms + 600_000).isoformat(), **data}
    if "issued_at" in event["data"]:
        event["data"]["issued_at"] = event["time"]
    return json.dumps(event).encode()


def _lot(time_ms: int, **data: object) -> Heard:
    payload = _event("parking.lot_state.v1", time_ms, "lot-1", **data)
    return Heard("stadtfunk/v1/parking/lot/lot-1/state", payload)


def test_lots() -> None:
    """State and free spaces, at the event's own time."""
    hearing = Hearing()
    hearing.take(_lot(WITHIN, state="full", free=1), STEP)
    assert hearing.lots["lot-1"].times == [WITHIN]
    assert hearing.lots["lot-1"].values == [SaidOfLot("full", 1)]


@pytest.mark.parametrize(("time_ms", "known_ms"), [(BEFORE, STEP.begin_ms), (WITHIN, WITHIN), (AFTER, STEP.end_ms)])
def test_nobody_knew_before_the_step(time_ms: int, known_ms: int) -> None:
    """A word on an uplink that came late is known from the step on in which it came, and never later than that."""
    hearing = Hearing()
    hearing.take(_lot(time_ms), STEP)
    assert hearing.lots["lot-1"].times == [known_ms]


def test_a_lot_that_is_withdrawn_is_unknown() -> None:
    """An empty payload ends what was said; ids are decoded from topics."""
    hearing = Hearing()
    hearing.take(Heard("stadtfunk/v1/parking/lot/lot%2F1/state", b""), STEP)
    assert hearing.lots["lot/1"].values == [None]
    assert hearing.lots["lot/1"].times == [STEP.end_ms]


def test_requests() -> None:
    """Plans and programmes with the end of their validity."""
    hearing = Hearing()
    plan = _event("traffic.signal_plan_requested.v1", WITHIN, "g", plan="5")
    hearing.take(Heard("stadtfunk/v1/traffic/group/g/signal-plan", plan), STEP)
    wave = _event("traffic.green_wave_requested.v1", WITHIN, "c", programme="outbound")
    hearing.take(Heard("stadtfunk/v1/traffic/corridor/c/green-wave", wave), STEP)
    assert hearing.plans["g"] == [Asked(WITHIN, "5", WITHIN + 600_000)]
    assert hearing.waves["c"] == [Asked(WITHIN, "outbound", WITHIN + 600_000)]


def test_alerts() -> None:
    """Levels by kind and asset, queues as level 1; withdrawn is none."""
    hearing = Hearing()
    topic = "stadtfunk/v1/environment/ice/r/alert"
    hearing.take(Heard(topic, _event("environment.alert.v1", WITHIN, "r", kind="ice", level=3)), STEP)
    hearing.take(Heard(topic, b""), STEP)
    assert hearing.alerts["ice", "r"].values == [3, 0]
    for number, state in enumerate(("raised", "cleared", "raised")):
        queue = _event("traffic.queue_warning.v1", WITHIN + number, "d", state=state)
        hearing.take(Heard("stadtfunk/v1/traffic/detector/d/queue", queue), STEP)
    hearing.take(Heard("stadtfunk/v1/traffic/detector/d/queue", b""), STEP)
    assert hearing.alerts["queue", "d"].values == [1, 0, 1, 0]


def test_containers() -> None:
    """All that was said, with the times at which it was known."""
    hearing = Hearing()
    due = _event("waste.container_due.v1", BEFORE, "k", due=True)
    hearing.take(Heard("stadtfunk/v1/waste/container/k/due", due), STEP)
    ((time_ms, data),) = hearing.containers["k"]
    assert (time_ms, data.due) == (STEP.begin_ms, True)


def test_others_are_only_counted() -> None:
    """Events that nothing is scored by count as heard; what is withdrawn does not."""
    hearing = Hearing()
    hearing.take(Heard("stadtfunk/v1/parking/zone/z/guidance", b"{}"), STEP)
    hearing.take(Heard("stadtfunk/v1/traffic/group/g/signal-plan/health", b"{}"), STEP)
    hearing.take(Heard("stadtfunk/v1/traffic/group/g/signal-plan/health", b""), STEP)
    assert hearing.events == 2
    assert not hearing.plans


def test_what_cannot_be_read() -> None:
    """An event against its own schema is an error that names the topic."""
    with pytest.raises(SimulatorError, match="parking/lot/lot-1/state"):
        Hearing().take(Heard("stadtfunk/v1/parking/lot/lot-1/state", b"{}"), STEP)
