"""ChirpStack's protobuf events as plain fields with their JSON names, values as Python has them.

Source: chirpstack-api 4.20, `integration.proto`, `gw.proto`, `common.proto`. Reading fields one by one costs a
tenth of protobuf's own JSON mapping. Floats of 32 bits become their shortest decimal, as in JSON, so that both
encodings give the same numbers.
"""

import math
import struct
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from chirpstack_api.common import common_pb2
from chirpstack_api.gw import gw_pb2
from chirpstack_api.integration import integration_pb2 as integration
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import JsonValue

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NANOSECONDS = 1_000_000_000
FLOAT32 = struct.Struct("<f")

Fields = dict[str, object]
AnyEvent: TypeAlias = (
    integration.UplinkEvent
    | integration.JoinEvent
    | integration.AckEvent
    | integration.TxAckEvent
    | integration.LogEvent
    | integration.StatusEvent
    | integration.LocationEvent
)


class ProtobufValueError(ValueError):
    """A value that protobuf can carry and the event cannot; the message names it."""


def _moment(name: str, stamp: Timestamp) -> datetime:
    if not 0 <= stamp.nanos < NANOSECONDS:
        raise ProtobufValueError(f"{name}: nanoseconds must be in 0..999999999 (got {stamp.nanos})")
    try:
        return EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)
    except OverflowError as error:
        raise ProtobufValueError(f"{name}: year must be in 1..9999 (got {stamp.seconds} s since 1970)") from error


def _shortest(value: float) -> float:
    """The shortest decimal that is this 32 bit float; infinities and NaN as they are."""
    if not math.isfinite(value):
        return value
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        try:
            if FLOAT32.unpack(FLOAT32.pack(short))[0] == value:
                return short
        except OverflowError:
            continue
    return float(f"{value:.9g}")


def _common(event: AnyEvent) -> Fields:
    """`time` and `deviceInfo`, where given."""
    fields: Fields = {}
    if event.HasField("time"):
        fields["time"] = _moment("time", event.time)
    if event.HasField("device_info"):
        info = event.device_info
        fields["deviceInfo"] = {
            "applicationId": info.application_id,
            "applicationName": info.application_name,
            "deviceProfileName": info.device_profile_name,
            "deviceName": info.device_name,
            "devEui": info.dev_eui,
            "tags": dict(info.tags),
        }
    return fields


def _reception(rx: gw_pb2.UplinkRxInfo) -> Fields:
    return {
        "gatewayId": rx.gateway_id,
        "nsTime": _moment("rxInfo.nsTime", rx.ns_time) if rx.HasField("ns_time") else None,
        "rssi": rx.rssi,
        "snr": _shortest(rx.snr),
    }


def _modulation(modulation: gw_pb2.Modulation) -> Fields:
    if not modulation.HasField("lora"):
        return {}
    lora = modulation.lora
    return {"lora": {"bandwidth": lora.bandwidth, "spreadingFactor": lora.spreading_factor}}


def _transmission(tx: gw_pb2.UplinkTxInfo | gw_pb2.DownlinkTxInfo) -> Fields:
    fields: Fields = {"frequency": tx.frequency}
    if tx.HasField("modulation"):
        fields["modulation"] = _modulation(tx.modulation)
    return fields


def _value(value: Value) -> JsonValue:
    """A dynamic value; not-a-number and infinities, which JSON does not have, become null."""
    match value.WhichOneof("kind"):
        case "struct_value":
            return _struct(value.struct_value)
        case "list_value":
            return _list(value.list_value)
        case "number_value":
            return value.number_value if math.isfinite(value.number_value) else None
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _struct(struct: Struct) -> dict[str, JsonValue]:
    return {key: _value(item) for key, item in struct.fields.items()}


def _list(values: ListValue) -> list[JsonValue]:
    items: Iterable[Value] = values.values
    return [_value(item) for item in items]


def _up(payload: bytes) -> Fields:
    event = integration.UplinkEvent.FromString(payload)
    fields = _common(event) | {
        "deduplicationId": event.deduplication_id,
        "devAddr": event.dev_addr,
        "adr": event.adr,
        "dr": event.dr,
        "fCnt": event.f_cnt,
        "fPort": event.f_port,
        "confirmed": event.confirmed,
        "data": event.data,
        "rxInfo": [_reception(rx) for rx in event.rx_info],
    }
    if event.HasField("object"):
        fields["object"] = _struct(event.object)
    if event.HasField("tx_info"):
        fields["txInfo"] = _transmission(event.tx_info)
    return fields


def _join(payload: bytes) -> Fields:
    event = integration.JoinEvent.FromString(payload)
    return _common(event) | {"deduplicationId": event.deduplication_id, "devAddr": event.dev_addr}


def _ack(payload: bytes) -> Fields:
    event = integration.AckEvent.FromString(payload)
    return _common(event) | {
        "deduplicationId": event.deduplication_id,
        "queueItemId": event.queue_item_id,
        "acknowledged": event.acknowledged,
        "fCntDown": event.f_cnt_down,
    }


def _txack(payload: bytes) -> Fields:
    event = integration.TxAckEvent.FromString(payload)
    fields = _common(event) | {
        "downlinkId": event.downlink_id,
        "queueItemId": event.queue_item_id,
        "fCntDown": event.f_cnt_down,
        "gatewayId": event.gateway_id,
    }
    if event.HasField("tx_info"):
        fields["txInfo"] = _transmission(event.tx_info) | {"power": event.tx_info.power}
    return fields


def _log(payload: bytes) -> Fields:
    event = integration.LogEvent.FromString(payload)
    return _common(event) | {
        "level": event.level,
        "code": event.code,
        "description": event.description,
        "context": dict(event.context),
    }


def _status(payload: bytes) -> Fields:
    event = integration.StatusEvent.FromString(payload)
    return _common(event) | {
        "deduplicationId": event.deduplication_id,
        "margin": event.margin,
        "externalPowerSource": event.external_power_source,
        "batteryLevelUnavailable": event.battery_level_unavailable,
        "batteryLevel": _shortest(event.battery_level),
    }


def _place(location: common_pb2.Location) -> Fields:
    return {
        "latitude": location.latitude,
        "longitude": location.longitude,
        "altitude": location.altitude,
        "source": location.source,
        "accuracy": _shortest(location.accuracy),
    }


def _location(payload: bytes) -> Fields:
    event = integration.LocationEvent.FromString(payload)
    fields = _common(event) | {"deduplicationId": event.deduplication_id}
    if event.HasField("location"):
        fields["location"] = _place(event.location)
    return fields


FIELDS: dict[str, Callable[[bytes], Fields]] = {
    "up": _up,
    "join": _join,
    "ack": _ack,
    "txack": _txack,
    "log": _log,
    "status": _status,
    "location": _location,
}
"""Event → the fields in its payload; raises protobuf's DecodeError or ProtobufValueError."""
