"""One connection's share of MQTT 5: bytes in, messages and answers out. Knows no socket and no clock.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019; sections are named where a rule is not plain from the codec.
"""

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

import mqtt5

from ingest.mqtt_error import (
    RIVAL,
    BrokerSilent,
    ConnectionRefused,
    Disconnected,
    MalformedPacket,
    MqttError,
    PacketTooLarge,
    ProtocolError,
    SessionTakenOver,
    SubscriptionRefused,
    in_words,
)
from ingest.settings import MqttSettings

SUBSCRIBE_ID = 1
"""The one packet identifier that we give: every other belongs to the broker's PUBLISHes."""
CONNACK_HEADER = 0x20
PUBACK_HEADER = 0x4002_0000
"""PUBACK of two bytes: type, remaining length, then the packet identifier; reason 0 is left out (§3.4.2.1)."""
REFUSED = 0x80
"""Reason codes from here on are failures (§2.4)."""


class Receipt(NamedTuple):
    """What acknowledges a message: a packet identifier, good on the connection it came from only."""

    connection: int
    packet_id: int


class Message(NamedTuple):
    """One PUBLISH. `receipt` is None at QoS 0; `duplicate` says that the broker sent it before."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    duplicate: bool
    receipt: Receipt | None


class Granted(NamedTuple):
    """What the broker's CONNACK (§3.2.2.3) grants: how long it keeps the session, and what it takes from us."""

    session_expiry_s: int
    receive_maximum: int
    max_packet_bytes: int | None
    max_qos: int
    retain_available: bool


