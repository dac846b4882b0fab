"""Downlinks on their way out: what ChirpStack gets, what is refused with which reason, and what is kept of each."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from chirpstack_api.integration import integration_pb2
from google.protobuf import json_format
from prometheus_client import CollectorRegistry

from ingest import downlink_store
from ingest.downlink_command import command, largest
from ingest.downlink_courier import HOUR_MS, Rate
from ingest.fleet.lifecycle import State
from ingest.journal_schema import JournalError, open_reader
from ingest.mqtt_error import PublishFailed, PublishRefused
from ingest.outbox import Outbox
from ingest.settings import DownlinkSettings, Settings, SettingsError, load
from rules.event_custom import DownlinkRequested
from tests.ingest.bench import Bench, city_settings, running, until
from tests.ingest.commanding import ID, REPORTS, TOPIC, VALID_MS, city_text, commanding
from tests.ingest.uplinks import APPLICATION, LOT_DEVICES, NOW, message, occupied, raw, rfc3339, topic
from tests.ingest.uplinks import event as uplink_event

__all__ = ["commanding"]

DEVICE, OTHER = LOT_DEVICES[:2]
COMMANDS = f"application/{APPLICATION}/device/{DEVICE}/command/down"
pytestmark = pytest.mark.usefixtures("commanding")


class Sent(NamedTuple):
    """A message on the wire."""

    topic: str
    payload: bytes
    retain: bool
    expiry_s: int | None
    content_type: str | None


class Wire:
    """A broker that remembers, and fails or refuses when told to."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.fails = False
        self.refuses = False

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool, expiry_s: int | None, content_type: str | None
    ) -> None:
        """Remember, or fail."""
        if self.fails:
            raise PublishFailed("no connection to the broker")
        if self.refuses and topic.endswith("/command/down"):
            raise PublishRefused("not authorized")
        self.sent.append(Sent(topic, payload, retain, expiry_s, content_type))

    @property
    def commands(self) -> list[Sent]:
        """What went to ChirpStack."""
        return [sent for sent in self.sent if sent.topic.startswith("application/")]

    @property
    def reports(self) -> list[dict[str, Any]]:
        """The data of what was said of downlinks."""
        return [json.loads(sent.payload)["data"] for sent in self.sent if sent.topic == REPORTS]


def settings_of(tmp_path: Path, command: dict[str, Any] | None = None, **sections: dict[str, Any]) -> Settings:
    """Settings of the small city, with another command, and these keys of sections."""
    settings = city_settings(tmp_path)
    assert settings.city.file is not None
    settings.city.file.write_text(city_text(**(command or {})))
    for name, keys in sections.items():
        part = type(getattr(settings, name)).model_validate({**dict(getattr(settings, name)), **keys})
        settings = settings.model_copy(update={name: part})
    return settings


