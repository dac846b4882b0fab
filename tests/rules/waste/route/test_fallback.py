"""What comes out where nothing could be planned."""

from dataclasses import replace
from datetime import date, timedelta

from rules.waste.route.day_plan import Why
from rules.waste.route.fallback import Gap, fallback, last_confirmed
from rules.waste.route.in_force import Held
from rules.waste.route.record import PlanRecord
from rules.waste.route.service_day import ServiceDay
from rules.waste.words import Words
from tests.rules.waste.route.instances import HOUR_S
from tests.rules.waste.route.plans import STOPS, TIMEZONE, TUESDAY, Tours, evening_ms, plan

TOURS: Tours = {"truck-1": ("bin-0", "bin-1"), "truck-2": ("bin-2", "bin-3")}
NEXT = TUESDAY + timedelta(days=7)
WHY = Words("kein Löser", "no solver")
KNOWN = {stop.id for stop in STOPS} | {"site", "depot"}


def driven(day: date = TUESDAY, name: str = "p1", tours: Tours = TOURS) -> PlanRecord:
    """A plan that was confirmed."""
    made = plan(tours, name, day=day)
    return replace(
        made, tours=tuple(replace(tour, status="confirmed", confirmed_ms=evening_ms(day)) for tour in made.tours)
    )


def gap(**changed: object) -> Gap:
    """A Tuesday without a plan."""
    shifts = {"truck-1": 14 * HOUR_S, "truck-2": 14 * HOUR_S}
    midnight_ms = ServiceDay(NEXT, TIMEZONE).midnight_ms
    return replace(Gap(NEXT, "paper", TIMEZONE, midnight_ms, shifts, KNOWN, WHY), **changed)  # type: ignore[arg-type] # tests' own


def last(record: PlanRecord) -> dict[str, Held]:
    """Its tours as the last confirmed ones."""
    return {tour.vehicle: Held(record, tour) for tour in record.tours}


def test_each_vehicle_drives_its_last_confirmed_tour() -> None:
    """As a fallback that names the day it is of, and the reason; nothing of it counts as confirmed."""
    made = fallback(gap(), last(driven()), evening_ms(NEXT))
    assert (made.status, made.origin, made.day, made.failure.en) == ("fallback", "fallback", NEXT, "no solver")
    assert {tour.vehicle: tour.stops for tour in made.tours} == TOURS
    assert {tour.confirmed_ms for tour in made.tours} == {None}
    assert made.tours[0].reason == (
        "letzte bestätigte Tour vom Di 24.11.2026; kein Löser",
        "last confirmed tour, of Tue 24 Nov 2026; no solver",
    )


def test_what_is_there_no_more_is_left_out() -> None:
    """Containers that the city no longer has, vehicles that it no longer has, and what an earlier tour has already."""
    both = driven(tours={"truck-1": ("bin-0", "bin-1"), "truck-2": ("bin-3", "bin-2")})
    older = driven(tours={"truck-2": ("bin-1", "bin-4")})
    held = {"truck-1": last(both)["truck-1"], "truck-2": last(older)["truck-2"], "truck-9": last(both)["truck-2"]}
    made = fallback(gap(known=KNOWN - {"bin-0"}), held, evening_ms(NEXT))
    assert {tour.vehicle: tour.stops for tour in made.tours} == {"truck-1": ("bin-1",), "truck-2": ("bin-4",)}
    assert made.tours[1].places == ("bin-4",)


def test_what_is_due_and_on_no_tour_is_told() -> None:
    """With the reason; a container that is on a tour has today's words, others none."""
    due = {
        "bin-0": Why("mandatory", "forecast_full", 90.0, "voll", "full"),
        "bin-7": Why("mandatory", "forecast_full", 90.0, "voll", "full"),
        "bin-6": Why("optional", "worthwhile", 60.0, "", ""),
    }
    made = fallback(gap(due=due), last(driven()), evening_ms(NEXT))
    assert made.unserved == (("bin-7", "not_planned", gap().why),)
    assert made.mandatory == ("bin-0", "bin-7")
    assert made.why == {"bin-0": due["bin-0"]}


def test_a_vehicle_of_which_nothing_is_known_is_told_so() -> None:
    """It has a tour without stops, with the reason."""
    made = fallback(gap(), {"truck-1": last(driven())["truck-1"]}, evening_ms(NEXT))
    assert [tour.stops for tour in made.tours] == [("bin-0", "bin-1"), ()]
    assert made.tours[1].reason.en == "no confirmed tour is known, nothing planned; no solver"


def test_the_last_confirmed_tour_is_that_of_the_same_weekday() -> None:
    """Else the newest; never one that was only proposed, one changed during the day, or one of that day or later."""
    tuesday, monday = driven(TUESDAY, "tue"), driven(TUESDAY + timedelta(days=6), "mon")
    found = last_confirmed([monday, tuesday], "truck-1", NEXT)
    assert found is not None
    assert found.plan.id == "tue"
    found = last_confirmed([monday, tuesday], "truck-1", NEXT + timedelta(days=1))
    assert found is not None
    assert found.plan.id == "mon"
    proposed = plan(TOURS, day=TUESDAY)
    changed = replace(tuesday, origin="replanned")
    for others in ([], [proposed], [changed], [driven(NEXT)], [driven(NEXT + timedelta(days=1))]):
        assert last_confirmed(others, "truck-1", NEXT) is None


def test_a_tour_that_was_confirmed_and_replaced_later_counts() -> None:
    """Also when it is withdrawn by now: it was in force once."""
    tuesday = driven()
    replaced = replace(tuesday, tours=tuple(replace(tour, status="withdrawn") for tour in tuesday.tours))
    found = last_confirmed([replaced], "truck-1", NEXT)
    assert found is not None
    assert found.tour.stops == TOURS["truck-1"]
