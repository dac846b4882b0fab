"""What is on the wire, for whoever consumes it: JSON Schema 2020-12 of every message, examples, one AsyncAPI document.

AsyncAPI 3.0.0 (asyncapi.com/docs/reference/specification/v3.0.0) with the MQTT bindings 0.2.0. Its schemas stand under
`components`, so that the document needs no other file.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from ingest.events_example import SUBJECT, TIME, Schema, example
from ingest.service_state import HEARTBEAT_TOPIC, STATE_TOPIC, ServiceHeartbeat, ServiceState
from rules.answer import PLACES, Answer
from rules.event import SOURCE_ROOT, TOPIC_ROOT, Event
from rules.event_custom import DownlinkRequested
from rules.events import EVENT_TYPES
from rules.feedback import TOPIC_FILTER, StopFeedback

DIALECT = "https://json-schema.org/draft/2020-12/schema"
CONTENT_TYPE = "application/cloudevents+json"
PREFIX = "city.stadtfunk."
PART_OF_SUBJECT = re.compile(rf"(?<=/){SUBJECT}(?=/|$)")
ADDRESSES = {
    "environment.alert.v1": f"{TOPIC_ROOT}/environment/{{kind}}/{{id}}/alert",
    "traffic.control_health.v1": f"{TOPIC_ROOT}/traffic/{{place}}/{{id}}/{{what}}/health",
    "custom.condition.v1": f"{TOPIC_ROOT}/custom/{{rule}}/{{id}}/state",
    "custom.downlink.v1": f"{TOPIC_ROOT}/custom/{{rule}}/{{id}}/downlink",
    "custom.downlink_status.v1": f"{TOPIC_ROOT}/custom/{{rule}}/{{id}}/downlink/status",
}
"""Of types whose topic has levels that the data say."""
RULES = {
    "traffic.control_health.v1": "traffic.signal_plan",
    "parking.guidance_health.v1": "parking.guidance",
    "custom.condition.v1": "custom.soil-dry",
    "custom.downlink.v1": "custom.soil-dry",
    "custom.downlink_status.v1": "downlink.status",
}
"""Of types whose rule has another name than they have: who says the example."""
RECEIVED: dict[type[BaseModel], Schema] = {
    Answer: {"source": "/traffic-computer", "type": "example.traffic-computer.status"},
    StopFeedback: {
        "source": "/telematics",
        "type": "example.telematics.stop",
        "subject": "truck-1",
        "data": {
            "stop": "container-1",
            "result": "skipped",
            "reason": "blocked",
            "time": TIME,
            "fill_level_estimate": 86.0,
            "mass_kg": None,
            "side_waste": True,
        },
    },
}
"""What stands fixed in examples of what we take."""
PARAMETERS = {
    "id": "id of the asset, device or gateway, percent-encoded",
    "kind": "`data.kind`",
    "place": "`group` or `corridor`",
    "rule": "name of the rule, without `custom.`",
    "what": "last level of the requests' topic",
}


class Message(NamedTuple):
    """A message on the wire: its short name, model, address with parameters in braces, and how it is published."""

    name: str
    model: type[BaseModel]
    address: str
    retained: bool
    received: bool = False

    @property
    def key(self) -> str:
        """Its name in the AsyncAPI document."""
        return "".join(part.capitalize() for part in re.split(r"[._-]", self.name))

    @property
    def mode(self) -> JsonSchemaMode:
        """Whether the schema is of what we write or of what we take."""
        return "validation" if self.received else "serialization"


def messages() -> list[Message]:
    """All messages: events, the service's own, answers, feedback of tours."""
    own = [
        Message("service.state.v1", ServiceState, STATE_TOPIC, retained=True),
        Message("service.heartbeat.v1", ServiceHeartbeat, HEARTBEAT_TOPIC, retained=False),
    ]
    stops = Message("waste.stop.v1", StopFeedback, TOPIC_FILTER.replace("+", "{id}"), retained=False, received=True)
    return [*map(_event, EVENT_TYPES), *own, *_answers(), stops]


