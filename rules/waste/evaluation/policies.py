"""Which containers are wanted on a day's tours: by a fixed pattern, by a threshold, or by the rule with prizes.

A policy sees what is known (`Known`), never how full a container is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from rules.waste.days import DAY_MS, Service, Tour, local_date, tour_after
from rules.waste.due import Judgement, Situation, judge
from rules.waste.due_config import ContainerConfig
from rules.waste.evaluation.sensed import Known
from rules.waste.evaluation.town import Place

UNKNOWN_LEVEL = 75.0
"""% a container is thought to hold of which nothing was heard: a judgement, for capacities only."""


class Wish(NamedTuple):
    """A container wanted: what a visit is worth in euros (None: it must be), the level as it is thought in %."""

    container: str
    prize: float | None
    level: float


class Policy(Protocol):
    """One way of collecting."""

    def wishes(self, now_ms: int, known: Mapping[str, Known]) -> Sequence[Wish]:
        """The wishes for the tours of this day, in its morning."""


class Pattern(NamedTuple):
    """Days on which a container is emptied: working days whose number lies in `days`, modulo `period`."""

    period: int
    days: frozenset[int]

    def holds(self, number: int) -> bool:
        """Whether the working day of this number is one of them."""
        return number % self.period in self.days

    @property
    def per_day(self) -> float:
        """Emptyings a working day."""
        return len(self.days) / self.period


def working_day(service: Service, now_ms: int) -> int | None:
    """The number of a day on which tours go (public holidays are counted, too); None on other weekdays."""
    weeks, weekday = divmod(local_date(service.timezone, now_ms).toordinal() - 1, 7)
    days = sorted(service.weekdays)
    return weeks * len(days) + days.index(weekday) if weekday in service.weekdays else None


def goes_today(config: ContainerConfig, now_ms: int) -> bool:
    """Whether the container's tours go on this day."""
    zone = config.service.timezone
    return local_date(zone, tour_after(config.service, now_ms).begin_ms) == local_date(zone, now_ms)


def due_numbers(place: Place, now_ms: int) -> list[int]:
    """The working days that are served today: this one, and public holidays since the last tour."""
    found = list[int]()
    while True:
        number = working_day(place.config.service, now_ms)
        found += [] if number is None else [number]
        now_ms -= DAY_MS
        if goes_today(place.config, now_ms):
            return found


@dataclass(frozen=True, slots=True)
class Fixed:
    """Each container on the days of its pattern; a public holiday's tour goes on the next working day."""

    places: Sequence[Place]
    patterns: Mapping[str, Pattern]

    def wishes(self, now_ms: int, known: Mapping[str, Known]) -> Sequence[Wish]:  # noqa: ARG002 - it looks at nothing
        """The containers of the day."""
        if not goes_today(self.places[0].config, now_ms):
            return []
        today = due_numbers(self.places[0], now_ms)
        return [
            Wish(place.id, None, UNKNOWN_LEVEL)
            for place in self.places
            if any(self.patterns[place.id].holds(number) for number in today)
        ]


@dataclass(frozen=True, slots=True)
class Threshold:
    """Each container whose newest level has reached so many %; one that is silent in its fixed cycle."""

    places: Sequence[Place]
    percent: float

    def wishes(self, now_ms: int, known: Mapping[str, Known]) -> Sequence[Wish]:
        """The containers above the threshold, and the silent ones whose cycle is up."""
        found = []
        for place in self.places:
            if not goes_today(place.config, now_ms):
                continue
            state = known[place.id]
            level = _level(place.config, state, now_ms)
            if level is None:
                must = _situated(place.config, state, now_ms, silent=True).obligation == "mandatory"
            else:
                must = level >= self.percent
            if must:
                found.append(Wish(place.id, None, UNKNOWN_LEVEL if level is None else level))
        return found


class Latch(NamedTuple):
    """What the rule remembers of its last judgement; void once the container was emptied after `since_ms`."""

    since_ms: int
    over: bool = False
    promised_ms: int = 0
    offered: bool = False


UNLATCHED: Final = Latch(0)


@dataclass(slots=True)
class Prize:
    """As the rule `waste.collection_due` judges: what must be, and what may be for a prize."""

    places: Sequence[Place]
    latches: dict[str, Latch] = field(default_factory=dict)

    def wishes(self, now_ms: int, known: Mapping[str, Known]) -> Sequence[Wish]:
        """Mandatory and optional containers of today's tours."""
        found = []
        for place in self.places:
            state = known[place.id]
            judged = self._judged(place.config, state, now_ms)
            if judged.obligation == "none" or not _is_today(judged.tour, place.config, now_ms):
                continue
            level = _level(place.config, state, now_ms)
            found.append(Wish(place.id, judged.prize, UNKNOWN_LEVEL if level is None else level))
        return found

    def _judged(self, config: ContainerConfig, state: Known, now_ms: int) -> Judgement:
        latch = self.latches.get(config.asset, Latch(now_ms))
        if state.fill.emptied_ms >= latch.since_ms:
            latch = Latch(now_ms)
        silent = _level(config, state, now_ms) is None
        judged = _situated(config, state, now_ms, latch, silent=silent)
        self.latches[config.asset] = Latch(
            now_ms,
            latch.over or judged.reason == "over_threshold",
            judged.tour.begin_ms if judged.reason == "forecast_full" else 0,
            judged.obligation == "optional",
        )
        return judged


def _situated(
    config: ContainerConfig, state: Known, now_ms: int, latch: Latch = UNLATCHED, *, silent: bool
) -> Judgement:
    return judge(
        config,
        Situation(
            state.fill,
            state.history,
            state.known_ms,
            now_ms,
            latch.over,
            silent,
            latch.promised_ms,
            latch.offered,
        ),
    )


def _level(config: ContainerConfig, state: Known, now_ms: int) -> float | None:
    """The level that counts, None while the sensor is silent."""
    return None if now_ms >= state.fill.measured_ms + config.silent_ms else state.fill.level


def _is_today(tour: Tour, config: ContainerConfig, now_ms: int) -> bool:
    zone = config.service.timezone
    return local_date(zone, tour.begin_ms) == local_date(zone, now_ms)
