"""The deployed Mosquitto: its configuration, its certificates, its rights, with the real program."""

import asyncio
import os
import re
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

import aiomqtt
import pytest
import yaml
from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.broker import Mosquitto, free_port, listening

pytestmark = pytest.mark.mosquitto
DEPLOY = Path(__file__).parents[2] / "deploy"
GATEWAY, OTHER = "0016c001f153a14c", "0016c001f1500000"
WITH_PASSWORD = ("traffic-control", "parking-guidance", "depot")
WITH_CERTIFICATE = ("chirpstack", "gateway-bridge", "stadtfunk", "simulator", GATEWAY)
NOT_AUTHORIZED = 135
WAIT_S = 20.0

EVENT = "application/17c82e96-be03-4f38-aef3-f83d48582d97/device/0000000000000001/event/up"
COMMAND = "application/17c82e96-be03-4f38-aef3-f83d48582d97/device/0000000000000001/command/down"
UPLINK, CONNECTED, DOWNLINK = (f"eu868/gateway/{GATEWAY}/{what}" for what in ("event/up", "state/conn", "command/down"))
OTHERS_UPLINK, OTHERS_DOWNLINK = (f"eu868/gateway/{OTHER}/{what}" for what in ("event/up", "command/down"))
PLAN, WAVE, BUS = "traffic/group/g/signal-plan", "traffic/corridor/c/green-wave", "traffic/corridor/c/bus-priority"
GUIDANCE, LOT = "parking/zone/z/guidance", "parking/lot/l/state"
DUE, ROUTE, STOP = "waste/container/b/due", "waste/vehicle/v/route", "waste/vehicle/v/stop"
STATE, CANARY, ALERT = "service/state", "canary/application/a/device/d/event/up", "environment/gust/s/alert"
MEASURED = "traffic/detector/d/measured"
REQUESTS = (PLAN, WAVE, BUS, GUIDANCE, ROUTE)
ANSWERS = tuple(f"{topic}/status" for topic in REQUESTS)
OURS = (*REQUESTS, *ANSWERS, LOT, DUE, STOP, STATE, CANARY, ALERT, MEASURED)
RADIO = (UPLINK, CONNECTED, DOWNLINK, OTHERS_UPLINK, OTHERS_DOWNLINK)
TOPICS = (EVENT, COMMAND, *RADIO, *(f"stadtfunk/v1/{topic}" for topic in OURS), "stadtfunk/v2/other", "other")


class Rights(NamedTuple):
    """The topics of `TOPICS` that an account may write and read, all others it must not."""

    writes: Sequence[str]
    reads: Sequence[str]


RIGHTS = {
    "chirpstack": Rights((EVENT, DOWNLINK, OTHERS_DOWNLINK), (COMMAND, UPLINK, CONNECTED, OTHERS_UPLINK)),
    "gateway-bridge": Rights((UPLINK, CONNECTED, OTHERS_UPLINK), (DOWNLINK, OTHERS_DOWNLINK)),
    "stadtfunk": Rights(
        [f"stadtfunk/v1/{topic}" for topic in OURS],
        [EVENT, *(f"stadtfunk/v1/{topic}" for topic in (*ANSWERS, STOP, CANARY))],
    ),
    "simulator": Rights((EVENT,), (COMMAND, f"stadtfunk/v1/{STOP}")),
    GATEWAY: Rights((UPLINK, CONNECTED), (DOWNLINK,)),
    "traffic-control": Rights(
        [f"stadtfunk/v1/{topic}/status" for topic in (PLAN, WAVE, BUS)],
        [f"stadtfunk/v1/{topic}" for topic in OURS if topic.startswith("traffic/") or topic == STATE],
    ),
    "parking-guidance": Rights(
        [f"stadtfunk/v1/{GUIDANCE}/status"],
        [f"stadtfunk/v1/{topic}" for topic in OURS if topic.startswith("parking/") or topic == STATE],
    ),
    "depot": Rights(
        [f"stadtfunk/v1/{ROUTE}/status", f"stadtfunk/v1/{STOP}"],
        [f"stadtfunk/v1/{topic}" for topic in OURS if topic.startswith("waste/") or topic == STATE],
    ),
}


