"""The chain of the audit table: what breaks it, what it cannot see alone, and its copy outside."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from ingest import audit, audit_export
from ingest.audit import EMPTY, GENESIS, Action, Check, Head, Row
from ingest.audit_export import ExportError
from ingest.cli import app
from ingest.commands.error import CommandError
from ingest.journal_schema import open_writer
from tests.ingest.uplinks import NOW

ROWS = 2500
HOUR_MS = 3_600_000


@pytest.fixture
def table(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A journal in which two people did many things, one each hour."""
    connection = open_writer(tmp_path / "journal.db")
    connection.execute("BEGIN")
    for number in range(ROWS):
        who = Action(f"os:{'anna' if number % 2 else 'bob'}", "devices set", f"d{number}", "why", "state=retired")
        audit.append(connection, who, NOW + number * HOUR_MS)
    connection.execute("COMMIT")
    yield connection
    connection.close()


def tamper(connection: sqlite3.Connection, statement: str) -> None:
    """Change the table as somebody with the file could."""
    connection.execute("DROP TRIGGER IF EXISTS audit_no_update")
    connection.execute("DROP TRIGGER IF EXISTS audit_no_delete")
    connection.execute(statement)


def walked(connection: sqlite3.Connection, noted: Head | None = None) -> Check:
    """The walk along the table."""
    return Check(noted=noted).feed(audit.rows(connection))


def test_a_whole_chain_fits(table: sqlite3.Connection) -> None:
    """All rows fit, over several pages; the head is the last row's."""
    check = walked(table)
    assert (check.bad, check.count, check.head.number, check.missing) == (None, ROWS, ROWS, False)
    assert check.head.hash == table.execute("SELECT hash FROM audit WHERE number = ?", (ROWS,)).fetchone()[0]
    assert Head.parse(str(check.head)) == check.head


@pytest.mark.parametrize(
    ("statement", "bad"),
    [
        ("UPDATE audit SET actor = 'os:eve' WHERE number = 1700", 1700),
        ("UPDATE audit SET reason = reason || ' ' WHERE number = 1", 1),
        ("UPDATE audit SET time_ms = time_ms + 1 WHERE number = 1001", 1001),
        ("UPDATE audit SET detail = x'00' WHERE number = 5", 5),
        ("UPDATE audit SET hash = zeroblob(32) WHERE number = 2500", 2500),
        ("DELETE FROM audit WHERE number = 1000", 1000),
        ("DELETE FROM audit WHERE number = 1", 1),
        ("UPDATE audit SET number = 3000 WHERE number = 2500", 2500),
    ],
)
def test_the_first_bad_row_is_named(table: sqlite3.Connection, statement: str, bad: int) -> None:
    """A changed word, a changed time, another type, a wrong hash, a missing row."""
    tamper(table, statement)
    check = walked(table)
    assert (check.bad, check.count) == (bad, bad - 1)
    assert audit.verify(table) == bad


def test_a_chain_cut_off_at_its_end_is_seen_by_an_old_head(table: sqlite3.Connection) -> None:
    """Cut off, the chain fits in itself; only the head that was noted before shows it. So does a chain made anew."""
    head = walked(table).head
    assert not walked(table, head).missing
    earlier = Head(7, table.execute("SELECT hash FROM audit WHERE number = 7").fetchone()[0])
    assert not walked(table, earlier).missing
    tamper(table, "DELETE FROM audit WHERE number > 2400")
    assert walked(table).bad is None
    assert walked(table, head).missing
    assert not walked(table, earlier).missing
    tamper(table, "DELETE FROM audit")
    audit.append(table, Action("os:eve", "devices set", "x"), NOW)
    assert walked(table).bad is None
    assert walked(table, earlier).missing
    assert walked(table, Head(1, head.hash)).missing


def forged(number: int, previous: bytes) -> Row:
    """A row whose hash fits what somebody says stood before it."""
    action = Action("os:eve", "devices set", "x")
    return Row(number, NOW, action, audit.chain(previous, number, NOW, action))


def test_a_chain_begins_with_row_1_and_with_nothing_before_it() -> None:
    """A forged first row fits its own hash; its number, or the hash it says stood before it, gives it away."""
    assert Check().feed([forged(1, GENESIS)]).bad is None
    assert Check().feed([forged(2, GENESIS)]).bad == 1
    line = json.loads(next(audit_export.lines([forged(1, b"x" * 32)])))
    assert audit_export.check([json.dumps(line | {"previous": (b"x" * 32).hex()})]).bad == 1


def test_an_empty_table_fits() -> None:
    """Nothing happened: no bad row, the empty head, which is in every chain."""
    assert (Check().bad, Check().head, Check().missing, Check(noted=EMPTY).missing) == (None, EMPTY, False, False)


@given(words=st.lists(st.text(), min_size=5, max_size=5), time_ms=st.integers(0, 2**53))
def test_the_canonical_form_is_what_the_page_says(words: list[str], time_ms: int) -> None:
    """Anybody with SHA-256 and JSON comes to the same hash, from the exported line alone."""
    action = Action(*(word.encode(errors="replace").decode() for word in words))
    row = Row(1, time_ms, action, audit.chain(GENESIS, 1, time_ms, action))
    (text,) = audit_export.lines([row])
    said = json.loads(text)
    parts = [said[key] for key in ("number", "time_ms", "actor", "action", "subject", "reason", "detail")]
    body = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()
    assert hashlib.sha256(bytes.fromhex(said["previous"]) + body).hexdigest() == said["hash"]
    assert audit_export.check([text]).bad is None


