"""ChirpStack's events as typed objects, from JSON or protobuf.

Source: ChirpStack 4.20, `api/proto/integration/integration.proto` and `gw/gw.proto`, JSON by the protobuf JSON mapping.
Only fields that the service uses are read; unknown ones are ignored, omitted ones and null have protobuf's defaults.

EventError
├── TopicError          a topic that is no event topic
└── UnknownEventError   an event that ChirpStack 4 does not have
"""

import re
import reprlib
from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Literal, NamedTuple

from google.protobuf.message import DecodeError as ProtobufDecodeError
from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from decoders.uplink import Device, Reception, Uplink
from ingest import chirpstack_protobuf as protobuf
from ingest.chirpstack_event import (
    AckEvent,
    DeviceInfo,
    Event,
    JoinEvent,
    LocationEvent,
    LogEvent,
    StatusEvent,
    TxAckEvent,
    UplinkEvent,
    milliseconds,
)
from rules.condition_time import EARLIEST_MS

__all__ = [
    "EVENTS",
    "AckEvent",
    "DeviceInfo",
    "Encoding",
    "Event",
    "EventError",
    "JoinEvent",
    "LocationEvent",
    "LogEvent",
    "StatusEvent",
    "Topic",
    "TopicError",
    "TxAckEvent",
    "UnknownEventError",
    "UplinkEvent",
    "device",
    "encoding_of",
    "parse",
    "topic_parser",
    "uplink",
]

TOPIC_PARTS = ("application_id", "dev_eui", "event")
SHOWN_ERRORS = 3
# NamedTuple's own constructor costs twice this one, and attributes one by one twice what an attrgetter does.
new_tuple = tuple.__new__
device_fields = attrgetter(
    "dev_eui", "device_name", "device_profile_name", "application_id", "application_name", "tags"
)
reception_fields = attrgetter("gateway_id", "rssi", "snr")
uplink_fields = attrgetter("dev_addr", "f_port", "f_cnt", "data")


class EventError(ValueError):
    """An event that cannot be read; the message names the field and its value."""


class TopicError(EventError):
    """A topic that does not follow the template, or a template that cannot be used."""


class UnknownEventError(EventError):
    """An event type that ChirpStack 4 does not have."""


Encoding = Literal["json", "protobuf", "auto"]

EVENTS: dict[str, type[Event]] = {
    "up": UplinkEvent,
    "join": JoinEvent,
    "ack": AckEvent,
    "txack": TxAckEvent,
    "log": LogEvent,
    "status": StatusEvent,
    "location": LocationEvent,
}


class Topic(NamedTuple):
    """What an event's topic says."""

    application_id: str
    dev_eui: str
    event: str


def topic_parser(template: str) -> Callable[[str], Topic]:
    """Topic → Topic after ChirpStack's event_topic with `{name}` or `{{name}}`; both raise TopicError."""
    pattern = _topic_pattern(template)

    @lru_cache(maxsize=32_768)
    def parse_topic(topic: str) -> Topic:
        match = pattern.fullmatch(topic)
        if match is None:
            raise TopicError(f"topic {reprlib.repr(topic)} does not follow {template}")
        found = match.groupdict("")
        return Topic(found.get("application_id", ""), found["dev_eui"].lower(), found["event"])

    return parse_topic


def _topic_pattern(template: str) -> re.Pattern[str]:
    patterns = {"application_id": "[^/]+", "dev_eui": "[0-9a-fA-F]{16}", "event": r"\w+"}
    pieces = re.split(r"\{\{?\s*(\w+)\s*\}?\}", template)
    names = pieces[1::2]
    if sorted(names) not in (sorted(TOPIC_PARTS), ["dev_eui", "event"]):
        raise TopicError(f"event_topic {template!r} needs {{dev_eui}} and {{event}} once, may have {{application_id}}")
    pieces[::2] = [re.escape(text) for text in pieces[::2]]
    pieces[1::2] = [f"(?P<{name}>{patterns[name]})" for name in names]
    return re.compile("".join(pieces))


