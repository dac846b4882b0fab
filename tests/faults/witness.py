"""What went over the wire between broker and service: which messages arrived, and which the service acknowledged."""

from collections.abc import Callable
from dataclasses import dataclass, field

import mqtt5


@dataclass(slots=True)
class Witness:
    """Listens to all connections of a service, by the taps it gives to a proxy."""

    delivered: set[bytes] = field(default_factory=set)
    acknowledged: set[bytes] = field(default_factory=set)

    def tap(self) -> "Ear":
        """For one more connection."""
        return Ear(self)


class Ear:
    """One connection: what the service acknowledges is told by packet ids."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self._waiting: dict[int, bytes] = {}
        self._up = bytearray()
        self._down = bytearray()

    def up(self, data: bytes) -> None:
        """From the service: its PUBACKs."""
        _each(self._up, data, self._sent)

    def down(self, data: bytes) -> None:
        """To the service: PUBLISH."""
        _each(self._down, data, self._arrived)

    def _sent(self, packet: mqtt5.Packet) -> None:
        if isinstance(packet, mqtt5.PubAckPacket):
            payload = self._waiting.pop(packet.packet_id, None)
            if payload is not None:
                self._witness.acknowledged.add(payload)

    def _arrived(self, packet: mqtt5.Packet) -> None:
        if isinstance(packet, mqtt5.PublishPacket) and packet.packet_id is not None:
            payload = bytes(packet.payload or b"")
            self._waiting[packet.packet_id] = payload
            self._witness.delivered.add(payload)


def _each(buffer: bytearray, data: bytes, take: Callable[[mqtt5.Packet], None]) -> None:
    """Take every whole packet off the buffer; the rest waits for more."""
    buffer += data
    whole = bytes(buffer)
    at = 0
    while at < len(whole):
        try:
            packet, used = mqtt5.read(memoryview(whole)[at:])
        except IndexError:
            break
        at += used
        take(packet)
    del buffer[:at]
