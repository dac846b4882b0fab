"""Provisioning a real InfluxDB 1.8.10."""

import asyncio
import csv
import io
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from pydantic import SecretStr

from decoders.quantity import Privacy
from ingest.influx import InfluxSink
from ingest.influxdb.downsampling import HOURLY, Downsampling, flux_task
from ingest.influxdb.provision import provisioner
from ingest.influxdb.provision_plan import READER, WRITER, ProvisionError, wanted
from ingest.settings import InfluxSettings
from ingest.sink import SinkUnavailable
from tests.doubles.influxd import Influxd
from tests.ingest.provisioning import BERLIN, provision

HOUR_MS = 3_600_000
WAIT_S = 90.0
pytestmark = pytest.mark.influxd(process=True)


@pytest.fixture
def settings(guarded_influxd: Influxd) -> Iterator[InfluxSettings]:
    """Settings with the administrator's token; what provisioning made is removed again."""
    yield InfluxSettings(url=guarded_influxd.url, token=SecretStr(guarded_influxd.token))
    for user in (WRITER, READER):
        if [user, False] in guarded_influxd.query("SHOW USERS"):
            guarded_influxd.query(f"DROP USER {user}")
    for (database,) in guarded_influxd.query("SHOW DATABASES"):
        if str(database).startswith("stadt"):
            guarded_influxd.query(f'DROP DATABASE "{database}"')


async def test_a_new_server_gets_everything_once(guarded_influxd: Influxd, settings: InfluxSettings) -> None:
    """A second run finds nothing to do; databases, retention and continuous queries are there."""
    done, tokens = await provision(settings)
    assert len(done) == len(set(done)) == 7 + 34 + 1
    assert tokens.keys() == {WRITER}
    assert await provision(settings) == ([], {})
    kept = {
        name: guarded_influxd.query(f'SHOW RETENTION POLICIES ON "stadtfunk_{name}"')[0][1]
        for name in ("open", "internal", "personal", "open_hourly", "internal_daily")
    }
    assert kept == {
        "open": "0s",
        "internal": "8760h0m0s",
        "personal": "720h0m0s",
        "open_hourly": "43920h0m0s",
        "internal_daily": "0s",
    }


async def test_hourly_and_daily_values_may_be_kept_for_days(settings: InfluxSettings) -> None:
    """Shorter than a shard of them would be otherwise; a shard longer than points are kept is refused."""
    shortly = settings.model_copy(update={"retention_hourly_days": 3, "retention_daily_days": 10})
    await provision(shortly)
    assert await provision(shortly) == ([], {})
    assert len((await provision(settings))[0]) == 4
    assert len((await provision(shortly))[0]) == 4


async def test_a_dry_run_changes_nothing(guarded_influxd: Influxd, settings: InfluxSettings) -> None:
    """The plan is the one that a run would carry out, and the server is as before."""
    before = guarded_influxd.query("SHOW DATABASES")
    async with provisioner(settings, wanted(settings, BERLIN)) as found:
        planned = [step.describe() for step in found.plan.steps]
    assert guarded_influxd.query("SHOW DATABASES") == before
    assert (await provision(settings))[0] == planned


