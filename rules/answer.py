"""What consumers answer to requests, on the topic of the request followed by `/status`."""

import re
from typing import Final, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from rules.event import EPOCH, MILLISECOND, TOPIC_ROOT

AnswerStatus = Literal["accepted", "active", "rejected", "expired", "overridden"]
Heard = AnswerStatus | Literal["sent"]
"""What rules hear of a request: answers, and the service's own word that the broker has it."""
OverriddenBy = Literal["hand", "emergency_route", "roadworks", "fault"]
PLACES: Final = {
    "signal-plan": "traffic/group",
    "green-wave": "traffic/corridor",
    "bus-priority": "traffic/corridor",
    "guidance": "parking/zone",
    "route": "waste/vehicle",
}
"""Where the subjects of requests stand in topics, by the last word of the request's topic."""
TOPIC = re.compile(rf"{TOPIC_ROOT}/(?P<place>[^/]+/[^/]+)/(?P<subject>[^/]+)/(?P<what>[^/]+)/status")
ENCODED = re.compile("%([0-9A-F]{2})")
MAX_BYTES = 65_536


class AnswerError(ValueError):
    """A payload that is no answer; the message says what is wrong with it."""


class About(NamedTuple):
    """What an answer is about, by its topic: the asset, and the last word of the request's topic."""

    subject: str
    what: str


class AnswerData(BaseModel):
    """What became of a request; unknown keys are passed over."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    request_id: str = Field(min_length=1, max_length=200, description="`id` of the request's event")
    status: AnswerStatus = Field(description="accepted: will be done; active: is done now; the others: is not done")
    plan: str | None = Field(None, max_length=200, description="programme that runs now, where one does")
    by: OverriddenBy | None = Field(None, description="who overrides the request")
    until: AwareDatetime | None = Field(None, description="until when it is overridden, where that is known")
    reason: str = Field("", max_length=200, description="why a tour is rejected, shown to who plans it")

    @property
    def until_ms(self) -> int | None:
        """Until when, in milliseconds since 1970 (UTC)."""
        return None if self.until is None else (self.until - EPOCH) // MILLISECOND


class Answer(BaseModel):
    """A CloudEvent 1.0 in structured JSON; its type, subject and extensions are the consumer's own affair."""

    model_config = ConfigDict(frozen=True)

    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=200, description="another one for every answer")
    source: str = Field(min_length=1, max_length=500, description="who answers")
    type: str = Field(min_length=1, max_length=200)
    time: AwareDatetime = Field(description="when it was so")
    data: AnswerData

    @property
    def time_ms(self) -> int:
        """Its time in milliseconds since 1970 (UTC)."""
        return (self.time - EPOCH) // MILLISECOND


def topic_filter(what: str) -> str:
    """The subscription to the answers to such requests, by the last word of their topic."""
    return f"{TOPIC_ROOT}/{PLACES[what]}/+/{what}/status"


def about(topic: str) -> About | None:
    """What an answer on this topic is about; None for a topic of other messages."""
    found = TOPIC.fullmatch(topic)
    if found is None or PLACES.get(found["what"]) != found["place"]:
        return None
    return About(ENCODED.sub(lambda match: chr(int(match[1], 16)), found["subject"]), found["what"])


def parse(payload: bytes) -> Answer:
    """The answer in these bytes; raises AnswerError."""
    if len(payload) > MAX_BYTES:
        raise AnswerError(f"{len(payload)} bytes, expected {MAX_BYTES} at most")
    try:
        return Answer.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "answer"
        raise AnswerError(f"{where}: {first['msg']}") from error
