"""The same seed gives the same bytes, in any run on Linux x86-64: checked against digests in `digests.json`."""

import json
import platform
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from simulator.chirpstack import Encoding
from simulator.device import NS_PER_S
from simulator.devices.fleet import ALL, models
from simulator.play import Plan, Simulation
from simulator.scenario.file import load
from simulator.truth import Row
from tests.simulator.scenario.played import CITY

DIGESTS = Path(__file__).with_name("digests.json")
START_NS = 1_795_000_000 * NS_PER_S
HOUR_NS = 3600 * NS_PER_S
HERE = (sys.platform, platform.machine())


def _plans(encoding: Encoding) -> Iterator[tuple[Plan, int]]:
    """A city with faults, copies and all kinds of scenario, and the whole catalog; and how many hours of it."""
    for name in ("incident", "gateway-outage", "bad-day-for-sensors"):
        scenario = load(name).scenario
        yield Plan(seed=11, start_ns=START_NS, devices=160, encoding=encoding, faults=True, scenario=scenario), 3
    yield Plan(seed=11, start_ns=START_NS, encoding=encoding, models=models(ALL)), 1


def _digest(encoding: Encoding) -> str:
    found = sha256()

    def told(row: Row) -> None:
        found.update(repr(row).encode())

    for plan, hours in _plans(encoding):
        for message in Simulation(CITY, plan, told).messages(START_NS + hours * HOUR_NS):
            found.update(f"{message.time_ns} {message.topic} {message.outcome} ".encode() + message.payload)
    return found.hexdigest()


@pytest.mark.skipif(HERE != ("linux", "x86_64"), reason="elsewhere the last digit of a logarithm may be another one")
@pytest.mark.parametrize("encoding", ["json", "protobuf"])
def test_the_committed_digest(encoding: Encoding) -> None:
    """Messages and truth have the committed digest. A change that is meant puts the new one into the file."""
    known = json.loads(DIGESTS.read_text(encoding="utf-8"))[encoding]
    found = _digest(encoding)
    assert found == known, f"the bytes of a seed have changed: {encoding} is {found} now, {DIGESTS.name} has {known}"
