"""Where the city's file and ChirpStack's tags place devices differently."""

from collections.abc import Iterator
from contextlib import closing

from ingest.finding import Finding
from ingest.fleet import store as fleet_store
from ingest.journal_schema import JournalError, open_reader
from ingest.settings import Settings
from rules.city import City, Difference

SHOWN = 20
SUBJECT = "city.file"


def differences(settings: Settings, city: City, now_ms: int) -> Iterator[Finding]:
    """One line for each of the first devices that were heard with a tag `asset` that says something else."""
    try:
        with closing(open_reader(settings.journal.path)) as connection:
            heard = fleet_store.devices(connection)
            tags = {device["dev_eui"]: device["tag_asset"] for device in heard if device["tag_asset"]}
    except JournalError:
        return
    found = city.differences(tags, now_ms)
    for difference in found[:SHOWN]:
        yield Finding("warning", SUBJECT, _text(difference))
    if len(found) > SHOWN:
        yield Finding("warning", SUBJECT, f"and {len(found) - SHOWN} more devices whose tag says something else")


def _text(difference: Difference) -> str:
    dev_eui, file, tag, known = difference
    if not known and not file:
        return f"device {dev_eui}: its tag `asset` names {tag!r}, which the file does not have"
    place = f"at {file!r}" if file else "nowhere"
    return f"device {dev_eui}: the file places it {place} now and wins, its tag `asset` says {tag!r}"
