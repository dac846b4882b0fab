"""`stadtfunk devices`, through a running service and alone."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from decoders.quantity import Privacy
from ingest.app import Service
from ingest.broker import free_port
from ingest.cli import app
from ingest.clock import wall_clock
from ingest.commands.error import CommandError
from ingest.fleet.store import fold, resting
from ingest.journal_schema import open_writer
from ingest.settings import load
from rules.device.record import About, Day, Record
from tests.ingest.uplinks import CITY, LOT_DEVICES

PROGRAM = str(Path(sys.executable).with_name("stadtfunk"))
WAIT_S = 60
DEVICE = "70b3d57ed00000aa"
MINUTE_MS = 60_000


@pytest.fixture
def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with settings, a city, and a journal in which three devices were heard."""
    (tmp_path / "city.geojson").write_text(json.dumps(CITY))
    monkeypatch.setenv("STADTFUNK_CITY__FILE", str(tmp_path / "city.geojson"))
    monkeypatch.setenv("STADTFUNK_JOURNAL__PATH", str(tmp_path / "journal.db"))
    monkeypatch.setenv("STADTFUNK_MQTT__PORT", str(free_port()))
    monkeypatch.setenv("STADTFUNK_HTTP__PORT", "0")
    monkeypatch.chdir(tmp_path)
    now_ms = wall_clock()
    connection = open_writer(tmp_path / "journal.db")
    fold(
        connection,
        {
            LOT_DEVICES[0]: resting(heard("in the file", now_ms - MINUTE_MS, "container-1")),
            DEVICE: resting(heard("tagged", now_ms - MINUTE_MS, "container-1")),
            "70b3d57ed00000ab": resting(heard("silent", now_ms - 26 * MINUTE_MS, "")),
        },
    )
    connection.close()
    yield tmp_path
    structlog.reset_defaults()


def heard(name: str, last_ms: int, tag: str) -> Record:
    """A device that sends every ten minutes."""
    about = About(name, "bosch/tps110", "city", "", "", tag, Privacy.OPEN)
    interval_ms = 10 * MINUTE_MS
    return Record(about, 1, last_ms, interval_ms, 20, 7, "", 0, 0, "", 0, 0, 0, 0, None, Day(), False, 0, 0, None)  # noqa: FBT003 - a record


