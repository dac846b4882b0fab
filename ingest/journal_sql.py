"""The journal's statements: plain functions on a connection, each inside its caller's transaction."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from decoders.quantity import Privacy
from ingest import audit, downlink_store, journal_raw
from ingest.bulk_insert import insert
from ingest.dead_letter_rows import write_dead_letter, write_resolved
from ingest.downlink import is_downlink
from ingest.fleet import ledger_store, lifecycle_store
from ingest.fleet import store as fleet_store
from ingest.journal_privacy import PERSONAL_DAYS, PersonalData
from ingest.journal_records import (
    Batch,
    EventRow,
    Known,
    LedgerRow,
    PointsRow,
    Retained,
    StoredEvent,
    Wanted,
)
from ingest.journal_schema import checksum
from ingest.routes import store as route_store
from ingest.service_state import HEARTBEAT_TOPIC
from ingest.settings import JournalSettings
from rules.engine import StateRow

DAY_MS = 86_400_000
DAMAGED_DEVICES = "SELECT dev_eui FROM device WHERE dev_eui IN (SELECT value FROM json_each(?))"
"""Of devices whose record could not be loaded: those that have one."""
HEARTBEATS = 100
"""Heartbeats that are kept; they explain nothing."""
FORGET_HEARTBEATS = """
DELETE FROM event WHERE topic = ? AND status != 'pending'
AND seq NOT IN (SELECT seq FROM event WHERE topic = ? ORDER BY seq DESC LIMIT ?)
"""
PENDING_EVENTS = """
SELECT seq, id, topic, payload, retained, acting, time_ms, valid_until_ms, crc, (retained OR acting) AND EXISTS (
    SELECT 1 FROM event AS newer WHERE newer.status = 'pending' AND newer.topic = event.topic AND newer.seq > event.seq
)
FROM event WHERE status = 'pending' AND topic NOT IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT ?
"""
OVERTAKEN = """
SELECT topic, id FROM event
WHERE seq IN (SELECT value FROM json_each(?)) AND (status = 'off' OR status = 'withdrawn' AND acting = 1)
"""
"""What went out while it was taken back."""


def write_batch(
    connection: sqlite3.Connection, number: int, batch: Batch, now_ms: int, personal: PersonalData
) -> list[bool]:
    """Write a batch as commit `number`; returns for each dead letter whether it is new."""
    batch.number, batch.line_bytes = number, 0
    if batch.messages or batch.ticks or batch.devices:
        commit = (number, batch.ns_time_ms, batch.messages)
        connection.execute("INSERT INTO commits VALUES (?, ?, ?, ?)", (*commit, checksum(*commit)))
    ticks = [(tick, number, checksum(tick, number)) for tick in batch.ticks]
    connection.executemany("INSERT OR IGNORE INTO tick VALUES (?, ?, ?)", ticks)
    insert(connection, "INSERT OR IGNORE INTO seen", batch.seen)
    for privacy, lines in batch.lines.items():
        if lines:
            body = "\n".join(lines).encode()
            batch.line_bytes += len(body)
            write_points(connection, privacy, len(lines), body)
    write_events(connection, batch.events)
    states = [(*row, checksum(*row)) for row in batch.states]
    insert(connection, "INSERT OR REPLACE INTO state", states)
    _write_fleet(connection, number, batch)
    downlink_store.put(connection, batch.downlinks.values())
    route_store.take_answers(connection, batch.route_answers, now_ms)
    journal_raw.write(connection, number, batch.raw, live=batch.messages > 0)
    new = [write_dead_letter(connection, letter, personal.privacy(letter)) for letter in batch.dead_letters]
    for resolved in batch.resolved:
        write_resolved(connection, resolved, personal)
    for action in batch.actions:
        audit.append(connection, action, now_ms)
    return new


def write_events(connection: sqlite3.Connection, events: Iterable[EventRow]) -> None:
    """Keep events; of one that is there already nothing changes."""
    connection.executemany(
        "INSERT OR IGNORE INTO event (id, topic, payload, retained, acting, time_ms, valid_until_ms, status, crc)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(*event, event_checksum(event)) for event in events],
    )


def _write_fleet(connection: sqlite3.Connection, number: int, batch: Batch) -> None:
    if batch.devices:
        row = (number, batch.devices, checksum(number, batch.devices))
        connection.execute("INSERT INTO device_log VALUES (?, ?, ?)", row)
    into = "INSERT OR REPLACE INTO"
    insert(connection, f"{into} ledger", [(*_checked(row), int(row.privacy)) for row in batch.ledger])
    insert(connection, f"{into} gateway_ledger", [_checked(row) for row in batch.gateway_ledger])
    lifecycle_store.write_assigned(connection, batch.assigned)


def _checked(row: LedgerRow) -> tuple[int, str, bytes, int]:
    return row.day, row.subject, row.body, checksum(row.day, row.subject, row.body)


def event_checksum(event: EventRow) -> int:
    """The checksum of an event's row."""
    name, topic, payload, retained, acting, time_ms, valid_until_ms, _ = event
    return checksum(name, topic, payload, int(retained), int(acting), time_ms, valid_until_ms)


