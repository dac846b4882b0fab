"""World, service and depot in one loop: what sensors saw is planned for, and what vehicles emptied is empty."""

import json
from pathlib import Path

import pytest

from rules.city import City
from rules.event_route import RoutePlanned
from simulator.depot.collected import Collected
from simulator.depot.drive import Drive
from simulator.depot.report import Stopped, message
from simulator.depot.tour import Habits
from simulator.play import Plan, Simulation
from simulator.stage import Stage
from simulator.truth import Row
from tests.rules.waste.route.cities import container, depot, document, feature, site, vehicle
from tests.simulator.depot.driving import BINS, HOUR, MINUTE, NIGHT, TRUCK, served

pytestmark = pytest.mark.timeout(600)
BEGIN, FREEZE, DUSK = NIGHT + 3 * HOUR, NIGHT + 5 * HOUR + 25 * MINUTE, NIGHT + 11 * HOUR
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def town() -> str:
    """A gateway amid six containers with sensors, of which four have to be emptied every day."""
    bins = (
        container(
            name,
            (7.81 + number / 100, 51.68),
            never_skip=True if number < 4 else None,
            service_days=WEEK,
            depth_mm=1500,
            devices=[{"dev_eui": f"025354464b0000{number:02x}", "model": "milesight/em400-mud", "interval_s": 600}],
        )
        for number, name in enumerate(BINS)
    )
    return document(feature("gateway", "gateway", (7.83, 51.68)), depot(), site(), vehicle(TRUCK), *bins)


def test_what_vehicles_emptied_is_empty_for_sensors_too(tmp_path: Path) -> None:
    """Each container that was served falls, once; the others go on filling, for nobody else empties them."""
    (tmp_path / "city.geojson").write_text(town())
    city = City.parse(town())
    truth: list[Row] = []
    collected, drive = Collected(), Drive(city, BEGIN, Habits(seed=3, skip_share=0.3, confirms=True))
    simulation = Simulation(city, Plan(seed=3, start_ns=BEGIN, own_rounds=False), truth.append, collected=collected)
    routes = {"routes": {"iterations": 50, "seconds": 20}}
    reports, levels = [], dict[str, float]()
    with Stage(tmp_path / "city.geojson", BEGIN, routes) as stage:
        for time_ns in range(BEGIN + MINUTE, DUSK, MINUTE):
            for event in simulation.messages(time_ns):
                stage.publish(event)
            heard = stage.advance(time_ns)
            said = drive.due(time_ns)
            for report in said:
                note = message(report)
                stage.send(note.topic, note.payload)
                collected.offer(note.topic, note.payload)
            reports += said
            for topic, payload in heard:
                if payload and topic.endswith("/route"):
                    drive.take(RoutePlanned.model_validate_json(payload))
                if payload and topic.endswith("/due"):
                    levels[json.loads(payload)["subject"]] = json.loads(payload)["data"]["fill_level"]
    emptied = set(served(reports))
    assert 0 < len(emptied) < len(BINS)
    assert collected.emptied == len(emptied)
    rounds = {row.asset: row.value for row in truth if row.quantity == "collections"}
    assert rounds == {name: float(name in emptied) for name in BINS}
    last = {row.asset: row.value for row in truth if row.quantity == "fill_level"}
    assert all(last[name] < 40 for name in emptied)
    skipped = {report.stop for report in reports if isinstance(report, Stopped)} - emptied
    for name in emptied | skipped:
        assert abs(levels[name] - last[name]) < 15
