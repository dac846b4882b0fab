"""Uplinks for benchmarks: a thousand devices of all codecs, as ChirpStack publishes them."""

import base64
import json
import random
import time
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from math import gcd
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

APPLICATION = "17c82e96-be03-4f38-aef3-f83d48582d97"
FILTER = f"application/{APPLICATION}/device/+/event/up"
DEVICES = 1000
LOTS = 20
MODELS = [
    ("bosch/tps110", 1, "01"),
    ("bosch/tps110", 2, "0112"),
    ("nwave/nps405", 1, "95"),
    ("milesight/em400-mud", 85, "01755c0367010104824408050001"),
    ("milesight/em310-udl", 85, "01755c03824408040001"),
    ("pepperl-fuchs/wilsen-sonic", 1, "040b01000f030b066406020141b0cccd03510123"),
    ("elsys/generic", 5, "0100c6022a070e0a"),
    ("decentlab/dl-pm", 1, "021b50000f0c25002500270027002701f50107012c012d012d012d67bd618dbd10"),
    ("pmx/tcr", 13, "a2140a03e832044c3433"),
    ("parametric/pcr2", 14, "be010400010002000300041c200ce40139"),
]
SHARES = (7, 2, 3, 2, 1, 1, 1, 1, 1, 1)
"""Devices of each model among twenty, about as in the example city: most stand in parking spaces, then come bins."""
PARKING_MODELS = 3
BINS = {"milesight/em400-mud", "milesight/em310-udl", "pepperl-fuchs/wilsen-sonic"}
WHEEL = [index for index, share in enumerate(SHARES) for _ in range(share)]


def dev_eui(number: int) -> str:
    """The DevEUI of a benchmark's device."""
    return f"70b3d57ed1{number:06x}"


def city() -> dict[str, Any]:
    """Parking sensors stand in lots, bin sensors in containers of their own."""
    features = []
    for lot in range(LOTS):
        devices = [n for n in range(DEVICES) if n_model(n) < PARKING_MODELS and n // len(WHEEL) % LOTS == lot]
        features.append(_feature(f"lot-{lot}", devices, kind="lot", capacity=len(devices)))
    features += [
        _feature(f"container-{number}", [number], kind="container", depth_mm=3000, sensor_offset_mm=0)
        for number in range(DEVICES)
        if MODELS[n_model(number)][0] in BINS
    ]
    return {"type": "FeatureCollection", "features": features}


def n_model(number: int) -> int:
    """The index of a device's model."""
    return WHEEL[number % len(WHEEL)]


def _feature(name: str, devices: list[int], **properties: object) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": name,
        "geometry": {"type": "Point", "coordinates": [7.82, 51.67]},
        "properties": {"name": name, "devices": [{"dev_eui": dev_eui(n)} for n in devices], **properties},
    }


def messages(count: int, devices: int = DEVICES, stride: int = 1) -> Iterator[tuple[str, bytes]]:
    """Topic and payload of each uplink; the newest is from now. Devices take turns, `stride` apart."""
    rng = random.Random(1)
    turns = devices // gcd(stride, devices)
    begin_ms = int(time.time() * 1000) - count
    for number in range(count):
        device = number * stride % devices
        model, f_port, payload = MODELS[n_model(device)]
        name = dev_eui(device)
        at = datetime.fromtimestamp((begin_ms + number) / 1000, UTC).isoformat(timespec="milliseconds")
        event = {
            "deduplicationId": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "time": at,
            "deviceInfo": {
                "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
                "tenantName": "Stadtwerke",
                "applicationId": APPLICATION,
                "applicationName": "city",
                "deviceProfileId": "14855bf7-d10d-4aee-b618-ebfcb64dc7ad",
                "deviceProfileName": model,
                "deviceName": f"device-{device:04}",
                "devEui": name,
                "deviceClassEnabled": "CLASS_A",
                "tags": {"codec": model},
            },
            "devAddr": f"{device:08x}",
            "adr": True,
            "dr": 5,
            "fCnt": 1 + number // turns,
            "fPort": f_port,
            "confirmed": False,
            "data": base64.b64encode(bytes.fromhex(payload)).decode(),
            "rxInfo": [_reception(rng, gateway, at) for gateway in range(2)],
            "txInfo": {
                "frequency": 867700000,
                "modulation": {"lora": {"bandwidth": 125000, "spreadingFactor": 7, "codeRate": "CR_4_5"}},
            },
            "regionConfigId": "eu868",
        }
        yield f"application/{APPLICATION}/device/{name}/event/up", json.dumps(event, separators=(",", ":")).encode()


def _reception(rng: random.Random, gateway: int, at: str) -> dict[str, Any]:
    return {
        "gatewayId": f"0016c001f153a14{gateway}",
        "uplinkId": rng.getrandbits(32),
        "nsTime": at,
        "rssi": -rng.randrange(70, 120),
        "snr": rng.randrange(-40, 40) / 4,
        "channel": 3,
        "context": "E3OWOQ==",
        "crcStatus": "CRC_OK",
    }


def session(port: int, client_id: str, topic_filter: str) -> None:
    """Leave a persistent session with a subscription behind, MQTT 5 for the service, 3.1.1 for paho."""
    if "paho" in client_id:
        client = Client(CallbackAPIVersion.VERSION2, client_id, clean_session=False, protocol=MQTTv311)
        client.connect("127.0.0.1", port)
    else:
        client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTv5)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves it untyped
        properties.SessionExpiryInterval = 3600
        client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    client.loop_start()
    while not client.is_connected():
        time.sleep(0.01)
    client.subscribe(topic_filter, qos=1)
    time.sleep(0.3)
    client.disconnect()
    client.loop_stop()


def publish(port: int, uplinks: Iterable[tuple[str, bytes]]) -> int:
    """Publish all at QoS 1 and wait for every acknowledgement; returns the mean payload in bytes."""
    client = Client(CallbackAPIVersion.VERSION2, "bench-publisher", protocol=MQTTv311)
    client.max_inflight_messages_set(1000)
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", port)
    client.loop_start()
    total = number = 0
    last = None
    for topic, payload in uplinks:
        last = client.publish(topic, payload, qos=1)
        total += len(payload)
        number += 1
        if number % 5000 == 0:
            last.wait_for_publish()
    if last is not None:
        last.wait_for_publish()
    while client.want_write():
        time.sleep(0.01)
    client.disconnect()
    client.loop_stop()
    return total // max(number, 1)


def settings_text(folder: Path, port: int, http_port: int, influxdb: str | None) -> str:
    """Settings of the benchmarked service."""
    sink = f'[influxdb]\nurl = "{influxdb}"\n' if influxdb else f'[store]\npath = "{folder}/store.db"\n'
    return (
        f'[city]\nfile = "{folder}/city.geojson"\n[mqtt]\nport = {port}\nclient_id = "stadtfunk-bench"\n'
        f'[journal]\npath = "{folder}/journal.db"\n[http]\nport = {http_port}\n{sink}'
    )