async def test_the_writer_can_write_and_delete_and_nothing_else(
    guarded_influxd: Influxd, settings: InfluxSettings
) -> None:
    """Least rights: the token works for the sink, and reads nothing."""
    _, tokens = await provision(settings)
    sink = InfluxSink(settings.model_copy(update={"token": SecretStr(tokens[WRITER])}))
    for privacy in Privacy:
        assert await sink.write(privacy, b"link,dev_eui=a f_cnt=1 %d" % (time.time_ns() // 1_000_000)) == []
    await sink.delete(["link"], "a", 0, 2**42)
    await sink.close()
    other = InfluxSink(
        settings.model_copy(update={"token": SecretStr(tokens[WRITER]), "bucket_open": "stadtfunk_open_daily"})
    )
    with pytest.raises(SinkUnavailable, match="403"):
        await other.write(Privacy.OPEN, b"link f_cnt=1 1000")
    await other.close()
    grants = guarded_influxd.query(f"SHOW GRANTS FOR {WRITER}")
    assert sorted(map(str, grants)) == [f"['stadtfunk_{name}', 'WRITE']" for name in ("internal", "open", "personal")]


async def test_other_rights_are_set_right_again(guarded_influxd: Influxd, settings: InfluxSettings) -> None:
    """A right too many is revoked, a missing one granted, and the password stays; the reader reads nothing personal."""
    await provision(settings, readers={READER})
    guarded_influxd.query(f"REVOKE ALL ON stadtfunk_open FROM {WRITER}")
    guarded_influxd.query(f"GRANT ALL ON stadtfunk_internal TO {WRITER}")
    guarded_influxd.query(f"GRANT READ ON stadtfunk_open_daily TO {WRITER}")
    done, tokens = await provision(settings)
    assert (len(done), tokens) == (1, {})
    assert await provision(settings, readers={READER}) == ([], {})
    rights = {str(database): right for database, right in guarded_influxd.query(f"SHOW GRANTS FOR {WRITER}")}
    assert {right for right in rights.values() if right != "NO PRIVILEGES"} == {"WRITE"}
    assert rights["stadtfunk_open"] == rights["stadtfunk_internal"] == "WRITE"
    readable = {database for database, right in guarded_influxd.query(f"SHOW GRANTS FOR {READER}") if right == "READ"}
    assert "stadtfunk_open_hourly" in readable
    assert "stadtfunk_personal" not in readable


async def test_an_administrator_named_like_the_service_keeps_its_rights(
    guarded_influxd: Influxd, settings: InfluxSettings
) -> None:
    """It may be the only one there is: it is left alone and spoken of."""
    guarded_influxd.query(f"CREATE USER {WRITER} WITH PASSWORD 'x' WITH ALL PRIVILEGES")
    async with provisioner(settings, wanted(settings, BERLIN)) as found:
        assert not any("access" in step.describe() for step in found.plan.steps)
        assert "administrator" in found.plan.notes[0]
    guarded_influxd.query(f"DROP USER {WRITER}")


async def test_another_retention_is_altered(guarded_influxd: Influxd, settings: InfluxSettings) -> None:
    """In both directions, also where the database has a default policy of another name."""
    guarded_influxd.query('CREATE DATABASE stadtfunk_open WITH DURATION 10d NAME "ten"')
    guarded_influxd.query("CREATE DATABASE stadtfunk_personal")
    done, _ = await provision(settings)
    assert any("stadtfunk_open: keep points for ever instead of 10 days" in step for step in done)
    assert any("stadtfunk_personal: keep points 30 days instead of for ever; OLDER" in step for step in done)
    assert guarded_influxd.query("SHOW RETENTION POLICIES ON stadtfunk_open")[0][:2] == ["ten", "0s"]
    assert await provision(settings) == ([], {})


async def test_policies_of_one_database_are_provisioned(guarded_influxd: Influxd, settings: InfluxSettings) -> None:
    """`database/policy` makes the policy, in a database that another class may have made."""
    shared = settings.model_copy(update={"bucket_open": "stadt/open", "bucket_internal": "stadt/internal"})
    await provision(shared)
    assert await provision(shared) == ([], {})
    policies = [name for name, *_ in guarded_influxd.query("SHOW RETENTION POLICIES ON stadt")]
    assert sorted(map(str, policies)) == ["internal", "open"]


async def test_a_changed_downsampling_is_replaced(guarded_influxd: Influxd, settings: InfluxSettings) -> None:
    """Another time zone makes other days."""
    await provision(settings)
    async with provisioner(settings, wanted(settings, "Europe/Lisbon")) as found:
        assert len(found.plan.steps) == 34
        await found.run(lambda _: None, lambda *_: None)
    async with provisioner(settings, wanted(settings, "Europe/Lisbon")) as found:
        assert found.plan.steps == ()


async def test_without_authentication_no_user_is_made(influxdb: Influxd) -> None:
    """A user would protect nothing there; that is said."""
    settings = InfluxSettings(
        url=influxdb.url, bucket_open="stadt_a", bucket_internal="stadt_b", bucket_personal="stadt_c"
    )
    async with provisioner(settings, wanted(settings, BERLIN)) as found:
        assert not any("access" in step.describe() for step in found.plan.steps)
        assert "authentication is off" in found.plan.notes[0]


@pytest.mark.parametrize("token", ["", "nobody:x"])
async def test_without_an_administrator_nothing_is_done(settings: InfluxSettings, token: str) -> None:
    """The error says whose token is needed."""
    with pytest.raises(ProvisionError, match=r"401 .*administrator"):
        await provision(settings, token)


async def test_the_services_own_user_is_no_administrator(settings: InfluxSettings) -> None:
    """Its rights do not reach so far."""
    _, tokens = await provision(settings)
    with pytest.raises(ProvisionError, match=r"403 .*administrator"):
        await provision(settings, tokens[WRITER])


def raw_lines(first_ms: int) -> bytes:
    """Readings in one interval: three sound ones, and doubtful ones that would change every figure."""
    values = ((10.0, 5, 20, 100), (20.0, 7, 80, 107), (30.0, 0, 50, 111))
    lines = [
        b"traffic,asset=x,dev_eui=a air_temperature=%f,vehicle_count=%d,fill_level=%d,pulse_count_total=%d %d"
        % (*row, first_ms + number * 600_000)
        for number, row in enumerate(values)
    ]
    doubtful = (
        "air_temperature=99,air_temperature_quality=1,vehicle_count=1000,vehicle_count_quality=3",
        "fill_level=100,fill_level_quality=3,vehicle_count=4,vehicle_count_quality=4",
        "pulse_count_total=999,pulse_count_total_quality=5,air_temperature=20",
    )
    for number, text in enumerate(doubtful):
        lines.append(f"traffic,asset=x,dev_eui=a {text} {first_ms + 1_900_000 + number * 60_000}".encode())
    lines.append(b"traffic,asset=y,dev_eui=b air_temperature=99,air_temperature_quality=2 %d" % first_ms)
    return b"\n".join(lines)


EXPECTED = [20, 16, 80, 111]
SELECT = "SELECT air_temperature, vehicle_count, fill_level, pulse_count_total, asset FROM traffic"


async def test_continuous_queries_compute_hours_and_days_of_the_city(
    guarded_influxd: Influxd, settings: InfluxSettings
) -> None:
    """Mean, sum, highest and last sound value, under the same names and tags; a day begins at the city's midnight.

    A bucket of its own: the server remembers by name when a query ran last, and runs a new one at once.
    """
    now = datetime.now(UTC)
    hour_ms = int(now.timestamp()) // 3600 * HOUR_MS - 2 * HOUR_MS
    local = now.astimezone(ZoneInfo(BERLIN)).date() - timedelta(days=2)
    midnight = datetime(local.year, local.month, local.day, tzinfo=ZoneInfo(BERLIN))
    day_ms = int(midnight.timestamp()) * 1000
    guarded_influxd.create("stadt_sums")
    settings = settings.model_copy(update={"bucket_open": "stadt_sums"})
    sink = InfluxSink(settings)
    for first_ms in (hour_ms, day_ms):
        assert await sink.write(Privacy.OPEN, raw_lines(first_ms)) == []
    await sink.close()
    await provision(settings)
    async with asyncio.timeout(WAIT_S):
        for database, first_ms in (("stadt_sums_hourly", hour_ms), ("stadt_sums_daily", day_ms)):
            while [first_ms, *EXPECTED, "x"] not in guarded_influxd.query(SELECT, database):
                await asyncio.sleep(0.2)
            assert all(row[-1] == "x" for row in guarded_influxd.query(SELECT, database))


async def test_the_flux_of_a_task_computes_the_same(guarded_influxd: Influxd, settings: InfluxSettings) -> None:
    """Run by the real 1.8.10's older Flux, which has no time zones and no tasks: those parts are left out."""
    guarded_influxd.create("stadtfunk_open")
    sink = InfluxSink(settings)
    first_ms = int(time.time()) // 3600 * HOUR_MS - 2 * HOUR_MS
    await sink.write(Privacy.OPEN, raw_lines(first_ms))
    await sink.close()
    task = flux_task(Downsampling("traffic", "stadtfunk_open/autogen", "x", HOURLY, Privacy.OPEN, BERLIN))
    task = re.sub(r'(?m)^(import "timezone"|option .*)$', "", task)
    task = re.sub(r"range\(start: .*\)\)", "range(start: -3d)", task)
    task = re.sub(r"\n *\|> to\(bucket: .*\)", "", task)
    headers = {"Authorization": f"Token {guarded_influxd.token}", "Content-Type": "application/vnd.flux"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{guarded_influxd.url}/api/v2/query", data=task) as answer,
    ):
        tables = re.sub(r"(?m)^#.*\r\n", "", await answer.text()).split("\r\n\r\n")
    rows = [row for table in tables for row in csv.DictReader(io.StringIO(table.strip()))]
    fields = ("air_temperature", "vehicle_count", "fill_level", "pulse_count_total")
    found = {row["_field"]: float(row["_value"]) for row in rows}
    assert [found[field] for field in fields] == EXPECTED
    instant = datetime.fromtimestamp(first_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert {row["_time"] for row in rows} == {instant}
