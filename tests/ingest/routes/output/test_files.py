"""The files of a plan."""

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.routes.output import files
from ingest.routes.output.files import write_all
from ingest.routes.output.gpx import gpx
from ingest.routes.output.jobs import jobs_csv, jobs_json
from rules.event_route import RoutePlanned
from tests.ingest.routes.output.plans import small

NAMES = [
    "2026-11-24-paper-events.json",
    "2026-11-24-paper-truck-1.gpx",
    "2026-11-24-paper-truck-2.gpx",
    "2026-11-24-paper.csv",
    "2026-11-24-paper.geojson",
    "2026-11-24-paper.html",
    "2026-11-24-paper.json",
    "2026-11-24-paper.svg",
]


def names(folder: Path) -> list[str]:
    """What is in the folder, hidden files, too."""
    return sorted(path.name for path in folder.iterdir())


def test_all_forms_are_written(tmp_path: Path) -> None:
    """Into a folder that is made, each named by day, fraction and what it is; they say what the forms say."""
    plan = small(drivable=True)
    folder = tmp_path / "tours" / "today"
    written = write_all(plan, folder, "de")
    assert sorted(path.name for path in written) == names(folder) == NAMES
    assert all(path.parent == folder for path in written)
    read = {path.name.removeprefix("2026-11-24-paper"): path.read_bytes().decode() for path in written}
    assert read[".csv"] == jobs_csv(plan)
    assert read[".json"] == jobs_json(plan)
    assert read["-truck-1.gpx"] == gpx(plan, "de")["truck-1"]
    assert 'lang="de"' in read[".html"]
    assert json.loads(read[".geojson"])["type"] == "FeatureCollection"


def test_the_language_is_that_asked_for(tmp_path: Path) -> None:
    """Sheet and map speak it."""
    write_all(small(), tmp_path, "en")
    assert 'lang="en"' in (tmp_path / "2026-11-24-paper.html").read_text(encoding="utf-8")
    assert "Map of the tours" in (tmp_path / "2026-11-24-paper.svg").read_text(encoding="utf-8")


def test_a_second_plan_takes_the_place_of_the_first(tmp_path: Path) -> None:
    """The file of a vehicle that has no tour any more goes; those of other days, fractions and people stay."""
    plan = small()
    write_all(plan, tmp_path, "de")
    write_all(replace(plan, fraction="paper-truck"), tmp_path, "de")
    (tmp_path / "2026-11-24-paper-my-own.gpx").write_text("<gpx/>")
    tours = plan.solution.tours[:1]
    write_all(
        replace(plan, solution=replace(plan.solution, tours=tours, orders=plan.solution.orders[:1])), tmp_path, "de"
    )
    left = [name for name in names(tmp_path) if name.endswith(".gpx")]
    assert left == [
        "2026-11-24-paper-my-own.gpx",
        "2026-11-24-paper-truck-1.gpx",
        "2026-11-24-paper-truck-truck-1.gpx",
        "2026-11-24-paper-truck-truck-2.gpx",
    ]


def test_names_of_vehicles_lead_nowhere_else(tmp_path: Path) -> None:
    """Slashes, dots and blanks are no path; two that would be the same file are two."""
    plan = small()
    ids = {"truck-1": "../../A 1/x" + "ü" * 300, "truck-2": "../../a_1\\X" + "ü" * 300}
    vehicles = tuple(replace(one, id=ids.get(one.id, one.id)) for one in plan.problem.vehicles)
    tours = tuple(replace(tour, vehicle=ids[tour.vehicle]) for tour in plan.solution.tours)
    orders = tuple(order._replace(vehicle=ids[order.vehicle]) for order in plan.solution.orders)
    plan = replace(
        plan,
        fraction="../paper",
        problem=replace(plan.problem, vehicles=vehicles),
        solution=replace(plan.solution, tours=tours, orders=orders),
    )
    folder = tmp_path / "out"
    written = write_all(plan, folder, "de")
    assert len({path.resolve() for path in written}) == len(written) == 8
    assert {path.resolve().parent for path in written} == {folder.resolve()}
    assert names(tmp_path) == ["out"]
    gpx_names = [path.name for path in written if path.suffix == ".gpx"]
    assert gpx_names == ["2026-11-24-_paper-_A_1_x_.gpx", "2026-11-24-_paper-_a_1_X_-2.gpx"]


def test_a_fault_leaves_the_old_file_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is an OSError; what stood there before is whole."""
    plan = small()
    write_all(plan, tmp_path, "de")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_all(small(drivable=True), tmp_path, "en")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_nothing_is_written_before_all_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that fails leaves no half of a plan."""

    def broken(*_: object) -> str:
        raise ValueError("no map")

    monkeypatch.setattr(files, "map_picture", broken)
    with pytest.raises(ValueError, match="no map"):
        write_all(small(), tmp_path / "out", "de")
    assert names(tmp_path) == []


def test_a_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    """As OSError, which names it."""
    path = tmp_path / "out"
    path.write_text("")
    with pytest.raises(FileExistsError, match="out"):
        write_all(small(), path, "de")


def test_the_events_are_those_of_the_plan(tmp_path: Path) -> None:
    """One for each vehicle, also for those that stay, each readable as an event."""
    write_all(small(), tmp_path, "de")
    told = json.loads((tmp_path / "2026-11-24-paper-events.json").read_bytes())
    assert [event["subject"] for event in told] == ["truck-1", "truck-2", "truck-3"]
    assert [RoutePlanned.model_validate(event).data.distance > 0 for event in told] == [True, True, False]
