"""Raw messages as bytes, and in the journal: nothing is lost, doubled or reordered, whatever is merged or damaged."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.quantity import Privacy
from ingest import journal_raw, raw
from ingest.journal_raw import DAY_MS, HOUR_MS, Damaged
from ingest.journal_records import RawMessage, Stay
from ingest.journal_schema import checksum, open_writer
from ingest.raw import Kept, RawError
from ingest.settings import JournalSettings

BEGIN = 1_800_000_000_000
stays = st.lists(st.builds(Stay, st.integers(0, 2**40), st.text(max_size=5), st.text(max_size=5)), max_size=3)
messages = st.builds(
    RawMessage,
    st.text(max_size=30),
    st.binary(max_size=200),
    st.integers(-(2**40), 2**50),
    st.just(Privacy.INTERNAL),
    stays.map(tuple),
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The writing connection of an empty journal."""
    connection = open_writer(tmp_path / "journal.db")
    yield connection
    connection.close()


def message(number: int, privacy: Privacy = Privacy.INTERNAL, *, time_ms: int | None = None) -> RawMessage:
    """A message of about a kilobyte that says its number."""
    stay = Stay(0, f"asset-{number % 3}", "mitte")
    payload = f'{{"number":{number},"filling":"{"x" * 900}"}}'.encode()
    return RawMessage(f"device/{number}", payload, BEGIN + number if time_ms is None else time_ms, privacy, (stay,))


def found(connection: sqlite3.Connection, *, after: int = 0) -> list[RawMessage]:
    """All messages of the journal, none of them damaged."""
    damaged: list[Damaged] = []
    read = [kept.message for kept in journal_raw.read(connection, 0, journal_raw.LAST, damaged.append, after=after)]
    assert damaged == []
    return read


def rows(connection: sqlite3.Connection) -> int:
    """Rows in the table."""
    return int(connection.execute("SELECT count(*) FROM raw").fetchone()[0])


def compact(connection: sqlite3.Connection) -> None:
    """Merge until nothing is left to merge."""
    while journal_raw.compact(connection):
        pass


# -- bytes -------------------------------------------------------------------------------------------------------------


@given(st.lists(messages, min_size=1, max_size=20), st.integers(1, 2**40), st.booleans())
def test_a_batch_comes_back_as_it_was(batch: list[RawMessage], commit: int, live: bool) -> None:
    """What is packed is unpacked: every message with its stays, its commit, its place, its codecs."""
    body = raw.pack_batch(batch, commit, "abc", range(len(batch)), live=live)
    expected = [Kept(item, commit, place, live, "abc", 7) for place, item in enumerate(batch)]
    assert list(raw.unpack(body, Privacy.INTERNAL, 7)) == expected


@given(st.lists(st.tuples(messages, st.integers(1, 9), st.booleans(), st.integers(1, 5)), min_size=1, max_size=20))
def test_a_segment_remembers_where_each_message_was_first(parts: list[tuple[RawMessage, int, bool, int]]) -> None:
    """A segment gives each message back with the row it came from."""
    kept = [
        Kept(item, commit, place, live, f"codecs-{origin}", origin)
        for place, (item, commit, live, origin) in enumerate(parts)
    ]
    assert list(raw.unpack(raw.pack_segment(kept), Privacy.INTERNAL, 99)) == kept


@given(st.data())
def test_broken_bytes_are_an_error_of_ours(data: st.DataObject) -> None:
    """Bytes with a flipped bit or cut off give RawError or, where nothing of it was lost, the same messages."""
    batch = [message(number) for number in range(3)]
    body = bytearray(raw.pack_batch(batch, 1, "abc", range(3), live=True))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= 1 << data.draw(st.integers(0, 7))
    for broken in (bytes(body), bytes(body[:at])):
        try:
            assert len(list(raw.unpack(broken, Privacy.INTERNAL))) == 3
        except RawError:
            continue


# -- journal -----------------------------------------------------------------------------------------------------------


def test_messages_come_back_in_the_order_of_their_commits(journal: sqlite3.Connection) -> None:
    """Classes are kept in rows of their own; read, the messages stand as they came, within a commit, too."""
    sent = [message(number, Privacy(number * 2 % 3)) for number in range(30)]
    for commit in range(10):
        journal_raw.write(journal, commit + 1, sent[commit * 3 : commit * 3 + 3], live=True)
    assert found(journal) == sent
    compact(journal)
    assert found(journal) == sent


def test_small_rows_become_segments(journal: sqlite3.Connection) -> None:
    """Commits of one message are merged into few rows that hold the same messages and take a fraction of the bytes."""
    sent = [message(number) for number in range(2500)]
    for number, item in enumerate(sent):
        journal_raw.write(journal, number + 1, [item], live=True)
    size = "SELECT sum(length(body)) FROM raw"
    (before,) = journal.execute(size).fetchone()
    compact(journal)
    (after,) = journal.execute(size).fetchone()
    segments = journal.execute("SELECT messages FROM raw").fetchall()
    assert [messages for (messages,) in segments] == [journal_raw.SEGMENT_ROWS] * 10
    assert found(journal) == sent
    assert after < before / 3


def test_large_rows_become_segments_of_a_megabyte(journal: sqlite3.Connection) -> None:
    """Commits of many messages are merged until a segment has a megabyte."""
    sent = [message(number) for number in range(4000)]
    for commit in range(20):
        journal_raw.write(journal, commit + 1, sent[commit * 200 : commit * 200 + 200], live=True)
    compact(journal)
    sizes = [raw.unpacked_bytes(body) for (body,) in journal.execute("SELECT body FROM raw WHERE messages > 200")]
    assert len(sizes) == 3
    assert all(journal_raw.SEGMENT_BYTES <= size < 1.3 * journal_raw.SEGMENT_BYTES for size in sizes)
    assert found(journal) == sent


