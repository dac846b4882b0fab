"""How good forecasts would have been: each day of recorded levels foretold from what lay before it, beside baselines.

Baselines are the rate of the last day (`last_rate`) and the line of least squares since the emptying (`linear`). Errors
are in % of the volume; spans with an emptying in them are not compared.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from rules.local_time import day_of
from rules.waste.days import DAY_MS
from rules.waste.forecast import FULL, HORIZONS, History, Prior, days_known, learn, levels_at, model_of

METHODS: Final = ("forecast", "last_rate", "linear")
APART_MS: Final = DAY_MS // 4
"""How far a level may lie from the time that was foretold."""
LEAST_DAYS: Final = 3
"""Days that must be known before a container is foretold."""
EMPTIED_DROP, EMPTIED_LEVEL = 20.0, 30.0


class Level(NamedTuple):
    """A level (%) at a time (ms since 1970, UTC); `emptied` when the container was emptied since the one before."""

    time_ms: int
    level: float
    emptied: bool = False


class Compared(NamedTuple):
    """One forecast and what came: levels in %, `foretold` by method in their order, the interval of 90 %."""

    horizon: int
    actual: float
    foretold: tuple[float, ...]
    low: float
    high: float


class Figures(NamedTuple):
    """Of one horizon (days): comparisons, mean absolute error (%) by method, the interval's hits and width."""

    days: int
    compared: int
    mae: Mapping[str, float]
    coverage: float
    width: float


def with_emptyings(levels: Iterable[Level]) -> list[Level]:
    """The levels in the order of time, emptyings marked where the level fell by 20 points to 30 % or less."""
    ordered = sorted(set(levels))
    found = ordered[:1]
    for before, level in pairwise(ordered):
        fell = before.level - level.level >= EMPTIED_DROP and level.level <= EMPTIED_LEVEL
        found.append(level._replace(emptied=level.emptied or fell))
    return found


def compare(prior: Prior, levels: Sequence[Level], begin_ms: int = 0) -> list[Compared]:
    """Foretell from the first level of each day on, once three days are known; `levels` with their emptyings marked.

    What lies before `begin_ms` is learned from, and not compared.
    """
    history, cycle, found = History(), 0, list[Compared]()
    times = [level.time_ms for level in levels]
    for index, level in enumerate(levels):
        new_day = index == 0 or day_of(prior.timezone, times[index - 1]) != day_of(prior.timezone, level.time_ms)
        cycle = index if level.emptied else cycle
        history = learn(prior, history, level.time_ms, level.level, fresh=level.emptied)
        if new_day and level.time_ms >= begin_ms and days_known(history) >= LEAST_DAYS:
            found += _from_here(prior, history, levels, times, cycle, index)
    return found


def figures(found: Iterable[Compared]) -> list[Figures]:
    """The comparisons summed up by horizon; a horizon without any has none."""
    compared = list(found)
    told = []
    for days in HORIZONS:
        these = [each for each in compared if each.horizon == days]
        if these:
            count = len(these)
            mae = {
                method: sum(abs(each.foretold[place] - each.actual) for each in these) / count
                for place, method in enumerate(METHODS)
            }
            inside = sum(each.low <= each.actual <= each.high for each in these) / count
            told.append(Figures(days, count, mae, inside, sum(each.high - each.low for each in these) / count))
    return told


def _from_here(
    prior: Prior, history: History, levels: Sequence[Level], times: Sequence[int], cycle: int, index: int
) -> list[Compared]:
    now, model, found = levels[index], model_of(prior, history), list[Compared]()
    if now.level >= FULL:
        return found
    since = levels[cycle : index + 1]
    last, linear = _last_rate(since, prior.rate), _slope(since, prior.rate)
    for days in HORIZONS:
        wanted_ms = now.time_ms + days * DAY_MS
        place = _nearest(times, wanted_ms)
        if abs(times[place] - wanted_ms) > APART_MS or any(level.emptied for level in levels[index + 1 : place + 1]):
            continue
        span = (times[place] - now.time_ms) / DAY_MS
        low, middle, high = levels_at(model, now.level, now.time_ms, times[place])
        foretold = (middle, _clipped(now.level + last * span), _clipped(now.level + linear * span))
        found.append(Compared(days, levels[place].level, foretold, low, high))
    return found


def _nearest(times: Sequence[int], wanted_ms: int) -> int:
    after = bisect_left(times, wanted_ms)
    if after == len(times):
        return after - 1
    return after if after == 0 or times[after] - wanted_ms < wanted_ms - times[after - 1] else after - 1


def _last_rate(since: Sequence[Level], otherwise: float) -> float:
    """% a day over the last day of the cycle."""
    now = since[-1]
    before = next((level for level in reversed(since) if now.time_ms - level.time_ms >= DAY_MS), since[0])
    span = now.time_ms - before.time_ms
    return (now.level - before.level) * DAY_MS / span if span else otherwise


def _slope(since: Sequence[Level], otherwise: float) -> float:
    """% a day by least squares."""
    days = [(level.time_ms - since[0].time_ms) / DAY_MS for level in since]
    mean_day, mean_level = sum(days) / len(days), sum(level.level for level in since) / len(since)
    spread = sum((day - mean_day) ** 2 for day in days)
    if spread == 0:
        return otherwise
    together = sum((day - mean_day) * (level.level - mean_level) for day, level in zip(days, since, strict=True))
    return together / spread


def _clipped(level: float) -> float:
    return min(FULL, max(0.0, level))
