"""Feedback of tours and reports of people: through the journal to the rule, once, and again in a replay."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from typer.testing import CliRunner

from decoders import catalog
from decoders.measurement import Reading
from decoders.quantity import Quantity
from ingest import cli, journal_raw, tour_feedback
from ingest.app import Service
from ingest.audit import Action
from ingest.broker import Mosquitto, free_port
from ingest.clock import wall_clock
from ingest.decisions import replay as rules_replay
from ingest.mqtt import Message
from ingest.replay.decode_again import Decoder
from ingest.routes.feedback import done, served, skipped
from ingest.settings import Settings, load
from ingest.waste_report import ReportError
from rules.catalog import RULES
from rules.city import City
from tests.ingest.bench import Bench, running
from tests.ingest.replays import order, reading, replayed
from tests.ingest.uplinks import BIN_DEVICE, CITY, NOW, PROFILES, message, raw, rfc3339

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
BIN, TRUCK = "container-1", "truck-1"
STOP = f"stadtfunk/v1/waste/vehicle/{TRUCK}/stop"
DUE = f"stadtfunk/v1/waste/container/{BIN}/due"
VEHICLE = {
    "type": "Feature",
    "id": TRUCK,
    "geometry": {"type": "Point", "coordinates": [7.79, 51.67]},
    "properties": {"kind": "vehicle", "name": "Truck 1"},
}
TOWN = {**CITY, "features": [*CITY["features"], VEHICLE]}
WHY = "call of a citizen"
WAIT_S = 60


def settings_with(tmp_path: Path, **sections: Any) -> Settings:  # noqa: ANN401 - sections as in the file
    """A small city with a container and a vehicle, in a fresh folder."""
    (tmp_path / "city.geojson").write_text(json.dumps(TOWN))
    given = {
        "city": {"file": tmp_path / "city.geojson"},
        "journal": {"path": tmp_path / "journal.db", "batch_messages": 50},
        "store": {"path": tmp_path / "store.db", "retention_days": 36_500},
        "codecs": {"profiles": PROFILES},
        "http": {"enabled": False},
    }
    return load(**{**given, **sections})


def body(number: int = 1, time_ms: int = NOW, driver: str = "", **data: object) -> bytes:
    """Feedback as a vehicle's computer publishes it."""
    said = {"stop": BIN, "result": "served", "time": rfc3339(time_ms), **data}
    event = {"specversion": "1.0", "id": f"stop-{number}", "source": "/telematics", "type": "de.example.stop"}
    return json.dumps(
        {**event, "time": rfc3339(time_ms), **({"driver": driver} if driver else {}), "data": said}
    ).encode()


def feedback(number: int = 1, time_ms: int = NOW, topic: str = STOP, **data: Any) -> Message:  # noqa: ANN401 - JSON
    """The same as it comes off the broker."""
    return raw(body(number, time_ms, **data), where=topic)


def level(number: int, time_ms: int, percent: float) -> Message:
    """An uplink of the container's sensor: a distance."""
    distance = Reading(Quantity.DISTANCE, 100 + 1500 * (1 - percent / 100))
    payload = catalog.codec("milesight/em400-mud").encode(85, [distance])
    return message(
        dev_eui=BIN_DEVICE, payload=payload, f_port=85, f_cnt=number, time_ms=time_ms, profile="Milesight EM400-MUD"
    )


async def said(bench: Bench) -> dict[str, Any]:
    """What the newest event about the container says."""
    return (await bench.events("container_due"))[-1]


async def details(bench: Bench) -> list[tuple[str, str, int, int]]:
    """Reason, detail, bytes kept and bytes of all dead letters."""
    query = "SELECT reason, detail, length(payload), length FROM dead_letter ORDER BY id"
    return await bench.service.journal.query(lambda connection: connection.execute(query).fetchall())


async def test_feedback_is_subscribed_where_a_rule_hears_it(tmp_path: Path) -> None:
    """Once, however many rules; without such a rule not at all."""
    async with running(settings_with(tmp_path)) as bench:
        topics = bench.service.subscriber._topics
        assert topics.count("stadtfunk/v1/waste/vehicle/+/stop") == 1
    assert tour_feedback.filters([rule for rule in RULES if not rule.tours]) == ()


