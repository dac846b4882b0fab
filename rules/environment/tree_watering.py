"""Watering of street trees from the soil's water tension at two depths.

Level 1 above 32 kPa (pF 2.5), level 2 above 80 kPa (pF 2.9), each after 24 h without a break (Stadt+Grün, article
16986); then about 100 l a tree (city of Bonn). The value is the median over the depths, a depth's the median over its
devices. No level while 10 mm or more fell within 48 h, by the site's own gauge or that of its `rain_station`. Forecasts
are not known here.
"""

from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from decoders.quantity import Quantity
from rules.asset import Asset
from rules.environment.alert import Finding, Shown, Speaker, decimal, evidence, milliseconds, speaker
from rules.environment.level import Limit, Limits, half_up, rising, shown_limit
from rules.environment.rain_window import AMOUNT, TOTAL, Rain, add, fallen, sum_of
from rules.environment.state import dump, loader
from rules.environment.words import Text
from rules.event_environment import EnvironmentalAlert
from rules.point import Point
from rules.rule import NOTHING, Input, Observation, Outputs, Rule

ID = "environment.tree_watering"
VERSION = 1
TENSION = Quantity.SOIL_WATER_TENSION
LEVELS: Limits = (Limit(32, included=False), Limit(80, included=False))
DEPTHS = 2
HOUR_MS = 3_600_000
RAIN_KEPT = 48
NO_RAIN = Rain()


@dataclass(frozen=True, slots=True)
class TreeConfig:
    """The parameters of a site; tensions in kPa, rain in mm."""

    speaker: Speaker
    limits: Limits
    hysteresis: float
    dry_ms: int
    rain_mm: float
    rain_interval_ms: int
    litres: float
    tolerance: float
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]


class Sensor(NamedTuple):
    """A tension and its time."""

    time_ms: int
    value: float


class Tree(NamedTuple):
    """Tensions by `device/channel`, rain by device, since when each limit is passed (0: it is not), newest alert."""

    sensors: dict[str, Sensor] = {}  # noqa: RUF012 - never changed: each state is a new one
    rains: dict[str, Rain] = {}  # noqa: RUF012 - the same
    since: tuple[int, ...] = (0, 0)
    heard_ms: int = 0
    shown: Shown = Shown()


class Soil(NamedTuple):
    """Median tension, depths behind it, whether devices at one depth differ."""

    value: float
    depths: int
    contradicting: bool


def configure(asset: Asset) -> TreeConfig:
    """The parameters of this site; raises CityError."""
    members(asset)
    return TreeConfig(
        speaker=speaker(asset, ID, VERSION, "tree_watering", milliseconds(asset, "tree_fresh_s", 21_600)),
        limits=rising(asset, "tree_tension_kpa", LEVELS, high=2000),
        hysteresis=asset.number("tree_hysteresis_percent", 10, low=0, high=50) / 100,
        dry_ms=milliseconds(asset, "tree_dry_s", 86_400),
        rain_mm=asset.number("tree_rain_mm", 10, low=0.1, high=500),
        rain_interval_ms=milliseconds(asset, "rain_interval_s", 600, high=86_400),
        litres=asset.number("tree_litres", 100, low=1, high=10_000),
        tolerance=asset.number("tree_contradiction_kpa", 50, low=1, high=2000),
        tags=asset.tags,
        position=asset.position,
    )


def members(asset: Asset) -> tuple[str, ...]:
    """The station whose rain falls here, too; raises CityError."""
    station = asset.properties.get("rain_station")
    if station is None and "rain_station" not in asset.properties:
        return ()
    if not isinstance(station, str) or not station:
        raise asset.error("rain_station", station, "the id of a station")
    return (station,)


def initial(_config: TreeConfig) -> Tree:
    """A site from which nothing was heard yet."""
    return Tree()


def step(config: TreeConfig, tree: Tree, given: Input) -> tuple[Tree, Outputs]:
    """Judge the tension that was heard, or the time that passed; rain is only remembered until then."""
    if not isinstance(given, Observation):
        return _conclude(config, tree, given)
    rained = _rain(config, tree, given)
    if given.asset != config.speaker.asset:
        return rained, NOTHING
    heard = _hear(config, rained, given)
    return (rained, NOTHING) if heard is None else _conclude(config, heard, given)


def wake(config: TreeConfig, tree: Tree) -> int | None:
    """With an alert, when its readings are too old; how long the soil is dry is judged with the next reading."""
    return config.speaker.ends_ms(tree.shown, tree.heard_ms)


def _rain(config: TreeConfig, tree: Tree, given: Observation) -> Tree:
    for quantity, _, _ in given.readings:
        if quantity is AMOUNT or quantity is TOTAL:
            break
    else:
        return tree
    before = tree.rains.get(given.dev_eui, NO_RAIN)
    found = fallen(before, given.readings)
    if found is None or given.time_ms == before.newest_ms or not given.usable(before.newest_ms):
        return tree
    if given.time_ms + RAIN_KEPT * HOUR_MS <= given.now_ms:
        return tree
    interval_ms = config.rain_interval_ms
    rain = add(
        before, found, given.time_ms, interval_ms=interval_ms, bucket_ms=HOUR_MS, kept=RAIN_KEPT, gap_ms=2 * interval_ms
    )
    return tree._replace(rains={**tree.rains, given.dev_eui: rain})


