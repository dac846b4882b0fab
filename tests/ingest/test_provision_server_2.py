"""Provisioning a real 2.x: what is there afterwards, who may do what, and what its tasks compute."""

import time
import urllib.parse
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from decoders.quantity import Privacy
from ingest import check_influx
from ingest.influx import InfluxSink
from ingest.influxdb.provision_plan import READER, READERS, WRITER, ProvisionError
from ingest.replay.influx import from_influx
from ingest.replay.read_back import CannotReadBack
from ingest.settings import InfluxSettings, given
from ingest.sink import SinkUnavailable
from tests.doubles.influxd import Answer, Running2
from tests.ingest.provisioning import provision

pytestmark = pytest.mark.influxd(release="2")

HOUR_MS = 3_600_000
WAIT_S = 60.0
KEPT_DAYS = {
    "stadtfunk_open": 0,
    "stadtfunk_internal": 365,
    "stadtfunk_personal": 30,
    "stadtfunk_open_hourly": 1830,
    "stadtfunk_internal_hourly": 1830,
    "stadtfunk_open_daily": 0,
    "stadtfunk_internal_daily": 0,
}
WINTER = datetime(2025, 10, 26, tzinfo=UTC)
"""The day on which Berlin's clocks went back; it began at 22:00 UTC of the day before and had 25 hours."""
DOUBTFUL = """
environment,dev_eui=a,asset=s,channel=x air_temperature=60,air_temperature_quality=2 {0}
environment,dev_eui=a,asset=s,channel=x air_temperature=10 {1}
environment,dev_eui=a,asset=s,channel=x air_temperature=13 {2}
environment,dev_eui=a,asset=s,channel=x precipitation=3,precipitation_quality=4 {0}
environment,dev_eui=a,asset=s,channel=x precipitation=1 {1}
environment,dev_eui=a,asset=s,channel=x precipitation=9,precipitation_quality=2 {2}
environment,dev_eui=a,asset=s,channel=x wind_gust=9,wind_gust_quality=8 {2}
asset,asset=l,district=d,kind=lot free=3 {0}
asset,asset=l,district=d,kind=lot free=5 {1}
"""
SELECT = 'SELECT "{}" FROM "{}" GROUP BY *'


def settings_of(
    server: Running2, secret: str = "", more: Mapping[str, object] = MappingProxyType({})
) -> InfluxSettings:
    """Settings with this token, or the administrator's."""
    given = {"url": server.url, "token": secret or server.token, "organisation": server.organisation}
    return InfluxSettings.model_validate({**given, **more})


def listed(server: Running2, kind: str) -> list[Answer]:
    """What the organisation has of a kind, without the server's own buckets."""
    organisation = urllib.parse.urlencode({"org": server.organisation, "limit": 100})
    found: list[Answer] = server.ask("GET", f"/{kind}?{organisation}")[kind]
    return [item for item in found if not str(item.get("name", "")).startswith("_")]


