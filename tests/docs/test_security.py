"""The security page's own configuration, run: the service can work with its rights and can do nothing else."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest
import trustme

from ingest import check_broker
from ingest.app import Service
from ingest.broker import Mosquitto
from ingest.canary import ROOT
from ingest.check_broker import PROBES
from ingest.clock import wall_clock
from ingest.mqtt import filters
from ingest.mqtt_error import PublishFailed
from ingest.mqtt_out import Publisher
from ingest.settings import MqttSettings, load
from tests.ingest.uplinks import APPLICATION, CITY, LOT_DEVICES, PROFILES, event, occupied, topic

pytestmark = pytest.mark.mosquitto
PAGE = Path(__file__).parents[2] / "docs" / "security.md"
WAIT_S = 15
WITNESS = "\nuser witness\ntopic readwrite #\ntopic read $SYS/#\n"
ACCOUNTS = ("chirpstack", "stadtfunk", "signs", "telematics", "witness")
ANSWERS = (
    "stadtfunk/v1/traffic/group/g1/signal-plan/status",
    "stadtfunk/v1/traffic/corridor/c1/green-wave/status",
    "stadtfunk/v1/traffic/corridor/c1/bus-priority/status",
    "stadtfunk/v1/parking/zone/z1/guidance/status",
    "stadtfunk/v1/waste/vehicle/v1/route/status",
    "stadtfunk/v1/waste/vehicle/v1/stop",
)
OWN = ("stadtfunk/v1/canary/application/stadtfunk/device/025354464bffffff/event/up", "stadtfunk/v1/check/probe")
DROPPED = "$SYS/broker/publish/messages/dropped"
COMMAND = f"application/{APPLICATION}/device/{LOT_DEVICES[0]}/command/down"
STATE = "stadtfunk/v1/parking/lot/lot-markt/state"
FORBIDDEN_TO_WRITE = (
    topic(),
    topic(kind="join"),
    "application/00000000-0000-0000-0000-000000000000/device/0000000000000001/command/down",
    f"application/{APPLICATION}/device/{LOT_DEVICES[0]}/command/up",
    "eu868/gateway/0016c001f153a14c/command/down",
    "stadtfunk/v2/parking",
    "anything",
)
FORBIDDEN_TO_READ = (
    COMMAND,
    STATE,
    "stadtfunk/v1/traffic/group/g1/signal-plan",
    "eu868/gateway/0016c001f153a14c/event/up",
    "personal/tracker",
)


def block(language: str) -> str:
    """The page's one block in this language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return str(found)


class Fortress:
    """Mosquitto as the page sets it up, with a further account that sees and may do everything."""

    def __init__(self, broker: Mosquitto, folder: Path) -> None:
        self.broker = broker
        self.folder = folder

    def settings(self, account: str | None, password: str | None) -> dict[str, object]:
        """The section `mqtt` of an account."""
        return {
            "host": "127.0.0.1",
            "port": self.broker.port,
            "client_id": f"{account}-service",
            "tls": True,
            "ca_file": self.folder / "ca.crt",
            "username": account,
            "password": password,
            "reconnect_min_s": 0.05,
            "reconnect_max_s": 0.2,
        }

    def client(self, account: str) -> aiomqtt.Client:
        """A connection of an account."""
        return aiomqtt.Client(
            "127.0.0.1",
            self.broker.port,
            username=account,
            password=f"{account}-geheim",
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_params=aiomqtt.TLSParameters(ca_certs=str(self.folder / "ca.crt")),
        )


