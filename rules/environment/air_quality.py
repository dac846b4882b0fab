"""The hourly air quality index of the Umweltbundesamt, and an alert where it is poor.

Index: risk-based LQI of 2025 (UBA report, doi 10.60810/openumwelt-7990): clock-hour means in µg/m³, rounded to whole
numbers, five classes from 1 (very good) to 5 (very poor), the worst pollutant decides. Without all of `air_pollutants`
the index is incomplete.

Particles of simple sensors grow with humidity: above `humid_percent` the hour is flagged as incomplete; with `pm_kappa`
(about 0.4 in European cities) PM is divided by 1 + (κ / 1.65) / (1 / a − 1), a the relative humidity as a part of one
(κ-Köhler theory as in Crilley et al. 2018, doi 10.5194/amt-11-709-2018).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from decoders.quantity import Quantity
from rules.asset import Asset
from rules.environment.alert import Finding, Shown, Speaker, decimal, evidence, milliseconds, speaker
from rules.environment.gas import AS_MASS
from rules.environment.hours import (
    HOUR_MS,
    NO_HOURS,
    Closed,
    HourMean,
    HourRules,
    Hours,
    close,
    hear,
    hour_rules,
    next_close_ms,
)
from rules.environment.hours import plain as plain_hours
from rules.environment.level import Limit, Limits, half_up, level_of, rising, shown_limit
from rules.environment.state import loader
from rules.environment.words import CLASSES, Text
from rules.point import Point
from rules.rule import NOTHING, Input, Json, Observation, Outputs, Rule

ID = "environment.air_quality"
VERSION = 1
HUMIDITY = Quantity.AIR_HUMIDITY
UNIT = "ug/m3"
PARTICLES = (Quantity.PM10.field, Quantity.PM2_5.field)
NAMES = {"pm10": "PM10", "pm2_5": "PM2,5", "o3": "O₃", "no2": "NO₂", "so2": "SO₂"}
BOUNDS: Mapping[str, tuple[float, ...]] = {
    "pm10": (9, 27, 54, 90),
    "pm2_5": (5, 15, 30, 50),
    "o3": (24, 72, 144, 240),
    "no2": (10, 30, 60, 100),
    "so2": (10, 30, 60, 100),
}
"""The highest value of each class but the last, in µg/m³."""
WORST = 5
HEARD = {**{quantity: AS_MASS[quantity] for quantity in AS_MASS if quantity.field in BOUNDS}, HUMIDITY: None}
PARTICLE_DENSITY = 1.65
ALMOST_SATURATED = 99.0


@dataclass(frozen=True, slots=True)
class AirConfig:
    """Class bounds by pollutant in µg/m³; the alert begins with class `alert_class`."""

    speaker: Speaker
    hours: HourRules
    bounds: Mapping[str, Limits]
    expected: tuple[str, ...]
    alert_class: int
    hysteresis: float
    """Part of a bound that a value must fall below it to end a level."""
    humid_percent: float
    kappa: float
    tolerance: float
    """Part of the mean that devices may differ by."""
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]


class Air(NamedTuple):
    """The open hour, the levels of the pollutants in the newest closed one and when that ended, the newest alert."""

    hours: Hours = NO_HOURS
    levels: dict[str, int] = {}  # noqa: RUF012 - never changed: each state is a new one
    heard_ms: int = 0
    shown: Shown = Shown()


class Indexed(NamedTuple):
    """An hour's index and what led to it: values in µg/m³ by pollutant, the deciding one first."""

    grade: int
    values: dict[str, float]
    worst: str
    incomplete: bool
    contradicting: bool


def configure(asset: Asset) -> AirConfig:
    """The parameters of this station; raises CityError."""
    bounds = {
        name: rising(asset, f"air_bounds_{name}", tuple(Limit(bound, included=False) for bound in BOUNDS[name]))
        for name in BOUNDS
    }
    fresh_ms = milliseconds(asset, "air_valid_s", 7200, low=3600, high=86_400)
    return AirConfig(
        speaker=speaker(asset, ID, VERSION, "air_quality", fresh_ms),
        hours=hour_rules(asset, "air", HEARD),
        bounds=bounds,
        expected=_expected(asset),
        alert_class=asset.whole("air_alert_class", 4, low=2, high=WORST),
        hysteresis=asset.number("air_hysteresis_percent", 10, low=0, high=50) / 100,
        humid_percent=asset.number("humid_percent", 85, low=1, high=100),
        kappa=asset.number("pm_kappa", 0, low=0, high=2),
        tolerance=asset.number("air_contradiction_percent", 50, low=1, high=1000) / 100,
        tags=asset.tags,
        position=asset.position,
    )


def initial(_config: AirConfig) -> Air:
    """A station from which nothing was heard yet."""
    return Air()


def step(config: AirConfig, air: Air, given: Input) -> tuple[Air, Outputs]:
    """Take up what was heard; conclude when an hour is over, or an alert has outlived its readings."""
    if isinstance(given, Observation) and not config.hours.concern(given):
        return air, NOTHING
    hours, closed = close(config.hours, air.hours, given.now_ms)
    if isinstance(given, Observation):
        hours = hear(config.hours, hours, given)
    if not closed and hours is air.hours:
        return _end(config, air, given) if given.now_ms >= air.heard_ms + config.speaker.fresh_ms else (air, NOTHING)
    points = []
    air = air._replace(hours=hours)
    indexed = newest = None
    for hour in closed:
        indexed, newest = index_of(config, hour), hour
        if indexed is not None:
            points.append(_point(config, hour, indexed))
            air = air._replace(levels=_levels(config, air.levels, indexed), heard_ms=(hour.hour + 1) * HOUR_MS)
    if indexed is None or newest is None:
        air, ended = _end(config, air, given)
        return air, Outputs(ended.events, tuple(points))
    level, hour_found, means = max(air.levels.values()), indexed, newest.means
    shown, events = config.speaker.say(
        air.shown, level, air.heard_ms, given, lambda: _finding(config, hour_found, means, level, given.now_ms)
    )
    return air._replace(shown=shown), Outputs(events, tuple(points))


