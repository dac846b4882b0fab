"""Heavy rain: sliding sums of 1, 6, 12 and 24 hours against the DWD's warning levels.

Levels 2, 3, 4 in l/m²: from 15, above 25, above 40 in 1 h; 20, 35, 60 in 6 h; 25, 40, 70 in 12 h; 30, 50, 80 in 24 h
(DWD warning criteria for heavy and steady rain; level 1 is not used). The sum of what was heard is a lower bound, so a
gap never raises a level. Of several gauges at one place the highest sum counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rules.asset import Asset
from rules.environment.alert import Finding, Shown, Speaker, decimal, evidence, milliseconds, speaker
from rules.environment.level import Limit, Limits, half_up, level_of, rising, shown_limit
from rules.environment.rain_window import AMOUNT, TOTAL, Rain, add, fallen, sum_of
from rules.environment.state import loader
from rules.environment.words import Text
from rules.point import Point
from rules.rule import NOTHING, Input, Json, Observation, Outputs, Rule

ID = "environment.heavy_rain"
VERSION = 1
MINUTE_MS, HOUR_MS, BUCKET_MS = 60_000, 3_600_000, 600_000
SILENT_MS = 24 * HOUR_MS
KEPT = 24 * HOUR_MS // BUCKET_MS
FIRST_LEVEL = 2
NOTHING_HEARD = Rain()


def _limits(*values: float) -> Limits:
    return tuple(Limit(value, included=index == 0) for index, value in enumerate(values))


WINDOWS: dict[int, Limits] = {
    1: _limits(15, 25, 40),
    6: _limits(20, 35, 60),
    12: _limits(25, 40, 70),
    24: _limits(30, 50, 80),
}
"""By hours; mm of levels 2, 3 and 4."""


@dataclass(frozen=True, slots=True)
class RainConfig:
    """The parameters of a station; `interval_ms` is what an amount stands for when its device tells no counter."""

    speaker: Speaker
    limits: tuple[tuple[int, Limits], ...]
    hysteresis: float
    interval_ms: int
    tolerance: float
    plausible: float
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]


class Rains(NamedTuple):
    """What fell by device, when one was heard, levels by window, whether a sum is above 0, when windows slide."""

    devices: dict[str, Rain] = {}  # noqa: RUF012 - never changed: each state is a new one
    heard_ms: int = 0
    levels: tuple[int, ...] = ()
    wet: bool = False
    slide_ms: int = 0
    shown: Shown = Shown()


def configure(asset: Asset) -> RainConfig:
    """The parameters of this station; raises CityError."""
    return RainConfig(
        speaker=speaker(asset, ID, VERSION, "heavy_rain", milliseconds(asset, "rain_fresh_s", 3600, high=86_400)),
        limits=tuple((hours, rising(asset, f"rain_{hours}h_mm", WINDOWS[hours], high=1000)) for hours in WINDOWS),
        hysteresis=asset.number("rain_hysteresis_percent", 10, low=0, high=50) / 100,
        interval_ms=milliseconds(asset, "rain_interval_s", 600, high=86_400),
        tolerance=asset.number("rain_contradiction_mm", 10, low=0.1, high=500),
        plausible=asset.number("rain_max_mm_per_minute", 20, low=0.1, high=100),
        tags=asset.tags,
        position=asset.position,
    )


def initial(_config: RainConfig) -> Rains:
    """A station from which nothing was heard yet."""
    return Rains()


def step(config: RainConfig, rains: Rains, given: Input) -> tuple[Rains, Outputs]:
    """Add what fell, or let the windows slide; say so when a level changes."""
    if not isinstance(given, Observation):
        return _conclude(config, rains, given) if rains.shown.level else (rains, NOTHING)
    for quantity, _, _ in given.readings:
        if quantity is AMOUNT or quantity is TOTAL:
            heard = _hear(config, rains, given)
            return (rains, NOTHING) if heard is None else _conclude(config, heard, given)
    return rains, NOTHING


def wake(config: RainConfig, rains: Rains) -> int | None:
    """With an alert, when the windows have slid on by a bucket or its readings are too old."""
    return min(rains.heard_ms + config.speaker.fresh_ms, rains.slide_ms) if rains.shown.level else None


def dump(rains: Rains) -> Json:
    """The state as JSON."""
    devices, heard_ms, levels, wet, slide_ms, shown = rains
    return ({dev_eui: (*rain,) for dev_eui, rain in devices.items()}, heard_ms, levels, wet, slide_ms, (*shown,))


def _hear(config: RainConfig, rains: Rains, given: Observation) -> Rains | None:
    before = rains.devices.get(given.dev_eui, NOTHING_HEARD)
    found = fallen(before, given.readings)
    if found is None or given.time_ms == before.newest_ms or not given.usable(before.newest_ms):
        return None
    elapsed_ms = given.time_ms - before.newest_ms if before.newest_ms and found.whole else config.interval_ms
    if found.amount is not None and found.amount > config.plausible * max(1.0, elapsed_ms / MINUTE_MS):
        found = found._replace(amount=None)
    rain = add(
        before,
        found,
        given.time_ms,
        interval_ms=config.interval_ms,
        bucket_ms=BUCKET_MS,
        kept=KEPT,
        gap_ms=config.interval_ms * 3 // 2,
    )
    heard_ms = max(rains.heard_ms, min(given.time_ms, given.now_ms))
    return rains._replace(devices={**rains.devices, given.dev_eui: rain}, heard_ms=heard_ms)


def _conclude(config: RainConfig, rains: Rains, given: Input) -> tuple[Rains, Outputs]:
    now_ms = given.now_ms
    if not rains.wet and not any(rain.amounts for rain in rains.devices.values()):
        return rains, NOTHING
    devices = {dev_eui: rain for dev_eui, rain in rains.devices.items() if rain.newest_ms + SILENT_MS > now_ms}
    sums = [_highest(devices, hours, now_ms) for hours, _ in config.limits]
    before = rains.levels or (0,) * len(sums)
    levels = tuple(
        _level(config, limits, value, level)
        for (_, limits), value, level in zip(config.limits, sums, before, strict=True)
    )
    level = max(levels)
    rains = rains._replace(
        devices=devices, levels=levels, wet=any(sums), slide_ms=(now_ms // BUCKET_MS + 1) * BUCKET_MS
    )
    shown, events = config.speaker.say(
        rains.shown, level, rains.heard_ms, given, lambda: _finding(config, rains, sums, level, now_ms)
    )
    fields = [(f"precipitation_{hours}h", value) for (hours, _), value in zip(config.limits, sums, strict=True)]
    point = Point("asset", config.tags, (*config.position, *fields), now_ms)
    return rains._replace(shown=shown), Outputs(events, (point,))


def _highest(devices: Mapping[str, Rain], hours: int, now_ms: int) -> float:
    sums = (sum_of(rain, hours * HOUR_MS, now_ms, BUCKET_MS) for rain in devices.values())
    return half_up(max(sums, default=0.0), 1)


def _level(config: RainConfig, limits: Limits, value: float, before: int) -> int:
    own = max(0, before - FIRST_LEVEL + 1)
    held = limits[own - 1].value if own else 0.0
    reached = level_of(limits, value, own, config.hysteresis * held)
    return reached + FIRST_LEVEL - 1 if reached else 0


def _finding(config: RainConfig, rains: Rains, sums: Sequence[float], level: int, now_ms: int) -> Finding:
    heard = {dev_eui: rain for dev_eui, rain in rains.devices.items() if rain.newest_ms}
    since_ms = min(rain.since_ms for rain in heard.values())
    found = []
    for (hours, limits), value, own in zip(config.limits, sums, rains.levels, strict=True):
        limit = shown_limit(limits, max(0, own - FIRST_LEVEL + 1))
        found.append(
            evidence(
                AMOUNT.field,
                value,
                AMOUNT.ucum,
                rains.heard_ms,
                now_ms,
                n_samples=len(heard),
                window_ms=hours * HOUR_MS,
                threshold=limit,
                hysteresis=None if limit is None else round(config.hysteresis * limit, 3),
                coverage=max(0, rains.heard_ms - since_ms) / (hours * HOUR_MS),
                sources=heard,
            )
        )
    place = rains.levels.index(level) if level else -1
    hours, figure = config.limits[place][0], decimal(sums[place])
    text = Text(
        f"{figure.de} l/m² in {hours} {'Stunde' if hours == 1 else 'Stunden'}",
        f"{figure.en} l/m² in {hours} {'hour' if hours == 1 else 'hours'}",
    )
    return Finding(tuple(found), text, contradicting=_differ(config, heard, hours, now_ms))


def _differ(config: RainConfig, heard: Mapping[str, Rain], hours: int, now_ms: int) -> bool:
    sums = [sum_of(rain, hours * HOUR_MS, now_ms, BUCKET_MS) for rain in heard.values()]
    return max(sums) - min(sums) > config.tolerance


RULE = Rule(
    id=ID,
    version=VERSION,
    kind="station",
    configure=configure,
    initial=initial,
    step=step,
    wake=wake,
    dump=dump,
    load=loader(Rains, VERSION),
)