def test_words_that_are_no_text_are_made_to_fit(table: sqlite3.Connection) -> None:
    """A reason with bytes that are no UTF-8, as a shell hands them over, is kept and its chain fits."""
    audit.append(table, Action("os:anna", "devices set", "x", "caf\udce9"), NOW)
    assert walked(table).count == ROWS + 1


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        (lambda lines: lines, None),
        (lambda lines: lines[100:], None),
        (lambda lines: lines[:5] + lines[6:], 6),
        (lambda lines: [lines[0].replace("os:bob", "os:eve"), *lines[1:]], 1),
        (lambda lines: [*lines[:9], lines[9].replace("why", "for fun"), *lines[10:]], 10),
    ],
    ids=["whole", "excerpt", "a line missing", "first changed", "one changed"],
)
def test_an_export_is_checked_without_us(table: sqlite3.Connection, change: object, bad: int | None) -> None:
    """The whole and an excerpt fit; a changed or missing line does not."""
    assert callable(change)
    lines = change(list(audit_export.lines(audit.rows(table))))
    check = audit_export.check(lines)
    assert check.bad == bad
    if bad is None:
        assert (check.count, check.head.number) == (len(lines), ROWS)


@pytest.mark.parametrize("text", ["{", "[]", '{"number": 1}', "x" * 100])
def test_a_line_that_is_no_row_is_named(text: str, table: sqlite3.Connection) -> None:
    """The number of the line, and what is wrong with it."""
    first = next(audit_export.lines(audit.rows(table)))
    with pytest.raises(ExportError, match="line 2 is no row"):
        audit_export.check([first, text])


# -- commands ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path, table: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> object:
    """Run a command in a folder with this journal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STADTFUNK_JOURNAL__PATH", str(tmp_path / "journal.db"))

    def call(*words: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, ["audit", *words], input=stdin)

    return call


def failure(result: Result) -> str:
    """The one line of a command that failed."""
    assert isinstance(result.exception, CommandError)
    return str(result.exception)


def test_list_narrows(run: object) -> None:
    """By time in the city's zone, by actor, by action or its first word; newest first, so many at most."""
    assert callable(run)
    found = json.loads(run("list", "--json", "--limit", "3").stdout)
    assert [row["number"] for row in found] == [ROWS, ROWS - 1, ROWS - 2]
    assert {row["actor"] for row in json.loads(run("list", "--json", "--actor", "os:bob").stdout)} == {"os:bob"}
    assert len(json.loads(run("list", "--json", "--action", "devices").stdout)) == 100
    assert json.loads(run("list", "--json", "--action", "device").stdout) == []
    since = json.loads(run("list", "--json", "--since", "2027-04-28T00:00").stdout)
    assert min(row["time_ms"] for row in since) - HOUR_MS < 1_808_863_200_000 <= min(row["time_ms"] for row in since)
    assert "no audit rows" in run("list", "--actor", "nobody").stdout
    assert "2027-01-15 09:00:00+01:00" in run("list", "--limit", str(ROWS)).stdout


def test_verify_speaks(run: object, table: sqlite3.Connection) -> None:
    """Whole: exit 0 and the head; a noted head that is gone, or a bad row: exit 1 and one line that says which."""
    assert callable(run)
    whole = run("verify")
    assert whole.exit_code == 0
    head = whole.stdout.split("head ")[1].strip()
    assert run("verify", "--head", head).exit_code == 0
    assert run("verify", "--head", "17").exit_code == 2
    tamper(table, "DELETE FROM audit WHERE number = 2500")
    assert f"noted head {head} is not in this chain, which ends with 2499:" in failure(run("verify", "--head", head))
    tamper(table, "UPDATE audit SET actor = 'x' WHERE number = 12")
    assert failure(run("verify")) == "audit row 12 does not fit its chain; 11 rows before it do"
    told = run("verify", "--json")
    assert (told.exit_code, json.loads(told.stdout)["bad_row"]) == (1, 12)


def test_what_is_exported_is_verified(run: object, tmp_path: Path, table: sqlite3.Connection) -> None:
    """To a file and to standard output, whole and since a time; a file is checked without the journal."""
    assert callable(run)
    assert run("export", "all.ndjson").exit_code == 0
    assert (tmp_path / "all.ndjson").read_text() == run("export", "-").stdout
    part = run("export", "-", "--since", "2027-02-01").stdout
    first = json.loads(part.splitlines()[0])
    assert first["time_ms"] >= 1_801_436_400_000 > first["time_ms"] - HOUR_MS
    tamper(table, "DELETE FROM audit")
    assert "rows 1 to 2500 fit" in run("verify", "--file", "all.ndjson").stdout
    assert f"rows {first['number']} to 2500 fit" in run("verify", "--file", "-", stdin=part).stdout
    (tmp_path / "all.ndjson").write_text(part.replace("os:anna", "os:eve", 1))
    assert "does not fit" in failure(run("verify", "--file", "all.ndjson"))
    (tmp_path / "all.ndjson").write_bytes(b"\xff\n")
    assert "all.ndjson" in failure(run("verify", "--file", "all.ndjson"))
    assert "No such file" in failure(run("verify", "--file", "none.ndjson"))
