"""The heartbeat of a whole service on a real broker: all quiet is not dead, and what is dead is named."""

import asyncio
import json
import socket
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import aiomqtt
import pytest

from ingest import watchdog
from ingest.app import Service
from ingest.broker import Mosquitto
from ingest.canary import Canary
from ingest.journal import Journal
from ingest.journal_records import Batch
from ingest.journal_schema import JournalFull
from ingest.mqtt_out import Publisher
from ingest.service_state import HEARTBEAT_TOPIC
from ingest.settings import MqttSettings, Settings, load
from tests.conftest import StartMosquitto
from tests.doubles.influx import serving
from tests.ingest.uplinks import CITY, NOW, PROFILES, event, topic

pytestmark = [pytest.mark.mosquitto, pytest.mark.xdist_group("heartbeat")]
BEAT_S = 0.4
WAIT_S = 40
TRACES = """
SELECT 'seen' FROM seen UNION ALL SELECT 'raw' FROM raw UNION ALL SELECT 'device' FROM device UNION ALL
SELECT 'device_log' FROM device_log UNION ALL SELECT 'ledger' FROM ledger UNION ALL
SELECT 'dead_letter' FROM dead_letter
"""
"""The tables in which an uplink leaves something beside points and events."""
Report = dict[str, Any]


def settings(folder: Path, port: int, **sections: dict[str, object]) -> Settings:
    """Settings of a service whose heart beats fast."""
    (folder / "city.geojson").write_text(json.dumps(CITY))
    return load(
        city={"file": folder / "city.geojson"},
        mqtt={"port": port, "reconnect_min_s": 0.05, "reconnect_max_s": 0.2},
        journal={"path": folder / "journal.db"},
        codecs={"profiles": PROFILES},
        http={"port": 0},
        **{"telemetry": {"heartbeat_s": BEAT_S}, **sections},  # type: ignore[arg-type]  # sections, never `config`
    )


@asynccontextmanager
async def serving_city(
    settings: Settings,
) -> AsyncIterator[tuple[Service, Callable[[], Awaitable[tuple[int, Report]]]]]:
    """A service for as long as the context lasts, and a probe of `/health/chain`."""
    service = Service(settings)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(service.run())
        async with asyncio.timeout(WAIT_S):
            while not service.url and not running.done():
                await asyncio.sleep(0.01)
        try:
            async with aiohttp.ClientSession() as session:

                async def probe() -> tuple[int, Report]:
                    async with session.get(f"{service.url}/health/chain") as answer:
                        return answer.status, await answer.json()

                yield service, probe
        finally:
            service.stop()


async def becomes(probe: Callable[[], Awaitable[tuple[int, Report]]], code: int, stage: str) -> Report:
    """Wait until the probe answers so."""
    found: object = None
    try:
        async with asyncio.timeout(WAIT_S):
            while True:
                status, report = found = await probe()
                if (status, report["stage"]) == (code, stage):
                    return report
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"expected {code} {stage!r}, got {found}")


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """Rows of the journal, as any other process reads it."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


async def test_all_quiet_is_not_dead(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Without any uplink the chain is complete, consumers hear the heartbeat, and nothing is counted anywhere."""
    heard: list[Report] = []
    async with (
        aiomqtt.Client("127.0.0.1", mosquitto.port) as consumer,
        serving_city(settings(tmp_path, mosquitto.port)) as (service, probe),
    ):
        await consumer.subscribe(HEARTBEAT_TOPIC, qos=1)
        report = await becomes(probe, 200, "")
        assert report["problem"] == ""
        assert set(report["stages"]) == {"broker", "mqtt", "journal", "sink store", "events"}
        assert all(0 <= age < 3 * BEAT_S + 5 for age in report["stages"].values())
        assert 0 < report["round_trip_s"] < WAIT_S
        async with asyncio.timeout(WAIT_S):
            async for message in consumer.messages:
                heard.append(json.loads(bytes(message.payload)))
                if len(heard) == 2:
                    break
        totals = service.telemetry.totals
        assert (totals.uplinks, totals.stored, totals.dead_letters, totals.duplicates) == (0, 0, 0, 0)
        assert len(service.fleet) == 0
    assert heard[0]["data"]["number"] < heard[1]["data"]["number"]
    assert rows(tmp_path / "journal.db", TRACES) == []


