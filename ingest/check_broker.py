"""What `stadtfunk check` asks the broker: may we, does it keep what it takes, and what did it lose already."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import aiomqtt

from ingest.finding import Finding
from ingest.mqtt import ConnectionState, Message, Subscriber, filters, tls_context
from ingest.mqtt_error import MqttError, PublishFailed
from ingest.mqtt_out import Publisher
from ingest.mqtt_session import Granted
from ingest.settings import MqttSettings

CONNECT_S = 5.0
PROBES = "stadtfunk/v1/check"
DROPPED = "$SYS/broker/publish/messages/dropped"
FEW = 100
"""Messages under way below which a service that commits hundreds at once has to wait for the broker."""
SUBJECT = "mqtt"


@dataclass(slots=True)
class Heard:
    """What the probe heard: itself, events by QoS, and the broker's count of dropped messages, first and last."""

    itself: asyncio.Event
    at_most_once: int = 0
    at_least_once: int = 0
    dropped: tuple[int, int] | None = None


async def findings(mqtt: MqttSettings, listen_s: float) -> list[Finding]:
    """Connect as the service does, publish a probe and hear it again, listen to events for so many s."""
    first, granted = await _connect(mqtt)
    found = [first, *(limits(mqtt, granted) if granted else ())]
    if first.level == "error" or granted is None or granted.max_qos < 1:
        return found
    try:
        return [*found, *await _probe(mqtt, listen_s)]
    except (aiomqtt.MqttError, MqttError) as error:
        return [*found, Finding("error", SUBJECT, f"probe: {error}")]


def limits(mqtt: MqttSettings, granted: Granted) -> Iterator[Finding]:
    """What the broker grants less of than we need, each with what to change."""
    if granted.max_qos < 1:
        yield Finding("error", "mqtt qos", "the broker takes QoS 0 only, and loses events: allow QoS 1 (max_qos)")
    if not granted.retain_available:
        text = "the broker retains nothing, so new consumers see no state: allow it (Mosquitto: retain_available true)"
        yield Finding("error", "mqtt retain", text)
    if granted.session_expiry_s < mqtt.session_expiry_s:
        text = (
            f"the broker keeps our session for {granted.session_expiry_s} s of {mqtt.session_expiry_s} s "
            "(mqtt.session_expiry_s): raise its limit (Mosquitto: persistent_client_expiration)"
        )
        yield Finding("warning", "mqtt session", text)
    if granted.max_packet_bytes is not None and granted.max_packet_bytes < mqtt.max_packet_bytes:
        text = (
            f"the broker takes packets of {granted.max_packet_bytes} bytes, we of {mqtt.max_packet_bytes} "
            "(mqtt.max_packet_bytes): raise its limit (Mosquitto: max_packet_size) or larger events are lost before us"
        )
        yield Finding("warning", "mqtt packets", text)
    if granted.receive_maximum < min(FEW, mqtt.receive_maximum):
        text = (
            f"the broker has {granted.receive_maximum} messages under way at once, we take {mqtt.receive_maximum}: "
            "raise its limit (Mosquitto: max_inflight_messages 1000), or its queue grows in a rush"
        )
        yield Finding("warning", "mqtt window", text)


async def _connect(mqtt: MqttSettings) -> tuple[Finding, Granted | None]:
    """Connect with a session like the service's, under a name of its own; what the broker grants once it took us."""
    place = f"{mqtt.host}:{mqtt.port}"
    answered = asyncio.Event()
    probe = mqtt.model_copy(update={"client_id": f"{mqtt.client_id}-check"})
    subscriber = Subscriber(probe, [f"{PROBES}/nothing"], _ignore, on_state=lambda *_: answered.set())
    task = asyncio.create_task(subscriber.run())
    try:
        async with asyncio.timeout(CONNECT_S):
            await answered.wait()
    except TimeoutError:
        return Finding("error", SUBJECT, f"{place}: no answer in {CONNECT_S:.0f} s"), None
    finally:
        task.cancel()
        await asyncio.wait([task])
    if subscriber.last_error is not None:
        return Finding("error", SUBJECT, f"{place}: {subscriber.last_error}"), subscriber.granted
    return Finding("ok", SUBJECT, f"{place}: connected, subscribed"), subscriber.granted


def _ignore(_: Message) -> None:
    """Take a message of the probe's topic, which nobody publishes."""


