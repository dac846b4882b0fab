"""The choice of signal plans, driven through the engine."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.quantity import Quantity
from rules.answer import OverriddenBy
from rules.asset import Asset, Assignment, CityError
from rules.event_traffic import ControlHealth, SignalPlanRequested
from rules.traffic.plan_config import configure
from rules.traffic.refusal import refusals
from rules.traffic.signal_plan import RULE, WHY_CODES
from tests.rules.traffic.town import HOUR, MINUTE, PLANS, START, Play, asset, detector, group, town


def play(**properties: object) -> Play:
    """A group whose two directions are measured, with 30 minutes of calm traffic behind it; plan 2 by the schedule."""
    city = Play(town(**properties), RULE)
    city.flow(35, 350.0, 350.0)
    return city


def plans(city: Play) -> list[str]:
    """What was asked for."""
    return [event.data.plan for event in city.of(SignalPlanRequested)]


def status(city: Play) -> str:
    """What the newest point says of the decision."""
    code = dict(city.points[-1].fields)["status"]
    return next(name for name, value in WHY_CODES.items() if value == code)


def test_the_plan_of_the_time_of_day_is_nobodys_request() -> None:
    """Traffic that it serves: controllers run it by themselves."""
    city = play()
    assert plans(city) == []
    assert status(city) == "scheduled"


def test_a_peak_nobody_planned_is_answered_after_one_interval() -> None:
    """Heavy traffic into the city asks for the plan that serves it, with its evidence, for 15 minutes."""
    city = play()
    city.flow(5, 1400.0, 350.0)
    (event,) = city.of(SignalPlanRequested)
    data = event.data
    assert (data.plan, data.reason, data.scheduled, data.reported) == ("3", "responsive", "2", None)
    assert data.junctions == ("j1", "j2")
    assert data.valid_until - data.issued_at == timedelta(minutes=15)
    assert event.topic == "stadtfunk/v1/traffic/group/group/signal-plan"
    assert (event.acting, event.retained) == (True, False)
    assert [each.quantity for each in data.evidence] == ["flow_inbound", "flow_outbound", "directional_share"]
    inbound = data.evidence[0]
    assert inbound.value == pytest.approx(1190, abs=12)
    assert (inbound.threshold, inbound.hysteresis) == (900, 100)
    assert inbound.sources == ("dev-in",)
    assert f"stadteinwärts {round(inbound.value or 0)}" in data.text_de
    assert f"inbound {round(inbound.value or 0)}" in data.text_en


def test_it_is_renewed_while_the_traffic_lasts() -> None:
    """Before it ends, with the same plan: renewals are no switches."""
    city = play()
    city.flow(120, 1400.0, 300.0)
    events = city.of(SignalPlanRequested)
    assert set(plans(city)) == {"3"}
    assert all(after.time_ms < before.valid_until_ms for before, after in pairwise(events))
    assert len(events) == 15


def test_back_to_the_schedule_is_slow_and_said_once() -> None:
    """Less traffic ends the override after the dwell time only; then the scheduled plan is asked for once."""
    city = play()
    city.flow(5, 1400.0, 300.0)
    city.answer("active", "3")
    city.flow(5, 300.0, 300.0)
    assert status(city) == "dwell"
    city.flow(60, 300.0, 300.0)
    first = city.of(SignalPlanRequested)[0]
    back = next(event for event in city.of(SignalPlanRequested) if event.data.plan == "2")
    assert back.time_ms - first.time_ms >= 15 * MINUTE
    assert back.data.reason == "schedule"
    assert plans(city).count("2") == 1


def test_the_reported_plan_is_where_decisions_begin() -> None:
    """Plan 3 reported, though nobody here asked for it: 950 inbound does not leave it, nor plan 2."""
    city = play(mode="responsive")
    city.answer("active", "3", request_id="by-hand")
    city.flow(30, 950.0, 300.0)
    assert plans(city)[-1] == "3"
    other = play(mode="responsive")
    other.answer("active", "2", request_id="by-hand")
    other.flow(30, 950.0, 850.0)
    assert plans(other)[-1] == "2"


def test_old_answers_and_clocks_ahead_report_nothing() -> None:
    """An answer older than the newest report, or by a clock ahead by over two minutes, changes nothing."""
    city = play(mode="responsive")
    city.answer("active", "3", request_id="x")
    city.answer("active", "99", request_id="x", time_ms=city.now - MINUTE)
    city.answer("active", "99", request_id="x", time_ms=city.now + 3 * MINUTE)
    city.flow(5, 1400, 300)
    assert city.of(SignalPlanRequested)[-1].data.reported == "3"


def test_a_plan_that_is_not_ours_is_left_alone() -> None:
    """While a group reports a plan outside the list (flashing, by hand), nothing is asked for."""
    city = play()
    city.answer("active", "99", request_id="by-hand")
    city.flow(30, 1400.0, 300.0)
    assert plans(city) == []
    assert status(city) == "foreign_plan"


@pytest.mark.parametrize(
    ("mode", "expected"), [("override", {"3"}), ("responsive", {"2", "3"}), ("schedule", set[str]())]
)
def test_modes(mode: str, expected: set[str]) -> None:
    """Only deviations from the schedule; every plan; none."""
    city = play(mode=mode)
    city.flow(30, 700.0, 600.0)
    city.flow(30, 1400.0, 300.0)
    assert set(plans(city)) == expected


def test_the_schedules_plan_is_never_undercut() -> None:
    """At night's flow by day the override mode stays with the day's plan; the responsive mode does not."""
    city = play()
    city.flow(60, 100.0, 90.0)
    assert plans(city) == []
    free = Play(town(mode="responsive"), RULE)
    free.flow(95, 100.0, 90.0)
    assert plans(free)[-1] == "1"


def test_two_silent_detectors_end_all_requests() -> None:
    """Without news nothing is asked for: the last request stands on data of ten minutes at most."""
    city = play()
    city.flow(5, 1400.0, 300.0)
    heard_ms = city.now
    city.tick(120)
    assert all(event.time_ms <= heard_ms + 10 * MINUTE for event in city.of(SignalPlanRequested))
    assert status(city) == "no_news"


def test_one_silent_direction_is_enough_to_stop() -> None:
    """The choice needs both."""
    city = play()
    city.flow(60, 1400.0, 300.0, skip={"out"})
    assert {event.data.plan for event in city.of(SignalPlanRequested)} <= {"3"}
    assert all(event.data.evidence[1].age_s is not None for event in city.of(SignalPlanRequested))
    assert max(event.data.evidence[1].age_s or 0 for event in city.of(SignalPlanRequested)) <= 600
    assert status(city) == "no_news"


def test_a_third_of_uplinks_lost_does_not_stop_it() -> None:
    """Each third uplink missing leaves two thirds of the minutes."""
    city = play()
    for number in range(12):
        lost = {"in", "out"} if number % 3 == 0 else set[str]()
        city.flow(5, 1400.0, 300.0, skip=lost)
    assert plans(city)
    assert status(city) in {"asked", "steady"}


def test_most_uplinks_lost_is_too_little() -> None:
    """Two of three missing: the newest is fresh, the coverage is not."""
    city = play()
    for number in range(12):
        lost = {"in", "out"} if number % 3 else set[str]()
        city.flow(5, 1400.0, 300.0, skip=lost)
    late = [event for event in city.of(SignalPlanRequested) if event.time_ms > START + 75 * MINUTE]
    assert late == []


def test_counts_delayed_by_an_hour_ask_for_nothing() -> None:
    """A gateway that empties its buffer tells old news in their order."""
    city = play()
    for _ in range(12):
        city.tick(5)
        city.hear("in", 120, measured=city.now - HOUR)
        city.hear("out", 20, measured=city.now - HOUR)
    assert plans(city) == []


def test_a_stuck_detector_stops_the_choice() -> None:
    """The same count again and again is no news."""
    city = play()
    for number in range(30):
        city.tick(5)
        city.hear("in", 117)
        city.hear("out", 20 + number % 3)
    city.tick(1)
    assert status(city) == "no_news"
    last = city.of(SignalPlanRequested)[-1]
    assert last.time_ms < START + 2 * HOUR


def test_a_jump_beyond_what_lanes_carry_is_passed_over() -> None:
    """4,000 vehicles an hour on one lane ask for nothing."""
    city = play()
    city.flow(20, 4000.0, 300.0)
    assert plans(city) == []


def test_two_devices_that_contradict_each_other_stop_the_choice() -> None:
    """Nobody can say which one is right."""
    devices = (Assignment("a", properties={"interval_s": 300}), Assignment("b", properties={"interval_s": 300}))
    twice = asset("in", "detector", *devices, role="demand", direction="inbound", distance_m=200, junction="j1")
    city = Play(town([twice, detector("out", "outbound")]), RULE)
    for _ in range(7):
        city.tick(5)
        city.hear("in", 117, device="a")
        city.hear("in", 20, device="b")
        city.hear("out", 21)
    city.tick(1)
    assert (plans(city), status(city)) == ([], "contradicting")


def test_a_counter_reset_in_the_middle_is_no_traffic() -> None:
    """One interval is missing, no request comes of it."""
    city = Play(town(), RULE)
    total = 50_000.0
    for number in range(20):
        city.tick(5)
        total = 30.0 if number == 10 else total + 30
        city.hear("in", total, quantity=Quantity.VEHICLE_COUNT_TOTAL)
        city.hear("out", 25 + number % 2)
    assert plans(city) == []
    assert status(city) == "scheduled"


def test_no_answer_is_a_health_event_once_and_ends_with_one() -> None:
    """After two minutes; an answer takes it back."""
    city = play()
    city.flow(5, 1400.0, 300.0)
    city.tick(4)
    (problem,) = city.of(ControlHealth)
    asked = city.of(SignalPlanRequested)[0]
    assert (problem.data.problem, problem.data.request_id) == ("no_answer", asked.id)
    assert 2 * MINUTE <= problem.time_ms - asked.time_ms <= 3 * MINUTE + 10_000
    assert problem.topic == "stadtfunk/v1/traffic/group/group/signal-plan/health"
    city.answer("accepted")
    assert [event.data.state for event in city.of(ControlHealth)] == ["problem", "ok"]


@pytest.mark.parametrize(
    ("properties", "permitted"),
    [
        ({}, True),
        ({"dwell_s": 1200}, True),
        ({"plans": [plan for plan in PLANS if plan["number"] != 3]}, False),
        ({"junctions": ["j1"]}, False),
        ({"junctions": []}, False),
        ({"mode": "schedule"}, False),
    ],
)
def test_a_request_may_stay_while_the_parameters_permit_it(properties: dict[str, object], permitted: bool) -> None:
    """Not for a plan that is gone, for other junctions, or of a group that is refused or asks for nothing."""
    city = play()
    city.flow(5, 1400.0, 350.0)
    request = city.of(SignalPlanRequested)[-1]
    assert request.data.plan == "3"
    data = json.loads(request.payload())["data"]
    assert Play(town(**properties), RULE).engine.permits("traffic.signal_plan", "group", data) == permitted
    assert not city.engine.permits("traffic.signal_plan", "another", data)


def test_what_did_not_go_out_is_not_called_unanswered() -> None:
    """In shadow, or while nobody confirms: nothing is said however long it lasts."""
    city = play()
    city.publishes = False
    city.flow(60, 1400.0, 300.0)
    assert len(plans(city)) > 4
    assert city.of(ControlHealth) == []


def test_an_answer_is_waited_for_from_when_the_request_went_out() -> None:
    """Confirmed after six minutes: the two minutes begin then, also when that is told twice."""
    city = play()
    city.publishes = False
    city.flow(5, 1400.0, 300.0)
    city.tick(1)
    request = city.of(SignalPlanRequested)[-1]
    confirmed_ms = city.now
    city.went_out(request)
    city.tick(1)
    city.went_out(request)
    assert city.of(ControlHealth) == []
    city.tick(2)
    (problem,) = city.of(ControlHealth)
    assert problem.data.problem == "no_answer"
    assert 2 * MINUTE <= problem.time_ms - confirmed_ms <= 3 * MINUTE
    assert problem.data.since is not None
    assert problem.data.since.timestamp() * 1000 == confirmed_ms


def test_an_answer_may_overtake_the_word_that_its_request_went_out() -> None:
    """The controllers are quicker than our own note: no answer is waited for."""
    city = play()
    city.publishes = False
    city.flow(5, 1400.0, 300.0)
    city.answer("accepted")
    city.went_out(city.of(SignalPlanRequested)[-1])
    city.tick(4)
    assert city.of(ControlHealth) == []


def test_an_answer_in_time_is_no_problem() -> None:
    """Accepted, then active; renewals are answered, too."""
    city = play(answer_timeout_s=600)
    for _ in range(12):
        city.flow(5, 1400.0, 300.0)
        city.answer("active", "3")
    assert city.of(ControlHealth) == []
    assert city.of(SignalPlanRequested)[-1].data.reported == "3"


def test_a_rejected_plan_is_not_asked_for_again_for_a_while() -> None:
    """A quarter of an hour; the rejection is a health event."""
    city = play(answer_timeout_s=600)
    city.flow(5, 1400.0, 300.0)
    city.answer("rejected")
    rejected_ms = city.now
    city.flow(30, 1400.0, 300.0)
    again = city.of(SignalPlanRequested)[1]
    assert rejected_ms + 15 * MINUTE <= again.time_ms <= rejected_ms + 17 * MINUTE
    assert city.of(ControlHealth)[0].data.problem == "rejected"


@pytest.mark.parametrize("by", ["hand", "emergency_route", "roadworks", "fault"])
def test_an_override_stops_all_requests_until_it_ends(by: OverriddenBy) -> None:
    """A fault is a health event, too; the others are somebody's will."""
    city = play(answer_timeout_s=600)
    city.flow(5, 1400.0, 300.0)
    until_ms = city.now + HOUR
    city.answer("overridden", by=by, until_ms=until_ms)
    city.flow(65, 1400.0, 300.0)
    assert city.of(SignalPlanRequested)[1].time_ms >= until_ms
    assert [event.data.problem for event in city.of(ControlHealth)][:1] == (["fault"] if by == "fault" else [])


