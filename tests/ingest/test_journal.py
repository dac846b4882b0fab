"""The journal: one commit, all or nothing."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from decoders.quantity import Privacy
from ingest import audit
from ingest.dead_letter import Reason, dead_letter
from ingest.journal import Journal
from ingest.journal_records import Batch, EventRow, Retained, SeenUplink, Wanted
from ingest.journal_schema import (
    APPLICATION_ID,
    FIRST,
    VERSION,
    JournalError,
    JournalFull,
    JournalLocked,
    checksum,
    is_locked,
    open_reader,
)
from ingest.settings import JournalSettings
from rules.engine import StateRow

NOW = 1_800_000_000_000


@pytest.fixture
def settings(tmp_path: Path) -> JournalSettings:
    """A journal in a fresh folder."""
    return JournalSettings(path=tmp_path / "journal.db")


@pytest.fixture
async def journal(settings: JournalSettings) -> AsyncIterator[Journal]:
    """The open journal."""
    async with Journal(settings) as opened:
        yield opened


def event(name: str, topic: str = "stadtfunk/v1/parking/lot/a/state", time_ms: int = NOW) -> EventRow:
    """An event on its way out."""
    return EventRow(name, topic, b"{}", retained=True, acting=False, time_ms=time_ms, valid_until_ms=time_ms + 1000)


def full_batch(number: int = 1) -> Batch:
    """A batch with something of everything."""
    seen = SeenUplink(NOW + number, number.to_bytes(16), bytes(16))
    letter = dead_letter(Reason.EVENT, "broken", "topic", b"x%d" % number, NOW, JournalSettings())
    return Batch(
        messages=3,
        ns_time_ms=NOW + number,
        seen=[seen],
        ticks=[NOW + number],
        lines={Privacy.OPEN: [f"a b={number} 1"], Privacy.INTERNAL: ["c d=1 1", "e f=1 1"]},
        events=[event(f"event-{number}")],
        states=[StateRow("rule", "subject", 1, f'{{"n":{number}}}')],
        dead_letters=[letter],
    )


async def known(journal: Journal, keys: list[tuple[int, bytes]]) -> set[bytes]:
    """Which of these identities the journal holds."""
    return (await journal.look_up(Wanted(keys, (), None, 0, lambda _: False))).identifiers


async def test_a_commit_holds_everything(journal: Journal, settings: JournalSettings) -> None:
    """Points, events, state, identities, ticks and dead letters are there together, also after a restart."""
    journal.register("store")
    assert await journal.commit(full_batch(), NOW) == [True]
    await journal.close()
    async with Journal(settings) as again:
        assert await known(again, [(NOW + 1, (1).to_bytes(16)), (NOW + 1, (2).to_bytes(16))]) == {(1).to_bytes(16)}
        assert again.frames_since(NOW) == [(NOW + 1, bytes(16))]
        assert again.states() == ([StateRow("rule", "subject", 1, '{"n":1}')], [])
        assert again.last_tick_ms() == NOW + 1
        assert again.newest_ns_time_ms == NOW + 1
        rows = await again.points_after(0, 100, NOW)
        assert [(row.privacy, row.lines, row.body) for row in rows] == [
            (Privacy.OPEN, 1, b"a b=1 1"),
            (Privacy.INTERNAL, 2, b"c d=1 1\ne f=1 1"),
        ]
        assert [stored.event for stored in await again.pending_events(10, NOW)] == [event("event-1")]
        size = await again.size()
        assert (size.points, size.lines, size.events, size.dead_letters) == (2, 3, 1, 1)


async def test_a_failed_commit_leaves_nothing(journal: Journal) -> None:
    """A commit that hits the page limit changes no table, and the same batch goes through once there is room."""
    await journal.commit(Batch(), NOW)
    pages = journal._one("PRAGMA page_count")
    journal._one(f"PRAGMA max_page_count = {pages + 1}")
    batch = full_batch()
    batch.lines[Privacy.OPEN] = ["x" * 100_000]
    with pytest.raises(JournalFull, match="full"):
        await journal.commit(batch, NOW)
    assert await known(journal, [(NOW + 1, (1).to_bytes(16))]) == set()
    assert journal.states() == ([], [])
    size = await journal.size()
    assert (size.points, size.events, size.dead_letters) == (0, 0, 0)
    journal._one("PRAGMA max_page_count = 1000000")
    assert await journal.commit(batch, NOW) == [True]
    assert (await journal.size()).points == 2


async def test_advances_survive_a_failed_commit(journal: Journal) -> None:
    """A cursor that was to move with a failed commit moves with the next one."""
    journal.register("store")
    await journal.commit(full_batch(), NOW)
    journal.advance("store", 2)
    pages = journal._one("PRAGMA page_count")
    journal._one(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalFull):
        await journal.commit(Batch(lines={Privacy.OPEN: ["x" * 500_000]}), NOW)
    journal._one("PRAGMA max_page_count = 1000000")
    await journal.flush(NOW)
    assert journal._one("SELECT seq FROM cursor WHERE sink = 'store'") == 2
    assert (await journal.size()).points == 0


async def test_rows_wait_for_the_slowest_sink(journal: Journal) -> None:
    """Rows go when every sink has taken them, and a forgotten sink holds nothing back."""
    journal.register("fast")
    journal.register("slow")
    await journal.commit(full_batch(), NOW)
    journal.advance("fast", 2)
    await journal.flush(NOW)
    assert (await journal.size()).points == 2
    journal.advance("slow", 1)
    await journal.flush(NOW)
    assert (await journal.size()).points == 1
    journal.forget_sinks_but(["fast"])
    journal.advance("fast", 2)
    await journal.flush(NOW)
    assert (await journal.size()).points == 0


async def test_a_removed_sink_gives_its_room_back(journal: Journal) -> None:
    """Rows that only a removed sink waited for go, even when the others have nothing left to take."""
    journal.register("kept")
    journal.register("removed")
    await journal.commit(full_batch(), NOW)
    journal.advance("kept", 2)
    await journal.flush(NOW)
    assert journal.waiting_bytes > 0
    journal.forget_sinks_but(["kept"])
    await journal.flush(NOW)
    assert journal.waiting_bytes == 0


async def test_a_new_sink_gets_what_waits(journal: Journal) -> None:
    """A sink that is registered later starts with the oldest row that is still there."""
    journal.register("old")
    await journal.commit(full_batch(1), NOW)
    journal.advance("old", 1)
    await journal.flush(NOW)
    journal.register("new")
    assert [row.seq for row in await journal.points_after(journal.cursor("new"), 100, NOW)] == [2]


async def test_points_come_in_bounded_portions(journal: Journal) -> None:
    """A fetch ends before it exceeds the number of lines, but always brings a row."""
    for number in range(1, 4):
        await journal.commit(Batch(lines={Privacy.OPEN: ["a b=1 1"] * 10}), NOW + number)
    assert [row.seq for row in await journal.points_after(0, 20, NOW)] == [1, 2]
    assert [row.seq for row in await journal.points_after(2, 1, NOW)] == [3]


async def test_a_flipped_byte_is_seen(journal: Journal) -> None:
    """A row whose checksum no longer fits is quarantined as a dead letter; its neighbours go on."""
    journal.register("store")
    await journal.commit(full_batch(), NOW)
    journal._writer.execute("UPDATE points SET body = CAST('a b=7 1' AS BLOB) WHERE seq = 1")
    rows = await journal.points_after(0, 100, NOW)
    assert [(row.seq, row.lines, row.body) for row in rows] == [(1, 0, b""), (2, 2, b"c d=1 1\ne f=1 1")]
    await journal.points_after(0, 100, NOW)
    journal.advance("store", 2)
    await journal.flush(NOW)
    await journal.prune(NOW)
    assert journal._writer.execute("SELECT times FROM dead_letter WHERE reason = 'checksum'").fetchone() == (1,)
    reasons = [row[0] for row in journal._writer.execute("SELECT reason FROM dead_letter ORDER BY id")]
    assert reasons == ["event", "checksum"]


async def test_a_damaged_event_is_filed(journal: Journal) -> None:
    """An event whose checksum no longer fits is not published but kept as a dead letter; the next one goes on."""
    await journal.commit(Batch(events=[event("one"), event("two")]), NOW)
    journal._writer.execute("UPDATE event SET payload = CAST('[]' AS BLOB) WHERE seq = 1")
    assert [stored.event.id for stored in await journal.pending_events(10, NOW)] == ["two"]
    await journal.flush(NOW)
    assert journal._writer.execute("SELECT reason FROM dead_letter").fetchall() == [("checksum",)]
    assert journal._writer.execute("SELECT status FROM event ORDER BY seq").fetchall() == [("damaged",), ("pending",)]


async def test_a_damaged_event_takes_no_older_one_along(journal: Journal) -> None:
    """When the newest state of a topic is damaged, the intact one before it goes out."""
    await journal.commit(Batch(events=[event("older"), event("newer")]), NOW)
    journal._writer.execute("UPDATE event SET payload = CAST('[]' AS BLOB) WHERE seq = 2")
    (stored,) = await journal.pending_events(10, NOW)
    assert (stored.event.id, stored.superseded) == ("older", False)


async def test_a_mistake_of_ours_is_a_journal_error(journal: Journal) -> None:
    """What the module refuses without asking SQLite is told like everything else."""
    with pytest.raises(JournalError, match="type 'object' is not supported"):
        await journal.commit(Batch(ticks=[object()]), NOW)  # type: ignore[list-item]


async def test_commits_are_synchronous(journal: Journal) -> None:
    """An acknowledged message outlives a power cut: WAL with an fsync in every commit."""
    assert journal._one("PRAGMA synchronous") == 2
    assert journal._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_a_refused_line_survives_a_failed_commit(journal: Journal) -> None:
    """A dead letter that was to be kept with a failed commit is kept with the next one."""
    journal.register("store")
    await journal.commit(full_batch(), NOW)
    letter = dead_letter(Reason.SINK, "refused", "sink/store/open", b"line", NOW, JournalSettings())
    journal.advance("store", 2, [letter])
    journal._one(f"PRAGMA max_page_count = {journal._one('PRAGMA page_count')}")
    with pytest.raises(JournalFull):
        await journal.commit(Batch(lines={Privacy.OPEN: ["x" * 500_000]}), NOW)
    journal._one("PRAGMA max_page_count = 1000000")
    await journal.flush(NOW)
    assert journal._one("SELECT count(*) FROM dead_letter WHERE reason = 'sink'") == 1


async def test_what_waits_is_counted_across_restarts(journal: Journal, settings: JournalSettings) -> None:
    """The size limit looks at what waits for sinks, not at what is remembered."""
    journal.register("store")
    await journal.commit(full_batch(), NOW)
    waiting = journal.waiting_bytes
    assert waiting == len("a b=1 1" + "c d=1 1\ne f=1 1")
    await journal.close()
    async with Journal(settings) as again:
        assert again.waiting_bytes == waiting


async def test_a_damaged_state_is_told_apart(journal: Journal) -> None:
    """A rule state with a wrong checksum is not handed to the engine."""
    await journal.commit(full_batch(), NOW)
    journal._writer.execute("UPDATE state SET body = '{\"n\":9}'")
    assert journal.states() == ([], [StateRow("rule", "subject", 1, '{"n":9}')])


async def test_the_same_dead_letter_is_kept_once(journal: Journal) -> None:
    """The same bytes again are counted, not kept again; after a decision they are new."""
    batch = Batch(dead_letters=full_batch().dead_letters)
    assert await journal.commit(batch, NOW) == [True]
    assert await journal.commit(batch, NOW) == [False]
    journal._writer.execute("UPDATE dead_letter SET status = 'discarded'")
    assert await journal.commit(batch, NOW) == [True]


async def test_an_event_is_kept_once(journal: Journal) -> None:
    """The same event computed twice is one event."""
    await journal.commit(Batch(events=[event("one")]), NOW)
    await journal.commit(Batch(events=[event("one")]), NOW)
    assert len(await journal.pending_events(10, NOW)) == 1


async def test_retained_topics_are_followed(journal: Journal) -> None:
    """What stands on a retained topic is known until it is emptied."""
    await journal.commit(Batch(events=[event("one")]), NOW)
    standing = Retained("t", "one", NOW + 5)
    await journal.events_done([(1, "published")], [standing], [], NOW)
    assert await journal.pending_events(10, NOW) == []
    assert await journal.retained_until(NOW) == []
    assert await journal.retained_until(NOW + 5) == [standing]
    await journal.events_done([], [], ["t"], NOW)
    assert await journal.retained_until(NOW + 5) == []


async def test_two_services_never_share(journal: Journal, settings: JournalSettings) -> None:
    """A second journal on the same file is refused, and readable all the same."""
    assert is_locked(settings.path)
    with pytest.raises(JournalLocked, match="in use by another service"):
        Journal(settings)
    open_reader(settings.path).close()
    await journal.commit(Batch(), NOW)
    await journal.close()
    assert not is_locked(settings.path)


async def test_a_foreign_database_is_refused(settings: JournalSettings) -> None:
    """Neither another program's database nor a file of garbage is touched."""
    with sqlite3.connect(settings.path) as connection:
        connection.execute("CREATE TABLE mine (a)")
    connection.close()
    with pytest.raises(JournalError, match="another program"):
        Journal(settings)
    settings.path.write_bytes(b"garbage " * 1000)
    with pytest.raises(JournalError, match="not a database"):
        Journal(settings)
    assert not is_locked(settings.path)


