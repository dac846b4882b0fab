"""Answers to requests, as rules take them; the same from the broker and from the raw messages of a replay."""

from collections.abc import Sequence

from rules import answer
from rules.rule import Answered, AnyRule


def is_answer(topic: str) -> bool:
    """Whether answers come on this topic."""
    return answer.about(topic) is not None


def read(topic: str, payload: bytes) -> Answered | None:
    """The answer in a message, None on a topic of other messages; raises AnswerError."""
    about = answer.about(topic)
    if about is None:
        return None
    given = answer.parse(payload)
    data = given.data
    return Answered(
        about.subject,
        data.request_id,
        data.status,
        data.plan,
        given.time_ms,
        cause=f"{given.source} {given.id}",
        what=about.what,
        by=data.by,
        until_ms=data.until_ms,
    )


def filters(rules: Sequence[AnyRule]) -> tuple[str, ...]:
    """The subscriptions to the answers that these rules want."""
    return tuple(answer.topic_filter(what) for what in sorted({rule.answers for rule in rules if rule.answers}))
