"""What all rules that ask for programmes have in common: hear detectors and answers, decide once a minute."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from pydantic import TypeAdapter

from rules.event import Event, Request
from rules.parts import Parts
from rules.point import Point
from rules.rule import NOTHING, Answered, Input, Json, Observation, Outputs
from rules.traffic import control_health
from rules.traffic.approach import Flow, FlowConfig, Lanes, approaches, headings, hear, kept_lanes, plain_lanes
from rules.traffic.control import IDLE, Control, ControlConfig, answered, asking, of_member, settled, wants_request
from rules.traffic.count import new_tuple
from rules.traffic.detector_config import Heading


class Steering(Protocol):
    """What every such configuration holds; one with reasons in `refused` decides nothing."""

    @property
    def asset(self) -> str:
        """The asset's id."""
        ...

    @property
    def flow(self) -> FlowConfig:
        """Which detectors are heard."""
        ...

    @property
    def control(self) -> ControlConfig:
        """How requests are made."""
        ...

    @property
    def refused(self) -> tuple[str, ...]:
        """Why nothing is ever asked for."""
        ...


class MeasuredDay(NamedTuple):
    """A day (days since 1970, UTC): how often it was decided, and how often on flows that are known."""

    day: int
    decided: int
    known: int


class Steered(NamedTuple):
    """What is remembered: `next_ms` is when it is decided next (0: not before something is heard).

    `why` and `told_ms` are those of the newest point, `measured_days` says on how much was decided: of the newest days.
    """

    lanes: Lanes
    control: Control
    next_ms: int
    why: str
    told_ms: int
    measured_days: tuple[MeasuredDay, ...] = ()


DAY_MS = 86_400_000
DAYS = 35
"""Of which it is remembered on how much was decided."""
START = Steered({}, IDLE, 0, "", 0)
STATE = TypeAdapter(Steered)
C = TypeVar("C", bound=Steering)
D = TypeVar("D", bound="Chosen")
Flows: TypeAlias = Mapping[Heading, Flow]


class Chosen(Protocol):
    """What every decision says of itself."""

    @property
    def why(self) -> str:
        """Why this is asked for, or nothing is."""
        ...


@dataclass(frozen=True, slots=True)
class Steer(Generic[C, D]):
    """How one of the rules decides: `rule` is its id and version.

    choose   the decision, from what is known of who carries it out and from the flows by direction
    asks     the programme to ask for; None for nothing
    event    the request
    point    what is told of a decision that is new; None for nothing
    """

    rule: tuple[str, int]
    choose: Callable[[C, Control, Flows, int], D]
    asks: Callable[[D], str | None]
    event: Callable[[C, Control, Flows, D, Input], Request]
    point: Callable[[C, Control, Flows, D, int], Point | None]


def initial(_config: Steering) -> Steered:
    """Nothing was heard yet."""
    return START


def stepping(config: C, state: Steered, given: Input, steer: Steer[C, D]) -> tuple[Steered, Outputs]:
    """Take in what detectors and controllers say; decide when it is time."""
    if config.refused:
        return state, NOTHING
    if isinstance(given, Observation):
        lanes = hear(config.flow, state.lanes, given)
        if lanes is state.lanes:
            return state, NOTHING
        decide_ms = state.next_ms or next_ms(config, given.now_ms)
        return new_tuple(Steered, (lanes, state.control, decide_ms, *state[3:])), NOTHING
    if isinstance(given, Answered):
        return _answered(config, state, given, steer.rule)
    if not state.next_ms or given.now_ms < state.next_ms:
        return state, NOTHING
    return _decide(config, state, given, steer)


def wake(config: Steering, state: Steered) -> int | None:
    """Every minute once something was heard."""
    return None if config.refused else state.next_ms or None


def dump(state: Steered) -> Json:
    """The state as JSON, each detector's lanes a part of it."""
    lanes, control, decide_ms, why, told_ms, days = state
    asked = control.asked and (*control.asked,)
    return {
        "lanes": Parts(lanes, plain_lanes),
        "control": (*control[:2], asked, *control[3:]),
        "next_ms": decide_ms,
        "why": why,
        "told_ms": told_ms,
        "measured_days": [(*day,) for day in days],
    }


def load(config: Steering, kept: Json) -> Steered:
    """The state from JSON, without the lanes of detectors that are not heard any more."""
    state = STATE.validate_python(kept)
    return state._replace(lanes=kept_lanes(config.flow, state.lanes))


def next_ms(config: Steering, now_ms: int) -> int:
    """When it is decided next: the next full minute."""
    every_ms = config.control.every_ms
    return (now_ms // every_ms + 1) * every_ms


def _decide(config: C, state: Steered, given: Input, steer: Steer[C, D]) -> tuple[Steered, Outputs]:
    now_ms = given.now_ms
    control = settled(config.control, state.control, now_ms)
    flows = headings(config.flow, approaches(config.flow, state.lanes, now_ms))
    choice = steer.choose(config, control, flows, now_ms)
    events: list[Event] = []
    programme = steer.asks(choice)
    if programme is not None and wants_request(config.control, control, programme, now_ms):
        request = steer.event(config, control, flows, choice, given)
        events.append(request)
        control = asking(config.control, control, programme, request.id, now_ms)
    control, health = control_health.say(config.control, control, given, steer.rule, config.asset)
    newest_ms = max(flow.newest_ms for flow in flows.values())
    fresh = (choice.why, newest_ms) != (state.why, state.told_ms)
    point = steer.point(config, control, flows, choice, now_ms) if fresh else None
    days = counted(state.measured_days, now_ms, known=all(flow.gap is None for flow in flows.values()))
    state = Steered(state.lanes, control, next_ms(config, now_ms), choice.why, newest_ms, days)
    return state, Outputs((*events, *health), () if point is None else (point,))


def counted(days: tuple[MeasuredDay, ...], now_ms: int, *, known: bool) -> tuple[MeasuredDay, ...]:
    """The days with one more decision."""
    today = now_ms // DAY_MS
    day, decided, before = days[-1] if days and days[-1].day == today else (today, 0, 0)
    earlier = days[:-1] if decided else days[1 - DAYS :]
    return (*earlier, MeasuredDay(day, decided + 1, before + known))


def _answered(config: Steering, state: Steered, given: Answered, rule: tuple[str, int]) -> tuple[Steered, Outputs]:
    take = answered if given.subject == config.asset else of_member
    control = take(config.control, state.control, given)
    if control is state.control:
        return state, NOTHING
    control, health = control_health.say(config.control, control, given, rule, config.asset)
    return state._replace(control=control, next_ms=state.next_ms or next_ms(config, given.now_ms)), Outputs(health)
