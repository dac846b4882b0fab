"""What goes wrong on purpose: one fault at a time, each with the outcome that the service must count.

A fault replaces an uplink or adds copies of it; an uplink has at most one, so that the sums can be checked exactly.
"""

from collections.abc import Iterator
from enum import StrEnum
from itertools import cycle
from random import Random
from typing import NamedTuple

from decoders.codec import Codec
from decoders.error import DecodeError
from decoders.simulated import SIMULATED_PREFIX
from simulator import chirpstack
from simulator.chirpstack import Encoding, Up
from simulator.device import NS_PER_S, identifier
from simulator.devices.forms import figures_of

GAP = (15, 35)
LATE_S = (1, 20)
REDELIVERY_S = (1, 5)
UNKNOWN_PROFILE = "Stadtfunk unknown profile"
GARBAGE = b"\xff"


class Outcome(StrEnum):
    """What becomes of a message: stored, a duplicate, or a dead letter of this reason; or no uplink at all."""

    UNIQUE = "unique"
    DUPLICATE = "duplicate"
    UNKNOWN_PROFILE = "unknown_profile"
    DECODE = "decode"
    EVENT = "event"
    SPOOFED = "spoofed"
    JOIN = "join"
    STATUS = "status"
    ANSWER = "answer"


NO_UPLINK = (Outcome.JOIN, Outcome.STATUS, Outcome.ANSWER)
DEAD_LETTERS = (Outcome.UNKNOWN_PROFILE, Outcome.DECODE, Outcome.EVENT, Outcome.SPOOFED)


class Fault(StrEnum):
    """The kinds of faults."""

    LATE_COPY = "late_copy"
    REDELIVERY = "redelivery"
    TRUNCATED = "truncated"
    BROKEN = "broken"
    BAD_BASE64 = "bad_base64"
    SPOOFED = "spoofed"


class Message(NamedTuple):
    """One MQTT message: when it is published (ns since 1970), and what must become of it."""

    time_ns: int
    topic: str
    payload: bytes
    outcome: Outcome


class Faults:
    """Deals out faults: after a random number of good uplinks the next kind, in turn."""

    def __init__(self, rng: Random, encoding: Encoding, *, enabled: bool) -> None:
        self._rng = rng
        self._encoding: Encoding = encoding
        self._enabled = enabled
        self._kinds: Iterator[Fault] = cycle(Fault)
        self._left = rng.randint(*GAP)

    def messages(self, up: Up, codec: Codec) -> list[Message]:
        """What is published for an uplink, in the order of time."""
        if up.device.profile == UNKNOWN_PROFILE:
            return [self._message(up, Outcome.UNKNOWN_PROFILE)]
        self._left -= 1
        if not self._enabled or self._left:
            return [self._message(up, Outcome.UNIQUE)]
        self._left = self._rng.randint(*GAP)
        return self._faulty(up, codec, next(self._kinds))

    def _faulty(self, up: Up, codec: Codec, fault: Fault) -> list[Message]:
        good = self._message(up, Outcome.UNIQUE)
        match fault:
            case Fault.LATE_COPY:
                return [good, self._late_copy(up)]
            case Fault.REDELIVERY:
                later = good.time_ns + self._seconds(REDELIVERY_S)
                return [good, good._replace(time_ns=later, outcome=Outcome.DUPLICATE)]
            case Fault.TRUNCATED:
                return [self._message(up._replace(data=unreadable(codec, up)), Outcome.DECODE)]
            case Fault.BROKEN:
                return [good._replace(payload=self._broken(good.payload), outcome=Outcome.EVENT)]
            case Fault.BAD_BASE64:
                return [good._replace(payload=self._not_base64(good.payload), outcome=Outcome.EVENT)]
            case Fault.SPOOFED:
                return [spoofed(good, up.device.dev_eui, self._rng)]

    def _message(self, up: Up, outcome: Outcome) -> Message:
        return message_of(up, outcome, self._encoding)

    def _late_copy(self, up: Up) -> Message:
        """The last gateway's copy once more, long after the network server closed its window."""
        copy = up.copies[-1]
        late = copy._replace(ns_time=copy.ns_time + self._seconds(LATE_S))
        again = up._replace(deduplication_id=identifier(self._rng), time_ns=late.ns_time, copies=(late,))
        return self._message(again, Outcome.DUPLICATE)

    def _seconds(self, span: tuple[int, int]) -> int:
        return self._rng.randint(span[0] * NS_PER_S, span[1] * NS_PER_S)

    def _broken(self, payload: bytes) -> bytes:
        return payload[:-1] if self._encoding == "json" else payload + GARBAGE

    def _not_base64(self, payload: bytes) -> bytes:
        """Protobuf knows no base64; there it is another garbled byte."""
        return payload.replace(b'"data":"', b'"data":"*') if self._encoding == "json" else GARBAGE + payload


def message_of(up: Up, outcome: Outcome, encoding: Encoding) -> Message:
    """The message of an uplink, out when its last copy has come."""
    newest = max(copy.ns_time for copy in up.copies)
    return Message(newest, chirpstack.topic(up), chirpstack.payload(up, encoding), outcome)


def spoofed(good: Message, dev_eui: str, rng: Random) -> Message:
    """The message on the topic of another device."""
    other = f"{SIMULATED_PREFIX}{0xFE0000 | rng.getrandbits(16):06x}"
    return good._replace(topic=good.topic.replace(dev_eui, other), outcome=Outcome.SPOOFED)


def unreadable(codec: Codec, up: Up) -> bytes:
    """The payload cut so short that the codec must refuse it."""
    for length in range(len(up.data) - 1, 0, -1):
        try:
            codec.decode(up.f_port, up.data[:length], 0, figures_of(codec, up.device.tags))
        except DecodeError:
            return up.data[:length]
    return b""
