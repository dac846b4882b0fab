"""A damaged journal: what is intact is saved to the bit, what is not is said, and the service goes on."""

import base64
import contextlib
import json
import os
import random
import shutil
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import journal_damage, journal_salvage
from ingest.journal_damage import damage, mark
from ingest.journal_row import CHECKED_1
from ingest.journal_salvage import report_path, salvage
from ingest.journal_schema import APPLICATION_ID, CHECKED, FIRST, SCHEMAS, JournalError, checksum, open_writer
from ingest.journal_tables import LARGEST_KEY, statements, tables, usual_roots
from ingest.sqlite_image import PAGE_BYTES, Image
from ingest.sqlite_rows import children, owners, record
from tests.ingest.bench import city_settings, running
from tests.ingest.damaged_journal import (
    DAMAGES,
    FRAME,
    MINUTE_MS,
    NOW,
    SEED,
    Filled,
    assert_saved,
    contents,
    fill,
    last_commit,
    log_frames,
    made,
    wipe,
)
from tests.ingest.uplinks import LOT_DEVICES, message, raw


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """An undamaged journal, to be copied."""
    return made(tmp_path_factory.mktemp("filled"))


def test_pages_are_read_as_sqlite_reads_them(filled: Filled) -> None:
    """Without damage every row of every table is found, in the file and in the log; hundreds of rows overflow."""
    assert {name: set(rows) for name, rows in filled.pages.items()} == filled.rows
    assert sum(len(where) > 1 for rows in filled.pages.values() for where in rows.values()) > 200
    assert len(filled.in_log) > 300


@pytest.mark.parametrize("number", range(int(os.environ.get("STADTFUNK_TEST_SALVAGES", "18"))))
def test_what_is_intact_is_saved(filled: Filled, tmp_path: Path, number: int) -> None:
    """Bits flipped, pages wiped, swapped, cut off, in file and log: rows on pages that were not hit are all saved."""
    rng = random.Random(SEED + number)
    path = filled.copy(tmp_path / "journal")
    kind = list(DAMAGES)[number % len(DAMAGES)]
    hit = DAMAGES[kind](path, rng)
    if kind not in {"flip_log", "cut_log"}:
        hit -= filled.in_log
    found = salvage(path)
    assert_saved(filled, path, hit, found)
    assert damage(path) is None


@pytest.mark.parametrize("what", ["first page", "pointer map", "schema"])
def test_a_destroyed_schema_or_pointer_map_costs_no_row(filled: Filled, tmp_path: Path, what: str) -> None:
    """Gone, and no log to make up for it: all rows of all tables are saved."""
    path = checkpointed(filled, tmp_path)
    assert damage(path) is None
    with closing(Image(path)) as image:
        pages = {"first page": [1], "pointer map": [2], "schema": sorted(owners(image, {1}))}[what]
    assert wipe(path, random.Random(SEED), pages) == set(pages)
    found = salvage(path)
    assert_saved(filled, path, set(), found)
    assert not any(table.lost or table.failed or table.pages for table in found.tables.values())


def test_every_destroyed_node_costs_its_own_rows_only(filled: Filled, tmp_path: Path) -> None:
    """All inner pages of all trees gone at once: every row on the leaves below is saved."""
    path = checkpointed(filled, tmp_path)
    with closing(Image(path)) as image:
        inner = [
            page for page in range(3, image.pages + 1) if image.pointer(page)[0] in {1, 5} and children(image, page)
        ]
    assert len(inner) >= 10
    hit = wipe(path, random.Random(SEED), inner)
    assert damage(path) is not None
    assert_saved(filled, path, hit, salvage(path))


def test_leaves_that_nothing_points_to_are_told_by_their_rows(filled: Filled, tmp_path: Path) -> None:
    """Pointer map and inner pages gone, both: the leaves are given to the tables whose rows theirs look like."""
    path = checkpointed(filled, tmp_path)
    with closing(Image(path)) as image:
        inner = [page for page in range(3, image.pages + 1) if image.pointer(page)[0] == 5 and children(image, page)]
        roots = [page for page in range(3, image.pages + 1) if image.pointer(page)[0] == 1 and children(image, page)]
    content = bytearray(path.read_bytes())
    for page in (2, *inner, *roots):
        content[(page - 1) * PAGE_BYTES : page * PAGE_BYTES] = bytes(PAGE_BYTES)
    path.write_bytes(content)
    found = salvage(path)
    assert_saved(filled, path, {*inner, *roots}, found)
    assert not any("several tables" in note for note in found.notes)


