"""Queries as Grafana's InfluxDB data source keeps them; grafana-foundation-sdk knows it by name only."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from typing_extensions import override

from ingest.grafana.dashboards.spec import Organisation

SOURCES: dict[Organisation, str] = {"open": "stadtfunk-open", "internal": "stadtfunk-internal"}
"""The uid of the data source of each class."""


def source_of(organisation: Organisation) -> DataSourceRef:
    """The data source of a class."""
    return DataSourceRef("influxdb", SOURCES[organisation])


class InfluxTarget(Dataquery):
    """One query in InfluxQL; `form` is `time_series` or `table`."""

    def __init__(self, name: str, ask: str, source: Organisation, form: str, alias: str) -> None:
        self._fields: dict[str, object] = {
            "refId": name,
            "datasource": source_of(source),
            "query": ask,
            "rawQuery": True,
            "resultFormat": form,
        }
        if alias:
            self._fields["alias"] = alias

    def to_json(self) -> dict[str, object]:
        """As it stands in a dashboard."""
        return self._fields


class Target(Builder[Dataquery]):
    """A builder around a query, as the SDK's panels take them."""

    def __init__(self, made: InfluxTarget) -> None:
        self._made = made

    @override
    def build(self) -> Dataquery:
        """The query."""
        return self._made
