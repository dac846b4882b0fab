"""`simulate --to chirpstack` on a real broker: a network server reads the frames, the service stores their readings."""

import asyncio
import importlib.resources
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from itertools import pairwise
from pathlib import Path

import aiomqtt
import pytest
import structlog

from decoders import catalog
from ingest.app import Service
from ingest.broker import Mosquitto
from ingest.settings import given
from ingest.store_schema import count
from simulator.devices.memory import keeps
from simulator.files import read_city
from simulator.lorawan import keys
from simulator.lorawan.bridge import NS_PER_S, Packet
from simulator.models import SENSORS
from simulator.play import Plan, Simulation
from tests.doubles.network_server import Down, NetworkServer, Registered

pytestmark = pytest.mark.mosquitto
DARK_S = (200, 500)
SEED, SPEED, SPAN, INTERVAL_S = 7, 20, "700s", 60
LATE = 3
"""So many may not have joined yet: requests drown each other, and a gateway that sends already cannot answer."""
WAIT_S = 90.0
POLL_S = 0.02


async def until(what: str, condition: object) -> None:
    """Wait for something."""
    assert callable(condition)
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        await asyncio.sleep(POLL_S)


@asynccontextmanager
async def network(server: NetworkServer, port: int) -> AsyncIterator[None]:
    """The network server on a broker, for as long as the context lasts."""
    async with aiomqtt.Client("127.0.0.1", port, identifier="network-server") as client:
        await client.subscribe("eu868/gateway/+/event/+", qos=1)
        await client.subscribe("eu868/gateway/+/state/+", qos=1)

        async def take() -> None:
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                retained = message.topic.matches("eu868/gateway/+/state/conn")
                server.take(Packet(str(message.topic), message.payload, retained), time.time_ns())

        async def say() -> None:
            while True:
                server.advance(time.time_ns())
                while server.commands or server.events:
                    packet = (server.commands or server.events).popleft()
                    await client.publish(packet.topic, packet.payload, qos=1)
                await asyncio.sleep(POLL_S)

        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(take()), tasks.create_task(say())]
            yield
            await until("all is said", lambda: server.next_ns is None and not (server.commands or server.events))
            for task in running:
                task.cancel()


@asynccontextmanager
async def service(port: int, folder: Path) -> AsyncIterator[Service]:
    """The real service on the same broker, with the embedded store."""
    settings = given(
        mqtt={"port": port},
        journal={"path": folder / "journal.db"},
        store={"path": folder / "store.db"},
        http={"enabled": False},
        simulation={"accept": True, "acting": True},
        telemetry={"log_level": "error"},
    )
    running = Service(settings)
    serving = asyncio.create_task(running.run())
    try:
        await until("the service is connected", lambda: running.subscriber.connected)
        yield running
    finally:
        running.stop()
        await serving
        structlog.reset_defaults()


async def simulated(*words: str) -> bytes:
    """What the command prints."""
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "simulator", *words, stdout=subprocess.PIPE)
    output, _ = await asyncio.wait_for(child.communicate(), WAIT_S)
    assert child.returncode == 0
    return output


def one_of_each(path: Path) -> Path:
    """The example city with one device of each model, all of them busy."""
    example = importlib.resources.files("deploy") / "city" / "hamm.geojson"
    document = json.loads(example.read_text(encoding="utf-8"))
    seen = set()
    for feature in document["features"]:
        kept = []
        for device in feature["properties"].get("devices", []):
            if device["model"] not in seen:
                seen.add(device["model"])
                kept.append({**device, "interval_s": INTERVAL_S})
        feature["properties"]["devices"] = kept
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def registered(city: Path) -> list[Registered]:
    """The devices as provisioning enters them."""
    devices = Simulation(read_city(city), Plan(seed=SEED, start_ns=time.time_ns())).devices
    return [Registered(device.identity, keys.credentials(SEED, device.identity.dev_eui).app_key) for device in devices]


def stored(path: Path) -> set[tuple[str, str, float]]:
    """Device, quantity and value of all readings in the store."""
    with closing(sqlite3.connect(path)) as connection:
        return set(connection.execute("SELECT dev_eui, field, value FROM reading WHERE dev_eui IS NOT NULL"))