class Stack(NamedTuple):
    """The broker with its two ports, and the state that `credentials` made."""

    by_certificate: int
    by_password: int
    state: Path

    def tls(self, account: str | None) -> ssl.SSLContext:
        """What this account presents; None: nothing."""
        context = ssl.create_default_context(cafile=self.state / "mosquitto" / "ca.crt")
        if account is not None:
            folder = self.state / ("gateways" if account == GATEWAY else "") / account
            context.load_cert_chain(folder / f"{account}.crt", folder / f"{account}.key")
        return context

    def client(self, account: str) -> "Caller":
        """A connection of an account, as it is meant to connect."""
        if account in WITH_PASSWORD or account == "witness":
            password = account if account == "witness" else (self.state / "accounts" / account).read_text()
            return Caller(self.by_password, self.tls(None), account, password)
        return Caller(self.by_certificate, self.tls(account))


class Caller:
    """A client that hears by which reason its publications are taken, and what reaches it."""

    def __init__(self, port: int, tls: ssl.SSLContext, account: str | None = None, password: str | None = None) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.tls_set_context(tls)
        if account is not None:
            self._client.username_pw_set(account, password)
        self._client.on_publish = self._published
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._heard
        self._port = port
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._granted = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.heard: set[str] = set()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._client.connect, "127.0.0.1", self._port)
        self._client.loop_start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    async def publish(self, topic: str) -> int:
        """The broker's reason code for a publication."""
        answer: asyncio.Future[int] = self._loop.create_future()
        sent: MQTTMessageInfo = self._client.publish(topic, b"x", qos=1)
        self._waiting[sent.mid] = answer
        return await asyncio.wait_for(answer, WAIT_S)

    async def subscribe(self, topics: Sequence[str]) -> None:
        """Ask for topics and wait for the answer, which is yes even where nothing will come."""
        self._client.subscribe([(topic, 1) for topic in topics])
        await asyncio.wait_for(self._granted.wait(), WAIT_S)

    def _published(self, _client: Client, _data: object, mid: int, reason: ReasonCode, _properties: Properties) -> None:
        self._loop.call_soon_threadsafe(self._settle, mid, reason.value)

    def _settle(self, mid: int, reason: int) -> None:
        self._waiting.pop(mid).set_result(reason)

    def _subscribed(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._granted.set)

    def _heard(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(self.heard.add, message.topic)


def credentials(state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the script that makes certificates and passwords."""
    environment = {**os.environ, "STADTFUNK_STATE": str(state)}
    command = ["sh", str(DEPLOY / "credentials"), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


def deployed(state: Path, acl: Path, ports: Sequence[int]) -> list[str]:
    """The deployed configuration with these ports, its files where they lie here."""
    text = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text()
    assert re.findall(r"^listener (\d+)$", text, re.MULTILINE) == ["8883", "8884"]
    for number, port in zip((8883, 8884), ports, strict=True):
        text = text.replace(f"listener {number}\n", f"listener {port} 127.0.0.1\n")
    text = text.replace("/mosquitto/state", str(state / "mosquitto")).replace("/mosquitto/config/acl", str(acl))
    return text.replace("/mosquitto/data", str(state)).splitlines()


def readable(folder: Path) -> None:
    """Let the broker's own user read what lies in a folder, as a container's mount does."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    """The deployed broker, with one further account that may do everything."""
    state = tmp_path / "state"
    await asyncio.to_thread(credentials, state, "init")
    await asyncio.to_thread(credentials, state, "gateway", GATEWAY)
    acl = tmp_path / "acl"
    acl.write_text((DEPLOY / "mosquitto" / "acl").read_text() + "\nuser witness\ntopic readwrite #\n")
    passwords = str(state / "mosquitto" / "passwords")
    program = await asyncio.create_subprocess_exec("mosquitto_passwd", "-b", passwords, "witness", "witness")
    assert await program.wait() == 0
    await asyncio.to_thread(readable, tmp_path)
    ports = free_port(), free_port()
    async with Mosquitto(config=deployed(state, acl, ports), directory=tmp_path):
        for port in ports:
            await listening(port, lambda: False)
        yield Stack(*ports, state)


def _well(port: int) -> bool:
    """The health check of the stack's broker, for a listener of this port."""
    (name, *words) = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["mosquitto"]["healthcheck"][
        "test"
    ]
    assert name == "CMD"
    command = [word.replace(f":{8883:04X} ", f":{port:04X} ") for word in words]
    assert command != words
    return subprocess.run(command, check=False).returncode == 0


async def test_its_health_is_seen_without_a_connection(tmp_path: Path) -> None:
    """Well while it listens."""
    async with Mosquitto(directory=tmp_path) as broker:
        assert _well(broker.port)
    assert not _well(broker.port)


@pytest.mark.timeout(180)
async def test_each_account_writes_and_reads_its_own_topics_and_no_others(stack: Stack) -> None:
    """The whole table of accounts and topics, by the broker's own answers and by what it delivers."""
    async with stack.client("witness") as witness:
        for account, rights in RIGHTS.items():
            async with stack.client(account) as caller:
                written = [topic for topic in TOPICS if await caller.publish(topic) != NOT_AUTHORIZED]
                assert sorted(written) == sorted(rights.writes), account
                await caller.subscribe(TOPICS)
                for topic in TOPICS:
                    assert await witness.publish(topic) != NOT_AUTHORIZED
                async with asyncio.timeout(WAIT_S):
                    while not caller.heard >= set(rights.reads):
                        await asyncio.sleep(0.02)
                await asyncio.sleep(0.1)
                assert sorted(caller.heard) == sorted(rights.reads), account


async def test_nobody_comes_in_without_what_proves_who_he_is(stack: Stack) -> None:
    """No certificate, one of another authority, no password, a wrong one, a password where a certificate is wanted."""
    refused: list[tuple[int, str | None, str | None]] = [
        (stack.by_certificate, None, None),
        (stack.by_certificate, "depot", (stack.state / "accounts" / "depot").read_text()),
        (stack.by_password, None, None),
        (stack.by_password, "depot", "wrong"),
        (stack.by_password, "stadtfunk", ""),
    ]
    for port, account, password in refused:
        with pytest.raises((aiomqtt.MqttError, OSError)):
            async with aiomqtt.Client(
                "127.0.0.1", port, username=account, password=password, tls_context=stack.tls(None), timeout=5
            ) as client:
                await client.publish("stadtfunk/v1/service/state", b"x", qos=1)


async def test_the_service_and_the_simulator_speak_to_it(stack: Stack, tmp_path: Path) -> None:
    """`stadtfunk check` finds nothing to complain of with the deployed settings, and `simulate` is let in.

    Its account cannot see whether real devices are there: it has to be told that they are not.
    """
    folder = stack.state / "stadtfunk"
    settings = (DEPLOY / "stadtfunk" / "stadtfunk.toml").read_text()
    settings = settings.replace("/run/state", str(folder)).replace("/var/lib/stadtfunk", str(tmp_path / "journal"))
    settings = settings.replace('"mosquitto"\nport = 8883', f'"127.0.0.1"\nport = {stack.by_certificate}')
    settings = settings.replace("/etc/stadtfunk/city.geojson", str(DEPLOY / "city" / "hamm.geojson"))
    settings = settings.replace("/etc/stadtfunk/codecs", str(DEPLOY / "stadtfunk" / "codecs"))
    settings = re.sub(r"\[influxdb\].*?\n\n", "", settings, flags=re.DOTALL)
    (tmp_path / "stadtfunk.toml").write_text(settings)
    said = await run("check", "-c", str(tmp_path / "stadtfunk.toml"))
    assert re.search(r"^ok +mqtt", said, re.MULTILINE), said
    assert not [line for line in said.splitlines() if "mqtt" in line and ("error" in line or "warning" in line)], said
    files = {name: stack.state / "simulator" / name for name in ("ca.crt", "simulator.crt", "simulator.key")}
    words = (
        "simulate", "--host", "127.0.0.1", "--port", str(stack.by_certificate), "--for", "10m", "--speed", "0",
        "--ca-file", str(files["ca.crt"]), "--certificate-file", str(files["simulator.crt"]),
        "--key-file", str(files["simulator.key"]), "--quiet",
    )  # fmt: skip
    assert "--test-broker" in await run(*words, code=1)
    await run(*words, "--test-broker")


async def run(*words: str, code: int = 0) -> str:
    """What a command of the program prints; it must end with this exit code."""
    program = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("stadtfunk")), *words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        said, _ = await asyncio.wait_for(program.communicate(), 60)
    finally:
        with suppress(ProcessLookupError):
            program.kill()
    assert program.returncode == code, said.decode()
    return said.decode()
