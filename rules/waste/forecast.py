"""When a container will be full: what is learned of it between emptyings, and what follows from that. Pure functions.

Learned are: rates (% a day of mean weight), by which factor weekdays differ (a public holiday is a Sunday), and by how
much forecasts of one to three days were wrong. A rate is told by five days or more, shorter cycles between emptyings
count together: of what fills by gamma increments of shape 3 a day, the rate of d days is wrong by √(1 / 3d) of itself,
58 % after one and 26 % after five, and cycles that end because a container filled fast show higher rates than it has.
The rate is the mean of the newest such pieces, no piece above one and a half times their median, shrunk to the
fraction's mean as long as there are few; factors are shrunk to 1.
The interval is the empirical one of the errors (split conformal: Vovk et al. 2005, ch. 4), each divided by what errors
grow with, the root of the rise times the rate; assumed ones stand in for those that are not there yet.
"""

from functools import lru_cache
from math import ceil, sqrt
from statistics import median
from typing import Final, NamedTuple, TypeAlias

from rules.local_time import day_of
from rules.waste.days import DAY_MS, spans

MODEL_VERSION: Final = 2
DAYS = 7
PIECES: Final = 12
RESIDUALS: Final = 59
"""So many errors that the 5 and 95 % of the conformal correction are whole ones: 3 and 57 of 60."""
HORIZONS: Final = (1, 2, 3)
HORIZON_DAYS: Final = 120
"""Further ahead nothing is said."""
NEARLY_FULL: Final = 95.0
"""From here on a level does not tell how much comes: the container overflows, or the sensor sees no further."""
FULL = 100.0
PIECE_DAYS: Final = 5.0
"""Days of mean weight that tell a rate, and as which a piece counts."""
PRIOR_RATE_DAYS: Final = 5.0
"""As how many days the fraction's mean counts: a rate of so many days varies as much as the rates of its containers do,
by a quarter (gamma increments of shape 3 a day; rates spread evenly over 0.6 to 1.6 times the mean)."""
OUTLYING: Final = 1.5
"""A piece counts as this multiple of the median at most: of usual ones, one in twenty lies above."""
PRIOR_DAYS: Final = 2.0
"""By how many days a factor of 1 counts for each weekday."""
FORGET_DAYS: Final = 84
LEAST_RATE: Final = 0.05
LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95
PRIOR_RESIDUALS: Final = (
    -1.15,
    -0.79,
    -0.64,
    -0.53,
    -0.43,
    -0.32,
    -0.22,
    -0.1,
    0.01,
    0.15,
    0.3,
    0.48,
    0.72,
    1.11,
    2.51,
)
"""Evenly spaced quantiles of the errors in the first four weeks of 300 containers that fill by gamma increments."""

Factors: TypeAlias = tuple[float, ...]
"""By weekday, Monday first; their mean is 1."""


class Promise(NamedTuple):
    """A forecast to be compared: when, which level was foretold from which rise and rate."""

    due_ms: int
    level: float
    rise: float
    rate: float


class History(NamedTuple):
    """What is learned of a container; `rates` and `residuals` oldest first, `risen` and `spent` by weekday.

    `level` is None where no sensor measured since a crew emptied it. `rise` (%) and `days` (of mean weight) belong to
    the open piece, up to where it was nearly full.
    """

    seen_ms: int = 0
    level: float | None = None
    rise: float = 0.0
    days: float = 0.0
    rates: tuple[float, ...] = ()
    risen: tuple[float, ...] = (0.0,) * DAYS
    spent: tuple[float, ...] = (0.0,) * DAYS
    residuals: tuple[float, ...] = ()
    promises: tuple[Promise, ...] = ()


class Prior(NamedTuple):
    """What holds before anything is learned: the fraction's mean rate (% a day), the city's time zone."""

    rate: float
    timezone: str


class Model(NamedTuple):
    """What a forecast is made with: % a day of mean weight, weekday factors, errors in rising order."""

    rate: float
    factors: Factors
    errors: tuple[float, ...]
    timezone: str


class Times(NamedTuple):
    """When the container is full, ms since 1970 (UTC): with a chance of 5, 50 and 95 %; rising."""

    p05_ms: int
    p50_ms: int
    p95_ms: int


# -- learning ---------------------------------------------------------------------------------------------------------


