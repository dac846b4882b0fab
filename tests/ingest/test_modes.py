"""Modes of rules, what people confirm, stop and start, and what becomes of requests that come late."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest import check
from ingest.app import Service
from ingest.decisions import store as rules_store
from ingest.decisions.modes import Modes, domain_of_topic
from ingest.decisions.store import RulesError, Withdrawn
from ingest.journal import Journal
from ingest.journal_row import settled
from ingest.outbox import Outbox
from ingest.settings import Mode, Settings, SettingsError, given
from ingest.telemetry import Telemetry
from rules.catalog import RULES
from tests.ingest.bench import Bench, city_settings, running, until
from tests.ingest.requesting import ID, VALID_MS, requesting
from tests.ingest.test_outbox import Channel
from tests.ingest.uplinks import LOT_DEVICES, NOW, message, occupied
from tests.rules.parking.test_guidance import Play

__all__ = ["requesting"]

PLAN = "stadtfunk/v1/traffic/group/lot-markt/signal-plan"
STATE = "stadtfunk/v1/parking/lot/lot-markt/state"
LOT = "parking.lot_state"


def with_modes(tmp_path: Path, **sections: Any) -> Settings:  # noqa: ANN401 - sections as given
    """Settings of the small city with these modes, the test rule active."""
    modes = {ID: "active", **sections.pop("modes", {})}
    settings = city_settings(tmp_path)
    rules = settings.rules.model_copy(update={"modes": modes})
    return settings.model_copy(update={"rules": rules, **sections})


async def say(bench: Bench, number: int, time_ms: int) -> None:
    """Every space says something; requests and a state of the lot follow."""
    sent = [
        message(dev_eui=name, payload=occupied(yes=number % 2 == 0), f_cnt=number, time_ms=time_ms + index)
        for index, name in enumerate(LOT_DEVICES)
    ]
    await bench.send(*sent)


async def statuses(journal: Journal, topic: str) -> list[str]:
    """What the events of a topic are kept as, oldest first."""
    query = "SELECT status FROM event WHERE topic = ? ORDER BY seq"
    return await journal.query(lambda connection: [row[0] for row in connection.execute(query, (topic,))])


async def newest(journal: Journal, topic: str) -> str:
    """The id of a topic's newest event."""
    query = "SELECT id FROM event WHERE topic = ? ORDER BY seq DESC LIMIT 1"
    return str(await journal.query(lambda connection: connection.execute(query, (topic,)).fetchone()[0]))


@pytest.mark.parametrize(
    ("modes", "rule", "subject", "expected"),
    [
        ({}, "parking.lot_state", "a", "active"),
        ({}, "traffic.signal_plan", "g", "shadow"),
        ({"traffic.signal_plan": "active"}, "traffic.signal_plan", "g", "active"),
        ({"traffic.signal_plan": "off", "traffic.signal_plan/g": "confirm"}, "traffic.signal_plan", "g", "confirm"),
        ({"traffic.signal_plan/g": "confirm"}, "traffic.signal_plan", "h", "shadow"),
        ({"parking.lot_state/a/b": "off"}, "parking.lot_state", "a/b", "off"),
    ],
)
def test_the_mode_is_the_subjects_else_the_rules_else_the_domains(
    modes: dict[str, Mode], rule: str, subject: str, expected: Mode
) -> None:
    """Traffic ships in shadow, everything else active; a setting for a subject beats one for its rule."""
    assert Modes(given(rules={"modes": modes})).mode(rule, subject, acting=False) == expected


def test_simulated_devices_make_nothing_act() -> None:
    """With simulation.accept what acts is in shadow, whatever is set; states go out; the demo may act."""
    for acting, expected in ((False, "shadow"), (True, "active")):
        settings = given(simulation={"accept": True, "acting": acting}, rules={"modes": {"traffic.plan": "active"}})
        modes = Modes(settings)
        assert modes.mode("traffic.plan", "g", acting=True) == expected
        assert modes.mode("traffic.plan", "g", acting=False) == "active"


def test_whether_requests_are_carried_out_is_kept_as_requests_are() -> None:
    """But for a confirmation, which it does not need: nothing is told of signs that nobody asked for anything."""
    play = Play("a")
    play.fill("a", 4)
    play.ticks(3)
    (health,) = play.health
    for mode, expected in (("active", "pending"), ("confirm", "pending"), ("shadow", "shadow"), ("off", "off")):
        for accept in (False, True):
            settings = given(simulation={"accept": accept}, rules={"modes": {"parking.guidance": mode}})
            kept = "shadow" if accept and expected == "pending" else expected
            assert Modes(settings).status(health, health.time_ms) == kept