def test_a_controller_tells_a_fault_unasked() -> None:
    """On its group's topic, whatever request it names: said at once, nothing is asked for until it runs again."""
    city = play()
    assert plans(city) == []
    city.answer("overridden", request_id="none", by="fault")
    assert [event.data.problem for event in city.of(ControlHealth)] == ["fault"]
    city.flow(5, 1400.0, 300.0)
    assert plans(city) == []
    city.answer("active", "2", request_id="none")
    assert [event.data.problem for event in city.of(ControlHealth)] == ["fault", None]
    city.flow(5, 1400.0, 300.0)
    assert plans(city) != []


def test_four_switches_an_hour_at_most() -> None:
    """Traffic that turns around all the time switches no more often, whatever the dwell time."""
    city = play(mode="responsive", dwell_s=60)
    for number in range(48):
        heavy = number % 2 == 0
        city.flow(5, 1400.0 if heavy else 100.0, 100.0 if heavy else 1400.0)
        if plans(city):
            city.answer("active", plans(city)[-1])
    events = city.of(SignalPlanRequested)
    switches = [after.time_ms for before, after in pairwise(events) if before.data.plan != after.data.plan]
    assert len(switches) > 8
    assert all(later - earlier > HOUR - MINUTE for earlier, later in zip(switches, switches[4:], strict=False))