class Session:
    """The state of connection number `connection`, from CONNECT to its end.

    `deliver` is called for each PUBLISH, in order, and must not raise. A method raises MqttError when the connection
    has to end; after that the session is of no more use. Answers wait until `take_output`.
    """

    def __init__(
        self, connection: int, settings: MqttSettings, topics: Sequence[str], deliver: Callable[[Message], None]
    ) -> None:
        self.connection = connection
        self.paused = False
        self.opened = False
        self.session_present = False
        self.session_expiry_s = settings.session_expiry_s
        self.granted: Granted | None = None
        self.keepalive_s = settings.keepalive_s
        self._settings = settings
        self._topics = tuple(topics)
        self._deliver = deliver
        self._buffer = bytearray()
        self._output: list[bytes] = []
        self._exactly_once: set[int] = set()
        self._subscribed = False
        self._ping_unanswered = False
        self._heard_s = self._asked_s = self._pinged_s = 0.0

    def connect(self) -> None:
        """Queue CONNECT: the session under our client id is resumed, or made and kept (§3.1.2.4, §3.1.2.11.2)."""
        settings = self._settings
        password = settings.password
        packet = mqtt5.ConnectPacket(
            settings.client_id,
            username=settings.username,
            password=None if password is None else password.get_secret_value().encode(),
            clean_start=False,
            keep_alive=settings.keepalive_s,
            session_expiry_interval=settings.session_expiry_s,
            receive_max=settings.receive_maximum,
            max_packet_size=settings.max_packet_bytes,
        )
        self._output.append(packet.write())

    def receive(self, data: bytes, now_s: float) -> None:
        """Take bytes from the broker."""
        self._heard_s = now_s
        self._buffer += data
        self.proceed()

    def resume(self, now_s: float) -> None:
        """End a pause: what the broker owes us has its full time again. Call `proceed` next."""
        self.paused = False
        self._heard_s = now_s

    def proceed(self) -> None:
        """Handle the whole packets that have arrived, up to the one during which a pause began."""
        with memoryview(self._buffer) as view:
            used = self._handle_all(view)
        if used:
            del self._buffer[:used]

    def take_output(self) -> bytes:
        """What is to be written, once."""
        output = b"".join(self._output)
        self._output.clear()
        return output

    def acknowledgements(self, packet_ids: Sequence[int]) -> bytes:
        """PUBACK for each (PUBREC for what came with QoS 2), as one piece."""
        if not self._exactly_once:
            return struct.pack(f">{len(packet_ids)}I", *[PUBACK_HEADER | packet_id for packet_id in packet_ids])
        return b"".join(
            (mqtt5.PubRecPacket if packet_id in self._exactly_once else mqtt5.PubAckPacket)(packet_id).write()
            for packet_id in packet_ids
        )

    def tick(self, now_s: float) -> None:
        """Queue a PINGREQ when one is due; raise BrokerSilent when an answer is overdue. Call often within a keepalive.

        While reading is paused an answer may wait behind messages that we do not read: its absence means nothing then.
        """
        if not self.opened:
            return
        if self.paused:
            self._heard_s = now_s
        waited_s = now_s - max(self._heard_s, self._asked_s)
        if not self._subscribed and waited_s > self._settings.connect_timeout_s:
            raise BrokerSilent(f"no answer to SUBSCRIBE within {self._settings.connect_timeout_s:g} s")
        if not self.keepalive_s:
            return
        if self._ping_unanswered and waited_s > self.keepalive_s:
            raise BrokerSilent(f"no sign of life from the broker within {self.keepalive_s} s")
        if now_s - self._pinged_s >= self.keepalive_s / 2:
            self._ping(now_s)

    def _ping(self, now_s: float) -> None:
        self._output.append(mqtt5.PingReqPacket().write())
        self._pinged_s = now_s
        if not self._ping_unanswered:
            self._ping_unanswered = True
            self._asked_s = now_s

    def _handle_all(self, view: memoryview) -> int:
        """Bytes used."""
        largest = self._settings.max_packet_bytes
        used = 0
        while not (self.paused and self.opened):
            try:
                packet, size = mqtt5.read(view[used:])
            except IndexError:
                self._examine_incomplete(view[used:])
                break
            except BaseException as error:  # noqa: BLE001 - a panic of the codec is no Exception
                raise self._malformed(error) from None
            if size > largest:
                raise PacketTooLarge(f"a packet of {size} bytes, allowed are {largest}")
            used += size
            if type(packet) is mqtt5.PublishPacket:
                self._publish(packet)
            else:
                self._control(packet)
        return used

    def _publish(self, packet: mqtt5.PublishPacket) -> None:
        if not self.opened:
            raise ProtocolError("PUBLISH before CONNACK")
        topic = packet.topic
        if not topic:
            raise ProtocolError("PUBLISH with a topic alias, which we did not allow")
        packet_id = packet.packet_id
        if packet_id is None:
            self._deliver(Message(topic, packet.payload, 0, packet.retain, packet.duplicate, None))
            return
        qos = 1
        if packet.qos == mqtt5.QoS.EXACTLY_ONCE:
            qos = 2
            self._exactly_once.add(packet_id)
        receipt = Receipt(self.connection, packet_id)
        self._deliver(Message(topic, packet.payload, qos, packet.retain, packet.duplicate, receipt))

    def _control(self, packet: mqtt5.Packet) -> None:
        if not self.opened and not isinstance(packet, mqtt5.ConnAckPacket | mqtt5.DisconnectPacket):
            raise ProtocolError(f"{_name(packet)} before CONNACK")
        match packet:
            case mqtt5.PingRespPacket():
                self._ping_unanswered = False
            case mqtt5.PubRelPacket(packet_id=packet_id):
                self._exactly_once.discard(packet_id)
                self._output.append(mqtt5.PubCompPacket(packet_id).write())
            case mqtt5.ConnAckPacket():
                self._open(packet)
            case mqtt5.SubAckPacket():
                self._judge_subscriptions(packet)
            case mqtt5.DisconnectPacket():
                raise _disconnected(packet)
            case _:
                raise ProtocolError(f"{_name(packet)} is not for a subscriber")

    def _open(self, packet: mqtt5.ConnAckPacket) -> None:
        if self.opened:
            raise ProtocolError("a second CONNACK")
        if packet.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            raise ConnectionRefused(f"the broker refused us: {in_words(packet.reason_code, packet.reason_str)}")
        self.opened = True
        self.session_present = packet.session_present
        if packet.server_keep_alive is not None:
            self.keepalive_s = packet.server_keep_alive
        if packet.session_expiry_interval is not None:
            self.session_expiry_s = packet.session_expiry_interval
        self.granted = Granted(
            self.session_expiry_s,
            packet.receive_max,
            packet.max_packet_size,
            packet.max_qos.value,
            packet.retain_available,
        )
        self._asked_s = self._pinged_s = self._heard_s
        filters = [
            mqtt5.TopicFilter(
                topic,
                max_qos=mqtt5.QoS.AT_LEAST_ONCE,
                retain_handling=mqtt5.RetainHandling.SEND_IF_SUBSCRIPTION_NOT_EXISTS,
            )
            for topic in self._topics
        ]
        self._output.append(mqtt5.SubscribePacket(SUBSCRIBE_ID, filters).write())

    def _judge_subscriptions(self, packet: mqtt5.SubAckPacket) -> None:
        if packet.packet_id != SUBSCRIBE_ID or len(packet.reason_codes) != len(self._topics):
            raise ProtocolError("SUBACK answers nothing that we asked")
        for topic, code in zip(self._topics, packet.reason_codes, strict=True):
            if code.value >= REFUSED:
                raise SubscriptionRefused(f"subscription to {topic}: {in_words(code, packet.reason_str)}")
            if code == mqtt5.SubAckReasonCode.GRANTED_QOS_AT_MOST_ONCE:
                raise SubscriptionRefused(f"subscription to {topic}: granted without acknowledgement (QoS 0) only")
        self._subscribed = True

    def _examine_incomplete(self, view: memoryview) -> None:
        """Refuse at once what can never become a packet that we take."""
        if view and not self.opened and view[0] not in {CONNACK_HEADER, 0xE0}:
            raise MalformedPacket("the answer to CONNECT is no MQTT")
        size = declared_size(view)
        if size is not None and size > self._settings.max_packet_bytes:
            raise PacketTooLarge(f"a packet of {size} bytes, allowed are {self._settings.max_packet_bytes}")

    def _malformed(self, error: BaseException) -> BaseException:
        """The codec's complaint as ours: ValueError, or the panic (no Exception) with which it meets broken UTF-8."""
        if not isinstance(error, ValueError) and type(error).__name__ != "PanicException":
            return error
        what = "malformed packet" if self.opened else "the answer to CONNECT is no MQTT 5"
        return MalformedPacket(f"{what}: {error}")


def declared_size(view: memoryview) -> int | None:
    """The size in bytes that a fixed header declares for its packet, once the header is whole (§2.1.4)."""
    remaining = 0
    for position, byte in enumerate(view[1:5]):
        remaining |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return 2 + position + remaining
    return None


def _disconnected(packet: mqtt5.DisconnectPacket) -> MqttError:
    if packet.reason_code == mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER:
        return SessionTakenOver(f"another client took over our session: {RIVAL}")
    return Disconnected(f"the broker disconnected us: {in_words(packet.reason_code, packet.reason_str)}")


def _name(packet: mqtt5.Packet) -> str:
    return type(packet).__name__.removesuffix("Packet").upper()
