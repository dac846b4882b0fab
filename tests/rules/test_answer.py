"""Answers of consumers to requests."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import answer
from rules.answer import About, AnswerError
from rules.event import topic_safe

GIVEN: dict[str, object] = {
    "specversion": "1.0",
    "id": "a-1",
    "source": "/traffic-computer",
    "type": "de.example.plan.status",
    "time": "2026-09-21T14:13:21.5+02:00",
    "extension": "passed over",
    "data": {"request_id": "r-1", "status": "active", "plan": 7, "more": True},
}


def with_data(**data: object) -> bytes:
    """An answer with these data."""
    return json.dumps({**GIVEN, "data": {"request_id": "r-1", "status": "active", **data}}).encode()


def test_an_answer_is_read() -> None:
    """Its time in ms, the plan as text, unknown keys passed over."""
    read = answer.parse(json.dumps(GIVEN).encode())
    assert (read.time_ms, read.data.request_id, read.data.status) == (1_789_992_801_500, "r-1", "active")
    assert (read.data.plan, read.data.by, read.data.until_ms) == ("7", None, None)


def test_who_overrides_and_until_when() -> None:
    """An override names its cause and its end."""
    read = answer.parse(with_data(status="overridden", by="roadworks", until="1970-01-01T00:00:01.25Z"))
    assert (read.data.by, read.data.until_ms) == ("roadworks", 1250)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        with_data(status="done"),
        with_data(request_id=""),
        with_data(by="nobody"),
        with_data(until="2026-09-21T14:13:21"),
        json.dumps({**GIVEN, "time": "now"}).encode(),
        json.dumps({**GIVEN, "id": ""}).encode(),
        json.dumps({key: value for key, value in GIVEN.items() if key != "source"}).encode(),
        with_data(more="x" * answer.MAX_BYTES),
    ],
)
def test_what_is_no_answer_is_refused(payload: bytes) -> None:
    """Broken JSON, unknown words, missing attributes, times without zone, and what is far too large."""
    with pytest.raises(AnswerError):
        answer.parse(payload)


@given(st.binary(max_size=200))
def test_any_bytes_give_an_answer_or_an_error(payload: bytes) -> None:
    """Nothing else is raised."""
    with pytest.raises(AnswerError):
        answer.parse(payload)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30), st.sampled_from(list(answer.PLACES)))
def test_topics_and_subjects_are_one_to_one(subject: str, what: str) -> None:
    """The subject comes back from the topic, and the subscription takes the topic."""
    topic = f"stadtfunk/v1/{answer.PLACES[what]}/{topic_safe(subject)}/{what}/status"
    assert answer.about(topic) == About(subject, what)
    assert re.fullmatch(answer.topic_filter(what).replace("+", "[^/]+"), topic)


@pytest.mark.parametrize(
    "topic",
    [
        "stadtfunk/v1/traffic/group/g/signal-plan",
        "stadtfunk/v1/traffic/corridor/g/signal-plan/status",
        "stadtfunk/v1/traffic/group/g/unknown/status",
        "stadtfunk/v1/traffic/group/g/h/signal-plan/status",
        "stadtfunk/v1/traffic/group/g/signal-plan/status\n",
        "application/1/device/2/event/up",
    ],
)
def test_other_topics_are_no_answers(topic: str) -> None:
    """The request itself, another place, another word, more or fewer levels."""
    assert answer.about(topic) is None
