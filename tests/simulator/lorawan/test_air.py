"""Who hears what: windows, gateways, rates, channels, and what waits while a device listens."""

from itertools import pairwise
from random import Random

import pytest
from chirpstack_api.gw import gw_pb2
from google.protobuf.duration_pb2 import Duration

from simulator.chirpstack import Copy, Up
from simulator.device import Device
from simulator.files import read_city
from simulator.lorawan import bridge, frame
from simulator.lorawan.air import Air
from simulator.lorawan.bridge import NS_PER_S, Packet, Topics
from simulator.lorawan.crypto import Direction
from simulator.lorawan.end_device import EndDevice
from simulator.lorawan.frame import Data
from simulator.lorawan.keys import credentials, personalised
from simulator.lorawan.node import LONGEST_QUEUE, Hooks, Node, Tally
from simulator.lorawan.region import Tuned
from simulator.lorawan.station import Station
from simulator.play import Plan, Simulation
from simulator.radio import Gateway

NOW = 1_800_000_000_000_000_000
NEAR, FAR = Gateway("025354464b00000a", 51.68, 7.82, 30.0), Gateway("025354464b00000b", 51.7, 7.9, 30.0)
SENT = Tuned(868_300_000, 7)
DEV_EUI = "025354464b000001"
DEVICE = Simulation(read_city(None), Plan(seed=1, start_ns=NOW, devices=1)).devices[0]
SESSION = personalised(1, DEV_EUI)


