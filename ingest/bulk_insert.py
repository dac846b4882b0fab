"""Many rows into SQLite in few steps.

At every step of a statement sqlite3 lets go of the interpreter's lock and must wait to get it back: with a step for
each row, as `executemany` does, a writing thread crawls beside a busy one.
"""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain

CHUNKS = (100, 10, 1)
"""Rows a statement; few sizes, so that their statements stay prepared."""


def insert(connection: sqlite3.Connection, into: str, rows: Sequence[Sequence[object]]) -> None:
    """Run `into` (`INSERT OR … INTO table`) with these rows, which are of one length, in their order."""
    at, end = 0, len(rows)
    for size in CHUNKS:
        while end - at >= size:
            part = rows[at : at + size]
            connection.execute(_statement(into, len(part[0]), size), tuple(chain.from_iterable(part)))
            at += size


@lru_cache(64)
def _statement(into: str, columns: int, rows: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"{into} VALUES {', '.join([row] * rows)}"
