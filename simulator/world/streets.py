"""What streets do to their surroundings: noise and nitrogen dioxide of the nearest one."""

import math
from typing import NamedTuple

from simulator.world.calendar import Moment
from simulator.world.traffic import Passing, Road

M_PER_DEGREE = 111_200
NEAREST_M = 25.0
BACKGROUND_DB = 38.0
AT_25_M_DB, HEAVY_SHARE = 37.3, 5.0
NO2_BACKGROUND_PPB, NO2_STREET_PPB = 8.0, 6.0
NO2_FAR_M = 400.0


class Near(NamedTuple):
    """The nearest street, and how far it is."""

    road: Road
    distance_m: float


class Streets:
    """All roads that detectors look at, by position in degrees."""

    def __init__(self) -> None:
        self._known: list[tuple[float, float, Road]] = []

    def add(self, latitude: float, longitude: float, road: Road) -> None:
        """One more."""
        self._known.append((latitude, longitude, road))

    def near(self, latitude: float, longitude: float) -> Near | None:
        """The nearest; None in a city without detectors."""
        stretch = math.cos(math.radians(latitude))
        found = (
            (math.hypot(lat - latitude, (lon - longitude) * stretch) * M_PER_DEGREE, number)
            for number, (lat, lon, _) in enumerate(self._known)
        )
        distance_m, number = min(found, default=(0.0, -1))
        return None if number < 0 else Near(self._known[number][2], max(NEAREST_M, distance_m))


def _both(passing: Passing) -> float:
    return passing.ltr + passing.rtl


def noise_db(near: Near | None, now: Moment) -> float:
    """Equivalent level in dB(A): 37.3 + 10 lg(Q (1 + 0.082 p)) at 25 m (RLS-90), as a line source beyond, over a hum.

    Without any street: 52 by day, 44 at night.
    """
    if near is None:
        return 52.0 if 6 <= now.hour < 22 else 44.0  # noqa: PLR2004 - day and night
    vehicles = max(1.0, _both(near.road.passing(now)))
    level = AT_25_M_DB + 10 * math.log10(vehicles * (1 + 0.082 * HEAVY_SHARE))
    level -= 10 * math.log10(near.distance_m / NEAREST_M)
    return 10 * math.log10(10 ** (level / 10) + 10 ** (BACKGROUND_DB / 10))


def no2_ppb(near: Near | None, now: Moment, wind: float, sun: float) -> float:
    """Background that the sun (0..1) takes away, and the street's, thinned by wind in m/s and distance."""
    background = NO2_BACKGROUND_PPB * (1.2 - 0.5 * sun)
    if near is None:
        return background + NO2_STREET_PPB
    share = _both(near.road.passing(now)) / near.road.mean_per_hour
    return background + NO2_STREET_PPB * share * 3 / max(1.0, wind) / (1 + near.distance_m / NO2_FAR_M)
