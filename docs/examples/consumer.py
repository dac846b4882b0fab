"""An example consumer of Stadtfunk's events: parking lots and waste containers, one line for each piece of news.

    MQTT_PASSWORD=… python consumer.py --host broker.example --tls --username signs

Events are CloudEvents 1.0 in JSON. They come at least once, and again with each new connection while the broker retains
them, so a consumer drops what it has seen, what is older than the newest of its topic, and what has expired. An empty
payload withdraws what was said: from then on nothing is known.
"""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

TOPICS = ("stadtfunk/v1/parking/lot/+/state", "stadtfunk/v1/waste/container/+/due")


class Consumer:
    """Says of each message what it means now, or None when it is no news."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[datetime, set[str]]] = {}

    def take(self, topic: str, payload: bytes | bytearray, now: datetime) -> str | None:
        """One line of text; raises ValueError, KeyError or TypeError when the payload is no event."""
        if not payload:
            return f"{topic}: nothing is known"
        event = json.loads(payload)
        time, valid_until = (datetime.fromisoformat(text) for text in (event["time"], event["data"]["valid_until"]))
        newest, seen = self._newest.get(topic, (time, set()))
        if time < newest or event["id"] in seen:
            return None
        self._newest[topic] = (time, {event["id"]} | (seen if time == newest else set()))
        return None if valid_until <= now else f"{topic}: {meaning(event)}, valid until {valid_until:%H:%M:%S} UTC"


def meaning(event: dict[str, Any]) -> str:
    """What the event says; a figure is null in it while nothing usable is known."""
    subject, data = event["subject"], event["data"]
    if event["type"] == "city.stadtfunk.parking.lot_state.v1":
        free = "?" if data["free"] is None else data["free"]
        return f"{subject} is {data['state']}, {free} of {data['capacity']} spaces free"
    level = "?" if data["fill_level"] is None else data["fill_level"]
    return f"{subject} is {'due' if data['due'] else 'not due'}, filled to {level} %"


def main() -> None:
    """Connect, subscribe with each connection anew, print until interrupted."""
    parser = argparse.ArgumentParser(description="Print Stadtfunk's parking and waste events.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--username", help="broker account; its password comes from MQTT_PASSWORD")
    parser.add_argument("--tls", action="store_true", help="encrypt, and check the broker's certificate")
    given = parser.parse_args()
    consumer = Consumer()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)

    def on_connect(*_: object) -> None:
        client.subscribe([(topic, 1) for topic in TOPICS])

    def on_message(_client: Client, _userdata: object, message: MQTTMessage) -> None:
        try:
            news = consumer.take(message.topic, message.payload, datetime.now(UTC))
        except (ValueError, KeyError, TypeError) as error:
            print(f"{message.topic}: no event: {error!r}", file=sys.stderr)
        else:
            if news:
                print(news, flush=True)

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
