"""The journal's file: lock, schema, connections."""

import contextlib
import fcntl
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

APPLICATION_ID = 0x5354464B
WAL_BYTES = 16_000_000
"""What the write-ahead log shrinks to when it starts again."""
LOCK_S = 1.0
"""Seconds for somebody who only looks whether it is locked."""
FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC}
FIRST = """
CREATE TABLE seen (
    ns_time_ms INTEGER, deduplication_id BLOB, frame BLOB,
    PRIMARY KEY (ns_time_ms, deduplication_id)
) WITHOUT ROWID;
CREATE TABLE commits (
    number INTEGER PRIMARY KEY, ns_time_ms INTEGER NOT NULL, messages INTEGER NOT NULL
);
CREATE TABLE tick (
    time_ms INTEGER PRIMARY KEY, number INTEGER NOT NULL
);
CREATE TABLE points (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, privacy INTEGER NOT NULL, lines INTEGER NOT NULL,
    body BLOB NOT NULL, crc INTEGER NOT NULL
);
CREATE TABLE cursor (
    sink TEXT PRIMARY KEY, seq INTEGER NOT NULL
);
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, topic TEXT NOT NULL, payload BLOB NOT NULL,
    retained INTEGER NOT NULL, acting INTEGER NOT NULL, time_ms INTEGER NOT NULL, valid_until_ms INTEGER NOT NULL,
    status TEXT NOT NULL, status_ms INTEGER, crc INTEGER NOT NULL
);
CREATE INDEX event_pending ON event (seq) WHERE status = 'pending';
CREATE INDEX event_pending_topic ON event (topic, seq) WHERE status = 'pending';
CREATE TABLE retained (
    topic TEXT PRIMARY KEY, event_id TEXT NOT NULL, valid_until_ms INTEGER NOT NULL
);
CREATE TABLE state (
    rule TEXT, subject TEXT, version INTEGER NOT NULL, body TEXT NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (rule, subject)
) WITHOUT ROWID;
CREATE TABLE dead_letter (
    id INTEGER PRIMARY KEY AUTOINCREMENT, status TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
    source TEXT NOT NULL, payload BLOB NOT NULL, length INTEGER NOT NULL, digest BLOB NOT NULL,
    time_ms INTEGER NOT NULL, dev_eui TEXT NOT NULL, codec TEXT NOT NULL,
    times INTEGER NOT NULL DEFAULT 1, retries INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX dead_letter_open ON dead_letter (digest) WHERE status = 'open';
CREATE TABLE meta (
    key TEXT PRIMARY KEY, value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE audit (
    number INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
    subject TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL
);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit table is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit table is append-only'); END;
"""
SECOND = """
CREATE TABLE device (
    dev_eui TEXT PRIMARY KEY, deadline_ms INTEGER, body BLOB NOT NULL, crc INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX device_deadline ON device (deadline_ms, dev_eui) WHERE deadline_ms IS NOT NULL;
CREATE TABLE device_log (
    number INTEGER PRIMARY KEY, body BLOB NOT NULL, crc INTEGER NOT NULL
);
CREATE TABLE ledger (
    day INTEGER, dev_eui TEXT, body BLOB NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (day, dev_eui)
) WITHOUT ROWID;
CREATE TABLE gateway_ledger (
    day INTEGER, gateway_id TEXT, body BLOB NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (day, gateway_id)
) WITHOUT ROWID;
CREATE TABLE assignment (
    dev_eui TEXT, valid_from_ms INTEGER, asset TEXT NOT NULL, source TEXT NOT NULL,
    PRIMARY KEY (dev_eui, valid_from_ms)
) WITHOUT ROWID;
CREATE TABLE lifecycle (
    subject TEXT, from_ms INTEGER, state TEXT NOT NULL, until_ms INTEGER, PRIMARY KEY (subject, from_ms)
) WITHOUT ROWID;
CREATE TABLE raw (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    messages INTEGER NOT NULL, privacy INTEGER NOT NULL, body BLOB NOT NULL, crc INTEGER NOT NULL
);
CREATE INDEX raw_time ON raw (last_ms, first_ms);
CREATE INDEX raw_class ON raw (privacy);
CREATE INDEX retained_until ON retained (valid_until_ms);
CREATE TABLE correction (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL, body TEXT NOT NULL
);
ALTER TABLE cursor ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE commits ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tick ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE meta ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE retained ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
UPDATE cursor SET crc = checksum(sink, seq);
UPDATE commits SET crc = checksum(number, ns_time_ms, messages);
UPDATE tick SET crc = checksum(time_ms, number);
UPDATE meta SET crc = checksum(key, value);
UPDATE retained SET crc = checksum(topic, event_id, valid_until_ms);
UPDATE points SET crc = checksum(privacy, lines, body) WHERE crc = checksum(body);
UPDATE event SET crc = checksum(id, topic, payload, retained, acting, time_ms, valid_until_ms)
    WHERE crc = checksum(payload);
UPDATE state SET crc = checksum(rule, subject, version, body) WHERE crc = checksum(body);
"""
THIRD = """
ALTER TABLE dead_letter ADD COLUMN privacy INTEGER;
ALTER TABLE ledger ADD COLUMN privacy INTEGER;
CREATE INDEX dead_letter_personal ON dead_letter (time_ms) WHERE privacy = 2;
CREATE INDEX ledger_personal ON ledger (day) WHERE privacy = 2;
CREATE INDEX ledger_untold ON ledger (day) WHERE privacy IS NULL;
ALTER TABLE assignment ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lifecycle ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE correction ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
UPDATE assignment SET crc = checksum(dev_eui, valid_from_ms, asset, source);
UPDATE lifecycle SET crc = checksum(subject, from_ms, state, until_ms);
UPDATE correction SET crc = checksum(id, time_ms, body);
"""
FOURTH = """
CREATE INDEX event_acting ON event (valid_until_ms) WHERE acting = 1;
CREATE INDEX event_waiting ON event (seq) WHERE status = 'waiting';
CREATE INDEX event_off ON event (seq) WHERE status = 'off';
"""
FIFTH = """
CREATE TABLE downlink (
    id TEXT PRIMARY KEY, dev_eui TEXT NOT NULL, rule TEXT NOT NULL, subject TEXT NOT NULL, f_port INTEGER NOT NULL,
    size INTEGER NOT NULL, confirmed INTEGER NOT NULL, time_ms INTEGER NOT NULL, valid_until_ms INTEGER NOT NULL,
    privacy INTEGER NOT NULL, given_ms INTEGER, status TEXT NOT NULL, since_ms INTEGER NOT NULL, reason TEXT NOT NULL,
    crc INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX downlink_open ON downlink (valid_until_ms) WHERE status IN ('sending', 'queued');
CREATE INDEX downlink_device ON downlink (dev_eui, time_ms);
CREATE INDEX downlink_time ON downlink (time_ms);
"""
SIXTH = """
CREATE TABLE route (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, day TEXT NOT NULL, fraction TEXT NOT NULL,
    status TEXT NOT NULL, created_ms INTEGER NOT NULL, body TEXT NOT NULL, crc INTEGER NOT NULL
);
CREATE INDEX route_day ON route (day, fraction);
CREATE TABLE route_answer (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload BLOB NOT NULL, time_ms INTEGER NOT NULL,
    crc INTEGER NOT NULL
);
"""
SCHEMAS = (FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH)
"""What each version adds to the one before."""
VERSION = len(SCHEMAS)
CHECKED: Mapping[str, tuple[str, ...]] = {
    "points": ("privacy", "lines", "body"),
    "event": ("id", "topic", "payload", "retained", "acting", "time_ms", "valid_until_ms"),
    "state": ("rule", "subject", "version", "body"),
    "cursor": ("sink", "seq"),
    "retained": ("topic", "event_id", "valid_until_ms"),
    "commits": ("number", "ns_time_ms", "messages"),
    "tick": ("time_ms", "number"),
    "meta": ("key", "value"),
    "raw": ("first_ms", "last_ms", "messages", "privacy", "body"),
    "device": ("dev_eui", "deadline_ms", "body"),
    "device_log": ("number", "body"),
    "ledger": ("day", "dev_eui", "body"),
    "gateway_ledger": ("day", "gateway_id", "body"),
    "assignment": ("dev_eui", "valid_from_ms", "asset", "source"),
    "lifecycle": ("subject", "from_ms", "state", "until_ms"),
    "correction": ("id", "time_ms", "body"),
    "downlink": (
        "id",
        "dev_eui",
        "rule",
        "subject",
        "f_port",
        "size",
        "confirmed",
        "time_ms",
        "valid_until_ms",
        "privacy",
        "given_ms",
        "status",
        "since_ms",
        "reason",
    ),
    "route": ("id", "day", "fraction", "status", "created_ms", "body"),
    "route_answer": ("topic", "payload", "time_ms"),
}
"""The columns that a row's `crc` covers, in this order."""


