"""Gusts: the highest of the last hour against the DWD's warning levels.

Levels 1–4 in km/h: above 50, from 65, from 105, above 140 (DWD warning criteria for wind). A gust below the mean wind
told with it, or far above it (more than `gust_factor` times the wind and 36 km/h), is no gust and not used. Of
several devices at one place the highest counts.
"""

from dataclasses import dataclass
from typing import NamedTuple

from decoders.quantity import Quantity
from rules.asset import Asset
from rules.environment.alert import Finding, Shown, Speaker, decimal, evidence, milliseconds, speaker
from rules.environment.level import Limit, Limits, half_up, level_of, rising, shown_limit
from rules.environment.state import loader
from rules.environment.words import Text
from rules.point import Point
from rules.rule import NOTHING, Input, Json, Observation, Outputs, Rule

ID = "environment.gust"
VERSION = 1
GUST, WIND = Quantity.WIND_GUST, Quantity.WIND_SPEED
LEVELS: Limits = (Limit(50, included=False), Limit(65), Limit(105), Limit(140, included=False))
KMH = 3.6
"""In a m/s."""
CALM = 10.0
"""m/s that a gust may reach in no wind."""
UNIT = "km/h"


@dataclass(frozen=True, slots=True)
class GustConfig:
    """The parameters of a station; limits in km/h."""

    speaker: Speaker
    limits: Limits
    hysteresis: float
    window_ms: int
    factor: float
    tolerance: float
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]


class Peak(NamedTuple):
    """A gust in km/h and its time."""

    time_ms: int
    value: float


class Gusts(NamedTuple):
    """By device the gusts that are the highest since their time, falling; when one was heard, the newest alert."""

    devices: dict[str, tuple[Peak, ...]] = {}  # noqa: RUF012 - never changed: each state is a new one
    heard_ms: int = 0
    shown: Shown = Shown()


def configure(asset: Asset) -> GustConfig:
    """The parameters of this station; raises CityError."""
    return GustConfig(
        speaker=speaker(asset, ID, VERSION, "gust", milliseconds(asset, "gust_fresh_s", 3600, high=86_400)),
        limits=rising(asset, "gust_kmh", LEVELS, low=1, high=500),
        hysteresis=asset.number("gust_hysteresis_kmh", 5, low=0, high=50),
        window_ms=milliseconds(asset, "gust_window_s", 3600, low=600, high=86_400),
        factor=asset.number("gust_factor", 5, low=1, high=100),
        tolerance=asset.number("gust_contradiction_kmh", 40, low=1, high=500),
        tags=asset.tags,
        position=asset.position,
    )


def initial(_config: GustConfig) -> Gusts:
    """A station from which nothing was heard yet."""
    return Gusts()


def step(config: GustConfig, gusts: Gusts, given: Input) -> tuple[Gusts, Outputs]:
    """Take up a gust, or let the window slide; say so when the level changes."""
    if not isinstance(given, Observation):
        return _conclude(config, gusts, given) if gusts.shown.level else (gusts, NOTHING)
    gust = wind = None
    for quantity, value, _ in given.readings:
        if quantity is GUST:
            gust = value if gust is None else max(gust, value)
        elif quantity is WIND:
            wind = value
    if gust is None or not _believable(config, gust, wind):
        return gusts, NOTHING
    before = gusts.devices.get(given.dev_eui, ())
    if not given.usable(before[-1].time_ms if before else 0):
        return gusts, NOTHING
    peak = Peak(given.time_ms, gust * KMH)
    kept = (*(each for each in before if each.value > peak.value), peak)
    heard_ms = max(gusts.heard_ms, min(given.time_ms, given.now_ms))
    devices = {**gusts.devices, given.dev_eui: kept}
    return _conclude(config, Gusts(devices, heard_ms, gusts.shown), given)


def wake(config: GustConfig, gusts: Gusts) -> int | None:
    """With an alert, when a highest gust leaves the window or the readings are too old."""
    if not gusts.shown.level:
        return None
    leaves_ms = min((peaks[0].time_ms for peaks in gusts.devices.values() if peaks), default=gusts.heard_ms)
    return min(leaves_ms + config.window_ms, gusts.heard_ms + config.speaker.fresh_ms)


def dump(gusts: Gusts) -> Json:
    """The state as JSON."""
    devices, heard_ms, shown = gusts
    plain = {dev_eui: tuple([(*peak,) for peak in peaks]) for dev_eui, peaks in devices.items()}
    return (plain, heard_ms, (*shown,))


def _believable(config: GustConfig, gust: float, wind: float | None) -> bool:
    return wind is None or wind <= gust <= wind * config.factor + CALM


def _conclude(config: GustConfig, gusts: Gusts, given: Input) -> tuple[Gusts, Outputs]:
    begin_ms = given.now_ms - config.window_ms
    if any(peaks[0].time_ms <= begin_ms for peaks in gusts.devices.values()):
        devices = {dev_eui: _since(peaks, begin_ms) for dev_eui, peaks in gusts.devices.items()}
        gusts = gusts._replace(devices={dev_eui: peaks for dev_eui, peaks in devices.items() if peaks})
    highest = half_up(max((peaks[0].value for peaks in gusts.devices.values()), default=0.0))
    level = level_of(config.limits, highest, gusts.shown.level, config.hysteresis)
    shown, events = config.speaker.say(
        gusts.shown, level, gusts.heard_ms, given, lambda: _finding(config, gusts, highest, level, given.now_ms)
    )
    if shown is not gusts.shown:
        gusts = gusts._replace(shown=shown)
    if not events:
        return gusts, NOTHING
    point = Point("asset", config.tags, (*config.position, ("gust_kmh", highest)), given.now_ms)
    return gusts, Outputs(events, (point,))


def _since(peaks: tuple[Peak, ...], begin_ms: int) -> tuple[Peak, ...]:
    return tuple(peak for peak in peaks if peak.time_ms > begin_ms)


def _finding(config: GustConfig, gusts: Gusts, highest: float, level: int, now_ms: int) -> Finding:
    found = evidence(
        GUST.field,
        highest,
        UNIT,
        gusts.heard_ms,
        now_ms,
        n_samples=sum(len(peaks) for peaks in gusts.devices.values()),
        window_ms=config.window_ms,
        threshold=shown_limit(config.limits, level),
        hysteresis=config.hysteresis,
        sources=gusts.devices,
    )
    tops = [peaks[0].value for peaks in gusts.devices.values()]
    figure, minutes = decimal(highest, 0), config.window_ms // 60_000
    return Finding(
        (found,),
        Text(
            f"Böen bis {figure.de} km/h in den letzten {minutes} Minuten",
            f"Gusts up to {figure.en} km/h in the last {minutes} minutes",
        ),
        contradicting=len(tops) > 1 and max(tops) - min(tops) > config.tolerance,
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
    load=loader(Gusts, VERSION),
)
