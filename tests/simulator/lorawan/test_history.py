"""Who can tell later asks whether it is heard, and tells after an outage what nobody has."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from random import Random
from threading import Event
from typing import NamedTuple

import pytest

from decoders.measurement import Measurement
from simulator.chirpstack import Up
from simulator.device import Device
from simulator.devices.forms import figures_of
from simulator.devices.telling import HISTORY_PAUSE_NS
from simulator.event import Flight
from simulator.lorawan import frame
from simulator.lorawan.bridge import NS_PER_S
from simulator.lorawan.crypto import Direction
from simulator.lorawan.end_device import EndDevice
from simulator.lorawan.frame import Data
from simulator.lorawan.play import AirPlan, LorawanSimulation
from simulator.lorawan.region import LONGEST_PAYLOADS
from simulator.play import Plan
from simulator.scenario.model import Scenario
from simulator.sensor import Frame
from tests.doubles.network_server import Down, NetworkServer, asks_for_link
from tests.simulator.devices.single import device
from tests.simulator.lorawan.test_air import NOW, SESSION, Stage
from tests.simulator.lorawan.test_play import CITY, GATEWAYS, SEED, START_NS, WALL_NS, Air, registered

EXACT = "milesight/em300-th"
"""Its records have times of their own."""
AGED = "elsys/generic"
"""Its records have ages, which are wrong by as long as their frame waits."""
NEAR_MS = {EXACT: 1200, "dragino/lht65n": 1200, AGED: 10_000}
"""How far told times may be off: cut to seconds, and by the clock."""
FORGETFUL = "bosch/tps110"
DARK_S = (3600, 7200)
SPAN_S = 4 * 3600
REPEATED_S = 120
"""Repeats of a confirmed uplink end well within: what is said just before the gateways are back may come by itself."""
LINK_CHECK_ANS = b"\x02\x0a\x01"
HEARD = Data(Direction.DOWN, SESSION.dev_addr, 0, f_opts=LINK_CHECK_ANS)
ACK = Data(Direction.DOWN, SESSION.dev_addr, 0, ack=True)
KEEPER = device(EXACT)


def first(stage: Stage) -> Data:
    """The first frame that the near gateway has handed on."""
    return frame.read_data(stage.ups()[0].phy_payload, SESSION.keys, 0)


def test_who_can_tell_later_asks() -> None:
    """By LinkCheckReq where the uplink is not confirmed, by that alone where it is; others ask nothing."""
    for model, percent, options in ((EXACT, 0, b"\x02"), (EXACT, 100, b""), (FORGETFUL, 0, b"")):
        stage = Stage(device=device(model), confirmed_percent=percent)
        stage.send(stage.up())
        assert (first(stage).f_opts, first(stage).confirmed) == (options, percent == 100)


@pytest.mark.parametrize(("percent", "answer"), [(0, HEARD), (100, ACK)], ids=["link-check", "confirmed"])
def test_answered(percent: int, answer: Data) -> None:
    """With its answer an uplink is over, once, and not given up."""
    stage = Stage(device=KEEPER, confirmed_percent=percent)
    up = stage.up()
    stage.send(up)
    stage.say(answer)
    stage.air.advance(NOW + 100 * NS_PER_S)
    assert (stage.answered, stage.given_up) == ([up], [])


@pytest.mark.parametrize("answer", [None, ACK], ids=["nothing", "another-answer"])
def test_given_up(answer: Data | None) -> None:
    """Without LinkCheckAns it is given up when the windows are over, not before."""
    stage = Stage(device=KEEPER)
    up = stage.up()
    stage.send(up)
    if answer is not None:
        stage.say(answer)
    stage.air.advance(NOW + NS_PER_S // 2)
    assert (stage.answered, stage.given_up) == ([], [])
    stage.air.advance(NOW + 10 * NS_PER_S)
    assert (stage.answered, stage.given_up) == ([], [up])


def test_a_repeat_that_is_answered() -> None:
    """A confirmed uplink whose third transmission is acknowledged is answered; one that never is is given up once."""
    mute = Stage(device=KEEPER, confirmed_percent=100)
    mute.send(mute.up())
    mute.air.advance(NOW + 200 * NS_PER_S)
    assert (mute.tally.repeated, mute.answered, len(mute.given_up)) == (7, [], 1)
    stage = Stage(device=KEEPER, confirmed_percent=100)
    up = stage.up()
    stage.send(up)
    now_ns = NOW
    while stage.tally.repeated < 2:
        now_ns += NS_PER_S // 100
        stage.air.advance(now_ns)
    assert (stage.answered, stage.given_up) == ([], [])
    received = stage.end.receive(frame.write_data(ACK, SESSION.keys))
    assert received is not None
    stage.node.received(received, now_ns)
    stage.air.advance(now_ns + 200 * NS_PER_S)
    assert (stage.tally.repeated, stage.answered, stage.given_up) == (2, [up], [])


def test_something_newer() -> None:
    """A confirmed uplink that is repeated no more is given up before the newer one begins."""
    stage = Stage(device=KEEPER, confirmed_percent=100)
    for payload in (b"old", b"new"):
        stage.node.uplink(stage.up(payload), NOW)
    stage.air.advance(NOW + 5 * NS_PER_S)
    assert [up.data for up in stage.given_up] == [b"old"]
    assert {frame.read_data(up.phy_payload, SESSION.keys, 0).payload for up in stage.ups()} == {b"old", b"new"}


def test_an_uplink_ends_once() -> None:
    """Windows that close without another uplink, as those of a join do, say nothing more of the last one."""
    stage = Stage(device=KEEPER)
    stage.send(stage.up())
    stage.air.advance(NOW + 10 * NS_PER_S)
    stage.node.closed(NOW + 11 * NS_PER_S)
    assert len(stage.given_up) == 1


@pytest.mark.parametrize(("model", "factor"), [(EXACT, 9), (FORGETFUL, 12)])
def test_a_question_takes_its_byte(model: str, factor: int) -> None:
    """51 bytes fill the slowest rate; with LinkCheckReq beside them they need a faster one."""
    stage = Stage(device=device(model))
    stage.end.settings = replace(stage.end.settings, data_rate=0)
    stage.send(stage.up(b"x" * 51), factor)
    stage.air.advance(NOW + 5 * NS_PER_S)
    assert {up.tx_info.modulation.lora.spreading_factor for up in stage.ups()} == {factor}


def test_an_answer_among_many_commands() -> None:
    """LinkCheckAns on port 0, with more commands than options hold, is an answer; what was queued comes behind it."""
    plan = Plan(seed=SEED, start_ns=START_NS, devices=2, models=(EXACT,))
    devices = registered(plan=plan)
    for each in devices:
        each.queue.append(Down(10, b"queued", f_opts=bytes.fromhex("0606" + "0355ff0001" + "0708d2ad8450")))
    air = Air(NetworkServer(devices))
    came: list[tuple[int | None, bytes]] = []
    simulation = LorawanSimulation(
        CITY,
        plan,
        AirPlan(),
        air,
        clock=air.clock,
        nonces=Random(1),
        on_downlink=lambda _, data: came.append((data.f_port, data.payload)),
    )
    for _ in simulation.run(START_NS + 3600 * NS_PER_S, Event()):
        pass
    assert [port for port, _ in came].count(0) == 2
    assert came.count((10, b"queued")) == 2
    assert not any(each.remembers for each in simulation.devices)


class Said(NamedTuple):
    """What a sensor of a device said, and when by the real clock; ms. A status has no place in a record."""

    time_ms: float
    measurement: Measurement
    has_place: bool


class Outage:
    """A city of a few devices whose gateways are down for an hour, and a network server that remembers."""

    def __init__(self, plan: AirPlan, *, until_s: int = DARK_S[1], rate: int | None = None) -> None:
        self.models = tuple(model for model in NEAR_MS if rate is None or model != AGED)
        span = {"from": f"{DARK_S[0]}s", "until": f"{until_s}s", "gateways": GATEWAYS}
        spans = [span] if until_s > DARK_S[0] else []
        scenario = Scenario.model_validate({"title": "x", "gateway_outage": spans})
        played = Plan(seed=SEED, start_ns=START_NS, models=(*self.models, FORGETFUL), devices=12, scenario=scenario)
        self.server = NetworkServer(registered(plan=played))
        air = Air(self.server)
        self.simulation = LorawanSimulation(CITY, played, plan, air, clock=air.clock, nonces=Random(1))
        for node in self.simulation._nodes.values() if rate is not None else ():
            node.end_device.settings = replace(node.end_device.settings, data_rate=rate or 0)
            node.tune()
        self.speed = plan.speed
        self.said: dict[str, list[Said]] = defaultdict(list)
        self.history: dict[str, list[int]] = defaultdict(list)
        send, begin = Device._send, LorawanSimulation._begin

        def noted(of: Device, made: Frame, time_ns: int) -> Up | None:
            data = of.codec.encode(made.f_port, made.readings) if made.data is None else made.data
            (found, *_) = of.codec.decode(made.f_port, data, 0, figures_of(of.codec, of.identity.tags))
            port = of.codec.history_port(made.f_port)
            has_place = port is not None and bool(of.codec.kept(port, found.readings))
            self.said[of.identity.dev_eui].append(Said(self.wall_ms(time_ns), found, has_place))
            return send(of, made, time_ns)

        def begun(simulation: LorawanSimulation, of: Device, up: Up, flight: Flight | None) -> None:
            self.history[of.identity.dev_eui] += up.history
            begin(simulation, of, up, flight)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Device, "_send", noted)
            patch.setattr(LorawanSimulation, "_begin", begun)
            for _ in self.simulation.run(START_NS + SPAN_S * NS_PER_S, Event()):
                pass
        self.counts = self.simulation.as_dict()

    def wall_ms(self, city_ns: int) -> float:
        """The real clock's time."""
        return (WALL_NS + (city_ns - START_NS) / self.speed) / 1e6

    def is_dark(self, time_ms: float, edge_s: float = 0) -> bool:
        """Whether gateways were down then; with an edge, well within that time."""
        city_s = (time_ms - WALL_NS / 1e6) / 1000 * self.speed
        return DARK_S[0] + edge_s <= city_s < DARK_S[1] - edge_s

    def told(self, of: Device) -> Iterator[tuple[float, Measurement]]:
        """What the device's uplinks said of earlier times, and when they came; ms."""
        for packet in self.server.events:
            if packet.topic.endswith(f"{of.identity.dev_eui}/event/up"):
                event = json.loads(packet.payload)
                came_ms = round(datetime.fromisoformat(event["time"]).timestamp() * 1000)
                data = next(
                    each.payload
                    for each in self.server.devices[of.identity.dev_eui].received
                    if each.f_cnt == event["fCnt"]
                )
                found = of.codec.decode(event["fPort"], data, came_ms, figures_of(of.codec, of.identity.tags))
                yield from ((came_ms, each) for each in found if each.time_ms != came_ms)


