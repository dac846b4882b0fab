"""The true levels of what alerts are about: the figures of the asset applied to the truth, with their hysteresis.

Each function gives the course of the level, 0 for none; it raises NotScored where the truth lacks what is needed.
"""

from collections.abc import Sequence
from typing import NamedTuple

from rules.city import Asset
from rules.environment import gauge as gauge_rule
from rules.environment import gust as gust_rule
from rules.environment import heavy_rain as rain_rule
from rules.environment import ice as ice_rule
from rules.environment.level import half_up, level_of
from rules.traffic import queue_warning as queue_rule
from simulator.score.course import HOUR_MS, Course, Span
from simulator.score.truth import NotScored, Truth

RAINS_MM_PER_HOUR = 0.1
MM_PER_CM = 10


def heavy_rain(asset: Asset, truth: Truth, span: Span) -> Course[int]:
    """The highest level of the sliding sums of true rain; before the beginning it did not rain."""
    config, fallen = rain_rule.configure(asset), truth.at(asset.id, "precipitation_total")
    course, before = Course[int](), (0,) * len(config.limits)
    for time_ms, total in _steps(fallen, span):
        sums = [total - (fallen.at(time_ms - hours * HOUR_MS) or 0.0) for hours, _ in config.limits]
        found = []
        for (_, limits), fell, level in zip(config.limits, sums, before, strict=True):
            held = limits[level - 1].value if level else 0.0
            found.append(level_of(limits, half_up(fell, 1), level, config.hysteresis * held))
        before = tuple(found)
        course.add(time_ms, max(before) + rain_rule.FIRST_LEVEL - 1 if any(before) else 0)
    return course


def gauge(asset: Asset, truth: Truth, span: Span) -> Course[int]:
    """The information value that the true water level has reached."""
    config = gauge_rule.configure(asset)
    if not config.limits:
        raise NotScored("it has no information values")
    zero_mm = config.zero_mm if config.height_mm is None else 0.0
    course, level = Course[int](), 0
    for time_ms, height_mm in _steps(truth.of(asset.id, "water_level"), span):
        level = level_of(config.limits, half_up((zero_mm + height_mm) / MM_PER_CM), level, config.hysteresis)
        course.add(time_ms, level)
    return course


def gust(asset: Asset, truth: Truth, span: Span) -> Course[int]:
    """The level of the highest true gust of the last hour."""
    config, gusts = gust_rule.configure(asset), truth.at(asset.id, "wind_gust")
    course, level = Course[int](), 0
    for time_ms, newest in _steps(gusts, span):
        highest = max((newest, *gusts.within(Span(time_ms - config.window_ms + 1, time_ms))))
        level = level_of(config.limits, half_up(highest * gust_rule.KMH), level, config.hysteresis)
        course.add(time_ms, level)
    return course


class _Road(NamedTuple):
    """What is true of a road: its surface in °C, whether it is moist, whether it rains."""

    surface: float
    moist: bool
    raining: bool


def ice(asset: Asset, truth: Truth, span: Span) -> Course[int]:
    """The level that the true surface, its film of water, the dew point and rain lead to; nothing is held."""
    config = ice_rule.configure(asset)
    surface, film = truth.of(asset.id, "surface_temperature"), truth.of(asset.id, "water_film")
    air = [truth.at(asset.id, quantity) for quantity in ("air_temperature", "air_humidity", "precipitation_rate")]
    course = Course[int]()
    for time_ms, celsius in _steps(surface, span):
        temperature, humidity, rate = (each.at(time_ms) or 0.0 for each in air)
        dew = ice_rule.dew_point(temperature, humidity)
        moist = bool(film.at(time_ms)) or celsius <= dew + config.dew_margin
        course.add(time_ms, _slippery(config, _Road(celsius, moist, rate >= RAINS_MM_PER_HOUR)))
    return course


def queue(asset: Asset, truth: Truth, span: Span) -> Course[int]:
    """Whether vehicles truly drive so slowly that they queue."""
    config = queue_rule.configure(asset)
    course, queues = Course[int](), False
    for time_ms, speed in _steps(truth.of(asset.id, "speed"), span):
        queues = speed <= config.clear_kmh if queues else speed < config.slow_kmh
        course.add(time_ms, int(queues))
    return course


def _slippery(config: ice_rule.IceConfig, road: _Road) -> int:
    if road.surface <= config.likely and road.raining:
        return ice_rule.RAIN_ICE
    if road.surface <= config.possible and (road.moist or road.raining):
        return ice_rule.LIKELY if road.surface <= config.likely else ice_rule.POSSIBLE
    return ice_rule.INSPECTION if road.surface <= config.inspection else 0


def _steps(course: Course[float], span: Span) -> Sequence[tuple[int, float]]:
    steps = zip(course.times, course.values, strict=True)
    return [(time_ms, value) for time_ms, value in steps if span.begin_ms <= time_ms < span.end_ms]
