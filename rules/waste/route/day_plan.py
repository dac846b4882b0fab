"""A day's tours with what people need to read them: names, reasons, the streets, what the depot said of it.

Times in the problem and its solution are seconds that have passed since `midnight_ms`, the local midnight of the day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from rules.event_route import RouteStatus
from rules.event_waste import DueReason, Obligation
from rules.waste.route.model import Problem
from rules.waste.route.solution import Solution
from rules.waste.words import Words

Line = tuple[tuple[float, float], ...]
"""Streets as (longitude, latitude), as a routing engine draws them."""


class Why(NamedTuple):
    """Why a container is on the day's list: the words of its judgement, and its newest known level in %."""

    obligation: Obligation
    reason: DueReason
    level: float | None
    text_de: str
    text_en: str


@dataclass(frozen=True, slots=True)
class DayPlan:
    """The tours of a day for a fraction.

    `names` and `districts` are those of the places by id; `why` has each container of the problem; `lines` the streets
    of a vehicle's tour where a routing engine gave them. `status_reason` says in German and English why a fallback came
    out, or why the plan was replaced; both empty for a plan that needs no explanation. `fixed_stops` is how many stops
    the day would have in fixed cycles.
    """

    id: str
    day: date
    fraction: str
    timezone: str
    midnight_ms: int
    created_ms: int
    problem: Problem
    solution: Solution
    why: Mapping[str, Why]
    names: Mapping[str, str]
    districts: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, Line] = field(default_factory=dict)
    status: RouteStatus = "proposed"
    status_reason: tuple[str, str] = ("", "")
    confirmed_ms: int | None = None
    warnings: tuple[Words, ...] = ()
    fixed_stops: float = 0.0

    def time_ms(self, second: int) -> int:
        """The instant (ms since 1970) of a time in the problem or its solution."""
        return self.midnight_ms + second * 1000