def test_a_restart_in_the_middle_gives_the_same_bytes() -> None:
    """State to JSON and back after every uplink changes no event."""
    runs = []
    for restarting in (False, True):
        city = Play(town(), RULE)
        for flow in (300, 300, 1400, 1400, 1500, 200, 300, 300, 250, 200, 1400, 100):
            city.flow(10, float(flow), 310.0)
            if plans(city):
                city.answer("active", plans(city)[-1])
            if restarting:
                city.restart()
        runs.append([event.payload() for event in city.events])
    assert runs[0] == runs[1]
    assert len(runs[0]) > 3


FLOWS = st.lists(st.tuples(st.integers(0, 1800), st.integers(0, 1800)), min_size=8, max_size=20)


@settings(max_examples=30, deadline=None)
@given(FLOWS, st.lists(st.booleans(), min_size=20, max_size=20), st.booleans())
def test_whatever_the_traffic_requests_keep_their_promises(
    flows: list[tuple[int, int]],
    heard: list[bool],
    responsive: bool,
) -> None:
    """Fresh data only, plans of the list only, four switches an hour at most, half an hour of validity at most."""
    city = Play(town(mode="responsive" if responsive else "override"), RULE)
    for (inbound, outbound), there in zip(flows, heard, strict=False):
        city.flow(10, float(inbound), float(outbound), skip=set() if there else {"in"})
    events = city.of(SignalPlanRequested)
    for event in events:
        assert event.data.plan in {"1", "2", "3", "4"}
        assert all((each.age_s or 0) <= 600 for each in event.data.evidence)
        assert all((each.coverage_pct or 0) >= 60 for each in event.data.evidence[:2])
        assert event.valid_until_ms - event.time_ms <= 30 * MINUTE
    switches = [events[0].time_ms] if events else []
    switches += [after.time_ms for before, after in pairwise(events) if before.data.plan != after.data.plan]
    assert all(later - earlier >= HOUR for earlier, later in zip(switches, switches[4:], strict=False))


