"""What policies would have done with a log's waste, and how sure that is.

All figures are of the second half of the log. Overflow may be as much as the log itself shows in its first half.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final, Literal, NamedTuple

from rules.asset import TIMEZONE
from rules.waste.evaluation.chance import Chance, Draw
from rules.waste.evaluation.figures import CO2_KG_A_LITRE, LITRES_A_KM, quantile
from rules.waste.evaluation.fixed import tuned
from rules.waste.evaluation.logged_ways import Ways, ways
from rules.waste.evaluation.policies import Fixed, Policy, Prize
from rules.waste.evaluation.rolling import Drive, Span, begin, roll
from rules.waste.evaluation.study import flat, tuned_threshold, worthwhile
from rules.waste.evaluation.tour_log import AsLogged, Log, drawn_truth, mean_cycle_days, service_days
from rules.waste.evaluation.town import Place, place

LOGGED: Final = "as logged"
NAMES: Final = (LOGGED, "fixed", "threshold", "prize")
DRAWS: Final = 5
RESAMPLED: Final = 1000
LEAST_OVERFLOW: Final = 0.001
WEEK_DAYS: Final = 7

Verdict = Literal["less", "no saving", "more", "more overflow"]
Told = Callable[[int, int], None]


class Lived(NamedTuple):
    """A policy with one draw of the waste: visits and overflow days by container, by week, fills at visits (%)."""

    visits: Mapping[str, int]
    overflow: Mapping[str, int]
    km: tuple[float, ...] | None
    hours: tuple[float, ...] | None
    fills: tuple[float, ...]


class Interval(NamedTuple):
    """A share more (less: negative) than the log: the middle, and where nine of ten resampled logs lie."""

    low: float
    middle: float
    high: float


class Row(NamedTuple):
    """A policy over all draws; counts are means of the draws, `overflow` is a share of container-days."""

    policy: str
    visits: float
    fill: float
    overflow_days: float
    overflow: float
    change: Interval
    km: float | None
    km_change: Interval | None
    hours: float | None
    hours_change: Interval | None
    verdict: Verdict

    @property
    def co2_kg(self) -> float | None:
        """Of the km, in CO2 equivalents."""
        return None if self.km is None else self.km * LITRES_A_KM * CO2_KG_A_LITRE


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all draws."""

    log: Log
    places: Sequence[Place]
    ways: Ways

    @property
    def days(self) -> range:
        """The days that count."""
        return range(self.log.half, self.log.days)


def setting(log: Log, timezone: str = TIMEZONE, fraction: str = "") -> Setting:
    """Containers as the log shows them: tours on its weekdays, a silent sensor's container in its own mean cycle."""
    days = list(service_days(log, timezone))
    places = tuple(
        place(
            stop,
            (0.0, 0.0),
            fraction,
            1,
            timezone,
            {
                "service_days": days,
                "cycle_days": min(365, mean_cycle_days(rows)),
            },
        )
        for stop, rows in log.emptyings.items()
    )
    return Setting(log, places, ways(row for rows in log.emptyings.values() for row in rows))


