"""What every sensor is: something that looks at the city and answers with frames."""

import copy
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import NamedTuple, Protocol, TypeVar

from typing_extensions import override

from decoders.measurement import Reading
from rules.city import Asset
from simulator.scenario.script import Script
from simulator.sky import River, RoadSurface, Sky, Soil, outdoors
from simulator.truth import CITY, OCCUPIED_SPACES, Fact
from simulator.world import (
    DAYLIGHT_LX,
    Bin,
    LotCurve,
    Moment,
    Near,
    Road,
    Space,
    Streets,
    Weather,
    no2_ppb,
    noise_db,
)


class Frame(NamedTuple):
    """One frame to send; `data` is its payload where the sensor has built it already."""

    f_port: int
    readings: tuple[Reading, ...]
    data: bytes | None = None


class Sensor(Protocol):
    """A device's eyes and ears. `span_s` is the time since its last report, `battery` a share 0..1."""

    extra_loss_db: float

    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        """The regular report."""
        ...

    def until_change_s(self, now: Moment) -> float | None:
        """When the next frame out of turn is due; None for models that only report regularly."""
        ...

    def change(self, now: Moment) -> Frame:
        """That frame."""
        ...


class Gate:
    """The cars that came to a lot and left it, and who counts them."""

    def __init__(self) -> None:
        self.came = self.left = 0

    def passed(self, *, came: bool) -> None:
        """One more car."""
        self.came += came
        self.left += not came


class Surroundings:
    """What sensors share: the weather, the curve and the gate of each lot, and what `facts` are true of them."""

    def __init__(self, rng: Random, start: Moment, script: Script | None = None) -> None:
        self.rng = rng
        self.start = start
        self.script = script or Script()
        self.sky = Sky(rng, start, self.script)
        self.weather = Weather(rng, start, self.script, self.sky)
        self.facts: list[Fact] = list(_of_the_air(self.weather, self.sky))
        self._curves: dict[str, LotCurve] = {}
        self._spaces: dict[str, list[Space]] = {}
        self._bins: dict[str, Bin] = {}
        self._rivers: dict[str, River] = {}
        self.gates: dict[str, Gate] = {}
        self.streets = Streets()
        self._alone = False

    def elsewhere(self) -> "Surroundings":
        """The same for copies, which stand on no lot: what passes them is counted by nobody's counters."""
        other = copy.copy(self)
        other.detach()
        return other

    def detach(self) -> None:
        """From now on everything that is made is new, belongs to no asset, and nobody knows the truth of it."""
        self.gates, self.facts, self._spaces, self._bins, self._rivers = {}, [], {}, {}, {}
        self._alone = True

    def _true(self, asset: Asset, quantity: str, value: Callable[[Moment], float]) -> None:
        if not self._alone:
            self.facts.append(Fact(asset.id, quantity, value))

    def space(self, asset: Asset) -> Space:
        """One more space of the lot that an asset is."""
        made = Space(self.rng, self.curve(asset), self.start)
        if self._alone:
            return made
        spaces = self._spaces.setdefault(asset.id, [])
        if not spaces:
            self._true(asset, OCCUPIED_SPACES, lambda _: sum(each.occupied for each in spaces))
        spaces.append(made)
        return made

    def bin(self, asset: Asset) -> Bin:
        """The container that an asset is."""
        if self._alone or asset.id not in self._bins:
            made = Bin(self.rng, self.start, self.script, str(asset.properties.get("fraction", "")))
            self._bins[asset.id] = made
            self._true(asset, "fill_level", lambda now: _moved(made, now).fill * 100)
            self._true(asset, "collections", lambda now: _moved(made, now).rounds)
        return self._bins[asset.id]

    def river(self, asset: Asset, usual_mm: float) -> River:
        """The river that a gauge stands in."""
        if self._alone or asset.id not in self._rivers:
            made = River(self.rng, self.sky, self.start, usual_mm)
            self._rivers[asset.id] = made
            self._true(asset, "water_level", lambda now: _moved(made, now).level_mm)
        return self._rivers[asset.id]

    def soil(self, asset: Asset, channel: str) -> Soil:
        """The soil of a site at one depth."""
        made = Soil(self.rng, self.sky, self.start)
        self._true(asset, f"soil_water_tension.{channel}", lambda now: _moved(made, now).tension)
        return made

    def surface(self, asset: Asset) -> RoadSurface:
        """The surface of a road."""
        made = RoadSurface(self.weather, self.sky, self.start)
        self._true(asset, "surface_temperature", lambda now: _moved(made, now).temperature)
        self._true(asset, "water_film", lambda now: _moved(made, now).film_mm)
        self._true(asset, "ice", lambda now: float(_moved(made, now).icy))
        return made

    def road(self, asset: Asset, road: Road) -> Road:
        """The traffic past a detector, and what those nearby hear and breathe."""
        if not self._alone:
            self.streets.add(asset.latitude, asset.longitude, road)
        self._true(asset, "demand_ltr", lambda now: road.demand(now).ltr)
        self._true(asset, "demand_rtl", lambda now: road.demand(now).rtl)
        self._true(asset, "speed", lambda now: road.demand(now).speed)
        return road

    def path(self, asset: Asset, path: Road) -> Road:
        """Who walks and rides past a counter: fewer in bad weather."""
        self._true(asset, "demand_ltr", lambda now: path.demand(now).ltr * outdoors(self.weather))
        self._true(asset, "demand_rtl", lambda now: path.demand(now).rtl * outdoors(self.weather))
        return path

    def noise(self, asset: Asset) -> Callable[[Moment], float]:
        """The sound level in dB(A) at a station."""
        near = self._near(asset)
        self._true(asset, "sound_level_average", lambda now: noise_db(near(), now))
        return lambda now: noise_db(near(), now)

    def no2(self, asset: Asset) -> Callable[[Moment], float]:
        """Nitrogen dioxide in ppb at a station."""
        near = self._near(asset)

        def level(now: Moment) -> float:
            return no2_ppb(near(), now, self.sky.wind, min(1.0, self.weather.illuminance / DAYLIGHT_LX))

        self._true(asset, "no2", level)
        return level

    def _near(self, asset: Asset) -> Callable[[], Near | None]:
        """The nearest street, once all are known."""
        return cache(lambda: self.streets.near(asset.latitude, asset.longitude))

    def gate(self, asset: Asset) -> Gate:
        """The gate of the lot that an asset is."""
        return self.gates.setdefault(asset.id, Gate())

    def curve(self, asset: Asset) -> LotCurve:
        """The day of the lot that an asset is."""
        if asset.id not in self._curves:
            self._curves[asset.id] = LotCurve(self.rng, self.script, asset.id)
        return self._curves[asset.id]


