"""Replay of what a filter chooses: whole devices, so that no point of a message outside the filter is lost."""

import struct
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from decoders.quantity import Privacy
from ingest.calendar import Calendar
from ingest.codecs.version import InForce, Version
from ingest.journal_records import RawMessage
from ingest.mqtt import Message as Sent
from ingest.replay.choice import Choice
from ingest.replay.correction import JournalKeeper, Order, Part, Waiting
from ingest.replay.decode_again import Decoder, Line, Message
from ingest.replay.read_back import from_store
from ingest.replay.replay import Replay
from ingest.sqlite_store import SqliteStore
from tests.ingest.bench import Bench, running
from tests.ingest.replays import (
    DAY_MS,
    HOUR_MS,
    Untold,
    drained,
    new_store,
    note_codecs,
    order,
    points,
    reading,
    replay_settings,
    replayed,
)
from tests.ingest.test_replay import BEGIN, lots, uplink

SWAPPED, AIR = "70b3d57ed00000e0", "70b3d57ed00000e1"
FORMER, LATTER = "milesight/em300-th", "milesight/em400-mud"
TOWN, CITY = "town", "city"
STATUS = bytes.fromhex("01756403671001046871")
HOURS = 10
SPAN = (BEGIN, BEGIN + DAY_MS)
CHOICES: list[dict[str, Any]] = [
    {"models": (FORMER,)},
    {"models": (LATTER,)},
    {"application": TOWN},
    {"application": CITY},
]
each_choice = pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: str(next(iter(choice.values()))))
both_filters = pytest.mark.parametrize("choice", CHOICES[1:3], ids=["models", "application"])


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


def status(dev_eui: str, codec: str, application: str, hour: int, time_ms: int | None = None) -> Sent:
    """A status with battery and temperature, read by this codec."""
    info = {"tags": {"codec": codec}, "applicationName": application}
    at_ms = BEGIN + hour * HOUR_MS + 1234 if time_ms is None else time_ms
    return uplink(dev_eui, info=info, payload=STATUS, f_port=85, f_cnt=hour, time_ms=at_ms)


async def swapped(bench: Bench) -> None:
    """Ten hours: a device that gets another profile and application after five; a parking sensor beside it."""
    for hour in range(HOURS):
        bench.now_ms = BEGIN + hour * HOUR_MS + 5000
        codec, application = (FORMER, TOWN) if hour < HOURS // 2 else (LATTER, CITY)
        await bench.send(status(SWAPPED, codec, application, hour))
    await lots(bench, 660, 3)


def batteries(path: Path) -> list[str]:
    """The series of all battery levels of the device, one for each point."""
    return [series for series, _, fields in points(path, "device") if SWAPPED in series and "battery_level" in fields]


@contextmanager
def made(bench: Bench, asked: Order) -> Iterator[Replay]:
    """A replay that no journal keeps."""
    settings = bench.service.settings
    in_force = InForce.now(settings.codecs)
    with reading(settings) as connection:
        decoder = Decoder(settings, bench.service.city)
        yield Replay(connection, decoder, asked, in_force, Calendar(settings.city.timezone))


@each_choice
async def test_what_is_outside_the_filter_keeps_its_points(
    bench: Bench, store: SqliteStore, path: Path, choice: dict[str, Any]
) -> None:
    """Battery and readings of either profile and application are what they were, whichever of them is chosen."""
    await swapped(bench)
    await drained(bench, store)
    before = points(path)
    result = await replayed(bench, order(*SPAN, devices=(SWAPPED,), **choice))
    await drained(bench, store)
    assert points(path) == before
    assert len(batteries(path)) == HOURS
    assert (result.counts["messages"], result.counts["points_before"]) == (HOURS, 2 * HOURS)


@both_filters
async def test_only_devices_that_match_are_decoded(
    bench: Bench, store: SqliteStore, monkeypatch: pytest.MonkeyPatch, choice: dict[str, Any]
) -> None:
    """Each message of a chosen device once, none of any other."""
    await swapped(bench)
    await drained(bench, store)
    decoded: Counter[str] = Counter()
    lines = Decoder.lines

    def counted(self: Decoder, message: Message) -> list[Line]:
        decoded[message.device.dev_eui] += 1
        return lines(self, message)

    monkeypatch.setattr(Decoder, "lines", counted)
    result = await replayed(bench, order(*SPAN, **choice))
    assert result.counts["devices"] == 1
    assert decoded == {SWAPPED: HOURS}


@both_filters
async def test_a_dry_run_says_what_a_replay_does(bench: Bench, store: SqliteStore, choice: dict[str, Any]) -> None:
    """Counts, codecs and problems are those of the replay that follows, for the whole device."""
    await swapped(bench)
    await drained(bench, store)
    asked = order(*SPAN, devices=(SWAPPED,), **choice)
    file = bench.service.settings.store.path
    assert file is not None
    with made(bench, asked) as replay:
        said = await replay.compare(from_store(file), Untold())
    done = await replayed(bench, asked)
    assert said == done
    assert said.counts["points_before"] == said.counts["points_after"] == 2 * HOURS
    assert {change.after.split()[0]: change.messages for change in said.changes} == {FORMER: 5, LATTER: 5}


