"""The parameters of heat, from the asset's properties; defaults are the DWD's figures."""

from dataclasses import dataclass

from decoders.quantity import Quantity
from rules.asset import Asset
from rules.environment.alert import Speaker, milliseconds, speaker
from rules.environment.hours import HourRules, hour_rules
from rules.environment.level import Limit, Limits, rising
from rules.local_time import timezone_of

ID = "environment.heat"
VERSION = 1
TEMPERATURE, HUMIDITY, WIND = Quantity.AIR_TEMPERATURE, Quantity.AIR_HUMIDITY, Quantity.WIND_SPEED
HEARD = {TEMPERATURE: None, HUMIDITY: None, WIND: None}
LEVELS: Limits = (Limit(32.0), Limit(38.0, included=False))


@dataclass(frozen=True, slots=True)
class HeatConfig:
    """The parameters of a station; temperatures in °C."""

    speaker: Speaker
    hours: HourRules
    timezone: str
    limits: Limits
    hysteresis: float
    warm_night: float
    hot_day: float
    needs_warm_night: bool
    tolerance: float
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]


def configure(asset: Asset) -> HeatConfig:
    """The parameters of this station; raises CityError."""
    return HeatConfig(
        speaker=speaker(asset, ID, VERSION, "heat", milliseconds(asset, "heat_valid_s", 7200, low=3600, high=86_400)),
        hours=hour_rules(asset, "heat", HEARD),
        timezone=timezone_of(asset),
        limits=rising(asset, "heat_celsius", LEVELS, low=-20, high=60),
        hysteresis=asset.number("heat_hysteresis_kelvin", 1, low=0, high=10),
        warm_night=asset.number("tropical_night_celsius", 20, low=-20, high=40),
        hot_day=asset.number("hot_day_celsius", 30, low=0, high=60),
        needs_warm_night=asset.flag("heat_needs_warm_night", default=True),
        tolerance=asset.number("heat_contradiction_kelvin", 3, low=0.1, high=50),
        tags=asset.tags,
        position=asset.position,
    )