def test_a_stopped_domain_is_off_whatever_is_set() -> None:
    """By rule and by topic; other domains go on, also one whose name begins alike."""
    modes = Modes(given(rules={"modes": {"traffic.plan/g": "active"}}), ["traffic"])
    assert modes.mode("traffic.plan", "g", acting=True) == "off"
    assert modes.mode("trafficking.plan", "g", acting=True) == "active"
    assert [modes.is_stopped(topic) for topic in (PLAN, STATE, "stadtfunk/v1/traffics/x", "traffic/x")] == [
        True,
        False,
        False,
        False,
    ]
    assert domain_of_topic("other/v1/traffic/group") == ""


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        ({"parking.lot": "off"}, "unknown rule 'parking.lot'"),
        ({"parking.lot_state/lot-mark": "off"}, "names 'lot-mark', expected the id of a lot"),
        ({"parking.lot_state/container-1": "off"}, "names 'container-1', expected the id of a lot"),
    ],
)
def test_a_mode_of_nothing_is_refused(tmp_path: Path, modes: dict[str, Mode], expected: str) -> None:
    """A wrong rule, a missing asset, one of another kind: no start."""
    settings = city_settings(tmp_path)
    settings = settings.model_copy(update={"rules": settings.rules.model_copy(update={"modes": modes})})
    with pytest.raises(SettingsError, match=expected):
        Service(settings)


@pytest.mark.usefixtures("requesting")
@pytest.mark.parametrize(
    ("mode", "expected"), [("active", "pending"), ("shadow", "shadow"), ("confirm", "waiting"), ("off", "off")]
)
async def test_events_are_kept_by_their_mode(tmp_path: Path, mode: Mode, expected: str) -> None:
    """Only what is active waits to be published; the others' numbers and states go on all the same."""
    async with running(with_modes(tmp_path, modes={ID: mode, f"{LOT}/lot-markt": mode})) as bench:
        await say(bench, 0, NOW)
        assert set(await statuses(bench.service.journal, PLAN)) == {expected}
        assert set(await statuses(bench.service.journal, STATE)) == {expected}
        assert len(await statuses(bench.service.journal, PLAN)) == len(LOT_DEVICES)
        pending = await bench.service.journal.pending_events(1000, NOW)
    assert len({stored.event.topic for stored in pending} & {PLAN, STATE}) == (2 if mode == "active" else 0)


@pytest.mark.usefixtures("requesting")
async def test_while_a_backlog_drains_nothing_is_requested(tmp_path: Path) -> None:
    """A request decided over a minute behind the wall clock is kept as backlog; a state goes out; the next one, too."""
    async with running(with_modes(tmp_path), NOW + 7_200_000) as bench:
        await say(bench, 0, NOW)
        assert set(await statuses(bench.service.journal, PLAN)) == {"backlog"}
        assert set(await statuses(bench.service.journal, STATE)) == {"pending"}
        await say(bench, 1, NOW + 7_200_000 - 59_000)
        assert (await statuses(bench.service.journal, PLAN))[-1] == "pending"


@pytest.mark.usefixtures("requesting")
async def test_two_hours_off_and_ten_minutes_without_broker_leave_no_expired_request(tmp_path: Path) -> None:
    """Off in the peak, then a backlog, then no broker: nothing expired is on the wire, and only the newest request."""
    async with running(with_modes(tmp_path), NOW + 7_200_000) as bench:
        for minute in range(0, 120, 10):
            await say(bench, minute, NOW + minute * 60_000)
        for minute in range(120, 130, 2):
            bench.now_ms = NOW + minute * 60_000 + 1000
            await say(bench, minute, NOW + minute * 60_000)
        channel, service = Channel(), bench.service
        bench.now_ms = NOW + 7_200_000 + VALID_MS + 1000
        outbox = Outbox(channel, service.journal, service.clock, Telemetry(), is_stopped=service.modes.is_stopped)
        task = asyncio.create_task(outbox.run())
        await until(lambda: any(payload and topic == PLAN for topic, payload, *_ in channel.sent))
        await asyncio.sleep(0.5)
        task.cancel()
        await asyncio.wait([task])
        requests = [json.loads(payload) for topic, payload, *_ in channel.sent if topic == PLAN]
        assert [request["id"] for request in requests] == [await newest(service.journal, PLAN)]
        assert requests[0]["data"]["valid_until"] > "2027-01-15T10:10:01"
        kept = await statuses(service.journal, PLAN)
        assert {status: kept.count(status) for status in set(kept)} == {
            "backlog": 12 * len(LOT_DEVICES),
            "expired_unpublished": len(LOT_DEVICES),
            "superseded": 4 * len(LOT_DEVICES) - 1,
            "published": 1,
        }


