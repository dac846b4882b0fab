"""The pipeline: what is acknowledged is in the journal, and nothing counts twice."""

import asyncio
import json
from pathlib import Path

import pytest

from ingest.journal_records import Batch
from ingest.mqtt import Receipt
from ingest.settings import Settings
from tests.ingest.bench import MINUTE_MS, city_settings, running, until
from tests.ingest.uplinks import (
    BIN_DEVICE,
    LOT_DEVICES,
    NOW,
    event,
    message,
    occupied,
    raw,
    topic,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a small city in a fresh folder."""
    return city_settings(tmp_path)


async def test_an_uplink_is_stored_and_acknowledged(settings: Settings) -> None:
    """A reading, its link point and the acknowledgement of one uplink."""
    async with running(settings) as bench:
        await bench.send(message(7, payload=occupied(yes=True)))
        assert bench.broker.acknowledged == [Receipt(1, 7)]
        lines = await bench.lines()
        link = next(line for line in lines if line.startswith("link,"))
        assert f"dev_eui={LOT_DEVICES[0]}" in link
        assert "asset=lot-markt" in link
        assert "rssi=-97,snr=7.5,gateways=1,spreading_factor=7,f_cnt=0,payload_bytes=1,clock_offset_s=0.0" in link
        assert any(line.startswith("parking,") and f"occupied=1.0 {NOW}" in line for line in lines)


async def test_copies_are_stored_once(settings: Settings) -> None:
    """A QoS 1 redelivery and a skip_fcnt_check repeat are acknowledged and not stored; the next frame is."""
    async with running(settings) as bench:
        first = message(1, f_cnt=5)
        await bench.send(first)
        await bench.send(first._replace(receipt=Receipt(1, 2), duplicate=True))
        await bench.send(
            message(3, f_cnt=5, deduplication_id="7e0c1e7a-3c0d-4a57-9a0e-7d1b3a6f2c11", time_ms=NOW + 300)
        )
        await bench.send(message(4, f_cnt=6, time_ms=NOW + 400))
        totals = bench.service.telemetry.totals
        assert (totals.stored, totals.duplicates, totals.dead_letters) == (2, 2, 0)
        assert len([line for line in await bench.lines() if line.startswith("link,")]) == 2


async def test_copies_in_one_batch_are_stored_once(settings: Settings) -> None:
    """The same in one batch, where nothing is in the journal yet."""
    async with running(settings) as bench:
        first = message(1, f_cnt=5)
        repeat = message(3, f_cnt=5, deduplication_id="7e0c1e7a-3c0d-4a57-9a0e-7d1b3a6f2c11", time_ms=NOW + 300)
        await bench.send(first, first._replace(receipt=Receipt(1, 2)), repeat)
        totals = bench.service.telemetry.totals
        assert (totals.stored, totals.duplicates) == (1, 2)


async def test_a_restart_remembers(settings: Settings) -> None:
    """After a restart a redelivery and a repeat are still recognised."""
    async with running(settings) as bench:
        await bench.send(message(1, f_cnt=5))
    async with running(settings) as bench:
        await bench.send(message(1, connection=2, f_cnt=5))
        await bench.send(
            message(2, f_cnt=5, deduplication_id="7e0c1e7a-3c0d-4a57-9a0e-7d1b3a6f2c11", time_ms=NOW + 300)
        )
        assert bench.service.telemetry.totals.duplicates == 2
        assert len([line for line in await bench.lines() if line.startswith("link,")]) == 1


async def test_the_same_frame_later_is_a_new_uplink(settings: Settings) -> None:
    """An ABP device that restarts sends f_cnt 0 with the same byte: after the repeat window it is stored."""
    async with running(settings) as bench:
        bench.now_ms = NOW + 60 * MINUTE_MS
        await bench.send(message(1, f_cnt=0))
        await bench.send(message(2, f_cnt=0, time_ms=NOW + 14 * MINUTE_MS, deduplication_id="a" * 32))
        await bench.send(message(3, f_cnt=0, time_ms=NOW + 31 * MINUTE_MS, deduplication_id="b" * 32))
        totals = bench.service.telemetry.totals
        assert (totals.stored, totals.duplicates) == (2, 1)


async def test_a_failed_commit_acknowledges_nothing(settings: Settings) -> None:
    """At the page limit nothing is acknowledged and no state moves; with room the same messages go through."""
    async with running(settings) as bench:
        await bench.send(message(1, f_cnt=1))
        journal = bench.service.journal
        pages = journal._one("PRAGMA page_count")
        await journal.query(lambda _: None)
        journal._one(f"PRAGMA max_page_count = {pages}")
        generation = bench.service.engine.generation
        for number in range(2, 40):
            bench.service.pipeline.deliver(message(number, f_cnt=number, time_ms=NOW + number))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await until(lambda: len(bench.broker.acknowledged) > 1)
        assert bench.service.telemetry.totals.stored == 1
        assert bench.service.engine.generation == generation
        journal._one("PRAGMA max_page_count = 1000000")
        await until(lambda: len(bench.broker.acknowledged) == 39)
        totals = bench.service.telemetry.totals
        assert (totals.stored, totals.duplicates) == (39, 0)


async def test_the_size_limit_stops_acknowledging(settings: Settings) -> None:
    """At the configured size nothing is acknowledged until a sink has taken something."""
    async with running(settings) as bench:
        journal = bench.service.journal
        await journal.commit(Batch(lines={0: ["x" * 2_000_000]}), NOW)  # type: ignore[dict-item]
        journal.settings = journal.settings.model_copy(update={"max_bytes": 1_000_000})
        bench.service.pipeline._settings = journal.settings
        assert journal.full
        bench.service.pipeline.deliver(message(1))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await until(lambda: bench.broker.acknowledged)
        assert "journal" in bench.service.problems()
        journal.advance("test", 1)
        await until(lambda: bench.broker.acknowledged)


async def test_the_intake_is_paused_at_two_batches(settings: Settings) -> None:
    """Memory is bounded: at two batches the intake is paused, and resumed when less than one waits."""
    async with running(settings) as bench:
        for number in range(100):
            bench.service.pipeline.deliver(message(number, f_cnt=number, time_ms=NOW + number))
        assert bench.broker.paused
        await until(lambda: len(bench.broker.acknowledged) == 100)
        assert not bench.broker.paused
        assert bench.broker.pauses == 1


async def test_what_waits_at_the_end_is_not_acknowledged(settings: Settings) -> None:
    """A stopping pipeline finishes the batch in hand and leaves the rest to the broker."""
    async with running(settings) as bench:
        for number in range(200):
            bench.service.pipeline.deliver(message(number, f_cnt=number, time_ms=NOW + number))
        bench.service.pipeline.stop()
    acknowledged = len(bench.broker.acknowledged)
    assert acknowledged < 200
    async with running(settings) as again:
        seen = await again.service.journal.query(lambda c: c.execute("SELECT count(*) FROM seen").fetchone()[0])
        assert seen == acknowledged


async def test_lot_and_container_events_come_from_uplinks(settings: Settings) -> None:
    """Nineteen of twenty spaces taken: full; a full container: due."""
    async with running(settings) as bench:
        uplinks = [
            message(number, dev_eui=name, payload=occupied(yes=number < 19), time_ms=NOW + number)
            for number, name in enumerate(LOT_DEVICES)
        ]
        full = bytes.fromhex("0175640367f8000482c800050000")
        await bench.send(
            *uplinks,
            message(30, dev_eui=BIN_DEVICE, payload=full, f_port=85, profile="Milesight EM400-MUD", time_ms=NOW + 30),
        )
        lots = await bench.events("lot_state")
        assert lots[-1]["state"] == "full"
        assert (lots[-1]["occupied"], lots[-1]["free"]) == (19, 1)
        due = await bench.events("container_due")
        assert due[-1]["due"] is True
        assert any(line.startswith("asset,") and "lot-markt" in line for line in await bench.lines())


async def test_large_messages_pause_the_intake_by_bytes(settings: Settings) -> None:
    """Memory is bounded in bytes, too: a few large messages pause the intake, and a batch ends at its bytes."""
    async with running(settings) as bench:
        for number in range(30):
            bench.service.pipeline.deliver(raw(bytes([number]) * 100_000, number))
        assert bench.broker.paused
        await until(lambda: len(bench.broker.acknowledged) == 30)
        sizes = await bench.service.journal.query(
            lambda c: [row[0] for row in c.execute("SELECT messages FROM commits")]
        )
        assert max(sizes) <= 10


async def test_other_events_are_stored(settings: Settings) -> None:
    """A join, a status and a log of the network server become points."""
    info = event()["deviceInfo"]
    times = {"time": "2027-01-15T08:00:00.123+00:00", "deviceInfo": info}
    status = {**times, "deduplicationId": "a", "margin": 7, "batteryLevel": 87.5}
    log = {**times, "level": "ERROR", "code": "UPLINK_CODEC", "description": 'say "what"'}
    async with running(settings) as bench:
        await bench.send(
            raw(
                json.dumps({**times, "deduplicationId": "b", "devAddr": "01a2b3c4"}).encode(),
                1,
                where=topic(kind="join"),
            ),
            raw(json.dumps(status).encode(), 2, where=topic(kind="status")),
            raw(json.dumps(log).encode(), 3, where=topic(kind="log")),
        )
        lines = await bench.lines()
        assert any("channel=join" in line and line.startswith("event,") for line in lines)
        assert any("link_margin=7.0" in line and "battery_level=87.5" in line for line in lines)
        assert any('text="say \\"what\\""' in line for line in lines)
        assert await bench.letters() == []