async def test_identities_are_forgotten_by_commits_and_network_time(tmp_path: Path) -> None:
    """An identity goes only when it is older than the days and the commits; the wall clock has no say."""
    settings = JournalSettings(path=tmp_path / "j.db", duplicates_days=1, duplicates_commits=2)
    day = 86_400_000
    async with Journal(settings) as journal:
        for number in range(4):
            name = number.to_bytes(16)
            seen = SeenUplink(NOW + number * day, name, name)
            await journal.commit(Batch(messages=1, ns_time_ms=seen.ns_time_ms, seen=[seen]), NOW)
        await journal.prune(NOW + 100 * day)
        keys = [(NOW + number * day, number.to_bytes(16)) for number in range(4)]
        assert await known(journal, keys) == {number.to_bytes(16) for number in (1, 2, 3)}


async def test_size_counts_the_wal_and_shrinks(settings: JournalSettings, journal: Journal) -> None:
    """Bytes in use grow with what waits and shrink when it was taken."""
    journal.register("store")
    empty = journal.bytes
    for number in range(20):
        await journal.commit(Batch(lines={Privacy.OPEN: ["x" * 100_000]}), NOW + number)
    grown = journal.bytes
    assert grown > empty + 2_000_000
    assert journal.waiting_bytes == 2_000_000
    journal.advance("store", 20)
    await journal.flush(NOW)
    assert journal.waiting_bytes == 0
    await journal.prune(NOW)
    assert journal.bytes < grown
    assert journal._one("PRAGMA page_count") * 4096 < 2_000_000