def retention(server: Running2) -> dict[str, tuple[int, int]]:
    """Days kept and days of a shard by bucket."""
    rules = {item["name"]: item["retentionRules"][0] for item in listed(server, "buckets")}
    return {
        name: (rule["everySeconds"] // 86_400, rule["shardGroupDurationSeconds"] // 86_400)
        for name, rule in rules.items()
    }


def rights(server: Running2) -> dict[str, set[str]]:
    """What each authorization may do, and in which bucket."""
    return {
        item["description"]: {
            f"{permission['action']} {permission['resource'].get('name', 'any')}" for permission in item["permissions"]
        }
        for item in listed(server, "authorizations")
    }


def run_task(server: Running2, name: str, at: datetime) -> None:
    """Have a task run as if it were that time, and wait until it is done."""
    task = next(item["id"] for item in listed(server, "tasks") if item["name"] == name)
    run = server.ask("POST", f"/tasks/{task}/runs", {"scheduledFor": f"{at:%Y-%m-%dT%H:%M:%SZ}"})["id"]
    deadline = time.monotonic() + WAIT_S
    status = ""
    while status not in {"success", "failed"} and time.monotonic() < deadline:
        time.sleep(0.1)
        with suppress(AssertionError):  # between its end and its record it is not found
            status = server.ask("GET", f"/tasks/{task}/runs/{run}")["status"]
    assert status == "success", server.ask("GET", f"/tasks/{task}/runs/{run}/logs")


async def test_everything_is_made_once(organisation_2: Running2) -> None:
    """Buckets with their retention, active tasks, least rights; a second run has nothing to do."""
    done, tokens = await provision(settings_of(organisation_2), readers=READERS)
    assert len(done) == 7 + 34 + 1 + len(READERS)
    assert tokens.keys() == {WRITER, *READERS}
    assert {name: days for name, (days, _) in retention(organisation_2).items()} == KEPT_DAYS
    tasks = listed(organisation_2, "tasks")
    assert len(tasks) == 34
    assert {(item["status"], item["offset"]) for item in tasks} == {("active", "1m")}
    found = rights(organisation_2)
    assert found[WRITER] == {f"write stadtfunk_{name}" for name in ("open", "internal", "personal")}
    assert found[f"{READER}_personal"] == {"read stadtfunk_personal"}
    assert found[f"{READER}_open"] == {f"read {name}" for name in KEPT_DAYS if "open" in name}
    assert found[READER] == {f"read {name}" for name in KEPT_DAYS if "personal" not in name}
    assert await provision(settings_of(organisation_2), readers=READERS) == ([], {})


async def test_points_are_kept_shorter_and_longer(organisation_2: Running2) -> None:
    """The server takes every change, shards go with it, and what was edited is put back."""
    names = ("open", "internal", "personal", "hourly", "daily")
    for days in (1, 10, 400):
        settings = settings_of(organisation_2, more={f"retention_{name}_days": days for name in names})
        assert (await provision(settings))[0]
        assert {kept for kept, _ in retention(organisation_2).values()} == {days}
        assert all(shard <= days for _, shard in retention(organisation_2).values())
        assert await provision(settings) == ([], {})
    task, other, *_ = listed(organisation_2, "tasks")
    organisation_2.ask("PATCH", f"/tasks/{task['id']}", {"status": "inactive"})
    organisation_2.ask("PATCH", f"/tasks/{other['id']}", {"flux": f"{other['flux']}// edited\n"})
    done, _ = await provision(settings_of(organisation_2))
    assert sorted({step.split()[0] for step in done}) == ["bucket", "replace"]
    assert sum(step.startswith("replace") for step in done) == 2
    assert retention(organisation_2)["stadtfunk_open"] == (0, 7)
    assert retention(organisation_2)["stadtfunk_open_daily"] == (0, 364)


async def test_a_token_that_is_shown_no_authorizations_is_refused(organisation_2: Running2) -> None:
    """It would make the service another token with each run; the plan stops before anything is made."""
    identity = organisation_2.ask("GET", "/orgs")["orgs"][0]["id"]
    permissions = [
        {"action": action, "resource": {"type": kind, "orgID": identity}}
        for action in ("read", "write")
        for kind in ("authorizations", "buckets", "tasks")
    ]
    permissions.append({"action": "read", "resource": {"type": "orgs", "id": identity}})
    body = {"orgID": identity, "description": "no user", "permissions": permissions}
    token = organisation_2.ask("POST", "/authorizations", body)["token"]
    with pytest.raises(ProvisionError, match="not shown its own authorization; an administrator's token is needed"):
        await provision(settings_of(organisation_2, token))
    assert listed(organisation_2, "buckets") == []


async def test_another_bucket_comes_with_another_token(organisation_2: Running2) -> None:
    """The old one ends, the new one writes in the new bucket."""
    _, tokens = await provision(settings_of(organisation_2))
    moved = {"bucket_open": "elsewhere"}
    _, renewed = await provision(settings_of(organisation_2, more=moved))
    for token, refused in ((tokens[WRITER], True), (renewed[WRITER], False)):
        found = await check_influx.finding(given(influxdb=settings_of(organisation_2, token, more=moved).model_dump()))
        assert ("401" in found.text, found.level == "error") == (refused, refused), found


async def test_each_token_may_do_its_part_and_nothing_else(organisation_2: Running2) -> None:
    """The service's writes and deletes, reads nothing, provisions nothing; that of dashboards reads."""
    _, tokens = await provision(settings_of(organisation_2), readers={READER})
    now_ms = time.time_ns() // 1_000_000
    sink = InfluxSink(settings_of(organisation_2, tokens[WRITER]))
    for privacy in Privacy:
        assert await sink.write(privacy, b"link,dev_eui=a f_cnt=1 %d" % now_ms) == []
    await sink.delete(["link"], "a", 0, now_ms)
    await sink.close()
    other = InfluxSink(settings_of(organisation_2, tokens[WRITER], more={"bucket_open": "stadtfunk_open_daily"}))
    with pytest.raises(SinkUnavailable, match="403 insufficient permissions for write; give the token"):
        await other.write(Privacy.OPEN, b"link f_cnt=1 1000")
    await other.close()
    async with from_influx(settings_of(organisation_2, tokens[WRITER])) as read_back:
        with pytest.raises(CannotReadBack, match="may not read bucket stadtfunk_open"):
            await read_back(("link",), "a", 0, now_ms + 1)
    reader = Running2(organisation_2.url, tokens[READER], organisation_2.organisation)
    assert reader.query("SELECT f_cnt FROM link", "stadtfunk_internal") == [[now_ms, 1]]
    with pytest.raises(AssertionError, match="database not found"):
        reader.query("SELECT f_cnt FROM link", "stadtfunk_personal")
    for token in tokens.values():
        with pytest.raises(ProvisionError, match="an administrator's token is needed"):
            await provision(settings_of(organisation_2, token))


async def test_check_tells_what_would_refuse_a_write(organisation_2: Running2) -> None:
    """Organisation, token, rights, a missing bucket; each with what to do."""
    _, tokens = await provision(settings_of(organisation_2), readers={READER})
    cases: list[tuple[dict[str, object], str]] = [
        ({}, "InfluxDB 2, writes are allowed"),
        ({"token": "wrong"}, "401 unauthorized access; set influxdb.token"),
        ({"token": tokens[READER]}, "403 insufficient permissions to delete; give the token"),
        ({"organisation": ""}, "400 Please provide either orgID or org; set influxdb.organisation"),
        ({"organisation": "nowhere"}, '404 organization name "nowhere" not found'),
        ({"bucket_internal": "nope"}, "bucket nope is not there; `stadtfunk provision influxdb` makes it"),
    ]
    for changes, said in cases:
        influx = settings_of(organisation_2, tokens[WRITER], changes)
        found = await check_influx.finding(given(influxdb=influx.model_dump()))
        assert said in found.text
        assert found.level == ("error" if changes else "ok")


@pytest.mark.parametrize(
    ("interval", "begin", "at"),
    [
        ("hourly", WINTER + timedelta(hours=7), WINTER + timedelta(hours=9)),
        ("daily", WINTER - timedelta(hours=2), WINTER + timedelta(days=2)),
    ],
    ids=["hourly", "daily"],
)
async def test_a_task_computes_what_is_documented(
    organisation_2: Running2, interval: str, begin: datetime, at: datetime
) -> None:
    """Doubtful values are left out but for resets, every tag stays, a day is the city's, the next one is not in."""
    settings = settings_of(organisation_2)
    await provision(settings)
    length_ms = (25 if interval == "daily" else 1) * HOUR_MS
    begin_ms = int(begin.timestamp()) * 1000
    lines = DOUBTFUL.format(begin_ms, begin_ms + 1000, begin_ms + length_ms - 1)
    late = f"environment,dev_eui=a,asset=s,channel=x air_temperature=-5 {begin_ms + length_ms}"
    sink = InfluxSink(settings)
    assert await sink.write(Privacy.OPEN, f"{lines}{late}".encode()) == []
    await sink.close()
    for measurement in ("environment", "asset"):
        for _ in range(2):
            run_task(organisation_2, f"stadtfunk_open_{measurement}_{interval}", at)
    bucket = f"stadtfunk_open_{interval}"

    def found(field: str, measurement: str = "environment") -> list[list[object]]:
        return [row for row in organisation_2.query(SELECT.format(field, measurement), bucket) if row[1] is not None]

    assert found("air_temperature") == [[begin_ms, 11.5], [begin_ms + length_ms, -5]]
    assert found("precipitation") == [[begin_ms, 4]]
    assert found("wind_gust") == []
    assert found("free", "asset") == [[begin_ms, 4]]
    for measurement in ("environment", "asset"):
        tags = f"SHOW TAG KEYS FROM {measurement}"
        assert organisation_2.query(tags, bucket) == organisation_2.query(tags, "stadtfunk_open")