class Post:
    """A service without broker, and its outbox over a wire that remembers."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.wire = Wire()
        self._counter = 0

    def outbox(self) -> Outbox:
        """Another outbox, as after a restart."""
        service = self.bench.service
        courier = service._courier()
        stopped = service.modes.is_stopped
        return Outbox(self.wire, service.journal, service.clock, service.telemetry, 1.0, stopped, courier)

    @contextlib.asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """An outbox at work, which may note what it sent before it is stopped."""
        task = asyncio.create_task(self.outbox().run())
        try:
            yield
            await asyncio.sleep(0.3)
        finally:
            task.cancel()
            await asyncio.wait([task])
        assert task.cancelled()

    async def wish(self, dev_eui: str = DEVICE, *, yes: bool = True, **fields: Any) -> None:  # noqa: ANN401 - as `event`
        """A space says that it is occupied, from which a request follows."""
        self._counter += 1
        time_ms = self.bench.now_ms + self._counter
        payload = occupied(yes=yes)
        await self.bench.send(message(dev_eui=dev_eui, payload=payload, f_cnt=self._counter, time_ms=time_ms, **fields))

    async def say(self, kind: str, dev_eui: str = DEVICE, **fields: Any) -> None:  # noqa: ANN401 - any field
        """ChirpStack says something."""
        self._counter += 1
        head = {"time": rfc3339(self.bench.now_ms), "deviceInfo": uplink_event(dev_eui)["deviceInfo"]}
        said = {**head, "deduplicationId": f"d{self._counter}", **fields}
        await self.bench.send(raw(json.dumps(said).encode(), where=topic(dev_eui, kind)))

    def kept(self) -> list[tuple[str, str]]:
        """Status and reason of all downlinks, oldest first."""
        rows = self._read("SELECT status, reason FROM downlink ORDER BY time_ms, id")
        return [(status, reason) for status, reason in rows]

    def given_ms(self) -> list[int | None]:
        """When downlinks were handed over first."""
        return [given_ms for (given_ms,) in self._read("SELECT given_ms FROM downlink")]

    def requests(self) -> list[str]:
        """What became of the requests, oldest first."""
        return [status for (status,) in self._read("SELECT status FROM event WHERE topic = ? ORDER BY seq", TOPIC)]

    def name(self) -> str:
        """The id of the newest request."""
        return str(self._read("SELECT id FROM event WHERE topic = ? ORDER BY seq DESC", TOPIC)[0][0])

    def _read(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(open_reader(self.bench.service.settings.journal.path)) as connection:
            return [tuple(row) for row in connection.execute(query, values)]


@contextlib.asynccontextmanager
async def posting(settings: Settings, now_ms: int = NOW) -> AsyncIterator[Post]:
    """A post whose pipeline runs."""
    async with running(settings, now_ms) as bench:
        yield Post(bench)


def counted(registry: CollectorRegistry, status: str) -> float | None:
    """How many downlinks became this, as Prometheus sees it."""
    return registry.get_sample_value("stadtfunk_downlinks_total", {"status": status})


async def test_a_request_goes_out_as_chirpstacks_command(tmp_path: Path) -> None:
    """With the request's id, bytes as base64 and its expiry, on the device's topic; not retained, once, with expiry."""
    async with posting(settings_of(tmp_path)) as post, post.sending():
        await post.wish()
        await until(lambda: post.wire.commands)
        (sent,) = post.wire.commands
        assert sent[:1] + sent[2:] == (COMMANDS, False, 600, "application/json")
        said = json.loads(sent.payload)
        assert datetime.fromisoformat(said.pop("expiresAt")).timestamp() * 1000 == NOW + 1 + VALID_MS
        data = base64.b64encode(bytes.fromhex("01ff")).decode()
        name = post.name()
        assert said == {"id": name, "devEui": DEVICE, "confirmed": True, "fPort": 10, "data": data}
        assert not [sent for sent in post.wire.sent if sent.topic == TOPIC]
    assert post.requests() == ["published"]


async def test_both_encodings_say_the_same(tmp_path: Path) -> None:
    """The JSON is one that ChirpStack's own message type reads, every field of it."""
    async with posting(settings_of(tmp_path)) as post:
        await post.wish()
        stored = await post.bench.service.journal.pending_events(10, NOW)
        wish = next(item.event for item in stored if item.event.topic == TOPIC)
    asked = DownlinkRequested.model_validate_json(wish.payload)
    one, other = (command(asked, "a", "{application_id}/{dev_eui}", encoding) for encoding in ("json", "protobuf"))
    read = json_format.Parse(one.payload, integration_pb2.DownlinkCommand())
    assert read == integration_pb2.DownlinkCommand.FromString(other.payload)
    assert one.topic == other.topic == f"a/{DEVICE}"


async def test_a_command_in_protobuf(tmp_path: Path) -> None:
    """Where ChirpStack's newest event is protobuf, so is the command; the template's `{{command}}` is `down`."""
    where = "city/{{application_id}}/{{dev_eui}}/{{command}}"
    settings = settings_of(tmp_path, mqtt={"command_topic": where})
    async with posting(settings) as post:
        await post.wish()
        said = json_format.ParseDict(uplink_event(OTHER, f_cnt=9), integration_pb2.UplinkEvent())
        await post.bench.send(raw(said.SerializeToString(), where=topic(OTHER)))
        async with post.sending():
            await until(lambda: [sent for sent in post.wire.sent if sent.topic.startswith("city/")])
        (sent,) = [sent for sent in post.wire.sent if sent.topic.startswith("city/")]
        assert sent.topic == f"city/{APPLICATION}/{DEVICE}/down"
        read = integration_pb2.DownlinkCommand.FromString(sent.payload)
        assert (read.id, read.dev_eui, read.f_port, read.data) == (post.name(), DEVICE, 10, b"\x01\xff")
        assert (read.confirmed, read.expires_at.ToMilliseconds()) == (True, NOW + 1 + VALID_MS)


