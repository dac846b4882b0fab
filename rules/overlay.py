"""A batch's view of the engine: what its inputs lead to, merged only after its commit."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from rules.event import Event, Request
from rules.followed import Followed
from rules.parts import encoded
from rules.point import Point
from rules.rule import NOTHING, Answered, Input, Observation, Outputs, RuleFailure, StateRow, Tick, TourFeedback
from rules.subject import Subject

if TYPE_CHECKING:
    from rules.engine import Engine

Step: TypeAlias = Callable[[Any, Any, Any], tuple[Any, Outputs]]
ENGINE = "engine"
"""The rule id under which the engine keeps rule time (no subject), and the newest request of `rule/asset`."""
ENGINE_VERSION = 1
RUNAWAY_MS = 3_600_000
"""How far network server times may move rule time past the newest tick."""

NEVER_MS = 1 << 62
# NamedTuple's own constructor costs twice this one.
new_tuple = tuple.__new__


class Requested(NamedTuple):
    """The newest request of a rule about an asset."""

    sequence: int
    id: str
    valid_until_ms: int


NONE_YET = Requested(0, "", 0)


class Concluded(NamedTuple):
    """The step that made an event: its subject and input, and the states before and after it."""

    event_id: str
    subject: Subject
    given: Input | Followed
    before: Any
    after: Any


class Overlay:
    """What a batch of inputs leads to: `events`, `points`, `failures`, and the changed states of `dirty`.

    `concluded` is a list for whoever wants to know which step made an event, None for all others.
    """

    __slots__ = (
        "_before",
        "_events",
        "_soonest_ms",
        "concluded",
        "engine",
        "failures",
        "generation",
        "now_ms",
        "points",
        "requests",
        "states",
        "tick_ms",
        "wakes",
    )

    def __init__(self, engine: "Engine") -> None:
        self.engine = engine
        self.generation = engine.generation
        self.now_ms, self.tick_ms = engine.now_ms, engine.tick_ms
        self.states: dict[int, Any] = {}
        self.wakes: dict[int, int | None] = {}
        self.requests: dict[str, Requested] = {}
        self.points: list[Point] = []
        self.failures: list[RuleFailure] = []
        self.concluded: list[Concluded] | None = None
        self._events: dict[str, Event] = {}
        self._before = engine.states
        self._soonest_ms = NEVER_MS

    @property
    def events(self) -> list[Event]:
        """The events in the order of their making; of those with one id only the newest."""
        return list(self._events.values())

    def observe(self, observation: Observation) -> None:
        """Give a measurement to the rules of its asset, doubtful values to those that ask for them."""
        now_ms = self.advance(observation.ns_time_ms)
        *said, before_ms, doubtful = observation
        current = observation if before_ms == now_ms else new_tuple(Observation, (*said, now_ms, doubtful))
        for subject in self.engine.subjects_of(observation.asset):
            if not doubtful:
                self._step(subject, current)
            elif subject.doubtful:
                self._step(subject, current._replace(readings=(*current.readings, *doubtful)))
            elif current.readings:
                self._step(subject, current._replace(doubtful=()))

    def answer(self, answered: Answered) -> bool:
        """Give an answer to the rules whose requests it is about, and to those that overhear; whether there are any."""
        current = answered._replace(now_ms=self.now_ms)
        heard = self.engine.answered_about(answered.subject, answered.what)
        for subject in heard:
            self._step(subject, current)
        return bool(heard)

    def stop(self, feedback: TourFeedback) -> bool:
        """Give what became of a stop to the rules of its container; whether there are any."""
        current = feedback._replace(now_ms=self.now_ms)
        told = self.engine.told_of_stop(feedback.stop)
        for subject in told:
            self._step(subject, current)
        return bool(told)

    def advance(self, ns_time_ms: int) -> int:
        """Move rule time on to a network server time, as far as it is believed; returns rule time."""
        if ns_time_ms > self.now_ms:
            believed = ns_time_ms if not self.tick_ms else min(ns_time_ms, self.tick_ms + RUNAWAY_MS)
            self.now_ms = max(self.now_ms, believed)
        return self.now_ms

    def tick(self, tick: Tick) -> None:
        """Let time pass: run the subjects whose wake-up is due, by wake-up and asset, each once."""
        self.now_ms = max(self.now_ms, tick.time_ms)
        self.tick_ms = max(self.tick_ms, tick.time_ms)
        current = Tick(tick.time_ms, self.now_ms)
        due = [item for item in self.engine.due(self.now_ms) if item[1] not in self.wakes]
        if self._soonest_ms <= self.now_ms:
            due += [(wake, order) for order, wake in self.wakes.items() if wake is not None and wake <= self.now_ms]
            self._soonest_ms = min((wake for wake in self.wakes.values() if wake is not None), default=NEVER_MS)
        for _, order in sorted(set(due)):
            self._step(self.engine.subject(order), current)

    def dirty(self) -> list[StateRow]:
        """The rows to keep for what this batch changed, rule time included."""
        rows: list[StateRow] = []
        engine, before = self.engine, self._before
        for order in sorted(self.states):
            state, otherwise = self.states[order], engine.kept_otherwise(order)
            subject = engine.subject(order)
            if otherwise is not None or subject.parted or state != before[order]:
                try:
                    rows += subject.rows(before[order], state, otherwise)
                except Exception as error:  # noqa: BLE001 - what cannot be kept must not be merged, either
                    self.failures.append(subject.failure("dump", error))
                    del self.states[order], self.wakes[order]
        for name, requested in self.requests.items():
            rows.append(StateRow(ENGINE, name, ENGINE_VERSION, encoded(requested._asdict())))
        if (self.now_ms, self.tick_ms) != (engine.now_ms, engine.tick_ms):
            now = {"now_ms": self.now_ms, "tick_ms": self.tick_ms}
            rows.append(StateRow(ENGINE, "", ENGINE_VERSION, encoded(now)))
        return rows

    def _step(self, subject: Subject, current: Input | Followed, heed: Step | None = None) -> None:
        order, config, states = subject.order, subject.config, self.states
        state = states[order] if order in states else self._before[order]
        try:
            take: Step = heed or subject.step
            changed, outputs = take(config, state, current)
            if changed is not state or type(current) is Tick:
                wake_ms = subject.wake(config, changed)
                self.wakes[order] = wake_ms
                if wake_ms is not None and wake_ms < self._soonest_ms:
                    self._soonest_ms = wake_ms
        except Exception as error:  # noqa: BLE001 - a rule that raises must stop no other
            self.failures.append(subject.failure(current.cause, error))
            return
        if changed is not state:
            states[order] = changed
        if outputs is not NOTHING:
            self.points += outputs.points
            if outputs.events:
                self._say(subject, current, outputs.events, (state, changed))

    def _say(self, subject: Subject, given: Input | Followed, events: Iterable[Event], states: tuple[Any, Any]) -> None:
        """File events, and give them to the subjects that follow the assets they are about."""
        for event in events:
            before = self._events.pop(event.id, None)
            self._events[event.id] = event
            if event.acting and isinstance(event, Request):
                self._events[event.id] = self._numbered(subject, event, before)
            if self.concluded is not None:
                self.concluded.append(Concluded(event.id, subject, given, *states))
        if subject.rule.follows is None:
            for event in events:
                for follower in self.engine.followers_of(event.subject):
                    self._step(follower, Followed(event, given.now_ms, given.cause), follower.rule.heed)

    def _numbered(self, subject: Subject, request: Request, before: Event | None) -> Request:
        """The request with its number; one in the place of another of its id says what that one superseded."""
        name = subject.name
        last = self.requests.get(name) or self.engine.requests.get(name, NONE_YET)
        sequence = max(last.sequence + 1, request.time_ms)
        self.requests[name] = Requested(sequence, request.id, request.valid_until_ms)
        if isinstance(before, Request):
            return request.numbered(sequence, before.data.supersedes)
        return request.numbered(sequence, last.id if last.valid_until_ms > request.time_ms else None)
