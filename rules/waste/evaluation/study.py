"""Policies side by side in one simulated city: the same filling, the same sensors, the same solver and vehicles.

A year of true levels comes first, on which the fixed tours are tuned; in its last weeks sensors listen while those
tours are driven. Then each policy goes its own way: two weeks that do not count, for a policy that waits longer would
otherwise leave its work behind the end, and the days that do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from rules.waste.days import DAY_MS
from rules.waste.evaluation.chance import Draw
from rules.waste.evaluation.figures import Figures, figures
from rules.waste.evaluation.fixed import tuned
from rules.waste.evaluation.policies import Fixed, Pattern, Policy, Prize, Threshold, Wish
from rules.waste.evaluation.rolling import Drive, Driven, State, begin, roll
from rules.waste.evaluation.tours import Solve, Solver
from rules.waste.evaluation.town import Place, Town
from rules.waste.evaluation.truth import Truth, truth

POLICIES: Final = ("fixed", "threshold", "prize")
TRAINING_DAYS: Final = 364
SENSED_DAYS: Final = 84
SETTLING_DAYS: Final = 14
OVERFLOW: Final = 0.004
"""Share of container-days that may overflow, for what is tuned: one day in eight months, a judgement."""
PERCENTS: Final = (95, 90, 85, 80, 75, 70, 65, 60, 55, 50, 45, 40, 35, 30, 25, 20)
TRIED: Final = range(TRAINING_DAYS - 56, TRAINING_DAYS)
"""The weeks on which the threshold is tuned."""
STOP_EUR: Final = 4.0
"""What a further stop costs on a tour that goes anyway, where nobody plans: a judgement."""
FLAT_MS: Final = 3 * 3_600_000
"""After the grid's begin of a day: when containers are emptied while nobody drives."""


class Step(NamedTuple):
    """How far a study is: what is done now, days done and all days of it."""

    what: str
    done: int
    all: int


Told = Callable[[Step], None]


class Study(NamedTuple):
    """A city, its truth, and what everybody starts from; `early` is how things stood before the weeks of tuning."""

    town: Town
    truth: Truth
    days: int
    patterns: Mapping[str, Pattern]
    early: State
    state: State
    overflow: float = OVERFLOW

    @property
    def first(self) -> int:
        """The first day on which policies go their own way."""
        return TRAINING_DAYS


def prepared(draw: Draw, town: Town, begin_ms: int, days: int, overflow: float = OVERFLOW) -> Study:
    """A city that is about to be compared from `begin_ms` on, a morning; all that comes before is simulated, too."""
    grid_ms = begin_ms - (TRAINING_DAYS + SETTLING_DAYS) * DAY_MS
    real = truth(draw, town, grid_ms, TRAINING_DAYS + SETTLING_DAYS + days)
    patterns = tuned(town.places, real.until(TRAINING_DAYS), overflow)
    state = begin(town.places, real)
    fixed = Fixed(town.places, patterns)
    town = town._replace(places=tuple(_cycled(place, patterns[place.id]) for place in town.places))
    roll(town.places, real, state, range(TRAINING_DAYS - SENSED_DAYS, TRIED.start), fixed, flat)
    early = state.copy()
    roll(town.places, real, state, TRIED, fixed, flat)
    return Study(town, real, days, patterns, early, state, overflow)


def worthwhile(now_ms: int, wishes: Sequence[Wish]) -> Driven:
    """The same for what must be emptied, and for what pays for a further stop on a tour that goes anyway."""
    return flat(now_ms, [wish for wish in wishes if wish.prize is None or wish.prize >= STOP_EUR])


def _cycled(place: Place, pattern: Pattern) -> Place:
    """The container with the fixed cycle that it goes back to when its sensor is silent."""
    days = max(1, int(7 / (pattern.per_day * len(place.config.service.weekdays))))
    return place._replace(config=replace(place.config, cycle_ms=days * DAY_MS))


def compared(study: Study, names: Sequence[str], solve: Solve, told: Told = lambda _: None) -> Iterator[Figures]:
    """The row of each policy, one after the other."""
    for name in names:
        policy = _policy(study, name)
        yield lived(study, name, policy, Solver(study.town, solve).drive, told)


def lived(study: Study, name: str, policy: Policy, drive: Drive, told: Told = lambda _: None) -> Figures:
    """The row of any policy."""
    places, real, state = study.town.places, study.truth, study.state.copy()
    counting = study.first + SETTLING_DAYS

    def driven(now_ms: int, wishes: Sequence[Wish]) -> Driven:
        told(Step(name, (now_ms - real.day_ms(study.first)) // DAY_MS, real.days - study.first))
        return drive(now_ms, wishes)

    roll(places, real, state, range(study.first, counting), policy, driven)
    span = roll(places, real, state, range(counting, real.days), policy, driven)
    return figures(name, len(places), span)


def flat(now_ms: int, wishes: Sequence[Wish]) -> Driven:
    """Nobody plans: every container that is wanted is emptied in the morning."""
    return Driven({wish.container: now_ms + FLAT_MS for wish in wishes})


def _policy(study: Study, name: str) -> Policy:
    places, real = study.town.places, study.truth
    if name == "fixed":
        return Fixed(places, study.patterns)
    if name == "threshold":
        return tuned_threshold(places, real, study.early, TRIED, study.overflow)
    return Prize(places)


def tuned_threshold(places: Sequence[Place], real: Truth, early: State, tried: range, overflow: float) -> Threshold:
    """The highest threshold at which no more overflows than allowed in the weeks tried; the lowest where all do."""
    blind = [place._replace(config=replace(place.config, forecast=None)) for place in places]
    choices = [Threshold(blind, percent) for percent in PERCENTS]
    low, high = 0, len(choices) - 1
    while low < high:
        middle = (low + high) // 2
        span = roll(blind, real, early.copy(), tried, choices[middle], flat)
        if len(span.overflowed) <= overflow * len(blind) * len(tried):
            high = middle
        else:
            low = middle + 1
    return choices[low]