async def _probe(mqtt: MqttSettings, listen_s: float) -> list[Finding]:
    topic = f"{PROBES}/{uuid.uuid4()}"
    heard = Heard(asyncio.Event())
    async with _listening(mqtt, topic, heard, listen_s):
        refusal = await _publish(mqtt, topic)
        if refusal is not None:
            return [Finding("error", "mqtt rights", f"{refusal}: allow `write stadtfunk/v1/#`")]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(heard.itself.wait(), CONNECT_S)
        await asyncio.sleep(listen_s)
    return [*_rights(heard), *_queue(heard, listen_s), *(_events(heard, listen_s) if listen_s else ())]


def _rights(heard: Heard) -> Iterator[Finding]:
    if heard.itself.is_set():
        yield Finding("ok", "mqtt rights", "a probe went out and came back")
    else:
        text = f"a probe went out and did not come back: allow `read {PROBES}/#` (brokers refuse reading silently)"
        yield Finding("error", "mqtt rights", text)


def _queue(heard: Heard, listen_s: float) -> Iterator[Finding]:
    if heard.dropped is None:
        return
    before, now = heard.dropped
    cure = "raise Mosquitto's max_queued_messages, and look why a client is away or slow"
    if now > before:
        yield Finding("error", "mqtt queue", f"the broker dropped {now - before} messages in {listen_s:g} s: {cure}")
    elif now:
        yield Finding("warning", "mqtt queue", f"the broker has dropped {now} messages since its start: {cure}")


def _events(heard: Heard, listen_s: float) -> Iterator[Finding]:
    if heard.at_most_once:
        text = (
            f"{heard.at_most_once} events in {listen_s:g} s at QoS 0, which nobody keeps for an absent service: "
            "set qos = 1 in ChirpStack's [integration.mqtt]"
        )
        yield Finding("error", "mqtt qos", text)
    elif heard.at_least_once:
        yield Finding("ok", "mqtt qos", f"{heard.at_least_once} events in {listen_s:g} s, all at QoS 1")
    else:
        text = f"no event in {listen_s:g} s: none was sent, or the right to read them is missing"
        yield Finding("warning", "mqtt qos", text)


@contextlib.asynccontextmanager
async def _listening(mqtt: MqttSettings, topic: str, heard: Heard, listen_s: float) -> AsyncIterator[None]:
    """Hear the probe, the count of dropped messages and (to listen) events, in a session that ends with us."""
    events = [name.split("/", 2)[2] if name.startswith("$share/") else name for name in filters(mqtt)]

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            _note(str(message.topic), message.payload, message.qos, topic, heard)

    async with aiomqtt.Client(
        mqtt.host,
        mqtt.port,
        identifier=f"{mqtt.client_id}-check",
        username=mqtt.username,
        password=None if mqtt.password is None else mqtt.password.get_secret_value(),
        protocol=aiomqtt.ProtocolVersion.V5,
        tls_context=await asyncio.to_thread(tls_context, mqtt),
        clean_start=True,
        timeout=CONNECT_S,
    ) as client:
        for name in (topic, DROPPED, *(events if listen_s else ())):
            await client.subscribe(name, qos=1)
        task = asyncio.create_task(listen(client))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


def _note(name: str, payload: object, qos: int, topic: str, heard: Heard) -> None:
    if name == topic:
        heard.itself.set()
    elif name == DROPPED:
        with contextlib.suppress(ValueError, TypeError):
            now = int(json.loads(bytes(payload) if isinstance(payload, bytes | bytearray) else b""))
            heard.dropped = (heard.dropped[0] if heard.dropped else now, now)
    elif qos:
        heard.at_least_once += 1
    else:
        heard.at_most_once += 1


async def _publish(mqtt: MqttSettings, topic: str) -> str | None:
    """Publish the probe as the service publishes events; why it was not taken, or None."""
    connected = asyncio.Event()
    probe = mqtt.model_copy(update={"client_id": f"{mqtt.client_id}-check"})
    publisher = Publisher(probe, on_state=lambda state, _: _set_if(connected, state))
    task = asyncio.create_task(publisher.run())
    try:
        async with asyncio.timeout(CONNECT_S):
            await connected.wait()
        await publisher.publish(topic, b"{}", retain=False, expiry_s=60, content_type="application/json")
    except PublishFailed as error:
        return str(error)
    except TimeoutError:
        return f"no second connection in {CONNECT_S:.0f} s: {publisher.last_error or 'no answer'}"
    finally:
        task.cancel()
        await asyncio.wait([task])
    return None


def _set_if(connected: asyncio.Event, state: ConnectionState) -> None:
    if state is ConnectionState.CONNECTED:
        connected.set()