@settings(max_examples=20, deadline=None)
@given(st.floats(-95, 95), st.lists(st.floats(-95, 95), min_size=5, max_size=15))
def test_nothing_flaps_within_the_hysteresis(begin: float, noise: list[float]) -> None:
    """Flows that stay within 100 vehicles of what the plan serves lead to one plan, whatever they do in between."""
    city = play(mode="responsive")
    city.flow(20, 1400.0, 850.0)
    city.answer("active", "3")
    before = len(plans(city))
    for offset in (begin, *noise):
        city.flow(5, 900 + offset, 700.0)
        city.answer("active", plans(city)[-1])
    assert len(set(plans(city)[before:])) <= 1


@pytest.mark.parametrize(
    ("zone", "local", "plan"),
    [
        ("Europe/Berlin", "2026-03-29T01:59:00+01:00", "1"),
        ("Europe/Berlin", "2026-03-29T03:00:00+02:00", "2"),
        ("Europe/Berlin", "2026-10-25T02:30:00+02:00", "2"),
        ("Europe/Berlin", "2026-10-25T02:30:00+01:00", "2"),
        ("Europe/Berlin", "2026-10-25T00:30:00+02:00", "1"),
        ("Europe/Berlin", "2026-12-25T07:00:00+01:00", "3"),
        ("Europe/Berlin", "2026-12-25T06:59:59+01:00", "2"),
        ("Europe/Lisbon", "2026-03-29T00:59:00+00:00", "1"),
        ("Europe/Lisbon", "2026-03-29T02:15:00+01:00", "2"),
        ("Europe/Lisbon", "2026-03-29T02:14:59+01:00", "1"),
        ("Europe/Lisbon", "2026-10-25T01:30:00+01:00", "1"),
        ("Europe/Lisbon", "2026-10-25T02:15:00+00:00", "2"),
        ("America/New_York", "2026-03-08T03:00:00-04:00", "2"),
        ("America/New_York", "2026-11-01T01:30:00-05:00", "1"),
    ],
)
def test_the_schedule_follows_the_citys_wall_clock(zone: str, local: str, plan: str) -> None:
    """Both clock changes: an entry within the missing hour holds from the next one on; holidays are Sundays."""
    asked = group(
        schedule=[
            {"days": "Mo-Sa", "from": "22:00", "plan": 1},
            {"days": "Su", "from": "02:15", "plan": 2},
            {"days": "Su", "from": "07:00", "plan": 3},
        ],
        holidays=["2026-12-25"],
    )
    found = configure(replace(asked, timezone=zone)).schedule
    assert found.plan_at(round(datetime.fromisoformat(local).timestamp() * 1000)) == plan