def parse(event: str, payload: bytes, encoding: Encoding = "auto") -> Event:
    """The typed event in a payload; `auto` takes what starts with `{` for JSON. Raises EventError and nothing else."""
    model = EVENTS.get(event)
    if model is None:
        raise UnknownEventError(f"event {reprlib.repr(event)}: known are {', '.join(EVENTS)}")
    if encoding == "auto":
        encoding = encoding_of(payload)
    if encoding == "json":
        return _parse_json(event, model, payload)
    return _parse_protobuf(event, model, payload)


def encoding_of(payload: bytes) -> Literal["json", "protobuf"]:
    """How an event is encoded, by how it begins."""
    return "json" if payload.lstrip(b" \t\r\n")[:1] == b"{" else "protobuf"


def _parse_json(event: str, model: type[Event], payload: bytes) -> Event:
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        refused = error
    try:
        return model.model_validate_json(to_json(_without_nulls(from_json(payload))))
    except ValidationError as error:
        refused = error
    except ValueError:
        pass  # no JSON at all, as the first attempt says
    raise EventError(f"{event}: {_explain(refused)}") from refused


def _without_nulls(value: JsonValue) -> JsonValue:
    """JSON null means the default of its field; inside `object` it is a value."""
    if isinstance(value, dict):
        return {
            key: item if key == "object" else _without_nulls(item) for key, item in value.items() if item is not None
        }
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _parse_protobuf(event: str, model: type[Event], payload: bytes) -> Event:
    try:
        return model.model_validate(protobuf.FIELDS[event](payload))
    except ProtobufDecodeError as error:
        raise EventError(f"{event}: payload of {len(payload)} bytes is no protobuf event: {error}") from error
    except ValidationError as error:
        raise EventError(f"{event}: {_explain(error)}") from error
    except protobuf.ProtobufValueError as error:
        raise EventError(f"{event}: {error}") from error


def _explain(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_context=False)
    shown = "; ".join(_explain_one(item) for item in details[:SHOWN_ERRORS])
    return shown + (f"; and {len(details) - SHOWN_ERRORS} more" if len(details) > SHOWN_ERRORS else "")


def _explain_one(item: ErrorDetails) -> str:
    if not item["loc"]:
        return f"payload: {item['msg']}"
    where = ".".join(
        part if isinstance(part, str) and part.isidentifier() else reprlib.repr(part) for part in item["loc"]
    )
    got = "" if item["type"] == "missing" else f" (got {reprlib.repr(item['input'])})"
    return f"{where}: {item['msg']}{got}"


def device(info: DeviceInfo) -> Device:
    """The device free of ChirpStack's format."""
    return new_tuple(Device, device_fields(info))


def uplink(event: UplinkEvent) -> Uplink:
    """The uplink free of ChirpStack's format; `ns_time_ms` is the newest nsTime, or `time` where none is given.

    `time` is a gateway's where that has one; of a gateway whose clock was never set, the network server's counts.
    """
    received = event.rx_info
    taken = [milliseconds(rx.ns_time) for rx in received if rx.ns_time is not None]
    tx = event.tx_info
    lora = tx.modulation.lora if tx is not None and tx.modulation is not None else None
    time_ms = milliseconds(event.time)
    ns_time_ms = max(taken) if taken else time_ms
    if time_ms < EARLIEST_MS:
        time_ms = ns_time_ms
    return new_tuple(
        Uplink,
        (
            event.deduplication_id,
            new_tuple(Device, device_fields(event.device_info)),
            *uplink_fields(event),
            time_ms,
            ns_time_ms,
            event.dr,
            tx.frequency if tx is not None else 0,
            lora.spreading_factor if lora is not None else 0,
            tuple([new_tuple(Reception, reception_fields(rx)) for rx in received]),
            event.object,
        ),
    )
