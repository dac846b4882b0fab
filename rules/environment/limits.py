"""Day means, eight-hour means and year counters of pollutants, for the figures of limits_table; no events.

Days and years are those of the city's time zone. A day wants 18 hourly means; an eight-hour mean wants six of eight and
counts on the day on which it ends, a day's highest one wants 18 of them (Directive 2008/50/EC, annex XI). Means are
rounded to whole µg/m³ before they are compared. A day is stored when it is over, at its beginning.
"""

from dataclasses import dataclass
from typing import NamedTuple

from rules.asset import Asset
from rules.environment.days import Day, day_at, year_begin_ms
from rules.environment.gas import AS_MASS
from rules.environment.hours import (
    HOUR_MS,
    NO_HOURS,
    Closed,
    HourRules,
    Hours,
    close,
    hear,
    hour_rules,
    next_close_ms,
)
from rules.environment.hours import plain as plain_hours
from rules.environment.level import half_up
from rules.environment.limits_table import TABLE, YEAR_MEANS
from rules.environment.state import loader
from rules.local_time import timezone_of
from rules.point import Point
from rules.rule import NOTHING, Input, Json, Observation, Outputs, Rule

ID = "environment.limits"
VERSION = 1
EIGHT = 8
ENOUGH_OF_EIGHT = 6
EIGHT_HOURLY = frozenset(row.pollutant for row in TABLE if row.statistic == "eight_hours")


@dataclass(frozen=True, slots=True)
class LimitsConfig:
    """The parameters of a station; `day_hours` is how many hourly means make a day."""

    hours: HourRules
    timezone: str
    day_hours: int
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]


class Today(NamedTuple):
    """A pollutant on the open day: sum and number of hourly means, highest and number of eight-hour means."""

    total: float = 0.0
    hours: int = 0
    highest: float = 0.0
    eights: int = 0


class Year(NamedTuple):
    """A pollutant in the open year: sum and number of hourly means."""

    total: float = 0.0
    hours: int = 0


class Counted(NamedTuple):
    """The open hour, day (0: none) and year, the last eight hours by pollutant, the counters that are not zero."""

    hours: Hours = NO_HOURS
    day_ms: int = 0
    year: int = 0
    today: dict[str, Today] = {}  # noqa: RUF012 - never changed: each state is a new one
    years: dict[str, Year] = {}  # noqa: RUF012 - the same
    counts: dict[str, int] = {}  # noqa: RUF012 - the same
    eight: dict[str, tuple[tuple[int, float], ...]] = {}  # noqa: RUF012 - the same


def configure(asset: Asset) -> LimitsConfig:
    """The parameters of this station; raises CityError."""
    return LimitsConfig(
        hours=hour_rules(asset, "air", AS_MASS),
        timezone=timezone_of(asset),
        day_hours=asset.whole("air_day_hours", 18, low=1, high=24),
        tags=asset.tags,
        position=asset.position,
    )


def initial(_config: LimitsConfig) -> Counted:
    """A station from which nothing was heard yet."""
    return Counted()


def step(config: LimitsConfig, counted: Counted, given: Input) -> tuple[Counted, Outputs]:
    """Count the hours that are over, and the day when it is."""
    if isinstance(given, Observation) and not config.hours.concern(given):
        return counted, NOTHING
    hours, closed = close(config.hours, counted.hours, given.now_ms)
    if isinstance(given, Observation):
        hours = hear(config.hours, hours, given)
    points: list[Point] = []
    for hour in closed:
        counted = _count(config, counted, hour, points)
    if counted.day_ms and given.now_ms >= _day_over_ms(config, counted):
        counted = _end_of_day(config, counted, points)
    if hours is not counted.hours:
        counted = counted._replace(hours=hours)
    return counted, Outputs(points=tuple(points)) if points else NOTHING


def wake(config: LimitsConfig, counted: Counted) -> int | None:
    """When the open hour or the open day is over."""
    closing = next_close_ms(config.hours, counted.hours)
    if not counted.day_ms:
        return closing
    over_ms = _day_over_ms(config, counted)
    return over_ms if closing is None else min(closing, over_ms)


def dump(counted: Counted) -> Json:
    """The state as JSON."""
    hours, day_ms, year, today, years, counts, eight = counted
    days = {name: (*each,) for name, each in today.items()}
    return (plain_hours(hours), day_ms, year, days, {name: (*each,) for name, each in years.items()}, counts, eight)


