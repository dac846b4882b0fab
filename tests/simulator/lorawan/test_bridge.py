"""Messages between gateways and network server, parsed back with ChirpStack's own protobuf package."""

import contextlib
import json

import pytest
from chirpstack_api.gw import gw_pb2
from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.chirpstack import Encoding
from simulator.lorawan import bridge, region
from simulator.lorawan.bridge import NS_PER_S, Reception, Topics
from simulator.lorawan.error import FrameError
from simulator.lorawan.region import Tuned
from simulator.lorawan.station import NEEDED_NS, Emission, Station
from simulator.radio import Gateway

GATEWAY = Gateway("025354464b00000a", 51.68, 7.82, 30.0)
NOW = 1_800_000_000_123_456_000
SENT = Tuned(868_300_000, 9)
TOPICS = Topics("eu868")
PHY = bytes.fromhex("40f17dbe4900020001954378762b11ff0d")
ENCODINGS: tuple[Encoding, ...] = ("json", "protobuf")


def fill(message: Message, payload: bytes) -> None:
    """Parse a payload in either encoding, by protobuf alone."""
    if payload.startswith(b"{"):
        json_format.Parse(payload, message)
    else:
        message.ParseFromString(payload)


def heard(station: Station) -> gw_pb2.UplinkFrame:
    """One uplink at a gateway."""
    return station.heard(PHY, SENT, Reception(NOW, -97, 6.25, 1, 77))


def item(
    uplink: gw_pb2.UplinkFrame, delay_s: float = 1, tuned: Tuned = SENT, power: int = 14, phy: bytes = PHY
) -> gw_pb2.DownlinkFrameItem:
    """One way to answer it, as ChirpStack writes it."""
    delay = Duration()
    delay.FromNanoseconds(int(delay_s * NS_PER_S))
    lora = gw_pb2.LoraModulationInfo(
        bandwidth=125_000,
        spreading_factor=tuned.spreading_factor,
        code_rate=gw_pb2.CR_4_5,
        polarization_inversion=True,
    )
    return gw_pb2.DownlinkFrameItem(
        phy_payload=phy,
        tx_info=gw_pb2.DownlinkTxInfo(
            frequency=tuned.frequency_hz,
            power=power,
            modulation=gw_pb2.Modulation(lora=lora),
            timing=gw_pb2.Timing(delay=gw_pb2.DelayTimingInfo(delay=delay)),
            context=uplink.rx_info.context,
        ),
    )


def frame(*items: gw_pb2.DownlinkFrameItem) -> gw_pb2.DownlinkFrame:
    """A downlink with these ways."""
    return gw_pb2.DownlinkFrame(downlink_id=4711, gateway_id=GATEWAY.gateway_id, items=items)


def statuses(ack: gw_pb2.DownlinkTxAck) -> list[str]:
    """What became of each way."""
    return [gw_pb2.TxAckStatus.Name(one.status) for one in ack.items]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_uplink(encoding: Encoding) -> None:
    """Frame, radio and gateway arrive as they were; the network server's own time is left to it."""
    payload = bridge.written(heard(Station(GATEWAY, 123)), encoding)
    found = gw_pb2.UplinkFrame()
    fill(found, payload)
    assert found.phy_payload == PHY
    lora = found.tx_info.modulation.lora
    assert (found.tx_info.frequency, lora.spreading_factor, lora.bandwidth) == (868_300_000, 9, 125_000)
    assert lora.code_rate == gw_pb2.CR_4_5
    info = found.rx_info
    assert (info.gateway_id, info.rssi, info.snr, info.channel, info.uplink_id) == (
        GATEWAY.gateway_id, -97, 6.25, 1, 77,
    )  # fmt: skip
    assert info.gw_time.ToNanoseconds() == NOW
    assert not info.HasField("ns_time")
    assert (info.location.latitude, info.location.altitude) == (51.68, 30.0)
    assert info.crc_status == gw_pb2.CRC_OK
    assert len(info.context) == 4
    assert (b"gatewayId" in payload) == (encoding == "json")


def test_json_is_the_bridges() -> None:
    """Names in camel case, bytes as base64, enumerations as words, times as RFC 3339."""
    found = json.loads(bridge.written(heard(Station(GATEWAY, 0)), "json"))
    assert found["phyPayload"] == "QPF9vkkAAgABlUN4disR/w0="
    assert found["txInfo"]["modulation"]["lora"]["codeRate"] == "CR_4_5"
    assert found["rxInfo"]["gwTime"] == "2027-01-15T08:00:00.123456Z"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_connection_state(encoding: Encoding) -> None:
    """Online and offline are told apart in both encodings."""
    for online, name in ((True, "ONLINE"), (False, "OFFLINE")):
        found = gw_pb2.ConnState()
        fill(found, bridge.written(bridge.conn_state(GATEWAY, online=online), encoding))
        assert found.gateway_id == GATEWAY.gateway_id
        assert gw_pb2.ConnState.State.Name(found.state) == name


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_statistics(encoding: Encoding) -> None:
    """Each interval counts what happened in it, and begins at nought again."""
    station = Station(GATEWAY, 0)
    up = heard(station)
    station.take(frame(item(up)), NOW)
    station.take(frame(item(up)), NOW + 2 * NS_PER_S)
    found = gw_pb2.GatewayStats()
    fill(found, bridge.written(station.stats(NOW), encoding))
    assert (found.gateway_id, found.time.ToNanoseconds()) == (GATEWAY.gateway_id, NOW)
    assert (found.rx_packets_received, found.rx_packets_received_ok) == (1, 1)
    assert (found.tx_packets_received, found.tx_packets_emitted) == (2, 1)
    assert dict(found.tx_packets_per_status) == {"OK": 1, "TOO_LATE": 1}
    assert station.stats(NOW).rx_packets_received == 0


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_downlink_in_time(encoding: Encoding) -> None:
    """The first way is taken, one second behind the end of the uplink; the second is ignored."""
    station = Station(GATEWAY, 987_654_321)
    up = heard(station)
    rx2 = item(up, 2, Tuned(869_525_000, 12), 27)
    told = bridge.read_downlink(bridge.written(frame(item(up), rx2), encoding))
    ack, emission = station.take(told, NOW + 300_000_000)
    found = gw_pb2.DownlinkTxAck()
    fill(found, bridge.written(ack, encoding))
    assert (found.gateway_id, found.downlink_id) == (GATEWAY.gateway_id, 4711)
    assert statuses(found) == ["OK", "IGNORED"]
    begin = NOW + NS_PER_S
    assert emission == Emission(begin, begin + int(region.airtime_s(len(PHY), 9) * NS_PER_S), SENT, PHY)


