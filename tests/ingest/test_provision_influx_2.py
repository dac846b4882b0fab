"""Provisioning a double of 2.x that keeps state, and servers that cannot be provisioned."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from decoders.quantity import Privacy
from ingest.influx import InfluxSink
from ingest.influxdb.downsampling import DAILY, HOURLY
from ingest.influxdb.provision import provisioner
from ingest.influxdb.provision_2 import PAGE
from ingest.influxdb.provision_plan import READER, WRITER, ProvisionError, Step, Wanted, wanted
from ingest.settings import InfluxSettings
from tests.doubles.influx import InfluxDouble, Release, Scripted, serving
from tests.ingest.provisioning import BERLIN, provision

ADMIN = "admin"
DAYS = ("open", "internal", "personal", "hourly", "daily")
"""What has a retention of its own."""


@pytest.fixture
async def double() -> AsyncIterator[InfluxDouble]:
    """A 2.8 that is set up and empty."""
    async with serving("2.8", buckets={}) as double:
        double.token = "admin"
        double.resources.organisation = "stadt"
        yield double


def settings_of(double: InfluxDouble, token: str = ADMIN) -> InfluxSettings:
    """Settings with the administrator's token."""
    return InfluxSettings(url=double.url, token=SecretStr(token), organisation="stadt")


