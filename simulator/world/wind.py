"""Wind: speed, gusts and direction that follow from the seed and the time alone, however often one looks."""

import math
from random import Random
from typing import NamedTuple

from simulator.world.calendar import MS_PER_S, S_PER_HOUR

KNOT_MS = 600 * MS_PER_S
MEAN, SIGMA, KEPT_PER_HOUR = 3.4, 1.3, 0.9
PREVAILING, TURNS, KEPT_DIRECTION_PER_HOUR = 240.0, 55.0, 0.97
CALM = 0.2
KMH_PER_MS = 3.6
ALOFT, ALOFT_MS, FASTEST_KMH = 2.5, 2.0, 55.0


class Blow(NamedTuple):
    """Wind 10 m above ground and its gusts in m/s; degrees that it comes from, without bound."""

    speed: float
    gust: float
    direction: float


class Wind:
    """AR(1) around 3.4 m/s, mostly from the south-west; straight lines between instants ten minutes apart.

    Asked for an earlier time than before it may answer for a later one.
    """

    def __init__(self, seed: int, start_ms: int) -> None:
        self._rng = Random(seed)
        self._ms = start_ms
        self._speed, self._turned = self._rng.gauss(0, SIGMA), self._rng.gauss(0, TURNS)
        self._knot = self._next = self._blow()

    def at(self, ms: int) -> Blow:
        """The wind at an instant."""
        while ms >= self._ms:
            self._step()
        share = max(0.0, 1 - (self._ms - ms) / KNOT_MS)
        return Blow(*(one + share * (other - one) for one, other in zip(self._knot, self._next, strict=True)))

    def drift(self, ms: int, stronger: float = 1) -> tuple[float, float]:
        """How clouds move then, km/h to the east and to the north: with the wind, faster than it is below."""
        blow = self.at(ms)
        speed = min(FASTEST_KMH, KMH_PER_MS * (ALOFT_MS + ALOFT * blow.speed * stronger))
        towards = math.radians(blow.direction + 180)
        return speed * math.sin(towards), speed * math.cos(towards)

    def _step(self) -> None:
        hours = KNOT_MS / MS_PER_S / S_PER_HOUR
        self._ms += KNOT_MS
        self._speed = self._later(self._speed, SIGMA, KEPT_PER_HOUR**hours)
        self._turned = self._later(self._turned, TURNS, KEPT_DIRECTION_PER_HOUR**hours)
        self._knot, self._next = self._next, self._blow()

    def _later(self, value: float, sigma: float, keep: float) -> float:
        return value * keep + self._rng.gauss(0, sigma * math.sqrt(1 - keep * keep))

    def _blow(self) -> Blow:
        speed = max(CALM, MEAN + self._speed)
        return Blow(speed, speed * 1.5 + abs(self._rng.gauss(0, 0.6)), PREVAILING + self._turned)
