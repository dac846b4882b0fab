"""Where messages go: a broker, with QoS 1, or a file with one JSON object a line."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol, Self, TypeAlias

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions
from typing_extensions import override

from simulator.error import SimulatorError
from simulator.faults import Message
from simulator.files import writing

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

QOS = 1
WINDOW = 100
CONNECT_S = 10.0
ACKNOWLEDGE_S = 30.0
KEEPALIVE_S = 30
HEARS_S = 10.0
"""How long its own first word may take to come back to who watches."""


class Publisher(Protocol):
    """Takes messages; leaving its context has delivered them all or raises SimulatorError."""

    def publish(self, message: Message) -> None:
        """Send one message; waits while too many are on their way."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class FilePublisher(Publisher):
    """Lines `{"topic", "payload"}`, or `{"topic", "payload_hex"}` where the payload is no JSON."""

    def __init__(self, out: Path | IO[str]) -> None:
        self._path = out if isinstance(out, Path) else None
        self._file = None if isinstance(out, Path) else out

    @override
    def __enter__(self) -> Self:
        if self._path is not None:
            with writing(self._path):
                self._file = self._path.open("w", encoding="utf-8")
        return self

    @override
    def publish(self, message: Message) -> None:
        if self._file is None:
            raise SimulatorError("the file is not open")
        with contextlib.nullcontext() if self._path is None else writing(self._path):
            self._file.write(line(message) + "\n")

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None and self._path is not None:
            with writing(self._path):
                self._file.close()
        elif self._file is not None:
            self._file.flush()


def line(message: Message) -> str:
    """A message as one line of JSON."""
    try:
        text = message.payload.decode()
        json.loads(text)
    except (ValueError, RecursionError):
        return json.dumps({"topic": message.topic, "payload_hex": message.payload.hex()})
    return f'{{"topic":{json.dumps(message.topic)},"payload":{text}}}'


class Tls(NamedTuple):
    """Files (PEM): authorities to trust, a client's certificate and its key; None: the system's, and no certificate."""

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 at least, the host's name is checked; raises SimulatorError that names a file that is of no use."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SimulatorError(f"certificates to trust ({self.ca_file}): {error}") from error
        if self.certificate_file is not None:
            try:
                context.load_cert_chain(self.certificate_file, self.key_file)
            except (OSError, ssl.SSLError) as error:
                raise SimulatorError(f"certificate {self.certificate_file} and its key: {error}") from error
        return context


Filters: TypeAlias = tuple[tuple[str, SubscribeOptions], ...]
"""What to subscribe to, and how."""


class MqttPublisher(Publisher):
    """A client of a broker, MQTT 5 as ChirpStack is, QoS 1; at most 100 messages wait for their acknowledgement.

    What listens, too, sets `_filters` and `on_message` of its client. Raises SimulatorError for files of no use.
    """

    def __init__(
        self, host: str, port: int, username: str | None = None, password: str | None = None, tls: Tls | None = None
    ) -> None:
        self._address = (host, port)
        self._where = f"broker {host}:{port}"
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.max_inflight_messages_set(WINDOW)
        if tls is not None:
            self._client.tls_set_context(tls.context())
        if username is not None:
            self._client.username_pw_set(username, password)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        self._client.on_socket_open = _at_once
        self._window = threading.Semaphore(WINDOW)
        self._answered = threading.Event()
        self._refused: str | None = None
        self._filters: Filters = ()
        self._watched: Filters = ()
        self._first: tuple[str, bytes] | None = None
        self._hears = threading.Event()
        self._alarm: SimulatorError | None = None
        self._alarmed = False

    def watch_for(self, filters: Sequence[str], judge: Callable[[paho.MQTTMessage], SimulatorError | None]) -> None:
        """Listen there, too, from the connection on; what `judge` finds is raised once, by what is to be sent next.

        Farewells can then still be sent. A broker may grant a subscription and deliver nothing (Mosquitto does where an
        account may not read): so the first word of its own that belongs there must come back, before a second one goes.
        """

        def on_message(client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
            if not self._hears.is_set():
                self._watched = _watched(filters, of_its_own=False)
                client.subscribe([*self._watched])
                self._hears.set()
            if (message.topic, bytes(message.payload)) != self._first:
                self._alarm = self._alarm or judge(message)

        self._watched = _watched(filters, of_its_own=True)
        for each, _ in self._watched:
            self._client.message_callback_add(each, on_message)

    @override
    def __enter__(self) -> Self:
        try:
            self._client.connect(*self._address, keepalive=KEEPALIVE_S)
        except OSError as error:
            raise SimulatorError(f"cannot reach {self._where}: {error}") from error
        self._client.loop_start()
        answered = self._answered.wait(CONNECT_S)
        if not answered or self._refused is not None:
            self._close()
            raise SimulatorError(f"{self._where} refuses the connection: {self._refused or 'no answer'}")
        return self

    @override
    def publish(self, message: Message) -> None:
        self._send(message.topic, message.payload)

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and not self._drained():
                raise SimulatorError(f"the broker did not acknowledge the last messages within {ACKNOWLEDGE_S:.0f} s")
        finally:
            self._close()

    def _send(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish; waits while too many are on their way, and raises SimulatorError as `publish` does."""
        self._acquire()
        first = self._first is None and any(paho.topic_matches_sub(each, topic) for each, _ in self._watched)
        if first:
            self._first = (topic, payload)
        self._client.publish(topic, payload, qos=QOS, retain=retain)
        if first and not self._hears.wait(HEARS_S):
            filters = ", ".join(each for each, _ in self._watched)
            raise SimulatorError(
                f"{self._where} lets this account publish, but delivered nothing of {filters} in {HEARS_S:g} s: "
                "whether it carries real ones cannot be told; --test-broker does not ask for it"
            )

    def _acquire(self) -> None:
        """A place in the window; raises SimulatorError when none becomes free, and after an alarm."""
        if self._alarm is not None and not self._alarmed:
            self._alarmed = True
            raise self._alarm
        if not self._window.acquire(timeout=ACKNOWLEDGE_S):
            raise SimulatorError(f"the broker acknowledged nothing for {ACKNOWLEDGE_S:.0f} s")

    def _drained(self) -> bool:
        """Whether all messages are acknowledged: the whole window is free again."""
        return all(self._window.acquire(timeout=ACKNOWLEDGE_S) for _ in range(WINDOW))

    def _close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self,
        _client: paho.Client,
        _data: object,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: object,
    ) -> None:
        """A new connection has no subscriptions; they are asked for before anything is sent."""
        filters = [*self._filters, *self._watched]
        if filters and not reason.is_failure:
            self._client.subscribe(filters)
        self._refused = str(reason) if reason.is_failure else None
        self._answered.set()

    def _on_publish(
        self, _client: paho.Client, _data: object, _mid: int, _reason: ReasonCode, _properties: object
    ) -> None:
        self._window.release()


def _watched(filters: Sequence[str], *, of_its_own: bool) -> Filters:
    return tuple((each, SubscribeOptions(qos=0, noLocal=not of_its_own)) for each in filters)


def _at_once(_client: paho.Client, _data: object, connection: "SocketLike") -> None:
    """Small messages do not wait for the broker's delayed acknowledgement of the one before (40 ms on Linux)."""
    if isinstance(connection, socket.socket):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
