"""What Stadtfunk is worth on top of each local control: paired over seeds, with what can be said about chance.

A pair is the same traffic (same seed) under the same local control, without and with Stadtfunk. Intervals hold the
mean in 95 of 100 such studies: Student's t over the seeds, two-sided.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, Literal, NamedTuple, TypeAlias

from simulator.sumo.arterial import Control, Demand
from simulator.sumo.loop import Ran
from simulator.sumo.person_delay import Outcome

T_95: Final = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""Quantiles 0.975 of Student's t for 1 to 30 degrees of freedom (Abramowitz and Stegun 1964, table 26.10).

Beyond 30 the last one is used: an interval a little too wide.
"""


class Interval(NamedTuple):
    """A mean and half the width of its interval; `half` is None for a single value, which says nothing of chance."""

    mean: float
    half: float | None

    @property
    def below(self) -> bool:
        """Whether all of it lies below zero."""
        return self.half is not None and self.mean + self.half < 0

    @property
    def above(self) -> bool:
        """Whether all of it lies above zero."""
        return self.half is not None and self.mean - self.half > 0


class Verdict(StrEnum):
    """What Stadtfunk does to the delay of people, as far as the seeds tell it from chance."""

    HELPS = "helps"
    NO_HELP = "no help"
    WORSE = "worse"
    UNKNOWN = "one seed tells nothing"


class Figure(NamedTuple):
    """Something that is compared: the field of an outcome, what it is called, its unit, and its decimals."""

    name: str
    label: str
    unit: str
    decimals: int = 1


FIGURES: Final = (
    Figure("person_delay_s", "delay, all people", "s"),
    Figure("car_delay_s", "in cars", "s"),
    Figure("bus_delay_s", "in buses", "s"),
    Figure("pedestrian_delay_s", "on foot", "s"),
    Figure("cyclist_delay_s", "on bicycles", "s"),
    Figure("stops", "stops a vehicle", "1", 2),
    Figure("throughput_vph", "throughput", "veh/h", 0),
    Figure("switches_per_hour", "plan switches", "1/h"),
    Figure("pedestrians_p95_wait_s", "pedestrians' p95 wait", "s"),
)
Mode: TypeAlias = Literal["active", "shadow"]
DELAY: Final = "person_delay_s"
WAIT: Final = "pedestrians_p95_wait_s"


class Change(NamedTuple):
    """A figure without and with Stadtfunk; `difference` in its unit and `percent` of the one without, both paired.

    `percent` is None where the figure is 0 without.
    """

    without: Interval
    stadtfunk: Interval
    difference: Interval
    percent: Interval | None


class Comparison(NamedTuple):
    """Local control and demand, and what each figure came to; a figure that no run has is left out."""

    demand: Demand
    control: Control
    seeds: tuple[int, ...]
    changes: Mapping[str, Change]

    @property
    def verdict(self) -> Verdict:
        """By the delay of all people."""
        difference = self.changes[DELAY].difference
        if difference.half is None:
            return Verdict.UNKNOWN
        return Verdict.HELPS if difference.below else Verdict.WORSE if difference.above else Verdict.NO_HELP

    @property
    def longer_wait(self) -> bool:
        """Whether pedestrians wait longer, beyond chance."""
        return WAIT in self.changes and self.changes[WAIT].difference.above


def interval(values: Sequence[float]) -> Interval:
    """The mean of the values with its interval."""
    mean = statistics.fmean(values)
    if len(values) == 1:
        return Interval(mean, None)
    t = T_95[min(len(values) - 1, len(T_95)) - 1]
    return Interval(mean, t * statistics.stdev(values) / math.sqrt(len(values)))


def compare(runs: Iterable[Ran]) -> list[Comparison]:
    """All pairs among the runs, by demand and control in the order of their first run; lone ones are left out."""
    found: dict[tuple[Demand, Control], dict[int, dict[bool, Outcome]]] = {}
    for ran in runs:
        run = ran.task.run
        seeds = found.setdefault((run.demand, run.control), {})
        seeds.setdefault(run.seed, {})[ran.task.stadtfunk] = ran.outcome
    comparisons = []
    for (demand, control), seeds in found.items():
        pairs = {seed: (both[False], both[True]) for seed, both in seeds.items() if len(both) == len((False, True))}
        if pairs:
            comparisons.append(Comparison(demand, control, tuple(pairs), _changes(list(pairs.values()))))
    return comparisons


def modes(comparisons: Iterable[Comparison]) -> dict[Control, Mode]:
    """The mode that follows for each local control: active where people lose less time and nobody loses more.

    That is: Stadtfunk helps with one demand at least, is worse with none, and pedestrians wait longer with none.
    """
    found: dict[Control, list[Comparison]] = {}
    for each in comparisons:
        found.setdefault(each.control, []).append(each)
    return {control: "active" if _harmless_help(each) else "shadow" for control, each in found.items()}


def _harmless_help(comparisons: Sequence[Comparison]) -> bool:
    verdicts = {each.verdict for each in comparisons}
    harm = Verdict.WORSE in verdicts or any(each.longer_wait for each in comparisons)
    return Verdict.HELPS in verdicts and not harm


def _changes(pairs: Sequence[tuple[Outcome, Outcome]]) -> dict[str, Change]:
    changes = {}
    for figure in FIGURES:
        values = [(getattr(without, figure.name), getattr(stadtfunk, figure.name)) for without, stadtfunk in pairs]
        known = [(before, after) for before, after in values if before is not None and after is not None]
        if known:
            changes[figure.name] = _change(known)
    return changes


def _change(values: Sequence[tuple[float, float]]) -> Change:
    percent = None
    if all(before > 0 for before, _ in values):
        percent = interval([(after - before) / before * 100 for before, after in values])
    return Change(
        interval([before for before, _ in values]),
        interval([after for _, after in values]),
        interval([after - before for before, after in values]),
        percent,
    )
