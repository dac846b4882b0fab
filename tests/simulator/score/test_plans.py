"""Signal plans and green waves against true demand, on series made by hand."""

from collections.abc import Mapping

import pytest

from rules.asset import Asset, Assignment
from rules.city import City
from rules.traffic.plan_config import PlanConfig
from rules.traffic.plan_config import configure as configure_group
from rules.traffic.plan_target import Load
from rules.traffic.wave_config import configure as configure_wave
from simulator.score.course import MINUTE_MS, Span
from simulator.score.hearing import Asked
from simulator.score.plans import best_plan, overload, score_group, score_wave, true_loads
from simulator.score.truth import NotScored, Truth
from simulator.truth import Row

START = 1_781_503_200_000
"""2026-06-15T08:00+02:00, a Monday."""
HOUR = Span(START, START + 60 * MINUTE_MS)
PLANS = [
    {"number": 2, "level": 1, "serves_inbound": 500, "serves_outbound": 500},
    {"number": 5, "level": 2, "serves_inbound": 900, "serves_outbound": 900},
]
SCHEDULE = [{"days": "Mo-Su", "from": "05:00", "plan": 2}]


def _detector(name: str, direction: str, **properties: object) -> Asset:
    told = {"role": "demand", "direction": direction, "junction": "j", "distance_m": 200, "channel": "ltr"}
    device = Assignment(f"025354464b{name:0>6}", "pmx/tcr", properties={"interval_s": 300})
    return Asset(f"d-{name}", "detector", "", {**told, **properties}, (device,), 7.8, 51.7)


DETECTORS = (_detector("1", "inbound"), _detector("2", "outbound"))


def _city(detectors: tuple[Asset, ...] = DETECTORS, **properties: object) -> City:
    group = {"junctions": ["j"], "plans": PLANS, "schedule": SCHEDULE, "mode": "override", **properties}
    junction = Asset("j", "junction", "", {"plans": [2, 5, 11, 12, 13]}, (), 7.8, 51.7)
    return City((*detectors, junction, Asset("g", "control_group", "", group, (), 7.8, 51.7)))


def _group(detectors: tuple[Asset, ...] = DETECTORS, **properties: object) -> PlanConfig:
    return configure_group(_city(detectors, **properties).assets["g"])


def _truth(flows: Mapping[str, float] | None = None, later: Mapping[str, float] | None = None) -> Truth:
    """Flows by detector; `later` holds from half past on. Against the channel there is a lot of traffic."""
    truth = Truth()
    for minute, given in ((0, flows), (30, later)):
        for detector, flow in (given or {}).items():
            time_ns = (START + minute * MINUTE_MS) * 1_000_000
            truth(Row(time_ns, detector, "demand_ltr", flow))
            truth(Row(time_ns, detector, "demand_rtl", 5000))
    return truth


def _asked(minute: float, plan: str, minutes: float = 60) -> Asked:
    time_ms = START + int(minute * MINUTE_MS)
    return Asked(time_ms, plan, time_ms + int(minutes * MINUTE_MS))


QUIET, BUSY = {"d-1": 300.0, "d-2": 200.0}, {"d-1": 800.0, "d-2": 700.0}


def test_loads_are_those_of_the_channel() -> None:
    """What drives the other way does not count; without a channel both ways do."""
    loads = dict(true_loads(_group().flow, _truth(QUIET, BUSY), HOUR))
    assert loads[START + 29 * MINUTE_MS] == Load(300, 200)
    assert loads[START + 30 * MINUTE_MS] == Load(800, 700)
    assert len(loads) == 60
    both = _group(detectors=(_detector("1", "inbound", channel=""), DETECTORS[1]))
    assert next(true_loads(both.flow, _truth(QUIET), HOUR))[1] == Load(5300, 200)


def test_lanes_add_up_and_the_busiest_approach_counts() -> None:
    """Detectors of one approach are summed; of two approaches of a direction the larger flow counts."""
    lanes = (_detector("1", "inbound", approach="a"), _detector("3", "inbound", approach="a"), DETECTORS[1])
    config = _group(detectors=(*lanes, _detector("4", "inbound", approach="b")))
    truth = _truth({"d-1": 100, "d-2": 50, "d-3": 150, "d-4": 240})
    assert next(true_loads(config.flow, truth, HOUR))[1] == Load(250, 50)


def test_the_plan_of_the_time_of_day_is_right_in_quiet_traffic() -> None:
    """Nothing is asked for and nothing else is wanted."""
    score = score_group(_group(), _truth(QUIET), [], HOUR)
    assert (score.compared_min, score.differing_pct, score.vehicles_differing_pct) == (60, 0, 0)
    assert (score.overload_vehicles, score.overload_best_vehicles, score.requests, score.switches) == (0, 0, 0, 0)