def test_downlink_too_late() -> None:
    """Too late for RX1 it goes out in RX2; too late for both it does not go out."""
    station = Station(GATEWAY, 5)
    up = heard(station)
    both = frame(item(up), item(up, 2, Tuned(869_525_000, 12), 27))
    ack, emission = station.take(both, NOW + NS_PER_S - NEEDED_NS + 1)
    assert statuses(ack) == ["TOO_LATE", "OK"]
    assert emission is not None
    assert emission[0] == NOW + 2 * NS_PER_S
    ack, emission = Station(GATEWAY, 5).take(both, NOW + 2 * NS_PER_S)
    assert (statuses(ack), emission) == (["TOO_LATE", "TOO_LATE"], None)


def test_one_transmitter() -> None:
    """A gateway that sends already takes the next way; later it is free again."""
    station = Station(GATEWAY, 5)
    up = heard(station)
    two = frame(item(up), item(up, 2, Tuned(869_525_000, 12), 27))
    assert statuses(station.take(two, NOW)[0]) == ["OK", "IGNORED"]
    assert statuses(station.take(two, NOW)[0]) == ["COLLISION_PACKET", "OK"]
    assert statuses(station.take(two, NOW)[0]) == ["COLLISION_PACKET", "COLLISION_PACKET"]
    later = station.heard(PHY, SENT, Reception(NOW + 10 * NS_PER_S, -97, 6.25, 1, 78))
    assert statuses(station.take(frame(item(later)), NOW + 10 * NS_PER_S)[0]) == ["OK"]


def test_refused() -> None:
    """A frequency, power, rate or context that no gateway can use is refused by name, and nothing is sent."""
    station = Station(GATEWAY, 5)
    up = heard(station)
    broken = item(up)
    broken.tx_info.context = b"\x01"
    absolute = item(up)
    absolute.tx_info.timing.gps_epoch.time_since_gps_epoch.FromSeconds(1)
    for one, named in (
        (item(up, tuned=Tuned(915_000_000, 9)), "TX_FREQ"),
        (item(up, power=28), "TX_POWER"),
        (item(up, tuned=Tuned(868_300_000, 6)), "INTERNAL_ERROR"),
        (item(up, phy=b""), "INTERNAL_ERROR"),
        (item(up, 60), "TOO_EARLY"),
        (broken, "INTERNAL_ERROR"),
        (absolute, "GPS_UNLOCKED"),
    ):
        ack, emission = station.take(frame(one), NOW)
        assert (statuses(ack), emission) == ([named], None)


def test_immediately() -> None:
    """A downlink of class C goes out at once."""
    one = item(heard(Station(GATEWAY, 5)))
    one.tx_info.timing.immediately.SetInParent()
    ack, emission = Station(GATEWAY, 5).take(frame(one), NOW)
    assert statuses(ack) == ["OK"]
    assert emission is not None
    assert emission[0] == NOW


@given(st.integers(0, 2**62), st.integers(0, 2**32 - 1), st.integers(-(2**30), 2**30))
def test_the_gateways_clock(time_us: int, offset_us: int, later_us: int) -> None:
    """Within half an hour of it an instant is found again from 32 bits of µs, over the clock's wrap, too."""
    context = bridge.context_of(time_us * 1000, offset_us)
    assert bridge.time_of(context, offset_us, (time_us + later_us) * 1000 + 999) == time_us * 1000


def test_topics() -> None:
    """As the bridge has them; commands are found again, other topics are none."""
    assert TOPICS.event("aa", "up") == "eu868/gateway/aa/event/up"
    assert TOPICS.state("aa") == "eu868/gateway/aa/state/conn"
    assert TOPICS.commands() == "eu868/gateway/+/command/#"
    assert TOPICS.command("eu868/gateway/aa/command/down") == ("aa", "down")
    for other in ("gateway/aa/command/down", "eu868/gateway/aa/event/up", "eu868/gateway/aa/command/a/b", "us/x"):
        assert TOPICS.command(other) is None


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda rest: b"{" + rest))
@example(b'{"items": [{"txInfo": {"timing": {"delay": {"delay": "-9e9s"}}}}]}')
@example(b'{"items": [{}]}')
def test_any_command(payload: bytes) -> None:
    """Whatever is published as a command is a downlink frame, which is answered, or an error of ours."""
    with contextlib.suppress(FrameError):
        told = bridge.read_downlink(payload)
        assert len(Station(GATEWAY, 0).take(told, NOW)[0].items) == len(told.items)
