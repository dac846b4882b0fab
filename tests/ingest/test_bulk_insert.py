"""Many rows in few steps: nothing lost, nothing doubled, order kept."""

import sqlite3
from contextlib import closing

import pytest

from ingest.bulk_insert import insert


@pytest.mark.parametrize("count", [0, 1, 9, 10, 99, 100, 101, 345])
def test_every_row_goes_in_once_and_in_order(count: int) -> None:
    """Whatever number of rows, the table holds exactly these, in their order."""
    rows = [(f"name-{number}", number, bytes((number % 256,))) for number in range(count)]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE item (name TEXT, number INTEGER, body BLOB)")
        insert(connection, "INSERT INTO item", rows)
        assert connection.execute("SELECT * FROM item ORDER BY rowid").fetchall() == rows


def test_a_conflict_inside_one_statement_is_settled_row_by_row() -> None:
    """Two rows with one key in the same call do what they would do one after the other."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE item (name TEXT PRIMARY KEY, number INTEGER)")
        rows = [("a", 1), ("b", 2), ("a", 3)] * 50
        insert(connection, "INSERT OR IGNORE INTO item", rows)
        assert dict(connection.execute("SELECT * FROM item").fetchall()) == {"a": 1, "b": 2}
        insert(connection, "INSERT OR REPLACE INTO item", rows)
        assert dict(connection.execute("SELECT * FROM item").fetchall()) == {"a": 3, "b": 2}


def test_a_step_takes_many_rows() -> None:
    """A thousand rows are a handful of statements, not a thousand."""
    statements: list[str] = []
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE item (number INTEGER)")
        connection.set_trace_callback(statements.append)
        insert(connection, "INSERT INTO item", [(number,) for number in range(1000)])
    assert len(statements) == 10
