"""The tables of a journal as their own CREATE statements say, and whether a row can be one of theirs."""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import NamedTuple, Self

from ingest.sqlite_image import FREE, ROOT, Image
from ingest.sqlite_rows import INTERIOR_INDEX, LEAF_INDEX, LEAF_TABLE, Cell, Value, cells, climb, kind, owners

TYPES: dict[str, tuple[type, ...]] = {"INTEGER": (int,), "TEXT": (str,), "BLOB": (bytes,), "REAL": (float, int)}
LARGEST_KEY = 1 << 53
"""Beyond it a rowid is a damaged one: kept, it would leave no number for the next row."""
SAMPLE_PAGES = 50
SEQUENCES = "sqlite_sequence"
"""SQLite's own table of the numbers that AUTOINCREMENT gave."""


class Column(NamedTuple):
    """One column: where it stands in a stored row (-1: it is the rowid), and what a row without it means by that."""

    name: str
    at: int
    types: tuple[type, ...]
    nullable: bool
    default: Value


class Table(NamedTuple):
    """One table; `stored` is the number of values in a row that has all of them."""

    name: str
    sql: str
    columns: tuple[Column, ...]
    has_rowid: bool
    stored: int

    @classmethod
    def of(cls, connection: sqlite3.Connection, name: str, sql: str) -> Self:
        """What an open database says of its table."""
        info = connection.execute('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)', (name,))
        rows = info.fetchall()
        has_rowid = re.search(r"WITHOUT\s+ROWID", sql[sql.rfind(")") :], re.IGNORECASE) is None
        keys = sorted((row for row in rows if row[4]), key=lambda row: row[4])
        alias = has_rowid and len(keys) == 1 and keys[0][1].upper() == "INTEGER"
        order = rows if has_rowid else keys + [row for row in rows if not row[4]]
        at = {row[0]: index for index, row in enumerate(order)}
        columns = tuple(
            Column(
                column,
                -1 if alias and key else at[column],
                TYPES.get(declared.upper(), (int, float, str, bytes)),
                not required and not (key and not has_rowid),
                None if default is None else connection.execute(f"SELECT {default}").fetchone()[0],
            )
            for column, declared, required, default, key in rows
        )
        return cls(name, sql, columns, has_rowid, len(order))

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns."""
        return tuple(column.name for column in self.columns)

    def row(self, cell: Cell) -> tuple[Value, ...] | None:
        """The values by column, None when this cell cannot be one of its rows."""
        values = cell.values
        if values is None or len(values) > self.stored or (cell.rowid is None) == self.has_rowid:
            return None
        if cell.rowid is not None and not -LARGEST_KEY < cell.rowid < LARGEST_KEY:
            return None
        found = tuple(_value(column, cell.rowid, values) for column in self.columns)
        fits = all(
            column.nullable if value is None else isinstance(value, column.types)
            for column, value in zip(self.columns, found, strict=True)
        )
        return found if fits else None


def _value(column: Column, rowid: int | None, values: tuple[Value, ...]) -> Value:
    if column.at < 0:
        return rowid
    return values[column.at] if column.at < len(values) else column.default


def usual_roots(connection: sqlite3.Connection) -> dict[str, int]:
    """Where an open journal has its tables."""
    return dict(connection.execute("SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'").fetchall())


def statements(connection: sqlite3.Connection) -> dict[str, str]:
    """The CREATE statements of the tables, by name."""
    query = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return dict(connection.execute(query).fetchall())


def tables(created: dict[str, str]) -> dict[str, Table]:
    """The tables that these statements create; raises sqlite3.Error for one that is none."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for sql in created.values():
            connection.execute(sql)
        return {name: Table.of(connection, name, sql) for name, sql in created.items()}


SEQUENCE_TABLE = Table(
    SEQUENCES,
    "",
    (Column("name", 0, (str,), nullable=False, default=None), Column("seq", 1, (int,), nullable=False, default=None)),
    has_rowid=True,
    stored=2,
)