async def test_feedback_reaches_its_rule_once_however_often_it_comes(tmp_path: Path) -> None:
    """Twice in one batch, again in the next and after a restart: one event, one raw message; another report counts."""
    settings = settings_with(tmp_path)
    async with running(settings, NOW + 2 * MINUTE) as bench:
        await bench.send(level(1, NOW - HOUR, 90))
        assert (await said(bench))["due"]
        await bench.send(feedback(), feedback())
        await bench.send(feedback())
        assert (await said(bench))["reason"] == "emptied"
        before = len(await bench.events("container_due"))
    async with running(settings, NOW + 4 * MINUTE) as bench:
        await bench.send(feedback())
        assert len(await bench.events("container_due")) == before
        assert [item.message.topic for item in kept(settings)].count(STOP) == 1
        await bench.send(feedback(2, NOW + MINUTE, result="skipped", reason="blocked", side_waste=True))
        assert (await said(bench))["reason"] == "side_waste"
        assert await bench.letters() == []


def kept(settings: Settings) -> list[Any]:
    """The raw messages in the journal."""
    with reading(settings) as connection:
        return list(journal_raw.read(connection, 0, journal_raw.LAST, lambda _: None))


async def test_what_cannot_be_used_is_a_dead_letter_that_says_why(tmp_path: Path) -> None:
    """Acknowledged, kept with its reason, and nothing else happens."""
    async with running(settings_with(tmp_path), NOW) as bench:
        await bench.send(
            raw(b"{", where=STOP),
            feedback(1, stop="container-9"),
            feedback(2, stop="lot-markt"),
            feedback(3, topic=STOP.replace(TRUCK, "truck-9")),
            feedback(4, topic=STOP.replace(TRUCK, BIN)),
            feedback(5, NOW + 3 * MINUTE),
            feedback(6, NOW - 8 * DAY),
            feedback(7, result="skipped"),
        )
        found = await details(bench)
        assert {reason for reason, *_ in found} == {"feedback"}
        for (_, detail, *_), expected in zip(
            found,
            (
                "Invalid JSON",
                "stop 'container-9' is no container of the city's file",
                "stop 'lot-markt' is no container",
                "'truck-9' is no vehicle of the city's file",
                "'container-1' is no vehicle",
                "its time is 3 min ahead of ours, expected 2 at most",
                "its time is 8 days ago, expected 7 at most",
                "result is skipped and reason None",
            ),
            strict=True,
        ):
            assert expected in detail
        assert await bench.events("container_due") == []
        assert kept(bench.service.settings) == []


async def test_a_name_that_nobody_asked_for_is_not_kept(tmp_path: Path) -> None:
    """Refused, and of the payload only its length and digest stay, wherever the name stood."""
    async with running(settings_with(tmp_path), NOW) as bench:
        await bench.send(feedback(1, driver="A. Muster"), feedback(2, person="A. Muster"))
        assert [(reason, length > 0, size) for reason, _, size, length in await details(bench)] == [
            ("feedback", True, 0)
        ] * 2
    assert b"Muster" not in journal_bytes(tmp_path)


def journal_bytes(folder: Path) -> bytes:
    """All that is on disk of the journal."""
    return b"".join(file.read_bytes() for file in folder.glob("journal.db*"))


async def test_feedback_that_was_refused_can_be_tried_again(tmp_path: Path) -> None:
    """By a clock that was ahead: once ours has got there, the rule hears it and the letter is resolved."""
    async with running(settings_with(tmp_path), NOW) as bench:
        await bench.send(feedback(1, NOW + 10 * MINUTE))
        again = Action("anna", "dead-letters retry", "1")
        assert "min ahead of ours" in str(await bench.service.retry(1, again))
        bench.now_ms = NOW + 9 * MINUTE
        assert await bench.service.retry(1, again) is None
        assert await bench.letters() == [("feedback", "retried")]
        assert (await said(bench))["emptying_confirmed"]


