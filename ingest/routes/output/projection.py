"""Where longitudes and latitudes are on a map of a city, north up."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from rules.svg import Point
from rules.waste.route.distance import EARTH_M

LEAST_M = 200.0
"""What a map shows at least."""
LOWEST = 0.45
"""Height of a map as part of its width, at least."""
BAR = 0.2
"""Length of the scale bar as part of the map's width, at most."""
NUMBERS = (5, 2, 1)


class Projection(NamedTuple):
    """Equirectangular around the middle: true to scale within a city; `px_per_m` holds in all directions."""

    west: float
    north: float
    px_per_m: float
    m_per_deg_x: float
    m_per_deg_y: float
    origin: Point
    width: float
    height: float

    def __call__(self, longitude: float, latitude: float) -> Point:
        """Where it is on the picture."""
        right_m = (longitude - self.west) * self.m_per_deg_x
        down_m = (self.north - latitude) * self.m_per_deg_y
        return Point(self.origin.x + right_m * self.px_per_m, self.origin.y + down_m * self.px_per_m)

    @property
    def bar_m(self) -> int:
        """A round length that fits into a part of the width."""
        most_m = self.width * BAR / self.px_per_m
        power: int = 10 ** math.floor(math.log10(most_m))
        return next(number * power for number in NUMBERS if number * power <= most_m)


def fitted(places: Sequence[tuple[float, float]], origin: Point, side: float, margin: float) -> Projection:
    """The projection that shows these (longitude, latitude) in a frame of this width, its height as they need."""
    longitudes, latitudes = [place[0] for place in places], [place[1] for place in places]
    west, east, south, north = min(longitudes), max(longitudes), min(latitudes), max(latitudes)
    m_per_deg_y = math.radians(EARTH_M)
    m_per_deg_x = m_per_deg_y * max(0.01, math.cos(math.radians((south + north) / 2)))
    wide_m = max(LEAST_M, (east - west) * m_per_deg_x)
    high_m = max(LEAST_M, (north - south) * m_per_deg_y)
    room = side - 2 * margin
    px_per_m = room / max(wide_m, high_m)
    height = max(high_m * px_per_m + 2 * margin, side * LOWEST)
    centred = Point(
        origin.x + (side - (east - west) * m_per_deg_x * px_per_m) / 2,
        origin.y + (height - (north - south) * m_per_deg_y * px_per_m) / 2,
    )
    return Projection(west, north, px_per_m, m_per_deg_x, m_per_deg_y, centred, side, height)
