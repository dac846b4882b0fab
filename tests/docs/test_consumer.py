"""The example consumer as its reader starts it: a process, a real broker, events as the service publishes them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import pytest

from ingest import events_example
from ingest.broker import EmbeddedBroker, Mosquitto
from rules.answer import parse
from rules.event import Event, LotState
from rules.event_parking import ParkingGuidance
from rules.event_waste import ContainerDue

PROGRAM = Path(__file__).parents[2] / "docs" / "examples" / "consumer.py"
WAIT_S = 15
LOT = "stadtfunk/v1/parking/lot/lot-markt/state"
BIN = "stadtfunk/v1/waste/container/container-1/due"
SIGNS = "stadtfunk/v1/parking/zone/mitte/guidance"
BEGIN = datetime.now(UTC).replace(microsecond=0)


def lot(free: int | None, at_s: int, *, name: str = "", valid_s: int = 3600) -> LotState:
    """The lot's state so many seconds after the begin; its name tells events of one instant apart."""
    time = BEGIN + timedelta(seconds=at_s)
    return LotState.model_validate(
        {
            "id": f"lot-{at_s}{name}",
            "source": "/stadtfunk/rules/parking.lot_state",
            "subject": "lot-markt",
            "time": time,
            "data": {
                "rule": "parking.lot_state",
                "rule_version": 1,
                "valid_until": time + timedelta(seconds=valid_s),
                "evidence": [],
                "state": "unknown" if free is None else "free",
                "reason": "no_news" if free is None else "counted",
                "capacity": 20,
                "occupied": None if free is None else 20 - free,
                "free": free,
                "occupancy": None if free is None else 1 - free / 20,
                "coverage": 1.0,
                "estimated": False,
            },
        }
    )


def container(level: float | None) -> ContainerDue:
    """A container that has to be emptied."""
    return ContainerDue.model_validate(
        {
            "id": f"container-{level}",
            "source": "/stadtfunk/rules/waste.collection_due",
            "subject": "container-1",
            "time": BEGIN + timedelta(seconds=1 if level is None else 0),
            "data": {
                "rule": "waste.collection_due",
                "rule_version": 1,
                "valid_until": BEGIN + timedelta(hours=1),
                "evidence": [],
                "due": True,
                "reason": "silent" if level is None else "over_threshold",
                "fill_level": level,
                "threshold": 80,
                "since": BEGIN,
            },
        }
    )


def guidance(sequence: int, at_s: int = 0, valid_s: int = 900, name: str = "") -> ParkingGuidance:
    """A request to send drivers to the lot."""
    time = BEGIN + timedelta(seconds=at_s)
    example = events_example.example(ParkingGuidance.model_json_schema(), {})
    times = {"valid_until": time + timedelta(seconds=valid_s), "issued_at": time, "sequence": sequence}
    said = {"recommend": ["lot-markt"], "divert_from": [], "lots": [], "evidence": []}
    about = {"id": f"guidance-{sequence}{name}", "subject": "mitte", "time": time}
    return ParkingGuidance.model_validate({**example, **about, "data": {**example["data"], **times, **said}})


class Screen:
    """What the consumer printed, line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        self._lines = process.stdout

    async def line(self) -> str:
        """The next line."""
        async with asyncio.timeout(WAIT_S):
            return (await self._lines.readline()).decode().rstrip("\n")


@asynccontextmanager
async def consumer(port: int, username: str = "") -> AsyncIterator[Screen]:
    """The example for as long as the context lasts; what it says of broken events goes to the same screen."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", str(PROGRAM), f"mqtt://{username}{'@' * bool(username)}127.0.0.1:{port}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "MQTT_PASSWORD": "geheim"},
    )
    try:
        yield Screen(process)
    finally:
        process.kill()
        await process.communicate()


@pytest.fixture
async def client(broker: Mosquitto | EmbeddedBroker) -> AsyncIterator[aiomqtt.Client]:
    """Where the service would publish."""
    async with aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5) as found:
        yield found


async def publish(client: aiomqtt.Client, *events: Event) -> None:
    """Publish as the service does: QoS 1, retained, structured JSON."""
    for event in events:
        await client.publish(event.topic, event.payload(), qos=1, retain=event.retained)


def shown(event: LotState) -> str:
    """The line in which the consumer shows the lot."""
    free = "null" if event.data.free is None else event.data.free
    return f'{LOT}: lot-markt {{"state": "{event.data.state}", "free": {free}, "capacity": 20}}'


