"""Showers as cells: they are born in wet spells, move with the wind, rain most in their middle, and die.

A cell is a disk; at its edge it does not rain. So what falls on a spot follows exactly from when the disk passes it,
and does not depend on how often one looks. The sky is a square of 64 km whose edges meet, in which no place differs
from another: over years all get the same, in one hour they do not.

Figures are ours, so that a spot gets about 780 mm a year (as Hamm does) in about 6 % of the time.
"""

import math
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from simulator.world.calendar import MS_PER_S, S_PER_HOUR

SIDE_KM = 64.0
DRY_HOURS, WET_HOURS = 15.0, 3.0
BORN_PER_HOUR = 55.0
RADIUS_KM = (2.0, 6.0)
LIFE_HOURS, SHORTEST_HOURS = 0.6, 0.1
MM_PER_HOUR, SHAPE, SPELL_SHAPE = 2.7, 0.8, 2.0
HOUR_MS = MS_PER_S * S_PER_HOUR

Drift = Callable[[int], tuple[float, float]]
"""How clouds move at a time in ms since 1970: km/h to the east and to the north."""


class Cell(NamedTuple):
    """A shower: hours since the start and km in the middle of its life, km/h, radius in km, mm/h in its middle."""

    middle: float
    half_life: float
    x: float
    y: float
    east: float
    north: float
    radius: float
    mm_per_hour: float


class Pulse(NamedTuple):
    """A cell over a spot from `enters` to `leaves` (hours): most at `nearest`, less by `bend` with the square."""

    enters: float
    leaves: float
    nearest: float
    most: float
    bend: float

    def rate(self, hours: float) -> float:
        """Mm/h at a time."""
        if not self.enters <= hours < self.leaves:
            return 0.0
        return max(0.0, self.most - self.bend * (hours - self.nearest) ** 2)

    def fallen_mm(self, begin: float, end: float) -> float:
        """What falls between two times."""
        begin, end = max(begin, self.enters) - self.nearest, min(end, self.leaves) - self.nearest
        return 0.0 if end <= begin else self.most * (end - begin) - self.bend * (end**3 - begin**3) / 3


def pulse(cell: Cell, x: float, y: float) -> Pulse | None:
    """What a spot gets of a cell; None: nothing."""
    dx, dy = _around(x - cell.x), _around(y - cell.y)
    square = cell.east**2 + cell.north**2
    nearest = (dx * cell.east + dy * cell.north) / square
    off = dx**2 + dy**2 - square * nearest**2
    inside = cell.radius**2 - off
    if inside <= 0:
        return None
    half = math.sqrt(inside / square)
    enters, leaves = max(-cell.half_life, nearest - half), min(cell.half_life, nearest + half)
    if leaves <= enters:
        return None
    most, bend = cell.mm_per_hour * inside / cell.radius**2, cell.mm_per_hour * square / cell.radius**2
    return Pulse(cell.middle + enters, cell.middle + leaves, cell.middle + nearest, most, bend)


def _around(km: float) -> float:
    """The shorter way between two places of the square."""
    return (km + SIDE_KM / 2) % SIDE_KM - SIDE_KM / 2


class Spot:
    """A place and the showers that pass it."""

    def __init__(self, x: float, y: float) -> None:
        self.x, self.y = x, y
        self.pulses: list[Pulse] = []

    def take(self, cell: Cell) -> None:
        """A cell that may pass."""
        passing = pulse(cell, self.x, self.y)
        if passing is not None:
            self.pulses.append(passing)

    def rate(self, hours: float) -> float:
        """Mm/h at a time."""
        return sum(each.rate(hours) for each in self.pulses)

    def fallen_mm(self, begin: float, end: float) -> float:
        """What falls between two times."""
        return sum(each.fallen_mm(begin, end) for each in self.pulses)

    def forget(self, hours: float) -> None:
        """Nobody asks for what was before."""
        if self.pulses:
            self.pulses = [each for each in self.pulses if each.leaves > hours]


class Showers:
    """All cells of a seed, in the order of their births; spots hear of those that pass them."""

    def __init__(self, seed: int, start_ms: int, drift: Drift) -> None:
        self._rng = Random(seed)
        self._start_ms = start_ms
        self._drift = drift
        self._spots: list[Spot] = []
        self._alive: list[Cell] = []
        self._stronger = 1.0
        self._spell_ends = self._next = 0.0
        self._next_spell(self._rng.expovariate(1 / DRY_HOURS))

    def hours(self, ms: int) -> float:
        """Hours since the start."""
        return (ms - self._start_ms) / HOUR_MS

    def spot(self, x: float, y: float) -> Spot:
        """A place, in km, that will hear of all showers from now on."""
        made = Spot(x, y)
        for cell in self._alive:
            made.take(cell)
        self._spots.append(made)
        return made

    def until(self, hours: float) -> None:
        """Let be born what is born until then."""
        if self._next > hours:
            return
        while self._next <= hours:
            self._birth()
            self._next += self._rng.expovariate(BORN_PER_HOUR)
            if self._next > self._spell_ends:
                self._next_spell(self._spell_ends + self._rng.expovariate(1 / DRY_HOURS))
        self._alive = [cell for cell in self._alive if cell.middle + cell.half_life > hours]

    def _next_spell(self, begin: float) -> None:
        rng = self._rng
        self._spell_ends = begin + rng.expovariate(1 / WET_HOURS)
        self._stronger = rng.gammavariate(SPELL_SHAPE, 1 / SPELL_SHAPE)
        self._next = begin + rng.expovariate(BORN_PER_HOUR)

    def _birth(self) -> None:
        rng, born = self._rng, self._next
        east, north = self._drift(self._start_ms + int(born * HOUR_MS))
        radius = rng.uniform(*RADIUS_KM)
        longest = (SIDE_KM - 2 * radius) / math.hypot(east, north)
        half = min(longest, max(SHORTEST_HOURS, rng.expovariate(1 / LIFE_HOURS))) / 2
        x, y = rng.uniform(0, SIDE_KM) + east * half, rng.uniform(0, SIDE_KM) + north * half
        most = self._stronger * rng.gammavariate(SHAPE, MM_PER_HOUR / SHAPE)
        cell = Cell(born + half, half, x, y, east, north, radius, most)
        self._alive.append(cell)
        for spot in self._spots:
            spot.take(cell)
