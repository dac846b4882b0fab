"""The pipeline: what is acknowledged is in the journal, and nothing counts twice."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from decoders.measurement import Measurement
from decoders.uplink import Uplink
from ingest.app import Service
from ingest.audit import Action
from ingest.dead_letter_store import DeadLetterError
from ingest.devices import Route
from ingest.journal_records import Batch
from ingest.mqtt import Message, Receipt
from ingest.process import Outcome, Processor
from ingest.settings import Settings, load
from tests.ingest.uplinks import (
    BIN_DEVICE,
    CITY,
    LOT_DEVICES,
    NOW,
    PROFILES,
    event,
    message,
    occupied,
    raw,
    rfc3339,
    topic,
)

WAIT_S = 5.0
MINUTE_MS = 60_000


class Broker:
    """An intake that remembers what it was told."""

    def __init__(self) -> None:
        self.connected = True
        self.acknowledged: list[Receipt] = []
        self.paused = False
        self.pauses = 0

    def acknowledge(self, receipts: Sequence[Receipt]) -> None:
        """Remember."""
        self.acknowledged += receipts

    def pause(self) -> None:
        """Remember."""
        self.paused = True
        self.pauses += 1

    def resume(self) -> None:
        """Remember."""
        self.paused = False


class Bench:
    """A service without a broker, with a clock that the test sets."""

    def __init__(self, settings: Settings) -> None:
        self.now_ms = NOW
        self.service = Service(settings, clock=lambda: self.now_ms)
        self.broker = Broker()
        self.service.pipeline.attach(self.broker)
        self.service.journal.register("test")

    async def send(self, *messages: Message) -> None:
        """Deliver and wait until all are settled."""
        expected = len(self.broker.acknowledged) + len(messages)
        for item in messages:
            self.service.pipeline.deliver(item)
        await until(lambda: len(self.broker.acknowledged) >= expected)

    async def lines(self) -> list[str]:
        """All lines that wait for a sink."""
        rows = await self.service.journal.points_after(0, 1_000_000, NOW)
        return [line for row in rows for line in row.body.decode().splitlines()]

    async def letters(self) -> list[tuple[str, str]]:
        """Reason and status of all dead letters, oldest first."""
        query = "SELECT reason, status FROM dead_letter ORDER BY id"
        return await self.service.journal.query(lambda c: [(row[0], row[1]) for row in c.execute(query)])

    async def events(self, kind: str) -> list[dict[str, object]]:
        """The data of all events of a kind, oldest first."""
        rows = await self.service.journal.query(
            lambda c: c.execute("SELECT payload FROM event ORDER BY seq").fetchall()
        )
        found = [json.loads(row[0]) for row in rows]
        return [item["data"] for item in found if f".{kind}." in item["type"]]


async def until(condition: object) -> None:
    """Wait for something to become true."""
    assert callable(condition)
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Bench]:
    """A bench whose pipeline runs."""
    bench = Bench(settings)
    async with bench.service.without_broker():
        yield bench


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a small city in a fresh folder."""
    city = tmp_path / "city.geojson"
    city.write_text(json.dumps(CITY))
    return load(
        city={"file": city},
        journal={"path": tmp_path / "journal.db", "batch_messages": 50},
        codecs={"profiles": PROFILES},
        http={"enabled": False},
    )


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


