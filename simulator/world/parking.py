"""Parked cars: the day of a lot as a super-gaussian curve, and single spaces that follow it."""

import math
from random import Random

from simulator.scenario.script import Script
from simulator.world.calendar import MS_PER_S, S_PER_DAY, WEEKEND, Moment

LONGEST_STAY_S = 7 * S_PER_DAY


class LotCurve:
    """The share of spaces wanted over the day, for all spaces of one lot."""

    def __init__(self, rng: Random, script: Script | None = None, lot_id: str = "") -> None:
        self._noon = rng.uniform(11.5, 14.5)
        self._width = rng.uniform(4.5, 6.5)
        self._peak = rng.uniform(0.75, 0.97)
        self._base = rng.uniform(0.1, 0.3)
        self._script = script or Script()
        self._lot_id = lot_id

    def share(self, now: Moment) -> float:
        """How much of the lot is wanted, 0..1."""
        peak = self._peak * (0.6 if now.weekday >= WEEKEND else 1)
        natural = self._base + max(0.0, peak - self._base) * math.exp(-(((now.hour - self._noon) / self._width) ** 4))
        return self._script.wanted(now.ms, self._lot_id, natural)


class Space:
    """One parking space: taken and left at random so that the lot follows its curve.

    Arrivals and departures are a Poisson process whose rate changes with the curve, sampled by thinning.
    """

    def __init__(self, rng: Random, curve: LotCurve, now: Moment) -> None:
        self._rng = rng
        self._curve = curve
        self._stay_s = rng.uniform(1800, 7200)
        self.occupied = rng.random() < curve.share(now)
        self.since_ms = now.ms - int(rng.expovariate(1 / self._stay_s) * MS_PER_S)
        self.before_min = int(rng.expovariate(1 / self._stay_s) / 60)

    def until_change_s(self, now: Moment) -> float:
        """A sample of how long the present state will last; a week at most."""
        seconds = 0.0
        while seconds < LONGEST_STAY_S:
            seconds += self._rng.expovariate(1 / self._stay_s)
            share = min(0.99, max(0.01, self._curve.share(now.later(seconds))))
            if self._rng.random() < (1 - share if self.occupied else share):
                return seconds
        return seconds

    def change(self, now: Moment) -> None:
        """A car comes or leaves."""
        self.before_min = (now.ms - self.since_ms) // (60 * MS_PER_S)
        self.since_ms = now.ms
        self.occupied = not self.occupied
