"""What arrived: one uplink of one device, free of the wire format it came in."""

from collections.abc import Mapping
from typing import NamedTuple


class Device(NamedTuple):
    """What the network server knows of a device; `tags` are those of device and device profile, merged."""

    dev_eui: str
    name: str
    profile: str
    application_id: str
    application: str
    tags: Mapping[str, str]


class Reception(NamedTuple):
    """One gateway's copy of an uplink: RSSI in dBm, SNR in dB."""

    gateway_id: str
    rssi: int
    snr: float


class Uplink(NamedTuple):
    """One uplink: identity, payload, and the times in milliseconds since 1970 (UTC).

    `time_ms` is the event's own time, `ns_time_ms` the moment the network server took it (rxInfo.nsTime); `decoded`
    what a codec of the network server's own made of the payload.
    """

    deduplication_id: str
    device: Device
    dev_addr: str
    f_port: int
    f_cnt: int
    payload: bytes
    time_ms: int
    ns_time_ms: int
    data_rate: int
    frequency_hz: int
    spreading_factor: int
    receptions: tuple[Reception, ...]
    decoded: Mapping[str, object] | None = None
