"""Offsets of a road that let as many vehicles as possible through without a stop: a search for bandwidth.

The band of a direction is the longest span of time that is green at every junction for a vehicle at progression speed.
Searched in whole seconds: junction after junction the most promising partial solutions are kept, then single offsets of
the best are moved while that helps. The same input gives the same offsets; the bands of the result are exact.
The problem is that of J. D. C. Little's MAXBAND (1966, 1981), with equal speeds in both directions and no patterns of
left turns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from rules.traffic.webster import SignalError

WIDTH = 150
"""Partial solutions that are kept from one junction to the next."""
CLIMBED = 20
ROUNDS = 20
KMH = 3.6


@dataclass(frozen=True, slots=True)
class Stop:
    """A junction on the road: metres from the first one, the green of the road in s, and the limit on the way here."""

    name: str
    position_m: float
    green_s: int
    limit_kmh: float


class Band(NamedTuple):
    """A green band at the first junction of its direction: begin within the cycle, and length in s (0: none)."""

    begin_s: float
    length_s: float


class Coordination(NamedTuple):
    """Offsets in s (begin of the road's green at each junction), the bands, and cumulative travel times in s."""

    cycle_s: int
    factor: float
    offsets_s: tuple[int, ...]
    outbound: Band
    inbound: Band
    travel_s: tuple[float, ...]

    @property
    def efficiency(self) -> float:
        """Both bands as a part of two cycles."""
        return (self.outbound.length_s + self.inbound.length_s) / (2 * self.cycle_s)


def travel_times_s(stops: Sequence[Stop], factor: float) -> tuple[float, ...]:
    """Travel times from the first stop at this part (1 at most) of each section's limit."""
    if not 0 < factor <= 1:
        raise SignalError(f"a progression speed of {factor:g} times the limit, expected more than 0 and 1 at most")
    times = [0.0]
    for before, after in pairwise(stops):
        if after.position_m <= before.position_m:
            raise SignalError(f"{after.name} lies at {after.position_m:g} m, expected more than {before.position_m:g}")
        times.append(times[-1] + (after.position_m - before.position_m) * KMH / (after.limit_kmh * factor))
    return tuple(times)


def band(begins_s: Sequence[float], greens_s: Sequence[float], shifts_s: Sequence[float], cycle_s: float) -> Band:
    """The longest span that is green everywhere, greens seen from a vehicle that arrives `shifts_s` later."""
    arcs = [
        ((begin - shift) % cycle_s, green) for begin, green, shift in zip(begins_s, greens_s, shifts_s, strict=True)
    ]
    best = Band(0.0, 0.0)
    for start, _ in arcs:
        length = min(green - (start - begin) % cycle_s for begin, green in arcs)
        if length > best.length_s:
            best = Band(start, length)
    return best


def coordinate(stops: Sequence[Stop], cycle_s: int, *, factor: float = 1.0, weight_out: float = 0.5) -> Coordination:
    """The best offsets found for this cycle; bands are wanted in the ratio of `weight_out` (0 to 1) to the rest.

    Outbound is the direction of growing `position_m`. Raises SignalError for figures that cannot be.
    """
    if not stops or any(not 0 < stop.green_s <= cycle_s for stop in stops):
        raise SignalError(f"greens must be from 1 s to the cycle of {cycle_s} s, and there must be a junction")
    travel = travel_times_s(stops, factor)
    search = _Search(stops, cycle_s, travel, weight_out)
    offsets = max((search.climb(start) for start in search.grown()[:CLIMBED]), key=search.value)
    offsets = [(offset - offsets[0]) % cycle_s for offset in offsets]
    greens = [stop.green_s for stop in stops]
    return Coordination(
        cycle_s,
        factor,
        tuple(offsets),
        band(offsets, greens, travel, cycle_s),
        band(offsets, greens, [-time for time in travel], cycle_s),
        travel,
    )


def best(
    candidates: Sequence[tuple[int, Sequence[Stop]]], factors: Sequence[float], *, weight_out: float = 0.5
) -> Coordination:
    """The most efficient over cycles (each with its greens) and parts of the limit; the first of equals."""
    found = [
        coordinate(stops, cycle_s, factor=factor, weight_out=weight_out)
        for cycle_s, stops in candidates
        for factor in factors
    ]
    return max(found, key=lambda each: round(each.efficiency, 6))


class _Search:
    """Greens as bits of a cycle, one a second, so that a band is a run of ones in their conjunction."""

    def __init__(self, stops: Sequence[Stop], cycle_s: int, travel: Sequence[float], weight_out: float) -> None:
        self.cycle_s = cycle_s
        self.full = (1 << cycle_s) - 1
        self.greens = [(1 << stop.green_s) - 1 for stop in stops]
        self.travel = [round(time) % cycle_s for time in travel]
        self.weight = weight_out

    def value(self, offsets: Sequence[int]) -> float:
        out, back = self._common(offsets, -1)
        return self._value(out, back)

    def grown(self) -> list[list[int]]:
        """Offsets put together from the first junction on, the most promising first."""
        kept = [([0], self.greens[0], self.greens[0])]
        for index in range(1, len(self.greens)):
            found: dict[tuple[int, int], tuple[list[int], int, int]] = {}
            for offsets, out, back in kept:
                for offset in range(self.cycle_s):
                    narrowed = (
                        out & self._green(index, offset - self.travel[index]),
                        back & self._green(index, offset + self.travel[index]),
                    )
                    if narrowed not in found:
                        found[narrowed] = ([*offsets, offset], *narrowed)
            kept = sorted(found.values(), key=lambda each: self._value(each[1], each[2]), reverse=True)[:WIDTH]
        return [offsets for offsets, _, _ in kept]

    def climb(self, offsets: Sequence[int]) -> list[int]:
        """Move one junction after the other to its best offset, until nothing gets better."""
        found, value = list(offsets), self.value(offsets)
        for _ in range(ROUNDS):
            before = value
            for index in range(1, len(found)):
                out, back = self._common(found, index)
                for offset in range(self.cycle_s):
                    tried = self._value(
                        out & self._green(index, offset - self.travel[index]),
                        back & self._green(index, offset + self.travel[index]),
                    )
                    if tried > value:
                        found[index], value = offset, tried
            if value <= before:
                break
        return found

    def _common(self, offsets: Sequence[int], without: int) -> tuple[int, int]:
        """The seconds that are green at all junctions but one, in both directions."""
        out = back = self.full
        for index, offset in enumerate(offsets):
            if index != without:
                out &= self._green(index, offset - self.travel[index])
                back &= self._green(index, offset + self.travel[index])
        return out, back

    def _green(self, index: int, begin_s: int) -> int:
        turned = self.greens[index] << (begin_s % self.cycle_s)
        return (turned | turned >> self.cycle_s) & self.full

    def _value(self, out: int, back: int) -> float:
        """The weighted bands, and how far they are in the ratio of their weights.

        What is green together without being one span counts a little, to climb by.
        """
        shares = ((self.weight, self._run(out)), (1 - self.weight, self._run(back)))
        least = min(run / weight for weight, run in shares if weight > 0)
        return sum(weight * run for weight, run in shares) + least / 2 + (out.bit_count() + back.bit_count()) * 1e-3

    def _run(self, bits: int) -> int:
        """The longest circular run of ones."""
        if bits == self.full:
            return self.cycle_s
        length = 0
        while bits:
            bits &= (bits << 1 | bits >> (self.cycle_s - 1)) & self.full
            length += 1
        return length