@pytest.mark.usefixtures("requesting")
async def test_a_person_confirms_the_newest_request_while_it_is_valid(tmp_path: Path) -> None:
    """Audited with actor and reason; an older one, a second time, an expired and an unknown one are refused."""
    async with running(with_modes(tmp_path, modes={ID: "confirm"})) as bench:
        await say(bench, 0, NOW)
        journal, rules = bench.service.journal, bench.service.rules
        query = "SELECT id FROM event WHERE status = 'waiting' ORDER BY seq"
        waiting = await journal.query(lambda connection: [name for (name,) in connection.execute(query)])
        assert len(waiting) == len(LOT_DEVICES)
        offered = await journal.query(lambda connection: list(rules_store.waiting(connection, NOW)))
        assert [(item.id, item.rule) for item in offered] == [(waiting[-1], ID)]
        with pytest.raises(RulesError, match=f"superseded: {waiting[-1]} waits"):
            await rules.confirm(waiting[0], "anna", "")
        assert (await rules.confirm(waiting[-1], "anna", "seen"))["status"] == "confirmed"
        assert await journal.query(lambda connection: list(rules_store.waiting(connection, NOW))) == []
        assert (await statuses(journal, PLAN)).count("pending") == 1
        with pytest.raises(RulesError, match="does not wait: it is pending"):
            await rules.confirm(waiting[-1], "anna", "")
        with pytest.raises(RulesError, match="no event x"):
            await rules.confirm("x", "anna", "")
        with pytest.raises(RulesError, match=f"superseded: {waiting[-1]} is out"):
            await rules.confirm(waiting[0], "anna", "")
        (seq,) = [stored.seq for stored in await journal.pending_events(10, NOW) if stored.event.topic == PLAN]
        await journal.events_done([(seq, "published")], [], [], NOW)
        with pytest.raises(RulesError, match=f"superseded: {waiting[-1]} is out"):
            await rules.confirm(waiting[0], "anna", "")
        bench.now_ms = NOW + VALID_MS + 5000
        with pytest.raises(RulesError, match="expired 5 s ago"):
            await rules.confirm(waiting[-2], "anna", "")
        rows = await journal.query(
            lambda c: [tuple(row) for row in c.execute("SELECT actor, action, reason FROM audit")]
        )
        assert rows == [("anna", "rules confirm", "seen")]


@pytest.mark.usefixtures("requesting")
async def test_stop_withdraws_everything_and_start_brings_states_back(tmp_path: Path) -> None:
    """Requests, on the way or out, are withdrawn for good and their topic emptied; states come back when started."""
    async with running(with_modes(tmp_path)) as bench:
        service, channel = bench.service, Channel()
        modes, rules, journal = service.modes, service.rules, service.journal
        outbox = Outbox(channel, journal, service.clock, Telemetry(), is_stopped=modes.is_stopped)
        task = asyncio.create_task(outbox.run())
        await say(bench, 0, NOW)
        async with asyncio.timeout(60):
            while "pending" in {*await statuses(journal, PLAN), *await statuses(journal, STATE)}:
                await asyncio.sleep(0.05)
        assert set(await rules.stop("traffic", "anna", "test")) == {"domain", "status", *Withdrawn._fields}
        await rules.stop("parking", "anna", "")
        await until(lambda: {(PLAN, b"", True, None), (STATE, b"", True, None)} <= set(channel.sent))
        await say(bench, 1, NOW + 2000)
        await asyncio.sleep(0.5)
        emptied = channel.sent.index((PLAN, b"", True, None))
        assert [payload for topic, payload, *_ in channel.sent[emptied:] if topic == PLAN and payload] == []
        assert (await statuses(journal, PLAN))[-1] == "off"
        assert "published" not in (await statuses(journal, PLAN))[-len(LOT_DEVICES) :]
        assert (await statuses(journal, STATE))[-1] == "off"
        sent = len(channel.sent)
        assert await rules.start("parking", "anna", "") == {"domain": "parking", "status": "started", "states": 1}
        await rules.start("traffic", "anna", "")
        await until(lambda: len(channel.sent) > sent)
        await asyncio.sleep(0.3)
        ((topic, payload, retained, _),) = channel.sent[sent:]
        assert (topic, json.loads(payload)["id"], retained) == (STATE, await newest(journal, STATE), True)
        task.cancel()
        await asyncio.wait([task])
        with pytest.raises(RulesError, match="traffic is not stopped"):
            await rules.start("traffic", "anna", "")
        with pytest.raises(RulesError, match=r"unknown domain 'trafic'; known are .*traffic"):
            await rules.stop("trafic", "anna", "")