def _day_over_ms(config: LimitsConfig, counted: Counted) -> int:
    return day_at(config.timezone, counted.day_ms).end_ms + config.hours.grace_ms


def _count(config: LimitsConfig, counted: Counted, hour: Closed, points: list[Point]) -> Counted:
    day = day_at(config.timezone, hour.hour * HOUR_MS)
    if counted.day_ms and counted.day_ms != day.begin_ms:
        counted = _end_of_day(config, counted, points)
    counted = _begin(counted, day)
    today, years, counts, eight = {**counted.today}, {**counted.years}, {**counted.counts}, {**counted.eight}
    for name, mean in hour.means.items():
        year = years.get(name, Year())
        years[name] = Year(year.total + mean.mean, year.hours + 1)
        today[name] = _with_hour(today.get(name, Today()), mean.mean)
        _pass(counts, name, "hour", mean.mean)
        if name in EIGHT_HOURLY:
            before = (item for item in eight.get(name, ()) if item[0] > hour.hour - EIGHT)
            kept = (*before, (hour.hour, round(mean.mean, 3)))
            eight[name] = kept
            today[name] = _with_eight(today[name], kept)
    return counted._replace(today=today, years=years, counts=counts, eight=eight)


def _begin(counted: Counted, day: Day) -> Counted:
    if counted.year != day.year:
        counted = counted._replace(year=day.year, years={}, counts={})
    return counted if counted.day_ms else counted._replace(day_ms=day.begin_ms, today={})


def _with_hour(today: Today, mean: float) -> Today:
    return today._replace(total=today.total + mean, hours=today.hours + 1)


def _with_eight(today: Today, kept: tuple[tuple[int, float], ...]) -> Today:
    if len(kept) < ENOUGH_OF_EIGHT:
        return today
    mean = sum(value for _, value in kept) / len(kept)
    return today._replace(highest=max(today.highest, mean), eights=today.eights + 1)


def _pass(counts: dict[str, int], pollutant: str, statistic: str, value: float) -> None:
    for row in TABLE:
        if row.pollutant == pollutant and row.statistic == statistic and half_up(value) > row.limit:
            counts[row.field] = counts.get(row.field, 0) + 1


def _end_of_day(config: LimitsConfig, counted: Counted, points: list[Point]) -> Counted:
    day, counts = day_at(config.timezone, counted.day_ms), {**counted.counts}
    fields: list[tuple[str, float]] = []
    for name, today in sorted(counted.today.items()):
        if today.hours >= config.day_hours:
            mean = today.total / today.hours
            fields.append((f"{name}_day", round(mean, 1)))
            _pass(counts, name, "day", mean)
        if today.eights >= config.day_hours:
            fields.append((f"{name}_eight_hours", round(today.highest, 1)))
            _pass(counts, name, "eight_hours", today.highest)
    counted = counted._replace(day_ms=0, today={}, counts=counts)
    fields += _of_year(config, counted, day)
    points.append(Point("asset", config.tags, (*config.position, *fields), day.begin_ms))
    return counted


def _of_year(config: LimitsConfig, counted: Counted, day: Day) -> list[tuple[str, float]]:
    elapsed = (day.end_ms - year_begin_ms(config.timezone, day.year)) / HOUR_MS
    fields: list[tuple[str, float]] = []
    for name, year in sorted(counted.years.items()):
        mean = year.total / year.hours
        fields += [(f"{name}_year", round(mean, 2)), (f"{name}_year_coverage", round(year.hours / elapsed, 4))]
        fields += [
            (f"{scheme}_{name}_year_percent", round(100 * mean / limit, 1))
            for (scheme, pollutant), limit in YEAR_MEANS.items()
            if pollutant == name
        ]
    for row in TABLE:
        if row.pollutant in counted.years:
            count = counted.counts.get(row.field, 0)
            fields += [(row.field, float(count)), (f"{row.field}_left", float(row.allowed - count))]
    return fields


RULE = Rule(
    id=ID,
    version=VERSION,
    kind="station",
    configure=configure,
    initial=initial,
    step=step,
    wake=wake,
    dump=dump,
    load=loader(Counted, VERSION),
)
