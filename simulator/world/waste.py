"""Containers: they fill in gamma increments by fraction, district and weekday, overflow, and are emptied.

Figures are ours, within what is usual: street bins fill within a week, bottle banks in ten days and rest on Sundays.
"""

from random import Random
from typing import NamedTuple

from simulator.scenario.script import Script
from simulator.world.calendar import MS_PER_S, S_PER_DAY, WEEKEND, Moment

SHAPE_PER_DAY = 3.0
FULL, WITH_SIDE_WASTE = 1.0, 1.3
"""Of the container's volume; beyond it people go elsewhere."""
COLLECTION_HOURS = (6, 15)
CONTAINERS_DIFFER, DISTRICTS_DIFFER = (0.65, 1.5), (0.85, 1.2)


class Filling(NamedTuple):
    """Days until a usual container of a fraction is full, and the factors of the weekdays from Monday on (mean 1)."""

    days: float
    weekdays: tuple[float, ...]


FILLINGS = {
    "residual": Filling(6.5, (1.1, 0.95, 0.9, 0.95, 1.1, 1.35, 0.65)),
    "paper": Filling(7.5, (1.2, 1.0, 0.95, 0.95, 1.05, 1.2, 0.65)),
    "glass": Filling(10.0, (1.3, 0.9, 0.85, 0.9, 1.1, 1.5, 0.45)),
}
OTHERS = Filling(7.7, (1.1, 0.95, 0.9, 0.95, 1.1, 1.35, 0.65))


class Bin:
    """One container: fills in gamma steps and is emptied on its day, or the next working day once it is full.

    `waste` is what there is, as a share of its volume, with what lies beside it; `rounds` how often it was emptied.
    `busy` is by how much its district throws away more than others.
    """

    def __init__(
        self, rng: Random, start: Moment, script: Script | None = None, fraction: str = "", busy: float = 1
    ) -> None:
        self._rng = rng
        self._ms = start.ms
        self._script = script or Script()
        self._fraction = fraction
        self._filling = FILLINGS.get(fraction, OTHERS)
        self._per_day = FULL / self._filling.days * busy * rng.uniform(*CONTAINERS_DIFFER)
        self._round_day = rng.randrange(WEEKEND)
        self._emptied_on = start.day
        self.waste = rng.uniform(0.05, 0.98)
        self.rounds = 0

    @property
    def fill(self) -> float:
        """How full it is, 0..1: what a sensor under the lid sees."""
        return min(FULL, self.waste)

    @property
    def overflows(self) -> bool:
        """Whether no more goes in."""
        return self.waste >= FULL

    def advance(self, now: Moment) -> bool:
        """Move on to this time; whether it was emptied on the way."""
        days = max(0, now.ms - self._ms) / MS_PER_S / S_PER_DAY
        self._ms = max(self._ms, now.ms)
        if days > 0:
            scale = self._per_day * self._filling.weekdays[now.weekday] / SHAPE_PER_DAY
            self.waste = min(WITH_SIDE_WASTE, self.waste + self._rng.gammavariate(SHAPE_PER_DAY * days, scale))
        if not self._truck_comes(now):
            return False
        self.empty(now)
        return True

    def empty(self, now: Moment) -> None:
        """It is emptied now, and what lay beside it is taken along."""
        self._emptied_on = now.day
        self.waste = self._rng.uniform(0, 0.05)
        self.rounds += 1

    def _truck_comes(self, now: Moment) -> bool:
        if self._emptied_on == now.day or not COLLECTION_HOURS[0] <= now.hour < COLLECTION_HOURS[1]:
            return False
        due = now.weekday == self._round_day or (self.overflows and now.weekday < WEEKEND)
        return due and self._script.collected(now.ms, self._fraction)
