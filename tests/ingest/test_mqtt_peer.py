"""The subscriber against a scripted peer: silence, garbage, cut and joined packets, TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Self

import mqtt5
import pytest
import trustme

from ingest.broker import free_port
from ingest.mqtt import ConnectionState, Message, Subscriber
from ingest.mqtt_link import CLOSING_S
from ingest.settings import MqttSettings

CONNACK = mqtt5.ConnAckPacket(session_present=True).write()
SUBACK = mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]).write()
GOODBYE = mqtt5.DisconnectPacket().write()
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def publish(number: int) -> bytes:
    """A PUBLISH whose payload is its number."""
    return mqtt5.PublishPacket(f"t/{number}", b"%d" % number, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=number).write()


async def eventually(condition: Callable[[], object], within_s: float = 5) -> None:
    """Wait until the condition holds, but not for ever."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def peer(script: Script, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that plays the script on each connection; gives its port."""
    others = asyncio.all_tasks()
    playing: set[asyncio.Task[None]] = set()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        playing.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await script(reader, writer)
            writer.close()
        except asyncio.CancelledError:
            writer.transport.abort()

    server = await asyncio.start_server(play, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await asyncio.sleep(0.01)  # a server that closes between accepting and setting up a connection leaks it
        for task in playing:
            task.cancel()
        if unfinished := asyncio.all_tasks() - others:
            await asyncio.wait(unfinished, timeout=5)
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.01)


class Subscription:
    """A running subscriber with what it delivered and reported."""

    def __init__(self, port: int, **settings: object) -> None:
        self.messages: list[Message] = []
        self.states: list[tuple[ConnectionState, str]] = []
        given = {"host": "127.0.0.1", "reconnect_min_s": 0.01, "reconnect_max_s": 0.05} | settings
        self.subscriber = Subscriber(
            MqttSettings.model_validate(given | {"port": port}),
            ["t/#"],
            self.messages.append,
            on_state=lambda state, detail: self.states.append((state, detail)),
        )

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.subscriber.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def error(self) -> str:
        """The first error it reports."""
        await eventually(lambda: self.subscriber.last_error)
        assert self.states[0 if self.states[0][0] == ConnectionState.DISCONNECTED else 1][1]
        return self.subscriber.last_error or ""


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """Everything up to DISCONNECT or the end of the stream, like a broker."""
    data = b""
    while piece := await reader.read(65536):
        data += piece
        if data.endswith(GOODBYE):
            break
    return data


