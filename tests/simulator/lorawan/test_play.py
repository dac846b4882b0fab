"""A city on the air against a network server, in virtual time: joins, uplinks, answers, repetitions, statistics."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import dropwhile, pairwise
from random import Random
from threading import Event
from typing import NamedTuple

import pytest
from chirpstack_api.gw import gw_pb2
from typing_extensions import override

from decoders import catalog
from decoders.measurement import Measurement
from decoders.quantity import Quantity
from simulator.chirpstack import Encoding
from simulator.device import Device
from simulator.duty_cycle import BAND_L, BAND_M, band
from simulator.files import read_city
from simulator.lorawan import keys, region
from simulator.lorawan.air import Radio
from simulator.lorawan.bridge import NS_PER_S, Packet, Reception
from simulator.lorawan.frame import Data
from simulator.lorawan.keys import Activation
from simulator.lorawan.play import AirPlan, Clock, LorawanSimulation
from simulator.lorawan.region import Tuned
from simulator.play import Plan, Simulation
from simulator.scenario.model import ORDINARY, Scenario
from tests.doubles.network_server import Down, NetworkServer, Registered

START_NS = 1_780_480_800_000_000_000
WALL_NS = 1_800_000_000_000_000_000
SEED = 3
NUMBER = 40
SECONDS = 6 * 3600
DELAY_NS = 30_000_000
CITY = read_city(None)


class Virtual(Clock):
    """A clock that only the link moves."""

    def __init__(self) -> None:
        super().__init__()
        self.ns = WALL_NS

    @override
    def now_ns(self) -> int:
        return self.ns


class Air:
    """Broker and network server in one: time passes while somebody waits for a command.

    `delay_ns` is what a command takes to its gateway; `lost` says which packets never arrive.
    """

    def __init__(self, server: NetworkServer, delay_ns: int = DELAY_NS) -> None:
        self.clock = Virtual()
        self.server = server
        self.delay_ns = delay_ns
        self.lost: Callable[[Packet], bool] = lambda _: False
        self._coming: list[tuple[int, Packet]] = []

    def send(self, packet: Packet) -> None:
        """What a gateway says."""
        if not self.lost(packet):
            self.server.take(packet, self.clock.ns)

    def receive(self, timeout_s: float) -> Packet | None:
        """What a gateway is told next, within so much time."""
        until = self.clock.ns + max(1_000_000, int(timeout_s * NS_PER_S))
        while True:
            while self.server.commands:
                self._coming.append((self.clock.ns + self.delay_ns, self.server.commands.popleft()))
            if self._coming and self._coming[0][0] <= until:
                at_ns, packet = self._coming.pop(0)
                self.clock.ns = max(self.clock.ns, at_ns)
                return packet
            due = self.server.next_ns
            if due is None or due > until:
                self.clock.ns = until
                return None
            self.clock.ns = max(self.clock.ns, due)
            self.server.advance(self.clock.ns)


ORDINARY_PLAN = Plan(seed=SEED, start_ns=START_NS, devices=NUMBER)


def registered(activation: Activation = Activation.OTAA, plan: Plan = ORDINARY_PLAN) -> list[Registered]:
    """The devices as provisioning enters them."""
    devices = Simulation(CITY, plan).devices
    return [
        Registered(
            device.identity,
            keys.credentials(SEED, device.identity.dev_eui).app_key,
            keys.personalised(SEED, device.identity.dev_eui) if activation is Activation.ABP else None,
        )
        for device in devices
    ]


class Played:
    """A simulation that has been played, and the server it was played for."""

    def __init__(
        self,
        air: Air,
        plan: AirPlan,
        *,
        number: int = NUMBER,
        seconds: float = SECONDS,
        on_downlink: Callable[[Device, Data], None] | None = None,
        scenario: Scenario = ORDINARY,
    ) -> None:
        self.server = air.server
        self.simulation = LorawanSimulation(
            CITY,
            Plan(seed=SEED, start_ns=START_NS, devices=number, scenario=scenario),
            plan,
            air,
            clock=air.clock,
            nonces=Random(1),
            on_downlink=on_downlink or (lambda _device, _data: None),
        )
        for _ in self.simulation.run(START_NS + int(seconds * NS_PER_S), Event()):
            pass
        self.counts = self.simulation.as_dict()
        self.received = [data for device in self.server.devices.values() for data in device.received]


def play(plan: AirPlan = AirPlan(), **further: float) -> Played:  # noqa: B008 - it cannot be changed
    """Six hours of forty devices."""
    return Played(Air(NetworkServer(registered(plan.activation))), plan, **further)  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
def test_a_day(encoding: Encoding) -> None:
    """All devices join; every uplink that a gateway heard is read with the right keys and decodes by its codec."""
    played = play(AirPlan(encoding))
    counts, server = played.counts, played.server
    assert counts["joins"] == NUMBER
    assert counts["dropped"] == counts["too_late"] == counts["refused"] == 0
    assert not server.refused
    assert server.copies == counts["frames"]
    assert len(played.received) > 5 * NUMBER
    events = [packet.topic.rpartition("/")[2] for packet in server.events]
    assert events.count("join") == counts["commands"]
    assert events.count("up") == len(played.received)
    for device in server.devices.values():
        assert device.received
        for data in device.received:
            decoded = catalog.codec(device.identity.tags["codec"]).decode(data.f_port or 0, data.payload, 0)
            assert all(isinstance(one, Measurement) for one in decoded)


def test_counters_tell_what_was_lost() -> None:
    """Frames are counted from 0 without repetition; the gaps are the uplinks that nobody heard."""
    played = play()
    for device in played.server.devices.values():
        counted = [data.f_cnt for data in device.received]
        assert counted == sorted(set(counted))
    sent = sum(device.received[-1].f_cnt + 1 for device in played.server.devices.values())
    uplinks = played.counts["uplinks"]
    assert isinstance(uplinks, int)
    assert len(played.received) <= sent <= uplinks


def test_personalised() -> None:
    """With ABP nobody joins, and the sessions of provisioning fit."""
    played = play(AirPlan(activation=Activation.ABP))
    assert played.counts["join_requests"] == 0
    assert not played.server.refused
    assert all(device.received for device in played.server.devices.values())


def test_speed() -> None:
    """Sixty times as fast the same devices send about as often in simulated time, and windows stay a second long."""
    slow, fast = play(), play(AirPlan(speed=60))
    assert fast.counts["joins"] == NUMBER
    assert not fast.server.refused
    assert len(fast.received) > 0.6 * len(slow.received)
    assert fast.counts["too_late"] == 0


def test_the_network_asks_and_is_answered() -> None:
    """DevStatusReq, LinkADRReq, a new channel and a delay are answered in the next uplink, and are in force."""
    devices = registered()
    for device in devices:
        device.queue.append(Down(f_opts=bytes.fromhex("06" + "0355ff0001" + "0708d2ad8450" + "0803")))
    played = Played(Air(NetworkServer(devices)), AirPlan())
    for device in devices:
        answered = [data for data in device.received if data.f_opts]
        options = answered[0].f_opts.hex()
        assert options[:2] == "08"
        assert "0307" in options
        assert "0703" in options
        status = options[options.index("06") :]
        assert 1 <= int(status[2:4], 16) <= 254
    assert played.counts["downlinks"] == NUMBER
    ups = [json.loads(packet.payload) for packet in played.server.events if packet.topic.endswith("/up")]
    assert {up["dr"] for up in ups[-NUMBER:]} == {5}
    assert {device.link.power_steps for device in played.simulation.devices} == {5}


def test_data_for_devices() -> None:
    """A payload reaches the device it is for, once, decrypted; a confirmed one is acknowledged by the next uplink."""
    devices = registered()
    for number, device in enumerate(devices):
        device.queue.append(Down(10, bytes((number, 1, 2)), confirmed=True))
    told: list[tuple[str, int | None, bytes]] = []
    played = Played(
        Air(NetworkServer(devices)),
        AirPlan(),
        on_downlink=lambda device, data: told.append((device.identity.dev_eui, data.f_port, data.payload)),
    )
    expected = [(device.identity.dev_eui, 10, bytes((number, 1, 2))) for number, device in enumerate(devices)]
    assert sorted(told) == sorted(expected)
    assert all([data.ack for data in device.received].count(True) <= 1 for device in devices)
    assert sum(data.ack for data in played.received) >= NUMBER - 2


def test_devices_obey_what_comes_down() -> None:
    """A sensor that is told to reports at the new interval, a dimmed light tells its level from then on."""
    plan = Plan(seed=SEED, start_ns=START_NS, devices=4, models=("milesight/em310-udl", "nas/luminaire"))
    devices = registered(plan=plan)
    sensors, lights = devices[::2], devices[1::2]
    for sensor in sensors:
        sensor.queue.append(Down(85, bytes.fromhex("ff030807")))
    for light in lights:
        light.queue.append(Down(60, bytes.fromhex("01fe21")))
    air = Air(NetworkServer(devices))
    simulation = LorawanSimulation(CITY, plan, AirPlan(), air, clock=air.clock, nonces=Random(1))
    for _ in simulation.run(START_NS + SECONDS * NS_PER_S, Event()):
        pass
    assert [device.interval_s for device in simulation.devices] == [1800.0, 600.0] * 2
    for sensor in sensors:
        assert 5 < len(sensor.received) < SECONDS / 1200
    codec = catalog.codec("nas/luminaire")
    for light in lights:
        told = [codec.decode(24, data.payload, 0)[0] for data in light.received[2:] if data.f_port == 24]
        levels = [one.value for each in told for one in each.readings if one.quantity is Quantity.DIMMING_LEVEL]
        assert set(levels) == {33.0}


def test_gateways_answer_the_network() -> None:
    """Every downlink is acknowledged by its gateway, what was sent is heard; gateways count, and end offline."""
    played = play()
    server = played.server
    assert len(server.acks) == played.counts["commands"]
    sent = [[item.status for item in ack.items].count(gw_pb2.OK) for ack in server.acks]
    assert set(sent) <= {0, 1}
    assert sum(sent) == NUMBER
    assert len(server.online) == 4
    assert not any(server.online.values())
    assert len(server.stats) >= 4 * SECONDS // 30
    assert sum(one.rx_packets_received_ok for one in server.stats) == played.counts["frames"]
    assert sum(one.tx_packets_emitted for one in server.stats) == NUMBER


def test_a_slow_network_comes_in_the_second_window() -> None:
    """Commands that take 4.9 s miss the join's first window and reach the second; joins work all the same."""
    air = Air(NetworkServer(registered()), 4_900_000_000)
    played = Played(air, AirPlan())
    assert played.counts["joins"] == NUMBER
    statuses = [tuple(item.status for item in ack.items) for ack in air.server.acks]
    assert {first for first, _ in statuses} == {gw_pb2.TOO_LATE}
    assert [second for _, second in statuses].count(gw_pb2.OK) >= NUMBER


