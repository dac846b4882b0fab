"""Bad input is kept with its reason, its neighbours are stored, and another try works once it can."""

import asyncio
import json
from pathlib import Path

import pytest

from decoders.measurement import Measurement
from decoders.uplink import Uplink
from ingest.audit import Action
from ingest.dead_letter import Reason, dead_letter
from ingest.dead_letter_store import DeadLetterError
from ingest.devices import Route
from ingest.mqtt import Message, Receipt
from ingest.process import Arrived, Outcome, Processor
from ingest.settings import Settings
from tests.ingest.bench import WAIT_S, city_settings, running
from tests.ingest.uplinks import (
    LOT_DEVICES,
    NOW,
    PROFILES,
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


async def test_our_own_mistake_harms_no_neighbour(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message on which the program raises what it should not is a dead letter; those beside it are stored once."""
    reached = Processor._store

    def fail(
        self: Processor,
        item: Arrived,
        uplink: Uplink,
        route: Route,
        found: tuple[Measurement, ...],
        outcome: Outcome,
    ) -> None:
        reached(self, item, uplink, route, found, outcome)
        if uplink.f_cnt == 2:
            raise ZeroDivisionError("our own")

    monkeypatch.setattr(Processor, "_store", fail)
    async with running(settings) as bench:
        await bench.send(*(message(number, f_cnt=number, time_ms=NOW + number) for number in range(1, 6)))
        assert await bench.letters() == [("internal", "open")]
        assert len([line for line in await bench.lines() if line.startswith("link,")]) == 4


async def test_a_refused_line_goes_back_once(settings: Settings) -> None:
    """A line that a database refused is handed out again once, counted as waiting; a cut one is not."""
    action = Action("os:test", "retry", "1")
    async with running(settings) as bench:
        journal = bench.service.journal
        whole = dead_letter(Reason.SINK, "no", "sink/test/open", b"a b=1 1", NOW, journal.settings)
        cut = dead_letter(Reason.SINK, "no", "sink/test/open", b"x" * 300_000, NOW, journal.settings)
        journal.advance("test", journal.cursor("test"), [whole, cut])
        await journal.flush(NOW)
        waiting = journal.waiting_bytes
        answers = await asyncio.gather(
            *(bench.service.retry(1, action) for _ in range(2)), bench.service.retry(2, action), return_exceptions=True
        )
        assert [type(answer) for answer in answers].count(DeadLetterError) == 2
        assert await bench.lines() == ["a b=1 1"]
        assert journal.waiting_bytes == waiting + len("a b=1 1")
        assert await bench.letters() == [("sink", "retried"), ("sink", "open")]


async def test_a_retry_into_a_full_journal_is_answered(settings: Settings) -> None:
    """At the size limit a retry is refused at once instead of waiting for room."""
    async with running(settings) as bench:
        await bench.send(message(1, profile="New one"))
        bench.service.journal.waiting_bytes = settings.journal.max_bytes
        async with asyncio.timeout(WAIT_S):
            error = await bench.service.retry(1, Action("os:test", "retry", "1"))
        assert error is not None
        assert "size limit" in error


async def test_a_retry_never_hangs(settings: Settings) -> None:
    """A retry that comes while the service stops is answered."""
    action = Action("os:test", "retry", "1")
    async with running(settings) as bench:
        await bench.send(message(1, profile="New one"))
    async with asyncio.timeout(WAIT_S):
        assert await bench.service.pipeline.retry(1, message(1), action) == "the service is stopping"
