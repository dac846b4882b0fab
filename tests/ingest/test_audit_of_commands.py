"""Every command and every route is known as one that reads or one that changes; each that changes leaves its trace."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest
import structlog
import typer
from typer.main import get_command
from typer.testing import CliRunner

from ingest import audit, cli, http
from ingest.app import Service
from ingest.audit import operating_system_user
from ingest.broker import free_port
from ingest.dead_letter import Reason, dead_letter
from ingest.dead_letter_rows import write_dead_letter
from ingest.journal_privacy import PersonalData
from ingest.journal_records import Batch, EventRow
from ingest.journal_schema import open_writer
from ingest.journal_sql import write_batch
from ingest.routes import store as route_store
from ingest.routes.store import PLAN
from ingest.settings import load
from ingest.token_file import token_path
from rules.waste.route.record import PlanRecord, TourRecord
from tests.doubles.chirpstack_login import chirpstack_login
from tests.doubles.grafana_server import PASSWORD, grafana_server
from tests.doubles.influx import serving
from tests.ingest.uplinks import CITY, NOW
from tests.rules.waste.route.cities import depot, document, vehicle

WAIT_S = 30
DEVICE = "70b3d57ed00000aa"
WHY = "because of the test"
NOW_IN_CITY = datetime.now(ZoneInfo("Europe/Berlin"))
TODAY = NOW_IN_CITY.date()


def plan_of(name: str) -> PlanRecord:
    """A plan of today, valid for a day from now on."""
    tours = (TourRecord("truck-1", 86_400),)
    now_ms = int(NOW_IN_CITY.timestamp() * 1000)
    return PlanRecord(name, TODAY, name, "Europe/Berlin", now_ms, now_ms, "frozen", drivable=False, tours=tours)


READING = {
    "audit export",
    "audit list",
    "audit verify",
    "check",
    "codecs list",
    "codecs show",
    "codecs suggest",
    "codecs test",
    "dead-letters list",
    "dead-letters show",
    "decode",
    "devices list",
    "devices show",
    "routes list",
    "routes show",
    "rules explain",
    "rules list",
    "rules replay",
    "rules report",
    "status",
}
NO_JOURNAL = {
    "run": "is the service; what people ask of it comes by the routes below",
    "events schema": "writes what the program itself knows",
    "reload": "asks the running service, by its route",
    "demo": "has a journal of its own, in a folder that goes with it",
    "record": "reads a broker into a file, as any subscriber may",
    "signal-plan propose": "calculates, offline",
    "simulate": "publishes to a broker or into a file, as anybody's devices do",
    "simulate depot": "speaks to a broker as any depot does; what it confirms is recorded by the service",
    "simulate provision": "enters simulated devices into a ChirpStack, which has a log of its own",
    "waste backtest": "tries forecasts on a file or on made data, offline",
    "waste evaluate": "reads a log of tours, offline",
    "waste simulate": "a simulated city, offline",
}
CHANGING = {
    "codecs import": ["repo", "--into", "codecs", "--reason", WHY],
    "dead-letters discard": ["1", "--reason", WHY],
    "dead-letters retry": ["1", "--reason", WHY],
    "devices assign": [DEVICE, "lot-markt", "--reason", WHY],
    "devices set": [DEVICE, "--state", "retired", "--reason", WHY],
    "provision chirpstack": ["--password-file", "password"],
    "provision grafana": ["--admin-password-file", "password", "--open-token-file", "open"],
    "provision influxdb": [],
    "replay": ["--from", "2027-01-15", "--to", "2027-01-16", "--reason", WHY],
    "routes confirm": ["plan-confirm", "--reason", WHY],
    "routes plan": ["--fraction", "paper", "--reason", WHY],
    "routes replan": ["--date", TODAY.isoformat(), "--reason", WHY],
    "routes withdraw": ["plan-withdraw", "--reason", WHY],
    "rules confirm": ["waiting-1", "--reason", WHY],
    "rules start": ["waste", "--reason", WHY],
    "rules stop": ["parking", "--reason", WHY],
    "waste report": ["container-1", "--side-waste", "--reason", WHY],
}
WAITING = EventRow(
    "waiting-1",
    "stadtfunk/v1/parking/lot/lot-markt/state",
    json.dumps({"subject": "lot-markt", "data": {"rule": "parking.lot_state"}}).encode(),
    retained=True,
    acting=False,
    time_ms=NOW,
    valid_until_ms=NOW * 2,
    status="waiting",
)
WITHOUT_REASON = {"provision chirpstack", "provision grafana", "provision influxdb"}
"""Their subject says it all."""
WHO = {"actor": "os:anna", "reason": WHY}
ROUTES: dict[str, dict[str, object]] = {
    "/api/v1/audit": {"action": "provision x", "subject": "x"},
    "/api/v1/dead-letters/{letter_id}/discard": {},
    "/api/v1/dead-letters/{letter_id}/retry": {},
    "/api/v1/devices/{dev_eui}/assignment": {"asset": "lot-markt"},
    "/api/v1/devices/{subject}/state": {"state": "retired"},
    "/api/v1/reload": {},
    "/api/v1/routes": {"plan": PLAN.dump_python(plan_of("plan-propose"), mode="json")},
    "/api/v1/routes/replan": {"day": TODAY.isoformat()},
    "/api/v1/routes/{plan}/confirm": {},
    "/api/v1/routes/{plan}/withdraw": {},
    "/api/v1/rules/domains/{domain}/start": {},
    "/api/v1/rules/domains/{domain}/stop": {},
    "/api/v1/rules/events/{name}/confirm": {},
    "/api/v1/waste/containers/{container}/report": {"side_waste": True},
}
ROUTES_OF_COMMANDS = {
    "/api/v1/corrections": "replay",
    "/api/v1/corrections/{number}/end": "replay",
    "/api/v1/corrections/{number}/parts": "replay",
}
"""Steps of one command, which leaves the row."""


def all_commands() -> set[str]:
    """Every command of the program, those of other packages among them."""
    program = typer.Typer()
    for entry in entry_points(group="stadtfunk.commands"):
        entry.load()(program)
    program.command("unused")(lambda: None)
    program.command("unused too")(lambda: None)
    return (names(get_command(cli.app)) | names(get_command(program))) - {"unused", "unused too"}


def names(command: object, path: str = "") -> set[str]:
    """A command's name, or those of the commands below it, with its own where it does something by itself."""
    below = getattr(command, "commands", None)
    if below is None:
        return {path}
    own = {path} if getattr(command, "invoke_without_command", False) else set()
    return own | {found for name, item in below.items() for found in names(item, f"{path} {name}".strip())}


