"""What people see of downlinks: `devices show`, `rules report, explain, stop`; and what the journal keeps of them."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ingest import downlink_store
from ingest.cli import app
from ingest.decisions import report as rules_report
from ingest.downlink import Downlink
from ingest.downlink_track import RULE
from ingest.journal import Journal
from ingest.journal_schema import APPLICATION_ID, SCHEMAS, VERSION, JournalError
from ingest.settings import JournalSettings
from tests.ingest.bench import until
from tests.ingest.commanding import ID, commanding
from tests.ingest.test_downlink_courier import posting, settings_of
from tests.ingest.test_downlink_track import downlink
from tests.ingest.uplinks import LOT_DEVICES, NOW

__all__ = ["commanding"]

DEVICE = LOT_DEVICES[0]


async def call(tmp_path: Path, *words: str) -> str:
    """What a command prints about the journal there."""
    config = tmp_path / "stadtfunk.toml"
    config.write_text(
        f"[city]\nfile = '{tmp_path}/city.geojson'\n[journal]\npath = '{tmp_path}/journal.db'\n"
        f"[simulation]\nstart_ms = {NOW + 60_000}\n"
    )
    result = await asyncio.to_thread(CliRunner().invoke, app, [*words, "-c", str(config)])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures("commanding")
async def test_commands_show_what_became_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that went through, one that was rejected: at the device, in the report by rule and subject, explained."""
    monkeypatch.setenv("COLUMNS", "300")
    async with posting(settings_of(tmp_path, downlinks={"per_device_hour": 1})) as post, post.sending():
        await post.wish()
        await until(lambda: post.wire.commands)
        name = post.name()
        await post.say("ack", queueItemId=name, acknowledged=True)
        await post.wish()
        await until(lambda: len(post.wire.reports) == 2)
    shown = json.loads(await call(tmp_path, "devices", "show", DEVICE, "--json"))["downlinks"]
    assert [(one["status"], one["rule"], one["size"]) for one in shown] == [
        ("rejected", ID, 2),
        ("acknowledged", ID, 2),
    ]
    text = await call(tmp_path, "devices", "show", DEVICE)
    assert f"2 bytes on port 10, {ID} lot-markt, id {name}" in text
    assert f"more than 1 downlinks to {DEVICE} in an hour" in text
    rows = {row["rule"]: row for row in _report(tmp_path)}
    assert RULE not in rows
    row = rows[ID]
    assert (row["subject"], row["downlinks"]) == ("lot-markt", {"acknowledged": 1, "rejected": 1})
    assert (row["events"], row["statuses"]) == (2, {"published": 1, "rejected": 1})
    assert "acknowledged=1 rejected=1" in await call(tmp_path, "rules", "report", "--since", "2027-01-15")
    assert f"downlink to {DEVICE}: acknowledged" in await call(tmp_path, "rules", "explain", name, "--days", "0")
    explained = json.loads(await call(tmp_path, "rules", "explain", name, "--days", "0", "--json"))
    assert explained["kept"]["downlink"]["status"] == "acknowledged"


def _report(tmp_path: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection:
        return rules_report.report(connection, NOW - 1000, NOW + 1000)


@pytest.mark.usefixtures("commanding")
async def test_the_stop_command_says_what_it_cannot_take_back(tmp_path: Path) -> None:
    """How many downlinks ChirpStack will send all the same."""
    async with posting(settings_of(tmp_path)) as post, post.sending():
        await post.wish()
        await until(lambda: post.wire.commands)
    text = await call(tmp_path, "rules", "stop", "custom")
    assert "0 requests withdrawn, 0 states taken back; 1 downlinks are with ChirpStack" in text


async def test_a_journal_of_schema_4_is_brought_along(tmp_path: Path) -> None:
    """It has a table for downlinks then; a program of before refuses it, as it says what version it has."""
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.create_function("checksum", -1, lambda *_: 0, deterministic=True)
        old.executescript("".join(SCHEMAS[:4]))
        old.executescript(f"PRAGMA user_version = 4; PRAGMA application_id = {APPLICATION_ID};")
    async with Journal(JournalSettings(path=path)) as journal:
        await journal.note(lambda connection: downlink_store.put(connection, [downlink()]))
        assert await journal.query(lambda c: downlink_store.find(c, downlink().id)) == downlink()
    with closing(sqlite3.connect(path)) as now:
        assert now.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert VERSION >= 5


async def test_a_row_is_what_it_was(tmp_path: Path) -> None:
    """Every field comes back as it was written, also a None, a truth value and the privacy class."""
    given = [downlink(), downlink("rejected", id="r", confirmed=False, given_ms=None, reason="so")]
    async with Journal(JournalSettings(path=tmp_path / "journal.db")) as journal:
        await journal.note(lambda connection: downlink_store.put(connection, given))
        found = [await journal.query(lambda c, one=one: downlink_store.find(c, one.id)) for one in given]  # type: ignore[misc]
    assert found == given
    assert [type(value) for value in given[0]] == [type(value) for value in found[0] or ()]


async def test_a_failed_note_changes_nothing(tmp_path: Path) -> None:
    """All of a note, or nothing."""

    def write(connection: sqlite3.Connection) -> None:
        downlink_store.put(connection, [downlink()])
        raise sqlite3.OperationalError("disk I/O error")

    async with Journal(JournalSettings(path=tmp_path / "journal.db")) as journal:
        with pytest.raises(JournalError, match="disk I/O"):
            await journal.note(write)
        assert await journal.query(lambda c: downlink_store.find(c, downlink().id)) is None


async def test_the_sending_of_a_downlink_is_noted_once(tmp_path: Path) -> None:
    """Queued only what is still sending; a withdrawn one only, too."""
    given = [downlink("sending", id="a"), downlink("sent", id="b"), downlink("sending", id="c")]
    async with Journal(JournalSettings(path=tmp_path / "journal.db")) as journal:
        await journal.note(lambda connection: downlink_store.put(connection, given))
        await journal.note(lambda connection: downlink_store.queued(connection, ["a", "b", "x"], NOW + 1))
        await journal.note(lambda connection: downlink_store.withdrawn(connection, "b", NOW + 1))
        await journal.note(lambda connection: downlink_store.withdrawn(connection, "c", NOW + 1))

        def statuses(connection: sqlite3.Connection) -> list[Downlink | None]:
            return [downlink_store.find(connection, name) for name in "abc"]

        found = await journal.query(statuses)
    assert [one and (one.status, one.since_ms) for one in found] == [
        ("queued", NOW + 1),
        ("sent", NOW),
        ("withdrawn", NOW + 1),
    ]
