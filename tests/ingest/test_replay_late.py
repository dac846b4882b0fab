"""Uplinks that come while a replay runs: their points stay, whatever becomes of the replay."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from decoders.quantity import Privacy
from ingest import journal_raw
from ingest.codecs.version import InForce
from ingest.journal_records import Batch, RawMessage
from ingest.replay.correction import CorrectionError, JournalKeeper, Part, Waiting
from ingest.replay.erasure import Erasure
from ingest.replay.replay import ReplayError
from ingest.replay.unread import Unread
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
from tests.ingest.test_replay import BEGIN, lots
from tests.ingest.uplinks import LOT_DEVICES, message, topic

FIRST, SECOND = LOT_DEVICES[:2]
ASKED = order(BEGIN, BEGIN + 5 * DAY_MS)
Meanwhile = Callable[[int, Part], Awaitable[None]]


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


class Watched(JournalKeeper):
    """Lets something happen before each part is offered, and remembers the parts and what was answered."""

    def __init__(self, bench: Bench, meanwhile: Meanwhile) -> None:
        super().__init__(bench.service.journal, bench.service.clock)
        self.parts: list[Part] = []
        self.answers: list[Waiting] = []
        self._meanwhile = meanwhile

    async def keep(self, number: int, part: Part) -> Waiting:
        """Offer it."""
        self.parts.append(part)
        await self._meanwhile(len(self.parts), part)
        self.answers.append(await super().keep(number, part))
        return self.answers[-1]

    @property
    def kept(self) -> list[Part]:
        """The parts that were taken."""
        return [part for part, answer in zip(self.parts, self.answers, strict=False) if answer.kept]


async def late(bench: Bench, dev_eui: str, time_ms: int, f_cnt: int) -> None:
    """An uplink that was measured then and comes now."""
    await bench.send(message(dev_eui=dev_eui, payload=b"\x01", f_cnt=f_cnt, time_ms=time_ms))


async def days(bench: Bench) -> None:
    """Two sensors, four times a day, for five days; then it is the sixth."""
    for number in range(20):
        time_ms = BEGIN + number * 6 * HOUR_MS + 1000
        bench.now_ms = time_ms + 1000
        await bench.send(
            *(message(dev_eui=name, payload=b"\x01", f_cnt=number, time_ms=time_ms) for name in (FIRST, SECOND))
        )
    bench.now_ms = BEGIN + 5 * DAY_MS + HOUR_MS


def parking(bench: Bench, dev_eui: str) -> list[int]:
    """The times of a sensor's points in the store, in minutes since the begin."""
    path = bench.service.settings.store.path
    assert path is not None
    return [(time_ms - BEGIN) // 60_000 for series, time_ms, _ in points(path, "parking") if dev_eui in series]


async def test_a_killed_replay_has_taken_no_late_point_along(bench: Bench, store: SqliteStore) -> None:
    """Late uplinks come before each part, the replay dies after one device: all points are there without `--resume`."""

    async def meanwhile(offered: int, part: Part) -> None:
        if offered == 1:
            await late(bench, FIRST, BEGIN + HOUR_MS, 100)
            await late(bench, SECOND, BEGIN + HOUR_MS, 100)
        if part.erasures and part.erasures[0].dev_eui == SECOND:
            raise ConnectionError

    await days(bench)
    await drained(bench, store)
    keeper = Watched(bench, meanwhile)
    with pytest.raises(ConnectionError):
        await replayed(bench, ASKED, keeper=keeper)
    await drained(bench, store)
    assert [answer.unread for answer in keeper.answers] == [True, False]
    assert keeper.kept[0].erasures[0].dev_eui == FIRST
    for name in (FIRST, SECOND):
        assert parking(bench, name) == sorted([*range(0, 20 * 360, 360), 60])


async def test_late_points_keep_coming_and_the_replay_ends(bench: Bench, store: SqliteStore) -> None:
    """An uplink before each of the first parts makes it read on, and the parts that are kept hold them all."""

    async def meanwhile(offered: int, _: Part) -> None:
        if offered <= 4:
            await late(bench, FIRST, BEGIN + HOUR_MS + offered * 60_000, 100 + offered)

    await days(bench)
    await drained(bench, store)
    keeper = Watched(bench, meanwhile)
    result = await replayed(bench, ASKED, keeper=keeper)
    await drained(bench, store)
    assert [answer.unread for answer in keeper.answers] == [True] * 4 + [False] * 2
    assert parking(bench, FIRST) == sorted([*range(0, 20 * 360, 360), *range(61, 65)])
    assert (result.counts["messages"], result.counts["points_before"]) == (44, 40)


async def test_only_the_touched_window_is_done_again(bench: Bench, store: SqliteStore) -> None:
    """What comes for a device that is done costs erasures of its own days, not of five days, and loses nothing."""

    async def meanwhile(_: int, part: Part) -> None:
        if part.erasures[0].dev_eui == SECOND and not came:
            came.append(True)
            for number, hours in enumerate((1, 3, 4 * 24 + 1)):
                await late(bench, FIRST, BEGIN + hours * HOUR_MS, 100 + number)

    came: list[bool] = []
    await days(bench)
    await drained(bench, store)
    keeper = Watched(bench, meanwhile)
    await replayed(bench, ASKED, keeper=keeper)
    await drained(bench, store)
    assert [part.erasures[0].dev_eui for part in keeper.kept] == [FIRST, SECOND, FIRST, FIRST]
    again = [(part.erasures[0].from_ms, part.erasures[0].to_ms) for part in keeper.kept[2:]]
    one, two, three = (BEGIN + hours * HOUR_MS for hours in (1, 3, 4 * 24 + 1))
    assert again == [(one, two + 1), (three, three + 1)]
    assert [sum(len(lines) for lines in part.lines.values()) for part in keeper.kept[2:]] == [2, 1]
    assert parking(bench, FIRST) == sorted([*range(0, 20 * 360, 360), 60, 180, 4 * 1440 + 60])
    assert parking(bench, SECOND) == list(range(0, 20 * 360, 360))


async def test_a_message_that_no_codec_reads_ends_a_device_not_its_points(bench: Bench, store: SqliteStore) -> None:
    """A device that can be read no more is left as it is from there on, and the report says so."""

    async def meanwhile(offered: int, _: Part) -> None:
        if offered == 1:
            sent = message(dev_eui=FIRST, profile="Unknown", f_cnt=100, time_ms=BEGIN + HOUR_MS)
            kept = [RawMessage(sent.topic, sent.payload, BEGIN + HOUR_MS, Privacy.OPEN)]
            await bench.service.journal.commit(Batch(messages=1, raw=kept), bench.now_ms)

    await days(bench)
    await drained(bench, store)
    keeper = Watched(bench, meanwhile)
    result = await replayed(bench, ASKED, keeper=keeper)
    await drained(bench, store)
    assert [part.erasures[0].dev_eui for part in keeper.kept] == [SECOND]
    since_ms = BEGIN + 1000
    assert [text for text in result.problems if text.startswith(f"{FIRST} left as it is from {since_ms} ms on: ")]
    assert parking(bench, FIRST) == list(range(0, 20 * 360, 360))


async def test_damage_that_appears_meanwhile_stops_the_replay(bench: Bench, store: SqliteStore) -> None:
    """A new row that cannot be read may hold messages of any device: nothing more is deleted."""

    async def meanwhile(offered: int, _: Part) -> None:
        if offered == 1:
            await late(bench, SECOND, BEGIN + HOUR_MS, 100)
            journal = bench.service.journal
            spoil = "UPDATE raw SET body = x'00' WHERE seq = (SELECT max(seq) FROM raw)"
            await journal._write(lambda: journal._writer.execute(spoil).rowcount)

    await days(bench)
    keeper = Watched(bench, meanwhile)
    with pytest.raises(ReplayError, match="cannot be read"):
        await replayed(bench, ASKED, keeper=keeper)
    assert keeper.kept == []
    await drained(bench, store)
    assert parking(bench, SECOND) == sorted([*range(0, 20 * 360, 360), 60])


async def test_an_erasure_says_up_to_where_it_read(bench: Bench) -> None:
    """Without a word it is refused; messages of other devices do not matter, newer ones of its own do."""
    await lots(bench, 0, 1)
    journal = bench.service.journal
    newest = await journal.query(journal_raw.newest)
    keeper = JournalKeeper(journal, bench.service.clock)
    number = await keeper.begin(ASKED, InForce.now(bench.service.settings.codecs))
    part = Part({}, (Erasure(FIRST, ("parking",), BEGIN, BEGIN + 1),))
    with pytest.raises(CorrectionError, match="up to which"):
        await keeper.keep(number, part)
    assert (await keeper.keep(number, part._replace(read_up_to=newest))).kept
    await late(bench, SECOND, BEGIN + HOUR_MS, 50)
    assert (await keeper.keep(number, part._replace(read_up_to=newest))).kept
    before = await bench.lines()
    await late(bench, FIRST, BEGIN + HOUR_MS, 50)
    answer = await keeper.keep(number, part._replace(read_up_to=newest))
    assert (answer.kept, answer.unread) == (False, True)
    assert [line for line in await bench.lines() if line not in before and line.startswith("#")] == []
    assert (await keeper.keep(number, part._replace(read_up_to=newest + 2))).kept
    assert (await keeper.keep(number, part._replace(read_up_to=0))).unread


def raw(connection: sqlite3.Connection, number: int, dev_eui: str) -> int:
    """A raw message of a device in a row of its own; returns the row."""
    kept = RawMessage(topic(dev_eui), b"{}", BEGIN + number, Privacy.OPEN)
    journal_raw.write(connection, number, [kept], live=True)
    return journal_raw.newest(connection)


async def test_merged_rows_are_as_new_as_they_were(bench: Bench) -> None:
    """Merging old messages into a newer row makes none of them unread, and hides none that is."""

    def work(connection: sqlite3.Connection) -> list[bool]:
        unread = Unread()
        first = raw(connection, 1, FIRST)
        second = raw(connection, 2, SECOND)
        found = [unread.holds(connection, FIRST, first), unread.holds(connection, SECOND, first)]
        third = raw(connection, 2 * DAY_MS, SECOND)
        assert journal_raw.compact(connection) == 2
        anew = Unread()
        found += [anew.holds(connection, FIRST, first), anew.holds(connection, SECOND, first)]
        fourth = raw(connection, 4, FIRST)
        for asking in (unread, Unread()):
            found += [asking.holds(connection, FIRST, third), asking.holds(connection, SECOND, second)]
            found += [asking.holds(connection, SECOND, third), asking.holds(connection, FIRST, fourth)]
        return found

    journal = bench.service.journal
    expected = [False, True, False, True, *([True, True, False, False] * 2)]
    assert await journal._write(lambda: work(journal._writer)) == expected


async def test_who_has_read_less_is_told_of_more(bench: Bench) -> None:
    """A second replay that began before the first one asked is not answered from what the first one had read."""

    def work(connection: sqlite3.Connection) -> list[bool]:
        unread = Unread()
        begin = journal_raw.newest(connection)
        raw(connection, 1, FIRST)
        second = raw(connection, 2, SECOND)
        return [unread.holds(connection, FIRST, read_up_to) for read_up_to in (second, begin, second)]

    journal = bench.service.journal
    assert await journal._write(lambda: work(journal._writer)) == [False, True, False]


async def test_a_row_that_cannot_be_read_is_anybodys(bench: Bench) -> None:
    """Every device may have a message in it, until it was looked at."""

    def work(connection: sqlite3.Connection) -> list[bool]:
        first, second = raw(connection, 1, FIRST), raw(connection, 2, FIRST)
        connection.execute("UPDATE raw SET body = x'00' WHERE seq = ?", (second,))
        unread = Unread()
        return [unread.holds(connection, SECOND, first), unread.holds(connection, SECOND, second)]

    journal = bench.service.journal
    assert await journal._write(lambda: work(journal._writer)) == [True, False]


async def test_a_late_line_before_the_span_is_left(bench: Bench, store: SqliteStore) -> None:
    """Of a device whose messages are kept only since a while nothing older is touched, and the replay ends."""

    async def meanwhile(_: int, part: Part) -> None:
        if part.erasures[0].dev_eui == SECOND and not came:
            came.append(True)
            await late(bench, FIRST, BEGIN + HOUR_MS, 100)

    came: list[bool] = []
    await days(bench)
    await drained(bench, store)
    since = str(BEGIN + DAY_MS)
    change = "UPDATE meta SET value = ?1, crc = checksum(key, ?1) WHERE key LIKE 'raw complete from/%'"
    journal = bench.service.journal
    await journal._write(lambda: journal._writer.execute(change, (since,)).rowcount)
    keeper = Watched(bench, meanwhile)
    await replayed(bench, ASKED, keeper=keeper)
    await drained(bench, store)
    assert [part.erasures[0].from_ms for part in keeper.kept] == [int(since)] * 2
    assert parking(bench, FIRST) == sorted([*range(0, 20 * 360, 360), 60])
