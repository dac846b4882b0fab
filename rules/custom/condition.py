"""The decision: a condition that holds long enough is raised, one that is over long enough is cleared.

A condition of which nothing is known is neither raised nor cleared, until its values are older than `fresh_s`: then it
is cleared for want of data. Outside its schedule it is not looked at, and cleared.
"""

from collections.abc import Mapping
from typing import NamedTuple

from rules.custom import reading
from rules.custom.calendar import in_force
from rules.custom.config import CustomConfig
from rules.custom.speech import Turn, events
from rules.custom.state import CustomState, Standing, hear
from rules.event_custom import ConditionReason, ConditionStatus
from rules.rule import NOTHING, Answered, Input, Observation, Outputs


class Decided(NamedTuple):
    """How the condition stands now, and what is to be said of it, if anything."""

    standing: Standing
    status: ConditionStatus | None = None
    reason: ConditionReason = "measured"


def step(config: CustomConfig | None, state: CustomState, given: Input) -> tuple[CustomState, Outputs]:
    """Take up readings, look at the condition, say what changed."""
    if config is None or isinstance(given, Answered):
        return state, NOTHING
    if isinstance(given, Observation):
        heard = hear(config, state, given)
        if heard is state:
            return state, NOTHING
        state = heard
    now_ms = given.now_ms
    in_hours, edge_ms = (True, None) if config.hours is None else in_force(config.hours, now_ms)
    values = reading.values(config, state.held, now_ms)
    decided = _decide(config, state, values, now_ms) if in_hours else _outside(config, state.standing, now_ms)
    standing = decided.standing
    after = CustomState(state.held, standing, _wake_ms(config, state.held, standing, now_ms, edge_ms, looks=in_hours))
    if decided.status is None:
        return after, NOTHING
    turn = Turn(decided.status, decided.reason, standing, values, state.held)
    return after, Outputs(events(config, turn, given))


def wake(_config: CustomConfig | None, state: CustomState) -> int | None:
    """When to look again: windows slide, values grow old, durations and hours end."""
    return state.wake_ms or None


def _decide(config: CustomConfig, state: CustomState, values: Mapping[str, float | bool], now_ms: int) -> Decided:
    standing = state.standing
    if not standing.raised_ms:
        return _before(config, state, values, now_ms)
    over = _is_over(config, values)
    if over is None:
        if now_ms >= reading.given_up_ms(config, state.held, standing.decided_ms):
            return Decided(_cleared(config, now_ms), "cleared", "no_data")
        return Decided(standing)
    over_ms = (standing.over_ms or now_ms) if over else 0
    if over and now_ms - over_ms >= config.definition.clear_for_s * 1000:
        return Decided(_cleared(config, now_ms), "cleared")
    standing = standing._replace(over_ms=over_ms, decided_ms=now_ms)
    until_ms = _valid_until_ms(config, state, now_ms)
    if until_ms > standing.valid_until_ms and now_ms >= _renewal_ms(config, standing):
        return Decided(standing._replace(valid_until_ms=until_ms), "updated")
    return Decided(standing)


def _before(config: CustomConfig, state: CustomState, values: Mapping[str, float | bool], now_ms: int) -> Decided:
    """A condition that is not raised yet."""
    ends = config.condition.ends
    if config.condition.begins.holds(values) is not True or (ends is not None and ends.holds(values)):
        return Decided(state.standing._replace(holds_ms=0))
    holds_ms = state.standing.holds_ms or now_ms
    if now_ms - holds_ms < config.definition.for_s * 1000:
        return Decided(state.standing._replace(holds_ms=holds_ms))
    return Decided(
        Standing(raised_ms=now_ms, decided_ms=now_ms, valid_until_ms=_valid_until_ms(config, state, now_ms)), "raised"
    )


def _outside(config: CustomConfig, standing: Standing, now_ms: int) -> Decided:
    """A condition outside its hours."""
    if standing.raised_ms:
        return Decided(_cleared(config, now_ms), "cleared", "schedule")
    return Decided(standing._replace(holds_ms=0))


def _is_over(config: CustomConfig, values: Mapping[str, float | bool]) -> bool | None:
    condition = config.condition
    if condition.ends is not None:
        return condition.ends.holds(values)
    lasts = condition.lasts.holds(values)
    return None if lasts is None else not lasts


def _cleared(config: CustomConfig, now_ms: int) -> Standing:
    return Standing(valid_until_ms=now_ms + config.definition.valid_s * 1000)


def _valid_until_ms(config: CustomConfig, state: CustomState, now_ms: int) -> int:
    """Never longer than the values that it stands on are known."""
    known_ms = reading.used_since_ms(config, state.held, now_ms) + config.fresh_ms
    return min(now_ms + config.definition.valid_s * 1000, known_ms)


def _renewal_ms(config: CustomConfig, standing: Standing) -> int:
    return standing.valid_until_ms - config.definition.valid_s * 500


def _wake_ms(
    config: CustomConfig, held: reading.Held, standing: Standing, now_ms: int, edge_ms: int | None, *, looks: bool
) -> int:
    times = [] if edge_ms is None else [edge_ms]
    if looks:
        stale_ms = reading.stale_ms(config, held, now_ms)
        if stale_ms is not None:
            times.append(stale_ms)
        step_ms = config.condition.step_ms if stale_ms is not None else config.condition.age_step_ms
        if step_ms and held:
            times.append(now_ms - now_ms % step_ms + step_ms)
        if standing.holds_ms:
            times.append(standing.holds_ms + config.definition.for_s * 1000)
        if standing.over_ms:
            times.append(standing.over_ms + config.definition.clear_for_s * 1000)
        if standing.raised_ms:
            times.append(_renewal_ms(config, standing))
    return min([time_ms for time_ms in times if time_ms > now_ms], default=0)
