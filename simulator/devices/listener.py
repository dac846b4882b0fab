"""The broker, to which events go and from which downlinks come."""

from collections.abc import Callable, Sequence

import paho.mqtt.client as paho
from paho.mqtt.subscribeoptions import SubscribeOptions

from simulator.devices.command import COMMANDS
from simulator.publish import QOS, MqttPublisher, Tls


class ListeningPublisher(MqttPublisher):
    """Publishes events and hands over what comes on `topics`: downlinks to devices, unless told otherwise.

    An account that may not read them gets none.
    """

    def __init__(
        self,
        host: str,
        port: int,
        username: str | None,
        password: str | None,
        tls: Tls | None,
        offer: Callable[[str, bytes], None],
        topics: Sequence[str] = (COMMANDS,),
    ) -> None:
        super().__init__(host, port, username, password, tls)
        self._offer = offer
        self._filters = tuple((topic, SubscribeOptions(qos=QOS)) for topic in topics)
        self._client.on_message = self._on_message

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        self._offer(message.topic, bytes(message.payload))
