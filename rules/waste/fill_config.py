"""How a sensor looks into a container, and which of its words are believed: properties of the asset."""

from dataclasses import dataclass
from math import cos, radians

from rules.asset import Asset
from rules.waste.shape import PRISM, Table, shape_of

MS = 1000


@dataclass(frozen=True, slots=True)
class FillConfig:
    """Levels in % of the volume, lengths in mm, angles in degrees."""

    asset: str
    depth_mm: float | None
    sensor_offset_mm: float
    beam_cosine: float
    """Vertical part of a distance along the beam."""
    sound_reference_c: float | None
    """Temperature for which an ultrasonic sensor states its distance; None: it knows better itself."""
    table: Table
    cleared: float
    """At most this is left after an emptying."""
    min_drop: float
    jump: float
    rise_per_hour: float
    agreement: float
    """By how much the second word may differ from the first and still confirm it."""
    hold_ms: int
    confirm_ms: int
    """How long a tilt speaks for an emptying."""
    tilt_zero: float | None
    """The tilt angle that the sensor reports where it is mounted; None: its angles are not looked at."""
    lid_open: float
    """Degrees from there from which on the sensor does not look at the waste."""
    hot_c: float


def configure_fill(asset: Asset, cleared: float) -> FillConfig:
    """The parameters of this container; raises CityError."""
    depth = asset.number("depth_mm", low=50, high=20_000)
    table = shape_of(asset)
    if table is not PRISM and depth is None:
        raise asset.error("depth_mm", None, "the height from the bottom to where it counts as full, beside a shape")
    asset.number("volume_l", low=1, high=60_000)
    tilt = asset.number("mount_tilt_deg", 0, low=0, high=60)
    return FillConfig(
        asset=asset.id,
        depth_mm=depth,
        sensor_offset_mm=asset.number("sensor_offset_mm", 0, low=0, high=5_000),
        beam_cosine=cos(radians(tilt)),
        sound_reference_c=asset.number("sound_reference_c", low=-40, high=60),
        table=table,
        cleared=cleared,
        min_drop=asset.number("min_drop_percent", 20, low=5, high=100),
        jump=asset.number("jump_percent", 30, low=5, high=100),
        rise_per_hour=asset.number("max_rise_percent_per_hour", 10, low=0.1, high=100),
        agreement=asset.number("agreement_percent", 10, low=1, high=50),
        hold_ms=asset.whole("hold_s", 600, low=0, high=86_400) * MS,
        confirm_ms=asset.whole("tilt_confirms_s", 10_800, low=0, high=86_400) * MS,
        tilt_zero=asset.number("tilt_zero_deg", low=-180, high=180),
        lid_open=asset.number("lid_open_deg", 20, low=5, high=90),
        hot_c=asset.number("hot_c", 25, low=0, high=60),
    )
