"""City overview: where everything is, how the districts fare, what is wrong now."""

from ingest.grafana.dashboards.overview_figures import FIGURES
from ingest.grafana.dashboards.overview_places import PLACES
from ingest.grafana.dashboards.query import HERE, places
from ingest.grafana.dashboards.spec import Dashboard, Notes, text
from ingest.grafana.dashboards.words import (
    ORANGE,
    RED,
)

PANELS = (*FIGURES, *PLACES)

NOTES = (
    Notes(
        title=text("Umweltmeldungen ab Stufe 2", "Environmental alerts from level 2"),
        condition=f'{HERE} AND "alert_level" >= 2',
        colour=RED,
    ),
    Notes(
        title=text("Beginn und Ende", "Beginning and end"),
        condition=f"{HERE} AND (\"status\" = 'raised' OR \"status\" = 'cleared')",
        colour=ORANGE,
    ),
    Notes(
        title=text("Eigene Bedingungen, schwer", "Conditions of our own, severe"),
        condition=f"{HERE} AND \"severity\" = 'severe'",
        colour="purple",
    ),
)

OVERVIEW = Dashboard(
    name="overview",
    title=text("Stadt im Überblick", "City overview"),
    description=text(
        "Die Stadt auf einen Blick: Karte, Bezirke, und was gerade nicht stimmt.",
        "The city at a glance: map, districts, and what is wrong now.",
    ),
    panels=PANELS,
    variables=places(),
    notes=NOTES,
)
