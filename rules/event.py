"""The event types: what consumers outside may rely on.

CloudEvents 1.0 in the structured JSON form (`application/cloudevents+json`). The topic, whether the broker retains the
event and whether it makes something act belong to the type. Times are RFC 3339 in UTC, durations seconds.
"""

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import ClassVar, Literal, Self
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)

NAMESPACE = UUID("47c8421a-a14a-45e1-b566-834465fe63af")
TOPIC_ROOT = "stadtfunk/v1"
SOURCE_ROOT = "/stadtfunk/rules"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
MAX_REQUEST = timedelta(minutes=30)
"""How long a request is valid at most."""
VARIANT = {f"{digit:x}": f"{digit & 3 | 8:x}" for digit in range(16)}
"""A hexadecimal digit with the two bits that name the variant of RFC 9562."""
UNSAFE = re.compile(r"[/+#%\x00-\x20\x7f-\x9f]")


def event_id(rule: str, subject: str, what: str, cause: str) -> str:
    """The one id of what a rule concluded of a subject from a cause (deduplication_id, or time of the tick).

    A UUID of version 5 (RFC 9562 §5.5), made by hand because uuid5 takes three times as long.
    """
    name = f"stadtfunk:{rule}:{subject}:{what}:{cause}"
    text = sha1(NAMESPACE.bytes + name.encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


def instant(time_ms: int) -> datetime:
    """Milliseconds since 1970 (UTC) as a time."""
    return EPOCH + time_ms * MILLISECOND


def topic_safe(name: str) -> str:
    """The name as one topic level: separators, wildcards, blanks and control characters percent-encoded."""
    return UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", name)


class Part(BaseModel):
    """Base of all parts: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Evidence(Part):
    """What a decision stands on: one quantity, as it was when the decision was made."""

    quantity: str = Field(description="name of the quantity that was compared")
    value: float | None = Field(description="its value; null when nothing usable is known")
    unit: str = Field(description="UCUM code of value, threshold and hysteresis")
    window_s: NonNegativeFloat | None = Field(description="s over which readings were taken; null for a single reading")
    threshold: float | None = Field(description="limit that the value was compared with")
    hysteresis: float | None = Field(description="distance from the limit to the one that ends the state")
    n_samples: NonNegativeInt = Field(description="readings behind the value")
    coverage_pct: NonNegativeFloat | None = Field(None, description="share of the expected readings that was there")
    newest_at: AwareDatetime | None = Field(description="when the newest of them was measured")
    age_s: NonNegativeFloat | None = Field(description="s from then to the decision")
    sources: tuple[str, ...] = Field(max_length=8, description="dev_eui of devices behind the value, eight at most")


class Decision(Part):
    """What the data of every event begin with: who decided, on what, and how long it holds."""

    rule: str = Field(description="id of the rule")
    rule_version: PositiveInt = Field(description="version of the rule")
    valid_until: AwareDatetime = Field(description="after this the event says nothing any more")
    evidence: tuple[Evidence, ...] = Field(description="what the decision stands on")


class Event(Part):
    """Base of all events; `time` is that of the input (uplink or tick) that led to it, never going back per subject."""

    retained: ClassVar[bool]
    acting: ClassVar[bool]

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(description="UUIDv5: the same input gives the same id, also in a replay")
    source: str = Field(description="/stadtfunk/rules/{rule}")
    type: str
    subject: str = Field(min_length=1, description="id of the asset in the city file")
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    data: Decision

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        raise NotImplementedError

    @property
    def time_ms(self) -> int:
        """Its time in milliseconds since 1970 (UTC)."""
        return (self.time - EPOCH) // MILLISECOND

    @property
    def valid_until_ms(self) -> int:
        """The end of its validity in milliseconds since 1970 (UTC)."""
        return (self.data.valid_until - EPOCH) // MILLISECOND

    def payload(self) -> bytes:
        """The event as JSON; the same event gives the same bytes."""
        return self.__pydantic_serializer__.to_json(self)


class RequestData(Decision):
    """What the data of every request begin with, beside the decision."""

    sequence: NonNegativeInt = Field(
        0, description="grows with each request of the rule about the subject, with gaps; the engine sets it"
    )
    issued_at: AwareDatetime = Field(description="when it was decided: the event's time")
    supersedes: str | None = Field(
        None, description="id of the request before, where that was still valid; the engine sets it"
    )


class Request(Event):
    """Base of events that make something act: never retained, valid for half an hour at most, numbered.

    A consumer acts on none that is expired or whose sequence is not above the last one's of its topic.
    """

    retained = False
    acting = True
    data: RequestData

    @model_validator(mode="after")
    def _short_lived(self) -> Self:
        data = self.data
        if data.issued_at != self.time:
            raise ValueError(f"issued_at is {data.issued_at}, expected the event's time {self.time}")
        if not self.time < data.valid_until <= self.time + MAX_REQUEST:
            raise ValueError(f"valid_until is {data.valid_until}, expected at most {MAX_REQUEST} after {self.time}")
        return self

    def numbered(self, sequence: int, supersedes: str | None) -> Self:
        """The same request with its number, and the one whose place it takes."""
        data = self.data.model_copy(update={"sequence": sequence, "supersedes": supersedes})
        return self.model_copy(update={"data": data})


LotLevel = Literal["free", "almostFull", "full"]
LotStatus = Literal["free", "almostFull", "full", "closed", "unknown"]
LotReason = Literal["counted", "closed", "no_news", "too_few_sensors", "too_uncertain"]
LotBasis = Literal["sensors", "counters", "both"]
LotTrend = Literal["decreasingQuickly", "decreasing", "stable", "increasing", "increasingQuickly", "unknown"]


class LotStateData(Decision):
    """How full a lot is; figures are null while the state is unknown."""

    state: LotStatus
    reason: LotReason
    capacity: PositiveInt = Field(description="spaces of the lot")
    occupied: NonNegativeInt | None = Field(description="occupied spaces")
    free: NonNegativeInt | None = Field(description="spaces a driver can find; 0 while the lot is closed")
    occupancy: float | None = Field(ge=0, le=1, description="occupied / capacity")
    coverage: float = Field(ge=0, le=1, description="spaces whose sensor is known to work / capacity")
    estimated: bool = Field(
        description="true when the spaces without a working sensor were taken to be like the others"
    )
    basis: LotBasis | None = Field(None, description="what the figures come from; null while the state is unknown")
    uncertainty: NonNegativeInt | None = Field(
        None, description="spaces by which `occupied` may be wrong, 19 times out of 20"
    )
    trend: LotTrend | None = Field(None, description="change of the last half hour, when the event was made")
    contradicting: bool = Field(
        default=False, description="true when sensors and counters contradict each other: the fuller figure counts"
    )


class LotState(Event):
    """The state of a parking lot; retained."""

    retained = True
    acting = False
    type: Literal["city.stadtfunk.parking.lot_state.v1"] = "city.stadtfunk.parking.lot_state.v1"
    data: LotStateData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{TOPIC_ROOT}/parking/lot/{topic_safe(self.subject)}/state"


DeviceProblem = Literal["silent", "battery_low", "link_weak", "f_cnt_reset", "clock_implausible"]


class DeviceHealthData(Decision):
    """What is wrong with a device; the evidence has one entry for each problem, in their order."""

    state: Literal["ok", "problem"]
    problems: tuple[DeviceProblem, ...]
    device: str = Field(description="name in ChirpStack")
    model: str = Field(description="codec id, or the device profile where there is none")
    asset: str | None = Field(description="asset it belongs to")
    gateway: str | None = Field(description="gateway that heard it best")
    last_heard: AwareDatetime
    interval_s: float | None = Field(ge=0, description="learned interval between uplinks")
    battery_days_left: float | None = Field(ge=0, description="days until the battery is empty by its trend")


class DeviceHealth(Event):
    """The health of a device; retained. The subject is its dev_eui."""

    retained = True
    acting = False
    type: Literal["city.stadtfunk.device.health.v1"] = "city.stadtfunk.device.health.v1"
    data: DeviceHealthData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{TOPIC_ROOT}/device/{topic_safe(self.subject)}/health"


class NetworkHealthData(Decision):
    """Whether a gateway (or, as `all`, the network) is heard from."""

    state: Literal["ok", "silent"]
    last_heard: AwareDatetime
    devices: NonNegativeInt = Field(description="devices that it heard best")


class NetworkHealth(Event):
    """The health of a gateway or of the whole network (`all`); retained. In its place no device is called silent."""

    retained = True
    acting = False
    type: Literal["city.stadtfunk.network.health.v1"] = "city.stadtfunk.network.health.v1"
    data: NetworkHealthData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{TOPIC_ROOT}/network/{topic_safe(self.subject)}/health"
