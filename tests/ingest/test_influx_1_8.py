"""The InfluxDB sink against a real InfluxDB 1.8.10."""

import itertools
import math
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr

from decoders.quantity import Privacy
from ingest.influx import InfluxSink
from ingest.line_protocol import encode, parse
from ingest.settings import InfluxSettings
from ingest.sink import SinkUnavailable
from rules.point import Point
from tests.doubles.influxd import MISSING, Influxd, executable, running

AWKWARD = ["\\", ",", "=", " ", '"', "\n", "\t", "'", "#", "ä", "😀", "a", "\u2028", "\ud800"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """The server, for all tests of this file."""
    program = executable()
    if program is None:
        pytest.skip(MISSING)
    with running(program, tmp_path_factory.mktemp("influxd")) as influxd:
        yield influxd


@pytest.fixture
def database(server: Influxd, request: pytest.FixtureRequest) -> str:
    """A database of the test's own."""
    name = f"test_{abs(hash(request.node.nodeid))}"
    server.query(f'CREATE DATABASE "{name}"')
    return name


@pytest.fixture
async def sink(server: Influxd, database: str) -> AsyncIterator[InfluxSink]:
    """A sink that writes into the test's database."""
    settings = InfluxSettings(url=server.url, bucket_open=f"{database}/autogen", token=SecretStr("user:password"))
    sink = InfluxSink(settings)
    yield sink
    await sink.close()


def lines(count: int) -> list[bytes]:
    """Good lines: value and time count up."""
    return [b"environment,dev_eui=a value=%d.0 %d" % (number, 1000 + number) for number in range(count)]


def stored(server: Influxd, database: str) -> list[object]:
    """All values, by time."""
    return [value for _, value in server.query("SELECT value FROM environment", database)]


async def test_lines_arrive_with_their_times(server: Influxd, database: str, sink: InfluxSink) -> None:
    """Values and milliseconds are those written; a second time changes nothing."""
    for _ in range(2):
        assert await sink.write(Privacy.OPEN, b"\n".join(lines(3))) == []
    assert server.query("SELECT value FROM environment", database) == [[1000, 0], [1001, 1], [1002, 2]]


async def test_a_rewrite_keeps_the_other_fields(server: Influxd, database: str, sink: InfluxSink) -> None:
    """The same point with other fields has both."""
    await sink.write(Privacy.OPEN, b"m a=1,b=1 5")
    await sink.write(Privacy.OPEN, b"m b=2,c=2 5")
    assert server.query("SELECT a, b, c FROM m", database) == [[5, 1, 2, 2]]


@pytest.mark.parametrize(
    ("guilty", "reason"),
    [
        (b"broken line here", "unable to parse: invalid field format"),
        (b"environment value=NaN 2000", "unable to parse: invalid number"),
        (b'environment value="text" 2000', "field type conflict"),
        (b"environment,time=1 value=1 2000", "invalid tag key"),
        (b"environment value=1 99999999999999", "unable to parse: time outside range"),
        (b"environment,tag=\xff value= 2000", "unable to parse"),
        (b"# environment value=1 2000", "comment"),
    ],
)
async def test_one_line_is_refused_and_its_neighbours_are_stored(
    server: Influxd, database: str, sink: InfluxSink, guilty: bytes, reason: str
) -> None:
    """Only the guilty line is handed back."""
    await sink.write(Privacy.OPEN, b"environment value=-1 999")
    rejected = await sink.write(Privacy.OPEN, b"\n".join([*lines(5), guilty, *lines(9)[5:]]))
    assert [line for line, _ in rejected] == [guilty]
    assert reason in rejected[0].reason
    assert stored(server, database) == [-1, *range(9)]


async def test_lines_beyond_retention_are_refused(server: Influxd, database: str, sink: InfluxSink) -> None:
    """What the policy would not keep is handed back, its neighbours are stored."""
    server.query(f'ALTER RETENTION POLICY "autogen" ON "{database}" DURATION 52w')
    now_ms = time.time_ns() // 1_000_000
    young = [b"environment value=%d %d" % (number, now_ms + number) for number in range(3)]
    rejected = await sink.write(Privacy.OPEN, b"\n".join([*lines(3), *young]))
    assert sorted(line for line, _ in rejected) == lines(3)
    assert "retention" in rejected[0].reason
    assert stored(server, database) == [0, 1, 2]


async def test_a_missing_database_is_no_fault_of_the_lines(server: Influxd) -> None:
    """The reason says what to create."""
    sink = InfluxSink(InfluxSettings(url=server.url, bucket_open="nope"))
    with pytest.raises(SinkUnavailable, match=r"404 database not found.*provision"):
        await sink.write(Privacy.OPEN, lines(1)[0])
    await sink.close()


async def test_every_special_character_arrives(server: Influxd, database: str, sink: InfluxSink) -> None:
    """Tags and texts of up to three awkward characters come back from the server as our own parser reads them."""
    texts = ["".join(text) for size in (1, 2, 3) for text in itertools.product(AWKWARD, repeat=size)]
    points = [
        Point("event", (("asset", text), ("t" + text, "x" + text)), (("text", text), ("f" + text, 1.0)), 1000 + number)
        for number, text in enumerate(texts)
    ]
    encoded = [line.encode() for point in points if (line := encode(point))]
    assert len(encoded) == len(texts)
    assert await sink.write(Privacy.OPEN, b"\n".join(encoded)) == []
    expected = {line.time_ms: line for line in map(parse, encoded)}
    rows = server.query("SELECT text, asset FROM event", database)
    assert len(rows) == len(texts)
    for time_ms, text, asset in rows:
        assert isinstance(time_ms, int)
        assert text == expected[time_ms].fields["text"]
        assert asset == expected[time_ms].tags.get("asset")
    assert {key for (key,) in server.query("SHOW TAG KEYS", database)} == {
        key for line in expected.values() for key in line.tags
    }
    assert {key for key, _ in server.query("SHOW FIELD KEYS", database)} == {
        key for line in expected.values() for key in line.fields
    }


async def test_floats_arrive_as_they_were(server: Influxd, database: str, sink: InfluxSink) -> None:
    """The shortest decimal is read as the same float, at both ends of the range."""
    values = [0.1, 1 / 3, -0.0, 5e-324, 1.7976931348623157e308, 123456789.123456789, 1e16, 1e-7, math.pi]
    encoded = [encode(Point("m", (), (("v", value),), number)) for number, value in enumerate(values)]
    assert await sink.write(Privacy.OPEN, "\n".join(filter(None, encoded)).encode()) == []
    assert [value for _, value in server.query("SELECT v FROM m", database)] == values
