"""Sensors of parking spaces, each model of the catalog that has any: changes, heartbeats, and what is true of them."""

import importlib.resources
from collections import defaultdict
from itertools import pairwise
from random import Random
from typing import NamedTuple

import pytest

from decoders import catalog
from decoders.catalog import CODECS
from decoders.codec import Codec
from decoders.field import Field
from decoders.quantity import Family, Quantity
from decoders.tlv import ChannelTlv
from rules.city import Asset, City
from simulator.device import NS_PER_MS, NS_PER_S
from simulator.devices.forms import forms
from simulator.devices.generic import GenericSensor
from simulator.devices.orders import Setting
from simulator.devices.spaces import TALLIES, WAYS, SpaceSensor, sensor_of
from simulator.models import SENSORS
from simulator.parking import IN_GROUND_DB, nwave_min
from simulator.play import Plan, Simulation
from simulator.sensor import Frame, Surroundings
from simulator.truth import OCCUPIED_SPACES, Row
from simulator.world import Calendar, Moment

OCCUPIED = Quantity.OCCUPIED
START_MS = 1_795_000_000_000
START_NS, HOUR_NS = START_MS * NS_PER_MS, 3600 * NS_PER_S
CALENDAR = Calendar("Europe/Berlin")
TEXT = (importlib.resources.files("deploy") / "city" / "hamm.geojson").read_text(encoding="utf-8")
CITY_MODEL, NPS405 = '"model": "bosch/tps110"', '"model": "nwave/nps405"'
LOT = Asset("lot-1", "lot", "Lot", {}, (), 7.82, 51.68)
MODELS = [codec.id for codec in CODECS if any(item.quantity is OCCUPIED for item in codec.fields())]
GENERIC = [model for model in MODELS if model not in SENSORS]
MARKS = {
    "bosch/tps110": ((1, 0, 0), (2, 0, 0)),
    "dingtek/do201": ((3, 0, 0), (3, 0, 0)),
    "libelium/smart-parking": ((3, 0x0F, 0), (3, 0x0F, 1)),
    "nwave/nps310sm": ((1, 0, 0), (2, 0, 0)),
    "nwave/nps405": ((1, 0, 0), (2, 0, 0)),
    "pni/placepod": ((2, 0, 0), (2, 0, 0)),
    "tekzitel/tekzipark": ((1, 1, 0), (1, 1, 1)),
}
"""Of a change and of a heartbeat: the port, and which bits of the first byte say so."""


class Here:
    """One sensor on a lot, in time."""

    def __init__(self, model: str, asset: Asset = LOT, seed: int = 1) -> None:
        self.ms = START_MS
        self.around = Surroundings(Random(seed), self.now)
        self.sensor = sensor_of(model, self.around, asset)

    @property
    def now(self) -> Moment:
        """The time that it is."""
        return CALENDAR.at(self.ms)

    @property
    def taken(self) -> float:
        """What is true of the lot."""
        return next(fact.value(self.now) for fact in self.around.facts if fact.quantity == OCCUPIED_SPACES)

    def change(self) -> Frame:
        """The next car."""
        seconds = self.sensor.until_change_s(self.now)
        assert seconds is not None
        self.ms += max(1000, round(seconds * 1000))
        return self.sensor.change(self.now)

    def report(self, minutes: float = 10) -> Frame:
        """A regular report so much later."""
        self.ms += round(minutes * 60_000)
        return self.sensor.report(self.now, minutes * 60, 0.8)


def _values(model: str, frame: Frame) -> dict[tuple[Quantity, str], float]:
    """What is read from a frame."""
    assert frame.data is not None
    (found,) = catalog.codec(model).decode(frame.f_port, frame.data, 0)
    return {(quantity, channel): value for quantity, value, channel in found.readings}


def _marked(frame: Frame, mark: tuple[int, int, int]) -> bool:
    f_port, mask, bits = mark
    assert frame.data is not None
    return frame.f_port == f_port and frame.data[0] & mask == bits


