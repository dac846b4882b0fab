"""What readers of a plan have to know beside the order: at a halt, of a tour, of the whole plan."""

from collections.abc import Iterator

from ingest.routes.output import words
from ingest.routes.output.halts import NO_WINDOW_S, Halt, Trip
from ingest.routes.output.words import Language, plain, said
from rules.waste.route.day_plan import DayPlan
from rules.waste.route.model import Stop


def remarks(plan: DayPlan, halt: Halt, language: Language) -> tuple[str, ...]:
    """What the driver has to know at a halt."""
    return tuple(_remarks(plan, halt, language))


def _remarks(plan: DayPlan, halt: Halt, language: Language) -> Iterator[str]:
    begin_s, end_s = halt.window
    if begin_s > 0 and end_s < NO_WINDOW_S:
        yield said(words.BETWEEN, language).format(words.clock(plan, begin_s), words.clock(plan, end_s))
    elif begin_s > 0:
        yield said(words.FROM, language).format(words.clock(plan, begin_s))
    elif end_s < NO_WINDOW_S:
        yield said(words.UNTIL, language).format(words.clock(plan, end_s))
    if isinstance(halt.place, Stop):
        yield from _surroundings(halt.place, language)


def _surroundings(stop: Stop, language: Language) -> Iterator[str]:
    if stop.kerb in words.SIDE:
        yield said(words.SIDE[stop.kerb], language)
    if stop.approach_deg is not None:
        point = round(stop.approach_deg / words.COMPASS_STEP_DEG) % len(words.COMPASS)
        yield said(words.APPROACH, language).format(said(words.COMPASS[point], language))
    if stop.max_height_cm is not None:
        yield said(words.HEIGHT, language).format(words.number(stop.max_height_cm / 100, 2, language))
    if stop.max_weight_kg is not None:
        yield said(words.WEIGHT, language).format(words.number(stop.max_weight_kg / 1000, 1, language))
    if stop.roll_off:
        yield said(words.ROLL_OFF, language)


def notes(plan: DayPlan, trip: Trip, language: Language) -> tuple[str, ...]:
    """What holds for the whole tour: shift and break, and what the tour violates."""
    vehicle = trip.vehicle
    shift = words.clock(plan, vehicle.shift_from_s), words.clock(plan, vehicle.shift_until_s)
    found = [said(words.SHIFT, language).format(*shift)]
    if plan.solution.drivable:
        found.append(said(words.DEPARTS, language).format(words.clock(plan, trip.tour.departs_s)))
    if vehicle.break_s:
        pause = said(words.BREAK, language).format(vehicle.break_s // 60)
        found.append(f"{pause}; {said(words.LATER, language)}" if plan.solution.drivable else pause)
    found += [f"{said(words.WARNING, language)}: {plain(said(line, language))}" for line in trip.tour.violations]
    return tuple(found)


def concerns(plan: DayPlan, language: Language) -> tuple[str, ...]:
    """What a driver must know of the whole plan: that nobody may drive by it, and why it is a fallback."""
    reason = plan.status_reason[0 if language == "de" else 1]
    found = [] if plan.solution.drivable else [said(words.NEVER_DRIVE, language)]
    return tuple(plain(line) for line in (*found, reason) if line)


def summary(trip: Trip, language: Language, *, drivable: bool) -> str:
    """How many stops and how far, for a heading or a legend."""
    unit = words.ONE_STOP if trip.stops == 1 else words.STOPS
    far = f"{words.number(trip.tour.metres / 1000, 1, language)} km"
    guess = "" if drivable else f" ({said(words.STRAIGHT_WAY, language)})"
    return f"{trip.name}: {trip.stops} {said(unit, language)}, {far}{guess}"
