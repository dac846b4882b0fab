"""The embedded store: what was answered is in the file, whatever happens, and others may read it meanwhile."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decoders.quantity import Privacy
from ingest.line_protocol import encode, parse
from ingest.sink import SinkUnavailable
from ingest.sqlite_store import SqliteStore, StoreError
from ingest.store_schema import open_store
from rules.point import Point

DAY_MS = 86_400_000
TAGS = (("asset", "air-1"), ("dev_eui", "70b3d5e75e000001"), ("device", "Luft, Markt Nord"), ("model", "acme/air-1"))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An empty store that keeps a year."""
    store = SqliteStore(tmp_path / "folder" / "store.db", 365, busy_timeout_s=0.05)
    yield store
    await store.close()


def file_of(tmp_path: Path) -> Path:
    """Where the fixture's store is."""
    return tmp_path / "folder" / "store.db"


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """What another connection reads."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def body(*points: Point) -> bytes:
    """The lines of the points."""
    return "\n".join(filter(None, map(encode, points))).encode()


def lines(count: int, series: int = 1) -> bytes:
    """Good lines: value and time count up, spread over some series."""
    written = [b"environment,dev_eui=%d value=%d.0 %d" % (n % series, n, 1000 + n) for n in range(count)]
    return b"\n".join(written)


async def test_a_point_comes_back_as_it_was(store: SqliteStore) -> None:
    """Influx measurement, tags with special characters, floats, text, time and privacy class."""
    fields = (("air_temperature", -0.1), ("note", 'a "b" \\ c=d, ä😀'), ("pm2_5", 1e-7))
    point = Point("environment", TAGS, fields, 1_700_000_000_123, Privacy.INTERNAL)
    assert await store.write(Privacy.INTERNAL, body(point)) == []
    assert store.latest("environment", 5) == [point]
    assert store.count("environment") == 1
    assert store.count("parking") == 0


async def test_the_short_way_and_the_long_way_store_the_same(store: SqliteStore) -> None:
    """A series met again takes the short way; nothing shows which way a line took."""
    for time_ms in (1, 2):
        await store.write(Privacy.OPEN, b"m,a=b\\ c x=-1.5,y=0.0,z=1e-07,w=1.7976931348623157e+308 %d" % time_ms)
    first, second = store.latest("m", 2)
    assert first.fields == second.fields == (("x", -1.5), ("y", 0.0), ("z", 1e-7), ("w", 1.7976931348623157e308))
    assert first.tags == second.tags == (("a", "b c"),)


numbers = st.floats(allow_nan=False, allow_infinity=False)
names = st.text('ab_1,= \\"é', min_size=1, max_size=4).filter(lambda text: text.strip("\\"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    points=st.lists(
        st.builds(
            Point,
            st.sampled_from(["environment", "link"]),
            st.lists(st.tuples(names, names), max_size=2).map(tuple),
            st.dictionaries(names, st.one_of(numbers, names), min_size=1, max_size=3).map(lambda d: tuple(d.items())),
            st.integers(-5, 5),
        ),
        max_size=12,
    )
)
async def test_any_points_are_stored_as_the_parser_reads_them(tmp_path: Path, points: list[Point]) -> None:
    """The newest value of every field of every series and time, and nothing else."""
    path = tmp_path / "any.db"
    path.unlink(missing_ok=True)
    store = SqliteStore(path, 365)
    expected: dict[tuple[str, str, int], dict[str, float | str]] = {}
    for point in points:
        assert await store.write(Privacy.OPEN, body(point)) == []
        measurement, tags, fields, time_ms = parse(body(point))
        expected.setdefault((measurement, json.dumps(sorted(tags.items())), time_ms), {}).update(fields)
    found = {
        (name, json.dumps(sorted(map(tuple, json.loads(tags).items()))), time_ms): json.loads(fields)
        for name, tags, time_ms, fields in rows(
            path, "SELECT measurement, tags, time_ms, fields FROM point JOIN series ON series.id = series"
        )
        if isinstance(tags, str) and isinstance(fields, str)
    }
    await store.close()
    assert found == expected


async def test_a_rewrite_replaces_what_it_writes_and_keeps_the_rest(store: SqliteStore) -> None:
    """The same point again is the same point; other fields join it."""
    for _ in range(2):
        await store.write(Privacy.OPEN, b"m a=1,b=1 5")
    await store.write(Privacy.OPEN, b"m b=2,c=2 5")
    assert store.count("m") == 1
    assert dict(store.latest("m")[0].fields) == {"a": 1, "b": 2, "c": 2}


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        (b"broken", "a field"),
        (b"environment,dev_eui=0 value=nan 5", "finite number"),
        (b"environment,dev_eui=0 value=1e999 5", "finite number"),
        (b"environment,dev_eui=0 value=null 5", "finite number"),
        (b"environment,dev_eui=0 value=1", "a field"),
        (b"environment,dev_eui=0 value=1 soon", "a time"),
        (b"environment,dev_eui=0 value=1 9223372036855", "a time"),
        (b"environment,dev_eui=0 value=01x 5", "finite number"),
        (b"environment,dev_eui=\xff value=1 5", "UTF-8"),
        (b" value=1 5", "a measurement"),
        (b"# comment", "a measurement"),
    ],
)
async def test_garbage_is_handed_back_and_its_neighbours_are_stored(
    store: SqliteStore, garbage: bytes, reason: str
) -> None:
    """A line that is none has its reason; those around it are in the store."""
    await store.write(Privacy.OPEN, lines(1))
    rejected = await store.write(Privacy.OPEN, lines(3) + b"\n" + garbage + b"\n\nenvironment value=7 9000\n")
    assert [line for line, _ in rejected] == [garbage]
    assert reason in rejected[0].reason
    assert store.count("environment") == 4


async def test_the_stricter_privacy_class_stays(store: SqliteStore, tmp_path: Path) -> None:
    """A series that was personal once is not open because one line says so."""
    for privacy in (Privacy.OPEN, Privacy.PERSONAL, Privacy.INTERNAL):
        await store.write(privacy, b"m,k=v a=1 %d" % privacy)
    assert rows(file_of(tmp_path), "SELECT privacy FROM series") == [(int(Privacy.PERSONAL),)]


async def test_the_view_has_a_row_for_each_value(store: SqliteStore, tmp_path: Path) -> None:
    """What people and Grafana ask for, without JSON."""
    await store.write(Privacy.OPEN, body(Point("environment", (*TAGS, ("channel", "in")), (("a", 1.5), ("b", 2.0)), 7)))
    query = (
        "SELECT measurement, dev_eui, device, model, asset, channel, field, value, time_ms FROM reading ORDER BY field"
    )
    shared = ("environment", "70b3d5e75e000001", "Luft, Markt Nord", "acme/air-1", "air-1", "in")
    assert rows(file_of(tmp_path), query) == [(*shared, "a", 1.5, 7), (*shared, "b", 2.0, 7)]


async def test_the_newest_points_come_first(store: SqliteStore) -> None:
    """Over all series of the Influx measurement, and no more than asked for."""
    await store.write(Privacy.OPEN, lines(50, series=7))
    assert [point.time_ms for point in store.latest("environment", 4)] == [1049, 1048, 1047, 1046]


async def test_retention_deletes_what_is_older(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """In steps of bounded size, to the millisecond; series without points go, too, and come back when needed."""
    monkeypatch.setattr("ingest.sqlite_store.PRUNED_ROWS", 3)
    monkeypatch.setattr("ingest.sqlite_store.PRUNED_SERIES", 2)
    await store.write(Privacy.OPEN, lines(40, series=5) + b"\nlink value=1 2000")
    assert await store.prune(365 * DAY_MS + 1000) == 0
    assert await store.prune(365 * DAY_MS + 1030) == 30
    assert sorted(point.time_ms for point in store.latest("environment", 99)) == [*range(1030, 1040)]
    assert await store.prune(365 * DAY_MS + 1999) == 10
    assert store.count("environment") == 0
    assert store.count("link") == 1
    await store.write(Privacy.OPEN, lines(40, series=5))
    assert store.count("environment") == 40


async def test_personal_points_go_earlier(tmp_path: Path) -> None:
    """After their own days and by our own clock, never later than the others; a series of two classes with them."""
    for days, personal_days, kept in ((365, 7, 7), (3, 7, 3)):
        store = SqliteStore(tmp_path / f"{days}.db", days, personal_days)
        for privacy, name in ((Privacy.OPEN, "traffic"), (Privacy.PERSONAL, "meter"), (Privacy.OPEN, "both")):
            await store.write(privacy, f"{name} value=1 1000".encode())
        await store.write(Privacy.PERSONAL, b"both value=2 1000")
        assert await store.prune(1000, 1000 + kept * DAY_MS) == 0
        assert await store.prune(1000, 1001 + kept * DAY_MS) == 2
        assert [store.count(name) for name in ("traffic", "meter", "both")] == [1, 0, 0]
        await store.close()


async def test_deleted_points_give_their_space_back(store: SqliteStore, tmp_path: Path) -> None:
    """The file shrinks after pruning."""
    await store.write(Privacy.OPEN, lines(20_000, series=20))
    assert rows(file_of(tmp_path), "SELECT 1 FROM pragma_page_count WHERE page_count > 100") == [(1,)]
    assert await store.prune(366 * DAY_MS) == 20_000
    assert rows(file_of(tmp_path), "SELECT 1 FROM pragma_page_count WHERE page_count < 20") == [(1,)]


async def test_writes_go_on_between_the_steps_of_pruning(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that comes while pruning runs does not wait for its end."""
    monkeypatch.setattr("ingest.sqlite_store.PRUNED_ROWS", 1)
    await store.write(Privacy.OPEN, lines(300))
    pruning = asyncio.create_task(store.prune(366 * DAY_MS))
    await asyncio.sleep(0)
    await store.write(Privacy.OPEN, b"link value=1 99999999999")
    assert not pruning.done()
    assert await pruning == 300


