"""The HTTP interface of a running service: health, metrics, commands with the token."""

import asyncio
import json
import re
import socket
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import aiomqtt
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingest import upkeep
from ingest.app import Service
from ingest.broker import EmbeddedBroker, free_port
from ingest.clock import wall_clock
from ingest.journal_records import Batch, EventRow
from ingest.settings import HttpSettings, load
from ingest.token_file import token_path
from tests.doubles.influx import serving
from tests.ingest.uplinks import CITY, LOT_DEVICES, PROFILES, event, occupied, topic

WAIT_S = 20
Metrics = dict[str, float]


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal's size is measured all the time, not every few seconds."""
    monkeypatch.setattr(upkeep, "UPKEEP_S", 0.05)


class Watcher:
    """Somebody on this machine who asks the service."""

    def __init__(self, service: Service, session: aiohttp.ClientSession) -> None:
        self.service = service
        self._session = session

    async def get(self, path: str) -> tuple[int, str]:
        """Status and body."""
        async with self._session.get(self.service.url + path) as answer:
            return answer.status, await answer.text()

    async def ready(self) -> tuple[int, dict[str, str]]:
        """Status and problems of `/health/ready`."""
        code, text = await self.get("/health/ready")
        return code, json.loads(text)["problems"]

    async def becomes_ready(self) -> None:
        """Wait until nothing is wrong."""
        async with asyncio.timeout(WAIT_S):
            while (await self.ready()) != (200, {}):
                await asyncio.sleep(0.02)

    async def metrics(self) -> Metrics:
        """All samples, each under its name with its labels."""
        _, text = await self.get("/metrics")
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        return {name(sample.name, **sample.labels): sample.value for sample in samples}

    async def measured(self, condition: Callable[[Metrics], bool]) -> Metrics:
        """Wait until the metrics say so."""
        async with asyncio.timeout(WAIT_S):
            while not condition(found := await self.metrics()):
                await asyncio.sleep(0.02)
        return found

    async def post(self, number: int | str, verb: str, token: str | None, **body: str) -> tuple[int, dict[str, Any]]:
        """Ask for a change."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        url = f"{self.service.url}/api/v1/dead-letters/{number}/{verb}"
        async with self._session.post(url, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    @property
    def token(self) -> str:
        """As commands on this machine find it."""
        return str(json.loads(token_path(self.service.settings.journal.path).read_text())["token"])

    def audited(self) -> list[tuple[str, str, str, str]]:
        """Who did what to which dead letter and why, as any other process reads it."""
        connection = sqlite3.connect(f"file:{self.service.settings.journal.path}?mode=ro", uri=True)
        try:
            return connection.execute("SELECT actor, action, subject, reason FROM audit ORDER BY number").fetchall()
        finally:
            connection.close()


def name(metric: str, **labels: str) -> str:
    """A sample's name with its labels."""
    return metric + "".join(f" {key}={value}" for key, value in sorted(labels.items()))


@asynccontextmanager
async def watching(folder: Path, port: int, influxdb: dict[str, object] | None = None) -> AsyncIterator[Watcher]:
    """A service for as long as the context lasts, on whatever HTTP port is free."""
    (folder / "city.geojson").write_text(json.dumps(CITY))
    settings = load(
        city={"file": folder / "city.geojson"},
        mqtt={"port": port, "reconnect_min_s": 0.05, "reconnect_max_s": 0.2},
        journal={"path": folder / "journal.db"},
        codecs={"profiles": PROFILES},
        http={"port": 0},
        telemetry={"heartbeat_s": 0},
        influxdb=influxdb or {},
    )
    service = Service(settings)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(service.run())
        async with asyncio.timeout(WAIT_S):
            while not service.url and not running.done():
                await asyncio.sleep(0.01)
        try:
            async with aiohttp.ClientSession() as session:
                yield Watcher(service, session)
        finally:
            service.stop()


async def publish(port: int, *payloads: bytes) -> None:
    """Publish on the first device's topic."""
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        for payload in payloads:
            await client.publish(topic(LOT_DEVICES[0]), payload, qos=1)


def traffic(age_ms: int) -> list[bytes]:
    """Three good uplinks, one of them twice; two payloads too short, one unknown profile, one broken JSON."""
    then = wall_clock() - age_ms
    good = [event(f_cnt=number, time_ms=then + number, payload=occupied(yes=True)) for number in range(3)]
    short = [event(f_cnt=number, time_ms=then, payload=b"", f_port=2) for number in (10, 11)]
    foreign = event(f_cnt=20, time_ms=then, profile="Acme bin", payload=b"\x01")
    return [json.dumps(item).encode() for item in (*good, good[0], *short, foreign)] + [b"{"]


