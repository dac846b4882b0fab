"""The annotation queries of docs/grafana.md against a real InfluxDB filled with events."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from decoders.quantity import Privacy
from ingest.event_points import point_of
from ingest.events_example import example
from ingest.influx import InfluxSink
from ingest.journal_records import EventRow
from ingest.settings import InfluxSettings
from rules.asset import Asset
from rules.event import Event
from rules.event_traffic import ControlHealth, SignalPlanRequested
from tests.doubles.influxd import Database
from tests.doubles.influxd_fixtures import NewBucket
from tests.ingest.grafana.events import MINUTE, NOW, alert, condition

pytestmark = pytest.mark.influxd

PAGE = Path(__file__).parents[3] / "docs" / "grafana.md"
QUERIES = re.findall(r"```sql\n-- ([^\n]*)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
FOUND = {
    "alerts of the environment": {"Hitze Stufe 3"},
    "beginning and end": {"Hitze Stufe 1", "Hitze Stufe 3", "Hitze Stufe 0", "Feinstaub ist raised"},
    "what a city's own severe": {"Feinstaub ist raised"},
    "plans and guidance": {"Beispiel"},
    "trouble with whoever": {"Beispiel"},
}


def made(kind: type[Event]) -> Event:
    """An example of a type, at the time of the others."""
    fields = example(kind.model_json_schema(), {})
    return kind.model_validate({**fields, "subject": "station-1"})


def test_every_query_of_the_page_is_known_here() -> None:
    """A new one wants a line in this test."""
    assert len(QUERIES) == len(FOUND)
    assert all(any(title.startswith(known) for title, _ in QUERIES) for known in FOUND)


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=[title[:20] for title, _ in QUERIES])
async def test_the_queries_of_the_page_find_what_they_say(
    influxdb: Database, new_bucket: NewBucket, title: str, query: str
) -> None:
    """Each finds its events, and none of another kind, beside the network server's own points."""
    bucket = new_bucket()
    token = SecretStr(influxdb.token or "any:thing")
    settings = InfluxSettings(url=influxdb.url, bucket_open=bucket, token=token, organisation=influxdb.organisation)
    sink = InfluxSink(settings)
    events = (
        alert("raised", 1, 0),
        alert("raised", 3, 0, NOW + MINUTE),
        alert("cleared", 0, 3, NOW + 2 * MINUTE),
        condition(),
        condition("updated", NOW + MINUTE, severity="info"),
        made(SignalPlanRequested),
        made(ControlHealth),
    )
    assets = {"station-1": Asset("station-1", "station", "Station", {}, (), 7.8, 51.7, "mitte")}
    points = [point_of(event, EventRow.of(event, "pending"), assets) for event in events]
    lines = [point[1] for point in points if point is not None]
    log = f'event,channel=log,dev_eui=a level="ERROR",code="EXPIRED",text="expired" {NOW}'
    assert await sink.write(Privacy.OPEN, "\n".join([log, *lines]).encode()) == []
    await sink.close()
    asked = query.replace("$timeFilter", "time > 0").replace("$district", "mitte").strip().replace("\n", " ")
    expected = next(texts for known, texts in FOUND.items() if title.startswith(known))
    assert {row[1] for row in influxdb.query(asked, bucket)} == expected
