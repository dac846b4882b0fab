"""Three times: when it was measured, when the network server took it, and ticks; which of them moves what."""

import asyncio
import json
from pathlib import Path

import pytest

from ingest.mqtt import Receipt
from ingest.settings import Settings, load
from tests.ingest.bench import MINUTE_MS, city_settings, running, until
from tests.ingest.uplinks import (
    LOT_DEVICES,
    NOW,
    message,
    occupied,
    rfc3339,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a small city in a fresh folder."""
    return city_settings(tmp_path)


async def test_a_silent_city_becomes_unknown_by_ticks(settings: Settings) -> None:
    """Twenty minutes without anything arriving: the wall clock's ticks alone make the lot unknown."""
    async with running(settings) as bench:
        await bench.send(
            *(
                message(number, dev_eui=name, payload=occupied(yes=True), time_ms=NOW + number)
                for number, name in enumerate(LOT_DEVICES)
            )
        )
        bench.broker.connected = False
        bench.service.pipeline._last_connected -= 100
        for minute in (5, 14, 20):
            bench.now_ms = NOW + minute * MINUTE_MS
            due = bench.now_ms - bench.now_ms % 10_000
            await until(lambda: bench.service.processor.last_tick_ms >= due)  # noqa: B023 - awaited at once
        states = [lot["state"] for lot in await bench.events("lot_state")]
        assert states[-1] == "unknown"


async def test_ticks_follow_network_time_in_a_backlog(settings: Settings) -> None:
    """While a backlog drains the ticks follow its times, and none is ahead of the wall clock."""
    async with running(settings) as bench:
        bench.now_ms = NOW + 60 * MINUTE_MS
        await bench.send(
            *(
                message(number, dev_eui=LOT_DEVICES[number % 20], f_cnt=number, time_ms=NOW + number * 30_000)
                for number in range(40)
            )
        )
        ticks = await bench.service.journal.query(lambda c: [row[0] for row in c.execute("SELECT time_ms FROM tick")])
        assert ticks[0] == NOW
        assert ticks[-1] == NOW + 39 * 30_000
        assert "unknown" not in [lot["state"] for lot in (await bench.events("lot_state"))[1:]][5:]
        bench.now_ms = NOW + 39 * 30_000 - 5_000
        await bench.send(message(99, f_cnt=99, time_ms=NOW + 50 * MINUTE_MS))
        assert bench.service.processor.last_tick_ms == NOW + 39 * 30_000


async def test_a_drained_backlog_lets_nothing_flap(settings: Settings) -> None:
    """While a backlog may come the wall clock makes no tick: neither just cut off nor just connected."""
    async with running(settings) as bench:
        bench.broker.connected = False
        await bench.send(message(1, f_cnt=1))
        bench.now_ms = NOW + 60 * MINUTE_MS
        await asyncio.sleep(1.3)
        assert bench.service.processor.last_tick_ms == NOW
        bench.broker.connected = True
        await asyncio.sleep(0.5)
        await bench.send(message(2, f_cnt=2, time_ms=NOW + 60_000))
        assert bench.service.processor.last_tick_ms == NOW + 60_000


async def test_a_jump_of_the_clock_is_looked_at_first(settings: Settings) -> None:
    """A wall clock that leaps a year ahead and comes back leaves the rules where they were."""
    async with running(settings) as bench:
        await bench.send(message(1, f_cnt=1))
        await asyncio.sleep(1.2)
        bench.now_ms = NOW + 365 * 1440 * MINUTE_MS
        await asyncio.sleep(2.5)
        bench.now_ms = NOW + MINUTE_MS
        await bench.send(message(2, f_cnt=2, time_ms=NOW + MINUTE_MS))
        assert bench.service.processor.last_tick_ms == NOW + MINUTE_MS
        assert bench.service.engine.now_ms == NOW + MINUTE_MS
        bench.now_ms = NOW - 5 * MINUTE_MS
        assert "behind the newest tick" in bench.service.problems()["clock"]


async def test_a_network_time_far_ahead_moves_nothing(settings: Settings) -> None:
    """One uplink ten years ahead is stored once; rule time, windows and the memory of others are as before."""
    ahead_ms = NOW + 3650 * 1440 * MINUTE_MS
    async with running(settings) as bench:
        strange = message(1, f_cnt=1, time_ms=ahead_ms)
        await bench.send(strange)
        await bench.send(message(2, f_cnt=2, time_ms=NOW + 1000))
        await bench.send(strange._replace(receipt=Receipt(1, 3)))
        totals = bench.service.telemetry.totals
        assert (totals.stored, totals.duplicates) == (2, 1)
        assert bench.service.engine.now_ms <= NOW + 2 * MINUTE_MS
        assert bench.service.journal.newest_ns_time_ms <= NOW + 2 * MINUTE_MS
    async with running(settings) as again:
        await again.send(strange)
        repeat = message(2, f_cnt=2, deduplication_id="c" * 32, time_ms=NOW + 2000)
        await again.send(repeat)
        assert again.service.telemetry.totals.duplicates == 2


async def test_a_restart_keeps_the_time_of_the_rules(settings: Settings) -> None:
    """Ticks go on where they were, never back."""
    async with running(settings) as bench:
        await bench.send(message(1, f_cnt=1))
        tick = bench.service.processor.last_tick_ms
    async with running(settings) as again:
        assert again.service.processor.last_tick_ms == tick > 0


async def test_a_clock_that_is_wrong_at_start_moves_nothing(settings: Settings) -> None:
    """A start years ahead (no battery behind the machine's clock) waits before the rules follow."""
    async with running(settings) as bench:
        await bench.send(message(1, f_cnt=1))
    async with running(settings, NOW + 3650 * 1440 * MINUTE_MS) as again:
        await asyncio.sleep(2.5)
        assert again.service.processor.last_tick_ms == NOW


async def test_a_wrong_clock_forgets_nothing(settings: Settings) -> None:
    """Ten years ahead of the network server our clock alone makes nobody forget a dead letter."""
    async with running(settings) as bench:
        await bench.send(message(1, f_cnt=1), message(2, f_cnt=2, profile="unknown", time_ms=NOW + 1000))
        bench.now_ms = NOW + 3650 * 1440 * MINUTE_MS
        await bench.service.upkeep.prune([])
        assert await bench.letters() == [("unknown_profile", "open")]


async def test_a_restart_restores_the_window_in_believable_times(settings: Settings) -> None:
    """A frame of the far future, restored at start, neither stops the window from turning nor is forgotten itself."""
    ahead_ms = NOW + 3650 * 1440 * MINUTE_MS
    async with running(settings) as bench:
        await bench.send(message(1, f_cnt=1, time_ms=ahead_ms))
    async with running(settings) as again:
        frames = again.service.processor.frames
        assert frames._turn_ms <= NOW + 20 * MINUTE_MS
        await again.send(message(2, f_cnt=1, time_ms=ahead_ms + 1, deduplication_id="d" * 32))
        assert again.service.telemetry.totals.duplicates == 1


async def test_a_clock_behind_flags_no_device(settings: Settings) -> None:
    """Our own clock three days behind: devices that agree with the network server are plausible."""
    async with running(settings) as bench:
        bench.now_ms = NOW - 3 * 1440 * MINUTE_MS
        await bench.send(message(1, f_cnt=1))
        (link,) = [line for line in await bench.lines() if line.startswith("link,")]
        assert "clock_offset_s=0.0" in link
        assert "quality" not in link


async def test_an_implausible_clock_is_flagged_and_a_backlog_is_not(settings: Settings) -> None:
    """A measurement over two minutes ahead of the network server is stored and flagged; an old one is just old."""
    async with running(settings) as bench:
        bench.now_ms = NOW + 600 * MINUTE_MS
        await bench.send(
            message(1, f_cnt=1, time=rfc3339(NOW + 5 * MINUTE_MS)), message(2, f_cnt=2, time_ms=NOW + 1000)
        )
        links = [line for line in await bench.lines() if line.startswith("link,")]
        assert ["clock_offset_s_quality=1" in line for line in links] == [True, False]


async def test_an_old_reading_stays_with_the_asset_of_its_time(tmp_path: Path) -> None:
    """A logged value from before a device was moved is stored under the asset where it was measured."""
    moved_ms = NOW - 10_000
    assigned = {"dev_eui": LOT_DEVICES[0]}
    places = {
        "here": {**assigned, "valid_from": rfc3339(moved_ms)},
        "there": {**assigned, "valid_to": rfc3339(moved_ms)},
    }
    features = [
        {
            "type": "Feature",
            "id": name,
            "geometry": {"type": "Point", "coordinates": [7.8, 51.7]},
            "properties": {"kind": "station", "name": name, "devices": [device]},
        }
        for name, device in places.items()
    ]
    (tmp_path / "city.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    moving = load(
        city={"file": tmp_path / "city.geojson"},
        journal={"path": tmp_path / "journal.db"},
        codecs={"profiles": {"ELSYS": "elsys/generic"}},
    )
    async with running(moving) as bench:
        logged = bytes.fromhex("0100e24100c614")
        await bench.send(message(1, payload=logged, f_port=5, profile="ELSYS"))
        lines = [line for line in await bench.lines() if line.startswith("environment,")]
        assert [("asset=here" in line, "asset=there" in line) for line in lines] == [(True, False), (False, True)]
        assert f"air_temperature=19.8 {NOW - 20_000}" in lines[1]