def test_no_model_is_left_out() -> None:
    """Each model that says of a space that it is taken looks at one, and no other does.

    Of those with several forms that say so it is known what each is for.
    """
    looking = [
        codec.id
        for codec in CODECS
        if codec.fields() and isinstance(sensor_of(codec.id, Surroundings(Random(1), _noon()), LOT), SpaceSensor)
    ]
    assert looking == MODELS
    assert len(GENERIC) > 4
    several = {model for model in MODELS if sum(form.carries(OCCUPIED) for form in forms(model)) > 1}
    assert several == WAYS.keys()
    assert set(MODELS) == MARKS.keys()


def _noon() -> Moment:
    return CALENDAR.at(START_MS)


@pytest.mark.parametrize("model", MODELS)
def test_a_change_is_told_at_once(model: str) -> None:
    """Each car is a frame of the model's own kind; it decodes to the new state, which is what truth and gate say."""
    here = Here(model)
    assert here.sensor.extra_loss_db == IN_GROUND_DB
    begun = before = here.taken
    gate = here.around.gate(LOT)
    for _ in range(40):
        frame = here.change()
        assert _marked(frame, MARKS[model][0])
        occupied = _values(model, frame)[OCCUPIED, ""]
        assert occupied == 1 - before == here.taken
        assert begun + gate.came - gate.left == here.taken
        before = occupied
    assert gate.came + gate.left == 40


@pytest.mark.parametrize("model", MODELS)
def test_reports_agree(model: str) -> None:
    """Most regular reports are the model's heartbeat, the others none of those that tell a change; all are true."""
    here = Here(model)
    change, heartbeat = MARKS[model]
    beats, carried = 0, 0
    for number in range(300):
        if number % 3 == 0:
            here.change()
        frame = here.report()
        beats += _marked(frame, heartbeat)
        assert change == heartbeat or not _marked(frame, change)
        occupied = _values(model, frame).get((OCCUPIED, ""))
        carried += occupied is not None
        assert occupied in {None, here.taken}
    assert beats > 260
    assert carried >= beats


class Course(NamedTuple):
    """What a sensor said at which times in ms: its space's state, regular reports, and how many cars."""

    states: list[tuple[int, float]]
    reports: list[int]
    cars: list[int]

    def at(self, ms: int) -> float:
        """The last state that was told."""
        return [occupied for told_ms, occupied in self.states if told_ms <= ms][-1]


@pytest.fixture
def courses(monkeypatch: pytest.MonkeyPatch) -> dict[int, Course]:
    """What each sensor of a space says from now on, by its identity."""
    found: dict[int, Course] = defaultdict(lambda: Course([], [], []))
    change, report = SpaceSensor.change, SpaceSensor.report

    def remember(self: SpaceSensor, now: Moment, frame: Frame) -> Frame:
        occupied = _values(self._model.codec.id, frame).get((OCCUPIED, ""))
        if occupied is not None:
            found[id(self)].states.append((now.ms, occupied))
        return frame

    def changed(self: SpaceSensor, now: Moment) -> Frame:
        found[id(self)].cars.append(now.ms)
        return remember(self, now, change(self, now))

    def reported(self: SpaceSensor, now: Moment, span_s: float, battery: float) -> Frame:
        found[id(self)].reports.append(now.ms)
        return remember(self, now, report(self, now, span_s, battery))

    monkeypatch.setattr(SpaceSensor, "change", changed)
    monkeypatch.setattr(SpaceSensor, "report", reported)
    return found


