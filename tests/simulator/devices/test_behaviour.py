"""Devices of a whole city: they join, report with each change and at intervals, answer for their status."""

import importlib.resources
from collections import defaultdict
from itertools import pairwise
from typing import NamedTuple

import pytest

from decoders import catalog
from decoders.quantity import Quantity
from ingest.chirpstack import JoinEvent, StatusEvent, UplinkEvent, parse, topic_parser
from rules.city import City
from simulator.device import NS_PER_S, STATUS_INTERVAL_S
from simulator.play import Plan, Simulation

START_NS = 1_795_000_000 * NS_PER_S
CITY = City.parse((importlib.resources.files("deploy") / "city" / "hamm.geojson").read_text(encoding="utf-8"))
TOPIC = topic_parser("application/{application_id}/device/{dev_eui}/event/{event}")
HOURS = 50
SENSOR = "bosch/tps110"
STATUS_PORT, HEARTBEAT_PORT = 1, 2


class Lived(NamedTuple):
    """Two days of a city: its simulation, and by DevEUI what came in order with its hour."""

    simulation: Simulation
    joins: dict[str, list[tuple[float, JoinEvent]]]
    statuses: dict[str, list[tuple[float, StatusEvent]]]
    uplinks: dict[str, list[tuple[float, UplinkEvent]]]


@pytest.fixture(scope="module")
def lived() -> Lived:
    """The example city from a Wednesday noon on."""
    found = Lived(
        Simulation(CITY, Plan(seed=4, start_ns=START_NS)), defaultdict(list), defaultdict(list), defaultdict(list)
    )
    for message in found.simulation.messages(START_NS + HOURS * 3600 * NS_PER_S):
        where, hours = TOPIC(message.topic), (message.time_ns - START_NS) / 3.6e12
        event = parse(where.event, message.payload)
        dev_eui = message.topic.split("/")[3]
        if isinstance(event, JoinEvent):
            found.joins[dev_eui].append((hours, event))
        elif isinstance(event, StatusEvent):
            found.statuses[dev_eui].append((hours, event))
        elif isinstance(event, UplinkEvent):
            found.uplinks[dev_eui].append((hours, event))
    return found


def test_each_device_joins_once_and_before_it_speaks(lived: Lived) -> None:
    """One join event a device, with the address of all its uplinks, earlier than the first of them."""
    assert set(lived.joins) == {device.identity.dev_eui for device in lived.simulation.devices}
    assert len(lived.uplinks) > 130
    for dev_eui, uplinks in lived.uplinks.items():
        ((hours, join),) = lived.joins[dev_eui]
        assert hours <= uplinks[0][0]
        assert {event.dev_addr for _, event in uplinks} == {join.dev_addr}
        assert uplinks[0][1].f_cnt < 20


def test_status_comes_once_a_day_and_drains(lived: Lived) -> None:
    """Most devices answer twice in two days, a day or more apart, with a plausible margin; no level ever rises."""
    daily = [found for found in lived.statuses.values() if len(found) > 1]
    assert len(daily) > 0.9 * len(lived.simulation.devices)
    gaps: list[float] = []
    for found in daily:
        for (before_h, before), (after_h, after) in pairwise(found):
            gaps.append(after_h - before_h)
            assert before.battery_level is not None
            assert after.battery_level is not None
            assert 0 < after.battery_level <= before.battery_level
            assert -32 <= before.margin <= 31
    assert min(gaps) > STATUS_INTERVAL_S / 3600 - 0.01
    assert sum(gap < 26 for gap in gaps) > 0.9 * len(gaps)
    assert any(found[0][1].battery_level != found[-1][1].battery_level for found in daily)


def test_parking_sensors_tell_changes_and_live(lived: Lived) -> None:
    """A sensor's status frames alternate between free and occupied, and heartbeats in between agree with the last."""
    codec = catalog.codec(SENSOR)
    sensors = [each.identity.dev_eui for each in lived.simulation.devices if each.codec.id == SENSOR]
    changes = same = 0
    for dev_eui in sensors:
        last: tuple[int, float] | None = None
        for _, event in lived.uplinks[dev_eui]:
            (found,) = codec.decode(event.f_port, event.data, 0)
            occupied = next(value for quantity, value, _ in found.readings if quantity is Quantity.OCCUPIED)
            if last is not None and event.f_cnt == last[0] + 1:
                assert (occupied != last[1]) is (event.f_port == STATUS_PORT)
                changes += event.f_port == STATUS_PORT
                same += event.f_port == HEARTBEAT_PORT
            last = event.f_cnt, occupied
    assert len(sensors) > 10
    assert changes > 5 * len(sensors)
    assert same > 20 * len(sensors)


def test_heartbeats_keep_their_interval(lived: Lived) -> None:
    """Heartbeats come at the interval, whatever happens in between: each device once in it, to a few seconds."""
    sensors = [each for each in lived.simulation.devices if each.codec.id == SENSOR]
    gaps = [
        (after - before) * 3600 / sensor.interval_s
        for sensor in sensors
        for before, after in pairwise(
            hours for hours, event in lived.uplinks[sensor.identity.dev_eui] if event.f_port == HEARTBEAT_PORT
        )
    ]
    assert len(gaps) > 20 * len(sensors)
    assert sum(abs(gap - 1) < 0.02 for gap in gaps) > 0.9 * len(gaps)
