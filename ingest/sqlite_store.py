"""The embedded sink: points in one SQLite file, for the demo and small cities."""

import asyncio
import contextlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from decoders.quantity import Privacy
from ingest import store_schema
from ingest.line_protocol import LineError, parse, series
from ingest.sink import Rejected, SinkUnavailable
from ingest.store_schema import StoreError, open_store
from rules.point import Point

__all__ = ["SqliteStore", "StoreError"]

Result = TypeVar("Result")
Row = tuple[int, int, str]

DAY_MS = 86_400_000
PERSONAL_DAYS = 30.0
"""Days for personal readings where nothing else is set."""
MAX_CACHED_SERIES = 200_000
PRUNED_ROWS = 5000
PRUNED_SERIES = 500
VACUUMED_PAGES = 1000

# A line as most are, in three groups: series, plain field names with numbers that are JSON, too, and a time until 2255.
# Any other line is the fourth group.
_NUMBER = r"-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?(?:e[-+]?\d\d?)?"
_FIELDS = rf"\w++={_NUMBER}(?:,\w++={_NUMBER})*+"
_TIME = r"-?(?:\d{1,12}|[1-8]\d{12})"
_SERIES = r"(?:[^\\ \n]++|\\.)++"
_lines = re.compile(rf"^(?:({_SERIES}) ({_FIELDS}) ({_TIME})|(.+))$", re.ASCII | re.MULTILINE).findall

_KNOW_SERIES = """
INSERT INTO series (key, measurement, tags, privacy) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET privacy = max(privacy, excluded.privacy) RETURNING id
"""
_STORE_POINT = """
INSERT INTO point (series, time_ms, fields) VALUES (?, ?, ?)
ON CONFLICT (series, time_ms) DO UPDATE SET fields = json_patch(fields, excluded.fields)
"""
_PRUNE_POINTS = """
DELETE FROM point WHERE series = :series AND time_ms IN (
    SELECT time_ms FROM point WHERE series = :series AND time_ms < :before ORDER BY time_ms LIMIT :limit
)
"""
_PRUNE_SERIES = "DELETE FROM series WHERE id = ? AND NOT EXISTS (SELECT 1 FROM point WHERE series = id)"


