"""The subscriber against real brokers: what is not acknowledged comes again, and nothing gets lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiomqtt
import pytest
import trustme
from aiomqtt import ProtocolVersion

from ingest.broker import EmbeddedBroker, Mosquitto
from ingest.mqtt import Message, Receipt, Subscriber, filters
from ingest.settings import MqttSettings

Broker = Mosquitto | EmbeddedBroker
StartMosquitto = Callable[..., Awaitable[Mosquitto]]
TOPIC = "application/a/device/{:016x}/event/up"


async def eventually(condition: Callable[[], object], within_s: float = 15) -> None:
    """Wait until the condition holds, but not for ever."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


def settings(broker: Broker, **changes: object) -> MqttSettings:
    """Settings that reach the broker and do not wait long between attempts."""
    given = {"port": broker.port, "reconnect_min_s": 0.05, "reconnect_max_s": 0.2, "client_id": "city"}
    return MqttSettings.model_validate(given | changes)


async def publish(broker: Broker, count: int, begin: int = 0, size: int = 20) -> None:
    """Publish messages whose payloads begin with their numbers, at QoS 1."""
    async with aiomqtt.Client(
        "127.0.0.1", broker.port, identifier="network-server", protocol=ProtocolVersion.V5, max_inflight_messages=50
    ) as client:
        client.pending_calls_threshold = count
        numbers = range(begin, begin + count)
        await asyncio.gather(
            *[client.publish(TOPIC.format(number), b"%d" % number + b" " * size, qos=1) for number in numbers]
        )


class Received:
    """What a running subscriber delivered; acknowledges in batches of twenty when told to."""

    def __init__(self, chosen: MqttSettings, *, acknowledging: bool = True) -> None:
        self.messages: list[Message] = []
        self.waiting: list[Receipt] = []
        self.acknowledging = acknowledging
        self.subscriber = Subscriber(chosen, filters(chosen), self._deliver)

    def _deliver(self, message: Message) -> None:
        self.messages.append(message)
        assert message.receipt is not None
        self.waiting.append(message.receipt)
        if self.acknowledging and len(self.waiting) >= 20:
            self.acknowledge()

    def acknowledge(self) -> None:
        """Acknowledge what waits."""
        self.subscriber.acknowledge(self.waiting)
        self.waiting = []

    @property
    def numbers(self) -> list[int]:
        """The numbers in the payloads, in order of arrival."""
        return [int(message.payload) for message in self.messages]


@asynccontextmanager
async def running(chosen: MqttSettings, *, acknowledging: bool = True) -> AsyncIterator[Received]:
    """A subscriber that runs and has been accepted once."""
    received = Received(chosen, acknowledging=acknowledging)
    task = asyncio.create_task(received.subscriber.run())
    try:
        await eventually(lambda: received.subscriber.connected)
        yield received
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_backlog_is_drained(broker: Broker) -> None:
    """5,000 messages published while we are away arrive once and in order, acknowledged in batches."""
    async with running(settings(broker)):
        await asyncio.sleep(0.1)
    await publish(broker, 5000)
    async with running(settings(broker)) as received:
        await eventually(lambda: len(received.messages) == 5000)
        assert received.numbers == list(range(5000))
        received.acknowledge()
        assert received.subscriber.acknowledged == 5000
    async with running(settings(broker)) as received:
        await asyncio.sleep(0.2)
        assert received.messages == []


async def test_what_is_not_acknowledged_comes_again(broker: Broker) -> None:
    """A connection cut before the acknowledgement brings the same messages again, marked; old receipts are void."""
    async with running(settings(broker), acknowledging=False) as received:
        await publish(broker, 60)
        await eventually(lambda: len(received.messages) == 60)
        link = received.subscriber._link
        assert link is not None
        assert link._transport is not None
        link._transport.abort()
        await eventually(lambda: len(received.messages) == 120)
        assert received.numbers == [*range(60), *range(60)]
        first, second = received.waiting[:60], received.waiting[60:]
        received.subscriber.acknowledge(first)
        assert (received.subscriber.acknowledged, received.subscriber.stale_acknowledgements) == (0, 60)
        received.subscriber.acknowledge([*first[:5], *second])
        assert (received.subscriber.acknowledged, received.subscriber.stale_acknowledgements) == (60, 65)
        await eventually(lambda: received.subscriber.reconnects == 1)
    async with running(settings(broker)) as again:
        await asyncio.sleep(0.2)
        assert again.messages == []