async def test_health_names_what_is_missing_until_it_is_there(tmp_path: Path) -> None:
    """Alive from the start; ready only with its broker, and until then the answer names both connections."""
    port = free_port()
    async with watching(tmp_path, port) as watcher:
        code, text = await watcher.get("/health/live")
        assert (code, json.loads(text)) == (200, {"status": "alive"})
        code, problems = await watcher.ready()
        assert code == 503
        assert problems.keys() == {"mqtt", "events"}
        assert all(problems.values())
        async with EmbeddedBroker(port):
            await watcher.becomes_ready()
            code, text = await watcher.get("/health/ready")
            assert json.loads(text) == {"status": "ready", "problems": {}}


async def test_events_that_waited_for_the_broker_leave_no_trace(tmp_path: Path) -> None:
    """While an event cannot go out its wait shows as a problem; once it went out the service is ready again."""
    port, now_ms = free_port(), wall_clock()
    waiting = EventRow(
        "a", "stadtfunk/v1/test", b"{}", retained=True, acting=False, time_ms=now_ms, valid_until_ms=now_ms + 60_000
    )
    async with watching(tmp_path, port) as watcher:
        await watcher.service.journal.commit(Batch(events=[waiting]), now_ms)
        await watcher.measured(lambda now: now.get("stadtfunk_sink_backoff_seconds sink=events", 0) > 0)
        assert "sink events" in (await watcher.ready())[1]
        async with EmbeddedBroker(port):
            await watcher.becomes_ready()
            found = await watcher.metrics()
            assert found["stadtfunk_sink_backoff_seconds sink=events"] == 0
            assert found["stadtfunk_events_total status=published"] >= 1, "ticks may have had something to say, too"


