"""Replay of what a filter chooses, where points of the chosen devices cannot be written again or stand elsewhere."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from decoders import catalog
from decoders.codec import Codec
from decoders.quantity import Family, Privacy
from ingest import journal_raw
from ingest.journal_records import Batch, RawMessage
from ingest.mqtt import Message as Sent
from ingest.sqlite_store import SqliteStore
from tests.ingest.bench import Bench, running
from tests.ingest.replays import (
    DAY_MS,
    HOUR_MS,
    drained,
    new_store,
    note_codecs,
    order,
    points,
    replay_settings,
    replayed,
)
from tests.ingest.test_replay import BEGIN, uplink
from tests.ingest.test_replay_choice import AIR, FORMER, HOURS, LATTER, SPAN, SWAPPED, TOWN, status, swapped
from tests.ingest.uplinks import LOT_DEVICES, raw, topic


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A service whose journal knows a store."""
    async with running(replay_settings(tmp_path), BEGIN) as made:
        note_codecs(made)
        yield made


@pytest.fixture
async def store(bench: Bench) -> AsyncIterator[SqliteStore]:
    """The store that the journal knows."""
    made = new_store(bench)
    yield made
    await made.close()


@pytest.fixture
def path(bench: Bench) -> Path:
    """The store's file."""
    found = bench.service.settings.store.path
    assert found is not None
    return found


async def keep_raw(bench: Bench, sent: Sent, time_ms: int) -> None:
    """A raw message that another version of the service could read."""
    kept = [RawMessage(sent.topic, sent.payload, time_ms, Privacy.OPEN)]
    await bench.service.journal.commit(Batch(messages=1, raw=kept), bench.now_ms)


def now(monkeypatch: pytest.MonkeyPatch, codec: str, changed: Codec | None) -> None:
    """From now on the codec is this one, or there is none."""
    known = (
        {**catalog.BY_ID, codec: changed}
        if changed
        else {key: catalog.BY_ID[key] for key in {*catalog.BY_ID} - {codec}}
    )
    monkeypatch.setattr(catalog, "BY_ID", MappingProxyType(known))


@pytest.mark.parametrize(
    "changed", [None, replace(catalog.codec(LATTER), ports={}, any_port=None)], ids=["no codec", "no frame"]
)
async def test_what_nobody_asked_to_correct_is_not_given_up(
    bench: Bench, store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch, changed: Codec | None
) -> None:
    """A device is left as it is when a message outside the filter cannot be written again, and the report says so."""
    await swapped(bench)
    await drained(bench, store)
    before = points(path)
    now(monkeypatch, LATTER, changed)
    result = await replayed(bench, order(*SPAN, models=(FORMER,)))
    await drained(bench, store)
    assert points(path) == before
    assert result.counts["devices"] == 0
    assert result.problems[0].startswith(f"{SWAPPED} left as it is: ")


async def test_a_message_that_cannot_be_read_may_be_outside_the_filter(
    bench: Bench, store: SqliteStore, path: Path
) -> None:
    """It keeps a filter from its device, not from others; without a filter it is a line of the report, told once."""
    await keep_raw(bench, raw(b"{", where=topic(SWAPPED)), BEGIN)
    await swapped(bench)
    await bench.send(status(AIR, FORMER, TOWN, 1))
    await keep_raw(bench, raw(b"[", where=topic(LOT_DEVICES[0])), BEGIN)
    await drained(bench, store)
    before = points(path)
    result = await replayed(bench, order(*SPAN, models=(FORMER,)))
    await drained(bench, store)
    assert points(path) == before
    assert (result.counts["devices"], result.problems[0].split(": ")[0]) == (1, f"{SWAPPED} left as it is")
    told = [problem.split(": ")[0] for problem in result.problems if problem.startswith("application/")]
    assert sorted(told) == sorted([topic(SWAPPED), topic(LOT_DEVICES[0])])
    assert (await replayed(bench, order(*SPAN, devices=(SWAPPED,)))).counts["devices"] == 1


async def test_a_device_that_was_not_simulated_yet_keeps_its_points(
    bench: Bench, store: SqliteStore, path: Path
) -> None:
    """A message that the settings refuse now takes nothing from its device, with or without a filter."""
    await swapped(bench)
    info = {"tags": {"simulated": "true", "codec": LATTER}}
    await keep_raw(bench, uplink(SWAPPED, info=info, f_cnt=90, time_ms=BEGIN + HOUR_MS), BEGIN + HOUR_MS)
    await drained(bench, store)
    before = points(path)
    for models in ((), (FORMER,)):
        result = await replayed(bench, order(*SPAN, devices=(SWAPPED,), models=models))
        assert result.counts["devices"] == 0
        assert "simulation.accept" in result.problems[0]
    await drained(bench, store)
    assert points(path) == before


async def test_points_of_a_family_that_a_chosen_replay_wrote_go_with_the_next(
    bench: Bench, store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay chosen by one codec wrote the other's points to a wrong family: the next one leaves none there."""
    await swapped(bench)
    await drained(bench, store)
    before = points(path)
    now(monkeypatch, LATTER, replace(catalog.codec(LATTER), family=Family.METER))
    await replayed(bench, order(*SPAN, models=(FORMER,)))
    await drained(bench, store)
    assert (len(points(path, "meter")), points(path, "waste")) == (5, [])
    monkeypatch.undo()
    await replayed(bench, order(*SPAN, models=(FORMER,)))
    await drained(bench, store)
    assert points(path) == before


async def test_damage_far_from_the_span_is_counted_once(bench: Bench) -> None:
    """Looking for the devices that match and reading them meets the same row twice."""
    await swapped(bench)
    far = BEGIN + 4 * DAY_MS
    bench.now_ms = far + 5000
    await bench.send(status(AIR, FORMER, TOWN, 1, far))
    journal = bench.service.journal
    spoil = "UPDATE raw SET body = x'00' WHERE seq = (SELECT max(seq) FROM raw)"
    await journal._write(lambda: journal._writer.execute(spoil).rowcount)
    result = await replayed(bench, order(*SPAN, models=(FORMER,)))
    assert (result.counts["damaged_messages"], result.counts["messages"]) == (1, HOURS)


@pytest.mark.parametrize("models", [(), (LATTER,)], ids=["no filter", "models"])
async def test_points_whose_messages_are_forgotten_stay(tmp_path: Path, models: tuple[str, ...]) -> None:
    """The former application was personal, its messages are gone, and nothing else names it: its points are left."""
    settings = replay_settings(tmp_path, privacy={"applications": {TOWN: "personal"}})
    async with running(settings, BEGIN) as bench:
        note_codecs(bench)
        store = new_store(bench)
        await swapped(bench)
        await drained(bench, store)
        before = points(tmp_path / "store.db")
        journal = bench.service.journal
        forgotten = await journal._write(
            lambda: journal_raw.prune(journal._writer, settings.journal, BEGIN + 3 * DAY_MS)
        )
        result = await replayed(bench, order(*SPAN, devices=(SWAPPED,), models=models))
        await drained(bench, store)
        await store.close()
    assert points(tmp_path / "store.db") == before
    assert (forgotten, result.counts["messages"], result.counts["points_before"]) == (HOURS // 2, 5, 10)
