"""ChirpStack's events as models: the fields that the service uses, by their JSON names.

Source: ChirpStack 4.20, `api/proto/integration/integration.proto` and `gw/gw.proto`, JSON by the protobuf JSON mapping.
Unknown fields are ignored, omitted ones have protobuf's defaults.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from chirpstack_api.common import common_pb2
from chirpstack_api.integration import integration_pb2
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel
from pydantic.types import StringConstraints

EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
MILLISECOND = timedelta(milliseconds=1)
EARLIEST = datetime(1700, 1, 1, tzinfo=UTC)
"""InfluxDB's times begin in 1677; logged values may be half a year older than the event that brings them."""
LATEST = datetime(2262, 1, 1, tzinfo=UTC)
"""InfluxDB's times end that year."""


def milliseconds(moment: datetime) -> int:
    """Ms since 1970, rounded down; in half the time of `timestamp`, which asks two time zones for their offset."""
    hours = (moment.toordinal() - EPOCH_DAY) * 24 + moment.hour
    local = ((hours * 60 + moment.minute) * 60 + moment.second) * 1000 + moment.microsecond // 1000
    offset = moment.utcoffset()
    return local - offset // MILLISECOND if offset else local


def _enum_name(enum: EnumTypeWrapper) -> Callable[[object], object]:
    """Number of an enum → its name; a number from a newer version stays itself, as text."""
    names = {value: name for name, value in enum.items()}

    def name(value: object) -> object:
        return names.get(value, str(value)) if type(value) is int else value

    return name


DevEui = Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{16}$", to_lower=True)]
DevAddr = Annotated[str, StringConstraints(pattern="^([0-9a-fA-F]{8})?$", to_lower=True)]
Unsigned = Annotated[int, Field(ge=0, le=2**32 - 1)]
Signed = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
Moment = Annotated[AwareDatetime, Field(strict=True, ge=EARLIEST, le=LATEST)]
LogLevel = Annotated[str, BeforeValidator(_enum_name(integration_pb2.LogLevel))]
LogCode = Annotated[str, BeforeValidator(_enum_name(integration_pb2.LogCode))]
LocationSource = Annotated[str, BeforeValidator(_enum_name(common_pb2.LocationSource))]


class Message(BaseModel):
    """Base of all parts: JSON names, bytes as base64, finite numbers."""

    model_config = ConfigDict(
        alias_generator=to_camel, frozen=True, extra="ignore", val_json_bytes="base64", allow_inf_nan=False
    )


class DeviceInfo(Message):
    """Whose event it is; `tags` are those of device and device profile, merged."""

    application_id: str = ""
    application_name: str = ""
    device_profile_name: str = ""
    device_name: str = ""
    dev_eui: DevEui
    tags: dict[str, str] = {}


class RxInfo(Message):
    """One gateway's copy: RSSI in dBm, SNR in dB, and when the network server took it."""

    gateway_id: str = ""
    ns_time: Moment | None = None
    rssi: Signed = 0
    snr: float = 0.0


class Lora(Message):
    """LoRa modulation: bandwidth in Hz."""

    bandwidth: Unsigned = 0
    spreading_factor: Unsigned = 0


class Modulation(Message):
    """How a frame was sent; `lora` is absent for FSK and LR-FHSS."""

    lora: Lora | None = None


class TxInfo(Message):
    """Frequency in Hz; power in dBm, of downlinks only."""

    frequency: Unsigned = 0
    power: Signed = 0
    modulation: Modulation | None = None


class Location(Message):
    """Where a device is: degrees (WGS 84), altitude and accuracy in m."""

    latitude: float = Field(0.0, ge=-90, le=90)
    longitude: float = Field(0.0, ge=-180, le=180)
    altitude: float = 0.0
    source: LocationSource = "UNKNOWN"
    accuracy: float = 0.0


class DeviceEvent(Message):
    """What all events have; a time that no database could keep is refused."""

    time: Moment
    device_info: DeviceInfo

    @property
    def time_ms(self) -> int:
        """The event's time in ms since 1970, rounded down."""
        return milliseconds(self.time)


class Deduplicated(DeviceEvent):
    """An event of one uplink; gateways' copies share the deduplication_id, QoS 1 redelivery repeats it."""

    deduplication_id: str = Field(min_length=1)


class UplinkEvent(Deduplicated):
    """`up`: an uplink; MAC-only frames have f_port 0 and no data."""

    dev_addr: DevAddr = ""
    adr: bool = False
    dr: Unsigned = 0
    f_cnt: Unsigned = 0
    f_port: int = Field(0, ge=0, le=255)
    confirmed: bool = False
    data: bytes = b""
    object: dict[str, JsonValue] | None = None
    rx_info: list[RxInfo] = []
    tx_info: TxInfo | None = None


class JoinEvent(Deduplicated):
    """`join`: a device has a new session, f_cnt starts again."""

    dev_addr: DevAddr = ""


class AckEvent(Deduplicated):
    """`ack`: a confirmed downlink arrived, or (acknowledged false) timed out."""

    queue_item_id: str = ""
    acknowledged: bool = False
    f_cnt_down: Unsigned = 0


class TxAckEvent(DeviceEvent):
    """`txack`: a gateway took a downlink; no proof of delivery."""

    downlink_id: Unsigned = 0
    queue_item_id: str = ""
    f_cnt_down: Unsigned = 0
    gateway_id: str = ""
    tx_info: TxInfo | None = None


class LogEvent(DeviceEvent):
    """`log`: what ChirpStack has to say; codes of newer versions are kept as they come."""

    level: LogLevel = "INFO"
    code: LogCode = "UNKNOWN"
    description: str = ""
    context: dict[str, str] = {}


class StatusEvent(Deduplicated):
    """`status`: link margin in dB and battery, as the device answered DevStatusReq."""

    margin: Signed = 0
    external_power_source: bool = False
    battery_level_unavailable: bool = False
    reported_battery_level: float = Field(0.0, ge=0, le=100, alias="batteryLevel")

    @property
    def battery_level(self) -> float | None:
        """Battery in %; None when mains powered or unknown, for which ChirpStack sends 0."""
        if self.external_power_source or self.battery_level_unavailable:
            return None
        return self.reported_battery_level


class LocationEvent(Deduplicated):
    """`location`: ChirpStack resolved where a device is."""

    location: Location


Event = UplinkEvent | JoinEvent | AckEvent | TxAckEvent | LogEvent | StatusEvent | LocationEvent
