"""Events as ChirpStack publishes them: topic, and payload in JSON or protobuf.

Source: ChirpStack 4.20, `api/proto/integration/integration.proto` and `gw/gw.proto`; JSON by the protobuf JSON mapping,
with top-level scalars always written and defaults of nested parts left out.
"""

import json
from base64 import b64encode
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, NamedTuple

from chirpstack_api.common import common_pb2
from chirpstack_api.gw import gw_pb2
from chirpstack_api.integration import integration_pb2 as integration
from google.protobuf.timestamp_pb2 import Timestamp

from simulator.radio import Gateway, Transmission

NS_PER_S = 1_000_000_000
BANDWIDTH_HZ = 125_000
FASTEST_FACTOR = 12
TENANT_ID = "5354464b-0000-4000-8000-000000000001"
TENANT_NAME = "Stadtfunk simulation"
REGION = "eu868"

Encoding = Literal["json", "protobuf"]
Parts = dict[str, object]


class Identity(NamedTuple):
    """A device as the network server knows it."""

    dev_eui: str
    name: str
    profile: str
    profile_id: str
    application: str
    application_id: str
    tags: dict[str, str]


class Copy(NamedTuple):
    """One gateway's copy of an uplink; ns since 1970 at which the network server took it."""

    gateway: Gateway
    uplink_id: int
    ns_time: int
    rssi: int
    snr: float
    channel: int


class Flight(NamedTuple):
    """How a frame went: when it began (ns since 1970), its ns on air, who could hear it."""

    start_ns: int
    airtime_ns: int
    air: Transmission


class Up(NamedTuple):
    """An uplink; `time_ns` is the event's time."""

    device: Identity
    deduplication_id: str
    time_ns: int
    dev_addr: str
    f_cnt: int
    f_port: int
    data: bytes
    frequency_hz: int
    spreading_factor: int
    copies: tuple[Copy, ...]
    flight: Flight | None = None
    confirmed: bool = False


class Join(NamedTuple):
    """A device has joined."""

    device: Identity
    deduplication_id: str
    time_ns: int
    dev_addr: str


class Status(NamedTuple):
    """A device's answer to DevStatusReq: margin in dB, battery in %."""

    device: Identity
    deduplication_id: str
    time_ns: int
    margin: int
    battery_level: float


Event = Up | Join | Status


def topic(event: Event) -> str:
    """The topic of an event."""
    kind = "up" if isinstance(event, Up) else "join" if isinstance(event, Join) else "status"
    return f"application/{event.device.application_id}/device/{event.device.dev_eui}/event/{kind}"


def payload(event: Event, encoding: Encoding) -> bytes:
    """The payload of an event."""
    if encoding == "protobuf":
        written: bytes = _message(event).SerializeToString(deterministic=True)
        return written
    return json.dumps(_parts(event), ensure_ascii=False, separators=(",", ":")).encode()


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
        "txInfo": {
            "frequency": event.frequency_hz,
            "modulation": {
                "lora": {
                    "bandwidth": BANDWIDTH_HZ,
                    "spreadingFactor": event.spreading_factor,
                    "codeRate": "CR_4_5",
                }
            },
        },
        "regionConfigId": REGION,
    }


def _copy_parts(copy: Copy) -> Parts:
    gateway = copy.gateway
    parts: Parts = {
        "gatewayId": gateway.gateway_id,
        "uplinkId": copy.uplink_id,
        "nsTime": rfc3339(copy.ns_time),
        "rssi": copy.rssi,
        "location": {"latitude": gateway.latitude, "longitude": gateway.longitude, "altitude": gateway.height_m},
        "crcStatus": "CRC_OK",
    }
    if copy.snr:
        parts["snr"] = copy.snr
    if copy.channel:
        parts["channel"] = copy.channel
    return parts


def rfc3339(time_ns: int) -> str:
    """A time as ChirpStack writes it: 0, 3, 6 or 9 decimals, as many as needed."""
    seconds, ns = divmod(time_ns, NS_PER_S)
    decimals = f"{ns:09d}" if ns % 1000 else f"{ns // 1000:06d}" if ns % 1_000_000 else f"{ns // 1_000_000:03d}"
    return f"{_second(seconds)}.{decimals}+00:00" if ns else f"{_second(seconds)}+00:00"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def stamp(time_ns: int) -> Timestamp:
    """A time in protobuf."""
    seconds, ns = divmod(time_ns, NS_PER_S)
    return Timestamp(seconds=seconds, nanos=ns)


def _message(event: Event) -> integration.UplinkEvent | integration.JoinEvent | integration.StatusEvent:
    identifier, time, info = event.deduplication_id, stamp(event.time_ns), device_info(event.device)
    if isinstance(event, Up):
        message = _up_message(event)
        message.deduplication_id = identifier
        message.time.CopyFrom(time)
        message.device_info.CopyFrom(info)
        return message
    if isinstance(event, Join):
        return integration.JoinEvent(
            deduplication_id=identifier,
            time=time,
            device_info=info,
            dev_addr=event.dev_addr,
            region_config_id=REGION,
        )
    return integration.StatusEvent(
        deduplication_id=identifier,
        time=time,
        device_info=info,
        margin=event.margin,
        battery_level=event.battery_level,
    )


def device_info(device: Identity) -> integration.DeviceInfo:
    """Whose event it is, in protobuf."""
    return integration.DeviceInfo(
        tenant_id=TENANT_ID,
        tenant_name=TENANT_NAME,
        application_id=device.application_id,
        application_name=device.application,
        device_profile_id=device.profile_id,
        device_profile_name=device.profile,
        device_name=device.name,
        dev_eui=device.dev_eui,
        device_class_enabled=common_pb2.CLASS_A,
        tags=device.tags,
    )


def _up_message(event: Up) -> integration.UplinkEvent:
    lora = gw_pb2.LoraModulationInfo(
        bandwidth=BANDWIDTH_HZ, spreading_factor=event.spreading_factor, code_rate=gw_pb2.CR_4_5
    )
    return integration.UplinkEvent(
        dev_addr=event.dev_addr,
        adr=True,
        dr=FASTEST_FACTOR - event.spreading_factor,
        f_cnt=event.f_cnt,
        f_port=event.f_port,
        confirmed=event.confirmed,
        data=event.data,
        rx_info=[_rx_info(copy) for copy in event.copies],
        tx_info=gw_pb2.UplinkTxInfo(frequency=event.frequency_hz, modulation=gw_pb2.Modulation(lora=lora)),
        region_config_id=REGION,
    )


def _rx_info(copy: Copy) -> gw_pb2.UplinkRxInfo:
    gateway = copy.gateway
    return gw_pb2.UplinkRxInfo(
        gateway_id=gateway.gateway_id,
        uplink_id=copy.uplink_id,
        ns_time=stamp(copy.ns_time),
        rssi=copy.rssi,
        snr=copy.snr,
        channel=copy.channel,
        location=common_pb2.Location(latitude=gateway.latitude, longitude=gateway.longitude, altitude=gateway.height_m),
        crc_status=gw_pb2.CRC_OK,
    )
