"""The parameters of the daily look at a lot's spaces, from the asset's properties."""

from dataclasses import dataclass

from decoders.quantity import Privacy
from rules.asset import Asset
from rules.local_time import timezone_of
from rules.parking.counter_config import CounterConfig
from rules.parking.lot_config import DAY_S
from rules.parking.lot_config import configure as configure_lot


@dataclass(frozen=True, slots=True)
class DaysConfig:
    """`max_stay_ms` is None where cars may stay as long as they like; `full_share` is a share of the known spaces.

    Defaults are judgement: 30 changes of the median neighbour since a space's own last one, of free spaces only on days
    on which nine of ten spaces were taken; four neighbours; five changes within about a week that no counter saw, up to
    15 min before or after; a mean stay is told of five stays or more.
    """

    asset: str
    max_stay_ms: int | None
    stuck_changes: float
    full_share: float
    least_sensors: int
    unseen_changes: float
    match_ms: int
    silent_ms: int
    validity_ms: int
    timezone: str
    counters: CounterConfig | None
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]
    privacy: Privacy
    least_stays: int = 5
    """Fewer stays than these would tell of single cars."""


def configure(asset: Asset) -> DaysConfig:
    """The parameters of this lot; raises CityError."""
    lot = configure_lot(asset)
    max_stay_s = asset.whole("max_stay_s", 0, low=0, high=30 * DAY_S)
    return DaysConfig(
        asset=asset.id,
        max_stay_ms=max_stay_s * 1000 or None,
        stuck_changes=asset.number("stuck_changes", 30, low=1, high=10_000),
        full_share=asset.number("stuck_free_peak_percent", 90, low=1, high=100) / 100,
        least_sensors=asset.whole("stuck_least_sensors", 5, low=2, high=1000),
        unseen_changes=asset.number("unseen_changes", 5, low=1, high=10_000),
        match_ms=asset.whole("counter_match_s", 900, low=60, high=7200) * 1000,
        silent_ms=lot.space_silent_ms,
        validity_ms=asset.whole("suspicion_validity_s", 2 * DAY_S, low=DAY_S, high=14 * DAY_S) * 1000,
        timezone=timezone_of(asset),
        counters=lot.counters,
        tags=lot.tags,
        position=lot.position,
        privacy=lot.privacy,
    )
