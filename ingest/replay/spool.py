"""Lines of many devices, sorted by device and time, on disk as soon as they are many."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import NamedTuple, Self

from decoders.quantity import Privacy
from ingest.replay.decode_again import Line

SLICE_LINES = 5000
"""Lines of a device that are replaced in one commit, a few more where the last instant has them."""


_LINES = """
SELECT time_ms, privacy, text FROM line WHERE dev_eui = ? AND time_ms >= ? AND time_ms < ? ORDER BY time_ms, number
"""


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
        """The span of a device in slices that cover it without a gap; lines may be added meanwhile."""
        while from_ms < to_ms:
            found = self.slice(dev_eui, from_ms, to_ms)
            yield found
            from_ms = found.to_ms

    def slice(self, dev_eui: str, from_ms: int, to_ms: int) -> Slice:
        """The first slice of a span of a device, with or without lines."""
        lines: dict[Privacy, list[str]] = {privacy: [] for privacy in Privacy}
        count, last_ms = 0, from_ms
        with closing(self._database.execute(_LINES, (dev_eui, from_ms, to_ms))) as found:
            for time_ms, privacy, text in found:
                if count >= SLICE_LINES and time_ms > last_ms:
                    return Slice(from_ms, time_ms, lines, count)
                lines[Privacy(privacy)].append(text)
                count += 1
                last_ms = time_ms
        return Slice(from_ms, to_ms, lines, count)
