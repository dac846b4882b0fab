"""Downlinks through the whole service and a real Mosquitto, with a client that plays ChirpStack."""

import asyncio
import contextlib
import json
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from ingest.app import Service
from ingest.broker import Mosquitto
from ingest.clock import Clock, wall_clock
from ingest.settings import Settings, load
from tests.ingest.commanding import REPORTS, TOPIC, city_text, commanding
from tests.ingest.uplinks import APPLICATION, LOT_DEVICES, PROFILES, event, occupied, rfc3339, topic

__all__ = ["commanding"]

DEVICE = LOT_DEVICES[0]
WAIT_S = 40
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.mosquitto


class ChirpStack:
    """Reads commands as ChirpStack does, says uplinks and what becomes of downlinks; hears our reports, too."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self._counter = 0
        self.commands: list[dict[str, Any]] = []
        self.reports: list[dict[str, Any]] = []
        self.retained = 0

    async def listen(self) -> None:
        """Hear for ever."""
        async for message in self._client.messages:
            assert isinstance(message.payload, bytes)
            said = json.loads(message.payload)
            self.retained += message.retain
            if str(message.topic) == REPORTS:
                self.reports.append(said["data"])
            else:
                assert str(message.topic) == f"application/{APPLICATION}/device/{said['devEui']}/command/down"
                self.commands.append(said)

    async def uplink(self, *, yes: bool = True, ahead_ms: int = 0) -> None:
        """A space says something, from which a request may follow."""
        self._counter += 1
        payload, time_ms = occupied(yes=yes), wall_clock() + ahead_ms
        said = event(DEVICE, payload=payload, f_cnt=self._counter, time_ms=time_ms)
        await self._client.publish(topic(DEVICE), json.dumps(said), qos=1)

    async def uplink_when_heard(self, tmp_path: Path) -> None:
        """The same once a service is there: until then it hears of a free space."""
        async with asyncio.timeout(WAIT_S):
            while not rows(tmp_path, "SELECT 1 FROM commits WHERE messages > 0"):
                await self.uplink(yes=False)
                await asyncio.sleep(0.3)
        await self.uplink()

    async def say(self, kind: str, name: str, **fields: Any) -> None:  # noqa: ANN401 - any field
        """What became of a queue item."""
        self._counter += 1
        info = event(DEVICE)["deviceInfo"]
        said = {"time": rfc3339(wall_clock()), "deviceInfo": info, "deduplicationId": f"d{self._counter}", **fields}
        if kind == "log":
            said["context"] = {"queue_item_id": name}
        else:
            said["queueItemId"] = name
        await self._client.publish(topic(DEVICE, kind), json.dumps(said), qos=1)

    async def statuses(self, *expected: str) -> None:
        """Wait for these reports."""
        await until(lambda: len(self.reports) >= len(expected))
        assert [said["status"] for said in self.reports] == list(expected)


@contextlib.asynccontextmanager
async def chirpstack(broker: Mosquitto) -> AsyncIterator[ChirpStack]:
    """A ChirpStack that is connected."""
    async with aiomqtt.Client(
        "127.0.0.1", broker.port, identifier="chirpstack", protocol=aiomqtt.ProtocolVersion.V5
    ) as client:
        played = ChirpStack(client)
        for name in ("application/+/device/+/command/+", REPORTS):
            await client.subscribe(name, qos=1)
        task = asyncio.create_task(played.listen())
        try:
            yield played
        finally:
            task.cancel()
            await asyncio.wait([task])
        assert task.cancelled()


def settings_of(tmp_path: Path, broker: Mosquitto, **command: Any) -> Settings:  # noqa: ANN401 - parts of a wish
    """Settings, in a file, of a service with the small city."""
    (tmp_path / "city.geojson").write_text(city_text(**command))
    profiles = "\n".join(f'"{name}" = "{codec}"' for name, codec in PROFILES.items())
    (tmp_path / "stadtfunk.toml").write_text(
        f"[city]\nfile = '{tmp_path}/city.geojson'\n[mqtt]\nport = {broker.port}\nreconnect_max_s = 0.3\n"
        f"reconnect_min_s = 0.1\n[journal]\npath = '{tmp_path}/journal.db'\n[http]\nenabled = false\n"
        f"[codecs.profiles]\n{profiles}\n[downlinks]\nunanswered_after_s = 0\n"
    )
    return load(tmp_path / "stadtfunk.toml")


@contextlib.asynccontextmanager
async def serving(settings: Settings, clock: Clock = wall_clock) -> AsyncIterator[Service]:
    """A service that is connected, in this process."""
    service = Service(settings, clock)
    task = asyncio.create_task(service.run())
    try:
        await until(lambda: task.done() or (service.subscriber.connected and service.publisher.connected))
        yield service
    finally:
        service.stop()
        await asyncio.wait_for(task, WAIT_S)


@contextlib.asynccontextmanager
async def process(tmp_path: Path, stage: str = "", ahead_s: int = 0) -> AsyncIterator[asyncio.subprocess.Process]:
    """A service of its own process, which goes no further than `stage`; it is ended if nobody killed it."""
    config = str(tmp_path / "stadtfunk.toml")
    program = (sys.executable, "-m", "tests.ingest.commanding", config, stage, str(ahead_s))
    with (tmp_path / "service.log").open("ab") as log:
        child = await asyncio.create_subprocess_exec(*program, cwd=ROOT, stderr=log)
    try:
        yield child
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
        await asyncio.wait_for(child.wait(), WAIT_S)


async def until(condition: Any) -> None:  # noqa: ANN401 - a function
    """Wait for something to become true."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.02)