def learn(
    prior: Prior, history: History, time_ms: int, level: float | None, *, fresh: bool, moved: bool = False
) -> History:
    """Take up a level; `fresh` when the container was emptied since the last one, `moved` after an unexplained jump.

    A `level` of None is a crew's word that it emptied the container: what it left there is not known, and no filling.
    Levels must come in the order of their times.
    """
    if fresh:
        history = _closed(history)._replace(level=None, promises=())
    if level is None or history.level is None or not history.seen_ms:
        return _promise(prior, history._replace(seen_ms=time_ms, level=level), time_ms)
    if moved:
        return history._replace(seen_ms=time_ms, level=level, promises=())
    kept = _kept_promises(_grown(prior, history, history.level, time_ms, level), time_ms, level)
    new_day = day_of(prior.timezone, history.seen_ms) != day_of(prior.timezone, time_ms)
    return _promise(prior, kept, time_ms) if new_day else kept


def from_model_1(history: History) -> History:
    """What model 1 learned, as pieces of the mean rate of all its days: its own rates are of cycles, however short."""
    days = days_known(history)
    rates = (round(max(0.0, sum(history.risen)) / days, 3),) * min(PIECES, int(days / PIECE_DAYS)) if days else ()
    return history._replace(rates=rates, rise=0.0, days=0.0)


def _closed(history: History) -> History:
    """The piece is closed by an emptying once it is long enough; else it goes on with the next cycle."""
    if history.days < PIECE_DAYS:
        return history
    rate = round(max(0.0, history.rise) / history.days, 3)
    return history._replace(rates=(*history.rates, rate)[-PIECES:], rise=0.0, days=0.0)


def _grown(prior: Prior, history: History, before: float, time_ms: int, level: float) -> History:
    if before >= NEARLY_FULL:
        return history._replace(seen_ms=time_ms, level=max(level, NEARLY_FULL))
    rise, span_ms = level - before, time_ms - history.seen_ms
    factors = factors_of(history)
    risen, spent, days = list(history.risen), list(history.spent), history.days
    for day, begin_ms, end_ms in spans(prior.timezone, history.seen_ms, time_ms):
        part = (end_ms - begin_ms) / span_ms
        risen[day] += rise * part
        spent[day] += (end_ms - begin_ms) / DAY_MS
        days += factors[day] * (end_ms - begin_ms) / DAY_MS
    if sum(spent) > FORGET_DAYS:
        risen, spent = [each / 2 for each in risen], [each / 2 for each in spent]
    return history._replace(
        seen_ms=time_ms,
        level=level,
        rise=round(history.rise + rise, 3),
        days=round(days, 5),
        risen=tuple(round(each, 3) for each in risen),
        spent=tuple(round(each, 5) for each in spent),
    )


def _kept_promises(history: History, time_ms: int, level: float) -> History:
    """Compare the forecasts that are due with the level as it is measured now."""
    if not history.promises or history.promises[0].due_ms > time_ms:
        return history
    errors = list(history.residuals)
    for promise in history.promises:
        comparable = promise.due_ms <= time_ms <= promise.due_ms + DAY_MS // 2
        if comparable and min(promise.level, level) < NEARLY_FULL:
            errors.append(round((level - promise.level) / sqrt(promise.rise * promise.rate), 3))
    waiting = tuple(promise for promise in history.promises if promise.due_ms > time_ms)
    return history._replace(residuals=tuple(errors[-RESIDUALS:]), promises=waiting)


def _promise(prior: Prior, history: History, time_ms: int) -> History:
    """Foretell the levels of the next days, to learn from the errors; nothing for what is nearly full or unmeasured."""
    if history.level is None or history.level >= NEARLY_FULL:
        return history
    model = model_of(prior, history)
    made = []
    for horizon in HORIZONS:
        due_ms = time_ms + horizon * DAY_MS
        rise = rise_between(model, time_ms, due_ms)
        made.append(Promise(due_ms, round(min(FULL, history.level + rise), 3), round(rise, 3), round(model.rate, 3)))
    return history._replace(promises=tuple(sorted((*history.promises, *made))))


# -- what was learned -------------------------------------------------------------------------------------------------


def factors_of(history: History) -> Factors:
    """By which factor weekdays differ, shrunk to 1."""
    total = sum(history.spent)
    mean = sum(history.risen) / total if total else 0.0
    if mean <= 0:
        return (1.0,) * DAYS
    raw = [
        max(0.05, (risen + PRIOR_DAYS * mean) / ((spent + PRIOR_DAYS) * mean))
        for risen, spent in zip(history.risen, history.spent, strict=True)
    ]
    scale = DAYS / sum(raw)
    return tuple(each * scale for each in raw)


