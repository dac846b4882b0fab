"""Simulated devices stay away from a real city's broker."""

import asyncio
import contextlib
import functools
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from ingest.broker import EmbeddedBroker, Mosquitto
from simulator import publish
from simulator.chirpstack import Encoding
from simulator.error import SimulatorError
from simulator.faults import Message, Outcome
from simulator.guard import DEVICES, Guard, RealCity, Watch, gateways
from simulator.lorawan import bridge
from simulator.lorawan import link as bridge_link
from simulator.radio import Gateway

REAL, SIMULATED = "a84041ffff000001", "025354464b000001"


def _topic(dev_eui: str, kind: str = "up") -> str:
    return f"application/1/device/{dev_eui}/event/{kind}"


@contextlib.contextmanager
def _chatter(port: int, *topics: str, retain: bool = False, payload: bytes = b"{}") -> Iterator[None]:
    """A broker on which something is published all the time, or lies retained."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    stop = threading.Event()

    def talk() -> None:
        while not stop.wait(0.05):
            for topic in topics:
                client.publish(topic, payload, qos=1)

    talker = threading.Thread(target=talk)
    if retain:
        for topic in topics:
            client.publish(topic, payload, qos=1, retain=True).wait_for_publish(10)
    else:
        talker.start()
    try:
        yield
    finally:
        stop.set()
        if retain:
            for topic in topics:
                client.publish(topic, b"", qos=1, retain=True).wait_for_publish(10)
        else:
            talker.join()
        client.disconnect()
        client.loop_stop()


async def test_a_broker_with_real_uplinks_is_refused(broker: Mosquitto | EmbeddedBroker) -> None:
    """The error names the device and the option; other events and simulated devices are no reason."""
    refused = pytest.raises(RealCity, match=f"{REAL}.*--test-broker")
    with _chatter(broker.port, _topic(SIMULATED), _topic(REAL)), refused:
        await asyncio.to_thread(Guard("127.0.0.1", broker.port).listen, 20)
    with _chatter(broker.port, _topic(SIMULATED), _topic(REAL, "join")):
        await asyncio.to_thread(Guard("127.0.0.1", broker.port).listen, 0.5)


async def test_what_lies_retained_is_no_uplink(broker: Mosquitto | EmbeddedBroker) -> None:
    """A retained message is nobody's life sign."""
    with _chatter(broker.port, _topic(REAL), retain=True):
        await asyncio.to_thread(Guard("127.0.0.1", broker.port).listen, 0.5)


REAL_GATEWAY, OURS = "0016c001f1500812", "025354464bff0001"


def _event(gateway_id: str, kind: str = "stats", prefix: str = "eu868") -> str:
    return f"{prefix}/gateway/{gateway_id}/event/{kind}"


@pytest.mark.parametrize("kind", ["stats", "up", "ack"])
async def test_a_broker_with_real_gateways_is_refused(broker: Mosquitto | EmbeddedBroker, kind: str) -> None:
    """Whatever one tells, the error names it and the option."""
    refused = pytest.raises(RealCity, match=f"real gateways.*{REAL_GATEWAY}.*--test-broker")
    with _chatter(broker.port, _event(OURS), _event(REAL_GATEWAY, kind)), refused:
        await asyncio.to_thread(Guard("127.0.0.1", broker.port, watch=gateways("eu868")).listen, 20)


async def test_our_gateways_and_those_of_other_regions_are_no_reason(broker: Mosquitto | EmbeddedBroker) -> None:
    """Simulated gateways, another prefix, and what lies retained of a gateway that said it once."""
    guard = Guard("127.0.0.1", broker.port, watch=gateways("eu868"))
    with (
        _chatter(broker.port, _event(OURS), _event(REAL_GATEWAY, prefix="us915"), _topic(REAL)),
        _chatter(broker.port, _event(REAL_GATEWAY), retain=True),
    ):
        await asyncio.to_thread(guard.listen, 0.5)


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
@pytest.mark.parametrize("online", [True, False])
async def test_a_real_gateway_that_is_online_is_enough(
    broker: Mosquitto | EmbeddedBroker, encoding: Encoding, online: bool
) -> None:
    """Its retained state tells, before it sends anything; one that went offline is no reason."""
    state = bridge.conn_state(Gateway(REAL_GATEWAY, 51.7, 7.8, 30), online=online)
    topic = f"eu868/gateway/{REAL_GATEWAY}/state/conn"
    with _chatter(broker.port, topic, retain=True, payload=bridge.written(state, encoding)):
        guard = Guard("127.0.0.1", broker.port, watch=gateways("eu868"))
        if online:
            with pytest.raises(RealCity, match=REAL_GATEWAY):
                await asyncio.to_thread(guard.listen, 20)
        else:
            await asyncio.to_thread(guard.listen, 0.5)


