"""Answers to requests, as rules take them; the same from the broker and from the raw messages of a replay.

Beside them stands the service's own word that a request went out: rules wait for answers to no other ones. It goes the
way of an answer, under a topic that is neither published nor subscribed.
"""

import sqlite3
from collections.abc import Sequence

from pydantic import BaseModel, Field, ValidationError

from ingest.dead_letter import digest
from ingest.mqtt_session import Message
from rules import answer
from rules.answer import AnswerError
from rules.rule import Answered, AnyRule

SENT, STATUS = "/sent", "/status"
OUT = (
    "SELECT topic, id, time_ms FROM event WHERE acting = 1 AND valid_until_ms > ? AND status = 'published' ORDER BY seq"
)
ROUTE = "route"
"""The last word of the topic of tours, which no rule plans."""


class Word(BaseModel):
    """That a request went out."""

    request_id: str = Field(min_length=1, max_length=200)
    time_ms: int = Field(ge=0, lt=1 << 53, description="when it was decided, ms since 1970 (UTC)")


def is_answer(topic: str) -> bool:
    """Whether answers, or words that a request went out, come on this topic."""
    return _about(topic) is not None


def sent(topic: str, request_id: str, time_ms: int) -> Message | None:
    """The word that the broker has the request that was decided then; None for a request that nobody answers.

    The same request gives the same bytes, so that the word counts once however often it is said.
    """
    note = Message(
        f"{topic}{SENT}",
        Word(request_id=request_id, time_ms=time_ms).model_dump_json().encode(),
        qos=1,
        retain=False,
        duplicate=False,
        receipt=None,
    )
    return note if is_answer(note.topic) else None


def unheard(connection: sqlite3.Connection, now_ms: int) -> list[Message]:
    """The words that no commit holds, of requests that are out and valid: we ended between the two."""
    rows = connection.execute(OUT, (now_ms,)).fetchall()
    words = {digest(word.topic, word.payload): word for row in rows if (word := sent(*row)) is not None}
    if not words:
        return []
    marks = ",".join("?" * len(words))
    query = f"SELECT deduplication_id FROM seen WHERE ns_time_ms >= ? AND deduplication_id IN ({marks})"  # noqa: S608 - question marks
    for (heard,) in connection.execute(query, (min(time_ms for *_, time_ms in rows), *words)):
        words.pop(heard, None)
    return list(words.values())


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
    """The subscriptions to the answers that these rules want, and to those to tours."""
    wanted = {ROUTE, *(rule.answers for rule in rules if rule.answers)}
    return tuple(answer.topic_filter(what) for what in sorted(wanted))