async def test_a_replay_hears_the_same_feedback_at_the_same_place(tmp_path: Path) -> None:
    """Uplinks, ticks, feedback and reports in turns: every event is there again to the byte; devices are no matter."""
    settings = settings_with(tmp_path)
    async with running(settings, NOW) as bench:
        for number in range(24):
            bench.now_ms = time_ms = NOW + number * HOUR
            await bench.send(level(number, time_ms, min(95, 10 * (number % 10) + 5)))
            if number % 3 == 1:
                await bench.send(feedback(number, time_ms - MINUTE, mass_kg=40.5))
            if number % 4 == 2:
                await bench.send(feedback(number, time_ms - 5 * MINUTE, result="skipped", reason="damaged"))
            if number % 7 == 3:
                await bench.service.report_side_waste(BIN, "anna", WHY)
            if number % 2:
                await bench.tick(time_ms + 20 * MINUTE)
        reasons = {str(data["reason"]) for data in await bench.events("container_due")}
        assert reasons >= {"emptied", "side_waste", "over_threshold"}
        city = City.parse(json.dumps(TOWN))
        everything = rules_replay.Selection(0, NOW * 2)
        with reading(settings) as connection:
            shadow = rules_replay.run(connection, Decoder(settings, city), city, RULES, everything)
        assert {finding.verdict for finding in shadow.findings} == {"same"}
        assert shadow.problems == []
        result = await replayed(bench, order(NOW - DAY, NOW + 2 * DAY))
        assert [problem for problem in result.problems if "/waste/" in problem] == []


async def test_what_was_served_and_skipped_is_there_after_a_restart(tmp_path: Path) -> None:
    """By the time of the stop, not of the message; even where no raw messages are kept."""
    journal = {"path": tmp_path / "journal.db", "raw_days": 0}
    settings = settings_with(tmp_path, journal=journal)
    async with running(settings, NOW) as bench:
        await bench.send(feedback(1, NOW - HOUR))
    async with running(settings, NOW + HOUR):
        with reading(settings) as connection:
            assert served(connection, NOW - HOUR, NOW) == {BIN}
            assert served(connection, NOW - HOUR + 1, NOW) == served(connection, 0, NOW - HOUR) == frozenset()
            assert skipped(connection, 0, NOW * 2) == {}
    async with running(settings, NOW + HOUR) as bench:
        await bench.send(feedback(2, NOW, result="skipped", reason="not_accessible"))
        with reading(settings) as connection:
            assert skipped(connection, NOW, NOW + 1) == {BIN: "not_accessible"}
            assert skipped(connection, 0, NOW) == skipped(connection, NOW + 1, NOW * 2) == {}
            assert done(connection, NOW - HOUR, NOW + 1) == {BIN}
            assert done(connection, NOW, NOW + 1) == frozenset()
        await bench.send(feedback(3, NOW + 1, result="skipped", reason="wrong_content"))
        with reading(settings) as connection:
            assert done(connection, NOW, NOW + 2) == {BIN}


async def test_a_report_of_side_waste_is_heard_and_noted_in_one_commit(tmp_path: Path) -> None:
    """The event, and a row with who and why, which stands nowhere else; an unknown container is refused."""
    settings = settings_with(tmp_path)
    async with running(settings, NOW) as bench:
        made = await bench.service.report_side_waste(BIN, "anna", WHY)
        assert made == {"container": BIN, "side_waste": True, "time": "2027-01-15T08:00:00+00:00"}
        assert (await said(bench))["reason"] == "side_waste"
        rows = await bench.service.journal.query(
            lambda connection: connection.execute("SELECT actor, action, subject, reason FROM audit").fetchall()
        )
        assert [tuple(row) for row in rows] == [("anna", "waste report", BIN, WHY)]
        assert all(b"anna" not in item.message.payload for item in kept(settings))
        with pytest.raises(ReportError, match="'lot-markt' is no container of the city's file"):
            await bench.service.report_side_waste("lot-markt", "anna", WHY)


