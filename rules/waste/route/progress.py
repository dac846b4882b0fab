"""How far a tour has come, by the containers that are emptied already."""

from collections.abc import Collection

from rules.waste.route.crew import UnderWay
from rules.waste.route.model import Load
from rules.waste.route.record import TourRecord


def ahead(tour: TourRecord, served: Collection[str]) -> tuple[str, ...]:
    """What lies ahead on a tour; unloading before the first stop is no matter of the plan any more."""
    stops = frozenset(tour.stops)
    left = [place for place in tour.places if place not in served]
    first = next((number for number, place in enumerate(left) if place in stops), len(left))
    return tuple(left[first:])


def same(before: TourRecord, after: TourRecord, served: Collection[str], *, in_any_order: bool) -> bool:
    """Whether as much lies ahead on both; where the order is no matter the stops, and how often is unloaded."""
    first, second = ahead(before, served), ahead(after, served)
    return first == second or (in_any_order and sorted(first) == sorted(second))


def under_way(tour: TourRecord, served: Collection[str], now_s: int, reloads: int) -> UnderWay | None:
    """Where the vehicle was last and what it holds, by its plan; None while it is in the depot.

    `reloads` are those that it has in the morning. Whether the break was taken nobody tells: it is still to come.
    """
    if now_s < tour.departs_s:
        return tour.began
    done = [number for number, visit in enumerate(tour.visits) if visit.kind == "stop" and visit.place in served]
    if not done:
        return tour.began
    last = tour.visits[done[-1]]
    before = reloads if tour.began is None or tour.began.max_reloads is None else tour.began.max_reloads
    unloaded = sum(visit.kind == "unload" for visit in tour.visits[: done[-1]])
    return UnderWay(last.place, Load(last.load_kg, last.load_l), max_reloads=max(0, before - unloaded))
