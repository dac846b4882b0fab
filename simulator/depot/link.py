"""The depot's connection to the broker: what it says out, tours and the service's life signs in."""

import queue
from collections.abc import Callable
from typing import Final, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from rules.event import TOPIC_ROOT
from simulator.error import SimulatorError
from simulator.losses import Losses
from simulator.publish import CONNECT_S, QOS, MqttPublisher, Tls

TOURS: Final = f"{TOPIC_ROOT}/waste/vehicle/+/route"
HEARTBEAT: Final = f"{TOPIC_ROOT}/service/heartbeat"
MOST_WAITING: Final = 1000


class Heard(NamedTuple):
    """A message; a retained one tells nothing of the time."""

    topic: str
    payload: bytes
    retained: bool


class Link(MqttPublisher):
    """A client that publishes and listens; as long as nobody fetches what it heard, the broker keeps the rest.

    `warn` is told when the connection is lost, and when it is there again.
    """

    def __init__(
        self,
        host: str,
        port: int,
        username: str | None = None,
        password: str | None = None,
        tls: Tls | None = None,
        *,
        warn: Callable[[str], None],
    ) -> None:
        super().__init__(host, port, username, password, tls)
        self._losses = Losses(self._where, warn)
        self._heard: queue.Queue[Heard] = queue.Queue(MOST_WAITING)
        self._listening: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._filters = tuple((topic, SubscribeOptions(qos=QOS)) for topic in (TOURS, HEARTBEAT))
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._losses.on_disconnect

    def listen(self) -> None:
        """Wait until the broker lets it listen; raises SimulatorError."""
        try:
            refused = self._listening.get(timeout=CONNECT_S)
        except queue.Empty:
            refused = "no answer"
        if refused:
            raise SimulatorError(f"{self._where}: cannot listen for tours: {refused}")

    def next(self, seconds: float) -> Heard | None:
        """The next message, None when there is none within so many seconds."""
        try:
            return self._heard.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None

    def _on_subscribe(
        self, _client: paho.Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        refused = next((str(reason) for reason in reasons if reason.is_failure), "")
        if not refused:
            self._losses.up()
        self._listening.put(refused)

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        self._heard.put(Heard(message.topic, bytes(message.payload), message.retain))
