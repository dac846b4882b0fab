"""`stadtfunk routes list, show, confirm, withdraw, replan`, on a journal that no service has open."""

import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from ingest import cli
from ingest.audit import operating_system_user
from ingest.commands import routes_life
from ingest.journal_privacy import PersonalData
from ingest.journal_records import Batch
from ingest.journal_schema import open_writer
from ingest.journal_sql import write_batch
from ingest.routes import store
from ingest.settings import load
from rules.city import City
from tests.ingest.routes.touring import EVENING, NAMES, NOON
from tests.rules.waste.route.cities import container, depot, document, site, states, vehicle
from tests.rules.waste.route.plans import day_plan, evening_ms, plan

Run = Callable[..., tuple[int, str, str]]
TOURS = {"truck-1": ("bin-0", "bin-1"), "truck-2": ("bin-2",)}
EVENING_OF_PLAN = evening_ms()
"""When the plans of the tests are made."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal with one plan for Tuesday, and settings whose clock shows the evening before."""
    monkeypatch.chdir(tmp_path)
    bins = [container(name, (7.81 + number / 100, 51.68), forecast=False) for number, name in enumerate(NAMES)]
    (tmp_path / "city.geojson").write_text(document(depot(), site(), vehicle(), vehicle("truck-2"), *bins))
    for key, value in {
        "CITY__FILE": tmp_path / "city.geojson",
        "JOURNAL__PATH": tmp_path / "journal.db",
        "SIMULATION__START_MS": EVENING_OF_PLAN + 60_000,
        "ROUTES__ITERATIONS": 20,
    }.items():
        monkeypatch.setenv(f"STADTFUNK_{key}", str(value))
    with closing(open_writer(tmp_path / "journal.db")) as connection:
        store.put(connection, [plan(TOURS, "p1")])
    return tmp_path


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command: exit code, standard output, standard error."""
    assert folder.exists()

    def called(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["stadtfunk", "routes", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        structlog.reset_defaults()
        code = ended.value.code
        return code if isinstance(code, int) else 0, printed.out, printed.err

    return called


def rows(folder: Path, query: str) -> list[Any]:
    """What a query finds."""
    with closing(sqlite3.connect(folder / "journal.db")) as connection:
        return connection.execute(query).fetchall()


def test_plans_are_listed(run: Run) -> None:
    """One line each, for people and as JSON."""
    code, out, _ = run("list")
    assert code == 0
    assert out.splitlines()[1].split()[:4] == ["p1", "2026-11-24", "paper", "proposed"]
    (shown,) = json.loads(run("list", "--json")[1])
    assert (shown["id"], shown["stops"], shown["vehicles"]) == ("p1", 3, ["truck-1", "truck-2"])


def test_a_plan_is_shown_with_its_stops(run: Run) -> None:
    """By its name, or all of a day; no arrival where nobody knows the streets, and what is left out with the reason."""
    for arguments in (("p1",), ("--date", "2026-11-24")):
        code, out, _ = run("show", *arguments)
        assert code == 0
        assert "order of stops, not for driving" in out
        line = next(line for line in out.splitlines() if " bin-1 " in line)
        assert line.split()[:4] == ["truck-1", "proposed", "2", "bin-1"]
        assert " - " in line
        assert "left out: bin-3: no_room: mandatory, but no vehicle has capacity or time left for it" in out
    (found,) = json.loads(run("show", "p1", "--json")[1])
    assert found["tours"][0]["places"] == ["bin-0", "bin-1"]


def test_reasons_are_shown_in_german_too(run: Run) -> None:
    """When asked for."""
    _, out, _ = run("show", "p1", "--language", "de")
    assert "left out: bin-3: no_room: Pflicht, aber kein Fahrzeug hat noch Platz oder Zeit dafür" in out
    assert "voll bin-1" in out


def test_tours_that_belong_together_are_refused_apart(run: Run, folder: Path) -> None:
    """The answer names the stop and the vehicles; both at once are confirmed, as is the help's word."""
    run("confirm", "p1")
    swapped = {"truck-1": ("bin-0",), "truck-2": ("bin-2", "bin-1")}
    routes_life.propose(load(), day_plan(swapped, "p2"), "")
    code, _, error = run("confirm", "p2", "--vehicle", "truck-2")
    assert code == 1
    assert "bin-1 from truck-1 to truck-2" in error
    assert "confirm the tours of truck-1, truck-2 together, or the whole plan" in error
    assert rows(folder, "SELECT status FROM route ORDER BY number") == [("confirmed",), ("proposed",)]
    code, out, _ = run("confirm", "p2", "--vehicle", "truck-2", "--vehicle", "truck-1")
    assert (code, out) == (0, "p2: confirmed; told: truck-1, truck-2\n")
    assert "confirmed together" in " ".join(run("confirm", "--help")[1].split())