@pytest.fixture
async def fortress(tmp_path: Path) -> AsyncIterator[Fortress]:
    """The page's broker: its settings with this folder for its own, its port, and its interval of figures shortened."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.crt")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "server.crt")
    certificate.private_key_pem.write_to_path(tmp_path / "server.key")
    (tmp_path / "stadtfunk.acl").write_text(block("acl") + WITNESS)
    passwords = tmp_path / "stadtfunk.passwd"
    passwords.write_text("".join(f"{account}:{account}-geheim\n" for account in ACCOUNTS))
    program = await asyncio.create_subprocess_exec("mosquitto_passwd", "-U", str(passwords))
    assert await program.wait() == 0
    lines = block("mosquitto").replace("/etc/mosquitto", str(tmp_path)).replace("/var/lib/mosquitto", str(tmp_path))
    listener, *config = lines.splitlines()
    assert listener == "listener 8883"
    async with Mosquitto(config=[*config, "sys_interval 1"], directory=tmp_path) as broker:
        yield Fortress(broker, tmp_path)


@asynccontextmanager
async def hearing(fortress: Fortress, account: str, *subscriptions: str) -> AsyncIterator[dict[str, bytes]]:
    """The newest payload on each topic that reaches the account, for as long as the context lasts."""
    heard: dict[str, bytes] = {}

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            heard[str(message.topic)] = bytes(message.payload or b"")

    async with fortress.client(account) as client:
        await client.subscribe([(name, 1) for name in subscriptions])
        task = asyncio.create_task(listen(client))
        try:
            yield heard
        finally:
            task.cancel()
            await asyncio.wait([task])


@asynccontextmanager
async def publishing(fortress: Fortress, account: str) -> AsyncIterator[Publisher]:
    """The service's own publisher under an account."""
    publisher = Publisher(MqttSettings.model_validate(fortress.settings(account, f"{account}-geheim")))
    task = asyncio.create_task(publisher.run())
    try:
        await until(lambda: publisher.connected)
        yield publisher
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(condition: Callable[[], object]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.02)


async def test_the_service_does_its_work_with_its_rights(fortress: Fortress, tmp_path: Path) -> None:
    """An uplink of ChirpStack's account becomes an event that the signs' account reads, all over TLS."""
    (tmp_path / "city.geojson").write_text(json.dumps(CITY))
    service = Service(
        load(
            mqtt=fortress.settings("stadtfunk", "stadtfunk-geheim"),
            city={"file": tmp_path / "city.geojson"},
            journal={"path": tmp_path / "journal.db"},
            codecs={"profiles": PROFILES},
            http={"enabled": False},
        )
    )
    async with asyncio.TaskGroup() as group, hearing(fortress, "signs", "stadtfunk/v1/parking/#") as heard:
        group.create_task(service.run())
        try:
            await until(lambda: not service.problems())
            async with fortress.client("chirpstack") as chirpstack:
                for number, dev_eui in enumerate(LOT_DEVICES):
                    uplink = event(dev_eui, f_cnt=number, time_ms=wall_clock(), payload=occupied(yes=number % 2 == 0))
                    await chirpstack.publish(topic(dev_eui), json.dumps(uplink), qos=1)
            await until(lambda: service.telemetry.totals.stored == len(LOT_DEVICES))
            await until(lambda: json.loads(heard.get(STATE, b"{}")).get("data", {}).get("occupied") == 10)
        finally:
            service.stop()


async def test_the_service_may_write_its_events_and_known_commands_only(fortress: Fortress) -> None:
    """Its events and the commands of the named application arrive; everything else is refused and reaches nobody."""
    allowed = (STATE, "stadtfunk/v1/service/state", "stadtfunk/v1/traffic/group/g1/signal-plan", COMMAND)
    async with hearing(fortress, "witness", "#") as heard, publishing(fortress, "stadtfunk") as publisher:
        for name in FORBIDDEN_TO_WRITE:
            with pytest.raises(PublishFailed, match="not authorized"):
                await publisher.publish(name, b"forged", retain=True)
        for name in allowed:
            await publisher.publish(name, b"{}", retain=False)
        await until(lambda: heard.keys() >= set(allowed))
        assert heard.keys() == set(allowed)
        assert (publisher.published, publisher.failed) == (len(allowed), len(FORBIDDEN_TO_WRITE))


async def test_the_service_hears_events_and_answers_only(fortress: Fortress) -> None:
    """A subscription to everything is granted, yet only what the account may read is delivered."""
    allowed = (topic(), topic(kind="status"), *ANSWERS, *OWN)
    async with AsyncExitStack() as stack:
        heard = await stack.enter_async_context(hearing(fortress, "stadtfunk", "#", DROPPED))
        seen = await stack.enter_async_context(hearing(fortress, "witness", "#"))
        witness = await stack.enter_async_context(fortress.client("witness"))
        for name in (*FORBIDDEN_TO_READ, *allowed):
            await witness.publish(name, b"{}", qos=1)
        await until(lambda: heard.keys() >= {*allowed, DROPPED})
        await until(lambda: seen.keys() >= {*allowed, *FORBIDDEN_TO_READ})
        assert heard.keys() == {*allowed, DROPPED}
        assert int(heard[DROPPED]) == 0


