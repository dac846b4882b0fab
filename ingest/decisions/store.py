"""What people do to events in the journal: stop and start a domain, confirm a request; inside the caller's transaction.

Which domains are stopped is what the audit table says: the newest of `rules stop` and `rules start` of each. It is the
one table that nothing prunes, and that a salvage looks at row by row.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from ingest import downlink_store, downlink_track
from ingest.decisions.modes import BESIDE, Modes
from ingest.downlink import OPEN, is_downlink
from ingest.journal_schema import checksum, open_reader
from rules.engine import Engine

STOP, START = "rules stop", "rules start"
OUTSIDE = """
SELECT seq, id, topic, payload, acting, status FROM event WHERE status = 'pending'
UNION ALL SELECT seq, id, topic, payload, acting, status FROM event WHERE status = 'waiting'
UNION ALL SELECT seq, id, topic, payload, acting, status FROM event
    WHERE acting = 1 AND valid_until_ms > ? AND status = 'published'
"""
STANDING = """
SELECT retained.topic, event.seq, event.payload, event.acting FROM retained JOIN event ON event.id = retained.event_id
"""
SET_ASIDE = "SELECT seq, topic, payload, retained, valid_until_ms FROM event WHERE status = 'off' ORDER BY seq DESC"
SAY = "UPDATE event SET status = ?, status_ms = ? WHERE seq = ?"
NEWER = """
SELECT id, status FROM event
WHERE seq > ? AND topic = ? AND valid_until_ms > ? AND status IN ('waiting', 'pending', 'published')
ORDER BY seq DESC LIMIT 1
"""


ELSEWHERE = frozenset({*BESIDE, downlink_track.RULE})
"""Rules that are about no asset."""
Permits: TypeAlias = Callable[[str, str, Mapping[str, Any]], bool]


class RulesError(Exception):
    """A change that cannot be made; the message says why."""


class Waiting(NamedTuple):
    """An event that waits for a person."""

    id: str
    rule: str
    subject: str
    topic: str
    time_ms: int
    valid_until_ms: int


class Withdrawn(NamedTuple):
    """How many requests were withdrawn, and states taken back.

    `downlinks` are requests that ChirpStack has queued: nothing takes those back.
    """

    requests: int
    states: int
    downlinks: int = 0


def stopped(connection: sqlite3.Connection) -> set[str]:
    """The domains that are stopped."""
    query = "SELECT action, subject FROM audit WHERE action IN (?, ?) ORDER BY number"
    newest = {subject: action for action, subject in connection.execute(query, (STOP, START))}
    return {subject for subject, action in newest.items() if action == STOP}


def withdraw(
    connection: sqlite3.Connection, modes: Modes, now_ms: int, permits: Permits = lambda *_: True
) -> Withdrawn:
    """Take back whatever may no longer be outside: requests for good, states until they may be there again.

    What the parameters in force no longer permit (by rule, asset and data) goes for good. Topics on which something
    stands are noted as expired, for the outbox to empty.
    """
    requests = states = downlinks = 0
    for seq, name, topic, payload, acting, status in connection.execute(OUTSIDE, (now_ms,)).fetchall():
        permitted = _permitted(permits, payload)
        if permitted and _may_be_out(modes, payload, acting=bool(acting)):
            continue
        if is_downlink(topic):
            if status == "published":
                sent = downlink_store.find(connection, name)
                downlinks += sent is not None and sent.status in OPEN
                continue
            downlink_store.withdrawn(connection, name, now_ms)
        connection.execute(SAY, ("withdrawn" if acting or not permitted else "off", now_ms, seq))
        requests += acting
        states += not acting
        if status == "published":
            _expire(connection, topic, name)
    for topic, seq, payload, acting in connection.execute(STANDING).fetchall():
        permitted = _permitted(permits, payload)
        if not acting and not (permitted and _may_be_out(modes, payload, acting=False)):
            connection.execute(SAY, ("off" if permitted else "withdrawn", now_ms, seq))
            _expire(connection, topic, "")
            states += 1
    return Withdrawn(requests, states, downlinks)


def release(connection: sqlite3.Connection, modes: Modes, now_ms: int, permits: Permits = lambda *_: True) -> int:
    """Let out the newest state of each topic that may be outside again and is still valid; returns how many."""
    found, seen = 0, set[str]()
    for seq, topic, payload, retained, valid_until_ms in connection.execute(SET_ASIDE).fetchall():
        if not (_may_be_out(modes, payload, acting=False) and _permitted(permits, payload)):
            continue
        newest = topic not in seen
        seen.add(topic)
        goes = newest and bool(retained) and valid_until_ms > now_ms
        connection.execute(SAY, ("pending" if goes else "superseded", now_ms, seq))
        found += goes
    return found


def confirm(connection: sqlite3.Connection, name: str, modes: Modes, now_ms: int) -> None:
    """Let an event out that waits; raises RulesError when it does not, is too old, or a newer one waits or is out."""
    query = "SELECT seq, topic, payload, acting, status, valid_until_ms FROM event WHERE id = ?"
    row = connection.execute(query, (name,)).fetchone()
    if row is None:
        raise RulesError(f"no event {name}")
    seq, topic, payload, acting, status, valid_until_ms = row
    if status != "waiting":
        raise RulesError(f"event {name} does not wait: it is {status}")
    if valid_until_ms <= now_ms:
        raise RulesError(f"event {name} expired {(now_ms - valid_until_ms) / 1000:.0f} s ago")
    if not _may_be_out(modes, payload, acting=bool(acting)):
        raise RulesError(f"event {name}: its rule may say nothing now")
    newer = connection.execute(NEWER, (seq, topic, now_ms)).fetchone()
    if newer is not None:
        verb = "waits" if newer[1] == "waiting" else "is out"
        raise RulesError(f"event {name} is superseded: {newer[0]} {verb} on the same topic")
    connection.execute(SAY, ("pending", now_ms, seq))


def waiting(connection: sqlite3.Connection, now_ms: int) -> Iterator[Waiting]:
    """The events that a person can confirm now, oldest first: valid, and none newer on their topic."""
    query = (
        "SELECT seq, id, topic, payload, time_ms, valid_until_ms FROM event"
        " WHERE status = 'waiting' AND valid_until_ms > ? ORDER BY seq"
    )
    for seq, name, topic, payload, time_ms, valid_until_ms in connection.execute(query, (now_ms,)).fetchall():
        if connection.execute(NEWER, (seq, topic, now_ms)).fetchone() is not None:
            continue
        rule, subject = rule_and_subject(payload)
        yield Waiting(name, rule, subject, topic, time_ms, valid_until_ms)


def read_stopped(path: Path) -> set[str]:
    """The domains that are stopped in a journal that no service has open yet."""
    with closing(open_reader(path)) as connection:
        return stopped(connection)


def continue_numbers(path: Path, engine: Engine) -> None:
    """Let an engine whose state may be damaged number requests above all that the journal holds."""
    with closing(open_reader(path)) as connection:
        for (payload,) in connection.execute("SELECT payload FROM event WHERE acting = 1"):
            rule, subject = rule_and_subject(payload)
            if rule:
                engine.continue_behind(rule, subject, int(json.loads(payload)["data"].get("sequence", 0)))


def rule_and_subject(payload: bytes) -> tuple[str, str]:
    """Whose event it is, and about what; empty for bytes that are no event of a rule."""
    try:
        event = json.loads(payload)
        return str(event["data"]["rule"]), str(event["subject"])
    except (ValueError, KeyError, TypeError):
        return "", ""


def _may_be_out(modes: Modes, payload: bytes, *, acting: bool) -> bool:
    rule, subject = rule_and_subject(payload)
    return not rule or modes.goes_out(rule, subject, acting=acting)


def _permitted(permits: Permits, payload: bytes) -> bool:
    rule, subject = rule_and_subject(payload)
    return not rule or rule in ELSEWHERE or permits(rule, subject, json.loads(payload)["data"])


def _expire(connection: sqlite3.Connection, topic: str, name: str) -> None:
    connection.execute("INSERT OR REPLACE INTO retained VALUES (?, ?, 0, ?)", (topic, name, checksum(topic, name, 0)))
