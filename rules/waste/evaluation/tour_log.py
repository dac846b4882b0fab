"""What policies would have done with the waste of real tours, told from the log of what was emptied when.

Between two emptyings a container filled by what the crew found in it; how that spread over the days is drawn again and
again (increments of a gamma process that must come to this sum). Policies then live through the second half of the
log, tuned or taught on the first. Levels that a crew estimates are coarse, and one beyond 100 % tells only "at least".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from rules.local_time import day_of
from rules.waste.days import DAY_MS, local_date
from rules.waste.due_config import WEEKDAYS
from rules.waste.evaluation.chance import Chance, Draw
from rules.waste.evaluation.policies import UNKNOWN_LEVEL, Wish
from rules.waste.evaluation.rolling import Driven
from rules.waste.evaluation.sensed import Known
from rules.waste.evaluation.truth import EMPTIED_LEFT, LOST, NOISE, SHAPE_PER_DAY, STEP_MS, STEPS, Truth

LEAST_DAYS: Final = 56
LEAST_VISITS: Final = 4
GRID_MS: Final = 6 * 3_600_000
"""Days of the grid begin at six."""
LEAST_RISE: Final = 0.5


class LogError(ValueError):
    """A log that tells too little."""


class Logged(NamedTuple):
    """An emptying of the log: ms since 1970 (UTC), fill in %; vehicle, km and hours of its tour where told."""

    stop: str
    time_ms: int
    fill: float
    vehicle: str = ""
    km: float | None = None
    hours: float | None = None


class Log(NamedTuple):
    """What is left of a log: emptyings by container in the order of time, and the days of the grid that it spans.

    `dropped` are containers with fewer than four emptyings.
    """

    begin_ms: int
    days: int
    emptyings: Mapping[str, tuple[Logged, ...]]
    dropped: tuple[str, ...]

    @property
    def half(self) -> int:
        """The first day of the second half."""
        return self.days // 2

    def day(self, time_ms: int) -> int:
        """The day of the grid in which a time lies."""
        return (time_ms - self.begin_ms) // DAY_MS


def ordered(rows: Sequence[Logged], timezone: str) -> Log:
    """The rows by container; raises LogError where they span less than eight weeks or no container has enough."""
    if not rows:
        raise LogError("the log is empty")
    first, last = min(row.time_ms for row in rows), max(row.time_ms for row in rows)
    begin_ms = day_of(timezone, first - GRID_MS)[0] + GRID_MS
    days = (last - begin_ms) // DAY_MS + 1
    if days < LEAST_DAYS:
        raise LogError(f"the log spans {days} days, expected at least {LEAST_DAYS}")
    by_stop: dict[str, list[Logged]] = {}
    for row in sorted(rows, key=lambda row: row.time_ms):
        by_stop.setdefault(row.stop, []).append(row)
    kept = {stop: tuple(each) for stop, each in sorted(by_stop.items()) if len(each) >= LEAST_VISITS}
    if not kept:
        raise LogError(f"no container was emptied {LEAST_VISITS} times")
    return Log(begin_ms, days, kept, tuple(sorted(set(by_stop) - set(kept))))


def drawn_truth(draw: Draw, log: Log) -> Truth:
    """One way in which the waste may have come."""
    return Truth(
        log.begin_ms,
        log.days,
        {stop: _risen(draw(f"fill/{stop}"), log, rows) for stop, rows in log.emptyings.items()},
        {stop: _errors(draw(f"sensor/{stop}"), log.days) for stop in log.emptyings},
    )


def _risen(chance: Chance, log: Log, rows: Sequence[Logged]) -> tuple[float, ...]:
    """By step; before the first and after the last emptying at the container's mean rate."""
    steps = log.days * STEPS
    bounds = [min(steps, max(0, (row.time_ms - log.begin_ms) // STEP_MS)) for row in rows]
    sums = [max(LEAST_RISE, row.fill - EMPTIED_LEFT) for row in rows]
    per_step = sum(sums[1:]) / max(1, bounds[-1] - bounds[0])
    found = _spread(chance, bounds[0], per_step * bounds[0])
    for (begin, end), total in zip(pairwise(bounds), sums[1:], strict=True):
        if begin == end and found:
            found[-1] += total
        found += _spread(chance, end - begin, total)
    rest = steps - bounds[-1]
    return tuple(found + _spread(chance, rest, per_step * rest))


def _spread(chance: Chance, steps: int, total: float) -> list[float]:
    """Increments of a gamma process that come to a sum."""
    parts = [chance.gammavariate(SHAPE_PER_DAY / STEPS, 1.0) for _ in range(steps)]
    scale = total / (sum(parts) or 1.0)
    return [part * scale for part in parts]


def _errors(chance: Chance, days: int) -> tuple[float | None, ...]:
    return tuple(None if chance.random() < LOST else chance.gauss(0.0, NOISE) for _ in range(days * STEPS))


@dataclass(frozen=True, slots=True)
class AsLogged:
    """Each container on the days on which the log has it."""

    log: Log

    def wishes(self, now_ms: int, known: Mapping[str, Known]) -> Sequence[Wish]:  # noqa: ARG002 - it looks at nothing
        """The containers of the day."""
        today = self.log.day(now_ms)
        return [
            Wish(stop, None, UNKNOWN_LEVEL)
            for stop, rows in self.log.emptyings.items()
            if any(self.log.day(row.time_ms) == today for row in rows)
        ]

    def drive(self, now_ms: int, wishes: Sequence[Wish]) -> Driven:
        """They are emptied when the log says so."""
        today = self.log.day(now_ms)
        return Driven(
            {
                wish.container: row.time_ms
                for wish in wishes
                for row in self.log.emptyings[wish.container]
                if self.log.day(row.time_ms) == today
            }
        )


def mean_cycle_days(rows: Sequence[Logged]) -> int:
    """Whole days between two emptyings, at least one."""
    return max(1, round((rows[-1].time_ms - rows[0].time_ms) / DAY_MS / (len(rows) - 1)))


def service_days(log: Log, timezone: str) -> tuple[str, ...]:
    """The weekdays on which at least one in fifty emptyings lies."""
    counts = [0] * len(WEEKDAYS)
    for rows in log.emptyings.values():
        for row in rows:
            counts[local_date(timezone, row.time_ms).weekday()] += 1
    least = sum(counts) / 50
    return tuple(day for day, count in zip(WEEKDAYS, counts, strict=True) if count >= least)
