"""Who hears what: windows, gateways, rates, channels, and what waits while a device listens."""

from itertools import pairwise
from random import Random

import pytest
from chirpstack_api.gw import gw_pb2
from google.protobuf.duration_pb2 import Duration

from simulator.chirpstack import Copy, Up
from simulator.device import Device
from simulator.ether import Ether
from simulator.files import read_city
from simulator.lorawan import bridge, frame, region
from simulator.lorawan.air import SAME_TIME, Air, Pace
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
DEAF = Hooks(lambda _: None, lambda _, __: None, lambda _, __: None, lambda _, __: None)


def _air_ns(size: int, factor: int = 7) -> int:
    """How long a frame with so much payload is on the air."""
    return int(region.airtime_s(size + 13, factor) * NS_PER_S)


class Stage:
    """One personalised device and two gateways, of which one is near."""

    def __init__(
        self,
        ether: Ether | None = None,
        pace: Pace = SAME_TIME,
        *,
        device: Device = DEVICE,
        confirmed_percent: int = 0,
    ) -> None:
        self.published: list[Packet] = []
        self.tally = Tally()
        self.told: list[bytes] = []
        self.answered: list[Up] = []
        self.given_up: list[Up] = []
        stations = [Station(NEAR, 0), Station(FAR, 0)]
        self.air = Air(stations, Topics("eu868"), "protobuf", self.published.append, ether, pace)
        self.device = device
        self.end = EndDevice(credentials(1, DEV_EUI), Random(1), session=personalised(1, DEV_EUI), data_rate=5)
        hooks = Hooks(
            lambda _: None,
            lambda _, data: self.told.append(data.payload),
            lambda _, up: self.answered.append(up),
            lambda _, up: self.given_up.append(up),
        )
        self.node = Node(
            self.device, self.end, self.air, Random(1), self.tally, hooks, confirmed_percent=confirmed_percent
        )

    def up(self, payload: bytes = b"x", hz: int = SENT.frequency_hz, snrs: tuple[float, ...] = (9.0,)) -> Up:
        """An uplink with these SNRs at the gateways in turn."""
        copies = tuple(Copy(gateway, 1, NOW, -90, snr, 0) for gateway, snr in zip((NEAR, FAR), snrs, strict=False))
        return Up(self.device.identity, "", NOW, SESSION.dev_addr, 0, 5, payload, hz, 7, copies)

    def send(self, up: Up, factor: int = 7) -> None:
        """The device sends so that the frame ends now."""
        start_ns = NOW - _air_ns(len(up.data), factor)
        self.node.uplink(up, start_ns)
        self.air.advance(NOW)

    def ups(self) -> list[gw_pb2.UplinkFrame]:
        """The frames that gateways have handed on."""
        found = [packet.payload for packet in self.published if packet.topic.endswith("/up")]
        return [gw_pb2.UplinkFrame.FromString(payload) for payload in found]

    def down(
        self, payload: bytes, after_s: float = 1.0, tuned: Tuned = SENT, gateway: Gateway = NEAR, f_cnt: int = 0
    ) -> None:
        """The network lets a gateway send so long after the last uplink."""
        self.say(Data(Direction.DOWN, SESSION.dev_addr, f_cnt, 10, payload), after_s, tuned, gateway)

    def say(self, data: Data, after_s: float = 1.0, tuned: Tuned = SENT, gateway: Gateway = NEAR) -> None:
        """The same with any data."""
        delay = Duration()
        delay.FromNanoseconds(int(after_s * NS_PER_S))
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
    stage.send(stage.up())
    stage.down(b"do", after_s, tuned, gateway)
    stage.air.advance(NOW + 10 * NS_PER_S)
    assert stage.told == ([b"do"] if heard else [])
    assert not stage.air.busy


def test_a_frame_is_heard_when_it_is_over() -> None:
    """A long frame in the second window reaches the device at its end, although the window began before."""
    stage = Stage()
    stage.send(stage.up())
    stage.down(b"d" * 40, 2.0, Tuned(869_525_000, 12))
    stage.air.advance(NOW + 4 * NS_PER_S)
    assert (stage.told, stage.air.busy) == ([], True)
    stage.air.advance(NOW + 5 * NS_PER_S)
    assert (stage.told, stage.air.busy) == ([b"d" * 40], False)


def test_one_frame_for_one_uplink() -> None:
    """Behind a frame of its own a device listens no more: the second window stays shut."""
    stage = Stage()
    stage.send(stage.up())
    stage.down(b"one")
    stage.down(b"two", 2.0, Tuned(869_525_000, 12), f_cnt=1)
    stage.air.advance(NOW + 10 * NS_PER_S)
    assert stage.told == [b"one"]


