"""Deletions among lines: in their place for every sink, whatever the sink can do; and what the store deletes."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from decoders.quantity import Privacy
from ingest.journal_records import PointsRow
from ingest.replay.erasure import Erasure, behind, few, in_order
from ingest.sink import SinkUnavailable
from ingest.sqlite_store import SqliteStore
from tests.ingest.replays import points

ERASURE = Erasure("70b3d57ed0000001", ("parking", "device"), 10, 20)


class Sink:
    """Remembers in which order it wrote and deleted."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.done: list[object] = []
        self._failure = failure

    async def write(self, rows: list[PointsRow]) -> list[str]:
        """Remember the bodies."""
        self.done.append([row.body for row in rows])
        return [f"{len(rows)} rows"]

    async def delete(self, measurements: Iterable[str], dev_eui: str, from_ms: int, to_ms: int) -> None:
        """Remember, or fail."""
        if self._failure is not None:
            raise self._failure
        self.done.append(Erasure(dev_eui, tuple(measurements), from_ms, to_ms))


def rows(*bodies: bytes) -> list[PointsRow]:
    """Rows of points with these bodies."""
    return [PointsRow(seq, Privacy.OPEN, body.count(b"\n") + 1, body) for seq, body in enumerate(bodies)]


async def test_what_stands_before_is_written_before() -> None:
    """Rows before an erasure are written, then it is done, then the rest of its row and what follows is written."""
    other = ERASURE._replace(from_ms=30, to_ms=40)
    body = "\n".join(behind([ERASURE, other], {Privacy.OPEN: ["c", "d"]})[Privacy.OPEN]).encode()
    sink = Sink()
    assert await in_order(rows(b"a", b"b", body, b"e"), sink, sink.write) == ["2 rows", "2 rows"]
    assert sink.done == [[b"a", b"b"], ERASURE, other, [b"c\nd", b"e"]]


async def test_an_erasure_alone_writes_nothing() -> None:
    """A span in which nothing is left is only deleted."""
    sink = Sink()
    assert await in_order(rows(ERASURE.line.encode()), sink, sink.write) == []
    assert sink.done == [ERASURE]


async def test_a_sink_that_is_away_keeps_its_place() -> None:
    """The failure reaches the drain, which comes again with the same rows."""
    sink = Sink(SinkUnavailable("away"))
    with pytest.raises(SinkUnavailable):
        await in_order(rows(ERASURE.line.encode(), b"a"), sink, sink.write)
    assert sink.done == []


@pytest.mark.parametrize("failure", [RuntimeError("cannot delete"), ValueError("nonsense")])
async def test_a_sink_that_cannot_delete_still_gets_the_lines(failure: Exception) -> None:
    """Lines behind an erasure that can never be done do not wait for ever."""
    sink = Sink(failure)
    await in_order(rows(ERASURE.line.encode(), b"a"), sink, sink.write)
    await in_order(rows(ERASURE.line.encode() + b"\nb"), object(), sink.write)
    assert sink.done == [[b"a"], [b"b"]]


async def test_the_store_deletes_a_device_and_a_span_only(tmp_path: Path) -> None:
    """Points of the device in [from, to) go from the named Influx measurements, with series left empty; no others."""
    path = tmp_path / "store.db"
    store = SqliteStore(path, 36_500)
    lines = [
        f"{name},dev_eui={device},asset={asset} v={time_ms}.0 {time_ms}"
        for name in ("parking", "device", "link")
        for device in ("a", "b")
        for asset in ("x", "y")
        for time_ms in (9, 10, 19, 20)
        if asset == "x" or time_ms in {10, 19}
    ]
    await store.write(Privacy.OPEN, "\n".join(lines).encode())
    assert await store.delete(("parking", "device"), "a", 10, 20) == 8
    assert await store.delete(("parking", "device"), "a", 10, 20) == 0
    left = [(series, time_ms) for series, time_ms, _ in points(path) if "dev_eui=a" in series]
    kept = {("x", 9), ("x", 20)}
    radio = {*kept, ("x", 10), ("x", 19), ("y", 10), ("y", 19)}
    expected = {"device": kept, "link": radio, "parking": kept}
    assert left == [
        (f"{name},asset={asset},dev_eui=a", time_ms)
        for name, places in expected.items()
        for asset, time_ms in sorted(places)
    ]
    assert sum("dev_eui=b" in series for series, _, _ in points(path)) == 18
    await store.write(Privacy.OPEN, "\n".join(lines).encode())
    assert len(points(path)) == len(lines)
    await store.close()


def test_few_erasures_are_taken_at_a_time() -> None:
    """Rows are taken up to about fifty erasures, one row at least; rows without any are all taken."""
    erasing = [
        PointsRow(n, Privacy.OPEN, 1, b"\n".join([Erasure("d", ("m",), n, n + 1).line.encode()] * 20)) for n in range(9)
    ]
    plain = [PointsRow(n, Privacy.OPEN, 1, b"m a=1 1") for n in range(200)]
    assert few(erasing) == erasing[:2]
    assert few(erasing[:1], most=5) == erasing[:1]
    assert few(plain) == plain
