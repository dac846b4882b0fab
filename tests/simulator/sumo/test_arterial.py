"""SUMO itself, with the arterial in it."""

import importlib
import json
from importlib.util import find_spec
from types import ModuleType

import pytest

from rules.city import City
from rules.traffic.detector_config import configure as configure_detector
from rules.traffic.plan_config import configure
from simulator.error import SimulatorError
from simulator.sumo.arterial import GROUP, Arterial, Control, Demand, Passage, Run, city_text
from simulator.sumo.person_delay import Outcome
from tests.simulator.sumo.policy import played

NS = 1_000_000_000
needs_sumo = pytest.mark.skipif(find_spec("libsumo") is None, reason="libsumo is not installed (extra sumo)")


def test_without_libsumo_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says what to install."""
    imported = importlib.import_module

    def missing(name: str) -> ModuleType:
        if name == "libsumo":
            raise ImportError(name)
        return imported(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(SimulatorError, match=r"pip install 'stadtfunk\[sumo\]'"):
        Arterial(Run(Demand.ORDINARY, 1, Control.FIXED))


@pytest.mark.parametrize("control", Control)
def test_the_city_file_is_one_that_the_rule_trusts(control: Control) -> None:
    """Nothing is refused: detectors upstream in both directions, plans at all junctions, the schedule known."""
    city = City.parse(city_text(control))
    config = configure(city.assets[GROUP])
    assert config.refused == ()
    assert len(config.junctions) == 5
    assert len(config.plans) == 5
    detectors = [configure_detector(asset) for asset in city.assets.values() if asset.kind == "detector"]
    assert sorted(str(detector.heading) for detector in detectors) == ["inbound"] * 2 + ["outbound"] * 2
    assert all(detector.lanes == 2 for detector in detectors)


def test_who_has_one_plan_only_has_it_at_all_times() -> None:
    """The table of the day is the city file's own, nothing else differs."""
    fixed, table = (json.loads(city_text(control)) for control in (Control.FIXED, Control.TIME_OF_DAY))
    config = configure(City.parse(city_text(Control.FIXED)).assets[GROUP])
    assert {config.schedule.plan_at(1_789_000_000_000 + hour * 3_600_000) for hour in range(168)} == {"2"}
    for features in (fixed["features"], table["features"]):
        next(each for each in features if each["id"] == GROUP)["properties"].pop("schedule")
    assert fixed == table


@needs_sumo
def test_the_same_run_comes_to_the_same_outcome() -> None:
    """Bit for bit, with a switch under way; another seed comes to another."""

    def ran(seed: int) -> tuple[Outcome, list[Passage]]:
        passed: list[Passage] = []
        with Arterial(Run(Demand.SCHEDULED_PEAK, seed, Control.ACTUATED)) as road:
            for second in range(900):
                road.step()
                passed += road.counts()
                if second == 300:
                    road.switch("4")
            return road.result(), passed

    first = ran(1)
    assert ran(1) == first
    assert ran(2) != first
    outcome = first[0]
    assert outcome.persons > 500
    assert None not in outcome
    assert 5 < outcome.person_delay_s < 200
    assert outcome.switches_per_hour == pytest.approx(4)


@needs_sumo
def test_detectors_count_what_drives_by() -> None:
    """The entries count what sets out there, by lane; the simulated clock runs in seconds."""
    with Arterial(Run(Demand.ORDINARY, 1, Control.FIXED)) as road:
        passed: list[Passage] = []
        for second in range(1, 601):
            assert road.step() == road.start_ns + second * NS
            passed += road.counts()
        assert road.cycle_position_s() == 600 % 80
        assert road.cycle_s == 80
    for detector in ("detector-arterial-out-1", "detector-arterial-in-5"):
        found = [passage for passage in passed if passage.detector == detector]
        assert len(found) == pytest.approx(850 / 6, rel=0.3)
        assert {passage.lane for passage in found} == {1, 2}
        assert {passage.kind for passage in found} == {"car", "truck", "bus"}
        assert 5 < sum(passage.speed_m_s for passage in found) / len(found) < 16


@needs_sumo
def test_the_local_schedule_follows_the_control() -> None:
    """At half past three the table has the plan out of the city, who has one plan has the same."""
    for control, expected in ((Control.TIME_OF_DAY, ["2", "4"]), (Control.FIXED, ["2", "2"])):
        with Arterial(Run(Demand.SCHEDULED_PEAK, 1, control)) as road:
            assert [road.locally(road.start_ns + minutes * 60 * NS) for minutes in (0, 30)] == expected
            assert road.plan == "2"
            assert list(road.plans) == ["1", "2", "3", "4", "5"]


@needs_sumo
def test_unknown_plans_are_refused() -> None:
    """And what runs goes on."""
    with Arterial(Run(Demand.ORDINARY, 1, Control.FIXED)) as road:
        with pytest.raises(SimulatorError, match="'99' is not among"):
            road.switch("99")
        road.switch("3")
        assert road.plan == "3"


@needs_sumo
@pytest.mark.timeout(600)
def test_plan_selection_helps_in_a_peak_that_nobody_planned() -> None:
    """On the rule's own counts: the plan into the city is asked for, and people lose a tenth less time at least."""
    run = Run(Demand.UNSCHEDULED_PEAK, 1, Control.TIME_OF_DAY)
    alone, none = played(run, 5400, steered=False)
    helped, plans = played(run, 5400, steered=True)
    assert none == []
    assert plans[-1] == "3"
    assert helped.persons == alone.persons
    assert helped.person_delay_s < 0.9 * alone.person_delay_s
    assert helped.switches_per_hour <= 4
