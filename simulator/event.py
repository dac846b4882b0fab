"""What happens between a device and its network server: uplinks with their copies, joins, status answers."""

from typing import NamedTuple

from simulator.radio import Gateway, Transmission


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
    """An uplink; `time_ns` is the event's time, `made_ns` that of what it says.

    `attempt` counts the transmissions of one frame, `history` holds the times (ms by the device's clock) of the earlier
    readings that it carries.
    """

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
    made_ns: int = 0
    attempt: int = 1
    history: tuple[int, ...] = ()


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