class SchemaRow(NamedTuple):
    """A row of `sqlite_schema` as found in a file."""

    kind: str
    name: str
    root: int
    sql: str | None


def schema_rows(image: Image) -> list[SchemaRow]:
    """What can be read of a file's own schema."""
    found: list[SchemaRow] = []
    for number in sorted(owners(image, {1})):
        for cell in cells(image, number):
            if cell is not None and cell.values is not None and len(cell.values) == 5:  # noqa: PLR2004 - its columns
                what, name, _, root, sql = cell.values
                if isinstance(what, str) and isinstance(name, str) and isinstance(root, int):
                    found.append(SchemaRow(what, name, root, sql if isinstance(sql, str) else None))
    return found


def guessed_roots(image: Image, wanted: Sequence[Table], usual: Mapping[str, int]) -> dict[str, int]:
    """Roots of tables that no schema names: where a fresh journal has them, if rows there fit; else by rows alone.

    SQLite keeps the roots of an auto-vacuum database in front, in the order in which its tables were made.
    """
    trees = {number for number in range(3, image.pages + 1) if image.pointer(number)[0] == ROOT} | set(usual.values())
    pages: dict[int, list[int]] = {}
    for number, roots in owners(image, trees).items():
        for root in roots:
            pages.setdefault(root, []).append(number)
    samples = {root: _sample(image, pages[root]) for root in pages}
    found = {table.name: usual[table.name] for table in wanted if _can_be(table, samples.get(usual[table.name], []))}
    for root in sorted(samples.keys() - set(usual.values())):
        fitting = [table for table in (*wanted, SEQUENCE_TABLE) if _most_fit(table, samples[root])]
        if len(fitting) == 1:
            found.setdefault(fitting[0].name, root)
    return found


def _sample(image: Image, pages: list[int]) -> list[Cell]:
    return [cell for number in sorted(pages)[:SAMPLE_PAGES] for cell in cells(image, number) if cell]


def _can_be(table: Table, sample: list[Cell]) -> bool:
    return not sample or _most_fit(table, sample)


def _most_fit(table: Table, sample: list[Cell]) -> bool:
    fitting = sum(table.row(cell) is not None and len(cell.values or ()) == table.stored for cell in sample)
    return fitting > len(sample) / 2


class RowPages(NamedTuple):
    """Pages that may hold rows, each with the tables that claim it.

    `certain` are as of the last commit. Of `doubtful` ones only an older copy is left, or nothing but their rows tells
    where they belong. `homeless` are those that could be of several tables.
    """

    certain: dict[int, list[Table]]
    doubtful: dict[int, list[Table]]
    homeless: int


def row_pages(image: Image, roots: dict[int, Table]) -> RowPages:
    """Where the rows of these tables are, by root."""
    claimed = {number: [roots[root] for root in sorted(owning)] for number, owning in owners(image, set(roots)).items()}
    certain = {number: claiming for number, claiming in claimed.items() if number not in image.log.older}
    doubtful = {number: claiming for number, claiming in claimed.items() if number in image.log.older}
    homeless = 0
    for number in range(3, image.pages + 1):
        placed = number in claimed or image.pointer(number)[0] == FREE or climb(image, number)
        if placed or image.is_map(number):
            continue
        page_kind = kind(image, number)
        sample = [cell for cell in cells(image, number) if cell] if page_kind else []
        fitting = [table for table in roots.values() if belongs(page_kind, table) and _most_fit(table, sample)]
        if len(fitting) == 1:
            doubtful[number] = fitting
        homeless += len(fitting) > 1
    return RowPages(certain, doubtful, homeless)


def belongs(page_kind: int, table: Table) -> bool:
    """Whether a page of this type can hold rows of the table."""
    return page_kind == LEAF_TABLE if table.has_rowid else page_kind in {LEAF_INDEX, INTERIOR_INDEX}
