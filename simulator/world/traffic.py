"""Traffic: Poisson counts around a day with two peaks."""

import math
from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from simulator.scenario.model import Incident
from simulator.scenario.script import Script
from simulator.world.calendar import S_PER_HOUR, WEEKEND, Moment
from simulator.world.incident import Jam

POISSON_EXACT_UP_TO = 50
NO_SCHOOL = 0.7


INBOUND, OUTBOUND = "inbound", "outbound"
SLOWEST_KMH, FASTEST_KMH = 4.0, 130.0


class Count(NamedTuple):
    """Who passed in an interval: left to right, right to left; mean speed in km/h, of both and of each way."""

    ltr: int
    rtl: int
    speed: float
    speed_ltr: float
    speed_rtl: float


class Demand(NamedTuple):
    """Who would pass in an hour: left to right, right to left; and the speed in km/h at which they drive."""

    ltr: float
    rtl: float
    speed: float


class Passing(NamedTuple):
    """Who does pass in an hour, how fast in km/h, and who waits behind a closed lane: each way."""

    ltr: float
    rtl: float
    speed_ltr: float
    speed_rtl: float
    queue_ltr: float
    queue_rtl: float

    @property
    def speed(self) -> float:
        """Of all who pass, in km/h; of an empty road, that of both ways."""
        both = self.ltr + self.rtl
        if both <= 0:
            return (self.speed_ltr + self.speed_rtl) / 2
        return (self.ltr * self.speed_ltr + self.rtl * self.speed_rtl) / both


