"""The containers of a day: which must or may be emptied, why, and what lies in them when the tour begins."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import Final, NamedTuple, get_args

from rules.asset import Asset
from rules.city import City
from rules.engine import Engine
from rules.rule import StateRow
from rules.waste.collection_due import RULE, Container, situation
from rules.waste.days import DAY_MS, local_date
from rules.waste.due import Judgement, Situation, foretell, judge
from rules.waste.due_config import ContainerConfig
from rules.waste.due_text import text_of
from rules.waste.forecast import FULL, levels_at
from rules.waste.route.day_plan import Why
from rules.waste.route.model import Kerb, Stop
from rules.waste.route.property import DAY_MIN, MICRO, one_of, optional_whole, span
from rules.waste.route.service_day import ServiceDay
from rules.waste.words import Words

LITRES = 1000
"""In a cubic metre."""
DENSITIES: Final = {
    "residual": 82,
    "organic": 235,
    "packaging": 34,
    "paper": 145,
    "glass": 225,
    "textile": 89,
    "green": 148,
}
"""kg in a cubic metre as it lies loose: US EPA, Volume-to-Weight Conversion Factors (2016), in pounds a cubic yard:
trash 138, food 396, mixed recyclables 58, mixed paper 245, glass 380, textiles 150, yard trimmings 250."""
OTHER_DENSITY: Final = 100
"""Of any other fraction: a judgement."""


class Size(NamedTuple):
    """Containers up to a volume (l), and how long one of them takes (s)."""

    most_l: float
    service_s: int


SIZES: Final = (Size(240, 60), Size(1100, 120))
"""A litter bin, a bin on wheels: judgement, as all that follow."""
CRANE_S, UNDERGROUND_S, ROLL_OFF_S = 240, 360, 900
ANY_TIME = ("00:00", "24:00")


@dataclass(frozen=True, slots=True)
class DueList:
    """The stops of a day in the order of the city's file, each with its reason; `warnings` are for people.

    `fixed` is how many stops a fraction's tour would have if each of its containers were emptied in its fixed cycle.
    """

    stops: tuple[Stop, ...]
    why: Mapping[str, Why]
    warnings: tuple[Words, ...] = ()
    fixed: Mapping[str, float] = field(default_factory=dict)

    @property
    def fractions(self) -> tuple[str, ...]:
        """Those with the most mandatory stops first."""
        must = {stop.fraction: 0 for stop in self.stops}
        for stop in self.stops:
            must[stop.fraction] += stop.prize is None
        return tuple(sorted(must, key=lambda fraction: (-must[fraction], fraction)))


@dataclass(slots=True)
class _Found:
    stops: list[Stop] = field(default_factory=list)
    why: dict[str, Why] = field(default_factory=dict)
    fixed: dict[str, float] = field(default_factory=dict)


def due_on(city: City, rows: Iterable[StateRow], day: ServiceDay, now_ms: int) -> DueList:
    """The containers that must or may be emptied on a tour of that day, by what is known now.

    A container of which nothing is kept is one that was never heard of. Raises CityError.
    """
    engine = Engine(City(asset for asset in city.assets.values() if asset.kind == RULE.kind), [RULE])
    failures = engine.load(row for row in rows if row.rule == RULE.id)
    found = _Found()
    for order, container in enumerate(engine.states):
        subject = engine.subject(order)
        fraction = subject.config.fraction
        found.fixed[fraction] = found.fixed.get(fraction, 0.0) + in_cycle(subject.config, day)
        _add(found, subject.asset, subject.config, container, day, now_ms)
    warnings = (
        Words(
            f"{failed.subject}: was von ihm bekannt war, ist nicht lesbar: {failed.error}",
            f"{failed.subject}: what was known of it cannot be read: {failed.error}",
        )
        for failed in failures
    )
    return DueList(tuple(found.stops), found.why, tuple(warnings), found.fixed)


def in_cycle(config: ContainerConfig, day: ServiceDay) -> float:
    """The share of its emptyings in a fixed cycle that falls on a day: 1 on a fixed day, 0 on days without tours.

    A tour day stands for the days since the tour before it.
    """
    if config.fixed_days:
        return float(day.date.weekday() in config.fixed_days)
    weekdays = config.service.weekdays
    if not day.works(weekdays):
        return 0.0
    longest = config.cycle_ms // DAY_MS
    passed = 1
    while passed < longest and not ServiceDay(day.date - timedelta(days=passed), day.timezone).works(weekdays):
        passed += 1
    return passed / longest


def _add(
    found: _Found, asset: Asset, config: ContainerConfig, container: Container, day: ServiceDay, now_ms: int
) -> None:
    """Judge the container for that day; it is silent or not as it is now, for by then it will have been heard."""
    now = situation(config, container, now_ms)._replace(now_ms=max(now_ms, day.midnight_ms))
    judged = judge(config, now)
    if judged.tour.begin_ms < day.midnight_ms:  # the night tour of the day before, which goes on
        now = now._replace(now_ms=judged.tour.end_ms)
        judged = judge(config, now)
    if judged.obligation == "none" or local_date(day.timezone, judged.tour.begin_ms) != day.date:
        return
    found.stops.append(stop_of(asset, config.fraction, level_on_tour(now, judged), judged.prize, day))
    if judged.forecast is not None:  # foretold from today on, though judged for that day
        judged = judged._replace(forecast=foretell(config, now._replace(now_ms=now_ms), judged.after))
    text = text_of(config, judged, now.fill, now.since_ms, now.now_ms)
    level = None if now.silent else now.fill.level
    found.why[asset.id] = Why(judged.obligation, judged.reason, level, text.de, text.en)


def level_on_tour(now: Situation, judged: Judgement) -> float:
    """The level (%) when the tour begins: foretold where it can be, else the newest; full where none is known."""
    fill, begin_ms = now.fill, judged.tour.begin_ms
    if now.silent or fill.level is None:
        return FULL
    if judged.forecast is None or begin_ms <= fill.measured_ms:
        return fill.level
    return levels_at(judged.forecast.model, fill.level, fill.measured_ms, begin_ms)[1]


def stop_of(asset: Asset, fraction: str, level: float, prize_eur: float | None, day: ServiceDay) -> Stop:
    """The stop at a container filled to a level (%); without `volume_l` it has no load; raises CityError."""
    volume = asset.number("volume_l", low=1, high=60_000)
    load_l = None if volume is None else max(1, ceil(volume * level / FULL))
    density = asset.number("density_kg_per_m3", DENSITIES.get(fraction, OTHER_DENSITY), low=1, high=3000)
    roll_off = asset.flag("roll_off")
    begin, end = span(asset, ("window_from", "window_until"), ANY_TIME)
    always = "window_from" not in asset.properties and "window_until" not in asset.properties
    return Stop(
        id=asset.id,
        longitude=asset.longitude,
        latitude=asset.latitude,
        fraction=fraction,
        volume_l=load_l,
        mass_kg=ceil((load_l or 0) * density / LITRES),
        service_s=asset.whole("service_s", _usual_service_s(asset, volume, roll_off=roll_off), low=0, high=14_400),
        prize=None if prize_eur is None else round(prize_eur * MICRO),
        window_from_s=day.second(begin),
        window_until_s=day.second(2 * DAY_MIN if always else end),
        kerb=one_of(asset, "kerb", "any", get_args(Kerb)),
        approach_deg=optional_whole(asset, "approach_deg", low=0, high=359),
        max_height_cm=optional_whole(asset, "max_height_cm", low=100, high=1000),
        max_weight_kg=optional_whole(asset, "max_weight_kg", low=500, high=100_000),
        roll_off=roll_off,
    )


def full_stop(asset: Asset, day: ServiceDay) -> Stop:
    """The container full and mandatory, which vehicles must be able to cope with; raises CityError."""
    fraction = asset.properties.get("fraction", "")
    if not isinstance(fraction, str):
        raise asset.error("fraction", fraction, "text")
    return stop_of(asset, fraction, FULL, None, day)


def _usual_service_s(asset: Asset, volume: float | None, *, roll_off: bool) -> int:
    if roll_off:
        return ROLL_OFF_S
    if asset.properties.get("shape") == "underground":
        return UNDERGROUND_S
    return next((size.service_s for size in SIZES if volume is not None and volume <= size.most_l), CRANE_S)