class SqliteStore:
    """Stores lines in one file that other processes may read meanwhile; one thread does all writing.

    Raises StoreError when the file cannot be the store. A point written again gets the fields written and keeps its
    others. A series that comes with two privacy classes keeps the stricter; personal ones are kept `personal_days` at
    most.
    """

    name = "store"

    def __init__(
        self, path: Path, retention_days: float, personal_days: float = PERSONAL_DAYS, *, busy_timeout_s: float = 2.0
    ) -> None:
        self._path = path
        self._retention_ms = round(retention_days * DAY_MS)
        self._personal_ms = min(self._retention_ms, round(personal_days * DAY_MS))
        self._ids: dict[Privacy, dict[str, int]] = {privacy: {} for privacy in Privacy}
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        try:
            self._connection = self._thread.submit(open_store, path, busy_timeout_s).result()
        except StoreError:
            self._thread.shutdown()
            raise

    async def write(self, privacy: Privacy, body: bytes) -> list[Rejected]:
        """Store the lines with one commit; returns those that are no lines, or raises SinkUnavailable."""
        return await self._in_thread(partial(self._write, privacy, body))

    async def prune(self, now_ms: int, personal_now_ms: int | None = None) -> int:
        """Delete what is older than the retention, in short steps between which writes go on; returns how much.

        What is personal is measured by `personal_now_ms` where it is given.
        """
        personal_now_ms = now_ms if personal_now_ms is None else personal_now_ms
        before_ms = dict.fromkeys(Privacy, now_ms - self._retention_ms)
        before_ms[Privacy.PERSONAL] = personal_now_ms - self._personal_ms
        after = deleted = 0
        while after >= 0:
            gone, after = await self._in_thread(partial(self._prune, before_ms, after))
            deleted += gone
            await asyncio.get_running_loop().run_in_executor(self._thread, self._give_back)
        return deleted

    async def delete(self, measurements: Iterable[str], dev_eui: str, from_ms: int, to_ms: int) -> int:
        """Delete a device's points of [from_ms, to_ms) from these Influx measurements; returns how many went.

        Raises SinkUnavailable; then nothing went.
        """
        return await self._in_thread(partial(self._delete, tuple(measurements), dev_eui, from_ms, to_ms))

    async def close(self) -> None:
        """Finish what runs and close the file; a second time changes nothing."""
        if not self._closed:
            self._closed = True
            self._thread.submit(self._connection.close)
            await asyncio.to_thread(self._thread.shutdown)

    def count(self, measurement: str) -> int:
        """Points of an Influx measurement."""
        return store_schema.count(self._path, measurement)

    def latest(self, measurement: str, limit: int = 10) -> list[Point]:
        """The newest points of an Influx measurement, newest first."""
        return store_schema.latest(self._path, measurement, limit)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, work)

    def _transaction(self, work: Callable[[], Result]) -> Result:
        """Run the work in a transaction of its own; after a failure nothing of it is left, on disk or in memory."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            result = work()
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            raise SinkUnavailable(f"store {self._path}: {error}") from error
        except BaseException:
            self._undo()
            raise
        return result

    def _give_back(self) -> None:
        """Return some freed pages to the file system; whatever hinders it can wait for the next time.

        As a script, for `execute` takes a single step of the statement, which is a single page.
        """
        with contextlib.suppress(sqlite3.Error):
            self._connection.executescript(f"PRAGMA incremental_vacuum({VACUUMED_PAGES})")

    def _undo(self) -> None:
        self._forget_ids()
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _forget_ids(self) -> None:
        for known in self._ids.values():
            known.clear()

    def _write(self, privacy: Privacy, body: bytes) -> list[Rejected]:
        rows: list[Row] = []
        rejected: list[Rejected] = []
        known = self._ids[privacy]
        for key, fields, time, other in _lines(body.decode(errors="surrogateescape")):
            series_id = known.get(key)
            if series_id is not None:
                rows.append((series_id, int(time), '{"' + fields.replace(",", ',"').replace("=", '":') + "}"))
            else:
                line = other or f"{key} {fields} {time}"
                self._read(privacy, line.encode(errors="surrogateescape"), rows, rejected)
        self._connection.executemany(_STORE_POINT, rows)
        return rejected

    def _read(self, privacy: Privacy, line: bytes, rows: list[Row], rejected: list[Rejected]) -> None:
        """The long way: a series not met yet, text, escapes, or no line at all."""
        try:
            measurement, tags, fields, time_ms = parse(line)
        except LineError as error:
            rejected.append(Rejected(line, str(error)))
            return
        rows.append((self._series_id(privacy, measurement, tags), time_ms, json.dumps(fields, allow_nan=False)))

    def _series_id(self, privacy: Privacy, measurement: str, tags: dict[str, str]) -> int:
        known = self._ids[privacy]
        key = series(measurement, tags.items())
        if key not in known:
            if len(known) >= MAX_CACHED_SERIES:
                known.clear()
            described = json.dumps(dict(sorted(tags.items())), ensure_ascii=False)
            ((known[key],),) = self._connection.execute(_KNOW_SERIES, (key, measurement, described, privacy)).fetchall()
        return known[key]

    def _delete(self, measurements: tuple[str, ...], dev_eui: str, from_ms: int, to_ms: int) -> int:
        deleted, emptied = store_schema.delete(self._connection, measurements, dev_eui, from_ms, to_ms)
        if emptied:
            self._forget_ids()
        return deleted

    def _prune(self, before_ms: Mapping[Privacy, int], after: int) -> tuple[int, int]:
        """One step from the series behind `after` on: how many points went, and where to go on (-1 at the end)."""
        ids = self._connection.execute(
            "SELECT id, privacy FROM series WHERE id > ? ORDER BY id LIMIT ?", (after, PRUNED_SERIES)
        ).fetchall()
        deleted = 0
        for series_id, privacy in ids:
            limit = PRUNED_ROWS - deleted
            gone = self._connection.execute(
                _PRUNE_POINTS, {"series": series_id, "before": before_ms[Privacy(privacy)], "limit": limit}
            ).rowcount
            deleted += gone
            if gone == limit:
                return deleted, series_id - 1
            if gone and self._connection.execute(_PRUNE_SERIES, (series_id,)).rowcount:
                self._forget_ids()
        return deleted, ids[-1][0] if len(ids) == PRUNED_SERIES else -1
