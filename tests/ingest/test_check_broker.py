"""What `check` says of real brokers whose settings lose data, and what it says of good ones."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from ingest import check_broker
from ingest.broker import MOSQUITTO_CONFIG, Mosquitto, free_port
from ingest.broker_warnings import broker_warnings
from ingest.check_broker import DROPPED, limits
from ingest.finding import Finding
from ingest.mqtt import Subscriber, filters
from ingest.mqtt_session import Granted
from ingest.settings import MqttSettings
from tests.conftest import StartMosquitto
from tests.ingest.uplinks import event, topic

WAIT_S = 20
GOOD = Granted(7 * 86400, 1000, None, 2, retain_available=True)


def levels(found: Sequence[Finding]) -> list[tuple[str, str]]:
    """Level and subject of each."""
    return [(finding.level, finding.subject) for finding in found]


@asynccontextmanager
async def sending(port: int, qos: int) -> AsyncIterator[None]:
    """ChirpStack's events at this QoS for as long as the context lasts."""

    async def send() -> None:
        async with aiomqtt.Client("127.0.0.1", port) as client:
            while True:
                await client.publish(topic(), json.dumps(event()), qos=qos)
                await asyncio.sleep(0.05)

    task = asyncio.create_task(send())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.mosquitto
async def test_a_good_broker_passes(mosquitto: Mosquitto) -> None:
    """Connected, the probe came back, nothing to change; and no session is left behind."""
    mqtt = MqttSettings(port=mosquitto.port)
    assert levels(await check_broker.findings(mqtt, 0)) == [("ok", "mqtt"), ("ok", "mqtt rights")]
    said: list[str] = []
    session = mqtt.model_copy(update={"client_id": "stadtfunk-check"})
    subscriber = Subscriber(session, ["x"], lambda _: None, on_state=lambda _, detail: said.append(detail))
    task = asyncio.create_task(subscriber.run())
    async with asyncio.timeout(WAIT_S):
        while not said:
            await asyncio.sleep(0.01)
    assert said == ["new session"]
    task.cancel()
    await asyncio.wait([task])


async def test_nobody_there_is_one_finding() -> None:
    """Without a broker there is one line, with the reason."""
    (found,) = await check_broker.findings(MqttSettings(port=free_port()), 0)
    assert (found.level, found.subject) == ("error", "mqtt")
    assert "Connect call failed" in found.text


@pytest.mark.mosquitto
@pytest.mark.parametrize(
    ("line", "level", "subject", "cure"),
    [
        ("max_qos 0", "error", "mqtt qos", "max_qos"),
        ("retain_available false", "error", "mqtt retain", "retain_available"),
        ("max_packet_size 60000", "warning", "mqtt packets", "max_packet_size"),
        ("max_inflight_messages 20", "warning", "mqtt window", "max_inflight_messages"),
    ],
)
async def test_settings_that_lose_data_are_named(
    start_mosquitto: StartMosquitto, line: str, level: str, subject: str, cure: str
) -> None:
    """Each with the setting to change; nothing else is found fault with."""
    base = tuple(item for item in MOSQUITTO_CONFIG if item.split()[0] != line.split(maxsplit=1)[0])
    broker = await start_mosquitto(line, base=base)
    found = await check_broker.findings(MqttSettings(port=broker.port), 0)
    wrong = [finding for finding in found if finding.level != "ok" and finding.subject != "mqtt"]
    assert levels(wrong) == [(level, subject)]
    assert cure in wrong[0].text


