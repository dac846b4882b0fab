"""`stadtfunk routes plan`, on a journal that a service wrote."""

import json
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest import cli
from ingest.commands.error import CommandError
from ingest.routes import store
from ingest.settings import load
from rules.waste.route.record import PlanRecord, TourRecord
from rules.waste.route.service_day import ServiceDay
from tests.ingest.bench import running
from tests.ingest.uplinks import NOW, message
from tests.rules.waste.route.cities import container, depot, document, site, vehicle

PROFILE = "Milesight EM400-MUD"
FULL, HALF = 300, 850
"""Distances (mm) in a container of 1,500 mm with its sensor 100 mm above: 87 and 50 %."""
HOUR_MS = 3_600_000
CLOCK = "STADTFUNK_SIMULATION__START_MS"
Run = Callable[..., tuple[int, str, str]]
DEVICES = {name: f"70b3d57ed00000{number:02x}" for number, name in enumerate(("p-0", "p-1", "g-0", "none"), 1)}
DAY = "2027-01-18"
"""The Monday after the Friday on which all that was heard."""


def device(id_: str, **properties: Any) -> dict[str, object]:  # noqa: ANN401 - any property
    """A container with its sensor."""
    place = {"p-0": (7.81, 51.68), "p-1": (7.83, 51.66), "g-0": (7.84, 51.70), "none": (7.85, 51.69)}[id_]
    given = {"depth_mm": 1500, "sensor_offset_mm": 100, "forecast": False, "devices": [{"dev_eui": DEVICES[id_]}]}
    return container(id_, place, **{**given, **properties})


CITY = (
    depot(),
    site(),
    vehicle(name="Kran 1"),
    vehicle("truck-2", capacity={"glass": {"mass_kg": 9000, "volume_l": 30_000}}),
    device("p-0", name="Marktplatz"),
    device("p-1"),
    device("g-0", fraction="glass"),
    device("none", fraction=None),
)


def uplink(name: str, distance_mm: int) -> Any:  # noqa: ANN401 - a message
    """A distance, as the sensor tells it."""
    payload = bytes.fromhex("017564036700000482") + distance_mm.to_bytes(2, "little") + bytes.fromhex("050000")
    return message(dev_eui=DEVICES[name], payload=payload, f_port=85, time_ms=NOW, profile=PROFILE)


