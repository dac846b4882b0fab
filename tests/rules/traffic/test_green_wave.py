"""The choice of coordination programmes, driven through the engine."""

import json
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.asset import Asset, CityError
from rules.event_traffic import ControlHealth, GreenWaveRequested, Programme
from rules.rule import Answered
from rules.traffic import control
from rules.traffic.green_wave import RULE, wanted
from rules.traffic.link import link
from rules.traffic.plan_target import Load
from rules.traffic.signal_plan import RULE as SIGNALS
from rules.traffic.wave_config import configure
from tests.rules.traffic.town import HOUR, MINUTE, Play, asset, town

PROGRAMMES: dict[str, object] = {
    "inbound": {"plans": {"group": 3}, "speed_kmh": 45},
    "outbound": {"plans": {"group": 4}, "speed_kmh": 45},
    "balanced": {"plans": {"group": 2}},
}


def road(**properties: object) -> Asset:
    """The corridor of the town's one group."""
    return asset("road", "corridor", **{"control_groups": ["group"], "programmes": PROGRAMMES, **properties})


def play(**properties: object) -> Play:
    """A corridor with half an hour of little traffic behind it."""
    city = Play(town(None, [road(**properties)]), RULE)
    city.flow(35, 80, 80)
    return city


def programmes(city: Play) -> list[str]:
    """What was asked for."""
    return [event.data.programme for event in city.of(GreenWaveRequested)]


def test_little_traffic_needs_no_wave() -> None:
    """Off is where it begins; nothing is asked for."""
    assert programmes(play()) == []


def test_a_direction_is_favoured_at_once() -> None:
    """With the plan of every group, the progression speed, evidence and texts."""
    city = play()
    city.flow(5, 900, 200)
    (event,) = city.of(GreenWaveRequested)
    data = event.data
    assert (data.programme, data.speed, data.reported) == ("inbound", 45, None)
    assert [(each.group, each.plan) for each in data.plans] == [("group", "3")]
    assert data.valid_until - data.issued_at == timedelta(minutes=15)
    assert event.topic == "stadtfunk/v1/traffic/corridor/road/green-wave"
    assert [each.quantity for each in data.evidence] == ["flow_inbound", "flow_outbound", "directional_share"]
    assert data.text_de == "Road: Grüne Welle stadteinwärts empfohlen."
    assert data.text_en == "Road: green wave inbound recommended."


def test_turning_around_waits_and_off_is_asked_for_once() -> None:
    """From inbound to outbound after the dwell time; off ends it, and then there is silence."""
    city = play()
    city.flow(5, 900, 200)
    first_ms = city.of(GreenWaveRequested)[0].time_ms
    city.flow(30, 200, 900)
    turned = next(event for event in city.of(GreenWaveRequested) if event.data.programme == "outbound")
    assert turned.time_ms - first_ms >= 15 * MINUTE
    city.flow(120, 50, 50)
    assert programmes(city)[-1] == "off"
    assert programmes(city).count("off") == 1
    assert city.of(GreenWaveRequested)[-1].data.plans == ()


def test_both_directions_are_balanced() -> None:
    """Half and half."""
    city = play()
    city.flow(30, 600, 580)
    assert set(programmes(city)) == {"balanced"}


def test_a_programme_that_a_member_lacks_is_not_asked_for() -> None:
    """All or none: the balanced one takes its place, or off; the reason is told."""
    assets = [each for each in town(None, [road()]) if each.id != "j2"]
    city = Play([*assets, asset("j2", "junction", plans=[2, 4])], RULE)
    config = configure(city.city.assets["road"])
    assert config.lacking == ("programme inbound: junction j2 lacks plan 3",)
    city.flow(60, 900, 200)
    assert set(programmes(city)) == {"balanced"}


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"programmes": {}}, "no coordination programmes"),
        ({"programmes": {"inbound": {"plans": {}}}}, "programme inbound: control group group has no plan in it"),
        ({"programmes": {"inbound": {"plans": {"group": 9}}}}, "junction j1 lacks plan 9"),
        ({"control_groups": []}, "no control groups"),
    ],
)
def test_corridors_that_cannot_be_trusted_stay_silent(properties: dict[str, object], reason: str) -> None:
    """Refused, with the reason."""
    city = Play(town(None, [road(**properties)]), RULE)
    assert any(reason in text for text in configure(city.city.assets["road"]).refused)
    city.flow(60, 900, 200)
    assert city.events == []


