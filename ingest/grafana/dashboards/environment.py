"""Environment: air, heat, rain and wind, rivers, noise, roads and trees, by the rules' own figures."""

from ingest.grafana.dashboards.environment_air import AIR_PANELS
from ingest.grafana.dashboards.environment_ground import ALERTS, GROUND_PANELS
from ingest.grafana.dashboards.environment_weather import WEATHER_PANELS
from ingest.grafana.dashboards.query import HERE, places
from ingest.grafana.dashboards.spec import Dashboard, Notes, text
from ingest.grafana.dashboards.words import (
    GREY,
    RED,
)

PANELS = (*AIR_PANELS, *WEATHER_PANELS, *GROUND_PANELS)

ENVIRONMENT = Dashboard(
    name="environment",
    title=text("Umwelt und Klima", "Environment and climate"),
    description=text(
        "Luft, Hitze, Regen, Wind, Pegel, Lärm, Straßen und Bäume.",
        "Air, heat, rain, wind, gauges, noise, roads and trees.",
    ),
    panels=PANELS,
    variables=places("station", "gauge", "road_section", "site"),
    notes=(
        Notes(
            title=text("Umweltmeldungen ab Stufe 2", "Environmental alerts from level 2"),
            condition=f'{HERE} AND "alert_level" >= 2',
            colour=RED,
        ),
        Notes(
            title=text("Umweltmeldungen, alle", "Environmental alerts, all"),
            condition=f"{HERE} AND {ALERTS}",
            colour=GREY,
            shown=False,
        ),
    ),
)