@pytest.fixture
async def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal in which three containers are full and one is half full, on a Friday morning."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "city.geojson").write_text(document(*CITY))
    for key, value in {
        "CITY__FILE": tmp_path / "city.geojson",
        "JOURNAL__PATH": tmp_path / "journal.db",
        "HTTP__ENABLED": "false",
        CLOCK.removeprefix("STADTFUNK_"): NOW + HOUR_MS,
        "ROUTES__ITERATIONS": 20,
    }.items():
        monkeypatch.setenv(f"STADTFUNK_{key}", str(value))
    async with running(load(codecs={"profiles": {PROFILE: "milesight/em400-mud"}}), NOW) as bench:
        heard = {"p-0": FULL, "p-1": HALF, "g-0": FULL, "none": FULL}
        await bench.send(*(uplink(name, distance_mm) for name, distance_mm in heard.items()))
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command a second after the run before: exit code, standard output, standard error."""

    def called(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setenv(CLOCK, str(int(os.environ[CLOCK]) + 1000))
        monkeypatch.setattr(sys, "argv", ["stadtfunk", "routes", "plan", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return called


def plans(text: str) -> dict[str, list[str]]:
    """The stops of each plan by its fraction."""
    return {
        plan["fraction"]: [halt["place"] for tour in plan["tours"] for halt in tour["halts"] if halt["kind"] == "stop"]
        for plan in json.loads(text)["plans"]
    }


@pytest.mark.usefixtures("journal")
def test_every_fraction_with_something_due_has_a_plan(run: Run) -> None:
    """The next service day is Monday; what is due and has no fraction is warned of, half full is not due."""
    code, out, _ = run("--json", "--iterations", "20")
    told = json.loads(out)
    assert (code, told["day"], told["refused"], told["files"]) == (0, DAY, {}, [])
    assert plans(out) == {"paper": ["p-0"], "glass": ["g-0"]}
    assert told["warnings"] == ["none: is due and has no `fraction`: no vehicle comes"]
    assert told["warnings_de"] == ["none: ist fällig und hat keine `fraction`: kein Fahrzeug kommt"]
    assert all(plan["cost_eur"] > 0 and 0 <= plan["gap"] < 1 for plan in told["plans"])
    assert [plan["title_en"] for plan in told["plans"]] == ["Order of stops, not for driving"] * 2


@pytest.mark.usefixtures("journal")
def test_people_get_a_table(run: Run) -> None:
    """With names and reasons, in German or English; warnings on standard error."""
    code, out, err = run("--fraction", "paper", "--iterations", "20")
    assert code == 0
    assert "Marktplatz" in out
    assert "Am Mo 18.01. leeren: Füllstand 87 %, Grenze 80 %." in out
    assert err.splitlines() == ["stadtfunk: warning: none: ist fällig und hat keine `fraction`: kein Fahrzeug kommt"]
    _, out, _ = run("--fraction", "paper", "--iterations", "20", "--language", "en")
    assert "Empty on Mon 18 Jan: fill level 87 %, limit 80 %." in out
    assert "% above the optimum" in out


def test_files_are_written(journal: Path, run: Run) -> None:
    """Into a folder that is made, each named on standard output; a folder that cannot be made is an error."""
    code, out, _ = run("--out", "tours/monday", "--iterations", "20")
    written = {str(file.relative_to(journal)) for file in (journal / "tours" / "monday").iterdir()}
    assert code == 0
    assert {f"tours/monday/{DAY}-paper.csv", f"tours/monday/{DAY}-glass-truck-2.gpx"} <= written
    assert {line.removeprefix("written: ") for line in out.splitlines() if line.startswith("written: ")} == written
    (journal / "file").write_text("")
    code, out, err = run("--out", "file", "--iterations", "20")
    assert (code, len(err.splitlines())) == (1, 1)
    assert "error: file" in err


@pytest.mark.usefixtures("journal")
def test_the_same_seed_and_iterations_give_the_same(run: Run) -> None:
    """Stops in the same order, whoever asks."""
    one, same = (run("--json", "--iterations", "50", "--seed", "3")[1] for _ in range(2))
    assert plans(one) == plans(same)


@pytest.mark.usefixtures("journal")
def test_only_the_named_vehicles_drive(run: Run) -> None:
    """One of two: what only the other could take is refused, exit 1, and the rest is planned all the same."""
    code, out, err = run("--json", "--vehicles", "truck-1", "--iterations", "20")
    assert (code, plans(out)) == (1, {"paper": ["p-0"]})
    assert list(json.loads(out)["refused"]) == ["glass"]
    assert err.startswith("stadtfunk: error: glass: no vehicle takes glass on 2027-01-18")
    code, out, _ = run("--json", "--vehicles", "truck-1, truck-2", "--vehicles", "truck-2", "--iterations", "20")
    assert (code, len(plans(out))) == (0, 2)


def test_a_container_without_volume_is_named(journal: Path, run: Run) -> None:
    """The plan is refused with what to change; with --skip-invalid it is listed, and the rest planned."""
    city = json.loads((journal / "city.geojson").read_text())
    for feature in city["features"]:
        if feature["id"] == "p-0":
            del feature["properties"]["volume_l"]
    (journal / "city.geojson").write_text(json.dumps(city))
    code, _, err = run("--fraction", "paper")
    assert code == 1
    assert err.splitlines()[-1] == (
        "stadtfunk: error: paper: p-0: volume is None l, expected more than 0: set `volume_l` of the container"
    )
    code, out, _ = run("--fraction", "paper", "--json", "--skip-invalid")
    (plan,) = json.loads(out)["plans"]
    assert code == 0
    assert [(left["place"], left["reason"]) for left in plan["left_out"]] == [("p-0", "invalid")]


@pytest.mark.usefixtures("journal")
def test_a_day_on_which_nothing_is_due(run: Run) -> None:
    """On Saturday no tour goes: one line, exit 0; a fraction that is asked for has a plan without tours."""
    code, out, _ = run("--date", "2027-01-16")
    assert (code, out) == (0, "nothing is due on 2027-01-16\n")
    code, out, _ = run("--date", "2027-01-16", "--vehicles", "truck-1", "--fraction", "paper", "--json")
    assert (code, plans(out)) == (0, {"paper": []})


def kept(folder: Path) -> list[tuple[str, str]]:
    """Fraction and status of all plans in the journal."""
    with closing(sqlite3.connect(folder / "journal.db")) as connection:
        return connection.execute("SELECT fraction, status FROM route ORDER BY number").fetchall()


def test_a_plan_is_offered_to_the_depot(journal: Path, run: Run) -> None:
    """It is in the journal as proposed, with its id in the answer; the same once more is no news."""
    _, out, _ = run("--json", "--iterations", "20", "--reason", "the depot asked")
    told = json.loads(out)
    assert sorted(kept(journal)) == [("glass", "proposed"), ("paper", "proposed")]
    assert told["kept"] == {plan["plan"]: "proposed" for plan in told["plans"]}
    _, out, _ = run("--iterations", "20", "--fraction", "paper")
    assert len(kept(journal)) == 2
    assert out.splitlines()[-1].startswith(f"unchanged: {DAY}-paper-")
    with closing(sqlite3.connect(journal / "journal.db")) as connection:
        rows = connection.execute("SELECT action, reason FROM audit ORDER BY number").fetchall()
    assert rows[:2] == [("routes plan", "the depot asked")] * 2


def test_a_dry_run_keeps_nothing(journal: Path, run: Run) -> None:
    """It shows and writes, and the journal is as before."""
    before = (journal / "journal.db").read_bytes()
    code, out, _ = run("--dry-run", "--out", "tours", "--iterations", "20", "--json")
    assert (code, json.loads(out)["kept"], kept(journal)) == (0, {}, [])
    assert (journal / "journal.db").read_bytes() == before
    assert (journal / "tours" / f"{DAY}-paper.csv").exists()


def test_a_vehicle_on_the_tour_of_another_plan_is_not_asked(journal: Path, run: Run) -> None:
    """Its stops are refused by name; a fraction whose own plan has it may be planned again."""
    city = json.loads((journal / "city.geojson").read_text())
    both = {name: {"mass_kg": 9000, "volume_l": 30_000} for name in ("paper", "glass")}
    city["features"] = [feature for feature in city["features"] if feature["id"] != "truck-2"]
    next(one for one in city["features"] if one["id"] == "truck-1")["properties"]["capacity"] = both
    (journal / "city.geojson").write_text(json.dumps(city))
    assert run("--fraction", "paper", "--iterations", "20")[0] == 0
    code, _, err = run("--fraction", "glass", "--iterations", "20")
    assert (code, "no vehicle takes glass on 2027-01-18" in err, "truck-1" in err) == (1, True, True)
    assert run("--fraction", "paper", "--iterations", "20")[0] == 0


def test_a_vehicle_that_dropped_out_comes_when_it_is_named(journal: Path, run: Run) -> None:
    """It is out by the plan before; a person who names it knows better."""
    midnight_ms = ServiceDay(date.fromisoformat(DAY), "Europe/Berlin").midnight_ms
    stays = TourRecord("truck-1", 54_000)
    before = PlanRecord(
        "before",
        date.fromisoformat(DAY),
        "paper",
        "Europe/Berlin",
        midnight_ms,
        NOW,
        "frozen",
        drivable=False,
        tours=(stays,),
        unavailable=("truck-1",),
    )
    with closing(sqlite3.connect(journal / "journal.db")) as connection, connection:
        store.put(connection, [before])
    code, _, err = run("--fraction", "paper", "--iterations", "20", "--dry-run")
    assert (code, "no vehicle takes paper" in err) == (1, True)
    code, out, _ = run("--fraction", "paper", "--iterations", "20", "--dry-run", "--vehicles", "truck-1", "--json")
    assert (code, plans(out)) == (0, {"paper": ["p-0"]})


def test_what_the_plans_warn_of_is_told(journal: Path, run: Run) -> None:
    """On standard error, after the tables: here a vehicle that stays in the depot."""
    city = json.loads((journal / "city.geojson").read_text())
    city["features"] += [site("dump", fractions=["glass"]), vehicle("truck-3", disposal_sites=["dump"])]
    (journal / "city.geojson").write_text(json.dumps(city))
    _, _, err = run("--fraction", "paper", "--iterations", "20", "--skip-invalid", "--dry-run")
    assert "stadtfunk: warning: bleibt im Depot: truck-3: die Entsorgungsanlage dump nimmt Papier nicht an" in err
    _, _, err = run("--fraction", "paper", "--iterations", "20", "--skip-invalid", "--dry-run", "--language", "en")
    assert "stadtfunk: warning: stays in the depot: truck-3: disposal site 'dump' takes no paper" in err


@pytest.mark.usefixtures("journal")
def test_a_plan_that_cannot_be_kept_is_shown_all_the_same(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is there, exit 1, and one line says which plan is not kept and why."""

    def refuse(*_: object) -> dict[str, object]:
        raise CommandError("the service does not answer")

    monkeypatch.setattr("ingest.commands.routes_life.propose", refuse)
    code, out, err = run("--fraction", "paper", "--iterations", "20")
    assert (code, "Marktplatz" in out) == (1, True)
    assert f"stadtfunk: error: {DAY}-paper-" in err
    assert "is not kept: the service does not answer" in err


