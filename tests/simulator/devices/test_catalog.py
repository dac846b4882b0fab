"""What holds for devices of every model: counters wrap at their width, batteries drain where they are told."""

import importlib.resources
from itertools import pairwise
from random import Random

import pytest

from decoders import catalog
from decoders.catalog import CODECS
from decoders.codec import CodecField
from decoders.quantity import Quantity
from rules.city import City
from simulator.devices.forms import forms
from simulator.devices.generic import GenericSensor, Now, _source
from simulator.devices.quantities import IN_SECONDS, MOST, counted
from simulator.models import SENSORS
from simulator.sensor import Surroundings
from simulator.world import Calendar

CITY = City.parse((importlib.resources.files("deploy") / "city" / "hamm.geojson").read_text(encoding="utf-8"))
CALENDAR = Calendar("Europe/Berlin")
START_MS = 1_795_000_000_000
NOW = CALENDAR.at(START_MS)
BATTERY = (Quantity.BATTERY_LEVEL, Quantity.BATTERY_VOLTAGE)
# Their battery goes in frames of its own, which the example city's models do not send.
IN_OTHER_FRAMES = {"nwave/ncc405", "seeed/sensecap-s2120", "tektelic/agro"}
COUNTERS = [
    pytest.param(item, id=f"{model.id}-{form.f_port}-{item.quantity.field}.{item.channel}")
    for model in CODECS
    if model.fields()
    for form in forms(model.id)
    for item in form.fields
    if counted(item.quantity)
]
TOLD = [
    pytest.param(model.id, number, id=f"{model.id}-{number}")
    for model in CODECS
    if model.fields()
    for number, form in enumerate(forms(model.id))
    if any(item.quantity in BATTERY for item in form.fields)
]


@pytest.mark.parametrize("item", COUNTERS)
def test_every_counter_wraps_at_its_width(item: CodecField) -> None:
    """A running total grows up to its greatest value, begins again one step behind it, and never leaves its range."""
    high, low = min(item.high, MOST), max(0.0, item.low)
    period = high - low + item.step
    source = _source(item, Random(5))
    span_s = period / 7 if item.quantity in IN_SECONDS else period / 7 / 20 * 3600
    values = [source(Now(NOW, span_s, 1.0)) for _ in range(60)]
    assert low <= min(values)
    assert max(values) <= high
    drops = [(before, after) for before, after in pairwise(values) if after < before]
    assert len(drops) >= 3
    if item.quantity in IN_SECONDS:
        for before, after in pairwise(values):
            step = after - before
            assert (step if step > 0 else step + period) == pytest.approx(span_s, rel=1e-6, abs=1 + item.step)


def test_a_wrap_loses_nothing() -> None:
    """One more than the greatest value is the least one."""
    item = next(field for field in catalog.codec("nwave/ncc405").fields() if counted(field.quantity))
    counter = _source(item, Random(1))
    ones = [counter(Now(NOW, 1e-6, 1.0)) for _ in range(2 * 65_536)]
    assert set(ones) == set(map(float, range(65_536)))
    assert all((after - before) % 65_536 == 1 for before, after in pairwise(ones))


@pytest.mark.parametrize(("model", "number"), TOLD)
def test_every_battery_drains_where_it_is_told(model: str, number: int) -> None:
    """The model's own battery quantity falls with the charge, and never rises."""
    form = forms(model)[number]
    fields = [item for item in form.fields if item.quantity in BATTERY]
    charges = [1 - share / 20 for share in range(21)]
    for item in fields:
        source = _source(item, Random(1))
        values = [source(Now(NOW, 600, charge)) for charge in charges]
        assert values == sorted(values, reverse=True), item
        assert values[0] - values[-1] >= item.step, item


@pytest.mark.parametrize("model", SENSORS)
def test_the_citys_own_models_drain_too(model: str) -> None:
    """What the example city's models say of their battery falls with the charge."""
    asset = next(asset for asset in CITY.assets.values() if any(model == each.model for each in asset.devices))
    sensor = SENSORS[model](Surroundings(Random(1), NOW), asset)
    found: dict[tuple[Quantity, str], list[float]] = {}
    for number, charge in enumerate((1.0, 0.5, 0.0)):
        frame = sensor.report(CALENDAR.at(START_MS + number * 600_000), 600, charge)
        for quantity, value, channel in frame.readings:
            if quantity in BATTERY:
                found.setdefault((quantity, channel), []).append(value)
    tellers = {item.quantity for item in catalog.codec(model).fields() if item.quantity in BATTERY}
    assert found or not tellers or model in IN_OTHER_FRAMES
    for values in found.values():
        assert values[0] > values[1] > values[2]


def test_a_generic_sensor_tells_its_charge() -> None:
    """Through payloads, too: the level that is decoded is the charge."""
    sensor = GenericSensor("milesight/em310-udl", Random(1))
    for charge in (1.0, 0.42, 0.07):
        frame = sensor.report(NOW, 600, charge)
        assert frame.data is not None
        (found,) = catalog.codec("milesight/em310-udl").decode(frame.f_port, frame.data, 0)
        levels = [reading.value for reading in found.readings if reading.quantity is Quantity.BATTERY_LEVEL]
        assert levels == [pytest.approx(100 * charge, abs=0.51)]