def sending(*pieces: bytes, gap_s: float = 0.0) -> Script:
    """A script that reads CONNECT, sends the pieces one by one and waits for the end."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(gap_s)
        await until_closed(reader)

    return script


async def test_every_byte_in_a_segment_of_its_own() -> None:
    """Messages arrive whole although each byte comes alone."""
    stream = CONNACK + SUBACK + publish(1) + publish(2)
    async with (
        peer(sending(*[bytes((byte,)) for byte in stream], gap_s=0.0005)) as port,
        Subscription(port) as subscription,
    ):
        await eventually(lambda: len(subscription.messages) == 2)
        assert [message.payload for message in subscription.messages] == [b"1", b"2"]


async def test_many_packets_in_one_segment() -> None:
    """A thousand messages in one write are all delivered, in order."""
    stream = CONNACK + SUBACK + b"".join(publish(number) for number in range(1, 1001))
    async with peer(sending(stream)) as port, Subscription(port) as subscription:
        await eventually(lambda: len(subscription.messages) == 1000)
        assert [int(message.payload) for message in subscription.messages] == list(range(1, 1001))


async def test_acknowledgements_go_out_in_one_write() -> None:
    """Acknowledging a batch writes the PUBACKs of all of it, and nothing else."""
    answers: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK + SUBACK + b"".join(publish(number) for number in range(1, 51)))
        await reader.readexactly(len(mqtt5.SubscribePacket(1, [mqtt5.TopicFilter("t/#")]).write()))
        answers.append(await reader.read(100_000))
        await until_closed(reader)

    async with peer(script) as port, Subscription(port) as subscription:
        await eventually(lambda: len(subscription.messages) == 50)
        receipts = [message.receipt for message in subscription.messages if message.receipt]
        subscription.subscriber.acknowledge(receipts)
        await eventually(lambda: answers)
        assert answers == [b"".join(mqtt5.PubAckPacket(number).write() for number in range(1, 51))]
        assert subscription.subscriber.acknowledged == 50


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", "no MQTT"),
        (b"\x20\x02\x00\x05", "no MQTT 5"),
        (CONNACK + SUBACK + b"\x00\x01\x02", "malformed packet"),
        (CONNACK + SUBACK + b"\x30\xff\xff\xff\x7f", "allowed are 2000000"),
        (mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode.BANNED).write(), "banned"),
        (mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode.QUOTA_EXCEEDED).write(), "quota exceeded"),
        (CONNACK + mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode.NOT_AUTHORIZED]).write(), "not authorized"),
        (CONNACK + mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SERVER_BUSY).write(), "server busy"),
    ],
)
async def test_a_bad_answer_is_named_and_tried_again(stream: bytes, error: str) -> None:
    """Whatever the peer does wrong is reported in plain words, and the next attempt follows."""
    async with peer(sending(stream)) as port, Subscription(port) as subscription:
        assert error in await subscription.error()
        await eventually(lambda: len([s for s, _ in subscription.states if s == ConnectionState.DISCONNECTED]) > 1)


async def test_the_reason_is_told_to_the_broker() -> None:
    """A packet that is too large is answered with DISCONNECT and that reason."""
    said: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK + SUBACK + b"\x30\xff\xff\xff\x7f")
        said.append(await until_closed(reader))

    async with peer(script) as port, Subscription(port):
        await eventually(lambda: said)
    reason = mqtt5.DisconnectReasonCode.PACKET_TOO_LARGE
    assert said[0].endswith(mqtt5.DisconnectPacket(reason_code=reason).write())


async def test_no_answer_to_connect() -> None:
    """A peer that accepts and stays silent is given up after the time limit."""
    async with peer(sending()) as port, Subscription(port, connect_timeout_s=0.1) as subscription:
        assert "no answer to CONNECT" in await subscription.error()


async def test_closed_instead_of_an_answer() -> None:
    """A peer that closes at once is named as such."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)

    async with peer(script) as port, Subscription(port) as subscription:
        assert "instead of answering CONNECT" in await subscription.error()


async def test_nobody_listens() -> None:
    """A refused TCP connection names the address."""
    port = free_port()
    async with Subscription(port) as subscription:
        assert f"127.0.0.1:{port}" in await subscription.error()


async def test_a_host_name_that_does_not_exist() -> None:
    """A host name without an address is called that."""
    async with Subscription(1883, host="broker.invalid") as subscription:
        assert "broker.invalid:1883 cannot be resolved" in await subscription.error()


async def test_silence_ends_the_connection() -> None:
    """A peer that stops answering is left after about a keepalive and a half, and tried again."""
    async with peer(sending(CONNACK + SUBACK)) as port, Subscription(port, keepalive_s=1) as subscription:
        assert "no sign of life" in await subscription.error()


async def test_taken_over_waits_longer() -> None:
    """After a take-over the next attempt comes no sooner than the longest wait."""
    times: list[float] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        times.append(asyncio.get_running_loop().time())
        await reader.read(1000)
        writer.write(
            CONNACK + mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER).write()
        )
        await until_closed(reader)

    async with peer(script) as port, Subscription(port, reconnect_max_s=0.3) as subscription:
        assert "client id" in await subscription.error()
        await eventually(lambda: len(times) > 2)
    assert min(later - sooner for sooner, later in pairwise(times)) >= 0.3


