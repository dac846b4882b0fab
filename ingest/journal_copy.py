"""Every intact row of a damaged journal into a fresh one, page by page."""

import contextlib
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ingest import audit
from ingest.clock import wall_clock
from ingest.journal_row import Row, checked, misfit, row_checksum, settled
from ingest.journal_schema import CHECKED
from ingest.journal_tables import (
    LARGEST_KEY,
    SEQUENCE_TABLE,
    SEQUENCES,
    Column,
    SchemaRow,
    Table,
    belongs,
    guessed_roots,
    row_pages,
    schema_rows,
    statements,
    tables,
    usual_roots,
)
from ingest.sqlite_image import Image
from ingest.sqlite_rows import INTERIOR_TABLE, Cell, Value, cells, kind

INSERT_ROWS = 1000
VERSION_AT = 60
DAMAGED = "damaged"
"""Under this name the damaged journal is attached where SQLite can still open it."""
PAGE_BY_PAGE = {"dead_letter", "audit"}
"""Tables without `crc` whose rows are looked at all the same, or cannot be taken back."""
STORED_AS = {int: "integer", str: "text", bytes: "blob", float: "real"}
NEXT_COMMIT = """
SELECT coalesce(max(number), 0) + 1 FROM (SELECT max(number) AS number FROM commits UNION SELECT max(number) FROM tick)
"""


class Failed(NamedTuple):
    """A row whose checksum does not fit: its key, and the bytes that were to be protected."""

    table: str
    key: str
    body: bytes


@dataclass(slots=True)
class Tally:
    """What became of a table's rows; `newest` is the largest rowid seen, saved or not.

    `lost` could not be read where a row stood; a page that could not be read at all (`pages`) tells no number.
    """

    saved: int = 0
    lost: int = 0
    failed: int = 0
    pages: int = 0
    newest: int = 0


def copy_whole(damaged_uri: str, image: Image, connection: sqlite3.Connection) -> dict[str, int]:
    """Copy those tables at once whose trees are intact and whose rows carry no check; many times faster.

    Returns the rows of each; the others remain empty. For a journal without damage in its log.
    """
    found: dict[str, int] = {}
    wanted = tables(statements(connection))
    covered = checked(image.field(VERSION_AT))
    with contextlib.suppress(sqlite3.DatabaseError):
        connection.execute(f"ATTACH ? AS {DAMAGED}", (damaged_uri,))
        for name in wanted.keys() - covered.keys() - PAGE_BY_PAGE:
            with contextlib.suppress(sqlite3.DatabaseError):
                if _looks_intact(connection, wanted[name]):
                    columns = ", ".join(wanted[name].names)
                    copied = connection.execute(
                        f"INSERT INTO main.{name} ({columns}) SELECT {columns} FROM {DAMAGED}.{name}"  # noqa: S608 - names of our own schema
                    )
                    found[name] = copied.rowcount
    with contextlib.suppress(sqlite3.DatabaseError):
        connection.execute(f"DETACH {DAMAGED}")
    return found


def _looks_intact(connection: sqlite3.Connection, table: Table) -> bool:
    """Whether the damaged journal's tree is in order and holds nothing but rows of its table."""
    if connection.execute(f"PRAGMA {DAMAGED}.quick_check({table.name})").fetchone() != ("ok",):
        return False
    fits = " AND ".join(f"typeof({column.name}) IN ({_words(column)})" for column in table.columns)
    strangers = f"SELECT EXISTS (SELECT 1 FROM {DAMAGED}.{table.name} WHERE NOT ({fits}))"  # noqa: S608 - names of our own schema
    return bool(connection.execute(strangers).fetchone() == (0,))


def _words(column: Column) -> str:
    names = [f"'{STORED_AS[one]}'" for one in column.types]
    return ", ".join([*names, "'null'"] if column.nullable else names)


