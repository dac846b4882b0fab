"""How often a year lets a figure be passed: Directive (EU) 2024/2881, WHO 2021, 39. BImSchV.

Values in µg/m³ at 20 °C and 1013 hPa (particles: ambient). Sources: Directive (EU) 2024/2881 annex I (to be met from
1 January 2030); WHO global air quality guidelines 2021, table 0.1 (a day's figure is the 99th percentile: three days in
a year); 39. BImSchV §§ 3–5, 9. Comparisons are orientation: compliance is judged with reference methods.

Of the directive's figures those of particles and the year's mean of NO2 agree with Regierungspräsidium Tübingen,
"Neufassung der Luftqualitätsrichtlinie" (rpt.baden-wuerttemberg.de); hours and days of NO2, SO2, CO and ozone were not
compared with the printed annex. Its 18 days of ozone are a mean of three years; here each year counts by itself.
"""

from typing import Literal, NamedTuple

Statistic = Literal["hour", "day", "eight_hours"]


class Row(NamedTuple):
    """A figure and how often it may be passed in a calendar year; `eight_hours` is a day's highest 8-hour mean."""

    scheme: str
    pollutant: str
    statistic: Statistic
    limit: float
    allowed: int

    @property
    def field(self) -> str:
        """The name of its counter."""
        return f"{self.scheme}_{self.pollutant}_{self.statistic}_count"


TABLE: tuple[Row, ...] = (
    Row("eu2030", "pm2_5", "day", 25, 18),
    Row("eu2030", "pm10", "day", 45, 18),
    Row("eu2030", "no2", "day", 50, 18),
    Row("eu2030", "no2", "hour", 200, 3),
    Row("eu2030", "so2", "day", 50, 18),
    Row("eu2030", "so2", "hour", 350, 3),
    Row("eu2030", "o3", "eight_hours", 120, 18),
    Row("eu2030", "co", "day", 4000, 18),
    Row("eu2030", "co", "eight_hours", 10_000, 0),
    Row("who2021", "pm2_5", "day", 15, 3),
    Row("who2021", "pm10", "day", 45, 3),
    Row("who2021", "no2", "day", 25, 3),
    Row("who2021", "so2", "day", 40, 3),
    Row("who2021", "o3", "eight_hours", 100, 3),
    Row("who2021", "co", "day", 4000, 3),
    Row("de2010", "pm10", "day", 50, 35),
    Row("de2010", "no2", "hour", 200, 18),
)
YEAR_MEANS: dict[tuple[str, str], float] = {
    ("eu2030", "pm2_5"): 10,
    ("eu2030", "pm10"): 20,
    ("eu2030", "no2"): 20,
    ("eu2030", "so2"): 20,
    ("who2021", "pm2_5"): 5,
    ("who2021", "pm10"): 15,
    ("who2021", "no2"): 10,
    ("de2010", "pm2_5"): 25,
    ("de2010", "pm10"): 40,
    ("de2010", "no2"): 40,
}
"""By scheme and pollutant, in µg/m³."""
