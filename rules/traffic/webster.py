"""Cycle and splits of a junction by Webster, for engineering; nothing here switches anything.

Source: F. V. Webster, Traffic Signal Settings, Road Research Technical Paper 39, 1958: C0 = (1.5 L + 5) / (1 − Y),
g_i = (C − L) y_i / Y, and the mean delay as nine tenths of its first two terms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

MAX_LOAD = 0.9
"""The sum of flow ratios up to which the formula is of use."""
MIN_CYCLE_S, MAX_CYCLE_S = 30, 120
LEVELS = ((20.0, "A"), (35.0, "B"), (50.0, "C"), (70.0, "D"))
"""Mean delay in s up to which a level of service holds (HBS 2015, motor vehicles)."""


class SignalError(ValueError):
    """Figures that no signal plan can be made of; the message names them."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: critical flow and saturation flow in vehicles an hour, least green, and the time lost with it in s."""

    name: str
    flow_vph: float
    saturation_vph: float
    min_green_s: int = 5
    lost_s: int = 6
    coordinated: bool = False

    @property
    def ratio(self) -> float:
        """Flow over saturation flow."""
        return self.flow_vph / self.saturation_vph


@dataclass(frozen=True, slots=True)
class Timing:
    """A cycle and what each stage gets of it: begin and length of its green in whole s, saturation, mean delay in s.

    A stage that is saturated has no delay (None).
    """

    cycle_s: int
    begins_s: tuple[int, ...]
    greens_s: tuple[int, ...]
    saturation: tuple[float, ...]
    delays_s: tuple[float | None, ...]

    @property
    def level(self) -> str:
        """The level of service of the worst stage: A to E, F where one is saturated."""
        worst = 0.0
        for delay_s in self.delays_s:
            if delay_s is None:
                return "F"
            worst = max(worst, delay_s)
        return next((level for limit_s, level in LEVELS if worst <= limit_s), "E")


def best_cycle_s(stages: Sequence[Stage], *, most_s: int = MAX_CYCLE_S) -> int:
    """The cycle of least delay, whole s; raises SignalError where the stages ask for more than there is."""
    lost_s, load = sum(stage.lost_s for stage in stages), sum(stage.ratio for stage in stages)
    if not stages:
        raise SignalError("a junction without stages has no cycle")
    if load > MAX_LOAD:
        raise SignalError(f"the flow ratios of its stages add up to {load:.2f}, expected {MAX_LOAD} at most")
    least_s = lost_s + sum(stage.min_green_s for stage in stages)
    if least_s > most_s:
        raise SignalError(f"least greens and lost times add up to {least_s} s, expected {most_s} s at most")
    return min(most_s, max(MIN_CYCLE_S, least_s, ceil((1.5 * lost_s + 5) / (1 - load))))


def timing(stages: Sequence[Stage], cycle_s: int) -> Timing:
    """The splits of this cycle by flow ratios, no green below its least; raises SignalError where they do not fit."""
    free_s = cycle_s - sum(stage.lost_s for stage in stages)
    if free_s < sum(stage.min_green_s for stage in stages):
        raise SignalError(f"a cycle of {cycle_s} s is shorter than its least greens and lost times")
    greens = _rounded(_split(stages, free_s), free_s)
    begins, begin_s = [], 0
    for stage, green_s in zip(stages, greens, strict=True):
        begins.append(begin_s)
        begin_s += green_s + stage.lost_s
    degrees = [
        stage.flow_vph * cycle_s / (green_s * stage.saturation_vph)
        for stage, green_s in zip(stages, greens, strict=True)
    ]
    delays = [
        _delay_s(stage, cycle_s, green_s, degree)
        for stage, green_s, degree in zip(stages, greens, degrees, strict=True)
    ]
    return Timing(cycle_s, tuple(begins), tuple(greens), tuple(degrees), tuple(delays))


def _split(stages: Sequence[Stage], free_s: int) -> list[float]:
    """Greens in proportion to the flow ratios; stages below their least green get just that."""
    fixed: set[int] = set()
    while True:
        rest_s = free_s - sum(stages[index].min_green_s for index in fixed)
        load = sum(stage.ratio for index, stage in enumerate(stages) if index not in fixed)
        count = len(stages) - len(fixed)
        greens = [
            stage.min_green_s if index in fixed else rest_s * (stage.ratio / load if load else 1 / count)
            for index, stage in enumerate(stages)
        ]
        short = {index for index, stage in enumerate(stages) if greens[index] < stage.min_green_s} - fixed
        if not short:
            return greens
        fixed |= short


def _rounded(greens: Sequence[float], total_s: int) -> list[int]:
    """Whole seconds with the same sum; the largest remainders are rounded up."""
    whole = [int(green) for green in greens]
    order = sorted(range(len(greens)), key=lambda index: whole[index] - greens[index])
    for index in order[: total_s - sum(whole)]:
        whole[index] += 1
    return whole


def _delay_s(stage: Stage, cycle_s: int, green_s: int, degree: float) -> float | None:
    if degree >= 1:
        return None
    share = green_s / cycle_s
    uniform_s = cycle_s * (1 - share) ** 2 / (2 * (1 - share * degree))
    flow = stage.flow_vph / 3600
    return 0.9 * (uniform_s + (degree**2 / (2 * flow * (1 - degree)) if flow else 0.0))
