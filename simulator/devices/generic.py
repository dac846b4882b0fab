"""A sensor of any model of the catalog: values that wander, switch, count up and wrap, as their quantities do."""

import math
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from typing_extensions import override

from decoders import catalog
from decoders.codec import CodecField
from decoders.error import EncodeError
from decoders.measurement import Reading
from decoders.quantity import Quantity
from simulator.devices.forms import figures, forms
from simulator.devices.quantities import EMPTY_V, FULL_V, IN_SECONDS, MOST, counted, span, switched
from simulator.error import SimulatorError
from simulator.sensor import Frame, Regular
from simulator.world import MS_PER_S, Moment

OTHER_FORM = 0.1
SWITCHES = 0.15
KEEPS = 0.9
PER_HOUR = 20.0
ATTEMPTS = 20
MINUTES_A_DAY = 1440
EVEN_LOW, DIGITS = 1e6, 4
HIGHEST_DRIFT = 40e-6
"""Of a crystal without temperature compensation."""


class Now(NamedTuple):
    """What a value depends on: the moment, the time since the last report, the battery's share 0..1."""

    moment: Moment
    span_s: float
    battery: float


Source = Callable[[Now], float]


class GenericSensor(Regular):
    """One model of the catalog. Its regular frame is the one that says most; now and then it sends another one."""

    __slots__ = ("_codec", "_figures", "_forms", "_rng", "_sources")

    def __init__(self, model: str, rng: Random) -> None:
        self._codec = catalog.codec(model)
        self._figures = figures(self._codec)
        self._forms = forms(model)
        self._rng = rng
        self._sources: dict[tuple[Quantity, str, float, float], Source] = {}

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        rng, found = self._rng, self._forms
        form = rng.choice(found) if rng.random() < OTHER_FORM else found[0]
        state = Now(now, span_s, battery)
        for _ in range(ATTEMPTS):
            readings = tuple(self._reading(item, state) for item in form.fields)
            try:
                data = self._codec.encode(form.f_port, readings, self._figures)
            except EncodeError:  # a format may have a value that means "no reading"; the next one will do
                continue
            return Frame(form.f_port, readings, data)
        raise SimulatorError(f"{self._codec.id}: no frame on f_port {form.f_port} in {ATTEMPTS} attempts")

    def _reading(self, item: CodecField, now: Now) -> Reading:
        key = (item.quantity, item.channel, item.low, item.high)
        source = self._sources.get(key)
        if source is None:
            source = self._sources[key] = _source(item, self._rng)
        return Reading(item.quantity, _carried(source(now), item), item.channel)


def _carried(value: float, item: CodecField) -> float:
    """The nearest value that the format has, where its steps are even and short decimals; it encodes twice as fast."""
    low, step = item.low, item.step
    if abs(low) > EVEN_LOW or round(step, DIGITS) != step:
        return value
    return min(item.high, round(low + round((value - low) / step) * step, DIGITS))


def _source(item: CodecField, rng: Random) -> Source:
    """Where the values of a field come from."""
    low, high = span(item)
    quantity = item.quantity
    if quantity is Quantity.BATTERY_LEVEL:
        return lambda now: low + now.battery * (high - low)
    if quantity is Quantity.BATTERY_VOLTAGE:
        return lambda now: min(high, max(low, EMPTY_V + now.battery * (FULL_V - EMPTY_V)))
    if quantity is Quantity.DEVICE_CLOCK:
        return _Clock(rng, low, high)
    if counted(quantity):
        return _Counter(rng, max(0.0, item.low), min(item.high, MOST), in_seconds=quantity in IN_SECONDS)
    if switched(item):
        return _Switch(rng)
    return _Wander(rng, low, high)


class _Wander:
    """A value that strays from its mean and comes back, within its range."""

    __slots__ = ("_high", "_low", "_mean", "_off", "_rng", "_sigma")

    def __init__(self, rng: Random, low: float, high: float) -> None:
        self._rng, self._low, self._high = rng, low, high
        self._mean = low + (high - low) * rng.uniform(0.3, 0.7)
        self._sigma = (high - low) / 12
        self._off = rng.gauss(0, self._sigma)

    def __call__(self, _now: Now) -> float:
        self._off = self._off * KEEPS + self._rng.gauss(0, self._sigma) * math.sqrt(1 - KEEPS * KEEPS)
        return min(self._high, max(self._low, self._mean + self._off))


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
    """A number that grows, from anywhere in its range, and begins again behind its greatest value."""

    __slots__ = ("_high", "_in_seconds", "_low", "_rng", "_value")

    def __init__(self, rng: Random, low: float, high: float, *, in_seconds: bool) -> None:
        self._rng, self._low, self._high, self._in_seconds = rng, low, high, in_seconds
        self._value = math.floor(rng.uniform(low, high))

    def __call__(self, now: Now) -> float:
        more = now.span_s if self._in_seconds else self._rng.expovariate(1 / PER_HOUR) * now.span_s / 3600
        self._value += math.ceil(more)
        if self._value > self._high:
            self._value = math.floor(self._low + math.fmod(self._value - self._high, self._high - self._low + 1))
        return max(self._low, float(self._value))


class _Clock:
    """Minutes of the day by a clock that nobody sets: it goes wrong by up to 3.5 s a day."""

    __slots__ = ("_drift", "_high", "_low", "_since_ms")

    def __init__(self, rng: Random, low: float, high: float) -> None:
        self._drift = rng.uniform(-HIGHEST_DRIFT, HIGHEST_DRIFT)
        self._low, self._high = low, high
        self._since_ms: int | None = None

    def __call__(self, now: Now) -> float:
        self._since_ms = now.moment.ms if self._since_ms is None else self._since_ms
        ahead_s = (now.moment.ms - self._since_ms) / MS_PER_S * self._drift
        minute = int(now.moment.hour * 60 + ahead_s / 60) % MINUTES_A_DAY
        return min(self._high, max(self._low, float(minute)))
