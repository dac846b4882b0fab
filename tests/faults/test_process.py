"""The promise against real processes: nothing acknowledged is lost, nothing counts twice."""

import asyncio
import random
import signal
import time
from pathlib import Path

import pytest

from ingest.broker import Mosquitto
from tests.conftest import StartMosquitto
from tests.faults.harness import Installation, Listener, Traffic, listening, service

KILLS = 20
KILLS_WITH_UNACKNOWLEDGED = 15
RATE = 500.0
SEED = 20261122


def stored_counters(installation: Installation) -> list[int]:
    """The f_cnt of every stored uplink, one for each."""
    query = "SELECT json_extract(fields, '$.f_cnt') FROM point JOIN series ON series = id WHERE measurement = 'link'"
    return sorted(int(row[0]) for row in installation.store_rows(query))


def assert_balanced(installation: Installation, sent: int, listener: Listener) -> None:
    """Every uplink is stored once; every event went out, under one id with one content, and none from nowhere."""
    assert stored_counters(installation) == list(range(sent))
    rows = installation.journal_rows("SELECT id, status FROM event")
    assert {status for _, status in rows} <= {"published", "superseded", "expired_unpublished"}
    heard = {name: payloads for name, payloads in listener.payloads.items() if not any(map(is_service_state, payloads))}
    assert len(rows) > sent / 200
    assert {name for name, status in rows if status == "published"} <= set(heard)
    assert set(heard) <= {name for name, _ in rows}
    assert all(len(payloads) == 1 for payloads in heard.values())


def is_service_state(payload: bytes) -> bool:
    """Whether it is the service's word on itself, which is no rule's event."""
    return b"city.stadtfunk.service.state" in payload


