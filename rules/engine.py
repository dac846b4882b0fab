"""From inputs to the rules of their subjects: state and wake-ups, changed by overlays after their commit."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Any

from rules.asset import Asset, CityError
from rules.city import City
from rules.overlay import ENGINE, NONE_YET, Concluded, Overlay, Requested
from rules.parts import SEPARATOR, joined
from rules.rule import Answered, AnyRule, Observation, Outputs, Rule, RuleFailure, StateRow, Tick, TourFeedback
from rules.subject import Subject

__all__ = [
    "Answered",
    "Concluded",
    "Engine",
    "Observation",
    "Outputs",
    "Overlay",
    "Rule",
    "RuleFailure",
    "StateRow",
    "Subject",
    "Tick",
    "TourFeedback",
]

SLACK = 64
"""Outdated wake-ups that the heap may hold beside one for each subject."""


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
        self._otherwise: dict[int, frozenset[str]] = {}
        self._rules = frozenset(ids)
        self._subjects = _subjects(city, rules)
        self._by_name = {subject.name: subject for subject in self._subjects}
        self.requests: dict[str, Requested] = {}
        self._by_asset = _by_asset(city, self._subjects)
        self._followers = _followers(city, self._subjects)
        self._answered = _answered(self._subjects)
        self._stops = _stops(self._subjects)
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
        whole, parts = _apart(rows)
        self._otherwise = {
            subject.order: frozenset(parts.get(key, ())) for key, subject in known.items() if subject.parted
        }
        for row in whole:
            try:
                body = json.loads(row.body)
                subject = known.get((row.rule, row.subject))
                if row.rule == ENGINE and row.subject:
                    self._go_on_from(row.subject, Requested(**body))
                elif row.rule == ENGINE:
                    self.now_ms, self.tick_ms = int(body["now_ms"]), int(body["tick_ms"])
                elif subject is not None and self._take_up(subject, row, body, parts.get((row.rule, row.subject), {})):
                    changed.add(subject.order)
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
        if self._otherwise:
            for order in overlay.states:
                self._otherwise.pop(order, None)
        wakes, heap = self._wakes, self._heap
        for order, wake_ms in overlay.wakes.items():
            if wake_ms != wakes[order]:
                wakes[order] = wake_ms
                if wake_ms is not None:
                    heappush(heap, (wake_ms, order))
        self._drop_outdated()
        if len(self._heap) > 2 * len(self._subjects) + SLACK:
            self._rebuild_heap()

    def parameters(self) -> dict[str, str]:
        """A fingerprint of the parameters of every rule about every asset, as `rule/asset`."""
        return {subject.name: subject.fingerprint for subject in self._subjects}

    def permits(self, rule: str, asset: str, data: Mapping[str, Any]) -> bool:
        """Whether an event with these data may be outside: there is such a subject, and its parameters allow it.

        What a rule that is there no more said of a state may; what it requested may not.
        """
        request = "sequence" in data
        subject = self._by_name.get(f"{rule}/{asset}")
        if subject is None:
            return not request and rule not in self._rules
        permits = subject.rule.permits
        return permits is None or not request or permits(subject.config, data)

    def subjects_of(self, asset: str) -> tuple[Subject, ...]:
        """The subjects that hear of this asset."""
        return self._by_asset.get(asset, ())

    def followers_of(self, asset: str) -> tuple[Subject, ...]:
        """The subjects that see the events about this asset."""
        return self._followers.get(asset, ())

    def answered_about(self, asset: str, what: str) -> tuple[Subject, ...]:
        """The subjects that get answers about this asset to requests with this last word of their topic."""
        return self._answered.get((asset, what), ())

    def told_of_stop(self, asset: str) -> tuple[Subject, ...]:
        """The subjects that hear what became of this asset as a stop of tours."""
        return self._stops.get(asset, ())

    def subject(self, order: int) -> Subject:
        """The subject with this order."""
        return self._subjects[order]

    @property
    def states(self) -> Sequence[Any]:
        """The states by the order of their subjects."""
        return self._states

    def kept_otherwise(self, order: int) -> frozenset[str] | None:
        """The parts of a state that are kept, where what is kept must be written anew; else None."""
        return self._otherwise.get(order)

    def state(self, order: int) -> Any:  # noqa: ANN401 - a state is its rule's affair
        """The state of the subject with this order."""
        return self._states[order]

    def due(self, time_ms: int) -> Iterator[tuple[int, int]]:
        """Wake-ups up to this time as (wake_ms, order), in no order; only the heap's top is looked at."""
        heap, wakes = self._heap, self._wakes
        size = len(heap)
        waiting = [0] if heap and heap[0][0] <= time_ms else []
        while waiting:
            index = waiting.pop()
            if wakes[heap[index][1]] == heap[index][0]:
                yield heap[index]
            child = 2 * index + 1
            if child < size and heap[child][0] <= time_ms:
                waiting.append(child)
            if child + 1 < size and heap[child + 1][0] <= time_ms:
                waiting.append(child + 1)

    def _go_on_from(self, name: str, kept: Requested) -> None:
        if kept.sequence > self.requests.get(name, NONE_YET).sequence:
            self.requests[name] = kept

    def _take_up(self, subject: Subject, row: StateRow, body: Any, parts: Mapping[str, StateRow]) -> bool:  # noqa: ANN401 - JSON
        """Go on from a kept state; whether it was another version's, or one under other parameters."""
        kept = body["rest"] if "rest" in body else body["state"]
        if "rest" in body:
            values = {place: json.loads(part.body) for place, part in parts.items() if part.version == row.version}
            kept = joined(subject.parted, kept, values)
        state = subject.rule.load(subject.config, row.version, kept)
        if state is None:
            return False
        subject.rule.wake(subject.config, state)
        self._states[subject.order] = state
        same = row.version == subject.rule.version
        if same and "rest" in body:
            self._otherwise.pop(subject.order, None)
        return not same or body["config"] != subject.fingerprint

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


