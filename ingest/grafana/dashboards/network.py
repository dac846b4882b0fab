"""Network: gateways, signal strength, what is lost on the way, who is silent, whose battery is low."""

from ingest.grafana.dashboards.network_devices import DEVICE_PANELS
from ingest.grafana.dashboards.network_radio import HEALTH, RADIO_PANELS
from ingest.grafana.dashboards.query import HERE, devices, places
from ingest.grafana.dashboards.spec import Dashboard, Notes, text
from ingest.grafana.dashboards.words import (
    RED,
)

PANELS = (*RADIO_PANELS, *DEVICE_PANELS)

NETWORK = Dashboard(
    name="network",
    title=text("Funknetz", "Radio network"),
    description=text(
        "Gateways, Empfang, Verluste, stumme Geräte und Batterien.",
        "Gateways, reception, losses, silent devices and batteries.",
    ),
    panels=PANELS,
    variables=(*places(), devices()),
    notes=(
        Notes(
            title=text("Störungen im Netz", "Trouble in the network"),
            condition=f"{HERE} AND {HEALTH} AND \"status\" = 'problem'",
            colour=RED,
            source="internal",
        ),
    ),
)
