"""Where the city's file and ChirpStack's tags place devices differently, and which timetables end."""

from collections.abc import Iterator
from contextlib import closing

from ingest.finding import Finding
from ingest.fleet import store as fleet_store
from ingest.journal_schema import JournalError, open_reader
from ingest.settings import Settings
from rules.city import City, Difference
from rules.traffic.timetable import timetable_of

SHOWN = 20
SUBJECT = "city.file"
SOON_MS = 14 * 86_400_000
"""How long before the end of a timetable somebody is told."""


def timetables(city: City, now_ms: int) -> Iterator[Finding]:
    """A line for each corridor whose timetable has not begun, is over, or soon will be."""
    for name, asset in sorted(city.assets.items()):
        found = timetable_of(asset)
        if found is None:
            continue
        span = f"{name}: its timetable goes from {found.first_day} to {found.last_day}"
        if not found.knows(now_ms):
            yield Finding("warning", "city.gtfs", f"{span}: bus priority stays off until a newer GTFS feed is given")
        elif not found.knows(now_ms + SOON_MS):
            yield Finding("warning", "city.gtfs", f"{span}: bus priority will be off after that")


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