@pytest.mark.parametrize(
    ("assets", "reason"),
    [
        (town([detector("in")]), "no demand detector outbound"),
        (town([detector("in"), detector("out", "outbound", distance_m=10)]), "does not lie upstream"),
        (town([detector("in"), detector("out", "outbound", role="queue")]), "no demand detector outbound"),
        (town(schedule=[{"days": "Mo", "from": "00:00", "plan": 7}]), "its schedule names plan 7"),
        (town(plans=[]), "no plans"),
        (town(junctions=[]), "no junctions"),
        (town(None, [asset("g2", "control_group", junctions=["j1"])]), "junction j1 is in group g2, too"),
        (town(None, [asset("c", "corridor", control_groups=["group"], programmes={})]), "corridor c decides"),
        (
            town(
                [
                    detector("in"),
                    asset(
                        "out",
                        "detector",
                        Assignment("slow", properties={"interval_s": 900}),
                        role="demand",
                        direction="outbound",
                        distance_m=100,
                        junction="j2",
                    ),
                ]
            ),
            "detector out counts every 15 min",
        ),
        (town([detector("in")]), "fed by 1 device(s)"),
        (
            town([detector("in", approach="x"), detector("out", "outbound", approach="x")]),
            "approach x has demand detectors of both directions",
        ),
    ],
)
def test_groups_that_cannot_be_trusted_are_refused(assets: list[Asset], reason: str) -> None:
    """`refusals` names them, and their rule stays silent."""
    city = Play(assets, RULE)
    assert any(id_ == "group" and reason in text for id_, text in refusals(city.city))
    city.flow(60, 1400.0, 100.0)
    assert city.of(SignalPlanRequested) == []