def test_reading_goes_on_while_rows_are_merged(journal: sqlite3.Connection) -> None:
    """A reader that has read some rows of what then becomes one segment sees the others once, and none twice."""
    sent = [message(number) for number in range(1200)]
    for number, item in enumerate(sent):
        journal_raw.write(journal, number + 1, [item], live=True)
    reading = journal_raw.read(journal, 0, journal_raw.LAST, lambda _: None)
    first = [next(reading).message for _ in range(500)]
    compact(journal)
    assert rows(journal) < 500
    assert first + [kept.message for kept in reading] == sent
    assert found(journal, after=700) == sent[700:]


def test_a_segment_spans_a_day_at_most_and_an_hour_if_personal(journal: sqlite3.Connection) -> None:
    """Rows too far apart to be forgotten together are not merged; the newest four wait for more."""
    for privacy, step_ms in ((Privacy.INTERNAL, DAY_MS // 4), (Privacy.PERSONAL, HOUR_MS // 4)):
        for number in range(40):
            item = message(number, privacy, time_ms=BEGIN + number * step_ms)
            journal_raw.write(journal, number + 1, [item], live=True)
    compact(journal)
    spans = journal.execute("SELECT privacy, max(last_ms - first_ms), count(*) FROM raw GROUP BY privacy").fetchall()
    assert spans == [(Privacy.INTERNAL, DAY_MS * 3 // 4, 13), (Privacy.PERSONAL, HOUR_MS * 3 // 4, 13)]


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("damage", ["zeroblob(length(body))", "(SELECT body FROM raw WHERE seq = 1)"])
def test_a_damaged_row_is_reported_and_skipped(journal: sqlite3.Connection, damage: str, merged: bool) -> None:
    """The neighbours of a damaged row are read, before merging and after, and the damage is told once."""
    sent = [message(number) for number in range(6)]
    for number, item in enumerate(sent):
        journal_raw.write(journal, number + 1, [item], live=True)
    journal.execute(f"UPDATE raw SET body = {damage} WHERE seq = 3")  # noqa: S608 - a test's own words
    if merged:
        compact(journal)
    damaged: list[Damaged] = []
    read = [kept.message for kept in journal_raw.read(journal, 0, journal_raw.LAST, damaged.append)]
    assert read == sent[:2] + sent[3:]
    assert [(row.seq, row.messages) for row in damaged] == [(3, 1)]


def test_a_row_whose_bytes_lie_is_skipped_too(journal: sqlite3.Connection) -> None:
    """A row with the right checksum and bytes of another program stops nobody."""
    journal_raw.write(journal, 1, [message(1)], live=True)
    row = (BEGIN, BEGIN, 1, 1, b"no zstd")
    journal.execute("INSERT INTO raw VALUES (5, ?, ?, ?, ?, ?, ?)", (*row, checksum(*row)))
    damaged: list[Damaged] = []
    assert len(list(journal_raw.read(journal, 0, journal_raw.LAST, damaged.append))) == 1
    assert [item.seq for item in damaged] == [5]
    compact(journal)
    assert rows(journal) == 2


def test_every_class_is_forgotten_in_its_own_time(journal: sqlite3.Connection) -> None:
    """Personal messages go after their days, others after theirs, and the rest is called complete since."""
    settings = JournalSettings(raw_days=7, raw_personal_days=1)
    now_ms = BEGIN + 10 * DAY_MS
    for privacy in Privacy:
        for days in range(10):
            item = message(days, privacy, time_ms=BEGIN + days * DAY_MS + 1)
            journal_raw.write(journal, days * 3 + privacy + 1, [item], live=True)
    assert [journal_raw.complete_from(journal, privacy) for privacy in Privacy] == [BEGIN + 1] * 3
    assert journal_raw.prune(journal, settings, now_ms) == 3 + 3 + 9
    left = [item.privacy for item in found(journal)]
    assert [left.count(privacy) for privacy in Privacy] == [7, 7, 1]
    since = [now_ms - 7 * DAY_MS, now_ms - 7 * DAY_MS, now_ms - DAY_MS]
    assert [journal_raw.complete_from(journal, privacy) for privacy in Privacy] == since


def test_what_was_not_kept_is_not_called_complete(journal: sqlite3.Connection) -> None:
    """After a time without raw messages they count as complete only since the newest commit of that time."""
    commit = (1, BEGIN, 5)
    journal_raw.write(journal, 1, [message(0)], live=True)
    assert journal_raw.prune(journal, JournalSettings(raw_days=0), BEGIN) == 1
    assert journal_raw.complete_from(journal, Privacy.INTERNAL) is None
    journal.execute("INSERT INTO commits VALUES (?, ?, ?, ?)", (*commit, checksum(*commit)))
    journal_raw.write(journal, 2, [message(7)], live=True)
    assert journal_raw.complete_from(journal, Privacy.INTERNAL) == BEGIN + 1
    assert journal_raw.complete_from(journal, Privacy.PERSONAL) is None


def test_personal_messages_go_by_our_own_clock(journal: sqlite3.Connection) -> None:
    """Where no uplink tells the time any more, what is personal goes all the same; the rest waits."""
    for number, privacy in enumerate(Privacy):
        journal_raw.write(journal, number + 1, [message(number, privacy, time_ms=BEGIN)], live=True)
    settings = JournalSettings(raw_days=7, raw_personal_days=1)
    assert journal_raw.prune(journal, settings, BEGIN, BEGIN + 40 * DAY_MS) == 1
    assert [item.privacy for item in found(journal)] == [Privacy.OPEN, Privacy.INTERNAL]
