"""Fixed tours as good as weeks of true levels allow: the baseline that sensors have to beat.

Each container gets the pattern that needs the fewest emptyings, such that all together overflow no more than allowed
on the training days (one price for an overflow, found by bisection); then days are moved within what costs hardly
more, so that neighbours are emptied together. No city knows its containers' true levels; this baseline does.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Final, NamedTuple

from rules.waste.evaluation.policies import Pattern, due_numbers, goes_today
from rules.waste.evaluation.town import Place
from rules.waste.evaluation.truth import EMPTIED_LEFT, FULL, STEPS, Truth
from rules.waste.route.distance import haversine_m

PERIODS: Final = (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
"""Working days between two emptyings, beside all choices of weekdays."""
LEAST_FILL, MOST_FILL = 15.0, 110.0
"""% that come between two emptyings on average: patterns beyond are not tried."""
ALIKE: Final = 11
"""So many containers share what they saw."""
ROUNDS: Final = 10
MOST_PRICE: Final = 200.0
PASSES: Final = 6
SLACK: Final = 0.05
"""How much more (as a share of its emptyings) a container's pattern may cost for standing with its neighbours'."""
NEIGHBOURS: Final = 24
NEAREST: Final = 2
HORIZON: Final = 120
"""Working days over which neighbours are compared."""


class Tried(NamedTuple):
    """A pattern on the training days of a container: emptyings a working day, overflow days a day."""

    pattern: Pattern
    per_day: float
    overflow: float

    def cost(self, price: float) -> float:
        """Emptyings and overflows, at a price for an overflow."""
        return self.per_day + price * self.overflow


def patterns(week: int) -> tuple[Pattern, ...]:
    """Every choice of weekdays, of so many on which tours go, and every so many working days."""
    weekdays = [
        Pattern(week, frozenset(days)) for size in range(1, week + 1) for days in combinations(range(week), size)
    ]
    others = [Pattern(period, frozenset({day})) for period in PERIODS if period != week for day in range(period)]
    return (*weekdays, *others)


def tuned(places: Sequence[Place], truth: Truth, overflow: float) -> dict[str, Pattern]:
    """The pattern of each container; at most this share of container-days overflows.

    Patterns are chosen on the first half of the days, the price of an overflow is found on the other half.
    """
    half = truth.days // 2
    learned, checked = _seen(places, truth, range(half)), _seen(places, truth, range(half, truth.days))
    tried = _shared(learned, sorted(learned, key=lambda id_: sum(truth.risen[id_][: half * STEPS])))
    low, high = 0.0, MOST_PRICE
    chosen = _chosen(places, tried, high)
    for _ in range(ROUNDS):
        price = (low + high) / 2
        found = _chosen(places, tried, price)
        over = sum(checked[id_].get(pattern, 0.0) for id_, pattern in found.items()) / len(places)
        if over > overflow:
            low = price
        else:
            high, chosen = price, found
    return chosen


def _chosen(places: Sequence[Place], tried: Mapping[str, Sequence[Tried]], price: float) -> dict[str, Pattern]:
    least = {id_: min(each.cost(price) for each in these) for id_, these in tried.items()}
    near = {
        id_: [each.pattern for each in these if each.cost(price) <= least[id_] * (1 + SLACK)]
        for id_, these in tried.items()
    }
    return together(places, near)


def _seen(places: Sequence[Place], truth: Truth, days: range) -> dict[str, dict[Pattern, float]]:
    """Of each container the share of these days that would overflow, by pattern."""
    served = _served(places[0], truth)[days.start : days.stop]
    choices = patterns(len(places[0].config.service.weekdays))
    return {
        place.id: _all_tried(truth.risen[place.id][days.start * STEPS : days.stop * STEPS], served, choices)
        for place in places
    }


def _served(place: Place, truth: Truth) -> list[list[int]]:
    """By day, the working days that are served on it."""
    return [
        due_numbers(place, truth.day_ms(day)) if goes_today(place.config, truth.day_ms(day)) else []
        for day in range(truth.days)
    ]


def _all_tried(
    risen: Sequence[float], served: Sequence[Sequence[int]], choices: Iterable[Pattern]
) -> dict[Pattern, float]:
    """The share of days that overflow, by pattern."""
    rate = sum(risen) / max(1, sum(map(len, served)))
    daily = []
    for day in range(len(served)):
        steps = risen[day * STEPS : (day + 1) * STEPS]
        early = _steps_before(day)
        daily.append((sum(steps[:early]), sum(steps[early:])))
    found = {}
    for pattern in choices:
        if LEAST_FILL <= rate / pattern.per_day <= MOST_FILL or pattern.per_day == 1:
            found[pattern] = _overflow(daily, [any(map(pattern.holds, numbers)) for numbers in served])
    return found


def _steps_before(day: int) -> int:
    """How many steps of a day lie before the truck comes: one to three, in no rhythm of the week."""
    return 1 + (day if day % 2 else 2 * day) % 3


def _shared(alone: Mapping[str, Mapping[Pattern, float]], ranked: Sequence[str]) -> dict[str, list[Tried]]:
    """Containers that fill alike share what they saw: a pattern that was lucky with one of them is none."""
    found = {}
    for rank, id_ in enumerate(ranked):
        first = max(0, min(rank - ALIKE // 2, len(ranked) - ALIKE))
        alike = [alone[other] for other in ranked[first : first + ALIKE]]
        found[id_] = [
            Tried(pattern, pattern.per_day, sum(seen) / len(seen))
            for pattern in alone[id_]
            for seen in [[each[pattern] for each in alike if pattern in each]]
        ]
    return found


def _overflow(daily: Sequence[tuple[float, float]], held: Sequence[bool]) -> float:
    """The share of days on which waste finds no room; of each day what comes before the truck, and after it."""
    level, over = EMPTIED_LEFT, 0
    for (early, later), emptied in zip(daily, held, strict=True):
        morning = level + early
        evening = (EMPTIED_LEFT if emptied else min(morning, FULL)) + later
        over += morning > FULL or evening > FULL
        level = min(FULL, evening)
    return over / len(daily)


def together(places: Sequence[Place], near: Mapping[str, Sequence[Pattern]]) -> dict[str, Pattern]:
    """Of each container's patterns the one on whose days its neighbours are emptied, until nothing changes."""
    neighbours = {place.id: _nearest(place, places) for place in places}
    chosen = {place.id: near[place.id][0] for place in places}
    for _ in range(PASSES):
        before = dict(chosen)
        on = {
            id_: frozenset(number for number in range(HORIZON) if pattern.holds(number))
            for id_, pattern in chosen.items()
        }
        for place in places:
            chosen[place.id] = min(near[place.id], key=lambda each: _apart(each, neighbours[place.id], on))
            on[place.id] = frozenset(number for number in range(HORIZON) if chosen[place.id].holds(number))
        if chosen == before:
            break
    return chosen


def _nearest(place: Place, places: Sequence[Place]) -> list[tuple[float, str]]:
    return sorted((haversine_m(place, other), other.id) for other in places if other.id != place.id)[:NEIGHBOURS]


def _apart(pattern: Pattern, neighbours: Sequence[tuple[float, str]], on: Mapping[str, frozenset[int]]) -> float:
    """Metres to the nearest that are emptied on the same days, a working day."""
    total = 0.0
    for number in range(HORIZON):
        if pattern.holds(number):
            found = [metres for metres, other in neighbours if number in on[other]][:NEAREST]
            found += [neighbours[-1][0]] * (NEAREST - len(found)) if neighbours else []
            total += sum(found)
    return total / HORIZON
