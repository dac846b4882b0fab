"""The service as a real process, uplinks at a steady rate, and what came of them."""

import asyncio
import json
import math
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import aiomqtt

from ingest.clock import wall_clock
from tests.ingest.uplinks import CITY, LOT_DEVICES, PROFILES, event, occupied, topic

START_S = 20.0
SETTLE_S = 40.0
PROGRAM = [str(Path(sys.executable).with_name("stadtfunk"))]


class Installation:
    """A folder with settings, city, journal and store for one service."""

    def __init__(self, folder: Path, port: int, extra: str = "") -> None:
        self.folder = folder
        self.journal = folder / "journal.db"
        self.store = folder / "store.db"
        self.settings = folder / "stadtfunk.toml"
        self.city = folder / "city.geojson"
        self.city.write_text(json.dumps(CITY))
        profiles = "\n".join(f'"{name}" = "{codec}"' for name, codec in PROFILES.items())
        self.settings.write_text(
            f'[city]\nfile = "{self.city}"\n[mqtt]\nport = {port}\nreconnect_min_s = 0.05\nreconnect_max_s = 0.5\n'
            f'[journal]\npath = "{self.journal}"\n[store]\npath = "{self.store}"\n[http]\nport = 0\n'
            f"[codecs.profiles]\n{profiles}\n{extra}"
        )

    def journal_rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the journal, read as any other process would."""
        return _rows(self.journal, query, values)

    def store_rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the embedded store."""
        return _rows(self.store, query, values)

    def stored_uplinks(self) -> int:
        """Points of the Influx measurement `link` in the store."""
        query = "SELECT count(*) FROM point JOIN series ON series = id WHERE measurement = 'link'"
        return int(self.store_rows(query)[0][0])


def _rows(path: Path, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


class Running:
    """One life of the service's process."""

    def __init__(self, installation: Installation, process: asyncio.subprocess.Process) -> None:
        self.installation = installation
        self.process = process

    @property
    def url(self) -> str:
        """Where it listens; raises when it is not up yet."""
        return str(json.loads(self.installation.journal.with_name("journal.db.http").read_text())["url"])

    async def status(self) -> dict[str, Any]:
        """Its own word on how it fares."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/api/v1/status") as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def connected(self) -> None:
        """Wait until it has its broker."""
        async with asyncio.timeout(START_S):
            while True:
                try:
                    if "mqtt" not in (await self.status())["problems"]:
                        return
                except (OSError, ValueError, aiohttp.ClientError):
                    if self.process.returncode is not None:
                        raise
                await asyncio.sleep(0.05)

    async def handled(self, uplinks: int) -> None:
        """Wait until so many uplinks were stored, recognised as duplicates, or kept as dead letters."""
        async with asyncio.timeout(SETTLE_S):
            while (await self.status())["totals"]["uplinks"] < uplinks:
                await asyncio.sleep(0.05)

    async def settled(self, uplinks: int) -> dict[str, Any]:
        """Wait until so many uplinks are in the store and nothing waits."""
        async with asyncio.timeout(SETTLE_S):
            while True:
                status = await self.status()
                size = status["journal"]
                if not size["lines"] and not size["events"] and self.installation.stored_uplinks() >= uplinks:
                    return status
                await asyncio.sleep(0.1)

    async def end(self, how: signal.Signals) -> int:
        """Send a signal and wait; the exit code."""
        self.process.send_signal(how)
        return await self.process.wait()


@asynccontextmanager
async def service(installation: Installation) -> AsyncIterator[Running]:
    """`stadtfunk run` for as long as the context lasts."""
    installation.journal.with_name("journal.db.http").unlink(missing_ok=True)
    with (installation.folder / "service.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *PROGRAM, "run", "-c", str(installation.settings), stderr=log, stdout=log
        )
    try:
        yield Running(installation, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Traffic:
    """Numbered uplinks of the parking sensors; no two are the same frame."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sent = 0

    async def at_rate(self, per_s: float, stop: asyncio.Event) -> None:
        """Publish at a steady rate until told to stop; survives a broker that comes and goes."""
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            try:
                async with aiomqtt.Client("127.0.0.1", self.port, max_queued_outgoing_messages=0) as client:
                    begin, first = loop.time(), self.sent
                    while not stop.is_set():
                        behind = int((loop.time() - begin) * per_s) - (self.sent - first)
                        for _ in range(max(0, behind)):
                            await self.publish(client)
                        await asyncio.sleep(0.01)
            except aiomqtt.MqttError:
                await asyncio.sleep(0.05)

    async def burst(self, count: int) -> None:
        """Publish so many at once."""
        async with aiomqtt.Client("127.0.0.1", self.port) as client:
            for _ in range(count):
                await self.publish(client)

    async def publish(self, client: aiomqtt.Client) -> None:
        """Publish the next uplink and wait for the broker's word."""
        number = self.sent
        dev_eui = LOT_DEVICES[number % len(LOT_DEVICES)]
        taken = number % len(LOT_DEVICES) < 10 + 9 * math.sin(number / 500)
        now_ms = wall_clock()
        uplink = event(dev_eui, f_cnt=number, time_ms=now_ms, payload=occupied(yes=taken))
        await client.publish(topic(dev_eui), json.dumps(uplink), qos=1)
        self.sent += 1


class Listener:
    """A consumer that keeps every event it got: payloads by id, and the newest payload of each topic."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.payloads: dict[str, set[bytes]] = {}
        self.newest: dict[str, bytes] = {}
        self.ready = asyncio.Event()

    async def listen(self, port: int) -> None:
        """Receive until cancelled; comes again when the broker does, with a session that is kept."""
        while True:
            try:
                async with aiomqtt.Client(
                    "127.0.0.1", port, identifier=self.name, clean_session=False, protocol=aiomqtt.ProtocolVersion.V311
                ) as client:
                    await client.subscribe("stadtfunk/v1/#", qos=1)
                    self.ready.set()
                    async for message in client.messages:
                        self._take(str(message.topic), bytes(message.payload) if message.payload else b"")
            except aiomqtt.MqttError:
                await asyncio.sleep(0.05)

    def _take(self, where: str, payload: bytes) -> None:
        self.newest[where] = payload
        if payload:
            self.payloads.setdefault(json.loads(payload)["id"], set()).add(payload)


@asynccontextmanager
async def listening(port: int, name: str = "listener") -> AsyncIterator[Listener]:
    """A consumer for as long as the context lasts."""
    listener = Listener(name)
    task = asyncio.create_task(listener.listen(port))
    try:
        async with asyncio.timeout(START_S):
            await listener.ready.wait()
        yield listener
    finally:
        task.cancel()
        await asyncio.wait([task])
