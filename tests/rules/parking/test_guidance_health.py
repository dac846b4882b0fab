"""Whether a zone's signs answer: the event about it comes once, ends with an answer, and never stops guidance."""

from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.answer import AnswerStatus, OverriddenBy
from rules.event_parking import GuidanceHealth
from rules.request_health import MOST_WAITING, RENEWAL_MS, VALIDITY_MS
from rules.rule import Answered
from tests.rules.parking.test_guidance import HOUR, MINUTE, START, Play

STATUSES: tuple[AnswerStatus, ...] = ("accepted", "active", "rejected", "expired", "overridden")


def answer(
    play: Play,
    status: AnswerStatus,
    request_id: str = "",
    by: OverriddenBy | None = None,
    until_ms: int | None = None,
) -> None:
    """An answer to the newest request, or to another one."""
    id_ = request_id or play.events[-1].id
    play.give(Answered("zone", id_, status, None, play.at, play.at, f"a{play.at}", "guidance", by, until_ms))


def told(play: Play) -> list[str | None]:
    """The problems in the order in which they were told."""
    return [event.data.problem for event in play.health]


def silent(minutes: int = 30, answer_timeout_s: int = 120) -> Play:
    """A zone whose lot speaks each minute and whose signs say nothing."""
    play = Play("a", answer_timeout_s=answer_timeout_s)
    for _ in range(minutes):
        play.fill("a", 4)
        play.ticks(1)
    return play


def test_no_answer_within_two_minutes_is_a_problem_told_once() -> None:
    """With the request, its age and both texts; requests are renewed nevertheless."""
    play = silent()
    assert told(play) == ["no_answer"]
    event, data = play.health[0], play.health[0].data
    assert START + 2 * MINUTE <= event.time_ms < START + 2 * MINUTE + 10_000
    assert (data.state, data.since, data.request_id, data.asked) == (
        "problem",
        play.events[0].time,
        play.events[0].id,
        "guided",
    )
    assert event.topic == "stadtfunk/v1/parking/zone/zone/guidance/health"
    assert (event.retained, event.acting) == (True, False)
    (evidence,) = data.evidence
    assert (evidence.quantity, evidence.value, evidence.threshold, evidence.unit) == ("answer_age", 120, 120, "s")
    assert (data.text_de[:9], data.text_en[:8]) == ("Auf die l", "The last")
    assert len(play.events) >= 4
    assert all(one.data.valid_until > other.time for one, other in pairwise(play.events))


def test_what_did_not_go_out_is_not_called_unanswered() -> None:
    """In shadow, or while nobody confirms; the two minutes begin when the broker has the request."""
    play = Play("a")
    play.publishes = False
    for _ in range(30):
        play.fill("a", 4)
        play.ticks(1)
    assert len(play.events) >= 4
    assert play.health == []
    play.went_out(play.events[-1])
    sent_ms = play.at
    play.ticks(3)
    assert told(play) == ["no_answer"]
    assert sent_ms + 2 * MINUTE <= play.health[0].time_ms <= sent_ms + 2 * MINUTE + 10_000


def test_an_answer_may_overtake_the_word_that_its_request_went_out() -> None:
    """The signs are quicker than our own note: no answer is waited for."""
    play = Play("a")
    play.publishes = False
    play.fill("a", 4)
    answer(play, "active")
    play.went_out(play.events[-1])
    play.ticks(4)
    assert play.health == []


def test_an_old_override_without_an_end_holds_nothing() -> None:
    """One that was said hours ago, and is heard again because it is retained, is over."""
    play = Play("a")
    old_ms = play.at - HOUR
    play.give(Answered("zone", "x", "overridden", None, old_ms, play.at, "a", "guidance", "hand"))
    play.fill("a", 4)
    assert len(play.events) == 1


def test_an_answer_in_time_is_no_news() -> None:
    """Accepted within a minute each time, nothing is told."""
    play = Play("a")
    for minute in range(60):
        play.fill("a", 4 if minute % 20 < 10 else 12)
        play.ticks(0.5)
        answer(play, "accepted")
        play.ticks(0.5)
    assert len(play.events) >= 6
    assert play.health == []


