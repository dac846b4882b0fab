"""The receiving session without a socket: bytes in, messages and answers out."""

from contextlib import suppress

import mqtt5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.mqtt_error import (
    BrokerSilent,
    ConnectionRefused,
    Disconnected,
    MalformedPacket,
    MqttError,
    PacketTooLarge,
    ProtocolError,
    SessionTakenOver,
    SubscriptionRefused,
)
from ingest.mqtt_session import Message, Receipt, Session, declared_size
from ingest.settings import MqttSettings

CONNACK = mqtt5.ConnAckPacket(session_present=True).write()
SUBACK = mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]).write()


def codes(kind: type[object]) -> list[object]:
    """All reason codes of a packet."""
    return [getattr(kind, name) for name in dir(kind) if name.isupper()]


def publish(number: int, payload: bytes = b"x", qos: mqtt5.QoS = mqtt5.QoS.AT_LEAST_ONCE) -> bytes:
    """A PUBLISH whose packet identifier is its number."""
    packet_id = None if qos == mqtt5.QoS.AT_MOST_ONCE else number
    return mqtt5.PublishPacket(f"t/{number}", payload, qos=qos, packet_id=packet_id).write()


def session(messages: list[Message], **settings: int) -> Session:
    """A session that has said CONNECT and delivers into `messages`."""
    made = Session(7, MqttSettings(**settings), ["t/#"], messages.append)
    made.connect()
    made.take_output()
    return made


def opened(messages: list[Message], **settings: int) -> Session:
    """A session that the broker has accepted at second 0."""
    made = session(messages, **settings)
    made.receive(CONNACK + SUBACK, 0)
    made.take_output()
    return made


def packets(data: bytes) -> list[mqtt5.Packet]:
    """What the session wants written, as packets."""
    found, used = [], 0
    while used < len(data):
        packet, size = mqtt5.read(memoryview(data)[used:])
        found.append(packet)
        used += size
    return found


def test_connect_asks_for_a_session_that_stays() -> None:
    """CONNECT names the client, resumes its session and bounds what the broker may send."""
    settings = MqttSettings(client_id="city", username="u", password="p", receive_maximum=77, session_expiry_s=3600)
    made = Session(1, settings, ["t/#"], print)
    made.connect()
    (packet,) = packets(made.take_output())
    assert isinstance(packet, mqtt5.ConnectPacket)
    assert (packet.client_id, packet.username, packet.password) == ("city", "u", b"p")
    assert (packet.clean_start, packet.session_expiry_interval) == (False, 3600)
    assert (packet.receive_max, packet.max_packet_size, packet.keep_alive) == (77, 2_000_000, 30)


def test_subscribes_at_qos_1_after_connack() -> None:
    """CONNACK is answered with the subscription, at most QoS 1, without old retained messages each time."""
    made = session([])
    made.receive(CONNACK, 0)
    (packet,) = packets(made.take_output())
    assert isinstance(packet, mqtt5.SubscribePacket)
    (topic_filter,) = packet.topic_filters
    assert topic_filter.pattern == "t/#"
    assert topic_filter.max_qos == mqtt5.QoS.AT_LEAST_ONCE
    assert topic_filter.retain_handling == mqtt5.RetainHandling.SEND_IF_SUBSCRIPTION_NOT_EXISTS


@pytest.mark.parametrize("cut", range(1, 60))
def test_packets_may_be_cut_anywhere(cut: int) -> None:
    """Wherever the stream is cut, every message arrives once and in order."""
    stream = CONNACK + publish(1) + SUBACK + publish(2, b"") + publish(3, b"y" * 20, mqtt5.QoS.AT_MOST_ONCE)
    messages: list[Message] = []
    made = session(messages)
    made.receive(stream[:cut], 0)
    made.receive(stream[cut:], 0)
    assert messages == [
        Message("t/1", b"x", 1, retain=False, duplicate=False, receipt=Receipt(7, 1)),
        Message("t/2", b"", 1, retain=False, duplicate=False, receipt=Receipt(7, 2)),
        Message("t/3", b"y" * 20, 0, retain=False, duplicate=False, receipt=None),
    ]


def test_packets_may_come_byte_by_byte_or_all_at_once() -> None:
    """The pieces in which bytes arrive change nothing."""
    stream = CONNACK + SUBACK + b"".join(publish(number, bytes(number)) for number in range(1, 200))
    whole: list[Message] = []
    session(whole).receive(stream, 0)
    single: list[Message] = []
    made = session(single)
    for byte in stream:
        made.receive(bytes((byte,)), 0)
    assert len(whole) == 199
    assert single == whole


