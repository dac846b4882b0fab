"""Any model of the catalog as a device: what it says can be read, changes, and stays within what it can say."""

import importlib.resources
from itertools import pairwise
from random import Random

import pytest

from decoders import catalog
from decoders.catalog import CODECS
from decoders.codec import CodecField
from decoders.quantity import Quantity
from ingest.chirpstack import UplinkEvent, parse, topic_parser
from ingest.devices import tag_parameters
from rules.city import City
from simulator.device import NS_PER_S, Device
from simulator.devices.fleet import models
from simulator.devices.forms import LONGEST, forms
from simulator.devices.generic import GenericSensor, Now
from simulator.error import SimulatorError
from simulator.play import Plan, Simulation
from simulator.sensor import Frame
from simulator.world import Calendar

START_NS = 1_795_000_000 * NS_PER_S
CITY = City.parse((importlib.resources.files("deploy") / "city" / "hamm.geojson").read_text(encoding="utf-8"))
TOPIC = topic_parser("application/{application_id}/device/{dev_eui}/event/{event}")
CALENDAR = Calendar("Europe/Berlin")


def _fields(frame: Frame, model: str) -> tuple[CodecField, ...]:
    """The fields that a frame has filled: all of a form, but for a duration that the format has no word for."""
    wanted = {(reading.quantity, reading.channel) for reading in frame.readings}
    return next(
        tuple(item for item in form.fields if (item.quantity, item.channel) in wanted)
        for form in forms(model)
        if form.f_port == frame.f_port
        and {(item.quantity, item.channel) for item in form.fields} - wanted <= {(Quantity.STATE_DURATION, "")}
        and wanted <= {(item.quantity, item.channel) for item in form.fields}
    )


def test_every_codec_round_trips_through_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events of every codec decode, with the parameters of their tags, to what the sensor said, to half a step."""
    said: dict[tuple[str, int, int], Frame] = {}
    made = GenericSensor._frame

    def remember(self: GenericSensor, number: int, state: Now) -> Frame:
        frame = made(self, number, state)
        assert frame.data is not None
        said[self._model.codec.id, frame.f_port, hash(frame.data)] = frame
        return frame

    monkeypatch.setattr(GenericSensor, "_frame", remember)
    simulation = Simulation(CITY, Plan(seed=5, start_ns=START_NS, devices=3 * len(CODECS), models=models("all")))
    seen = set()
    for message in simulation.messages(START_NS + 3600 * NS_PER_S):
        event = parse(TOPIC(message.topic).event, message.payload)
        if isinstance(event, UplinkEvent):
            model = event.device_info.tags["codec"]
            seen.add(model)
            figures = tag_parameters(event.device_info.tags)
            measurement = catalog.codec(model).decode(event.f_port, event.data, 0, figures)[0]
            if measurement.time_ms:  # readings of earlier times, with times of their own
                continue
            frame = said[model, event.f_port, hash(event.data)]
            found = {(reading.quantity, reading.channel): reading.value for reading in measurement.readings}
            steps = {(item.quantity, item.channel): item.step for item in _fields(frame, model)}
            assert found.keys() == steps.keys(), model
            for quantity, value, channel in frame.readings:
                step = steps[quantity, channel]
                tolerance = step * (0.5 if step < 5 else 1) + abs(value) * 1e-6
                assert abs(found[quantity, channel] - value) <= tolerance, (model, quantity, channel)
    assert seen == {codec.id for codec in CODECS if codec.fields()}


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.id)
def test_values_change_within_range(codec: object) -> None:
    """Of each model the values change from report to report, and the payload fits into an uplink."""
    model = str(getattr(codec, "id", ""))
    sensor = GenericSensor(model, Random(2))
    sent = [sensor.report(CALENDAR.at(1_795_000_000_000 + 600_000 * n), 600, 1 - n / 60) for n in range(60)]
    assert len({frame.data for frame in sent}) > 1
    assert all(frame.data is not None and len(frame.data) <= LONGEST for frame in sent)


def _series(model: str, quantity: Quantity, hours: int, span_s: float) -> list[float]:
    sensor = GenericSensor(model, Random(3))
    return [
        reading.value
        for n in range(hours)
        for reading in sensor.report(CALENDAR.at(1_795_000_000_000 + int(n * span_s * 1000)), span_s, 0.9).readings
        if reading.quantity is quantity
    ]


def test_counters_wrap() -> None:
    """A running total grows, and begins again near nought once it is through its range, and only then."""
    totals = _series("nwave/ncc405", Quantity.VEHICLE_COUNT_TOTAL, 400, 86_400)
    drops = [(before, after) for before, after in pairwise(totals) if after < before]
    assert drops
    assert all(before > 55_000 and after < 10_000 for before, after in drops)
    assert max(totals) <= 65_535


def test_battery_drains() -> None:
    """What a device says of its battery follows its charge."""
    sensor = GenericSensor("milesight/em310-udl", Random(1))
    now = CALENDAR.at(1_795_000_000_000)
    levels = [
        reading.value
        for charge in (1.0, 0.5, 0.1)
        for reading in sensor.report(now, 600, charge).readings
        if reading.quantity is Quantity.BATTERY_LEVEL
    ]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] == 100
    assert levels[-1] == pytest.approx(10, abs=1)


def test_one_of_each_or_as_many_as_wanted() -> None:
    """Without a number one device of each model, with one the models in turn; all in the reserved range, no asset's."""
    chosen = models("bosch/tps110, elsys/generic")
    one = Simulation(CITY, Plan(seed=1, start_ns=START_NS, models=chosen)).devices
    five = Simulation(CITY, Plan(seed=1, start_ns=START_NS, models=chosen, devices=5)).devices
    assert [device.codec.id for device in one] == list(chosen)
    assert [_short(device) for device in five] == ["tps110", "generic", "tps110", "generic", "tps110"]
    assert len({device.identity.dev_eui for device in five}) == 5
    assert not any("asset" in device.identity.tags for device in five)


def _short(device: Device) -> str:
    return device.codec.id.partition("/")[2]


@pytest.mark.parametrize(("text", "named"), [("bosch/tps11", "did you mean 'bosch/tps110'"), (" , ", "expected all")])
def test_unknown_models(text: str, named: str) -> None:
    """A codec that nobody knows, or none at all, is an error that says what was meant."""
    with pytest.raises(SimulatorError, match=named):
        models(text)
