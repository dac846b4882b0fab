"""Closed days of the ledger, as the journal keeps them."""

import sqlite3
from collections.abc import Iterable

from ingest.journal_schema import checksum


def closed(connection: sqlite3.Connection, days: Iterable[tuple[int, str]]) -> dict[tuple[int, str], bytes]:
    """The intact rows of these days, each of one device; those that are not there are left out."""
    query = "SELECT body, crc FROM ledger WHERE day = ? AND dev_eui = ?"
    found = ((key, connection.execute(query, key).fetchone()) for key in dict.fromkeys(days))
    return {key: row[0] for key, row in found if row is not None and checksum(*key, row[0]) == row[1]}
