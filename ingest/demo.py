"""`stadtfunk demo`: broker, simulated city, service and store on this machine, all of them the real parts."""

import asyncio
import contextlib
import importlib.resources
import json
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.live import Live

from ingest.app import Service
from ingest.broker import BrokerError, DemoBroker, demo_broker
from ingest.clock import wall_clock
from ingest.commands.error import CommandError
from ingest.demo_consumer import Controllers
from ingest.demo_view import Snapshot, snapshot, view
from ingest.settings import CitySettings, Settings, given
from ingest.store_schema import StoreError
from ingest.store_schema import count as count_stored
from ingest.telemetry import configure_logging
from rules.custom.definition import CustomRule

HOST = "127.0.0.1"
BEGIN_HOUR, FRIDAY = 7, 4
CONNECT_S = 15.0
SETTLE_S = 20.0
REFRESH_S = 0.5
LINE_S = 5.0
CUSTOM = CustomRule(
    name="loud-street",
    kind="station",
    units={"sound_level_average": "dB"},
    when='avg("sound_level_average", "20m") > 50.0',
    hysteresis={"sound_level_average": 2.0},
    coverage=0,
    text_de="{name}: {avg_sound_level_average_20m} dB im Mittel",
    text_en="{name}: {avg_sound_level_average_20m} dB on average",
)
"""A rule without code, as a city writes it into its settings."""
MODES = {
    "traffic.measured": "active",
    "traffic.queue_warning": "active",
    "traffic.signal_plan/group-werler-strasse": "active",
}
"""Traffic rules ship in shadow; here what was measured goes out, and one group's plans are asked for."""


class Balance(NamedTuple):
    """What was sent, what became of it, and what the simulator says it caused."""

    sent: int
    stored: int
    in_store: int
    duplicates: int
    dead_letters: dict[str, int]
    intended_duplicates: int
    intended_dead_letters: dict[str, int]
    events: int

    def mistakes(self) -> list[str]:
        """What does not add up; empty when all is well."""
        checks = {
            "sent = stored + duplicates + dead letters": (
                self.sent,
                self.stored + self.duplicates + sum(self.dead_letters.values()),
            ),
            "stored = in the store": (self.stored, self.in_store),
            "duplicates = intended": (self.duplicates, self.intended_duplicates),
            "dead letters = intended": (self.dead_letters, self.intended_dead_letters),
        }
        wrong = [f"{claim}: {left} ≠ {right}" for claim, (left, right) in checks.items() if left != right]
        return wrong if self.sent else ["the simulator sent nothing", *wrong]

    def text(self) -> str:
        """The balance as people read it."""
        head = (
            f"{self.sent} uplinks sent = {self.stored} stored + {self.duplicates} duplicates"
            f" + {sum(self.dead_letters.values())} dead letters; {self.events} events"
        )
        return "\n".join([head, *(f"  dead letters, {why}: {n}" for why, n in sorted(self.dead_letters.items()))])


class Demo(NamedTuple):
    """What to play: seconds of wall time (None: until interrupted), speed, number of devices, seed."""

    seconds: float | None
    speed: float
    devices: int | None
    seed: int


def morning_ms(now_ms: int, timezone: str) -> int:
    """Seven o'clock of today's date in that time zone, at weekends of Friday's: when a city fills."""
    today = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(timezone))
    begin = today.replace(hour=BEGIN_HOUR, minute=0, second=0, microsecond=0, fold=0)
    return int((begin - timedelta(days=max(0, begin.weekday() - FRIDAY))).timestamp() * 1000)


def play(demo: Demo, *, quiet: bool) -> Balance:
    """The whole demonstration; raises CommandError."""
    with tempfile.TemporaryDirectory(prefix="stadtfunk-demo-") as folder:
        return asyncio.run(_Stage(demo, Path(folder)).run(quiet=quiet))