def lived(draw: Draw, given: Setting) -> dict[str, Lived]:
    """All policies with one draw of the waste: what is tuned may overflow as much as the log did."""
    real, log, half = drawn_truth(draw, given.log), AsLogged(given.log), given.log.half
    places, tried = given.places, range(half // 3, half)
    state = begin(places, real)
    over = len(roll(places, real, state, range(tried.start), log, log.drive).overflowed)
    early = state.copy()
    over += len(roll(places, real, state, tried, log, log.drive).overflowed)
    allowed = max(LEAST_OVERFLOW, over / (len(places) * half))
    policies: dict[str, tuple[Policy, Drive]] = {
        LOGGED: (log, log.drive),
        "fixed": (Fixed(places, tuned(places, real.until(half), allowed)), flat),
        "threshold": (tuned_threshold(places, real, early, tried, allowed), flat),
        "prize": (Prize(places), worthwhile),
    }
    return {
        name: _counted(roll(places, real, state.copy(), given.days, policy, drive), given)
        for name, (policy, drive) in policies.items()
    }


def judged(chance: Chance, draws: Sequence[Mapping[str, Lived]], given: Setting) -> list[Row]:
    """A row for each policy; how sure it is comes from resampled draws, containers and weeks."""
    base = [each[LOGGED] for each in draws]
    return [_row(chance, name, [each[name] for each in draws], base, given) for name in NAMES]


def _row(chance: Chance, name: str, ours: Sequence[Lived], base: Sequence[Lived], given: Setting) -> Row:
    visits = interval(chance, [_pairs(one.visits, other.visits) for one, other in zip(ours, base, strict=True)])
    km, km_change = _by_week(chance, [each.km for each in ours], [each.km for each in base])
    hours, hours_change = _by_week(chance, [each.hours for each in ours], [each.hours for each in base])
    days = [sum(each.overflow.values()) for each in ours]
    more = fmean(days) - fmean(sum(each.overflow.values()) for each in base)
    return Row(
        policy=name,
        visits=fmean(sum(each.visits.values()) for each in ours),
        fill=fmean(level for each in ours for level in each.fills or (0.0,)),
        overflow_days=fmean(days),
        overflow=fmean(days) / (len(given.places) * len(given.days)),
        change=visits,
        km=km,
        km_change=km_change,
        hours=hours,
        hours_change=hours_change,
        verdict=_verdict(visits, more / (len(given.places) * len(given.days))),
    )


def _by_week(
    chance: Chance, ours: Sequence[tuple[float, ...] | None], base: Sequence[tuple[float, ...] | None]
) -> tuple[float | None, Interval | None]:
    """The mean of the draws, and by how much it is more than the other's."""
    pairs = [(one, other) for one, other in zip(ours, base, strict=True) if one is not None and other is not None]
    if not pairs:
        return None, None
    more = interval(chance, [list(zip(one, other, strict=True)) for one, other in pairs])
    return fmean(sum(one) for one, _ in pairs), more


def _verdict(visits: Interval, more_overflow: float) -> Verdict:
    if more_overflow > LEAST_OVERFLOW:
        return "more overflow"
    if visits.high < 0:
        return "less"
    return "more" if visits.low > 0 else "no saving"


def interval(chance: Chance, draws: Sequence[Sequence[tuple[float, float]]]) -> Interval:
    """The share by which ours are more than the others', over units (containers, weeks) that are drawn again."""
    found = []
    for _ in range(RESAMPLED):
        pairs = draws[chance.randrange(len(draws))]
        drawn = [pairs[chance.randrange(len(pairs))] for _ in pairs]
        found.append(_more(drawn))
    found.sort()
    middle = fmean(_more(pairs) for pairs in draws)
    return Interval(quantile(found, 0.05), middle, quantile(found, 0.95))


def _more(pairs: Sequence[tuple[float, float]]) -> float:
    other = sum(pair[1] for pair in pairs)
    return sum(pair[0] for pair in pairs) / other - 1 if other else 0.0


def _pairs(ours: Mapping[str, int], other: Mapping[str, int]) -> list[tuple[float, float]]:
    return [(float(ours[name]), float(other[name])) for name in sorted(other)]


def _counted(span: Span, given: Setting) -> Lived:
    ids = [each.id for each in given.places]
    visits, overflow, stops = dict.fromkeys(ids, 0), dict.fromkeys(ids, 0), dict.fromkeys(span.days, 0)
    for emptying in span.emptyings:
        visits[emptying.container] += 1
        stops[emptying.day] += 1
    for name, _ in span.overflowed:
        overflow[name] += 1
    weeks = _weekly(stops, given.ways.km), _weekly(stops, given.ways.hours)
    return Lived(visits, overflow, *weeks, tuple(emptying.level for emptying in span.emptyings))


def _weekly(stops: Mapping[int, int], of_day: Callable[[int], float | None]) -> tuple[float, ...] | None:
    """Sums of weeks, of days in order with so many stops each; None where the log does not tell."""
    found = [of_day(count) for count in stops.values()]
    told = [each for each in found if each is not None]
    if len(told) < len(found):
        return None
    return tuple(sum(told[first : first + WEEK_DAYS]) for first in range(0, len(told), WEEK_DAYS))
