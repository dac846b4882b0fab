"""The ledger as people and programs read it: devices and gateways by day, closed days and the one that is open."""

import sqlite3
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from ingest.calendar import Calendar, iso_day
from ingest.fleet import ledger, lifecycle_store
from ingest.fleet import store as fleet_store
from ingest.fleet.ledger import Tally
from ingest.fleet.lifecycle import Lifecycle
from ingest.fleet.stations import CLOCK, STATE
from ingest.journal_schema import checksum
from rules.device.network import NETWORK
from rules.device.record import Day

COUNTS = ledger.COUNTS
Row = dict[str, Any]


def view(
    connection: sqlite3.Connection, calendar: Calendar, first: int, last: int, now_ms: int, device: str, limit: int
) -> Row:
    """The ledger of the days from `first` to `last`: totals of all rows, and at most `limit` of them.

    With `device` only that one's. All is read as of one moment.
    """
    connection.execute("BEGIN")
    try:
        return _view(connection, calendar, first, last, now_ms, device, limit)
    finally:
        connection.execute("ROLLBACK")


def _view(
    connection: sqlite3.Connection, calendar: Calendar, first: int, last: int, now_ms: int, device: str, limit: int
) -> Row:
    totals = dict.fromkeys(COUNTS, 0)
    rows: list[Row] = []
    number = 0
    for row in _devices(connection, calendar, first, last, now_ms, device):
        number += 1
        for name in COUNTS:
            totals[name] += row[name]
        if len(rows) < limit:
            rows.append(row)
    return {
        "from": iso_day(first),
        "to": iso_day(last),
        "totals": totals,
        "rows": number,
        "devices": rows,
        "gateways": [] if device else _gateways(connection, first, last),
    }


def standing(connection: sqlite3.Connection) -> Row:
    """How many devices are known, and how many have which problem now."""
    known, problems = 0, dict[str, int]()
    for device in fleet_store.devices(connection):
        known += 1
        for problem in device["problems"]:
            problems[problem] = problems.get(problem, 0) + 1
    return {"known": known, "problems": problems}


def _devices(
    connection: sqlite3.Connection, calendar: Calendar, first: int, last: int, now_ms: int, device: str
) -> Iterator[Row]:
    """Closed rows by day and device, then the days that are open: for a silent device every one since its last."""
    query = "SELECT day, dev_eui, body, crc FROM ledger WHERE day BETWEEN ? AND ? AND (? = '' OR dev_eui = ?)"
    rows = connection.execute(f"{query} ORDER BY day, dev_eui", (first, last, device, device))
    yield from _intact(rows)
    counts = Lifecycle(lifecycle_store.changes(connection)).counts
    today = calendar.day_of(now_ms)
    for dev_eui, record in fleet_store.records(connection, device):
        newest = record.day
        for number in range(max(first, newest.number), min(last, today) + 1):
            day, then = (newest, record) if number == newest.number else (Day(number), record._replace(day_about=None))
            if any(day[1:]) or counts(dev_eui, record.about.asset, min(now_ms, calendar.begin_ms(number + 1) - 1)):
                yield {"day": iso_day(number), "id": dev_eui, **ledger.entry(calendar, then, day, now_ms)._asdict()}


def _gateways(connection: sqlite3.Connection, first: int, last: int) -> list[Row]:
    query = "SELECT day, gateway_id, body, crc FROM gateway_ledger WHERE day BETWEEN ? AND ? ORDER BY day, gateway_id"
    return [*_intact(connection.execute(query, (first, last))), *_open_gateways(connection, first, last)]


def _open_gateways(connection: sqlite3.Connection, first: int, last: int) -> Iterator[Row]:
    day, tallies = 0, dict[str, Tally]()
    for subject, text in connection.execute("SELECT subject, body FROM state WHERE rule = ?", (STATE,)):
        body = from_json(text)
        if subject == CLOCK:
            day = body[1]
        elif body[2] is not None:
            tallies[subject] = Tally(*body[2])
    total = tallies.get(NETWORK, Tally()).uplinks
    if first <= day <= last:
        for name, tally in sorted(tallies.items()):
            yield {"day": iso_day(day), "id": name, **ledger.gateway_fields(tally, total, signal=name != NETWORK)}


def _intact(rows: sqlite3.Cursor) -> Iterator[Row]:
    for day, name, body, crc in rows:
        if checksum(day, name, body) == crc:
            yield {"day": iso_day(day), "id": name, **from_json(body)}
