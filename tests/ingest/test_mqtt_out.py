"""The publisher against real brokers, and paho-mqtt as an independent second client in both directions."""

import asyncio
import json
import queue
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import mqtt5
import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.broker import EmbeddedBroker, Mosquitto, free_port
from ingest.mqtt import ConnectionState, Message, Subscriber
from ingest.mqtt_error import PublishFailed
from ingest.mqtt_out import Publisher
from ingest.settings import MqttSettings

Broker = Mosquitto | EmbeddedBroker
StartMosquitto = Callable[..., Awaitable[Mosquitto]]
STATE = "stadtfunk/v1/service/state"
PAYLOADS = [b"", b"\x00\xff", '{"straße": "Südring"}'.encode(), bytes(range(256)) * 4096]


async def eventually(condition: Callable[[], object], within_s: float = 10) -> None:
    """Wait until the condition holds, but not for ever."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


@contextmanager
def paho(broker: Broker, topic: str | None = None) -> Iterator[tuple[Client, "queue.Queue[MQTTMessage]"]]:
    """A paho client with MQTT 5 in a thread of its own, subscribed to the topic, and what it receives."""
    client = Client(CallbackAPIVersion.VERSION2, "second-opinion", protocol=MQTTProtocolVersion.MQTTv5)
    subscribed: queue.Queue[object] = queue.Queue()
    received: queue.Queue[MQTTMessage] = queue.Queue()
    client.on_subscribe = lambda *arguments: subscribed.put(arguments)
    client.on_message = lambda _client, _userdata, message: received.put(message)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        if topic is not None:
            client.subscribe(topic, qos=1)
            subscribed.get(timeout=5)
        yield client, received
    finally:
        client.disconnect()
        client.loop_stop()


@asynccontextmanager
async def publishing(
    broker: Broker, will: tuple[str, bytes] | None = None, **changes: object
) -> AsyncIterator[tuple[Publisher, list[tuple[ConnectionState, str]]]]:
    """A publisher that runs, and what it reports."""
    states: list[tuple[ConnectionState, str]] = []
    given = {"port": broker.port, "client_id": "city", "reconnect_min_s": 0.05, "reconnect_max_s": 0.2}
    settings = MqttSettings.model_validate(given | changes)
    publisher = Publisher(settings, will=will and (lambda: will), on_state=lambda *state: states.append(state))
    task = asyncio.create_task(publisher.run())
    try:
        await eventually(lambda: publisher.connected)
        yield publisher, states
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def receive(messages: "queue.Queue[MQTTMessage]") -> MQTTMessage:
    """The next message of a paho client."""
    return await asyncio.to_thread(messages.get, timeout=5)


@pytest.mark.parametrize("payload", PAYLOADS, ids=len)
async def test_paho_receives_what_we_publish(payload: bytes, broker: Broker) -> None:
    """Payload, content type and expiry reach an independent client unchanged."""
    with paho(broker, "stadtfunk/#") as (_, received):
        async with publishing(broker) as (publisher, _):
            await publisher.publish(
                "stadtfunk/v1/straße/ü", payload, retain=False, expiry_s=300, content_type="application/json"
            )
            message = await receive(received)
    assert (message.topic, message.payload, message.qos, message.retain) == ("stadtfunk/v1/straße/ü", payload, 1, False)
    properties = message.properties.json() if message.properties else {}  # type: ignore[no-untyped-call]  # paho's
    assert properties["ContentType"] == "application/json"
    assert 0 < properties["MessageExpiryInterval"] <= 300


@pytest.mark.parametrize("payload", PAYLOADS, ids=len)
async def test_we_receive_what_paho_publishes(payload: bytes, broker: Broker) -> None:
    """Whatever properties an independent client adds, topic and payload arrive unchanged."""
    messages: list[Message] = []
    subscriber = Subscriber(MqttSettings(port=broker.port), ["straße/#"], messages.append)
    task = asyncio.create_task(subscriber.run())
    await eventually(lambda: subscriber.connected)
    await asyncio.sleep(0.1)
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    properties.ContentType = "application/json"
    properties.MessageExpiryInterval = 600
    properties.UserProperty = [("gateway", "ü"), ("gateway", "2")]
    properties.CorrelationData = b"\x00\xff"
    properties.ResponseTopic = "answers/1"
    properties.PayloadFormatIndicator = 1
    with paho(broker) as (client, _):
        await asyncio.to_thread(
            lambda: client.publish("straße/🚦/1", payload, qos=1, properties=properties).wait_for_publish(5)
        )
        await eventually(lambda: messages)
    task.cancel()
    await asyncio.wait((task,))
    (message,) = messages
    assert (message.topic, message.payload, message.qos) == ("straße/🚦/1", payload, 1)


async def test_retained_state_is_there_for_who_comes_later(broker: Broker) -> None:
    """A retained message reaches a later subscriber; an empty one removes it."""
    async with publishing(broker) as (publisher, _):
        await publisher.publish("stadtfunk/v1/lot", b"full", retain=True)
        with paho(broker, "stadtfunk/#") as (_, received):
            message = await receive(received)
            assert (message.payload, message.retain) == (b"full", True)
        await publisher.publish("stadtfunk/v1/lot", b"", retain=True)
        await publisher.publish("stadtfunk/v1/other", b"marker", retain=True)
        with paho(broker, "stadtfunk/#") as (_, received):
            assert (await receive(received)).payload == b"marker"


async def test_several_publishes_in_flight(broker: Broker) -> None:
    """Three hundred publishes at once are all acknowledged, and each arrives."""
    with paho(broker, "stadtfunk/#") as (_, received):
        async with publishing(broker) as (publisher, _):
            await asyncio.gather(
                *[publisher.publish("stadtfunk/v1/x", b"%d" % number, retain=False) for number in range(300)]
            )
            assert publisher.published == 300
            numbers = [int((await receive(received)).payload) for _ in range(300)]
    assert sorted(numbers) == list(range(300))


@pytest.mark.mosquitto
async def test_a_refused_topic_is_a_failure(start_mosquitto: StartMosquitto, tmp_path: Path) -> None:
    """A PUBACK with a refusal is a failure with the broker's reason; permitted topics go on."""
    (tmp_path / "acl").write_text("topic write stadtfunk/v1/#\n")
    mosquitto = await start_mosquitto(base=("allow_anonymous true", f"acl_file {tmp_path}/acl"))
    async with publishing(mosquitto) as (publisher, _):
        with pytest.raises(PublishFailed, match=r"secret/topic .*not authorized"):
            await publisher.publish("secret/topic", b"x", retain=False)
        await publisher.publish("stadtfunk/v1/x", b"x", retain=False)
        assert (publisher.published, publisher.failed, publisher.connected) == (1, 1, True)


