"""Journals with rows of every kind, ways to damage them, and what must be left afterwards."""

import hashlib
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from ingest import audit
from ingest.clock import wall_clock
from ingest.journal_salvage import Salvage
from ingest.journal_schema import CHECKED, SCHEMAS, checksum, open_writer
from ingest.journal_tables import Table, row_pages, schema_rows, statements, tables
from ingest.sqlite_image import PAGE_BYTES, Image
from ingest.sqlite_rows import Value, cells

SEED = 20261122
NOW = wall_clock()
MINUTE_MS = 60_000
SIZES = {"seen": 800, "points": 80, "event": 80, "commits": 300, "cursor": 2, "meta": 2}
USUAL_SIZE = 30
Row = tuple[Value, ...]
Rows = dict[str, set[Row]]


class Filled(NamedTuple):
    """An undamaged journal as a killed service leaves it: its rows, all it ever held, the pages of each row."""

    path: Path
    rows: Rows
    ever: Rows
    pages: dict[str, dict[Row, set[int]]]
    in_log: set[int]

    def copy(self, folder: Path) -> Path:
        """Another one to damage."""
        folder.mkdir()
        for name in ("", "-wal"):
            shutil.copy(f"{self.path}{name}", folder / f"journal.db{name}")
        return folder / "journal.db"


# -- a journal with all kinds of rows ---------------------------------------------------------------------------------


def value(rng: random.Random, table: Table, name: str, at: int) -> Value:
    """Something that could stand in this column."""
    special: dict[str, Value] = {
        "status": rng.choice(["pending", "published"] if table.name == "event" else ["open", "discarded"]),
        "privacy": rng.randrange(3),
        "retained": rng.randrange(2),
        "acting": rng.randrange(2),
        "number": at + 1,
        "ns_time_ms": NOW - 10 * MINUTE_MS + at * (3 if table.name == "commits" else 1),
        "deadline_ms": NOW + at if at % 3 else None,
        "until_ms": None,
        "status_ms": None if at % 2 else NOW,
    }
    if name in special:
        return special[name]
    kinds = next(column.types for column in table.columns if column.name == name)
    if str in kinds and bytes not in kinds:
        return f"{name}-{at}-{rng.randbytes(rng.choice([4, 300]) if name == 'body' else 6).hex()}"
    if bytes in kinds:
        return rng.randbytes(rng.choice([40, 40, 900, 900, 5000, 12_000]) if name in {"body", "payload"} else 16)
    return NOW - at * 1000 if name.endswith("_ms") else at


def row(rng: random.Random, table: Table, at: int, covered: dict[str, tuple[str, ...]]) -> dict[str, Value]:
    """A row with all its checks as they should be."""
    found = {column.name: value(rng, table, column.name, at) for column in table.columns if column.at >= 0}
    keys = [column.name for column in table.columns if column.at < 0]
    found |= {name: NOW - at * 10_000 if name.endswith("_ms") else at + 1 for name in keys}
    if table.name == "dead_letter":
        payload, source = found["payload"], str(found["source"])
        assert isinstance(payload, bytes)
        found["length"] = len(payload)
        found["digest"] = hashlib.blake2b(source.encode() + b"\0" + payload, digest_size=16).digest()
    if table.name in covered and "crc" in found:
        found["crc"] = checksum(*(found[name] for name in covered[table.name]))  # type: ignore[arg-type]  # no floats there
    return found


def fill(connection: sqlite3.Connection, rng: random.Random, covered: dict[str, tuple[str, ...]], begin: int) -> None:
    """Add rows to every table there is."""
    connection.execute("BEGIN")
    for name, table in tables(statements(connection)).items():
        for at in range(begin, begin + SIZES.get(name, USUAL_SIZE)):
            if name == "audit":
                audit.append(connection, audit.Action("os:test", "discard", f"letter {at}"), NOW + at)
                continue
            new = row(rng, table, at, covered)
            marks = ", ".join("?" * len(new))
            connection.execute(f"INSERT INTO {name} ({', '.join(new)}) VALUES ({marks})", tuple(new.values()))  # noqa: S608 - names of our own schema
    connection.execute("COMMIT")


