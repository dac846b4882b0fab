"""The tours of a day as a table in the terminal."""

from rich.table import Table
from rich.text import Text

from ingest.routes.output import words
from ingest.routes.output.halts import Halt, Trip, left_out, name, staying, trips
from ingest.routes.output.remarks import concerns, summary
from ingest.routes.output.words import Language, said
from rules.waste.route.day_plan import DayPlan

NOTHING = "-"


def route_table(plan: DayPlan, language: Language) -> Table:
    """A line for each halt in order, then those on no tour with the reason; arrivals only from a routing engine.

    The plan's warnings are not in it.
    """
    tours = trips(plan)
    table = Table(title=Text(words.heading(plan, language)), caption=Text(_caption(plan, tours, language)))
    for text in (words.VEHICLE, words.NUMBER, words.CONTAINER, words.WHY, words.LEVEL, words.LOAD, words.ARRIVAL):
        right = text in {words.NUMBER, words.LEVEL, words.LOAD}
        table.add_column(said(text, language), justify="right" if right else "left")
    for trip in tours:
        for halt in trip.halts:
            table.add_row(*map(Text, _row(plan, trip, halt, language)))
        table.add_section()
    for one in left_out(plan):
        level = words.level(one.why, language) if one.why else NOTHING
        cells = (said(words.NOT_SERVED, language), NOTHING, one.name, one.text(language), level, NOTHING, NOTHING)
        table.add_row(*map(Text, cells))
    return table


def _row(plan: DayPlan, trip: Trip, halt: Halt, language: Language) -> tuple[str, ...]:
    return (
        trip.name,
        str(halt.number),
        halt.spot.name,
        halt.reason(language),
        words.level(halt.why, language) if halt.why else NOTHING,
        words.load(halt.visit),
        NOTHING if halt.arrival_s is None else words.clock(plan, halt.arrival_s),
    )


def _caption(plan: DayPlan, tours: tuple[Trip, ...], language: Language) -> str:
    lines = [summary(trip, language, drivable=plan.solution.drivable) for trip in tours]
    lines += [] if tours else [said(words.NO_TOUR, language)]
    lines += [f"{name(plan, vehicle)}: {said(words.STAYS, language)}" for vehicle in staying(plan)]
    return "\n".join([*lines, *concerns(plan, language)])
