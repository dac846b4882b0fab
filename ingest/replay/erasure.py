"""Deletions that stand among the lines of the journal, so that every sink meets them in order and at its own pace.

Erasures are the first lines of a row of points, `#erase ` and JSON; whatever stood in rows before has been written when
the sink deletes, and what follows, in this row and the next ones, is written afterwards.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import structlog

from decoders.quantity import Privacy
from ingest.journal_records import PointsRow
from ingest.sink import SinkUnavailable

T = TypeVar("T")
MARK = "#erase "
FIRST = Privacy.OPEN
"""Of a commit's rows this class's comes first."""

log = structlog.get_logger(__name__)


class Erasure(NamedTuple):
    """A device's points of [from_ms, to_ms) in these Influx measurements, whatever their privacy class."""

    dev_eui: str
    measurements: tuple[str, ...]
    from_ms: int
    to_ms: int

    @property
    def line(self) -> str:
        """As it stands in the journal."""
        return MARK + json.dumps(self)


class ErasureError(ValueError):
    """A line that begins like an erasure and is none."""


@runtime_checkable
class Erasing(Protocol):
    """A sink that can delete."""

    async def delete(self, measurements: Iterable[str], dev_eui: str, from_ms: int, to_ms: int) -> object:
        """Delete a device's points of [from_ms, to_ms); a second time changes nothing. Raises SinkUnavailable."""
        ...


def few(rows: list[PointsRow], most: int = 50) -> list[PointsRow]:
    """The first rows, with about so many erasures: each takes a database a while, and cursors should move meanwhile."""
    count = 0
    for place, row in enumerate(rows):
        count += row.body.count(MARK.encode()) if row.body.startswith(MARK.encode()) else 0
        if place and count > most:
            return rows[:place]
    return rows


def behind(erasures: Iterable[Erasure], lines: Mapping[Privacy, Sequence[str]]) -> dict[Privacy, list[str]]:
    """The lines of one commit, behind the erasures."""
    found = {privacy: list(lines.get(privacy, ())) for privacy in Privacy}
    found[FIRST] = [*(erasure.line for erasure in erasures), *found[FIRST]]
    return found


def parse(line: bytes) -> Erasure:
    """Read a line that `Erasure.line` wrote; raises ErasureError."""
    try:
        dev_eui, measurements, from_ms, to_ms = json.loads(line.removeprefix(MARK.encode()))
        return Erasure(str(dev_eui), tuple(str(name) for name in measurements), int(from_ms), int(to_ms))
    except (ValueError, TypeError) as error:
        raise ErasureError(f"{line[:80]!r}: {error}") from error


async def in_order(
    rows: Sequence[PointsRow], sink: object, write: Callable[[list[PointsRow]], Awaitable[list[T]]]
) -> list[T]:
    """Write rows with `write`, and delete in between where they say so; returns what `write` returned, joined.

    A sink that cannot delete is only written to (`replay` asks before it begins): lines that wait are worth more.
    """
    found: list[T] = []
    waiting: list[PointsRow] = []
    for row in rows:
        lines = row.body.split(b"\n") if row.body.startswith(MARK.encode()) else []
        erasures = list(takewhile(lambda line: line.startswith(MARK.encode()), lines))
        if erasures and waiting:
            found += await write(waiting)
            waiting = []
        for erasure in erasures:
            await _erase(erasure, sink)
        rest = row._replace(body=b"\n".join(lines[len(erasures) :])) if erasures else row
        if rest.body:
            waiting.append(rest)
    if waiting:
        found += await write(waiting)
    return found


async def _erase(line: bytes, sink: object) -> None:
    try:
        dev_eui, measurements, from_ms, to_ms = parse(line)
        if isinstance(sink, Erasing):
            await sink.delete(measurements, dev_eui, from_ms, to_ms)
    except SinkUnavailable:
        raise
    except Exception:
        log.exception("points of a replayed span were overwritten, not deleted", erasure=line.decode(errors="replace"))