def test_what_comes_while_it_listens_waits() -> None:
    """An uplink behind an uplink goes out when the windows are over, in order; the oldest of too many is dropped."""
    stage = Stage()
    for number in range(LONGEST_QUEUE + 3):
        stage.node.uplink(stage.up(bytes((number,))), NOW)
    assert stage.ups() == []
    stage.air.advance(NOW + NS_PER_S)
    assert len(stage.ups()) == 1
    stage.air.advance(NOW + 60 * NS_PER_S)
    sent = [frame.read_data(up.phy_payload, SESSION.keys, 0) for up in stage.ups()]
    assert [data.payload[0] for data in sent] == [0, *range(3, LONGEST_QUEUE + 3)]
    assert [data.f_cnt for data in sent] == list(range(LONGEST_QUEUE + 1))
    assert (stage.tally.dropped, stage.tally.uplinks) == (2, LONGEST_QUEUE + 1)
    assert [up.data[0] for up in stage.given_up] == [1, 2, 0, *range(3, LONGEST_QUEUE + 3)]
    times = [up.rx_info.gw_time.ToNanoseconds() for up in stage.ups()]
    assert all(later - earlier >= 2 * NS_PER_S for earlier, later in pairwise(times))


def test_a_faster_rate_reaches_fewer() -> None:
    """At spreading factor 7 a gateway needs -7.5 dB; at 12 the same frame reaches both. Neither is unheard."""
    stage = Stage()
    stage.send(stage.up(snrs=(-7.5, -7.75)))
    assert [up.rx_info.gateway_id for up in stage.ups()] == [NEAR.gateway_id]
    assert stage.ups()[0].tx_info.modulation.lora.spreading_factor == 7
    slow = Stage()
    slow.end.settings = type(slow.end.settings)(data_rate=0)
    slow.send(slow.up(snrs=(-7.5, -7.75)), 12)
    assert len(slow.ups()) == slow.tally.frames == 2
    assert (stage.tally.unheard, slow.tally.unheard) == (0, 0)


def test_nobody_hears_it() -> None:
    """A frame below every limit is counted and has used a counter, and so has one that the radio had lost before."""
    stage = Stage()
    stage.node.uplink(stage.up(snrs=(-9.0, -9.0)), NOW)
    stage.air.advance(NOW + 10 * NS_PER_S)
    stage.node.uplink(None, NOW)
    assert (stage.ups(), stage.tally.unheard, stage.tally.uplinks) == ([], 2, 2)
    stage.send(stage.up())
    assert frame.peek_data(stage.ups()[0].phy_payload)[1] == 2


def test_only_on_channels_that_the_network_has() -> None:
    """A frequency that the network has not allowed is replaced by one that it has; the gateway tells its number."""
    stage = Stage()
    stage.send(stage.up(hz=867_900_000))
    first = stage.ups()[0]
    assert first.tx_info.frequency in {868_100_000, 868_300_000, 868_500_000}
    assert first.rx_info.channel == {868_100_000: 0, 868_300_000: 1, 868_500_000: 2}[first.tx_info.frequency]


def _second(stage: Stage) -> Node:
    """Another device on the same air."""
    other = "025354464b000002"
    end = EndDevice(credentials(1, other), Random(1), session=personalised(1, other), data_rate=5)
    return Node(stage.device, end, stage.air, Random(1), stage.tally, DEAF)


def _weaker(stage: Stage, by: int) -> Up:
    """An uplink that arrives so many dB weaker than the usual one, but well within reach."""
    up = stage.up()
    return up._replace(copies=tuple(copy._replace(rssi=copy.rssi - by, snr=copy.snr - by) for copy in up.copies))


@pytest.mark.parametrize(("weaker", "later_ms", "arrive"), [(0, 10, 0), (5, 10, 0), (7, 10, 1), (0, 60, 2)])
def test_frames_drown_each_other(weaker: int, later_ms: int, arrive: int) -> None:
    """Two at once on a channel: none arrives, or the one that is 6 dB stronger; one after the other both do."""
    stage = Stage()
    stage.node.uplink(stage.up(), NOW)
    stage.air.advance(NOW + later_ms * 1_000_000)
    _second(stage).uplink(_weaker(stage, weaker), NOW + later_ms * 1_000_000)
    stage.air.advance(NOW + NS_PER_S)
    assert len(stage.ups()) == arrive
    assert (stage.air.drowned, stage.air.lost) == (2 - arrive, 2 - arrive)


