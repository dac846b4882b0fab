"""Whether a broker is a real city's: devices or gateways that are not simulated are heard on it."""

import functools
import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple

import paho.mqtt.client as paho
from chirpstack_api.gw import gw_pb2
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from decoders.simulated import is_simulated
from simulator.error import SimulatorError
from simulator.publish import CONNECT_S, KEEPALIVE_S, MqttPublisher, Tls

LISTEN_S = 2.0
NO_TAGS: Mapping[str, str] = {}


class RealCity(SimulatorError):
    """The broker carries what real devices or gateways say; the message names one."""


class Watch(NamedTuple):
    """What to listen for; `alive` tells whose message is a sign of life, or None."""

    filters: tuple[str, ...]
    alive: Callable[[paho.MQTTMessage], str | None]
    what: str

    def stranger(self, where: str, message: paho.MQTTMessage) -> RealCity | None:
        """What is to be said of a message on this broker that nobody simulated wrote."""
        alive = self.alive(message)
        if alive is None or is_simulated(alive, NO_TAGS):
            return None
        return RealCity(
            f"{where} carries {self.what} ({alive}): simulated ones do not belong there; "
            "--test-broker says that it is a test broker"
        )

    def stay(self, publisher: MqttPublisher, where: str) -> None:
        """Look on while it publishes, for those who say something seldom."""
        publisher.watch_for(self.filters, functools.partial(self.stranger, where))


def _device(message: paho.MQTTMessage) -> str | None:
    return None if message.retain else message.topic.split("/")[3]


DEVICES = Watch(("application/+/device/+/event/up",), _device, "uplinks of real devices")


def gateways(prefix: str) -> Watch:
    """Gateways of a region: what they tell now, and retained states of those that are online."""

    def alive(message: paho.MQTTMessage) -> str | None:
        gateway_id, kind, _ = message.topic.removeprefix(f"{prefix}/gateway/").split("/", 2)
        living = _online(bytes(message.payload)) if kind == "state" else not message.retain
        return gateway_id if living else None

    filters = (f"{prefix}/gateway/+/event/+", f"{prefix}/gateway/+/state/conn")
    return Watch(filters, alive, "what real gateways say")


def _online(payload: bytes) -> bool:
    """Whether a gateway's state, JSON or protobuf, says so; one that cannot be read is as good as online."""
    state = gw_pb2.ConnState()
    try:
        if payload[:1] == b"{":
            json_format.Parse(payload, state, ignore_unknown_fields=True)
        else:
            state.ParseFromString(payload)
    except (json_format.ParseError, DecodeError, UnicodeDecodeError):
        return True
    return bool(state.state == gw_pb2.ConnState.ONLINE)


class Guard:
    """Listens on a broker before anything is published there. Nothing is sent or acknowledged, no session is left."""

    def __init__(
        self,
        host: str,
        port: int,
        username: str | None = None,
        password: str | None = None,
        tls: Tls | None = None,
        watch: Watch = DEVICES,
    ) -> None:
        self._watch = watch
        self._where = f"broker {host}:{port}"
        self._address = (host, port)
        self._account = (username, password)
        self._tls = tls
        self._answered = threading.Event()
        self._seen = threading.Event()
        self._refused: str | None = None
        self._stranger: RealCity | None = None

    def listen(self, seconds: float = LISTEN_S) -> None:
        """Raises RealCity with the first sign of life of a real one, SimulatorError where one cannot listen."""
        client = self._client()
        try:
            client.connect(*self._address, keepalive=KEEPALIVE_S)
            client.loop_start()
            if not self._answered.wait(CONNECT_S) or self._refused is not None:
                raise SimulatorError(f"{self._where} refuses the connection: {self._refused or 'no answer'}")
            if self._seen.wait(seconds) and self._stranger is not None:
                raise self._stranger
        except OSError as error:
            raise SimulatorError(f"cannot reach {self._where}: {error}") from error
        finally:
            client.disconnect()
            client.loop_stop()
            del client  # it closes its sockets when nobody holds it, which the error's traceback would

    def _client(self) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        if self._tls is not None:
            client.tls_set_context(self._tls.context())
        username, password = self._account
        if username is not None:
            client.username_pw_set(username, password)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, client: paho.Client, _data: object, _flags: paho.ConnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if reason.is_failure:
            self._refused = str(reason)
            self._answered.set()
        else:
            client.subscribe([(each, SubscribeOptions(qos=0)) for each in self._watch.filters])

    def _on_subscribe(
        self, _client: paho.Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            filters = ", ".join(self._watch.filters)
            self._refused = f"this account may not listen to {filters}; --test-broker does not ask for it"
        self._answered.set()

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        stranger = self._watch.stranger(self._where, message)
        if stranger is not None:
            self._stranger = stranger
            self._seen.set()
