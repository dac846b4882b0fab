"""The fleet in a running pipeline: silence of devices, gateways and the network; what survives a restart."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from ingest.app import Service
from ingest.fleet import fleet
from ingest.fleet import store as fleet_store
from ingest.fleet.lifecycle import Change, State
from ingest.fleet.lifecycle_store import set_state
from ingest.mqtt import Message
from ingest.settings import Settings
from rules.device import health
from rules.device.config import DeviceRules
from tests.ingest.bench import Bench, city_settings, running
from tests.ingest.rounds import APART_MS, GATEWAYS, MINUTE, SECOND, ledger_of, live, said, uplink, wait
from tests.ingest.uplinks import APPLICATION, LOT_DEVICES, NOW, event, occupied, raw


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A small city in a fresh folder."""
    return city_settings(tmp_path)


@pytest.fixture
async def bench(settings: Settings) -> AsyncIterator[Bench]:
    """A service without a broker."""
    async with running(settings) as found:
        yield found


async def test_a_silent_device_is_one_event_and_one_when_it_is_back(bench: Bench) -> None:
    """One of twenty stops: silent after 25 minutes, not before, and ok with its next uplink."""
    await live(bench, range(8), range(20))
    others = range(1, 20)
    await live(bench, range(8, 9), others)
    assert await said(bench) == []
    end_ms = await live(bench, range(9, 12), others)
    assert await said(bench) == [(LOT_DEVICES[0], "silent")]
    await bench.send(uplink(0, 12, end_ms))
    assert await said(bench) == [(LOT_DEVICES[0], "silent"), (LOT_DEVICES[0], "ok")]


async def test_the_word_on_a_silent_device_carries_its_evidence(bench: Bench) -> None:
    """Silence and threshold in seconds, intervals behind it, the last time it was heard, and an expiry."""
    await live(bench, range(8), range(20))
    await live(bench, range(8, 12), range(1, 20))
    (found,) = await bench.events("health")
    (evidence,) = cast("list[dict[str, Any]]", found["evidence"])
    assert evidence["quantity"] == "silence"
    assert evidence["threshold"] == 1500
    assert evidence["n_samples"] == 7
    assert evidence["value"] >= evidence["threshold"]
    assert found["last_heard"] == "2027-01-15T09:10:00Z"
    assert str(found["valid_until"]) > str(found["last_heard"])


async def test_a_silent_gateway_is_one_event_instead_of_ten(bench: Bench) -> None:
    """All ten devices of a gateway stop at once: one word on the gateway, none on devices, one when it is back."""
    await live(bench, range(8), range(20))
    end_ms = await live(bench, range(8, 20), SECOND)
    assert await said(bench) == [(GATEWAYS[0], "silent")]
    await bench.send(uplink(0, 20, end_ms))
    await wait(bench, end_ms, 1)
    assert await said(bench) == [(GATEWAYS[0], "silent"), (GATEWAYS[0], "ok")]
    for turn in range(20, 24):
        time_ms = NOW + turn * 10 * MINUTE
        bench.now_ms = time_ms + 10 * MINUTE
        await bench.send(*(uplink(number, turn + 1, time_ms + number * APART_MS) for number in range(1, 20)))
    assert await said(bench) == [(GATEWAYS[0], "silent"), (GATEWAYS[0], "ok"), (LOT_DEVICES[0], "silent")]


async def test_a_silent_network_is_one_event(bench: Bench) -> None:
    """Nothing arrives any more: one word raised by ticks, renewed within its day; devices get time to come back."""
    end_ms = await live(bench, range(8), range(20))
    await wait(bench, end_ms, 180)
    assert await said(bench) == [("all", "silent")]
    await bench.tick(end_ms + 21 * 60 * MINUTE)
    assert await said(bench) == [("all", "silent")] * 2
    for turn in (140, 141):
        begin_ms = NOW + turn * 10 * MINUTE
        bench.now_ms = begin_ms + 10 * MINUTE
        await bench.send(*(uplink(n, turn, begin_ms + n * APART_MS) for n in range(1, 20)))
    assert (await said(bench))[2:] == [("all", "ok")]
    for turn in (142, 143):
        begin_ms = NOW + turn * 10 * MINUTE
        bench.now_ms = begin_ms + 10 * MINUTE
        await bench.send(*(uplink(n, turn, begin_ms + n * APART_MS) for n in range(1, 20)))
    assert (await said(bench))[3:] == [(LOT_DEVICES[0], "silent")]


async def test_a_word_on_a_device_in_maintenance_is_taken_back(bench: Bench) -> None:
    """Somebody says that a silent device is in maintenance: ok with the next tick, silence is no matter any more."""
    await live(bench, range(8), range(20))
    end_ms = await live(bench, range(8, 12), range(1, 20))
    register = bench.service.register
    await register.set_state(LOT_DEVICES[0], State.MAINTENANCE, None, end_ms + 10**9, "os:anna", "new battery")
    await bench.tick(end_ms + MINUTE)
    assert await said(bench) == [(LOT_DEVICES[0], "silent"), (LOT_DEVICES[0], "ok")]