class JournalError(Exception):
    """The journal cannot be used; the message names the file and what to do."""


class JournalLocked(JournalError):
    """Another service holds this journal."""


class JournalFull(JournalError):
    """The commit did not fit; nothing of it is in the journal."""


class JournalDamaged(Exception):
    """SQLite found the file damaged; the next start saves what is intact. No JournalError: to try again is no use."""


def take_lock(path: Path) -> IO[bytes]:
    """Lock the journal for this process, on a file beside it; raises JournalLocked.

    The database itself is never opened for this: closing a second descriptor of it drops SQLite's own locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = lock_path(path).open("ab", buffering=0)
    _give_to_owner(lock_path(path))
    give_up_s = time.monotonic() + LOCK_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() < give_up_s:
                time.sleep(LOCK_S / 20)
                continue
            lock.close()
            raise JournalLocked(f"journal {path} is in use by another service or command") from error
        break
    with contextlib.suppress(OSError):  # the number is for people; on a full disk there is none
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n".encode())
    return lock


def _give_to_owner(path: Path) -> None:
    """What root makes in a folder of the service's user must not keep the service out."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


def is_locked(path: Path) -> bool:
    """Whether a service holds the journal now."""
    try:
        with lock_path(path).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def lock_path(path: Path) -> Path:
    """The file whose lock says that a service holds the journal."""
    return path.with_name(path.name + ".lock")