@pytest.mark.mosquitto
@pytest.mark.timeout(180)
@pytest.mark.xdist_group("load")
async def test_kill_9_twenty_times(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Under 500 uplinks/s the service is killed 20 times at random moments; all uplinks are stored once."""
    rng = random.Random(SEED)
    installation = Installation(tmp_path, mosquitto.port)
    traffic, stop = Traffic(mosquitto.port), asyncio.Event()
    with_unacknowledged = 0
    async with listening(mosquitto.port) as listener:
        async with service(installation) as first:
            await first.connected()
            publishing = asyncio.create_task(traffic.at_rate(RATE, stop))
            await asyncio.sleep(0.5)
            await first.end(signal.SIGKILL)
        for _ in range(KILLS - 1):
            async with service(installation) as life:
                await life.connected()
                await asyncio.sleep(rng.uniform(0.05, 0.6))
                with_unacknowledged += (await life.status())["mqtt"]["redelivered"] > 0
                await life.end(signal.SIGKILL)
        async with service(installation) as last:
            await last.connected()
            with_unacknowledged += (await last.status())["mqtt"]["redelivered"] > 0
            stop.set()
            await publishing
            await last.settled(traffic.sent)
            assert await last.end(signal.SIGTERM) == 0
        await asyncio.sleep(0.3)
        assert with_unacknowledged >= KILLS_WITH_UNACKNOWLEDGED
        assert_balanced(installation, traffic.sent, listener)


@pytest.mark.mosquitto
async def test_sigterm_ends_cleanly_within_five_seconds(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """SIGTERM in the middle of traffic: exit code 0 within 5 s, a last word to consumers, and nothing lost."""
    installation = Installation(tmp_path, mosquitto.port)
    traffic, stop = Traffic(mosquitto.port), asyncio.Event()
    async with listening(mosquitto.port) as listener:
        async with service(installation) as first:
            await first.connected()
            publishing = asyncio.create_task(traffic.at_rate(RATE, stop))
            await asyncio.sleep(1)
            begin = time.monotonic()
            assert await first.end(signal.SIGTERM) == 0
            assert time.monotonic() - begin < 5
        assert b'"offline"' in listener.newest["stadtfunk/v1/service/state"]
        async with service(installation) as again:
            await again.connected()
            stop.set()
            await publishing
            await again.settled(traffic.sent)
            assert b'"online"' in listener.newest["stadtfunk/v1/service/state"]
            assert await again.end(signal.SIGINT) == 0
        assert_balanced(installation, traffic.sent, listener)


async def test_sigterm_ends_within_five_seconds_beside_a_silent_broker(tmp_path: Path) -> None:
    """A broker that takes connections and says nothing holds nobody back."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    installation = Installation(tmp_path, server.sockets[0].getsockname()[1])
    async with server, service(installation) as running:
        async with asyncio.timeout(20):
            while not installation.journal.with_name("journal.db.http").exists():
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        begin = time.monotonic()
        assert await running.end(signal.SIGTERM) == 0
        assert time.monotonic() - begin < 5


@pytest.mark.mosquitto
async def test_the_broker_stops_and_starts(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Mosquitto is stopped and started three times in the middle of traffic; nothing is lost or doubled."""
    installation = Installation(tmp_path, mosquitto.port)
    traffic, stop = Traffic(mosquitto.port), asyncio.Event()
    async with listening(mosquitto.port) as listener, service(installation) as running:
        await running.connected()
        publishing = asyncio.create_task(traffic.at_rate(RATE, stop))
        for _ in range(3):
            await asyncio.sleep(0.5)
            await mosquitto.stop()
            await asyncio.sleep(0.3)
            await mosquitto.start()
        await asyncio.sleep(0.5)
        stop.set()
        await publishing
        status = await running.settled(traffic.sent)
        assert status["mqtt"]["connections"] == 4
        await running.end(signal.SIGTERM)
        assert stored_counters(installation) == list(range(traffic.sent))
        rows = installation.journal_rows("SELECT count(*) FROM event WHERE status = 'pending'")
        assert rows == [(0,)]
        assert all(len(payloads) == 1 for payloads in listener.payloads.values())


@pytest.mark.mosquitto
async def test_a_vanished_service_is_shown_offline(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """A killed service is reported offline by the broker, through its Last Will."""
    installation = Installation(tmp_path, mosquitto.port)
    where = "stadtfunk/v1/service/state"
    async with listening(mosquitto.port) as listener, service(installation) as running:
        await running.connected()
        async with asyncio.timeout(10):
            while b'"online"' not in listener.newest.get(where, b""):
                await asyncio.sleep(0.02)
            await running.end(signal.SIGKILL)
            while b'"offline"' not in listener.newest[where]:
                await asyncio.sleep(0.02)


@pytest.mark.mosquitto
async def test_a_second_service_is_refused(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Two services never share a journal: the second ends with one line and exit code 1."""
    installation = Installation(tmp_path, mosquitto.port)
    async with service(installation) as first:
        await first.connected()
        async with service(installation) as second:
            assert await second.process.wait() == 1
        log = (tmp_path / "service.log").read_text().splitlines()
        mistakes = [line for line in log if line.startswith("stadtfunk: error:")]
        assert len(mistakes) == 1
        assert "in use by another service" in mistakes[0]
        assert not any("Traceback" in line for line in log)


@pytest.mark.mosquitto
async def test_a_window_of_twenty_does_not_stall(start_mosquitto: StartMosquitto, tmp_path: Path) -> None:
    """Against Mosquitto's default of 20 unacknowledged messages a backlog of 5,000 drains at a good rate."""
    base = ("allow_anonymous true", "max_queued_messages 0")
    broker = await start_mosquitto(base=base)
    installation = Installation(tmp_path, broker.port)
    traffic = Traffic(broker.port)
    async with service(installation) as first:
        await first.connected()
        await first.end(signal.SIGKILL)
    await traffic.burst(3000)
    async with service(installation) as running:
        await running.connected()
        begin = time.monotonic()
        await running.settled(3000)
        assert time.monotonic() - begin < 10
