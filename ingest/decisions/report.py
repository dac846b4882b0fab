"""What rules said in a span, by rule and subject: how often, how available, how stable, how near to what really ran.

It is what a shadow period is judged by: `agreement_pct` is the share of requests that asked for what was reported to
run anyway, `switches` how often the wish changed, `availability_pct` the share of the span in which a decision was
valid, `coverage_pct` the mean share of expected readings behind the decisions, `problems` how often requests were said
to be unanswered, rejected, faulty, or all right again. `measured_pct` is the share of decisions that stood on flows
which are known, also where nothing was asked for: of the days (UTC) that the span touches.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ingest import downlink_store, downlink_track
from ingest.journal_schema import checksum
from ingest.service_state import HEARTBEAT_TOPIC

PAGE = 1000
DAY_MS = 24 * 3_600_000
WISHES = ("plan", "programme", "level", "state", "due")
"""Data in which events say what they want or hold, the first that they have."""
HOUR_MS = 3_600_000


@dataclass(slots=True)
class Account:
    """What a rule said about a subject, in the order of time; times in ms since 1970 (UTC)."""

    rule: str
    subject: str
    statuses: Counter[str] = field(default_factory=Counter)
    switches: int = 0
    reported: int = 0
    agreed: int = 0
    valid_ms: int = 0
    valid_until_ms: int = 0
    coverage: list[float] = field(default_factory=list)
    wish: object = None
    downlinks: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    decided: int = 0
    known: int = 0

    def take(self, event: dict[str, Any], status: str, time_ms: int, valid_until_ms: int, end_ms: int) -> None:
        """Count another event; one that says whether requests are carried out is no decision."""
        data = event["data"]
        if "problem" in data:
            self.problems[data["problem"] or "ok"] += 1
            return
        self.statuses[status] += 1
        wish = next((data[name] for name in WISHES if name in data), None)
        self.switches += self.wish is not None and wish != self.wish
        self.wish = wish
        if data.get("reported") is not None:
            self.reported += 1
            self.agreed += data["reported"] == wish
        until_ms = min(valid_until_ms, end_ms)
        self.valid_ms += max(0, until_ms - max(time_ms, self.valid_until_ms))
        self.valid_until_ms = max(self.valid_until_ms, until_ms)
        self.coverage += [part["coverage_pct"] for part in data["evidence"] if part.get("coverage_pct") is not None]

    def row(self, span_ms: int) -> dict[str, Any]:
        """The figures as JSON; null where nothing is known."""
        return {
            "rule": self.rule,
            "subject": self.subject,
            "events": self.statuses.total(),
            "statuses": dict(sorted(self.statuses.items())),
            "switches": self.switches,
            "switches_per_hour": round(self.switches * HOUR_MS / span_ms, 3),
            "agreement_pct": round(100 * self.agreed / self.reported, 1) if self.reported else None,
            "availability_pct": round(100 * self.valid_ms / span_ms, 1),
            "coverage_pct": round(sum(self.coverage) / len(self.coverage), 1) if self.coverage else None,
            "measured_pct": round(100 * self.known / self.decided, 1) if self.decided else None,
            "downlinks": dict(sorted(self.downlinks.items())),
            "problems": dict(sorted(self.problems.items())),
        }


def report(connection: sqlite3.Connection, from_ms: int, to_ms: int, rule: str = "") -> list[dict[str, Any]]:
    """A row for each rule and subject that decided something in [from_ms, to_ms), by their names."""
    accounts: dict[tuple[str, str], Account] = {}
    for event, status, time_ms, valid_until_ms in _events(connection, from_ms, to_ms):
        key = (event["data"]["rule"], event["subject"])
        if rule in {"", key[0]} and key[0] != downlink_track.RULE:
            account = accounts.setdefault(key, Account(*key))
            account.take(event, status, time_ms, valid_until_ms, to_ms)
    for key, statuses in downlink_store.counts(connection, from_ms, to_ms).items():
        if key in accounts:
            accounts[key].downlinks = statuses
    for name, subject, decided, known in _measured(connection, from_ms // DAY_MS, (to_ms - 1) // DAY_MS):
        if rule in {"", name}:
            account = accounts.setdefault((name, subject), Account(name, subject))
            account.decided, account.known = decided, known
    return [account.row(to_ms - from_ms) for _, account in sorted(accounts.items())]


def _measured(connection: sqlite3.Connection, first: int, last: int) -> Iterator[tuple[str, str, int, int]]:
    """Rule, subject, decisions and those on known flows of these days, of the states that count them."""
    query = "SELECT rule, subject, version, body, crc FROM state WHERE body LIKE '%\"measured_days\":[[%'"
    for rule, subject, version, body, crc in connection.execute(query):
        if checksum(rule, subject, version, body) != crc:
            continue
        days = [day for day in json.loads(body)["rest"]["measured_days"] if first <= day[0] <= last]
        if days:
            yield rule, subject, sum(day[1] for day in days), sum(day[2] for day in days)


def _events(connection: sqlite3.Connection, from_ms: int, to_ms: int) -> Iterator[tuple[dict[str, Any], str, int, int]]:
    """Events of rules in the order in which they were said, a page at a time."""
    after = 0
    query = (
        "SELECT seq, payload, status, time_ms, valid_until_ms FROM event"
        " WHERE seq > ? AND time_ms >= ? AND time_ms < ? AND topic != ? ORDER BY seq LIMIT ?"
    )
    while page := connection.execute(query, (after, from_ms, to_ms, HEARTBEAT_TOPIC, PAGE)).fetchall():
        for seq, payload, status, time_ms, valid_until_ms in page:
            after = seq
            try:
                event = json.loads(payload)
            except ValueError:
                continue
            if "rule" in event.get("data", {}):
                yield event, status, time_ms, valid_until_ms
