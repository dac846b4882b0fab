"""The state of the city: calendar, weather, parked cars, traffic, bins. Seeded, and moved on only by asking for later.

Figures are typical, not calibrated. Each part takes the script of a scenario, which says what is different.
"""

from simulator.world.calendar import MS_PER_S, S_PER_DAY, S_PER_HOUR, WEEKEND, Calendar, Moment
from simulator.world.parking import LotCurve, Space
from simulator.world.streets import Near, Streets, no2_ppb, noise_db
from simulator.world.traffic import Count, Demand, Road, poisson
from simulator.world.waste import Bin
from simulator.world.weather import DAYLIGHT_LX, Weather

__all__ = [
    "DAYLIGHT_LX",
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
    "Road",
    "Space",
    "Streets",
    "Weather",
    "no2_ppb",
    "noise_db",
    "poisson",
]
