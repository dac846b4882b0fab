"""`stadtfunk provision influxdb`, as its users meet it: output, files, exit codes."""

import asyncio
import json
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from ingest import audit
from ingest.audit import Action
from ingest.commands.provision import Report, provision
from ingest.influxdb.provision_plan import WRITER
from ingest.journal import Journal
from ingest.settings import given, load
from tests.doubles.influx import InfluxDouble, serving

ADMIN = "admin"
PROGRAM = str(Path(sys.executable).with_name("stadtfunk"))
Answer = subprocess.CompletedProcess[str]
Run = Callable[..., Answer]


@pytest.fixture
async def double() -> AsyncIterator[InfluxDouble]:
    """A 2.8 that is set up and empty."""
    async with serving("2.8", buckets={}) as double:
        double.token = "admin"
        yield double


@pytest.fixture
def run(tmp_path: Path, double: InfluxDouble) -> Run:
    """Run the command against the double, with the administrator's token in the environment."""
    (tmp_path / "stadtfunk.toml").write_text(f'[influxdb]\nurl = "{double.url}"\norganisation = "stadt"\n')

    def call(*words: str, token: str | None = ADMIN) -> Answer:
        variables = {} if token is None else {"INFLUXDB_ADMIN_TOKEN": token}
        return subprocess.run(
            [PROGRAM, "provision", "influxdb", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, **variables},
            check=False,
        )

    return call


async def away(run: Run, *words: str, token: str | None = ADMIN) -> Answer:
    """Run the command beside the double's loop."""
    return await asyncio.to_thread(run, *words, token=token)


async def test_double_of_2_8_a_dry_run_shows_what_a_run_does(run: Run, double: InfluxDouble) -> None:
    """The same lines, and nothing changed before; the second run has nothing to do; the token is shown once."""
    planned = (await away(run, "--dry-run")).stdout.splitlines()
    assert double.resources.changes == []
    done = (await away(run)).stdout.splitlines()
    assert [line.removeprefix("would: ") for line in planned] == [
        line.removeprefix("done: ") for line in done if line.startswith("done: ")
    ]
    assert [line for line in done if not line.startswith("done: ")] == [
        f"token of {WRITER}, shown only now: {next(iter(double.resources.authorizations.values()))['token']}"
    ]
    assert (await away(run)).stdout == "nothing to do\n"


async def test_double_of_2_8_writes_tokens_into_files_of_our_own(run: Run, tmp_path: Path) -> None:
    """Mode 0600, the bare token, nothing of it on standard output."""
    writer, reader = tmp_path / "influxdb__token", tmp_path / "reader"
    answer = await away(run, "--token-file", str(writer), "--reader-token-file", str(reader), "--json")
    assert answer.returncode == 0
    said = json.loads(answer.stdout)
    assert said["tokens"] == {}
    assert said["token_files"] == {WRITER: str(writer), f"{WRITER}_reader": str(reader)}
    for file in (writer, reader):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text() not in answer.stdout + answer.stderr
    assert len({writer.read_text(), reader.read_text(), ""}) == 3


@pytest.mark.parametrize("place", ["there", "no/folder/token"])
async def test_double_of_2_8_makes_no_token_that_has_no_place(
    run: Run, tmp_path: Path, double: InfluxDouble, place: str
) -> None:
    """A file that is there, or cannot be made, is found before anything is changed, and is left as it was."""
    (tmp_path / "there").write_text("precious")
    answer = await away(run, "--token-file", place)
    assert answer.returncode == 1
    assert place in answer.stderr
    assert double.resources.changes == []
    assert (tmp_path / "there").read_text() == "precious"


async def test_double_of_2_8_that_refuses_halfway_leaves_no_empty_file(
    run: Run, tmp_path: Path, double: InfluxDouble
) -> None:
    """One line on standard error with step and reason; what was done is printed."""
    double.resources.refuse = "/api/v2/tasks"
    answer = await away(run, "--token-file", "token", "--json")
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "create hourly downsampling" in answer.stderr
    assert len(json.loads(answer.stdout)["steps"]) == 7
    assert not (tmp_path / "token").exists()


async def test_double_of_2_8_takes_the_administrators_token_from_a_file(run: Run, tmp_path: Path) -> None:
    """It wins over the environment; a missing, empty or wrong one is said in one line."""
    (tmp_path / "admin").write_text("admin\n")
    (tmp_path / "empty").write_text("\n")
    assert (await away(run, "--dry-run", "--admin-token-file", "admin", token="wrong")).returncode == 0
    for file, said in (("empty", "is empty"), ("absent", "No such file")):
        answer = await away(run, "--dry-run", "--admin-token-file", file)
        assert (answer.returncode, said in answer.stderr) == (1, True)
    answer = await away(run, "--dry-run", token=None)
    assert answer.returncode == 1
    assert "401" in answer.stderr
    assert "administrator" in answer.stderr


async def test_double_of_2_8_tells_the_hook_what_was_changed(double: InfluxDouble) -> None:
    """An action for each step taken, by this machine's user; none for a run that changed nothing, and no secret."""
    settings = given(influxdb={"url": double.url, "organisation": "stadt"})
    told: list[Action] = []
    for dry_run in (True, False, False):
        report = Report(as_json=True, dry_run=dry_run)
        await provision(settings, "admin", {}, report, told.extend)
    assert len(told) == len({action.detail for action in told}) == 42
    assert {(action.action, action.actor.partition(":")[0]) for action in told} == {("provision influxdb", "os")}
    assert not any(item["token"] in str(told) for item in double.resources.authorizations.values())


async def test_double_of_2_8_has_one_bucket_for_simulated_devices(double: InfluxDouble) -> None:
    """While simulations are kept apart only their bucket is made, and nothing is computed from it."""
    settings = given(influxdb={"url": double.url, "organisation": "stadt"}, simulation={"accept": True})
    await provision(settings, "admin", {}, Report(as_json=True, dry_run=False))
    assert list(double.buckets) == ["stadtfunk_simulated"]
    assert double.resources.tasks == {}


async def test_double_of_2_8_is_noted_before_the_first_run_of_the_service(run: Run, tmp_path: Path) -> None:
    """No journal yet: a dry run makes none, a run makes it with its rows in it, and the service goes on with it."""
    path = tmp_path / "var" / "journal.db"
    await away(run, "--dry-run")
    assert not path.parent.exists()
    done = (await away(run)).stdout.splitlines()
    async with Journal(load(tmp_path / "stadtfunk.toml", journal={"path": path}).journal) as journal:
        found = await journal.query(lambda connection: list(audit.rows(connection)))
        assert await journal.query(audit.verify) is None
    assert [f"done: {row.action.detail}" for row in found] == [line for line in done if line.startswith("done: ")]
    assert len(found) == 42


async def test_double_of_2_8_is_not_changed_when_it_cannot_be_noted(
    run: Run, tmp_path: Path, double: InfluxDouble
) -> None:
    """Where no journal can be, nothing is provisioned; one line says why."""
    (tmp_path / "var").write_text("a file, no folder")
    answer = await away(run)
    assert answer.returncode == 1
    assert "nothing changed, for it could not be noted" in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert double.resources.changes == []
