"""What becomes of the stops of tours, as vehicles tell it on `waste/vehicle/{id}/stop`; never who was on board.

Unknown keys are refused, not passed over: a name that a vehicle's computer adds must not come in by the way.
"""

import re
from typing import Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from rules.event import EPOCH, MILLISECOND, TOPIC_ROOT

StopResult = Literal["served", "skipped"]
SkipReason = Literal[
    "blocked", "not_accessible", "not_full", "damaged", "wrong_content", "not_on_route", "out_of_time", "other"
]
TOPIC_FILTER: Final = f"{TOPIC_ROOT}/waste/vehicle/+/stop"
TOPIC: Final = re.compile(TOPIC_FILTER.replace("+", "(?P<vehicle>[^/]+)"))
ENCODED: Final = re.compile("%([0-9A-F]{2})")
MAX_BYTES: Final = 65_536


class FeedbackError(ValueError):
    """A payload that is no feedback; the message says what is wrong with it.

    `surplus` when it says what nobody asked for, which may be anything about anybody.
    """

    def __init__(self, text: str, *, surplus: bool = False) -> None:
        super().__init__(text)
        self.surplus = surplus


class StopData(BaseModel):
    """What became of a stop; a skipped one says why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stop: str = Field(min_length=1, max_length=200, description="id of the container in the city file")
    result: StopResult = Field(description="served: it was emptied; skipped: it was not")
    reason: SkipReason | None = Field(None, description="why it was skipped; null where it was served")
    time: AwareDatetime = Field(description="when it was served, or given up")
    fill_level_estimate: float | None = Field(None, ge=0, le=100, description="%, as found, by eye")
    mass_kg: float | None = Field(None, ge=0, le=40_000, description="kg that came out, weighed; null when skipped")
    side_waste: bool = Field(default=False, description="true when waste lies beside it and stays there")

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.result == "skipped") is (self.reason is None):
            raise ValueError(f"result is {self.result} and reason {self.reason}; expected one where it is skipped only")
        if self.result == "skipped" and self.mass_kg is not None:
            raise ValueError("result is skipped and mass_kg a number; expected none")
        return self

    @property
    def time_ms(self) -> int:
        """Its time in milliseconds since 1970 (UTC)."""
        return (self.time - EPOCH) // MILLISECOND


class StopFeedback(BaseModel):
    """What became of a stop of a tour: a CloudEvent 1.0 in structured JSON; its type is the vehicle's own affair."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=200, description="another one for every report")
    source: str = Field(min_length=1, max_length=500, description="which system says so, never who")
    type: str = Field(min_length=1, max_length=200)
    time: AwareDatetime = Field(description="when it was said")
    subject: str | None = Field(None, max_length=200, description="the vehicle of the topic, or the stop")
    datacontenttype: Literal["application/json", "application/json; charset=utf-8"] | None = Field(
        None, description="JSON, if anything is said of it"
    )
    data: StopData


def vehicle_of(topic: str) -> str | None:
    """The vehicle that says something of its stops on this topic; None for a topic of other messages."""
    found = TOPIC.fullmatch(topic)
    return None if found is None else ENCODED.sub(lambda match: chr(int(match[1], 16)), found["vehicle"])


def parse(payload: bytes, vehicle: str) -> StopFeedback:
    """The feedback of this vehicle in these bytes; raises FeedbackError."""
    if len(payload) > MAX_BYTES:
        raise FeedbackError(f"{len(payload)} bytes, expected {MAX_BYTES} at most")
    try:
        given = StopFeedback.model_validate_json(payload)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        first = problems[0]
        where = ".".join(str(part) for part in first["loc"]) or "feedback"
        surplus = any(problem["type"] == "extra_forbidden" for problem in problems)
        raise FeedbackError(f"{where}: {first['msg']}", surplus=surplus) from error
    if given.subject not in {None, vehicle, given.data.stop}:
        raise FeedbackError("subject is neither the vehicle of the topic nor the stop", surplus=True)
    return given