@pytest.mark.mosquitto
@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("topic write stadtfunk/v1/#", "did not come back: allow `read stadtfunk/v1/check/#`"),
        ("topic read stadtfunk/v1/#", "not authorized"),
    ],
    ids=["may not read", "may not write"],
)
async def test_missing_rights_are_named(
    start_mosquitto: StartMosquitto,
    monkeypatch: pytest.MonkeyPatch,
    rule: str,
    text: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Mosquitto grants a forbidden subscription silently; the probe that does not come back shows it."""
    monkeypatch.setattr(check_broker, "CONNECT_S", 2.0)
    acl = tmp_path_factory.mktemp("acl") / "acl"
    acl.write_text(f"{rule}\n")
    broker = await start_mosquitto(f"acl_file {acl}")
    found = await check_broker.findings(MqttSettings(port=broker.port), 0)
    assert levels(found) == [("ok", "mqtt"), ("error", "mqtt rights")]
    assert text in found[1].text


@pytest.mark.mosquitto
@pytest.mark.parametrize(
    ("qos", "level", "text"),
    [(0, "error", "set qos = 1 in ChirpStack's [integration.mqtt]"), (1, "ok", "all at QoS 1")],
)
async def test_listening_tells_how_events_arrive(mosquitto: Mosquitto, qos: int, level: str, text: str) -> None:
    """Events at QoS 0 are an error with its cure; at QoS 1 they are fine."""
    async with sending(mosquitto.port, qos):
        found = await check_broker.findings(MqttSettings(port=mosquitto.port), 1.5)
    assert (found[-1].level, found[-1].subject) == (level, "mqtt qos")
    assert text in found[-1].text


@pytest.mark.mosquitto
async def test_listening_takes_nothing_away(mosquitto: Mosquitto) -> None:
    """Beside services that share a subscription the check hears the same events, not some of theirs."""
    mqtt = MqttSettings(port=mosquitto.port, shared_group="crew")
    crew = Subscriber(mqtt, filters(mqtt), lambda _: None)
    task = asyncio.create_task(crew.run())
    async with asyncio.timeout(WAIT_S):
        while not crew.connected:
            await asyncio.sleep(0.01)
    checking = asyncio.create_task(check_broker.findings(mqtt, 2))
    sent = 0
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client, asyncio.timeout(WAIT_S):
        while not checking.done():
            await client.publish(topic(), b"{}", qos=1)
            sent += 1
            await asyncio.sleep(0.02)
        while crew.received < sent:
            await asyncio.sleep(0.02)
    assert checking.result()[-1].level == "ok"
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.mosquitto
async def test_silence_is_no_proof(mosquitto: Mosquitto) -> None:
    """No event while listening is a warning: nothing was sent, or the right is missing."""
    found = await check_broker.findings(MqttSettings(port=mosquitto.port), 0.2)
    assert levels(found)[-1] == ("warning", "mqtt qos")


@pytest.mark.mosquitto
async def test_a_full_queue_is_named(start_mosquitto: StartMosquitto) -> None:
    """An absent client's queue overflows: a warning with what to change; while it goes on, an error."""
    broker = await start_mosquitto("sys_interval 1", "max_queued_messages 5", base=("allow_anonymous true",))
    mqtt = MqttSettings(port=broker.port)
    async with aiomqtt.Client("127.0.0.1", broker.port, identifier="absent", clean_session=False) as client:
        await client.subscribe("application/#", qos=1)
    async with aiomqtt.Client("127.0.0.1", broker.port) as client, asyncio.timeout(WAIT_S):
        await client.subscribe(DROPPED)
        for _ in range(20):
            await client.publish(topic(), b"{}", qos=1)
        async for message in client.messages:
            if int(bytes(message.payload or b"0")) > 0:
                break
    found = {finding.subject: finding for finding in await check_broker.findings(mqtt, 0)}
    assert found["mqtt queue"].level == "warning"
    assert "max_queued_messages" in found["mqtt queue"].text
    async with sending(broker.port, 1):
        found = {finding.subject: finding for finding in await check_broker.findings(mqtt, 4)}
    assert found["mqtt queue"].level == "error"


@pytest.mark.mosquitto
async def test_a_forgotten_session_is_counted(start_mosquitto: StartMosquitto) -> None:
    """A broker without persistence that restarts, or has no session where there ought to be one: counted, and said."""
    broker = await start_mosquitto()
    mqtt = MqttSettings(port=broker.port, reconnect_min_s=0.05, reconnect_max_s=0.2)
    for expected, lost in ((False, 0), (True, 1)):
        subscriber = Subscriber(mqtt, ["x"], lambda _: None, expects_session=expected)
        task = asyncio.create_task(subscriber.run())
        async with asyncio.timeout(WAIT_S):
            while not subscriber.connected:
                await asyncio.sleep(0.01)
            assert subscriber.figures()["sessions_lost"] == lost
            await broker.kill()
            await broker.start()
            while subscriber.connections < 2 or not subscriber.connected:
                await asyncio.sleep(0.01)
        assert subscriber.figures()["sessions_lost"] == lost + 1
        assert "mqtt session" in broker_warnings(subscriber.figures())
        task.cancel()
        await asyncio.wait([task])
        await broker.kill()
        await broker.start()


@pytest.mark.mosquitto
async def test_events_at_qos_0_are_counted(mosquitto: Mosquitto) -> None:
    """The service's own subscriber tells what came without acknowledgement from what came with it."""
    subscriber = Subscriber(MqttSettings(port=mosquitto.port), [topic()], lambda _: None)
    task = asyncio.create_task(subscriber.run())
    async with asyncio.timeout(WAIT_S):
        while not subscriber.connected:
            await asyncio.sleep(0.01)
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
            while subscriber.at_most_once < 3:
                await client.publish(topic(), b"{}", qos=0)
                await client.publish(topic(), b"{}", qos=1)
                await asyncio.sleep(0.01)
    figures = subscriber.figures()
    assert figures["received"] > figures["at_most_once"] >= 3
    task.cancel()
    await asyncio.wait([task])


def test_a_short_session_is_named() -> None:
    """A broker that keeps the session for less than asked is a warning with both figures; enough is none."""
    (found,) = limits(MqttSettings(), GOOD._replace(session_expiry_s=3600))
    assert (found.level, found.subject) == ("warning", "mqtt session")
    assert "3600 s of 604800 s" in found.text
    assert list(limits(MqttSettings(), GOOD)) == []


def test_figures_of_a_service_tell_what_it_lost() -> None:
    """QoS 0, forgotten sessions and a short expiry, each with its cure; good figures say nothing."""
    good = {"received": 5, "at_most_once": 0, "sessions_lost": 0, "session_expiry_s": 60, "session_expiry_asked_s": 60}
    assert broker_warnings(good) == broker_warnings({}) == {}
    found = broker_warnings(good | {"at_most_once": 12, "sessions_lost": 2, "session_expiry_s": 59})
    assert found.keys() == {"mqtt qos", "mqtt session", "mqtt session expiry"}
    assert found["mqtt qos"].startswith("12 events arrived at QoS 0")
    assert "persistence true" in found["mqtt session"]
    assert "59 s only, we asked for 60 s" in found["mqtt session expiry"]
