"""The InfluxDB sink against a real InfluxDB: influxd 1.8.10, or the 2.x server that the variables name."""

import itertools
import math
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from decoders.quantity import Privacy
from ingest.influx import InfluxSink
from ingest.influxdb.version import Version
from ingest.line_protocol import encode, parse
from ingest.settings import InfluxSettings
from ingest.sink import SinkUnavailable
from rules.point import Point
from tests.doubles.influxd import Database
from tests.doubles.influxd_fixtures import NewBucket

pytestmark = pytest.mark.influxd

SELECT = "SELECT value FROM {}"
AWKWARD = ["\\", ",", "=", " ", '"', "\n", "\t", "'", "#", "ä", "😀", "a", "\u2028", "\ud800"]


@pytest.fixture
def bucket(new_bucket: NewBucket) -> str:
    """A bucket of the test's own."""
    return new_bucket()


@pytest.fixture
async def sink(influxdb: Database, bucket: str) -> AsyncIterator[InfluxSink]:
    """A sink that writes into the test's bucket."""
    settings = InfluxSettings(
        url=influxdb.url,
        bucket_open=bucket,
        token=SecretStr(influxdb.token or "any:thing"),
        organisation=influxdb.organisation,
    )
    sink = InfluxSink(settings)
    yield sink
    await sink.close()


def lines(count: int) -> list[bytes]:
    """Good lines: value and time count up."""
    return [b"environment,dev_eui=a value=%d.0 %d" % (number, 1000 + number) for number in range(count)]


async def test_lines_arrive_with_their_times(influxdb: Database, bucket: str, sink: InfluxSink) -> None:
    """Values and milliseconds are those written; a second time changes nothing."""
    for _ in range(2):
        assert await sink.write(Privacy.OPEN, b"\n".join(lines(3))) == []
    assert influxdb.query("SELECT value FROM environment", bucket) == [[1000, 0], [1001, 1], [1002, 2]]


async def test_a_rewrite_keeps_the_other_fields(influxdb: Database, bucket: str, sink: InfluxSink) -> None:
    """The same point with other fields has both."""
    await sink.write(Privacy.OPEN, b"m a=1,b=1 5")
    await sink.write(Privacy.OPEN, b"m b=2,c=2 5")
    assert influxdb.query("SELECT a, b, c FROM m", bucket) == [[5, 1, 2, 2]]


async def test_a_missing_bucket_is_no_fault_of_the_lines(influxdb: Database) -> None:
    """The reason says what to create."""
    settings = InfluxSettings(
        url=influxdb.url,
        bucket_open="nope",
        token=SecretStr(influxdb.token or "any:thing"),
        organisation=influxdb.organisation,
    )
    sink = InfluxSink(settings)
    with pytest.raises(SinkUnavailable, match=r"404 .*nope.*not found.*provision|404 .*not found.*nope.*provision"):
        await sink.write(Privacy.OPEN, lines(1)[0])
    await sink.close()


async def test_the_version_is_asked_for(influxdb: Database, sink: InfluxSink) -> None:
    """After a write it is known which InfluxDB it went to."""
    await sink.write(Privacy.OPEN, lines(1)[0])
    assert sink.version is Version(influxdb.release)


async def test_a_span_of_a_device_is_deleted_and_nothing_else(influxdb: Database, bucket: str) -> None:
    """Begin included, end not; other devices, whatever marks their names hold, and other Influx measurements stay."""
    settings = InfluxSettings(
        url=influxdb.url,
        bucket_open=bucket,
        bucket_internal=bucket,
        bucket_personal=bucket,
        token=SecretStr(influxdb.token or "any:thing"),
        organisation=influxdb.organisation,
    )
    sink = InfluxSink(settings)
    device = "a' OR 'x' = 'x"
    points = [
        Point(measurement, (("dev_eui", dev_eui),), (("value", float(time_ms)),), time_ms)
        for measurement in ("environment", "link", "waste")
        for dev_eui in ("a", device)
        for time_ms in (999, 1000, 1999, 2000)
    ]
    assert await sink.write(Privacy.OPEN, "\n".join(filter(None, map(encode, points))).encode()) == []
    for _ in range(2):
        await sink.delete(["environment", "link"], device, 1000, 2000)
    await sink.delete(["waste"], "a", 2000, 2000)
    await sink.close()
    for measurement in ("environment", "link"):
        times = [time_ms for time_ms, _ in influxdb.query(SELECT.format(measurement), bucket)]
        assert sorted(map(str, times)) == sorted(map(str, (999, 999, 1000, 1999, 2000, 2000)))
    assert len(influxdb.query(SELECT.format("waste"), bucket)) == 8


async def test_every_special_character_arrives(influxdb: Database, bucket: str, sink: InfluxSink) -> None:
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
    rows = influxdb.query("SELECT text, asset FROM event", bucket)
    assert len(rows) == len(texts)
    for time_ms, text, asset in rows:
        assert isinstance(time_ms, int)
        assert text == expected[time_ms].fields["text"]
        assert asset == expected[time_ms].tags.get("asset")
    assert {key for (key,) in influxdb.query("SHOW TAG KEYS", bucket)} == {
        key for line in expected.values() for key in line.tags
    }
    assert {key for key, _ in influxdb.query("SHOW FIELD KEYS", bucket)} == {
        key for line in expected.values() for key in line.fields
    }


async def test_floats_arrive_as_they_were(influxdb: Database, bucket: str, sink: InfluxSink) -> None:
    """The shortest decimal is read as the same float, at both ends of the range."""
    values = [0.1, 1 / 3, -0.0, 5e-324, 1.7976931348623157e308, 123456789.123456789, 1e16, 1e-7, math.pi]
    encoded = [encode(Point("m", (), (("v", value),), number)) for number, value in enumerate(values)]
    assert await sink.write(Privacy.OPEN, "\n".join(filter(None, encoded)).encode()) == []
    assert [value for _, value in influxdb.query("SELECT v FROM m", bucket)] == values