@pytest.mark.mosquitto
async def test_a_redelivered_message_is_counted(mosquitto: Mosquitto) -> None:
    """Mosquitto marks what it sends again, and we count it."""
    async with running(settings(mosquitto), acknowledging=False) as received:
        await publish(mosquitto, 10)
        await eventually(lambda: len(received.messages) == 10)
    async with running(settings(mosquitto)) as received:
        await eventually(lambda: len(received.messages) == 10)
        assert all(message.duplicate for message in received.messages)
        assert received.subscriber.redelivered == 10


async def test_a_pause_bounds_what_is_delivered(broker: Broker) -> None:
    """From the moment of a pause nothing more is delivered; after it everything, without a reconnect."""
    async with running(settings(broker)):
        await asyncio.sleep(0.1)
    await publish(broker, 3000)
    received = Received(settings(broker))
    deliver = received._deliver

    def pausing(message: Message) -> None:
        deliver(message)
        if len(received.messages) == 100:
            received.subscriber.pause()

    received.subscriber = Subscriber(settings(broker), filters(settings(broker)), pausing)
    task = asyncio.create_task(received.subscriber.run())
    await eventually(lambda: len(received.messages) >= 100)
    await asyncio.sleep(0.3)
    assert len(received.messages) == 100
    received.subscriber.resume()
    await eventually(lambda: len(received.messages) == 3000)
    assert received.numbers == list(range(3000))
    assert received.subscriber.connections == 1
    task.cancel()
    await asyncio.wait((task,))


async def test_a_pause_of_three_keepalives(broker: Broker) -> None:
    """Three keepalives of pause with a full window cost neither the connection nor a message."""
    async with running(settings(broker, keepalive_s=1)) as received:
        received.subscriber.pause()
        await publish(broker, 500, size=5000)
        await asyncio.sleep(3.3)
        assert received.messages == []
        received.subscriber.resume()
        await eventually(lambda: len(received.messages) == 500)
        await asyncio.sleep(0.8)
        assert received.numbers == list(range(500))
        assert received.subscriber.connections == 1


async def test_paused_before_the_connection(broker: Broker) -> None:
    """A subscriber that is paused while it connects is accepted, and delivers when it is resumed."""
    async with running(settings(broker)):
        await asyncio.sleep(0.1)
    await publish(broker, 100)
    received = Received(settings(broker))
    received.subscriber.pause()
    task = asyncio.create_task(received.subscriber.run())
    await eventually(lambda: received.subscriber.connected)
    await asyncio.sleep(0.1)
    assert received.messages == []
    received.subscriber.resume()
    await eventually(lambda: len(received.messages) == 100)
    task.cancel()
    await asyncio.wait((task,))


@pytest.mark.mosquitto
async def test_the_broker_stopped_and_started(mosquitto: Mosquitto) -> None:
    """A broker that is restarted finds us again, with everything that was not acknowledged."""
    async with running(settings(mosquitto), acknowledging=False) as received:
        await publish(mosquitto, 30)
        await eventually(lambda: len(received.messages) == 30)
        await mosquitto.stop()
        await eventually(lambda: not received.subscriber.connected)
        await mosquitto.start()
        await eventually(lambda: len(received.messages) == 60)
        await publish(mosquitto, 5, begin=30)
        await eventually(lambda: len(received.messages) == 65)
        assert received.numbers == [*range(30), *range(30), *range(30, 35)]
        assert received.subscriber.sessions_lost == 0


@pytest.mark.mosquitto
async def test_a_broker_that_forgot_us_is_noticed(start_mosquitto: StartMosquitto) -> None:
    """A broker killed without persistence has lost our session: we subscribe again, and say so."""
    mosquitto = await start_mosquitto()
    async with running(settings(mosquitto)) as received:
        await mosquitto.kill()
        await eventually(lambda: not received.subscriber.connected)
        await mosquitto.start()
        await eventually(lambda: received.subscriber.connections == 2)
        await asyncio.sleep(0.1)
        await publish(mosquitto, 20)
        await eventually(lambda: len(received.messages) == 20)
        assert received.subscriber.sessions_lost == 1


@pytest.mark.mosquitto
async def test_a_wrong_password_is_named(start_mosquitto: StartMosquitto, tmp_path: Path) -> None:
    """A wrong password is refused with a clear error; the right one gets in."""
    passwords = tmp_path / "passwords"
    made = await asyncio.create_subprocess_exec("mosquitto_passwd", "-b", "-c", passwords, "city", "right")
    assert await made.wait() == 0
    mosquitto = await start_mosquitto(base=("allow_anonymous false", f"password_file {passwords}"))
    wrong = settings(mosquitto, username="city", password="wrong")
    subscriber = Subscriber(wrong, filters(wrong), print)
    task = asyncio.create_task(subscriber.run())
    await eventually(lambda: subscriber.last_error)
    assert "the broker refused us: not authorized" in (subscriber.last_error or "")
    task.cancel()
    await asyncio.wait((task,))
    async with running(settings(mosquitto, username="city", password="right")) as received:
        assert received.subscriber.last_error is None