async def test_a_message_that_is_not_taken_harms_no_other() -> None:
    """When `deliver` raises, the message is reported and left unacknowledged; the others go on."""
    taken: list[bytes] = []
    states: list[tuple[ConnectionState, str]] = []

    def deliver(message: Message) -> None:
        if message.payload == b"2":
            raise LookupError("poison")
        taken.append(message.payload)

    async with peer(sending(CONNACK + SUBACK + publish(1) + publish(2) + publish(3))) as port:
        settings = MqttSettings(port=port)
        subscriber = Subscriber(settings, ["t/#"], deliver, on_state=lambda *state: states.append(state))
        task = asyncio.create_task(subscriber.run())
        await eventually(lambda: len(taken) == 2)
        assert (taken, subscriber.connected, subscriber.untaken) == ([b"1", b"3"], True, 1)
        assert [detail for state, detail in states if state == ConnectionState.UNTAKEN] == [
            "t/2: LookupError('poison')"
        ]
        task.cancel()
        await asyncio.wait((task,))


async def test_stopping_says_goodbye() -> None:
    """A cancelled subscriber sends DISCONNECT with the normal reason, which leaves its session alone."""
    said: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK + SUBACK)
        said.append(await until_closed(reader))

    async with peer(script) as port:
        async with Subscription(port) as subscription:
            await eventually(lambda: subscription.subscriber.connected)
        await eventually(lambda: said)
        assert said[0].endswith(mqtt5.DisconnectPacket().write())
        assert subscription.states[-1][0] == ConnectionState.STOPPED


async def test_the_broker_closes_first() -> None:
    """After its goodbye a subscriber leaves closing to the broker, which may not have read all acknowledgements yet."""
    still_open: list[bool] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK + SUBACK)
        await until_closed(reader)
        try:
            async with asyncio.timeout(0.2):
                still_open.append(await reader.read(1) != b"")
        except TimeoutError:
            still_open.append(True)

    async with peer(script) as port:
        async with Subscription(port) as subscription:
            await eventually(lambda: subscription.subscriber.connected)
        assert still_open == [True]


@pytest.mark.parametrize("before", [True, False], ids=["before connecting", "while connected"])
async def test_a_pause_bounds_memory(before: bool) -> None:
    """During a pause the peer's bytes stay with the peer, whether it began before the connection or on it."""
    packet = mqtt5.PublishPacket("t/1", bytes(10_000), qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=1).write()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK + SUBACK)
        await reader.read(1000)
        await asyncio.sleep(0.1)
        for _ in range(5000):
            writer.write(packet)
            await writer.drain()

    async with peer(script) as port, Subscription(port) as subscription:
        if before:
            subscription.subscriber.pause()
        await eventually(lambda: subscription.subscriber.connected)
        if not before:
            subscription.subscriber.pause()
        link = subscription.subscriber._link
        assert link is not None
        await asyncio.sleep(0.5)
        assert subscription.messages == []
        assert len(link._session._buffer) < 1_000_000


async def test_a_close_that_had_to_flush_leaves_nothing_behind() -> None:
    """A connection closed with bytes still to write ends once: nothing touches it after the time limit for closing."""
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    reading = asyncio.Event()
    size: list[int] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK + SUBACK)
        await reading.wait()
        writer.write(b"\x00\x00")
        taken = 0
        while piece := await reader.read(1_000_000):
            taken += len(piece)
        size.append(taken)

    async with peer(script) as port, Subscription(port, reconnect_min_s=60, reconnect_max_s=60) as subscription:
        await eventually(lambda: subscription.subscriber.connected)
        link = subscription.subscriber._link
        assert link is not None
        link.acknowledge([1] * 2_000_000)
        reading.set()
        await eventually(lambda: size)
        await asyncio.sleep(CLOSING_S + 0.1)
    assert size[0] > 8_000_000
    assert complaints == []