def file_damaged_event(connection: sqlite3.Connection, seq: int) -> None:
    """Take an event whose checksum does not fit out of those that wait."""
    connection.execute("UPDATE event SET status = 'damaged' WHERE seq = ?", (seq,))


def write_points(connection: sqlite3.Connection, privacy: Privacy, lines: int, body: bytes) -> None:
    """Add lines for the sinks."""
    connection.execute(
        "INSERT INTO points (privacy, lines, body, crc) VALUES (?, ?, ?, ?)",
        (privacy, lines, body, checksum(int(privacy), lines, body)),
    )


def tell_ledger(connection: sqlite3.Connection) -> None:
    """Say the class of ledgers that an earlier schema kept without one, by what is known of their devices today."""
    if connection.execute("SELECT 1 FROM ledger WHERE privacy IS NULL LIMIT 1").fetchone():
        records = fleet_store.records(connection)
        personal = [name for name, found in records if found.about.privacy is Privacy.PERSONAL]
        told = "CASE WHEN dev_eui IN (SELECT value FROM json_each(?)) THEN 2 ELSE 1 END"
        connection.execute(f"UPDATE ledger SET privacy = {told} WHERE privacy IS NULL", (json.dumps(personal),))  # noqa: S608 - own constant


def cursors(connection: sqlite3.Connection) -> dict[str, int]:
    """How far sinks have come; one whose checksum does not fit begins again, which changes nothing in its sink."""
    found = {}
    for sink, seq, crc in connection.execute("SELECT sink, seq, crc FROM cursor").fetchall():
        found[sink] = seq if checksum(sink, seq) == crc else first_cursor(connection, sink)
    return found


def first_cursor(connection: sqlite3.Connection, sink: str) -> int:
    """Let a sink begin with the oldest row there is; returns its cursor."""
    (seq,) = connection.execute("SELECT coalesce(min(seq), 1) - 1 FROM points").fetchone()
    connection.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?, ?)", (sink, seq, checksum(sink, seq)))
    return int(seq)


def newest_ns_time_ms(connection: sqlite3.Connection) -> int:
    """The newest network server time of all commits."""
    fits = "crc = checksum(number, ns_time_ms, messages)"
    query = f"SELECT coalesce(max(ns_time_ms), 0) FROM commits WHERE {fits}"  # noqa: S608 - own constant
    (newest,) = connection.execute(query).fetchone()
    return int(newest)


def remember(connection: sqlite3.Connection, key: str, value: str) -> str | None:
    """Keep a word; returns the one kept before, None when there was none or it is damaged."""
    query = "SELECT value FROM meta WHERE key = ? AND crc = checksum(key, value)"
    row = connection.execute(query, (key,)).fetchone()
    if row != (value,):
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", (key, value, checksum(key, value)))
    return None if row is None else str(row[0])


def move_cursors(connection: sqlite3.Connection, moved: Mapping[str, int]) -> int:
    """Note how far sinks have come and delete what all have taken; returns the bytes of lines that went."""
    if not moved:
        return 0
    rows = [(seq, checksum(sink, seq), sink) for sink, seq in moved.items()]
    connection.executemany("UPDATE cursor SET seq = ?, crc = ? WHERE sink = ?", rows)
    taken = "FROM points WHERE seq <= (SELECT min(seq) FROM cursor)"
    (went,) = connection.execute(f"SELECT coalesce(sum(length(body)), 0) {taken}").fetchone()
    connection.execute(f"DELETE {taken}")
    return int(went)


