"""Containers: gamma increments with a median of about eight days to full, and the trucks that empty them."""

from random import Random

from simulator.scenario.script import Script
from simulator.world.calendar import MS_PER_S, S_PER_DAY, WEEKEND, Moment

BIN_DAYS_TO_FULL = 7.7
BIN_SHAPE_PER_DAY = 3.0
BIN_WEEKDAYS = (1.1, 0.95, 0.9, 0.95, 1.1, 1.35, 0.65)
FULL = 1.0
COLLECTION_HOURS = (6, 15)


class Bin:
    """One container: fills in gamma steps and is emptied on its day, or the next working day once it is full.

    `rounds` counts how often it was emptied.
    """

    def __init__(self, rng: Random, start: Moment, script: Script | None = None, fraction: str = "") -> None:
        self._rng = rng
        self._ms = start.ms
        self._script = script or Script()
        self._fraction = fraction
        self._per_day = FULL / BIN_DAYS_TO_FULL * rng.uniform(0.6, 1.6)
        self._round_day = rng.randrange(WEEKEND)
        self._emptied_on = start.day_of_year
        self.fill = rng.uniform(0.05, 0.98)
        self.rounds = 0

    def advance(self, now: Moment) -> bool:
        """Move on to this time; whether it was emptied on the way."""
        days = max(0, now.ms - self._ms) / MS_PER_S / S_PER_DAY
        self._ms = max(self._ms, now.ms)
        if days > 0:
            shape = BIN_SHAPE_PER_DAY * days
            scale = self._per_day * BIN_WEEKDAYS[now.weekday] / BIN_SHAPE_PER_DAY
            self.fill = min(FULL, self.fill + self._rng.gammavariate(shape, scale))
        if not self._truck_comes(now):
            return False
        self._emptied_on = now.day_of_year
        self.fill = self._rng.uniform(0, 0.05)
        self.rounds += 1
        return True

    def _truck_comes(self, now: Moment) -> bool:
        if self._emptied_on == now.day_of_year or not COLLECTION_HOURS[0] <= now.hour < COLLECTION_HOURS[1]:
            return False
        due = now.weekday == self._round_day or (self.fill >= FULL and now.weekday < WEEKEND)
        return due and self._script.collected(now.ms, self._fraction)
