"""`stadtfunk simulate depot` beside the real service on a real broker, and used wrongly."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, NamedTuple

import aiomqtt
import pytest
import typer
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from typer.testing import CliRunner, Result

from ingest import audit
from ingest.app import Service
from ingest.broker import EmbeddedBroker, Mosquitto
from ingest.journal_schema import open_writer
from ingest.settings import load
from simulator.depot import work
from simulator.depot.command import EXAMPLE, depot
from simulator.depot.link import Link
from simulator.depot.report import BrokeDown, Confirmed, Stopped
from simulator.error import SimulatorError
from tests.simulator.depot.driving import HOUR, MINUTE, NIGHT, SHIFT, TRUCK
from tests.simulator.depot.test_on_stage import written

SPEED = 600.0
BEGIN = NIGHT + 5 * HOUR + 45 * MINUTE
WAIT_S = 120.0


def invoked(*arguments: str) -> Result:
    """The command in this process."""
    app = typer.Typer(rich_markup_mode=None)
    app.command(epilog=EXAMPLE)(depot)
    return CliRunner().invoke(app, list(arguments))


async def child(*arguments: str) -> tuple[int | None, str, str]:
    """The command as a process: exit code, output and errors."""
    words = (sys.executable, "-m", "simulator", "depot", *arguments)
    started = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        output, errors = await asyncio.wait_for(started.communicate(), WAIT_S)
    finally:
        if started.returncode is None:
            started.kill()
    return started.returncode, output.decode(), errors.decode()


class Clock:
    """Stands until it is started, and runs six hundred times as fast as life from then on."""

    def __init__(self) -> None:
        self.began_s: float | None = None

    def __call__(self) -> int:
        """Its time in ms."""
        gone_s = 0.0 if self.began_s is None else time.monotonic() - self.began_s
        return BEGIN // 1_000_000 + int(gone_s * 1000 * SPEED)


@asynccontextmanager
async def serving(folder: Path, port: int, city: Path) -> AsyncIterator[Clock]:
    """The service a quarter of an hour before the shift, and its clock, which stands."""
    settings = load(
        city={"file": city},
        journal={"path": folder / "journal.db"},
        store={"path": folder / "store.db"},
        mqtt={"port": port},
        http={"enabled": False},
        routes={"iterations": 20, "seconds": 20},
        simulation={"accept": True, "acting": True, "start_ms": BEGIN // 1_000_000, "speed": SPEED},
        telemetry={"heartbeat_s": 0.5},
    )
    clock = Clock()
    service = Service(settings, clock)
    async with asyncio.TaskGroup() as group:
        group.create_task(service.run())
        try:
            yield clock
        finally:
            service.stop()


class Kept(NamedTuple):
    """What the journal has: tours that were said, the newest word about each container, who answered, dead letters."""

    tours: int
    containers: list[dict[str, Any]]
    answers: list[str]
    letters: int


def kept(journal: Path) -> Kept:
    """What the journal has by now."""
    with closing(open_writer(journal)) as connection:
        rows = connection.execute("SELECT topic, payload FROM event ORDER BY seq").fetchall()
        said = [json.loads(payload) for topic, payload in rows if topic.endswith("/due")]
        answers = [row.action.actor for row in audit.rows(connection) if row.action.action == "routes answer"]
        (letters,) = connection.execute("SELECT count(*) FROM dead_letter").fetchone()
    newest = {event["subject"]: event["data"] for event in said}
    return Kept(sum(topic.endswith("/route") for topic, _ in rows), list(newest.values()), answers, letters)


async def until(folder: Path, holds: Callable[[Kept], bool]) -> Kept:
    """Wait for the journal to have it."""
    async with asyncio.timeout(WAIT_S):
        while not ((folder / "journal.db").exists() and holds(found := kept(folder / "journal.db"))):
            await asyncio.sleep(0.1)
    return found


@pytest.mark.timeout(300)
async def test_it_drives_what_the_service_plans(
    broker: Mosquitto | EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Confirmed, driven, ended by itself; the service knows what was emptied, and found nothing wrong with a word."""
    monkeypatch.chdir(tmp_path)
    city, _ = written(tmp_path, TRUCK)
    words = ("--city", str(city), "--port", str(broker.port), "--confirm", "--once", "--json", "--speed", str(SPEED))
    async with serving(tmp_path, broker.port, city) as clock:
        await until(tmp_path, lambda found: found.tours > 0)
        clock.began_s = time.monotonic()
        code, output, errors = await child(*words)
        assert (code, errors) == (0, "")
        found = await until(tmp_path, lambda found: all(data["emptying_confirmed"] for data in found.containers))
    counts = json.loads(output)
    assert (counts["served"], counts["tours"], counts["skipped"], counts["refused"]) == (3, 1, {}, 0)
    assert len(found.containers) == 3
    assert found.answers == ["mqtt:/simulator/depot"] * counts["confirmed"]
    assert (counts["confirmed"], found.letters) == (1, 0)


