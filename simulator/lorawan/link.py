"""The broker between gateways and network server, as the gateways' bridge uses it."""

import contextlib
import queue
import threading
from types import TracebackType
from typing import Self

import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions
from typing_extensions import override

from simulator.error import SimulatorError
from simulator.lorawan.bridge import Packet
from simulator.publish import CONNECT_S, QOS, MqttPublisher, Tls

MOST_COMMANDS = 10_000
PATIENCE_S = 0.2


class BridgeLink(MqttPublisher):
    """A client that publishes gateways' events and takes what is said to gateways; leaving it has delivered them all.

    Raises SimulatorError where the account may not read the commands.
    """

    def __init__(
        self,
        host: str,
        port: int,
        commands: str,
        username: str | None = None,
        password: str | None = None,
        tls: Tls | None = None,
    ) -> None:
        super().__init__(host, port, username, password, tls)
        self._commands = commands
        self._filters = ((commands, SubscribeOptions(qos=QOS)),)
        self._subscribed = threading.Event()
        self._leaving = threading.Event()
        self._denied: str | None = None
        self._arrived: queue.Queue[Packet] = queue.Queue(MOST_COMMANDS)
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    @override
    def __enter__(self) -> Self:
        super().__enter__()
        if not self._subscribed.wait(CONNECT_S) or self._denied is not None:
            self._close()
            why = self._denied or f"{self._commands}: no answer"
            raise SimulatorError(f"the broker refuses the subscription {why}")
        return self

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        super().__exit__(kind, error, trace)

    def send(self, packet: Packet) -> None:
        """Publish; waits while too many are on their way."""
        self._send(packet.topic, packet.payload, retain=packet.retained)

    def receive(self, timeout_s: float) -> Packet | None:
        """The next command to a gateway; None when none comes in time."""
        try:
            return self._arrived.get(timeout=timeout_s) if timeout_s > 0 else self._arrived.get_nowait()
        except queue.Empty:
            return None

    def _on_subscribe(
        self, _client: paho.Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        asked = [*self._filters, *self._watched][-len(reasons) :]
        refused = (f"{topic}: {why}" for (topic, _), why in zip(asked, reasons, strict=True) if why.is_failure)
        self._denied = next(refused, None)
        self._subscribed.set()

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        """Waits while nobody takes what comes, so that the broker keeps the rest."""
        packet = Packet(message.topic, bytes(message.payload))
        while not self._leaving.is_set():
            with contextlib.suppress(queue.Full):
                self._arrived.put(packet, timeout=PATIENCE_S)
                return
