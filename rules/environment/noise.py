"""Sound levels of day, evening and night as energy means, L_den, and a comparison with reference values.

Parts of the day: 6–18, 18–22, 22–6 o'clock in the city's time zone. Reference values are levels of assessment by
calculation, so a sensor's comparison is orientation.
"""

from collections.abc import Mapping
from typing import NamedTuple

from rules.environment.alert import Finding, Shown, decimal, evidence
from rules.environment.days import PARTS, Part, part_at
from rules.environment.hours import HOUR_MS, NO_HOURS, Closed, HourMean, Hours, close, hear, next_close_ms
from rules.environment.hours import plain as plain_hours
from rules.environment.level import half_up, level_of, shown_limit
from rules.environment.noise_config import ID, LOUD_DAY, LOUD_NIGHT, SOUND, VERSION, NoiseConfig, configure
from rules.environment.sound import DAY_HOURS, l_den, level_db
from rules.environment.state import loader
from rules.environment.words import Text
from rules.event_environment import EnvironmentalAlert
from rules.point import Point
from rules.rule import NOTHING, Input, Json, Observation, Outputs, Rule

SAME_DAY_MS = 18 * HOUR_MS
"""How long before the beginning of a part the earlier ones of its noise day may have begun."""
DAY_TEXT = {LOUD_DAY: Text("tags (6–22 Uhr)", "by day (6–22 h)"), LOUD_NIGHT: Text("nachts", "by night")}


class Sum(NamedTuple):
    """Energy of the hours heard in a part of the day: sum and number of hours, readings, newest, devices differ."""

    energy: float = 0.0
    hours: int = 0
    samples: int = 0
    newest_ms: int = 0
    contradicting: bool = False
    sources: tuple[str, ...] = ()


class Noise(NamedTuple):
    """The open hour; the open part (`part_ms` 0: none) and the ended parts of this noise day; levels, newest alert."""

    hours: Hours = NO_HOURS
    part_ms: int = 0
    open: Sum = Sum()
    ended: dict[str, tuple[int, Sum]] = {}  # noqa: RUF012 - never changed: each state is a new one
    levels: dict[str, int] = {}  # noqa: RUF012 - the same
    heard_ms: int = 0
    shown: Shown = Shown()


def initial(_config: NoiseConfig) -> Noise:
    """A station from which nothing was heard yet."""
    return Noise()


def step(config: NoiseConfig, noise: Noise, given: Input) -> tuple[Noise, Outputs]:
    """Take up what was heard; conclude when a part of the day is over."""
    if isinstance(given, Observation) and not config.hours.concern(given):
        return noise, NOTHING
    hours, closed = close(config.hours, noise.hours, given.now_ms)
    if isinstance(given, Observation):
        hours = hear(config.hours, hours, given)
    if hours is not noise.hours:
        noise = noise._replace(hours=hours)
    outputs = NOTHING
    for hour in closed:
        part = part_at(config.timezone, hour.hour * HOUR_MS)
        if noise.part_ms and noise.part_ms != part.begin_ms:
            noise, outputs = _end_part(config, noise, given, outputs)
        noise = noise._replace(part_ms=part.begin_ms, open=_added(config, noise.open, hour))
    if noise.part_ms and given.now_ms >= _over_ms(config, noise):
        noise, outputs = _end_part(config, noise, given, outputs)
    if noise.shown.level and given.now_ms >= noise.heard_ms + config.speaker.fresh_ms:
        shown, events = config.speaker.fall_silent(noise.shown, noise.heard_ms, given)
        return noise._replace(levels={}, shown=shown), Outputs((*outputs.events, *events), outputs.points)
    return noise, outputs


def wake(config: NoiseConfig, noise: Noise) -> int | None:
    """When the open hour or the open part of the day is over, or an alert ends for want of data."""
    times = [next_close_ms(config.hours, noise.hours), config.speaker.ends_ms(noise.shown, noise.heard_ms)]
    times += [_over_ms(config, noise)] if noise.part_ms else []
    return min((time for time in times if time is not None), default=None)


def dump(noise: Noise) -> Json:
    """The state as JSON."""
    hours, part_ms, total, ended, levels, heard_ms, shown = noise
    parts = {name: (begin_ms, (*each,)) for name, (begin_ms, each) in ended.items()}
    return (plain_hours(hours), part_ms, (*total,), parts, levels, heard_ms, (*shown,))


