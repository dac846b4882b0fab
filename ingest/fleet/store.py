"""Device records and assignments in the journal: statements, and what people read of devices."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from decoders.quantity import Privacy
from ingest.bulk_insert import insert
from ingest.fleet import lifecycle_store
from ingest.journal_records import Assigned
from ingest.journal_schema import checksum
from rules.device import health, record
from rules.device.record import About, Record

Folded = tuple[int | None, bytes]
"""A record as it rests: its deadline (ms since 1970), and its bytes."""
LOAD = 200
"""Devices asked for in one statement."""
REMEMBERS = b'{"'
"""What no record holds that remembers nothing."""
PERSONAL_MEMORIES = f"""
SELECT * FROM device WHERE instr(body, ?) AND CASE WHEN json_valid(CAST(body AS TEXT))
THEN json_extract(CAST(body AS TEXT), '$[1][{record.ABOUT}][{About._fields.index("privacy")}]') = ? END
"""  # noqa: S608 - numbers of our own


def load(connection: sqlite3.Connection, names: Sequence[str]) -> dict[str, Record]:
    """The folded records of these devices; damaged ones are as if they were not there."""
    found: dict[str, Record] = {}
    for start in range(0, len(names), LOAD):
        part = names[start : start + LOAD]
        query = f"SELECT * FROM device WHERE dev_eui IN ({','.join('?' * len(part))})"  # noqa: S608 - question marks
        found.update(_records(connection.execute(query, part)))
    return found


def due(connection: sqlite3.Connection, time_ms: int, limit: int) -> list[tuple[int, str]]:
    """The first deadlines up to this time, in order."""
    query = "SELECT deadline_ms, dev_eui FROM device WHERE deadline_ms <= ? ORDER BY deadline_ms, dev_eui LIMIT ?"
    return [(deadline_ms, dev_eui) for deadline_ms, dev_eui in connection.execute(query, (time_ms, limit))]


def resting(found: Record) -> Folded:
    """A record as it rests in the table of devices."""
    return found.deadline_ms, record.dump_one(found)


def fold(connection: sqlite3.Connection, folded: Mapping[str, Folded]) -> None:
    """Write records into the table of devices; in the order of their keys that costs a fifth."""
    rows = [(*row, checksum(*row)) for row in sorted((name, *found) for name, found in folded.items())]
    insert(connection, "INSERT OR REPLACE INTO device", rows)


def forget_remembered(connection: sqlite3.Connection, before_ms: int) -> None:
    """Raw values that conditioning remembers of personal devices, and that were measured before, are gone."""
    found = _records(connection.execute(PERSONAL_MEMORIES, (REMEMBERS, Privacy.PERSONAL)))
    fold(
        connection,
        {
            dev_eui: resting(known._replace(entries=kept))
            for dev_eui, known in found
            if (kept := record.since(known.entries, before_ms)) is not known.entries
        },
    )


def forget_log(connection: sqlite3.Connection, number: int) -> None:
    """The log up to this commit is folded."""
    connection.execute("DELETE FROM device_log WHERE number <= ?", (number,))


def logged(connection: sqlite3.Connection) -> dict[str, Record]:
    """The records that are logged and not folded; a damaged log counts as not there."""
    found: dict[str, Record] = {}
    for number, body, crc in connection.execute("SELECT number, body, crc FROM device_log ORDER BY number"):
        if checksum(number, body) == crc:
            found.update(record.load(body))
    return found


def assignments(connection: sqlite3.Connection) -> list[Assigned]:
    """All dated assignments that are intact."""
    return list(lifecycle_store.assignments(connection))


# -- for people -------------------------------------------------------------------------------------------------------


def device(connection: sqlite3.Connection, dev_eui: str) -> dict[str, Any] | None:
    """What is known of one device."""
    found = logged(connection).get(dev_eui) or load(connection, [dev_eui]).get(dev_eui)
    return None if found is None else summary(dev_eui, found)


def devices(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """All devices that were ever heard, by dev_eui."""
    for dev_eui, found in records(connection):
        yield summary(dev_eui, found)


def records(connection: sqlite3.Connection, only: str = "") -> Iterator[tuple[str, Record]]:
    """The newest record of every device, by dev_eui; or of one only."""
    fresh = logged(connection)
    if only:
        found = fresh.get(only) or load(connection, [only]).get(only)
        if found is not None:
            yield only, found
        return
    waiting = sorted(fresh)
    at = 0
    for dev_eui, folded in _records(connection.execute("SELECT * FROM device ORDER BY dev_eui")):
        while at < len(waiting) and waiting[at] < dev_eui:
            yield waiting[at], fresh[waiting[at]]
            at += 1
        if at < len(waiting) and waiting[at] == dev_eui:
            at += 1
        yield dev_eui, fresh.get(dev_eui, folded)
    for dev_eui in waiting[at:]:
        yield dev_eui, fresh[dev_eui]


def summary(dev_eui: str, found: Record) -> dict[str, Any]:
    """A device as lists and JSON show it."""
    about = found.about
    return {
        "dev_eui": dev_eui,
        "name": about.name,
        "model": about.model,
        "application": about.application,
        "asset": about.asset,
        "tag_asset": about.tag,
        "gateway": found.gateway,
        "first_ms": found.first_ms,
        "last_ms": found.last_ms,
        "interval_s": round(found.interval_ms / 1000, 1) if found.intervals else None,
        "f_cnt": found.f_cnt,
        "margin_db": round(found.margin_db, 1) if found.margins else None,
        "problems": list(health.names(found.problems)),
        **found.day._asdict(),
    }


def _records(rows: sqlite3.Cursor) -> Iterator[tuple[str, Record]]:
    for dev_eui, deadline_ms, body, crc in rows:
        if checksum(dev_eui, deadline_ms, body) == crc:
            yield dev_eui, record.load_one(body)