def test_a_network_that_is_too_slow() -> None:
    """Commands that take 8 s come too late for both: nobody joins, everybody asks again and again, rarer and rarer."""
    air = Air(NetworkServer(registered()), 8 * NS_PER_S)
    played = Played(air, AirPlan(), seconds=1200)
    counts = played.counts
    assert counts["joins"] == counts["uplinks"] == 0
    assert {tuple(item.status for item in ack.items) for ack in air.server.acks} == {(gw_pb2.TOO_LATE,) * 2}
    requests = counts["join_requests"]
    assert isinstance(requests, int)
    assert 5 * NUMBER < requests < 30 * NUMBER
    assert counts["too_late"] == len(air.server.acks)


def test_join_requests_that_nobody_answers() -> None:
    """A server that hears nothing for the first five minutes: devices go on asking until it does."""
    air = Air(NetworkServer(registered()))
    until = WALL_NS + 300 * NS_PER_S
    air.lost = lambda packet: packet.topic.endswith("/up") and air.clock.ns < until
    played = Played(air, AirPlan())
    assert played.counts["joins"] == NUMBER
    requests = played.counts["join_requests"]
    assert isinstance(requests, int)
    assert requests > 4 * NUMBER


def test_confirmed_uplinks() -> None:
    """Each asks for an answer and gets it; without answers each is sent eight times, and the server sees one."""
    played = play(AirPlan(confirmed_percent=100))
    assert all(data.confirmed for data in played.received)
    acknowledged = played.counts["acknowledged"]
    assert isinstance(acknowledged, int)
    assert acknowledged >= 0.9 * len(played.received)
    mute = Air(NetworkServer(registered(Activation.ABP)), 8 * NS_PER_S)
    unheard = Played(mute, AirPlan(confirmed_percent=100, activation=Activation.ABP))
    repeated, uplinks = unheard.counts["repeated"], unheard.counts["uplinks"]
    assert isinstance(repeated, int)
    assert isinstance(uplinks, int)
    assert unheard.counts["acknowledged"] == 0
    assert repeated > 5 * uplinks
    assert mute.server.refused.keys() <= {"retransmission"}
    assert mute.server.refused["retransmission"] > 4 * len(unheard.received)


