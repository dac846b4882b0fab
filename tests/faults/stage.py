"""What every scenario stands on: a real broker, perhaps a real database, proxies before both, and traffic."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import aiohttp

from ingest.broker import MOSQUITTO_CONFIG, Mosquitto
from tests.doubles.influxd import Influxd, executable
from tests.doubles.tcp_proxy import Plan, Tap, TcpProxy, proxied
from tests.faults.balance import (
    DATABASES,
    Imbalance,
    InfluxPoints,
    Points,
    StoredPoints,
    check_dead_letters,
    check_events,
    check_uplinks,
    published,
)
from tests.faults.harness import SETTLE_S, Installation, Listener, Running, Traffic, listening, service

RATE = 200.0
CALM_S = 2.0
INFLUX = '[influxdb]\nurl = "http://127.0.0.1:{port}"\nbackoff_min_s = 0.05\nbackoff_max_s = 0.5\ntimeout_s = 2\n'
IMPATIENT = "keepalive_s = 1\nconnect_timeout_s = 2\n"
"""A broker that is silent for so long is left."""


class Run(NamedTuple):
    """One run of a scenario: where, with which randomness, how many faults."""

    folder: Path
    seed: int
    faults: int


class Result(NamedTuple):
    """What a run did: faults that happened, uplinks published, anything worth a word."""

    faults: int
    uplinks: int
    note: str = ""


class NotHere(Exception):
    """The scenario needs something that this machine lacks; the message names it."""


@dataclass
class Stage:
    """All parts of one run."""

    folder: Path
    rng: random.Random
    broker: Mosquitto
    broker_proxy: TcpProxy
    installation: Installation
    points: Points
    traffic: Traffic
    listener: Listener
    rate: float
    database: Influxd | None = None
    database_proxy: TcpProxy | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _publishing: asyncio.Task[None] | None = None

    def publish(self) -> None:
        """Begin to publish, at the run's rate."""
        self._publishing = asyncio.create_task(self.traffic.at_rate(self.rate, self._stop))

    async def quiet(self) -> None:
        """End publishing; what is on its way is published to the end."""
        self._stop.set()
        if self._publishing is not None:
            await self._publishing

    async def pause(self, least_s: float, most_s: float) -> None:
        """A random while."""
        await asyncio.sleep(self.rng.uniform(least_s, most_s))

    async def drained(self, life: Running) -> None:
        """Wait until all that was published is in the database, and nothing waits in the journal."""
        expected = published(self.traffic)
        try:
            async with asyncio.timeout(SETTLE_S):
                while True:
                    size = await waiting(life)
                    if size == 0 and len(await asyncio.to_thread(self.points.links)) >= len(expected):
                        return
                    await asyncio.sleep(0.2)
        except TimeoutError:
            check_uplinks(self.points.links(), expected)
            raise Imbalance(f"after {SETTLE_S:g} s still {await waiting(life)} lines and events wait") from None

    async def moving(self, uplinks: int = 40) -> None:
        """Wait until so many more uplinks were published."""
        wanted = self.traffic.sent + uplinks
        async with asyncio.timeout(SETTLE_S):
            while self.traffic.sent < wanted:
                await asyncio.sleep(0.02)

    async def emptied(self, life: Running) -> None:
        """Wait until nothing waits in the journal."""
        async with asyncio.timeout(SETTLE_S):
            while await waiting(life) != 0:
                await asyncio.sleep(0.2)

    async def calm(self, life: Running) -> None:
        """Wait until nothing new was stored for two seconds and nothing waits in the journal."""
        await life.connected()
        before, since = -1, time.monotonic()
        async with asyncio.timeout(SETTLE_S):
            while time.monotonic() - since < CALM_S or await waiting(life) != 0:
                now = self.points.links().total()
                if now != before:
                    before, since = now, time.monotonic()
                await asyncio.sleep(0.2)

    async def settle(self, life: Running, *, lossy: bool = False) -> int:
        """The end of a run: all is drained, the service ends in order, the books are checked.

        Returns the events that a broker lost; only with `lossy` it may have lost any.
        """
        await self.quiet()
        await self.drained(life)
        await asyncio.sleep(0.5)
        code = await life.end(signal.SIGTERM)
        if code != 0:
            raise Imbalance(f"the service ended with exit code {code} at SIGTERM")
        check_uplinks(self.points.links(), published(self.traffic))
        check_dead_letters(self.installation, self.traffic.unreadable)
        return check_events(self.installation, self.listener, lossy=lossy)

    @asynccontextmanager
    async def life(self, environment: Mapping[str, str] | None = None) -> AsyncIterator[Running]:
        """The service, connected."""
        async with service(self.installation, environment) as running:
            await running.connected()
            yield running


async def waiting(life: Running) -> int | None:
    """Lines and events in the journal; None while the service does not say."""
    try:
        size = (await life.status())["journal"]
    except (OSError, ValueError, KeyError, aiohttp.ClientError):
        return None
    return int(size["lines"]) + int(size["events"])


@asynccontextmanager
async def staged(
    run: Run,
    *,
    database: bool = False,
    journal: Path | None = None,
    tap: Callable[[], Tap] | None = None,
    broker_settings: tuple[str, ...] = (),
    rate: float = RATE,
) -> AsyncIterator[Stage]:
    """Set up one run. With `database` readings go to a real InfluxDB through a proxy, else to the embedded store."""
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(
            Mosquitto(
                config=(*MOSQUITTO_CONFIG, "persistence true", f"persistence_location {run.folder}/", *broker_settings),
                directory=run.folder,
            )
        )
        broker_proxy = await stack.enter_async_context(proxied(broker.port, tap=tap))
        server, server_proxy = await _database(run.folder, stack) if database else (None, None)
        installation = Installation(
            run.folder,
            broker_proxy.port,
            INFLUX.format(port=server_proxy.port) if server_proxy else "",
            journal,
            IMPATIENT,
        )
        listener = await stack.enter_async_context(listening(broker.port))
        stage = Stage(
            run.folder,
            random.Random(run.seed),
            broker,
            broker_proxy,
            installation,
            InfluxPoints(server) if server else StoredPoints(installation),
            Traffic(broker.port, mixed=True),
            listener,
            rate,
            server,
            server_proxy,
        )
        try:
            yield stage
        finally:
            await _ended(stage)


async def _ended(stage: Stage) -> None:
    if stage._publishing is not None:
        stage._publishing.cancel()
        await asyncio.wait([stage._publishing])


async def _database(folder: Path, stack: AsyncExitStack) -> tuple[Influxd, TcpProxy]:
    program = executable()
    if program is None:
        raise NotHere("needs influxd 1.8.10")
    place = folder / "influxd"
    place.mkdir()
    server = Influxd(program, place)
    stack.callback(server.kill)
    await asyncio.to_thread(server.start)
    for name in DATABASES:
        await asyncio.to_thread(server.create, name)
    return server, await stack.enter_async_context(proxied(server.port))


def cut_somewhere(rng: random.Random) -> Plan:
    """A connection that ends at a random byte, in a random way."""
    then: Literal["cut", "stall"] = "stall" if rng.random() < 0.3 else "cut"
    if rng.random() < 0.5:
        return Plan(up=int(10 ** rng.uniform(0, 3.7)), then=then)
    return Plan(down=int(10 ** rng.uniform(0, 5.3)), then=then)
