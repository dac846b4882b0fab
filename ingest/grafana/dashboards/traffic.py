"""Traffic: flow and speed by approach, plans wanted and running, requests and what came of them, the corridor."""

from ingest.grafana.dashboards.query import HERE, places
from ingest.grafana.dashboards.spec import Dashboard, Notes, text
from ingest.grafana.dashboards.traffic_flow import ANSWERED, FLOW_PANELS, REQUESTS
from ingest.grafana.dashboards.traffic_plans import PLAN_PANELS
from ingest.grafana.dashboards.traffic_road import ROAD_PANELS
from ingest.grafana.dashboards.words import (
    BLUE,
    RED,
)

PANELS = (*FLOW_PANELS, *PLAN_PANELS, *ROAD_PANELS)

NOTES = (
    Notes(
        title=text("Anforderungen", "Requests"),
        condition=f"{HERE} AND ({REQUESTS})",
        colour=BLUE,
        shown=False,
    ),
    Notes(
        title=text("Störungen der Ausführung", "Trouble with carrying out"),
        condition=f"{HERE} AND {ANSWERED}",
        colour=RED,
    ),
)

TRAFFIC = Dashboard(
    name="traffic",
    title=text("Verkehr", "Traffic"),
    description=text(
        "Verkehrsstärke und Geschwindigkeit, Signalpläne, Anforderungen und Antworten.",
        "Flow and speed, signal plans, requests and answers.",
    ),
    panels=PANELS,
    variables=places("junction", "detector", "control_group", "corridor"),
    notes=NOTES,
)
