"""The rules run again in shadow over raw messages and recorded ticks, beside what the journal says they said.

Exact, to the byte, from the beginning of a journal with the code and the city of then: messages and ticks come in the
order of their commits, and each commit is one overlay. Not exact: duplicates and dead letters moved rule time, too, but
are not among the raw messages, so that a tick they brought stands before the next message that is at least as new; and
where a span begins later than the journal, rules begin with nothing known.
"""

import json
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, takewhile
from typing import Any, Literal, NamedTuple

from ingest import answers, journal_raw, tour_feedback
from ingest.journal_raw import Damaged
from ingest.journal_schema import checksum
from ingest.raw import Kept
from ingest.replay.decode_again import Decoder, Message, Undecodable
from ingest.service_state import HEARTBEAT_TOPIC
from rules.answer import AnswerError
from rules.city import City
from rules.engine import Engine, Observation, Overlay, Tick
from rules.feedback import FeedbackError
from rules.rule import AnyRule

Verdict = Literal["same", "different", "missing", "additional"]
"""Of an event: said in both with the same bytes, with others, only then (missing now), only now (additional)."""
PAGE = 1000
LATE_MS = 86_400_000
"""How far beyond the span inputs are read, so that what came late in it finds the rules as they were."""


class Said(NamedTuple):
    """An event that a rule concluded."""

    id: str
    rule: str
    subject: str
    type: str
    time: str
    payload: bytes

    @classmethod
    def of(cls, payload: bytes) -> "Said":
        """The event in these bytes; raises ValueError, KeyError, TypeError."""
        found = json.loads(payload)
        return cls(found["id"], found["data"]["rule"], found["subject"], found["type"], found["time"], payload)

    @property
    def data(self) -> dict[str, Any]:
        """What it says, without the evidence."""
        data = dict(json.loads(self.payload)["data"])
        data.pop("evidence", None)
        return data


class Finding(NamedTuple):
    """One event, and how the two times compare; `said` is now's, or then's where it is missing now."""

    verdict: Verdict
    said: Said


class Shadow(NamedTuple):
    """What came of a run: findings in the order of time, inputs, and what could not be used."""

    findings: list[Finding]
    messages: int
    ticks: int
    problems: list[str]


class Done(NamedTuple):
    """What a commit led to, and how many messages and ticks it held."""

    overlay: Overlay
    messages: int
    ticks: int


class Selection(NamedTuple):
    """Which span (ms, [from, to)), rules and subjects are compared; empty means all."""

    from_ms: int
    to_ms: int
    rule: str = ""
    subject: str = ""

    def holds(self, said: Said) -> bool:
        """Whether an event belongs to it."""
        return self.rule in {"", said.rule} and self.subject in {"", said.subject}


def run(
    connection: sqlite3.Connection, decoder: Decoder, city: City, rules: Sequence[AnyRule], chosen: Selection
) -> Shadow:
    """Run these rules over what the journal holds of the span, and compare; reads only."""
    chosen_rules = {rule.id for rule in rules if chosen.rule in {"", rule.id}}
    engine = Engine(city, with_followed(rules, chosen.rule))
    shadow = Shadow([], 0, 0, [])
    now: dict[str, Said] = {}
    messages = ticks = 0
    for done in replayed(connection, decoder, engine, (chosen.from_ms, chosen.to_ms + LATE_MS), shadow.problems):
        messages += done.messages
        ticks += done.ticks
        for event in done.overlay.events:
            if chosen.from_ms <= event.time_ms < chosen.to_ms and event.data.rule in chosen_rules:
                now.setdefault(event.id, Said.of(event.payload()))
    then = _then(connection, chosen, chosen_rules, shadow.problems)
    return shadow._replace(findings=compare(then, now, chosen), messages=messages, ticks=ticks)


def with_followed(rules: Sequence[AnyRule], chosen: str) -> list[AnyRule]:
    """The chosen rule (empty: all), and where it follows others' events all that may be those others."""
    follows = any(rule.id == chosen and rule.follows is not None for rule in rules)
    return [rule for rule in rules if chosen in {"", rule.id} or (follows and rule.follows is None)]


def replayed(
    connection: sqlite3.Connection,
    decoder: Decoder,
    engine: Engine,
    span: tuple[int, int],
    problems: list[str],
    *,
    traced: bool = False,
) -> Iterator[Done]:
    """The commits of a span of network server time, one by one, each merged into the engine before the next.

    With `traced` their overlays say which step made which event.
    """
    from_ms, end_ms = span
    damaged: list[Damaged] = []
    kept = journal_raw.read(connection, from_ms, end_ms, damaged.append)
    since = (item for item in kept if item.live and item.message.ns_time_ms >= from_ms)
    live = takewhile(lambda item: item.message.ns_time_ms < end_ms, since)
    for batch, ticked in _commits(live, _ticks(connection, from_ms, end_ms)):
        overlay = engine.overlay()
        overlay.concluded = [] if traced else None
        _replay(batch, ticked, overlay, decoder, problems)
        problems.extend(f"{item.rule} {item.subject}: {item.error}" for item in overlay.failures)
        overlay.dirty()
        engine.merge(overlay)
        yield Done(overlay, len(batch), len(ticked))
    problems.extend(f"row {row.seq}: {row.messages} messages cannot be read: {row.reason}" for row in damaged)