async def test_a_report_that_cannot_be_kept_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal at its limit, a service that stops: an error, and nothing was noted."""
    async with running(settings_with(tmp_path), NOW) as bench:
        with monkeypatch.context() as patch:
            patch.setattr(type(bench.service.journal), "full", property(lambda _: True))
            with pytest.raises(ReportError, match="nothing was noted: the journal is at its size limit"):
                await bench.service.report_side_waste(BIN, "anna", WHY)
        bench.service.pipeline.stop()
        with pytest.raises(ReportError, match="nothing was noted: the service is stopping"):
            await bench.service.report_side_waste(BIN, "anna", WHY)
        assert await bench.events("container_due") == []


def test_the_command_reports_without_a_service(tmp_path: Path) -> None:
    """JSON for scripts, exit 1 for an unknown container, 2 where nothing was seen."""
    settings = settings_with(tmp_path)
    file = tmp_path / "stadtfunk.toml"
    file.write_text(
        f'[city]\nfile = "{settings.city.file}"\n[journal]\npath = "{settings.journal.path}"\n[http]\nenabled = false\n'
    )
    rest = ["-c", str(file), "--reason", WHY]
    done = CliRunner().invoke(cli.app, ["waste", "report", BIN, "--side-waste", "--json", *rest])
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout.splitlines()[-1])
    assert (made["container"], made["side_waste"]) == (BIN, True)
    unknown = CliRunner().invoke(cli.app, ["waste", "report", "container-9", "--side-waste", *rest])
    assert (unknown.exit_code, "is no container" in str(unknown.exception)) == (1, True)
    assert CliRunner().invoke(cli.app, ["waste", "report", BIN, *rest]).exit_code == 2


async def test_the_command_asks_the_running_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its HTTP interface: heard and noted there, and what it refuses is the command's error."""
    settings_with(tmp_path)
    for key, value in {"CITY__FILE": tmp_path / "city.geojson", "JOURNAL__PATH": tmp_path / "journal.db"}.items():
        monkeypatch.setenv(f"STADTFUNK_{key}", str(value))
    monkeypatch.setenv("STADTFUNK_HTTP__PORT", "0")
    monkeypatch.setenv("STADTFUNK_MQTT__PORT", str(free_port()))
    service = Service(load())
    command = ["waste", "report", BIN, "--side-waste", "--reason", WHY]
    async with asyncio.TaskGroup() as group:
        group.create_task(service.run())
        try:
            await until(lambda: service.url)
            done = await asyncio.to_thread(CliRunner().invoke, cli.app, command)
            assert (done.exit_code, done.output.startswith(f"{BIN}: waste beside it noted at 20")) == (0, True)
            command[2] = "container-9"
            refused = await asyncio.to_thread(CliRunner().invoke, cli.app, command)
            assert (refused.exit_code, "is no container" in str(refused.exception)) == (1, True)
        finally:
            service.stop()
    with reading(service.settings) as connection:
        payloads = connection.execute("SELECT payload FROM event").fetchall()
        rows = connection.execute("SELECT subject FROM audit").fetchall()
    assert any(json.loads(row[0])["data"].get("reason") == "side_waste" for row in payloads)
    assert [row[0] for row in rows] == [BIN]


@pytest.mark.mosquitto
async def test_feedback_over_a_real_broker_ends_what_was_due(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Due by its sensor, served by a vehicle: the retained event says so; what is wrong becomes a dead letter."""
    section = {"port": mosquitto.port, "client_id": "service"}
    service = Service(settings_with(tmp_path, mqtt=section))
    task = asyncio.create_task(service.run())
    try:
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as vehicle:
            await until(lambda: not service.problems())
            now_ms = wall_clock()
            full = level(1, now_ms - HOUR, 90)
            await vehicle.publish(full.topic, full.payload, qos=1)
            await retained(vehicle, lambda data: data["reason"] == "over_threshold")
            await vehicle.publish(STOP, body(1, now_ms - MINUTE, stop="nowhere"), qos=1)
            await vehicle.publish(STOP, body(2, now_ms - MINUTE), qos=1)
            data = await retained(vehicle, lambda data: data["reason"] == "emptied")
            assert (data["due"], data["emptying_confirmed"], data["fill_level"]) == (False, True, 0.0)
        await until(lambda: service.telemetry.totals.dead_letters == 1)
    finally:
        service.stop()
        async with asyncio.timeout(WAIT_S):
            await asyncio.wait([task])
    task.result()


async def retained(client: aiomqtt.Client, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first event about the container of which this holds."""
    await client.subscribe(DUE, 1)
    async with asyncio.timeout(WAIT_S):
        async for item in client.messages:
            data: dict[str, Any] = json.loads(bytes(item.payload or b"{}"))["data"]
            if holds(data):
                await client.unsubscribe(DUE)
                return data
    raise AssertionError


async def until(condition: Callable[[], object]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.02)
