"""Which vehicles other plans of a day have."""

from dataclasses import replace
from datetime import date

from ingest.routes.engaged import Engaged, engaged
from rules.waste.route.record import PlanRecord, TourRecord
from rules.waste.route.solution import Visit
from tests.rules.waste.route.cities import HOUR_MS, MONDAY

DAY = date(2026, 9, 14)
HALT = Visit("bin-1", "stop", 1000, 25_200, 25_200, 25_440, 100, 1000)


def plan(fraction: str, *vehicles: str, stays: tuple[str, ...] = (), **changed: object) -> PlanRecord:
    """A plan of a day whose tours depart at seven; some of its vehicles stay."""
    tours = (
        *(TourRecord(name, 50_000, places=("bin-1",), visits=(HALT,), departs_s=25_200) for name in vehicles),
        *(TourRecord(name, 50_000) for name in stays),
    )
    made = PlanRecord(
        f"plan-{fraction}", DAY, fraction, "Europe/Berlin", MONDAY, MONDAY, "frozen", drivable=False, tours=tours
    )
    return replace(made, **changed)  # type: ignore[arg-type] # any field


def test_vehicles_on_tours_of_other_fractions_are_taken() -> None:
    """Those of the fraction that is planned again are not, nor are vehicles that stay."""
    plans = [plan("paper", "truck-1", stays=("truck-3",)), plan("glass", "truck-2")]
    assert engaged(plans, {"paper"}, MONDAY) == Engaged(taken=frozenset({"truck-2"}))
    assert engaged(plans, {"paper", "glass"}, MONDAY) == Engaged()
    assert engaged(plans, {"residual"}, MONDAY).taken == {"truck-1", "truck-2"}
    assert engaged([], {"paper"}, MONDAY) == Engaged()


def test_a_withdrawn_tour_takes_nobody() -> None:
    """What is no more counts no more."""
    made = plan("glass", "truck-2")
    gone = made.with_tours({"truck-2": replace(made.tours[0], status="withdrawn")})
    assert engaged([gone], {"paper"}, MONDAY) == Engaged()


def test_vehicles_that_dropped_out_are_gone_for_all() -> None:
    """By the newest plan of each fraction."""
    older = plan("glass", "truck-1", id="older", unavailable=("truck-9",))
    newer = plan("glass", "truck-1", unavailable=("truck-2",))
    assert engaged([older, newer], {"glass"}, MONDAY).gone == {"truck-2"}


def test_tours_that_have_begun_are_told() -> None:
    """From the departure of the first on; their vehicles are taken, also by the fraction's own plan."""
    plans = [plan("paper", "truck-1"), plan("glass", "truck-2")]
    assert engaged(plans, {"paper"}, MONDAY + 7 * HOUR_MS - 1).begun == frozenset()
    begun = engaged(plans, {"paper"}, MONDAY + 7 * HOUR_MS)
    assert begun == Engaged(taken=frozenset({"truck-1", "truck-2"}), begun=frozenset({"paper"}))
