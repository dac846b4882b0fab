"""What policies would have done with a log's waste, and how sure that is.

All figures are of the second half of the log. Overflow may be as much as the log itself shows in its first half.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import fmean, linear_regression, pstdev
from typing import Final, Literal, NamedTuple

from rules.asset import TIMEZONE
from rules.waste.days import DAY_MS
from rules.waste.evaluation.chance import Chance, Draw
from rules.waste.evaluation.figures import quantile
from rules.waste.evaluation.fixed import tuned
from rules.waste.evaluation.policies import Fixed, Policy, Prize
from rules.waste.evaluation.rolling import Drive, Span, begin, roll
from rules.waste.evaluation.study import flat, tuned_threshold, worthwhile
from rules.waste.evaluation.tour_log import AsLogged, Log, Logged, drawn_truth, mean_cycle_days, service_days
from rules.waste.evaluation.town import Place, place

LOGGED: Final = "as logged"
NAMES: Final = (LOGGED, "fixed", "threshold", "prize")
DRAWS: Final = 5
RESAMPLED: Final = 1000
LEAST_TOURS: Final = 10
LEAST_SPREAD: Final = 0.05
LEAST_OVERFLOW: Final = 0.001
WEEK_DAYS: Final = 7

Verdict = Literal["less", "no saving", "more", "more overflow"]
Told = Callable[[int, int], None]


class Ways(NamedTuple):
    """How long tours are, by the log's own: so many km each, and so many times the root of their stops.

    Shortest tours grow with the root of the number of stops (Beardwood, Halton, Hammersley 1959). `most_stops` fit
    into a tour.
    """

    km_a_tour: float
    km_a_root: float
    most_stops: float

    def km(self, stops: int) -> float:
        """Of a day with so many stops."""
        if not stops:
            return 0.0
        tours = ceil(stops / self.most_stops)
        return tours * (self.km_a_tour + self.km_a_root * sqrt(stops / tours))


class Lived(NamedTuple):
    """A policy with one draw of the waste: visits and overflow days by container, km by week, fills at visits (%)."""

    visits: Mapping[str, int]
    overflow: Mapping[str, int]
    km: tuple[float, ...]
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
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all draws."""

    log: Log
    places: Sequence[Place]
    ways: Ways | None

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


def ways(rows: Iterable[Logged]) -> Ways | None:
    """A straight line through the km of the log's tours (a vehicle's day) over the root of their stops.

    None for too few tours, and where all have about as many stops: nothing tells then what fewer would save.
    """
    tours: dict[tuple[str, int], list[Logged]] = {}
    for row in rows:
        tours.setdefault((row.vehicle, row.time_ms // DAY_MS), []).append(row)
    told = [
        (sqrt(len(stops)), max(stop.km for stop in stops if stop.km is not None))
        for stops in tours.values()
        if any(stop.km is not None for stop in stops)
    ]
    roots, lengths = [root for root, _ in told], [km for _, km in told]
    if len(told) < LEAST_TOURS or pstdev(roots) < LEAST_SPREAD * fmean(roots):
        return None
    slope, _ = linear_regression(roots, lengths)
    slope = min(max(0.0, slope), fmean(lengths) / fmean(roots))
    most = quantile(sorted(root * root for root in roots), 0.9)
    return Ways(fmean(lengths) - slope * fmean(roots), slope, most)


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
    km = None
    if given.ways is not None:
        km = interval(chance, [list(zip(one.km, other.km, strict=True)) for one, other in zip(ours, base, strict=True)])
    days = [sum(each.overflow.values()) for each in ours]
    more = fmean(days) - fmean(sum(each.overflow.values()) for each in base)
    return Row(
        policy=name,
        visits=fmean(sum(each.visits.values()) for each in ours),
        fill=fmean(level for each in ours for level in each.fills or (0.0,)),
        overflow_days=fmean(days),
        overflow=fmean(days) / (len(given.places) * len(given.days)),
        change=visits,
        km=None if km is None else fmean(sum(each.km) for each in ours),
        km_change=km,
        verdict=_verdict(visits, more / (len(given.places) * len(given.days))),
    )


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
    weeks = [0.0] * ceil(len(span.days) / WEEK_DAYS)
    for day, count in stops.items():
        weeks[(day - span.days.start) // WEEK_DAYS] += given.ways.km(count) if given.ways is not None else 0.0
    return Lived(visits, overflow, tuple(weeks), tuple(emptying.level for emptying in span.emptyings))
