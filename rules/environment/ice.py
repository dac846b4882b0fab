"""Slippery roads from surface temperature, dew point, rain and wetness.

Level 1, inspection: surface at most 3 °C. Level 2: at most 1 °C and moist. Level 3: at most 0 °C and moist. Level 4:
rain on a surface of at most 0 °C. Moist is a surface at most 0.5 K above the dew point, or rain or wetness within two
hours. (3 °C is where the city of Gelsenkirchen's weather stations call for an inspection; the others are proposals.) A
level ends when the surface has been 1 K warmer than its limit, or dry, for 30 minutes. Of several surface sensors the
coldest counts. Dew point from temperature and humidity: Magnus formula over water (WMO-No. 8, annex 4.B).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import NamedTuple

from decoders.quantity import Quantity
from rules.asset import Asset
from rules.environment.alert import Finding, Shown, Speaker, decimal, evidence, milliseconds, speaker
from rules.environment.level import half_up
from rules.environment.state import dump, loader
from rules.environment.words import Text
from rules.event_environment import EnvironmentalAlert
from rules.point import Point
from rules.rule import NOTHING, Input, Observation, Outputs, Rule

ID = "environment.ice"
VERSION = 1
SURFACE, DEW = Quantity.SURFACE_TEMPERATURE, Quantity.DEW_POINT
AIR, HUMIDITY = Quantity.AIR_TEMPERATURE, Quantity.AIR_HUMIDITY
RAINS = {Quantity.RAIN_DETECTED: 1.0, Quantity.PRECIPITATION: 0.1, Quantity.PRECIPITATION_RATE: 0.1}
WETS = {Quantity.LEAF_WETNESS_INDEX: 0.5, Quantity.LEAF_WETNESS: 50.0}
"""From which value on it rains, or is wet."""
INSPECTION, POSSIBLE, LIKELY, RAIN_ICE = 1, 2, 3, 4
MAGNUS_A, MAGNUS_B = 17.62, 243.12
DRIEST = 1.0


@dataclass(frozen=True, slots=True)
class IceConfig:
    """The parameters of a road section; temperatures in °C, differences in K."""

    speaker: Speaker
    inspection: float
    possible: float
    likely: float
    dew_margin: float
    hysteresis: float
    hold_ms: int
    wet_ms: int
    tolerance: float
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]

    def limit(self, level: int) -> float:
        """The surface temperature at which a level begins."""
        return {INSPECTION: self.inspection, POSSIBLE: self.possible}.get(max(level, 1), self.likely)


class Heard(NamedTuple):
    """A value and its time."""

    time_ms: int
    value: float


class Ice(NamedTuple):
    """Surface by device, newest dew point, newest rain and wetness, since when a lower level would do, the alert."""

    surfaces: dict[str, Heard] = {}  # noqa: RUF012 - never changed: each state is a new one
    dew: Heard | None = None
    rain_ms: int = 0
    wet_ms: int = 0
    heard_ms: int = 0
    below_ms: int = 0
    shown: Shown = Shown()


def configure(asset: Asset) -> IceConfig:
    """The parameters of this road section; raises CityError."""
    likely = asset.number("ice_likely_celsius", 0, low=-20, high=10)
    possible = asset.number("ice_possible_celsius", 1, low=-20, high=10)
    inspection = asset.number("ice_inspection_celsius", 3, low=-20, high=10)
    if not likely <= possible <= inspection:
        raise asset.error(
            "ice_possible_celsius", possible, f"between ice_likely_celsius ({likely:g}) and {inspection:g}"
        )
    return IceConfig(
        speaker=speaker(asset, ID, VERSION, "ice", milliseconds(asset, "ice_fresh_s", 1800, high=21_600)),
        inspection=inspection,
        possible=possible,
        likely=likely,
        dew_margin=asset.number("ice_dew_margin_kelvin", 0.5, low=0, high=5),
        hysteresis=asset.number("ice_hysteresis_kelvin", 1, low=0, high=5),
        hold_ms=milliseconds(asset, "ice_hold_s", 1800, low=0, high=21_600),
        wet_ms=milliseconds(asset, "ice_wet_s", 7200, high=86_400),
        tolerance=asset.number("ice_contradiction_kelvin", 3, low=0.1, high=50),
        tags=asset.tags,
        position=asset.position,
    )


def initial(_config: IceConfig) -> Ice:
    """A road section from which nothing was heard yet."""
    return Ice()


def dew_point(temperature: float, humidity: float) -> float:
    """Dew point in °C from °C and %."""
    gamma = log(max(humidity, DRIEST) / 100) + MAGNUS_A * temperature / (MAGNUS_B + temperature)
    return MAGNUS_B * gamma / (MAGNUS_A - gamma)


def step(config: IceConfig, ice: Ice, given: Input) -> tuple[Ice, Outputs]:
    """Judge what was heard, or the time that passed."""
    points: tuple[Point, ...] = ()
    before = ice
    if isinstance(given, Observation):
        heard = _hear(config, ice, given)
        if heard is None:
            return ice, NOTHING
        ice = heard
    ice, events = _conclude(config, ice, given)
    if events:
        level = ("ice_level", float(ice.shown.level))
        points = (Point("asset", config.tags, (*config.position, level), given.now_ms),)
    return (ice, Outputs(events, points)) if events or ice is not before else (before, NOTHING)


def wake(config: IceConfig, ice: Ice) -> int | None:
    """With an alert, when a lower level has held long enough or the readings are too old."""
    ends_ms = config.speaker.ends_ms(ice.shown, ice.heard_ms)
    return min(ends_ms, ice.below_ms + config.hold_ms) if ends_ms is not None and ice.below_ms else ends_ms


def _hear(config: IceConfig, ice: Ice, given: Observation) -> Ice | None:
    time_ms = given.time_ms
    known = ice.surfaces.get(given.dev_eui)
    if time_ms + config.speaker.fresh_ms <= given.now_ms or not given.usable(known.time_ms if known else 0):
        return None
    values = {quantity: value for quantity, value, _ in given.readings}
    surface = min((value for quantity, value, _ in given.readings if quantity is SURFACE), default=None)
    dew = values.get(DEW)
    if dew is None and AIR in values and HUMIDITY in values:
        dew = dew_point(values[AIR], values[HUMIDITY])
    rain, wet = _any(values, RAINS), _any(values, WETS)
    if surface is None and dew is None and not rain and not wet:
        return None
    at_ms = min(time_ms, given.now_ms)
    newer_dew = dew is not None and (ice.dew is None or time_ms >= ice.dew.time_ms)
    return ice._replace(
        surfaces=ice.surfaces if surface is None else {**ice.surfaces, given.dev_eui: Heard(time_ms, surface)},
        dew=Heard(time_ms, dew) if newer_dew and dew is not None else ice.dew,
        rain_ms=max(ice.rain_ms, at_ms) if rain else ice.rain_ms,
        wet_ms=max(ice.wet_ms, at_ms) if wet else ice.wet_ms,
        heard_ms=ice.heard_ms if surface is None else max(ice.heard_ms, at_ms),
    )


def _any(values: Mapping[Quantity, float], limits: Mapping[Quantity, float]) -> bool:
    return any(values.get(quantity, 0.0) >= limit for quantity, limit in limits.items())


def _fresh(config: IceConfig, ice: Ice, now_ms: int) -> dict[str, float]:
    return {
        dev_eui: heard.value
        for dev_eui, heard in ice.surfaces.items()
        if heard.time_ms + config.speaker.fresh_ms > now_ms
    }


def _conclude(config: IceConfig, ice: Ice, given: Input) -> tuple[Ice, tuple[EnvironmentalAlert, ...]]:
    now_ms = given.now_ms
    surfaces = _fresh(config, ice, now_ms)
    if not surfaces:
        shown, events = config.speaker.fall_silent(ice.shown, ice.heard_ms, given)
        return (ice._replace(below_ms=0, shown=shown), events) if events else (ice, ())
    coldest = min(surfaces.values())
    level, below_ms = _held(config, ice, coldest, now_ms)
    shown, events = config.speaker.say(
        ice.shown, level, ice.heard_ms, given, lambda: _finding(config, ice, surfaces, level, now_ms)
    )
    if below_ms == ice.below_ms and shown is ice.shown:
        return ice, events
    return ice._replace(below_ms=below_ms, shown=shown), events


def _held(config: IceConfig, ice: Ice, surface: float, now_ms: int) -> tuple[int, int]:
    """The level, and since when a lower one would do."""
    before = ice.shown.level
    level = _level(config, ice, surface, now_ms)
    if level < before:
        level = min(before, max(level, _level(config, ice, surface - config.hysteresis, now_ms)))
    if level >= before:
        return level, 0
    below_ms = ice.below_ms or now_ms
    return (level, 0) if now_ms >= below_ms + config.hold_ms else (before, below_ms)


def _level(config: IceConfig, ice: Ice, surface: float, now_ms: int) -> int:
    raining = now_ms < ice.rain_ms + config.speaker.fresh_ms
    if surface <= config.likely and raining:
        return RAIN_ICE
    if surface <= config.possible and _moist(config, ice, surface, now_ms):
        return LIKELY if surface <= config.likely else POSSIBLE
    return INSPECTION if surface <= config.inspection else 0


def _moist(config: IceConfig, ice: Ice, surface: float, now_ms: int) -> bool:
    newest_ms = max(ice.rain_ms, ice.wet_ms)
    if now_ms < newest_ms + config.wet_ms:
        return True
    dew = _known_dew(config, ice, now_ms)
    return dew is not None and surface <= dew + config.dew_margin


def _known_dew(config: IceConfig, ice: Ice, now_ms: int) -> float | None:
    dew = ice.dew
    return dew.value if dew is not None and dew.time_ms + config.speaker.fresh_ms > now_ms else None


def _finding(config: IceConfig, ice: Ice, surfaces: Mapping[str, float], level: int, now_ms: int) -> Finding:
    coldest, dew = min(surfaces.values()), _known_dew(config, ice, now_ms)
    value = half_up(coldest, 1)
    found = [
        evidence(
            SURFACE.field,
            value,
            SURFACE.ucum,
            ice.heard_ms,
            now_ms,
            n_samples=len(surfaces),
            threshold=config.limit(level),
            hysteresis=config.hysteresis,
            sources=surfaces,
        )
    ]
    if dew is not None and ice.dew is not None:
        limit = half_up(coldest - config.dew_margin, 1)
        found.append(
            evidence(DEW.field, half_up(dew, 1), DEW.ucum, ice.dew.time_ms, now_ms, n_samples=1, threshold=limit)
        )
    newest_ms = max(ice.rain_ms, ice.wet_ms)
    if now_ms < newest_ms + config.wet_ms:
        rain = Quantity.RAIN_DETECTED
        found.append(evidence(rain.field, 1.0, rain.ucum, newest_ms, now_ms, n_samples=1, window_ms=config.wet_ms))
    figure = decimal(value)
    return Finding(
        tuple(found),
        Text(f"Fahrbahn {figure.de} °C", f"Road surface {figure.en} °C"),
        incomplete=dew is None,
        contradicting=max(surfaces.values()) - coldest > config.tolerance,
    )


RULE = Rule(
    id=ID,
    version=VERSION,
    kind="road_section",
    configure=configure,
    initial=initial,
    step=step,
    wake=wake,
    dump=dump,
    load=loader(Ice, VERSION),
)
