"""Replay in place: the same points where nothing changed, the right ones where a codec did, whatever else happens."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from decoders import catalog
from decoders.devices import bosch
from decoders.field import Bits, Field
from decoders.layout import Layout
from decoders.quantity import Quantity
from ingest.audit import verify
from ingest.journal_records import Stay
from ingest.mqtt import Message
from ingest.replay import correction, read_back, replay
from ingest.replay.correction import JournalKeeper, Part, Waiting
from ingest.replay.decode_again import Decoder
from ingest.replay.replay import ReplayError
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
    reading,
    replay_settings,
    replayed,
)
from tests.ingest.uplinks import BIN_DEVICE, LOT_DEVICES, NOW, message, occupied

BEGIN = NOW - NOW % DAY_MS
END = BEGIN + 30 * DAY_MS
MOVED, NEW = "70b3d57ed00000f0", "70b3d57ed00000f1"
WRONG = replace(
    bosch.TPS110,
    ports={**bosch.TPS110.ports, 1: Layout(">", Bits("B", Field(Quantity.OCCUPIED, "0"), Field(Quantity.TILTED, "0")))},
)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A service whose journal knows a store, at the begin of a month."""
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


def wrong_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    """A codec with a field too many, until `fix_codec`."""
    monkeypatch.setattr(catalog, "BY_ID", MappingProxyType({**catalog.BY_ID, WRONG.id: WRONG}))


