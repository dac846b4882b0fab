"""A traffic computer as the loop needs one: it has the last word on what its junctions run, and answers every request.

It has one control group. Requests come as Stadtfunk's events; it reads them by what `docs/consuming-events.md`
promises and shares no code with who writes them. It never acts on one that has expired, that comes out of order, that
names a plan which it lacks or not all of its junctions. A plan changes at the end of a cycle and after a minimum time
only. Without a request its own schedule runs.
"""

import json
from collections import Counter, deque
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID, uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from rules.event import topic_safe

ROOT = "stadtfunk/v1/traffic"
NOT_SUPPORTED = ("green-wave", "bus-priority")
NAMESPACE = UUID("5b7a40b2-6d1f-4f5e-8f53-1a9e2d5b7c11")
SOURCE = "/simulation/traffic-computer"
ANSWER_TYPE = "simulation.signal-plan.status"
LOCAL = "local-schedule"
"""What stands in the place of a request's id where the plan that runs is the computer's own."""
MINIMUM_S = 180.0
LONGEST = timedelta(minutes=30)
AHEAD = timedelta(minutes=2)
MOST_SEEN = 256
LONGEST_REASON = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

Status: TypeAlias = Literal["accepted", "active", "rejected", "expired"]


class Said(NamedTuple):
    """An answer: its topic and its payload, a CloudEvent in JSON."""

    topic: str
    payload: bytes


class Group(NamedTuple):
    """What the computer steers: a control group, its junctions, and the plans that all of them have."""

    id: str
    junctions: tuple[str, ...]
    plans: frozenset[str]


class _Named(BaseModel):
    """As much of an event as names it."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(min_length=1)


class _Wish(BaseModel):
    """What is wished, and for how long."""

    model_config = ConfigDict(frozen=True)

    plan: str
    junctions: frozenset[str]
    sequence: int
    issued_at: AwareDatetime
    valid_until: AwareDatetime


class _Request(_Named):
    """A request for a signal plan; keys that are not known are passed over."""

    type: Literal["city.stadtfunk.traffic.signal_plan_requested.v1"]
    subject: str
    data: _Wish

    @field_validator("data")
    @classmethod
    def _short(cls, wish: _Wish) -> _Wish:
        if wish.valid_until - wish.issued_at > LONGEST:
            raise ValueError(f"valid for {wish.valid_until - wish.issued_at}, expected {LONGEST} at most")
        return wish


class TrafficComputer:
    """Decides which plan the group runs. Times in ms since 1970 (UTC).

    `plan` runs now, beginning with the first plan of the local schedule; `answers` counts what was said, by status,
    `unreadable` the messages on its topics that are no requests.
    """

    def __init__(self, group: Group, local: str, minimum_s: float = MINIMUM_S) -> None:
        self.plan = local
        self.answers: Counter[str] = Counter()
        self.unreadable = 0
        self._group = group
        self._topic = f"{ROOT}/group/{topic_safe(group.id)}/signal-plan"
        self._minimum_ms = minimum_s * 1000
        self._since_ms: int | None = None
        self._request: _Request | None = None
        self._sequence = -1
        self._seen: deque[str] = deque(maxlen=MOST_SEEN)
        self._number = 0

    def hear(self, topic: str, payload: bytes, time_ms: int) -> list[Said]:
        """Take in a message of Stadtfunk; what is answered to it. Topics of others' business change nothing."""
        if topic == self._topic:
            return self._heard(payload, time_ms) if payload else self._withdrawn(time_ms)
        if topic.startswith(f"{ROOT}/corridor/") and topic.rpartition("/")[2] in NOT_SUPPORTED and payload:
            return self._refuse(payload, time_ms, f"{topic.rpartition('/')[2]} is not supported", topic)
        return []

    def tick(self, time_ms: int, local: str, *, cycle_ends: bool) -> list[Said]:
        """Let it be that time, with that plan in the local schedule; afterwards `plan` is what has to run."""
        said: list[Said] = []
        if self._since_ms is None:
            self._since_ms = time_ms
            said.append(self._own(time_ms))
        if self._request is not None and _ms(self._request.data.valid_until) <= time_ms:
            said.append(self._answer(self._request.id, "expired", time_ms))
            self._request = None
        wanted = local if self._request is None else self._request.data.plan
        if wanted != self.plan and cycle_ends and time_ms - self._since_ms >= self._minimum_ms:
            self.plan, self._since_ms = wanted, time_ms
            request = self._request
            said.append(self._own(time_ms) if request is None else self._answer(request.id, "active", time_ms))
        return said

    def _heard(self, payload: bytes, time_ms: int) -> list[Said]:
        try:
            request = _Request.model_validate_json(payload)
        except ValidationError as error:
            return self._refuse(payload, time_ms, _wrong(error))
        if request.id in self._seen:
            return []
        self._seen.append(request.id)
        wish, reason = request.data, self._against(request, time_ms)
        self._sequence = max(self._sequence, wish.sequence)
        if reason is not None:
            return [self._answer(request.id, "rejected", time_ms, reason)]
        if _ms(wish.valid_until) <= time_ms:
            return [self._answer(request.id, "expired", time_ms)]
        self._request = request
        return [self._answer(request.id, "active" if wish.plan == self.plan else "accepted", time_ms)]

    def _against(self, request: _Request, time_ms: int) -> str | None:
        """Why a request is refused, whenever it comes."""
        wish, group = request.data, self._group
        if request.subject != group.id or wish.junctions != frozenset(group.junctions):
            return f"{group.id} is steered as a whole: {', '.join(group.junctions)}"
        if wish.sequence <= self._sequence:
            return f"sequence {wish.sequence} is not above {self._sequence}"
        if _ms(wish.issued_at - AHEAD) > time_ms:
            return f"issued at {wish.issued_at.isoformat()}, which is ahead"
        if wish.plan not in group.plans:
            return f"plan {wish.plan} is unknown"
        return None

    def _withdrawn(self, time_ms: int) -> list[Said]:
        request, self._request = self._request, None
        return [] if request is None else [self._answer(request.id, "expired", time_ms)]

    def _refuse(self, payload: bytes, time_ms: int, reason: str, topic: str | None = None) -> list[Said]:
        """What is no request that can be carried out is refused where it can be named, else counted."""
        try:
            named = _Named.model_validate_json(payload)
        except ValidationError:
            self.unreadable += 1
            return []
        if named.id in self._seen:
            return []
        self._seen.append(named.id)
        return [self._answer(named.id, "rejected", time_ms, reason, topic)]

    def _own(self, time_ms: int) -> Said:
        """That a plan of the local schedule runs."""
        return self._answer(LOCAL, "active", time_ms)

    def _answer(
        self, request_id: str, status: Status, time_ms: int, reason: str = "", topic: str | None = None
    ) -> Said:
        self.answers[status] += 1
        self._number += 1
        data = {"request_id": request_id, "status": status}
        if topic is None:
            data["plan"] = self.plan
        if reason:
            data["reason"] = reason[:LONGEST_REASON]
        event = {
            "specversion": "1.0",
            "id": str(uuid5(NAMESPACE, f"{self._group.id}:{self._number}:{time_ms}")),
            "source": SOURCE,
            "type": ANSWER_TYPE,
            "time": (EPOCH + time_ms * MILLISECOND).isoformat(timespec="milliseconds"),
            "data": data,
        }
        return Said(f"{topic or self._topic}/status", json.dumps(event).encode())


def _ms(time: datetime) -> int:
    return (time - EPOCH) // MILLISECOND


def _wrong(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'request'}: {first['msg']}"
