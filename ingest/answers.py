"""Answers to requests, as rules take them; the same from the broker and from the raw messages of a replay.

Beside them stands the service's own word that a request went out: rules wait for answers to no other ones. It goes the
way of an answer, under a topic that is neither published nor subscribed.
"""

from collections.abc import Sequence

from pydantic import BaseModel, Field, ValidationError

from ingest.mqtt_session import Message
from rules import answer
from rules.answer import AnswerError
from rules.rule import Answered, AnyRule

SENT, STATUS = "/sent", "/status"


class Word(BaseModel):
    """That a request went out."""

    request_id: str = Field(min_length=1, max_length=200)
    time_ms: int = Field(ge=0, lt=1 << 53, description="ms since 1970 (UTC)")


def is_answer(topic: str) -> bool:
    """Whether answers, or words that a request went out, come on this topic."""
    return _about(topic) is not None


def sent(topic: str, request_id: str, time_ms: int) -> Message | None:
    """The word that the broker has the request of this topic; None for a request that nobody answers."""
    note = Message(
        f"{topic}{SENT}",
        Word(request_id=request_id, time_ms=time_ms).model_dump_json().encode(),
        qos=1,
        retain=False,
        duplicate=False,
        receipt=None,
    )
    return note if is_answer(note.topic) else None


def read(topic: str, payload: bytes) -> Answered | None:
    """The answer in a message, None on a topic of other messages; raises AnswerError."""
    about = _about(topic)
    if about is None:
        return None
    if topic.endswith(SENT):
        return _sent(about, payload)
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


def _about(topic: str) -> answer.About | None:
    return answer.about(topic.removesuffix(SENT) + STATUS if topic.endswith(SENT) else topic)


def _sent(about: answer.About, payload: bytes) -> Answered:
    try:
        word = Word.model_validate_json(payload)
    except ValidationError as error:
        raise AnswerError(f"{payload!r:.80} does not say which request went out when") from error
    name = word.request_id
    return Answered(about.subject, name, "sent", None, word.time_ms, cause=f"sent {name}", what=about.what)


def filters(rules: Sequence[AnyRule]) -> tuple[str, ...]:
    """The subscriptions to the answers that these rules want."""
    return tuple(answer.topic_filter(what) for what in sorted({rule.answers for rule in rules if rule.answers}))