def test_tours_that_have_begun_are_not_planned_anew(journal: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says how to ask for changes, and plans the others."""
    run("--fraction", "paper", "--iterations", "20")
    monkeypatch.setenv(CLOCK, str(NOW + 3 * 24 * HOUR_MS + 2 * HOUR_MS))
    code, out, err = run("--date", DAY, "--json", "--iterations", "20")
    assert (code, plans(out)) == (1, {"glass": ["g-0"]})
    assert "paper: its tours have begun: ask for changes with `stadtfunk routes replan`" in err
    assert kept(journal) == [("paper", "proposed"), ("glass", "proposed")]


@pytest.mark.usefixtures("journal")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--date", "tomorrow"), "'tomorrow' is no day"),
        (("--date", "2027-01-14"), "2027-01-14 is over"),
        (("--vehicles", "truck-9"), "unknown vehicle 'truck-9'; known are truck-1, truck-2"),
        (("--seconds", "0"), "greater than or equal to 0.1"),
        (("--iterations", "0"), "greater than or equal to 1"),
        (("--language", "fr"), "'de', 'en'"),
    ],
)
def test_wrong_usage_is_exit_2(run: Run, arguments: tuple[str, ...], message: str) -> None:
    """It says what was expected."""
    code, _, err = run(*arguments)
    assert code == 2
    assert message in " ".join(err.replace("│", " ").split())


def test_what_is_missing_is_named(journal: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """No vehicle in the city, no journal, no city: one line each, exit 1."""
    (journal / "empty.geojson").write_text(document(depot()))
    found = []
    monkeypatch.setenv("STADTFUNK_CITY__FILE", str(journal / "empty.geojson"))
    found.append(run())
    monkeypatch.setenv("STADTFUNK_CITY__FILE", str(journal / "city.geojson"))
    monkeypatch.setenv("STADTFUNK_JOURNAL__PATH", str(journal / "none.db"))
    found.append(run())
    monkeypatch.delenv("STADTFUNK_CITY__FILE")
    found.append(run())
    said = ("no feature of the kind 'vehicle'", "none.db", "city.file is not set")
    for (code, out, err), text in zip(found, said, strict=True):
        assert (code, out, len(err.splitlines())) == (1, "", 1)
        assert text in err


def test_a_damaged_state_is_told(journal: Path, run: Run) -> None:
    """The container counts as never heard of, and a warning names it."""
    with closing(sqlite3.connect(journal / "journal.db")) as connection, connection:
        connection.execute("UPDATE state SET body = body || ' ' WHERE subject = 'p-0'")
    code, out, _ = run("--json", "--iterations", "20")
    assert (code, plans(out)) == (0, {"glass": ["g-0"]})
    assert "p-0: its state in the journal is damaged" in json.loads(out)["warnings"]


def test_the_day_of_these_tests_is_a_monday() -> None:
    """And the messages are of the Friday before."""
    heard = datetime.fromtimestamp(NOW / 1000, UTC)
    assert (heard.weekday(), str((heard + timedelta(days=3)).date())) == (4, DAY)
