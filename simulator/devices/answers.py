"""What the network server tells beside uplinks: `txack`, `ack`, `log`, as ChirpStack 4.20 publishes them."""

import json
from typing import Literal, NamedTuple

from chirpstack_api.gw import gw_pb2
from chirpstack_api.integration import integration_pb2 as integration

from simulator.chirpstack import Encoding, Parts, device_parts, rfc3339
from simulator.event import Identity
from simulator.protobuf import BANDWIDTH_HZ, device_info, stamp

POWER_DBM = 16


class TxAck(NamedTuple):
    """A gateway took a downlink."""

    device: Identity
    time_ns: int
    downlink_id: int
    item_id: str
    f_cnt_down: int
    gateway_id: str
    frequency_hz: int
    spreading_factor: int


class Ack(NamedTuple):
    """The device acknowledged a confirmed downlink, with the uplink of that deduplication_id."""

    device: Identity
    time_ns: int
    deduplication_id: str
    item_id: str
    f_cnt_down: int


Level = Literal["ERROR", "WARNING"]


class Log(NamedTuple):
    """Something is wrong with a downlink (code EXPIRED, DOWNLINK_PAYLOAD_SIZE) or an uplink that came once more."""

    device: Identity
    time_ns: int
    code: str
    description: str
    context: dict[str, str]
    level: Level = "ERROR"


Answer = TxAck | Ack | Log


def topic(answer: Answer) -> str:
    """The topic of an answer."""
    kind = "txack" if isinstance(answer, TxAck) else "ack" if isinstance(answer, Ack) else "log"
    return f"application/{answer.device.application_id}/device/{answer.device.dev_eui}/event/{kind}"


def payload(answer: Answer, encoding: Encoding) -> bytes:
    """The payload of an answer."""
    if encoding == "protobuf":
        written: bytes = _message(answer).SerializeToString(deterministic=True)
        return written
    both: Parts = {"time": rfc3339(answer.time_ns), "deviceInfo": device_parts(answer.device)}
    return json.dumps(both | _parts(answer), separators=(",", ":"), ensure_ascii=False).encode()


def _parts(answer: Answer) -> Parts:
    if isinstance(answer, TxAck):
        lora = {"bandwidth": BANDWIDTH_HZ, "spreadingFactor": answer.spreading_factor, "codeRate": "CR_4_5"}
        return {
            "downlinkId": answer.downlink_id,
            "queueItemId": answer.item_id,
            "fCntDown": answer.f_cnt_down,
            "gatewayId": answer.gateway_id,
            "txInfo": {"frequency": answer.frequency_hz, "power": POWER_DBM, "modulation": {"lora": lora}},
        }
    if isinstance(answer, Ack):
        return {
            "deduplicationId": answer.deduplication_id,
            "queueItemId": answer.item_id,
            "acknowledged": True,
            "fCntDown": answer.f_cnt_down,
        }
    return {
        "level": answer.level,
        "code": answer.code,
        "description": answer.description,
        "context": answer.context,
    }


def _message(answer: Answer) -> integration.TxAckEvent | integration.AckEvent | integration.LogEvent:
    time, info = stamp(answer.time_ns), device_info(answer.device)
    if isinstance(answer, TxAck):
        lora = gw_pb2.LoraModulationInfo(
            bandwidth=BANDWIDTH_HZ, spreading_factor=answer.spreading_factor, code_rate=gw_pb2.CR_4_5
        )
        return integration.TxAckEvent(
            time=time,
            device_info=info,
            downlink_id=answer.downlink_id,
            queue_item_id=answer.item_id,
            f_cnt_down=answer.f_cnt_down,
            gateway_id=answer.gateway_id,
            tx_info=gw_pb2.DownlinkTxInfo(
                frequency=answer.frequency_hz, power=POWER_DBM, modulation=gw_pb2.Modulation(lora=lora)
            ),
        )
    if isinstance(answer, Ack):
        return integration.AckEvent(
            deduplication_id=answer.deduplication_id,
            time=time,
            device_info=info,
            queue_item_id=answer.item_id,
            acknowledged=True,
            f_cnt_down=answer.f_cnt_down,
        )
    return integration.LogEvent(
        time=time,
        device_info=info,
        level=integration.LogLevel.Value(answer.level),
        code=integration.LogCode.Value(answer.code),
        description=answer.description,
        context=answer.context,
    )