@pytest.mark.parametrize(
    ("command", "uplink", "reason"),
    [
        ({"dev_eui": "70b3d57ed0009999"}, {}, "device 70b3d57ed0009999 was never heard"),
        ({"dev_eui": "025354464b000001"}, {}, "device 025354464b000001 is simulated and simulation.accept is not set"),
        ({"payload": "00" * 52}, {"dr": 0}, f"52 bytes, at most 51 at data rate 0, at which {DEVICE} was heard last"),
        ({"payload": "00" * 116}, {"dr": 3}, "116 bytes, at most 115 at data rate 3"),
    ],
)
async def test_what_cannot_be_sent_is_rejected_with_the_reason(
    tmp_path: Path, command: dict[str, Any], uplink: dict[str, Any], reason: str
) -> None:
    """Nothing goes out; request, downlink, event, metric and log say it."""
    async with posting(settings_of(tmp_path, command)) as post, post.sending():
        await post.wish(**uplink)
        await until(lambda: post.wire.reports)
        (said,) = post.wire.reports
        assert (said["status"], said["requested_by"], said["request_id"]) == ("rejected", ID, post.name())
        assert said["reason"].startswith(reason)
        ((status, why),) = post.kept()
        assert (status, why.startswith(reason)) == ("rejected", True)
    assert post.requests() == ["rejected"]
    assert post.wire.commands == []
    assert counted(post.bench.service.registry, "rejected") == 1


@pytest.mark.parametrize(("subject", "state"), [(DEVICE, State.MAINTENANCE), ("lot-markt", State.RETIRED)])
async def test_who_is_not_active_gets_none(tmp_path: Path, subject: str, state: State) -> None:
    """Neither a device in maintenance, nor one at an asset that is; once that is over they do."""
    async with posting(settings_of(tmp_path)) as post:
        await post.wish(yes=False)
        register = post.bench.service.register
        until_ms = NOW + HOUR_MS if state is State.MAINTENANCE else None
        await register.set_state(subject, state, None, until_ms, "anna", "")
        async with post.sending():
            await post.wish()
            await until(lambda: post.wire.reports)
            post.bench.now_ms += 1000
            await register.set_state(subject, State.ACTIVE, None, None, "anna", "")
            await post.wish()
            await until(lambda: post.wire.commands)
    word = "in maintenance" if state is State.MAINTENANCE else "retired"
    assert post.wire.reports[0]["reason"] == f"{subject} is {word}"
    assert post.requests() == ["rejected", "published"]


async def test_a_device_of_which_the_application_is_not_known_gets_none(tmp_path: Path) -> None:
    """A record of an earlier version, or of a time when simulated devices were accepted, has none."""
    async with posting(settings_of(tmp_path, simulation={"accept": True})) as post:
        await post.wish(yes=False)
    async with posting(settings_of(tmp_path, {"dev_eui": DEVICE})) as post, post.sending():
        await post.wish(OTHER)
        await until(lambda: post.wire.reports)
    assert post.wire.reports[0]["reason"].startswith(f"the application of device {DEVICE} is not known")


async def test_a_device_that_rests_on_disk_is_known(tmp_path: Path) -> None:
    """Application and data rate come back from the table of devices."""
    async with posting(settings_of(tmp_path, {"dev_eui": OTHER})) as post:
        await post.wish(OTHER, yes=False)
        fleet, journal = post.bench.service.fleet, post.bench.service.journal
        number, records = fleet.unfolded()
        await journal.fold_devices(number, records)
        fleet.folded(records)
        await post.wish(yes=False)
        fleet._young.clear()
        assert fleet.record(OTHER) is None
        async with post.sending():
            await post.wish()
            await until(lambda: post.wire.commands)
    assert post.wire.commands[0].topic == f"application/{APPLICATION}/device/{OTHER}/command/down"


