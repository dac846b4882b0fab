"""What all rules that ask for programmes have in common: hear detectors and answers, decide once a minute."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

from pydantic import TypeAdapter

from rules.parts import Parts
from rules.rule import NOTHING, Answered, Input, Json, Observation, Outputs
from rules.traffic import control_health
from rules.traffic.approach import FlowConfig, Lanes, hear, kept_lanes, plain_lanes
from rules.traffic.control import IDLE, Control, ControlConfig, answered
from rules.traffic.count import new_tuple


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


class Steered(NamedTuple):
    """What is remembered: `next_ms` is when it is decided next (0: not before something is heard).

    `why` and `told_ms` are those of the newest point.
    """

    lanes: Lanes
    control: Control
    next_ms: int
    why: str
    told_ms: int


START = Steered({}, IDLE, 0, "", 0)
STATE = TypeAdapter(Steered)
C = TypeVar("C", bound=Steering)
Decide: TypeAlias = Callable[[C, Steered, Input], tuple[Steered, Outputs]]


def initial(_config: Steering) -> Steered:
    """Nothing was heard yet."""
    return START


def stepping(
    config: C, state: Steered, given: Input, rule: tuple[str, int], decide: Decide[C]
) -> tuple[Steered, Outputs]:
    """Take in what detectors and controllers say; decide when it is time. `rule` is the rule's id and version."""
    if config.refused:
        return state, NOTHING
    if isinstance(given, Observation):
        lanes = hear(config.flow, state.lanes, given)
        if lanes is state.lanes:
            return state, NOTHING
        decide_ms = state.next_ms or next_ms(config, given.now_ms)
        return new_tuple(Steered, (lanes, state.control, decide_ms, state.why, state.told_ms)), NOTHING
    if isinstance(given, Answered):
        return _answered(config, state, given, rule)
    if not state.next_ms or given.now_ms < state.next_ms:
        return state, NOTHING
    return decide(config, state, given)


def wake(config: Steering, state: Steered) -> int | None:
    """Every minute once something was heard."""
    return None if config.refused else state.next_ms or None


def dump(state: Steered) -> Json:
    """The state as JSON, each detector's lanes a part of it."""
    lanes, control, decide_ms, why, told_ms = state
    asked = control.asked and (*control.asked,)
    return {
        "lanes": Parts(lanes, plain_lanes),
        "control": (*control[:2], asked, *control[3:]),
        "next_ms": decide_ms,
        "why": why,
        "told_ms": told_ms,
    }


def load(config: Steering, kept: Json) -> Steered:
    """The state from JSON, without the lanes of detectors that are not heard any more."""
    state = STATE.validate_python(kept)
    return state._replace(lanes=kept_lanes(config.flow, state.lanes))


def next_ms(config: Steering, now_ms: int) -> int:
    """When it is decided next: the next full minute."""
    every_ms = config.control.every_ms
    return (now_ms // every_ms + 1) * every_ms


def _answered(config: Steering, state: Steered, given: Answered, rule: tuple[str, int]) -> tuple[Steered, Outputs]:
    control = answered(config.control, state.control, given)
    if control is state.control:
        return state, NOTHING
    control, health = control_health.say(config.control, control, given, rule, config.asset)
    return state._replace(control=control, next_ms=state.next_ms or next_ms(config, given.now_ms)), Outputs(health)