def test_a_fault_stops_the_whole_corridor() -> None:
    """One member's fault, reported by who carries requests out, and nothing is asked for until it is over."""
    city = play(answer_timeout_s=900)
    city.flow(5, 900, 200)
    city.answer("overridden", subject="road", what="green-wave", by="fault")
    city.flow(25, 900, 200)
    assert len(programmes(city)) == 1
    assert city.of(ControlHealth)[0].data.problem == "fault"
    assert city.of(ControlHealth)[0].topic == "stadtfunk/v1/traffic/corridor/road/green-wave/health"
    city.flow(20, 900, 200)
    assert len(programmes(city)) > 1


def test_silence_ends_all_requests() -> None:
    """Not on data older than ten minutes."""
    city = play()
    city.flow(5, 900, 200)
    heard_ms = city.now - 5 * MINUTE
    city.tick(60)
    assert all(event.time_ms <= heard_ms + 10 * MINUTE for event in city.of(GreenWaveRequested))


@pytest.mark.parametrize(
    ("properties", "permitted"),
    [
        ({}, True),
        ({"dwell_s": 1200}, True),
        ({"programmes": {"balanced": PROGRAMMES["balanced"]}}, False),
        ({"programmes": {**PROGRAMMES, "inbound": {"plans": {"group": 2}}}}, False),
        ({"programmes": {}}, False),
    ],
)
def test_a_request_may_stay_while_the_parameters_permit_it(properties: dict[str, object], permitted: bool) -> None:
    """Not for a programme that is gone or has other plans, nor of a corridor that is refused."""
    city = play()
    city.flow(5, 900, 200)
    request = city.of(GreenWaveRequested)[-1]
    assert request.data.programme == "inbound"
    data = json.loads(request.payload())["data"]
    engine = Play(town(None, [road(**properties)]), RULE).engine
    assert engine.permits("traffic.green_wave", "road", data) == permitted
    off = {**data, "programme": "off", "plans": []}
    assert engine.permits("traffic.green_wave", "road", off) == (properties.get("programmes") != {})


def test_a_member_that_reports_a_fault_ends_the_wave() -> None:
    """All or none: a group's fault is told and nothing is asked of the corridor until the group runs again."""
    city = Play(town(None, [road(answer_timeout_s=1800)]), SIGNALS, RULE)
    city.flow(35, 80, 80)
    city.flow(5, 900, 200)
    assert programmes(city) == ["inbound"]
    city.answer("accepted", subject="road", what="green-wave")
    city.answer("overridden", request_id="x", by="fault", until_ms=city.now + 2 * HOUR)
    city.flow(60, 900, 200)
    assert programmes(city) == ["inbound"]
    assert [event.data.problem for event in city.of(ControlHealth)] == ["fault"]
    city.restart()
    city.answer("active", "3", request_id="x")
    city.flow(10, 900, 200)
    assert programmes(city)[:2] == ["inbound", "inbound"]
    assert [event.data.problem for event in city.of(ControlHealth)][:2] == ["fault", None]


def test_one_member_that_runs_again_is_not_all_of_them() -> None:
    """Each member's override ends by itself, or by its own word."""
    config = configure(link(town(None, [road()]))[-2]).control
    held = control.IDLE
    for group, until in (("one", HOUR), ("other", 2 * HOUR)):
        held = control.of_member(
            config, held, Answered(group, "x", "overridden", None, 1, 1, by="hand", until_ms=until)
        )
    held = control.of_member(config, held, Answered("other", "x", "active", "2", 2, 2))
    assert held.members == (("one", HOUR),)
    assert control.blocked(config, held, "inbound", 3, slow=False) == "overridden"
    assert control.settled(config, held, HOUR).members == ()


