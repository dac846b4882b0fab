"""The embedded store's file: its tables, how it is opened, how it is read."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from decoders.quantity import Privacy
from rules.point import Point

APPLICATION_ID = int.from_bytes(b"SfSt")
VERSION = 1

# Time is the last part of the key, so that a series' points lie side by side. `fields` is one JSON object a point.
SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    measurement TEXT NOT NULL,
    tags TEXT NOT NULL,
    privacy INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS series_by_measurement ON series (measurement);
CREATE TABLE IF NOT EXISTS point (
    series INTEGER NOT NULL REFERENCES series (id),
    time_ms INTEGER NOT NULL,
    fields TEXT NOT NULL,
    PRIMARY KEY (series, time_ms)
) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS reading AS
SELECT
    series.measurement AS measurement,
    json_extract(series.tags, '$.dev_eui') AS dev_eui,
    json_extract(series.tags, '$.device') AS device,
    json_extract(series.tags, '$.model') AS model,
    json_extract(series.tags, '$.asset') AS asset,
    json_extract(series.tags, '$.channel') AS channel,
    field.key AS field,
    field.value AS value,
    point.time_ms AS time_ms
FROM series
JOIN point ON point.series = series.id
JOIN json_each(point.fields) AS field;
"""

_BY_DEVICE = "CREATE INDEX IF NOT EXISTS series_by_device ON series (json_extract(tags, '$.dev_eui'))"
_OF_DEVICE = """
SELECT id FROM series
WHERE json_extract(tags, '$.dev_eui') = ? AND measurement IN (SELECT value FROM json_each(?))
"""
_OF_SPAN = """
SELECT series.key, point.time_ms, point.fields
FROM series JOIN point ON point.series = series.id AND point.time_ms >= ? AND point.time_ms < ?
WHERE json_extract(series.tags, '$.dev_eui') = ? AND series.measurement IN (SELECT value FROM json_each(?))
"""
_COUNT = "SELECT count(*) FROM point WHERE series IN (SELECT id FROM series WHERE measurement = ?)"
_LATEST = """
SELECT series.tags, point.fields, point.time_ms, series.privacy
FROM series
JOIN point ON point.series = series.id AND point.time_ms >= (
    SELECT min(time_ms) FROM (SELECT time_ms FROM point WHERE series = series.id ORDER BY time_ms DESC LIMIT :limit)
)
WHERE series.measurement = :measurement
ORDER BY point.time_ms DESC, series.id
LIMIT :limit
"""


class StoreError(Exception):
    """A file that cannot be the store; the message names it and what was expected."""


def open_store(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Open the store for writing, creating file and folder; raises StoreError.

    synchronous is FULL: the journal forgets what we answered for, so a power cut must not take it back. The log is
    copied back every 8000 pages (32 MB): a device's points come one by one, and its page is copied once for many.
    """
    connection: sqlite3.Connection | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None)
        _prepare(connection, path)
    except (sqlite3.Error, OSError, StoreError) as error:
        if connection is not None:
            connection.close()
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{path}: cannot be opened as the store: {error}") from error
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    ours, version, tables = (
        connection.execute(query).fetchone()[0]
        for query in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    )
    if ours != APPLICATION_ID and (ours or tables):
        raise StoreError(f"{path}: another program's SQLite database; set store.path to a file of its own")
    if not tables:
        path.chmod(0o600)
    if ours == APPLICATION_ID and version != VERSION:
        raise StoreError(f"{path}: schema version {version}, expected {VERSION}; it needs the release that wrote it")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise StoreError(f"{path}: no write-ahead log possible there; the store needs a local disk")
    for setting in (
        "synchronous = FULL",
        "cache_size = -16000",
        "wal_autocheckpoint = 8000",
        "journal_size_limit = 67108864",
    ):
        connection.execute(f"PRAGMA {setting}")
    if ours != APPLICATION_ID:
        mark = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
        connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} {mark} COMMIT;")


def count(path: Path, measurement: str) -> int:
    """Points of an Influx measurement; safe beside a writing service, in any process."""
    with closing(_reader(path)) as connection:
        return int(connection.execute(_COUNT, (measurement,)).fetchone()[0])


def latest(path: Path, measurement: str, limit: int = 10) -> list[Point]:
    """The newest points of an Influx measurement, newest first; safe beside a writing service, in any process."""
    with closing(_reader(path)) as connection:
        rows = connection.execute(_LATEST, {"measurement": measurement, "limit": limit}).fetchall()
    return [
        Point(
            measurement, tuple(json.loads(tags).items()), tuple(json.loads(fields).items()), time_ms, Privacy(privacy)
        )
        for tags, fields, time_ms, privacy in rows
    ]


def delete(
    connection: sqlite3.Connection, measurements: Sequence[str], dev_eui: str, from_ms: int, to_ms: int
) -> tuple[int, int]:
    """Delete a device's points of [from_ms, to_ms) and series left empty: how many of each went."""
    connection.execute(_BY_DEVICE)
    ids = connection.execute(_OF_DEVICE, (dev_eui, json.dumps(measurements))).fetchall()
    points = series = 0
    for id_ in ids:
        span = "DELETE FROM point WHERE series = ? AND time_ms >= ? AND time_ms < ?"
        gone = connection.execute(span, (*id_, from_ms, to_ms)).rowcount
        if gone:
            empty = "DELETE FROM series WHERE id = ? AND NOT EXISTS (SELECT 1 FROM point WHERE series = id)"
            series += connection.execute(empty, id_).rowcount
        points += gone
    return points, series


def span(
    path: Path, measurements: Sequence[str], dev_eui: str, from_ms: int, to_ms: int
) -> dict[tuple[str, int], dict[str, float | str]]:
    """A device's points of [from_ms, to_ms): fields by escaped series and time; safe beside a writing service."""
    with closing(_reader(path)) as connection:
        rows = connection.execute(_OF_SPAN, (from_ms, to_ms, dev_eui, json.dumps(measurements))).fetchall()
    return {(key, time_ms): json.loads(fields) for key, time_ms, fields in rows}


def _reader(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from error
