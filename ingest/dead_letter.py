"""Dead letters: what could not be used, kept with its reason until somebody decides."""

import hashlib
from enum import StrEnum
from typing import NamedTuple

from ingest.settings import JournalSettings


class Reason(StrEnum):
    """Why a message or a line is a dead letter."""

    TOPIC = "topic"
    """The topic is not one of ChirpStack's event topics."""
    EVENT = "event"
    """The payload is no ChirpStack event: broken JSON or protobuf, wrong base64, a field out of range."""
    ANSWER = "answer"
    """The payload is no answer to a request, or to one that no rule makes."""
    FEEDBACK = "feedback"
    """The payload is no feedback of a tour, or its stop or vehicle is not in the city's file, or its time cannot be."""
    SPOOFED = "spoofed"
    """The payload names another device than the topic."""
    SIMULATED = "simulated"
    """A simulated device on a service that does not accept them."""
    UNKNOWN_PROFILE = "unknown_profile"
    """No codec is set for the device's profile."""
    NO_PURPOSE = "no_purpose"
    """The codec reads personal data, and no purpose is documented for that."""
    DECODE = "decode"
    """The codec could not read the payload."""
    INTERNAL = "internal"
    """A mistake of ours: the program raised what it should not. Please report it."""
    SINK = "sink"
    """A database refuses the line for good."""
    CHECKSUM = "checksum"
    """A journal row whose checksum no longer fits."""


class DeadLetter(NamedTuple):
    """One dead letter: `payload` is whole, or its head when it was too large; `digest` is of the whole."""

    reason: Reason
    detail: str
    source: str
    payload: bytes
    length: int
    digest: bytes
    time_ms: int
    dev_eui: str = ""
    codec: str = ""


def dead_letter(
    reason: Reason,
    detail: str,
    source: str,
    payload: bytes,
    time_ms: int,
    settings: JournalSettings,
    *,
    dev_eui: str = "",
    codec: str = "",
) -> DeadLetter:
    """A dead letter from what arrived; `source` is the topic, or the sink that refused a line."""
    kept = payload if len(payload) <= settings.dead_letter_full_bytes else payload[: settings.dead_letter_head_bytes]
    return DeadLetter(
        reason, detail[:1000], source, kept, len(payload), digest(source, payload), time_ms, dev_eui, codec
    )


def digest(source: str, payload: bytes) -> bytes:
    """What tells messages apart that are no uplinks: 16 bytes of the topic and the payload."""
    return hashlib.blake2b(source.encode() + b"\0" + payload, digest_size=16).digest()
