"""The promise against real processes: nothing acknowledged is lost, nothing counts twice."""

import asyncio
import signal
import time
from pathlib import Path

import pytest

from ingest.broker import Mosquitto
from tests.conftest import StartMosquitto
from tests.faults.balance import StoredPoints, check_events
from tests.faults.harness import Installation, Traffic, listening, service

RATE = 500.0


def stored_counters(installation: Installation) -> list[int]:
    """The f_cnt of every stored uplink, one for each."""
    return sorted(number for _, number in StoredPoints(installation).links().elements())


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
        assert stored_counters(installation) == list(range(traffic.sent))
        assert check_events(installation, listener) == 0
        assert len(listener.payloads) > traffic.sent / 200


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