def rows(tmp_path: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    """What the journal holds; nothing while there is none."""
    path = tmp_path / "journal.db"
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute(query, values).fetchall()
    except sqlite3.OperationalError:
        return []


def kept(tmp_path: Path) -> list[str]:
    """What downlinks became."""
    return [status for (status,) in rows(tmp_path, "SELECT status FROM downlink ORDER BY time_ms")]


def request(tmp_path: Path) -> tuple[str, str]:
    """Id and status of the one request."""
    ((name, status),) = rows(tmp_path, "SELECT id, status FROM event WHERE topic = ?", TOPIC)
    return name, status


@pytest.mark.usefixtures("commanding")
async def test_from_an_uplink_to_the_devices_acknowledgement(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Uplink, command, a restart before the answers, txack and ack twice each: acknowledged, each told once."""
    settings = settings_of(tmp_path, mosquitto)
    async with chirpstack(mosquitto) as played:
        async with serving(settings):
            await played.uplink()
            await until(lambda: played.commands and kept(tmp_path) == ["queued"])
        (command,) = played.commands
        assert (command["devEui"], command["fPort"], command["data"]) == (DEVICE, 10, "Af8=")
        assert (command["id"], "published") == request(tmp_path)
        for kind, fields in (("txack", {}), ("ack", {"acknowledged": True})):
            for _ in range(2):
                await played.say(kind, command["id"], **fields)
        async with serving(settings):
            await played.statuses("sent", "acknowledged")
            await until(lambda: kept(tmp_path) == ["acknowledged"])
            await asyncio.sleep(0.5)
        assert (len(played.commands), len(played.reports), played.retained) == (1, 2, 0)


@pytest.mark.usefixtures("commanding")
async def test_what_chirpstack_gives_up_is_reported(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Its log says expired; a second one fails; of a third nothing is heard until it has long expired."""
    ahead_ms = 0
    settings = settings_of(tmp_path, mosquitto)
    async with chirpstack(mosquitto) as played, serving(settings, lambda: wall_clock() + ahead_ms):
        for code in ("EXPIRED", "DOWNLINK_PAYLOAD_SIZE", ""):
            count = len(played.commands)
            await played.uplink()
            await until(lambda: len(played.commands) > count)  # noqa: B023 - awaited at once
            if code:
                await played.say("log", played.commands[-1]["id"], level="ERROR", code=code, description="so it is")
        await until(lambda: kept(tmp_path)[2:] == ["queued"])
        ahead_ms = 611_000
        await played.uplink(yes=False, ahead_ms=ahead_ms)
        await played.statuses("expired", "failed", "unanswered")
        assert played.reports[0]["reason"] == "EXPIRED: so it is"
        assert [said["request_id"] for said in played.reports] == [command["id"] for command in played.commands]


async def test_a_kill_before_publishing_sends_it_once(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """SIGKILL after the commit and before the command is on the wire: the next start sends it, once, with its id."""
    settings_of(tmp_path, mosquitto)
    async with chirpstack(mosquitto) as played:
        async with process(tmp_path, "publish") as child:
            await played.uplink_when_heard(tmp_path)
            await until(lambda: kept(tmp_path) == ["sending"])
            child.kill()
        assert (request(tmp_path)[1], played.commands) == ("pending", [])
        async with process(tmp_path):
            await until(lambda: kept(tmp_path) == ["queued"])
            await asyncio.sleep(0.5)
        assert [command["id"] for command in played.commands] == [request(tmp_path)[0]]


async def test_a_kill_before_it_expires_sends_nothing_later(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """The same, and a start after its validity: reported as expired, never sent."""
    settings_of(tmp_path, mosquitto)
    async with chirpstack(mosquitto) as played:
        async with process(tmp_path, "publish") as child:
            await played.uplink_when_heard(tmp_path)
            await until(lambda: kept(tmp_path) == ["sending"])
            child.kill()
        async with process(tmp_path, ahead_s=601):
            await played.statuses("expired")
        assert (played.commands, request(tmp_path)[1]) == ([], "expired_unpublished")


@pytest.mark.parametrize("answered", [False, True])
async def test_a_kill_before_the_note_sends_it_at_least_once(
    tmp_path: Path, mosquitto: Mosquitto, *, answered: bool
) -> None:
    """SIGKILL after the broker took it: again with the same id, unless a gateway's word is in the journal already."""
    settings_of(tmp_path, mosquitto)
    async with chirpstack(mosquitto) as played:
        async with process(tmp_path, "note") as child:
            await played.uplink_when_heard(tmp_path)
            await until(lambda: played.commands)
            if answered:
                await played.say("txack", played.commands[0]["id"])
                await until(lambda: kept(tmp_path) == ["sent"])
            child.kill()
        assert request(tmp_path)[1] == "pending"
        async with process(tmp_path):
            await until(lambda: request(tmp_path)[1] == "published")
        names = [command["id"] for command in played.commands]
        assert names == [request(tmp_path)[0]] * (1 if answered else 2)
        assert kept(tmp_path) == ["sent" if answered else "queued"]


@pytest.mark.usefixtures("commanding")
async def test_a_command_that_waited_for_the_broker_too_long_never_goes(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker goes away just before, for ten minutes: nothing on the wire then but the report."""
    monkeypatch.setattr("ingest.outbox.BACKOFF_S", (0.05, 0.2))
    settings = settings_of(tmp_path, mosquitto)
    ahead_ms, gone = [0], asyncio.Event()
    service = Service(settings, clock=lambda: wall_clock() + ahead_ms[0])
    publish = service.publisher.publish

    async def held(topic: str, payload: bytes, **how: Any) -> None:  # noqa: ANN401 - as `publish`
        if topic.endswith("/command/down"):
            await gone.wait()
        await publish(topic, payload, **how)

    service.publisher.publish = held  # type: ignore[method-assign]
    task = asyncio.create_task(service.run())
    await until(lambda: service.subscriber.connected and service.publisher.connected)
    async with chirpstack(mosquitto) as played:
        await played.uplink()
        await until(lambda: kept(tmp_path) == ["sending"])
    await mosquitto.stop()
    await until(lambda: not service.publisher.connected)
    gone.set()
    ahead_ms[0] = 600_001
    await mosquitto.start()
    async with chirpstack(mosquitto) as played:
        await until(lambda: request(tmp_path)[1] == "expired_unpublished")
        await until(lambda: kept(tmp_path) == ["expired"])
        await asyncio.sleep(0.5)
        service.stop()
        await asyncio.wait_for(task, WAIT_S)
        assert played.commands == []
    assert rows(tmp_path, "SELECT status FROM event WHERE topic = ?", REPORTS) == [("published",)]
