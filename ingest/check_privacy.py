"""Which assets have personal devices, so that what rules conclude about them stays inside."""

from collections.abc import Iterator
from contextlib import closing

from decoders import catalog
from decoders.quantity import Privacy
from ingest import journal_sql
from ingest.confidential import Confidential
from ingest.finding import Finding
from ingest.journal_schema import JournalError, open_reader
from ingest.settings import Settings
from rules.city import City
from rules.engine import Engine

SHOWN = 20
INSIDE = "what rules conclude about it is not published"
FIGURES = "of what rules conclude about it only its state and figures as a whole are published"


def findings(settings: Settings, city: City, engine: Engine, now_ms: int) -> Iterator[Finding]:
    """A line for each of the first assets about which rules hear of personal data, by journal and city file."""
    known = Confidential(engine, settings.influxdb.retention_personal_days)
    try:
        with closing(open_reader(settings.journal.path)) as connection:
            known.restore(*journal_sql.states(connection), now_ms)
    except JournalError:
        pass  # without a journal nothing was heard
    hearing = known.overlay()
    for name in _named(settings, city, now_ms):
        hearing.hear(name, Privacy.PERSONAL, now_ms)
    found = [name for name in sorted(city.assets) if hearing.of(name, now_ms, figures=False) is Privacy.PERSONAL]
    for name in found[:SHOWN]:
        inside = hearing.of(name, now_ms, figures=True) is Privacy.PERSONAL
        yield Finding("warning", "privacy", f"{name}: has personal devices; {INSIDE if inside else FIGURES}")
    if len(found) > SHOWN:
        yield Finding("warning", "privacy", f"and {len(found) - SHOWN} more assets with personal devices")


def _named(settings: Settings, city: City, now_ms: int) -> Iterator[str]:
    """The assets to which the file gives a device of a personal codec that may be read."""
    codecs = {codec.id for codec in catalog.CODECS if codec.privacy is Privacy.PERSONAL}
    for name, asset in city.assets.items():
        models = (device.model for device in asset.devices if device.covers(now_ms))
        if any(model in codecs and settings.privacy.has_purpose(model) for model in models):
            yield name