async def test_double_of_2_8_gets_everything_once(double: InfluxDouble) -> None:
    """Buckets with retention, tasks and an authorization; a second run changes nothing."""
    done, tokens = await provision(settings_of(double))
    assert len(done) == 7 + 34 + 1
    assert {name: seconds // 86_400 for name, seconds in double.resources.kept_s.items()}["stadtfunk_personal"] == 30
    assert len(double.resources.tasks) == 34
    assert all("createEmpty: false" in task["flux"] for task in double.resources.tasks.values())
    changes = len(double.resources.changes)
    assert await provision(settings_of(double)) == ([], {})
    assert len(double.resources.changes) == changes
    sink = InfluxSink(settings_of(double, tokens[WRITER]))
    assert await sink.write(Privacy.OPEN, b"environment,dev_eui=a value=1 1000") == []
    await sink.delete(["environment"], "a", 0, 5000)
    await sink.close()
    assert double.buckets["stadtfunk_open"] == {}


async def test_double_of_2_8_is_only_looked_at_by_a_dry_run(double: InfluxDouble) -> None:
    """Nothing but GET."""
    settings = settings_of(double)
    async with provisioner(settings, wanted(settings, BERLIN)) as found:
        assert len(found.plan.steps) == 42
    assert double.resources.changes == []
    assert double.buckets == {}


async def test_double_of_2_8_gives_the_writer_its_buckets_only(double: InfluxDouble) -> None:
    """Permissions name the three buckets by id; a token with others is replaced by a new one."""
    _, tokens = await provision(settings_of(double), readers={READER})
    resources = double.resources
    assert resources.allows(tokens[WRITER], "write", "stadtfunk_personal")
    assert not resources.allows(tokens[WRITER], "read", "stadtfunk_open")
    assert not resources.allows(tokens[WRITER], "write", "stadtfunk_open_daily")
    assert resources.allows(tokens[READER], "read", "stadtfunk_open_daily")
    assert not resources.allows(tokens[READER], "read", "stadtfunk_personal")
    for item in resources.authorizations.values():
        if item["description"] == WRITER:
            item["permissions"].append({"action": "write", "resource": {"type": "orgs"}})
    done, renewed = await provision(settings_of(double), readers={READER})
    assert len(done) == 1
    assert renewed.keys() == {WRITER}
    assert not resources.allows(tokens[WRITER], "write", "stadtfunk_open")
    assert resources.allows(renewed[WRITER], "write", "stadtfunk_open")


async def test_double_of_2_8_replaces_a_token_that_was_switched_off(double: InfluxDouble) -> None:
    """An inactive authorization is as good as none."""
    _, tokens = await provision(settings_of(double))
    for item in double.resources.authorizations.values():
        item["status"] = "inactive"
    _, renewed = await provision(settings_of(double))
    assert double.resources.allows(renewed[WRITER], "write", "stadtfunk_open")
    assert not double.resources.allows(tokens[WRITER], "write", "stadtfunk_open")


async def test_double_of_2_8_gets_other_retention_and_tasks_set_right(double: InfluxDouble) -> None:
    """A task that was edited or paused is put back, a bucket keeps its points as long as set."""
    await provision(settings_of(double))
    double.resources.kept_s["stadtfunk_internal"] = 0
    first, second, *_ = double.resources.tasks.values()
    first["flux"] += "// edited"
    second["status"] = "inactive"
    done, _ = await provision(settings_of(double))
    assert [step.split()[0] for step in done] == ["bucket", "replace", "replace"]
    assert double.resources.kept_s["stadtfunk_internal"] == 365 * 86_400
    assert len(double.resources.tasks) == 34
    assert {task["status"] for task in double.resources.tasks.values()} == {"active"}
    assert await provision(settings_of(double)) == ([], {})


async def test_double_of_2_8_with_many_tasks_is_read_to_the_end(double: InfluxDouble) -> None:
    """Ours may stand behind a page of other people's."""
    for number in range(PAGE * 2):
        double.resources.tasks[f"{number:016x}"] = {"id": f"{number:016x}", "name": f"t{number}", "status": "active"}
    double.resources.numbers = iter(range(10_000, 20_000))  # type: ignore[assignment]  # counts as count does
    await provision(settings_of(double))
    assert await provision(settings_of(double)) == ([], {})


@pytest.mark.parametrize(
    ("organisation", "set_up", "token", "said"),
    [
        ("stadt", False, "admin", "not set up yet: run `influx setup`"),
        ("", True, "admin", "set influxdb.organisation"),
        ("dorf", True, "admin", r"organisation 'dorf' not found; set influxdb\.organisation$"),
        ("stadt", True, "wrong", "401 unauthorized access.*administrator"),
    ],
)
async def test_double_of_2_8_that_cannot_be_provisioned_says_what_to_do(
    double: InfluxDouble, organisation: str, set_up: bool, token: str, said: str
) -> None:
    """Not set up, no or an unknown organisation, a wrong token."""
    double.resources.set_up = set_up
    settings = InfluxSettings(url=double.url, organisation=organisation)
    with pytest.raises(ProvisionError, match=said):
        await provision(settings, token)
    assert double.buckets == {}


async def test_double_of_2_8_tells_who_is_no_administrator(double: InfluxDouble) -> None:
    """The service's own token is shown no organisation; a lack of rights told with 500 is one, too."""
    _, tokens = await provision(settings_of(double))
    with pytest.raises(ProvisionError, match="not shown the organisation 'stadt'; an administrator's token is needed"):
        await provision(settings_of(double, tokens[WRITER]))
    identity, task = next(iter(double.resources.tasks.items()))
    task["flux"] += "// edited"
    double.resources.refuse = f"/api/v2/tasks/{identity}"
    double.resources.refusal = "failed to update task: unauthorized"
    with pytest.raises(ProvisionError, match="500 failed to update task: unauthorized; an administrator's token"):
        await provision(settings_of(double))


async def test_double_of_2_8_that_shows_no_authorizations_gets_none(double: InfluxDouble) -> None:
    """Else each run would make the service another token."""
    double.resources.blind = True
    with pytest.raises(ProvisionError, match="not shown its own authorization; an administrator's token is needed"):
        await provision(settings_of(double))
    assert double.resources.changes == []


async def test_double_of_2_8_keeps_points_shorter_and_longer(double: InfluxDouble) -> None:
    """A shard is never longer than points are kept, and grows again with them; a second run has nothing to do."""
    resources = double.resources
    first = dict.fromkeys(DAYS, 1)
    for days in (first, dict.fromkeys(DAYS, 400), dict.fromkeys(DAYS, 20), {}):
        settings = settings_of(double).model_copy(
            update={f"retention_{name}_days": kept for name, kept in days.items()}
        )
        assert (await provision(settings))[0]
        assert await provision(settings) == ([], {})
        assert all(resources.shard_s[name] <= kept_s for name, kept_s in resources.kept_s.items() if kept_s)
        if days == first:
            assert set(resources.kept_s.values()) == {86_400}
    shards = {name.removeprefix("stadtfunk_"): shard_s // 86_400 for name, shard_s in resources.shard_s.items()}
    assert shards == {
        "open": 7,
        "internal": 7,
        "personal": 1,
        "open_hourly": 28,
        "internal_hourly": 28,
        "open_daily": 364,
        "internal_daily": 364,
    }


async def test_double_of_2_8_that_refuses_a_step_has_the_ones_before(double: InfluxDouble) -> None:
    """The error names the step, what was done is told all the same, and a second run does the rest."""
    settings = settings_of(double)
    what = wanted(settings, BERLIN)
    told: list[Step] = []
    async with provisioner(settings, what) as found:
        double.buckets[what.buckets[3].name] = {}
        with pytest.raises(ProvisionError, match=r"create bucket stadtfunk_open_hourly.*422 .*already exists"):
            await found.run(lambda _: None, lambda *_: None, told.extend)
    assert len(told) == 3
    assert len((await provision(settings))[0]) == 42 - 3


@pytest.mark.parametrize("release", ["3.0"])
async def test_double_of_3_is_told_what_it_cannot(release: Release) -> None:
    """3 Core has neither tasks nor retention by this interface."""
    async with serving(release) as double:
        with pytest.raises(ProvisionError, match=r"3 Core.*influxdb3 create database"):
            await provision(InfluxSettings(url=double.url))


async def test_double_that_hides_its_version_is_not_provisioned() -> None:
    """Nothing is guessed where things are created."""
    async with serving("2.8") as double:
        double.pings = [Scripted(204)]
        with pytest.raises(ProvisionError, match=r"set influxdb\.version"):
            await provision(InfluxSettings(url=double.url))


async def test_without_a_url_there_is_nothing_to_provision() -> None:
    """The setting is named."""
    with pytest.raises(ProvisionError, match=r"influxdb\.url is not set"):
        async with provisioner(InfluxSettings(), Wanted((), (), ())):
            pass


def test_hours_and_days_reach_over_a_long_weekend() -> None:
    """What arrives three days late still counts."""
    assert (HOURLY.back, DAILY.back) == ("3d", "4d")