async def test_a_writer_elsewhere_means_later(store: SqliteStore, tmp_path: Path) -> None:
    """While another process holds the lock nothing is stored, afterwards everything."""
    with closing(sqlite3.connect(file_of(tmp_path), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SinkUnavailable, match=r"store\.db.*locked"):
            await store.write(Privacy.OPEN, lines(3))
        other.execute("ROLLBACK")
    assert await store.write(Privacy.OPEN, lines(3)) == []
    assert store.count("environment") == 3


async def test_a_full_disk_means_later_and_leaves_nothing_half_done(store: SqliteStore) -> None:
    """A batch that did not fit left neither rows nor series behind, and fits when there is room again."""
    connection = store._connection
    await asyncio.to_thread(lambda: store._thread.submit(connection.execute, "PRAGMA max_page_count = 20").result())
    with pytest.raises(SinkUnavailable, match="full"):
        await store.write(Privacy.OPEN, lines(20_000, series=20))
    assert store.count("environment") == 0
    await asyncio.to_thread(lambda: store._thread.submit(connection.execute, "PRAGMA max_page_count = 99999").result())
    assert await store.write(Privacy.OPEN, lines(20_000, series=20)) == []
    assert store.count("environment") == 20_000


async def test_a_statement_that_fails_halfway_leaves_nothing(store: SqliteStore, tmp_path: Path) -> None:
    """Lines before the failure are not stored either, and the next batch finds no open transaction."""
    rows(
        file_of(tmp_path),
        "CREATE TRIGGER odd BEFORE INSERT ON point WHEN NEW.time_ms = 1013 BEGIN SELECT RAISE(FAIL, 'odd'); END",
    )
    with pytest.raises(SinkUnavailable, match="odd"):
        await store.write(Privacy.OPEN, lines(20))
    assert await store.write(Privacy.OPEN, lines(5)) == []
    assert store.count("environment") == 5


async def test_the_memory_of_series_is_bounded(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """More series than are remembered are stored all the same."""
    monkeypatch.setattr("ingest.sqlite_store.MAX_CACHED_SERIES", 10)
    for _ in range(2):
        assert await store.write(Privacy.OPEN, lines(100, series=35)) == []
    assert store.count("environment") == 100
    assert max(len(known) for known in store._ids.values()) <= 10


async def test_a_commit_survives_a_power_cut(store: SqliteStore) -> None:
    """Every commit is synced: write-ahead log, synchronous FULL."""
    query = store._connection.execute
    modes = [store._thread.submit(query, f"PRAGMA {name}").result() for name in ("journal_mode", "synchronous")]
    assert [store._thread.submit(mode.fetchone).result() for mode in modes] == [("wal",), (2,)]


async def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    """And the file is whole without its log."""
    store = SqliteStore(tmp_path / "store.db", 365)
    await store.write(Privacy.OPEN, lines(3))
    await store.close()
    await store.close()
    assert not (tmp_path / "store.db-wal").exists()
    assert rows(tmp_path / "store.db", "SELECT count(*) FROM point") == [(3,)]


def other_version(path: Path) -> Path:
    """A store, closed."""
    open_store(path, 1).close()
    return path


def test_what_is_no_store_is_refused_at_once(tmp_path: Path) -> None:
    """Garbage, another program's database, another schema version, a folder: each is named and left as it was."""
    path = tmp_path / "store.db"
    for make, expected in (
        (lambda: path.write_bytes(b"no database at all, only words\n" * 50), "not a database"),
        (lambda: rows(path, "CREATE TABLE other (x)"), "another program"),
        (lambda: rows(other_version(path), "PRAGMA user_version = 9"), "version 9"),
        (path.mkdir, "unable to open"),
    ):
        make()
        with pytest.raises(StoreError, match=rf"store\.db.*{expected}"):
            SqliteStore(path, 365)
        if path.is_file():
            path.unlink()


READER = """
import sqlite3, sys, time
connection = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
seen = [0]
while seen[-1] < int(sys.argv[2]):
    count = connection.execute("SELECT count(*) FROM reading").fetchone()[0]
    if count != seen[-1]:
        seen.append(count)
    time.sleep(0.002)
print(len(seen), all(count % 100 == 0 for count in seen))
"""


async def test_another_process_reads_while_we_write(store: SqliteStore, tmp_path: Path) -> None:
    """It sees the store grow, whole commits only, and neither side hinders the other."""
    await store.write(Privacy.OPEN, lines(100))
    command = (sys.executable, "-c", READER, str(file_of(tmp_path)), "4100")
    reader = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    for batch in range(1, 41):
        written = [b"environment value=%d %d" % (number, batch * 1000 + number) for number in range(100)]
        await store.write(Privacy.OPEN, b"\n".join(written))
        await asyncio.sleep(0.01)
    out, _ = await asyncio.wait_for(reader.communicate(), 30)
    states, whole = out.decode().split()
    assert int(states) > 2
    assert whole == "True"


WRITER = """
import asyncio, sys
from pathlib import Path
from decoders.quantity import Privacy
from ingest.sqlite_store import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]), 365)
    number = int(sys.argv[2])
    while True:
        lines = [b"environment,dev_eui=%d value=%d %d" % (n % 7, n, n) for n in range(number, number + 20)]
        await store.write(Privacy.OPEN, b"\\n".join(lines))
        number += 20
        print(number, flush=True)

asyncio.run(main())
"""


def test_a_killed_writer_loses_nothing_it_answered(tmp_path: Path) -> None:
    """Killed in the middle of writing, again and again: every answered line is there, and the file is sound."""
    path, answered = tmp_path / "store.db", 0
    for _ in range(4):
        command = [sys.executable, "-c", WRITER, str(path), str(answered)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            for _ in range(25):
                answered = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
            answered = int(([b"%d" % answered, *child.stdout.read().splitlines(keepends=True)])[-1])
        numbers = {number for (number,) in rows(path, "SELECT value FROM reading WHERE field = 'value'")}
        assert set(range(answered)) <= numbers
    assert answered >= 2000
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


async def test_the_file_is_for_the_service_alone(store: SqliteStore, tmp_path: Path) -> None:
    """It holds internal and personal readings, too: nobody else may read it, nor its log."""
    await store.write(Privacy.PERSONAL, lines(3))
    files = list((tmp_path / "folder").iterdir())
    assert len(files) >= 2
    assert {file.stat().st_mode & 0o077 for file in files} == {0}
