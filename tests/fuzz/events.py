"""Fuzzed: ChirpStack's events in each encoding, and their topics."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from random import Random

from chirpstack_api.integration import integration_pb2 as integration
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

from ingest import chirpstack
from ingest.chirpstack import EVENTS, Encoding, EventError, LocationEvent, TopicError, UplinkEvent
from ingest.line_protocol import LAST_TIME_MS
from tests.fuzz import seeds
from tests.fuzz.mutation import mutate_bytes, mutate_json
from tests.fuzz.target import Target

TEMPLATE = "application/{application_id}/device/{dev_eui}/event/{event}"
TOPIC = chirpstack.topic_parser(TEMPLATE)
MOST_SEEDS = 12
STAMPS = ((2**62, 0), (-(2**62), 0), (0, -1), (0, 2**31 - 1))
ENCODINGS: tuple[Encoding, ...] = ("json", "protobuf", "auto")
MESSAGES: Mapping[str, type[Message]] = {
    "up": integration.UplinkEvent,
    "join": integration.JoinEvent,
    "ack": integration.AckEvent,
    "txack": integration.TxAckEvent,
    "log": integration.LogEvent,
    "status": integration.StatusEvent,
    "location": integration.LocationEvent,
}
WITHOUT_RECORDING = {
    "location": b'{"deduplicationId":"5f0c1e7a-3c0d-4a57-9a0e-7d1b3a6f2c11","time":"2026-03-14T09:26:53.589+00:00",'
    b'"deviceInfo":{"devEui":"a84041ffff123456","tags":{}},"location":{"latitude":51.6739,"longitude":7.8155,'
    b'"altitude":85.0,"source":"GEO_RESOLVER_TDOA","accuracy":12.5}}'
}


def run_event(event: str, encoding: Encoding, data: bytes) -> None:
    """An event whose values are those that the model promises."""
    found = chirpstack.parse(event, data, encoding)
    assert type(found) is EVENTS[event]
    assert found.time.tzinfo is not None
    device = chirpstack.device(found.device_info)
    assert len(bytes.fromhex(device.dev_eui)) == 8
    for text in (device.name, device.application, *device.tags, *device.tags.values()):
        assert text.encode("utf-8") is not None
    if isinstance(found, UplinkEvent):
        _check_uplink(found)
    if isinstance(found, LocationEvent):
        place = found.location
        assert all(map(math.isfinite, (place.latitude, place.longitude, place.altitude, place.accuracy)))


def _check_uplink(event: UplinkEvent) -> None:
    uplink = chirpstack.uplink(event)
    assert uplink.deduplication_id
    assert 0 <= uplink.f_port <= 255
    assert 0 <= uplink.f_cnt < 2**32
    assert all(math.isfinite(copy.snr) for copy in uplink.receptions)
    assert abs(uplink.time_ms) <= LAST_TIME_MS


def run_topic(data: bytes) -> None:
    """A topic with a device of 16 lower case digits and an event without separators."""
    topic = TOPIC(data.decode("utf-8", "replace"))
    assert len(bytes.fromhex(topic.dev_eui)) == 8
    assert topic.dev_eui == topic.dev_eui.lower()
    assert topic.event
    assert "/" not in topic.event + topic.application_id


def mutate_protobuf(event: str, random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Half of the time changed fields, else damaged bytes."""
    if random.randint(0, 1):
        return mutate_bytes(random, data, others)
    message_type = MESSAGES[event]
    try:
        tree = json_format.MessageToJson(message_type.FromString(data)).encode()
        changed = mutate_json(random, tree, (tree,))
        return json_format.Parse(changed, message_type(), ignore_unknown_fields=True).SerializeToString()
    except (json_format.Error, DecodeError, ValueError, RecursionError):
        return mutate_bytes(random, data, others)


def _seeds(event: str, encoding: str) -> tuple[bytes, ...]:
    found = [item.payload for item in seeds.recorded(encoding) if item.event == event]
    if event in WITHOUT_RECORDING:
        found.append(WITHOUT_RECORDING[event] if encoding == "json" else _as_protobuf(WITHOUT_RECORDING[event]))
    extreme = [_extreme(event, *stamp) for stamp in STAMPS] if encoding == "protobuf" else []
    return (*found[:: max(1, len(found) // MOST_SEEDS)], *extreme)


def _extreme(event: str, seconds: int, nanos: int) -> bytes:
    """An event at a time that only protobuf can carry."""
    message = MESSAGES[event](time=Timestamp(seconds=seconds, nanos=nanos), device_info={"dev_eui": "a84041ffff123456"})
    return message.SerializeToString()


def _as_protobuf(payload: bytes) -> bytes:
    message: bytes = json_format.Parse(payload, integration.LocationEvent()).SerializeToString()
    return message


def _targets() -> Iterator[Target]:
    for event in EVENTS:
        for encoding in ENCODINGS:
            both = _seeds(event, "json") + _seeds(event, "protobuf")
            yield Target(
                name=f"event/{event}/{encoding}",
                run=partial(run_event, event, encoding),
                refuses=(EventError,),
                seeds=both if encoding == "auto" else _seeds(event, encoding),
                mutate=partial(mutate_protobuf, event) if encoding == "protobuf" else mutate_json,
                weight=2.0 if event == "up" else 1.0,
            )
    topics = {item.event: item.topic.encode() for item in seeds.recorded("json")}
    yield Target(name="event/topic", run=run_topic, refuses=(TopicError,), seeds=tuple(topics.values()), longest=400)


TARGETS = tuple(_targets())