async def test_an_answered_commit_outlives_kill_9(tmp_path: Path) -> None:
    """What `commit` returned for is on disk after kill -9."""
    program = """
import asyncio, sys
from pathlib import Path
from ingest.journal import Journal
from ingest.journal_records import Batch, SeenUplink
from ingest.settings import JournalSettings

async def main():
    journal = Journal(JournalSettings(path=Path(sys.argv[1])))
    number = 0
    while True:
        number += 1
        await journal.commit(Batch(messages=1, ns_time_ms=number, seen=[SeenUplink(number, b"k", b"f")]), number)
        print(number, flush=True)

asyncio.run(main())
"""
    path = tmp_path / "j.db"
    child = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs here
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    answered = 0
    for line in child.stdout:
        answered = int(line)
        if answered == 50:
            os.kill(child.pid, signal.SIGKILL)
            break
    answered = int((child.stdout.read().split() or [str(answered)])[-1])
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    async with Journal(JournalSettings(path=path)) as journal:
        assert journal.newest_ns_time_ms >= answered


async def test_changes_by_people_are_chained(journal: Journal) -> None:
    """Each change leaves a row; a changed row breaks the chain; the table takes no update or delete."""
    for number in range(3):
        await journal.change(lambda _: None, audit.Action("os:anna", "discard", str(number), "why"), NOW)
    assert await journal.query(audit.verify) is None
    with pytest.raises(sqlite3.DatabaseError, match="append-only"):
        journal._writer.execute("DELETE FROM audit")
    journal._writer.execute("DROP TRIGGER audit_no_update")
    journal._writer.execute("UPDATE audit SET actor = 'os:bob' WHERE number = 2")
    assert await journal.query(audit.verify) == 2