class Sent(NamedTuple):
    """A frame on the air: ns of the city's, ns on air."""

    start_ns: int
    airtime_ns: int
    phy: bytes
    tuned: Tuned


def on_air(air: Air, plan: AirPlan, rate: int, scenario: Scenario = ORDINARY, hours: int = 4) -> list[list[Sent]]:
    """What each device sends in order of time when all begin with this data rate."""
    simulation = LorawanSimulation(
        CITY, replace(ORDINARY_PLAN, scenario=scenario), plan, air, clock=air.clock, nonces=Random(1)
    )
    transmit = simulation._air.transmit
    sent: dict[int, list[Sent]] = {}

    def noted(radio: Radio, phy: bytes, tuned: Tuned, heard: Mapping[str, Reception], now_ns: int) -> None:
        airtime = int(region.airtime_s(len(phy), tuned.spreading_factor) * NS_PER_S)
        sent.setdefault(id(radio), []).append(Sent(simulation._city_ns(now_ns), airtime, phy, tuned))
        transmit(radio, phy, tuned, heard, now_ns)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulation._air, "transmit", noted)
        for node in simulation._nodes.values():
            node.end_device.settings = replace(node.end_device.settings, data_rate=rate)
            node.tune()
        for _ in simulation.run(START_NS + hours * 3600 * NS_PER_S, Event()):
            pass
    assert len(sent) == NUMBER
    return list(sent.values())