class Copy:
    """One salvage under way: from a damaged image into an open journal, inside the caller's transaction.

    `whole` are the rows of tables that are there already.
    """

    def __init__(self, image: Image, connection: sqlite3.Connection, whole: Mapping[str, int]) -> None:
        self._image = image
        self._connection = connection
        self._wanted = tables(statements(connection))
        self._covered = checked(image.field(VERSION_AT))
        self._rows: dict[str, list[tuple[Value, ...]]] = defaultdict(list)
        self._whole = whole
        self.tallies = {name: Tally(whole.get(name, 0)) for name in self._wanted}
        self.failed: list[Failed] = []
        self.notes: list[str] = []

    def run(self) -> None:
        """Copy what is intact, then make the tables agree with each other."""
        schema = schema_rows(self._image)
        roots = {name: root for name, root in self._roots(schema).items() if name not in self._whole}
        found = self._definitions(schema)
        pages = row_pages(self._image, {root: found[name] for name, root in roots.items() if name in found})
        for older, group in enumerate((pages.certain, pages.doubtful)):
            for number in sorted(group):
                self._page(number, group[number], older=bool(older))
            for name in self._wanted:
                self._insert(name, older=bool(older))
        if pages.homeless:
            self.notes.append(f"{pages.homeless} pages could be of several tables and were left out")
        if self._image.log.broken:
            self.notes.append(
                f"{self._image.log.broken} pages in the write-ahead log were damaged; their older copies were used"
            )
        self._look_at_cursors()
        self._continue_sequences(roots.get(SEQUENCES))
        self._renew_commit()
        self._look_at_audit()
        self._look_at_raw(homeless=bool(pages.homeless))
        for name, tally in self.tallies.items():
            if name == "meta" and (tally.lost or tally.pages):
                self.notes.append("words kept from one start to the next (table meta) are lost")

    # -- where rows are -----------------------------------------------------------------------------------------------

    def _roots(self, schema: list[SchemaRow]) -> dict[str, int]:
        """The root of each table: from the file's schema, else by the rows it leads to."""
        names = {*self._wanted, SEQUENCES}
        roots = {row.name: row.root for row in schema if row.kind == "table" and row.name in names and row.root > 1}
        missing = [table for name, table in self._wanted.items() if name not in roots]
        if missing:
            roots |= guessed_roots(self._image, missing, usual_roots(self._connection))
            lost = ", ".join(table.name for table in missing if table.name not in roots)
            self.notes.append(
                f"the schema is damaged; tables were told by their rows{f', not found: {lost}' * bool(lost)}"
            )
        return roots

    def _definitions(self, schema: list[SchemaRow]) -> dict[str, Table]:
        """The tables as the file declares them where its words are intact: columns may stand in another order."""
        found = dict(self._wanted)
        for row in schema:
            if row.kind == "table" and row.name in found and row.sql:
                with contextlib.suppress(sqlite3.Error, KeyError):
                    own = tables({row.name: row.sql})[row.name]
                    if set(own.names) == set(found[row.name].names):
                        found[row.name] = own
        return found

    # -- rows ---------------------------------------------------------------------------------------------------------

    def _page(self, number: int, claiming: list[Table], *, older: bool) -> None:
        page_kind = kind(self._image, number)
        possible = [table for table in claiming if belongs(page_kind, table)]
        if not possible:
            for table in claiming:
                self.tallies[table.name].pages += page_kind != INTERIOR_TABLE
            return
        found = list(cells(self._image, number))
        table = max(possible, key=lambda table: sum(cell is not None and table.row(cell) is not None for cell in found))
        for cell in found:
            row = self._judged(table, cell, older=older)
            if row is not None:
                self._rows[table.name].append(tuple(row[name] for name in self._wanted[table.name].names))
        if len(self._rows[table.name]) >= INSERT_ROWS:
            self._insert(table.name, older=older)

    def _judged(self, table: Table, cell: Cell | None, *, older: bool) -> Row | None:
        """The row to copy; None for one that is not readable or not as it was written, which is noted."""
        tally = self.tallies[table.name]
        values = table.row(cell) if cell is not None else None
        if cell is None or values is None:
            tally.lost += not older
            return None
        row = dict(zip(table.names, values, strict=True))
        tally.newest = max(tally.newest, cell.rowid or 0)
        body = misfit(table.name, row, self._covered)
        if body is None:
            return settled(table.name, row)
        if not older:
            tally.failed += 1
            self.failed.append(Failed(table.name, str(values[0]), body))
        return None

    def _insert(self, name: str, *, older: bool) -> None:
        rows = self._rows.pop(name, [])
        if not rows:
            return
        columns = self._wanted[name].names
        before = self._connection.total_changes
        self._connection.executemany(
            f"INSERT OR IGNORE INTO {name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",  # noqa: S608 - names of our own schema
            rows,
        )
        new = self._connection.total_changes - before
        self.tallies[name].saved += new
        self.tallies[name].lost += 0 if older else len(rows) - new

    # -- what must agree ----------------------------------------------------------------------------------------------

    def _continue_sequences(self, root: int | None) -> None:
        """Numbers go on behind every number that was ever given, as far as is known."""
        known: dict[str, int] = defaultdict(int)
        for cell in cells(self._image, root) if root else ():
            row = SEQUENCE_TABLE.row(cell) if cell is not None else None
            if row is not None and isinstance(row[1], int) and row[1] < LARGEST_KEY:
                known[str(row[0])] = row[1]
        (taken,) = self._connection.execute("SELECT coalesce(max(seq), 0) FROM cursor").fetchone()
        known["points"] = max(known["points"], taken)
        for name in (name for name, table in self._wanted.items() if "AUTOINCREMENT" in table.sql.upper()):
            newest = max(known[name], self.tallies[name].newest)
            self._connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
            self._connection.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (name, newest))

    def _look_at_cursors(self) -> None:
        """A wrong cursor would skip lines; a sink without one begins with the oldest, which changes nothing there."""
        tally = self.tallies["cursor"]
        if "crc" not in self._wanted["cursor"].names:
            tally.saved -= self._connection.execute("DELETE FROM cursor").rowcount
        if tally.lost or tally.failed or tally.pages or not tally.saved:
            self.notes.append("a sink whose cursor is lost takes again what is still in the journal")

    def _renew_commit(self) -> None:
        """The newest network server time must be known even when the commits that said it are lost."""
        now_ms = wall_clock()
        query = "SELECT coalesce(max(ns_time_ms), 0) FROM "
        (seen,) = self._connection.execute(f"{query} seen WHERE ns_time_ms <= ?", (now_ms,)).fetchone()
        (committed,) = self._connection.execute(f"{query} commits").fetchone()
        if committed >= seen:
            return
        (number,) = self._connection.execute(NEXT_COMMIT).fetchone()
        row: Row = {"number": number, "ns_time_ms": seen, "messages": 0}
        if "crc" in self._wanted["commits"].names:
            row["crc"] = row_checksum(row, CHECKED["commits"])
        self._connection.execute(
            f"INSERT INTO commits ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608 - our own names
            tuple(row.values()),
        )

    def _look_at_raw(self, *, homeless: bool) -> None:
        """Where raw messages are lost nobody may take those that are left for all: a replay would delete points."""
        tally = self.tallies.get("raw")
        if tally is not None and (tally.lost or tally.failed or tally.pages or homeless or self._image.log.broken):
            self._connection.execute("DELETE FROM meta WHERE key LIKE 'raw complete from/%'")
            self.notes.append("raw messages are lost: only later ones can be replayed in place")

    def _look_at_audit(self) -> None:
        broken = audit.verify(self._connection)
        if broken is not None:
            self.notes.append(f"the audit chain is broken from row {broken} on")