def test_a_broker_that_lets_nobody_listen_is_an_error() -> None:
    """Nobody waits for tours that never come; a broker that says nothing is one, too."""
    link = Link("broker.example", 1883, warn=pytest.fail)
    refused = [ReasonCode(PacketTypes.SUBACK, "Not authorized")]
    link._on_subscribe(link._client, None, 1, refused, None)
    with pytest.raises(SimulatorError, match=r"broker\.example:1883: cannot listen for tours: Not authorized"):
        link.listen()
    link._on_subscribe(link._client, None, 2, [ReasonCode(PacketTypes.SUBACK, "Granted QoS 1")], None)
    link.listen()


ACL = Path(__file__).parents[3] / "deploy" / "mosquitto" / "acl"
RIGHTS = ACL.read_text(encoding="utf-8").partition("user depot\n")[2].partition("\n\n")[0]


@pytest.mark.mosquitto
async def test_its_rights_at_the_broker_are_enough(
    start_mosquitto: Callable[..., Awaitable[Mosquitto]], tmp_path: Path
) -> None:
    """With what the account `depot` may do it listens, and ends after its time with nothing done."""
    (tmp_path / "acl").write_text(RIGHTS + "\n")
    broker = await start_mosquitto(f"acl_file {tmp_path}/acl")
    words = ("--from", "2026-09-14T06:00:00+02:00", "--speed", "600", "--for", "5m")
    code, output, errors = await child("--port", str(broker.port), "--test-broker", *words)
    assert (code, errors) == (0, "")
    assert output == "confirmed 0, tours 0, served 0, skipped 0, breakdowns 0, km 0.0, refused 0\n"


@pytest.mark.mosquitto
async def test_a_lost_broker_is_told(mosquitto: Mosquitto) -> None:
    """Once when it goes, once when it is there again; the depot goes on."""
    warned: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def warn(text: str) -> None:
        loop.call_soon_threadsafe(warned.put_nowait, text)

    with Link("127.0.0.1", mosquitto.port, warn=warn) as link:
        await asyncio.to_thread(link.listen)
        await mosquitto.stop()
        lost = await asyncio.wait_for(warned.get(), 10)
        assert lost.startswith(f"broker 127.0.0.1:{mosquitto.port}: the connection is lost (")
        await asyncio.sleep(2.5)
        await mosquitto.start()
        assert await asyncio.wait_for(warned.get(), 30) == f"broker 127.0.0.1:{mosquitto.port}: connected again"
    assert warned.empty()


@pytest.mark.mosquitto
async def test_a_city_that_is_real_is_refused(mosquitto: Mosquitto) -> None:
    """As the simulator does it: uplinks of other than simulated devices, unless it is a test broker."""

    async def talk() -> None:
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
            while True:
                await client.publish("application/1/device/a84041ffff000001/event/up", b"{}")
                await asyncio.sleep(0.05)

    talker = asyncio.create_task(talk())
    try:
        code, _, errors = await child("--port", str(mosquitto.port))
    finally:
        talker.cancel()
    assert (code, "a84041ffff000001" in errors, "--test-broker" in errors) == (1, True, True)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--breakdown", "vehicle-paper-1"), "expected for example"),
        (("--breakdown", "vehicle-paper-1@25:00"), "expected for example"),
        (("--breakdown", "truck-9@10:00"), "known are vehicle-residual-1"),
        (("--for", "soon"), "no duration"),
        (("--from", "noon"), "no time"),
        (("--skip-percent", "101"), "--skip-percent"),
        (("--speed", "0"), "--speed"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], named: str) -> None:
    """Exit code 2 and a message that names what is wrong, before anything is connected."""
    result = invoked(*arguments)
    assert (result.exit_code, named in result.stderr) == (2, True), result.output


def test_no_broker_and_no_city(tmp_path: Path) -> None:
    """One line, exit code 1."""
    for arguments in (("--port", "1"), ("--port", "1", "--test-broker"), ("--city", str(tmp_path / "none.geojson"))):
        result = invoked(*arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("stadtfunk: error: ")
        assert result.stderr.count("\n") == 1


def test_each_report_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """By the city's clock: who, what, where and why."""
    reports = (Stopped(SHIFT, TRUCK, "bin-0"), Stopped(SHIFT + MINUTE, TRUCK, "bin-1", "blocked"))
    for report in (Confirmed(NIGHT, TRUCK, "e1"), *reports, BrokeDown(SHIFT + HOUR, TRUCK, "e1")):
        work._tell(report)
    assert capsys.readouterr().out.splitlines() == [
        "2026-09-14 00:00:00 truck-1 tour confirmed",
        "2026-09-14 06:00:00 truck-1 served bin-0",
        "2026-09-14 06:01:00 truck-1 skipped bin-1: blocked",
        "2026-09-14 07:00:00 truck-1 breaks down",
    ]


def test_help_has_an_example() -> None:
    """As every command's; the password is no option."""
    words = invoked("--help").output
    assert "Example: stadtfunk simulate depot" in words
    assert "STADTFUNK_MQTT__PASSWORD" in words