@pytest.mark.usefixtures("requesting")
async def test_a_stop_without_broker_holds_over_a_restart(tmp_path: Path) -> None:
    """What waited is withdrawn at once; after the restart new requests are off until somebody starts the domain."""
    settings = with_modes(tmp_path)
    async with running(settings) as bench:
        await say(bench, 0, NOW)
        done = await bench.service.rules.stop("traffic", "anna", "works")
        assert done["requests"] == len(LOT_DEVICES)
        assert set(await statuses(bench.service.journal, PLAN)) == {"withdrawn"}
    async with running(settings, NOW + 2000) as bench:
        assert bench.service.modes.stopped == {"traffic"}
        await say(bench, 1, NOW + 1000)
        assert (await statuses(bench.service.journal, PLAN))[-1] == "off"
        await bench.service.rules.start("traffic", "anna", "done")
        await say(bench, 2, NOW + 1500)
        assert (await statuses(bench.service.journal, PLAN))[-1] == "pending"
    async with running(settings, NOW + 2000) as bench:
        assert bench.service.modes.stopped == set()


@pytest.mark.usefixtures("requesting")
async def test_what_is_sent_but_not_noted_when_a_stop_comes_is_withdrawn_too(tmp_path: Path) -> None:
    """A state and a request that went out in the same tenth of a second are taken back from the broker."""
    async with running(with_modes(tmp_path)) as bench:
        await say(bench, 0, NOW)
        service, channel = bench.service, Channel()
        outbox = Outbox(channel, service.journal, service.clock, Telemetry(), is_stopped=service.modes.is_stopped)
        task = asyncio.create_task(outbox.run())
        await until(lambda: {PLAN, STATE} <= {topic for topic, *_ in channel.sent})
        service.modes.stopped |= {"traffic", "parking"}
        await until(lambda: {(PLAN, b"", True, None), (STATE, b"", True, None)} <= set(channel.sent))
        task.cancel()
        await asyncio.wait([task])


def test_a_request_whose_status_is_damaged_does_not_go_out() -> None:
    """Of a state nothing is forgotten, of a request nothing is said."""
    assert settled("event", {"status": "x", "acting": 1})["status"] == "withdrawn"
    assert settled("event", {"status": "x", "acting": 0})["status"] == "pending"
    assert settled("event", {"status": "shadow", "acting": 1})["status"] == "shadow"


@pytest.mark.usefixtures("requesting")
async def test_numbers_go_on_when_the_kept_state_is_damaged(tmp_path: Path) -> None:
    """Rule time and numbers lost, and uplinks of an hour ago: still above every request that the journal holds."""
    settings = with_modes(tmp_path)
    async with running(settings) as bench:
        await say(bench, 0, NOW)
    with closing(sqlite3.connect(settings.journal.path)) as connection, connection:
        connection.execute("UPDATE state SET crc = crc + 1 WHERE rule = 'engine' OR rule = ?", (ID,))
    async with running(settings, NOW) as bench:
        await say(bench, 1, NOW - 3_600_000)
        query = "SELECT payload FROM event WHERE topic = ? ORDER BY seq"
        rows = await bench.service.journal.query(lambda connection: connection.execute(query, (PLAN,)).fetchall())
    numbers = [json.loads(row[0])["data"]["sequence"] for row in rows]
    assert len(numbers) == 2 * len(LOT_DEVICES)
    assert sorted(set(numbers)) == numbers


def test_check_names_a_mode_of_nothing(tmp_path: Path) -> None:
    """An unknown rule is an error of the check; known ones are none."""
    settings = city_settings(tmp_path)
    for modes, expected in (({"x.y": "off"}, ["rules.modes"]), ({LOT: "off"}, [])):
        given_modes = settings.model_copy(update={"rules": settings.rules.model_copy(update={"modes": modes})})
        found = check._rules(given_modes, RULES, None)
        assert [finding.subject for finding in found if finding.level == "error"] == expected


@pytest.mark.usefixtures("requesting")
async def test_what_waits_when_a_stop_comes_is_not_sent(tmp_path: Path) -> None:
    """Even before the journal knows of the stop: requests are withdrawn, states set aside, other domains go on."""
    async with running(with_modes(tmp_path)) as bench:
        await say(bench, 0, NOW)
        service, channel = bench.service, Channel()
        service.modes.stopped.add("traffic")
        outbox = Outbox(channel, service.journal, service.clock, Telemetry(), is_stopped=service.modes.is_stopped)
        task = asyncio.create_task(outbox.run())
        await until(lambda: STATE in {topic for topic, *_ in channel.sent})
        await asyncio.sleep(0.5)
        task.cancel()
        await asyncio.wait([task])
        assert PLAN not in {topic for topic, *_ in channel.sent}
        assert set(await statuses(service.journal, PLAN)) == {"withdrawn"}
