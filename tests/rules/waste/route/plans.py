"""Made-up plans of a day for the tests of what becomes of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from rules.waste.route.day_plan import DayPlan, Why
from rules.waste.route.evaluate import evaluate
from rules.waste.route.model import Order
from rules.waste.route.record import Origin, PlanRecord, record_of
from rules.waste.route.service_day import ServiceDay
from tests.rules.waste.route.instances import problem, stop, vehicle

TIMEZONE = "Europe/Berlin"
TUESDAY = date(2026, 11, 24)
STOPS = tuple(
    stop(f"bin-{number}", latitude=51.68 + number / 200, prize=5_000_000 if number > 4 else None) for number in range(8)
)
VEHICLES = (vehicle("truck-1"), vehicle("truck-2"))
Tours = Mapping[str, tuple[str, ...]]


def evening_ms(day: date = TUESDAY) -> int:
    """18:00 of the evening before."""
    return ServiceDay(day - timedelta(days=1), TIMEZONE).midnight_ms + 18 * 3_600_000


def day_plan(tours: Tours, name: str = "p1", *, day: date = TUESDAY, drivable: bool = False, **of_plan: int) -> DayPlan:
    """A plan with these stops by vehicle, in order."""
    made = problem(STOPS, VEHICLES, drivable=drivable)
    solution = evaluate(made, [Order(truck, places) for truck, places in tours.items()])
    why = {
        one.id: Why("mandatory" if one.prize is None else "optional", "forecast_full", 80.0, f"voll {one.id}", one.id)
        for one in STOPS
    }
    return DayPlan(
        id=name,
        day=day,
        fraction="paper",
        timezone=TIMEZONE,
        midnight_ms=ServiceDay(day, TIMEZONE).midnight_ms,
        created_ms=of_plan.get("created_ms", evening_ms(day)),
        problem=made,
        solution=solution,
        why=why,
        names={one.id: f"Behälter {one.id}" for one in STOPS},
    )


def plan(tours: Tours, name: str = "p1", *, origin: Origin = "frozen", **given: object) -> PlanRecord:
    """The same as it is kept; `unavailable` are vehicles that dropped out, without a tour in it."""
    unavailable = given.pop("unavailable", ())
    record = record_of(day_plan(tours, name, **given), origin, unavailable)  # type: ignore[arg-type] # the tests' own shorthand
    return replace(record, tours=tuple(tour for tour in record.tours if tour.vehicle not in record.unavailable))