@pytest.fixture(scope="module", params=["usual", "fast", "confirmed", "slow-rate"])
def dark(request: pytest.FixtureRequest) -> Outage:
    """At the city's pace, four times as fast, with acknowledgements, and at the slowest data rate."""
    plans = {"fast": AirPlan(speed=4), "confirmed": AirPlan(confirmed_percent=100)}
    return Outage(plans.get(request.param, AirPlan()), rate=0 if request.param == "slow-rate" else None)


def keepers(played: Outage) -> list[Device]:
    """The devices that can tell later."""
    return [each for each in played.simulation.devices if each.codec.id in played.models]


def test_an_outage_is_told_afterwards(dark: Outage) -> None:
    """What was measured while nobody heard comes behind it, each with its time and its values; from all who can."""
    assert len(keepers(dark)) >= 8
    for of in keepers(dark):
        said = dark.said[of.identity.dev_eui]
        missing = {each.time_ms for each in said if each.has_place and dark.is_dark(each.time_ms, REPEATED_S)}
        assert len(missing) >= 4
        for came_ms, each in dark.told(of):
            assert not dark.is_dark(came_ms)
            meant = min(said, key=lambda one, at=each.time_ms: abs(one.time_ms - at))  # type: ignore[misc]
            assert abs(meant.time_ms - each.time_ms) <= NEAR_MS[of.codec.id]
            values = {(reading.quantity, reading.channel): reading.value for reading in meant.measurement.readings}
            for quantity, value, channel in each.readings:
                assert value == pytest.approx(values[quantity, channel], rel=0.02, abs=0.51)
            missing.discard(meant.time_ms)
        assert not missing
        assert not of.remembers


