"""Asking for a programme and living with the answers: what is reported, what is pending, how often it may change.

Decisions start from the *reported* programme. What was asked for counts only until its answer is late or its validity
over. A programme that is asked for again is a renewal, another one is a switch; switches are counted.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from rules.asset import Asset
from rules.rule import Answered

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
AHEAD_MS = 120_000
"""How far an answer's own time may lie ahead and still be used."""
Problem: TypeAlias = Literal["no_answer", "rejected", "fault"]


@dataclass(frozen=True, slots=True)
class ControlConfig:
    """How requests are made.

    dwell_ms            a slow switch comes no sooner after the last one: 15 min
    most_switches       in any hour: 4
    validity_ms         of a request: 15 min, 30 at most; it is renewed after half of it
    answer_timeout_ms   after which a request without an answer is a problem: 2 min
    retry_ms            for how long a rejected programme is not asked for again: 15 min
    hold_ms             for how long nothing is asked after an override that does not say its end: 30 min
    reported_ms         for how long a report is believed: 2 h
    every_ms            how often it is decided: 1 min
    """

    dwell_ms: int
    most_switches: int
    validity_ms: int
    answer_timeout_ms: int
    retry_ms: int
    hold_ms: int
    reported_ms: int
    every_ms: int


class Asked(NamedTuple):
    """The newest request: its event's id, what it asked for, when, and until when it is valid."""

    id: str
    programme: str
    time_ms: int
    valid_until_ms: int


class Control(NamedTuple):
    """What is known of who carries requests out; times in ms since 1970 (UTC), 0 for never.

    `waiting_ms` is when the oldest request without an answer went out; `rejected` holds until when a programme is not
    asked for; nothing is asked for until `held_ms`. `switches` are those of the last hour. A problem is said again
    before `shown_until_ms`. `heard` is the newest request that was answered: its answer may overtake the word that it
    went out. `members` are those that somebody else has, and until when: all of them are asked or none.
    """

    reported: str | None = None
    reported_ms: int = 0
    asked: Asked | None = None
    waiting_ms: int = 0
    switches: tuple[int, ...] = ()
    switched_ms: int = 0
    rejected: tuple[tuple[str, int], ...] = ()
    held_ms: int = 0
    problem: Problem | None = None
    problem_ms: int = 0
    shown: Problem | None = None
    shown_until_ms: int = 0
    heard: str | None = None
    members: tuple[tuple[str, int], ...] = ()


IDLE = Control()


def control_config(asset: Asset) -> ControlConfig:
    """How requests about the asset are made; raises CityError."""
    return ControlConfig(
        dwell_ms=asset.whole("dwell_s", 900, low=60, high=7200) * 1000,
        most_switches=asset.whole("max_switches_per_hour", 4, low=1, high=12),
        validity_ms=asset.whole("validity_s", 900, low=120, high=1800) * 1000,
        answer_timeout_ms=asset.whole("answer_timeout_s", 120, low=10, high=1800) * 1000,
        retry_ms=asset.whole("rejected_retry_s", 900, low=60, high=86_400) * 1000,
        hold_ms=asset.whole("override_hold_s", 1800, low=60, high=86_400) * 1000,
        reported_ms=asset.whole("reported_valid_s", 7200, low=300, high=86_400) * 1000,
        every_ms=MINUTE_MS,
    )


def answered(config: ControlConfig, control: Control, answer: Answered) -> Control:
    """What an answer changes; one older than the newest report, or with a clock ahead, changes nothing."""
    now_ms, asked = answer.now_ms, control.asked
    if answer.status == "sent":
        return _sent(control, answer)
    if not control.reported_ms <= answer.time_ms <= now_ms + AHEAD_MS:
        return control
    ours = asked is not None and answer.request_id == asked.id
    if ours:
        control = control._replace(waiting_ms=0, heard=answer.request_id)
    match answer.status:
        case "active":
            programme = answer.plan or (asked.programme if ours and asked else None)
            return _reported(control, programme, answer)._replace(held_ms=0, problem=None)
        case "accepted":
            control = _reported(control, answer.plan, answer)._replace(problem=None) if ours else control
        case "overridden":
            control = _reported(control, answer.plan, answer)
            control = control._replace(held_ms=_held_until_ms(config, answer), asked=None, waiting_ms=0)
            return _trouble(control, "fault", now_ms) if answer.by == "fault" else control._replace(problem=None)
        case "rejected" if ours and asked:
            rejected = (*control.rejected, (asked.programme, now_ms + config.retry_ms))
            control = _trouble(control._replace(asked=None, rejected=rejected), "rejected", now_ms)
        case "expired" if ours:
            control = control._replace(asked=None)
    return control


