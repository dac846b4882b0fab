"""The true levels of what is judged by the hour: heat, air quality, noise. Each holds from the end of its hour on.

Hours that the span does not hold as a whole are left out. Each function raises NotScored where the truth lacks what is
needed.
"""

from collections.abc import Callable, Iterator, Sequence
from statistics import fmean
from typing import NamedTuple

from rules.city import Asset
from rules.environment import air_quality as air_rule
from rules.environment import heat as heat_rule
from rules.environment import heat_config, noise_config
from rules.environment.days import Part, part_at
from rules.environment.gas import AS_MASS
from rules.environment.level import half_up, level_of
from rules.environment.sound import energy, level_db
from simulator.score.course import HOUR_MS, Course, Span
from simulator.score.truth import NotScored, Truth

NIGHT_HOURS = (heat_rule.NIGHT_UNTIL - heat_rule.NIGHT_FROM) % heat_rule.HOURS_A_DAY


class Night(NamedTuple):
    """A night that is over: begin and lowest temperature in °C."""

    begin_ms: int
    lowest: float


def heat(asset: Asset, truth: Truth, span: Span) -> Course[int]:
    """The level of the true felt temperature; a night that is not known as a whole brought no cooling."""
    config = heat_config.configure(asset)
    courses = [truth.at(asset.id, name) for name in ("air_temperature", "air_humidity", "wind_speed")]
    over = nights(asset, truth, span)
    course, level = Course[int](), 0
    for begin_ms in hours(span):
        means = [_mean(each, begin_ms) for each in courses]
        value = half_up(heat_rule.felt(*means), 1)
        level = level_of(config.limits, value, level, config.hysteresis)
        known = [night for night in over if night.begin_ms + NIGHT_HOURS * HOUR_MS <= begin_ms + HOUR_MS]
        cooled = bool(known) and begin_ms - known[-1].begin_ms < heat_rule.KNOWN_MS
        cooled = cooled and known[-1].lowest < config.warm_night
        course.add(begin_ms + HOUR_MS, 0 if level == 1 and cooled and config.needs_warm_night else level)
    return course


def nights(asset: Asset, truth: Truth, span: Span) -> list[Night]:
    """The nights of which enough hours are in the span, with their true lowest temperature."""
    temperatures = truth.at(asset.id, "air_temperature")
    lows: dict[int, list[float]] = {}
    for begin_ms in hours(span):
        since = (begin_ms // HOUR_MS - heat_rule.NIGHT_FROM) % heat_rule.HOURS_A_DAY
        if since < NIGHT_HOURS:
            low = min(temperatures.within(Span(begin_ms, begin_ms + HOUR_MS)))
            lows.setdefault(begin_ms - since * HOUR_MS, []).append(low)
    ended = {begin_ms: low for begin_ms, low in lows.items() if begin_ms + NIGHT_HOURS * HOUR_MS <= span.end_ms}
    return [Night(begin_ms, min(low)) for begin_ms, low in ended.items() if len(low) >= heat_rule.ENOUGH_OF_NIGHT]


def air_quality(pollutants: Sequence[str]) -> Callable[[Asset, Truth, Span], Course[int]]:
    """The level by the true hourly means of these pollutants; those of gases are ppb in the truth."""
    convert = {quantity.field: change for quantity, change in AS_MASS.items()}

    def levels(asset: Asset, truth: Truth, span: Span) -> Course[int]:
        config = air_rule.configure(asset)
        courses = {name: truth.at(asset.id, name) for name in pollutants}
        course, before = Course[int](), dict.fromkeys(pollutants, 0)
        for begin_ms in hours(span):
            for name, values in courses.items():
                mass, change = _mean(values, begin_ms), convert[name]
                limits = config.bounds[name][config.alert_class - 2 :]
                held = limits[before[name] - 1].value if before[name] else 0.0
                value = half_up(mass if change is None else change(mass))
                before[name] = level_of(limits, value, before[name], config.hysteresis * held)
            course.add(begin_ms + HOUR_MS, max(before.values()))
        return course

    return levels


def noise(asset: Asset, truth: Truth, span: Span) -> Course[int]:
    """The level by the true mean of 6–22 and 22–6 o'clock, from the end of each on."""
    config = noise_config.configure(asset)
    if not config.limits:
        raise NotScored("it has no reference values (noise_area)")
    sums: dict[Part, list[float]] = {}
    sound = truth.of(asset.id, "sound_level_average")
    for begin_ms in hours(span):
        part = part_at(config.timezone, begin_ms)
        sums.setdefault(part, []).append(fmean(map(energy, sound.within(Span(begin_ms, begin_ms + HOUR_MS)))))
    course, levels, day = Course[int](), dict[str, int](), list[float]()
    for part, energies in sums.items():
        whole = len(energies) * HOUR_MS >= config.min_coverage * (part.end_ms - part.begin_ms)
        if part.name == "day":
            day = energies if whole else []
        when = noise_config.LOUD_NIGHT if part.name == "night" else noise_config.LOUD_DAY
        compared = [*day, *energies] if part.name == "evening" else energies
        lacking = part.name == "day" or not whole or (part.name == "evening" and not day)
        if lacking or when not in config.limits or part.end_ms > span.end_ms:
            continue
        value = half_up(level_db(fmean(compared)))
        levels[when] = level_of(config.limits[when], value, levels.get(when, 0), config.hysteresis)
        course.add(part.end_ms, max(levels.values()))
    if not course.times:
        raise NotScored("the span holds no whole part of the day (6–22 or 22–6 o'clock)")
    return course


def hours(span: Span) -> Iterator[int]:
    """The beginnings of the clock hours that lie in a span."""
    first = -(-span.begin_ms // HOUR_MS) * HOUR_MS
    return iter(range(first, span.end_ms - HOUR_MS + 1, HOUR_MS))


def _mean(course: Course[float], begin_ms: int) -> float:
    return fmean(course.within(Span(begin_ms, begin_ms + HOUR_MS)))
