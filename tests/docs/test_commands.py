"""Every command in README.md and docs/: run in a prepared folder, or read by the program itself where it cannot be."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from _pytest.mark import ParameterSet
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from ingest.broker import Mosquitto
from ingest.cli import app
from simulator.cli import register
from tests.docs import house, pages
from tests.docs.house import House
from tests.doubles.grafana_server import PASSWORD, grafana_server
from tests.doubles.influx import serving

register(app)
PROGRAM = get_command(app)


class Run(NamedTuple):
    """Run for real: it ends well and says this; `needs` is a program around it, `after` what was done before."""

    says: str
    needs: str = ""
    after: str = ""


class Read(NamedTuple):
    """Not run, for this reason; the program reads its options and arguments all the same."""

    why: str


NONE = "messages          0"
TABLE: dict[str, Run | Read] = {
    "decode --model bosch/tps110 --f-port 2 0112": Run("18 °C"),
    "codecs show bosch/tps110": Run("TPS110"),
    "codecs suggest event.json": Run('quantity = "battery_voltage"'),
    "codecs import chirpstack-device-profiles": Run("1 codec"),
    "check -c stadtfunk.toml": Run("mqtt", needs="broker"),
    "check -c stadtfunk.toml --listen 30": Read("listens for half a minute; tests/ingest/test_check_broker.py does"),
    "codecs list --json": Run('"privacy": "personal"'),
    "run -c stadtfunk.toml": Read("does not end; tests/ingest/test_service.py runs it"),
    "simulate --speed 60 --for 1h": Read("takes a minute; tests/simulator runs it"),
    "simulate provision --api chirpstack:8080 --api-token-file token --tenant 'Simulated city' --dry-run": Read(
        "needs a ChirpStack; tests/simulator/test_provision.py has one"
    ),
    "simulate provision --api chirpstack:8080 --api-token-file token --tenant 'Simulated city'": Read("the same"),
    "simulate --to chirpstack --host mosquitto --encoding protobuf": Read(
        "needs a network server; tests/simulator/lorawan/test_end_to_end.py has one"
    ),
    "simulate --list": Run("heavy-rain"),
    "simulate --scenario heavy-rain --speed 0 --to file --out events.ndjson --truth truth.csv --json": Read(
        "listens for signals, which only a main thread may; tests/simulator/test_truth.py runs it"
    ),
    "simulate --score --scenario heavy-rain --for 13h": Read("takes minutes; tests/simulator/score plays parts of it"),
    "simulate --score --scenario collection-strike --for 4d --seed 2 --json": Read("the same"),
    "simulate --score --collected --scenario ordinary-week --for 14d": Read("the same"),
    "simulate --sumo --seeds 5 --plot loop.svg": Read("takes minutes; tests/simulator/sumo plays a part of it"),
    "simulate --sumo --seeds 5 --json": Read("the same"),
    "simulate depot --confirm --speed 60 --skip-percent 5 --breakdown vehicle-paper-1@09:30": Read(
        "does not end; tests/simulator/depot runs it"
    ),
    "record --for 1h monday.ndjson": Read("takes an hour; tests/simulator/test_recording.py has shorter ones"),
    "simulate --replay monday.ndjson --speed 60 --test-broker": Read(
        "needs a broker; tests/simulator/test_recording.py has one"
    ),
    "status": Run("21 known"),
    "dead-letters list": Run("Invalid JSON"),
    "provision influxdb --dry-run": Run("would: ", needs="influxdb"),
    "provision influxdb --token-file /etc/stadtfunk/secrets/influxdb__token": Read("writes outside of the folder"),
    "provision grafana --dry-run --admin-password-file password --open-token-file open"
    " --internal-token-file internal": Run("organisation", needs="grafana"),
    "replay --from 2026-11-01 --to 2026-11-20 --dry-run": Run("messages          41"),
    "replay --from 2026-03-01 --to 2026-03-08 --model elsys/generic --dry-run": Run(NONE),
    "replay --from 2026-03-01 --to 2026-03-08 --model elsys/generic --reason 'pressure was off by ten'": Run(NONE),
    "replay --list": Run("no corrections"),
    "replay --source record.ndjson": Run("messages          1"),
    "replay --source postgresql://reader@db/chirpstack_integration --from 2025-01-01": Read(
        "needs ChirpStack's PostgreSQL; tests/ingest/test_history_postgresql.py has one"
    ),
    "rules list": Run("parking.lot_state"),
    "rules report --since 2026-09-01": Run("parking.lot_state"),
    "rules confirm 32b38607-… --reason 'seen the camera'": Run("confirmed"),
    'rules stop traffic --reason "works at the ring"': Run("traffic"),
    "rules stop traffic --reason 'roadworks at the station'": Run("traffic"),
    "rules start traffic --reason 'roadworks over'": Run("traffic", after="rules stop traffic"),
    "rules explain 32b38607-…": Run("container-12"),
    "rules explain 32b38607-… --days 7": Run("container-12"),
    "rules replay --from 2026-03-14 --to 2026-03-15": Run("same"),
    "rules replay --from 2026-03-14 --to 2026-03-15 --city new.geojson --rule parking.lot_state --json": Run('"same"'),
    "rules replay --from 2026-09-01 --to 2026-09-08 --param lot-markt.almost_full_percent=80 --plot lots.svg": Run(
        "same"
    ),
    "rules replay --from 2026-09-01 --to 2026-09-08 --rule traffic.signal_plan --param control_group.dwell_s=1200"
    " --json": Run("counts"),
    "routes plan": Run("Ostring"),
    "routes plan --out tours": Run("Ostring"),
    "routes plan --date 2026-11-24 --fraction paper --vehicles crane-1,crane-2 --out tours": Run("crane-1"),
    "routes plan --iterations 5000 --seed 1 --json": Run('"plans"'),
    "waste evaluate tours-2026.csv --fraction glass --plot tours-2026.svg": Run("as logged"),
    'waste report container-12 --side-waste --reason "call of a citizen"': Run("container-12"),
    "devices list": Run("70b3d57ed0000014"),
    "devices list --silent": Run("no devices"),
    'devices set 70b3d57ed0000001 --state maintenance --until 2026-12-01 --reason "new battery"': Run("maintenance"),
    "devices set 70b3d57ed0000001 --state retired --reason 'stolen'": Run("retired"),
    "devices set lot-markt --state maintenance --until 2026-12-01 --reason 'road works'": Run("maintenance"),
    "devices show 70b3d57ed0000001": Run("lot-markt"),
    "audit list --since 2026-11-01": Run("container-1"),
    "audit list --since 2026-11-01 --actor os:anna": Run("no audit rows"),
    "audit verify": Run("head "),
    "audit verify --head 17:0c9f…": Run("head "),
    "audit export audit.ndjson": Run("audit.ndjson"),
    "audit verify --file audit.ndjson": Run("head "),
}

LINES = [line for line in pages.commands() if line[0].words[0] == "stadtfunk" and not line[0].followed]


def named(command: pages.Command) -> str:
    """How the table knows a command."""
    return command.text.partition("stadtfunk ")[2]


def parameter(line: list[pages.Command]) -> ParameterSet:
    """A line as pytest takes it, by its own words."""
    ways = [TABLE.get(named(command)) for command in line]
    real = [pytest.mark.mosquitto] if any(isinstance(way, Run) and way.needs == "broker" for way in ways) else []
    return pytest.param(line, marks=real, id=" && ".join(command.text for command in line))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prepared folder as nobody has used it yet."""
    folder = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        house.furnish(folder)
        house.fill(folder)
        told = CliRunner().invoke(app, ["devices", "set", "container-1", "--state", "active", "--reason", "is there"])
        assert told.exit_code == 0, told.output
    return folder


