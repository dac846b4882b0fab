"""When a container must be emptied and when it may be: properties of the asset, with a fraction's usual figures."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from rules.asset import Asset
from rules.local_time import minutes_of, timezone_of
from rules.waste.days import DAY_MS, Service
from rules.waste.fill_config import FillConfig, configure_fill
from rules.waste.forecast import Prior

DAY_S: Final = 86_400
EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKING_DAYS: Final = frozenset(range(5))


class Fraction(NamedTuple):
    """What is usual for a fraction: % a day, the longest days between two emptyings, and those in heat."""

    rate: float
    longest_days: int
    longest_days_hot: int


FRACTIONS: Final = {
    "residual": Fraction(13, 14, 7),
    "organic": Fraction(10, 14, 7),
    "packaging": Fraction(12, 28, 14),
    "paper": Fraction(12, 42, 42),
    "glass": Fraction(8, 84, 84),
    "textile": Fraction(6, 42, 42),
    "bulky": Fraction(10, 28, 28),
    "green": Fraction(10, 21, 14),
}
LEAST_RISK: Final = 0.1
"""Chance to be full by the end of the tour after next from which on it must be emptied (docs/waste-evaluation.md)."""
OVERFLOW_EUR: Final = 20
OTHER: Final = Fraction(10, 28, 14)


@dataclass(frozen=True, slots=True)
class ContainerConfig:
    """The parameters of a container; levels in %, times in ms."""

    asset: str
    fraction: str
    fill: FillConfig
    forecast: Prior | None
    """None: foretell nothing, go by the threshold."""
    service: Service
    threshold: float
    cleared: float
    overflow: float
    least_risk: float
    """The chance (0 to 1) to be full by the end of the tour after next from which on it must be emptied."""
    optional: float
    longest_ms: int
    longest_hot_ms: int
    cycle_ms: int
    fixed_days: frozenset[int]
    side_waste_ms: int
    never_skip: bool
    overflow_cost: float
    visit_cost: float
    silent_ms: int
    validity_ms: int
    renewal_ms: int
    """How long before the end of its validity an event is renewed."""
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]


def configure(asset: Asset) -> ContainerConfig:
    """The parameters of this container; raises CityError."""
    threshold = asset.number("threshold_percent", 80, low=1, high=100)
    cleared = asset.number("cleared_percent", 30, low=0, high=100)
    if cleared >= threshold:
        raise asset.error("cleared_percent", cleared, f"less than threshold_percent ({threshold:g})")
    fraction = _fraction(asset)
    usual = FRACTIONS.get(fraction, OTHER)
    longest = asset.whole("longest_days", usual.longest_days, low=1, high=365)
    longest_hot = asset.whole("longest_days_hot", min(longest, usual.longest_days_hot), low=1, high=365)
    if longest_hot > longest:
        raise asset.error("longest_days_hot", longest_hot, f"at most longest_days ({longest})")
    silent_ms = asset.whole("silent_s", 2 * DAY_S, low=60, high=60 * DAY_S) * 1000
    validity_ms = asset.whole("validity_s", DAY_S, low=60, high=7 * DAY_S) * 1000
    return ContainerConfig(
        asset=asset.id,
        fraction=fraction,
        fill=configure_fill(asset, cleared),
        forecast=_prior(asset, usual),
        service=_service(asset),
        threshold=threshold,
        cleared=cleared,
        overflow=asset.number("overflow_percent", 95, low=1, high=100),
        least_risk=asset.number("full_risk_percent", LEAST_RISK * 100, low=1, high=50) / 100,
        optional=asset.number("optional_percent", 40, low=0, high=100),
        longest_ms=longest * DAY_MS,
        longest_hot_ms=longest_hot * DAY_MS,
        cycle_ms=asset.whole("cycle_days", min(7, longest), low=1, high=365) * DAY_MS,
        fixed_days=days_of(asset, "fixed_days", frozenset()),
        side_waste_ms=_instant(asset, "side_waste_at"),
        never_skip=asset.flag("never_skip"),
        overflow_cost=asset.number("overflow_cost_eur", OVERFLOW_EUR, low=0, high=10_000),
        visit_cost=asset.number("visit_cost_eur", 8, low=0, high=10_000),
        silent_ms=silent_ms,
        validity_ms=validity_ms,
        renewal_ms=min(validity_ms, silent_ms) // 2,
        tags=asset.tags,
        position=asset.position,
    )


def _fraction(asset: Asset) -> str:
    value = asset.properties.get("fraction", "")
    if not isinstance(value, str):
        raise asset.error("fraction", value, f"text like {', '.join(FRACTIONS)}")
    return value


def _prior(asset: Asset, usual: Fraction) -> Prior | None:
    rate = asset.number("fraction_rate_percent_per_day", usual.rate, low=0.1, high=500)
    return Prior(float(rate), timezone_of(asset)) if asset.flag("forecast", default=True) else None


def _service(asset: Asset) -> Service:
    days = days_of(asset, "service_days", WORKING_DAYS)
    if not days:
        raise asset.error("service_days", [], "at least one day of the week")
    begin, end = minutes_of(asset, "service_from", "06:00"), minutes_of(asset, "service_until", "15:00")
    if begin == end:
        raise asset.error(
            "service_until", asset.properties.get("service_until", "15:00"), "another time than service_from"
        )
    return Service(days, begin, end, timezone_of(asset))


def days_of(asset: Asset, name: str, default: frozenset[int]) -> frozenset[int]:
    """A property that lists days of the week (Monday 0); raises CityError."""
    given = asset.properties.get(name)
    if name not in asset.properties:
        return default
    if not isinstance(given, list) or not all(day in WEEKDAYS for day in given):
        raise asset.error(name, given, f"a list of {', '.join(WEEKDAYS)}")
    return frozenset(WEEKDAYS.index(day) for day in given)


def _instant(asset: Asset, name: str) -> int:
    """A time property in ms since 1970 (UTC), 0 where it is missing."""
    value = asset.properties.get(name)
    if name not in asset.properties:
        return 0
    try:
        moment = datetime.fromisoformat(str(value))
        return int((moment - EPOCH).total_seconds() * 1000)
    except (ValueError, TypeError) as error:
        raise asset.error(name, value, "a time with its offset from UTC, like 2026-11-23T07:00:00+01:00") from error