def fullest_hour_s(frames: list[Sent], of_band: int) -> float:
    """The most airtime that an hour of a sub-band holds."""
    mine = [each for each in frames if band(each.tuned.frequency_hz) == of_band]
    hour_ns = 3600 * NS_PER_S
    hours = ([each for each in mine if 0 <= each.start_ns - first.start_ns < hour_ns] for first in mine)
    return max((sum(each.airtime_ns for each in hour) / NS_PER_S for hour in hours), default=0.0)


@pytest.mark.parametrize("activation", Activation)
def test_the_duty_cycle_holds_for_joins_and_repeats(activation: Activation) -> None:
    """At SF12 no hour of a sub-band has more than 36 s of one device, with all gateways down or without answers."""
    plan = AirPlan(confirmed_percent=100, activation=activation)
    air = Air(NetworkServer(registered(activation)), 8 * NS_PER_S)
    down = _outage("0s", "4h", *GATEWAYS) if activation is Activation.OTAA else ORDINARY
    devices = on_air(air, plan, 0, down)
    fullest = [fullest_hour_s(frames, of_band) for frames in devices for of_band in (BAND_L, BAND_M)]
    assert 20 < max(fullest) <= 36


def test_devices_are_as_silent_as_they_are_told() -> None:
    """After DutyCycleReq with 2^-11 a frame is followed by 2047 times its airtime without another one."""
    devices = registered(Activation.ABP)
    for device in devices:
        device.queue.append(Down(f_opts=bytes.fromhex("040b")))
    sent = on_air(Air(NetworkServer(devices)), AirPlan(speed=4, activation=Activation.ABP), 0)
    obeying = [list(dropwhile(lambda each: not each.phy[5] & 0x0F, frames)) for frames in sent]
    gaps = [
        (after.start_ns - each.start_ns) / each.airtime_ns for frames in obeying for each, after in pairwise(frames)
    ]
    assert len(gaps) > NUMBER
    assert min(gaps) > 2047.9


