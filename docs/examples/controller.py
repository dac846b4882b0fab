"""An example consumer that acts: it takes requests for signal plans, refuses what it must, and answers each.

    MQTT_PASSWORD=… python controller.py --host broker.example --tls --username traffic --plans 1,2,3

Requests come at least once and are never retained. One that has expired, whose sequence is not above the last one's of
its topic, or that names an unknown plan is not carried out. An empty payload withdraws the request: back to the local
schedule.
"""

import argparse
import json
import os
import uuid
from datetime import UTC, datetime
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

TOPIC = "stadtfunk/v1/traffic/group/+/signal-plan"
TYPE = "city.stadtfunk.traffic.signal_plan_requested.v1"


class Controller:
    """Which plan each group runs; None is its local schedule."""

    def __init__(self, plans: set[str]) -> None:
        self._plans = plans
        self._sequences: dict[str, int] = {}
        self.running: dict[str, str | None] = {}

    def take(self, topic: str, payload: bytes | bytearray, now: datetime) -> bytes | None:
        """The answer to a request, None for an old one; raises ValueError, KeyError or TypeError for what is none."""
        if not payload:
            self.running[topic] = None
            return None
        event = json.loads(payload)
        data = event["data"]
        if event["type"] != TYPE or not isinstance(data["sequence"], int):
            raise ValueError(f"expected {TYPE}")
        if data["sequence"] <= self._sequences.get(topic, 0):
            return None
        self._sequences[topic] = data["sequence"]
        if datetime.fromisoformat(data["valid_until"]) <= now:
            return self._answer(topic, event["id"], "expired", now)
        if data["plan"] not in self._plans:
            return self._answer(topic, event["id"], "rejected", now)
        self.running[topic] = data["plan"]
        return self._answer(topic, event["id"], "active", now)

    def _answer(self, topic: str, request_id: str, status: str, now: datetime) -> bytes:
        data: dict[str, Any] = {"request_id": request_id, "status": status, "plan": self.running.get(topic)}
        about = {"source": "/traffic-computer", "type": "example.signal-plan.status", "time": now.isoformat()}
        return json.dumps({"specversion": "1.0", "id": str(uuid.uuid4()), **about, "data": data}).encode()


def main() -> None:
    """Connect, subscribe with each connection anew, answer until interrupted."""
    parser = argparse.ArgumentParser(description="Answer Stadtfunk's requests for signal plans.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--username", help="broker account; its password comes from MQTT_PASSWORD")
    parser.add_argument("--tls", action="store_true", help="encrypt, and check the broker's certificate")
    parser.add_argument("--plans", default="1", help="numbers of the plans that there are, with commas")
    given = parser.parse_args()
    controller = Controller(set(given.plans.split(",")))
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)

    def on_connect(*_: object) -> None:
        client.subscribe(TOPIC, 1)

    def on_message(_client: Client, _userdata: object, message: MQTTMessage) -> None:
        try:
            answer = controller.take(message.topic, message.payload, datetime.now(UTC))
        except (ValueError, KeyError, TypeError) as error:
            print(f"{message.topic}: no request: {error!r}", flush=True)
            return
        print(f"{message.topic}: runs {controller.running.get(message.topic) or 'its schedule'}", flush=True)
        if answer is not None:
            client.publish(f"{message.topic}/status", answer, qos=1)

    client.on_connect = on_connect
    client.on_message = on_message
    if given.username:
        client.username_pw_set(given.username, os.environ.get("MQTT_PASSWORD"))
    if given.tls:
        client.tls_set()
    client.connect(given.host, given.port)
    client.loop_forever()


if __name__ == "__main__":
    main()
