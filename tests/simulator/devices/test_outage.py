"""A city whose gateways or broker were away: what is repeated, what is told afterwards, and what the report says."""

import importlib.resources
from collections import defaultdict
from itertools import pairwise

import pytest

from decoders import catalog
from ingest.chirpstack import LogEvent, UplinkEvent, parse, topic_parser, uplink
from ingest.devices import tag_parameters
from rules.city import City
from simulator.device import NS_PER_S, Device
from simulator.devices.downlinks import Downlinks
from simulator.devices.memory import keeps
from simulator.faults import Message
from simulator.play import Plan, Simulation
from simulator.scenario.model import BrokerOutage, GatewayOutage, Scenario

START_NS = 1_795_000_000 * NS_PER_S
HOUR_NS = 3600 * NS_PER_S
CITY = City.parse((importlib.resources.files("deploy") / "city" / "hamm.geojson").read_text(encoding="utf-8"))
GATEWAYS = tuple(asset.id for asset in CITY.assets.values() if asset.kind == "gateway")
TOPIC = topic_parser("application/{application_id}/device/{dev_eui}/event/{event}")
NO_GATEWAY = Scenario.model_validate(
    {"title": "no gateway", "gateway_outage": [{"from": "2h", "until": "4h", "gateways": GATEWAYS}]}
)
NO_BROKER = Scenario.model_validate({"title": "no broker", "broker_outage": [{"from": "2h", "until": "3h"}]})


def _played(scenario: Scenario, hours: float, models: tuple[str, ...] = ()) -> tuple[Simulation, list[Message]]:
    plan = Plan(seed=3, start_ns=START_NS, scenario=scenario, models=models)
    simulation = Simulation(CITY, plan, downlinks=Downlinks())
    messages = list(simulation.messages(START_NS + int(hours * HOUR_NS)))
    for message in messages:
        simulation.report.count(message)
    return simulation, messages


def _hours(time_ms: int) -> float:
    return (time_ms * 1_000_000 - START_NS) / HOUR_NS


def _uplinks(messages: list[Message]) -> list[UplinkEvent]:
    events = [parse(TOPIC(message.topic).event, message.payload) for message in messages]
    return [event for event in events if isinstance(event, UplinkEvent)]


def _logs(messages: list[Message]) -> list[LogEvent]:
    events = [parse("log", message.payload) for message in messages if message.topic.endswith("/log")]
    return [event for event in events if isinstance(event, LogEvent)]


@pytest.fixture(scope="module")
def dark() -> tuple[Simulation, list[Message]]:
    """The city in which no gateway hears from the third to the fourth hour."""
    assert isinstance(NO_GATEWAY.gateway_outage[0], GatewayOutage)
    return _played(NO_GATEWAY, 7)


def test_who_can_tells_of_the_outage(dark: tuple[Simulation, list[Message]]) -> None:
    """Readings of the dark hours arrive after them, from all devices whose format has earlier times and no others."""
    simulation, messages = dark
    told: dict[str, list[float]] = defaultdict(list)
    for event in _uplinks(messages):
        info, measured_ms = event.device_info, uplink(event).ns_time_ms
        assert not 2.001 < _hours(measured_ms) < 3.999
        found = catalog.codec(info.tags["codec"]).decode(event.f_port, event.data, measured_ms)
        times = [_hours(each.time_ms) for each in found]
        told[info.dev_eui] += [time for time in times if 2.05 < time < 3.95]
    keepers = {each.identity.dev_eui: each for each in simulation.devices if keeps(each.codec.id)}
    assert len(keepers) >= 4
    for dev_eui, device in keepers.items():
        assert len(told[dev_eui]) >= 0.8 * 1.9 * 3600 / device.interval_s, device.codec.id
    assert not any(times for dev_eui, times in told.items() if dev_eui not in keepers)
    assert simulation.report.history >= len(keepers)


