"""Deleting in InfluxDB: on one connection, and in a bucket that somebody dropped."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from pydantic import SecretStr
from structlog.testing import capture_logs

from decoders.quantity import Privacy
from ingest.influx import InfluxSink
from ingest.influxdb import delete as influx_delete
from ingest.influxdb.delete import Eraser
from ingest.influxdb.http import InfluxHttp
from ingest.influxdb.search import ServerFault
from ingest.journal_records import PointsRow
from ingest.replay.erasure import Erasure, in_order
from ingest.settings import InfluxSettings
from ingest.sink import SinkUnavailable
from tests.doubles.influx import serving
from tests.doubles.influxd import Database, Influxd
from tests.doubles.influxd_fixtures import NewBucket

SPAN = (["parking"], "a", 1000, 2000)
USER = "eraser"


@asynccontextmanager
async def eraser_of(settings: InfluxSettings) -> AsyncIterator[Eraser]:
    """An eraser that is closed at the end."""
    made = Eraser(settings)
    yield made
    await made.close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[InfluxHttp]:
    """The connections opened, without those that ask the version."""
    made: list[InfluxHttp] = []
    open_one, aenter = InfluxHttp.open, InfluxHttp.__aenter__

    async def watched(self: InfluxHttp) -> None:
        made.append(self)
        await open_one(self)

    async def asking(self: InfluxHttp) -> InfluxHttp:
        entered = await aenter(self)
        made.remove(self)
        return entered

    monkeypatch.setattr(InfluxHttp, "open", watched)
    monkeypatch.setattr(InfluxHttp, "__aenter__", asking)
    return made


@pytest.fixture
def account(guarded_influxd: Influxd) -> Iterator[InfluxSettings]:
    """A user of 1.8 who may write in two databases, and a third that he may not; nothing else."""
    names = {f"bucket_{privacy}": f"eraser_{privacy}" for privacy in ("open", "internal", "personal")}
    guarded_influxd.query(f"CREATE USER {USER} WITH PASSWORD 's3cret'")
    for name in names.values():
        guarded_influxd.create(name)
        guarded_influxd.query(f"GRANT WRITE ON {name} TO {USER}")
    yield InfluxSettings(url=guarded_influxd.url, token=SecretStr(f"{USER}:s3cret"), **names)
    guarded_influxd.query(f"DROP USER {USER}")
    for name in names.values():
        guarded_influxd.query(f"DROP DATABASE {name}")


@pytest.fixture(autouse=True)
def own_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that no earlier test has bound to its own output."""
    structlog.reset_defaults()
    monkeypatch.setattr(influx_delete, "log", structlog.get_logger())


def warnings(logs: Any) -> list[str]:  # noqa: ANN401 - structlog's own type
    """The buckets that were said to be missing."""
    return [item["bucket"] for item in logs if "not there" in item["event"]]


@pytest.mark.influxd(process=True)
async def test_a_dropped_database_of_a_user_with_least_rights_holds_nothing(
    guarded_influxd: Influxd, account: InfluxSettings
) -> None:
    """His right went with the database, and all the same its erasures are done; the others are deleted from."""
    sink = InfluxSink(account)
    await sink.write(Privacy.INTERNAL, b"parking,dev_eui=a occupied=1 1500")
    await sink.close()
    guarded_influxd.drop(account.bucket_open)
    with capture_logs() as logs:
        async with eraser_of(account) as eraser:
            await eraser.delete(*SPAN)
            await eraser.delete(*SPAN)
            with pytest.raises(ServerFault, match=f"bucket {account.bucket_open} is not there"):
                await eraser.ask()
    assert warnings(logs) == [account.bucket_open]
    assert guarded_influxd.query("SELECT occupied FROM parking", account.bucket_internal) == []


@pytest.mark.influxd(process=True)
async def test_a_right_taken_away_is_no_missing_database(guarded_influxd: Influxd, account: InfluxSettings) -> None:
    """What is there and may not be deleted from keeps its erasures waiting."""
    guarded_influxd.query(f"REVOKE ALL ON {account.bucket_personal} FROM {USER}")
    async with eraser_of(account) as eraser:
        with pytest.raises(ServerFault, match="403"):
            await eraser.delete(*SPAN)


