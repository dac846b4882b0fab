"""Rivers, noise, roads and trees, and how often alerts were told."""

from ingest.grafana.dashboards.environment_air import STATION
from ingest.grafana.dashboards.query import course, figure, of_kind, sound
from ingest.grafana.dashboards.spec import Code, Panel, text
from ingest.grafana.dashboards.words import (
    BLUE,
    GREEN,
    ORANGE,
    PLAIN,
    RED,
    YELLOW,
)

ICE = {
    "0": Code(text("nicht glatt", "not slippery"), GREEN),
    "1": Code(text("nachsehen", "inspect"), BLUE),
    "2": Code(text("möglich", "possible"), YELLOW),
    "3": Code(text("wahrscheinlich", "likely"), ORANGE),
    "4": Code(text("Glatteis", "black ice"), RED),
}
TREES = {
    "0": Code(text("feucht genug", "moist enough"), GREEN),
    "1": Code(text("trocken", "dry"), ORANGE),
    "2": Code(text("gießen", "water"), RED),
}
ALERTS = '"alert_level" >= 1'


GROUND_PANELS: tuple[Panel, ...] = (
    Panel(
        kind="lines",
        title=text("Pegel", "Gauges"),
        description=text(
            "Wasserstand über Pegelnull; gemeldet wird ab den Informationswerten des Pegels.",
            "Water above the gauge's zero; alerts begin at the gauge's own information values.",
        ),
        queries=(course('mean("gauge_level_cm")', "asset", of_kind("gauge")),),
        unit="suffix: cm",
        decimals=0,
        steps=PLAIN,
        every="10m",
    ),
    Panel(
        kind="lines",
        title=text("Geräusche, gemessen", "Noise, measured"),
        description=text("Mittelungspegel der Messabstände, je Station.", "Averaged level of each report, by station."),
        queries=(course('mean("sound_level_average")', "environment", sound("sound_level_average")),),
        unit="dB",
        decimals=0,
        steps=PLAIN,
        every="10m",
    ),
    Panel(
        kind="bars",
        title=text("Lärm je Tageszeit", "Noise by part of the day"),
        description=text(
            "L_day, L_evening, L_night und L_den, wie die Richtlinie 2002/49/EG sie bildet; einfache Sensoren.",
            "L_day, L_evening, L_night and L_den as Directive 2002/49/EC forms them; simple sensors.",
        ),
        queries=tuple(
            course(f'max("{field}")', "asset", STATION, alias=f"$tag_asset {name}")
            for field, name in (
                ("l_day", "L_day"),
                ("l_evening", "L_evening"),
                ("l_night", "L_night"),
                ("l_den", "L_den"),
            )
        ),
        unit="dB",
        decimals=0,
        steps=((None, GREEN), (55, YELLOW), (65, RED)),
        every="1d",
    ),
    Panel(
        kind="lines",
        title=text("Straßenoberfläche", "Road surface"),
        description=text(
            "Temperatur der Fahrbahn und Taupunkt darüber.", "Temperature of the road and dew point above it."
        ),
        queries=(
            course(
                'min("surface_temperature")',
                "environment",
                sound("surface_temperature"),
                alias=text("$tag_asset Oberfläche", "$tag_asset surface"),
            ),
            course(
                'mean("dew_point")',
                "environment",
                sound("dew_point"),
                alias=text("$tag_asset Taupunkt", "$tag_asset dew point"),
            ),
        ),
        unit="celsius",
        decimals=1,
        steps=((None, BLUE), (0, ORANGE), (3, GREEN)),
        every="10m",
    ),
    Panel(
        kind="states",
        title=text("Straßenglätte", "Slippery roads"),
        description=text("Stufe der Glättemeldung je Straßenabschnitt.", "Level of the ice alert by road section."),
        queries=(course('max("ice_level")', "asset", of_kind("road_section")),),
        unit="none",
        steps=PLAIN,
        codes=ICE,
        calm=text("keine Meldung", "no alert"),
        height=6,
    ),
    Panel(
        kind="lines",
        title=text("Bodenfeuchte der Bäume", "Soil of street trees"),
        description=text(
            "Saugspannung des Bodens; ab 32 kPa trocken, ab 80 kPa gießen.",
            "Soil water tension; dry from 32 kPa on, water from 80 kPa on.",
        ),
        queries=(course('mean("soil_water_tension")', "asset", of_kind("site")),),
        unit="pressurekpa",
        decimals=0,
        low=0,
        steps=((None, GREEN), (32, ORANGE), (80, RED)),
        every="30m",
    ),
    Panel(
        kind="states",
        title=text("Bäume gießen", "Watering of trees"),
        description=text("Stufe der Gießmeldung je Baumstandort.", "Level of the watering alert by site."),
        queries=(course('last("tree_watering_level")', "asset", of_kind("site")),),
        unit="none",
        steps=PLAIN,
        codes=TREES,
        height=6,
    ),
    Panel(
        kind="bars",
        title=text("Meldungen je Regel", "Alerts by rule"),
        description=text(
            "Wie viele Umweltmeldungen in jedem Abschnitt begannen, stiegen, erneuert wurden oder endeten.",
            "How many environmental alerts began, rose, were renewed or ended in each interval.",
        ),
        queries=(
            course(
                'count("id")', "event", '"channel"::tag =~ /^environment\\./', by=("channel",), alias="$tag_channel"
            ),
        ),
        unit="none",
        steps=PLAIN,
        every="1h",
        height=6,
        stacked=True,
    ),
    Panel(
        kind="stat",
        title=text("Höchste Stufe im Zeitraum", "Highest level in this span"),
        description=text(
            "Über alle Umweltmeldungen der gewählten Orte.", "Over all environmental alerts of the chosen places."
        ),
        queries=(figure('max("alert_level")', "event", ALERTS),),
        unit="none",
        steps=((None, GREEN), (1, YELLOW), (2, ORANGE), (3, RED)),
        height=6,
        calm=text("keine", "none"),
    ),
)