def contents(path: Path) -> Rows:
    """All rows of all tables, as SQLite reads them."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return {
            name: set(connection.execute(f"SELECT {', '.join(table.names)} FROM {name} NOT INDEXED").fetchall())  # noqa: S608 - the same
            for name, table in tables(statements(connection)).items()
        }


def made(folder: Path) -> Filled:
    """Half of it in the file, half in the log of a service that was killed."""
    rng = random.Random(SEED)
    with closing(open_writer(folder / "open.db")) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        fill(connection, rng, dict(CHECKED), 0)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        for begin in range(2000, 6000, 2000):
            fill(connection, rng, dict(CHECKED), begin)
        ever = contents(folder / "open.db")
        connection.execute("DELETE FROM points WHERE seq <= 50")
        for name in ("", "-wal"):
            shutil.copy(folder / f"open.db{name}", folder / f"journal.db{name}")
        rows = contents(folder / "open.db")
    with closing(Image(folder / "journal.db")) as image:
        return Filled(folder / "journal.db", rows, ever, whereabouts(image), set(image.log.newest))


def whereabouts(image: Image) -> dict[str, dict[Row, set[int]]]:
    """For each row of each table the pages that hold a part of it."""
    schema = [one for one in schema_rows(image) if one.kind == "table" and not one.name.startswith("sqlite_")]
    declared = tables({one.name: one.sql or "" for one in schema})
    beginnings = {image.page(page)[4:8]: page for page in range(3, image.pages + 1) if image.pointer(page)[0] in {3, 4}}
    found: dict[str, dict[Row, set[int]]] = {name: {} for name in declared}
    pages = row_pages(image, {one.root: declared[one.name] for one in schema})
    assert not pages.doubtful
    for number, (table,) in pages.certain.items():
        for cell in cells(image, number):
            assert cell is not None
            values = table.row(cell)
            assert values is not None
            found[table.name][values] = {number, *overflow(cell.raw, beginnings)}
    return found


def overflow(body: bytes, beginnings: dict[bytes, int]) -> set[int]:
    """The overflow pages of a row, told by how their content begins."""
    if len(body) < PAGE_BYTES // 8:
        return set()
    return {page for beginning, page in beginnings.items() if beginning in body}


# -- damage -----------------------------------------------------------------------------------------------------------

FRAME = PAGE_BYTES + 24


def flip(path: Path, rng: random.Random) -> set[int]:
    """A few bits somewhere in the file."""
    content = bytearray(path.read_bytes())
    hit = set()
    for at in rng.sample(range(100, len(content)), rng.randint(1, 12)):
        content[at] ^= 1 << rng.randrange(8)
        hit.add(at // PAGE_BYTES + 1)
    path.write_bytes(content)
    return hit


def wipe(path: Path, rng: random.Random, pages: list[int] | None = None) -> set[int]:
    """A few pages full of zeros or of noise."""
    content = bytearray(path.read_bytes())
    hit = set(pages or rng.sample(range(1, len(content) // PAGE_BYTES + 1), rng.randint(1, 6)))
    for page in hit:
        noise = rng.choice([bytes(PAGE_BYTES), rng.randbytes(PAGE_BYTES)])
        content[(page - 1) * PAGE_BYTES : page * PAGE_BYTES] = noise
    path.write_bytes(content)
    return hit


def swap(path: Path, rng: random.Random) -> set[int]:
    """Two pages in each other's place."""
    content = bytearray(path.read_bytes())
    pair = rng.sample(range(3, min(200, len(content) // PAGE_BYTES)), 2)
    one, two = (slice((page - 1) * PAGE_BYTES, page * PAGE_BYTES) for page in pair)
    content[one], content[two] = content[two], content[one]
    path.write_bytes(content)
    return set(pair)


def cut(path: Path, rng: random.Random) -> set[int]:
    """A file that ends too early."""
    content = path.read_bytes()
    keep = rng.randrange(len(content) // 2, len(content))
    path.write_bytes(content[:keep])
    return set(range(keep // PAGE_BYTES + 1, len(content) // PAGE_BYTES + 1))


def flip_log(path: Path, rng: random.Random) -> set[int]:
    """A few bits somewhere in the write-ahead log."""
    log = path.with_name("journal.db-wal")
    content = bytearray(log.read_bytes())
    frames = log_frames(content)
    hit = set()
    for at in rng.sample(range(len(content)), rng.randint(1, 8)):
        content[at] ^= 1 << rng.randrange(8)
        if at >= 32:
            hit.add(frames[(at - 32) // FRAME][0])
            if (at - 32) // FRAME >= last_commit(frames, len(frames) - 1):
                hit |= {page for page, _ in frames[last_commit(frames, len(frames) - 1) :]}
    log.write_bytes(content)
    return hit


def cut_log(path: Path, rng: random.Random) -> set[int]:
    """A write-ahead log that ends too early."""
    log = path.with_name("journal.db-wal")
    content = log.read_bytes()
    frames = log_frames(content)
    keep = rng.randrange(len(frames))
    log.write_bytes(content[: 32 + keep * FRAME + rng.randrange(FRAME)])
    return {page for page, _ in frames[last_commit(frames, keep) :]}


def log_frames(content: bytes | bytearray) -> list[tuple[int, int]]:
    """Page and commit mark of each frame."""
    return [
        (int.from_bytes(content[at : at + 4]), int.from_bytes(content[at + 4 : at + 8]))
        for at in range(32, len(content) - FRAME + 1, FRAME)
    ]


def last_commit(frames: list[tuple[int, int]], before: int) -> int:
    """The first frame of the transaction in which this frame stands."""
    return max((at + 1 for at in range(before) if frames[at][1]), default=0)


DAMAGES: dict[str, Callable[[Path, random.Random], set[int]]] = {
    one.__name__: one for one in (flip, wipe, swap, cut, flip_log, cut_log)
}
FREE_TO_CHANGE = {"seen", "audit"}
"""Tables whose rows carry no check: a flipped bit in one of them is taken as it is."""


def assert_saved(filled: Filled, path: Path, hit: set[int], found: Salvage) -> None:
    """Rows on pages that were not hit are there, and nothing is there that never was."""
    after = contents(path)
    for name, pages in filled.pages.items():
        missing = {row for row, where in pages.items() if not where & hit} - after[name]
        assert not missing, (name, len(missing), found)
        assert found.tables[name].saved >= len(after[name]) - 1
        on_hit = sum(bool(where & hit) for where in pages.values())
        new = protected(name, after[name]) - protected(name, filled.ever[name])
        assert len(new) <= (on_hit if name in FREE_TO_CHANGE else name == "commits"), (name, new)


def protected(name: str, rows: set[Row]) -> set[Row]:
    """The columns of these rows that a check covers; all of them where there is none."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.create_function("checksum", -1, checksum)
        connection.executescript("".join(SCHEMAS))
        names = tables(statements(connection))[name].names
    kept = CHECKED.get(name) or (("source", "payload") if name == "dead_letter" else names)
    return {tuple(row[names.index(column)] for column in kept) for row in rows}