def rows(folder: Path) -> list[tuple[str, str, str]]:
    """Actor, action and reason of all audit rows."""
    with closing(sqlite3.connect(folder / "journal.db")) as connection:
        return connection.execute("SELECT actor, action, reason FROM audit ORDER BY number").fetchall()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A journal with a dead letter, and settings that name it."""
    (tmp_path / "city.geojson").write_text(json.dumps(CITY))
    codecs = tmp_path / "repo" / "vendors" / "acme" / "codecs"
    codecs.mkdir(parents=True)
    (codecs / "x.js").write_text("function Decoder() { return {}; }")
    monkeypatch.chdir(tmp_path)
    for key, value in {
        "CITY__FILE": tmp_path / "city.geojson",
        "JOURNAL__PATH": tmp_path / "journal.db",
        "MQTT__PORT": free_port(),
        "HTTP__PORT": 0,
    }.items():
        monkeypatch.setenv(f"STADTFUNK_{key}", str(value))
    with closing(open_writer(tmp_path / "journal.db")) as connection:
        write_dead_letter(connection, dead_letter(Reason.EVENT, "x", "application/x", b"{", NOW, load().journal))
        write_batch(connection, 1, Batch(events=[WAITING]), NOW, PersonalData())
        route_store.put(connection, [plan_of("plan-confirm"), plan_of("plan-withdraw")])
    yield tmp_path
    structlog.reset_defaults()


def test_every_command_is_known() -> None:
    """A new command is a decision: it reads, it changes and leaves a row, or it has no journal; never two of them."""
    known = [*READING, *NO_JOURNAL, *CHANGING]
    assert len(known) == len(set(known))
    assert all_commands() == set(known)


def test_every_route_that_changes_is_known() -> None:
    """A new route that is no GET is in the table, or belongs to a command that is."""
    assert routes() == ROUTES.keys() | (ROUTES_OF_COMMANDS.keys() & routes())
    assert set(ROUTES_OF_COMMANDS.values()) <= CHANGING.keys()


def routes() -> set[str]:
    """Paths that take anything but GET."""
    service = Service(load(journal={"path": Path("routes.db").absolute()}, http={"enabled": False}))
    application = http.application(service, "token")
    asyncio.run(service.journal.close())
    return {path for path, methods in application.openapi()["paths"].items() if methods.keys() - {"get", "head"}}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is written goes into a folder of its own."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", sorted(CHANGING))
async def test_every_command_that_changes_leaves_a_row(
    folder: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run for good on a journal: at least one row, by this user, with the action and the reason; the chain fits."""
    words = [*command.split(), *CHANGING[command]]
    async with (
        serving("2.8", buckets={}) as database,
        chirpstack_login() as network_server,
        grafana_server() as dashboards,
    ):
        if command == "provision chirpstack":
            (folder / "password").write_text("a-long-one-of-its-own")
            words += ["--host", f"127.0.0.1:{network_server.port}"]
        if command == "provision grafana":
            (folder / "password").write_text(PASSWORD)
            (folder / "open").write_text("a-token")
            monkeypatch.setenv("STADTFUNK_GRAFANA__URL", dashboards.url)
            monkeypatch.setenv("STADTFUNK_INFLUXDB__URL", database.url)
        if command == "provision influxdb":
            monkeypatch.setenv("STADTFUNK_INFLUXDB__URL", database.url)
            monkeypatch.setenv("STADTFUNK_INFLUXDB__ORGANISATION", "city")
        if command == "routes plan":
            (folder / "city.geojson").write_text(document(depot(), vehicle(disposal_sites=None)))
        if command == "rules start":
            await asyncio.to_thread(CliRunner().invoke, cli.app, ["rules", "stop", "waste"])
        before = len(rows(folder))
        result = await asyncio.to_thread(CliRunner().invoke, cli.app, words)
    assert result.exit_code in {0, 1}, result.output
    assert result.exit_code == 0 or command == "dead-letters retry", result.exception
    found = rows(folder)[before:]
    assert found
    for actor, action, reason in found:
        assert actor == operating_system_user()
        assert action in {command, f"{command} done"}
        assert reason == ("" if command in WITHOUT_REASON else WHY)
    with closing(sqlite3.connect(folder / "journal.db")) as connection:
        assert audit.verify(connection) is None


