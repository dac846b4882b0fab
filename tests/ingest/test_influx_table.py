"""Every way in which InfluxDB refuses a line: the guilty one is handed back, its neighbours are stored exactly once."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
from pydantic import SecretStr

from decoders.quantity import Privacy
from ingest.influx import InfluxSink
from ingest.settings import InfluxSettings
from ingest.sink import SinkUnavailable
from tests.doubles.influx import Release, serving
from tests.doubles.influxd import Database
from tests.doubles.influxd_fixtures import NewBucket

YEAR_S = 364 * 86_400
BUCKET = "stadtfunk_open"
Values = Callable[[], list[object]]


class Row(NamedTuple):
    """A line that is refused, and the reason by the version of the server ("" where it was not recorded)."""

    line: bytes
    reasons: dict[str, str]


UNREADABLE = dict.fromkeys(("1.8", "2"), "unable to parse")
ROWS = {
    "another field type": Row(
        b'environment,dev_eui=a value="text" %d',
        {"1.8": "400 partial write: field type conflict", "2": "422 failure writing points"},
    ),
    "no line protocol": Row(
        b"broken line here", {"1.8": "unable to parse: invalid field format", "2": "unable to parse"}
    ),
    "no number": Row(b"environment,dev_eui=a value=NaN %d", UNREADABLE),
    "no field": Row(b"environment,dev_eui=a %d", UNREADABLE),
    "no text encoding": Row(b"environment,dev_eui=\xff value= %d", UNREADABLE),
    "time out of range": Row(b"environment,dev_eui=a value=1 99999999999999", UNREADABLE),
    "beyond retention": Row(b"environment,dev_eui=a value=1 1000", {"1.8": "retention", "2": "retention"}),
    "a comment": Row(b"# environment,dev_eui=a value=1 %d", {"1.8": "comment", "2": "comment"}),
}


def in_time(line: bytes, time_ms: int) -> bytes:
    """The line with a time where it wants one."""
    return line % time_ms if b"%d" in line else line


async def refused_alone(sink: InfluxSink, values: Values, row: Row, version: str, at: int, *, twice: bool) -> None:
    """Write nine good lines with the row's between them; it alone is handed back and they alone are stored."""
    now_ms = time.time_ns() // 1_000_000
    good = [b"environment,dev_eui=a value=%d %d" % (number, now_ms + number) for number in range(9)]
    guilty = [in_time(row.line, now_ms + 100)]
    if twice and b"%d" in row.line:
        guilty.append(in_time(row.line, now_ms + 200))
    assert await sink.write(Privacy.OPEN, b"environment,dev_eui=a value=-1 %d" % (now_ms - 1)) == []
    rejected = await sink.write(Privacy.OPEN, b"\n".join([*good[:at], *guilty, *good[at:]]))
    assert sorted(line for line, _ in rejected) == sorted(guilty)
    assert all(row.reasons[version] in reason for _, reason in rejected)
    assert values() == [-1, *range(9)]


@pytest.mark.influxd
@pytest.mark.parametrize("at", [0, 4, 9])
@pytest.mark.parametrize("row", ROWS)
async def test_a_real_server_keeps_the_neighbours(influxdb: Database, new_bucket: NewBucket, row: str, at: int) -> None:
    """At the beginning, in the middle, at the end; one guilty line at the ends, two in the middle."""
    bucket = new_bucket(YEAR_S)
    sink = InfluxSink(
        InfluxSettings(
            url=influxdb.url,
            bucket_open=bucket,
            token=SecretStr(influxdb.token or "any:thing"),
            organisation=influxdb.organisation,
        )
    )

    def values() -> list[object]:
        return [value for _, value in influxdb.query("SELECT value FROM environment", bucket)]

    await refused_alone(sink, values, ROWS[row], influxdb.release, at, twice=at == 4)
    await sink.close()


@asynccontextmanager
async def sink_to_double(release: Release) -> AsyncIterator[tuple[InfluxSink, Values]]:
    """A sink and what the double has stored."""
    async with serving(release) as double:
        double.resources.kept_s[BUCKET] = YEAR_S
        sink = InfluxSink(InfluxSettings(url=double.url, organisation="stadt"))

        def values() -> list[object]:
            return [*double.values(BUCKET, "value")]

        yield sink, values
        await sink.close()


@pytest.mark.parametrize("at", [0, 4, 9])
@pytest.mark.parametrize("row", ROWS)
async def test_a_double_of_2_8_keeps_the_neighbours(row: str, at: int) -> None:
    """The double answers as recorded from 2.8.0: 422 stores the others, 400 stores nothing."""
    async with sink_to_double("2.8") as (sink, values):
        await refused_alone(sink, values, ROWS[row], "2", at, twice=at == 4)


@pytest.mark.parametrize("row", ROWS)
async def test_a_double_of_3_keeps_the_neighbours(row: str) -> None:
    """The double answers as 3 Core is documented: 400, and the others are stored."""
    anything = Row(ROWS[row].line, {"3": "comment" if row == "a comment" else "400 partial write"})
    async with sink_to_double("3.0") as (sink, values):
        await refused_alone(sink, values, anything, "3", 4, twice=True)


async def test_a_double_of_2_8_that_cannot_unpack_blames_no_line() -> None:
    """A body that is not gzip though it says so gets 500, and that is the reason told."""
    async with serving("2.8") as double:
        sink = InfluxSink(InfluxSettings(url=double.url, gzip=False))
        client = sink._connect()
        client.api_client.default_headers["Content-Encoding"] = "gzip"
        sink._client = client
        with pytest.raises(SinkUnavailable, match="500 An internal error"):
            await sink.write(Privacy.OPEN, b"environment value=1 1000")
        await sink.close()


async def test_a_double_of_2_8_names_the_organisation_it_does_not_know() -> None:
    """An unknown organisation is a fault of the settings, not of the lines."""
    async with serving("2.8") as double:
        double.resources.organisation = "stadt"
        sink = InfluxSink(InfluxSettings(url=double.url, organisation="dorf"))
        with pytest.raises(SinkUnavailable, match=r'404 organization name "dorf" not found.*organisation'):
            await sink.write(Privacy.OPEN, b"environment value=1 1000")
        await sink.close()
