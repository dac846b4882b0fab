"""Signal plans and green waves: how often a programme ran which the table, for the true demand, would have left.

What runs is what was asked for as long as that is valid, else the plan of the time of day (of a corridor: none). The
best one is what the same table, from there and with its hysteresis, chooses for the true flows: at once, with no dwell
time and no limit of switches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from rules.event_traffic import Programme
from rules.traffic.approach import FlowConfig
from rules.traffic.detector_config import DetectorConfig, Heading
from rules.traffic.green_wave import wanted
from rules.traffic.plan_config import Plan, PlanConfig
from rules.traffic.plan_target import Load, overriding, target
from rules.traffic.wave_config import WaveConfig
from simulator.score.course import MINUTE_MS, Course, Span, percent
from simulator.score.hearing import Asked
from simulator.score.truth import NotScored, Truth

MINUTES_AN_HOUR = 60
WAYS = {"ltr": ("demand_ltr",), "rtl": ("demand_rtl",), "": ("demand_ltr", "demand_rtl")}
"""Of a detector's channel the quantities of the truth that count there."""


@dataclass(frozen=True, slots=True)
class ChoiceScore:
    """A control group or a corridor.

    compared_min            minutes in which it is known what ran
    differing               % of them in which another programme ran than the best one
    vehicles_differing      % of the vehicles that met another programme than the best one
    overload, overload_best vehicles above what the plan that ran was meant to serve, and the best one; groups only
    requests, switches      requests heard, and those among them for another programme than the one before
    """

    asset: str
    compared_min: int
    differing_pct: float | None
    vehicles_differing_pct: float | None
    overload_vehicles: float | None
    overload_best_vehicles: float | None
    requests: int
    switches: int


def true_loads(config: FlowConfig, truth: Truth, span: Span) -> Iterator[tuple[int, Load]]:
    """The true flows by direction, minute by minute; raises NotScored."""
    parts = {name: [_courses(each, truth) for each in detectors] for name, detectors in config.approaches}
    names: dict[Heading, tuple[str, ...]] = dict(config.headings)
    for time_ms in range(span.begin_ms, span.end_ms, MINUTE_MS):
        flows = {name: sum(_flow(courses, time_ms) for courses in found) for name, found in parts.items()}
        inbound, outbound = (max((flows[name] for name in names[way]), default=0.0) for way in ("inbound", "outbound"))
        yield time_ms, Load(inbound, outbound)


def score_group(config: PlanConfig, truth: Truth, asked: Sequence[Asked], span: Span) -> ChoiceScore:
    """Hold what a control group was asked for against what the true demand wanted; raises NotScored."""
    if config.refused:
        raise NotScored(f"it is refused: {config.refused[0]}")
    if config.mode == "schedule":
        raise NotScored("its mode is schedule: nothing is ever requested")
    tally, overloads = _Tally(asked), [0.0, 0.0]
    for time_ms, load in true_loads(config.flow, truth, span):
        running = config.plans.get(tally.running(time_ms) or config.schedule.plan_at(time_ms) or "")
        if running is not None:
            best = best_plan(config, running, load, time_ms)
            tally.add(load, right=best is running)
            overloads[0] += overload(running, load) / MINUTES_AN_HOUR
            overloads[1] += overload(best, load) / MINUTES_AN_HOUR
    if not tally.minutes:
        raise NotScored("it has no schedule and nothing was requested: nobody knows what ran")
    return tally.score(config.asset, overloads)


def score_wave(config: WaveConfig, truth: Truth, asked: Sequence[Asked], span: Span) -> ChoiceScore:
    """Hold what a corridor was asked for against what the true demand wanted; raises NotScored."""
    if config.refused:
        raise NotScored(f"it is refused: {config.refused[0]}")
    tally = _Tally(asked)
    for time_ms, load in true_loads(config.flow, truth, span):
        running = cast("Programme", tally.running(time_ms) or "off")
        tally.add(load, right=wanted(config, running, load) == running)
    return tally.score(config.asset, None)


def best_plan(config: PlanConfig, running: Plan, load: Load, time_ms: int) -> Plan:
    """What the table chooses for the true flows while a plan runs: that one where it is good enough."""
    scheduled = config.plans.get(config.schedule.plan_at(time_ms) or "")
    found = target(config, running, load)
    return overriding(scheduled, found) if config.mode == "override" and scheduled is not None else found


def overload(plan: Plan, load: Load) -> float:
    """Vehicles an hour above what a plan is meant to serve, both directions."""
    return max(0.0, load.inbound - plan.serves["inbound"]) + max(0.0, load.outbound - plan.serves["outbound"])


class _Tally:
    """Counts `minutes` and vehicles."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self._asked = Course([(each.time_ms, each) for each in asked])
        self._requests = len(asked)
        self._switches = sum(one.programme != other.programme for one, other in pairwise(asked))
        self.minutes = self._differing = 0
        self._vehicles = self._misled = 0.0

    def running(self, time_ms: int) -> str | None:
        """What was asked for and is valid; None for nothing."""
        asked = self._asked.at(time_ms)
        return asked.programme if asked is not None and time_ms < asked.until_ms else None

    def add(self, load: Load, *, right: bool) -> None:
        """One more minute."""
        vehicles = load.total / MINUTES_AN_HOUR
        self.minutes += 1
        self._vehicles += vehicles
        if not right:
            self._differing += 1
            self._misled += vehicles

    def score(self, asset: str, overloads: Sequence[float] | None) -> ChoiceScore:
        """As figures."""
        ours, theirs = (None, None) if overloads is None else (round(each, 1) for each in overloads)
        return ChoiceScore(
            asset,
            self.minutes,
            percent(self._differing, self.minutes),
            percent(self._misled, self._vehicles),
            ours,
            theirs,
            self._requests,
            self._switches,
        )


def _courses(detector: DetectorConfig, truth: Truth) -> list[Course[float]]:
    ways = WAYS.get(detector.channel)
    if ways is None:
        raise NotScored(f"the truth does not know the channel {detector.channel!r} of {detector.asset}")
    return [truth.of(detector.asset, quantity) for quantity in ways]


def _flow(courses: Sequence[Course[float]], time_ms: int) -> float:
    return sum(course.at(time_ms) or 0.0 for course in courses)
