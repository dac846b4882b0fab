"""Fuzzed: feedback of tours, and reports of people. An input is a topic, a newline, a message."""

import json
from collections.abc import Sequence
from functools import cache
from random import Random

from ingest import tour_feedback
from rules.catalog import RULES
from rules.city import City
from rules.engine import Engine, Tick
from rules.event import TOPIC_ROOT
from rules.feedback import FeedbackError
from tests.fuzz.mutation import mutate_bytes, mutate_json
from tests.fuzz.target import Target
from tests.rules.waste.bins import HOUR, START, asset

STOP, REPORT = f"{TOPIC_ROOT}/waste/vehicle/truck-1/stop", f"{TOPIC_ROOT}/waste/container/bin-a/report"
TOPICS = (STOP, REPORT, *(STOP.replace("truck-1", name) for name in ("%00", "%E4%B8", "+", "ü", "%", "")))
SERVED = {
    "stop": "bin-a",
    "result": "served",
    "time": "2026-09-14T09:00:00+02:00",
    "fill_level_estimate": 80,
    "mass_kg": 41.5,
    "side_waste": True,
}
SKIPPED = {"stop": "bin-a", "result": "skipped", "reason": "blocked", "time": "2026-09-14T07:00:00Z"}
DATES = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-23:59", "1969-12-31T23:59:59Z", "2026-09-14")


def run(data: bytes) -> None:
    """What became of a container, in texts and times that can be stored, which its rule does not fail on."""
    where, _, payload = data.partition(b"\n")
    found = tour_feedback.read(where.decode("utf-8", "replace"), payload)
    if found is None:
        return
    assert tour_feedback.is_feedback(where.decode("utf-8", "replace"))
    assert found.stop
    for text in (found.stop, found.vehicle, found.reason, found.cause):
        assert text is None or text.encode() is not None
    if tour_feedback.untimely(found, START + 10 * HOUR):
        return
    overlay = engine().overlay()
    overlay.tick(Tick(START + 9 * HOUR))
    overlay.stop(found)
    overlay.stop(found)
    overlay.tick(Tick(START + 10 * HOUR))
    overlay.dirty()
    assert not overlay.failures
    for event in overlay.events:
        json.loads(event.payload())


@cache
def engine() -> Engine:
    """All rules over a container."""
    return Engine(City([asset()]), RULES)


def mutate(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The topic or the message."""
    where, _, payload = data.partition(b"\n")
    match random.randint(0, 9):
        case 0:
            return mutate_bytes(random, where, others) + b"\n" + payload
        case 1:
            return random.choice(TOPICS).encode() + b"\n" + payload
        case _:
            return where + b"\n" + mutate_json(random, payload, [other.partition(b"\n")[2] for other in others])


def _seeds() -> tuple[bytes, ...]:
    about = {"specversion": "1.0", "id": "stop-1", "source": "/telematics", "type": "de.example.stop"}
    datas = [SERVED, SKIPPED, *({**SKIPPED, "time": moment} for moment in DATES), {**SERVED, "driver": "A. Muster"}]
    stops = [json.dumps({**about, "time": SKIPPED["time"], "data": data}).encode() for data in datas]
    report = tour_feedback.report("bin-a", START + 9 * HOUR, side_waste=True)
    return (*(STOP.encode() + b"\n" + body for body in stops), report.topic.encode() + b"\n" + report.payload)


SEEDS = _seeds()
TARGETS = (Target(name="feedback", run=run, refuses=(FeedbackError,), seeds=SEEDS, mutate=mutate, weight=2.0),)
