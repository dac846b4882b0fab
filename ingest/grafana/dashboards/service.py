"""The service itself: how far behind it is, what waits, what it could not use, how much of the error budget is left."""

from ingest.grafana.dashboards.service_course import COURSE_PANELS
from ingest.grafana.dashboards.service_now import NOW_PANELS
from ingest.grafana.dashboards.spec import Dashboard, Notes, text
from ingest.grafana.dashboards.words import (
    BLUE,
)

PANELS = (*NOW_PANELS, *COURSE_PANELS)

SERVICE = Dashboard(
    name="service",
    title=text("Dienst", "Service"),
    description=text(
        "Rückstand, Journal, Unzustellbares und Fehlerbudget.", "Lag, journal, dead letters and error budget."
    ),
    panels=PANELS,
    variables=(),
    notes=(
        Notes(
            title=text("Funknetz", "Radio network"),
            condition="\"channel\"::tag = 'network.health'",
            colour=BLUE,
            source="internal",
        ),
    ),
    span="now-7d",
)