class Stage:
    """One personalised device and two gateways, of which one is near."""

    def __init__(self) -> None:
        self.published: list[Packet] = []
        self.tally = Tally()
        self.told: list[bytes] = []
        self.air = Air([Station(NEAR, 0), Station(FAR, 0)], Topics("eu868"), "protobuf", self.published.append)
        self.device: Device = DEVICE
        self.end = EndDevice(credentials(1, DEV_EUI), Random(1), session=personalised(1, DEV_EUI), data_rate=5)
        hooks = Hooks(lambda _: None, lambda _, data: self.told.append(data.payload))
        self.node = Node(self.device, self.end, self.air, Random(1), self.tally, hooks)

    def up(self, payload: bytes = b"x", hz: int = SENT.frequency_hz, snrs: tuple[float, ...] = (9.0,)) -> Up:
        """An uplink with these SNRs at the gateways in turn."""
        copies = tuple(Copy(gateway, 1, NOW, -90, snr, 0) for gateway, snr in zip((NEAR, FAR), snrs, strict=False))
        return Up(self.device.identity, "", NOW, SESSION.dev_addr, 0, 5, payload, hz, 7, copies)

    def ups(self) -> list[gw_pb2.UplinkFrame]:
        """The frames that gateways have handed on."""
        found = [packet.payload for packet in self.published if packet.topic.endswith("/up")]
        return [gw_pb2.UplinkFrame.FromString(payload) for payload in found]

    def down(
        self, payload: bytes, after_s: float = 1.0, tuned: Tuned = SENT, gateway: Gateway = NEAR, f_cnt: int = 0
    ) -> None:
        """The network lets a gateway send so long after the last uplink."""
        delay = Duration()
        delay.FromNanoseconds(int(after_s * NS_PER_S))
        data = Data(Direction.DOWN, SESSION.dev_addr, f_cnt, 10, payload)
        info = gw_pb2.DownlinkTxInfo(
            frequency=tuned.frequency_hz,
            power=14,
            modulation=bridge.modulation(tuned.spreading_factor),
            timing=gw_pb2.Timing(delay=gw_pb2.DelayTimingInfo(delay=delay)),
            context=bridge.context_of(NOW, 0),
        )
        item = gw_pb2.DownlinkFrameItem(phy_payload=frame.write_data(data, SESSION.keys), tx_info=info)
        told = gw_pb2.DownlinkFrame(gateway_id=gateway.gateway_id, items=[item])
        topic = f"eu868/gateway/{gateway.gateway_id}/command/down"
        self.air.command(topic, told.SerializeToString(), NOW + NS_PER_S // 10)


@pytest.mark.parametrize(
    ("after_s", "tuned", "gateway", "heard"),
    [
        (1.0, SENT, NEAR, True),
        (2.0, Tuned(869_525_000, 12), NEAR, True),
        (1.009, SENT, NEAR, True),
        (1.011, SENT, NEAR, False),
        (0.989, SENT, NEAR, False),
        (1.5, SENT, NEAR, False),
        (2.0, SENT, NEAR, False),
        (1.0, Tuned(868_100_000, 7), NEAR, False),
        (1.0, Tuned(868_300_000, 8), NEAR, False),
        (1.0, SENT, FAR, False),
    ],
)
def test_windows(after_s: float, tuned: Tuned, gateway: Gateway, heard: bool) -> None:
    """A device hears what has a window's time, frequency and rate and comes from a gateway in reach; nothing else."""
    stage = Stage()
    stage.node.uplink(stage.up(), NOW)
    stage.down(b"do", after_s, tuned, gateway)
    stage.air.advance(NOW + 10 * NS_PER_S)
    assert stage.told == ([b"do"] if heard else [])
    assert not stage.air.busy


def test_a_frame_is_heard_when_it_is_over() -> None:
    """A long frame in the second window reaches the device at its end, although the window began before."""
    stage = Stage()
    stage.node.uplink(stage.up(), NOW)
    stage.down(b"d" * 40, 2.0, Tuned(869_525_000, 12))
    stage.air.advance(NOW + 4 * NS_PER_S)
    assert (stage.told, stage.air.busy) == ([], True)
    stage.air.advance(NOW + 5 * NS_PER_S)
    assert (stage.told, stage.air.busy) == ([b"d" * 40], False)


def test_one_frame_for_one_uplink() -> None:
    """Behind a frame of its own a device listens no more: the second window stays shut."""
    stage = Stage()
    stage.node.uplink(stage.up(), NOW)
    stage.down(b"one")
    stage.down(b"two", 2.0, Tuned(869_525_000, 12), f_cnt=1)
    stage.air.advance(NOW + 10 * NS_PER_S)
    assert stage.told == [b"one"]


def test_what_comes_while_it_listens_waits() -> None:
    """An uplink behind an uplink goes out when the windows are over, in order; the oldest of too many is dropped."""
    stage = Stage()
    for number in range(LONGEST_QUEUE + 3):
        stage.node.uplink(stage.up(bytes((number,))), NOW)
    assert len(stage.ups()) == 1
    stage.air.advance(NOW + 60 * NS_PER_S)
    sent = [frame.read_data(up.phy_payload, SESSION.keys, 0) for up in stage.ups()]
    assert [data.payload[0] for data in sent] == [0, *range(3, LONGEST_QUEUE + 3)]
    assert [data.f_cnt for data in sent] == list(range(LONGEST_QUEUE + 1))
    assert (stage.tally.dropped, stage.tally.uplinks) == (2, LONGEST_QUEUE + 1)
    times = [up.rx_info.gw_time.ToNanoseconds() for up in stage.ups()]
    assert all(later - earlier >= 2 * NS_PER_S for earlier, later in pairwise(times))


def test_a_faster_rate_reaches_fewer() -> None:
    """At spreading factor 7 a gateway needs -7.5 dB; at 12 the same frame reaches both. Neither is unheard."""
    stage = Stage()
    stage.node.uplink(stage.up(snrs=(-7.5, -7.75)), NOW)
    assert [up.rx_info.gateway_id for up in stage.ups()] == [NEAR.gateway_id]
    assert stage.ups()[0].tx_info.modulation.lora.spreading_factor == 7
    slow = Stage()
    slow.end.settings = type(slow.end.settings)(data_rate=0)
    slow.node.uplink(slow.up(snrs=(-7.5, -7.75)), NOW)
    assert len(slow.ups()) == slow.tally.frames == 2
    assert (stage.tally.unheard, slow.tally.unheard) == (0, 0)


def test_nobody_hears_it() -> None:
    """A frame below every limit is counted and has used a counter, and so has one that the radio had lost before."""
    stage = Stage()
    stage.node.uplink(stage.up(snrs=(-9.0, -9.0)), NOW)
    stage.air.advance(NOW + 10 * NS_PER_S)
    stage.node.uplink(None, NOW)
    assert (stage.ups(), stage.tally.unheard, stage.tally.uplinks) == ([], 2, 2)
    stage.node.uplink(stage.up(), NOW)
    assert frame.peek_data(stage.ups()[0].phy_payload)[1] == 2


def test_only_on_channels_that_the_network_has() -> None:
    """A frequency that the network has not allowed is replaced by one that it has; the gateway tells its number."""
    stage = Stage()
    stage.node.uplink(stage.up(hz=867_900_000), NOW)
    first = stage.ups()[0]
    assert first.tx_info.frequency in {868_100_000, 868_300_000, 868_500_000}
    assert first.rx_info.channel == {868_100_000: 0, 868_300_000: 1, 868_500_000: 2}[first.tx_info.frequency]
