"""The state of the city: calendar, weather, water, cars, bicycles, bins. Seeded, and moved on only by asking for later.

Figures are typical, not calibrated. Each part takes the script of a scenario, which says what is different.
"""

from simulator.world.calendar import MS_PER_S, S_PER_DAY, S_PER_HOUR, WEEKEND, Calendar, Moment
from simulator.world.cycling import Outside, Passersby, Path, Shares, outdoors
from simulator.world.ground import River, RoadSurface, Soil, road_surface
from simulator.world.parking import LotCurve, Space
from simulator.world.showers import HOUR_MS, Showers, Spot
from simulator.world.streets import Near, Streets, no2_ppb, noise_db
from simulator.world.sun import CENTRE
from simulator.world.traffic import Count, Demand, Passing, Road, poisson
from simulator.world.waste import Bin
from simulator.world.weather import DAYLIGHT_LX, Rain, Weather
from simulator.world.wind import Wind

__all__ = [
    "CENTRE",
    "DAYLIGHT_LX",
    "HOUR_MS",
    "MS_PER_S",
    "S_PER_DAY",
    "S_PER_HOUR",
    "WEEKEND",
    "Bin",
    "Calendar",
    "Count",
    "Demand",
    "LotCurve",
    "Moment",
    "Near",
    "Outside",
    "Passersby",
    "Passing",
    "Path",
    "Rain",
    "River",
    "Road",
    "RoadSurface",
    "Shares",
    "Showers",
    "Soil",
    "Space",
    "Spot",
    "Streets",
    "Weather",
    "Wind",
    "no2_ppb",
    "noise_db",
    "outdoors",
    "poisson",
    "road_surface",
]
