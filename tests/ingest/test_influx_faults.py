"""A real InfluxDB 1.8.10 with authentication, without rights, killed and started again: everything is stored once."""

import asyncio
import itertools
from collections.abc import Sequence

import pytest
from pydantic import SecretStr

from decoders.quantity import Privacy
from ingest.influx import InfluxSink
from ingest.settings import InfluxSettings
from ingest.sink import SinkUnavailable
from tests.doubles.influxd import Influxd
from tests.doubles.influxd_fixtures import StartInfluxd

pytestmark = pytest.mark.influxd(process=True)
BATCH, BATCHES = 200, 60
DATABASE = "stadtfunk_open"
WAIT_S = 200.0
NUMBERS = itertools.count()


def sink_of(server: Influxd, token: str, database: str = DATABASE) -> InfluxSink:
    """A sink that writes everything into one database."""
    names = dict.fromkeys(("bucket_open", "bucket_internal", "bucket_personal"), database)
    return InfluxSink(InfluxSettings(url=server.url, token=SecretStr(token) if token else None, timeout_s=30, **names))


def batch(number: int) -> bytes:
    """Numbered lines; no two batches share a point."""
    first = number * BATCH
    return b"\n".join(b"link,dev_eui=a f_cnt=%d %d" % (at, 1000 + at) for at in range(first, first + BATCH))


async def write_all(sink: InfluxSink, numbers: Sequence[int], written: asyncio.Event) -> int:
    """Write batch after batch, each as often as it takes; how often the server was away."""
    away = 0
    for number in numbers:
        while True:
            try:
                assert await sink.write(Privacy.OPEN, batch(number)) == []
                break
            except SinkUnavailable:
                away += 1
                await asyncio.sleep(0.05)
        written.set()
        await asyncio.sleep(0)
    return away


@pytest.mark.timeout(240)
async def test_a_server_killed_while_writing_has_everything_once(start_influxd: StartInfluxd) -> None:
    """SIGKILL and a start on the same folder, twice: what was answered is there, what was not comes again."""
    server = start_influxd()
    server.create(DATABASE)
    sink, written = sink_of(server, ""), asyncio.Event()
    async with asyncio.timeout(WAIT_S):
        writing = asyncio.create_task(write_all(sink, range(BATCHES), written))
        for _ in range(2):
            written.clear()
            await written.wait()
            server.kill()
            await asyncio.sleep(0.1)
            await asyncio.to_thread(server.start)
        away = await writing
    await sink.close()
    assert away > 0
    total = BATCH * BATCHES
    counted = server.query("SELECT count(f_cnt), sum(f_cnt), min(f_cnt), max(f_cnt) FROM link", DATABASE)
    assert counted[0][1:] == [total, total * (total - 1) // 2, 0, total - 1]
    assert server.query("SHOW SERIES", DATABASE) == [["link,dev_eui=a"]]


@pytest.fixture
def account(guarded_influxd: Influxd) -> str:
    """A name for a user of the test's own; a database of that name is there."""
    name = f"account_{next(NUMBERS)}"
    guarded_influxd.create(name)
    return name


async def test_a_wrong_password_makes_lines_wait_until_it_is_right(guarded_influxd: Influxd, account: str) -> None:
    """The reason says what to set, the password stays out of it, and nothing was lost meanwhile."""
    server = guarded_influxd
    server.query(f"CREATE USER {account} WITH PASSWORD 'another'")
    server.query(f"GRANT WRITE ON {account} TO {account}")
    sink = sink_of(server, f"{account}:s3cret", account)
    with pytest.raises(SinkUnavailable, match=r"401 .*set influxdb\.token \(1\.8: user:password\)") as caught:
        await sink.write(Privacy.OPEN, batch(0))
    assert "s3cret" not in str(caught.value)
    server.query(f"SET PASSWORD FOR {account} = 's3cret'")
    assert await sink.write(Privacy.OPEN, batch(0)) == []
    await sink.close()
    assert server.query("SELECT count(f_cnt) FROM link", account)[0][1] == BATCH


@pytest.mark.parametrize("token", ["", "nobody:nothing"])
async def test_no_user_is_told_to_become_one(guarded_influxd: Influxd, account: str, token: str) -> None:
    """Neither no token nor an unknown user loses a line."""
    server = guarded_influxd
    sink = sink_of(server, token, account)
    with pytest.raises(SinkUnavailable, match=r"401 .*set influxdb\.token"):
        await sink.write(Privacy.OPEN, batch(0))
    await sink.close()


async def test_a_user_without_rights_is_told_to_get_them(guarded_influxd: Influxd, account: str) -> None:
    """A right for another database is none."""
    server = guarded_influxd
    server.create(f"{account}_other")
    server.query(f"CREATE USER {account} WITH PASSWORD 's3cret'")
    server.query(f"GRANT ALL ON {account}_other TO {account}")
    sink = sink_of(server, f"{account}:s3cret", account)
    with pytest.raises(SinkUnavailable, match=r"403 .*give the token .* the right"):
        await sink.write(Privacy.OPEN, batch(0))
    await sink.close()


async def test_the_right_to_write_is_enough_to_write_and_to_delete(guarded_influxd: Influxd, account: str) -> None:
    """The service's user needs no READ, let alone ALL."""
    server = guarded_influxd
    server.query(f"CREATE USER {account} WITH PASSWORD 's3cret'")
    server.query(f"GRANT WRITE ON {account} TO {account}")
    sink = sink_of(server, f"{account}:s3cret", account)
    await sink.write(Privacy.OPEN, batch(0))
    await sink.delete(["link"], "a", 1000, 1000 + BATCH - 1)
    await sink.close()
    assert server.query("SELECT f_cnt FROM link", account) == [[1000 + BATCH - 1, BATCH - 1]]