def events_done(
    connection: sqlite3.Connection,
    done: Sequence[tuple[int, str]],
    standing: Iterable[Retained],
    emptied: Iterable[str],
    queued: Iterable[str],
    now_ms: int,
) -> None:
    """Note what became of events, by (seq, status), what stands on retained topics, which downlinks ChirpStack has.

    What was taken back while it went out stays taken back, and is emptied.
    """
    published = json.dumps([seq for seq, status in done if status == "published"])
    overtaken = [row for row in connection.execute(OVERTAKEN, (published,)).fetchall() if not is_downlink(row[0])]
    for status in {status for _, status in done}:
        numbers = json.dumps([seq for seq, its in done if its == status])
        update = "UPDATE event SET status = ?, status_ms = ? WHERE seq IN (SELECT value FROM json_each(?))"
        connection.execute(update, (status, now_ms, numbers))
    for _, name in overtaken:
        connection.execute("UPDATE event SET status = iif(acting, 'withdrawn', 'off') WHERE id = ?", (name,))
    downlink_store.queued(connection, queued, now_ms)
    gone = json.dumps(list(emptied))
    connection.execute("DELETE FROM retained WHERE topic IN (SELECT value FROM json_each(?))", (gone,))
    rows = [*standing, *(Retained(topic, name, 0) for topic, name in overtaken)]
    insert(connection, "INSERT OR REPLACE INTO retained", [(*row, checksum(*row)) for row in rows])