async def test_a_broker_that_is_gone_is_named(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Broker stopped: 503 at the first stage with its reason; back again: complete. Nothing of ours hangs."""
    async with serving_city(settings(tmp_path, mosquitto.port)) as (service, probe):
        await becomes(probe, 200, "")
        await mosquitto.stop()
        report = await becomes(probe, 503, "broker")
        assert report["problem"].startswith("mqtt: the broker has taken no canary for ")
        assert service.problems()["events"] in report["problem"]
        assert service.heartbeat.alive(service.problems())
        await mosquitto.start()
        await becomes(probe, 200, "")


async def test_a_missing_right_is_named(tmp_path: Path, start_mosquitto: StartMosquitto) -> None:
    """Mosquitto grants the subscription and delivers nothing: 503, no canary back; a restart would mend nothing."""
    acl = tmp_path / "acl"
    acl.write_text("topic read application/#\ntopic write stadtfunk/v1/#\n")
    broker = await start_mosquitto(f"acl_file {acl}")
    async with serving_city(settings(tmp_path, broker.port)) as (service, probe):
        report = await becomes(probe, 503, "mqtt")
        assert report["problem"].startswith("mqtt: no canary back for ")
        await asyncio.sleep(4 * BEAT_S)
        assert service.problems() == {}
        assert service.heartbeat.alive(service.problems())


async def test_a_heartbeat_that_is_refused_is_named(tmp_path: Path, start_mosquitto: StartMosquitto) -> None:
    """Everything works but the way out: 503 at the events, although the journal and every sink have the canary."""
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite stadtfunk/v1/canary/#\ntopic write stadtfunk/v1/service/state\n")
    broker = await start_mosquitto(f"acl_file {acl}")
    async with serving_city(settings(tmp_path, broker.port)) as (_, probe):
        report = await becomes(probe, 503, "events")
        assert report["problem"].startswith("events: no heartbeat published for ")
        assert report["stages"]["sink store"] is not None
        assert report["round_trip_s"] is None


async def test_a_sink_that_takes_nothing_is_named(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """A database without its bucket: 503 with the sink and its reason, until it takes what waited."""
    async with serving("2.8", buckets={}) as database:
        influxdb = {"url": database.url, "backoff_min_s": 0.05, "backoff_max_s": 0.2}
        async with serving_city(settings(tmp_path, mosquitto.port, influxdb=influxdb)) as (service, probe):
            report = await becomes(probe, 503, "sink influxdb")
            assert report["problem"].startswith("sink influxdb: no canary taken for ")
            assert report["stages"]["journal"] is not None
            async with asyncio.timeout(WAIT_S):
                while "sink influxdb" not in service.problems():
                    await asyncio.sleep(0.02)
            assert service.heartbeat.alive(service.problems())
            database.buckets.update({f"stadtfunk_{privacy}": {} for privacy in ("open", "internal", "personal")})
            await becomes(probe, 200, "")


async def test_a_writer_that_hangs_is_named_and_the_watchdog_told_nothing(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """The journal's writing thread stuck: 503 at the journal, and the one case in which a restart helps."""
    release = threading.Event()
    async with serving_city(settings(tmp_path, mosquitto.port)) as (service, probe):
        await becomes(probe, 200, "")
        try:
            service.journal._write_thread.submit(release.wait)
            report = await becomes(probe, 503, "journal")
            assert report["problem"].startswith("journal: no canary committed for ")
            async with asyncio.timeout(WAIT_S):
                while service.heartbeat.alive(service.problems()):
                    await asyncio.sleep(0.05)
        finally:
            release.set()
        await becomes(probe, 200, "")
        assert service.heartbeat.alive(service.problems())


async def test_a_full_disk_is_named_and_no_restart_is_asked_for(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commits that do not fit: 503 at the journal with the reason, not ready, and systemd hears that we live."""

    def full(*_: object) -> list[bool]:
        raise JournalFull("journal is full: database or disk is full")

    async with serving_city(settings(tmp_path, mosquitto.port)) as (service, probe):
        await becomes(probe, 200, "")
        with monkeypatch.context() as patched:
            patched.setattr(service.journal, "_commit", full)
            async with asyncio.timeout(WAIT_S):
                while not service.heartbeat._chain.stuck(time.monotonic()):
                    await asyncio.sleep(0.02)
                    assert service.heartbeat.alive(service.problems())
            report = await becomes(probe, 503, "journal")
            assert "disk is full" in report["problem"]
            for _ in range(20):
                await asyncio.sleep(BEAT_S / 10)
                assert service.heartbeat.alive(service.problems())
            assert not service.heartbeat.alive({"journal commit": service.problems()["journal"]})
            async with aiohttp.ClientSession() as session, session.get(f"{service.url}/health/ready") as answer:
                assert answer.status == 503
                assert "disk is full" in (await answer.json())["problems"]["journal"]
        await becomes(probe, 200, "")
        assert "journal" not in service.problems()


async def test_others_uplinks_go_on_beside_it(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """A forged canary on an ordinary topic is refused as simulated; nonsense on the canary's topic is a dead letter."""
    dev_eui = "025354464bffffff"
    async with (
        aiomqtt.Client("127.0.0.1", mosquitto.port) as client,
        serving_city(settings(tmp_path, mosquitto.port)) as (service, probe),
    ):
        await becomes(probe, 200, "")
        await client.publish(topic(dev_eui), json.dumps(event(dev_eui)), qos=1)
        await client.publish(f"stadtfunk/v1/canary/application/stadtfunk/device/{dev_eui}/event/up", b"{}", qos=1)
        async with asyncio.timeout(WAIT_S):
            while service.telemetry.totals.dead_letters < 2:
                await asyncio.sleep(0.02)
        assert service.telemetry.totals.reasons == {"simulated": 1, "event": 1}
        await becomes(probe, 200, "")


async def test_without_heartbeats_nothing_is_promised(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Switched off: the probe says that it knows nothing, and no canary flies."""
    async with serving_city(settings(tmp_path, mosquitto.port, telemetry={"heartbeat_s": 0})) as (service, probe):
        async with asyncio.timeout(WAIT_S):
            while service.problems():
                await asyncio.sleep(0.02)
        code, report = await probe()
        assert (code, report["complete"]) == (503, False)
        assert "telemetry.heartbeat_s is 0" in report["problem"]
        assert service.subscriber.received == 0
        assert service.heartbeat.alive({})


async def test_systemd_is_told(tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    """READY when the parts run, WATCHDOG while the chain is well, STOPPING at the end."""
    words: list[str] = []

    async def listen(systemd: socket.socket) -> None:
        while watchdog.STOPPING not in words:
            words.append((await asyncio.get_running_loop().sock_recv(systemd, 100)).decode())

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "200000")
        listening = asyncio.create_task(listen(systemd))
        async with serving_city(settings(tmp_path, mosquitto.port)) as (_, probe):
            await becomes(probe, 200, "")
            async with asyncio.timeout(WAIT_S):
                while words.count(watchdog.ALIVE) < 3:
                    await asyncio.sleep(0.01)
        async with asyncio.timeout(WAIT_S):
            await listening
    assert words.count(watchdog.READY) == words.count(watchdog.STOPPING) == 1
    assert words.index(watchdog.READY) < words.index(watchdog.STOPPING)


async def test_an_end_that_meets_an_answer_is_an_end(mosquitto: Mosquitto) -> None:
    """Cancelled in the instant in which its answer comes, a publication ends as cancelled: nobody publishes on."""
    publisher = Publisher(MqttSettings(port=mosquitto.port))
    holding = asyncio.create_task(publisher.run())
    async with asyncio.timeout(WAIT_S):
        while publisher._client is None:
            await asyncio.sleep(0.01)
    client = publisher._client
    sending = asyncio.create_task(publisher.publish("stadtfunk/v1/x", b"{}", retain=False))
    while not client._answers:
        await asyncio.sleep(0)
    client.fail_pending("the connection ended")
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    holding.cancel()
    await asyncio.wait([holding])


async def test_old_heartbeats_are_forgotten(tmp_path: Path) -> None:
    """Pruning leaves the newest hundred only, also where no uplink ever told the time; one that waits stays."""
    made = Canary(settings(tmp_path, 1883))
    async with Journal(load(journal={"path": tmp_path / "journal.db"}).journal) as journal:
        for number in range(120):
            batch = Batch()
            made.settle(made.read(made.payload(number, NOW)), batch)
            await journal.commit(batch, NOW)
        waiting = await journal.pending_events(200, NOW)
        await journal.events_done([(item.seq, "published") for item in waiting[1:]], [], [], NOW)
        await journal.prune(0)
        kept = await journal.query(lambda c: [row[0] for row in c.execute("SELECT id FROM event ORDER BY seq")])
    assert kept == [made.heartbeat_id(number) for number in (0, *range(20, 120))]
