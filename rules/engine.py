"""From inputs to the rules of their subjects: state, wake-ups, and an overlay that is merged only after its commit."""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple, TypeAlias

from pydantic_core import to_json

from rules.asset import Asset, CityError
from rules.city import City
from rules.event import Event, Request
from rules.followed import Followed
from rules.point import Point
from rules.rule import Answered, AnyRule, Input, Json, Observation, Outputs, Rule, RuleFailure, StateRow, Tick

__all__ = ["Answered", "Engine", "Observation", "Outputs", "Overlay", "Rule", "RuleFailure", "StateRow", "Tick"]

Step: TypeAlias = Callable[[Any, Any, Any], tuple[Any, Outputs]]
ENGINE = "engine"
"""The rule id under which the engine keeps rule time (no subject), and the newest request of `rule/asset`."""
ENGINE_VERSION = 1
RUNAWAY_MS = 3_600_000
"""How far network server times may move rule time past the newest tick."""
SLACK = 64
"""Outdated wake-ups that the heap may hold beside one for each subject."""


class Requested(NamedTuple):
    """The newest request of a rule about an asset."""

    sequence: int
    id: str
    valid_until_ms: int


NONE_YET = Requested(0, "", 0)


class Subject:
    """One rule about one asset; `order` sorts subjects by asset and rule."""

    __slots__ = ("asset", "config", "fingerprint", "order", "rule")

    def __init__(self, rule: AnyRule, asset: Asset, order: int) -> None:
        self.rule = rule
        self.asset = asset
        self.order = order
        self.config = rule.configure(asset)
        self.fingerprint = f"{zlib.crc32(repr(self.config).encode()):08x}"

    def row(self, state: object) -> StateRow:
        """The state as it is kept, with the parameters' fingerprint."""
        body = {"config": self.fingerprint, "state": self.rule.dump(state)}
        return StateRow(self.rule.id, self.asset.id, self.rule.version, _to_json(body))

    @property
    def name(self) -> str:
        """Under which its newest request is kept."""
        return f"{self.rule.id}/{self.asset.id}"

    def failure(self, cause: str, error: Exception) -> RuleFailure:
        """The failure of this subject's rule."""
        return RuleFailure(self.rule.id, self.asset.id, cause, f"{type(error).__name__}: {error}")


class Concluded(NamedTuple):
    """The step that made an event: its subject and input, and the states before and after it."""

    event_id: str
    subject: Subject
    given: Input | Followed
    before: Any
    after: Any