@pytest.mark.parametrize("status", ["accepted", "active", "expired"])
def test_an_answer_ends_the_problem(status: AnswerStatus) -> None:
    """Late or not: whoever answers is there."""
    play = silent()
    answer(play, status)
    assert told(play) == ["no_answer", None]
    ok = play.health[-1].data
    assert (ok.state, ok.since, ok.evidence, ok.text_en) == ("ok", None, (), "The signs answer.")


def test_an_answer_to_an_older_request_leaves_the_newer_ones_waiting() -> None:
    """The clock of the next one runs on."""
    play = Play("a")
    play.fill("a", 4)
    play.ticks(1)
    play.fill("a", 10)
    first, second = play.events
    answer(play, "active", first.id)
    play.ticks(1.5)
    assert told(play) == []
    play.ticks(1)
    assert told(play) == ["no_answer"]
    assert play.health[-1].data.since == second.time


def test_answers_to_strangers_requests_end_nothing() -> None:
    """Neither before nor after the problem."""
    play = silent()
    answer(play, "active", "somebody-elses")
    answer(play, "rejected", "somebody-elses")
    assert told(play) == ["no_answer"]


def test_a_refusal_is_a_problem_until_something_is_accepted() -> None:
    """Also when it comes after an acceptance of the same request."""
    play = Play("a")
    play.fill("a", 4)
    answer(play, "accepted")
    play.ticks(1)
    answer(play, "rejected")
    assert told(play) == ["rejected"]
    play.fill("a", 12)
    answer(play, "active")
    assert told(play) == ["rejected", None]


def test_a_fault_is_a_problem_while_the_signs_are_out_of_hand() -> None:
    """Roadworks are somebody's will and none; the end of the fault is told by itself."""
    play = Play("a")
    play.fill("a", 4)
    answer(play, "overridden", "x", "roadworks", play.at + 5 * MINUTE)
    play.ticks(4)
    assert told(play) == []
    answer(play, "overridden", "x", "fault", play.at + 5 * MINUTE)
    play.ticks(4.5)
    assert told(play) == ["fault"]
    play.ticks(1)
    assert told(play) == ["fault", None]


def test_a_problem_that_lasts_is_told_again_before_it_expires() -> None:
    """Every eighteen hours; its begin stays."""
    play = silent(3)
    play.ticks(20 * 60)
    assert told(play) == ["no_answer", "no_answer"]
    first, again = play.health
    assert again.time_ms - first.time_ms == pytest.approx(VALIDITY_MS - RENEWAL_MS, abs=10_000)
    assert again.time < first.data.valid_until
    assert again.data.since == first.data.since


def test_where_nobody_answers_nothing_is_expected() -> None:
    """A timeout of 0 says so in the city file; a refusal is told nevertheless."""
    play = silent(answer_timeout_s=0)
    assert play.health == []
    answer(play, "rejected")
    assert told(play) == ["rejected"]


def test_what_is_waited_for_is_bounded() -> None:
    """With a new figure each minute and nobody there, the oldest request and the newest ones are remembered."""
    play = Play("a", answer_timeout_s=1800)
    for minute in range(29):
        play.fill("a", 4 + minute % 2 * 6)
        play.ticks(1)
    waiting = play.zone.carried.waiting
    assert len(waiting) == MOST_WAITING
    assert (waiting[0][0], waiting[-1][0]) == (play.events[0].id, play.events[-1].id)
    answer(play, "active")
    assert play.zone.carried.waiting == ()


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "wait", *STATUSES]),
            st.integers(0, 20),
        ),
        max_size=40,
    )
)
def test_problems_come_and_go_in_turns(steps: list[tuple[AnswerStatus | Literal["wait"] | None, int]]) -> None:
    """Whatever is answered: each event says something else than the last one, and an end follows a problem only."""
    play = Play("a")
    for what, number in steps:
        if what is None:
            play.fill("a", number)
        elif what == "wait":
            play.ticks(number)
        elif play.events:
            answer(play, what, by="fault" if what == "overridden" and number % 2 else None)
        play.at += 1
    assert all(one != other for one, other in pairwise(told(play)))
    assert told(play)[:1] != [None]
    assert all(isinstance(event, GuidanceHealth) and event.time_ms < START + 20 * HOUR for event in play.health)
