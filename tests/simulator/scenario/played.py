"""A shipped scenario, played without a broker: what was true, and what sensors said."""

import importlib.resources
import json
from collections import defaultdict
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from decoders import catalog
from decoders.error import DecodeError
from ingest.chirpstack import EventError, UplinkEvent, parse, topic_parser
from rules.city import City
from simulator.device import NS_PER_MS, NS_PER_S
from simulator.faults import Message, Outcome
from simulator.play import Plan, Simulation
from simulator.scenario.file import load
from simulator.scenario.model import ORDINARY
from simulator.truth import Row

TOPIC = topic_parser("application/{application_id}/device/{dev_eui}/event/{event}")
TEXT = (importlib.resources.files("deploy") / "city" / "hamm.geojson").read_text(encoding="utf-8")
CITY = City.parse(TEXT)
HOUR_NS = 3600 * NS_PER_S

Values = list[tuple[float, float]]


class Said(NamedTuple):
    """An uplink that a service gets: hours of the message and of the measurement, and what it is."""

    hours: float
    measured: float
    asset: str
    message: Message
    event: UplinkEvent


class Played(NamedTuple):
    """Truth by asset and quantity, and uplinks that can be read; hours since the start."""

    simulation: Simulation
    messages: list[Message]
    truth: dict[tuple[str, str], Values]
    said: list[Said]

    def readings(self, asset: str, quantity: str, channel: str | None = None) -> Values:
        """What the sensors of an asset said of a quantity, by hours of measurement."""
        found = []
        for each in self.said:
            if each.asset != asset or each.message.outcome is not Outcome.UNIQUE:
                continue
            codec = catalog.codec(each.event.device_info.tags["codec"])
            try:
                measurements = codec.decode(each.event.f_port, each.event.data, each.event.time_ms)
            except DecodeError:
                continue
            found += [
                (each.measured + (measurement.time_ms - each.event.time_ms) * NS_PER_MS / HOUR_NS, reading.value)
                for measurement in measurements
                for reading in measurement.readings
                if reading.quantity.field == quantity and channel in (None, reading.channel)
            ]
        return sorted(found) if any(one[0] > other[0] for one, other in pairwise(found)) else found

    def outcomes(self, asset: str, begin: float, end: float) -> set[Outcome]:
        """What became of the uplinks of an asset."""
        return {each.message.outcome for each in self.said if each.asset == asset and begin <= each.hours < end}


def within(values: Values, begin: float, end: float) -> list[float]:
    """The values of some hours."""
    return [value for hours, value in values if begin <= hours < end]


def steps(values: list[float]) -> list[float]:
    """From each value to the next."""
    return [other - one for one, other in pairwise(values)]


def part_of_the_city(kinds: tuple[str, ...]) -> City:
    """The example city with devices of assets of these kinds only."""
    parsed = json.loads(TEXT)
    for each in parsed["features"]:
        if each["properties"]["kind"] not in kinds:
            each["properties"].pop("devices", None)
    return City.parse(json.dumps(parsed))


@cache
def play(name: str, hours: float, *kinds: str, ordinary: bool = False) -> Played:
    """A scenario for so many hours from its own start, with assets of some kinds; `ordinary`: without it."""
    scenario = load(name).scenario
    assert scenario.begin is not None
    start_ns = int(scenario.begin.timestamp()) * NS_PER_S
    rows: list[Row] = []
    plan = Plan(seed=7, start_ns=start_ns, scenario=ORDINARY if ordinary else scenario)
    simulation = Simulation(part_of_the_city(kinds) if kinds else CITY, plan, rows.append)
    messages = list(simulation.messages(start_ns + int(hours * HOUR_NS)))
    truth: dict[tuple[str, str], Values] = defaultdict(list)
    for row in rows:
        truth[row.asset, row.quantity].append(((row.time_ns - start_ns) / HOUR_NS, row.value))
    said = [found for message in messages if (found := _said(message, start_ns)) is not None]
    return Played(simulation, messages, truth, said)


def _said(message: Message, start_ns: int) -> Said | None:
    try:
        event = parse(TOPIC(message.topic).event, message.payload)
    except EventError:
        return None
    if not isinstance(event, UplinkEvent):
        return None
    hours = (message.time_ns - start_ns) / HOUR_NS
    measured = (event.time_ms * 1_000_000 - start_ns) / HOUR_NS
    return Said(hours, measured, event.device_info.tags.get("asset", ""), message, event)
