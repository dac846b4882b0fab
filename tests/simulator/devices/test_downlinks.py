"""What is sent to a device: when it goes out, what is told of it, and what the device does."""

import importlib.resources
import json
import threading
from base64 import b64encode
from collections.abc import Iterator

import paho.mqtt.client as paho
import pytest
from chirpstack_api.integration import integration_pb2 as integration
from paho.mqtt.enums import CallbackAPIVersion

from ingest.broker import EmbeddedBroker, Mosquitto
from ingest.chirpstack import AckEvent, Event, LogEvent, TxAckEvent, UplinkEvent, parse, topic_parser
from rules.city import City
from simulator.chirpstack import Encoding
from simulator.device import NS_PER_S
from simulator.devices.command import CommandError, read
from simulator.devices.downlinks import Downlinks
from simulator.devices.listener import ListeningPublisher
from simulator.faults import Outcome
from simulator.play import Plan, Simulation

START_NS = 1_795_000_000 * NS_PER_S
HOUR_NS = 3600 * NS_PER_S
CITY = City.parse((importlib.resources.files("deploy") / "city" / "hamm.geojson").read_text(encoding="utf-8"))
TOPIC = topic_parser("application/{application_id}/device/{dev_eui}/event/{event}")
DEV_EUI = "025354464b100000"
DOWN = f"application/any/device/{DEV_EUI}/command/down"
TWENTY_MINUTES = bytes.fromhex("ff03b004")
ASKED = {"id": "one", "devEui": DEV_EUI, "confirmed": True, "fPort": 85, "data": b64encode(TWENTY_MINUTES).decode()}


def _command(**other: object) -> bytes:
    return json.dumps(ASKED | other).encode()


def _play(downlinks: Downlinks, encoding: Encoding = "json", hours: int = 3) -> tuple[Simulation, list[Event]]:
    plan = Plan(seed=1, start_ns=START_NS, models=("milesight/em310-udl",), encoding=encoding)
    simulation = Simulation(CITY, plan, downlinks=downlinks)
    events = []
    for message in simulation.messages(START_NS + hours * HOUR_NS):
        simulation.report.count(message)
        events.append(parse(TOPIC(message.topic).event, message.payload))
    return simulation, events


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
def test_taken_and_acknowledged(encoding: Encoding) -> None:
    """A confirmed downlink goes out after the first uplink and is acknowledged by the second one; the ledger holds."""
    downlinks = Downlinks()
    downlinks.offer(DOWN, _command())
    simulation, events = _play(downlinks, encoding)
    ups = [event for event in events if isinstance(event, UplinkEvent)]
    (txack,) = [event for event in events if isinstance(event, TxAckEvent)]
    (ack,) = [event for event in events if isinstance(event, AckEvent)]
    assert (txack.queue_item_id, txack.f_cnt_down, txack.device_info.dev_eui) == ("one", 0, DEV_EUI)
    assert txack.gateway_id in {rx.gateway_id for rx in ups[0].rx_info}
    assert txack.tx_info is not None
    assert txack.tx_info.frequency == getattr(ups[0].tx_info, "frequency", 0)
    assert txack.time_ms == ups[0].time_ms + 1000
    assert (ack.queue_item_id, ack.acknowledged, ack.deduplication_id) == ("one", True, ups[1].deduplication_id)
    assert simulation.report.counts[Outcome.ANSWER] == 2
    assert simulation.report.published == len(ups)


def test_interval_changes() -> None:
    """A Milesight device that is told 20 minutes reports every 20 minutes from then on."""
    downlinks = Downlinks()
    downlinks.offer(DOWN, _command(confirmed=False))
    simulation, events = _play(downlinks, hours=6)
    assert simulation.devices[0].interval_s == 1200
    assert sum(isinstance(event, UplinkEvent) for event in events) == pytest.approx(18, abs=2)
    assert not any(isinstance(event, AckEvent) for event in events)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (_command(expiresAt="2020-01-01T00:00:00Z"), "EXPIRED"),
        (_command(data=b64encode(bytes(223)).decode()), "DOWNLINK_PAYLOAD_SIZE"),
    ],
)
def test_dropped(command: bytes, code: str) -> None:
    """What has expired or is too long is told in a log event and not sent; the next one is."""
    downlinks = Downlinks()
    downlinks.offer(DOWN, command)
    downlinks.offer(DOWN, _command(id="two"))
    _, events = _play(downlinks)
    (log,) = [event for event in events if isinstance(event, LogEvent)]
    assert (log.code, log.context) == (code, {"queue_item_id": "one"})
    assert [event.queue_item_id for event in events if isinstance(event, TxAckEvent)] == ["two"]