def test_repeats_wait_and_get_slower() -> None:
    """A confirmed uplink without an answer comes again 1 to 3 s behind its windows, after each two one rate slower."""
    mute = Air(NetworkServer(registered(Activation.ABP)), 8 * NS_PER_S)
    plan = AirPlan(confirmed_percent=100, activation=Activation.ABP)
    firsts = [frames[:8] for frames in on_air(mute, plan, 5, hours=1)]
    whole = [frames for frames in firsts if len(frames) == 8 and len({each.phy for each in frames}) == 1]
    assert len(whole) > NUMBER / 2
    for frames in whole:
        assert [each.tuned.spreading_factor for each in frames] == [7, 7, 8, 8, 9, 9, 10, 10]
    pauses = [
        (after.start_ns - each.start_ns - each.airtime_ns) / NS_PER_S - 2.2
        for frames in whole
        for each, after in pairwise(frames)
    ]
    assert 0.99 < min(pauses) < 1.5
    assert 2.5 < max(pauses) < 3.6


def test_two_runs_have_other_nonces() -> None:
    """A network server that remembers takes a second run's joins, too."""
    devices = registered()
    for nonces in (Random(1), Random(2)):
        air = Air(NetworkServer(devices))
        simulation = LorawanSimulation(
            CITY, Plan(seed=SEED, start_ns=START_NS, devices=NUMBER), AirPlan(), air, clock=air.clock, nonces=nonces
        )
        for _ in simulation.run(START_NS + 600 * NS_PER_S, Event()):
            pass
        assert simulation.tally.joins == NUMBER


def test_strange_commands() -> None:
    """Broken payloads, other gateways and other commands are passed over; the city goes on."""
    air = Air(NetworkServer(registered()))
    for topic, payload in (
        ("eu868/gateway/025354464bff0001/command/down", b"\xff\xff"),
        ("eu868/gateway/025354464bff0001/command/config", b"{}"),
        ("eu868/gateway/ffffffffffffffff/command/down", b"{}"),
        ("eu868/gateway/025354464bff0001/command/down", b"{}"),
        ("nonsense", b""),
    ):
        air.server.commands.append(Packet(topic, payload))
    played = Played(air, AirPlan())
    assert played.counts["refused"] == 1
    assert played.counts["joins"] == NUMBER


def test_the_network_alone_changes_rates() -> None:
    """Without a command from it no device gets faster; what it was told, or fell back to, is what its radio does."""
    played = play(AirPlan(activation=Activation.ABP), seconds=4 * SECONDS)
    before = Simulation(CITY, Plan(seed=SEED, start_ns=START_NS, devices=NUMBER)).devices
    for device, first in zip(played.simulation.devices, before, strict=True):
        settings = played.simulation._nodes[device.identity.dev_eui].end_device.settings
        assert device.link.spreading_factor == region.SPREADING_FACTORS[settings.data_rate]
        assert device.link.power_steps == settings.power == 0
        assert device.link.spreading_factor >= first.link.spreading_factor