async def test_a_copy_holds_whole_devices(bench: Bench, tmp_path: Path) -> None:
    """`into` copies the devices that a replay in place would write, with their radio side, and no other."""
    await swapped(bench)
    copy = SqliteStore(tmp_path / "copy.db", 36_500)
    with made(bench, order(*SPAN, models=(FORMER,))) as replay:
        result = await replay.into(copy, Untold())
    await copy.close()
    assert (result.counts["devices"], len(batteries(tmp_path / "copy.db"))) == (1, HOURS)
    assert len(points(tmp_path / "copy.db", "link")) == HOURS


@both_filters
async def test_what_comes_meanwhile_outside_the_filter_stays(
    bench: Bench, store: SqliteStore, path: Path, choice: dict[str, Any]
) -> None:
    """Messages of both profiles come for the device before its part is offered: it is read again, all of it."""

    class Late(JournalKeeper):
        """Lets two uplinks in before the first part."""

        async def keep(self, number: int, part: Part) -> Waiting:
            if not answers:
                for hour, (codec, application) in enumerate([(FORMER, TOWN), (LATTER, CITY)], start=100):
                    await bench.send(status(SWAPPED, codec, application, hour, BEGIN + hour * 60_000))
            answers.append(await super().keep(number, part))
            return answers[-1]

    answers: list[Waiting] = []
    await swapped(bench)
    await drained(bench, store)
    keeper = Late(bench.service.journal, bench.service.clock)
    await replayed(bench, order(*SPAN, devices=(SWAPPED,), **choice), keeper=keeper)
    await drained(bench, store)
    assert [answer.unread for answer in answers] == [True, False]
    assert Counter(series.rpartition("model=")[2] for series in batteries(path)) == {FORMER: 6, LATTER: 6}


async def test_who_matches_too_late_is_not_of_the_replay(bench: Bench, store: SqliteStore, path: Path) -> None:
    """A device whose first matching message comes meanwhile is neither written nor counted."""

    class Late(JournalKeeper):
        """Lets an uplink of another device in before each part."""

        async def keep(self, number: int, part: Part) -> Waiting:
            parts.append(part)
            await bench.send(status(AIR, FORMER, TOWN, len(parts), BEGIN + len(parts) * 60_000))
            return await super().keep(number, part)

    parts: list[Part] = []
    await swapped(bench)
    keeper = Late(bench.service.journal, bench.service.clock)
    result = await replayed(bench, order(*SPAN, models=(FORMER,)), keeper=keeper)
    await drained(bench, store)
    assert {erasure.dev_eui for part in parts for erasure in part.erasures} == {SWAPPED}
    assert (result.counts["devices"], result.counts["messages"]) == (1, HOURS)
    assert len([series for series, _, _ in points(path, "environment") if AIR in series]) == len(parts) == 1


async def test_a_message_matches_by_what_it_says_of_the_span(bench: Bench, store: SqliteStore, path: Path) -> None:
    """One of the next day chooses its device only if it brings a record of the span."""
    await swapped(bench)
    next_day = BEGIN + 2 * DAY_MS
    bench.now_ms = next_day + 5000
    await bench.send(status(AIR, LATTER, TOWN, 1), status(AIR, FORMER, TOWN, 50, next_day))
    asked = order(*SPAN, models=(FORMER,), devices=(AIR,))
    assert (await replayed(bench, asked)).counts["messages"] == 0
    record = bytes.fromhex("20ce") + struct.pack("<IhBx", (BEGIN + HOUR_MS) // 1000, 272, 113)
    info = {"tags": {"codec": FORMER}, "applicationName": TOWN}
    await bench.send(uplink(AIR, info=info, payload=record, f_port=85, f_cnt=51, time_ms=next_day + 1000))
    await drained(bench, store)
    before = points(path)
    result = await replayed(bench, asked)
    await drained(bench, store)
    assert points(path) == before
    assert (result.counts["messages"], result.counts["lines"]) == (2, 3)


async def test_a_message_matches_by_either_codec(bench: Bench) -> None:
    """By the one that wrote its points as by the one that reads it now, if there is one."""
    sent = status(SWAPPED, FORMER, TOWN, 1)
    decoder = Decoder(bench.service.settings, bench.service.city)
    message = decoder.parse(RawMessage(sent.topic, sent.payload, BEGIN, Privacy.OPEN))
    choice = Choice(order(*SPAN, models=(FORMER,)))
    former, latter = Version(FORMER, "", ""), Version(LATTER, "", "")
    pairs = [(former, latter), (latter, former), (latter, latter), (None, former), (None, None)]
    assert [choice.matches(message, *pair) for pair in pairs] == [True, True, False, True, False]
