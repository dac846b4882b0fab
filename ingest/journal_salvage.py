"""A damaged journal: set aside, and everything intact in it copied into a fresh one.

Rows are read page by page without SQLite, so that a page that is gone hides the rows on it and no others: not those
below a destroyed node of their tree, not those behind a broken index, not those in the write-ahead log after a damaged
page. What carries a checksum that does not fit is handed back as bytes.
"""

import base64
import json
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ingest.clock import wall_clock
from ingest.journal_copy import VERSION_AT, Copy, Failed, copy_whole
from ingest.journal_damage import UNFINISHED, database_uri, mark_path, unfinished
from ingest.journal_schema import APPLICATION_ID, SCHEMAS, VERSION, JournalError, checksum, open_writer
from ingest.sqlite_image import Image

APPLICATION_ID_AT = 68


class Saved(NamedTuple):
    """What became of a table's rows: copied, unreadable, with a wrong checksum; and its pages that were unreadable."""

    saved: int
    lost: int
    failed: int
    pages: int


class Salvage(NamedTuple):
    """What a salvage did; the damaged files stay as `kept_as` (and `-wal`) until somebody removes them."""

    kept_as: Path
    tables: dict[str, Saved]
    failed: list[Failed]
    notes: list[str]

    def summary(self) -> str:
        """One line for people."""
        total = Saved(*map(sum, zip(*self.tables.values(), strict=True)))
        where = ", ".join(name for name, table in self.tables.items() if table.lost or table.failed or table.pages)
        return (
            f"the journal was damaged; {total.saved} rows are saved, {total.lost} rows and {total.pages} pages were"
            f" unreadable, {total.failed} rows had a wrong checksum{f' (in {where})' if where else ''};"
            f" the damaged file is kept as {self.kept_as}"
        )


def salvage(path: Path) -> Salvage:
    """Put a fresh journal with all intact rows in the place of a damaged one; the caller holds the journal's lock.

    Interrupted anywhere it can be called again. Needs as much free disk as the journal takes. Raises JournalError.
    """
    try:
        ready = unfinished(path) or _build(path)
        kept_as = _beside(path, f".damaged-{ready.name.rpartition('-')[2]}")
        found = read_report(kept_as)
        _put_in_place(path, ready, kept_as)
    except (sqlite3.Error, OSError) as error:
        raise JournalError(f"journal {path} is damaged and cannot be salvaged: {error}") from error
    return found


def report_path(kept_as: Path) -> Path:
    """Where the account of a salvage stays, with the bytes of rows whose checksum did not fit."""
    return _beside(kept_as, ".json")


def read_report(kept_as: Path) -> Salvage:
    """The account of the salvage that left a damaged journal under this name."""
    report = json.loads(report_path(kept_as).read_text())
    return Salvage(
        kept_as,
        {name: Saved(*counts) for name, counts in report["tables"].items()},
        [Failed(table, key, base64.b64decode(body)) for table, key, body in report["failed"]],
        report["notes"],
    )


def _build(path: Path) -> Path:
    part = _beside(path, ".salvaging")
    for name in ("", "-wal", "-shm", "-journal"):
        _beside(part, name).unlink(missing_ok=True)
    with closing(Image(path)) as image:
        _create(part, image)
        with closing(sqlite3.connect(database_uri(part, "rw"), uri=True, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = MEMORY")
            connection.execute("PRAGMA synchronous = OFF")
            whole = {} if image.log.broken else copy_whole(database_uri(path, "ro"), image, connection)
            connection.execute("BEGIN")
            copy = Copy(image, connection, whole)
            copy.run()
            if image.field(APPLICATION_ID_AT) != APPLICATION_ID and not any(t.saved for t in copy.tallies.values()):
                raise JournalError(f"journal {path}: not a database, and nothing of a journal is in it; move it away")
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")
    stamp = datetime.fromtimestamp(wall_clock() / 1000, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    _write_report(_beside(path, f".damaged-{stamp}"), copy)
    _sync(part)
    return part.replace(_beside(path, f"{UNFINISHED}{stamp}"))


def _create(part: Path, image: Image) -> None:
    """An empty journal of this program's version, or of the damaged one's when that is older: it is migrated later."""
    version = image.field(VERSION_AT)
    if not 0 < version < VERSION or image.field(APPLICATION_ID_AT) != APPLICATION_ID:
        open_writer(part).close()
        return
    with closing(sqlite3.connect(part, isolation_level=None)) as connection:
        part.chmod(0o600)
        connection.create_function("checksum", -1, checksum, deterministic=True)
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.executescript("".join(SCHEMAS[:version]))
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _put_in_place(path: Path, ready: Path, kept_as: Path) -> None:
    """The damaged file and its log go under their new name before the salvaged one comes; each step can be repeated."""
    for name in ("-wal", ""):
        if _beside(path, name).exists() and not _beside(kept_as, name).exists():
            _beside(path, name).rename(_beside(kept_as, name))
    _beside(path, "-shm").unlink(missing_ok=True)
    mark_path(path).unlink(missing_ok=True)
    _sync(path.parent)
    ready.replace(path)
    _sync(path.parent)


def _write_report(kept_as: Path, copy: Copy) -> None:
    report = {
        "tables": {name: (tally.saved, tally.lost, tally.failed, tally.pages) for name, tally in copy.tallies.items()},
        "failed": [(one.table, one.key, base64.b64encode(one.body).decode()) for one in copy.failed],
        "notes": copy.notes,
    }
    file = report_path(kept_as)
    file.touch(mode=0o600)
    file.write_text(json.dumps(report, indent=1))
    _sync(file)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _sync(path: Path) -> None:
    """What stands under this name is on the disk; a folder's names, too."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
