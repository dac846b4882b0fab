"""How containers really fill, and what their sensors say of it. Policies see the words only, and only those of before.

A container fills by gamma increments of shape 3 a day around its own rate, with a rhythm of the week, a public holiday
being a Sunday; where something goes on, the containers around it fill faster for two days.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from rules.local_time import day_of
from rules.waste.days import DAY_MS, weekday
from rules.waste.due_config import FRACTIONS, OTHER
from rules.waste.evaluation.chance import Chance, Draw
from rules.waste.evaluation.town import Place, Town
from rules.waste.route.distance import haversine_m

STEPS: Final = 8
"""Of a day; a sensor speaks once a step."""
STEP_MS: Final = DAY_MS // STEPS
WEEKDAYS: Final = (1.1, 0.95, 0.9, 0.95, 1.1, 1.35, 0.65)
SHAPE_PER_DAY: Final = 3.0
RATES: Final = (0.6, 1.6)
"""A container's rate as a multiple of its fraction's lies between."""
NOISE: Final = 2.0
"""Standard deviation of a word in % of the volume."""
LOST: Final = 0.03
OUTAGE_PER_DAY, OUTAGE_DAYS = 0.004, 4.0
"""Chance that a sensor falls silent on a day, and for how long on average."""
EVENTS_PER_DAY, EVENT_DAYS, EVENT_M, EVENT_FACTOR = 0.05, 2, 800.0, 2.5
"""How often something goes on somewhere, how long, how far around, and how much faster containers fill there."""
EMPTIED_LEFT: Final = 2.0
"""% that an emptying leaves."""
FULL: Final = 100.0


class Truth(NamedTuple):
    """By container and step from `begin_ms` (ms since 1970, UTC) on.

    `risen` is what came in the step, in % of the volume; `errors` by how much the word at its end errs, None: no word.
    """

    begin_ms: int
    days: int
    risen: Mapping[str, tuple[float, ...]]
    errors: Mapping[str, tuple[float | None, ...]]

    def day_ms(self, day: int) -> int:
        """When a day of the grid begins."""
        return self.begin_ms + day * DAY_MS

    def until(self, day: int) -> "Truth":
        """The same without what comes later."""
        return Truth(
            self.begin_ms,
            day,
            {name: steps[: day * STEPS] for name, steps in self.risen.items()},
            {name: steps[: day * STEPS] for name, steps in self.errors.items()},
        )


class _Event(NamedTuple):
    place: Place
    day: int


def truth(draw: Draw, town: Town, begin_ms: int, days: int) -> Truth:
    """The filling of so many days; the grid of days begins at `begin_ms`."""
    rhythm = [
        WEEKDAYS[weekday(town.timezone, day_of(town.timezone, begin_ms + n * STEP_MS)[0])] for n in range(days * STEPS)
    ]
    events = list(_events(draw("events"), town, days))
    return Truth(
        begin_ms,
        days,
        {place.id: _risen(draw(f"fill/{place.id}"), place, rhythm, events) for place in town.places},
        {place.id: _errors(draw(f"sensor/{place.id}"), days) for place in town.places},
    )


def _events(chance: Chance, town: Town, days: int) -> Iterable[_Event]:
    for day in range(days):
        if chance.random() < EVENTS_PER_DAY:
            yield _Event(town.places[chance.randrange(len(town.places))], day)


def _risen(chance: Chance, place: Place, rhythm: list[float], events: list[_Event]) -> tuple[float, ...]:
    rate = FRACTIONS.get(place.fraction, OTHER).rate * chance.uniform(*RATES)
    busy = {
        day
        for event in events
        if haversine_m(event.place, place) <= EVENT_M
        for day in range(event.day, event.day + EVENT_DAYS)
    }
    return tuple(
        chance.gammavariate(
            SHAPE_PER_DAY / STEPS, rate / SHAPE_PER_DAY * factor * (EVENT_FACTOR if step // STEPS in busy else 1)
        )
        for step, factor in enumerate(rhythm)
    )


def _errors(chance: Chance, days: int) -> tuple[float | None, ...]:
    silent, found = 0.0, list[float | None]()
    for _ in range(days):
        silent = max(0.0, silent - 1)
        if not silent and chance.random() < OUTAGE_PER_DAY:
            silent = chance.gammavariate(2.0, OUTAGE_DAYS / 2)
        for _ in range(STEPS):
            lost = chance.random() < LOST
            error = chance.gauss(0.0, NOISE)
            found.append(None if silent > 0 or lost else error)
    return tuple(found)