def run(*words: str) -> Any:  # noqa: ANN401 - whatever JSON a command prints
    """The JSON that a command prints; raises what it fails with."""
    result = CliRunner().invoke(app, ["devices", *words, "--json"])
    if isinstance(result.exception, CommandError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def audited(folder: Path) -> list[tuple[str, str, str]]:
    """Action, subject and reason of all rows."""
    connection = open_writer(folder / "journal.db")
    try:
        return connection.execute("SELECT action, subject, reason FROM audit ORDER BY number").fetchall()
    finally:
        connection.close()


def test_list_joins_what_was_heard_with_what_was_said(city: Path) -> None:
    """The file wins over the tag; a device never heard is listed once somebody spoke of it; filters narrow."""
    found = {device["dev_eui"]: device for device in run("list")}
    assert [found[name]["asset"] for name in (LOT_DEVICES[0], DEVICE)] == ["lot-markt", "container-1"]
    assert {device["state"] for device in found.values()} == {"active"}
    assert [device["name"] for device in run("list", "--silent")] == ["silent"]
    run("set", "70b3d57ed00000ac", "--state", "planned")
    assert [device["note"] for device in run("list", "--state", "planned")] == ["never heard"]
    assert [device["dev_eui"] for device in run("list", "--asset", "container-1")] == [DEVICE]


def test_a_retired_device_that_sends_is_flagged(city: Path) -> None:
    """It is listed with a note and counts no more; retired after it last sent it has no note."""
    run("set", DEVICE.upper(), "--state", "retired", "--from", "2026-01-01", "--reason", "stolen")
    run("set", "70b3d57ed00000ab", "--state", "retired")
    retired = {device["name"]: device for device in run("list", "--state", "retired")}
    assert (retired["tagged"]["note"], retired["silent"]["note"]) == ("sends though retired", "")
    assert not retired["tagged"]["counts"]
    text = CliRunner().invoke(app, ["devices", "list"]).stdout
    assert "sends though retired" in text
    assert audited(city)[0] == ("devices set", DEVICE, "stolen")


def test_maintenance_of_an_asset_shows_at_its_devices(city: Path) -> None:
    """Its devices keep their own state, do not count, and the list says why."""
    until = "2200-12-01"
    made = run("set", "container-1", "--state", "maintenance", "--until", until)
    assert made["until_ms"] == 7_286_972_400_000
    device = run("show", DEVICE)
    assert (device["state"], device["asset_state"], device["counts"]) == ("active", "maintenance", False)
    assert "container-1 (maintenance)" in CliRunner().invoke(app, ["devices", "list"]).stdout


def test_assigning_says_who_wins(city: Path) -> None:
    """A person beats the tag, the file beats both and refuses; `-` is nowhere; each word is kept with its time."""
    run("assign", DEVICE, "lot-markt", "--from", "2026-11-02", "--reason", "moved")
    assert run("show", DEVICE)["asset"] == "lot-markt"
    run("assign", DEVICE, "-")
    shown = run("show", DEVICE)
    assert shown["asset"] == ""
    assert [word["asset"] for word in shown["assignments"]] == ["lot-markt", ""]
    assert shown["assignments"][0]["valid_from_ms"] == 1_793_574_000_000
    with pytest.raises(CommandError, match="the city's file places device 70b3d57ed0000001 at 'lot-markt'"):
        run("assign", LOT_DEVICES[0], "container-1")
    with pytest.raises(CommandError, match="there is no asset 'lot-mark'"):
        run("assign", DEVICE, "lot-mark")
    assert audited(city) == [("devices assign", DEVICE, "moved"), ("devices assign", DEVICE, "")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("set", "lot-mark", "--state", "active"), "'lot-mark' is neither a DevEUI"),
        (("set", DEVICE, "--state", "maintenance"), "maintenance needs an end"),
        (("set", DEVICE, "--state", "active", "--until", "2200-01-01"), "active has no end"),
        (("show", "ff" * 8), "nothing is known of device"),
    ],
)
def test_mistakes_get_one_line_and_change_nothing(city: Path, words: tuple[str, ...], message: str) -> None:
    """The line names what is wrong; no audit row."""
    with pytest.raises(CommandError, match=message):
        run(*words)
    assert audited(city) == []


def test_wrong_usage(city: Path) -> None:
    """An unknown state and a time that is none exit 2."""
    for words in (["--state", "broken"], ["--state", "retired", "--from", "soon"]):
        assert CliRunner().invoke(app, ["devices", "set", DEVICE, *words]).exit_code == 2


async def call(*words: str) -> tuple[int, str]:
    """Run the program beside a service: exit code, and what it said."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "devices", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_a_running_service_takes_it_at_once(city: Path) -> None:
    """Through its HTTP interface, with the token; in force without a restart, refused with the same words."""
    service = Service(load())
    async with asyncio.TaskGroup() as group, asyncio.timeout(WAIT_S):
        group.create_task(service.run())
        while not service.url:
            await asyncio.sleep(0.01)
        code, said = await call("set", "container-1", "--state", "retired", "--reason", "gone")
        assert (code, said.startswith("container-1: from "), said.strip().endswith("state retired")) == (0, True, True)
        assert not service.register.lifecycle.counts(DEVICE, "container-1", service.clock())
        assert (await call("assign", DEVICE, "lot-markt", "--from", "2026-11-02"))[0] == 0
        assert service.register.assignments.place(DEVICE, service.clock(), "container-1") == "lot-markt"
        assert await call("assign", DEVICE, "x/y") == (
            1,
            "stadtfunk: error: there is no asset 'x/y' in the city's file\n",
        )
        code, said = await call("set", "lot/mark", "--state", "retired")
        assert (code, "'lot/mark' is neither a DevEUI" in said) == (1, True)
        service.stop()
    assert audited(city) == [("devices set", "container-1", "gone"), ("devices assign", DEVICE, "")]