def open_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes; creates file and schema. Raises JournalError."""
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        connection.create_function("checksum", -1, checksum, deterministic=True)
        _prepare(connection, path)
    except sqlite3.DatabaseError as error:
        raise JournalError(f"journal {path}: {error}") from error
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    fresh = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if fresh:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        path.chmod(0o600)
        _give_to_owner(path)
    elif application != APPLICATION_ID:
        raise JournalError(f"journal {path}: another program's database")
    elif version > VERSION:
        raise JournalError(f"journal {path}: schema version {version}, this program reads up to {VERSION}; update it")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -16000")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
    if fresh or version < VERSION:
        added = "".join(SCHEMAS[0 if fresh else version :])
        connection.executescript(
            f"BEGIN; {added} PRAGMA user_version = {VERSION}; PRAGMA application_id = {APPLICATION_ID}; COMMIT;"
        )


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads; short reads please, a long one keeps the WAL from shrinking."""
    if not path.exists():
        raise JournalError(f"journal {path} does not exist")
    try:
        connection = sqlite3.connect(
            f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=10
        )
        connection.row_factory = sqlite3.Row
        connection.execute("SELECT 1 FROM commits LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        raise JournalError(f"journal {path}: {error}") from error
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; raises JournalFull when disk or page limit is reached, JournalError for what else SQLite says."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        _roll_back(connection)
        if getattr(error, "sqlite_errorcode", None) in FULL:
            raise JournalFull(f"journal is full: {error}") from error
        raise JournalError(f"journal: {error}") from error
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def checksum(*values: bytes | str | int | None) -> int:
    """What a row carries so that a flipped bit is seen: CRC-32 over its values, a zero byte between two."""
    crc = 0
    for place, value in enumerate(values):
        data = value if isinstance(value, bytes) else str(value).encode()
        crc = zlib.crc32(data, zlib.crc32(b"\0", crc) if place else 0)
    return crc
