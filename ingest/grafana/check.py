"""What `stadtfunk check` says of Grafana."""

from ingest.finding import Finding
from ingest.grafana.annotations import GREETING
from ingest.grafana.client import GrafanaClient
from ingest.settings import Settings, SettingsError
from ingest.sink import SinkUnavailable

SUBJECT = "grafana.url"
CONNECT_S = 5.0


async def findings(settings: Settings) -> list[Finding]:
    """Whether it answers and knows the token, and who would annotate; nothing where it is not used."""
    grafana = settings.grafana
    if grafana.url is None:
        return []
    if not grafana.annotations:
        return [Finding("ok", SUBJECT, f"{grafana.url}: no annotations, as set")]
    try:
        client = GrafanaClient(grafana.model_copy(update={"timeout_s": min(grafana.timeout_s, CONNECT_S)}))
    except SettingsError as error:
        return [Finding("error", SUBJECT, str(error).removeprefix(f"{SUBJECT}: "))]
    try:
        await client.find(GREETING)
    except SinkUnavailable as error:
        return [Finding("error", SUBJECT, str(error))]
    finally:
        client.close()
    if settings.simulation.apart:
        return [Finding("warning", SUBJECT, f"{grafana.url}: no annotations while simulation.accept is set")]
    return [Finding("ok", SUBJECT, f"{grafana.url}: answers; annotations may be read")]