def _hear(config: TreeConfig, tree: Tree, given: Observation) -> Tree | None:
    sensors: dict[str, Sensor] | None = None
    for quantity, value, channel in given.readings:
        if quantity is not TENSION:
            continue
        key = f"{given.dev_eui}/{channel}"
        before = tree.sensors.get(key)
        stale = given.time_ms + config.speaker.fresh_ms <= given.now_ms
        if not stale and given.usable(before.time_ms if before else 0):
            sensors = sensors or {**tree.sensors}
            sensors[key] = Sensor(given.time_ms, value)
    if sensors is None:
        return None
    broken = given.now_ms >= tree.heard_ms + config.speaker.fresh_ms
    since = (0,) * len(config.limits) if broken else tree.since
    heard_ms = max(tree.heard_ms, min(given.time_ms, given.now_ms))
    return tree._replace(sensors=sensors, since=since, heard_ms=heard_ms)


def soil_of(config: TreeConfig, tree: Tree, now_ms: int) -> Soil | None:
    """What the sensors heard lately say together; None without any."""
    depths: dict[str, list[float]] = {}
    for key, sensor in tree.sensors.items():
        if sensor.time_ms + config.speaker.fresh_ms > now_ms:
            depths.setdefault(key.partition("/")[2], []).append(sensor.value)
    if not depths:
        return None
    value = half_up(median(median(values) for values in depths.values()), 1)
    differing = any(max(values) - min(values) > config.tolerance for values in depths.values())
    return Soil(value, len(depths), differing)


def _conclude(config: TreeConfig, tree: Tree, given: Input) -> tuple[Tree, Outputs]:
    soil = soil_of(config, tree, given.now_ms)
    if soil is None:
        shown, silent = config.speaker.fall_silent(tree.shown, tree.heard_ms, given)
        return (tree._replace(shown=shown), Outputs(silent)) if silent else (tree, NOTHING)
    tree = tree._replace(since=_since(config, tree, soil.value, given.now_ms))
    tree, events = _speak(config, tree, soil, given)
    fields = (*config.position, ("soil_water_tension", soil.value), ("tree_watering_level", float(tree.shown.level)))
    return tree, Outputs(events, (Point("asset", config.tags, fields, given.now_ms),))


def _since(config: TreeConfig, tree: Tree, value: float, now_ms: int) -> tuple[int, ...]:
    found = []
    for level, (limit, since) in enumerate(zip(config.limits, tree.since, strict=True), start=1):
        end = limit.value * (1 - config.hysteresis) if tree.shown.level >= level else limit.value
        dry = limit.reached(value) or (bool(since) and value > end)
        found.append((since or now_ms) if dry else 0)
    return tuple(found)


def _speak(config: TreeConfig, tree: Tree, soil: Soil, given: Input) -> tuple[Tree, tuple[EnvironmentalAlert, ...]]:
    now_ms = given.now_ms
    rain = max((sum_of(each, RAIN_KEPT * HOUR_MS, now_ms, HOUR_MS) for each in tree.rains.values()), default=None)
    level = sum(1 for since in tree.since if since and now_ms >= since + config.dry_ms)
    if rain is not None and rain >= config.rain_mm:
        level = 0
    shown, events = config.speaker.say(
        tree.shown, level, tree.heard_ms, given, lambda: _finding(config, tree, soil, (rain, level), now_ms)
    )
    return (tree if shown is tree.shown else tree._replace(shown=shown)), events


def _finding(config: TreeConfig, tree: Tree, soil: Soil, found: tuple[float | None, int], now_ms: int) -> Finding:
    rain, level = found
    limit = shown_limit(config.limits, level)
    said = [
        evidence(
            TENSION.field,
            soil.value,
            TENSION.ucum,
            tree.heard_ms,
            now_ms,
            n_samples=len(tree.sensors),
            window_ms=config.dry_ms,
            threshold=limit,
            hysteresis=None if limit is None else round(config.hysteresis * limit, 3),
            sources={key.partition("/")[0] for key in tree.sensors},
        )
    ]
    if rain is not None:
        newest_ms = max(each.newest_ms for each in tree.rains.values())
        said.append(
            evidence(
                AMOUNT.field,
                half_up(rain, 1),
                AMOUNT.ucum,
                newest_ms,
                now_ms,
                n_samples=len(tree.rains),
                window_ms=RAIN_KEPT * HOUR_MS,
                threshold=config.rain_mm,
                sources=tree.rains,
            )
        )
    return Finding(
        tuple(said), _text(config, soil, level), incomplete=soil.depths < DEPTHS, contradicting=soil.contradicting
    )


def _text(config: TreeConfig, soil: Soil, level: int) -> Text:
    figure, hours = decimal(soil.value, 0), config.dry_ms // HOUR_MS
    de, en = f"Saugspannung {figure.de} kPa", f"Soil water tension {figure.en} kPa"
    if level:
        de, en = f"{de} seit mindestens {hours} Stunden", f"{en} for at least {hours} hours"
    if level == len(config.limits):
        de, en = f"{de}, etwa {config.litres:g} l je Baum", f"{en}, about {config.litres:g} l a tree"
    return Text(de, en)


RULE = Rule(
    id=ID,
    version=VERSION,
    kind="site",
    configure=configure,
    initial=initial,
    step=step,
    wake=wake,
    dump=dump,
    load=loader(Tree, VERSION),
    members=members,
)