def test_one_after_the_other() -> None:
    """Each uplink takes one downlink along, in their order, counted up; the same one again is still one."""
    downlinks = Downlinks()
    for item in ("one", "two", "two", "three"):
        downlinks.offer(DOWN, _command(id=item, data=""))
    _, events = _play(downlinks)
    taken = [event for event in events if isinstance(event, TxAckEvent)]
    assert [(event.queue_item_id, event.f_cnt_down) for event in taken] == [("one", 0), ("two", 1), ("three", 2)]
    assert len({event.time_ms for event in taken}) == 3


def test_protobuf_command() -> None:
    """The same command in protobuf is the same command."""
    packed = integration.DownlinkCommand(id="one", dev_eui=DEV_EUI, confirmed=True, f_port=85, data=TWENTY_MINUTES)
    assert read(DOWN, packed.SerializeToString()) == read(DOWN, _command())
    packed.expires_at.FromNanoseconds(START_NS)
    timed = _command(expiresAt="2026-11-18T11:06:40Z")
    assert read(DOWN, packed.SerializeToString()).expires_ns == START_NS == read(DOWN, timed).expires_ns


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"{", b"[]", b"\xff\xff", _command(devEui="a84041ffff000001"), _command(fPort=0), _command(data="*")),
        _command(fPort=float("inf")),
        pytest.param(b'{"a":' + b"[" * 60_000, id="nested"),
    ],
)
def test_broken_commands(payload: bytes) -> None:
    """What ChirpStack would refuse is refused, counted, and harms nothing."""
    with pytest.raises(CommandError):
        read(DOWN, payload)
    downlinks = Downlinks()
    downlinks.offer(DOWN, payload)
    _, events = _play(downlinks, hours=1)
    assert downlinks.refused == 1
    assert not any(isinstance(event, TxAckEvent) for event in events)


def test_what_is_for_real_devices_is_not_kept() -> None:
    """A broker for tests may carry commands to others, for as long as one likes."""
    real = "a84041ffff000001"
    downlinks = Downlinks()
    downlinks.offer(DOWN.replace(DEV_EUI, real), _command(devEui=real))
    downlinks.offer(DOWN, _command())
    _play(downlinks, hours=1)
    assert (downlinks.devices, downlinks.refused) == ({DEV_EUI}, 0)


@pytest.fixture
def consumer(broker: Mosquitto | EmbeddedBroker) -> Iterator[tuple[paho.Client, dict[str, str], threading.Event]]:
    """A client of the broker, the kinds of answers that it saw with their item, and when an ack was among them."""
    found: dict[str, str] = {}
    acknowledged = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)

    def on_message(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        kind = message.topic.rpartition("/")[2]
        found[kind] = json.loads(message.payload).get("queueItemId", "")
        if kind == "ack":
            acknowledged.set()

    client.on_message = on_message
    client.connect("127.0.0.1", broker.port)
    client.subscribe("application/+/device/+/event/+", qos=1)
    client.loop_start()
    yield client, found, acknowledged
    client.disconnect()
    client.loop_stop()


def test_over_a_broker(
    broker: Mosquitto | EmbeddedBroker, consumer: tuple[paho.Client, dict[str, str], threading.Event]
) -> None:
    """A command that is published on a real broker is answered there by txack, then ack."""
    client, found, acknowledged = consumer
    downlinks, arrived = Downlinks(), threading.Event()

    def offer(topic: str, payload: bytes) -> None:
        downlinks.offer(topic, payload)
        arrived.set()

    plan = Plan(seed=1, start_ns=START_NS, models=("milesight/em310-udl",))
    simulation = Simulation(CITY, plan, downlinks=downlinks)
    with ListeningPublisher("127.0.0.1", broker.port, None, None, None, offer) as publisher:
        for _ in range(100):
            client.publish(DOWN, _command(), qos=1).wait_for_publish(10)
            if arrived.wait(0.3):
                break
        for message in simulation.messages(START_NS + HOUR_NS):
            publisher.publish(message)
    assert acknowledged.wait(30)
    assert found == {"join": "", "up": "", "txack": "one", "ack": "one"} | ({"status": ""} if "status" in found else {})
