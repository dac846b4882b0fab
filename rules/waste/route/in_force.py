"""Which tour of a vehicle holds."""

from collections.abc import Iterable
from typing import NamedTuple

from rules.waste.route.record import PlanRecord, TourRecord


class Held(NamedTuple):
    """The tour in force of a vehicle, and the plan it belongs to."""

    plan: PlanRecord
    tour: TourRecord


def standing(plans: Iterable[PlanRecord]) -> dict[str, Held]:
    """The tours in force, by vehicle; the plans in the order of their making."""
    found: dict[str, Held] = {}
    for plan in plans:
        for tour in plan.tours:
            before = found.get(tour.vehicle)
            if tour.status == "confirmed" or (tour.open and (before is None or before.tour.open)):
                found[tour.vehicle] = Held(plan, tour)
    return found