def rate_of(prior: Prior, history: History) -> float:
    """The rate (% a day of mean weight): the mean of the pieces by their days, shrunk to the fraction's mean."""
    pieces = [(rate, PIECE_DAYS) for rate in history.rates]
    if history.days > 0:
        pieces.append((max(0.0, history.rise) / history.days, min(history.days, PIECE_DAYS)))
    if not pieces:
        return prior.rate
    most = OUTLYING * median(rate for rate, _ in pieces)
    rise = sum(min(rate, most) * days for rate, days in pieces) + prior.rate * PRIOR_RATE_DAYS
    return max(LEAST_RATE, rise / (sum(days for _, days in pieces) + PRIOR_RATE_DAYS))


def model_of(prior: Prior, history: History) -> Model:
    """What forecasts are made with now."""
    errors = (*history.residuals, *_assumed(RESIDUALS - len(history.residuals)))
    return Model(rate_of(prior, history), factors_of(history), tuple(sorted(errors)), prior.timezone)


@lru_cache(maxsize=RESIDUALS + 1)
def _assumed(count: int) -> tuple[float, ...]:
    """So many errors spread like the prior ones."""
    last, found = len(PRIOR_RESIDUALS) - 1, []
    for number in range(count):
        place = (number + 0.5) / count * last
        low = min(int(place), last - 1)
        one, other = PRIOR_RESIDUALS[low], PRIOR_RESIDUALS[low + 1]
        found.append(one + (other - one) * (place - low))
    return tuple(found)


def days_known(history: History) -> float:
    """Days of which something was learned."""
    return sum(history.spent)


# -- what follows -----------------------------------------------------------------------------------------------------


def rise_between(model: Model, begin_ms: int, end_ms: int) -> float:
    """The expected rise (%) between two times, as if there were always room."""
    weight = sum(model.factors[day] * (end - begin) for day, begin, end in spans(model.timezone, begin_ms, end_ms))
    return model.rate * weight / DAY_MS


def levels_at(model: Model, level: float, now_ms: int, time_ms: int) -> tuple[float, float, float]:
    """The level (%) at a time: quantiles of 5, 50 and 95 %, rising and within [0, 100]; the middle is the forecast."""
    rise = rise_between(model, now_ms, time_ms)
    spread = sqrt(rise * model.rate)
    low = level + rise + min(0.0, quantile(model.errors, LOW)) * spread
    high = level + rise + max(0.0, quantile(model.errors, HIGH)) * spread
    return tuple(min(FULL, max(0.0, each)) for each in (low, level + rise, high))  # type: ignore[return-value] # three in, three out


def full_times(model: Model, level: float, now_ms: int) -> Times:
    """When the container will be full; never before now, at most 120 days ahead."""
    early, late = max(0.0, quantile(model.errors, HIGH)), min(0.0, quantile(model.errors, LOW))
    needed = (_rise_needed(model, level, error) for error in (early, 0.0, late))
    return Times(*(_time_of(model, now_ms, rise) for rise in needed))


def risk_before(model: Model, level: float, now_ms: int, time_ms: int) -> float:
    """The chance (0 to 1) that the container is full before a time."""
    room = FULL - level
    if room <= 0:
        return 1.0
    rise = rise_between(model, now_ms, time_ms)
    if rise <= 0:
        return 0.0
    needed = (room - rise) / sqrt(rise * model.rate)
    return sum(error >= needed for error in model.errors) / (len(model.errors) + 1)


def quantile(ordered: tuple[float, ...], share: float) -> float:
    """The empirical quantile with the finite-sample correction of split conformal prediction, outwards."""
    count = len(ordered)
    if share < MIDDLE:
        return -quantile(tuple(-each for each in reversed(ordered)), 1 - share)
    return ordered[min(count, ceil((count + 1) * share)) - 1]


def _rise_needed(model: Model, level: float, error: float) -> float:
    """The expected rise x at which x + error · √(x · rate) fills what room there is."""
    room = FULL - level
    if room <= 0:
        return 0.0
    spread = error * sqrt(model.rate)
    root = (sqrt(spread * spread + 4 * room) - spread) / 2
    return root * root


def _time_of(model: Model, now_ms: int, rise: float) -> int:
    """When the expected rise is reached."""
    wanted, end_ms = rise / model.rate * DAY_MS, now_ms + HORIZON_DAYS * DAY_MS
    for day, begin_ms, until_ms in spans(model.timezone, now_ms, end_ms):
        weight = model.factors[day] * (until_ms - begin_ms)
        if weight >= wanted:
            return begin_ms + ceil(wanted / model.factors[day])
        wanted -= weight
    return end_ms
