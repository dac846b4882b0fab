"""The real service in lock step with the simulator."""

import json
from pathlib import Path

import pytest

from rules.city import City
from simulator.error import SimulatorError
from simulator.play import Plan, Simulation
from simulator.stage import Heard, Stage
from simulator.times import instant_ns

CITY = Path(__file__).parents[2] / "deploy" / "city" / "hamm.geojson"
START_NS = instant_ns("2026-03-13T07:00:00+01:00")
STEP_NS = 30 * 10**9
MINUTE_NS = 60 * 10**9
ACTIVE = {"rules": {"modes": {"traffic.measured": "active"}}}

pytestmark = pytest.mark.xdist_group("stage")


def _played(minutes: int, quiet_minutes: int = 0) -> list[list[Heard]]:
    """What was heard step by step."""
    plan = Plan(seed=1, start_ns=START_NS, devices=60)
    simulation = Simulation(City.parse(CITY.read_text(encoding="utf-8"), plan.timezone), plan)
    steps: list[list[Heard]] = []
    with Stage(CITY, START_NS, ACTIVE) as stage:
        next_ns = START_NS + STEP_NS
        for message in simulation.messages(START_NS + minutes * MINUTE_NS):
            while message.time_ns >= next_ns:
                steps.append(stage.advance(next_ns))
                next_ns += STEP_NS
            stage.publish(message)
        later = range(minutes, minutes + quiet_minutes + 1)
        steps += [stage.advance(START_NS + minute * MINUTE_NS) for minute in later]
    return steps


def test_the_same_seed_is_answered_with_the_same_events_step_by_step() -> None:
    """Nothing depends on how fast the machine is."""
    first = _played(12)
    assert sum(map(len, first)) > 20
    assert _played(12) == first


def test_no_event_is_from_the_future_or_late() -> None:
    """What a step brings was said between the step before and its end, and its end is the service's now."""
    for number, step in enumerate(_played(6)[:-1]):
        for heard in step:
            issued_ns = instant_ns(json.loads(heard.payload)["time"])
            assert START_NS + (number - 1) * STEP_NS <= issued_ns <= START_NS + (number + 1) * STEP_NS


def test_silence_withdraws_what_was_said() -> None:
    """Hours pass without an uplink in seconds: what has expired is emptied on its topic."""
    heard = [each for step in _played(6, quiet_minutes=60) for each in step]
    said = {each.topic for each in heard if each.topic.startswith("stadtfunk/v1/parking/lot/") and each.payload}
    emptied = {each.topic for each in heard if not each.payload}
    unknown = {each.topic for each in heard if b'"unknown"' in each.payload}
    assert said
    assert said <= emptied | unknown


def test_what_is_sent_is_not_heard_again() -> None:
    """Answers of a traffic computer come back to nobody."""
    with Stage(CITY, START_NS) as stage:
        stage.send("stadtfunk/v1/traffic/group/group-werler-strasse/signal-plan/status", b"{}")
        heard = stage.advance(START_NS + STEP_NS)
    assert not [each for each in heard if each.topic.endswith("signal-plan/status")]


def test_a_service_that_cannot_start_says_why_in_one_line(tmp_path: Path) -> None:
    """The city file is named."""
    missing = tmp_path / "nowhere.geojson"
    with pytest.raises(SimulatorError, match=r"nowhere\.geojson: No such file") as told, Stage(missing, START_NS):
        pass
    assert "\n" not in str(told.value)


def test_an_unknown_setting_is_refused() -> None:
    """It is named."""
    with pytest.raises(SimulatorError, match="modez"), Stage(CITY, START_NS, {"rules": {"modez": {}}}):
        pass
