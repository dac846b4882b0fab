"""Heat: the felt temperature by clock hours, nights without cooling, hot days and tropical nights.

Level 1 from 32 °C felt when the night before brought no cooling (lowest air temperature 20 °C or more, or unknown),
level 2 above 38 °C felt (the DWD's heat warning levels; that office computes felt temperature with a model of the human
body). Ours is the apparent temperature of Steadman as used by the Australian Bureau of Meteorology: T + 0.33 e - 0.70 v
- 4 with vapour pressure e in hPa and wind v in m/s (2 m/s where none is measured); without humidity it is the air
temperature. Hot day: highest 30 °C or more on a local day; tropical night: lowest 20 °C or more from 18 to 06 UTC.
"""

from math import exp
from typing import NamedTuple

from rules.environment.alert import Finding, Shown, decimal, evidence
from rules.environment.days import day_at
from rules.environment.heat_config import HEARD, ID, TEMPERATURE, VERSION, HeatConfig, configure
from rules.environment.hours import HOUR_MS, NO_HOURS, Closed, HourMean, Hours, close, hear, next_close_ms
from rules.environment.hours import plain as plain_hours
from rules.environment.level import half_up, level_of, shown_limit
from rules.environment.state import loader
from rules.environment.words import Text
from rules.point import Point
from rules.rule import NOTHING, Input, Json, Observation, Outputs, Rule

UNMEASURED_WIND = 2.0
NIGHT_FROM, NIGHT_UNTIL = 18, 6
ENOUGH_OF_NIGHT, ENOUGH_OF_DAY = 9, 18
HOURS_A_DAY = 24
KNOWN_MS = 36 * HOUR_MS
"""From the beginning of a night to the end of the next one."""
FELT = "apparent_temperature"


class Span(NamedTuple):
    """A day or a night: when it began (0: none), hours heard, lowest and highest temperature."""

    begin_ms: int = 0
    hours: int = 0
    low: float = 0.0
    high: float = 0.0


class Heat(NamedTuple):
    """The open hour, day and night; `lowest` temperature of the newest night (None: unknown), begun at `lowest_ms`.

    `level` is that of the felt temperature alone.
    """

    hours: Hours = NO_HOURS
    day: Span = Span()
    night: Span = Span()
    lowest: float | None = None
    lowest_ms: int = 0
    year: int = 0
    hot_days: int = 0
    tropical_nights: int = 0
    level: int = 0
    heard_ms: int = 0
    shown: Shown = Shown()


def initial(_config: HeatConfig) -> Heat:
    """A station from which nothing was heard yet."""
    return Heat()


def felt(temperature: float, humidity: float | None, wind: float | None) -> float:
    """Apparent temperature in °C from °C, % and m/s."""
    if humidity is None:
        return temperature
    vapour = humidity / 100 * 6.105 * exp(17.27 * temperature / (237.7 + temperature))
    return temperature + 0.33 * vapour - 0.70 * (UNMEASURED_WIND if wind is None else wind) - 4.0


def step(config: HeatConfig, heat: Heat, given: Input) -> tuple[Heat, Outputs]:
    """Take up what was heard; conclude when an hour is over, or an alert has outlived its readings."""
    if isinstance(given, Observation) and not config.hours.concern(given):
        return heat, NOTHING
    hours, closed = close(config.hours, heat.hours, given.now_ms)
    if isinstance(given, Observation):
        hours = hear(config.hours, hours, given)
    if hours is not heat.hours:
        heat = heat._replace(hours=hours)
    points: list[Point] = []
    newest = None
    for hour in closed:
        if TEMPERATURE.field in hour.means:
            heat, newest = _take(config, heat, hour, points), hour
    if newest is None:
        if given.now_ms < heat.heard_ms + config.speaker.fresh_ms:
            return heat, NOTHING
        shown, events = config.speaker.fall_silent(heat.shown, heat.heard_ms, given)
        return (heat, NOTHING) if shown is heat.shown else (heat._replace(level=0, shown=shown), Outputs(events))
    heat, outputs = _judge(config, heat, newest, given)
    return heat, Outputs(outputs.events, (*points, *outputs.points))


def wake(config: HeatConfig, heat: Heat) -> int | None:
    """When the open hour is over, or an alert ends for want of data."""
    times = (next_close_ms(config.hours, heat.hours), config.speaker.ends_ms(heat.shown, heat.heard_ms))
    return min((time for time in times if time is not None), default=None)


def dump(heat: Heat) -> Json:
    """The state as JSON."""
    hours, day, night, *rest, shown = heat
    return (plain_hours(hours), (*day,), (*night,), *rest, (*shown,))


def _take(config: HeatConfig, heat: Heat, hour: Closed, points: list[Point]) -> Heat:
    mean, begin_ms = hour.means[TEMPERATURE.field], hour.hour * HOUR_MS
    heat = heat._replace(heard_ms=begin_ms + HOUR_MS)
    heat = _day(config, heat, begin_ms, mean, points)
    return _night(config, heat, hour.hour, mean, points)