@pytest.mark.parametrize("model", GENERIC)
def test_lots_of_a_city(model: str, courses: dict[int, Course]) -> None:
    """In lots of a city file the truth is what the sensors' frames say, and the gate has each car, at any time.

    Heartbeats keep their interval whatever happens in between. Copies elsewhere change nothing of it.
    """
    city = City.parse(TEXT.replace(CITY_MODEL, f'"model": "{model}"').replace(NPS405, f'"model": "{model}"'))
    rows: list[Row] = []
    simulation = Simulation(city, Plan(seed=2, start_ns=START_NS, devices=300), rows.append)
    for _ in simulation.messages(START_NS + 4 * HOUR_NS):
        pass
    lots: dict[str, list[Course]] = defaultdict(list)
    for device in simulation.devices:
        if isinstance(device.sensor, SpaceSensor):
            course = courses[id(device.sensor)]
            lots[device.identity.tags.get("asset", "")].append(course)
            gaps = [(after - before) / 1000 for before, after in pairwise(course.reports[1:])]
            assert gaps
            assert all(abs(gap - device.interval_s) < 3 for gap in gaps)
    assert any(course.cars for course in lots.pop(""))
    assert len(lots) > 2
    for lot, there in lots.items():
        begun_ms = max(course.states[0][0] for course in there)
        told = [(row.time_ns // NS_PER_MS, row.value) for row in rows if row[1:3] == (lot, OCCUPIED_SPACES)]
        assert sum(ms > begun_ms for ms, _ in told) > 30
        assert all(value == sum(course.at(ms) for course in there) for ms, value in told if ms > begun_ms)
        gate = simulation._builder._around.gates[lot]
        assert gate.came + gate.left == sum(len(course.cars) for course in there) > 2


@pytest.mark.parametrize("model", MODELS)
def test_scattered_ones_stand_on_no_lot(model: str, courses: dict[int, Course]) -> None:
    """Wherever they are put, each has a space of its own: cars come and go, and no truth or gate knows."""
    rows: list[Row] = []
    plan = Plan(seed=3, start_ns=START_NS, devices=30, models=(model,))
    simulation = Simulation(City.parse(TEXT), plan, rows.append)
    for _ in simulation.messages(START_NS + 8 * HOUR_NS):
        pass
    assert len(courses) == 30
    assert sum(len(course.cars) for course in courses.values()) > 40
    assert rows
    assert not any(row.quantity == OCCUPIED_SPACES for row in rows)
    assert simulation._builder._around.gates == {}


def test_a_space_that_is_no_lots() -> None:
    """On a station of the city file a sensor has a space of its own, and the station no cars."""
    model = "tekzitel/tekzipark"
    city = City.parse(TEXT.replace('"model": "elsys/generic"', f'"model": "{model}"'))
    simulation = Simulation(city, Plan(seed=1, start_ns=START_NS))
    assert any(device.codec.id == model and "asset" in device.identity.tags for device in simulation.devices)
    cars = {fact.asset for fact in simulation._builder.facts if fact.quantity == OCCUPIED_SPACES}
    assert cars
    assert {city.assets[asset].kind for asset in cars} == {"lot"}


def test_how_long_the_state_before_lasted() -> None:
    """As Nwave's format says it, rounded down; and nothing beyond eleven hours."""
    here, model = Here("nwave/nps405"), "nwave/nps405"
    here.change()
    since_ms, told = here.ms, []
    for _ in range(400):
        lasted = _values(model, here.change()).get((Quantity.STATE_DURATION, ""))
        minutes = (here.ms - since_ms) // 60_000
        assert lasted == nwave_min(minutes)
        assert lasted is None or minutes - lasted < 60
        told.append(lasted)
        since_ms = here.ms
    assert None in told
    assert any(lasted is not None and lasted % 5 for lasted in told)
    registered = [frame for frame in (here.report() for _ in range(600)) if frame.f_port == 10]
    assert registered
    assert all(_values(model, frame).get((Quantity.STATE_DURATION, "")) == told[-1] for frame in registered)


@pytest.mark.parametrize("quantity", TALLIES, ids=lambda quantity: quantity.field)
def test_totals_count_what_passes(quantity: Quantity) -> None:
    """Running totals of cars, changes and occupied time grow by what is true, and wrap."""
    model = "pni/placepod" if quantity is Quantity.VEHICLE_COUNT_TOTAL else "bosch/tps110"
    here, true = Here(model), dict.fromkeys(TALLIES, 0.0)
    period = 1 + max(item.high for item in catalog.codec(model).fields() if item.quantity is quantity)
    ahead: list[float] = []
    for _ in range(2500):
        occupied, since_ms = here.taken, here.ms
        here.change()
        true[Quantity.VEHICLE_COUNT_TOTAL] += not occupied
        true[Quantity.STATE_CHANGE_COUNT_TOTAL] += 1
        true[Quantity.OCCUPIED_TIME_TOTAL] += (here.ms - since_ms) / 1000 * occupied
        value = _values(model, here.report(0)).get((quantity, ""))
        if value is not None:
            ahead.append((value - true[quantity]) % period)
    assert len(ahead) > 8
    assert all(min((each - ahead[0]) % period, (ahead[0] - each) % period) <= 1 for each in ahead)


TWO = Codec(
    id="test/two-spaces",
    vendor="Test",
    model="Two spaces",
    family=Family.PARKING,
    source="this test",
    ports={
        1: ChannelTlv(
            ">",
            {
                0x0100: Field(OCCUPIED, "B", "left", values={0: 0, 1: 1}),
                0x0200: Field(OCCUPIED, "B", "right", values={0: 0, 1: 1}),
                0x0300: Field(Quantity.UPTIME, "I"),
            },
        )
    },
)


def test_two_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that looks at two spaces has two: each change is one of them, both are told, and time goes on once."""
    known = catalog.codec
    monkeypatch.setattr(catalog, "codec", lambda codec_id: TWO if codec_id == TWO.id else known(codec_id))
    here = Here(TWO.id)
    changed, uptime, before_ms = set(), None, here.ms
    places = ((OCCUPIED, "left"), (OCCUPIED, "right"))
    before = _values(TWO.id, here.report())
    uptime, before_ms = before[Quantity.UPTIME, ""], here.ms
    for number in range(60):
        found = _values(TWO.id, here.change() if number % 3 else here.report(1))
        differing = [place for place in places if found[place] != before[place]]
        assert len(differing) == (1 if number % 3 else 0)
        changed.update(differing)
        assert here.taken == sum(found[place] for place in places)
        assert 0 <= found[Quantity.UPTIME, ""] - uptime - (here.ms - before_ms) / 1000 <= 1
        before, uptime, before_ms = found, found[Quantity.UPTIME, ""], here.ms
    assert changed == set(places)


def test_asked_twice() -> None:
    """When the next car comes does not depend on how often that is asked."""
    here = Here("dingtek/do201")
    first = here.sensor.until_change_s(here.now)
    assert first is not None
    here.ms += 500
    assert here.sensor.until_change_s(here.now) == pytest.approx(first - 0.5)


def test_settings_hold_for_changes_too() -> None:
    """What a downlink has set is said in every frame, and what is true of the space stays true."""
    here, model = Here("tekzitel/tekzipark"), "tekzitel/tekzipark"
    here.sensor.obey((Setting(Quantity.DEVICE_TEMPERATURE, "", 33.0, START_MS),))
    for tell in (here.report, here.change, here.change, here.report):
        found = _values(model, tell())
        assert found[Quantity.DEVICE_TEMPERATURE, ""] == 33
        assert found[OCCUPIED, ""] == here.taken


def test_a_model_without_spaces_only_reports() -> None:
    """It never has anything to tell out of turn."""
    sensor = sensor_of("milesight/em310-udl", Surroundings(Random(1), _noon()), LOT)
    assert type(sensor) is GenericSensor
    assert sensor.until_change_s(_noon()) is None


def test_a_change_knows_the_battery() -> None:
    """A change says of the battery what the last report did."""
    here, model = Here("dingtek/do201"), "dingtek/do201"
    place = Quantity.BATTERY_VOLTAGE, ""
    for battery in (0.9, 0.3):
        reported = here.sensor.report(here.now, 600, battery)
        assert _values(model, here.change())[place] == _values(model, reported)[place]
