"""The one world that all sensors of a city look at."""

import copy
from collections.abc import Callable, Iterable
from functools import cache
from random import Random
from typing import Protocol

from rules.city import Asset
from simulator import facts as true
from simulator.scenario.script import Script
from simulator.sky import Rainfall, Sky
from simulator.truth import OCCUPIED_SPACES, Fact
from simulator.world import (
    CENTRE,
    DAYLIGHT_LX,
    Bin,
    LotCurve,
    Moment,
    Near,
    Outside,
    Path,
    River,
    Road,
    RoadSurface,
    Shares,
    Soil,
    Space,
    Streets,
    Weather,
    no2_ppb,
    noise_db,
)
from simulator.world.waste import DISTRICTS_DIFFER

MOST_LANES = 8
STATION = "station"


class BothWays(Protocol):
    """How many passed a counter, left to right and right to left."""

    @property
    def ltr(self) -> int:
        """Left to right."""
        ...

    @property
    def rtl(self) -> int:
        """Right to left."""
        ...


Counted = Callable[[Moment, float], BothWays]
"""Who passed in the span in s that ends now."""


class Gate:
    """The cars that came to a lot and left it, and who counts them."""

    def __init__(self) -> None:
        self.came = self.left = 0

    def passed(self, *, came: bool) -> None:
        """One more car."""
        self.came += came
        self.left += not came


class Surroundings:
    """What sensors share: sky, weather, streets, the curve and the gate of each lot, and what `facts` are true of them.

    `centre` (degrees) is the middle of the city.
    """

    def __init__(
        self, rng: Random, start: Moment, script: Script | None = None, centre: tuple[float, float] = CENTRE
    ) -> None:
        self.rng = rng
        self.start = start
        self.script = script or Script()
        self.sky = Sky(rng, start, self.script, centre)
        self.weather = Weather(rng, start, self.script, self.sky, centre)
        self.facts: list[Fact] = list(true.of_the_air(self.weather, self.sky))
        self._curves: dict[str, LotCurve] = {}
        self._spaces: dict[str, list[Space]] = {}
        self._bins: dict[str, Bin] = {}
        self._rivers: dict[str, River] = {}
        self._rains: dict[str, Rainfall] = {}
        self._roads: dict[str, Road] = {}
        self._busy: dict[str, float] = {}
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

    def _true(self, facts: Iterable[Fact]) -> None:
        if not self._alone:
            self.facts.extend(facts)

    def space(self, asset: Asset) -> Space:
        """One more space of the lot that an asset is."""
        made = Space(self.rng, self.curve(asset), self.start)
        if self._alone:
            return made
        spaces = self._spaces.setdefault(asset.id, [])
        if not spaces:
            self._true(true.of_place(asset.id, OCCUPIED_SPACES, lambda _: sum(each.occupied for each in spaces)))
        spaces.append(made)
        return made

    def bin(self, asset: Asset) -> Bin:
        """The container that an asset is."""
        if self._alone or asset.id not in self._bins:
            fraction = str(asset.properties.get("fraction", ""))
            made = Bin(self.rng, self.start, self.script, fraction, self._district(asset.district))
            self._bins[asset.id] = made
            self._true(true.of_bin(asset.id, made))
        return self._bins[asset.id]

    def empty(self, asset_id: str, now: Moment) -> bool:
        """A container is emptied now; False where no sensor looks into one of that name."""
        found = self._bins.get(asset_id)
        if found is None:
            return False
        found.advance(now)
        found.empty(now)
        return True

    def rain(self, asset: Asset) -> Rainfall:
        """The rain where an asset stands; of a station it is told."""
        if asset.id not in self._rains:
            made = self.sky.over(asset.latitude, asset.longitude, self.start)
            self._rains[asset.id] = made
            if asset.kind == STATION:
                self._true(true.of_rain(asset.id, made))
        return self._rains[asset.id]

    def river(self, asset: Asset, usual_mm: float) -> River:
        """The river that a gauge stands in: it has the rain of the whole city."""
        if self._alone or asset.id not in self._rivers:
            made = River(self.rng, self.sky, self.start, usual_mm)
            self._rivers[asset.id] = made
            self._true(true.of_river(asset.id, made))
        return self._rivers[asset.id]

    def soil(self, asset: Asset, channel: str) -> Soil:
        """The soil of a site at one depth."""
        made = Soil(self.rng, self.rain(asset), self.start)
        self._true(true.of_soil(asset.id, channel, made))
        return made

    def surface(self, asset: Asset) -> RoadSurface:
        """The surface of a road."""
        made = RoadSurface(self.weather, self.rain(asset), self.start)
        self._true(true.of_surface(asset.id, made))
        return made

    def road(self, asset: Asset, road: Road) -> Road:
        """The traffic past a detector, and what those nearby hear and breathe; incidents hold here only."""
        if not self._alone:
            self.streets.add(asset.latitude, asset.longitude, road)
            self._roads[asset.id] = road
            lanes = asset.whole("lanes", 1, low=1, high=MOST_LANES)
            road.among(self._roads, self.start.ms, lanes, asset.number("distance_m", 0.0, low=0))
        self._true(true.of_road(asset.id, road))
        return road

    def out(self, asset: Asset) -> Shares:
        """How many ride and walk where an asset stands, in its rain and daylight."""
        place = asset.latitude, asset.longitude
        return Outside(self.weather, self.sky, self.rain(asset), self.start, place).shares

    def path(self, asset: Asset, path: Path) -> Counted:
        """Who rides and walks past a counter."""
        self._true(true.of_path(asset.id, path))
        return path.count

    def noise(self, asset: Asset) -> Callable[[Moment], float]:
        """The sound level in dB(A) at a station."""
        self.rain(asset)
        near = self._near(asset)
        self._true(true.of_place(asset.id, "sound_level_average", lambda now: noise_db(near(), now)))
        return lambda now: noise_db(near(), now)

    def no2(self, asset: Asset) -> Callable[[Moment], float]:
        """Nitrogen dioxide in ppb at a station."""
        self.rain(asset)
        near = self._near(asset)

        def level(now: Moment) -> float:
            return no2_ppb(near(), now, self.sky.wind, min(1.0, self.weather.illuminance / DAYLIGHT_LX))

        self._true(true.of_place(asset.id, "no2", level))
        return level

    def gate(self, asset: Asset) -> Gate:
        """The gate of the lot that an asset is."""
        return self.gates.setdefault(asset.id, Gate())

    def curve(self, asset: Asset) -> LotCurve:
        """The day of the lot that an asset is."""
        if asset.id not in self._curves:
            self._curves[asset.id] = LotCurve(self.rng, self.script, asset.id)
        return self._curves[asset.id]

    def _near(self, asset: Asset) -> Callable[[], Near | None]:
        """The nearest street, once all are known."""
        return cache(lambda: self.streets.near(asset.latitude, asset.longitude))

    def _district(self, name: str) -> float:
        """By how much a district throws away more than others."""
        if not name:
            return 1.0
        if name not in self._busy:
            self._busy[name] = self.rng.uniform(*DISTRICTS_DIFFER)
        return self._busy[name]