@pytest.mark.influxd
async def test_a_dropped_bucket_holds_nothing(influxdb: Database, new_bucket: NewBucket) -> None:
    """Erasures go on, in the order of the journal, and lines for the other bucket behind them arrive."""
    bucket = new_bucket()
    names = {"bucket_open": bucket, "bucket_internal": "nope", "bucket_personal": bucket}
    token = SecretStr(influxdb.token or "any:thing")
    settings = InfluxSettings(url=influxdb.url, token=token, organisation=influxdb.organisation, **names)
    sink = InfluxSink(settings)
    await sink.write(Privacy.OPEN, b"parking,dev_eui=a occupied=1 1500")
    body = Erasure("a", ("parking",), 1000, 2000).line.encode() + b"\nparking,dev_eui=a occupied=0 1600"

    async def write(rows: list[PointsRow]) -> list[object]:
        return [await sink.write(row.privacy, row.body) for row in rows]

    assert await in_order([PointsRow(1, Privacy.OPEN, 2, body)], sink, write) == [[]]
    await sink.close()
    assert influxdb.query("SELECT occupied FROM parking", bucket) == [[1600, 0]]
    async with eraser_of(settings) as eraser:
        with pytest.raises(ServerFault, match="bucket nope is not there"):
            await eraser.ask()


async def test_double_of_2_8_without_a_bucket_has_nothing_to_delete_there() -> None:
    """A bucket that is not there is told once and asked about; an organisation that is not there refuses."""
    async with serving("2.8") as double:
        double.resources.organisation = "stadt"
        del double.buckets["stadtfunk_internal"]
        double.buckets["stadtfunk_personal"]["parking", (("dev_eui", "a"),), 1500] = {"occupied": 1.0}
        with capture_logs() as logs:
            async with eraser_of(InfluxSettings(url=double.url, organisation="stadt")) as eraser:
                await eraser.delete(*SPAN)
                await eraser.delete(*SPAN)
                with pytest.raises(ServerFault, match="stadtfunk_internal is not there"):
                    await eraser.ask()
        assert warnings(logs) == ["stadtfunk_internal"]
        assert not double.buckets["stadtfunk_personal"]
        async with eraser_of(InfluxSettings(url=double.url, organisation="dorf")) as eraser:
            with pytest.raises(ServerFault, match="organization"):
                await eraser.delete(*SPAN)


async def test_double_of_3_takes_the_lines_behind_an_erasure() -> None:
    """3 cannot delete, whether its bucket is there or not, and nothing waits for that."""
    async with serving("3.0", buckets={}) as double:
        sink = InfluxSink(InfluxSettings(url=double.url))
        body = Erasure("a", ("parking",), 1000, 2000).line.encode() + b"\nparking,dev_eui=a occupied=0 1600"

        async def write(rows: list[PointsRow]) -> list[object]:
            return [await sink.write(row.privacy, row.body) for row in rows]

        assert await in_order([PointsRow(1, Privacy.OPEN, 2, body)], sink, write) == [[]]
        await sink.close()
        assert double.values("stadtfunk_open", "occupied") == [0]


async def test_double_of_2_8_is_deleted_from_on_one_connection(opened: list[InfluxHttp]) -> None:
    """However many deletions: one connection and one question for the version, until the eraser is closed."""
    async with serving("2.8") as double, eraser_of(InfluxSettings(url=double.url)) as eraser:
        for _ in range(3):
            await eraser.delete(*SPAN)
        assert (len(opened), double.asked) == (1, 1)
        await eraser.close()
        with pytest.raises(RuntimeError):
            await opened[0].get("/ping")
        await eraser.delete(*SPAN)
        assert (len(opened), double.asked) == (2, 2)


async def test_double_of_2_8_that_comes_back_gets_a_new_connection(opened: list[InfluxHttp]) -> None:
    """A failure ends the connection: what comes back may be another version with another certificate."""
    async with serving("2.8") as double:
        settings = InfluxSettings(url=double.url)
        eraser = Eraser(settings)
        await eraser.delete(*SPAN)
    with pytest.raises(ServerFault):
        await eraser.delete(*SPAN)
    with pytest.raises(RuntimeError):
        await opened[0].get("/ping")
    async with serving("2.8", int(double.url.rsplit(":", 1)[1])) as back:
        await eraser.delete(*SPAN)
        assert (len(opened), back.asked) == (2, 1)
        await eraser.close()


async def test_double_of_2_8_away_keeps_the_erasure_waiting() -> None:
    """A server that is away is no missing bucket."""
    async with serving("2.8") as gone:
        settings = InfluxSettings(url=gone.url)
    sink = InfluxSink(settings)
    with pytest.raises(SinkUnavailable, match="no connection"):
        await sink.delete(*SPAN)
    await sink.close()


async def test_double_of_2_8_is_deleted_from_by_a_sink_on_one_connection(opened: list[InfluxHttp]) -> None:
    """A drain that meets hundreds of erasures sets up TLS once, and the sink's end closes it."""
    async with serving("2.8") as double:
        sink = InfluxSink(InfluxSettings(url=double.url))
        for _ in range(3):
            await sink.delete(*SPAN)
        await sink.close()
        assert len(opened) == 1
        with pytest.raises(RuntimeError):
            await opened[0].get("/ping")
