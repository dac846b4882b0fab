"""What the service says of itself on the broker, retained: online, offline (also as its Last Will)."""

import uuid
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel

STATE_TOPIC = "stadtfunk/v1/service/state"


class ServiceStateData(BaseModel):
    """Whether the service works."""

    state: Literal["online", "offline"]


class ServiceState(BaseModel):
    """CloudEvent 1.0 of type city.stadtfunk.service.state.v1."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = "/stadtfunk/service"
    type: Literal["city.stadtfunk.service.state.v1"] = "city.stadtfunk.service.state.v1"
    time: datetime
    datacontenttype: Literal["application/json"] = "application/json"
    data: ServiceStateData


def service_state(state: Literal["online", "offline"], now_ms: int) -> bytes:
    """The event as JSON; a Last Will carries the time at which it was left with the broker."""
    event = ServiceState(
        id=str(uuid.uuid4()),
        time=datetime.fromtimestamp(now_ms / 1000, UTC),
        data=ServiceStateData(state=state),
    )
    return event.model_dump_json().encode()
