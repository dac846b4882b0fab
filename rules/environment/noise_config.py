"""The parameters of a station's sound levels, from the asset's properties.

Reference values by `noise_area` (GI … WR, KUR) are the figures of TA Lärm no. 6.1 for 6–22 and 22–6 o'clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from decoders.quantity import Quantity
from rules.asset import Asset
from rules.environment.alert import Speaker, milliseconds, speaker
from rules.environment.hours import HourRules, hour_rules
from rules.environment.level import Limit, Limits
from rules.environment.sound import energy
from rules.local_time import timezone_of

ID = "environment.noise"
VERSION = 1
SOUND = Quantity.SOUND_LEVEL_AVERAGE
AREAS: Mapping[str, tuple[float, float]] = {
    "GI": (70, 70),
    "GE": (65, 50),
    "MU": (63, 45),
    "MK": (60, 45),
    "MD": (60, 45),
    "MI": (60, 45),
    "WA": (55, 40),
    "WR": (50, 35),
    "KUR": (45, 35),
}
"""dB by day and by night."""
LOUD_DAY, LOUD_NIGHT = "day", "night"
HEARD = {SOUND: energy}


@dataclass(frozen=True, slots=True)
class NoiseConfig:
    """The parameters of a station; `limits` by day and night in dB, empty without a reference value."""

    speaker: Speaker
    hours: HourRules
    timezone: str
    limits: Mapping[str, Limits]
    hysteresis: float
    tolerance: float
    min_coverage: float
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]


def configure(asset: Asset) -> NoiseConfig:
    """The parameters of this station; raises CityError."""
    return NoiseConfig(
        speaker=speaker(asset, ID, VERSION, "noise", milliseconds(asset, "noise_valid_s", 26 * 3600, low=3600)),
        hours=hour_rules(asset, "noise", HEARD),
        timezone=timezone_of(asset),
        limits=_limits(asset),
        hysteresis=asset.number("noise_hysteresis_db", 2, low=0, high=20),
        tolerance=asset.number("noise_contradiction_db", 6, low=1, high=60),
        min_coverage=asset.number("noise_part_percent", 75, low=1, high=100) / 100,
        tags=asset.tags,
        position=asset.position,
    )


def _limits(asset: Asset) -> dict[str, Limits]:
    area = asset.properties.get("noise_area")
    if area is not None and area not in AREAS:
        raise asset.error("noise_area", area, f"one of {', '.join(AREAS)}")
    usual: tuple[float | None, float | None] = AREAS.get(str(area), (None, None))
    further = asset.number("noise_step_db", 5, low=1, high=40)
    found: dict[str, Limits] = {}
    for name, figure in zip((LOUD_DAY, LOUD_NIGHT), usual, strict=True):
        limit = asset.number(f"noise_{name}_db", figure, low=20, high=120)
        if limit is not None:
            found[name] = (Limit(limit, included=False), Limit(limit + further, included=False))
    return found
