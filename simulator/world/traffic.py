"""Traffic: Poisson counts around a day with two peaks."""

import math
from random import Random
from typing import NamedTuple

from simulator.scenario.script import Script
from simulator.world.calendar import S_PER_HOUR, WEEKEND, Moment

POISSON_EXACT_UP_TO = 50
NO_SCHOOL = 0.7


class Count(NamedTuple):
    """Who passed in an interval: left to right, right to left, mean speed in km/h."""

    ltr: int
    rtl: int
    speed: float


class Demand(NamedTuple):
    """Who would pass in an hour: left to right, right to left; and the speed in km/h at which they drive."""

    ltr: float
    rtl: float
    speed: float


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

    def demand(self, now: Moment) -> Demand:
        """The traffic at an instant."""
        school = NO_SCHOOL if now.school_holidays else 1.0
        morning = school * math.exp(-(((now.hour - 7.75) / 1.5) ** 2))
        evening = math.exp(-(((now.hour - 16.75) / 2.0) ** 2))
        day = math.exp(-(((now.hour - 13.5) / 5.5) ** 4))
        weekend = 0.5 if now.weekday >= WEEKEND else 1.0
        both = self.mean_per_hour * (0.1 + 1.2 * day + weekend * 0.9 * (morning + evening))
        towards = 0.5 + 0.12 * weekend * (morning - evening)
        more_in, slower = self._script.demand(now.ms, self._asset_id, "inbound")
        more_out, _ = self._script.demand(now.ms, self._asset_id, "outbound")
        inbound, outbound = both * towards * more_in, both * (1 - towards) * more_out
        busy = min(1.0, (inbound + outbound) / max(1e-9, self.mean_per_hour * 3))
        speed = max(4.0, self._free_speed * (1 - 0.35 * busy) * slower)
        return Demand(inbound, outbound, speed) if self._inbound_ltr else Demand(outbound, inbound, speed)

    def count(self, now: Moment, span_s: float, share: float = 1) -> Count:
        """What passed in the span that ends now; `share` of them came out at all."""
        demand = self.demand(now)
        hours = span_s / S_PER_HOUR * share
        ltr, rtl = poisson(self._rng, demand.ltr * hours), poisson(self._rng, demand.rtl * hours)
        return Count(ltr, rtl, max(4.0, demand.speed + self._rng.gauss(0, 2)))


def poisson(rng: Random, mean: float) -> int:
    """A Poisson number: exact for small means, else its normal approximation."""
    if mean > POISSON_EXACT_UP_TO:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count
