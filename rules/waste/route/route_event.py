"""The events `RoutePlanned` of a plan: one for each vehicle, also for those that stay."""

from collections.abc import Iterator, Sequence
from typing import Final

from rules.event import SOURCE_ROOT, Evidence, event_id, instant
from rules.event_route import Halt, LeftOut, RoutePlanned, RoutePlannedData
from rules.waste.route.day_plan import DayPlan
from rules.waste.route.record import PlanRecord, TourRecord, record_of
from rules.waste.route.route_text import clipped, text_of
from rules.waste.route.solution import Visit

ID: Final = "waste.route_planned"
VERSION: Final = 1
SOURCE: Final = f"{SOURCE_ROOT}/{ID}"
LEVEL: Final = "fill_level"


def events(plan: DayPlan, now_ms: int | None = None) -> tuple[RoutePlanned, ...]:
    """What is said of a plan at this time (ms since 1970), the time of its making where none is given."""
    record = record_of(plan)
    return tuple(event_of(record, tour, plan.created_ms if now_ms is None else now_ms) for tour in record.tours)


def name_of(plan: PlanRecord, tour: TourRecord, now_ms: int) -> str:
    """The id of the event that says this of a vehicle at this time."""
    return event_id(ID, tour.vehicle, tour.status, f"{plan.id} {now_ms}")


def event_of(
    plan: PlanRecord, tour: TourRecord, now_ms: int, in_force: str | None = None, confirm_with: Sequence[str] = ()
) -> RoutePlanned:
    """The event of a vehicle's tour, valid until the end of the shift.

    `in_force` is the event of a confirmed tour that holds until this one is confirmed, `confirm_with` the vehicles
    whose tours have to be confirmed with it.
    """
    withdrawn, drivable = tour.status == "withdrawn", plan.drivable
    timed = drivable and bool(tour.visits) and not withdrawn
    text = text_of(plan, tour, in_force=in_force is not None, confirm_with=confirm_with)
    return RoutePlanned(
        id=name_of(plan, tour, now_ms),
        source=SOURCE,
        subject=tour.vehicle,
        time=instant(now_ms),
        data=RoutePlannedData(
            rule=ID,
            rule_version=VERSION,
            valid_until=instant(plan.time_ms(tour.until_s)),
            evidence=() if withdrawn else tuple(_evidence(plan, tour)),
            plan=plan.id,
            status=tour.status,
            day=plan.day,
            fraction=plan.fraction,
            drivable=drivable,
            departs=instant(plan.time_ms(tour.departs_s)) if timed else None,
            halts=() if withdrawn else tuple(_halt(plan, visit) for visit in tour.visits),
            distance=0 if withdrawn else tour.metres,
            fixed_distance=None if withdrawn else plan.fixed_metres(tour),
            duration=tour.seconds if timed else None,
            left_out=tuple(_left_out(plan, tour)),
            left_out_in=plan.speaker or None,
            confirmed_at=None if tour.confirmed_ms is None else instant(tour.confirmed_ms),
            in_force=in_force,
            confirm_with=tuple(confirm_with),
            text_de=text.de,
            text_en=text.en,
        ),
    )


def _halt(plan: PlanRecord, visit: Visit) -> Halt:
    why = plan.why.get(visit.place) if visit.kind == "stop" else None
    return Halt(
        place=visit.place,
        kind=visit.kind,
        mandatory=visit.kind == "stop" and visit.place in plan.mandatory,
        arrival=instant(plan.time_ms(visit.arrival_s)) if plan.drivable else None,
        load_mass=visit.load_kg,
        load_volume=visit.load_l,
        text_de=clipped(why.text_de) if why else "",
        text_en=clipped(why.text_en) if why else "",
    )


def _left_out(plan: PlanRecord, tour: TourRecord) -> Iterator[LeftOut]:
    """All that is on no tour, in the event of one vehicle; in that of a withdrawn tour what it leaves behind."""
    for one in plan.unserved:
        if tour.vehicle == plan.speaker or (tour.status == "withdrawn" and one.stop in tour.stops):
            german, english = clipped(one.detail.de), clipped(one.detail.en)
            yield LeftOut(place=one.stop, reason=one.reason, text=english, text_de=german, text_en=english)


def _evidence(plan: PlanRecord, tour: TourRecord) -> Iterator[Evidence]:
    """The mean of the levels that the containers of the tour are known to have."""
    if not tour.stops:
        return
    levels = [why.level for place in tour.stops if (why := plan.why.get(place)) and why.level is not None]
    yield Evidence(
        quantity=LEVEL,
        value=round(sum(levels) / len(levels), 2) if levels else None,
        unit="%",
        window_s=None,
        threshold=None,
        hysteresis=None,
        n_samples=len(levels),
        coverage_pct=round(100 * len(levels) / len(tour.stops), 1),
        newest_at=None,
        age_s=None,
        sources=(),
    )
