"""Lines of many devices, sorted by device and time, on disk as soon as they are many."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

from decoders.quantity import Privacy
from ingest.decode_again import Line

SLICE_LINES = 5000
"""Lines of a device that are replaced in one commit, a few more where the last instant has them."""


class Slice(NamedTuple):
    """All lines of a device of [from_ms, to_ms)."""

    from_ms: int
    to_ms: int
    lines: dict[Privacy, list[str]]
    total: int


class Spool:
    """A private database that SQLite keeps in memory, then in an unlinked file; gone when closed."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE line (dev_eui TEXT, time_ms INTEGER, number INTEGER, privacy INTEGER, text TEXT,"
            " PRIMARY KEY (dev_eui, time_ms, number)) WITHOUT ROWID"
        )
        self._database.execute("BEGIN")
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, dev_eui: str, lines: Sequence[Line]) -> None:
        """Keep lines of a device; of one instant in the order of their coming."""
        for line in lines:
            self._number += 1
            row = (dev_eui, line.time_ms, self._number, int(line.privacy), line.text)
            self._database.execute("INSERT INTO line VALUES (?, ?, ?, ?, ?)", row)

    def slices(self, dev_eui: str, from_ms: int, to_ms: int) -> Iterator[Slice]:
        """The span of a device in slices that cover it without a gap; at least one, with or without lines."""
        begin_ms, lines, count, last_ms = from_ms, _empty(), 0, from_ms
        query = "SELECT time_ms, privacy, text FROM line WHERE dev_eui = ? AND time_ms >= ? ORDER BY time_ms, number"
        for time_ms, privacy, text in self._database.execute(query, (dev_eui, from_ms)):
            if count >= SLICE_LINES and time_ms > last_ms:
                yield Slice(begin_ms, time_ms, lines, count)
                begin_ms, lines, count = time_ms, _empty(), 0
            lines[Privacy(privacy)].append(text)
            count += 1
            last_ms = time_ms
        yield Slice(begin_ms, to_ms, lines, count)


def _empty() -> dict[Privacy, list[str]]:
    return {privacy: [] for privacy in Privacy}