async def test_nothing_is_forgotten_by_a_restart(settings: Settings) -> None:
    """The log alone, and the folded table, both bring back interval, ledger, gateways and what was said."""
    async with running(settings) as first:
        await live(first, range(6), range(20))
    async with running(settings, NOW + 60 * MINUTE) as second:
        await live(second, range(6, 8), range(20))
        await second.service.upkeep.fold()
        rows = await second.service.journal.query(lambda c: c.execute("SELECT count(*) FROM device_log").fetchone()[0])
        assert rows == 0
    async with running(settings, NOW + 80 * MINUTE) as third:
        assert third.service.fleet.record(LOT_DEVICES[0]) is None, "quiet devices rest on disk"
        end_ms = await live(third, range(8, 12), range(1, 20))
        assert await said(third) == [(LOT_DEVICES[0], "silent")]
        assert (await ledger_of(third, settings, 1))["2027-01-15"] == [12, 12, 0, 0, 0, 12]
        third.now_ms = end_ms


async def test_a_start_folds_what_was_logged(settings: Settings) -> None:
    """A service that is restarted again and again does not let its log grow."""
    async with running(settings) as first:
        await live(first, range(3), range(20))
    service = Service(settings)
    assert service.fleet.fresh == 20
    async with asyncio.TaskGroup() as group, asyncio.timeout(60):
        group.create_task(service.run())
        while await service.journal.query(lambda c: c.execute("SELECT count(*) FROM device_log").fetchone()[0]):
            await asyncio.sleep(0.05)
        rested = await service.journal.query(lambda c: c.execute("SELECT count(*) FROM device").fetchone()[0])
        service.stop()
    assert rested == 20


async def test_memory_and_folding_change_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for two records, folded after every round, the same is said at the same times as with room for all."""

    async def played(folder: str, *, fold: bool) -> list[tuple[str, bytes]]:
        path = settings.journal.path.with_name(folder) / "journal.db"
        own = settings.model_copy(update={"journal": settings.journal.model_copy(update={"path": path})})
        async with running(own) as bench:
            for turn in range(16):
                quiet = {0} if turn > 8 else set()
                time_ms = NOW + turn * 10 * MINUTE
                bench.now_ms = time_ms + 10 * MINUTE
                await bench.send(*(uplink(n, turn, time_ms + n * APART_MS) for n in range(20) if n not in quiet))
                if fold:
                    await bench.service.upkeep.fold()
            await wait(bench, bench.now_ms, 30)
            query = "SELECT topic, payload FROM event WHERE topic LIKE '%/health' ORDER BY seq"
            rows = await bench.service.journal.query(lambda connection: connection.execute(query).fetchall())
            return [(row[0], row[1]) for row in rows]

    expected = await played("all", fold=False)
    monkeypatch.setattr(fleet, "REMEMBERED", 2)
    assert await played("few", fold=True) == expected
    assert len(expected) == 2


async def test_a_changed_tag_dates_the_assignment(bench: Bench) -> None:
    """The tag `asset` changes: a history reading from before belongs to the old asset, kept in the journal."""
    name = "70b3d57ed0000099"

    def tagged(f_cnt: int, asset: str, time_ms: int) -> Message:
        made = event(name, f_cnt=f_cnt, time_ms=time_ms, payload=occupied(yes=True))
        made["deviceInfo"]["tags"] = {"asset": asset}
        return raw(json.dumps(made).encode(), where=f"application/{APPLICATION}/device/{name}/event/up")

    bench.now_ms = NOW + 100 * MINUTE
    await bench.send(tagged(0, "lot-markt", NOW), tagged(1, "container-1", NOW + 10 * MINUTE))
    await bench.send(tagged(2, "container-1", NOW + 20 * MINUTE))
    links = [line for line in await bench.lines() if line.startswith("link,") and name in line]
    assert ["container-1" in line for line in links] == [False, True, True]
    place = bench.service.devices.assignments.place
    assert place(name, NOW + MINUTE, "container-1") == "lot-markt"
    assert place(name, NOW + 11 * MINUTE, "container-1") == "container-1"
    rows = await bench.service.journal.query(fleet_store.assignments)
    assert [(row.valid_from_ms, row.asset) for row in rows] == [(0, "lot-markt"), (NOW + 10 * MINUTE, "container-1")]


async def test_a_damaged_record_begins_anew(settings: Settings) -> None:
    """A record with a wrong checksum is as if the device had never been heard; the others stay."""
    async with running(settings) as first:
        await live(first, range(3), range(20))
        await first.service.upkeep.fold()
        await first.service.journal._write(
            lambda: first.service.journal._writer.execute(
                "UPDATE device SET body = '[1,[]]' WHERE dev_eui = ?", LOT_DEVICES[:1]
            )
        )
    async with running(settings, NOW + 30 * MINUTE) as second:
        await live(second, range(3, 4), range(20))
        assert (await ledger_of(second, settings, 0))["2027-01-15"][1] == 1
        assert (await ledger_of(second, settings, 1))["2027-01-15"][1] == 4


async def test_a_personal_device_says_nothing_on_mqtt(settings: Settings) -> None:
    """Its silence is known to those who may read the list of devices, but no event leaves."""
    privacy = settings.privacy.model_copy(update={"applications": {"city": "personal"}})
    async with running(settings.model_copy(update={"privacy": privacy})) as bench:
        await live(bench, range(8), range(20))
        await live(bench, range(8, 12), range(1, 20))
        assert await said(bench) == []
        record = bench.service.fleet.record(LOT_DEVICES[0])
        assert record is not None
        assert record.silent


async def test_a_rule_that_raises_about_one_device_harms_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every uplink is stored, none is a dead letter, and the failure is counted."""
    conclude = health.conclude

    def failing(rules: DeviceRules, dev_eui: str, *rest: Any, **words: Any) -> Any:  # noqa: ANN401 - as conclude
        if dev_eui == LOT_DEVICES[0]:
            raise ZeroDivisionError("our own")
        return conclude(rules, dev_eui, *rest, **words)

    monkeypatch.setattr(health, "conclude", failing)
    await live(bench, range(3), range(20))
    assert await bench.letters() == []
    assert len([line for line in await bench.lines() if line.startswith("link,")]) == 60
    failures = bench.service.registry.get_sample_value("stadtfunk_rule_failures_total", {"rule": "device.health"})
    assert failures
    assert failures >= 3


