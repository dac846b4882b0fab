"""What a policy came to: one row of the table, and how two rows compare."""

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Final, NamedTuple

from rules.waste.evaluation.rolling import Span

LITRES_A_KM: Final = 0.45
"""Diesel of a collection vehicle, work at the stops included: a judgement."""
CO2_KG_A_LITRE: Final = 2.67
"""From tank to wheel, in CO2 equivalents: DIN EN 16258:2013, annex A, diesel."""


class Figures(NamedTuple):
    """Sums over the days that count; fills in % of the volume, `overflow` the share of container-days."""

    policy: str
    km: float
    hours: float
    tours: int
    visits: int
    fill_mean: float
    fill_p10: float
    fill_p50: float
    fill_p90: float
    overflow_days: int
    overflow: float
    co2_kg: float
    cost_eur: float
    left: int
    """Mandatory visits that no vehicle had room or time for."""


class Change(NamedTuple):
    """By which share more (less: negative) than another policy; `overflow_days` in days."""

    km: float
    hours: float
    visits: float
    co2: float
    cost: float
    overflow_days: int


def figures(policy: str, containers: int, span: Span) -> Figures:
    """The row of a policy that so many containers lived with."""
    fills = sorted(emptying.level for emptying in span.emptyings)
    km = sum(driven.metres for driven in span.driven) / 1000
    return Figures(
        policy=policy,
        km=km,
        hours=sum(driven.seconds for driven in span.driven) / 3600,
        tours=sum(driven.vehicles for driven in span.driven),
        visits=len(fills),
        fill_mean=fmean(fills) if fills else 0.0,
        fill_p10=quantile(fills, 0.1),
        fill_p50=quantile(fills, 0.5),
        fill_p90=quantile(fills, 0.9),
        overflow_days=len(span.overflowed),
        overflow=len(span.overflowed) / (containers * len(span.days)),
        co2_kg=km * LITRES_A_KM * CO2_KG_A_LITRE,
        cost_eur=sum(driven.cents for driven in span.driven) / 100,
        left=sum(len(driven.left) for driven in span.driven),
    )


def change(ours: Figures, other: Figures) -> Change:
    """How a policy differs from another one."""
    return Change(
        km=share(ours.km, other.km),
        hours=share(ours.hours, other.hours),
        visits=share(ours.visits, other.visits),
        co2=share(ours.co2_kg, other.co2_kg),
        cost=share(ours.cost_eur, other.cost_eur),
        overflow_days=ours.overflow_days - other.overflow_days,
    )


def added(rows: Iterable[Figures]) -> Figures:
    """The same policy in several cities, summed up; fills are means of theirs by visits."""
    each = list(rows)
    visits = sum(row.visits for row in each)

    def mean(values: Sequence[float]) -> float:
        return sum(value * row.visits for value, row in zip(values, each, strict=True)) / visits if visits else 0.0

    return Figures(
        policy=each[0].policy,
        km=sum(row.km for row in each),
        hours=sum(row.hours for row in each),
        tours=sum(row.tours for row in each),
        visits=visits,
        fill_mean=mean([row.fill_mean for row in each]),
        fill_p10=mean([row.fill_p10 for row in each]),
        fill_p50=mean([row.fill_p50 for row in each]),
        fill_p90=mean([row.fill_p90 for row in each]),
        overflow_days=sum(row.overflow_days for row in each),
        overflow=fmean(row.overflow for row in each),
        co2_kg=sum(row.co2_kg for row in each),
        cost_eur=sum(row.cost_eur for row in each),
        left=sum(row.left for row in each),
    )


def quantile(ordered: Sequence[float], share_below: float) -> float:
    """The value below which this share lies, interpolated; 0 where there is none."""
    if not ordered:
        return 0.0
    place = share_below * (len(ordered) - 1)
    low = min(int(place), len(ordered) - 1)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def share(ours: float, other: float) -> float:
    """By which share one number is more than another; 0 beside nothing."""
    return ours / other - 1 if other else 0.0
