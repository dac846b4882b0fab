"""A journal without room: nothing is acknowledged, and everybody who asks hears why."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from decoders.quantity import Privacy
from ingest.journal import Journal
from ingest.journal_records import NOTHING_KNOWN, Batch, SeenUplink, Wanted
from ingest.journal_schema import JournalError, JournalFull
from ingest.settings import JournalSettings
from tests.ingest.bench import city_settings, running, until
from tests.ingest.uplinks import NOW, message

HUGE = Batch(messages=1, ns_time_ms=NOW, lines={Privacy.OPEN: ["x" * 500_000]})
LOOK = Wanted([(NOW, b"x")], (), None, 0, lambda _: False)


def fill(journal: Journal) -> None:
    """No page more than there are."""
    journal._one(f"PRAGMA max_page_count = {journal._one('PRAGMA page_count')}")


def free(journal: Journal) -> None:
    """As many as are wanted."""
    journal._one("PRAGMA max_page_count = 1000000")


async def test_a_full_disk_is_a_problem_until_messages_are_kept_again(tmp_path: Path) -> None:
    """From the commit that did not fit on; a cursor that still fits ends it not, a batch or a tick does."""
    async with Journal(JournalSettings(path=tmp_path / "journal.db")) as journal:
        journal.register("store")
        await journal.commit(Batch(lines={Privacy.OPEN: ["a b=1 1"]}), NOW)
        assert journal.problems() == {}
        for batch in (Batch(messages=1, ns_time_ms=NOW), Batch(ticks=[NOW])):
            fill(journal)
            with pytest.raises(JournalFull):
                await journal.commit(HUGE, NOW)
            free(journal)
            journal.advance("store", 1)
            await journal.flush(NOW)
            (problem,) = journal.problems().values()
            assert "full" in problem
            assert "nothing is acknowledged" in problem
            assert set(journal.problems()) == {"journal"}
            await journal.commit(batch, NOW)
            assert journal.problems() == {}


async def test_other_refusals_are_problems_of_another_name(tmp_path: Path) -> None:
    """A commit or a look that SQLite refuses for another reason is told as one that a restart may mend."""
    asked: list[Callable[[Journal], Awaitable[object]]] = [
        lambda journal: journal.commit(Batch(messages=1, seen=[SeenUplink(NOW, b"x", b"y")]), NOW),
        lambda journal: journal.look_up(LOOK),
    ]
    async with Journal(JournalSettings(path=tmp_path / "journal.db")) as journal:
        for ask in asked:
            journal._writer.execute("ALTER TABLE seen RENAME TO gone")
            with pytest.raises(JournalError, match="no such table"):
                await ask(journal)
            assert set(journal.problems()) == {"journal commit"}
            assert "no such table" in journal.problems()["journal commit"]
            journal._writer.execute("ALTER TABLE gone RENAME TO seen")
            assert await journal.look_up(LOOK) == NOTHING_KNOWN._replace(records={}, due=[])
            await journal.commit(Batch(messages=1, ns_time_ms=NOW), NOW)
            assert journal.problems() == {}


async def test_the_size_limit_is_a_problem(tmp_path: Path) -> None:
    """While as much waits for the sinks as the settings allow."""
    async with Journal(JournalSettings(path=tmp_path / "journal.db", max_bytes=1_000_000)) as journal:
        journal.register("store")
        await journal.commit(Batch(messages=1, lines={Privacy.OPEN: ["x" * 1_000_000]}), NOW)
        assert journal.problems() == {"journal": "at its limit of 1000000 bytes"}
        journal.advance("store", 1)
        await journal.flush(NOW)
        assert journal.problems() == {}


async def test_the_service_says_that_its_disk_is_full(tmp_path: Path) -> None:
    """Among its problems while nothing is acknowledged, gone with the first batch that holds."""
    async with running(city_settings(tmp_path)) as bench:
        await bench.send(message(1))
        journal = bench.service.journal
        fill(journal)
        for number in range(2, 40):
            bench.service.pipeline.deliver(message(number, f_cnt=number, time_ms=NOW + number))
        await until(lambda: "full" in bench.service.problems().get("journal", ""))
        assert len(bench.broker.acknowledged) == 1
        free(journal)
        await until(lambda: len(bench.broker.acknowledged) == 39)
        assert "journal" not in bench.service.problems()


async def test_an_acknowledgement_comes_after_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a commit is under way, and after one that failed, its messages are not acknowledged; then they all are."""
    async with running(city_settings(tmp_path)) as bench:
        journal = bench.service.journal
        begun, answer = asyncio.Event(), asyncio.Queue[Exception | None]()
        real = journal.commit

        async def commit(batch: Batch, now_ms: int) -> list[bool]:
            begun.set()
            error = await answer.get()
            if error is not None:
                raise error
            done = await real(batch, now_ms)
            assert bench.broker.acknowledged == before
            return done

        before = list(bench.broker.acknowledged)
        monkeypatch.setattr(journal, "commit", commit)
        monkeypatch.setattr("ingest.pipeline.RETRY_S", 0.0)
        for number in range(3):
            bench.service.pipeline.deliver(message(number, f_cnt=number, time_ms=NOW + number))
        for error in (JournalFull("no room"), JournalError("no luck"), None):
            await begun.wait()
            begun.clear()
            for _ in range(100):
                await asyncio.sleep(0)
            assert bench.broker.acknowledged == before
            await answer.put(error)
        await until(lambda: len(bench.broker.acknowledged) == 3)
        monkeypatch.setattr(journal, "commit", real)
