"""What holds when a plan is to be made: tours in force, what is emptied, who is under way, who is gone."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ingest.journal import Journal
from ingest.routes import store
from ingest.routes.day import Request
from ingest.routes.feedback import done
from ingest.settings_routes import RoutesSettings
from rules.city import City
from rules.waste.route import life
from rules.waste.route.crew import UnderWay
from rules.waste.route.fleet import vehicles_in
from rules.waste.route.in_force import Held
from rules.waste.route.model import Order, Vehicle
from rules.waste.route.progress import ahead, under_way
from rules.waste.route.record import PlanRecord
from rules.waste.route.service_day import ServiceDay


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be planned, with which city and settings; `vehicles` are those that are there for the fraction."""

    day: ServiceDay
    fraction: str
    vehicles: tuple[Vehicle, ...]
    city: City
    settings: RoutesSettings


@dataclass(frozen=True, slots=True)
class Before:
    """What holds when planning begins: tours in force, what is emptied, who is gone, who has another tour."""

    plans: Sequence[PlanRecord]
    held: Mapping[str, Held]
    served: frozenset[str]
    gone: frozenset[str]
    taken: frozenset[str]

    def there(self, wanted: Wanted) -> list[Vehicle]:
        """The vehicles that have no other tour."""
        return [one for one in wanted.vehicles if one.id not in self.taken | self.gone]

    def orders(self) -> tuple[Order, ...]:
        """What the new plan starts from."""
        left = (
            Order(vehicle, ahead(held.tour, self.served))
            for vehicle, held in self.held.items()
            if vehicle not in self.gone
        )
        return tuple(order for order in left if order.places)

    def under_way(self, wanted: Wanted, now_ms: int) -> dict[str, UnderWay]:
        """The vehicles that are on their tour."""
        now_s = (now_ms - wanted.day.midnight_ms) // 1000
        reloads = {vehicle.id: vehicle.max_reloads for vehicle in wanted.vehicles}
        found = {
            name: under_way(held.tour, self.served, now_s, reloads[name])
            for name, held in self.held.items()
            if name in reloads and name not in self.gone | self.taken
        }
        return {name: where for name, where in found.items() if where is not None and where.place in wanted.city.assets}


async def look_before(journal: Journal, wanted: Wanted, now_ms: int) -> Before:
    """What the journal says now; raises JournalError."""
    day, midnight_ms = wanted.day.date, wanted.day.midnight_ms
    known = await journal.query(lambda connection: store.of_day(connection, day))
    last = next((plan for plan in reversed(known) if plan.fraction == wanted.fraction), None)  # withdrawn or not
    plans = [plan for plan in known if plan.status != "withdrawn"]
    mine = [plan for plan in plans if plan.fraction == wanted.fraction]
    held = life.standing(mine)
    here = {asset.id for asset in vehicles_in(wanted.city)}
    emptied = frozenset[str]()
    if now_ms > midnight_ms:
        emptied = await journal.query(lambda connection: done(connection, midnight_ms, now_ms + 1))
    return Before(
        plans=mine,
        held=held,
        served=emptied,
        gone=frozenset(last.unavailable if last is not None else ()) | (held.keys() - here),
        taken=on_tour(plan for plan in plans if plan.fraction != wanted.fraction),
    )


def request_of(wanted: Wanted, before: Before, now_ms: int, without: frozenset[str] = frozenset()) -> Request:
    """A plan for what is still to be done, from the tours in force; `without` are containers to be passed over."""
    orders = before.orders()
    return Request(
        day=wanted.day.date,
        fraction=wanted.fraction,
        vehicles=tuple(vehicle.id for vehicle in wanted.vehicles),
        seed=wanted.settings.seed,
        skip_invalid=True,
        previous=orders,
        cost_per_change=wanted.settings.cost_per_change if orders else 0,
        without=before.served | without,
        unavailable=before.gone | before.taken,
        under_way=before.under_way(wanted, now_ms),
    )


def by_fraction(plans: Iterable[PlanRecord]) -> dict[str, list[PlanRecord]]:
    """The plans of a day, apart."""
    found: dict[str, list[PlanRecord]] = {}
    for plan in plans:
        found.setdefault(plan.fraction, []).append(plan)
    return found


def elsewhere(connection: sqlite3.Connection, plan: PlanRecord) -> frozenset[str]:
    """The vehicles of this plan's tours that have one of another fraction by now: it was made beside that one."""
    others = (one for one in store.live(connection, plan.day) if one.fraction != plan.fraction)
    return on_tour(others) & {tour.vehicle for tour in plan.tours if tour.visits}


def on_tour(plans: Iterable[PlanRecord]) -> frozenset[str]:
    """The vehicles that have a tour in plans of a day, whatever the fraction."""
    held = (one for group in by_fraction(plans).values() for one in life.standing(group).values())
    return frozenset(one.tour.vehicle for one in held if one.tour.visits)