@pytest.mark.parametrize(
    ("reason", "broken"),
    [
        ("event", raw(b"{broken", where=topic())),
        ("event", raw(json.dumps(event(data="*no base64*")).encode())),
        ("event", raw(b"\x00" * 1_000_000)),
        ("topic", raw(b"{}", where="application/x/device/y/event/up")),
        ("event", raw(b"{}", where=topic(kind="party"))),
        ("spoofed", raw(json.dumps(event(LOT_DEVICES[1])).encode(), where=topic(LOT_DEVICES[0]))),
        ("unknown_profile", message(profile="Acme 1", f_cnt=9)),
        ("decode", message(payload=b"", f_cnt=10, f_port=2)),
        ("decode", message(payload=b"\x01", f_cnt=11, f_port=77)),
        ("simulated", message(dev_eui="025354464b000001", f_cnt=12)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_bad_input_is_a_dead_letter(settings: Settings, reason: str, broken: Message) -> None:
    """Each kind of bad input is kept with its reason and acknowledged; its neighbours are stored."""
    async with running(settings) as bench:
        await bench.send(
            message(1, f_cnt=1), broken._replace(receipt=Receipt(1, 2)), message(3, f_cnt=2, time_ms=NOW + 1000)
        )
        assert await bench.letters() == [(reason, "open")]
        assert bench.service.telemetry.totals.stored == 2
        assert len(bench.broker.acknowledged) == 3


async def test_a_redelivered_dead_letter_is_one(settings: Settings) -> None:
    """The same broken message twice is one dead letter and one duplicate."""
    async with running(settings) as bench:
        await bench.send(raw(b"{broken", 1))
        await bench.send(raw(b"{broken", 2))
        assert await bench.letters() == [("event", "open")]
        totals = bench.service.telemetry.totals
        assert (totals.dead_letters, totals.duplicates) == (1, 1)


async def test_a_large_dead_letter_keeps_its_head(settings: Settings) -> None:
    """Above 256 kB the first 64 kB, the length and the digest are kept; trying it again says so."""
    async with running(settings) as bench:
        await bench.send(raw(b"\xff" * 300_000))
        query = "SELECT length(payload), length, digest FROM dead_letter"
        kept, length, digest = await bench.service.journal.query(lambda c: c.execute(query).fetchone())
        assert (kept, length, len(digest)) == (64_000, 300_000, 16)
        with pytest.raises(DeadLetterError, match="only the first 64000 of 300000 bytes"):
            await bench.service.retry(1, Action("os:test", "retry", "1"))


async def test_a_spoofed_message_does_not_shadow_the_real_one(settings: Settings) -> None:
    """An identity that a spoofed message used is still free for the device itself."""
    async with running(settings) as bench:
        payload = json.dumps(event(LOT_DEVICES[0], f_cnt=1)).encode()
        await bench.send(raw(payload, 1, where=topic(LOT_DEVICES[1])))
        await bench.send(raw(payload, 2, where=topic(LOT_DEVICES[0])))
        assert bench.service.telemetry.totals.stored == 1


async def test_retry_succeeds_once_the_codec_exists(settings: Settings) -> None:
    """An uplink of an unknown profile is stored when it is tried again with the profile set, and audited."""
    action = Action("os:test", "dead-letters retry", "1", "codec added")
    async with running(settings) as bench:
        await bench.send(message(1, profile="New one", payload=occupied(yes=True)))
        error = await bench.service.retry(1, action)
        assert error is not None
        assert "New one" in error
        assert await bench.letters() == [("unknown_profile", "open")]
    known = settings.model_copy(
        update={"codecs": settings.codecs.model_copy(update={"profiles": {**PROFILES, "New one": "bosch/tps110"}})}
    )
    async with running(known) as bench:
        assert await bench.service.retry(1, action) is None
        assert await bench.letters() == [("unknown_profile", "retried")]
        assert any(line.startswith("parking,") for line in await bench.lines())
        with pytest.raises(DeadLetterError, match="retried already"):
            await bench.service.retry(1, action)
        with pytest.raises(DeadLetterError, match="no dead letter 99"):
            await bench.service.retry(99, action)
        audited = await bench.service.journal.query(lambda c: c.execute("SELECT actor, reason FROM audit").fetchall())
        assert [tuple(row) for row in audited] == [("os:test", "codec added")] * 2


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


async def test_our_own_mistake_harms_no_neighbour(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message on which the program raises what it should not is a dead letter; those beside it are stored once."""
    reached = Processor._store

    def fail(self: Processor, uplink: Uplink, route: Route, found: tuple[Measurement, ...], outcome: Outcome) -> None:
        reached(self, uplink, route, found, outcome)
        if uplink.f_cnt == 2:
            raise ZeroDivisionError("our own")

    monkeypatch.setattr(Processor, "_store", fail)
    async with running(settings) as bench:
        await bench.send(*(message(number, f_cnt=number, time_ms=NOW + number) for number in range(1, 6)))
        assert await bench.letters() == [("internal", "open")]
        assert len([line for line in await bench.lines() if line.startswith("link,")]) == 4


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


async def test_a_retry_never_hangs(settings: Settings) -> None:
    """A retry that comes while the service stops is answered."""
    action = Action("os:test", "retry", "1")
    async with running(settings) as bench:
        await bench.send(message(1, profile="New one"))
    async with asyncio.timeout(WAIT_S):
        assert await bench.service.pipeline.retry(1, message(1), action) == "the service is stopping"


async def test_a_restart_keeps_the_time_of_the_rules(settings: Settings) -> None:
    """Ticks go on where they were, never back."""
    async with running(settings) as bench:
        await bench.send(message(1, f_cnt=1))
        tick = bench.service.processor.last_tick_ms
    async with running(settings) as again:
        assert again.service.processor.last_tick_ms == tick > 0


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
