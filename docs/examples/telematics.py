"""An example of a vehicle's computer: it tells what became of a stop, once, and ends when the broker has it.

    MQTT_PASSWORD=… python telematics.py --host broker.example --tls --username telematics truck-1 served container-12
    … python telematics.py truck-1 skipped container-12 --reason blocked --side-waste

A vehicle without a network keeps the same bytes and publishes them later: they count by their `time`, once by their
`id`, for a week. Nothing in them names who was on board; other keys than these are refused.
"""

import argparse
import json
import os
import sys
import uuid
from datetime import UTC, datetime
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

REASONS = ("blocked", "not_accessible", "not_full", "damaged", "wrong_content", "not_on_route", "out_of_time", "other")
WAIT_S = 30


def feedback(vehicle: str, said: dict[str, Any], now: datetime) -> bytes:
    """The CloudEvent that says it."""
    about = {"source": "/telematics", "type": "example.telematics.stop", "time": now.isoformat(), "subject": vehicle}
    return json.dumps({"specversion": "1.0", "id": str(uuid.uuid4()), **about, "data": said}).encode()


def main() -> None:
    """Publish one report and wait until the broker has taken it."""
    parser = argparse.ArgumentParser(description="Tell Stadtfunk what became of a stop.")
    parser.add_argument("vehicle", help="its id in the city's file")
    parser.add_argument("result", choices=("served", "skipped"))
    parser.add_argument("stop", help="id of the container in the city's file")
    parser.add_argument("--reason", choices=REASONS, help="why it was skipped")
    parser.add_argument("--fill-level", type=float, help="%% as found, by eye")
    parser.add_argument("--mass", type=float, help="kg that came out, weighed")
    parser.add_argument("--side-waste", action="store_true", help="waste lies beside it and stays there")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--username", help="broker account; its password comes from MQTT_PASSWORD")
    parser.add_argument("--tls", action="store_true", help="encrypt, and check the broker's certificate")
    given = parser.parse_args()
    if (given.result == "skipped") is (given.reason is None):
        parser.error("--reason belongs to skipped, and to nothing else")
    now = datetime.now(UTC)
    said: dict[str, Any] = {"stop": given.stop, "result": given.result, "reason": given.reason, "time": now.isoformat()}
    said |= {"fill_level_estimate": given.fill_level, "mass_kg": given.mass, "side_waste": given.side_waste}
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    if given.username:
        client.username_pw_set(given.username, os.environ.get("MQTT_PASSWORD"))
    if given.tls:
        client.tls_set()
    client.connect(given.host, given.port)
    client.loop_start()
    topic = f"stadtfunk/v1/waste/vehicle/{given.vehicle}/stop"
    sent = client.publish(topic, feedback(given.vehicle, said, now), qos=1)
    sent.wait_for_publish(WAIT_S)
    client.disconnect()
    client.loop_stop()
    if not sent.is_published():
        sys.exit(f"the broker did not take it within {WAIT_S} s")


if __name__ == "__main__":
    main()