def fix_codec(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The right codec from now on, as after an update and a restart."""
    monkeypatch.setattr(catalog, "BY_ID", catalog.by_id(catalog.CODECS))
    bench.service.devices._routes.clear()
    note_codecs(bench)


async def month(bench: Bench) -> None:
    """Thirty days: a sensor moved, renamed, taken away; another in its place; a bin beside them."""
    for hours in range(0, 30 * 24, 8):
        time_ms = BEGIN + hours * HOUR_MS + 1234
        day = hours // 24
        bench.now_ms = time_ms + 1000
        asset, name = ("lot-markt", "north") if day < 10 else ("container-1", "north" if day < 15 else "south")
        tags = {"tags": {"asset": asset}, "deviceName": name}
        dev_eui = MOVED if day < 20 else NEW
        parked = occupied(yes=hours % 16 == 0)
        fill = {
            "payload": bytes.fromhex("0175640367f80004824408050000"),
            "f_port": 85,
            "profile": "Milesight EM400-MUD",
        }
        await bench.send(
            uplink(dev_eui, info=tags, payload=parked, f_cnt=hours, time_ms=time_ms),
            uplink(BIN_DEVICE, info={}, f_cnt=hours, time_ms=time_ms, **fill),
        )


def uplink(dev_eui: str, *, info: Mapping[str, object], **fields: Any) -> Message:  # noqa: ANN401 - as `message`
    """An uplink whose device has this name and these tags."""
    made = message(dev_eui=dev_eui, **fields)
    event = json.loads(made.payload)
    event["deviceInfo"].update(info)
    return made._replace(payload=json.dumps(event).encode())


async def lots(bench: Bench, begin: int, count: int) -> None:
    """Uplinks of two parking sensors, a minute apart."""
    for number in range(begin, begin + count):
        time_ms = BEGIN + number * 60_000
        bench.now_ms = time_ms + 1000
        sent = [message(dev_eui=name, payload=b"\x01", f_cnt=number, time_ms=time_ms) for name in LOT_DEVICES[:2]]
        await bench.send(*sent)


async def test_a_month_replayed_leaves_every_point_where_it_was(bench: Bench, store: SqliteStore, path: Path) -> None:
    """Moved, renamed, swapped: the same points in the same series, the old days with the old asset."""
    await month(bench)
    await drained(bench, store)
    before = points(path)
    assert len(points(path, "parking")) == 90
    result = await replayed(bench, order(BEGIN, END))
    await drained(bench, store)
    assert points(path) == before
    assert all("since then all of its messages are kept" in problem for problem in result.problems)
    assert (result.counts["devices"], result.counts["messages"], result.counts["readings_changed"]) == (3, 180, 0)
    moved = {series: times for series, times in by_series(path, "parking").items() if MOVED in series}
    assert len(moved) == 3
    assert all(("asset=lot-markt" in series) == (max(times) < BEGIN + 10 * DAY_MS) for series, times in moved.items())


def by_series(path: Path, measurement: str) -> dict[str, list[int]]:
    """The times of each series."""
    found: dict[str, list[int]] = {}
    for series, time_ms, _ in points(path, measurement):
        found.setdefault(series, []).append(time_ms)
    return found


async def test_a_span_in_the_middle_changes_nothing_around_it(bench: Bench, store: SqliteStore, path: Path) -> None:
    """Ten of thirty days of one device: what lies before, behind and beside is not even deleted."""
    await month(bench)
    await drained(bench, store)
    before = points(path)
    deleted: list[tuple[str, int, int]] = []
    delete = store.delete

    async def watched(measurements: Iterable[str], dev_eui: str, from_ms: int, to_ms: int) -> int:
        deleted.append((dev_eui, from_ms, to_ms))
        return await delete(measurements, dev_eui, from_ms, to_ms)

    store.delete = watched  # type: ignore[method-assign]  # to see what is deleted
    span = (BEGIN + 8 * DAY_MS, BEGIN + 18 * DAY_MS)
    result = await replayed(bench, order(*span, devices=(MOVED,)))
    await drained(bench, store)
    assert points(path) == before
    assert result.counts["points_before"] == result.counts["points_after"] == 30
    assert {dev_eui for dev_eui, _, _ in deleted} == {MOVED}
    assert all(span[0] <= from_ms < to_ms <= span[1] for _, from_ms, to_ms in deleted)


async def test_a_wrong_field_is_gone_after_the_codec_is_fixed(
    bench: Bench, store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A field that the old codec invented is gone, the right one is there, and the record names both codecs."""
    wrong_codec(monkeypatch)
    note_codecs(bench)
    await lots(bench, 0, 10)
    await drained(bench, store)
    assert all("tilted" in fields for _, _, fields in points(path, "parking"))
    fix_codec(bench, monkeypatch)
    result = await replayed(bench, order(BEGIN, BEGIN + DAY_MS))
    await drained(bench, store)
    assert [fields for _, _, fields in points(path, "parking")] == [{"occupied": 1.0}] * 20
    assert result.counts["readings_changed"] == 20
    (change,) = result.changes
    assert change.before != change.after
    assert change.messages == 20
    again = await replayed(bench, order(BEGIN, BEGIN + DAY_MS))
    assert [(item.before, item.after) for item in again.changes] == [(change.after, change.after)]


async def test_lines_that_still_wait_do_not_bring_the_old_points_back(
    bench: Bench, store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that was away takes the old lines first, then the deletion, then the new ones."""
    wrong_codec(monkeypatch)
    note_codecs(bench)
    await lots(bench, 0, 5)
    fix_codec(bench, monkeypatch)
    await replayed(bench, order(BEGIN, BEGIN + DAY_MS))
    await lots(bench, 5, 5)
    await drained(bench, store)
    assert len(points(path, "parking")) == 20
    assert not [fields for _, _, fields in points(path, "parking") if "tilted" in fields]


async def test_a_crash_of_the_store_in_between_ends_in_the_same_points(
    bench: Bench, store: SqliteStore, path: Path
) -> None:
    """Everything from the last noted cursor on comes again, deletions too, and the points are the same."""
    await lots(bench, 0, 5)
    await drained(bench, store)
    cursor = bench.service.journal.cursor(store.name)
    await replayed(bench, order(BEGIN, BEGIN + DAY_MS))
    await lots(bench, 5, 5)
    await drained(bench, store)
    before = points(path)
    bench.service.journal._cursors[store.name] = cursor
    await drained(bench, store)
    assert points(path) == before


async def test_uplinks_that_come_during_a_replay_keep_their_points(
    bench: Bench, store: SqliteStore, path: Path
) -> None:
    """What is committed between reading and deleting is read again before the end."""

    class Late(JournalKeeper):
        """Lets an uplink in before the first part."""

        async def keep(self, number: int, part: Part) -> Waiting:
            if not late:
                late.append(number)
                await lots(bench, 5, 1)
            return await super().keep(number, part)

    late: list[int] = []
    await lots(bench, 0, 5)
    await replayed(bench, order(BEGIN, BEGIN + DAY_MS), keeper=Late(bench.service.journal, bench.service.clock))
    await drained(bench, store)
    assert len(points(path, "parking")) == 12


async def test_an_interrupted_replay_is_seen_and_done_again(bench: Bench, store: SqliteStore, path: Path) -> None:
    """A replay that dies after its first device leaves whole devices only, and a record without a result."""

    class Dying(JournalKeeper):
        """Dies at the second part."""

        async def keep(self, number: int, part: Part) -> Waiting:
            if kept:
                raise ConnectionError
            kept.append(number)
            return await super().keep(number, part)

    kept: list[int] = []
    await lots(bench, 0, 5)
    await drained(bench, store)
    before = points(path)
    asked = order(BEGIN, BEGIN + DAY_MS)
    with pytest.raises(ConnectionError):
        await replayed(bench, asked, keeper=Dying(bench.service.journal, bench.service.clock))
    await drained(bench, store)
    assert points(path) == before
    with reading(bench.service.settings) as connection:
        (found,) = correction.listed(connection)
    assert found.result is None
    assert found.order.subject == "all devices"
    result = await replayed(bench, asked)
    assert result.counts["devices"] == 2


async def test_a_replay_is_recorded_and_audited(bench: Bench, store: SqliteStore) -> None:
    """The correction holds span, actor, reason and counts; the audit table its begin and its end, in a chain."""
    await lots(bench, 0, 5)
    await drained(bench, store)
    await replayed(bench, order(BEGIN, BEGIN + DAY_MS, devices=(LOT_DEVICES[0],)))
    with reading(bench.service.settings) as connection:
        (found,) = correction.listed(connection)
        rows = connection.execute("SELECT actor, action, subject, reason FROM audit ORDER BY number").fetchall()
        assert verify(connection) is None
    assert found.result is not None
    assert found.result.counts["points_before"] == found.result.counts["points_after"] == 5
    assert [tuple(row) for row in rows] == [
        ("os:test", "replay", LOT_DEVICES[0], "codec fixed"),
        ("os:test", "replay done", "correction 1", "codec fixed"),
    ]


async def test_what_cannot_be_decoded_any_more_is_told_and_stays(bench: Bench, store: SqliteStore, path: Path) -> None:
    """One message of several becomes a line of the report, its raw message stays, and there is no dead letter."""
    await lots(bench, 0, 3)
    wrong_port = message(dev_eui=LOT_DEVICES[0], payload=b"\x00\x10", f_port=2, f_cnt=77, time_ms=BEGIN + 30_000)
    await bench.send(wrong_port)
    await drained(bench, store)
    ports = {port: frame for port, frame in bosch.TPS110.ports.items() if port != 2}
    stricter = replace(bosch.TPS110, ports=ports)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog, "BY_ID", MappingProxyType({**catalog.BY_ID, stricter.id: stricter}))
        for _ in range(2):
            result = await replayed(bench, order(BEGIN, BEGIN + DAY_MS))
            assert result.counts["undecodable"] == 1
            assert "no frame on f_port 2" in result.problems[0]
    await drained(bench, store)
    assert len(points(path, "parking")) == 6
    assert await bench.letters() == []
    assert (await replayed(bench, order(BEGIN, BEGIN + DAY_MS))).counts["undecodable"] == 0


async def test_a_device_without_a_codec_is_left_as_it_is(bench: Bench, store: SqliteStore, path: Path) -> None:
    """Settings that know no codec for a device take nothing from it, even if it sent frames without a payload, too."""
    await lots(bench, 0, 3)
    bare = [message(dev_eui=name, payload=b"", f_port=0, f_cnt=50, time_ms=BEGIN + 30_000) for name in LOT_DEVICES[:2]]
    await bench.send(*bare)
    await drained(bench, store)
    before = points(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog, "BY_ID", MappingProxyType({}))
        result = await replayed(bench, order(BEGIN, BEGIN + DAY_MS))
    await drained(bench, store)
    assert points(path) == before
    assert [problem.split(":")[0] for problem in result.problems[:2]] == [
        f"{name} left as it is" for name in LOT_DEVICES[:2]
    ]


async def test_a_span_of_which_messages_are_gone_is_not_deleted(bench: Bench, store: SqliteStore, path: Path) -> None:
    """Where retention has taken raw messages the points before are left as they are, and the report says since when."""
    await lots(bench, 0, 5)
    await drained(bench, store)
    before = points(path)
    await bench.service.journal._write(
        lambda: (
            bench.service.journal._writer.execute(
                "UPDATE meta SET value = ?, crc = checksum(key, ?) WHERE key LIKE 'raw complete from/%'",
                (str(BEGIN + 1), str(BEGIN + 1)),
            ).rowcount
        )
    )
    result = await replayed(bench, order(BEGIN, BEGIN + DAY_MS))
    await drained(bench, store)
    assert points(path) == before
    assert result.counts["devices"] == 2
    assert f"only from {BEGIN + 1} ms on" in result.problems[0]


async def test_damaged_raw_messages_refuse_the_span(bench: Bench, store: SqliteStore) -> None:
    """Points whose messages cannot be read are not deleted: the replay is refused and names the row."""
    await lots(bench, 0, 5)
    await bench.service.journal._write(
        lambda: bench.service.journal._writer.execute("UPDATE raw SET body = x'00' WHERE seq = 2").rowcount
    )
    with pytest.raises(ReplayError, match="row 2"):
        await replayed(bench, order(BEGIN, BEGIN + DAY_MS))


async def test_uplinks_are_taken_while_a_replay_runs(bench: Bench, store: SqliteStore) -> None:
    """Parts are commits between others: uplinks sent meanwhile are acknowledged before the replay has ended."""
    await lots(bench, 0, 40)
    asked = order(BEGIN, BEGIN + DAY_MS)
    task = asyncio.create_task(replayed(bench, asked))
    await lots(bench, 40, 3)
    await task
    await drained(bench, store)


async def test_a_full_journal_is_waited_for_when_somebody_empties_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that does not fit is offered again; with nobody to empty the journal the replay says what to do."""
    answers = [
        Waiting(kept=False, bytes=0),
        Waiting(kept=True, bytes=replay.PACE_BYTES + 1),
        Waiting(kept=True, bytes=0),
    ]
    offered: list[Part] = []
    waited: list[float] = []

    async def keep(part: Part) -> Waiting:
        offered.append(part)
        return answers[len(offered) - 1]

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("ingest.replay.replay.asyncio.sleep", sleep)
    part = Part({})
    await replay.patient(keep)(part)
    assert (len(offered), len(waited)) == (2, 2)
    await replay.patient(keep)(part)
    assert (len(offered), len(waited)) == (3, 2)
    offered.clear()
    with pytest.raises(ReplayError, match="start it"):
        await replay.patient(keep, ("start it",))(part)


async def test_a_closed_correction_takes_nothing(bench: Bench) -> None:
    """Parts of a correction that is done, or that nobody began, are refused."""
    await lots(bench, 0, 1)
    await replayed(bench, order(BEGIN, END))
    keeper = JournalKeeper(bench.service.journal, bench.service.clock)
    for number in (1, 2):
        with pytest.raises(correction.CorrectionError, match=str(number)):
            await keeper.keep(number, Part({}))


def test_readings_are_compared_one_by_one() -> None:
    """A reading counts as changed when its value differs, when it is new, and when it is gone."""
    before: read_back.Points = {("a,t=1", 1): {"same": 1.0, "other": 1.0, "gone": 1.0}, ("b", 1): {"gone": 1.0}}
    lines = ["a,t=1 same=1.0,other=2.0,new=1.0 1", 'c text="x" 1']
    assert read_back.difference(before, lines) == (2, 2, 5)


def test_a_measurement_belongs_where_the_device_was_then(bench: Bench) -> None:
    """Of the stays kept with a message the last that had begun counts, the first for what is older."""
    decoder = Decoder(bench.service.settings, bench.service.city)
    stays = (Stay(0, "now", "d1"), Stay(100, "first", "d2"), Stay(200, "", ""), Stay(300, "last", "d3"))
    found = [decoder.asset(stays, time_ms) for time_ms in (-5, 50, 100, 199, 200, 300, 400)]
    names = [(asset.id, asset.district) if asset else None for asset in found]
    last = ("last", "d3")
    assert names == [("now", "d1"), ("now", "d1"), ("first", "d2"), ("first", "d2"), None, last, last]
