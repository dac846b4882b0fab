"""A proposal for the signal plans of a road: cycle, splits and offsets for an engineer to check.

The common cycle is the longest that a junction needs by Webster, or longer where that coordinates better; progression
is never faster than the posted limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rules.traffic.maxband import Coordination, Stop, best
from rules.traffic.webster import MAX_CYCLE_S, SignalError, Stage, Timing, best_cycle_s, timing

SLOWEST = 0.8
"""Part of the limit below which drivers do not follow a progression."""
FACTORS = (1.0, 0.95, 0.9, 0.85, SLOWEST)
LONGER = 1.2
"""How much longer than needed a cycle may be for better coordination."""
STEP_S = 5


@dataclass(frozen=True, slots=True)
class Junction:
    """A junction on the road; `limit_kmh` is the posted limit on the way from the one before."""

    name: str
    position_m: float
    limit_kmh: float
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Timings by junction, in their order, and how they are coordinated."""

    junctions: tuple[Junction, ...]
    timings: tuple[Timing, ...]
    stops: tuple[Stop, ...]
    coordination: Coordination


def propose(
    junctions: Sequence[Junction], *, cycle_s: int | None = None, weight_out: float = 0.5, most_s: int = MAX_CYCLE_S
) -> Proposal:
    """The best found; raises SignalError naming the junction whose figures do not fit."""
    needed_s = max((_needed_s(junction, most_s) for junction in junctions), default=0)
    if cycle_s is not None and cycle_s < needed_s:
        raise SignalError(f"a cycle of {cycle_s} s is too short, expected {needed_s} s at least")
    cycles = [cycle_s] if cycle_s is not None else _cycles(needed_s, most_s)
    timings = {each: tuple(timing(junction.stages, each) for junction in junctions) for each in cycles}
    candidates = [(each, _stops(junctions, timings[each])) for each in cycles]
    found = best(candidates, FACTORS, weight_out=weight_out)
    chosen = timings[found.cycle_s]
    return Proposal(tuple(junctions), chosen, _stops(junctions, chosen), found)


def _needed_s(junction: Junction, most_s: int) -> int:
    if sum(stage.coordinated for stage in junction.stages) != 1:
        raise SignalError(f"junction {junction.name}: expected one coordinated stage, that of the road")
    try:
        return best_cycle_s(junction.stages, most_s=most_s)
    except SignalError as error:
        raise SignalError(f"junction {junction.name}: {error}") from error


def _cycles(needed_s: int, most_s: int) -> list[int]:
    begin_s = -(-needed_s // STEP_S) * STEP_S
    return list(range(begin_s, min(most_s, round(needed_s * LONGER)) + 1, STEP_S)) or [needed_s]


def _stops(junctions: Sequence[Junction], timings: Sequence[Timing]) -> tuple[Stop, ...]:
    return tuple(
        Stop(junction.name, junction.position_m, _green_s(junction, found), junction.limit_kmh)
        for junction, found in zip(junctions, timings, strict=True)
    )


def _green_s(junction: Junction, found: Timing) -> int:
    return next(green_s for stage, green_s in zip(junction.stages, found.greens_s, strict=True) if stage.coordinated)
