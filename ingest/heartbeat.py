"""The heartbeat: sends the canary round and follows it through broker, session, journal, sinks and events.

What became of it is read where everybody else's uplinks leave their traces: in the journal, never from a promise in
memory. Runs on real time whatever the service's clock shows.
"""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import structlog

from ingest.canary import Canary, number_of
from ingest.chain import BROKER, EVENTS, JOURNAL, RETURN, Chain
from ingest.clock import Clock
from ingest.journal import Journal
from ingest.journal_schema import JournalError
from ingest.mqtt import Message
from ingest.mqtt_error import PublishFailed
from ingest.telemetry import Telemetry

LOOK_S = 0.25
"""Seconds between looks at a canary under way, at most."""
AGAIN_S = 1.0
"""Seconds until a canary that the broker did not take is followed by the next, at most."""
NUMBERS = 2**32
NUMBERS_PER_S = 10
SINK = "sink "
OURS = "journal commit"
"""The problem that a restart may mend; a journal without room (`journal`) is none: it would be as full afterwards."""
CAUSES = {
    BROKER: ("events",),
    RETURN: ("mqtt", "journal", OURS),
    JOURNAL: ("journal", OURS),
    EVENTS: ("events", "sink events"),
}
"""Where a stage's known problems stand."""
TRACES = "SELECT id, status FROM event WHERE id IN (SELECT value FROM json_each(?))"
NEWEST = """
SELECT (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'points'),
    (SELECT coalesce(max(number), 0) FROM commits)
"""

log = structlog.get_logger(__name__)


class Channel(Protocol):
    """Where canaries and events go out."""

    published: int

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool, expiry_s: int | None, content_type: str | None
    ) -> None:
        """Returns after the broker's acknowledgement; raises PublishFailed."""
        ...


class Traces(NamedTuple):
    """What the journal holds: status of events by id, the newest row of points, the newest commit."""

    events: dict[str, str]
    points: int
    commits: int


