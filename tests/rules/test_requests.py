"""Requests and what becomes of them: numbers that never go back, answers, subjects that see further assets."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Asset, CityError
from rules.city import City
from rules.engine import Engine
from rules.event import SOURCE_ROOT, Request, event_id, instant
from rules.events import EVENT_TYPES
from rules.rule import Answered, Input, Json, Observation, Outputs, Rule

START = 1_790_000_000_000
MINUTE_MS = 60_000
ID = "test.requests"


class Plan(Request):
    """A request as a rule would make it."""

    type: Literal["city.stadtfunk.test.plan.v1"] = "city.stadtfunk.test.plan.v1"

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"stadtfunk/v1/test/{self.subject}/plan"


class Seen(NamedTuple):
    """State of the test rule: assets heard, answers had."""

    heard: tuple[str, ...] = ()
    answers: tuple[tuple[str, int], ...] = ()


def plan(subject: str, at: int, cause: str, valid_ms: int = 15 * MINUTE_MS, **data: object) -> Plan:
    """A request of that time."""
    return Plan.model_validate(
        {
            "id": event_id(ID, subject, "plan", cause),
            "source": f"{SOURCE_ROOT}/{ID}",
            "subject": subject,
            "time": instant(at),
            "data": {
                "rule": ID,
                "rule_version": 1,
                "evidence": (),
                "valid_until": instant(at + valid_ms),
                "issued_at": instant(at),
                **data,
            },
        }
    )


def step(subject: str, seen: Seen, given: Input) -> tuple[Seen, Outputs]:
    """Requests something for each measurement of its own asset, remembers the rest."""
    if isinstance(given, Answered):
        return seen._replace(answers=(*seen.answers, (given.status, given.now_ms))), Outputs()
    if not isinstance(given, Observation):
        return seen, Outputs()
    seen = seen._replace(heard=(*seen.heard, given.asset))
    valid_ms = int(given.readings[0].value) * MINUTE_MS
    if given.asset != subject:
        return seen, Outputs()
    return seen, Outputs((plan(subject, given.now_ms, given.cause, valid_ms),))


def load(_subject: str, _version: int, kept: Json) -> Seen:
    """The state again."""
    assert isinstance(kept, dict)
    return Seen(tuple(kept["heard"]), tuple((status, now) for status, now in kept["answers"]))


def members(asset: Asset) -> Sequence[str]:
    """The assets that the property names."""
    named = asset.properties.get("members", ())
    assert isinstance(named, tuple)
    return named


RULE = Rule(
    id=ID,
    version=1,
    kind="zone",
    configure=lambda asset: asset.id,
    initial=lambda _subject: Seen(),
    step=step,
    wake=lambda _subject, _seen: None,
    dump=lambda seen: seen._asdict(),
    load=load,
    members=members,
    answers="signal-plan",
)


def engine(**zones: tuple[str, ...]) -> Engine:
    """An engine of zones and two lots."""
    assets = [Asset(id_, "zone", id_, {"members": named}, (), 7.8, 51.6) for id_, named in zones.items()]
    lots = [Asset(id_, "lot", id_, {}, (), 7.8, 51.6) for id_ in ("lot_a", "lot_b")]
    return Engine(City([*assets, *lots]), (RULE,))


def heard(asset: str, at: int, cause: str = "", valid_min: float = 15) -> Observation:
    """An observation that makes a zone request something valid for so long."""
    return Observation("d", "d", asset, at, at, (Reading(Quantity.CO2, valid_min),), cause or str(at))


def commit(target: Engine, *inputs: Observation) -> list[Request]:
    """Give these in one overlay, merge it; the requests of it."""
    overlay = target.overlay()
    for item in inputs:
        overlay.observe(item)
    assert overlay.failures == []
    overlay.dirty()
    target.merge(overlay)
    return [event for event in overlay.events if isinstance(event, Request)]


def test_a_subject_sees_its_members_and_itself_once() -> None:
    """A zone hears its lots, another zone its own; a lot named twice counts once, the rest hears nothing."""
    target = engine(one=("lot_a", "lot_a", "one"), two=("lot_a", "lot_b"), three=())
    commit(target, heard("lot_a", START), heard("lot_b", START + 1), heard("one", START + 2))
    assert [seen.heard for seen in target._states] == [("lot_a", "one"), (), ("lot_a", "lot_b")]


def test_a_member_that_is_no_feature_is_refused() -> None:
    """A city file that names an unknown lot is an error with rule, feature and name."""
    with pytest.raises(CityError, match=r"rule test\.requests: feature 'one' names 'lot_c', expected another feature"):
        engine(one=("lot_c",))


def test_a_rule_without_members_hears_its_own_asset_only() -> None:
    """The property alone changes nothing."""
    zone = Asset("one", "zone", "one", {"members": ("lot_a",)}, (), 7.8, 51.6)
    lot = Asset("lot_a", "lot", "lot_a", {}, (), 7.8, 51.6)
    target = Engine(City([zone, lot]), (replace(RULE, members=None),))
    commit(target, heard("lot_a", START), heard("one", START))
    assert target._states[0].heard == ("one",)


def test_an_answer_reaches_the_rule_that_asked_and_no_other() -> None:
    """By subject and word; a member's answer is not the zone's; rule time stays."""
    target = engine(one=("two",), two=())
    commit(target, heard("two", START))
    overlay = target.overlay()
    answer = Answered("two", "id", "active", "3", START + 99, cause="a", what="signal-plan")
    assert overlay.answer(answer)
    assert not overlay.answer(answer._replace(what="guidance"))
    assert not overlay.answer(answer._replace(subject="lot_a"))
    target.merge(overlay)
    assert [seen.answers for seen in target._states] == [(), (("active", START),)]
    assert target.now_ms == START


def test_requests_are_numbered_by_rule_time_and_never_twice() -> None:
    """A number is the time in ms, one more where that is taken; what was still valid is superseded."""
    target = engine(one=(), two=())
    first, second, other = commit(
        target, heard("one", START, "a", 1), heard("one", START, "b"), heard("two", START, "c")
    )
    assert [item.data.sequence for item in (first, second, other)] == [START, START + 1, START]
    assert [item.data.supersedes for item in (first, second, other)] == [None, first.id, None]
    (third,) = commit(target, heard("one", START + 15 * MINUTE_MS, "d"))
    assert (third.data.sequence, third.data.supersedes) == (START + 15 * MINUTE_MS, None)


def test_a_request_in_the_place_of_one_with_its_id_does_not_supersede_itself() -> None:
    """Two measurements of one uplink give one request, with the newest number and what the first superseded."""
    target = engine(one=())
    (before,) = commit(target, heard("one", START, "a"))
    (request,) = commit(target, heard("one", START + 5, "b"), heard("one", START + 6, "b"))
    assert (request.data.sequence, request.data.supersedes) == (START + 6, before.id)


def test_a_dropped_overlay_spends_no_number() -> None:
    """What is not committed is numbered again alike."""
    target = engine(one=())
    overlay = target.overlay()
    overlay.observe(heard("one", START, "a"))
    assert target.requests == {}
    (again,) = commit(target, heard("one", START, "a"))
    assert again.payload() == overlay.events[0].payload()


@given(st.lists(st.tuples(st.sampled_from(("one", "two")), st.integers(0, 3)), max_size=40), st.integers(0, 40))
def test_numbers_go_on_after_a_restart(plan_: list[tuple[str, int]], cut: int) -> None:
    """Kept rows give the same requests to the byte as an engine that never stopped, and numbers always grow."""
    inputs, at = [], START
    for number, (name, gap) in enumerate(plan_):
        at += gap
        inputs.append(heard(name, at, f"cause-{number}"))
    through, before, after = (engine(one=(), two=()) for _ in range(3))
    expected = [request for item in inputs for request in commit(through, item)]
    overlay = before.overlay()
    for item in inputs[:cut]:
        overlay.observe(item)
    assert after.load(overlay.dirty()) == []
    found = [*overlay.events, *(request for item in inputs[cut:] for request in commit(after, item))]
    assert [event.payload() for event in found] == [event.payload() for event in expected]
    for name in ("one", "two"):
        numbers = [event.data.sequence for event in expected if event.subject == name]
        assert sorted(set(numbers)) == numbers


def test_numbers_do_not_go_back_when_the_state_is_lost() -> None:
    """Without kept rows the time alone gives larger numbers; a number known from elsewhere is passed even earlier."""
    lost, told = engine(one=()), engine(one=())
    (before,) = commit(engine(one=()), heard("one", START, "a"))
    (later,) = commit(lost, heard("one", START + 1, "b"))
    assert later.data.sequence > before.data.sequence
    told.continue_behind(ID, "one", before.data.sequence)
    told.continue_behind(ID, "one", 5)
    (earlier,) = commit(told, heard("one", START - 3_600_000, "b"))
    assert (earlier.data.sequence, earlier.data.supersedes) == (before.data.sequence + 1, None)


def test_the_newest_request_is_kept_as_a_row_of_its_own() -> None:
    """One row for each rule and asset, beside states and rule time."""
    target = engine(**{"with/slash": ()})
    overlay = target.overlay()
    overlay.observe(heard("with/slash", START))
    row = next(row for row in overlay.dirty() if row.rule == "engine" and row.subject)
    assert row.subject == f"{ID}/with/slash"
    assert json.loads(row.body)["sequence"] == START
    assert target.load([row]) == []
    assert list(target.requests) == [row.subject]


@pytest.mark.parametrize(
    ("valid_ms", "issued_ms"), [(30 * MINUTE_MS + 1, START), (0, START), (15 * MINUTE_MS, START + 1)]
)
def test_a_request_out_of_contract_cannot_be_made(valid_ms: int, issued_ms: int) -> None:
    """Over half an hour, expired at birth, or issued at another time than its own: refused."""
    plan("one", START, "a", 30 * MINUTE_MS)
    with pytest.raises(ValidationError, match="expected"):
        plan("one", START, "a", valid_ms, issued_at=instant(issued_ms))


def test_whatever_acts_is_a_request() -> None:
    """Every acting type is numbered and never retained."""
    assert [kind for kind in EVENT_TYPES if kind.acting and (kind.retained or not issubclass(kind, Request))] == []