def test_a_plan_that_comes_late() -> None:
    """Busy from half past, asked for ten minutes later: a sixth of the time, and more of the vehicles."""
    score = score_group(_group(), _truth(QUIET, BUSY), [_asked(40, "5")], HOUR)
    assert score.differing_pct == 16.67
    assert score.vehicles_differing_pct == round(100 * 1500 * 10 / (500 * 30 + 1500 * 30), 2)
    assert score.overload_vehicles == round((300 + 200) * 10 / 60, 1)
    assert score.overload_best_vehicles == 0


def test_a_request_that_is_over_no_longer_runs() -> None:
    """Valid for a quarter of an hour, and not renewed: then the plan of the time of day runs again."""
    score = score_group(_group(), _truth(BUSY, BUSY), [_asked(0, "5", 15)], HOUR)
    assert score.differing_pct == 75


def test_a_plan_within_its_hysteresis_is_right() -> None:
    """At 550 in a plan that serves 500 ± 100 neither plan would be left; at 650 the small one would."""
    for flow, wrong in ((550.0, 0), (650.0, 100)):
        assert score_group(_group(), _truth({"d-1": flow, "d-2": flow}), [], HOUR).differing_pct == wrong
    heavy = score_group(_group(), _truth({"d-1": 450.0, "d-2": 450.0}), [_asked(0, "5")], HOUR)
    assert heavy.differing_pct == 0


def test_a_plan_too_many_is_wrong() -> None:
    """A heavier plan than the traffic wants is left for the one of the time of day."""
    score = score_group(_group(), _truth(QUIET), [_asked(0, "5")], HOUR)
    assert (score.differing_pct, score.overload_vehicles) == (100, 0)


def test_override_and_responsive_differ() -> None:
    """With a heavy plan by the schedule, override keeps it in quiet traffic; responsive would leave it."""
    schedule = [{"days": "Mo-Su", "from": "05:00", "plan": 5}]
    for mode, wrong in (("override", 0), ("responsive", 100)):
        score = score_group(_group(schedule=schedule, mode=mode), _truth(QUIET), [], HOUR)
        assert score.differing_pct == wrong


def test_requests_and_switches() -> None:
    """A renewal is a request and no switch."""
    asked = [_asked(0, "5", 15), _asked(7, "5", 15), _asked(14, "2", 15), _asked(21, "5", 15)]
    score = score_group(_group(), _truth(BUSY), asked, HOUR)
    assert (score.requests, score.switches) == (4, 2)


def test_why_a_group_is_not_scored() -> None:
    """Refused, by schedule only, without a schedule and a request, without a truth, or with a channel nobody knows."""
    cases = [
        (_group(detectors=DETECTORS[:1]), _truth(QUIET), "refused"),
        (_group(mode="schedule"), _truth(QUIET), "schedule"),
        (_group(schedule=[]), _truth(QUIET), "nobody knows what ran"),
        (_group(), _truth({"d-1": 1.0}), "no demand_ltr of d-2"),
        (_group(detectors=(_detector("1", "inbound", channel="left"), DETECTORS[1])), _truth(QUIET), "'left'"),
    ]
    for config, truth, why in cases:
        with pytest.raises(NotScored, match=why):
            score_group(config, truth, [], HOUR)


def test_without_a_schedule_only_requests_are_compared() -> None:
    """From the first request on it is known what ran."""
    score = score_group(_group(schedule=[]), _truth(BUSY), [_asked(20, "5")], HOUR)
    assert (score.compared_min, score.differing_pct) == (40, 0)


def test_overload_is_of_both_directions() -> None:
    """Room in one direction serves nobody in the other."""
    config = _group()
    assert overload(config.plans["2"], Load(600, 100)) == 100
    assert overload(config.plans["2"], Load(600, 700)) == 300
    assert best_plan(config, config.plans["2"], Load(700, 100), START) is config.plans["5"]


def test_a_green_wave() -> None:
    """Inbound is wanted all the time, and asked for from minute 6 on: a tenth of time and vehicles had another one."""
    programmes = {
        name: {"plans": {"g": number}} for name, number in (("inbound", 12), ("outbound", 13), ("balanced", 11))
    }
    plans = [{"number": number, "serves_inbound": 500, "serves_outbound": 500} for number in (11, 12, 13)]
    city = _city(plans=plans, schedule=[])
    corridor = Asset("c", "corridor", "", {"control_groups": ["g"], "programmes": programmes}, (), 7.8, 51.7)
    config = configure_wave(City((*city.assets.values(), corridor)).assets["c"])
    truth = _truth({"d-1": 900.0, "d-2": 300.0})
    score = score_wave(config, truth, [_asked(6, "inbound")], HOUR)
    assert (score.compared_min, score.differing_pct, score.vehicles_differing_pct) == (60, 10, 10)
    assert score.overload_vehicles is None
    assert score_wave(config, truth, [_asked(0, "balanced")], HOUR).differing_pct == 100
    assert score_wave(config, truth, [_asked(0, "inbound", 30)], HOUR).differing_pct == 50
    with pytest.raises(NotScored, match="refused"):
        score_wave(
            configure_wave(City((*_city(detectors=DETECTORS[:1]).assets.values(), corridor)).assets["c"]),
            truth,
            [],
            HOUR,
        )