def json_schema(message: Message) -> Schema:
    """The JSON Schema of one message."""
    schema = message.model.model_json_schema(mode=message.mode)
    identity = {"$schema": DIALECT, "$id": f"urn:stadtfunk:{PREFIX}{message.name}"}
    return {**identity, **schema}


def example_of(message: Message) -> Schema:
    """A message of this kind, as it could be on the wire."""
    schema = message.model.model_json_schema(mode=message.mode)
    name = RULES.get(message.name, message.name.removesuffix(".v1"))
    made = example(schema, RECEIVED.get(message.model, {"source": f"{SOURCE_ROOT}/{name}"}))
    if "rule" in made["data"]:
        made["data"]["rule"] = name
    message.model.model_validate(made)
    return made


def asyncapi() -> Schema:
    """The AsyncAPI document; a downlink is not on the wire but as ChirpStack's command."""
    known = [message for message in messages() if message.model is not DownlinkRequested]
    models = [(message.model, message.mode) for message in known]
    places, definitions = models_json_schema(list(dict.fromkeys(models)), ref_template="#/components/schemas/{model}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Stadtfunk",
            "version": "1",
            "description": "What Stadtfunk concludes about a city, as CloudEvents 1.0 in structured JSON over MQTT at"
            " QoS 1, and the answers and the feedback that it takes. Consumers drop what they have seen, what is older"
            " than the newest of its topic, and what has expired; an empty payload withdraws what was said.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "city": {
                "host": "broker.example:8883",
                "protocol": "secure-mqtt",
                "description": "the city's own broker; MQTT 3.1.1 and 5",
            }
        },
        "channels": {message.key: _channel(message) for message in known},
        "operations": {
            f"{'take' if message.received else 'publish'}{message.key}": _operation(message) for message in known
        },
        "components": {
            "messages": {message.key: _message(message, places[message.model, message.mode]) for message in known},
            "schemas": definitions["$defs"],
        },
    }


def pages() -> Iterator[tuple[str, Callable[[], str]]]:
    """The files of docs/events by name, and what makes each."""
    for message in messages():
        yield f"{message.name}.schema.json", partial(_json, json_schema, message)
        yield f"{message.name}.example.json", partial(_json, example_of, message)
    yield "asyncapi.yaml", lambda: yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=120)


def _event(kind: type[Event]) -> Message:
    name = str(kind.model_fields["type"].default).removeprefix(PREFIX)
    made = Message(name, kind, "", kind.retained)
    topic = kind.model_validate(example_of(made)).topic
    return made._replace(address=ADDRESSES.get(name) or PART_OF_SUBJECT.sub("{id}", topic))


def _answers() -> Iterator[Message]:
    for what, place in PLACES.items():
        address = f"{TOPIC_ROOT}/{place}/{{id}}/{what}/status"
        yield Message(f"{what}.status.v1", Answer, address, retained=False, received=True)


def _channel(message: Message) -> Schema:
    parameters = {name: {"description": PARAMETERS[name]} for name in re.findall(r"\{(\w+)\}", message.address)}
    return {
        "address": message.address,
        "messages": {message.key: {"$ref": f"#/components/messages/{message.key}"}},
        **({"parameters": parameters} if parameters else {}),
    }


def _operation(message: Message) -> Schema:
    return {
        "action": "receive" if message.received else "send",
        "channel": {"$ref": f"#/channels/{message.key}"},
        "summary": _summary(message),
        "bindings": {"mqtt": {"qos": 1, "retain": message.retained, "bindingVersion": "0.2.0"}},
        "messages": [{"$ref": f"#/channels/{message.key}/messages/{message.key}"}],
    }


def _message(message: Message, schema: Schema) -> Schema:
    return {
        "name": f"{PREFIX}{message.name}",
        "title": message.key,
        "summary": _summary(message),
        "contentType": CONTENT_TYPE,
        "payload": schema,
        "examples": [{"name": "example", "payload": example_of(message)}],
    }


def _summary(message: Message) -> str:
    if message.model is Answer:
        return f"What became of a request: {message.name.partition('.')[0]}"
    return (message.model.__doc__ or "").partition("\n")[0]


def _json(make: Callable[[Message], Any], message: Message) -> str:
    return json.dumps(make(message), indent=2, ensure_ascii=False) + "\n"
