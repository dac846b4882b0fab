"""Which vehicles other plans of a day have, when a person makes one more."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from rules.waste.route import life
from rules.waste.route.in_force import Held
from rules.waste.route.record import PlanRecord


class Engaged(NamedTuple):
    """Vehicles on tours of other fractions, vehicles that dropped out, and fractions whose tours have begun."""

    taken: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    begun: frozenset[str] = frozenset()


def engaged(plans: Iterable[PlanRecord], fractions: Collection[str], now_ms: int) -> Engaged:
    """What stands in plans of a day, in the order of their making, against new ones for these fractions."""
    by_fraction: dict[str, list[PlanRecord]] = {}
    for plan in plans:
        by_fraction.setdefault(plan.fraction, []).append(plan)
    taken, gone, begun = set[str](), set[str](), set[str]()
    for fraction, group in by_fraction.items():
        driving = [held for held in life.standing(group).values() if held.tour.visits]
        if any(_has_begun(held, now_ms) for held in driving):
            begun.add(fraction)
        if fraction not in fractions or fraction in begun:
            taken |= {held.tour.vehicle for held in driving}
        gone |= set(group[-1].unavailable)
    return Engaged(frozenset(taken), frozenset(gone), frozenset(begun & set(fractions)))


def _has_begun(held: Held, now_ms: int) -> bool:
    return now_ms >= held.plan.midnight_ms + held.tour.departs_s * 1000