def _day(config: HeatConfig, heat: Heat, begin_ms: int, mean: HourMean, points: list[Point]) -> Heat:
    today = day_at(config.timezone, begin_ms)
    if heat.day.begin_ms and heat.day.begin_ms != today.begin_ms:
        points.extend(_of_day(config, heat))
    if heat.year != today.year:
        heat = heat._replace(year=today.year, hot_days=0, tropical_nights=0)
    was = heat.day if heat.day.begin_ms == today.begin_ms else Span()
    day = _with(was, today.begin_ms, mean)
    hot = config.hot_day <= day.high and (not was.hours or was.high < config.hot_day)
    return heat._replace(day=day, hot_days=heat.hot_days + hot)


def _night(config: HeatConfig, heat: Heat, hour: int, mean: HourMean, points: list[Point]) -> Heat:
    since = (hour - NIGHT_FROM) % HOURS_A_DAY
    begin_ms = (hour - since) * HOUR_MS
    if heat.night.begin_ms and heat.night.begin_ms != begin_ms:
        heat = _end_of_night(config, heat, points)
    length = (NIGHT_UNTIL - NIGHT_FROM) % HOURS_A_DAY
    if since >= length:
        return heat
    heat = heat._replace(night=_with(heat.night, begin_ms, mean))
    return _end_of_night(config, heat, points) if since == length - 1 else heat


def _end_of_night(config: HeatConfig, heat: Heat, points: list[Point]) -> Heat:
    night = heat.night
    heat = heat._replace(night=Span())
    if night.hours < ENOUGH_OF_NIGHT:
        return heat
    tropical = night.low >= config.warm_night
    heat = heat._replace(lowest=night.low, lowest_ms=night.begin_ms, tropical_nights=heat.tropical_nights + tropical)
    fields = (
        ("night_temperature_min", night.low),
        ("tropical_night", float(tropical)),
        ("tropical_nights_year", float(heat.tropical_nights)),
    )
    points.append(Point("asset", config.tags, (*config.position, *fields), night.begin_ms))
    return heat


def _of_day(config: HeatConfig, heat: Heat) -> tuple[Point, ...]:
    day = heat.day
    if day.hours < ENOUGH_OF_DAY and day.high < config.hot_day:
        return ()
    fields = (
        ("day_temperature_max", day.high),
        ("hot_day", float(day.high >= config.hot_day)),
        ("hot_days_year", float(heat.hot_days)),
    )
    return (Point("asset", config.tags, (*config.position, *fields), day.begin_ms),)


def _with(span: Span, begin_ms: int, mean: HourMean) -> Span:
    if not span.hours:
        return Span(begin_ms, 1, mean.low, mean.high)
    return Span(begin_ms, span.hours + 1, min(span.low, mean.low), max(span.high, mean.high))


def _judge(config: HeatConfig, heat: Heat, newest: Closed, given: Input) -> tuple[Heat, Outputs]:
    temperature, humidity, wind = (newest.means.get(each.field) for each in HEARD)
    if temperature is None:
        return heat, NOTHING
    value = felt(temperature.mean, humidity.mean if humidity else None, wind.mean if wind else None)
    value = half_up(value, 1)
    level = level_of(config.limits, value, heat.level, config.hysteresis)
    known = heat.lowest is not None and newest.hour * HOUR_MS - heat.lowest_ms < KNOWN_MS
    cooled = known and heat.lowest is not None and heat.lowest < config.warm_night
    said = 0 if level == 1 and cooled and config.needs_warm_night else level

    def tell() -> Finding:
        night = heat.lowest if known else None
        return _finding(config, (temperature, value, humidity is None), night, said, given.now_ms)

    shown, events = config.speaker.say(heat.shown, said, heat.heard_ms, given, tell)
    point = Point("asset", config.tags, (*config.position, (FELT, value)), newest.hour * HOUR_MS)
    return heat._replace(level=level, shown=shown), Outputs(events, (point,))


def _finding(
    config: HeatConfig, heard: tuple[HourMean, float, bool], night: float | None, level: int, now_ms: int
) -> Finding:
    mean, value, dry = heard
    found = [
        evidence(
            TEMPERATURE.field if dry else FELT,
            value,
            TEMPERATURE.ucum,
            mean.newest_ms,
            now_ms,
            n_samples=mean.samples,
            window_ms=HOUR_MS,
            threshold=shown_limit(config.limits, level),
            hysteresis=config.hysteresis,
            coverage=mean.coverage,
            sources=mean.sources,
        )
    ]
    figure, text = decimal(value), Text("", "")
    if night is not None:
        lowest = decimal(night)
        text = Text(f", letzte Nacht nicht unter {lowest.de} °C", f", last night not below {lowest.en} °C")
    return Finding(
        tuple(found),
        Text(
            f"Gefühlte Temperatur {figure.de} °C im Stundenmittel{text.de}",
            f"Felt temperature {figure.en} °C as hourly mean{text.en}",
        ),
        incomplete=dry or night is None,
        contradicting=mean.spread > config.tolerance,
    )


RULE = Rule(
    id=ID,
    version=VERSION,
    kind="station",
    configure=configure,
    initial=initial,
    step=step,
    wake=wake,
    dump=dump,
    load=loader(Heat, VERSION),
)
