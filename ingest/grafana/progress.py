"""How far annotations have come, in the journal: which events were seen, which still wait, which episodes are open."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ingest import journal_sql as sql
from ingest.grafana.episode import TOPICS, Episode
from ingest.journal_records import EventRow
from ingest.journal_schema import checksum

KEY = "grafana annotations"
OUT = frozenset({"pending", "published", "superseded", "expired_unpublished"})
"""Statuses of events that their mode lets out."""
LATER = frozenset({"waiting", "off"})
"""Statuses of events that may yet be let out: a person confirms them, or a domain is started again."""
LET_OUT = OUT - {"superseded"}
"""Statuses of events that were held and are let out now; one that is superseded then never was."""
ROWS = 100
SPAN = 5000
"""Events that one read looks at, most of them of no interest here."""
HELD_AT_MOST = 1000
COLUMNS = "seq, id, topic, payload, retained, acting, time_ms, valid_until_ms, status, crc"
OF_INTEREST = "(topic GLOB ? OR topic GLOB ?)"
NEXT = f"SELECT {COLUMNS} FROM event WHERE seq > ? AND seq <= ? AND {OF_INTEREST} ORDER BY seq LIMIT {ROWS}"  # noqa: S608 - own constants
HELD = f"SELECT {COLUMNS} FROM event WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq"  # noqa: S608 - the same
NEWEST = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'event'"


@dataclass(slots=True)
class Progress:
    """`seq` is the newest event seen, `held` those that may be let out later, `open` the episodes by topic."""

    seq: int = 0
    held: set[int] = field(default_factory=set)
    open: dict[str, Episode] = field(default_factory=dict)

    def hold(self, seq: int) -> None:
        """Look at this event again, as long as there are not too many."""
        self.held.add(seq)
        if len(self.held) > HELD_AT_MOST:
            self.held.remove(min(self.held))

    def dump(self) -> str:
        """As JSON."""
        return json.dumps({"seq": self.seq, "held": sorted(self.held), "open": self.open})


class Row(NamedTuple):
    """An event in the journal; `intact` is false where its checksum does not fit."""

    seq: int
    event: EventRow
    intact: bool


class Rows(NamedTuple):
    """What is next: events that were held, new ones, and up to where all new ones of interest are among them."""

    held: list[Row]
    new: list[Row]
    up_to: int


def load(connection: sqlite3.Connection) -> Progress:
    """Where to go on; at the very first with what comes from now on, and with the oldest when the note is damaged."""
    row = connection.execute("SELECT value, crc FROM meta WHERE key = ?", (KEY,)).fetchone()
    if row is None:
        return Progress(_newest(connection))
    if checksum(KEY, row[0]) != row[1]:
        return Progress()
    kept = json.loads(row[0])
    return Progress(kept["seq"], set(kept["held"]), _episodes(kept["open"]))


def save(connection: sqlite3.Connection, note: str) -> None:
    """Keep it, inside the caller's transaction."""
    sql.remember(connection, KEY, note)


def following(connection: sqlite3.Connection, seq: int, held: str) -> Rows:
    """The events after this one, and those of `held`, a JSON list."""
    newest = min(_newest(connection), seq + SPAN)
    found = [_row(row) for row in connection.execute(NEXT, (seq, newest, *TOPICS))]
    up_to = found[-1].seq if len(found) == ROWS else max(newest, seq)
    return Rows([_row(row) for row in connection.execute(HELD, (held,))], found, up_to)


def _newest(connection: sqlite3.Connection) -> int:
    return int(connection.execute(NEWEST).fetchone()[0])


def _row(row: sqlite3.Row) -> Row:
    seq, name, topic, payload, retained, acting, time_ms, valid_until_ms, status, crc = row
    event = EventRow(name, topic, payload, bool(retained), bool(acting), time_ms, valid_until_ms, status)
    return Row(seq, event, sql.event_checksum(event) == crc)


def _episodes(kept: Mapping[str, tuple[str, int]]) -> dict[str, Episode]:
    return {topic: Episode(*parts) for topic, parts in kept.items()}
