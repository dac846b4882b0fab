"""Containers: how good forecasts of their fill were, who overflowed and was announced, which emptyings were seen.

A forecast is what an event says of itself: its level, raised by its rate and weekday factors for so many days. It is
compared where the container was not emptied in between, up to 100 %: no sensor sees what lies beyond.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from rules.event import EPOCH, MILLISECOND
from rules.event_waste import ContainerDueData
from rules.waste.days import local_date, spans
from rules.waste.forecast import FULL, HORIZONS
from simulator.score.course import DAY_MS, HOUR_MS, MINUTE_MS, Course, Span, mean, middle, percent
from simulator.score.hearing import SaidOfContainer

SEEN_WITHIN_MS = 12 * HOUR_MS
"""How late an emptying may be published, and how long before the end of the span it is too early to say."""
BEFORE_MS = 10 * MINUTE_MS
"""The truth is told every five minutes: an emptying may have been seen a little before."""


@dataclass(frozen=True, slots=True)
class HorizonScore:
    """Forecasts so many days ahead.

    error       percentage points by which they were wrong, a mean without sign; `bias` with sign, positive: too full
    unchanged   the error of saying that nothing comes, for comparison
    """

    days: int
    forecasts: int
    error_pp: float | None
    bias_pp: float | None
    unchanged_pp: float | None


@dataclass(frozen=True, slots=True)
class FillScore:
    """All containers.

    full_in_interval    % of the forecasts between whose p05 and p95 the container was full, of `full_forecasts` that
                        ended so; `full_error` the median of what p50 was wrong by, in hours
    overflows           times that a container became full; those that were said to be due before it; hours of warning
    overflow_days       days on which a container was full, by container
    emptyings           seen: published soon enough; missed; invented; open: too near to the end of the span to say
    """

    containers: int
    horizons: tuple[HorizonScore, ...]
    full_forecasts: int
    full_in_interval_pct: float | None
    full_error_h: float | None
    overflows: int
    overflows_announced: int
    warning_median_h: float | None
    overflow_days: int
    emptyings_seen: int
    emptyings_missed: int
    emptyings_invented: int
    emptyings_open: int


@dataclass(frozen=True, slots=True)
class TrueContainer:
    """What is true of a container: its level in % and how often it was emptied, both from the start on."""

    fill: Course[float]
    collections: Course[float]

    def emptied_between(self, begin_ms: int, end_ms: int) -> bool:
        """Whether it was emptied after the one time, up to the other."""
        return self.collections.at(begin_ms) != self.collections.at(end_ms)

    def emptied_ms(self, span: Span) -> list[int]:
        """When it was emptied."""
        return [piece.begin_ms for piece in self.collections.pieces(span)][1:]

    def full(self, span: Span) -> list[Span]:
        """When it was full."""
        pieces = Course(
            [(time_ms, level >= FULL) for time_ms, level in zip(self.fill.times, self.fill.values, strict=True)]
        ).pieces(span)
        return [Span(piece.begin_ms, piece.end_ms) for piece in pieces if piece.value]


@dataclass(slots=True)
class Tally:
    """What the score is made of; errors in percentage points by days ahead, with those of saying nothing comes."""

    containers: int = 0
    errors: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: {days: [] for days in HORIZONS})
    full_errors_h: list[float] = field(default_factory=list)
    in_interval: int = 0
    overflows: int = 0
    warnings_h: list[float] = field(default_factory=list)
    overflow_days: int = 0
    seen: int = 0
    missed: int = 0
    invented: int = 0
    open: int = 0

    def score(self) -> FillScore:
        """As figures."""
        return FillScore(
            self.containers,
            tuple(_horizon(days, errors) for days, errors in self.errors.items()),
            len(self.full_errors_h),
            percent(self.in_interval, len(self.full_errors_h)),
            _rounded(middle([abs(error) for error in self.full_errors_h])),
            self.overflows,
            len(self.warnings_h),
            _rounded(middle(self.warnings_h)),
            self.overflow_days,
            self.seen,
            self.missed,
            self.invented,
            self.open,
        )


def add(tally: Tally, true: TrueContainer, said: Sequence[SaidOfContainer], timezone: str, span: Span) -> None:
    """Hold what was said of one container against what was true of it."""
    tally.containers += 1
    for each in said:
        _add_forecast(tally, true, each, timezone, span)
    full = true.full(span)
    days: set[date] = set()
    for episode in full:
        days |= {local_date(timezone, begin_ms) for _, begin_ms, _ in spans(timezone, episode.begin_ms, episode.end_ms)}
    tally.overflow_days += len(days)
    for episode in full:
        if episode.begin_ms > span.begin_ms:
            tally.overflows += 1
            tally.warnings_h += _warned_h(said, episode.begin_ms)
    _add_emptyings(tally, true.emptied_ms(span), _said_emptied(said, span), span)


def _add_forecast(tally: Tally, true: TrueContainer, said: SaidOfContainer, timezone: str, span: Span) -> None:
    data, forecast = said.data, said.data.forecast
    if forecast is None or data.fill_level is None:
        return
    base_ms = _measured_ms(data, said.time_ms)
    for days in HORIZONS:
        target_ms = said.time_ms + days * DAY_MS
        level = true.fill.at(target_ms)
        if target_ms >= span.end_ms or level is None or true.emptied_between(base_ms, target_ms):
            continue
        weights = (
            forecast.weekday_factors[day] * (end - begin) for day, begin, end in spans(timezone, base_ms, target_ms)
        )
        foretold = min(FULL, data.fill_level + forecast.fill_rate * sum(weights) / DAY_MS)
        level = min(FULL, level)
        tally.errors[days].append((foretold - level, data.fill_level - level))
    full_ms = next((each.begin_ms for each in true.full(Span(said.time_ms, span.end_ms))), None)
    if full_ms is None or full_ms <= said.time_ms or true.emptied_between(base_ms, full_ms):
        return
    early_ms, middle_ms, late_ms = (
        (time - EPOCH) // MILLISECOND for time in (forecast.full_p05, forecast.full_p50, forecast.full_p95)
    )
    tally.full_errors_h.append((middle_ms - full_ms) / HOUR_MS)
    tally.in_interval += early_ms <= full_ms <= late_ms


def _measured_ms(data: ContainerDueData, time_ms: int) -> int:
    newest = data.evidence[0].newest_at if data.evidence else None
    return time_ms if newest is None else (newest - EPOCH) // MILLISECOND


def _warned_h(said: Sequence[SaidOfContainer], full_ms: int) -> list[float]:
    """How long before it was full it was said to be due, without a break; nothing where it was not."""
    since_ms = None
    for each in said:
        if each.time_ms > full_ms:
            break
        since_ms = (since_ms or each.time_ms) if each.data.due else None
    return [] if since_ms is None else [(full_ms - since_ms) / HOUR_MS]


def _said_emptied(said: Sequence[SaidOfContainer], span: Span) -> dict[int, int]:
    """The emptyings that were published: by their own time in its order, when each was said first."""
    first: dict[int, int] = {}
    for each in said:
        if each.data.last_emptied is not None:
            first.setdefault((each.data.last_emptied - EPOCH) // MILLISECOND, each.time_ms)
    return {time_ms: first[time_ms] for time_ms in sorted(first) if time_ms >= span.begin_ms}


def _add_emptyings(tally: Tally, true_ms: Sequence[int], said_ms: Mapping[int, int], span: Span) -> None:
    """True emptyings against published ones; what was published too late is missed, but nobody invented it."""
    left = dict(said_ms)
    for time_ms in true_ms:
        latest_ms = time_ms + SEEN_WITHIN_MS
        meant = [own_ms for own_ms in left if time_ms - BEFORE_MS <= own_ms <= latest_ms]
        timely = [own_ms for own_ms in meant if left[own_ms] <= latest_ms]
        for own_ms in (timely or meant)[:1]:
            del left[own_ms]
        if timely:
            tally.seen += 1
        elif latest_ms > span.end_ms:
            tally.open += 1
        else:
            tally.missed += 1
    tally.invented += len(left)


def _horizon(days: int, errors: Sequence[tuple[float, float]]) -> HorizonScore:
    number = len(errors)
    return HorizonScore(
        days,
        number,
        mean(sum(abs(error) for error, _ in errors), number),
        mean(sum(error for error, _ in errors), number),
        mean(sum(abs(error) for _, error in errors), number),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
