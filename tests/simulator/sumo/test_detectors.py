"""Vehicles of SUMO become uplinks of real devices: the same numbers, by real codecs, over a radio that loses some."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from decoders import catalog
from decoders.quantity import Quantity
from ingest.chirpstack import UplinkEvent, parse, topic_parser
from rules.city import City
from simulator.error import SimulatorError
from simulator.faults import Message, Outcome
from simulator.sumo.arterial import Passage
from simulator.sumo.detectors import Detectors

NS_PER_S = 1_000_000_000
START_NS = 1_795_000_000 * NS_PER_S
TOPIC = topic_parser("application/{application_id}/device/{dev_eui}/event/{event}")
NEAR, FAR = [7.824, 51.674], [7.94, 51.674]
INTERVAL_S = 60


def _city(model: str, at: Sequence[float] = NEAR, devices: int = 1, **properties: object) -> City:
    """A detector with devices of that model, 300 m from the only gateway, or 8 km."""
    owned = [
        {"dev_eui": f"025354464b{number:06x}", "model": model, "interval_s": INTERVAL_S} for number in range(devices)
    ]
    features = [
        _feature("gate", [7.82, 51.674], kind="gateway", gateway_id="0016c001f1000001"),
        _feature("count", at, kind="detector", devices=owned, **properties),
    ]
    return City.parse(json.dumps({"type": "FeatureCollection", "features": features}))


def _feature(id_: str, at: Sequence[float], **properties: object) -> dict[str, Any]:
    return {"type": "Feature", "id": id_, "geometry": {"type": "Point", "coordinates": [*at]}, "properties": properties}


def _play(city: City, seconds: int = 1200, *, seed: int = 1, every_s: int = 2) -> list[Message]:
    """A car at 15 m/s each two seconds, and what comes of it."""
    return _played(Detectors(city, seed, START_NS), seconds, every_s)


def _played(detectors: Detectors, seconds: int, every_s: int = 2) -> list[Message]:
    messages: list[Message] = []
    for second in range(1, seconds + 1):
        if second % every_s == 0:
            detectors.passed([Passage("count", 1, "car", 15.0), Passage("elsewhere", 1, "car", 1.0)])
        messages += detectors.messages(START_NS + second * NS_PER_S)
    return messages


def _readings(messages: list[Message], model: str) -> list[dict[tuple[Quantity, str], float]]:
    """The readings of each uplink, decoded as the service decodes them."""
    found = []
    for message in messages:
        event = parse(TOPIC(message.topic).event, message.payload)
        if isinstance(event, UplinkEvent):
            (measurement,) = catalog.codec(model).decode(event.f_port, event.data, 0)
            found.append({(reading.quantity, reading.channel): reading.value for reading in measurement.readings})
    return found


@pytest.mark.parametrize(("channel", "other"), [("ltr", "rtl"), ("rtl", "ltr")])
def test_radar_counts_its_interval(channel: str, other: str) -> None:
    """The radar's frames tell the vehicles of each interval and their speed in km/h, in the direction of its asset."""
    readings = _readings(_play(_city("pmx/tcr", channel=channel)), "pmx/tcr")
    assert len(readings) >= 18
    for each in readings[2:]:
        assert each[Quantity.VEHICLE_COUNT, channel] == pytest.approx(INTERVAL_S / 2, abs=1)
        assert each[Quantity.VEHICLE_SPEED, channel] == 54
        assert each[Quantity.VEHICLE_COUNT, other] == 0
        assert (Quantity.VEHICLE_SPEED, other) not in each
    assert sum(each[Quantity.VEHICLE_COUNT, channel] for each in readings) == pytest.approx(600, abs=INTERVAL_S)


def test_cumulative_counter_loses_nothing() -> None:
    """A running total grows by what passed between two frames."""
    readings = _readings(_play(_city("nwave/ncc405", counts="in")), "nwave/ncc405")
    totals = [each[Quantity.VEHICLE_COUNT_TOTAL, ""] for each in readings]
    assert (totals[-1] - totals[2]) % 65_536 == pytest.approx((len(totals) - 3) * INTERVAL_S / 2, abs=2)


def test_people_counter() -> None:
    """Who walks past a people counter is counted, in whole, whatever the weather of the simulated world."""
    readings = _readings(_play(_city("parametric/pcr2")), "parametric/pcr2")
    assert readings[5][Quantity.PEOPLE_COUNT, "ltr"] == pytest.approx(INTERVAL_S / 2, abs=1)


def test_each_device_of_a_detector_counts() -> None:
    """Two devices at one detector both count every vehicle."""
    readings = _readings(_play(_city("pmx/tcr", channel="ltr", devices=2)), "pmx/tcr")
    assert sum(each[Quantity.VEHICLE_COUNT, "ltr"] for each in readings) == pytest.approx(2 * 600, abs=2 * INTERVAL_S)


def test_nobody_passes() -> None:
    """An empty road is reported as empty."""
    readings = _readings(_play(_city("pmx/tcr", channel="ltr"), every_s=10_000), "pmx/tcr")
    assert {each[Quantity.VEHICLE_COUNT, "ltr"] for each in readings} == {0}


def test_deterministic() -> None:
    """The same seed and traffic give the same bytes, another seed sends at other times."""
    city = _city("pmx/tcr", channel="ltr")
    assert _play(city, 600) == _play(city, 600)
    assert _play(city, 600) != _play(city, 600, seed=2)


def test_radio_loses() -> None:
    """At the edge of the gateway's reach some frames are lost, and the losses are counted."""
    detectors = Detectors(_city("pmx/tcr", FAR, devices=20, channel="ltr"), 1, START_NS)
    uplinks = [message for message in _played(detectors, 1200) if message.outcome is Outcome.UNIQUE]
    assert 100 < len(uplinks) < 20 * 18
    assert detectors.report.lost > 20


def test_what_is_published_is_counted() -> None:
    """The report has each message that came out."""
    detectors = Detectors(_city("pmx/tcr", channel="ltr"), 1, START_NS)
    messages = _played(detectors, 600)
    uplinks = [message for message in messages if message.outcome is Outcome.UNIQUE]
    assert detectors.report.published == len(uplinks) >= 8
    assert detectors.report.as_dict()["joins"] == 1


def test_messages_are_ordered_and_on_time() -> None:
    """What is published by a second lies before its end, in the order of time."""
    detectors = Detectors(_city("pmx/tcr", devices=3), 1, START_NS)
    before_ns = START_NS
    for second in range(1, 300):
        end_ns = START_NS + second * NS_PER_S
        times = [message.time_ns for message in detectors.messages(end_ns)]
        assert times == sorted(times)
        assert all(before_ns <= time_ns < end_ns for time_ns in times)
        before_ns = end_ns - NS_PER_S


def test_a_device_that_counts_nothing() -> None:
    """A city whose device measures something else than passing traffic is refused with its name."""
    with pytest.raises(SimulatorError, match=r"'count'.*bosch/tps110.*pmx/tcr"):
        Detectors(_city("bosch/tps110"), 1, START_NS)
