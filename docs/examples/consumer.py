"""An example consumer of Stadtfunk's events: lots, guidance and containers, one line for each piece of news.

    MQTT_PASSWORD=… python consumer.py mqtts://signs@broker.example

Events are CloudEvents 1.0 in JSON. They come at least once, and again with each new connection while the broker retains
them, so a consumer drops what it has seen, what is older than the newest of its topic, and what has expired; and of
requests what has no higher sequence than the last. An empty payload withdraws what was said. Who made a request gets an
answer, the broker its acknowledgement after the work.
"""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt import client, enums

TOPICS = ("parking/lot/+/state", "parking/zone/+/guidance", "waste/container/+/due")
FIGURES = ("state", "free", "capacity", "due", "fill_level", "recommend", "divert_from")
newest: dict[str, tuple[float, set[object]]] = {}


def news(topic: str, payload: bytes | bytearray, now: datetime) -> dict[str, Any] | None:
    """The event, None where it is no news; raises ValueError, KeyError or TypeError for what is no event."""
    event: dict[str, Any] = json.loads(payload)
    time, until = (datetime.fromisoformat(text) for text in (event["time"], event["data"]["valid_until"]))
    if event["specversion"] != "1.0" or not str(event["type"]).startswith("city.stadtfunk."):
        raise ValueError(event["type"])
    order, name = float(event["data"].get("sequence", time.timestamp())), "sequence" in event["data"] or event["id"]
    last, seen = newest.get(topic, (order, set()))
    if order < last or (order == last and name in seen):
        return None
    newest[topic] = (order, {name} | (seen if order == last else set()))
    return event if now < until else None


def take(link: client.Client, _: object, message: client.MQTTMessage) -> None:
    """Show what is news, answer what is a request; only then the broker may forget it."""
    try:
        if not message.payload:
            print(f"{message.topic}: nothing is known", flush=True)
        elif (event := news(message.topic, message.payload, datetime.now(UTC))) is not None:
            shown = {name: event["data"][name] for name in FIGURES if name in event["data"]}
            print(f"{message.topic}: {event['subject']} {json.dumps(shown)}", flush=True)
            if "sequence" in event["data"]:
                data = {"request_id": event["id"], "status": "accepted"}
                answer = {**event, "source": "/signs", "time": datetime.now(UTC).isoformat(), "data": data}
                link.publish(f"{message.topic}/status", json.dumps(answer), qos=1)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        print(f"{message.topic}: no event: {error!r}", file=sys.stderr)
    link.ack(message.mid, message.qos)


if __name__ == "__main__":
    url = urlsplit(sys.argv[1])
    link = client.Client(enums.CallbackAPIVersion.VERSION2, protocol=enums.MQTTProtocolVersion.MQTTv5, manual_ack=True)
    link.on_connect = lambda *_: link.subscribe([(f"stadtfunk/v1/{topic}", 1) for topic in TOPICS]) and None
    link.on_message = take
    link.username_pw_set(url.username, os.environ.get("MQTT_PASSWORD"))
    if url.scheme == "mqtts":
        link.tls_set()
    link.connect(url.hostname or "", url.port or (8883 if url.scheme == "mqtts" else 1883))
    link.loop_forever()
