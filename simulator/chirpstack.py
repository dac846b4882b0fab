"""Events as ChirpStack publishes them: topic, and payload in JSON or protobuf.

Source: ChirpStack 4.20, `api/proto/integration/integration.proto` and `gw/gw.proto`; JSON by the protobuf JSON mapping,
with top-level scalars always written and defaults of nested parts left out.
"""

from base64 import b64encode
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

from pydantic_core import to_json

from simulator.event import Copy, Event, Flight, Identity, Join, Status, Up
from simulator.protobuf import BANDWIDTH_HZ, FASTEST_FACTOR, NS_PER_S, REGION, TENANT_ID, TENANT_NAME, message
from simulator.radio import Gateway

__all__ = [
    "BANDWIDTH_HZ",
    "Copy",
    "Encoding",
    "Event",
    "Flight",
    "Identity",
    "Join",
    "Parts",
    "Status",
    "Up",
    "device_parts",
    "payload",
    "rfc3339",
    "topic",
]

Encoding = Literal["json", "protobuf"]
Parts = dict[str, object]


def topic(event: Event) -> str:
    """The topic of an event."""
    kind = "up" if isinstance(event, Up) else "join" if isinstance(event, Join) else "status"
    return f"application/{event.device.application_id}/device/{event.device.dev_eui}/event/{kind}"


def payload(event: Event, encoding: Encoding) -> bytes:
    """The payload of an event."""
    if encoding == "protobuf":
        written: bytes = message(event).SerializeToString(deterministic=True)
        return written
    return to_json(_parts(event))


def _parts(event: Event) -> Parts:
    parts: Parts = {
        "deduplicationId": event.deduplication_id,
        "time": rfc3339(event.time_ns),
        "deviceInfo": device_parts(event.device),
    }
    if isinstance(event, Up):
        return parts | _up_parts(event)
    if isinstance(event, Join):
        return parts | {"devAddr": event.dev_addr, "regionConfigId": REGION}
    return parts | {
        "margin": event.margin,
        "externalPowerSource": False,
        "batteryLevelUnavailable": False,
        "batteryLevel": event.battery_level,
    }


def device_parts(device: Identity) -> Parts:
    """Whose event it is, in JSON."""
    return {
        "tenantId": TENANT_ID,
        "tenantName": TENANT_NAME,
        "applicationId": device.application_id,
        "applicationName": device.application,
        "deviceProfileId": device.profile_id,
        "deviceProfileName": device.profile,
        "deviceName": device.name,
        "devEui": device.dev_eui,
        "deviceClassEnabled": "CLASS_A",
        "tags": device.tags,
    }


def _up_parts(event: Up) -> Parts:
    return {
        "devAddr": event.dev_addr,
        "adr": True,
        "dr": FASTEST_FACTOR - event.spreading_factor,
        "fCnt": event.f_cnt,
        "fPort": event.f_port,
        "confirmed": event.confirmed,
        "data": b64encode(event.data).decode(),
        "rxInfo": [_copy_parts(copy) for copy in event.copies],
        "txInfo": {"frequency": event.frequency_hz, "modulation": _modulation(event.spreading_factor)},
        "regionConfigId": REGION,
    }


def _copy_parts(copy: Copy) -> Parts:
    gateway = copy.gateway
    parts: Parts = {
        "gatewayId": gateway.gateway_id,
        "uplinkId": copy.uplink_id,
        "nsTime": rfc3339(copy.ns_time),
        "rssi": copy.rssi,
        "location": _location(gateway),
        "crcStatus": "CRC_OK",
    }
    if copy.snr:
        parts["snr"] = copy.snr
    if copy.channel:
        parts["channel"] = copy.channel
    return parts


@lru_cache(1024)
def _location(gateway: Gateway) -> Parts:
    """Of the city's gateways, which are few."""
    return {"latitude": gateway.latitude, "longitude": gateway.longitude, "altitude": gateway.height_m}


@lru_cache(16)
def _modulation(spreading_factor: int) -> Parts:
    return {"lora": {"bandwidth": BANDWIDTH_HZ, "spreadingFactor": spreading_factor, "codeRate": "CR_4_5"}}


def rfc3339(time_ns: int) -> str:
    """A time as ChirpStack writes it: 0, 3, 6 or 9 decimals, as many as needed."""
    seconds, ns = divmod(time_ns, NS_PER_S)
    if ns % 1000:
        return f"{_second(seconds)}.{ns:09d}+00:00"
    decimals = f"{ns // 1000:06d}" if ns % 1_000_000 else f"{ns // 1_000_000:03d}"
    return f"{_second(seconds)}.{decimals}+00:00" if ns else f"{_second(seconds)}+00:00"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
