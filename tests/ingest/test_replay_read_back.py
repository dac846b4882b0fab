"""What stands where a replay will write: read on one connection, or said why it cannot be."""

from collections.abc import Iterator, Sequence

import pytest
from pydantic import SecretStr

from decoders.quantity import Privacy
from ingest.influx import InfluxSink
from ingest.influxdb.http import InfluxHttp
from ingest.replay.erasure import Erasure
from ingest.replay.influx import from_influx
from ingest.replay.read_back import CannotReadBack, Points
from ingest.replay.spool import Slice
from ingest.replay.tally import Step, Tally
from ingest.settings import InfluxSettings
from tests.doubles.influx import Release, serving
from tests.doubles.influxd import Influxd

ASKED = (("device", "parking"), "a1", 1000, 2000)
LINES = b'parking,dev_eui=a1,model=m occupied=1,text="x y" 1500\nparking,dev_eui=b1 occupied=0 1500'
POINTS = {("parking,dev_eui=a1,model=m", 1500): {"occupied": 1, "text": "x y"}}
STEP = Step(
    "a1",
    Slice(1000, 2000, {privacy: [] for privacy in Privacy}, 0),
    ("parking",),
    (Erasure("a1", ("parking",), 1000, 2000),),
)


@pytest.fixture
def database(guarded_influxd: Influxd) -> Iterator[str]:
    """A database with a reader and a writer."""
    guarded_influxd.create("read_back")
    for name, right in (("reader", "READ"), ("writer", "WRITE")):
        guarded_influxd.query(f"CREATE USER {name} WITH PASSWORD 's3cret'")
        guarded_influxd.query(f"GRANT {right} ON read_back TO {name}")
    yield "read_back"
    for name in ("reader", "writer"):
        guarded_influxd.query(f"DROP USER {name}")
    guarded_influxd.drop("read_back")


def of_1_8(server: Influxd, database: str, token: str) -> InfluxSettings:
    """All classes in one database."""
    names = {f"bucket_{privacy}": database for privacy in ("open", "internal", "personal")}
    return InfluxSettings(url=server.url, token=SecretStr(token), **names)


@pytest.mark.influxd(process=True)
async def test_who_may_read_sees_the_points_and_who_may_only_write_is_told(
    guarded_influxd: Influxd, database: str
) -> None:
    """The service's user cannot read: one line says so, which bucket and what to do, without the password."""
    writer, reader = (of_1_8(guarded_influxd, database, f"{name}:s3cret") for name in ("writer", "reader"))
    sink = InfluxSink(writer)
    await sink.write(Privacy.OPEN, LINES)
    await sink.close()
    async with from_influx(reader) as read_back:
        assert await read_back(*ASKED) == POINTS
        assert await read_back(("waste",), *ASKED[1:]) == {}
    async with from_influx(writer) as read_back:
        with pytest.raises(CannotReadBack, match=r"may not read bucket read_back; .*INFLUXDB__TOKEN") as refusal:
            await read_back(*ASKED)
    assert "\n" not in str(refusal.value)
    assert "s3cret" not in str(refusal.value)


@pytest.mark.influxd(process=True)
async def test_a_wrong_password_and_a_missing_database_are_told(guarded_influxd: Influxd, database: str) -> None:
    """Neither counts as a database without points."""
    cases = [(database, "reader:wrong", "may not read"), ("nope", guarded_influxd.token, "database not found: nope")]
    for name, token, said in cases:
        async with from_influx(of_1_8(guarded_influxd, name, token)) as read_back:
            with pytest.raises(CannotReadBack, match=said):
                await read_back(*ASKED)


@pytest.mark.parametrize("release", ["2.7", "2.8"])
async def test_double_of_2_that_shows_a_writer_nothing_is_not_believed(release: Release) -> None:
    """2.8 shows an empty bucket to a token that may not read, 2.7 none; both times it is told that it may not."""
    async with serving(release) as double:
        double.token = "admin"
        double.buckets["stadtfunk_open"]["parking", (("dev_eui", "a1"), ("model", "m")), 1500] = {"occupied": 1.0}
        for name, action in (("w", "write"), ("r", "read")):
            permissions = [
                {"action": action, "resource": {"id": double.resources.bucket_id(bucket)}} for bucket in double.buckets
            ]
            double.resources.authorizations[name] = {"token": name, "status": "active", "permissions": permissions}
        async with from_influx(InfluxSettings(url=double.url, token=SecretStr("r"))) as read_back:
            assert await read_back(*ASKED) == {("parking,dev_eui=a1,model=m", 1500): {"occupied": 1.0}}
        async with from_influx(InfluxSettings(url=double.url, token=SecretStr("w"))) as read_back:
            with pytest.raises(CannotReadBack, match=r"may not read bucket stadtfunk_open; .*or there is no such"):
                await read_back(*ASKED)


async def test_double_of_2_8_is_read_on_one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many devices are asked for."""
    opened: list[InfluxHttp] = []
    open_one = InfluxHttp.open

    async def watched(self: InfluxHttp) -> None:
        opened.append(self)
        await open_one(self)

    monkeypatch.setattr(InfluxHttp, "open", watched)
    async with serving("2.8") as double, from_influx(InfluxSettings(url=double.url)) as read_back:
        for _ in range(3):
            assert await read_back(*ASKED) == {}
    assert len(opened) == 1


async def test_nobody_is_asked_twice_for_what_cannot_be_read() -> None:
    """A server that is away is told once, first of all remarks, and the counts are not known; lines are."""
    asked: list[str] = []

    async def read_back(_: Sequence[str], dev_eui: str, __: int, ___: int) -> Points:
        asked.append(dev_eui)
        raise CannotReadBack("InfluxDB is away")

    tally = Tally(remarks=["another"])
    for _ in range(2):
        tally.count(STEP._replace(slice=STEP.slice._replace(total=5)), await tally.look(STEP, read_back))
    assert asked == ["a1"]
    assert tally.remarks == [
        "what was there before is not known, so changes are not counted: InfluxDB is away",
        "another",
    ]
    assert tally.counts() == {"lines": 10, "points_before": None, "points_after": None, "readings_changed": None}
