"""Feedback of tours, as rules take it; the same from the broker and from the raw messages of a replay.

Beside it stands what a person reports of a container by command. It goes the way of feedback, under a topic that is
neither published nor subscribed.
"""

import re
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest.mqtt_session import Message
from rules import feedback
from rules.event import TOPIC_ROOT, topic_safe
from rules.feedback import FeedbackError
from rules.rule import AHEAD_MS, AnyRule, TourFeedback

MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
OLD_MS: Final = 7 * DAY_MS
"""What became of a stop that long ago changes nothing any more."""
REPORT: Final = re.compile(f"{TOPIC_ROOT}/waste/container/[^/]+/report")


class Report(BaseModel):
    """What a person reports of a container, and when; who it was is in the audit table alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    container: str = Field(min_length=1)
    time_ms: int = Field(ge=0, lt=1 << 53, description="ms since 1970 (UTC)")
    side_waste: bool


def is_feedback(topic: str) -> bool:
    """Whether feedback of tours, or reports of people, come on this topic."""
    return feedback.vehicle_of(topic) is not None or REPORT.fullmatch(topic) is not None


def report(container: str, time_ms: int, *, side_waste: bool) -> Message:
    """What a person reports, as a message of our own."""
    body = Report(container=container, time_ms=time_ms, side_waste=side_waste)
    return Message(
        f"{TOPIC_ROOT}/waste/container/{topic_safe(container)}/report",
        body.model_dump_json().encode(),
        qos=1,
        retain=False,
        duplicate=False,
        receipt=None,
    )


def read(topic: str, payload: bytes) -> TourFeedback | None:
    """The feedback in a message, None on a topic of other messages; raises FeedbackError."""
    if REPORT.fullmatch(topic):
        return _reported(payload)
    vehicle = feedback.vehicle_of(topic)
    if vehicle is None:
        return None
    given = feedback.parse(payload, vehicle)
    data = given.data
    return TourFeedback(
        data.stop,
        data.result,
        data.time_ms,
        vehicle,
        data.reason,
        data.fill_level_estimate,
        data.mass_kg,
        data.side_waste,
        cause=f"{given.source} {given.id}",
    )


def untimely(given: TourFeedback, now_ms: int) -> str:
    """What is wrong with its time, by the service's clock; empty when nothing is."""
    ahead_ms = given.time_ms - now_ms
    if ahead_ms > AHEAD_MS:
        return f"its time is {ahead_ms / MINUTE_MS:.0f} min ahead of ours, expected {AHEAD_MS // MINUTE_MS} at most"
    if ahead_ms < -OLD_MS:
        return f"its time is {-ahead_ms // DAY_MS} days ago, expected {OLD_MS // DAY_MS} at most"
    return ""


def filters(rules: Sequence[AnyRule]) -> tuple[str, ...]:
    """The subscription to feedback, where one of these rules hears it."""
    return (feedback.TOPIC_FILTER,) if any(rule.tours for rule in rules) else ()


def _reported(payload: bytes) -> TourFeedback:
    try:
        said = Report.model_validate_json(payload)
    except ValidationError as error:
        raise FeedbackError(f"{payload!r:.80} does not say what was reported of which container") from error
    return TourFeedback(
        said.container, "reported", said.time_ms, side_waste=said.side_waste, cause=f"report {said.time_ms}"
    )