async def test_too_many_are_rejected_also_after_a_restart(tmp_path: Path) -> None:
    """So many to a device and in all in an hour; those before a restart count; an hour later there are more."""
    settings = settings_of(tmp_path, downlinks={"per_device_hour": 2, "per_hour": 3})
    async with posting(settings) as post:
        async with post.sending():
            for device in (DEVICE, DEVICE):
                await post.wish(device)
            await until(lambda: len(post.wire.commands) == 2)
        async with post.sending():
            for device in (DEVICE, OTHER, OTHER):
                await post.wish(device)
            await until(lambda: len(post.wire.commands) == 3 and len(post.wire.reports) == 2)
        reasons = [said["reason"] for said in post.wire.reports]
        assert reasons[0].startswith(f"more than 2 downlinks to {DEVICE} in an hour")
        assert reasons[1].startswith("more than 3 downlinks in an hour")
        post.bench.now_ms += HOUR_MS
        async with post.sending():
            await post.wish()
            await until(lambda: len(post.wire.commands) == 4)


def test_a_rate_counts_each_once_and_survives_clock_steps() -> None:
    """What is tried again is the same one; a clock that was years ahead keeps nobody from anything."""
    rate = Rate(DownlinkSettings(per_device_hour=1, per_hour=10), [(NOW + 10**11, DEVICE, "future")])
    assert rate.refusal("a", DEVICE, NOW) == ""
    rate.count("a", DEVICE, NOW)
    rate.count("a", DEVICE, NOW + HOUR_MS - 1)
    assert rate.refusal("a", DEVICE, NOW + 1) == ""
    assert "per_device_hour" in rate.refusal("b", DEVICE, NOW + 1)
    assert rate.refusal("b", OTHER, NOW + 1) == ""
    assert rate.refusal("b", DEVICE, NOW + HOUR_MS) == ""


async def test_an_expired_request_never_goes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten minutes without broker: the command is filed and reported as expired, and nothing is sent then."""
    monkeypatch.setattr("ingest.outbox.BACKOFF_S", (0.01, 0.02))
    async with posting(settings_of(tmp_path)) as post, post.sending():
        post.wire.fails = True
        await post.wish()
        await asyncio.sleep(0.3)
        assert post.kept() == [("sending", "")]
        post.bench.now_ms += VALID_MS + 1
        post.wire.fails = False
        await until(lambda: post.wire.reports)
        assert (post.wire.reports[0]["status"], post.wire.commands) == ("expired", [])
    assert post.requests() == ["expired_unpublished"]
    assert post.kept() == [("expired", "not handed to ChirpStack in time")]


async def test_what_expired_before_anybody_looked_counts_nowhere(tmp_path: Path) -> None:
    """A start after ten minutes: filed and reported as expired, and none of the hour's downlinks."""
    async with posting(settings_of(tmp_path)) as post:
        await post.wish()
        post.bench.now_ms += VALID_MS + 1
        async with post.sending():
            await until(lambda: post.wire.reports)
        assert post.given_ms() == [None]
    assert (post.kept()[0][0], post.requests(), post.wire.commands) == ("expired", ["expired_unpublished"], [])


async def test_what_expires_while_it_is_prepared_does_not_go_out(tmp_path: Path) -> None:
    """The clock is looked at again after the journal was written."""
    async with posting(settings_of(tmp_path)) as post:
        note = post.bench.service.journal.note

        async def slowly(write: Any) -> None:  # noqa: ANN401 - as `note`
            await note(write)
            post.bench.now_ms = NOW + VALID_MS + 2

        post.bench.service.journal.note = slowly  # type: ignore[method-assign]
        await post.wish()
        async with post.sending():
            await until(lambda: post.wire.reports)
    assert post.wire.commands == []
    assert (post.requests(), post.wire.reports[0]["status"]) == (["expired_unpublished"], "expired")


