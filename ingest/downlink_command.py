"""A downlink as ChirpStack takes it: topic and command, and what it could not send.

Source: ChirpStack 4.20, `api/proto/integration/integration.proto`, DownlinkCommand, JSON by the protobuf JSON mapping;
LoRaWAN Regional Parameters RP002-1.0.4, EU863-870.
"""

import re
from base64 import b64encode
from typing import NamedTuple

from chirpstack_api.integration import integration_pb2
from pydantic_core import to_json

from ingest.chirpstack import Encoding
from ingest.settings import COMMAND_PARTS
from rules.event_custom import DownlinkRequested

BYTES_BY_DATA_RATE = (51, 51, 51, 115, 222, 222, 222, 222, 51, 51, 51, 51)
"""Largest application payload of an answer in RX1 to an uplink of data rate 0 … 11, without MAC commands beside it.

Data rates 0 to 7: RX1DROffset 0, that is the same (table EU863-870 maximum payload size, N without repeater). LR-FHSS
(8 to 11) is answered by LoRa at data rate 1 or 2.
"""
JSON, PROTOBUF = "application/json", "application/x-protobuf"
APPLICATION = re.compile(r"[\w.-]+")
"""Of an application id: one level of a topic, without wildcards."""


class Command(NamedTuple):
    """A message to ChirpStack."""

    topic: str
    payload: bytes
    content_type: str


def command(request: DownlinkRequested, application_id: str, template: str, encoding: Encoding) -> Command:
    """The command of a request: ChirpStack expects protobuf where it writes protobuf, else JSON."""
    parts = {"application_id": application_id, "dev_eui": request.data.dev_eui, "command": "down"}
    topic = COMMAND_PARTS.sub(lambda match: parts[match[1]], template)
    if encoding == "protobuf":
        return Command(topic, _protobuf(request), PROTOBUF)
    return Command(topic, _json(request), JSON)


def largest(data_rate: int | None) -> int:
    """Bytes that go in one downlink to a device that was heard last at this data rate; None is the slowest."""
    known = data_rate is not None and data_rate < len(BYTES_BY_DATA_RATE)
    return BYTES_BY_DATA_RATE[data_rate] if known and data_rate is not None else min(BYTES_BY_DATA_RATE)


def _json(request: DownlinkRequested) -> bytes:
    data = request.data
    return to_json(
        {
            "id": request.id,
            "devEui": data.dev_eui,
            "confirmed": data.confirmed,
            "fPort": data.f_port,
            "data": b64encode(bytes.fromhex(data.payload)).decode(),
            "expiresAt": data.valid_until,
        }
    )


def _protobuf(request: DownlinkRequested) -> bytes:
    data = request.data
    made = integration_pb2.DownlinkCommand(
        id=request.id,
        dev_eui=data.dev_eui,
        confirmed=data.confirmed,
        f_port=data.f_port,
        data=bytes.fromhex(data.payload),
    )
    made.expires_at.FromDatetime(data.valid_until)
    return bytes(made.SerializeToString())
