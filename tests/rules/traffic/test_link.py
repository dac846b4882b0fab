"""What belongs together, flows of approaches, and the cost of a step."""

import json
from time import perf_counter_ns

import pytest

from rules.asset import Asset, CityError
from rules.parts import SEPARATOR
from rules.rule import Tick
from rules.traffic import approach_flow, signal_plan
from rules.traffic.link import link, linked, members
from rules.traffic.plan_config import configure
from tests.rules.traffic.town import Play, asset, detector, town


def test_groups_get_the_detectors_of_their_junctions_and_their_own() -> None:
    """Each once, those of demand only; corridors get those of their groups."""
    extra = detector("far", junction="j2")
    alone = asset("alone", "detector", role="demand")
    exits = [detector("exit", role="exit"), asset("nothing", "detector", junction="j2")]
    corridor = asset("c", "corridor", control_groups=["group"], detectors=["alone"])
    found = link(town(None, [extra, alone, *exits, corridor]))
    by_id = {each.id: each for each in found}
    assert sorted(members(by_id["group"])) == ["far", "in", "out"]
    assert sorted(members(by_id["c"])) == ["alone", "far", "in", "out"]
    assert [junction.id for junction in linked(by_id["c"]).junctions] == ["j1", "j2"]
    assert members(by_id["alone"]) == ()
    names = ["in", "out", "j1", "j2", "far", "alone", "exit", "nothing", "c", "group"]
    assert [each.id for each in found] == names


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        (asset("g", "control_group", junctions=["j9"]), "'g'.*'junctions'.*'j9'"),
        (asset("g", "control_group", junctions=["in"]), "kind junction"),
        (asset("g", "control_group", junctions="j1"), "a list of ids"),
        (asset("g", "control_group", detectors=["j1"]), "kind detector"),
        (asset("c", "corridor", control_groups=["j1"]), "kind control_group"),
        (asset("d", "detector", junction="group"), "kind junction"),
    ],
)
def test_ids_that_are_not_there_are_refused(feature: Asset, expected: str) -> None:
    """The error names the feature, the property and the id."""
    with pytest.raises(CityError, match=expected):
        link([*town(), feature])


def flow_of(city: Play, approach: str) -> dict[str, float | str]:
    """The newest point of an approach."""
    return next(dict(point.fields) for point in city.points[::-1] if dict(point.tags)["channel"] == approach)


def test_lanes_of_an_approach_add_up() -> None:
    """A minute after the uplinks; speeds are weighted by flow."""
    lanes = [detector("l1", approach="west", lane=1), detector("l2", approach="west", lane=2)]
    city = Play(town(lanes), approach_flow.RULE)
    for number in range(6):
        city.hear("l1", 50 + number % 2, speeds={"": 50})
        city.hear("l2", 25 + number % 2, speeds={"": 20})
        city.tick(5)
    found = flow_of(city, "west")
    assert found["flow"] == pytest.approx(75.5 * 12, rel=0.02)
    assert found["vehicle_speed"] == pytest.approx(40, abs=0.5)
    assert found["coverage"] == 1


def test_an_approach_with_a_silent_lane_tells_nothing() -> None:
    """Half an approach is not its flow."""
    city = Play(town([detector("l1", approach="west"), detector("l2", approach="west")]), approach_flow.RULE)
    for number in range(8):
        city.hear("l1", 50 + number % 2)
        city.tick(5)
    assert city.points == []


def test_a_restart_of_flows_changes_nothing() -> None:
    """State to JSON and back gives the same points."""
    runs = []
    for restarting in (False, True):
        city = Play(town(), approach_flow.RULE)
        for _ in range(4):
            city.flow(10, 500, 300)
            if restarting:
                city.restart()
        runs.append(city.points)
    assert runs[0] == runs[1]
    assert runs[0]


def test_states_are_small_json() -> None:
    """A group of twenty detectors keeps less than 4 kB, 200 bytes a detector, each in a row of its own."""
    many = [detector(f"d{number}", ("inbound", "outbound")[number % 2]) for number in range(20)]
    city = Play(town(many), signal_plan.RULE)
    for round_ in range(8):
        for number in range(20):
            city.hear(f"d{number}", 20 + (number + round_) % 5)
        city.tick(5)
    rows = {subject: row.body for (_, subject), row in city.rows.items() if subject.startswith("group")}
    lanes = {subject.rpartition(SEPARATOR)[2]: len(body) for subject, body in rows.items() if SEPARATOR in subject}
    assert lanes.keys() == {f"d{number}" for number in range(20)}
    assert max(lanes.values()) < 200
    assert "lanes" not in json.loads(rows["group"])["rest"]
    assert sum(map(len, rows.values())) < 4_000


def test_a_step_that_changes_nothing_is_cheap() -> None:
    """Uplinks without vehicles and ticks that are not due: microseconds, the best of many."""
    city = Play(town(), signal_plan.RULE)
    city.flow(10, 300, 200)
    config = configure(city.city.assets["group"])
    state = next(city.engine.state(subject.order) for subject in city.engine.subjects_of("group"))
    best = 1e9
    for _ in range(200):
        begin = perf_counter_ns()
        after, _ = signal_plan.step(config, state, Tick(city.now))
        best = min(best, perf_counter_ns() - begin)
        assert after is state
    assert best < 50_000
