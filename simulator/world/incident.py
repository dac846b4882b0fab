"""A closed lane: what wants to pass waits, and is seen by a detector once the queue has reached it."""

from collections.abc import Callable

from simulator.world.calendar import MS_PER_S, S_PER_HOUR, Moment

STEP_MS = 60 * MS_PER_S
DISCHARGED_PER_LANE = 1200.0
"""Vehicles per hour past a green signal: 2,000 (saturation flow, HBS 2015) for 60 % of the time, which is ours."""
M_PER_VEHICLE = 7.0
CREEPING_PER_KM = 80.0
CREEPING_KMH = (4.0, 12.0)
"""Vehicles on a km of a queue that moves, and between which speeds it does; ours."""

PerHour = Callable[[Moment], float]


class Jam:
    """Vehicles that wait in one direction; it grows and shrinks in steps of a minute from the start on.

    `arrivals` come, no more than `limit` pass, both per hour; where `limit` tells None, so many as the lanes can
    discharge. The detector stands `distance_m` before the lane.
    """

    def __init__(
        self, start_ms: int, arrivals: PerHour, limit: Callable[[int], float | None], lanes: int, distance_m: float
    ) -> None:
        self._ms = start_ms
        self._arrivals = arrivals
        self._limit = limit
        self._lanes = lanes
        self._reached_at = max(1.0, distance_m * lanes / M_PER_VEHICLE)
        self.vehicles = 0.0

    def advance(self, now: Moment) -> None:
        """Move on to the last whole minute before this time."""
        while self._ms + STEP_MS <= now.ms:
            at = now.later((self._ms - now.ms) / MS_PER_S)
            more = (self._arrivals(at) - self._passing(self._ms)) * STEP_MS / MS_PER_S / S_PER_HOUR
            self.vehicles = max(0.0, self.vehicles + more)
            self._ms += STEP_MS

    def seen(self, now: Moment, free_speed: float) -> tuple[float, float]:
        """Vehicles per hour past the detector, and their speed in km/h, which is `free_speed` where nothing waits."""
        self.advance(now)
        if self.vehicles < self._reached_at:
            return self._arrivals(now), free_speed
        passing = self._passing(now.ms)
        slow, fast = CREEPING_KMH
        return passing, min(free_speed, fast, max(slow, passing / self._lanes / CREEPING_PER_KM))

    def _passing(self, ms: int) -> float:
        limit = self._limit(ms)
        return DISCHARGED_PER_LANE * self._lanes if limit is None else limit