async def test_a_command_waits_for_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be noted is not sent yet; nothing else stops."""
    monkeypatch.setattr("ingest.outbox.BACKOFF_S", (0.01, 0.02))
    async with posting(settings_of(tmp_path)) as post:
        note = post.bench.service.journal.note
        failures = 3

        async def fails(write: Any) -> None:  # noqa: ANN401 - as `note`
            nonlocal failures
            failures -= 1
            if failures > 0:
                raise JournalError("disk full")
            await note(write)

        post.bench.service.journal.note = fails  # type: ignore[method-assign]
        await post.wish()
        async with post.sending():
            await until(lambda: post.wire.commands)
    assert post.requests() == ["published"]


async def test_a_refused_right_is_no_loss_of_other_events(tmp_path: Path) -> None:
    """A broker that lets us write no command: it waits until it expires; the state of the lot goes out."""
    async with posting(settings_of(tmp_path)) as post, post.sending():
        post.wire.refuses = True
        await post.wish()
        await post.bench.tick(NOW + 10_000)
        await asyncio.sleep(0.3)
        assert (post.wire.commands, post.requests()) == ([], ["pending"])
        assert [sent for sent in post.wire.sent if sent.topic.endswith("/state")]


async def test_stopping_withdraws_what_waits_and_says_what_it_cannot(tmp_path: Path) -> None:
    """`rules stop custom`: a waiting command never goes; one in ChirpStack's queue is counted, and left as it is."""
    async with posting(settings_of(tmp_path)) as post:
        async with post.sending():
            await post.wish()
            await until(lambda: post.wire.commands)
        await post.wish()
        done = await post.bench.service.rules.stop("custom", "anna", "leak")
        assert {"requests": 1, "states": 0, "downlinks": 1}.items() <= done.items()
        async with post.sending():
            await post.wish()
        assert len(post.wire.commands) == 1
        assert not [sent for sent in post.wire.sent if sent.topic == TOPIC]
        assert post.requests() == ["published", "withdrawn", "off"]
        await post.say("txack", queueItemId=json.loads(post.wire.commands[0].payload)["id"])
        assert post.kept() == [("sent", "")]


async def test_shadow_and_backlog_send_nothing(tmp_path: Path) -> None:
    """As for every request: what is in shadow, or decided over a minute late, is kept only."""
    settings = settings_of(tmp_path, rules={"modes": {ID: "shadow"}})
    async with posting(settings) as post, post.sending():
        await post.wish()
        await asyncio.sleep(0.3)
    assert (post.wire.commands, post.requests(), post.kept()) == ([], ["shadow"], [])
    (tmp_path / "late").mkdir()
    async with posting(settings_of(tmp_path / "late"), NOW) as late, late.sending():
        late.bench.now_ms = NOW + 120_000
        await late.bench.send(message(dev_eui=DEVICE, payload=occupied(yes=True), time_ms=NOW))
        await asyncio.sleep(0.3)
    assert (late.wire.commands, late.requests()) == ([], ["backlog"])


async def test_after_a_crash_it_goes_out_again_unless_a_gateway_has_it(tmp_path: Path) -> None:
    """Sent and not noted: again with the same id; once a txack is in the journal: never again."""
    async with posting(settings_of(tmp_path)) as post:
        async with post.sending():
            await post.wish()
            await until(lambda: post.wire.commands)
        given_ms = post.given_ms()
        post.bench.now_ms += 1000
        writer = post.bench.service.journal._writer
        writer.execute("UPDATE event SET status = 'pending' WHERE topic = ?", (TOPIC,))
        async with post.sending():
            await until(lambda: len(post.wire.commands) == 2)
        assert post.wire.commands[0].payload == post.wire.commands[1].payload
        assert post.given_ms() == given_ms == [NOW]
        await post.say("txack", queueItemId=post.name())
        writer.execute("UPDATE event SET status = 'pending' WHERE topic = ?", (TOPIC,))
        async with post.sending():
            await asyncio.sleep(0.3)
        assert len(post.wire.commands) == 2
    assert (post.requests(), post.kept()) == (["published"], [("sent", "")])


async def test_an_answer_that_comes_before_we_noted_the_sending_counts(tmp_path: Path) -> None:
    """Class C: the gateway's word may be there first; the note does not undo it."""
    async with posting(settings_of(tmp_path)) as post:
        async with post.sending():
            await post.wish()
            await until(lambda: post.wire.commands)
            await post.say("txack", queueItemId=post.name())
        assert post.kept() == [("sent", "")]