def test_nothing_is_told_twice(dark: Outage) -> None:
    """No reading is in two frames that reached somebody, unless the answer to the first did not come back."""
    times = [round(each.time_ms) for of in keepers(dark) for _, each in dark.told(of)]
    sent = [time_ms for found in dark.history.values() for time_ms in found]
    assert len(sent) >= len(times) >= 4 * len(keepers(dark))
    for of in keepers(dark):
        told = [each.time_ms // 1000 for _, each in dark.told(of)]
        assert len(told) - len(set(told)) <= 0.1 * len(told)


def test_frames_are_counted_and_fit(dark: Outage) -> None:
    """`history` are frames of earlier readings; each fits its rate together with its options, and asks, too."""
    frames = dark.counts["history"]
    assert isinstance(frames, int)
    assert frames >= len(keepers(dark))
    for of in keepers(dark):
        received = dark.server.devices[of.identity.dev_eui].received
        assert all(data.confirmed != asks_for_link(data) for data in received)
        assert max(len(data.payload) + len(data.f_opts) for data in received) <= LONGEST_PAYLOADS[-1]
    for of in dark.simulation.devices:
        if of.codec.id == FORGETFUL:
            assert not any(asks_for_link(data) for data in dark.server.devices[of.identity.dev_eui].received)
            assert not list(dark.told(of))


def test_each_frame_waits_for_the_one_before(dark: Outage) -> None:
    """A frame of earlier readings comes not sooner than its pause after anything that was answered."""
    for of in keepers(dark):
        told = sorted({came_ms for came_ms, _ in dark.told(of)})
        pause_ms = HISTORY_PAUSE_NS[0] / 1e6 / dark.speed
        assert all(after - before >= pause_ms for before, after in pairwise(told))


def test_frames_leave_room_for_options() -> None:
    """At the slowest rate, with 15 bytes of answers to carry, they are as much shorter and go out at that rate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EndDevice, "options_size", lambda _, link_check: 14 + link_check)
        slow = Outage(AirPlan(), until_s=DARK_S[0] + 5400, rate=0)
    told = [json.loads(packet.payload) for packet in slow.server.events if packet.topic.endswith("/up")]
    assert len(told) > 100
    assert {event["dr"] for event in told} == {0}
    received = [data for of in keepers(slow) for data in slow.server.devices[of.identity.dev_eui].received]
    assert max(len(data.payload) for data in received) in range(30, 51 - 15 + 1)


def test_without_an_outage_little_is_told() -> None:
    """Only what drowned or faded comes later: less than a tenth of all readings."""
    clear = Outage(AirPlan(), until_s=0)
    said = sum(len(clear.said[of.identity.dev_eui]) for of in keepers(clear))
    told = sum(1 for of in keepers(clear) for _ in clear.told(of))
    assert told < 0.1 * said