async def test_every_route_that_changes_leaves_a_row(folder: Path) -> None:
    """Each asked of a running service: without the token 401, with it a row with actor and reason as given."""
    service = Service(load())
    async with asyncio.TaskGroup() as group, asyncio.timeout(WAIT_S):
        group.create_task(service.run())
        while not service.url:
            await asyncio.sleep(0.01)
        token = json.loads(token_path(folder / "journal.db").read_text())["token"]
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
            for number, (path, body) in enumerate(sorted(ROUTES.items(), reverse=True), 1):
                place = path.replace("{letter_id}", "1").replace("{dev_eui}", DEVICE).replace("{subject}", DEVICE)
                place = place.replace("{domain}", "waste").replace("{name}", "waiting-1")
                place = place.replace("{container}", "container-1").replace("{plan}", f"plan-{path.split('/')[-1]}")
                guess = {"Authorization": "Bearer guess"}
                async with session.post(service.url + place, json={**WHO, **body}, headers=guess) as answer:
                    assert answer.status == 401, path
                async with session.post(service.url + place, json={**WHO, **body}) as answer:
                    assert answer.status == 200, await answer.text()
                assert len(rows(folder)) == number, path
        service.stop()
    assert {(actor, reason) for actor, _, reason in rows(folder)} == {(WHO["actor"], WHY)}