def test_a_leaf_that_could_be_of_two_tables_is_given_to_none(tmp_path: Path) -> None:
    """In the second version both ledgers look alike: without their inner pages their leaves are left out, and told."""
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        of_version(connection, 2)
        for begin in range(0, 6000, 2000):
            fill(connection, random.Random(SEED + begin), covered_by(connection), begin)
        names = {"ledger", "gateway_ledger"}
        roots = [root for name, root in usual_roots(connection).items() if name in names]
    with closing(Image(path)) as image:
        assert all(children(image, root) for root in roots)
    content = bytearray(path.read_bytes())
    for page in (2, *roots):
        content[(page - 1) * PAGE_BYTES : page * PAGE_BYTES] = bytes(PAGE_BYTES)
    path.write_bytes(content)
    assert any("several tables" in note for note in salvage(path).notes)


def of_version(connection: sqlite3.Connection, version: int) -> None:
    """The tables of an earlier journal."""
    connection.create_function("checksum", -1, checksum)
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.executescript("".join(SCHEMAS[:version]))
    connection.executescript(f"PRAGMA user_version = {version}; PRAGMA application_id = {APPLICATION_ID};")


def covered_by(connection: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    """What checksums cover there: today's, where the table has them."""
    return {name: CHECKED[name] for name, table in tables(statements(connection)).items() if "crc" in table.names}


def test_a_journal_of_the_second_version_is_salvaged_and_migrated(tmp_path: Path) -> None:
    """Every row is there, those that had no checksum get theirs, and dead letters wait for their class."""
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        of_version(connection, 2)
        fill(connection, random.Random(SEED), covered_by(connection), 0)
    before = contents(path)
    mark(path, "somebody said so")
    found = salvage(path)
    assert contents(path) == before
    assert not found.failed
    with closing(open_writer(path)) as connection:
        for name in ("assignment", "lifecycle", "correction"):
            query = f"SELECT count(*) FROM {name} WHERE crc = checksum({', '.join(CHECKED[name])})"  # noqa: S608 - names of our own schema
            assert connection.execute(query).fetchone() == (len(before[name]),)
        letters = connection.execute("SELECT count(*) FROM dead_letter WHERE privacy IS NULL").fetchone()
        assert letters == (len(before["dead_letter"]),)


def test_a_node_that_hides_a_leaf_hides_none_of_its_rows(filled: Filled, tmp_path: Path) -> None:
    """A count that is one too small is no error to a reader; the table is not copied as it looks."""
    path = checkpointed(filled, tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'seen'").fetchone()
    content = bytearray(path.read_bytes())
    at = (root - 1) * PAGE_BYTES + 3
    assert content[at + 1] > 3
    content[at + 1] -= 1
    path.write_bytes(content)
    assert_saved(filled, path, {root}, salvage(path))


def test_a_number_is_given_once_even_when_its_row_is_lost(filled: Filled, tmp_path: Path) -> None:
    """The newest dead letter does not fit its digest, and the sequence is gone: the next one gets a new number."""
    path = checkpointed(filled, tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        (newest,) = connection.execute("SELECT max(id) FROM dead_letter").fetchone()
        connection.execute("UPDATE dead_letter SET digest = zeroblob(16) WHERE id = ?", (newest,))
        connection.execute("DELETE FROM sqlite_sequence")
        connection.commit()
    assert salvage(path).tables["dead_letter"].failed == 1
    with closing(sqlite3.connect(path)) as connection:
        numbers = dict(connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
        assert connection.execute("SELECT max(id) FROM dead_letter").fetchone()[0] < newest
    assert numbers["dead_letter"] == newest


def test_rows_of_another_table_are_not_taken_for_its_own(filled: Filled, tmp_path: Path) -> None:
    """Two leaves of different trees in each other's place: SQLite reads on, and every row goes where it belongs."""
    path = checkpointed(filled, tmp_path)
    content = bytearray(path.read_bytes())
    one, two = (min(filled_on(filled, path, name)) for name in ("seen", "lifecycle"))
    first, second = (slice((page - 1) * PAGE_BYTES, page * PAGE_BYTES) for page in (one, two))
    content[first], content[second] = content[second], content[first]
    path.write_bytes(content)
    salvage(path)
    kinds = {tuple(map(type, row)) for row in contents(path)["seen"]}
    assert kinds == {(int, bytes, bytes)}


def filled_on(filled: Filled, path: Path, name: str) -> set[int]:
    """The leaf pages of a table."""
    with closing(Image(path)) as image:
        return {page for where in filled.pages[name].values() for page in where if not children(image, page)}


def checkpointed(filled: Filled, folder: Path) -> Path:
    """A copy without a log."""
    path = filled.copy(folder / "journal")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert not Path(f"{path}-wal").exists()
    return path


def test_a_row_whose_checksum_does_not_fit_is_handed_back(filled: Filled, tmp_path: Path) -> None:
    """A flipped bit in a body, which SQLite cannot see: the row stays out, its bytes come back and in the report."""
    path = checkpointed(filled, tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        (seq, body), *_ = connection.execute("SELECT seq, body FROM points WHERE length(body) < 1000").fetchall()
        changed = body[:-1] + bytes([body[-1] ^ 4])
        connection.execute("UPDATE points SET body = ? WHERE seq = ?", (changed, seq))
        connection.commit()
    assert damage(path) is None
    mark(path, "checksum of a journal row does not fit")
    assert damage(path) == "checksum of a journal row does not fit"
    found = salvage(path)
    assert found.failed == [("points", str(seq), changed)]
    assert found.tables["points"].failed == 1
    assert "points" in found.summary()
    report = json.loads(report_path(found.kept_as).read_text())
    assert report["failed"] == [["points", str(seq), base64.b64encode(changed).decode()]]
    assert contents(path)["points"] == {row for row in filled.rows["points"] if row[0] != seq}
    assert damage(path) is None


def test_numbers_go_on_and_cursors_never_run_ahead(filled: Filled, tmp_path: Path) -> None:
    """With points and their sequence destroyed, new points still come behind every cursor that is left."""
    path = checkpointed(filled, tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.create_function("checksum", -1, checksum)
        roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'").fetchall())
        connection.execute("INSERT INTO cursor VALUES ('ahead', 777000, checksum('ahead', 777000))")
        connection.execute("INSERT INTO cursor VALUES ('wrong', 888000, 1)")
        connection.commit()
    wipe(path, random.Random(SEED), [roots["points"], roots["sqlite_sequence"]])
    found = salvage(path)
    with closing(open_writer(path)) as connection:
        cursors = dict(connection.execute("SELECT sink, seq FROM cursor").fetchall())
        assert cursors.keys() == {"ahead", *(row[0] for row in filled.rows["cursor"])}
        connection.execute("INSERT INTO points (privacy, lines, body, crc) VALUES (0, 1, 'x', 0)")
        assert connection.execute("SELECT max(seq) FROM points").fetchone()[0] > max(cursors.values())
    assert any("cursor" in note for note in found.notes)


def test_a_rowid_at_the_end_of_all_numbers_is_no_row(tmp_path: Path) -> None:
    """A damaged rowid near 2⁶³ would leave no number for the next row: it is lost, and the journal takes rows again."""
    path = tmp_path / "journal.db"
    with closing(open_writer(path)) as connection:
        for seq in (7, LARGEST_KEY):
            connection.execute("INSERT INTO points VALUES (?, 0, 1, 'x', checksum(0, 1, 'x'))", (seq,))
            connection.execute("UPDATE points SET body = CAST(body AS BLOB)")
    found = salvage(path)
    assert found.tables["points"][:2] == (1, 1)
    with closing(open_writer(path)) as connection:
        connection.execute("INSERT INTO points (privacy, lines, body, crc) VALUES (0, 1, 'x', 0)")
        assert connection.execute("SELECT seq FROM points ORDER BY seq").fetchall() == [(7,), (8,)]


def test_lost_commits_leave_the_newest_time_known(filled: Filled, tmp_path: Path) -> None:
    """Without any commit left, identities still say how far the network server's time has come."""
    path = checkpointed(filled, tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        newest = connection.execute("SELECT max(ns_time_ms) FROM seen").fetchone()[0]
        ticks = connection.execute("SELECT max(number) FROM tick").fetchone()[0]
        connection.execute("DELETE FROM commits")
        connection.commit()
    salvage(path)
    assert {row[:3] for row in contents(path)["commits"]} == {(ticks + 1, newest, 0)}


def test_a_broken_audit_chain_is_said(filled: Filled, tmp_path: Path) -> None:
    """An audit row that is gone cannot be made up for: the others are kept, and the place is named."""
    path = checkpointed(filled, tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute("DELETE FROM audit WHERE number = 12")
        connection.commit()
    found = salvage(path)
    assert "the audit chain is broken from row 12 on" in found.notes
    assert len(contents(path)["audit"]) == len(filled.rows["audit"]) - 1


def test_words_that_nobody_wrote_forget_nothing(filled: Filled, tmp_path: Path) -> None:
    """An event or dead letter with a damaged status waits again; but no request, of which nobody knows the end."""
    path = checkpointed(filled, tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE event SET status = 'qublished' WHERE seq < 10")
        connection.execute("UPDATE dead_letter SET status = 'o\x01en' WHERE id = 3")
        connection.commit()
    salvage(path)
    with closing(sqlite3.connect(path)) as connection:
        statuses = connection.execute("SELECT DISTINCT acting, status FROM event WHERE seq < 10 ORDER BY acting")
        assert statuses.fetchall() == [(0, "pending"), (1, "withdrawn")]
        assert connection.execute("SELECT status FROM dead_letter WHERE id = 3").fetchone() == ("open",)


def test_a_journal_of_the_first_version_is_salvaged_and_migrated(tmp_path: Path) -> None:
    """Its rows are judged by its own checksums, its cursors begin again, and then it is brought up to date."""
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.executescript(FIRST)
        connection.executescript(f"PRAGMA user_version = 1; PRAGMA application_id = {APPLICATION_ID};")
        fill(connection, random.Random(SEED), dict(CHECKED_1), 0)
    before = contents(path)
    found = salvage(path)
    after = contents(path)
    assert {name: rows for name, rows in after.items() if name != "cursor"} == {
        name: rows for name, rows in before.items() if name != "cursor"
    }
    assert not after["cursor"]
    assert not found.failed
    with closing(open_writer(path)) as connection:
        assert connection.execute(
            "SELECT count(*) FROM points WHERE crc = checksum(privacy, lines, body)"
        ).fetchone() == (len(before["points"]),)


@pytest.mark.parametrize("step", range(6))
def test_an_interrupted_salvage_is_finished(
    filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Killed at any of its steps, it is done by the next start, and nothing of the damaged file is gone."""
    path = filled.copy(tmp_path / "journal")
    rng = random.Random(SEED)
    hit = wipe(path, rng) - filled.in_log
    original = (path.read_bytes(), Path(f"{path}-wal").read_bytes())
    steps = 0

    def interrupted(real: Callable[..., object]) -> Callable[..., object]:
        def one(*values: object) -> object:
            nonlocal steps
            steps += 1
            if steps == step + 1:
                raise KeyboardInterrupt
            return real(*values)

        return one

    with monkeypatch.context() as patched:
        for name in ("replace", "rename"):
            patched.setattr(Path, name, interrupted(getattr(Path, name)))
        patched.setattr(journal_salvage, "_sync", interrupted(journal_salvage._sync))
        with pytest.raises(KeyboardInterrupt):
            salvage(path)
    assert damage(path) is not None
    found = salvage(path)
    assert_saved(filled, path, hit, found)
    assert (found.kept_as.read_bytes(), Path(f"{found.kept_as}-wal").read_bytes()) == original
    assert damage(path) is None


def test_damage_is_none_of_these(tmp_path: Path) -> None:
    """No journal, an empty file, a fresh one, another program's database: nothing to salvage."""
    path = tmp_path / "journal.db"
    assert damage(path) is None
    path.touch()
    assert damage(path) is None
    path.unlink()
    with closing(open_writer(path)):
        assert damage(path) is None
    assert damage(path) is None
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE anything (id)")
    assert damage(other) is None


def test_a_damaged_log_is_told_from_one_that_a_kill_cut_off(filled: Filled, tmp_path: Path) -> None:
    """SQLite drops everything after a damaged frame in silence; commits after it say that it was once whole."""
    path = filled.copy(tmp_path / "journal")
    log = Path(f"{path}-wal")
    assert damage(path) is None
    whole = log.read_bytes()
    frames = log_frames(whole)
    log.write_bytes(whole[: -FRAME // 2])
    assert damage(path) is None
    first_of_last = last_commit(frames, len(frames) - 1)
    for frame, expected in ((first_of_last, False), (first_of_last - 1, True), (0, True)):
        at = 32 + frame * FRAME + 24 + 100
        log.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert (damage(path) is not None) is expected
    found = salvage(path)
    assert any("write-ahead log" in note for note in found.notes)
    assert_saved(filled, path, {frames[0][0]}, found)


def test_the_log_of_an_earlier_generation_is_no_damage(tmp_path: Path) -> None:
    """After a checkpoint the log is written over from its beginning; old frames behind the new ones mean nothing."""
    path = tmp_path / "journal.db"
    with closing(open_writer(path)) as connection:
        for checkpoint in (True, False):
            for number in range(60 if checkpoint else 5):
                connection.execute("INSERT INTO tick VALUES (?, 1, 0)", (number + 1000 * checkpoint,))
            if checkpoint:
                connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        for name in ("", "-wal"):
            shutil.copy(f"{path}{name}", tmp_path / f"copy.db{name}")
        rows = contents(path)
    copy = tmp_path / "copy.db"
    assert damage(copy) is None
    with closing(Image(copy)) as image:
        assert 0 < len(image.log.newest) < 20
        assert image.log.broken == 0
    assert contents(copy) == rows


def test_a_kill_between_a_new_logs_header_and_its_first_frame_is_no_damage(tmp_path: Path) -> None:
    """An intact header with which no frame agrees begins a new log; the old one's frames are all in the database."""
    path = tmp_path / "journal.db"
    with closing(open_writer(path)) as connection:
        for number in range(60):
            connection.execute("INSERT INTO tick VALUES (?, 1, 0)", (number,))
        connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        old = Path(f"{path}-wal").read_bytes()
        connection.execute("INSERT INTO tick VALUES (1000, 1, 0)")
        new = Path(f"{path}-wal").read_bytes()
        shutil.copy(path, tmp_path / "copy.db")
        rows = contents(path)
    copy = tmp_path / "copy.db"
    assert new[16:24] != old[16:24]
    Path(f"{copy}-wal").write_bytes(new[:32] + old[32:])
    assert damage(copy) is None
    with closing(Image(copy)) as image:
        assert image.log.newest == {}
    assert contents(copy)["tick"] == {row for row in rows["tick"] if row[0] != 1000}
    Path(f"{copy}-wal").write_bytes(old[:20] + bytes([old[20] ^ 1]) + old[21:])
    with closing(Image(copy)) as image:
        assert image.log.newest != {}, "the old log's header was damaged, and its frames count"


def test_a_text_file_is_not_touched(tmp_path: Path) -> None:
    """What is no database and holds nothing of a journal is somebody's own file: refused, and left where it is."""
    path = tmp_path / "journal.db"
    path.write_text("Hello" * 3000)
    assert damage(path) is not None
    with pytest.raises(JournalError, match="nothing of a journal is in it"):
        salvage(path)
    assert path.read_text() == "Hello" * 3000


def test_a_large_journal_is_looked_through_only_after_an_unclean_end(
    filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limit a clean end is believed, a log that was left behind is not."""
    path = checkpointed(filled, tmp_path)
    content = bytearray(path.read_bytes())
    with closing(Image(path)) as image:
        leaf = max(page for page in range(3, image.pages + 1) if image.pointer(page)[0] == 5)
    content[(leaf - 1) * PAGE_BYTES : leaf * PAGE_BYTES] = b"\xff" * PAGE_BYTES
    path.write_bytes(content)
    assert damage(path) is not None
    monkeypatch.setattr(journal_damage, "ALWAYS_BYTES", 1000)
    assert damage(path) is None
    Path(f"{path}-wal").write_bytes(b"something")
    assert damage(path) is not None


@pytest.mark.parametrize("number", range(12))
async def test_the_service_starts_on_what_was_saved_and_goes_on(tmp_path: Path, number: int) -> None:
    """A service's own journal, damaged anywhere: the next start reads what was saved and takes uplinks again."""
    folder = tmp_path / "journal"
    folder.mkdir()
    for life in range(2):
        async with running(city_settings(tmp_path)) as bench:
            for minute in range(10):
                uplinks = [
                    message(dev_eui=name, f_cnt=minute, time_ms=NOW - MINUTE_MS * (25 - 10 * life - minute))
                    for name in LOT_DEVICES
                ]
                await bench.send(raw(b"no event"), *uplinks)
            for name in ("", "-wal"):
                shutil.copy(tmp_path / f"journal.db{name}", folder / f"journal.db{name}")
    damage_it = list(DAMAGES.values())[number % len(DAMAGES)]
    damage_it(folder / "journal.db", random.Random(SEED + number))
    salvage(folder / "journal.db")
    async with running(city_settings(folder), NOW + MINUTE_MS) as bench:
        before = len(await bench.lines())
        await bench.send(message(f_cnt=1000, time_ms=NOW + 1), raw(b"no event either"))
        assert len(await bench.lines()) > before
        assert await bench.letters()


@given(st.binary(max_size=300))
def test_any_bytes_are_a_record_or_none(body: bytes) -> None:
    """Reading a row raises nothing but what says that it is none."""
    with contextlib.suppress(ValueError, IndexError, struct.error):
        record(body)