def _over_ms(config: NoiseConfig, noise: Noise) -> int:
    return part_at(config.timezone, noise.part_ms).end_ms + config.hours.grace_ms


def _added(config: NoiseConfig, total: Sum, hour: Closed) -> Sum:
    mean: HourMean = hour.means[SOUND.field]
    quietest = max(mean.mean - mean.spread / 2, 1.0)
    differing = level_db(quietest + mean.spread) - level_db(quietest) > config.tolerance
    return Sum(
        total.energy + mean.mean,
        total.hours + 1,
        total.samples + mean.samples,
        mean.newest_ms,
        total.contradicting or differing,
        mean.sources,
    )


def _end_part(config: NoiseConfig, noise: Noise, given: Input, outputs: Outputs) -> tuple[Noise, Outputs]:
    part, total = part_at(config.timezone, noise.part_ms), noise.open
    ended = {name: item for name, item in noise.ended.items() if item[0] >= part.begin_ms - SAME_DAY_MS}
    enough = total.hours * HOUR_MS >= config.min_coverage * (part.end_ms - part.begin_ms)
    if not enough:
        return noise._replace(part_ms=0, open=Sum(), ended=ended), outputs
    ended[part.name] = (part.begin_ms, total)
    noise = noise._replace(part_ms=0, open=Sum(), ended=ended)
    points = (*outputs.points, _point(config, part, ended))
    compared = _compared(part, ended)
    if compared is None or compared[0] not in config.limits:
        return noise, Outputs(outputs.events, points)
    noise, events = _judge(config, noise, part, compared, given)
    return noise, Outputs((*outputs.events, *events), points)


def _compared(part: Part, ended: Mapping[str, tuple[int, Sum]]) -> tuple[str, Sum] | None:
    """Which reference value the end of this part is compared with, and the energy for it."""
    if part.name == "night":
        return LOUD_NIGHT, ended["night"][1]
    if part.name == "day" or "day" not in ended:
        return None
    (_, day), (_, evening) = ended["day"], ended["evening"]
    return LOUD_DAY, Sum(
        day.energy + evening.energy,
        day.hours + evening.hours,
        day.samples + evening.samples,
        evening.newest_ms,
        day.contradicting or evening.contradicting,
        evening.sources,
    )


def _judge(
    config: NoiseConfig, noise: Noise, part: Part, compared: tuple[str, Sum], given: Input
) -> tuple[Noise, tuple[EnvironmentalAlert, ...]]:
    when, total = compared
    value = half_up(level_db(total.energy / total.hours))
    own = level_of(config.limits[when], value, noise.levels.get(when, 0), config.hysteresis)
    levels = {**noise.levels, when: own}
    level = max(levels.values())
    expected = (part.end_ms - part.begin_ms) / HOUR_MS + (DAY_HOURS if when == LOUD_DAY else 0)

    def tell() -> Finding:
        figure = decimal(value, 0)
        found = evidence(
            SOUND.field,
            value,
            SOUND.ucum,
            total.newest_ms,
            given.now_ms,
            n_samples=total.samples,
            window_ms=round(expected * HOUR_MS),
            threshold=shown_limit(config.limits[when], own),
            hysteresis=config.hysteresis,
            coverage=total.hours / expected,
            sources=total.sources,
        )
        text = Text(
            f"Mittelungspegel {DAY_TEXT[when].de} {figure.de} dB", f"Mean level {DAY_TEXT[when].en} {figure.en} dB"
        )
        return Finding((found,), text, contradicting=total.contradicting)

    shown, events = config.speaker.say(noise.shown, level, part.end_ms, given, tell)
    return noise._replace(levels=levels, heard_ms=part.end_ms, shown=shown), events


def _point(config: NoiseConfig, part: Part, ended: Mapping[str, tuple[int, Sum]]) -> Point:
    levels = {name: level_db(total.energy / total.hours) for name, (_, total) in ended.items()}
    fields = [*config.position, (f"l_{part.name}", round(levels[part.name], 1))]
    if part.name == "night" and len(levels) == len(PARTS):
        fields.append(("l_den", round(l_den(levels["day"], levels["evening"], levels["night"]), 1)))
    return Point("asset", config.tags, tuple(fields), part.begin_ms)


RULE = Rule(
    id=ID,
    version=VERSION,
    kind="station",
    configure=configure,
    initial=initial,
    step=step,
    wake=wake,
    dump=dump,
    load=loader(Noise, VERSION),
)
