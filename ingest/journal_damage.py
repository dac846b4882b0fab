"""Whether a journal is damaged: asked at each start, before anything else opens it."""

import errno
import glob
import sqlite3
from contextlib import closing
from pathlib import Path

from ingest.journal_schema import APPLICATION_ID, JournalError
from ingest.sqlite_image import MAGIC, PAGE_BYTES, Image

ALWAYS_BYTES = 256_000_000
"""Up to this size a journal is looked through at each start; beyond it only after an end that was not clean.

A cold disk of 66 MB/s takes 13 s for 870 MB, the system's cache half a second.
"""
DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
HEADER_BYTES = 100
UNFINISHED = ".salvaged-"


def is_damage(error: BaseException | None) -> bool:
    """Whether SQLite says by this error that the file is not what it was."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in DAMAGE


def mark(path: Path, reason: str) -> None:
    """Leave word for the next start that the journal was found damaged; a disk that takes nothing is no error."""
    try:
        mark_path(path).write_text(f"{' '.join(reason.split())}\n")
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}:
            raise


def damage(path: Path) -> str | None:
    """Why the journal must be salvaged before it is used; None when it is fine, new, or another program's.

    Looks at header and write-ahead log, and has SQLite check the structure of every page: always for a journal up to
    256 MB, beyond it only after an end that left a write-ahead log behind. Raises JournalError when it cannot be read.
    """
    if unfinished(path) is not None:
        return "an earlier salvage was not finished"
    try:
        if mark_path(path).exists() and path.exists():
            return mark_path(path).read_text(errors="replace").strip() or "found damaged before"
        if not path.exists() or path.stat().st_size == 0:
            return None
        return _header(path) or _log(path) or _structure(path)
    except OSError as error:
        raise JournalError(f"journal {path}: {error.strerror}") from error


def mark_path(path: Path) -> Path:
    """The file by which a running service tells the next one that the journal is damaged."""
    return path.with_name(path.name + ".found-damaged")


def unfinished(path: Path) -> Path | None:
    """A salvaged journal that is complete and not yet in the place of the damaged one."""
    return next(iter(path.parent.glob(f"{glob.escape(path.name)}{UNFINISHED}*")), None)


def database_uri(path: Path, mode: str) -> str:
    """How SQLite is asked to open a file: `ro` or `rw`."""
    return f"{path.absolute().as_uri()}?mode={mode}"


def _header(path: Path) -> str | None:
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    if len(head) < HEADER_BYTES or not head.startswith(MAGIC):
        return None if _in_log(path, 1) else "the file's header is no database's"
    if path.stat().st_size % PAGE_BYTES:
        return "the file ends within a page"
    return None


def _in_log(path: Path, number: int) -> bool:
    with closing(Image(path)) as image:
        return number in image.log.newest


def _log(path: Path) -> str | None:
    with closing(Image(path)) as image:
        if image.log.broken:
            return f"{image.log.broken} damaged pages in the write-ahead log, with commits after them"
    return None


def _structure(path: Path) -> str | None:
    wal = path.with_name(path.name + "-wal")
    clean = not wal.exists() or wal.stat().st_size == 0
    if clean and path.stat().st_size > ALWAYS_BYTES:
        return None
    try:
        with closing(sqlite3.connect(database_uri(path, "ro"), uri=True, timeout=10)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            if application != APPLICATION_ID:
                return None
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return str(error)
        raise JournalError(f"journal {path}: {error}") from error
    return None if found == "ok" else " ".join(str(found).split())