def test_a_large_packet_in_many_pieces_is_not_copied_again_and_again() -> None:
    """The buffer takes a packet of 2 MB in small pieces without being rebuilt for each."""
    messages: list[Message] = []
    made = opened(messages)
    packet = publish(1, bytes(1_900_000))
    buffer = made._buffer
    for begin in range(0, len(packet), 1000):
        made.receive(packet[begin : begin + 1000], 0)
        assert made._buffer is buffer
    assert [len(message.payload) for message in messages] == [1_900_000]
    assert not buffer


def test_a_pause_stops_within_the_buffer() -> None:
    """A pause during a delivery holds back what is already read; nothing is lost or doubled by it."""
    messages: list[Message] = []

    def deliver(message: Message) -> None:
        messages.append(message)
        if len(messages) == 3:
            made.paused = True

    made = Session(7, MqttSettings(), ["t/#"], deliver)
    made.receive(CONNACK + SUBACK + b"".join(publish(number) for number in range(1, 11)), 0)
    assert len(messages) == 3
    made.receive(publish(11), 0)
    assert len(messages) == 3
    made.resume(0)
    made.proceed()
    assert [message.topic for message in messages] == [f"t/{number}" for number in range(1, 12)]


def test_paused_from_the_start_still_opens() -> None:
    """A session that begins paused is accepted and subscribes, and delivers nothing before it is resumed."""
    messages: list[Message] = []
    made = session(messages)
    made.paused = True
    made.receive(CONNACK + publish(1) + SUBACK, 0)
    assert made.opened
    assert [type(packet) for packet in packets(made.take_output())] == [mqtt5.SubscribePacket]
    assert messages == []
    made.resume(0)
    made.proceed()
    assert len(messages) == 1


@given(st.lists(st.integers(1, 65535), unique=True, max_size=50))
def test_acknowledgements_are_what_the_codec_writes(packet_ids: list[int]) -> None:
    """The joined PUBACKs are byte for byte those of the codec."""
    expected = b"".join(mqtt5.PubAckPacket(packet_id).write() for packet_id in packet_ids)
    assert opened([]).acknowledgements(packet_ids) == expected


def test_qos_2_is_completed() -> None:
    """A QoS 2 message (left over from another subscription) is delivered and goes PUBREC, PUBREL, PUBCOMP."""
    messages: list[Message] = []
    made = opened(messages)
    made.receive(publish(5, qos=mqtt5.QoS.EXACTLY_ONCE) + publish(6), 0)
    assert [message.qos for message in messages] == [2, 1]
    assert [type(p) for p in packets(made.acknowledgements([5, 6]))] == [mqtt5.PubRecPacket, mqtt5.PubAckPacket]
    made.receive(mqtt5.PubRelPacket(5).write(), 0)
    (answer,) = packets(made.take_output())
    assert isinstance(answer, mqtt5.PubCompPacket)
    assert made.acknowledgements([5]) == mqtt5.PubAckPacket(5).write()


@pytest.mark.parametrize("code", codes(mqtt5.ConnAckReasonCode), ids=str)
def test_every_refusal_is_named(code: mqtt5.ConnAckReasonCode) -> None:
    """Each reason code of CONNACK but success ends the session with its name and the broker's own words."""
    made = session([])
    data = mqtt5.ConnAckPacket(reason_code=code, reason_str="ask Anna").write()
    if code == mqtt5.ConnAckReasonCode.SUCCESS:
        made.receive(data, 0)
        return
    with pytest.raises(ConnectionRefused) as caught:
        made.receive(data, 0)
    assert code.name.lower().replace("_", " ") in str(caught.value)
    assert "ask Anna" in str(caught.value)


@pytest.mark.parametrize("code", codes(mqtt5.DisconnectReasonCode), ids=str)
def test_every_disconnect_is_named(code: mqtt5.DisconnectReasonCode) -> None:
    """Each reason code of DISCONNECT ends the session with its name; a take-over has an error of its own."""
    taken_over = code == mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER
    with pytest.raises(SessionTakenOver if taken_over else Disconnected) as caught:
        opened([]).receive(mqtt5.DisconnectPacket(reason_code=code).write(), 0)
    assert ("client id" if taken_over else code.name.lower().replace("_", " ")) in str(caught.value)