def test_what_the_depot_said_is_shown(run: Run, folder: Path) -> None:
    """Rejected, or accepted and waiting for others; in the language that was asked for."""
    made = plan(TOURS, "p1")
    told = {
        "truck-1": replace(made.tours[0], rejected="zu spät"),
        "truck-2": replace(made.tours[1], accepted_ms=1),
    }
    with closing(open_writer(folder / "journal.db")) as connection:
        store.put(connection, [made.with_tours(told)])
    english, german = (run("show", "p1", "--language", language)[1].splitlines() for language in ("en", "de"))
    assert {"truck-1: rejected: zu spät", "truck-2: accepted, waits for other tours"} <= set(english)
    assert {"truck-1: abgelehnt: zu spät", "truck-2: angenommen, wartet auf andere Touren"} <= set(german)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("show", "p9"), 1, "no plan p9"),
        (("show", "--date", "2026-11-25"), 1, "no plan for 2026-11-25"),
        (("show", "p1", "--date", "2026-11-24"), 2, "not both"),
        (("show", "--date", "tomorrow"), 2, "is no day"),
        (("confirm", "p9"), 1, "no plan p9"),
        (("confirm", "p1", "--vehicle", "truck-9"), 1, "has no vehicle truck-9"),
        (("withdraw", "p9"), 1, "no plan p9"),
        (("replan", "--date", "2026-11-25"), 1, "no plan for 2026-11-25"),
        (("replan", "--date", "2026-11-24", "--without-vehicle", "truck-9"), 1, "no plan with a tour of truck-9"),
    ],
)
def test_what_cannot_be_done_is_one_line(run: Run, arguments: tuple[str, ...], code: int, message: str) -> None:
    """On standard error, with 1 for what failed and 2 for wrong usage."""
    found, _, error = run(*arguments)
    assert found == code
    assert message in error


def test_a_plan_is_confirmed_and_withdrawn(run: Run, folder: Path) -> None:
    """Its events wait for the next start of the service; each step is in the audit table with who and why."""
    code, out, _ = run("confirm", "p1", "--vehicle", "truck-1", "--reason", "seen")
    assert (code, out) == (0, "p1: confirmed; told: truck-1\n")
    assert json.loads(run("confirm", "p1", "--json")[1])["vehicles"] == ["truck-2"]
    assert run("confirm", "p1")[1] == "p1: confirmed; told: nobody, it was already\n"
    assert rows(folder, "SELECT status FROM route") == [("confirmed",)]
    assert run("withdraw", "p1", "--reason", "ice")[1] == "p1: withdrawn; told: truck-1, truck-2\n"
    said = [json.loads(payload)["data"]["status"] for (payload,) in rows(folder, "SELECT payload FROM event")]
    assert said == ["confirmed", "confirmed", "withdrawn", "withdrawn"]
    assert rows(folder, "SELECT DISTINCT status FROM event") == [("pending",)]
    user = operating_system_user()
    audit = rows(folder, "SELECT actor, action, subject, reason FROM audit")
    assert audit[0] == (user, "routes confirm", "p1", "seen")
    assert audit[-1] == (user, "routes withdraw", "p1", "ice")


def test_without_a_service_the_command_plans_itself(run: Run, folder: Path) -> None:
    """Without the vehicle that dropped out; its tour is withdrawn, and the newer plan is a proposal."""
    text = (folder / "city.geojson").read_text()
    with closing(open_writer(folder / "journal.db")) as connection:
        shift_ms = EVENING_OF_PLAN - EVENING
        full = states(City.parse(text), *((name, 90.0, NOON + shift_ms) for name in NAMES[:3]))
        write_batch(connection, 1, Batch(states=full), NOON + shift_ms, PersonalData())
    code, out, error = run(
        "replan", "--date", "2026-11-24", "--without-vehicle", "truck-2", "--reason", "flat tyre", "--json"
    )
    assert code == 0, error
    assert json.loads(out)["fractions"] == ["paper"]
    said = {
        json.loads(payload)["subject"]: json.loads(payload)["data"]["status"]
        for (payload,) in rows(folder, "SELECT payload FROM event")
    }
    assert said == {"truck-1": "proposed", "truck-2": "withdrawn"}
    shown = json.loads(run("list", "--json")[1])
    assert [(one["status"], one["origin"], one["stops"]) for one in shown] == [
        ("proposed", "replanned", 3),
        ("withdrawn", "frozen", 3),
    ]


def test_a_plan_that_fails_makes_the_command_fail(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason; the tours in force stay."""
    monkeypatch.setattr("ingest.routes.worker.PROGRAM", "raise SystemExit(3)")
    code, _, error = run("replan", "--date", "2026-11-24")
    assert code == 0, error
    text = (folder / "city.geojson").read_text()
    with closing(open_writer(folder / "journal.db")) as connection:
        shift_ms = EVENING_OF_PLAN - EVENING
        full = states(City.parse(text), *((name, 90.0, NOON + shift_ms) for name in NAMES[:3]))
        write_batch(connection, 1, Batch(states=full), NOON + shift_ms, PersonalData())
    code, _, error = run("replan", "--date", "2026-11-24")
    assert code == 1
    assert "planning ended without a plan: status 3" in error


def test_a_plan_of_the_command_is_offered(folder: Path) -> None:
    """Kept as a proposal, its vehicles are told, with who and why; a second time nothing is new."""
    made = routes_life.propose(load(), day_plan({"truck-1": ("bin-3",)}, "mine"), "because")
    assert (made["id"], made["status"]) == ("mine", "proposed")
    assert rows(folder, "SELECT id, status FROM route ORDER BY number") == [("p1", "withdrawn"), ("mine", "proposed")]
    assert rows(folder, "SELECT action, subject, reason FROM audit") == [("routes plan", "mine", "because")]
    again = routes_life.propose(load(), day_plan({"truck-1": ("bin-3",)}, "again"), "")
    assert again["status"] == "unchanged"
