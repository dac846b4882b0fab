"""The truth beside what sensors saw: CSV with the columns `time`, `asset`, `quantity`, `value`.

`time` is ISO 8601 in UTC; `asset` an id of the city file, or `city` for the air that all share. Rows come every five
minutes of simulated time, and with each car for a lot. Only assets that have simulated devices have rows.
"""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from simulator.chirpstack import rfc3339
from simulator.files import writing
from simulator.world import Moment

COLUMNS = ("time", "asset", "quantity", "value")
EVERY_S = 300
CITY = "city"
OCCUPIED_SPACES = "occupied_spaces"
DECIMALS = 4


class Fact(NamedTuple):
    """Something that is true of an asset at any time."""

    asset: str
    quantity: str
    value: Callable[[Moment], float]


class Row(NamedTuple):
    """One true value."""

    time_ns: int
    asset: str
    quantity: str
    value: float


Witness = Callable[[Row], None]
"""Is told the truth, a row at a time."""


def rows(facts: Iterable[Fact], now: Moment, time_ns: int) -> list[Row]:
    """What is true now."""
    return [Row(time_ns, fact.asset, fact.quantity, round(fact.value(now), DECIMALS)) for fact in facts]


class TruthFile:
    """Writes rows into a file; raises SimulatorError where it cannot."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        with writing(self._path):
            self._file = self._path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(COLUMNS)
        return self

    def __call__(self, row: Row) -> None:
        """One more row."""
        with writing(self._path):
            self._writer.writerow((rfc3339(row.time_ns), row.asset, row.quantity, f"{row.value:g}"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with writing(self._path):
                self._file.close()