class Heartbeat:
    """The canary's rounds of one service; does nothing while `telemetry.heartbeat_s` is 0."""

    def __init__(self, canary: Canary, channel: Channel, journal: Journal, clock: Clock, telemetry: Telemetry) -> None:
        self._canary = canary
        self._channel = channel
        self._journal = journal
        self._clock = clock
        self._telemetry = telemetry
        self._chain = Chain(canary.heartbeat_s, (), time.monotonic())
        self._rows: dict[int, int] = {}
        self._received = 0
        self._number = _now()
        telemetry.chain(lambda: self._chain.verdict(time.monotonic()).age_s, lambda: self._chain.round_trip_s)

    def watching(self, deliver: Callable[[Message], None]) -> Callable[[Message], None]:
        """`deliver`, with an eye on canaries that come back."""
        topic = self._canary.topic

        def take(message: Message) -> None:
            self._received += 1
            if message.topic == topic:
                self._returned(message.payload)
            deliver(message)

        return take

    async def run(self, sinks: Sequence[str]) -> None:
        """Beat until cancelled."""
        self._chain = Chain(self._canary.heartbeat_s, sinks, time.monotonic())
        if self._canary.heartbeat_s:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send())
                group.create_task(self._follow())

    def report(self, problems: dict[str, str]) -> dict[str, Any]:
        """How the chain fares, for people and probes; `problems` say why a stage may hang."""
        if not self._canary.heartbeat_s:
            return {"complete": False, "stage": "", "problem": "telemetry.heartbeat_s is 0: nothing is known"}
        now_s = time.monotonic()
        verdict = self._chain.verdict(now_s)
        cause = _cause(verdict.stage, problems)
        return {
            "complete": verdict.complete,
            "stage": verdict.stage,
            "problem": f"{verdict.problem} ({cause})" if cause else verdict.problem,
            "age_s": _rounded(verdict.age_s),
            "round_trip_s": _rounded(self._chain.round_trip_s),
            "stages": {stage: _rounded(age_s) for stage, age_s in self._chain.ages(now_s).items()},
        }

    def alive(self, problems: dict[str, str]) -> bool:
        """Whether a restart would mend nothing: all is well, or what hangs lies outside, or it only is behind.

        Outside is a broker, a database, a disk without room: the service lives, and says what it waits for.
        """
        if not self._canary.heartbeat_s:
            return True
        stage = self._chain.stuck(time.monotonic())
        if stage in {BROKER, RETURN} and not self._chain.returned:
            return True
        outside = {name: problem for name, problem in problems.items() if name != OURS}
        return not stage or bool(_cause(stage, outside))

    # -- out ----------------------------------------------------------------------------------------------------------

    async def _send(self) -> None:
        beat_s = self._canary.heartbeat_s
        while True:
            begin_s = time.monotonic()
            wait_s = beat_s if await self._set_out() else min(AGAIN_S, beat_s)
            await asyncio.sleep(max(0.0, begin_s + wait_s - time.monotonic()))

    async def _set_out(self) -> bool:
        self._number = max(self._number + 1, _now()) % NUMBERS
        number, canary = self._number, self._canary
        self._chain.begin(number, time.monotonic())
        try:
            await self._channel.publish(
                canary.topic,
                canary.payload(number, self._clock()),
                retain=False,
                expiry_s=canary.expiry_s,
                content_type="application/json",
            )
        except PublishFailed as error:
            log.debug("canary not sent", error=str(error))
            return False
        self._pass(number, BROKER)
        return True

    def _returned(self, payload: bytes) -> None:
        number = number_of(payload)
        if number is not None:
            self._pass(number, RETURN)

    # -- and round ----------------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(min(LOOK_S, self._canary.heartbeat_s / 10))
            under_way = self._chain.under_way()
            if under_way:
                try:
                    self._look(under_way, await self._traces(under_way))
                except JournalError as error:
                    log.debug("canary not followed", error=str(error))

    async def _traces(self, numbers: Iterable[int]) -> Traces:
        names = [self._canary.heartbeat_id(number) for number in numbers]

        def read(connection: sqlite3.Connection) -> Traces:
            events = dict(connection.execute(TRACES, (json.dumps(names),)))
            return Traces(events, *connection.execute(NEWEST).fetchone())

        return await self._journal.query(read)

    def _look(self, under_way: dict[int, frozenset[str]], traces: Traces) -> None:
        self._rows = {number: row for number, row in self._rows.items() if number in under_way}
        cursors = {stage: self._journal.cursor(stage.removeprefix(SINK)) for stage in self._sinks()}
        self._note(traces, cursors)
        for number in under_way:
            status = traces.events.get(self._canary.heartbeat_id(number))
            if status is None:
                continue
            row = self._rows.setdefault(number, traces.points)
            self._pass(number, JOURNAL)
            for stage, cursor in cursors.items():
                if cursor >= row:
                    self._pass(number, stage)
            if status == "published":
                self._pass(number, EVENTS)

    def _note(self, traces: Traces, cursors: dict[str, int]) -> None:
        counts = {RETURN: self._received, JOURNAL: traces.commits, EVENTS: self._channel.published, **cursors}
        now_s = time.monotonic()
        for stage, count in counts.items():
            self._chain.progress(stage, count, now_s)

    def _pass(self, number: int, stage: str) -> None:
        if self._chain.passed(number, stage, time.monotonic()):
            log.debug("canary came round", number=number, seconds=_rounded(self._chain.round_trip_s))

    def _sinks(self) -> list[str]:
        return [stage for stage in self._chain.stages if stage.startswith(SINK)]


def _now() -> int:
    """A number that no canary of an earlier start had."""
    return int(time.time() * NUMBERS_PER_S) % NUMBERS


def _cause(stage: str, problems: dict[str, str]) -> str:
    """What is known to be wrong there, outside of us."""
    return next((problems[part] for part in CAUSES.get(stage, (stage,)) if part in problems), "")


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
