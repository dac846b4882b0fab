"""The points of a device as they stand now, so that a correction can say what it changed."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ingest import store_schema
from ingest.line_protocol import parse, series

Points = Mapping[tuple[str, int], Mapping[str, float | str]]
"""Fields by escaped series and time in ms."""
ReadBack = Callable[[Sequence[str], str, int, int], Awaitable[Points]]
"""The points of these Influx measurements, of a device, of [from_ms, to_ms); raises CannotReadBack."""


class CannotReadBack(Exception):
    """The points that stand there cannot be read; the message says why, on one line."""


class Difference(NamedTuple):
    """Points before and after, and how many single readings changed, came or went."""

    before: int
    after: int
    readings: int


def difference(before: Points, lines: Iterable[str]) -> Difference:
    """What becomes of points when these lines take their place."""
    after: dict[tuple[str, int], dict[str, float | str]] = {}
    for line in lines:
        measurement, tags, fields, time_ms = parse(line.encode())
        after.setdefault((series(measurement, tags.items()), time_ms), {}).update(fields)
    changed = 0
    for key in {*before, *after}:
        old, new = before.get(key, {}), after.get(key, {})
        changed += sum(old.get(name) != new.get(name) for name in {*old, *new})
    return Difference(len(before), len(after), changed)


def from_store(path: Path) -> ReadBack:
    """Read the embedded store; a store that is not there has no points."""
    exists = path.exists()

    async def read(measurements: Sequence[str], dev_eui: str, from_ms: int, to_ms: int) -> Points:
        return store_schema.span(path, measurements, dev_eui, from_ms, to_ms) if exists else {}

    return read
