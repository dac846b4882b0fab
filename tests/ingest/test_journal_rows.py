"""Single rows of the journal that are not as they were written: each is told, once, and harms no neighbour."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import structlog

from ingest.app import Service
from ingest.audit import Action
from ingest.codecs.version import InForce
from ingest.fleet import lifecycle_store
from ingest.fleet import store as fleet_store
from ingest.fleet.lifecycle import Change, State
from ingest.journal import Journal
from ingest.journal_records import Assigned, Batch, Wanted
from ingest.journal_salvage import salvage
from ingest.journal_schema import CHECKED, checksum, open_writer
from ingest.journal_tables import statements, tables
from ingest.replay import correction
from ingest.replay.correction import CorrectionError, JournalKeeper, Order, Result
from ingest.settings import JournalSettings
from tests.ingest.bench import MINUTE_MS, city_settings, running
from tests.ingest.uplinks import LOT_DEVICES, NOW, message

UNCHECKED = {"seen": "an identity is found or not", "audit": "a chain of hashes", "dead_letter": "a digest"}
"""Tables whose rows carry no checksum, and what they have instead."""
ORDER = Order(kind="replay", actor="os:anna", source="journal", from_ms=1, to_ms=2)


@pytest.fixture
def settings(tmp_path: Path) -> JournalSettings:
    """A journal in a fresh folder."""
    return JournalSettings(path=tmp_path / "journal.db")


def test_every_table_is_checked(settings: JournalSettings) -> None:
    """Each carries a checksum over all its columns but those that change in place, or is known not to."""
    later = {
        "event": {"seq", "status", "status_ms"},
        "points": {"seq"},
        "raw": {"seq"},
        "ledger": {"privacy"},
        "route": {"number"},
        "route_answer": {"seq"},
    }
    with closing(open_writer(settings.path)) as connection:
        for name, table in tables(statements(connection)).items():
            if name not in UNCHECKED:
                assert {*CHECKED[name], "crc"} | later.get(name, set()) == set(table.names), name


async def test_assignments_and_states_are_checked(settings: JournalSettings) -> None:
    """A person's words and a tag's: the intact ones are read, a flipped letter leaves one out and is logged."""
    words = [Assigned("d1", 1, "lot", "os:anna"), Assigned("d2", 2, "", "tag"), Assigned("d3", 3, "bin", "tag")]
    changes = [Change("d1", 1, State.RETIRED), Change("d2", 2, State.MAINTENANCE, 9)]
    action = Action("os:anna", "devices set", "d")
    async with Journal(settings) as journal:
        await journal.change(lifecycle_store.assign(words[0]), action, NOW)
        await journal.commit(Batch(assigned=words[1:]), NOW)
        for change in changes:
            await journal.change(lifecycle_store.set_state(change), action, NOW)
        assert await journal.query(lambda c: list(lifecycle_store.assignments(c))) == words
        assert await journal.query(lambda c: list(lifecycle_store.changes(c))) == changes
        journal._writer.execute("UPDATE assignment SET asset = 'lou' WHERE dev_eui = 'd1'")
        journal._writer.execute("UPDATE lifecycle SET until_ms = 1 WHERE subject = 'd2'")
        with structlog.testing.capture_logs() as said:
            assert await journal.query(lambda c: list(lifecycle_store.assignments(c))) == words[1:]
            assert await journal.query(lambda c: list(lifecycle_store.changes(c))) == changes[:1]
    assert [(line["event"], line.get("device", line.get("subject"))) for line in said] == [
        ("assignment left out", "d1"),
        ("lifecycle row left out", "d2"),
    ]


async def test_corrections_are_checked(settings: JournalSettings) -> None:
    """Begun and ended, each is as it was written; a damaged one is refused by name and left out of lists."""
    async with Journal(settings) as journal:
        keeper = JournalKeeper(journal, lambda: NOW)
        numbers = [await keeper.begin(ORDER, InForce({}, {})) for _ in range(2)]
        await keeper.end(numbers[0], Result(counts={"messages": 3}))
        found = await journal.query(correction.listed)
        assert [(item.id, item.order, item.result is None) for item in found] == [(2, ORDER, True), (1, ORDER, False)]
        journal._writer.execute("UPDATE correction SET body = replace(body, 'anna', 'annb') WHERE id = 1")
        assert [item.id for item in await journal.query(correction.listed)] == [2]
        with pytest.raises(CorrectionError, match="correction 1 is damaged"):
            await journal.query(lambda connection: correction.get(connection, 1))


async def test_a_salvage_hands_damaged_words_back(settings: JournalSettings) -> None:
    """An assignment, a state and a correction with a flipped bit become dead letters; their neighbours stay."""
    async with Journal(settings) as journal:
        for number in range(3):
            word = Assigned(f"d{number}", 1, "lot", "os:anna")
            await journal.change(lifecycle_store.assign(word), Action("a", "b", "c"), NOW)
            change = Change(f"d{number}", 1, State.RETIRED)
            await journal.change(lifecycle_store.set_state(change), Action("a", "b", "c"), NOW)
            await JournalKeeper(journal, lambda: NOW).begin(ORDER, InForce({}, {}))
        journal._writer.execute("UPDATE assignment SET source = 'os:annb' WHERE dev_eui = 'd1'")
        journal._writer.execute("UPDATE lifecycle SET from_ms = 2 WHERE subject = 'd1'")
        journal._writer.execute("UPDATE correction SET time_ms = 2 WHERE id = 2")
    found = salvage(settings.path)
    assert sorted((row.table, row.key) for row in found.failed) == [
        ("assignment", "d1"),
        ("correction", "2"),
        ("lifecycle", "d1"),
    ]
    assert {name: found.tables[name].saved for name in ("assignment", "lifecycle", "correction")} == {
        "assignment": 2,
        "lifecycle": 2,
        "correction": 2,
    }
    assert b"os:annb" in next(row.body for row in found.failed if row.table == "assignment")


def told(lines: list[Any]) -> list[str]:
    """The rows that a log names."""
    return [line["row"] for line in lines if line["event"] == "journal row with a wrong checksum left out"]


async def test_a_damaged_device_is_told_once(tmp_path: Path) -> None:
    """Its record is as if it were not there, is named in the log at the first look and never again; others load."""
    settings = city_settings(tmp_path)
    async with running(settings) as bench:
        await bench.send(*(message(number, dev_eui=name) for number, name in enumerate(LOT_DEVICES[:3])))
        await bench.service.upkeep.fold()
    with closing(open_writer(settings.journal.path)) as connection:
        connection.execute("UPDATE device SET crc = crc + 1 WHERE dev_eui = ?", (LOT_DEVICES[1],))
        assert set(fleet_store.load(connection, LOT_DEVICES)) == {LOT_DEVICES[0], LOT_DEVICES[2]}
    wanted = Wanted((), (*LOT_DEVICES[:3], "never heard"), None, 0, lambda _: False)
    async with Journal(settings.journal) as journal:
        with structlog.testing.capture_logs() as said:
            for _ in range(3):
                known = await journal.look_up(wanted)
                assert set(known.records) == {LOT_DEVICES[0], LOT_DEVICES[2]}
        assert told(said) == [f"device/{LOT_DEVICES[1]}"]
        with structlog.testing.capture_logs() as said:
            await journal.look_up(wanted._replace(devices=LOT_DEVICES[:1]))
        assert told(said) == []


async def test_a_damaged_log_of_devices_is_told(tmp_path: Path) -> None:
    """At the start, with the number of its commit; what other commits logged is there."""
    settings = city_settings(tmp_path)
    async with running(settings) as bench:
        for number, name in enumerate(LOT_DEVICES[:2]):
            await bench.send(message(number, dev_eui=name, time_ms=NOW + number * MINUTE_MS))
    with closing(open_writer(settings.journal.path)) as connection:
        ((first,), _) = connection.execute("SELECT number FROM device_log ORDER BY number").fetchall()
        connection.execute("UPDATE device_log SET crc = crc + 1 WHERE number = ?", (first,))
    with structlog.testing.capture_logs() as said:
        service = Service(settings)
    try:
        assert told(said) == [f"device_log/{first}"]
        assert service.fleet.record(LOT_DEVICES[0]) is None
        assert service.fleet.record(LOT_DEVICES[1]) is not None
    finally:
        await service.journal.close()


async def test_words_for_the_next_start_are_written_when_they_change(settings: JournalSettings) -> None:
    """Saying the same again writes nothing: a start on a full disk is possible; a damaged word is written anew."""
    async with Journal(settings) as journal:
        assert journal.remember("readings", "real") is None
        before = journal._writer.total_changes
        assert journal.remember("readings", "real") == "real"
        assert journal._writer.total_changes == before
        assert journal.remember("readings", "simulated") == "real"
        journal._writer.execute("UPDATE meta SET crc = 0 WHERE key = 'readings'")
        assert journal.remember("readings", "simulated") is None
        crc = journal._one("SELECT crc FROM meta WHERE key = 'readings'")
        assert crc == checksum("readings", "simulated")


@pytest.mark.parametrize("table", ["commits", "tick", "device_log"])
async def test_commit_numbers_go_on_behind_each_that_was_given(settings: JournalSettings, table: str) -> None:
    """Whatever a salvage leaves of the three tables that hold them: no number is given twice."""
    async with Journal(settings) as journal:
        for number in range(3):
            await journal.commit(Batch(messages=1, ns_time_ms=NOW + number), NOW)
        journal._writer.execute("DELETE FROM commits")
        columns = {"commits": (70, NOW, 1), "tick": (NOW, 70), "device_log": (70, b"[1,{}]")}[table]
        marks = ", ".join("?" * len(columns))
        row = f"INSERT INTO {table} VALUES ({marks}, checksum({marks}))"  # noqa: S608 - names of our own schema
        journal._writer.execute(row, columns * 2)
    salvage(settings.path)
    async with Journal(settings) as journal:
        batch = Batch(messages=1, ns_time_ms=NOW + 10, ticks=[NOW + 10], devices=b"[1,{}]")
        await journal.commit(batch, NOW)
        assert batch.number > 70
        assert journal._one("SELECT max(number) FROM device_log") == batch.number
        assert json.loads(journal._writer.execute("SELECT body FROM device_log").fetchone()[0]) == [1, {}]
