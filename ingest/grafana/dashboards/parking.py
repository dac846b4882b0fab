"""Parking: lots with free spaces and trend, what drivers are told, how long cars stay, sensors under suspicion."""

from ingest.grafana.dashboards.parking_guidance import GUIDANCE_PANELS
from ingest.grafana.dashboards.parking_lots import LOT_PANELS
from ingest.grafana.dashboards.query import HERE, places
from ingest.grafana.dashboards.spec import Dashboard, Notes, text
from ingest.grafana.dashboards.words import (
    BLUE,
)

PANELS = (*LOT_PANELS, *GUIDANCE_PANELS)

PARKING = Dashboard(
    name="parking",
    title=text("Parken", "Parking"),
    description=text("Parkplätze, freie Plätze, Trend und Parkleitung.", "Lots, free spaces, trend and guidance."),
    panels=PANELS,
    variables=places("lot", "zone"),
    notes=(
        Notes(
            title=text("Parkleitung", "Guidance"),
            condition=f"{HERE} AND \"channel\"::tag = 'parking.guidance'",
            colour=BLUE,
            shown=False,
        ),
    ),
)
