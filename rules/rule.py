"""What a rule is: its inputs, its outputs, and the parts that the engine drives it by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar

from decoders.measurement import Reading
from rules.answer import Heard, OverriddenBy
from rules.asset import Asset
from rules.event import Event
from rules.feedback import SkipReason, StopResult
from rules.followed import Followed
from rules.point import Point

AHEAD_MS = 120_000
"""How far a measurement may lie ahead of the network server's time and still be used."""

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
C = TypeVar("C")
S = TypeVar("S")


class Observation(NamedTuple):
    """What a device of an asset measured; times in ms since 1970 (UTC), `cause` is the deduplication_id.

    `now_ms` is rule time and set by the engine: the newest time it has seen. `doubtful` are values that are stored with
    a flag and that only rules get which ask for them; those find them among `readings`, too.
    """

    dev_eui: str
    device: str
    asset: str
    time_ms: int
    ns_time_ms: int
    readings: tuple[Reading, ...]
    cause: str
    now_ms: int = 0
    doubtful: tuple[Reading, ...] = ()

    def usable(self, newest_ms: int) -> bool:
        """Whether it may change a decision: not older than the newest one used, clock not ahead by over two minutes."""
        return newest_ms <= self.time_ms <= min(self.ns_time_ms, self.now_ms) + AHEAD_MS


class Tick(NamedTuple):
    """Time has passed; ms since 1970 (UTC). `rule_ms` is rule time where that is ahead, set by the engine."""

    time_ms: int
    rule_ms: int = 0

    @property
    def now_ms(self) -> int:
        """Rule time."""
        return max(self.time_ms, self.rule_ms)

    @property
    def cause(self) -> str:
        """What names this tick as the cause of an event."""
        return str(self.time_ms)


class Answered(NamedTuple):
    """What became of a request, in the words of who carries it out; times in ms since 1970 (UTC).

    `subject` is the asset, `request_id` the id of the request's event, `plan` the programme that runs now (None where
    the answer does not say), `time_ms` the answer's own time, by a clock that nobody checked. `now_ms` is rule time and
    set by the engine, an answer never moves it. `what` is the last word of the request's topic (`signal-plan`), `by`
    and `until_ms` say who overrides the request and for how long.
    """

    subject: str
    request_id: str
    status: Heard
    plan: str | None
    time_ms: int
    now_ms: int = 0
    cause: str = ""
    what: str = ""
    by: OverriddenBy | None = None
    until_ms: int | None = None


class TourFeedback(NamedTuple):
    """What became of a stop of a tour, or what a person reports of it; times in ms since 1970 (UTC).

    `stop` is the asset; `vehicle` is empty for a person's report, `reason` None where nothing was skipped. `fill_level`
    (%) is as found, by eye, `mass` (kg) what came out. `time_ms` is by the vehicle's clock: not older than a week, nor
    ahead of the service's by over two minutes, though it may be ahead of rule time. `now_ms` is rule time and set by
    the engine, feedback never moves it.
    """

    stop: str
    result: StopResult | Literal["reported"]
    time_ms: int
    vehicle: str = ""
    reason: SkipReason | None = None
    fill_level: float | None = None
    mass: float | None = None
    side_waste: bool = False
    now_ms: int = 0
    cause: str = ""


Input: TypeAlias = Observation | Tick | Answered | TourFeedback


class Outputs(NamedTuple):
    """What a step concluded, beside the new state."""

    events: tuple[Event, ...] = ()
    points: tuple[Point, ...] = ()


NOTHING = Outputs()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[C, S]):
    """A decision about every asset of one kind, as pure functions; the asset's id is the subject.

    configure  parameters from the asset's properties; raises CityError
    initial    the state before any input
    step       the new state (the same object when nothing changed) and the outputs; must not change its arguments
    wake       ms since 1970 at which a subject in this state next wants a tick, None for never
    dump/load  state to JSON and back; `load` is given the version that dumped it and returns None for a fresh start

    doubtful   whether it wants doubtful values, too
    members    ids of further assets whose observations the subject sees, from the asset's properties; raises CityError
    follows    ids of further assets whose events the subject sees (not those of rules that follow others themselves),
               from the asset's properties; raises CityError
    heed       the new state and the outputs after such an event; needed where `follows` is
    answers    last word of the topic of its requests (`signal-plan`), whose answers the subject gets; empty: none
    overhears  further answers that the subject gets, as (asset, last word of the topic of others' requests)
    tours      whether the subject hears what became of it as a stop of tours
    permits    whether a request with these data (JSON) may be outside under these parameters; None: any may

    `version` counts changes of the decision and of the state's form. Observations reach the step in the order of their
    arrival, ticks only when due; `now_ms` of the inputs never goes back.
    """

    id: str
    version: int
    kind: str
    configure: Callable[[Asset], C]
    initial: Callable[[C], S]
    step: Callable[[C, S, Input], tuple[S, Outputs]]
    wake: Callable[[C, S], int | None]
    dump: Callable[[S], Json]
    load: Callable[[C, int, Json], S | None]
    doubtful: bool = False
    members: Callable[[Asset], Sequence[str]] | None = None
    follows: Callable[[Asset], Sequence[str]] | None = None
    heed: Callable[[C, S, Followed], tuple[S, Outputs]] | None = None
    answers: str = ""
    overhears: Callable[[Asset], Sequence[tuple[str, str]]] | None = None
    tours: bool = False
    permits: Callable[[C, Mapping[str, Any]], bool] | None = None


AnyRule: TypeAlias = Rule[Any, Any]
"""A rule in a list with others: configuration and state are its own affair."""


class StateRow(NamedTuple):
    """The state of a rule about a subject as it is kept: JSON text in the form of that version of the rule."""

    rule: str
    subject: str
    version: int
    body: str


class RuleFailure(NamedTuple):
    """A rule that raised instead of concluding; its state stayed as it was."""

    rule: str
    subject: str
    cause: str
    error: str
