"""The journal: one SQLite commit holds everything that a batch of messages caused.

One thread writes, one reads; callers await. What a sink has taken is noted with the next commit, so that an advancing
cursor costs no commit of its own: after a crash the same lines go out again, which changes nothing.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

import structlog

from ingest import audit, dead_letter_rows, journal_raw
from ingest import journal_sql as sql
from ingest.clock import wall_clock
from ingest.dead_letter import DeadLetter, Reason, dead_letter
from ingest.fleet import store as fleet_store
from ingest.journal_copy import Failed
from ingest.journal_damage import damage, is_damage, mark
from ingest.journal_privacy import PersonalData
from ingest.journal_records import NOTHING_KNOWN, Batch, Known, PointsRow, Retained, Size, StoredEvent, Wanted
from ingest.journal_salvage import salvage
from ingest.journal_schema import (
    JournalDamaged,
    JournalError,
    JournalFull,
    open_reader,
    open_writer,
    take_lock,
    transaction,
)
from ingest.settings import JournalSettings
from rules.device.record import Record
from rules.engine import StateRow

log = structlog.get_logger(__name__)

T = TypeVar("T")
VACUUM_PAGES = 256
"""Free pages that stay in the file for what comes next."""
FOLD_ROWS = 2000
"""Device records written in one transaction, so that commits wait for milliseconds only."""


class Journal:
    """The open journal of one service; holds the lock until closed.

    A damaged file is salvaged first: `damage` says what was wrong with it, `salvaged` what became of its rows.
    `personal` tells the class of dead letters, and how long personal ones are kept.
    """

    def __init__(self, settings: JournalSettings, personal: PersonalData | None = None) -> None:
        self.settings = settings
        self.personal = personal or PersonalData()
        self._lock = take_lock(settings.path)
        try:
            self.damage = damage(settings.path)
            self.salvaged = salvage(settings.path) if self.damage else None
            self._writer = open_writer(settings.path)
            if self.salvaged is not None:
                self._file(self.salvaged.failed)
            if personal is not None:
                self._tell_classes()
            self._reader = open_reader(settings.path)
        except BaseException:
            self._lock.close()
            raise
        self._write_thread = ThreadPoolExecutor(1, "journal-writer")
        self._read_thread = ThreadPoolExecutor(1, "journal-reader")
        self._page_bytes = self._one("PRAGMA page_size")
        self._number = self._one(
            "SELECT max(number) FROM (SELECT 0 AS number UNION ALL SELECT max(number) FROM commits"
            " UNION ALL SELECT max(number) FROM tick UNION ALL SELECT max(number) FROM device_log)"
        )
        self._cursors: dict[str, int] = sql.cursors(self._writer)
        self._moved: dict[str, int] = {}
        self._rejected: list[DeadLetter] = []
        self._damaged: set[str] = set()
        self._refused: dict[str, str] = {}
        self.newest_seen_ms = self._one("SELECT coalesce(max(ns_time_ms), 0) FROM seen")
        self.newest_ns_time_ms = sql.newest_ns_time_ms(self._writer)
        self.waiting_bytes = sql.waiting_bytes(self._writer)
        self.bytes = self._bytes()
        self.new_events = asyncio.Event()
        """Set with each commit that holds events; whoever waits for them clears it before looking."""
        self.new_route_answers = asyncio.Event()
        """The same for answers to tours."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # -- the way in ---------------------------------------------------------------------------------------------------

    async def look_up(self, wanted: Wanted) -> Known:
        """What the journal knows of what a batch is about."""
        if wanted.nothing:
            return NOTHING_KNOWN
        try:
            known, damaged = await self._write(lambda: sql.look_up(self._writer, wanted))
        except JournalError as error:
            self._note_refusal(error)
            raise
        for dev_eui in damaged:
            self._left_out(f"device/{dev_eui}", "the device is as if it were new")
        return known

    async def commit(
        self, batch: Batch, now_ms: int, check: Callable[[sqlite3.Connection], None] | None = None
    ) -> list[bool]:
        """Write all of it durably, or nothing.

        Returns for each dead letter whether it is new (False: the same bytes are kept already). Raises JournalFull when
        the disk or the page limit is reached, and what `check` raises, which looks first, in the same transaction.
        """
        moved, self._moved = self._moved, {}
        rejected, self._rejected = self._rejected, []
        try:
            new = await self._write(lambda: self._commit(batch, moved, rejected, now_ms, check))
        except BaseException as error:
            self._moved = {**moved, **self._moved}
            self._rejected = rejected + self._rejected
            self._note_refusal(error)
            raise
        if batch.messages or batch.ticks:
            self._refused = {}
        if batch.events:
            self.new_events.set()
        if batch.route_answers:
            self.new_route_answers.set()
        return new

    def frames_since(self, ns_time_ms: int) -> list[tuple[int, bytes]]:
        """(ns_time_ms, frame) of the uplinks since then; for the start, before anything runs."""
        rows = self._writer.execute("SELECT ns_time_ms, frame FROM seen WHERE ns_time_ms >= ?", (ns_time_ms,))
        return [(ns, frame) for ns, frame in rows]

    def states(self) -> tuple[list[StateRow], list[StateRow]]:
        """All rule states: (intact, damaged); for the start, before anything runs."""
        return sql.states(self._writer)

    @property
    def number(self) -> int:
        """The number of the newest commit."""
        return self._number

    def logged_devices(self) -> dict[str, Record]:
        """The newest records of devices that are not folded yet; for the start, before anything runs."""
        for number in sql.damaged_logs(self._writer):
            self._left_out(f"device_log/{number}", "its devices are as they were before that commit")
        return fleet_store.logged(self._writer)

    async def fold_devices(self, number: int, folded: Mapping[str, fleet_store.Folded]) -> None:
        """Write these records into the table of devices; the log up to commit `number` is then not needed any more."""
        names = sorted(folded)
        for start in range(0, len(names), FOLD_ROWS):
            part = {name: folded[name] for name in names[start : start + FOLD_ROWS]}
            await self._write(lambda: self._transaction(lambda: fleet_store.fold(self._writer, part)))  # noqa: B023 - awaited at once
        await self._write(lambda: self._transaction(lambda: fleet_store.forget_log(self._writer, number)))

    def last_tick_ms(self) -> int:
        """The newest tick in the journal, 0 without one."""
        return self._one("SELECT coalesce(max(time_ms), 0) FROM tick WHERE crc = checksum(time_ms, number)")

    # -- the way out --------------------------------------------------------------------------------------------------

    def register(self, sink: str) -> None:
        """Make a sink known, before anything runs: rows stay until it has taken them."""
        if sink not in self._cursors:
            self._cursors[sink] = sql.first_cursor(self._writer, sink)

    def remember(self, key: str, value: str) -> str | None:
        """Keep a word from one start to the next, before anything runs; returns the word kept before."""
        return sql.remember(self._writer, key, value)

    def forget_sinks_but(self, sinks: Iterable[str]) -> None:
        """Drop the cursors of sinks that are configured no more, before anything runs."""
        for sink in set(self._cursors) - set(sinks):
            self._writer.execute("DELETE FROM cursor WHERE sink = ?", (sink,))
            del self._cursors[sink]
        self._moved.update(self._cursors)

    async def points_after(self, seq: int, max_lines: int, now_ms: int) -> list[PointsRow]:
        """The next rows after this one, at least one if there is any, about `max_lines` lines at most."""
        rows, damaged = await self._read(lambda: sql.points_after(self._reader, seq, max_lines))
        for number, body in damaged:
            self._quarantine(f"points/{number}", body, now_ms)
        return rows

    def cursor(self, sink: str) -> int:
        """The newest row that this sink has taken."""
        return self._cursors[sink]

    def advance(self, sink: str, seq: int, rejected: Sequence[DeadLetter] = ()) -> None:
        """The sink has taken everything up to this row, except these lines; durable with the next commit."""
        self._cursors[sink] = self._moved[sink] = seq
        self._rejected.extend(rejected)

    async def flush(self, now_ms: int) -> None:
        """Make advances durable when no batch comes along to do it."""
        if self._moved or self._rejected:
            await self.commit(Batch(), now_ms)

    async def pending_events(self, limit: int, now_ms: int, without: Sequence[str] = ()) -> list[StoredEvent]:
        """Events that wait to be published on other topics than these, oldest first."""
        found, damaged = await self._read(lambda: sql.pending_events(self._reader, limit, without))
        for number, payload in damaged:
            self._quarantine(f"event/{number}", payload, now_ms)
            await self._write(lambda: sql.file_damaged_event(self._writer, number))  # noqa: B023 - awaited at once
        if damaged:
            return await self.pending_events(limit, now_ms, without)
        return found

    def _quarantine(self, source: str, body: bytes, now_ms: int) -> None:
        if source not in self._damaged:
            self._damaged.add(source)
            detail = "checksum of a journal row does not fit"
            letter = dead_letter(Reason.CHECKSUM, detail, f"journal/{source}", body, now_ms, self.settings)
            self._rejected.append(letter)

    def _left_out(self, row: str, meaning: str) -> None:
        if row not in self._damaged:
            self._damaged.add(row)
            log.error("journal row with a wrong checksum left out", row=row, meaning=meaning)

    async def events_done(
        self,
        done: Sequence[tuple[int, str]],
        standing: Sequence[Retained],
        emptied: Sequence[str],
        now_ms: int,
        queued: Sequence[str] = (),
    ) -> None:
        """Note what became of events, by (seq, status), and what stands on retained topics now.

        `queued` are requests of downlinks that are with ChirpStack.
        """
        await self.note(lambda connection: sql.events_done(connection, done, standing, emptied, queued, now_ms))

    async def note(self, write: Callable[[sqlite3.Connection], None]) -> None:
        """Write what the service itself found out, in one transaction."""
        await self._write(lambda: self._transaction(lambda: write(self._writer)))

    async def retained_until(self, now_ms: int) -> list[Retained]:
        """Retained topics whose event has expired."""
        return await self._read(lambda: sql.expired_retained(self._reader, now_ms))

    # -- people -------------------------------------------------------------------------------------------------------

    async def query(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Run a short read on the reading thread."""
        return await self._read(lambda: read(self._reader))

    async def change(self, write: Callable[[sqlite3.Connection], T], action: audit.Action, now_ms: int) -> T:
        """Run a person's change and its audit row in one transaction."""

        def both() -> T:
            with transaction(self._writer):
                result = write(self._writer)
                audit.append(self._writer, action, now_ms)
            self.waiting_bytes = sql.waiting_bytes(self._writer)
            return result

        return await self._write(both)

    # -- upkeep -------------------------------------------------------------------------------------------------------

    def problems(self) -> dict[str, str]:
        """Why nothing is acknowledged: `journal` where no room is, which no restart would make, or `journal commit`.

        Said until a batch of messages, or a tick, is in the journal again.
        """
        at_limit = {"journal": f"at its limit of {self.settings.max_bytes} bytes"} if self.full else {}
        return {**self._refused, **at_limit}

    def _note_refusal(self, error: BaseException) -> None:
        if isinstance(error, JournalFull):
            self._refused = {"journal": f"{error}; nothing is acknowledged until there is room"}
        elif isinstance(error, JournalError):
            self._refused = {"journal commit": f"{error}; nothing is acknowledged until one holds"}

    @property
    def full(self) -> bool:
        """Whether as much waits for the sinks as the settings allow."""
        return self.waiting_bytes >= self.settings.max_bytes

    async def size(self) -> Size:
        """What waits in the journal."""
        return Size(self.bytes, *await self._read(lambda: sql.waiting(self._reader)))

    async def compact(self) -> int:
        """Join a few small rows of raw messages; returns how many went, 0 when there is nothing to join."""
        return await self._write(self._compact)

    async def prune(self, now_ms: int, personal_ms: int | None = None) -> int:
        """Forget what is older than the settings ask for; returns the number of rows that went.

        What is personal is measured by `personal_ms` where it is given.
        """
        return await self._write(lambda: self._prune(now_ms, personal_ms))

    async def close(self) -> None:
        """Finish what was asked for, then release file and lock."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._write_thread.shutdown)
        await loop.run_in_executor(None, self._read_thread.shutdown)
        self._reader.close()
        self._writer.close()
        self._lock.close()

    # -- on the writing thread ----------------------------------------------------------------------------------------

    def _commit(
        self,
        batch: Batch,
        moved: dict[str, int],
        rejected: list[DeadLetter],
        now_ms: int,
        check: Callable[[sqlite3.Connection], None] | None,
    ) -> list[bool]:
        number = self._number + 1
        with transaction(self._writer):
            if check is not None:
                check(self._writer)
            new = sql.write_batch(self._writer, number, batch, now_ms, self.personal)
            for letter in rejected:
                dead_letter_rows.write_dead_letter(self._writer, letter, self.personal.privacy(letter))
            went = sql.move_cursors(self._writer, moved)
        self._number = number
        self.newest_ns_time_ms = max(self.newest_ns_time_ms, batch.ns_time_ms)
        self.newest_seen_ms = max(self.newest_seen_ms, batch.newest_seen_ms)
        self.waiting_bytes += batch.line_bytes - went
        self.bytes = self._bytes()
        return new

    def _compact(self) -> int:
        with transaction(self._writer):
            return journal_raw.compact(self._writer)

    def _prune(self, now_ms: int, personal_ms: int | None) -> int:
        with transaction(self._writer):
            gone = sql.prune(
                self._writer,
                self.settings,
                self._number,
                self.newest_ns_time_ms,
                now_ms,
                personal_ms,
                self.personal.days,
            )
        free = self._one("PRAGMA freelist_count")
        if free > VACUUM_PAGES:
            self._writer.executescript(f"PRAGMA incremental_vacuum({free - VACUUM_PAGES})")
        self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.bytes = self._bytes()
        return gone

    def _transaction(self, work: Callable[[], None]) -> None:
        with transaction(self._writer):
            work()

    def _bytes(self) -> int:
        used = self._one("PRAGMA page_count") - self._one("PRAGMA freelist_count")
        wal = self.settings.path.with_name(self.settings.path.name + "-wal")
        return used * self._page_bytes + (wal.stat().st_size if wal.exists() else 0)

    # -- threads ------------------------------------------------------------------------------------------------------

    async def _write(self, work: Callable[[], T]) -> T:
        return await self._in_thread(self._write_thread, work)

    async def _read(self, work: Callable[[], T]) -> T:
        return await self._in_thread(self._read_thread, work)

    async def _in_thread(self, thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, work)
        except (sqlite3.Error, JournalError) as error:
            self._note_damage(error)
            if isinstance(error, JournalError):
                raise
            raise JournalError(f"journal {self.settings.path}: {error}") from error

    def _note_damage(self, error: Exception) -> None:
        """Raise JournalDamaged, and leave word for the next start, when SQLite says so."""
        cause = error if isinstance(error, sqlite3.Error) else error.__cause__
        if is_damage(cause):
            mark(self.settings.path, str(cause))
            raise JournalDamaged(
                f"journal {self.settings.path}: {cause}; what is intact is saved at the next start"
            ) from error

    def _file(self, failed: Sequence[Failed]) -> None:
        """Rows with a wrong checksum become dead letters at once: what is left of them is in our hands only."""
        with transaction(self._writer):
            for row in failed:
                detail, source = "checksum of a journal row does not fit", f"journal/{row.table}/{row.key}"
                letter = dead_letter(Reason.CHECKSUM, detail, source, row.body, wall_clock(), self.settings)
                dead_letter_rows.write_dead_letter(self._writer, letter, self.personal.privacy(letter))

    def _tell_classes(self) -> None:
        """Of what an earlier schema kept without: dead letters a few at a time; on a full disk another time."""
        told = 1
        while told:
            try:
                with transaction(self._writer):
                    told = dead_letter_rows.tell_classes(self._writer, self.personal)
                    sql.tell_ledger(self._writer)
            except JournalFull as error:
                log.warning("rows without a privacy class stay so until the next start", error=str(error))
                return

    def _one(self, query: str, *arguments: object) -> int:
        return int(self._writer.execute(query, arguments).fetchone()[0])