class Engine:
    """The state of all rules about all assets; only `load` and `merge` change it.

    `now_ms` is rule time: the newest of ticks and network server times, never going back. A network server whose clock
    runs away moves it by an hour past the newest tick (`tick_ms`) at most. Requests are numbered by rule time, and by
    one more than the last number where that is not less: numbers never go back, even after the last one is forgotten.

    Raises CityError when an asset's properties do not fit its rules, ValueError when two rules have one id.
    """

    def __init__(self, city: City, rules: Sequence[AnyRule]) -> None:
        ids = [rule.id for rule in rules]
        if len(set(ids)) != len(ids) or ENGINE in ids:
            raise ValueError(f"rule ids must be unique and not {ENGINE!r}: {', '.join(sorted(ids))}")
        self.now_ms = 0
        self.tick_ms = 0
        self.generation = 0
        self._subjects = _subjects(city, rules)
        self.requests: dict[str, Requested] = {}
        self._by_asset = _by_asset(city, self._subjects)
        self._followers = _followers(city, self._subjects)
        self._states: list[Any] = [subject.rule.initial(subject.config) for subject in self._subjects]
        self._wakes: list[int | None] = [None] * len(self._subjects)
        self._heap: list[tuple[int, int]] = []
        self._plan(set())

    def load(self, rows: Iterable[StateRow]) -> list[RuleFailure]:
        """Take up kept states; rows without a subject are left alone, unreadable ones returned (they start fresh).

        A subject whose parameters changed since is due at the next tick.
        """
        known = {(subject.rule.id, subject.asset.id): subject for subject in self._subjects}
        failures: list[RuleFailure] = []
        changed: set[int] = set()
        for row in rows:
            subject = known.get((row.rule, row.subject))
            try:
                body = json.loads(row.body)
                if row.rule == ENGINE and row.subject:
                    self._go_on_from(row.subject, Requested(**body))
                elif row.rule == ENGINE:
                    self.now_ms, self.tick_ms = int(body["now_ms"]), int(body["tick_ms"])
                elif subject is not None:
                    self._take_up(subject, row.version, body, changed)
            except Exception as error:  # noqa: BLE001 - one unreadable row must not stop the city
                failures.append(RuleFailure(row.rule, row.subject, "load", f"{type(error).__name__}: {error}"))
        self.generation += 1
        self._plan(changed)
        return failures

    def continue_behind(self, rule: str, asset: str, sequence: int) -> None:
        """Number requests of this rule about this asset above a number that is known to be out."""
        self._go_on_from(f"{rule}/{asset}", Requested(sequence, "", 0))

    def overlay(self) -> "Overlay":
        """A batch's view: reads through to this engine, keeps its changes to itself."""
        return Overlay(self)

    def merge(self, overlay: "Overlay") -> None:
        """Make the overlay's changes this engine's own; once, and before any other overlay made beside it."""
        if overlay.generation != self.generation or overlay.engine is not self:
            raise ValueError("the overlay was made from another state of the engine; it cannot be merged")
        self.generation += 1
        self.now_ms, self.tick_ms = overlay.now_ms, overlay.tick_ms
        self.requests.update(overlay.requests)
        for order, state in overlay.states.items():
            self._states[order] = state
        for order, wake_ms in overlay.wakes.items():
            if wake_ms != self._wakes[order]:
                self._wakes[order] = wake_ms
                if wake_ms is not None:
                    heappush(self._heap, (wake_ms, order))
        self._drop_outdated()
        if len(self._heap) > 2 * len(self._subjects) + SLACK:
            self._rebuild_heap()

    def parameters(self) -> dict[str, str]:
        """A fingerprint of the parameters of every rule about every asset, as `rule/asset`."""
        return {subject.name: subject.fingerprint for subject in self._subjects}

    def subjects_of(self, asset: str) -> tuple[Subject, ...]:
        """The subjects that hear of this asset."""
        return self._by_asset.get(asset, ())

    def followers_of(self, asset: str) -> tuple[Subject, ...]:
        """The subjects that see the events about this asset."""
        return self._followers.get(asset, ())

    def subject(self, order: int) -> Subject:
        """The subject with this order."""
        return self._subjects[order]

    def state(self, order: int) -> Any:  # noqa: ANN401 - a state is its rule's affair
        """The state of the subject with this order."""
        return self._states[order]

    def due(self, time_ms: int) -> Iterator[tuple[int, int]]:
        """Wake-ups up to this time as (wake_ms, order), in no order; only the heap's top is looked at."""
        heap, wakes = self._heap, self._wakes
        waiting = [0] if heap else []
        while waiting:
            index = waiting.pop()
            wake_ms, order = heap[index]
            if wake_ms > time_ms:
                continue
            if wakes[order] == wake_ms:
                yield wake_ms, order
            waiting.extend(child for child in (2 * index + 1, 2 * index + 2) if child < len(heap))

    def _go_on_from(self, name: str, kept: Requested) -> None:
        if kept.sequence > self.requests.get(name, NONE_YET).sequence:
            self.requests[name] = kept

    def _take_up(self, subject: Subject, version: int, body: Any, changed: set[int]) -> None:  # noqa: ANN401 - JSON
        state = subject.rule.load(subject.config, version, body["state"])
        if state is not None:
            subject.rule.wake(subject.config, state)
            self._states[subject.order] = state
            if body["config"] != subject.fingerprint or version != subject.rule.version:
                changed.add(subject.order)

    def _plan(self, changed: set[int]) -> None:
        for subject in self._subjects:
            order = subject.order
            wake_ms = 0 if order in changed else subject.rule.wake(subject.config, self._states[order])
            self._wakes[order] = wake_ms
        self._rebuild_heap()

    def _drop_outdated(self) -> None:
        heap = self._heap
        while heap and heap[0][0] <= self.now_ms and self._wakes[heap[0][1]] != heap[0][0]:
            heappop(heap)

    def _rebuild_heap(self) -> None:
        self._heap = [(wake_ms, order) for order, wake_ms in enumerate(self._wakes) if wake_ms is not None]
        heapify(self._heap)


