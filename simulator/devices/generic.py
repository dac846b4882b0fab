"""A sensor of any model of the catalog: values that wander, switch, count up and wrap, as their quantities do."""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from random import Random
from typing import NamedTuple

from typing_extensions import override

from decoders import catalog
from decoders.codec import Codec, CodecField
from decoders.error import EncodeError
from decoders.field import new_tuple
from decoders.measurement import Reading
from decoders.quantity import Quantity
from simulator.devices.forms import Form, figures, forms
from simulator.devices.grid import Grid, grid
from simulator.devices.orders import Setting
from simulator.devices.quantities import IN_SECONDS, MOST, counted, span, switched, voltages
from simulator.error import SimulatorError
from simulator.sensor import Frame, Regular
from simulator.world import Moment

OTHER_FORM = 0.1
SWITCHES = 0.15
KEEPS = 0.9
STEP_WIDTH = math.sqrt(12 * (1 - KEEPS * KEEPS))
"""Of evenly spread steps that keep a standard deviation of 1: one of width 1 has a variance of 1/12."""
PER_HOUR = 20.0
ATTEMPTS = 20
EVERY = "broadcast"
MOST_SETTINGS = 64
MINUTES_A_DAY = 1440


class Now(NamedTuple):
    """What a value depends on: the moment, the time since the last report, the battery's share 0..1."""

    moment: Moment
    span_s: float
    battery: float


Source = Callable[[Now], float]
Key = tuple[Quantity, str, float, float]
"""Quantity, channel and range: what forms have in common where these are the same."""


class Wire(NamedTuple):
    """A field of a form as all devices of a model have it; `carried` is what the format makes of a value."""

    quantity: Quantity
    carried: Grid
    channel: str
    key: Key
    item: CodecField


def wire(item: CodecField) -> Wire:
    """A field as devices have it."""
    key = (*item[:2], item.low, item.high)
    return Wire(item.quantity, grid(item.low, item.high, item.step), item.channel, key, item)


class Model(NamedTuple):
    """What all devices of a model have in common. The first `regular` of its forms are those of regular reports."""

    codec: Codec
    figures: Mapping[str, float]
    forms: tuple[Form, ...]
    wires: tuple[tuple[Wire, ...], ...]
    regular: int


@lru_cache(512)
def model_of(codec_id: str) -> Model:
    """A model that reports all of its forms."""
    codec, found = catalog.codec(codec_id), forms(codec_id)
    return Model(codec, figures(codec), found, tuple(tuple(map(wire, form.fields)) for form in found), len(found))


class GenericSensor(Regular):
    """One model of the catalog. Its regular frame is the one that says most; now and then it sends another one."""

    __slots__ = ("_drawn", "_model", "_rng", "_settings", "_sources")

    def __init__(self, model: str, rng: Random) -> None:
        self._model = model_of(model)
        self._rng = rng
        self._sources: dict[Key, Source] = {}
        self._drawn: dict[int, tuple[Source, ...]] = {}
        self._settings: tuple[Setting, ...] = ()

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        rng = self._rng
        number = int(rng.random() * self._model.regular) if rng.random() < OTHER_FORM else 0
        return self._frame(number, Now(now, span_s, battery))

    def _frame(self, number: int, state: Now) -> Frame:
        """A frame of one of the model's forms."""
        model = self._model
        form, sources = model.forms[number], self._drawn.get(number) or self._draw(number)
        fields = model.wires[number]
        for _ in range(ATTEMPTS):
            readings = tuple(
                [
                    new_tuple(Reading, (quantity, carried(source(state)), channel))
                    for (quantity, carried, channel, _, _), source in zip(fields, sources, strict=True)
                ]
            )
            readings = self._told(form, readings, state)
            try:
                data = form.codec.encode(form.f_port, readings, model.figures, form.words)
            except EncodeError:  # a format may have a value that means "no reading"; the next one will do
                continue
            return Frame(form.f_port, readings, data)
        raise SimulatorError(f"{model.codec.id}: no frame on f_port {form.f_port} in {ATTEMPTS} attempts")

    def obey(self, settings: tuple[Setting, ...]) -> None:
        """From now on reports say so; of two settings of one thing the later one holds, while it does."""
        self._settings = (*self._settings, *settings)[-MOST_SETTINGS:]

    def _told(self, form: Form, readings: tuple[Reading, ...], state: Now) -> tuple[Reading, ...]:
        """What the frame says in place of what was measured."""
        return self._as_set(form, readings, state.moment.ms) if self._settings else readings

    def _as_set(self, form: Form, readings: tuple[Reading, ...], time_ms: int) -> tuple[Reading, ...]:
        """Readings of what was set say what it was set to, and what was set is told where the frame has a place."""
        self._settings = tuple(each for each in self._settings if each.until_ms is None or time_ms < each.until_ms)
        found = {(reading.quantity, reading.channel): reading for reading in readings}
        told = {quantity for quantity, _ in found}
        places = self._model.codec.fields()
        known = {(item.quantity, item.channel) for item in places if item.f_port == form.f_port}
        for each in self._settings:
            if each.quantity in told and each.holds(time_ms):
                mine = [key for key in found if key[0] is each.quantity] if each.channel == EVERY else []
                for key in (*mine, (each.quantity, each.channel)):
                    if key in known:
                        found[key] = Reading(key[0], each.value, key[1])
        return tuple(found.values())

    def _draw(self, number: int) -> tuple[Source, ...]:
        """Where the values of a form come from, each the first time that it is sent."""
        known = self._sources
        for each in self._model.wires[number]:
            if each.key not in known:
                known[each.key] = self._source(each.item)
        drawn = self._drawn[number] = tuple(known[each.key] for each in self._model.wires[number])
        return drawn

    def _source(self, item: CodecField) -> Source:
        """Where the values of a field come from."""
        return _source(item, self._rng)


