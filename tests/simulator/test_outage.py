"""A gateway that is down: one mechanism for all that goes over the air, up and down."""

import json
from collections.abc import Callable

import pytest

from ingest.chirpstack import JoinEvent, StatusEvent, TxAckEvent, UplinkEvent, parse
from rules.city import City
from simulator.device import NS_PER_MS, NS_PER_S
from simulator.devices.downlinks import Downlinks
from simulator.faults import Message
from simulator.outage import Outages
from simulator.play import Plan, Simulation
from simulator.scenario.model import Scenario
from simulator.scenario.script import Script
from tests.simulator.scenario.played import TEXT

START_NS = 1_795_000_000 * NS_PER_S
HOUR_NS = 3600 * NS_PER_S
MITTE = "025354464bff0001"


def _one_gateway() -> City:
    """The example city with the gateway on the town hall alone."""
    parsed = json.loads(TEXT)
    kept = [each for each in parsed["features"] if each["properties"]["kind"] != "gateway" or _is_mitte(each)]
    return City.parse(json.dumps({**parsed, "features": kept}))


def _is_mitte(feature: dict[str, object]) -> bool:
    return feature["id"] == "gateway-mitte"


CITY = _one_gateway()


def _scenario(*spans: tuple[str, str]) -> Scenario:
    outages = [{"from": begin, "until": end, "gateways": ["gateway-mitte"]} for begin, end in spans]
    return Scenario.model_validate({"title": "x", "gateway_outage": outages})


def _play(
    scenario: Scenario,
    hours: float,
    downlinks: Downlinks | None = None,
    devices: int | None = 30,
) -> tuple[Simulation, list[Message]]:
    plan = Plan(seed=2, start_ns=START_NS, devices=devices, scenario=scenario)
    simulation = Simulation(CITY, plan, downlinks=downlinks)
    messages = list(simulation.messages(START_NS + int(hours * HOUR_NS)))
    for message in messages:
        simulation.report.count(message)
    return simulation, messages


def _hours(messages: list[Message], kind: type) -> list[float]:
    """When events of a kind were published."""
    found = [(each.time_ns, parse(each.topic.rpartition("/")[2], each.payload)) for each in messages]
    return [(time_ns - START_NS) / HOUR_NS for time_ns, event in found if isinstance(event, kind)]


def test_when_a_gateway_listens() -> None:
    """Always but from the beginning of an outage to before its end; ids are those of the gateway, not of the file."""
    outages = Outages(Script(_scenario(("1h", "2h"), ("3h", "4h")), START_NS // NS_PER_MS), CITY)
    listens: Callable[[float], bool] = lambda hours: outages.listens(MITTE, START_NS + int(hours * HOUR_NS))  # noqa: E731
    assert [listens(hours) for hours in (0, 0.999, 1, 1.999, 2, 2.999, 3.5, 4)] == [1, 1, 0, 0, 1, 1, 0, 1]
    assert outages.listens("025354464bff0002", START_NS + HOUR_NS * 3 // 2)
    assert outages.listens("gateway-mitte", START_NS + HOUR_NS * 3 // 2)


def test_nobody_joins_through_a_gateway_that_is_down() -> None:
    """Devices ask until it is back; what they would have reported before is not there, and all have joined then."""
    simulation, messages = _play(_scenario(("0s", "1h")), 1.6)
    joins = _hours(messages, JoinEvent)
    assert len(joins) == len(simulation.devices) == 30
    assert min(joins) >= 1
    assert max(joins) < 1.4
    assert max(joins) > min(joins) + 0.02
    assert min(_hours(messages, UplinkEvent)) >= 1
    assert simulation.report.lost == sum(device.unsent for device in simulation.devices) == 0


def test_cars_come_and_go_where_no_device_has_joined() -> None:
    """The truth of a lot is that of its spaces, whoever hears their sensors."""
    taken: list[float] = []
    plan = Plan(seed=2, start_ns=START_NS, scenario=_scenario(("0s", "9d")))
    simulation = Simulation(CITY, plan, lambda row: taken.append(row.value) if row.asset == "lot-bahnhof" else None)
    assert list(simulation.messages(START_NS + 12 * HOUR_NS)) == []
    assert len(set(taken)) > 5


def test_who_is_not_heard_asks_again() -> None:
    """With one gateway some requests fade away: most devices join at once, nearly all within two hours."""
    simulation, messages = _play(_scenario(), 2, devices=None)
    joins = _hours(messages, JoinEvent)
    assert len(joins) > 0.95 * len(simulation.devices)
    assert 0.8 < sum(hours < 61 / 3600 for hours in joins) / len(joins) < 1


def test_nothing_is_heard_and_nobody_answers() -> None:
    """No uplink, no status, no downlink while the only gateway is down; what was sent counts as unheard, by ADR too."""
    downlinks = Downlinks(clock=lambda: START_NS)
    simulation, messages = _play(_scenario(("2h", "27h")), 2.01, downlinks)
    device = simulation.devices[0]
    topic = f"application/any/device/{device.identity.dev_eui}/command/down"
    downlinks.offer(
        topic, json.dumps({"id": "a", "devEui": device.identity.dev_eui, "fPort": 5, "data": "AQ=="}).encode()
    )
    before = simulation.report.lost
    missed = device.link._unheard
    messages += simulation.messages(START_NS + 28 * HOUR_NS)
    for kind in (UplinkEvent, StatusEvent, TxAckEvent):
        hours = _hours(messages, kind)
        assert not [each for each in hours if 2.001 < each < 27]
        assert [each for each in hours if each >= 27]
    assert simulation.report.lost > before + 30 * 24
    assert missed < 10
    assert device.link._unheard == 0
    asked = [each for each in _hours(messages, StatusEvent) if each >= 27]
    assert len(asked) > 20


def test_who_was_not_answered_repeats_and_tells_later() -> None:
    """Confirmed uplinks go out again while nobody hears them; what was measured then comes in later frames."""
    simulation, _ = _play(_scenario(("2h", "4h")), 2, devices=None)
    report = simulation.report
    before = report.repeated, report.unanswered
    list(simulation.messages(START_NS + 121 * HOUR_NS // 60))
    history = report.history
    list(simulation.messages(START_NS + 4 * HOUR_NS))
    assert report.history == history
    assert report.unanswered > before[1] + 5
    assert report.repeated > before[0] + 30
    list(simulation.messages(START_NS + 6 * HOUR_NS))
    assert report.history > history


@pytest.mark.parametrize(("broker", "answered"), [(False, True), (True, False)])
def test_a_broker_that_is_gone_carries_no_answers(broker: bool, answered: bool) -> None:
    """Gateways reach the network server by it, too: within its outage nobody is answered."""
    outage = [{"from": "1h", "until": "2h"}] if broker else []
    outages = Outages(
        Script(Scenario.model_validate({"title": "x", "broker_outage": outage}), START_NS // NS_PER_MS), CITY
    )
    found = [outages.answers(START_NS + int(hours * HOUR_NS)) for hours in (0.9, 1.5, 2)]
    assert found == [True, answered, True]


def test_an_unheard_device_sends_stronger() -> None:
    """ADR comes back to full power within an outage: nobody answers for the simulated network server."""
    simulation, _ = _play(_scenario(("2h", "200h")), 2)
    device = next(each for each in simulation.devices if each.interval_s <= 1800)
    device.link.power_steps = 4
    for _ in simulation.messages(START_NS + 60 * HOUR_NS):
        pass
    assert device.link.power_steps == 0