class Road:
    """Traffic past one detector, with peaks towards the city in the morning and out of it in the evening.

    The morning's is lower in school holidays. `mean_per_hour` is that of an ordinary day.

    `spread` is by how much of `per_day` roads differ; `inbound_ltr` None leaves it to chance which way the city lies.
    """

    def __init__(
        self,
        rng: Random,
        per_day: float,
        free_speed: float,
        *,
        spread: float = 0.5,
        inbound_ltr: bool | None = None,
        script: Script | None = None,
        asset_id: str = "",
    ) -> None:
        self._rng = rng
        self.mean_per_hour = per_day * rng.uniform(1 - spread, 1 + spread) / 24
        self._free_speed = free_speed
        self._inbound_ltr = rng.random() < 0.5 if inbound_ltr is None else inbound_ltr  # noqa: PLR2004 - a fair coin
        self._script = script or Script()
        self._asset_id = asset_id
        self._others: Mapping[str, Road] = ALONE
        self._taken: tuple[Incident, ...] = ()
        self._closed: tuple[Incident, ...] = ()
        self._jams: tuple[Jam, Jam] | None = None
        self._known: tuple[Moment, tuple[float, float]] | None = None

    def among(self, others: Mapping[str, "Road"], start_ms: int, lanes: int, distance_m: float) -> None:
        """From the start on incidents hold here: the road has neighbours by id, lanes, and a detector so far ahead."""
        incidents = self._script.scenario.incident
        self._others = others
        self._taken = tuple(each for each in incidents if self._asset_id in each.to)
        self._closed = tuple(each for each in incidents if self._asset_id in each.assets)
        if self._closed:
            self._jams = (
                Jam(start_ms, self._arrivals(INBOUND), self._limit(INBOUND), lanes, distance_m),
                Jam(start_ms, self._arrivals(OUTBOUND), self._limit(OUTBOUND), lanes, distance_m),
            )

    def wanted(self, now: Moment) -> tuple[float, float]:
        """Who would drive here in an hour, into the city and out of it, if no lane were closed anywhere."""
        if self._known is None or self._known[0] != now:
            self._known = now, self._wanted(now)
        return self._known[1]

    def _wanted(self, now: Moment) -> tuple[float, float]:
        school = NO_SCHOOL if now.school_holidays else 1.0
        morning = school * math.exp(-(((now.hour - 7.75) / 1.5) ** 2))
        evening = math.exp(-(((now.hour - 16.75) / 2.0) ** 2))
        day = math.exp(-(((now.hour - 13.5) / 5.5) ** 4))
        weekend = 0.5 if now.weekday >= WEEKEND else 1.0
        both = self.mean_per_hour * (0.1 + 1.2 * day + weekend * 0.9 * (morning + evening))
        towards = 0.5 + 0.12 * weekend * (morning - evening)
        more_in, more_out = (self._script.demand(now.ms, self._asset_id, way)[0] for way in (INBOUND, OUTBOUND))
        return both * towards * more_in, both * (1 - towards) * more_out

    def demand(self, now: Moment) -> Demand:
        """The traffic that comes at an instant, with those who drive another way for a closed lane."""
        inbound, outbound = self._coming(now)
        speed = self._speed(now, inbound + outbound)
        return Demand(inbound, outbound, speed) if self._inbound_ltr else Demand(outbound, inbound, speed)

    def passing(self, now: Moment) -> Passing:
        """The traffic that gets past at an instant."""
        coming = self._coming(now)
        speed = self._speed(now, sum(coming))
        if self._jams is None:
            ways = [(flow, speed, 0.0) for flow in coming]
        else:
            slower = [speed * self._slowed(now.ms, way) for way in (INBOUND, OUTBOUND)]
            seen = [jam.seen(now, kmh) for jam, kmh in zip(self._jams, slower, strict=True)]
            ways = [(*pair, jam.vehicles) for pair, jam in zip(seen, self._jams, strict=True)]
        (one, one_kmh, one_waits), (other, other_kmh, other_waits) = ways if self._inbound_ltr else reversed(ways)
        return Passing(one, other, one_kmh, other_kmh, one_waits, other_waits)

    def count(self, now: Moment, span_s: float) -> Count:
        """What passed in the span that ends now."""
        passing = self.passing(now)
        hours = span_s / S_PER_HOUR
        ltr, rtl = poisson(self._rng, passing.ltr * hours), poisson(self._rng, passing.rtl * hours)
        off = self._rng.gauss(0, 2)
        speeds = (passing.speed, passing.speed_ltr, passing.speed_rtl)
        return Count(ltr, rtl, *(max(SLOWEST_KMH, speed + off) for speed in speeds))

    def closed(self, now: Moment) -> bool:
        """Whether a lane is closed behind the detector."""
        return any(self._script.weight(each, now.ms) for each in self._closed)

    def _speed(self, now: Moment, both: float) -> float:
        busy = min(1.0, both / max(1e-9, self.mean_per_hour * 3))
        _, slower = self._script.demand(now.ms, self._asset_id, INBOUND)
        return min(FASTEST_KMH, max(SLOWEST_KMH, self._free_speed * (1 - 0.35 * busy) * slower))

    def _coming(self, now: Moment) -> tuple[float, float]:
        inbound, outbound = self.wanted(now)
        if not self._closed and not self._taken:
            return inbound, outbound
        return inbound + self._detour(INBOUND, now), outbound + self._detour(OUTBOUND, now)

    def _detour(self, way: str, now: Moment) -> float:
        """Who comes here instead of where a lane is closed, less who drives elsewhere."""
        more = 0.0
        for incident in self._taken:
            those = [self._others[name] for name in incident.assets if name in self._others]
            share = self._diverted(incident, way, now) / len(incident.to)
            more += share * sum(_one(way, road, now) for road in those)
        left = math.prod(1 - self._diverted(incident, way, now) for incident in self._closed)
        return more - (1 - left) * _one(way, self, now)

    def _diverted(self, incident: Incident, way: str, now: Moment) -> float:
        """The share that an incident sends elsewhere."""
        concerned = incident.direction in (None, way)
        return self._script.weight(incident, now.ms) * incident.diverted if concerned else 0.0

    def _arrivals(self, way: str) -> Callable[[Moment], float]:
        return lambda now: self._coming(now)[way == OUTBOUND]

    def _limit(self, way: str) -> Callable[[int], float | None]:
        concerned = [each for each in self._closed if each.direction in (None, way)]

        def limit(ms: int) -> float | None:
            return min((each.vehicles_per_hour for each in concerned if self._script.weight(each, ms)), default=None)

        return limit

    def _slowed(self, ms: int, way: str) -> float:
        """The factor of speed past a closed lane."""
        concerned = [each for each in self._closed if each.direction in (None, way)]
        return math.prod(1 - self._script.weight(each, ms) * (1 - each.speed) for each in concerned)


ALONE: Mapping[str, Road] = {}


def _one(way: str, road: Road, now: Moment) -> float:
    return road.wanted(now)[way == OUTBOUND]


def poisson(rng: Random, mean: float) -> int:
    """A Poisson number: exact for small means, else its normal approximation."""
    if mean > POISSON_EXACT_UP_TO:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count
