"""The depot and the real service in lock step: plans are confirmed, driven, and what was told has its effect."""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from rules.city import City
from rules.event_route import RoutePlanned
from simulator.depot.drive import Drive
from simulator.depot.report import BrokeDown, Confirmed, Report, Stopped, message
from simulator.depot.tour import Habits
from simulator.stage import Heard, Stage
from tests.rules.waste.route.cities import container, depot, document, site, vehicle
from tests.simulator.depot.driving import BINS, HOUR, MINUTE, NIGHT, OTHER, TRUCK, served, stops

pytestmark = pytest.mark.timeout(600)
REFRESH = NIGHT + 5 * HOUR + 25 * MINUTE
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ROUTES = {"routes": {"iterations": 50, "seconds": 20}}


def written(folder: Path, *trucks: str) -> tuple[Path, City]:
    """A city whose containers have to be emptied every day, and these trucks, each for four of them."""
    room = {"paper": {"mass_kg": 9000, "volume_l": 12_500}}
    fleet = (vehicle(name, capacity=room, max_reloads=0) for name in trucks)
    bins = (
        container(name, (7.81 + number / 100, 51.68), never_skip=True, service_days=WEEK)
        for number, name in enumerate(BINS[: 3 * len(trucks)])
    )
    text = document(depot(), site(), *fleet, *bins)
    path = folder / "city.geojson"
    path.write_text(text)
    return path, City.parse(text)


class Day:
    """What the two said to each other."""

    def __init__(self, stage: Stage, drive: Drive) -> None:
        self.stage = stage
        self.drive = drive
        self.heard: list[Heard] = []
        self.reports: list[Report] = []

    def until(self, begin_ns: int, end_ns: int) -> None:
        """Let simulated time pass, a minute at a time."""
        for time_ns in range(begin_ns + MINUTE, end_ns + 1, MINUTE):
            heard = self.stage.advance(time_ns)
            self.heard += heard
            said = self.drive.due(time_ns)
            self.reports += said
            for report in said:
                note = message(report)
                self.stage.send(note.topic, note.payload)
            self.listen(heard)

    def listen(self, heard: Iterable[Heard]) -> None:
        """Hand tours over to the depot."""
        for topic, payload in heard:
            if topic.endswith("/route") and payload:
                self.drive.take(RoutePlanned.model_validate_json(payload))

    def of(self, end: str) -> list[dict[str, Any]]:
        """The events on topics that end so."""
        return [json.loads(payload) for topic, payload in self.heard if payload and topic.endswith(end)]


def test_a_plan_is_confirmed_driven_and_felt(tmp_path: Path) -> None:
    """Offered before the shift, in force by the depot's word; what was emptied is known to be, as is what was not."""
    path, place = written(tmp_path, TRUCK)
    habits = Habits(seed=2, skip_share=0.4, confirms=True)
    with Stage(path, REFRESH, ROUTES) as stage:
        day = Day(stage, Drive(place, REFRESH, habits))
        day.until(REFRESH, NIGHT + 8 * HOUR)
    tours = [event["data"] for event in day.of("/route")]
    assert [data["status"] for data in tours] == ["proposed", "confirmed"]
    assert isinstance(day.reports[0], Confirmed)
    told = stops(day.reports)
    assert [place for place, _ in told] == [halt["place"] for halt in tours[-1]["halts"] if halt["kind"] == "stop"]
    assert 0 < len(served(day.reports)) < len(told)
    newest = {event["subject"]: event["data"] for event in day.of("/due")}
    for name, reason in told:
        said = newest[name]
        assert (said["emptying_confirmed"], said["skipped"] and said["skipped"]["reason"]) == (
            not reason,
            reason or None,
        )
        (report,) = (each for each in day.reports if isinstance(each, Stopped) and each.stop == name)
        if not reason:
            emptied = datetime.fromisoformat(said["last_emptied"])
            assert abs(emptied.timestamp() * 1e9 - report.time_ns) < 1e7


def test_a_breakdown_brings_another_vehicle(tmp_path: Path) -> None:
    """The vehicle that broke down has no tour any more; the other one takes over, and nothing is emptied twice."""
    path, place = written(tmp_path, TRUCK, OTHER)
    habits = Habits(confirms=True, breakdowns={TRUCK: 6 * 60 + 9})
    with Stage(path, REFRESH, ROUTES) as stage:
        day = Day(stage, Drive(place, REFRESH, habits))
        day.until(REFRESH, NIGHT + 9 * HOUR)
    (broken,) = (report for report in day.reports if isinstance(report, BrokeDown))
    assert broken.vehicle == TRUCK
    newest = {event["subject"]: event["data"] for event in day.of("/route")}
    assert newest[TRUCK]["status"] == "withdrawn"
    assert newest[OTHER]["status"] == "confirmed"
    after = [each for each in day.reports if isinstance(each, Stopped) and each.time_ns > broken.time_ns]
    assert {report.vehicle for report in after} == {OTHER}
    left = {one["place"] for one in newest[OTHER]["left_out"]}
    assert sorted([*served(day.reports), *left]) == sorted(BINS)
    assert len(left) <= 1