async def test_what_became_of_it_is_in_the_commit_of_the_event(tmp_path: Path) -> None:
    """A txack and an ack, each twice: two reports, two steps; the raw event, its line and the step in one commit."""
    async with posting(settings_of(tmp_path)) as post, post.sending():
        await post.wish()
        await until(lambda: post.wire.commands)
        name = post.name()
        for _ in range(2):
            await post.say("txack", queueItemId=name, gatewayId="0016c001f153a14c")
        for _ in range(2):
            await post.say("ack", queueItemId=name, acknowledged=True)
        await post.say("ack", OTHER, queueItemId=name, acknowledged=False)
        await until(lambda: len(post.wire.reports) == 2)
        assert [said["status"] for said in post.wire.reports] == ["sent", "acknowledged"]
        assert post.kept() == [("acknowledged", "")]
    registry = post.bench.service.registry
    assert [counted(registry, status) for status in ("sent", "acknowledged", "not_acknowledged")] == [1, 1, None]


async def test_silence_is_reported_by_a_tick(tmp_path: Path) -> None:
    """Validity and margin passed without a word but a gateway's refusal: unanswered, once, with that as the reason."""
    async with posting(settings_of(tmp_path, {"valid_ms": 30_000})) as post, post.sending():
        await post.wish()
        await until(lambda: post.wire.commands)
        await asyncio.sleep(0.4)
        await post.say("log", level="ERROR", code="DOWNLINK_GATEWAY", description="TOO_LATE")
        await post.bench.tick(NOW + 90_000)
        assert post.kept() == [("queued", "DOWNLINK_GATEWAY: TOO_LATE")]
        await post.bench.tick(NOW + 100_000)
        await post.bench.tick(NOW + 110_000)
        await until(lambda: post.wire.reports)
        assert [said["status"] for said in post.wire.reports] == ["unanswered"]
        assert post.wire.reports[0]["reason"].endswith("DOWNLINK_GATEWAY: TOO_LATE")
    registry = post.bench.service.registry
    assert [counted(registry, status) for status in ("unanswered", "queued")] == [1, None]


async def test_a_damaged_row_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    """Nothing is concluded from what is not as it was written."""
    async with posting(settings_of(tmp_path)) as post:
        async with post.sending():
            await post.wish()
            await until(lambda: post.wire.commands)
        journal, name = post.bench.service.journal, post.name()
        assert await journal.query(lambda c: downlink_store.find(c, name)) is not None
        journal._writer.execute("UPDATE downlink SET subject = 'lot-marct'")
        assert await journal.query(lambda c: downlink_store.find(c, name)) is None
        await post.say("txack", queueItemId=name)
        assert post.kept() == [("queued", "")]


async def test_downlinks_are_forgotten_with_the_events(tmp_path: Path) -> None:
    """After journal.events_days, personal ones after their days, measured by our own clock."""
    async with posting(settings_of(tmp_path)) as post:
        async with post.sending():
            await post.wish()
            await until(lambda: post.wire.commands)
        journal = post.bench.service.journal
        day_ms = 86_400_000
        await journal.prune(NOW + 29 * day_ms)
        assert len(post.kept()) == 1
        await journal.prune(NOW + 31 * day_ms)
        assert post.kept() == []


async def test_personal_downlinks_are_forgotten_earlier(tmp_path: Path) -> None:
    """Those of an application of the personal class after influxdb.retention_personal_days."""
    settings = settings_of(
        tmp_path, privacy={"applications": {"city": "personal"}}, influxdb={"retention_personal_days": 2}
    )
    async with posting(settings) as post:
        async with post.sending():
            await post.wish()
            await until(lambda: post.wire.commands)
        await post.bench.service.journal.prune(NOW, NOW + 3 * 86_400_000)
        assert post.kept() == []


def test_sizes_by_data_rate() -> None:
    """The table of EU868; unknown rates are taken for the slowest."""
    assert [largest(rate) for rate in (0, 2, 3, 4, 5, 7, 8, 11)] == [51, 51, 115, 222, 222, 222, 51, 51]
    assert largest(None) == largest(15) == 51


@pytest.mark.parametrize(
    "template",
    ["application/{dev_eui}/down", "{application_id}/{application_id}/{dev_eui}", "a/+/{application_id}/{dev_eui}", ""],
)
def test_a_command_topic_that_cannot_be_used_is_refused(template: str) -> None:
    """Without application or device, with wildcards: the key and what is expected."""
    with pytest.raises(SettingsError, match=r"mqtt\.command_topic: command_topic"):
        load(mqtt={"command_topic": template})
