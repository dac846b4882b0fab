"""Tours that belong together: a newer plan moves a stop from one vehicle's confirmed tour to another vehicle.

Were only one of the two confirmed, the stop would be on both tours, or on none.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from rules.waste.route.in_force import standing
from rules.waste.route.record import PlanRecord


class Tie(NamedTuple):
    """A container that leaves the confirmed tour of `giver` for that of `taker`."""

    place: str
    giver: str
    taker: str


def ties(plans: Sequence[PlanRecord], plan: PlanRecord) -> list[Tie]:
    """What this one of the plans of a day and a fraction moves between vehicles, against what is confirmed."""
    before = standing(one for one in plans if one.id != plan.id)
    confirmed = [held.tour for held in before.values() if held.tour.status == "confirmed"]
    had = {place: tour.vehicle for tour in confirmed for place in tour.stops}
    return [
        Tie(place, had[place], tour.vehicle)
        for tour in plan.tours
        if tour.status != "withdrawn"
        for place in tour.stops
        if had.get(place, tour.vehicle) != tour.vehicle
    ]


def together(plans: Sequence[PlanRecord], plan: PlanRecord, vehicles: Collection[str]) -> frozenset[str]:
    """These vehicles, and all others of the plan whose tours have to be confirmed with theirs.

    The confirmed tour of a vehicle that has none in the plan ends with the whole of it, so all belong together then.
    """
    waiting = frozenset(tour.vehicle for tour in plan.tours if tour.open)
    groups = [
        frozenset({tie.giver, tie.taker}) & waiting if tie.giver in waiting else waiting for tie in ties(plans, plan)
    ]
    found = frozenset(vehicles)
    while (more := found.union(*(group for group in groups if group & found))) != found:
        found = more
    return found
