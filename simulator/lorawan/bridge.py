"""The MQTT protocol between gateways and ChirpStack, as ChirpStack's gateway bridge speaks it.

Source: ChirpStack 4.20, `api/proto/gw/gw.proto`; topics and retained state as in ChirpStack Gateway Bridge 4; JSON by
the protobuf JSON mapping. ChirpStack answers each gateway in the encoding in which it heard from it last.
"""

from typing import NamedTuple

from chirpstack_api.common import common_pb2
from chirpstack_api.gw import gw_pb2
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

from simulator.chirpstack import Encoding
from simulator.lorawan.error import FrameError
from simulator.lorawan.region import BANDWIDTH_HZ, Tuned
from simulator.radio import Gateway

NS_PER_S = 1_000_000_000
NS_PER_US = 1000
CONTEXT_SIZE = 4
COUNTER = 1 << 8 * CONTEXT_SIZE


class Packet(NamedTuple):
    """One MQTT message."""

    topic: str
    payload: bytes
    retained: bool = False


class Reception(NamedTuple):
    """How a gateway heard a frame: ns since 1970 at its end, RSSI in dBm, SNR in dB, channel number."""

    time_ns: int
    rssi: int
    snr: float
    channel: int
    uplink_id: int


class Topics(NamedTuple):
    """The topics below a region's prefix."""

    prefix: str

    def event(self, gateway_id: str, kind: str) -> str:
        """What a gateway tells: `up`, `stats`, `ack`."""
        return f"{self.prefix}/gateway/{gateway_id}/event/{kind}"

    def state(self, gateway_id: str) -> str:
        """Whether a gateway is connected; retained."""
        return f"{self.prefix}/gateway/{gateway_id}/state/conn"

    def commands(self) -> str:
        """The subscription to what gateways are told."""
        return f"{self.prefix}/gateway/+/command/#"

    def command(self, topic: str) -> tuple[str, str] | None:
        """Gateway and command of a topic; None for another one."""
        parts = topic.removeprefix(f"{self.prefix}/").split("/")
        match parts:
            case ["gateway", gateway_id, "command", kind] if topic.startswith(f"{self.prefix}/"):
                return gateway_id, kind
        return None


def written(message: Message, encoding: Encoding) -> bytes:
    """A message in this encoding."""
    if encoding == "protobuf":
        return message.SerializeToString(deterministic=True)
    return json_format.MessageToJson(message, indent=None).encode()


def read_downlink(payload: bytes) -> gw_pb2.DownlinkFrame:
    """A downlink in either encoding; raises FrameError."""
    frame = gw_pb2.DownlinkFrame()
    try:
        if payload[:1] == b"{":
            json_format.Parse(payload, frame, ignore_unknown_fields=True)
        else:
            frame.ParseFromString(payload)
    except (json_format.ParseError, DecodeError, UnicodeDecodeError) as error:
        raise FrameError(f"no downlink frame: {error}") from error
    return frame


def context_of(time_ns: int, offset_us: int) -> bytes:
    """A gateway's own clock, which counts µs in 32 bits."""
    return ((time_ns // NS_PER_US + offset_us) % COUNTER).to_bytes(CONTEXT_SIZE, "big")


def time_of(context: bytes, offset_us: int, near_ns: int) -> int:
    """The instant nearest to `near_ns` at which a gateway's clock showed this; raises FrameError for another size."""
    if len(context) != CONTEXT_SIZE:
        raise FrameError(f"context {context.hex() or 'missing'}, expected {CONTEXT_SIZE} bytes")
    now_us = near_ns // NS_PER_US
    ahead = (int.from_bytes(context, "big") - offset_us - now_us + COUNTER // 2) % COUNTER - COUNTER // 2
    return (now_us + ahead) * NS_PER_US


def uplink_frame(gateway: Gateway, phy: bytes, sent: Tuned, heard: Reception, context: bytes) -> gw_pb2.UplinkFrame:
    """What a gateway heard. As the bridge does, without `nsTime`: that is the network server's."""
    return gw_pb2.UplinkFrame(
        phy_payload=phy,
        tx_info=gw_pb2.UplinkTxInfo(frequency=sent.frequency_hz, modulation=modulation(sent.spreading_factor)),
        rx_info=gw_pb2.UplinkRxInfo(
            gateway_id=gateway.gateway_id,
            uplink_id=heard.uplink_id,
            gw_time=stamp(heard.time_ns),
            rssi=heard.rssi,
            snr=heard.snr,
            channel=heard.channel,
            location=location(gateway),
            context=context,
            crc_status=gw_pb2.CRC_OK,
        ),
    )


def conn_state(gateway: Gateway, *, online: bool) -> gw_pb2.ConnState:
    """Whether a gateway is connected."""
    state = gw_pb2.ConnState.ONLINE if online else gw_pb2.ConnState.OFFLINE
    return gw_pb2.ConnState(gateway_id=gateway.gateway_id, state=state)


def modulation(spreading_factor: int) -> gw_pb2.Modulation:
    """LoRa at 125 kHz, 4/5."""
    lora = gw_pb2.LoraModulationInfo(bandwidth=BANDWIDTH_HZ, spreading_factor=spreading_factor, code_rate=gw_pb2.CR_4_5)
    return gw_pb2.Modulation(lora=lora)


def location(gateway: Gateway) -> common_pb2.Location:
    """Where a gateway stands."""
    return common_pb2.Location(latitude=gateway.latitude, longitude=gateway.longitude, altitude=gateway.height_m)


def stamp(time_ns: int) -> Timestamp:
    """Ns since 1970 as protobuf has times."""
    seconds, ns = divmod(time_ns, NS_PER_S)
    return Timestamp(seconds=seconds, nanos=ns)