def compare(then: dict[str, Said], now: dict[str, Said], chosen: Selection) -> list[Finding]:
    """Then's events beside now's, in the order of time."""
    found: list[Finding] = []
    for name in {**then, **now}:
        old, new = then.get(name), now.get(name)
        said = new or old
        if said is None or not chosen.holds(said):
            continue
        if old is None:
            verdict: Verdict = "additional"
        elif new is None:
            verdict = "missing"
        else:
            verdict = "same" if old.payload == new.payload else "different"
        found.append(Finding(verdict, said))
    return sorted(found, key=lambda finding: (finding.said.time, finding.said.rule, finding.said.subject))


def _commits(kept: Iterable[Kept], ticks: Iterable[tuple[int, int]]) -> Iterator[tuple[list[Kept], list[int]]]:
    """Messages and ticks of each commit, in the order of commits."""
    messages = groupby(kept, key=lambda item: item.commit)
    ticked = groupby(ticks, key=lambda item: item[0])
    next_messages, next_ticks = next(messages, None), next(ticked, None)
    while next_messages is not None or next_ticks is not None:
        numbers = [item[0] for item in (next_messages, next_ticks) if item is not None]
        number = min(numbers)
        batch: list[Kept] = []
        times: list[int] = []
        if next_messages is not None and next_messages[0] == number:
            batch = list(next_messages[1])
            next_messages = next(messages, None)
        if next_ticks is not None and next_ticks[0] == number:
            times = [time_ms for _, time_ms in next_ticks[1]]
            next_ticks = next(ticked, None)
        yield batch, times


def _ticks(connection: sqlite3.Connection, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
    """(commit, time_ms) of the ticks of the span, in order; short reads."""
    after = from_ms - 1
    query = "SELECT number, time_ms, crc FROM tick WHERE time_ms > ? AND time_ms < ? ORDER BY time_ms LIMIT ?"
    while page := connection.execute(query, (after, to_ms, PAGE)).fetchall():
        for number, time_ms, crc in page:
            if checksum(time_ms, number) == crc:
                yield number, time_ms
        after = page[-1][1]


def _replay(
    batch: Sequence[Kept], ticks: Sequence[int], overlay: Overlay, decoder: Decoder, problems: list[str]
) -> None:
    """Give a commit's inputs to the rules as the service did."""
    waiting = deque(ticks)
    for kept in batch:
        try:
            answered = answers.read(kept.message.topic, kept.message.payload)
            told = tour_feedback.read(kept.message.topic, kept.message.payload)
            message = None if answered or told else decoder.parse(kept.message)
            if message is not None and message.uplink is None:
                continue
            while waiting and waiting[0] <= kept.message.ns_time_ms:
                overlay.tick(Tick(waiting.popleft()))
            if answered is not None:
                overlay.answer(answered)
            elif told is not None:
                overlay.stop(told)
            elif message is not None:
                _observe(message, kept, overlay, decoder)
        except (Undecodable, AnswerError, FeedbackError) as error:
            problems.append(f"{kept.message.topic}: {error}")
    for time_ms in waiting:
        overlay.tick(Tick(time_ms))


def _observe(message: Message, kept: Kept, overlay: Overlay, decoder: Decoder) -> None:
    ns_time_ms = kept.message.ns_time_ms
    now_ms = overlay.advance(ns_time_ms)
    for judged in decoder.conditioned(message):
        measurement = judged.sound
        asset = decoder.asset(kept.message.stays, measurement.time_ms)
        if message.uplink is not None and asset is not None and judged.measurement.readings:
            overlay.observe(
                Observation(
                    message.device.dev_eui,
                    message.device.name,
                    asset.id,
                    measurement.time_ms,
                    ns_time_ms,
                    measurement.readings,
                    message.uplink.deduplication_id,
                    now_ms,
                    judged.doubtful,
                )
            )


def _then(connection: sqlite3.Connection, chosen: Selection, rules: set[str], problems: list[str]) -> dict[str, Said]:
    """What the journal says that these rules said in the span."""
    found: dict[str, Said] = {}
    after = 0
    query = (
        "SELECT seq, payload FROM event WHERE seq > ? AND time_ms >= ? AND time_ms < ? AND topic != ?"
        " ORDER BY seq LIMIT ?"
    )
    while page := connection.execute(query, (after, chosen.from_ms, chosen.to_ms, HEARTBEAT_TOPIC, PAGE)).fetchall():
        for seq, payload in page:
            after = seq
            try:
                said = Said.of(payload)
            except (ValueError, KeyError, TypeError):
                problems.append(f"event {seq} cannot be read")
                continue
            if said.rule in rules:
                found[said.id] = said
    return found
