"""What the service says of itself on the broker: its state, retained (also as its Last Will), and its heartbeat.

A heartbeat is not retained: one that the broker kept would look alive after us.
"""

import uuid
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, Field

STATE_TOPIC = "stadtfunk/v1/service/state"
HEARTBEAT_TOPIC = "stadtfunk/v1/service/heartbeat"
SOURCE: Literal["/stadtfunk/service"] = "/stadtfunk/service"


class ServiceEvent(BaseModel):
    """CloudEvent 1.0 about the service."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = SOURCE
    time: datetime
    datacontenttype: Literal["application/json"] = "application/json"


class ServiceStateData(BaseModel):
    """Whether the service works."""

    state: Literal["online", "offline"]


class ServiceState(ServiceEvent):
    """CloudEvent of type city.stadtfunk.service.state.v1."""

    type: Literal["city.stadtfunk.service.state.v1"] = "city.stadtfunk.service.state.v1"
    data: ServiceStateData


class ServiceHeartbeatData(BaseModel):
    """An uplink of the service's canary went through the chain: broker, session, decoding, journal."""

    number: int = Field(ge=0, description="number of the canary's uplink")
    valid_until: datetime = Field(description="when the next is missing")


class ServiceHeartbeat(ServiceEvent):
    """CloudEvent of type city.stadtfunk.service.heartbeat.v1; `time` is when the canary set out."""

    type: Literal["city.stadtfunk.service.heartbeat.v1"] = "city.stadtfunk.service.heartbeat.v1"
    data: ServiceHeartbeatData


def service_state(state: Literal["online", "offline"], now_ms: int) -> bytes:
    """The event as JSON; a Last Will carries the time at which it was left with the broker."""
    event = ServiceState(id=str(uuid.uuid4()), time=_instant(now_ms), data=ServiceStateData(state=state))
    return event.model_dump_json().encode()


def service_heartbeat(name: str, number: int, time_ms: int, valid_until_ms: int) -> bytes:
    """The event as JSON; the same canary gives the same bytes."""
    data = ServiceHeartbeatData(number=number, valid_until=_instant(valid_until_ms))
    return ServiceHeartbeat(id=name, time=_instant(time_ms), data=data).model_dump_json().encode()


def _instant(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)
