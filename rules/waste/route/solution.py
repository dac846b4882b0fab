"""What comes out of planning; units as in `rules.waste.route.model`."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from rules.waste.route.model import Order
from rules.waste.words import Words

Reason = Literal["invalid", "no_vehicle", "no_room", "not_worth_it", "not_planned"]
"""Why a stop is on no tour; `not_planned`: a tour of another day stands in for a plan."""
Kind = Literal["stop", "unload", "home"]


class Visit(NamedTuple):
    """A halt: `metres` driven to it, load when it is left."""

    place: str
    kind: Kind
    metres: int
    arrival_s: int
    start_s: int
    end_s: int
    load_kg: int
    load_l: int


class Cost(NamedTuple):
    """The objective, in millionths of a euro: what the tours cost, and what weighs against leaving out and changing."""

    fixed: int = 0
    distance: int = 0
    time: int = 0
    lost_prizes: int = 0
    unserved: int = 0
    changes: int = 0

    @property
    def total(self) -> int:
        """The sum that was minimised."""
        return sum(self)

    @property
    def cents(self) -> int:
        """What the tours cost, without weights, rounded half up."""
        return (self.fixed + self.distance + self.time + 5_000) // 10_000


@dataclass(frozen=True, slots=True)
class Tour:
    """A vehicle's day; from `departs_s`, the latest start that ends it no later."""

    vehicle: str
    departs_s: int
    visits: tuple[Visit, ...]
    metres: int
    seconds: int
    wait_s: int
    cost: Cost
    notes: tuple[Words, ...] = ()
    violations: tuple[Words, ...] = ()


class Unserved(NamedTuple):
    """A stop that is left out, and why."""

    stop: str
    reason: Reason
    detail: Words


@dataclass(frozen=True, slots=True)
class Solution:
    """A plan as the evaluator sees it.

    `bound` is a cost that no plan undercuts, `previous_cost` that of the previous plan where it still can be driven.
    """

    tours: tuple[Tour, ...]
    unserved: tuple[Unserved, ...]
    cost: Cost
    orders: tuple[Order, ...]
    drivable: bool
    violations: tuple[Words, ...] = ()
    bound: int = 0
    previous_cost: int | None = None
    iterations: int = 0
    notes: tuple[Words, ...] = ()

    @property
    def title(self) -> str:
        """What may be done with it: without a routing engine nobody drives by it, and no arrival time is promised."""
        return "Tours" if self.drivable else "Order of stops, not for driving"

    @property
    def gap(self) -> float | None:
        """How far the cost lies above the bound at most, as its share; None if a mandatory stop is left out."""
        if self.cost.unserved:
            return None
        return (self.cost.total - self.bound) / self.cost.total if self.cost.total else 0.0

    @property
    def gap_to_previous(self) -> float | None:
        """How far the cost lies above that of the previous plan (below: negative), as a share of that."""
        return (self.cost.total - self.previous_cost) / self.previous_cost if self.previous_cost else None
