"""What a scenario's sections come to together: always something that sensors can say."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulator.device import NS_PER_S
from simulator.error import SimulatorError
from simulator.play import Plan, Simulation
from simulator.scenario.file import parse
from simulator.scenario.model import Air, Parking, Rain, Scenario, Traffic
from simulator.scenario.script import Script
from tests.simulator.scenario.played import CITY

START_NS = int(datetime(2026, 6, 3, 5, tzinfo=UTC).timestamp()) * NS_PER_S
HOUR_NS = 3600 * NS_PER_S
AIRS = st.builds(
    Air, warmer_by=st.floats(-40, 40), humidity=st.none() | st.floats(5, 100), wind=st.floats(0, 10)
) | st.builds(Air, temperature=st.floats(-30, 45))
TRAFFICS = st.builds(Traffic, demand=st.floats(0, 10), speed=st.floats(0.01, 2))
SCENARIOS = st.builds(
    Scenario,
    title=st.just("x"),
    air=st.lists(AIRS, max_size=4).map(tuple),
    rain=st.lists(st.builds(Rain, mm_per_hour=st.floats(0, 150)), max_size=1).map(tuple),
    traffic=st.lists(TRAFFICS, max_size=4).map(tuple),
    parking=st.lists(st.builds(Parking, share=st.floats(0, 1)), max_size=1).map(tuple),
)
HOT = Scenario(title="x", air=(Air(temperature=45), Air(warmer_by=40), Air(wind=10), Air(wind=10)))
COLD = Scenario(title="x", air=(Air(temperature=-30), Air(warmer_by=-40), Air(warmer_by=-40, humidity=5)))
FAST = Scenario(title="x", traffic=(Traffic(speed=2, demand=10),) * 4)


@settings(max_examples=15, deadline=None)
@given(scenario=SCENARIOS)
@example(scenario=HOT)
@example(scenario=COLD)
@example(scenario=FAST)
def test_every_scenario_plays(scenario: Scenario) -> None:
    """Whatever valid sections hold at once, an hour of the example city plays without an error."""
    simulation = Simulation(CITY, Plan(seed=1, start_ns=START_NS, scenario=scenario))
    assert sum(1 for _ in simulation.messages(START_NS + HOUR_NS)) > len(simulation.devices)


def test_sections_together_have_bounds() -> None:
    """Air stays within -40 and 50 °C, the wind's and demand's factors within 10, that of speed within 2."""
    assert [Script(each).temperature(0, 10) for each in (HOT, COLD)] == [50, -40]
    assert Script(HOT).wind(0) == 10
    assert Script(FAST).demand(0, "any", "inbound") == (10, 2)


@pytest.mark.parametrize(("temperature", "warmer_by", "both"), [(45, 40, 85), (-30, -1, -31)])
def test_one_section_has_the_bounds_of_its_temperature(temperature: int, warmer_by: int, both: int) -> None:
    """What is set and what is added must together be a temperature that may be set; the line is told."""
    text = f'title = "x"\n[[air]]\ntemperature = {temperature}\nwarmer_by = {warmer_by}\n'
    with pytest.raises(SimulatorError, match=f"line 2: air: temperature and warmer_by make {both} °C"):
        parse(text, "my.toml")