class Overlay:
    """What a batch of inputs leads to: `events`, `points`, `failures`, and the changed states of `dirty`.

    `concluded` is a list for whoever wants to know which step made an event, None for all others.
    """

    __slots__ = (
        "_events",
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

    def __init__(self, engine: Engine) -> None:
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

    @property
    def events(self) -> list[Event]:
        """The events in the order of their making; of those with one id only the newest."""
        return list(self._events.values())

    def observe(self, observation: Observation) -> None:
        """Give a measurement to the rules of its asset, doubtful values to those that ask for them."""
        now_ms = self.advance(observation.ns_time_ms)
        current = observation if observation.now_ms == now_ms else observation._replace(now_ms=now_ms)
        doubtful = current.doubtful
        for subject in self.engine.subjects_of(observation.asset):
            if not doubtful:
                self._step(subject, current)
            elif subject.rule.doubtful:
                self._step(subject, current._replace(readings=(*current.readings, *doubtful)))
            elif current.readings:
                self._step(subject, current._replace(doubtful=()))

    def answer(self, answered: Answered) -> bool:
        """Give an answer to the rules whose requests about its subject it is about; whether there are any."""
        current = answered._replace(now_ms=self.now_ms)
        heard = [
            subject
            for subject in self.engine.subjects_of(answered.subject)
            if subject.rule.answers == answered.what and subject.asset.id == answered.subject
        ]
        for subject in heard:
            self._step(subject, current)
        return bool(heard)

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
        due += [(wake, order) for order, wake in self.wakes.items() if wake is not None and wake <= self.now_ms]
        for _, order in sorted(set(due)):
            self._step(self.engine.subject(order), current)

    def dirty(self) -> list[StateRow]:
        """The rows to keep for what this batch changed, rule time included."""
        rows = []
        for order in sorted(self.states):
            state = self.states[order]
            if state != self.engine.state(order):
                subject = self.engine.subject(order)
                try:
                    rows.append(subject.row(state))
                except Exception as error:  # noqa: BLE001 - what cannot be kept must not be merged, either
                    self.failures.append(subject.failure("dump", error))
                    del self.states[order], self.wakes[order]
        for name, requested in self.requests.items():
            rows.append(StateRow(ENGINE, name, ENGINE_VERSION, _to_json(requested._asdict())))
        now = {"now_ms": self.now_ms, "tick_ms": self.tick_ms}
        if now != {"now_ms": self.engine.now_ms, "tick_ms": self.engine.tick_ms}:
            rows.append(StateRow(ENGINE, "", ENGINE_VERSION, _to_json(now)))
        return rows

    def _step(self, subject: Subject, current: Input | Followed, heed: Step | None = None) -> None:
        order, rule, config = subject.order, subject.rule, subject.config
        step: Step = heed or rule.step
        state = self.states[order] if order in self.states else self.engine.state(order)
        try:
            changed, outputs = step(config, state, current)
            wake_ms = rule.wake(config, changed)
        except Exception as error:  # noqa: BLE001 - a rule that raises must stop no other
            self.failures.append(subject.failure(current.cause, error))
            return
        self.wakes[order] = wake_ms
        if changed is not state:
            self.states[order] = changed
        for event in outputs.events:
            before = self._events.pop(event.id, None)
            self._events[event.id] = self._numbered(subject, event, before) if isinstance(event, Request) else event
            if self.concluded is not None:
                self.concluded.append(Concluded(event.id, subject, current, state, changed))
        self.points.extend(outputs.points)
        if outputs.events and rule.follows is None:
            self._tell(outputs.events, current)

    def _tell(self, events: Iterable[Event], current: Input | Followed) -> None:
        """Give events to the subjects that follow the assets they are about."""
        for event in events:
            for follower in self.engine.followers_of(event.subject):
                self._step(follower, Followed(event, current.now_ms, current.cause), follower.rule.heed)

    def _numbered(self, subject: Subject, request: Request, before: Event | None) -> Request:
        """The request with its number; one in the place of another of its id says what that one superseded."""
        name = subject.name
        last = self.requests.get(name) or self.engine.requests.get(name, NONE_YET)
        sequence = max(last.sequence + 1, request.time_ms)
        self.requests[name] = Requested(sequence, request.id, request.valid_until_ms)
        if isinstance(before, Request):
            return request.numbered(sequence, before.data.supersedes)
        return request.numbered(sequence, last.id if last.valid_until_ms > request.time_ms else None)


def _subjects(city: City, rules: Sequence[AnyRule]) -> list[Subject]:
    pairs = [(asset, rule) for _, asset in sorted(city.assets.items()) for rule in rules if rule.kind == asset.kind]
    subjects = []
    for order, (asset, rule) in enumerate(pairs):
        try:
            subjects.append(Subject(rule, asset, order))
        except CityError as error:
            raise CityError(f"rule {rule.id}: {error}") from error
    return subjects


def _by_asset(city: City, subjects: Sequence[Subject]) -> dict[str, tuple[Subject, ...]]:
    """Who hears of an asset: its own subjects and those it is a member of, in their order."""
    found: dict[str, dict[int, Subject]] = {}
    for subject in subjects:
        for id_ in (subject.asset.id, *_named(city, subject, subject.rule.members)):
            found.setdefault(id_, {})[subject.order] = subject
    return {id_: tuple(heard.values()) for id_, heard in found.items()}


def _followers(city: City, subjects: Sequence[Subject]) -> dict[str, tuple[Subject, ...]]:
    """Who sees the events about an asset, in their order."""
    found: dict[str, dict[int, Subject]] = {}
    for subject in subjects:
        for id_ in _named(city, subject, subject.rule.follows):
            found.setdefault(id_, {})[subject.order] = subject
    return {id_: tuple(followers.values()) for id_, followers in found.items()}


def _named(city: City, subject: Subject, names: Callable[[Asset], Sequence[str]] | None) -> Sequence[str]:
    """The further assets that a subject names; raises CityError when one of them is not there."""
    found = names(subject.asset) if names else ()
    for id_ in found:
        if id_ not in city.assets:
            raise CityError(
                f"rule {subject.rule.id}: feature {subject.asset.id!r} names {id_!r}, expected another feature"
            )
    return found


def _to_json(body: Json) -> str:
    return to_json(body).decode()
