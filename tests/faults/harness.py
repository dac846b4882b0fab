"""The service as a real process, uplinks at a steady rate, and what came of them."""

import asyncio
import json
import math
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import aiomqtt

from ingest.clock import wall_clock
from tests.ingest.uplinks import CITY, LOT_DEVICES, PROFILES, event, occupied, topic

OWN = "stadtfunk/v1/canary/"
"""Topics on which the service looks after itself."""
START_S = 30.0
SETTLE_S = 60.0
PUBLISH_S = 5.0
"""Seconds the broker may take to acknowledge an uplink until it is published again."""
PROGRAM = [str(Path(sys.executable).with_name("stadtfunk"))]


class Installation:
    """A folder with settings, city, journal and store for one service."""

    def __init__(self, folder: Path, port: int, extra: str = "", journal: Path | None = None, mqtt: str = "") -> None:
        self.folder = folder
        self.journal = journal or folder / "journal.db"
        self.store = folder / "store.db"
        self.settings = folder / "stadtfunk.toml"
        self.city = folder / "city.geojson"
        self.log = folder / "service.log"
        self.city.write_text(json.dumps(CITY))
        profiles = "\n".join(f'"{name}" = "{codec}"' for name, codec in PROFILES.items())
        store = "" if "[influxdb]" in extra else f'[store]\npath = "{self.store}"\n'
        self.settings.write_text(
            f'[city]\nfile = "{self.city}"\n'
            f"[mqtt]\nport = {port}\nreconnect_min_s = 0.05\nreconnect_max_s = 0.5\n{mqtt}"
            f'[journal]\npath = "{self.journal}"\n{store}[http]\nport = 0\n'
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
        journal = self.installation.journal
        return str(json.loads(journal.with_name(f"{journal.name}.http").read_text())["url"])

    async def status(self) -> dict[str, Any]:
        """Its own word on how it fares."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/api/v1/status") as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def listens(self) -> None:
        """Wait until it serves its HTTP interface."""
        async with asyncio.timeout(START_S):
            while True:
                try:
                    await self.status()
                except (OSError, ValueError, aiohttp.ClientError):
                    if self.process.returncode is not None:
                        raise
                    await asyncio.sleep(0.05)
                else:
                    return

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
async def service(installation: Installation, environment: Mapping[str, str] | None = None) -> AsyncIterator[Running]:
    """`stadtfunk run` for as long as the context lasts."""
    journal = installation.journal
    journal.with_name(f"{journal.name}.http").unlink(missing_ok=True)
    with installation.log.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            "run",
            "-c",
            str(installation.settings),
            stderr=log,
            stdout=log,
            env={**os.environ, **(environment or {})},
        )
    try:
        yield Running(installation, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Traffic:
    """Numbered uplinks of the parking sensors; no two are the same frame.

    With `mixed`, some are published twice, and between them stand messages that nobody can read, each another one.
    An uplink that the broker did not acknowledge is published again, the same to the byte.
    """

    def __init__(self, port: int, *, mixed: bool = False) -> None:
        self.port = port
        self.sent = 0
        self.repeats = 0
        self.again = 0
        self.unreadable: set[bytes] = set()
        self._mixed = mixed
        self._next: tuple[str, bytes] | None = None
        self._last_ms = 0

    async def at_rate(self, per_s: float, stop: asyncio.Event) -> None:
        """Publish at a steady rate until told to stop; survives a broker that comes and goes.

        Ends only when the broker has acknowledged whatever was sent: nothing is in doubt then.
        """
        loop = asyncio.get_running_loop()
        while not stop.is_set() or self._next is not None:
            try:
                async with aiomqtt.Client(
                    "127.0.0.1", self.port, max_queued_outgoing_messages=0, timeout=PUBLISH_S
                ) as client:
                    if self._next is not None:
                        await self.publish(client)
                    begin, first = loop.time(), self.sent
                    while not stop.is_set():
                        behind = int((loop.time() - begin) * per_s) - (self.sent - first)
                        for _ in range(max(0, behind)):
                            await self.publish(client)
                        await asyncio.sleep(0.01)
            except aiomqtt.MqttError:
                self.again += self._next is not None
                await asyncio.sleep(0.05)

    async def burst(self, count: int) -> None:
        """Publish so many at once."""
        async with aiomqtt.Client("127.0.0.1", self.port) as client:
            for _ in range(count):
                await self.publish(client)

    async def publish(self, client: aiomqtt.Client) -> None:
        """Publish the next uplink and wait for the broker's word."""
        if self._next is None:
            self._next = self._uplink()
        where, payload = self._next
        await _acknowledged(client, where, payload)
        if self._mixed and self.sent % 17 == 0:
            await _acknowledged(client, where, payload)
            self.repeats += 1
        if self._mixed and self.sent % 41 == 0:
            bad = f"no event, {self.sent}".encode()
            self.unreadable.add(bad)
            await _acknowledged(client, where, bad)
        self._next = None
        self.sent += 1

    def _uplink(self) -> tuple[str, bytes]:
        number = self.sent
        dev_eui = LOT_DEVICES[number % len(LOT_DEVICES)]
        taken = number % len(LOT_DEVICES) < 10 + 9 * math.sin(number / 60)
        self._last_ms = max(wall_clock(), self._last_ms + (number % len(LOT_DEVICES) == 0))
        uplink = event(dev_eui, f_cnt=number, time_ms=self._last_ms, payload=occupied(yes=taken))
        return topic(dev_eui), json.dumps(uplink).encode()


async def _acknowledged(client: aiomqtt.Client, where: str, payload: bytes) -> None:
    """Publish and wait for the broker's word, no longer than the connection stands; raises MqttError."""
    publishing = asyncio.create_task(client.publish(where, payload, qos=1))
    try:
        done, _ = await asyncio.wait((publishing, client._disconnected), return_when=asyncio.FIRST_COMPLETED)
        if publishing not in done:
            raise aiomqtt.MqttError("the connection ended before the acknowledgement came")
        await publishing
    finally:
        publishing.cancel()
        await asyncio.wait((publishing,))


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
        if where.startswith(OWN):
            return
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
    if not task.cancelled():
        task.result()