@pytest.mark.mosquitto
async def test_the_broker_gone_and_back(mosquitto: Mosquitto) -> None:
    """Without a broker publishing fails at once, and works again when it is back."""
    async with publishing(mosquitto) as (publisher, states):
        await publisher.publish("stadtfunk/v1/x", b"1", retain=False)
        await mosquitto.kill()
        await eventually(lambda: not publisher.connected)
        with pytest.raises(PublishFailed, match="no connection"):
            await publisher.publish("stadtfunk/v1/x", b"2", retain=False)
        await mosquitto.start()
        await eventually(lambda: publisher.connected)
        await publisher.publish("stadtfunk/v1/x", b"3", retain=False)
        assert ConnectionState.DISCONNECTED in [state for state, _ in states]


async def scripted(*, closing: bool) -> tuple[asyncio.Server, int]:
    """A peer that accepts, and does with a PUBLISH as told: nothing, or close."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.read(1000)
            writer.write(mqtt5.ConnAckPacket().write())
            await reader.read(1000)
            if not closing:
                await reader.read(-1)
        writer.transport.abort()

    server = await asyncio.start_server(play, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(("closing", "why"), [(False, "not acknowledged within"), (True, "connection lost")])
async def test_a_publish_without_an_answer_fails(closing: bool, why: str) -> None:
    """A PUBLISH is a failure when no PUBACK comes in time, and at once when the connection goes."""
    server, port = await scripted(closing=closing)
    settings = MqttSettings(port=port, connect_timeout_s=0.5 if not closing else 5)
    publisher = Publisher(settings)
    task = asyncio.create_task(publisher.run())
    await eventually(lambda: publisher.connected)
    async with asyncio.timeout(3):
        with pytest.raises(PublishFailed, match=why):
            await publisher.publish("stadtfunk/v1/x", b"x", retain=False)
    task.cancel()
    await asyncio.wait((task,))
    server.close()


async def test_nobody_listens_is_reported_and_cancelling_works() -> None:
    """Attempts against a closed port are reported with the address, and can be stopped."""
    port = free_port()
    publisher = Publisher(MqttSettings(port=port, reconnect_min_s=0.01, reconnect_max_s=0.02))
    task = asyncio.create_task(publisher.run())
    await eventually(lambda: publisher.last_error)
    assert f"127.0.0.1:{port}" in (publisher.last_error or "")
    task.cancel()
    await asyncio.wait((task,), timeout=5)
    assert task.cancelled()


@pytest.mark.mosquitto
async def test_the_will_speaks_for_a_service_that_vanished(mosquitto: Mosquitto) -> None:
    """The last will is published, retained, when the connection is cut, and not after a goodbye."""
    will = (STATE, json.dumps({"data": {"state": "offline"}}).encode())
    with paho(mosquitto, STATE) as (_, received):
        async with publishing(mosquitto, will) as (publisher, _):
            publisher.taken_leave = True
        async with publishing(mosquitto, will) as (publisher, _):
            publisher.taken_leave = True
            assert publisher._client is not None
            connection = publisher._client._client.socket()
            assert connection is not None
            connection.close()
            message = await receive(received)
        assert received.empty()
    assert (message.topic, message.payload) == will
    assert message.properties is not None
    assert message.properties.json()["ContentType"].startswith("application/cloudevents")  # type: ignore[no-untyped-call]  # paho's


@pytest.mark.mosquitto
async def test_a_run_cut_short_has_a_last_word(mosquitto: Mosquitto) -> None:
    """A service that ends for a mistake of its own says goodbye properly, and still is not left standing as online."""
    will = (STATE, json.dumps({"data": {"state": "offline"}}).encode())
    with paho(mosquitto, STATE) as (_, received):
        async with publishing(mosquitto, will):
            pass
        message = await receive(received)
    assert (message.topic, message.payload) == will


@pytest.mark.mosquitto
async def test_a_wrong_password_is_named(start_mosquitto: StartMosquitto) -> None:
    """A refusal of the broker is reported in words."""
    mosquitto = await start_mosquitto(base=("allow_anonymous false",))
    publisher = Publisher(MqttSettings(port=mosquitto.port, username="u", password="p"))
    task = asyncio.create_task(publisher.run())
    await eventually(lambda: publisher.last_error)
    assert "the broker refused us: not authorized" in (publisher.last_error or "")
    task.cancel()
    await asyncio.wait((task,))