@pytest.mark.parametrize("code", codes(mqtt5.SubAckReasonCode), ids=str)
def test_only_a_subscription_with_acknowledgement_will_do(code: mqtt5.SubAckReasonCode) -> None:
    """Every SUBACK but QoS 1 (or 2) is an error that names the topic filter."""
    made = session([])
    data = CONNACK + mqtt5.SubAckPacket(1, [code]).write()
    if code.value in {1, 2}:
        made.receive(data, 0)
        return
    with pytest.raises(SubscriptionRefused, match="t/#"):
        made.receive(data, 0)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", MalformedPacket),
        (b"\x20\x02\x00\x01", MalformedPacket),
        (b"\x00", MalformedPacket),
        (publish(1), ProtocolError),
        (SUBACK, ProtocolError),
        (CONNACK + CONNACK, ProtocolError),
        (CONNACK + mqtt5.PubAckPacket(1).write(), ProtocolError),
        (CONNACK + mqtt5.PingReqPacket().write(), ProtocolError),
        (CONNACK + mqtt5.SubAckPacket(2, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]).write(), ProtocolError),
        (CONNACK + mqtt5.PublishPacket("", b"", topic_alias=1).write(), ProtocolError),
        (CONNACK + b"\x36\x00", MalformedPacket),
        (CONNACK + b"\x30\xff\xff\xff\xff\x01", MalformedPacket),
        (CONNACK + b"\x30\xff\xff\xff\x7f", PacketTooLarge),
        (CONNACK + publish(1, bytes(5000)), PacketTooLarge),
        (CONNACK + publish(1, bytes(5000))[:10], PacketTooLarge),
    ],
)
def test_nonsense_is_refused(data: bytes, error: type[MqttError]) -> None:
    """What MQTT 5 does not allow here ends the session with an error and delivers nothing."""
    messages: list[Message] = []
    with pytest.raises(error):
        session(messages, max_packet_bytes=4096).receive(data, 0)
    assert messages == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_panic_of_the_codec_is_a_malformed_packet() -> None:
    """The codec panics, which is no Exception, on a topic that is not UTF-8; the session calls it malformed."""
    with pytest.raises(MalformedPacket):
        opened([]).receive(b"\x30\x05\x00\x02\xff\xfe\x00", 0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_give_messages_or_an_mqtt_error(data: bytes, accepted: bool) -> None:
    """No input makes the session raise anything but an MqttError."""
    with suppress(MqttError):
        session([]).receive((CONNACK if accepted else b"") + data, 0)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
def test_declared_size_reads_the_fixed_header(size: int) -> None:
    """The declared size is that of the packet, as soon as its length is whole and not before."""
    packet = mqtt5.PublishPacket("t", bytes(size)).write()
    assert declared_size(memoryview(packet[:5])) == len(packet)
    assert declared_size(memoryview(packet[:1])) is None


def silent(made: Session, until_s: float) -> None:
    """Let time pass in quarters of a second without a byte from the broker."""
    for quarter in range(int(until_s * 4) + 1):
        made.tick(quarter / 4)


def test_pings_on_schedule_also_while_paused() -> None:
    """PINGREQ goes out twice in a keepalive, paused or not, and a pause is never taken for silence."""
    made = opened([], keepalive_s=2)
    made.paused = True
    silent(made, 20)
    assert [type(packet) for packet in packets(made.take_output())] == [mqtt5.PingReqPacket] * 20


def test_an_answered_ping_keeps_the_session() -> None:
    """A broker that answers each PINGREQ is never called silent."""
    made = opened([], keepalive_s=1)
    for quarter in range(80):
        made.tick(quarter / 4)
        for _ in packets(made.take_output()):
            made.receive(mqtt5.PingRespPacket().write(), quarter / 4)


@pytest.mark.parametrize("paused_first", [False, True])
def test_silence_ends_the_session(paused_first: bool) -> None:
    """A PINGREQ without an answer ends the session after a keepalive, which is counted anew after a pause."""
    made = opened([], keepalive_s=2)
    begin_s = 0
    if paused_first:
        made.paused = True
        silent(made, 9)
        begin_s = 9
        made.resume(begin_s)
    made.tick(begin_s + 1)
    made.tick(begin_s + 1.9)
    with pytest.raises(BrokerSilent):
        made.tick(begin_s + 3.1)


def test_a_missing_suback_ends_the_session_but_not_during_a_pause() -> None:
    """SUBSCRIBE wants its answer within the time limit, unless reading is paused."""
    made = session([], keepalive_s=600, connect_timeout_s=3)
    made.receive(CONNACK, 0)
    made.paused = True
    silent(made, 10)
    made.resume(10)
    made.tick(12.9)
    with pytest.raises(BrokerSilent, match="SUBSCRIBE"):
        made.tick(13.1)


def test_the_brokers_keepalive_wins() -> None:
    """The keepalive of CONNACK replaces ours; 0 there means that nobody pings."""
    made = session([], keepalive_s=600)
    made.receive(mqtt5.ConnAckPacket(server_keep_alive=4).write() + SUBACK, 0)
    made.take_output()
    silent(made, 2)
    assert len(packets(made.take_output())) == 1
    quiet = session([], keepalive_s=1)
    quiet.receive(mqtt5.ConnAckPacket(server_keep_alive=0).write() + SUBACK, 0)
    quiet.take_output()
    silent(quiet, 60)
    assert quiet.take_output() == b""