def test_each_reading_is_told_once(dark: tuple[Simulation, list[Message]]) -> None:
    """No second of a device has two measurements, unless the answer to its first telling was lost."""
    simulation, messages = dark
    seen: dict[str, list[int]] = defaultdict(list)
    for event in _uplinks(messages):
        info, measured_ms = event.device_info, uplink(event).ns_time_ms
        codec = catalog.codec(info.tags["codec"])
        for each in codec.decode(event.f_port, event.data, measured_ms, tag_parameters(info.tags)):
            if each.time_ms != measured_ms:
                seen[info.dev_eui].append(each.time_ms // 1000)
    repeated = sum(len(times) - len(set(times)) for times in seen.values())
    assert repeated < 0.1 * sum(map(len, seen.values()))
    assert simulation.report.repeated > simulation.report.unanswered > 0


def test_counters_only_grow(dark: tuple[Simulation, list[Message]]) -> None:
    """Repeats never come in between: no counter arrives twice as an uplink, and none goes back."""
    counters = defaultdict(list)
    for event in sorted(_uplinks(dark[1]), key=lambda event: uplink(event).ns_time_ms):
        counters[event.device_info.dev_eui].append(event.f_cnt)
    assert all(before < after for found in counters.values() for before, after in pairwise(found))


def test_a_tenth_confirms(dark: tuple[Simulation, list[Message]]) -> None:
    """The events of confirming devices say so, all of them, and no others."""
    simulation, messages = dark
    confirming = {each.identity.dev_eui for each in simulation.devices if each.confirmed}
    assert 0.03 < len(confirming) / len(simulation.devices) < 0.2
    for event in _uplinks(messages):
        assert event.confirmed is (event.device_info.dev_eui in confirming)


def test_the_report_counts_it(dark: tuple[Simulation, list[Message]]) -> None:
    """The report's figures are those of the messages, and published is still the sum of what becomes of them."""
    simulation, messages = dark
    told = simulation.report.as_dict()
    assert told["answers"] == len(_logs(messages))
    assert told["published"] == told["unique"] == len(_uplinks(messages))
    assert (told["repeated"], told["history"], told["unanswered"]) == (
        simulation.report.repeated,
        simulation.report.history,
        simulation.report.unanswered,
    )


def test_no_answer_goes_out_while_the_broker_is_away() -> None:
    """Confirmed uplinks are repeated all through a broker outage, and readings are told once more after it."""
    assert isinstance(NO_BROKER.broker_outage[0], BrokerOutage)
    without, _ = _played(Scenario(title="ordinary"), 4)
    simulation, messages = _played(NO_BROKER, 4)
    confirming = sum(device.confirmed for device in simulation.devices)
    assert simulation.report.repeated > without.report.repeated + 5 * confirming
    assert simulation.report.history > without.report.history
    logs = _logs(messages)
    assert len(logs) > 5
    assert {log.code for log in logs} == {"UPLINK_F_CNT_RETRANSMISSION"}
    assert {log.device_info.dev_eui for log in logs} <= {
        device.identity.dev_eui for device in simulation.devices if device.confirmed
    }
    times = [_hours(message.time_ns // 1_000_000) for message in messages]
    assert not [hours for hours in times if 2.0 < hours < 2.99]


def test_intervals_scatter() -> None:
    """Reports of one device are a second or so off their interval, to both sides, and not in step with others."""
    simulation, _ = _played(Scenario(title="ordinary"), 0.01, ("milesight/em310-udl",))
    (device,) = simulation.devices
    made: list[int] = []
    report = Device.report

    def remember(self: Device, time_ns: int) -> object:
        made.append(time_ns)
        return report(self, time_ns)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Device, "report", remember)
        for _ in simulation.messages(START_NS + 100 * HOUR_NS):
            pass
    gaps = [(after - before) / NS_PER_S - device.interval_s for before, after in pairwise(made[2:])]
    assert len(gaps) > 500
    assert -1.1 < min(gaps) < -0.9
    assert 0.9 < max(gaps) < 1.1