async def test_metrics_count_what_happened(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    """Uplinks, duplicates, dead letters by reason, decode errors by codec, batches, commits, journal and lag."""
    async with watching(tmp_path, embedded_broker.port) as watcher:
        await watcher.becomes_ready()
        await publish(embedded_broker.port, *traffic(age_ms=60_000))
        found = await watcher.measured(
            lambda now: (
                now["stadtfunk_messages_total"] == 8
                and now["stadtfunk_journal_rows what=dead_letters"] == 4
                and now["stadtfunk_journal_rows what=lines"] == 0
            )
        )
    expected = {
        "stadtfunk_uplinks_stored_total": 3,
        "stadtfunk_uplinks_duplicate_total": 1,
        "stadtfunk_dead_letters_total reason=decode": 2,
        "stadtfunk_dead_letters_total reason=unknown_profile": 1,
        "stadtfunk_dead_letters_total reason=event": 1,
        "stadtfunk_decode_errors_total codec=bosch/tps110": 2,
        "stadtfunk_batch_messages_sum": 8,
        "stadtfunk_sink_rejected_lines_total sink=store": 0,
        "stadtfunk_mqtt_messages what=received": 8,
        "stadtfunk_mqtt_messages what=acknowledged": 8,
        "stadtfunk_mqtt_connected": 1,
    }
    assert {key: found[key] for key in expected} == expected
    assert 1 <= found["stadtfunk_batch_messages_count"] <= found["stadtfunk_commit_seconds_count"]
    assert 0 < found["stadtfunk_commit_seconds_sum"] < WAIT_S
    assert found["stadtfunk_batch_messages_bucket le=+Inf"] == found["stadtfunk_batch_messages_count"]
    assert found["stadtfunk_journal_bytes"] > 4096
    assert found["stadtfunk_sink_lines_total sink=store"] >= 6
    assert 55 <= found["stadtfunk_lag_seconds"] <= 60 + WAIT_S


async def test_a_sink_that_backs_off_shows(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    """A database without its bucket: its wait and its lines show, and the service is not ready until it takes them."""
    async with serving("2.8", buckets={}) as database:
        influxdb = {"url": database.url, "backoff_min_s": 0.05, "backoff_max_s": 0.2}
        async with watching(tmp_path, embedded_broker.port, influxdb=influxdb) as watcher:
            await watcher.becomes_ready()
            await publish(embedded_broker.port, *traffic(age_ms=0)[:3])
            waiting = await watcher.measured(lambda now: now.get("stadtfunk_sink_backoff_seconds sink=influxdb", 0) > 0)
            assert waiting["stadtfunk_uplinks_stored_total"] == 3
            code, problems = await watcher.ready()
            assert (code, list(problems)) == (503, ["sink influxdb"])
            assert "not found" in problems["sink influxdb"]
            database.buckets.update({f"stadtfunk_{privacy}": {} for privacy in ("open", "internal", "personal")})
            await watcher.becomes_ready()
            well = await watcher.metrics()
            assert well["stadtfunk_sink_backoff_seconds sink=influxdb"] == 0
            assert well["stadtfunk_sink_lines_total sink=influxdb"] > 0


async def test_status_agrees_with_the_metrics(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    """`/api/v1/status` shows the same counts, and what waits."""
    async with watching(tmp_path, embedded_broker.port) as watcher:
        await watcher.becomes_ready()
        await publish(embedded_broker.port, *traffic(age_ms=0))
        await watcher.measured(lambda now: now["stadtfunk_messages_total"] == 8)
        code, text = await watcher.get("/api/v1/status")
        status = json.loads(text)
    assert code == 200
    assert status["totals"]["reasons"] == {"decode": 2, "unknown_profile": 1, "event": 1}
    assert (status["totals"]["stored"], status["totals"]["duplicates"], status["totals"]["uplinks"]) == (3, 1, 8)
    assert status["journal"]["dead_letters"] == 4
    assert status["problems"] == {}


async def test_changes_need_the_token(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    """No token or a wrong one: 401 and nothing happens; with it a change is made once and lands in the audit table."""
    async with watching(tmp_path, embedded_broker.port) as watcher:
        await watcher.becomes_ready()
        await publish(embedded_broker.port, traffic(age_ms=0)[-2])
        await watcher.measured(lambda now: now["stadtfunk_messages_total"] == 1)
        who = {"actor": "os:eva", "reason": "a test"}
        for token in (None, "", "guess", watcher.token + "x"):
            for verb in ("retry", "discard"):
                assert (await watcher.post(1, verb, token, **who))[0] == 401
        assert watcher.audited() == []
        code, body = await watcher.post(1, "retry", watcher.token, **who)
        assert (code, body["id"]) == (200, 1)
        assert "Acme bin" in body["error"]
        assert await watcher.post(1, "discard", watcher.token, **who) == (200, {"id": 1, "error": None})
        code, body = await watcher.post(1, "discard", watcher.token, **who)
        assert (code, body["detail"]) == (409, "dead letter 1 is discarded already")
        assert watcher.audited() == [
            (who["actor"], f"dead-letters {verb}", "1", "a test") for verb in ("retry", "discard")
        ]


@pytest.mark.parametrize("verb", ["retry", "discard"])
async def test_wrong_commands_are_refused(tmp_path: Path, embedded_broker: EmbeddedBroker, verb: str) -> None:
    """An unknown number is a conflict with its reason; without an actor, or without a number, the command is none."""
    async with watching(tmp_path, embedded_broker.port) as watcher:
        code, body = await watcher.post(17, verb, watcher.token, actor="os:eva")
        assert (code, body["detail"]) == (409, "there is no dead letter 17")
        assert (await watcher.post(17, verb, watcher.token))[0] == 422
        assert (await watcher.post(17, verb, watcher.token, actor=""))[0] == 422
        assert (await watcher.post("all", verb, watcher.token, actor="os:eva"))[0] == 422
        assert (await watcher.get(f"/api/v1/dead-letters/17/{verb}"))[0] == 405
        assert watcher.audited() == []


async def test_the_token_file_is_ours_alone_and_goes_with_the_service(tmp_path: Path) -> None:
    """Mode 0600 also over a file left behind, a new token with each start, gone at the end."""
    left = token_path(tmp_path / "journal.db")
    left.write_text('{"token": "old"}')
    left.chmod(0o644)
    tokens = set()
    for _ in range(2):
        async with watching(tmp_path, free_port()) as watcher:
            assert stat.S_IMODE(left.stat().st_mode) == 0o600
            assert json.loads(left.read_text())["url"] == watcher.service.url
            tokens.add(watcher.token)
        assert not left.exists()
    assert len(tokens - {"old"}) == 2
    assert all(re.fullmatch(r"[\w-]{43}", token) for token in tokens)


async def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    """By default the service cannot be reached on any other address, not even another one of this machine."""
    assert HttpSettings().host == "127.0.0.1"
    async with watching(tmp_path, free_port()) as watcher:
        port = int(watcher.service.url.rsplit(":", 1)[1])
        assert watcher.service.url == f"http://127.0.0.1:{port}"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=5)


async def test_it_can_be_switched_off(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    """Without `http.enabled` there is no listener and no token file, and the service works all the same."""
    settings = load(
        mqtt={"port": embedded_broker.port}, journal={"path": tmp_path / "journal.db"}, http={"enabled": False}
    )
    service = Service(settings)
    async with asyncio.TaskGroup() as group, asyncio.timeout(WAIT_S):
        group.create_task(service.run())
        while service.problems():
            await asyncio.sleep(0.02)
        assert service.url == ""
        assert not token_path(settings.journal.path).exists()
        service.stop()


async def test_a_change_is_refused_before_its_body_is_read(embedded_broker: EmbeddedBroker, tmp_path: Path) -> None:
    """Without the token 401, with it and too long a body 413: both while the body has not come yet."""
    async with watching(tmp_path, embedded_broker.port) as watcher:
        address = watcher.service.url.removeprefix("http://").split(":")
        for token, length, expected in ((None, 400_000_000, b" 401 "), (watcher.token, 400_000_000, b" 413 ")):
            bearer = f"Authorization: Bearer {token}\r\n" if token else ""
            head = f"POST /api/v1/corrections HTTP/1.1\r\nHost: x\r\n{bearer}Content-Length: {length}\r\n\r\n"
            async with asyncio.timeout(WAIT_S):
                reader, writer = await asyncio.open_connection(address[0], int(address[1]))
                writer.write(head.encode())
                assert expected in await reader.readline()
                writer.close()