def test_drowned_at_one_gateway_only() -> None:
    """A copy that another gateway has is no loss of the frame."""
    stage = Stage()
    stage.node.uplink(stage.up(snrs=(9.0, 9.0)), NOW)
    _second(stage).uplink(stage.up(), NOW)
    stage.air.advance(NOW + NS_PER_S)
    assert [up.rx_info.gateway_id for up in stage.ups()] == [FAR.gateway_id]
    assert (stage.air.drowned, stage.air.lost) == (2, 1)


def test_a_join_request_drowns_like_any_frame() -> None:
    """And the device asks again."""
    stage = Stage()
    other = "025354464b000002"
    joining = EndDevice(credentials(1, other), Random(1), data_rate=5)
    node = Node(stage.device, joining, stage.air, Random(1), stage.tally, DEAF)
    node.join(NOW)
    (flying,) = (on_air for lane in stage.air._ether._lanes.values() for on_air in lane)
    stage.air._ether.begin(flying.air._replace(levels=(0.0, 0.0)), NOW, NS_PER_S // 100)
    stage.air.advance(NOW + NS_PER_S)
    assert (stage.ups(), stage.air.lost) == ([], 1)
    stage.air.advance(NOW + 60 * NS_PER_S)
    assert stage.tally.join_requests > 1


def test_at_speed_a_frame_is_shorter_and_its_windows_are_not() -> None:
    """In a city sixty times as fast frames take a sixtieth; they drown each other as the city's time has it."""
    stage = Stage(pace=Pace(lambda now_ns: now_ns * 60, 60.0))
    stage.node.uplink(stage.up(), NOW)
    assert stage.air.busy
    end_ns = NOW + _air_ns(1) // 60
    stage.air.advance(end_ns)
    assert [up.rx_info.gw_time.ToNanoseconds() for up in stage.ups()] == [pytest.approx(end_ns, abs=1000)]
    _second(stage).uplink(stage.up(), end_ns + 1_000_000)
    stage.air.advance(end_ns + NS_PER_S // 10)
    assert len(stage.ups()) == 2
    stage.air.advance(end_ns + 2 * NS_PER_S)
    assert stage.air.busy
    stage.air.advance(end_ns + 4 * NS_PER_S)
    assert not stage.air.busy


class Power:
    """Gateways that can be switched off."""

    def __init__(self) -> None:
        self.off: dict[str, tuple[int, int]] = {}

    def listens(self, gateway_id: str, time_ns: int) -> bool:
        """Whether one is on."""
        begin, end = self.off.get(gateway_id, (0, 0))
        return not begin <= time_ns < end


def test_a_gateway_that_is_down_does_nothing() -> None:
    """It hears nothing and sends nothing, acknowledges no command, tells no statistics, and is shown as offline."""
    power = Power()
    stage = Stage(Ether(power.listens))
    stage.air.begin(NOW - NS_PER_S)
    power.off[NEAR.gateway_id] = (NOW - NS_PER_S // 100, NOW + 100 * NS_PER_S)
    stage.send(stage.up(snrs=(9.0, 5.0)))
    assert [up.rx_info.gateway_id for up in stage.ups()] == [FAR.gateway_id]
    assert (stage.air.drowned, stage.air.lost) == (1, 0)
    stage.down(b"do")
    assert stage.air.commands == 0
    stage.air.advance(NOW + 130 * NS_PER_S)
    assert stage.told == []
    near = [packet for packet in stage.published if NEAR.gateway_id in packet.topic]
    assert not [packet for packet in near if packet.topic.endswith("/ack")]
    states = [gw_pb2.ConnState.FromString(packet.payload).state for packet in near if packet.retained]
    assert states == [gw_pb2.ConnState.ONLINE, gw_pb2.ConnState.OFFLINE, gw_pb2.ConnState.ONLINE]
    counted = {
        name: sum(name in each.topic and "stats" in each.topic for each in stage.published) for name in power.off
    }
    assert counted == {NEAR.gateway_id: 2}
    stage.air.end(NOW + 131 * NS_PER_S)
    assert [packet.retained for packet in stage.published[-4:]] == [False, True, False, True]


def test_a_gateway_that_goes_down_does_not_finish_its_downlink() -> None:
    """What was accepted, and is cut off, reaches nobody."""
    for down_ms, heard in ((900, []), (2000, [b"do"])):
        power = Power()
        stage = Stage(Ether(power.listens))
        stage.send(stage.up())
        stage.down(b"do")
        power.off[NEAR.gateway_id] = (NOW + down_ms * 1_000_000, NOW + 60 * NS_PER_S)
        stage.air.advance(NOW + 10 * NS_PER_S)
        assert stage.told == heard
        assert stage.air.commands == 1
