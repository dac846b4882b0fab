"""Sensors of parking spaces, any model of the catalog: a frame with each car, and a heartbeat at the interval.

Which form says what: Bosch Parking Lot Sensor interface description and Nwave payload descriptions (status on port 1,
heartbeat on port 2), Libelium Smart Parking technical guide (info and keep-alive frames), Tekzitel's decoder (a bit
that says keep-alive). A model that is not listed says everything in its first form that tells of a space.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from random import Random
from typing import NamedTuple

from typing_extensions import override

from decoders import catalog
from decoders.choice import Choice
from decoders.codec import Codec, CodecField
from decoders.measurement import NO_ATTRIBUTES, Reading
from decoders.quantity import Quantity
from rules.city import Asset
from simulator.devices.forms import Form, forms
from simulator.devices.generic import GenericSensor, Model, Now, Source, model_of, wire
from simulator.devices.grid import grid
from simulator.devices.quantities import MOST
from simulator.parking import IN_GROUND_DB, MS_PER_S, Parked, nwave_min
from simulator.sensor import Frame, Surroundings
from simulator.world import Moment

OCCUPIED, LASTED = Quantity.OCCUPIED, Quantity.STATE_DURATION
Lasted = Callable[[int], float | None]
"""What a format makes of a number of minutes; None where it has no word for it."""


TALLIES: Mapping[Quantity, Callable[[Parked, Moment], float]] = {
    Quantity.VEHICLE_COUNT_TOTAL: lambda space, _: space.came,
    Quantity.STATE_CHANGE_COUNT_TOTAL: lambda space, _: space.came + space.left,
    Quantity.OCCUPIED_TIME_TOTAL: Parked.occupied_s,
}
"""What running totals count, since the simulation began."""


class Purpose(NamedTuple):
    """A form by its f_port and name, with the words that say what the frame is for."""

    f_port: int
    name: str = ""
    words: Mapping[str, str] = NO_ATTRIBUTES


class Ways(NamedTuple):
    """How a model tells that a car came or left, and how that it lives; `lasted` where durations are no even steps."""

    change: Purpose
    heartbeat: Purpose
    lasted: Lasted | None = None


WAYS: Mapping[str, Ways] = {
    "bosch/tps110": Ways(Purpose(1), Purpose(2, "state and temperature")),
    "libelium/smart-parking": Ways(Purpose(3, "info"), Purpose(3, "keep-alive")),
    "nwave/nps310sm": Ways(Purpose(1), Purpose(2)),
    "nwave/nps405": Ways(Purpose(1), Purpose(2, "heartbeat"), nwave_min),
    "tekzitel/tekzipark": Ways(Purpose(1), Purpose(1, words={"keep_alive": "yes"})),
}


class SpaceModel(NamedTuple):
    """A model that looks at spaces, one for each channel, and the number of the form that tells of each one's change.

    The first of its forms is the heartbeat.
    """

    model: Model
    change: Mapping[str, int]
    lasted: Lasted | None


@lru_cache(512)
def looks_at_spaces(codec_id: str) -> bool:
    """Whether a model says of a space that it is taken."""
    return any(form.carries(OCCUPIED) for form in forms(codec_id))


@lru_cache(512)
def space_model(codec_id: str) -> SpaceModel:
    """A model by what its forms are for."""
    codec, plain = catalog.codec(codec_id), model_of(codec_id)
    found = [form._replace(codec=_alone(codec, form)) for form in plain.forms]
    first = next(form for form in found if form.carries(OCCUPIED))
    ways = WAYS.get(codec_id) or Ways(Purpose(first.f_port, first.name), Purpose(first.f_port, first.name))
    change, heartbeat = _form(found, ways.change), _form(found, ways.heartbeat)
    named = {(form.f_port, form.name) for form in (heartbeat, change)}
    others = [form for form in found if (form.f_port, form.name) not in named]
    ordered = (heartbeat, *others, change)
    channels = dict.fromkeys(item.channel for form in ordered for item in form.fields if item.quantity is OCCUPIED)
    return SpaceModel(
        plain._replace(
            forms=ordered,
            wires=tuple(tuple(wire(item) for item in form.fields if item.quantity is not LASTED) for form in ordered),
            regular=len(ordered) - 1,
        ),
        {channel: _last(ordered, channel) for channel in channels},
        ways.lasted,
    )


def _alone(codec: Codec, form: Form) -> Codec:
    """The codec with none but this form on its f_port, so that no other one is built that says the same."""
    frame = codec.frame(form.f_port)
    only = frame.form(form.name) if isinstance(frame, Choice) else None
    return codec if only is None else replace(codec, ports={form.f_port: only}, any_port=None)


def _form(found: list[Form], purpose: Purpose) -> Form:
    form = next(each for each in found if (each.f_port, each.name) == (purpose.f_port, purpose.name))
    return form._replace(words=purpose.words)


def _last(ordered: tuple[Form, ...], channel: str) -> int:
    """The last form that tells of a channel's space."""
    return max(number for number, form in enumerate(ordered) if form.carries(OCCUPIED, channel))


