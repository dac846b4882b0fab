"""Fuzzed: answers of consumers to our requests. An input is a topic, a newline, a CloudEvent."""

import json
from collections.abc import Sequence
from functools import cache
from random import Random

from ingest import answers
from rules.answer import PLACES, AnswerError, topic_filter
from rules.catalog import RULES
from rules.city import City
from rules.engine import Engine, Tick
from rules.traffic.link import link
from tests.fuzz.mutation import mutate_bytes, mutate_json
from tests.fuzz.target import Target
from tests.rules.traffic.town import HOUR, START, town

EVENT = {
    "specversion": "1.0",
    "id": "answer-1",
    "source": "/traffic-computer",
    "type": "de.example.plan.status",
    "time": "2027-01-15T08:00:00Z",
    "data": {"request_id": "7d9f5c0e-57a5-5f3a-9a0b-1c2d3e4f5a6b", "status": "active", "plan": "P2"},
}
OVERRIDDEN = {"request_id": "r", "status": "overridden", "by": "roadworks", "until": "2027-01-15T18:00:00+01:00"}
SUBJECTS = ("group", "lot%2F1", "%E4%B8", "%00", "+", "ü", "%", "%0A")
DATES = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-23:59", "1969-12-31T23:59:59Z", "2027-01-15")


def run(data: bytes) -> None:
    """An answer about a subject and a request, in texts and times that can be stored, which no rule fails on."""
    where, _, payload = data.partition(b"\n")
    found = answers.read(where.decode("utf-8", "replace"), payload)
    if found is None:
        return
    assert found.what in PLACES
    assert found.subject
    assert found.request_id
    for text in (found.subject, found.request_id, found.plan, found.cause, found.by):
        assert text is None or text.encode() is not None
    overlay = engine().overlay()
    overlay.tick(Tick(START))
    overlay.answer(found)
    overlay.tick(Tick(START + HOUR))
    overlay.dirty()
    assert not overlay.failures
    for event in overlay.events:
        json.loads(event.payload())


@cache
def engine() -> Engine:
    """All rules over a town whose signals are requested plans."""
    return Engine(City(link(town())), RULES)


def mutate(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The topic or the event."""
    where, _, payload = data.partition(b"\n")
    match random.randint(0, 9):
        case 0:
            return mutate_bytes(random, where, others) + b"\n" + payload
        case 1:
            return topic(random.choice(list(PLACES)), random.choice(SUBJECTS)) + b"\n" + payload
        case _:
            return where + b"\n" + mutate_json(random, payload, [other.partition(b"\n")[2] for other in others])


def topic(what: str, subject: str) -> bytes:
    """Where answers to such requests come."""
    return topic_filter(what).replace("+", subject).encode()


def _seeds() -> tuple[bytes, ...]:
    events = [EVENT, {**EVENT, "data": OVERRIDDEN}, *({**EVENT, "time": moment} for moment in DATES)]
    events += [{**EVENT, "data": {**OVERRIDDEN, "until": moment}} for moment in DATES]
    bodies = [json.dumps(event).encode() for event in events]
    return tuple(topic(what, "group") + b"\n" + body for what, body in zip([*PLACES] * 2, bodies, strict=False))


SEEDS = _seeds()
TARGETS = (Target(name="answer", run=run, refuses=(AnswerError,), seeds=SEEDS, mutate=mutate, weight=3.0),)