def test_a_junction_without_the_plan_refuses_its_group() -> None:
    """All or none."""
    assets = [each for each in town() if each.id != "j2"]
    city = Play([*assets, asset("j2", "junction", plans=[1, 2, 3])], RULE)
    assert refusals(city.city) == [("group", "junction j2 lacks plan 4")]


def test_a_sound_group_is_not_refused() -> None:
    """Nothing to say."""
    assert refusals(Play(town(), RULE).city) == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("plans", [{"number": 1}], "serves_inbound"),
        ("plans", [{"name": "x"}], "number"),
        ("plans", "all", "plans"),
        ("mode", "auto", "override"),
        ("schedule", [{"days": "Mo-Xx", "from": "05:00", "plan": 1}], "days"),
        ("schedule", [{"days": "Mo", "from": "25:00", "plan": 1}], "06:30"),
        ("timezone", "Europe/Hamm", "time zone"),
        ("holidays", ["Christmas"], "2026-12-25"),
        ("validity_s", 3600, "1800"),
        ("junctions", ["j9"], "'j9'"),
    ],
)
def test_properties_that_cannot_be_read_are_named(name: str, value: object, expected: str) -> None:
    """The error names the group, the property and what was expected."""
    with pytest.raises(CityError, match=expected):
        Play([*town()[:-1], group(**{name: value})], RULE)


def test_what_a_plan_serves_by_its_green() -> None:
    """36 s of 90 at 2000 an hour on two lanes, 85 % used: 1360 vehicles."""
    plan = {"number": 1, "cycle_s": 90, "green_inbound_s": 36, "green_outbound_s": 36, "lanes_inbound": 2}
    config = configure(town(plans=[plan])[-1])
    assert config.plans["1"].serves == {"inbound": pytest.approx(1360), "outbound": pytest.approx(680)}