async def test_a_consumer_can_forge_nothing(fortress: Fortress) -> None:
    """The signs' account may answer its own requests, but write neither states nor uplinks, nor read uplinks."""
    async with (
        hearing(fortress, "witness", "#") as seen,
        hearing(fortress, "signs", "#") as heard,
        publishing(fortress, "signs") as signs,
        fortress.client("chirpstack") as chirpstack,
    ):
        for name in (STATE, topic(), COMMAND, "stadtfunk/v1/traffic/group/g1/signal-plan/status"):
            with pytest.raises(PublishFailed, match="not authorized"):
                await signs.publish(name, b"forged", retain=False)
        await chirpstack.publish(topic(), b"{}", qos=1)
        await signs.publish("stadtfunk/v1/parking/zone/z1/guidance/status", b"{}", retain=False)
        expected = {topic(), "stadtfunk/v1/parking/zone/z1/guidance/status"}
        await until(lambda: seen.keys() >= expected)
        await until(lambda: heard)
        assert seen.keys() == expected
        assert heard.keys() == {"stadtfunk/v1/parking/zone/z1/guidance/status"}


async def test_telematics_tells_of_its_tours_and_nothing_else(fortress: Fortress) -> None:
    """It reads tours, answers them and tells of stops; it writes no tours and reads nothing else."""
    root = "stadtfunk/v1/waste/vehicle/v1"
    async with (
        hearing(fortress, "witness", "#") as seen,
        hearing(fortress, "telematics", "#") as heard,
        publishing(fortress, "telematics") as telematics,
        publishing(fortress, "stadtfunk") as service,
    ):
        for name in (f"{root}/route", "stadtfunk/v1/waste/container/c1/due", "stadtfunk/v1/waste/container/c1/report"):
            with pytest.raises(PublishFailed, match="not authorized"):
                await telematics.publish(name, b"forged", retain=False)
        for name in (f"{root}/stop", f"{root}/route/status"):
            await telematics.publish(name, b"{}", retain=False)
        for name in (STATE, f"{root}/route"):
            await service.publish(name, b"{}", retain=False)
        expected = {f"{root}/stop", f"{root}/route/status", STATE, f"{root}/route"}
        await until(lambda: seen.keys() >= expected)
        await until(lambda: heard)
        assert seen.keys() == expected
        assert heard.keys() == {f"{root}/route"}


@pytest.mark.parametrize(("account", "password"), [("stadtfunk", "guess"), ("nobody", "geheim"), (None, None)])
async def test_strangers_stay_outside(fortress: Fortress, account: str | None, password: str | None) -> None:
    """A wrong password, an unknown account and no account at all are refused with the reason."""
    publisher = Publisher(MqttSettings.model_validate(fortress.settings(account, password)))
    task = asyncio.create_task(publisher.run())
    await until(lambda: publisher.last_error)
    task.cancel()
    await asyncio.wait([task])
    assert publisher.last_error is not None
    assert "not authorized" in publisher.last_error


def test_the_page_names_the_subscription_in_use() -> None:
    """What the service subscribes to by default is what its account may read."""
    service = block("acl").split("user stadtfunk\n")[1].split("\nuser ")[0].splitlines()
    assert [f"topic read {name}" for name in filters(MqttSettings())] == service[:1]
    assert service[1] == f"topic read {ROOT}/#"
    assert service[2] == f"topic read {PROBES}/#"


async def test_check_finds_nothing_to_change(fortress: Fortress, tmp_path: Path) -> None:
    """The page's own broker passes `stadtfunk check` under the service's account, and any lesser account does not."""
    mqtt = MqttSettings.model_validate(fortress.settings("stadtfunk", "stadtfunk-geheim"))
    assert {finding.level for finding in await check_broker.findings(mqtt, 0)} == {"ok"}
    lesser = MqttSettings.model_validate(fortress.settings("signs", "signs-geheim"))
    found = await check_broker.findings(lesser, 0)
    assert [(finding.level, finding.subject) for finding in found] == [("ok", "mqtt"), ("error", "mqtt rights")]
    assert "not authorized" in found[1].text