async def test_only_news_is_shown(broker: Mosquitto | EmbeddedBroker, client: aiomqtt.Client) -> None:
    """The retained state at once, then each newer one; an older, a repeated and an expired one are dropped."""
    await publish(client, lot(12, 0))
    async with consumer(broker.port) as screen:
        assert await screen.line() == shown(lot(12, 0))
        await publish(client, lot(12, 0), lot(11, 0, name="b"))
        assert await screen.line() == shown(lot(11, 0))
        await publish(client, lot(12, 0), lot(9, 20))
        assert await screen.line() == shown(lot(9, 20))
        await publish(client, lot(10, 10), lot(9, 20), lot(8, 30, valid_s=-60), lot(7, 25), lot(6, 40))
        assert await screen.line() == shown(lot(6, 40))
        await publish(client, lot(None, 50))
        assert await screen.line() == shown(lot(None, 50))


async def test_what_is_done_with_is_acknowledged(broker: Mosquitto | EmbeddedBroker, client: aiomqtt.Client) -> None:
    """More than a broker sends without acknowledgement, news or not, arrives."""
    await publish(client, lot(12, 0))
    async with consumer(broker.port) as screen:
        await screen.line()
        await publish(client, *([lot(12, 0)] * 120), lot(1, 1))
        assert await screen.line() == shown(lot(1, 1))


async def test_an_emptied_topic_is_unknown(broker: Mosquitto | EmbeddedBroker, client: aiomqtt.Client) -> None:
    """An empty payload says that nothing is known; what was newest before stays the measure of what is old."""
    await publish(client, lot(12, 10))
    async with consumer(broker.port) as screen:
        await screen.line()
        await client.publish(LOT, b"", qos=1, retain=True)
        assert await screen.line() == f"{LOT}: nothing is known"
        await publish(client, lot(5, 5), lot(12, 10), lot(4, 15))
        assert await screen.line() == shown(lot(4, 15))


async def test_containers_are_shown_and_a_broken_event_harms_nobody(
    broker: Mosquitto | EmbeddedBroker, client: aiomqtt.Client
) -> None:
    """Both event types arrive; what is no event is named and the next one shown."""
    await publish(client, container(91))
    async with consumer(broker.port) as screen:
        assert await screen.line() == f'{BIN}: container-1 {{"due": true, "fill_level": 91.0}}'
        other = container(91).payload().replace(b"city.stadtfunk", b"city.elsewhere")
        for broken in (b"{", b"[]", b'{"time": "2026-09-21T14:13:21Z"}', b"\xff", other):
            await client.publish(BIN, broken, qos=1)
            assert f"{BIN}: no event: " in await screen.line()
        await publish(client, container(None))
        assert await screen.line() == f'{BIN}: container-1 {{"due": true, "fill_level": null}}'


async def test_requests_are_answered_once_each_and_in_their_order(
    broker: Mosquitto | EmbeddedBroker, client: aiomqtt.Client
) -> None:
    """None whose sequence is not above the last, however new it says it is, and none that has expired."""
    await client.subscribe(f"{SIGNS}/status", qos=1)
    await publish(client, lot(12, 0))
    async with consumer(broker.port) as screen:
        await screen.line()
        await publish(client, guidance(5), guidance(5), guidance(5, 9, name="b"), guidance(4, 9))
        await publish(client, guidance(6, -60, valid_s=59), guidance(7, -60), guidance(6, 9))
        for sequence in (5, 7):
            assert await screen.line() == f'{SIGNS}: mitte {{"recommend": ["lot-markt"], "divert_from": []}}'
            async with asyncio.timeout(WAIT_S):
                answer = parse(bytes((await anext(client.messages)).payload))
            assert (answer.data.request_id, answer.data.status) == (f"guidance-{sequence}", "accepted")
        await publish(client, lot(11, 9))
        assert await screen.line() == shown(lot(11, 9)), "and nothing in between"


@pytest.mark.mosquitto
async def test_account_and_password_are_sent(tmp_path: Path) -> None:
    """The user name comes from the arguments, the password from the environment."""
    (tmp_path / "passwords").write_text("signs:geheim\n")
    program = await asyncio.create_subprocess_exec("mosquitto_passwd", "-U", str(tmp_path / "passwords"))
    assert await program.wait() == 0
    config = ("allow_anonymous false", f"password_file {tmp_path}/passwords")
    async with (
        Mosquitto(config=config, directory=tmp_path) as broker,
        consumer(broker.port, "signs") as screen,
    ):
        async with aiomqtt.Client("127.0.0.1", broker.port, username="signs", password="geheim") as client:
            await publish(client, lot(3, 0))
        assert await screen.line() == shown(lot(3, 0))
