"""Heat, rain and wind."""

from ingest.grafana.dashboards.environment_air import STATION
from ingest.grafana.dashboards.query import course, sound
from ingest.grafana.dashboards.spec import Panel, Steps, text
from ingest.grafana.dashboards.words import (
    GREEN,
    ORANGE,
    PLAIN,
    PURPLE,
    RED,
    YELLOW,
)

RAIN: dict[str, Steps] = {
    "1h": ((None, GREEN), (15, ORANGE), (25, RED), (40, PURPLE)),
    "24h": ((None, GREEN), (30, ORANGE), (50, RED), (80, PURPLE)),
}
"""Levels 2, 3 and 4 of the heavy rain warnings of the German weather service."""
GUST: Steps = ((None, GREEN), (51, YELLOW), (65, ORANGE), (105, RED), (141, PURPLE))
HEAT: Steps = ((None, GREEN), (27, YELLOW), (32, ORANGE), (38, RED))


WEATHER_PANELS: tuple[Panel, ...] = (
    Panel(
        kind="lines",
        title=text("Lufttemperatur", "Air temperature"),
        description=text("Gemessen, je Station.", "Measured, by station."),
        queries=(course('mean("air_temperature")', "environment", sound("air_temperature")),),
        unit="celsius",
        decimals=1,
        steps=PLAIN,
        every="10m",
    ),
    Panel(
        kind="lines",
        title=text("Gefühlte Temperatur", "Felt temperature"),
        description=text(
            "Aus Temperatur, Feuchte und Wind je Uhrstunde (nach Steadman); Hitzemeldung ab 32 und 38 °C.",
            "From temperature, humidity and wind by clock hour (after Steadman); heat alerts from 32 and 38 °C.",
        ),
        queries=(course('mean("apparent_temperature")', "asset", STATION),),
        unit="celsius",
        decimals=1,
        steps=HEAT,
        every="1h",
    ),
    Panel(
        kind="bars",
        title=text("Hitzetage und Tropennächte des Jahres", "Hot days and tropical nights of the year"),
        description=text(
            "Tage ab 30 °C und Nächte, die nicht unter 20 °C abkühlten, seit Jahresbeginn.",
            "Days from 30 °C on and nights that did not cool below 20 °C since the year began.",
        ),
        queries=(
            course('max("hot_days_year")', "asset", STATION, alias=text("$tag_asset Hitzetage", "$tag_asset hot days")),
            course(
                'max("tropical_nights_year")',
                "asset",
                STATION,
                alias=text("$tag_asset Tropennächte", "$tag_asset tropical nights"),
            ),
        ),
        unit=text("suffix: Tage", "suffix: days"),
        decimals=0,
        steps=PLAIN,
        every="1d",
    ),
    Panel(
        kind="lines",
        title=text("Höchste und tiefste Temperatur des Tages", "Highest and lowest temperature of the day"),
        description=text(
            "Höchster Wert des Tages und tiefster der Nacht (18 bis 6 Uhr UTC).",
            "Highest value of the day and lowest of the night (18 to 6 UTC).",
        ),
        queries=(
            course('max("day_temperature_max")', "asset", STATION, alias=text("$tag_asset Tag", "$tag_asset day")),
            course(
                'min("night_temperature_min")', "asset", STATION, alias=text("$tag_asset Nacht", "$tag_asset night")
            ),
        ),
        unit="celsius",
        decimals=1,
        steps=PLAIN,
        every="1d",
    ),
    Panel(
        kind="bars",
        title=text("Niederschlag", "Precipitation"),
        description=text("Gemessene Menge je Abschnitt.", "Measured amount in each interval."),
        queries=(course('sum("precipitation")', "environment", sound("precipitation")),),
        unit="lengthmm",
        decimals=1,
        steps=PLAIN,
        every="10m",
        width=8,
    ),
    Panel(
        kind="lines",
        title=text("Regensumme einer Stunde", "Rain of one hour"),
        description=text(
            "Gleitend; die Linien sind die Stufen 2 bis 4 des Deutschen Wetterdienstes.",
            "Sliding; the lines are levels 2 to 4 of the German weather service.",
        ),
        queries=(course('max("precipitation_1h")', "asset", STATION),),
        unit="lengthmm",
        decimals=1,
        low=0,
        steps=RAIN["1h"],
        calm=text("kein Regen", "no rain"),
        width=8,
    ),
    Panel(
        kind="lines",
        title=text("Regensumme von 24 Stunden", "Rain of 24 hours"),
        description=text(
            "Gleitend; die Linien sind die Stufen 2 bis 4 des Deutschen Wetterdienstes.",
            "Sliding; the lines are levels 2 to 4 of the German weather service.",
        ),
        queries=(course('max("precipitation_24h")', "asset", STATION),),
        unit="lengthmm",
        decimals=1,
        low=0,
        steps=RAIN["24h"],
        calm=text("kein Regen", "no rain"),
        width=8,
    ),
    Panel(
        kind="lines",
        title=text("Höchste Böe einer Stunde", "Highest gust of an hour"),
        description=text(
            "Wie sie Meldungen auslöst: über 50, ab 65, ab 105 und über 140 km/h.",
            "As it raises alerts: above 50, from 65, from 105 and above 140 km/h.",
        ),
        queries=(course('max("gust_kmh")', "asset", STATION),),
        unit="velocitykmh",
        decimals=0,
        low=0,
        steps=GUST,
        calm=text("keine Böen gemessen", "no gusts measured"),
        width=8,
    ),
    Panel(
        kind="lines",
        title=text("Wind", "Wind"),
        description=text("Mittlerer Wind und Böen, gemessen.", "Mean wind and gusts, measured."),
        queries=(
            course(
                'mean("wind_speed")',
                "environment",
                sound("wind_speed"),
                alias=text("$tag_asset Wind", "$tag_asset wind"),
            ),
            course(
                'max("wind_gust")', "environment", sound("wind_gust"), alias=text("$tag_asset Böen", "$tag_asset gusts")
            ),
        ),
        unit="velocityms",
        decimals=1,
        low=0,
        steps=PLAIN,
        every="10m",
        width=8,
    ),
    Panel(
        kind="lines",
        title=text("Luftfeuchte", "Humidity"),
        description=text("Gemessen, Mittel je Station.", "Measured, mean of each station."),
        queries=(
            course(
                'mean("air_humidity")',
                "environment",
                sound("air_humidity"),
                alias=text("$tag_asset Feuchte", "$tag_asset humidity"),
            ),
        ),
        unit="humidity",
        decimals=0,
        low=0,
        high=100,
        steps=PLAIN,
        every="10m",
        width=8,
    ),
)