def _answered(subjects: Sequence[Subject]) -> dict[tuple[str, str], tuple[Subject, ...]]:
    """Who gets the answers about an asset, in their order."""
    found: dict[tuple[str, str], tuple[Subject, ...]] = {}
    for subject in subjects:
        rule, asset = subject.rule, subject.asset
        own = ((asset.id, rule.answers),) if rule.answers else ()
        for key in (*own, *(rule.overhears(asset) if rule.overhears else ())):
            found[key] = (*found.get(key, ()), subject)
    return found


def _stops(subjects: Sequence[Subject]) -> dict[str, tuple[Subject, ...]]:
    """Who hears what became of an asset as a stop, in their order."""
    found: dict[str, tuple[Subject, ...]] = {}
    for subject in subjects:
        if subject.rule.tours:
            found[subject.asset.id] = (*found.get(subject.asset.id, ()), subject)
    return found


def _named(city: City, subject: Subject, names: Callable[[Asset], Sequence[str]] | None) -> Sequence[str]:
    """The further assets that a subject names; raises CityError when one of them is not there."""
    found = names(subject.asset) if names else ()
    for id_ in found:
        if id_ not in city.assets:
            raise CityError(
                f"rule {subject.rule.id}: feature {subject.asset.id!r} names {id_!r}, expected another feature"
            )
    return found


def _apart(rows: Iterable[StateRow]) -> tuple[list[StateRow], dict[tuple[str, str], dict[str, StateRow]]]:
    """Rows of subjects, and those of parts by rule, asset and place."""
    whole: list[StateRow] = []
    parts: dict[tuple[str, str], dict[str, StateRow]] = {}
    for row in rows:
        asset, apart, place = row.subject.partition(SEPARATOR)
        if apart:
            parts.setdefault((row.rule, asset), {})[place] = row
        else:
            whole.append(row)
    return whole, parts
