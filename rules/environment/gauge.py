"""Water level at a gauge against the three information values of its flood service.

The values come from the asset (`information_value_1_cm` … `_3_cm`, from the state's flood service); without any there
is no alert, only the level as a derived point. The level is `gauge_zero_mm` above the gauge's zero plus what a pressure
sensor tells, or `sensor_height_mm` above that zero minus the distance that a sensor above the water tells. Of a device
the middle one of the newest three readings counts (of two the lower), so a single wrong echo raises nothing; of
several devices the highest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median_low
from typing import NamedTuple

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Asset
from rules.environment.alert import Finding, Shown, Speaker, decimal, evidence, milliseconds, speaker
from rules.environment.level import Limit, Limits, half_up, level_of, shown_limit
from rules.environment.state import dump, loader
from rules.environment.words import Text
from rules.event_environment import EnvironmentalAlert
from rules.point import Point
from rules.rule import NOTHING, Input, Observation, Outputs, Rule

ID = "environment.gauge"
VERSION = 1
LEVEL, DISTANCE = Quantity.WATER_LEVEL, Quantity.DISTANCE
UNIT = "cm"
MM_PER_CM = 10
NEEDED, KEPT = 2, 3
VALUES = 3


@dataclass(frozen=True, slots=True)
class GaugeConfig:
    """The parameters of a gauge; lengths in mm, information values in cm above the gauge's zero."""

    speaker: Speaker
    limits: Limits
    hysteresis: float
    tolerance: float
    zero_mm: float
    height_mm: float | None
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]


class Level(NamedTuple):
    """A level in cm and its time."""

    time_ms: int
    value: float


class Gauge(NamedTuple):
    """The newest levels by device, when one was heard, the newest alert."""

    devices: dict[str, tuple[Level, ...]] = {}  # noqa: RUF012 - never changed: each state is a new one
    heard_ms: int = 0
    shown: Shown = Shown()


def configure(asset: Asset) -> GaugeConfig:
    """The parameters of this gauge; raises CityError."""
    return GaugeConfig(
        speaker=speaker(asset, ID, VERSION, "gauge", milliseconds(asset, "gauge_fresh_s", 3600, high=86_400)),
        limits=_limits(asset),
        hysteresis=asset.number("gauge_hysteresis_cm", 5, low=0, high=200),
        tolerance=asset.number("gauge_contradiction_cm", 10, low=0.1, high=1000),
        zero_mm=asset.number("gauge_zero_mm", 0, low=-100_000, high=100_000),
        height_mm=asset.number("sensor_height_mm", low=0, high=100_000),
        tags=asset.tags,
        position=asset.position,
    )


def initial(_config: GaugeConfig) -> Gauge:
    """A gauge from which nothing was heard yet."""
    return Gauge()


def step(config: GaugeConfig, gauge: Gauge, given: Input) -> tuple[Gauge, Outputs]:
    """Judge the level that was heard, or that nothing is heard any more."""
    if not isinstance(given, Observation):
        shown, events = _speak(config, gauge, given)
        return (gauge, NOTHING) if shown is gauge.shown else (gauge._replace(shown=shown), Outputs(events))
    value = level_cm(config, given.readings)
    before = gauge.devices.get(given.dev_eui, ())
    newest_ms = before[-1].time_ms if before else 0
    if value is None or given.time_ms == newest_ms or not given.usable(newest_ms):
        return gauge, NOTHING
    levels = (*before[1 - KEPT :], Level(given.time_ms, value))
    heard_ms = max(gauge.heard_ms, min(given.time_ms, given.now_ms))
    gauge = Gauge({**gauge.devices, given.dev_eui: levels}, heard_ms, gauge.shown)
    shown, events = _speak(config, gauge, given)
    if shown is not gauge.shown:
        gauge = gauge._replace(shown=shown)
    point = Point("asset", config.tags, (*config.position, ("gauge_level_cm", round(value, 1))), given.time_ms)
    return gauge, Outputs(events, (point,))


def wake(config: GaugeConfig, gauge: Gauge) -> int | None:
    """With an alert, when its readings are too old."""
    return config.speaker.ends_ms(gauge.shown, gauge.heard_ms)


def level_cm(config: GaugeConfig, readings: Iterable[Reading]) -> float | None:
    """The level above the gauge's zero; None without one. A distance without `sensor_height_mm` raises ValueError."""
    distance = None
    for quantity, value, _ in readings:
        if quantity is LEVEL:
            return (config.zero_mm + value) / MM_PER_CM
        if quantity is DISTANCE:
            distance = value
    if not distance:
        return None
    if config.height_mm is None:
        asset = config.speaker.asset
        raise ValueError(f"feature {asset!r}: property 'sensor_height_mm' is missing, expected for a distance sensor")
    return (config.height_mm - distance) / MM_PER_CM


def _limits(asset: Asset) -> Limits:
    found: list[Limit] = []
    for number in range(1, VALUES + 1):
        name = f"information_value_{number}_cm"
        value = asset.number(name, low=-1000, high=10_000)
        if value is None:
            later = [n for n in range(number + 1, VALUES + 1) if f"information_value_{n}_cm" in asset.properties]
            if later:
                raise asset.error(name, None, f"a number, as there is information_value_{later[0]}_cm")
            break
        if found and value <= found[-1].value:
            raise asset.error(name, value, f"more than information_value_{number - 1}_cm ({found[-1].value:g})")
        found.append(Limit(value))
    return tuple(found)


def _fresh(config: GaugeConfig, gauge: Gauge, now_ms: int) -> dict[str, tuple[Level, ...]]:
    """The devices that say enough, with their levels that are not too old."""
    oldest_ms = now_ms - config.speaker.fresh_ms
    fresh = {
        dev_eui: tuple(level for level in levels if level.time_ms > oldest_ms)
        for dev_eui, levels in gauge.devices.items()
    }
    return {dev_eui: levels for dev_eui, levels in fresh.items() if len(levels) >= NEEDED}


def _speak(config: GaugeConfig, gauge: Gauge, given: Input) -> tuple[Shown, tuple[EnvironmentalAlert, ...]]:
    if given.now_ms >= gauge.heard_ms + config.speaker.fresh_ms:
        return config.speaker.fall_silent(gauge.shown, gauge.heard_ms, given)
    fresh = _fresh(config, gauge, given.now_ms)
    if not fresh or not config.limits:
        return gauge.shown, ()
    middles = {dev_eui: median_low(level.value for level in levels) for dev_eui, levels in fresh.items()}
    value = half_up(max(middles.values()))
    level = level_of(config.limits, value, gauge.shown.level, config.hysteresis)

    def tell() -> Finding:
        found = evidence(
            LEVEL.field,
            value,
            UNIT,
            gauge.heard_ms,
            given.now_ms,
            n_samples=sum(len(levels) for levels in fresh.values()),
            window_ms=config.speaker.fresh_ms,
            threshold=shown_limit(config.limits, level),
            hysteresis=config.hysteresis,
            sources=fresh,
        )
        figure = decimal(value, 0)
        differing = max(middles.values()) - min(middles.values()) > config.tolerance
        return Finding((found,), Text(f"Wasserstand {figure.de} cm", f"Level {figure.en} cm"), contradicting=differing)

    return config.speaker.say(gauge.shown, level, gauge.heard_ms, given, tell)


RULE = Rule(
    id=ID,
    version=VERSION,
    kind="gauge",
    configure=configure,
    initial=initial,
    step=step,
    wake=wake,
    dump=dump,
    load=loader(Gauge, VERSION),
)