async def test_a_change_that_fails_leaves_no_audit_row(journal: Journal) -> None:
    """Change and audit row are one transaction."""

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO cursor VALUES ('x', 1, 0)")
        raise KeyError("no")

    with pytest.raises(KeyError):
        await journal.change(fail, audit.Action("os:anna", "discard", "1"), NOW)
    assert journal._one("SELECT count(*) FROM audit") == 0
    assert journal._one("SELECT count(*) FROM cursor") == 0


async def test_reads_go_on_while_writing(journal: Journal, settings: JournalSettings) -> None:
    """Another connection reads while commits go on."""
    reader = open_reader(settings.path)
    writing = asyncio.gather(*(journal.commit(full_batch(number), NOW) for number in range(1, 30)))
    counts = []
    while not writing.done():
        counts.append(reader.execute("SELECT count(*) FROM commits").fetchone()[0])
        await asyncio.sleep(0)
    await writing
    assert reader.execute("SELECT count(*) FROM commits").fetchone()[0] == 29
    assert counts == sorted(counts)
    reader.close()


async def test_a_journal_of_schema_1_is_brought_along(settings: JournalSettings) -> None:
    """Its rows are there with the checksums of today, a row that was damaged before is still known as such."""
    old = sqlite3.connect(settings.path, isolation_level=None)
    old.executescript(f"{FIRST} PRAGMA user_version = 1; PRAGMA application_id = {APPLICATION_ID};")
    old.execute("INSERT INTO commits VALUES (7, ?, 1)", (NOW,))
    old.execute("INSERT INTO tick VALUES (?, 7)", (NOW,))
    old.execute("INSERT INTO cursor VALUES ('store', 0)")
    old.execute("INSERT INTO meta VALUES ('readings', 'real')")
    rows = [(b"link a=1 1", checksum(b"link a=1 1")), (b"link a=2 2", 12345)]
    old.executemany("INSERT INTO points (privacy, lines, body, crc) VALUES (0, 1, ?, ?)", rows)
    old.execute("INSERT INTO state VALUES ('r', 's', 1, '{}', ?)", (checksum(b"{}"),))
    payload = (b"{}", checksum(b"{}"))
    old.execute("INSERT INTO event VALUES (1, 'e', 't', ?, 1, 0, 5, 6, 'pending', NULL, ?)", payload)
    old.close()
    async with Journal(settings) as journal:
        journal.register("store")
        assert journal.newest_ns_time_ms == journal.last_tick_ms() == NOW
        assert journal.remember("readings", "real") == "real"
        assert [row.body for row in await journal.points_after(0, 10, NOW)] == [b"link a=1 1", b""]
        assert [item.event.id for item in await journal.pending_events(10, NOW)] == ["e"]
        assert [row.subject for row in journal.states()[0]] == ["s"]
        assert await journal.commit(full_batch(), NOW) == [True]
    with sqlite3.connect(settings.path) as now:
        assert now.execute("PRAGMA user_version").fetchone() == (VERSION,)
    now.close()


async def test_a_journal_of_a_newer_program_is_refused(settings: JournalSettings) -> None:
    """With one line that says what to do; nothing in it is touched."""
    await Journal(settings).close()
    newer = sqlite3.connect(settings.path)
    newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    newer.close()
    with pytest.raises(
        JournalError, match=rf"schema version {VERSION + 1}, this program reads up to {VERSION}; update it"
    ):
        Journal(settings)
