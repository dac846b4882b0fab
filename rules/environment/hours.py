"""Means of clock hours from readings at any interval: each reading stands for the time since the one before it.

It stands for `hold_ms` at most, so a lost reading costs nothing and a silence shows as missing coverage. Hours are
those of UTC; in zones of whole hours they are the local ones. An hour is closed `grace_ms` after its end, and what
comes later for it changes nothing. Devices at one place are joined by the median of their means, two by the middle
between them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from decoders.quantity import Quantity
from rules.asset import Asset
from rules.environment.alert import MAX_SOURCES
from rules.rule import Json, Observation

HOUR_MS = 3_600_000
DIGITS = 3
"""Decimals of what is kept of a value."""


class Cell(NamedTuple):
    """What one device said of an hour: ms covered, value × ms, extremes of the values, how many they were."""

    covered_ms: int = 0
    total: float = 0.0
    low: float = 0.0
    high: float = 0.0
    samples: int = 0


EMPTY = Cell()


class Track(NamedTuple):
    """A device's quantity: time of the newest used reading, the open hour, and the one after it."""

    newest_ms: int
    open: Cell
    next: Cell


class Hours(NamedTuple):
    """The open hour (since 1970) and what is known of it, by `quantity device/channel`."""

    hour: int
    tracks: dict[str, Track]


NO_HOURS = Hours(0, {})


class HourMean(NamedTuple):
    """A quantity in a closed hour; `spread` is the distance between the devices' means, coverage a part of one."""

    mean: float
    low: float
    high: float
    coverage: float
    samples: int
    newest_ms: int
    spread: float
    sources: tuple[str, ...]


class Closed(NamedTuple):
    """A closed hour; quantities without enough readings are missing."""

    hour: int
    means: dict[str, HourMean]


@dataclass(frozen=True, slots=True)
class HourRules:
    """Which quantities, as what (a function of the value), and what makes an hour."""

    quantities: Mapping[Quantity, Callable[[float], float] | None] = field(repr=False)
    hold_ms: int
    grace_ms: int
    min_coverage: float

    def concern(self, given: Observation) -> bool:
        """Whether the observation has a reading of these quantities."""
        quantities = self.quantities
        for quantity, _, _ in given.readings:  # noqa: SIM110 - any() over a generator takes three times as long
            if quantity in quantities:
                return True
        return False


def hour_rules(asset: Asset, prefix: str, quantities: Mapping[Quantity, Callable[[float], float] | None]) -> HourRules:
    """`<prefix>_hold_s`, `<prefix>_grace_s` and `<prefix>_coverage_percent` of an asset; raises CityError.

    An hourly mean wants 75 % of its time (Directive 2008/50/EC, annex XI).
    """
    return HourRules(
        quantities=quantities,
        hold_ms=asset.whole(f"{prefix}_hold_s", 1800, low=60, high=3600) * 1000,
        grace_ms=asset.whole(f"{prefix}_grace_s", 300, low=0, high=3000) * 1000,
        min_coverage=asset.number(f"{prefix}_coverage_percent", 75, low=1, high=100) / 100,
    )


def hear(rules: HourRules, hours: Hours, given: Observation) -> Hours:
    """Take up the readings of an observation; the same object when there is nothing of use in it."""
    tracks: dict[str, Track] | None = None
    time_ms, quantities = given.time_ms, rules.quantities
    for quantity, value, channel in given.readings:
        if quantity not in quantities:
            continue
        key = f"{quantity.field} {given.dev_eui}/{channel}" if channel else f"{quantity.field} {given.dev_eui}"
        before = (tracks or hours.tracks).get(key)
        newest_ms = before.newest_ms if before else 0
        begin_ms = max(newest_ms, time_ms - rules.hold_ms)
        if begin_ms >= time_ms or not given.usable(newest_ms) or time_ms <= hours.hour * HOUR_MS:
            continue
        change = quantities[quantity]
        tracks = tracks or {**hours.tracks}
        tracks[key] = _taken(hours.hour, before, begin_ms, time_ms, value if change is None else change(value))
    return hours if tracks is None else Hours(hours.hour, tracks)


def plain(hours: Hours) -> Json:
    """The hours as JSON."""
    hour, tracks = hours
    return (hour, {key: (newest_ms, (*this,), (*later,)) for key, (newest_ms, this, later) in tracks.items()})


def close(rules: HourRules, hours: Hours, now_ms: int) -> tuple[Hours, tuple[Closed, ...]]:
    """Close the hours that are over, in their order; hours in which nobody spoke are passed over."""
    due = (now_ms - rules.grace_ms) // HOUR_MS
    if hours.hour >= due:
        return hours, ()
    closed = []
    hour, tracks = hours
    while tracks and hour < due:
        means = _means(rules, tracks)
        if means:
            closed.append(Closed(hour, means))
        tracks = {key: Track(track.newest_ms, track.next, EMPTY) for key, track in tracks.items() if track.next.samples}
        hour += 1
    return Hours(due, tracks), tuple(closed)


def next_close_ms(rules: HourRules, hours: Hours) -> int | None:
    """When the open hour is to be closed; None while nothing is known of it."""
    return (hours.hour + 1) * HOUR_MS + rules.grace_ms if hours.tracks else None


def _taken(hour: int, before: Track | None, begin_ms: int, time_ms: int, value: float) -> Track:
    border_ms = (hour + 1) * HOUR_MS
    this, later = (before.open, before.next) if before else (EMPTY, EMPTY)
    if begin_ms < border_ms:
        this = _added(this, min(time_ms, border_ms) - max(begin_ms, hour * HOUR_MS), value)
    if time_ms > border_ms:
        later = _added(later, time_ms - max(begin_ms, border_ms), value)
    return Track(time_ms, this, later)


def _added(cell: Cell, weight_ms: int, value: float) -> Cell:
    covered_ms, total, low, high, samples = cell
    value = round(value, DIGITS)
    total += round(value * weight_ms)
    if not samples:
        return Cell(weight_ms, total, value, value, 1)
    return Cell(covered_ms + weight_ms, total, min(low, value), max(high, value), samples + 1)


def _means(rules: HourRules, tracks: Mapping[str, Track]) -> dict[str, HourMean]:
    found: dict[str, list[tuple[str, Track]]] = {}
    for key, track in tracks.items():
        if track.open.covered_ms >= rules.min_coverage * HOUR_MS:
            name, _, source = key.partition(" ")
            found.setdefault(name, []).append((source, track))
    return {name: _joined(found[name]) for name in sorted(found)}


def _joined(heard: list[tuple[str, Track]]) -> HourMean:
    cells = [track.open for _, track in heard]
    means = [cell.total / cell.covered_ms for cell in cells]
    return HourMean(
        mean=median(means),
        low=median(cell.low for cell in cells),
        high=median(cell.high for cell in cells),
        coverage=median(cell.covered_ms for cell in cells) / HOUR_MS,
        samples=sum(cell.samples for cell in cells),
        newest_ms=max(track.newest_ms for _, track in heard),
        spread=max(means) - min(means),
        sources=tuple(sorted({source.partition("/")[0] for source, _ in heard}))[:MAX_SOURCES],
    )