def test_who_still_listens_is_answered() -> None:
    """Joins that were asked for just before the end are still answered behind it; nothing new begins."""
    air = Air(NetworkServer(registered()))
    played = Played(air, AirPlan(), seconds=30)
    answered = sum(gw_pb2.OK in [item.status for item in ack.items] for ack in air.server.acks)
    assert 0 < answered == played.counts["joins"]
    assert WALL_NS + 30 * NS_PER_S < air.clock.ns < WALL_NS + 37 * NS_PER_S
    assert not played.simulation._air.busy
    mute = Air(NetworkServer(registered()), 8 * NS_PER_S)
    assert Played(mute, AirPlan(), seconds=30).counts["joins"] == 0
    assert mute.clock.ns < WALL_NS + 37 * NS_PER_S


GATEWAYS = ("gateway-mitte", "gateway-heessen", "gateway-bockum-hoevel", "gateway-pelkum")


def _outage(begin: str, end: str, *names: str) -> Scenario:
    return Scenario.model_validate({"title": "x", "gateway_outage": [{"from": begin, "until": end, "gateways": names}]})


def test_nobody_joins_while_all_gateways_are_down() -> None:
    """Devices ask in vain for twenty minutes of the city's time, and join when the gateways are back."""
    air = Air(NetworkServer(registered()))
    played = Played(air, AirPlan(speed=4), scenario=_outage("0s", "20m", *GATEWAYS), seconds=3600)
    assert played.counts["joins"] == NUMBER
    requests, unheard = played.counts["join_requests"], played.counts["unheard"]
    assert isinstance(requests, int)
    assert isinstance(unheard, int)
    assert requests > 3 * NUMBER
    assert unheard > 2 * NUMBER
    assert played.counts["frames"] == air.server.copies
    first_ns = min(stats.time.ToNanoseconds() for stats in air.server.stats)
    assert first_ns - WALL_NS >= 300 * NS_PER_S


def test_a_gateway_outage_is_seen_by_the_network() -> None:
    """Between its times nothing comes from the town hall, and its state is offline; the others go on."""
    town_hall = "025354464bff0001"
    told: list[tuple[int, Packet]] = []
    air = Air(NetworkServer(registered()))
    air.lost = lambda packet: told.append((air.clock.ns, packet)) or False  # type: ignore[func-returns-value]
    Played(air, AirPlan(), scenario=_outage("1h", "2h", "gateway-mitte"), seconds=3 * 3600)
    hours = [((ns - WALL_NS) / 3.6e12, packet) for ns, packet in told if f"/{town_hall}/" in packet.topic]
    assert {packet.topic.rpartition("/")[2] for at, packet in hours if 1.001 < at < 1.999} <= {"conn"}
    states = [(at, gw_pb2.ConnState.FromString(each.payload).state) for at, each in hours if each.retained]
    assert [state for _, state in states] == [1, 0, 1, 0]
    assert [at for at, _ in states[1:3]] == pytest.approx([1, 2], abs=0.01)
    for span in ((0.2, 1), (1, 2), (2, 3)):
        others = [packet for ns, packet in told if span[0] < (ns - WALL_NS) / 3.6e12 < span[1]]
        assert any(packet.topic.endswith("/up") for packet in others)


def test_it_can_be_stopped() -> None:
    """Stopped it ends at once, and its gateways go offline."""
    air = Air(NetworkServer(registered()))
    stop = Event()
    simulation = LorawanSimulation(
        CITY, Plan(seed=SEED, start_ns=START_NS, devices=NUMBER), AirPlan(), air, clock=air.clock
    )
    for number, _ in enumerate(simulation.run(None, stop)):
        if number == 50:
            stop.set()
    assert number == 50
    assert len(air.server.online) == 4
    assert not any(air.server.online.values())
