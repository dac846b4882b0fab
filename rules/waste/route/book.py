"""What happens to the plans of a day and a fraction, written down one by one: plans as they are then, and events."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from rules.event_route import RoutePlanned
from rules.waste.route.in_force import Held
from rules.waste.route.record import PlanRecord, TourRecord
from rules.waste.route.route_event import event_of, name_of
from rules.waste.route.ties import together
from rules.waste.words import Words


class LifeError(Exception):
    """What cannot be done with a plan; the message says why."""


class Change(NamedTuple):
    """Plans as they are now, and what is said; both empty when nothing changes."""

    plans: tuple[PlanRecord, ...] = ()
    events: tuple[RoutePlanned, ...] = ()


NOTHING = Change()


class Book:
    """The plans of a day and a fraction while one thing happens to them."""

    def __init__(self, plans: Sequence[PlanRecord], now_ms: int) -> None:
        self._plans = {plan.id: plan for plan in plans}
        self._order = [plan.id for plan in plans]
        self._changed: dict[str, None] = {}
        self._events: list[RoutePlanned] = []
        self._now_ms = now_ms

    @property
    def plans(self) -> list[PlanRecord]:
        """All of them as they are now, in the order of their making."""
        return [self._plans[name] for name in self._order]

    def plan(self, name: str) -> PlanRecord:
        """The plan of this id as it is now; raises LifeError."""
        found = self._plans.get(name)
        if found is None:
            raise LifeError(f"no plan {name}")
        return found

    def add(self, plan: PlanRecord) -> None:
        """A new plan, or one that is now like this."""
        if plan.id not in self._plans:
            self._order.append(plan.id)
        self._plans[plan.id] = plan
        self._changed[plan.id] = None

    def turn(self, plan: str, tour: TourRecord) -> None:
        """The tour is now like this."""
        self.add(self._plans[plan].with_tours({tour.vehicle: tour}))

    def say(self, plan: str, tour: TourRecord, in_force: str | None = None) -> None:
        """The tour is now like this, and its vehicle is told."""
        told = self._plans[plan]
        tour = replace(tour, event_id=name_of(told, tour, self._now_ms))
        self.turn(plan, tour)
        also = together(self.plans, told, {tour.vehicle}) - {tour.vehicle} if tour.open else ()
        self._events.append(event_of(told, tour, self._now_ms, in_force, tuple(sorted(also))))

    def withdraw(self, held: Held, why: Words, *, aloud: bool) -> None:
        """The tour is no more; `aloud` where no other word about its vehicle follows."""
        gone = replace(held.tour, status="withdrawn", reason=why, rejected="")
        (self.say if aloud and gone.visits else self.turn)(held.plan.id, gone)

    def others(self, name: str) -> list[Held]:
        """The tours of all other plans that are not withdrawn."""
        return [
            Held(plan, tour)
            for plan in self.plans
            if plan.id != name
            for tour in plan.tours
            if tour.status != "withdrawn"
        ]

    def change(self) -> Change:
        """All that was written down."""
        return Change(tuple(self._plans[name] for name in self._changed), tuple(self._events))
