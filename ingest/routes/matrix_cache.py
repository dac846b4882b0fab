"""Ways that a routing engine told before, one a pair, in an SQLite file beside the journal.

The file may be deleted at any time. Positions are kept to a millionth of a degree, a tenth of a metre.
"""

import sqlite3
from array import array
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from ingest.routes.engines import Spot
from rules.waste.route.model import Matrix

NAME = "ways.sqlite"
MAX_AGE_S = 30 * 86_400
"""After so long a way is asked for again: streets change."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS way (
    engine INTEGER NOT NULL,
    source INTEGER NOT NULL,
    target INTEGER NOT NULL,
    metres INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    asked_s INTEGER NOT NULL,
    PRIMARY KEY (engine, source, target)
) WITHOUT ROWID;
"""
_KNOW = "INSERT INTO name (text) VALUES (?) ON CONFLICT DO NOTHING"
_KEEP = "INSERT OR REPLACE INTO way VALUES (?, ?, ?, ?, ?, ?)"
_FIND = "SELECT target, metres, seconds FROM way WHERE engine = ? AND source = ? AND asked_s > ?"
UNKNOWN = -2
"""In a table: this way was not asked for yet."""
Block = tuple[Sequence[int], Sequence[int]]
"""Sources and targets, by their numbers."""


class WayCache:
    """The file; every call opens it, so that any thread may call. Raises sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, engine: str, spots: Sequence[Spot], now_s: int) -> Matrix:
        """What is known between these positions, UNKNOWN where nothing is; a position's way to itself is known."""
        table = unknown(len(spots))
        with closing(self._open()) as connection:
            ids = _ids(connection, [engine, *map(_text, spots)])
            numbers: dict[int, list[int]] = {}
            for number, spot in enumerate(spots):
                numbers.setdefault(ids[_text(spot)], []).append(number)
            for source, rows in numbers.items():
                known = connection.execute(_FIND, (ids[engine], source, now_s - MAX_AGE_S)).fetchall()
                for row in rows:
                    _fill(table, row, known, numbers)
        return table

    def keep(self, engine: str, spots: Sequence[Spot], table: Matrix, blocks: Iterable[Block], now_s: int) -> None:
        """Remember these blocks of ways between positions, and forget ways that are too old."""
        with closing(self._open()) as connection, connection:
            ids = _ids(connection, [engine, *map(_text, spots)])
            places = [ids[_text(spot)] for spot in spots]
            connection.execute("DELETE FROM way WHERE asked_s <= ?", (now_s - MAX_AGE_S,))
            for sources, targets in blocks:
                pairs = ((row, column) for row in sources for column in targets)
                ways = ((places[row], places[column], *_way(table, row, column)) for row, column in pairs)
                connection.executemany(_KEEP, ((ids[engine], *way, now_s) for way in ways))

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10)
        connection.executescript(_SCHEMA)
        return connection


def unknown(size: int) -> Matrix:
    """A table in which nothing is known but that a place is where it is."""
    metres = tuple(array("q", [UNKNOWN]) * size for _ in range(size))
    seconds = tuple(array("q", [UNKNOWN]) * size for _ in range(size))
    for number in range(size):
        metres[number][number] = seconds[number][number] = 0
    return Matrix(metres, seconds)


def _way(table: Matrix, row: int, column: int) -> tuple[int, int]:
    return table.metres[row][column], table.seconds[row][column]


def _fill(table: Matrix, row: int, known: Iterable[tuple[int, int, int]], numbers: Mapping[int, Sequence[int]]) -> None:
    for target, metres, seconds in known:
        for column in numbers.get(target, ()):
            if column != row:
                table.metres[row][column], table.seconds[row][column] = metres, seconds


def _text(spot: Spot) -> str:
    approach = "" if spot.approach_deg is None else spot.approach_deg
    return f"{spot.longitude:.6f},{spot.latitude:.6f},{approach},{spot.kerb if spot.kerb == 'right' else 'any'}"


def _ids(connection: sqlite3.Connection, texts: Iterable[str]) -> dict[str, int]:
    wanted = list(dict.fromkeys(texts))
    connection.executemany(_KNOW, ((text,) for text in wanted))
    connection.commit()
    found = {}
    for text in wanted:
        (found[text],) = connection.execute("SELECT id FROM name WHERE text = ?", (text,)).fetchone()
    return found