class _Stage:
    def __init__(self, demo: Demo, folder: Path) -> None:
        self.demo = demo
        self.folder = folder
        self.start_ms = morning_ms(wall_clock(), CitySettings().timezone)
        self.city = folder / "city.geojson"
        self.city.write_bytes((importlib.resources.files("deploy") / "city" / "hamm.geojson").read_bytes())
        self._stop = asyncio.Event()

    async def run(self, *, quiet: bool) -> Balance:
        """The whole demonstration."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        try:
            async with demo_broker() as broker:
                return await self._with_broker(broker, quiet=quiet)
        except (BrokerError, StoreError) as error:
            raise CommandError(f"the demo cannot start: {error}") from error

    async def _with_broker(self, broker: DemoBroker, *, quiet: bool) -> Balance:
        settings = self._settings(broker)
        configure_logging(settings.telemetry)
        service = Service(settings)
        serving = asyncio.create_task(service.run())
        controllers = Controllers(HOST, broker.port)
        answering = asyncio.create_task(controllers.run())
        try:
            await self._connected(service, serving)
            async with self._simulator(broker) as child:
                await self._watch(service, child, quiet=quiet)
                report = await self._end(child)
            await self._settled(service, report["published"])
        finally:
            service.stop()
            answering.cancel()
            await asyncio.wait([answering])
            await serving
        return await self._balance(service, settings, report)

    def _settings(self, broker: DemoBroker) -> Settings:
        return given(
            mqtt={"host": HOST, "port": broker.port, "client_id": "stadtfunk-demo"},
            city={"file": self.city},
            journal={"path": self.folder / "journal.db"},
            store={"path": self.folder / "store.db"},
            http={"port": 0},
            simulation={"accept": True, "acting": True, "start_ms": self.start_ms, "speed": self.demo.speed},
            rules={"modes": MODES, "custom": (CUSTOM,)},
            telemetry={"log_level": "error"},
        )

    async def _connected(self, service: Service, serving: asyncio.Task[None]) -> None:
        deadline = time.monotonic() + CONNECT_S
        while not (service.subscriber.connected and service.publisher.connected):
            if serving.done() or time.monotonic() > deadline:
                raise CommandError(f"the service does not reach its broker: {service.problems()}")
            await asyncio.sleep(0.02)

    @contextlib.asynccontextmanager
    async def _simulator(self, broker: DemoBroker) -> AsyncIterator[asyncio.subprocess.Process]:
        arguments = {
            "--to": "mqtt",
            "--host": HOST,
            "--port": str(broker.port),
            "--city": str(self.city),
            "--seed": str(self.demo.seed),
            "--speed": str(self.demo.speed),
            "--from-ms": str(self.start_ms),
            "--report": str(self.folder / "report.json"),
            "--for": f"{self.demo.seconds * self.demo.speed:.0f}s" if self.demo.seconds else None,
            "--devices": str(self.demo.devices) if self.demo.devices else None,
        }
        words = [word for key, value in arguments.items() if value is not None for word in (key, value)]
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "simulator", *words, "--faults", "--quiet", "--test-broker", start_new_session=True
        )
        try:
            yield child
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()

    async def _watch(self, service: Service, child: asyncio.subprocess.Process, *, quiet: bool) -> None:
        console = Console(stderr=True)
        waiting = asyncio.create_task(child.wait())
        stopping = asyncio.create_task(self._stop.wait())
        live = console.is_terminal and not quiet
        screen: Any = Live(console=console, refresh_per_second=4) if live else contextlib.nullcontext()
        before: Snapshot | None = None
        with screen:
            while not (waiting.done() or stopping.done()):
                await asyncio.wait(
                    [waiting, stopping],
                    timeout=REFRESH_S if live else LINE_S,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                now = await snapshot(service, before)
                if live:
                    screen.update(view(now))
                elif not quiet:
                    typer.echo(now.line(), err=True)
                before = now
        stopping.cancel()
        waiting.cancel()

    async def _end(self, child: asyncio.subprocess.Process) -> dict[str, Any]:
        if child.returncode is None:
            child.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(SETTLE_S):
                code = await child.wait()
        except TimeoutError as error:
            raise CommandError("the simulator does not end") from error
        if code:
            raise CommandError(f"the simulator failed with exit code {code}")
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return report

    async def _settled(self, service: Service, published: int) -> None:
        deadline = time.monotonic() + SETTLE_S
        while time.monotonic() < deadline:
            size = await service.journal.size()
            if service.telemetry.totals.uplinks >= published and not size.lines and not size.events:
                return
            await asyncio.sleep(0.1)

    async def _balance(self, service: Service, settings: Settings, report: dict[str, Any]) -> Balance:
        path = settings.store.path
        if path is None:
            raise CommandError("the demo has no store")
        in_store = count_stored(path, "link")
        totals = service.telemetry.totals
        return Balance(
            sent=report["published"],
            stored=totals.stored,
            in_store=in_store,
            duplicates=totals.duplicates,
            dead_letters=dict(totals.reasons),
            intended_duplicates=report["duplicates"],
            intended_dead_letters={reason: count for reason, count in report["dead_letters"].items() if count},
            events=totals.events,
        )
