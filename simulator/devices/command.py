"""What is sent to devices, as ChirpStack takes it.

Source: ChirpStack 4.20, `api/proto/integration/integration.proto`, DownlinkCommand.
"""

import binascii
import json
from base64 import b64decode
from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

from chirpstack_api.integration import integration_pb2 as integration
from google.protobuf.message import DecodeError as BrokenMessage

COMMANDS = "application/+/device/+/command/down"
LEVELS = 6


class CommandError(ValueError):
    """A command that ChirpStack would refuse."""


class Command(NamedTuple):
    """A downlink that waits for its device; `expires_ns` since 1970, None for never."""

    item_id: str
    dev_eui: str
    f_port: int
    data: bytes
    confirmed: bool
    expires_ns: int | None


def read(topic: str, payload: bytes) -> Command:
    """The command of a message, in JSON or protobuf; raises CommandError."""
    levels = topic.split("/")
    if len(levels) != LEVELS:
        raise CommandError(f"topic {topic!r}, expected {COMMANDS}")
    try:
        found = _from_json(payload) if payload.startswith(b"{") else _from_protobuf(payload)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError, BrokenMessage) as error:
        raise CommandError(f"command on {topic}: {error}") from error
    if found.dev_eui != levels[3]:
        raise CommandError(f"command on {topic} is for {found.dev_eui!r}")
    if not 0 < found.f_port <= 255:  # noqa: PLR2004 - the greatest port
        raise CommandError(f"command on {topic}: fPort = {found.f_port}, expected 1 to 255")
    return found._replace(item_id=found.item_id or str(uuid4()))


def _from_json(payload: bytes) -> Command:
    parts = json.loads(payload)
    until = parts.get("expiresAt")
    try:
        data = b64decode(parts.get("data", ""), validate=True)
    except binascii.Error as error:
        raise CommandError(f"data is no base64: {error}") from error
    return Command(
        str(parts.get("id") or ""),
        str(parts["devEui"]).lower(),
        int(parts["fPort"]),
        data,
        bool(parts.get("confirmed", False)),
        None if until is None else round(datetime.fromisoformat(until).timestamp() * 1000) * 1_000_000,
    )


def _from_protobuf(payload: bytes) -> Command:
    parts = integration.DownlinkCommand.FromString(payload)
    until = parts.expires_at.ToNanoseconds() if parts.HasField("expires_at") else None
    return Command(parts.id, parts.dev_eui.lower(), parts.f_port, bytes(parts.data), parts.confirmed, until)