def test_an_old_override_without_an_end_holds_nothing() -> None:
    """One that was said hours ago, and is heard again because it is retained, is over."""
    city = play()
    city.answer("overridden", subject="road", what="green-wave", by="hand", time_ms=city.now - HOUR)
    city.flow(5, 900, 200)
    assert programmes(city) == ["inbound"]


def test_no_answer_is_a_problem_and_answers_end_it() -> None:
    """As with signal plans."""
    city = play()
    city.flow(5, 900, 200)
    city.answer("active", subject="road", what="green-wave")
    assert [event.data.problem for event in city.of(ControlHealth)] == ["no_answer", None]


@pytest.mark.parametrize(
    ("before", "inbound", "outbound", "after"),
    [
        ("off", 190, 190, "off"),
        ("off", 210, 210, "balanced"),
        ("balanced", 110, 110, "balanced"),
        ("balanced", 90, 90, "off"),
        ("balanced", 630, 370, "balanced"),
        ("balanced", 650, 350, "inbound"),
        ("inbound", 570, 430, "inbound"),
        ("inbound", 550, 450, "balanced"),
        ("outbound", 430, 570, "outbound"),
        ("inbound", 300, 700, "outbound"),
    ],
)
def test_programmes_are_left_with_hysteresis(
    before: Programme, inbound: float, outbound: float, after: Programme
) -> None:
    """On above 400 vehicles an hour, off below 200; a direction from 64 % on, until less than 56 %."""
    config = configure(Play(town(None, [road()]), RULE).city.assets["road"])
    assert wanted(config, before, Load(inbound, outbound)) == after


FLOW = st.floats(0, 2000)


@given(st.sampled_from(["inbound", "outbound", "balanced", "off"]), FLOW, FLOW)
def test_a_choice_is_stable(before: Programme, inbound: float, outbound: float) -> None:
    """What the same traffic wants from where it led is the same: nothing flaps on still traffic."""
    config = configure(Play(town(None, [road()]), RULE).city.assets["road"])
    load = Load(inbound, outbound)
    first = wanted(config, before, load)
    assert wanted(config, first, load) == first


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1200), st.integers(0, 1200)), min_size=6, max_size=14))
def test_switches_are_four_an_hour_at_most(flows: list[tuple[int, int]]) -> None:
    """Whatever the traffic, and never on old data."""
    city = Play(town(None, [road(dwell_s=60)]), RULE)
    for inbound, outbound in flows:
        city.flow(10, inbound, outbound)
    events = city.of(GreenWaveRequested)
    switches = [after.time_ms for before, after in pairwise(events) if before.data.programme != after.data.programme]
    assert all(later - earlier >= HOUR for earlier, later in zip(switches, switches[4:], strict=False))
    assert all((each.age_s or 0) <= 600 for event in events for each in event.data.evidence)


@pytest.mark.parametrize(
    ("programmes_", "expected"),
    [
        ({"north": {}}, "inbound"),
        ({"inbound": 3}, "plans"),
        ({"inbound": {"plans": {}, "speed_kmh": "fast"}}, "number"),
    ],
)
def test_programmes_that_cannot_be_read_are_named(programmes_: object, expected: str) -> None:
    """The error names the property and what was expected."""
    with pytest.raises(CityError, match=f"programmes.*{expected}"):
        configure(road(programmes=programmes_))


def test_a_restart_changes_nothing() -> None:
    """State to JSON and back gives the same bytes."""
    runs = []
    for restarting in (False, True):
        city = Play(town(None, [road()]), RULE)
        for inbound in (100, 900, 900, 300, 50, 50):
            city.flow(20, inbound, 200)
            if restarting:
                city.restart()
        runs.append([event.payload() for event in city.events])
    assert runs[0] == runs[1]
    assert len(runs[0]) > 3