async def test_after_a_day_away_devices_get_time_to_be_heard(bench: Bench) -> None:
    """The first ticks after a day without any call nobody silent; later ones do, when still nobody is heard."""
    end_ms = await live(bench, range(8), range(20))
    day_ms = 24 * 60 * MINUTE
    await wait(bench, end_ms + day_ms, 1)
    assert await said(bench) == []
    await wait(bench, end_ms + day_ms + MINUTE, 10)
    assert await said(bench) == [("all", "silent")]


async def test_a_retired_gateway_is_not_missed(bench: Bench) -> None:
    """A gateway that was taken down falls silent without a word."""
    await live(bench, range(8), range(20))
    await bench.service.register.set_state(GATEWAYS[0], State.RETIRED, NOW, None, "os:anna", "moved")
    await live(bench, range(8, 12), SECOND)
    assert (GATEWAYS[0], "silent") not in await said(bench)


async def test_the_word_on_a_device_is_withdrawn_when_its_maintenance_begins(bench: Bench) -> None:
    """Maintenance said for later: ok at the first tick of it, silent again at the first after it, no tick sooner."""
    await live(bench, range(8), range(20))
    end_ms = await live(bench, range(8, 12), range(1, 20))
    begin_ms, over_ms = end_ms + 5 * MINUTE, end_ms + 12 * MINUTE
    await bench.service.register.set_state(
        LOT_DEVICES[0], State.MAINTENANCE, begin_ms, over_ms, "os:anna", "new battery"
    )
    told: list[tuple[int, str]] = []
    for minute in range(1, 15):
        await bench.send(uplink(1 + minute, 12, end_ms + minute * MINUTE - 30_000))
        await bench.tick(end_ms + minute * MINUTE)
        told += [(minute, state) for _, state in (await said(bench))[1 + len(told) :]]
    assert told == [(5, "ok"), (12, "silent")]


async def test_maintenance_said_while_the_service_was_away_is_heard_of(settings: Settings) -> None:
    """A word about an asset that was written into the journal itself is looked at with the first ticks."""
    async with running(settings) as first:
        await live(first, range(8), range(20))
        end_ms = await live(first, range(8, 12), range(1, 20))
        assert await said(first) == [(LOT_DEVICES[0], "silent")]
        change = Change("lot-markt", end_ms, State.MAINTENANCE, end_ms + 60 * MINUTE)
        await first.service.journal._write(lambda: set_state(change)(first.service.journal._writer))
    async with running(settings, end_ms) as second:
        await second.tick(end_ms + MINUTE)
        assert await said(second) == [(LOT_DEVICES[0], "silent"), (LOT_DEVICES[0], "ok")]


async def test_outages_are_remembered_over_a_restart(settings: Settings) -> None:
    """A gateway and the service itself were away once each: known to the next start as it was to this one."""
    async with running(settings) as first:
        await live(first, range(8), range(20))
        end_ms = await live(first, range(8, 20), SECOND)
        await first.send(uplink(0, 20, end_ms))
        await wait(first, end_ms, 1)
        await wait(first, end_ms + 120 * MINUTE, 1)
        known = dict(first.service.fleet.stations)
    assert known[GATEWAYS[0]].outages == ((NOW + 70 * MINUTE + 18 * APART_MS, end_ms),)
    assert known["all"].outages == ((end_ms + MINUTE, end_ms + 121 * MINUTE),)
    async with running(settings, end_ms) as second:
        assert second.service.fleet.stations == known