async def test_stopping_does_not_wait_for_a_peer_that_reads_nothing() -> None:
    """A peer that takes no bytes cannot hold up the end."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK + SUBACK)
        await asyncio.sleep(60)

    async with peer(script) as port, asyncio.timeout(10), Subscription(port) as subscription:
        await eventually(lambda: subscription.subscriber.connected)
        link = subscription.subscriber._link
        assert link is not None
        link.acknowledge([1] * 5_000_000)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The city's own certificate authority."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    """Its certificate as a file."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return file


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """A server's context for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


async def test_tls_with_twenty_messages_in_one_record(authority: trustme.CA, ca_file: Path) -> None:
    """All packets of one TLS record are delivered without waiting for another."""
    stream = CONNACK + SUBACK + b"".join(publish(number) for number in range(1, 21))
    async with (
        peer(sending(stream), server_context(authority, "127.0.0.1")) as port,
        Subscription(port, tls=True, ca_file=ca_file) as subscription,
    ):
        await eventually(lambda: len(subscription.messages) == 20)


async def test_tls_pause_and_resume(authority: trustme.CA, ca_file: Path) -> None:
    """A pause holds over TLS, too: nothing is delivered during it and everything after it."""
    stream = b"".join(publish(number) for number in range(1, 2001))
    async with (
        peer(sending(CONNACK + SUBACK, stream), server_context(authority, "127.0.0.1")) as port,
        Subscription(port, tls=True, ca_file=ca_file) as subscription,
    ):
        subscription.subscriber.pause()
        await eventually(lambda: subscription.subscriber.connected)
        await asyncio.sleep(0.1)
        assert subscription.messages == []
        subscription.subscriber.resume()
        await eventually(lambda: len(subscription.messages) == 2000)


async def test_tls_of_a_stranger_is_refused(ca_file: Path) -> None:
    """A certificate of another authority is refused."""
    async with (
        peer(sending(CONNACK), server_context(trustme.CA(), "127.0.0.1")) as port,
        Subscription(port, tls=True, ca_file=ca_file) as subscription,
    ):
        error = await subscription.error()
        assert "TLS" in error
        assert "certificate" in error
        assert not subscription.subscriber.connections


async def test_tls_for_another_name_is_refused(authority: trustme.CA, ca_file: Path) -> None:
    """A certificate for another host name is refused."""
    async with (
        peer(sending(CONNACK), server_context(authority, "broker.example")) as port,
        Subscription(port, tls=True, ca_file=ca_file) as subscription,
    ):
        assert "not valid for '127.0.0.1'" in await subscription.error()


@pytest.mark.parametrize("given", [True, False])
async def test_tls_client_certificate(given: bool, authority: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    """Where the broker wants a client certificate, ours lets us in and without it we stay out."""
    context = server_context(authority, "127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    mine = authority.issue_cert("stadtfunk.example")
    mine.private_key_and_cert_chain_pem.write_to_path(tmp_path / "me.pem")
    files = {"certificate_file": tmp_path / "me.pem"} if given else {}
    async with (
        peer(sending(CONNACK + SUBACK + publish(1)), context) as port,
        Subscription(port, tls=True, ca_file=ca_file, **files) as subscription,
    ):
        if given:
            await eventually(lambda: subscription.messages)
        else:
            assert await subscription.error()
            assert not subscription.subscriber.connections


async def test_tls_files_that_are_missing_are_named(tmp_path: Path) -> None:
    """A CA file or client certificate that cannot be read is an error that names the file."""
    missing = tmp_path / "nobody.pem"
    async with Subscription(1, tls=True, ca_file=missing) as subscription:
        assert str(missing) in await subscription.error()
    async with Subscription(1, tls=True, certificate_file=missing) as subscription:
        assert str(missing) in await subscription.error()


async def test_tls_spoken_to_a_plain_port() -> None:
    """TLS against a port that speaks plain MQTT is a TLS error, not a hang."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK)

    async with peer(script) as port, Subscription(port, tls=True, connect_timeout_s=3) as subscription:
        assert "TLS" in await subscription.error()


async def test_the_password_is_never_reported(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither logs nor states show the password, even when it is refused."""
    refusal = mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD).write()
    async with peer(sending(refusal)) as port, Subscription(port, username="u", password="hunter2") as subscription:
        assert "bad user name or password" in await subscription.error()
    seen = "".join(capfd.readouterr()) + repr(subscription.states) + repr(vars(subscription.subscriber))
    assert "bad user name" in seen
    assert "hunter2" not in seen