def of_member(config: ControlConfig, control: Control, answer: Answered) -> Control:
    """What the word of a member on requests to itself changes: nothing is asked of any while somebody else has one."""
    if answer.time_ms > answer.now_ms + AHEAD_MS:
        return control
    others = tuple(each for each in control.members if each[0] != answer.subject)
    if answer.status in {"accepted", "active"}:
        return control if len(others) == len(control.members) else control._replace(members=others)
    until_ms = _held_until_ms(config, answer)
    if answer.status != "overridden" or until_ms <= answer.now_ms:
        return control
    control = control._replace(members=(*others, (answer.subject, until_ms)), asked=None, waiting_ms=0)
    return _trouble(control, "fault", answer.now_ms) if answer.by == "fault" else control


def settled(config: ControlConfig, control: Control, now_ms: int) -> Control:
    """The control as time leaves it: what is over is forgotten, an answer that is late is a problem."""
    if control.asked is not None and control.asked.valid_until_ms <= now_ms:
        control = control._replace(asked=None)
    if control.reported is not None and now_ms - control.reported_ms >= config.reported_ms:
        control = control._replace(reported=None)
    if control.switches and now_ms - control.switches[0] >= HOUR_MS:
        control = control._replace(switches=tuple(each for each in control.switches if now_ms - each < HOUR_MS))
    if control.rejected and min(until_ms for _, until_ms in control.rejected) <= now_ms:
        control = control._replace(rejected=tuple(each for each in control.rejected if each[1] > now_ms))
    if any(until_ms <= now_ms for _, until_ms in control.members):
        control = control._replace(members=tuple(each for each in control.members if each[1] > now_ms))
    if control.waiting_ms and now_ms - control.waiting_ms >= config.answer_timeout_ms:
        return _trouble(control, "no_answer", control.waiting_ms)
    if control.problem == "rejected" and not control.rejected:
        return control._replace(problem=None)
    if control.problem == "fault" and control.held_ms <= now_ms and not control.members:
        return control._replace(problem=None)
    return control


def known(control: Control) -> str | None:
    """What will run if nobody says otherwise: what was asked for, else what is reported."""
    return control.asked.programme if control.asked else control.reported


def blocked(config: ControlConfig, control: Control, programme: str, now_ms: int, *, slow: bool) -> str | None:
    """Why another programme cannot be asked for now; None when it can. A slow switch waits for the dwell time."""
    if control.held_ms > now_ms or control.members:
        return "overridden"
    if any(name == programme for name, _ in control.rejected):
        return "rejected"
    if known(control) == programme:
        return None
    if len(control.switches) >= config.most_switches:
        return "too_many_switches"
    if slow and control.switched_ms and now_ms - control.switched_ms < config.dwell_ms:
        return "dwell"
    return None


def wants_request(config: ControlConfig, control: Control, programme: str, now_ms: int) -> bool:
    """Whether the programme has to be asked for now: for the first time, or to renew it."""
    asked = control.asked
    if asked is None or asked.programme != programme:
        return True
    return now_ms >= asked.valid_until_ms - config.validity_ms // 2


def asking(config: ControlConfig, control: Control, programme: str, id_: str, now_ms: int) -> Control:
    """The control after a request; another programme than the pending or reported one is a switch."""
    if known(control) != programme:
        control = control._replace(switches=(*control.switches, now_ms), switched_ms=now_ms)
    return control._replace(asked=Asked(id_, programme, now_ms, now_ms + config.validity_ms))


def _sent(control: Control, word: Answered) -> Control:
    """The control after the newest request went out: an answer is waited for unless it came already."""
    asked = control.asked
    if asked is None or word.request_id != asked.id or control.heard == asked.id or control.waiting_ms:
        return control
    return control._replace(waiting_ms=word.now_ms)


def _held_until_ms(config: ControlConfig, answer: Answered) -> int:
    """Until when nothing is asked after an override: as it says, else for some time from when it was said."""
    if answer.until_ms and answer.until_ms > answer.now_ms:
        return answer.until_ms
    return min(answer.time_ms, answer.now_ms) + config.hold_ms


def _reported(control: Control, programme: str | None, answer: Answered) -> Control:
    """The control after a report; a switch that nobody here asked for counts, too."""
    if programme is None:
        return control
    time_ms = min(answer.time_ms, answer.now_ms)
    expected = control.asked is not None and control.asked.programme == programme
    if control.reported not in {None, programme} and not expected:
        control = control._replace(switches=(*control.switches, time_ms), switched_ms=time_ms)
    return control._replace(reported=programme, reported_ms=time_ms)


def _trouble(control: Control, problem: Problem, since_ms: int) -> Control:
    if control.problem == problem:
        return control
    return control._replace(problem=problem, problem_ms=since_ms)
