"""Days one after the other: wishes, tours, emptyings, and meanwhile containers fill and sensors speak."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rules.waste.evaluation.policies import Policy, Wish
from rules.waste.evaluation.sensed import Known, emptied, heard
from rules.waste.evaluation.town import Place
from rules.waste.evaluation.truth import EMPTIED_LEFT, FULL, STEP_MS, STEPS, Truth


class Driven(NamedTuple):
    """A day's tours: when each container was emptied (ms since 1970, UTC), and what all vehicles came to."""

    served: Mapping[str, int]
    metres: int = 0
    seconds: int = 0
    cents: int = 0
    vehicles: int = 0
    left: tuple[str, ...] = ()
    """Containers that had to be emptied and were not."""


Drive = Callable[[int, Sequence[Wish]], Driven]
"""Who drives: the wishes of the morning of a time."""


class Emptying(NamedTuple):
    """A visit, and how full (%) the container really was."""

    container: str
    day: int
    level: float


class Span(NamedTuple):
    """What became of some days; `overflowed` are containers and days on which waste found no room."""

    days: range
    driven: tuple[Driven, ...]
    emptyings: tuple[Emptying, ...]
    overflowed: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class State:
    """How full containers are (%), and what is known of them."""

    levels: dict[str, float]
    known: dict[str, Known]

    def copy(self) -> "State":
        """Another one that goes its own way."""
        return State(dict(self.levels), dict(self.known))


def begin(places: Iterable[Place], truth: Truth) -> State:
    """Containers that were just emptied; nothing is known of them."""
    ids = [place.id for place in places]
    return State(dict.fromkeys(ids, EMPTIED_LEFT), {id_: Known(truth.begin_ms) for id_ in ids})


def roll(places: Sequence[Place], truth: Truth, state: State, days: range, policy: Policy, drive: Drive) -> Span:
    """Live through the days; `state` is changed."""
    driven, emptyings, overflowed = [], list[Emptying](), list[tuple[str, int]]()
    for day in days:
        now_ms = truth.day_ms(day)
        wishes = policy.wishes(now_ms, state.known)
        tours = drive(now_ms, wishes) if wishes else Driven({})
        driven.append(tours)
        for place in places:
            found = _live(place, truth, state, day, tours.served.get(place.id))
            if found.emptied_at is not None:
                emptyings.append(Emptying(place.id, day, found.emptied_at))
            if found.overflowed:
                overflowed.append((place.id, day))
    return Span(days, tuple(driven), tuple(emptyings), tuple(overflowed))


class _Day(NamedTuple):
    emptied_at: float | None
    overflowed: bool


def _live(place: Place, truth: Truth, state: State, day: int, served_ms: int | None) -> _Day:
    """A day of a container, step by step."""
    level, known, emptied_at, over = state.levels[place.id], state.known[place.id], None, False
    risen, errors, now_ms = truth.risen[place.id], truth.errors[place.id], truth.day_ms(day)
    for step in range(day * STEPS, (day + 1) * STEPS):
        share, end_ms = 1.0, now_ms + STEP_MS
        if served_ms is not None and now_ms <= served_ms < end_ms:
            share = (end_ms - served_ms) / STEP_MS
            level += risen[step] * (1 - share)
            over, emptied_at = over or level > FULL, min(FULL, level)
            level, known = EMPTIED_LEFT, emptied(place.config, known, served_ms)
        level += risen[step] * share
        over, level = over or level > FULL, min(FULL, level)
        error, now_ms = errors[step], end_ms
        if error is not None:
            known = heard(place.config, known, end_ms, level + error)
    state.levels[place.id], state.known[place.id] = level, known
    return _Day(emptied_at, over)