def sensor_of(model: str, around: Surroundings, asset: Asset) -> GenericSensor:
    """A sensor of a model; where it looks at spaces, at those of the lot that the asset is."""
    return SpaceSensor(model, around, asset) if looks_at_spaces(model) else GenericSensor(model, around.rng)


class SpaceSensor(GenericSensor):
    """A sensor in the ground: what it says of its spaces is true, the rest wanders."""

    __slots__ = ("_battery", "_change", "_lasted", "_spaces", "_told_ms")
    extra_loss_db = IN_GROUND_DB

    def __init__(self, model: str, around: Surroundings, asset: Asset) -> None:
        super().__init__(model, around.rng)
        self._model, self._change, self._lasted = space_model(model)
        self._spaces = {channel: Parked(around, asset) for channel in self._change}
        self._battery = 1.0
        self._told_ms: int | None = None

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        self._battery = battery
        return super().report(now, self._since_s(now, span_s), battery)

    @override
    def until_change_s(self, now: Moment) -> float:
        return min(space.until_change_s(now) for space in self._spaces.values())

    @override
    def change(self, now: Moment) -> Frame:
        channel = min(self._spaces, key=lambda each: self._spaces[each].until_change_s(now))
        self._spaces[channel].change(now)
        return self._frame(self._change[channel], Now(now, self._since_s(now, 0.0), self._battery))

    def _since_s(self, now: Moment, otherwise_s: float) -> float:
        """The time since the last frame of any kind."""
        told_ms, self._told_ms = self._told_ms, now.ms
        return otherwise_s if told_ms is None else (now.ms - told_ms) / MS_PER_S

    @override
    def _told(self, form: Form, readings: tuple[Reading, ...], state: Now) -> tuple[Reading, ...]:
        lasted = [reading for item in form.fields if item.quantity is LASTED for reading in self._duration(item)]
        return super()._told(form, (*readings, *lasted), state)

    def _duration(self, item: CodecField) -> list[Reading]:
        """How long the state before lasted, as far as the format has a word for it."""
        lasted = self._lasted or grid(item.low, item.high, item.step)
        value = lasted(self._space(item).before_min)
        return [] if value is None else [Reading(item.quantity, value, item.channel)]

    def _space(self, item: CodecField) -> Parked:
        """The space of which a field tells: that of its channel, or the only one."""
        return self._spaces.get(item.channel) or next(iter(self._spaces.values()))

    @override
    def _source(self, item: CodecField) -> Source:
        tally, space = TALLIES.get(item.quantity), self._space(item)
        if tally is not None:
            return _total(item, self._rng, lambda now: tally(space, now.moment))
        if item.quantity is OCCUPIED:
            return lambda _: float(space.occupied)
        return super()._source(item)


def _total(item: CodecField, rng: Random, tally: Source) -> Source:
    """A running total that stood anywhere in its range when the tally was nought, and wraps."""
    low, high = max(0.0, item.low), min(item.high, MOST)
    begun, period = math.floor(rng.uniform(low, high)) - low, high - low + item.step
    return lambda now: low + math.fmod(begun + tally(now), period)
