"""The air: its index, pollutants by the hour, the year against its limits."""

from ingest.grafana.dashboards.query import course, events, newest, of_kind
from ingest.grafana.dashboards.spec import Code, Column, Panel, Steps, text
from ingest.grafana.dashboards.words import (
    EVENT_COLUMNS,
    GREEN,
    NO_NEWS,
    ORANGE,
    PLACED,
    PLAIN,
    PURPLE,
    RED,
    YELLOW,
    levels,
)

STATION = of_kind("station")
MICROGRAMS = "conμgm3"
AIR: Steps = ((None, GREEN), (3, YELLOW), (4, ORANGE), (5, RED))
CLASSES = {
    "1": Code(text("sehr gut", "very good"), "#50f0e6"),
    "2": Code(text("gut", "good"), "#50ccaa"),
    "3": Code(text("mäßig", "moderate"), YELLOW),
    "4": Code(text("schlecht", "poor"), RED),
    "5": Code(text("sehr schlecht", "very poor"), PURPLE),
}
"""Classes of the German air quality index (UBA, doi 10.60810/openumwelt-7990)."""
POLLUTANTS = (
    ("pm2_5", text("PM2,5", "PM2.5")),
    ("pm10", text("PM10", "PM10")),
    ("no2", text("NO₂", "NO₂")),
    ("o3", text("O₃", "O₃")),
)
"""Fields and names."""


def _pollutant(number: int, steps: Steps) -> Panel:
    field, name = POLLUTANTS[number]
    return Panel(
        kind="lines",
        title=text(f"{name.de}, Stundenmittel", f"{name.en}, hourly mean"),
        description=text(
            f"{name.de} je Uhrstunde, wie es in den Luftqualitätsindex eingeht; die Linien trennen seine Klassen.",
            f"{name.en} by clock hour, as it enters the air quality index; the lines part its classes.",
        ),
        queries=(course(f'mean("{field}_hour")', "asset", STATION),),
        unit=MICROGRAMS,
        decimals=0,
        low=0,
        steps=steps,
        every="1h",
        width=6,
    )


AIR_PANELS: tuple[Panel, ...] = (
    Panel(
        kind="map",
        title=text("Luftqualität und Pegel", "Air quality and gauges"),
        description=text(
            "Stationen nach Luftklasse, Pegel nach Wasserstand, letzter Wert im Zeitraum.",
            "Stations by air class, gauges by water level, newest value in this span.",
        ),
        queries=(
            newest(
                'last("air_quality_index") AS "air_quality_index", "latitude", "longitude"',
                "asset",
                STATION,
                alias=text("Luft", "Air"),
            ),
            newest(
                'last("gauge_level_cm") AS "gauge_level_cm", "latitude", "longitude"',
                "asset",
                of_kind("gauge"),
                alias=text("Pegel", "Gauges"),
            ),
        ),
        values=("air_quality_index", "gauge_level_cm"),
        unit="none",
        steps=AIR,
        columns=(
            Column(name="air_quality_index", title=text("Luftklasse", "Air class"), steps=AIR, codes=CLASSES),
            Column(name="gauge_level_cm", title=text("Wasserstand", "Water level"), unit="suffix: cm"),
            *PLACED,
        ),
        width=10,
        height=14,
    ),
    Panel(
        kind="states",
        title=text("Luftqualitätsindex", "Air quality index"),
        description=text(
            "Klasse jeder Uhrstunde nach dem Umweltbundesamt; eigene Messung mit einfachen Sensoren.",
            "Class of each clock hour after the German Environment Agency; own measurement with simple sensors.",
        ),
        queries=(course('max("air_quality_index")', "asset", STATION),),
        unit="none",
        steps=AIR,
        codes=CLASSES,
        every="1h",
        width=14,
        height=7,
    ),
    Panel(
        kind="table",
        title=text("Meldungen", "Alerts"),
        description=text(
            "Umweltmeldungen der Regeln, keine amtlichen Warnungen.",
            "Environmental alerts of the rules, no official warnings.",
        ),
        queries=(events('"channel"::tag =~ /^environment\\./', more=', "alert_level"'),),
        unit="none",
        steps=PLAIN,
        columns=(
            *EVENT_COLUMNS,
            Column(name="alert_level", title=text("Stufe", "Level"), codes=levels(text("Stufe", "level"), 4)),
        ),
        width=14,
        height=7,
        calm=NO_NEWS,
    ),
    _pollutant(0, ((None, GREEN), (15, YELLOW), (30, ORANGE), (50, RED))),
    _pollutant(1, ((None, GREEN), (27, YELLOW), (54, ORANGE), (90, RED))),
    _pollutant(2, ((None, GREEN), (30, YELLOW), (60, ORANGE), (100, RED))),
    _pollutant(3, ((None, GREEN), (72, YELLOW), (144, ORANGE), (240, RED))),
    Panel(
        kind="levels",
        title=text("Jahresmittel im Verhältnis zum Grenzwert von 2030", "Year's mean against the limit of 2030"),
        description=text(
            "Mittel seit Jahresbeginn in Prozent der Grenzwerte der Richtlinie (EU) 2024/2881; nur zur Orientierung.",
            "Mean since the year began in percent of the limits of Directive (EU) 2024/2881; orientation only.",
        ),
        queries=tuple(
            newest(
                f'last("eu2030_{field}_year_percent")',
                "asset",
                STATION,
                alias=text(f"$tag_asset {name.de}", f"$tag_asset {name.en}"),
            )
            for field, name in POLLUTANTS
            if field != "o3"
        ),
        unit="percent",
        decimals=0,
        low=0,
        high=150,
        steps=((None, GREEN), (80, YELLOW), (100, RED)),
        every="1d",
    ),
    Panel(
        kind="levels",
        title=text("Überschreitungstage des Jahres, Richtlinie von 2030", "Days above in this year, directive of 2030"),
        description=text(
            "Wie oft Tagesmittel in diesem Jahr über dem Wert lagen; erlaubt sind 18 Tage.",
            "How often a day's mean passed its figure in this year; 18 days are allowed.",
        ),
        queries=tuple(
            newest(
                f'last("eu2030_{field}_day_count")',
                "asset",
                STATION,
                alias=text(f"$tag_asset {name.de}", f"$tag_asset {name.en}"),
            )
            for field, name in POLLUTANTS
            if field != "o3"
        ),
        unit=text("suffix: Tage", "suffix: days"),
        low=0,
        high=25,
        steps=((None, GREEN), (10, YELLOW), (19, RED)),
        every="1d",
    ),
)
