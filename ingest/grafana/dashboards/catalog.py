"""The dashboards, in the order in which a folder lists them."""

from ingest.grafana.dashboards.device import DEVICE_BOARD
from ingest.grafana.dashboards.environment import ENVIRONMENT
from ingest.grafana.dashboards.network import NETWORK
from ingest.grafana.dashboards.overview import OVERVIEW
from ingest.grafana.dashboards.parking import PARKING
from ingest.grafana.dashboards.service import SERVICE
from ingest.grafana.dashboards.spec import Dashboard
from ingest.grafana.dashboards.traffic import TRAFFIC
from ingest.grafana.dashboards.waste import WASTE

DASHBOARDS: tuple[Dashboard, ...] = (
    OVERVIEW,
    TRAFFIC,
    PARKING,
    ENVIRONMENT,
    WASTE,
    NETWORK,
    DEVICE_BOARD,
    SERVICE,
)
INTERNAL_ONLY = frozenset({"network", "device", "service"})
"""Dashboards that are about devices and the service, whatever single panels of them would show."""