@pytest.mark.parametrize(
    ("watch", "topic", "payload", "retain", "alive"),
    [
        (DEVICES, _topic(REAL), b"{}", False, REAL),
        (DEVICES, _topic(REAL), b"{}", True, None),
        (gateways("a/b"), _event(REAL_GATEWAY, prefix="a/b"), b"", False, REAL_GATEWAY),
        (gateways("eu868"), f"eu868/gateway/{REAL_GATEWAY}/state/conn", b"\xff\xff", True, REAL_GATEWAY),
        (gateways("eu868"), f"eu868/gateway/{REAL_GATEWAY}/state/conn", b"{", True, REAL_GATEWAY),
        (gateways("eu868"), f"eu868/gateway/{REAL_GATEWAY}/state/conn", b"", False, None),
    ],
)
def test_signs_of_life(watch: Watch, topic: str, payload: bytes, retain: bool, alive: str | None) -> None:
    """Who says something now; a state that cannot be read counts, one that was taken back does not."""
    message = paho.MQTTMessage(topic=topic.encode())
    message.payload, message.retain = payload, retain
    assert watch.alive(message) == alive


def test_no_broker() -> None:
    """Where nothing listens the error says so."""
    with pytest.raises(SimulatorError, match="cannot reach broker"):
        Guard("127.0.0.1", 1).listen(0.1)


@contextlib.contextmanager
def _heard(port: int) -> Iterator[threading.Event]:
    """Set when a simulated device has said something."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    came, ready = threading.Event(), threading.Event()
    client.on_message = lambda *_: came.set()
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.subscribe("application/+/device/+/event/+")
    client.loop_start()
    try:
        assert ready.wait(10)
        yield came
    finally:
        client.disconnect()
        client.loop_stop()


async def test_the_command_looks_on(broker: Mosquitto | EmbeddedBroker) -> None:
    """A real device that says something only after the play has begun ends it with exit code 1 and one line."""
    words = ("--speed", "60", "--for", "2h", "--port", str(broker.port), "--quiet")
    with _heard(broker.port) as came:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "simulator", *words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert await asyncio.to_thread(came.wait, 60)
        with _chatter(broker.port, _topic(REAL)):
            _, errors = await asyncio.wait_for(child.communicate(), 60)
    assert child.returncode == 1
    assert REAL in errors.decode()
    assert errors.decode().count("\n") == 1


async def _raises(send: Callable[[], None]) -> None:
    """Tries again until it does."""
    for _ in range(400):
        await asyncio.to_thread(send)
        await asyncio.sleep(0.05)


async def test_frames_end_where_a_real_gateway_speaks(broker: Mosquitto | EmbeddedBroker) -> None:
    """What our gateways say is no reason, also where a broker hands it back; afterwards they can say goodbye."""
    link = bridge_link.BridgeLink("127.0.0.1", broker.port, "eu868/gateway/+/command/#")
    gateways("eu868").stay(link, "broker here")
    ours = functools.partial(link.send, bridge.Packet(_event(OURS), b"{}"))
    with link:
        for _ in range(10):
            await asyncio.to_thread(ours)
            await asyncio.sleep(0.02)
        refused = pytest.raises(RealCity, match=f"broker here.*{REAL_GATEWAY}.*--test-broker")
        with _chatter(broker.port, _event(REAL_GATEWAY)), refused:
            await _raises(ours)
        await asyncio.to_thread(ours)


@pytest.mark.mosquitto
async def test_who_may_not_listen_is_told(
    start_mosquitto: Callable[..., Awaitable[Mosquitto]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mosquitto grants what its ACL forbids and delivers nothing: the play ends with its first uplink."""
    (tmp_path / "acl").write_text("topic write application/#\n")
    port = (await start_mosquitto(f"acl_file {tmp_path}/acl")).port
    monkeypatch.setattr(publish, "HEARS_S", 0.5)
    publisher = publish.MqttPublisher("127.0.0.1", port)
    DEVICES.stay(publisher, "broker here")
    join, uplink = (Message(0, _topic(SIMULATED, kind), b"{}", Outcome.UNIQUE) for kind in ("join", "up"))

    def play() -> None:
        with publisher:
            publisher.publish(join)
            publisher.publish(uplink)

    with pytest.raises(SimulatorError, match=rf"{port} lets this account publish, but.*event/up.*--test-broker"):
        await asyncio.to_thread(play)


async def test_its_own_word_is_no_strangers(broker: Mosquitto | EmbeddedBroker) -> None:
    """What is played of a recording of real devices comes back once, and is not taken for the city's."""
    publisher = publish.MqttPublisher("127.0.0.1", broker.port)
    DEVICES.stay(publisher, "broker here")

    def play() -> None:
        with publisher:
            publisher.publish(Message(0, _topic(REAL), b"{}", Outcome.UNIQUE))
            publisher.publish(Message(0, _topic(SIMULATED), b"{}", Outcome.UNIQUE))

    await asyncio.to_thread(play)


async def test_the_command_asks_first(broker: Mosquitto | EmbeddedBroker) -> None:
    """`simulate` ends with exit code 1 and publishes nothing there; with --test-broker it plays."""
    words = ("--speed", "0", "--for", "60s", "--devices", "2", "--port", str(broker.port), "--quiet")
    command = (sys.executable, "-m", "simulator", *words)
    with _chatter(broker.port, _topic(REAL)):
        refused = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
        _, errors = await asyncio.wait_for(refused.communicate(), 60)
        assert refused.returncode == 1
        assert REAL in errors.decode()
        assert errors.decode().count("\n") == 1
        told = await asyncio.create_subprocess_exec(*command, "--test-broker", "--json", stdout=subprocess.PIPE)
        output, _ = await asyncio.wait_for(told.communicate(), 60)
        assert told.returncode == 0
        assert b'"joins": 2' in output