class _Moves(Protocol):
    def advance(self, now: Moment) -> object: ...


_Part = TypeVar("_Part", bound=_Moves)


def _moved(part: _Part, now: Moment) -> _Part:
    """The part of the world at a time."""
    part.advance(now)
    return part


def _of_the_air(weather: Weather, sky: Sky) -> Iterator[Fact]:
    """What is true of the city's air; rain and wind as the sky has them."""
    yield Fact(CITY, "air_temperature", lambda now: _moved(weather, now).temperature)
    yield Fact(CITY, "air_humidity", lambda _: weather.humidity)
    yield Fact(CITY, "air_pressure", lambda _: weather.pressure)
    yield Fact(CITY, "illuminance", lambda _: weather.illuminance)
    yield Fact(CITY, "pm2_5", lambda _: weather.pm2_5)
    yield Fact(CITY, "pm10", lambda _: weather.pm10)
    yield Fact(CITY, "wind_speed", lambda _: sky.wind)
    yield Fact(CITY, "precipitation_rate", lambda _: sky.rate)
    yield Fact(CITY, "precipitation_total", lambda _: sky.rain_mm)


class Regular(Sensor):
    """Base of the models that only report regularly."""

    extra_loss_db = 0.0

    @override
    def until_change_s(self, now: Moment) -> float | None:
        return None

    @override
    def change(self, now: Moment) -> Frame:
        raise NotImplementedError(f"{type(self).__name__} reports regularly only")