def _source(item: CodecField, rng: Random) -> Source:
    """Where the values of a field come from."""
    low, high = span(item)
    quantity = item.quantity
    if quantity is Quantity.BATTERY_LEVEL:
        return lambda now: low + now.battery * (high - low)
    if quantity is Quantity.BATTERY_VOLTAGE:
        empty, full = voltages(low, high)
        return lambda now: empty + now.battery * (full - empty)
    if quantity is Quantity.DEVICE_CLOCK:
        return _minute
    if counted(quantity):
        high = min(item.high, MOST)
        return _Counter(rng, max(0.0, item.low), high, item.step, in_seconds=quantity in IN_SECONDS)
    if switched(item):
        return _Switch(rng)
    return _Wander(rng, low, high)


class _Wander:
    """A value that strays from its mean and comes back, within its range."""

    __slots__ = ("_high", "_low", "_mean", "_off", "_random", "_step")

    def __init__(self, rng: Random, low: float, high: float) -> None:
        self._random, self._low, self._high = rng.random, low, high
        self._mean = low + (high - low) * rng.uniform(0.3, 0.7)
        sigma = (high - low) / 12
        self._step = sigma * STEP_WIDTH
        self._off = rng.gauss(0, sigma)

    def __call__(self, _now: Now) -> float:
        self._off = off = self._off * KEEPS + (self._random() - 0.5) * self._step
        value = self._mean + off
        return value if self._low <= value <= self._high else min(self._high, max(self._low, value))


class _Switch:
    """Yes or no."""

    __slots__ = ("_on", "_rng")

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._on = rng.random() < SWITCHES

    def __call__(self, _now: Now) -> float:
        self._on ^= self._rng.random() < SWITCHES
        return float(self._on)


class _Counter:
    """A number that grows, from anywhere in its range, and begins again one step behind its greatest value."""

    __slots__ = ("_high", "_in_seconds", "_low", "_period", "_rng", "_value")

    def __init__(self, rng: Random, low: float, high: float, step: float, *, in_seconds: bool) -> None:
        self._rng, self._low, self._high, self._in_seconds = rng, low, high, in_seconds
        self._period = high - low + step
        self._value = float(math.floor(rng.uniform(low, high)))

    def __call__(self, now: Now) -> float:
        more = now.span_s if self._in_seconds else self._rng.expovariate(1 / PER_HOUR) * now.span_s / 3600
        self._value += math.ceil(more)
        if self._value > self._high:
            self._value = self._low + math.fmod(self._value - self._low, self._period)
        return min(self._high, max(self._low, self._value))


def _minute(now: Now) -> float:
    """The minute of the day; the device, whose clock it is, says what that shows."""
    return float(int(now.moment.hour * 60) % MINUTES_A_DAY)