def wake(config: AirConfig, air: Air) -> int | None:
    """When the open hour is over, or an alert ends for want of data."""
    times = (next_close_ms(config.hours, air.hours), config.speaker.ends_ms(air.shown, air.heard_ms))
    return min((time for time in times if time is not None), default=None)


def dump(air: Air) -> Json:
    """The state as JSON."""
    return (plain_hours(air.hours), air.levels, air.heard_ms, (*air.shown,))


def index_of(config: AirConfig, closed: Closed) -> Indexed | None:
    """The index of a closed hour; None when no pollutant was measured enough."""
    means = {name: mean for name, mean in closed.means.items() if name in config.bounds}
    if not means:
        return None
    humidity = closed.means.get(HUMIDITY.field)
    values = {name: half_up(_dried(config, name, mean.mean, humidity)) for name, mean in means.items()}
    classes = {name: _class(config, name, value) for name, value in values.items()}
    worst = max(classes, key=lambda name: (classes[name], values[name] / config.bounds[name][-1].value, name))
    particles = any(name in values for name in PARTICLES)
    humid = particles and humidity is not None and humidity.mean > config.humid_percent and not config.kappa
    differing = (
        mean.spread > config.tolerance * max(mean.mean, config.bounds[name][0].value) for name, mean in means.items()
    )
    missing = any(name not in values for name in config.expected)
    return Indexed(classes[worst], values, worst, humid or missing, any(differing))


def _expected(asset: Asset) -> tuple[str, ...]:
    given = asset.properties.get("air_pollutants", list(BOUNDS))
    if not isinstance(given, list) or not given or not all(name in BOUNDS for name in given):
        raise asset.error("air_pollutants", given, f"a list of {', '.join(BOUNDS)}")
    return tuple(given)


def _dried(config: AirConfig, name: str, value: float, humidity: HourMean | None) -> float:
    if name not in PARTICLES or not config.kappa or humidity is None:
        return value
    activity = min(humidity.mean, ALMOST_SATURATED) / 100
    return value / (1 + config.kappa / PARTICLE_DENSITY * activity / (1 - activity))


def _class(config: AirConfig, name: str, value: float) -> int:
    return 1 + level_of(config.bounds[name], value, 0, 0)


def _alert_limits(config: AirConfig, name: str) -> Limits:
    return config.bounds[name][config.alert_class - 2 :]


def _levels(config: AirConfig, before: Mapping[str, int], indexed: Indexed) -> dict[str, int]:
    found = {}
    for name, value in indexed.values.items():
        limits = _alert_limits(config, name)
        level = before.get(name, 0)
        held = limits[min(level, len(limits)) - 1].value if level else 0.0
        found[name] = level_of(limits, value, level, config.hysteresis * held)
    return found


def _end(config: AirConfig, air: Air, given: Input) -> tuple[Air, Outputs]:
    if given.now_ms < air.heard_ms + config.speaker.fresh_ms:
        return air, NOTHING
    shown, events = config.speaker.fall_silent(air.shown, air.heard_ms, given)
    if shown is air.shown:
        return air, NOTHING
    return air._replace(levels={}, shown=shown), Outputs(events)


def _finding(config: AirConfig, indexed: Indexed, means: Mapping[str, HourMean], level: int, now_ms: int) -> Finding:
    order = sorted(indexed.values, key=lambda name: (name != indexed.worst, name))
    found = []
    for name in order:
        mean, limit = means[name], shown_limit(_alert_limits(config, name), level)
        found.append(
            evidence(
                name,
                indexed.values[name],
                UNIT,
                mean.newest_ms,
                now_ms,
                n_samples=mean.samples,
                window_ms=HOUR_MS,
                threshold=limit,
                hysteresis=None if limit is None else round(config.hysteresis * limit, 3),
                coverage=mean.coverage,
                sources=mean.sources,
            )
        )
    value = decimal(indexed.values[indexed.worst], 0)
    name = NAMES[indexed.worst]
    text = Text(
        f"{name} {value.de} µg/m³ im Stundenmittel, Luftqualitätsindex {indexed.grade} von {WORST}",
        f"{name.replace(',', '.')} {value.en} µg/m³ as hourly mean, air quality index {indexed.grade} of {WORST}",
    )
    grade = min(config.alert_class + max(level, 1) - 1, WORST)
    return Finding(tuple(found), text, CLASSES[grade - 1], indexed.incomplete, indexed.contradicting)


def _point(config: AirConfig, hour: Closed, indexed: Indexed) -> Point:
    fields = [*config.position, ("air_quality_index", float(indexed.grade))]
    fields.append(("air_quality_incomplete", float(indexed.incomplete)))
    fields += [(f"{name}_hour", value) for name, value in indexed.values.items()]
    return Point("asset", config.tags, tuple(fields), hour.hour * HOUR_MS)


RULE = Rule(
    id=ID,
    version=VERSION,
    kind="station",
    configure=configure,
    initial=initial,
    step=step,
    wake=wake,
    dump=dump,
    load=loader(Air, VERSION),
)