@pytest.mark.mosquitto
async def test_mosquitto_grants_what_its_acl_withholds(start_mosquitto: StartMosquitto, tmp_path: Path) -> None:
    """Mosquitto's ACL file refuses no subscription: it grants it and delivers nothing, which no client can tell."""
    (tmp_path / "acl").write_text("topic write application/#\ntopic read elsewhere/#\n")
    mosquitto = await start_mosquitto(f"acl_file {tmp_path}/acl")
    async with running(settings(mosquitto)) as received:
        await publish(mosquitto, 3)
        await asyncio.sleep(0.2)
        assert received.messages == []
        assert received.subscriber.last_error is None


@pytest.mark.mosquitto
async def test_a_session_taken_over_is_named(mosquitto: Mosquitto) -> None:
    """Two clients under one client id push each other out: soon one of them says so and waits longer.

    Mosquitto 2.0 closes the older connection without a word, so it takes several rounds to notice.
    """
    chosen = settings(mosquitto, reconnect_max_s=2)
    async with running(chosen) as first, running(chosen) as second:
        rivals = (first.subscriber, second.subscriber)
        await eventually(lambda: any("client id" in (rival.last_error or "") for rival in rivals))
        connections = sum(rival.connections for rival in rivals)
        await asyncio.sleep(0.5)
        assert sum(rival.connections for rival in rivals) - connections <= 2


@pytest.mark.mosquitto
async def test_a_message_above_our_limit_is_kept_from_us(mosquitto: Mosquitto) -> None:
    """Mosquitto drops for us what is larger than we allow; its neighbours arrive."""
    async with running(settings(mosquitto, max_packet_bytes=4096)) as received:
        await publish(mosquitto, 1)
        await publish(mosquitto, 1, begin=1, size=10_000)
        await publish(mosquitto, 1, begin=2)
        await eventually(lambda: len(received.messages) == 2)
        assert received.numbers == [0, 2]
        assert received.subscriber.last_error is None


@pytest.mark.parametrize("group", [None, "decoders"])
async def test_shared_subscription(group: str | None, broker: Broker) -> None:
    """Under a share name two clients split the messages between them; without it each gets all."""
    one = settings(broker, client_id="one", shared_group=group)
    two = settings(broker, client_id="two", shared_group=group)
    async with running(one) as first, running(two) as second:
        await asyncio.sleep(0.2)
        await publish(broker, 100)
        total = 100 if group else 200
        await eventually(lambda: len(first.messages) + len(second.messages) >= total)
        assert sorted(first.numbers + second.numbers) == sorted(list(range(100)) * (total // 100))


def test_filters_follow_the_topic_template() -> None:
    """Each placeholder of ChirpStack's topic template becomes one wildcard level."""
    assert filters(MqttSettings()) == ("application/+/device/+/event/+",)
    chosen = MqttSettings(event_topic="city/{application_id}/{dev_eui}/{event}", shared_group="g")
    assert filters(chosen) == ("$share/g/city/+/+/+",)


@pytest.mark.mosquitto
async def test_tls_with_client_certificate(start_mosquitto: StartMosquitto, tmp_path: Path) -> None:
    """Mosquitto over TLS takes us with our certificate; without it the error speaks of TLS."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    broker, city = authority.issue_cert("127.0.0.1"), authority.issue_cert("stadtfunk.example")
    broker.cert_chain_pems[0].write_to_path(tmp_path / "broker.pem")
    broker.private_key_pem.write_to_path(tmp_path / "broker.key")
    city.cert_chain_pems[0].write_to_path(tmp_path / "city.pem")
    city.private_key_pem.write_to_path(tmp_path / "city.key")
    mosquitto = await start_mosquitto(
        f"cafile {tmp_path}/ca.pem",
        f"certfile {tmp_path}/broker.pem",
        f"keyfile {tmp_path}/broker.key",
        "require_certificate true",
    )
    with_tls = settings(mosquitto, tls=True, ca_file=tmp_path / "ca.pem")
    files = {"certificate_file": tmp_path / "city.pem", "key_file": tmp_path / "city.key"}
    async with running(with_tls.model_copy(update=files)) as received:
        assert received.subscriber.last_error is None
    subscriber = Subscriber(with_tls, filters(with_tls), print)
    task = asyncio.create_task(subscriber.run())
    await eventually(lambda: subscriber.last_error)
    assert "TLS" in (subscriber.last_error or "")
    task.cancel()
    await asyncio.wait((task,))
