"""ChirpStack uplinks for tests, as JSON messages."""

import base64
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from decoders import catalog
from decoders.measurement import Reading
from decoders.quantity import Quantity
from ingest.mqtt import Message, Receipt

APPLICATION = "17c82e96-be03-4f38-aef3-f83d48582d97"
NOW = 1_800_000_000_000
LOT_DEVICES = [f"70b3d57ed00000{number:02x}" for number in range(1, 21)]
BIN_DEVICE = "70b3d57ed0000080"
PROFILES = {"Bosch TPS110": "bosch/tps110", "Milesight EM400-MUD": "milesight/em400-mud"}
CITY = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "id": "lot-markt",
            "geometry": {"type": "Point", "coordinates": [7.82, 51.68]},
            "properties": {
                "kind": "lot",
                "name": "Marktplatz",
                "capacity": 20,
                "devices": [{"dev_eui": name} for name in LOT_DEVICES],
            },
        },
        {
            "type": "Feature",
            "id": "container-1",
            "geometry": {"type": "Point", "coordinates": [7.83, 51.68]},
            "properties": {
                "kind": "container",
                "name": "Container 1",
                "depth_mm": 1500,
                "sensor_offset_mm": 100,
                "devices": [{"dev_eui": BIN_DEVICE}],
            },
        },
    ],
}


def rfc3339(time_ms: int) -> str:
    """Milliseconds since 1970 as ChirpStack writes them."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


def event(
    dev_eui: str = LOT_DEVICES[0],
    *,
    payload: bytes = b"\x01",
    f_port: int = 1,
    f_cnt: int = 0,
    time_ms: int = NOW,
    deduplication_id: str | None = None,
    profile: str = "Bosch TPS110",
    **changes: Any,  # noqa: ANN401 - any field of the event
) -> dict[str, Any]:
    """An `up` event as ChirpStack publishes it."""
    return {
        "deduplicationId": deduplication_id or str(uuid.uuid5(uuid.NAMESPACE_OID, f"{dev_eui}{f_cnt}{time_ms}")),
        "time": rfc3339(time_ms),
        "deviceInfo": {
            "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
            "tenantName": "Stadtwerke",
            "applicationId": APPLICATION,
            "applicationName": "city",
            "deviceProfileId": "14855bf7-d10d-4aee-b618-ebfcb64dc7ad",
            "deviceProfileName": profile,
            "deviceName": f"device-{dev_eui[-4:]}",
            "devEui": dev_eui,
            "deviceClassEnabled": "CLASS_A",
            "tags": {},
        },
        "devAddr": "01a2b3c4",
        "adr": True,
        "dr": 5,
        "fCnt": f_cnt,
        "fPort": f_port,
        "confirmed": False,
        "data": base64.b64encode(payload).decode(),
        "rxInfo": [
            {
                "gatewayId": "0016c001f153a14c",
                "uplinkId": 4217106255,
                "nsTime": rfc3339(time_ms),
                "rssi": -97,
                "snr": 7.5,
                "crcStatus": "CRC_OK",
            }
        ],
        "txInfo": {
            "frequency": 867700000,
            "modulation": {"lora": {"bandwidth": 125000, "spreadingFactor": 7, "codeRate": "CR_4_5"}},
        },
        "regionConfigId": "eu868",
        **changes,
    }


def topic(dev_eui: str = LOT_DEVICES[0], kind: str = "up") -> str:
    """ChirpStack's topic of a device's event."""
    return f"application/{APPLICATION}/device/{dev_eui}/event/{kind}"


def message(packet_id: int = 1, *, connection: int = 1, dev_eui: str = LOT_DEVICES[0], **fields: Any) -> Message:  # noqa: ANN401 - as `event`
    """An uplink as it comes off the broker."""
    payload = json.dumps(event(dev_eui, **fields)).encode()
    return raw(payload, packet_id, connection=connection, where=topic(dev_eui))


def raw(payload: bytes, packet_id: int = 1, *, connection: int = 1, where: str | None = None) -> Message:
    """Any bytes as they come off the broker."""
    receipt = Receipt(connection, packet_id)
    return Message(where or topic(), payload, qos=1, retain=False, duplicate=False, receipt=receipt)


def occupied(*, yes: bool) -> bytes:
    """A status frame of a parking sensor."""
    return catalog.codec("bosch/tps110").encode(1, [Reading(Quantity.OCCUPIED, float(yes))])
