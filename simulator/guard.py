"""Whether a broker is a real city's: uplinks of devices that are not simulated are seen on it."""

import threading
from collections.abc import Mapping

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from decoders.simulated import is_simulated
from simulator.error import SimulatorError
from simulator.publish import CONNECT_S, KEEPALIVE_S, Tls

LISTEN_S = 2.0
UPLINKS = "application/+/device/+/event/up"
DEVICE_LEVEL = 3
NO_TAGS: Mapping[str, str] = {}


class RealCity(SimulatorError):
    """The broker carries uplinks of real devices; the message names one."""


class Guard:
    """Listens on a broker before anything is published there. Nothing is sent or acknowledged, no session is left."""

    def __init__(
        self, host: str, port: int, username: str | None = None, password: str | None = None, tls: Tls | None = None
    ) -> None:
        self._where = f"broker {host}:{port}"
        self._address = (host, port)
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        if tls is not None:
            self._client.tls_set_context(tls.context())
        if username is not None:
            self._client.username_pw_set(username, password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._answered = threading.Event()
        self._seen = threading.Event()
        self._refused: str | None = None
        self._stranger = ""

    def listen(self, seconds: float = LISTEN_S) -> None:
        """Raises RealCity after the first real device's uplink, SimulatorError where one cannot listen."""
        try:
            self._client.connect(*self._address, keepalive=KEEPALIVE_S)
        except OSError as error:
            raise SimulatorError(f"cannot reach {self._where}: {error}") from error
        self._client.loop_start()
        try:
            if not self._answered.wait(CONNECT_S) or self._refused is not None:
                raise SimulatorError(f"{self._where} refuses the connection: {self._refused or 'no answer'}")
            if self._seen.wait(seconds):
                raise RealCity(
                    f"{self._where} carries uplinks of real devices ({self._stranger}): simulated ones do not belong "
                    "there; --test-broker says that it is a test broker"
                )
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def _on_connect(
        self, client: paho.Client, _data: object, _flags: paho.ConnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if reason.is_failure:
            self._refused = str(reason)
            self._answered.set()
        else:
            client.subscribe(UPLINKS, qos=0)

    def _on_subscribe(
        self, _client: paho.Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refused = "this account may not listen for uplinks; --test-broker does not ask for it"
        self._answered.set()

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        dev_eui = message.topic.split("/")[DEVICE_LEVEL]
        if not message.retain and not is_simulated(dev_eui, NO_TAGS):
            self._stranger = dev_eui
            self._seen.set()
