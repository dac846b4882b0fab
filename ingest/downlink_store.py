"""Downlinks in the journal: statements, each inside its caller's transaction where it writes.

A row whose checksum does not fit is as if it were not there: of such a downlink nothing more is known.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from decoders.quantity import Privacy
from ingest.downlink import Downlink, DownlinkStatus, Named
from ingest.journal_schema import checksum

COLUMNS = ", ".join(Downlink._fields)
FIND = f"SELECT {COLUMNS}, crc FROM downlink WHERE id = ?"  # noqa: S608 - own names
OPEN = f"SELECT {COLUMNS}, crc FROM downlink WHERE status IN ('sending', 'queued')"  # noqa: S608 - the same
PUT = f"INSERT OR REPLACE INTO downlink ({COLUMNS}, crc) VALUES ({'?, ' * len(Downlink._fields)}?)"  # noqa: S608 - the same


def put(connection: sqlite3.Connection, downlinks: Iterable[Downlink]) -> None:
    """Write these as they are now."""
    connection.executemany(PUT, [(*row, checksum(*row)) for row in map(_row, downlinks)])


def find(connection: sqlite3.Connection, name: str) -> Downlink | None:
    """The downlink of this request."""
    return next(_intact(connection.execute(FIND, (name,))), None)


def look_up(connection: sqlite3.Connection, names: Sequence[Named], until_ms: int | None) -> dict[str, Downlink]:
    """Those that events name, and those open ones whose validity ended by then (None: not asked)."""
    found: dict[str, Downlink] = {}
    for dev_eui, name in names:
        query, key = (FIND, name) if name else (f"{OPEN} AND dev_eui = ?", dev_eui)
        rows = connection.execute(query, (key,))
        found.update((one.id, one) for one in _intact(rows))
    if until_ms is not None:
        rows = connection.execute(f"{OPEN} AND valid_until_ms <= ?", (until_ms,))
        found.update((one.id, one) for one in _intact(rows))
    return found


def queued(connection: sqlite3.Connection, names: Iterable[str], now_ms: int) -> None:
    """ChirpStack's broker took them; what is known better already stays."""
    _turn(connection, names, "queued", now_ms)


def withdrawn(connection: sqlite3.Connection, name: str, now_ms: int) -> None:
    """It waits no more; what may be with ChirpStack already will be heard of."""
    _turn(connection, [name], "withdrawn", now_ms)


def given_since(connection: sqlite3.Connection, time_ms: int) -> list[tuple[int, str, str]]:
    """(time, dev_eui, id) of those that were handed over since then, in order of time."""
    query = "SELECT given_ms, dev_eui, id FROM downlink WHERE given_ms > ? ORDER BY given_ms"
    return [(given_ms, dev_eui, name) for given_ms, dev_eui, name in connection.execute(query, (time_ms,))]


# -- for people -------------------------------------------------------------------------------------------------------


def of_device(connection: sqlite3.Connection, dev_eui: str, limit: int) -> list[dict[str, Any]]:
    """The newest downlinks to a device, newest first."""
    query = f"SELECT {COLUMNS}, crc FROM downlink WHERE dev_eui = ? ORDER BY time_ms DESC, id LIMIT ?"  # noqa: S608 - own names
    return [shown(one) for one in _intact(connection.execute(query, (dev_eui, limit)))]


def counts(connection: sqlite3.Connection, from_ms: int, to_ms: int) -> dict[tuple[str, str], Counter[str]]:
    """How many became what, of those requested in [from_ms, to_ms), by rule and subject."""
    query = (
        "SELECT rule, subject, status, count(*) FROM downlink WHERE time_ms >= ? AND time_ms < ?"
        " GROUP BY rule, subject, status"
    )
    found: dict[tuple[str, str], Counter[str]] = {}
    for rule, subject, status, count in connection.execute(query, (from_ms, to_ms)):
        found.setdefault((rule, subject), Counter())[status] = count
    return found


def shown(downlink: Downlink) -> dict[str, Any]:
    """A downlink as lists and JSON show it."""
    return {**downlink._asdict(), "privacy": downlink.privacy.name.lower()}


def _turn(connection: sqlite3.Connection, names: Iterable[str], status: DownlinkStatus, now_ms: int) -> None:
    found = [one for name in names if (one := find(connection, name)) is not None and one.status == "sending"]
    put(connection, [one.become(status, now_ms) for one in found])


def _row(downlink: Downlink) -> tuple[str | int | None, ...]:
    return tuple(int(value) if isinstance(value, bool | Privacy) else value for value in downlink)


def _intact(rows: Iterable[tuple[Any, ...]]) -> Iterator[Downlink]:
    for *columns, crc in rows:
        if checksum(*columns) == crc:
            one = Downlink(*columns)
            yield one._replace(confirmed=bool(one.confirmed), privacy=Privacy(one.privacy))
