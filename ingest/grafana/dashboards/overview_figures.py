"""The figures at the head of the overview."""

from ingest.grafana.dashboards.query import course, figure, of_kind, over, rows, sound
from ingest.grafana.dashboards.spec import Panel, text
from ingest.grafana.dashboards.words import (
    GREEN,
    ORANGE,
    RED,
    SOME,
    YELLOW,
)

AIR = ((None, GREEN), (3, YELLOW), (4, ORANGE), (5, RED))
SPEED = ((None, RED), (15, ORANGE), (25, YELLOW), (35, GREEN))


FIGURES: tuple[Panel, ...] = (
    Panel(
        kind="stat",
        title=text("Freie Stellplätze", "Free parking spaces"),
        description=text(
            "Summe der zuletzt gezählten freien Plätze der gewählten Parkplätze, ohne solche ohne aktuelle Angaben.",
            "Sum of the spaces last counted free on the chosen lots, without lots of which nothing recent is known.",
        ),
        queries=(over('sum("free")', rows('last("free") AS "free"', "asset", of_kind("lot"))),),
        unit=text("suffix: Plätze", "suffix: spaces"),
        steps=((None, RED), (5, ORANGE), (20, GREEN)),
        width=4,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Luftqualität, schlechteste Klasse", "Air quality, worst class"),
        description=text(
            "Die schlechteste der zuletzt bestimmten Klassen des Luftqualitätsindex des Umweltbundesamts, 1 sehr gut "
            "bis 5 sehr schlecht.",
            "The worst of the newest classes of the German air quality index (UBA), 1 very good to 5 very poor.",
        ),
        queries=(over('max("air")', rows('last("air_quality_index") AS "air"', "asset", of_kind("station"))),),
        unit="none",
        steps=AIR,
        width=4,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Behälter über 80 %", "Containers above 80 %"),
        description=text(
            "Wie viele der gewählten Behälter zuletzt mehr als 80 % voll waren.",
            "How many of the chosen containers were more than 80 % full when last heard.",
        ),
        queries=(
            over('count("fill")', rows('last("fill_level") AS "fill"', "asset", of_kind("container")), '"fill" > 80'),
        ),
        unit="none",
        steps=SOME,
        width=4,
        height=4,
        calm=text("keine", "none"),
    ),
    Panel(
        kind="stat",
        title=text("Mittlere Geschwindigkeit", "Mean speed"),
        description=text(
            "Mittel über die Messstellen des Verkehrs, zuletzt gemessen.",
            "Mean over the traffic detectors, as measured last.",
        ),
        queries=(over('mean("speed")', rows('last("vehicle_speed") AS "speed"', "asset", of_kind("detector"))),),
        unit="velocitykmh",
        decimals=0,
        steps=SPEED,
        width=4,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Lufttemperatur", "Air temperature"),
        description=text(
            "Mittel aller Stationen in der letzten Stunde mit Messungen.", "Mean of all stations in the newest hour."
        ),
        queries=(course('mean("air_temperature")', "environment", sound("air_temperature"), by=(), alias="°C"),),
        unit="celsius",
        decimals=1,
        steps=((None, "blue"), (0, "light-blue"), (20, GREEN), (30, ORANGE), (35, RED)),
        width=4,
        height=4,
        every="1h",
    ),
    Panel(
        kind="stat",
        title=text("Meldungen im Zeitraum", "Messages in this span"),
        description=text(
            "Wie oft Umwelt, Verkehr oder Abfall neu gemeldet oder angehoben wurde.",
            "How often a rule raised an alert or raised its level.",
        ),
        queries=(figure('count("id")', "event", "\"status\" = 'raised'"),),
        unit="none",
        steps=SOME,
        width=4,
        height=4,
        calm=text("keine", "none"),
    ),
)