async def test_frames_become_readings(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """One device of each model joins and sends: every uplink is stored once, with what its sensor saw."""
    city = one_of_each(tmp_path / "city.geojson")
    devices = registered(city)
    assert {device.identity.tags["codec"] for device in devices} == SENSORS.keys()
    for device in devices:
        device.queue.append(Down(10, b"hello", confirmed=True))
    server = NetworkServer(devices)
    words = ["--to", "chirpstack", "--encoding", "protobuf", "--speed", str(SPEED), "--for", SPAN]
    where = ["--port", str(mosquitto.port), "--seed", str(SEED), "--city", str(city), "--json"]
    async with service(mosquitto.port, tmp_path) as running:
        async with network(server, mosquitto.port):
            output = await simulated(*words, *where)
        received = sum(len(device.received) for device in devices)
        await until("all is stored", lambda: running.telemetry.totals.stored >= received)
        totals = running.telemetry.totals
        assert (totals.stored, totals.duplicates, dict(totals.reasons)) == (received, 0, {})
        await until("all is in the store", lambda: count(tmp_path / "store.db", "link") >= received)
    counts = json.loads(output)
    assert len(devices) - LATE <= counts["joins"] <= len(devices)
    assert counts["frames"] == server.copies > received
    assert sum(bool(device.received) for device in devices) >= len(devices) - LATE
    assert counts["downlinks"] > len(devices) // 2
    assert not server.refused
    assert len(server.online) == 4
    assert not any(server.online.values())
    seen = {
        (device.identity.dev_eui, reading.quantity.field, reading.value)
        for device in devices
        for data in device.received
        for measurement in catalog.codec(device.identity.tags["codec"]).decode(
            data.f_port or 0, data.payload, time.time_ns() // (NS_PER_S // 1000)
        )
        for reading in measurement.readings
    }
    assert sorted(seen - stored(tmp_path / "store.db")) == []


async def test_an_outage_is_told_afterwards(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """All gateways are away for five minutes of the city's; what was measured then is stored with the times of then."""
    city, story = one_of_each(tmp_path / "city.geojson"), tmp_path / "outage.toml"
    gateways = [asset.id for asset in read_city(city).assets.values() if asset.kind == "gateway"]
    outage = f'[[gateway_outage]]\nfrom = "{DARK_S[0]}s"\nuntil = "{DARK_S[1]}s"\ngateways = {json.dumps(gateways)}\n'
    story.write_text(f'title = "dark"\n{outage}', encoding="utf-8")
    server = NetworkServer(registered(city))
    words = ["--to", "chirpstack", "--speed", str(SPEED), "--for", SPAN, "--scenario", str(story)]
    where = ["--port", str(mosquitto.port), "--seed", str(SEED), "--city", str(city), "--json"]
    async with service(mosquitto.port, tmp_path) as running:
        async with network(server, mosquitto.port):
            output = await simulated(*words, *where)
        received = sum(len(device.received) for device in server.devices.values())
        await until("all is stored", lambda: running.telemetry.totals.stored >= received)
        assert running.telemetry.totals.reasons == {}
        await until("all is in the store", lambda: count(tmp_path / "store.db", "link") >= received)
    assert json.loads(output)["history"] > 0
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        found = connection.execute("SELECT DISTINCT dev_eui, time_ms, measurement = 'link' FROM reading").fetchall()
    heard = sorted(time_ms for dev_eui, time_ms, is_link in found if is_link and dev_eui in server.devices)
    length_ms, begin_ms = max((after - before, before) for before, after in pairwise(heard))
    assert length_ms > (DARK_S[1] - DARK_S[0]) / SPEED * 1000 * 0.8
    told = {dev_eui for dev_eui, time_ms, _ in found if begin_ms + 1000 < time_ms < begin_ms + length_ms - 1000}
    assert told
    assert all(keeps(server.devices[dev_eui].identity.tags["codec"]) for dev_eui in told)


async def test_gateways_leave_their_state(mosquitto: Mosquitto) -> None:
    """The last word about each gateway is retained: who comes later sees that it is offline."""
    words = ["--to", "chirpstack", "--for", "1s", "--devices", "1", "--port", str(mosquitto.port)]
    await simulated(*words, "--region-prefix", "town/eu868")
    states = {}
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client, asyncio.timeout(WAIT_S):
        await client.subscribe("town/eu868/gateway/+/state/conn", qos=1)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            assert message.retain
            states[str(message.topic)] = json.loads(message.payload).get("state", "OFFLINE")
            if len(states) == 4:
                break
    assert set(states.values()) == {"OFFLINE"}
