"""The outbox: at least once, newest only where retained, never an old request, expired ones emptied."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ingest.backoff import Backoff
from ingest.journal import Journal
from ingest.journal_records import Batch, EventRow, Retained, StoredEvent
from ingest.mqtt_error import PublishFailed, PublishRefused
from ingest.outbox import CONTENT_TYPE, IN_FLIGHT, Outbox
from ingest.settings import JournalSettings
from ingest.telemetry import Telemetry

NOW = 1_800_000_000_000
WAIT_S = 30.0


class Channel:
    """A broker that remembers, and fails when told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bool, int | None]] = []
        self.fails = False
        self.forbidden = ""

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool, expiry_s: int | None, content_type: str | None
    ) -> None:
        """Remember, or fail."""
        if self.fails:
            raise PublishFailed("no connection to the broker")
        if topic == self.forbidden:
            raise PublishRefused("not authorised")
        assert content_type == (CONTENT_TYPE if payload else None)
        self.sent.append((topic, payload, retain, expiry_s))


class Post:
    """A journal, a channel and a clock."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.channel = Channel()
        self.now_ms = NOW
        self.outbox = Outbox(self.channel, journal, lambda: self.now_ms, Telemetry())

    async def put(self, *events: EventRow) -> None:
        """Commit events."""
        await self.journal.commit(Batch(events=list(events)), self.now_ms)

    async def statuses(self) -> list[str]:
        """What became of the events, oldest first."""
        query = "SELECT status FROM event ORDER BY seq"
        return await self.journal.query(lambda c: [row[0] for row in c.execute(query)])

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The outbox at work; it may note what it sent before it is stopped."""
        task = asyncio.create_task(self.outbox.run())
        try:
            yield
            await asyncio.sleep(0.2)
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """An outbox over a fresh journal."""
    async with Journal(JournalSettings(path=tmp_path / "journal.db")) as journal:
        yield Post(journal)


def event(name: str, topic: str = "state", *, retained: bool = True, valid_s: int = 60) -> EventRow:
    """An event valid for so long."""
    acting = not retained
    return EventRow(name, topic, name.encode(), retained, acting, NOW, NOW + valid_s * 1000)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.01)


async def test_events_go_out_in_order_with_their_expiry(post: Post) -> None:
    """Each event once, in order, with the seconds it is still valid."""
    await post.put(event("a", "one"), event("b", "two", retained=False, valid_s=30))
    async with post.running():
        await until(lambda: len(post.channel.sent) == 2)
        await asyncio.sleep(0.3)
    assert post.channel.sent == [("one", b"a", True, 60), ("two", b"b", False, 30)]
    assert await post.statuses() == ["published", "published"]


async def test_of_retained_ones_only_the_newest_goes_out(post: Post) -> None:
    """After a time without broker a topic's older states are not replayed."""
    await post.put(event("a"), event("x", "other"), event("b"), event("c"))
    async with post.running():
        await until(lambda: len(post.channel.sent) == 2)
    assert [payload for _, payload, _, _ in post.channel.sent] == [b"x", b"c"]
    assert await post.statuses() == ["superseded", "published", "superseded", "published"]


async def test_an_old_request_never_goes_out(post: Post) -> None:
    """What acts and has expired is filed, not sent; what is still valid goes out."""
    await post.put(event("old", "plan", retained=False, valid_s=5), event("new", "plan", retained=False, valid_s=50))
    post.now_ms = NOW + 10_000
    async with post.running():
        await until(lambda: len(post.channel.sent) == 1)
    assert post.channel.sent[0][1] == b"new"
    assert await post.statuses() == ["expired_unpublished", "published"]