def prune(
    connection: sqlite3.Connection,
    settings: JournalSettings,
    number: int,
    newest_ns_time_ms: int,
    now_ms: int,
    personal_ms: int | None = None,
    personal_days: float = PERSONAL_DAYS,
) -> int:
    """Forget what is older than the settings ask for; identities by commits and network server time, never by now.

    What is personal is measured by `personal_ms` where it is given, and goes after `personal_days` at the latest.
    """
    last = number - settings.duplicates_commits
    query = (
        "SELECT coalesce(max(ns_time_ms), 0) FROM commits"
        " WHERE number <= ? AND crc = checksum(number, ns_time_ms, messages)"
    )
    (commit_ns,) = connection.execute(query, (last,)).fetchone()
    seen_before = min(commit_ns, newest_ns_time_ms - int(settings.duplicates_days * DAY_MS))
    events_before = now_ms - int(settings.events_days * DAY_MS)
    ledger_before = int(now_ms / DAY_MS - settings.ledger_days)
    letters_before = now_ms - int(settings.dead_letter_days * DAY_MS)
    personal_before = (now_ms if personal_ms is None else personal_ms) - int(personal_days * DAY_MS)
    steps: tuple[tuple[str, tuple[int | str, ...]], ...] = (
        ("DELETE FROM seen WHERE ns_time_ms < ?", (seen_before,)),
        ("DELETE FROM commits WHERE number <= ? AND ns_time_ms < ?", (last, seen_before)),
        ("DELETE FROM tick WHERE time_ms < ?", (events_before,)),
        ("DELETE FROM event WHERE status != 'pending' AND time_ms < ?", (events_before,)),
        ("DELETE FROM event WHERE status = 'personal' AND time_ms < ?", (personal_before,)),
        ("DELETE FROM downlink WHERE time_ms < ?", (events_before,)),
        ("DELETE FROM downlink WHERE privacy = 2 AND time_ms < ?", (personal_before,)),
        ("DELETE FROM route WHERE day < ?", (route_store.oldest_day(now_ms),)),
        (FORGET_HEARTBEATS, (HEARTBEAT_TOPIC, HEARTBEAT_TOPIC, HEARTBEATS)),
        ("DELETE FROM dead_letter WHERE time_ms < ?", (letters_before,)),
        ("DELETE FROM dead_letter WHERE privacy = 2 AND time_ms < ?", (personal_before,)),
        ("DELETE FROM ledger WHERE day < ?", (ledger_before,)),
        ("DELETE FROM ledger WHERE privacy = 2 AND day < ?", (personal_before // DAY_MS,)),
        ("DELETE FROM gateway_ledger WHERE day < ?", (ledger_before,)),
    )
    gone = sum(connection.execute(statement, values).rowcount for statement, values in steps)
    fleet_store.forget_remembered(connection, personal_before)
    return gone + journal_raw.prune(connection, settings, now_ms, personal_ms)


def look_up(connection: sqlite3.Connection, wanted: Wanted) -> tuple[Known, list[str]]:
    """What the journal knows of what a batch is about, and the devices whose records are damaged."""
    query = "SELECT 1 FROM seen WHERE ns_time_ms = ? AND deduplication_id = ?"
    identifiers = {key[1] for key in wanted.keys if connection.execute(query, key).fetchone()}
    due: list[tuple[int, str]] = []
    if wanted.due_ms is not None:
        due = [item for item in fleet_store.due(connection, wanted.due_ms, wanted.limit) if not wanted.skip(item[1])]
    names = list(dict.fromkeys([*wanted.devices, *(dev_eui for _, dev_eui in due)]))
    records = fleet_store.load(connection, names)
    missing = json.dumps([name for name in names if name not in records])
    damaged = connection.execute(DAMAGED_DEVICES, (missing,)).fetchall() if missing != "[]" else []
    closed = ledger_store.closed(connection, wanted.closed)
    ended_ms = None if wanted.due_ms is None else wanted.due_ms - wanted.margin_ms
    downlinks = downlink_store.look_up(connection, wanted.downlinks, ended_ms)
    return Known(identifiers, records, due, closed, downlinks), [dev_eui for (dev_eui,) in damaged]


def damaged_logs(connection: sqlite3.Connection) -> list[int]:
    """The commits whose log of devices is not as it was written."""
    rows = connection.execute("SELECT number FROM device_log WHERE crc != checksum(number, body) ORDER BY number")
    return [number for (number,) in rows]


def states(connection: sqlite3.Connection) -> tuple[list[StateRow], list[StateRow]]:
    """All rule states: (intact, damaged)."""
    intact: list[StateRow] = []
    damaged: list[StateRow] = []
    for rule, subject, version, body, crc in connection.execute("SELECT * FROM state ORDER BY rule, subject"):
        fits = checksum(rule, subject, version, body) == crc
        (intact if fits else damaged).append(StateRow(rule, subject, version, body))
    return intact, damaged


def points_after(
    connection: sqlite3.Connection, seq: int, max_lines: int
) -> tuple[list[PointsRow], list[tuple[int, bytes]]]:
    """The next rows, about `max_lines` lines; damaged ones stand in it without lines, and apart as (seq, body)."""
    rows: list[PointsRow] = []
    damaged: list[tuple[int, bytes]] = []
    total = 0
    query = "SELECT seq, privacy, lines, body, crc FROM points WHERE seq > ? ORDER BY seq LIMIT 100"
    for number, privacy, lines, body, crc in connection.execute(query, (seq,)):
        if rows and total + lines > max_lines:
            break
        total += lines
        if checksum(privacy, lines, body) == crc:
            rows.append(PointsRow(number, Privacy(privacy), lines, body))
        else:
            damaged.append((number, body))
            rows.append(PointsRow(number, Privacy(privacy), 0, b""))
    return rows, damaged


def newest_points(connection: sqlite3.Connection) -> int:
    """The newest row of points, 0 before the first."""
    (seq,) = connection.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'points'").fetchone()
    return int(seq)


def pending_events(
    connection: sqlite3.Connection, limit: int, without: Iterable[str]
) -> tuple[list[StoredEvent], list[tuple[int, bytes]]]:
    """Events that wait for other topics than these, oldest first; damaged ones apart as (seq, payload)."""
    found: list[StoredEvent] = []
    damaged: list[tuple[int, bytes]] = []
    for row in connection.execute(PENDING_EVENTS, (json.dumps(list(without)), limit)):
        seq, name, topic, payload, retained, acting, time_ms, valid_until_ms, crc, superseded = row
        event = EventRow(name, topic, payload, bool(retained), bool(acting), time_ms, valid_until_ms)
        if event_checksum(event) != crc:
            damaged.append((seq, payload))
            continue
        found.append(StoredEvent(seq, event, bool(superseded) and not is_downlink(topic)))
    return found, damaged


def expired_retained(connection: sqlite3.Connection, now_ms: int) -> list[Retained]:
    """Retained topics whose event has expired."""
    query = "SELECT topic, event_id, valid_until_ms FROM retained WHERE valid_until_ms <= ?"
    return [Retained(*row) for row in connection.execute(query, (now_ms,))]


def waiting(connection: sqlite3.Connection) -> tuple[int, int, int, int]:
    """Rows that wait: points, their lines, events, open dead letters."""
    points, lines = connection.execute("SELECT count(*), coalesce(sum(lines), 0) FROM points").fetchone()
    (events,) = connection.execute("SELECT count(*) FROM event WHERE status = 'pending'").fetchone()
    (letters,) = connection.execute("SELECT count(*) FROM dead_letter WHERE status = 'open'").fetchone()
    return points, lines, events, letters


def waiting_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of the lines that wait for a sink."""
    (total,) = connection.execute("SELECT coalesce(sum(length(body)), 0) FROM points").fetchone()
    return int(total)