@pytest.fixture
async def place(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator["Place"]:
    """A copy of it for one line, and the programs around it."""
    folder = tmp_path / "house"
    shutil.copytree(filled, folder)
    monkeypatch.chdir(folder)
    async with AsyncExitStack() as stack:
        yield Place(House(folder), stack, monkeypatch)


class Place(NamedTuple):
    """Where a line is run."""

    house: House
    stack: AsyncExitStack
    monkeypatch: pytest.MonkeyPatch

    async def surround(self, program: str) -> None:
        """Start the program that a command needs, and name it in the settings."""
        if program == "broker":
            broker = await self.stack.enter_async_context(Mosquitto())
            house.settle(self.house.folder, broker.port)
        elif program == "influxdb":
            double = await self.stack.enter_async_context(serving("2.8", buckets={}))
            double.token = "admin"
            house.settle(self.house.folder, more=f'[influxdb]\nurl = "{double.url}"\norganisation = "stadt"\n')
            self.monkeypatch.setenv("INFLUXDB_ADMIN_TOKEN", "admin")
        elif program == "grafana":
            server = await self.stack.enter_async_context(grafana_server())
            urls = f'[grafana]\nurl = "{server.url}"\n[influxdb]\nurl = "http://influxdb.example:8086"\n'
            house.settle(self.house.folder, more=urls)
            for name, secret in (("password", PASSWORD), ("open", "token-1"), ("internal", "token-2")):
                house.write(self.house.folder / name, secret)


@pytest.mark.parametrize("line", [parameter(line) for line in LINES])
async def test_a_command_does_what_its_page_says(line: list[pages.Command], place: Place) -> None:
    """It ends with the right code and speaks of the right thing; what cannot be run is read by the program."""
    for command in line:
        way = TABLE[named(command)]
        words = command.words[1:]
        if isinstance(way, Read):
            read(words)
            continue
        if way.needs:
            await place.surround(way.needs)
        if way.after:
            await asyncio.to_thread(CliRunner().invoke, app, way.after.split())
        result = await asyncio.to_thread(CliRunner().invoke, app, place.house.meant(words))
        assert result.exit_code == 0, (result.output, result.exception)
        assert way.says in result.output


def test_the_table_has_what_the_pages_have() -> None:
    """No command is missing in it, and none is in it that no page has any more."""
    assert {named(command) for line in LINES for command in line} == set(TABLE)


def command_of(words: Sequence[str]) -> tuple[object, list[str]]:
    """The program's command that these words begin with, and the words behind it; raises KeyError."""
    command: object = PROGRAM
    rest = list(words)
    while isinstance(command, TyperGroup) and rest and not rest[0].startswith("-"):
        command = command.commands[rest.pop(0)]
    return command, rest


def read(words: Sequence[str]) -> None:
    """Have the program read a command's words without doing it; raises click's UsageError."""
    command, rest = command_of(words)
    assert isinstance(command, TyperCommand | TyperGroup), words
    assert not isinstance(command, TyperGroup) or command.invoke_without_command, words
    command.make_context("stadtfunk", rest).close()


@pytest.mark.parametrize(("page", "words"), sorted(set(pages.mentions())))
def test_what_the_text_names_is_there(page: str, words: str) -> None:
    """Every `stadtfunk …` within a page's text names a command, and options that it has."""
    command, rest = command_of(pages.until_placeholder(words))
    known = {option for parameter in getattr(command, "params", []) for option in parameter.opts}
    given = {word for word in [*rest, *words.split()] if word.startswith("-")}
    assert given <= known, page


def test_the_text_names_commands() -> None:
    """They are found at all."""
    assert len(pages.mentions()) > 30