async def test_of_requests_that_waited_only_the_newest_goes_out(post: Post) -> None:
    """After a time without broker nobody is asked for what was thought better of; downlinks go out one by one."""
    downlink = "stadtfunk/v1/custom/gate/lot/downlink"
    await post.put(*(event(name, "plan", retained=False) for name in ("a", "b")), event("x", "wave", retained=False))
    await post.put(*(event(name, downlink, retained=False) for name in ("open", "light")))
    async with post.running():
        await until(lambda: len(post.channel.sent) == 4)
        await asyncio.sleep(0.3)
    assert sorted(payload for _, payload, *_ in post.channel.sent) == [b"b", b"light", b"open", b"x"]
    assert await post.statuses() == ["superseded", "published", "published", "published", "published"]


async def test_what_is_withdrawn_goes_before_a_backlog(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand events of other topics wait for a slow broker: an expired topic is emptied at once."""
    send = post.channel.publish

    async def slow(topic: str, payload: bytes, **rest: Any) -> None:  # noqa: ANN401 - as given
        await asyncio.sleep(0.3)
        await send(topic, payload, **rest)

    monkeypatch.setattr(post.channel, "publish", slow)
    await post.put(event("old", "plan", retained=False), *(event(f"{n}", f"lot/{n}") for n in range(10_000)))
    await post.journal.events_done([(1, "withdrawn")], [Retained("plan", "old", 0)], [], NOW)
    async with post.running():
        await until(lambda: ("plan", b"", True, None) in post.channel.sent)
        assert len(post.channel.sent) <= IN_FLIGHT + 1


async def test_a_wait_ends_when_the_broker_is_there_again(post: Post) -> None:
    """However long it was away: not half a minute later."""
    connected = [False]
    post.outbox = Outbox(
        post.channel, post.journal, lambda: post.now_ms, Telemetry(), is_connected=lambda: connected[0]
    )
    post.outbox._backoff = Backoff(3600.0, 3600.0, lambda _, most: most)
    post.channel.fails = True
    await post.put(event("a"))
    async with post.running():
        await until(lambda: post.outbox._failing)
        post.channel.fails, connected[0] = False, True
        await until(lambda: len(post.channel.sent) == 1)


def take_back(connection: sqlite3.Connection) -> None:
    """As a reload does."""
    connection.execute("UPDATE event SET status = iif(acting, 'withdrawn', 'off') WHERE status = 'pending'")


async def test_a_request_that_is_taken_back_while_it_goes_out_is_emptied(post: Post) -> None:
    """By a reload, say, before the broker's word is noted: it stays withdrawn, and so does a state."""
    await post.put(event("a", "plan", retained=False), event("b", "state"))
    async with post.running():
        await until(lambda: len(post.channel.sent) == 2)
        await post.journal.note(take_back)
        await until(lambda: len(post.channel.sent) == 4)
    assert sorted(post.channel.sent[2:]) == [("plan", b"", True, None), ("state", b"", True, None)]
    assert await post.statuses() == ["withdrawn", "off"]


async def test_an_expired_retained_event_is_emptied(post: Post) -> None:
    """A retained topic is emptied when its event expires and nothing newer came."""
    await post.put(event("a"))
    async with post.running():
        await until(lambda: len(post.channel.sent) == 1)
        post.now_ms = NOW + 60_000
        await until(lambda: len(post.channel.sent) == 2)
        await asyncio.sleep(0.3)
    assert post.channel.sent[1] == ("state", b"", True, None)
    assert len(post.channel.sent) == 2


async def test_a_retained_event_that_expired_unsent_empties_its_topic(post: Post) -> None:
    """What expired while the broker was away is not shown, nor what stood there before."""
    await post.put(event("a", valid_s=5))
    post.now_ms = NOW + 10_000
    async with post.running():
        await until(lambda: len(post.channel.sent) == 1)
    assert post.channel.sent == [("state", b"", True, None)]
    assert await post.statuses() == ["expired_unpublished"]


async def test_a_renewed_state_stands_after_the_broker_was_away(post: Post) -> None:
    """Away past the validity of what stood there: the newer state goes out and is not emptied with the older one."""
    await post.put(event("old", valid_s=60))
    async with post.running():
        await until(lambda: len(post.channel.sent) == 1)
    post.now_ms = NOW + 120_000
    await post.put(event("unknown", valid_s=600))
    async with post.running():
        await until(lambda: len(post.channel.sent) == 2)
        await asyncio.sleep(0.3)
    assert [payload for _, payload, _, _ in post.channel.sent] == [b"old", b"unknown"]


async def test_nothing_is_lost_while_the_broker_is_away(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events wait for the broker and go out when it is back."""
    monkeypatch.setattr("ingest.outbox.BACKOFF_S", (0.01, 0.02))
    post.channel.fails = True
    await post.put(event("a"))
    async with post.running():
        await asyncio.sleep(0.2)
        assert await post.statuses() == ["pending"]
        post.channel.fails = False
        await until(lambda: len(post.channel.sent) == 1)
    assert await post.statuses() == ["published"]


async def test_a_restart_publishes_what_was_not_noted(post: Post) -> None:
    """An event sent but not noted goes out again with the same id: at least once."""
    await post.put(event("a"))
    async with post.running():
        await until(lambda: len(post.channel.sent) == 1)
    post.journal._writer.execute("UPDATE event SET status = 'pending'")
    async with post.running():
        await until(lambda: len(post.channel.sent) == 2)
    assert post.channel.sent[0][:2] == post.channel.sent[1][:2]


async def test_an_event_noted_during_a_look_goes_out_once(post: Post) -> None:
    """A look that read the journal before its events were noted does not publish them again."""
    read = post.journal.pending_events
    looks = 0

    async def slowly(limit: int, now_ms: int, without: Sequence[str] = ()) -> list[StoredEvent]:
        nonlocal looks
        found = await read(limit, now_ms, without)
        looks += 1
        if looks > 1:
            async with asyncio.timeout(WAIT_S):
                while "pending" in await post.statuses():
                    await asyncio.sleep(0.01)
        return found

    post.journal.pending_events = slowly  # type: ignore[method-assign]
    await post.put(event("a"))
    async with post.running():
        await until(lambda: looks > 2)
    assert [payload for _, payload, _, _ in post.channel.sent] == [b"a"]


async def test_newest_only_holds_over_any_number(post: Post) -> None:
    """A thousand states of one topic that waited for the broker: one goes out."""
    await post.put(*(event(f"e{number}") for number in range(1000)))
    async with post.running():
        async with asyncio.timeout(WAIT_S):
            while "pending" in await post.statuses():
                await asyncio.sleep(0.05)
    assert [payload for _, payload, _, _ in post.channel.sent] == [b"e999"]


async def test_a_refused_topic_stops_no_other(post: Post) -> None:
    """What the broker does not allow is said, waits, and is filed when it expires; everything else goes out."""
    post.channel.forbidden = "forbidden"
    await post.put(event("no", "forbidden", valid_s=20), event("yes", "allowed"), event("two", "other", retained=False))
    async with post.running():
        async with asyncio.timeout(WAIT_S):
            while await post.statuses() != ["pending", "published", "published"]:
                await asyncio.sleep(0.01)
        post.now_ms = NOW + 30_000
        post.outbox._refusals.clear()
        async with asyncio.timeout(WAIT_S):
            while "pending" in await post.statuses():
                await asyncio.sleep(0.05)
    assert await post.statuses() == ["expired_unpublished", "published", "published"]


async def test_a_refused_topic_is_allowed_later(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the broker's rights are corrected, the event goes out by itself."""
    monkeypatch.setattr("ingest.outbox.REFUSED_S", 0.1)
    post.channel.forbidden = "state"
    await post.put(event("a"))
    async with post.running():
        await asyncio.sleep(0.3)
        post.channel.forbidden = ""
        await until(lambda: len(post.channel.sent) == 1)
