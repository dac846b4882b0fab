"""Whether requests are carried out: what is waited for, what went wrong, and the event that says so.

A rule keeps a `Carried` for each subject. A request that went out (`sent`) without an answer within its time is a
problem, as are one that was refused and a fault; any other answer to one of the newest requests ends it. A problem that
lasts is said again.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from pydantic import AwareDatetime, Field

from rules.event import SOURCE_ROOT, Decision, event_id, instant
from rules.rule import Answered

Problem: TypeAlias = Literal["no_answer", "rejected", "fault"]
Texts: TypeAlias = Mapping[Problem | None, tuple[str, str]]
"""For people, in German and English; None is for the end of a problem."""
VALIDITY_MS = 24 * 3_600_000
RENEWAL_MS = VALIDITY_MS // 4
MOST_WAITING = 8


class RequestHealthData(Decision):
    """Whether what is asked for is carried out."""

    state: Literal["ok", "problem"]
    problem: Problem | None
    asked: str | None = Field(description="plan, programme, level or kind of guidance that was asked for last")
    request_id: str | None = Field(description="id of that request")
    since: AwareDatetime | None = Field(description="when the problem began; null without one")
    text_de: str
    text_en: str


class Finding(NamedTuple):
    """What to say: the problem and its begin, what was asked for, when somebody answered last (0: never).

    `timeout_ms` is how long an answer may take, `n_answers` how many answers led to this.
    """

    problem: Problem | None
    since_ms: int
    asked: str | None
    request_id: str | None
    answered_ms: int
    timeout_ms: int
    n_answers: int
    until_ms: int


class Carried(NamedTuple):
    """What is known of who carries requests out; times in ms since 1970 (UTC), 0 for never.

    `newest` is the id of the newest request, `waiting` are those that went out and have no answer, with the times of
    that: the oldest one and the newest. A fault holds until `fault_until_ms`; a problem is said again before
    `shown_until_ms`. `heard` is the newest request that was answered: an answer may overtake the word that its
    request went out.
    """

    newest: str | None = None
    waiting: tuple[tuple[str, int], ...] = ()
    answered_ms: int = 0
    problem: Problem | None = None
    since_ms: int = 0
    fault_until_ms: int = 0
    shown: Problem | None = None
    shown_until_ms: int = 0
    heard: str | None = None


CARRIED = Carried()


def asking(carried: Carried, request_id: str) -> Carried:
    """After a request, of which nobody knows yet whether it goes out."""
    return carried._replace(newest=request_id)


def sent(carried: Carried, request_id: str, now_ms: int) -> Carried:
    """After a request went out: from now on an answer is waited for."""
    waiting = carried.waiting
    if request_id == carried.heard or any(name == request_id for name, _ in waiting):
        return carried
    if len(waiting) >= MOST_WAITING:
        waiting = (waiting[0], *waiting[2:])
    return carried._replace(waiting=(*waiting, (request_id, now_ms)))


def answered(carried: Carried, given: Answered, held_until_ms: int) -> Carried:
    """After an answer; one to none of these requests counts where it says that somebody took over, until that time."""
    ids = [name for name, _ in carried.waiting]
    overridden, id_ = given.status == "overridden", given.request_id
    if not overridden and id_ not in ids and id_ != carried.newest:
        return carried
    waiting = carried.waiting[ids.index(id_) + 1 :] if id_ in ids and not overridden else ()
    carried = carried._replace(waiting=waiting, answered_ms=given.now_ms, heard=id_)
    if given.status == "rejected":
        return _trouble(carried, "rejected", given.now_ms)
    if overridden and given.by == "fault":
        return _trouble(carried, "fault", given.now_ms)._replace(fault_until_ms=held_until_ms)
    return _well(carried)


def settled(carried: Carried, timeout_ms: int, now_ms: int) -> Carried:
    """As time leaves it: an answer that is late is a problem, a fault ends."""
    since_ms = _late_ms(carried, timeout_ms)
    if since_ms is not None and since_ms <= now_ms:
        return _trouble(carried, "no_answer", carried.waiting[0][1])
    if carried.problem == "fault" and carried.fault_until_ms <= now_ms:
        return _well(carried)
    return carried


def wake(carried: Carried, timeout_ms: int) -> int | None:
    """When it is to be settled, or a problem said again."""
    times = [_late_ms(carried, timeout_ms) if carried.problem != "no_answer" else None, due_ms(carried)]
    times.append(carried.fault_until_ms if carried.problem == "fault" else None)
    return min((time for time in times if time is not None), default=None)


def due_ms(carried: Carried) -> int | None:
    """When a problem that lasts is said again."""
    return carried.shown_until_ms - RENEWAL_MS if carried.shown else None


def say(carried: Carried, now_ms: int) -> Carried | None:
    """The state after saying what came or went or has to be said again; None when nothing has to be said."""
    due = due_ms(carried)
    if carried.problem == carried.shown and (due is None or now_ms < due):
        return None
    return carried._replace(shown=carried.problem, shown_until_ms=now_ms + VALIDITY_MS)


def body(
    rule: tuple[str, int], asset: str, finding: Finding, texts: Texts, now_ms: int, cause: str
) -> dict[str, object]:
    """The event without its type: `rule` is the id and version of who made the requests."""
    problem, heard_ms = finding.problem, finding.answered_ms
    evidence = {
        "quantity": "answer_age",
        "value": max(0, now_ms - finding.since_ms) / 1000,
        "unit": "s",
        "window_s": None,
        "threshold": finding.timeout_ms / 1000,
        "hysteresis": None,
        "n_samples": finding.n_answers,
        "newest_at": instant(heard_ms) if heard_ms else None,
        "age_s": max(0, now_ms - heard_ms) / 1000 if heard_ms else None,
        "sources": (),
    }
    return {
        "id": event_id(rule[0], asset, "health", cause),
        "source": f"{SOURCE_ROOT}/{rule[0]}",
        "subject": asset,
        "time": instant(now_ms),
        "data": {
            "rule": rule[0],
            "rule_version": rule[1],
            "valid_until": instant(finding.until_ms),
            "evidence": (evidence,) if problem else (),
            "state": "problem" if problem else "ok",
            "problem": problem,
            "asked": finding.asked,
            "request_id": finding.request_id,
            "since": instant(finding.since_ms) if problem else None,
            "text_de": texts[problem][0],
            "text_en": texts[problem][1],
        },
    }


def _late_ms(carried: Carried, timeout_ms: int) -> int | None:
    """When the oldest request without an answer is a problem; never where no answers are expected (0)."""
    return carried.waiting[0][1] + timeout_ms if carried.waiting and timeout_ms else None


def _trouble(carried: Carried, problem: Problem, since_ms: int) -> Carried:
    return carried if carried.problem == problem else carried._replace(problem=problem, since_ms=since_ms)


def _well(carried: Carried) -> Carried:
    return carried._replace(problem=None, since_ms=0, fault_until_ms=0)
