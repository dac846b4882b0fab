"""Processes that annotate, killed at any moment: every event has one annotation in the end."""

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from ingest.grafana.episode import event_tag
from ingest.grafana.progress import KEY
from ingest.journal import Journal
from ingest.journal_schema import open_reader
from ingest.settings import JournalSettings
from tests.doubles.grafana import GrafanaDouble, grafana
from tests.ingest.grafana.events import MINUTE, NOW, condition, keep

ROOT = Path(__file__).parents[3]
WAIT_S = 90.0
EVENTS = 20


@contextlib.asynccontextmanager
async def annotating(path: Path, double: GrafanaDouble) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process at work; killed at the end."""
    command = (sys.executable, "-m", "tests.ingest.grafana.annotating", str(path), double.url)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL)
    try:
        yield process
        assert process.returncode is None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def until(condition: Callable[[], object]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.01)


def note(path: Path) -> str:
    """What the journal says of annotations, read beside the process that writes it."""
    with contextlib.closing(open_reader(path)) as connection:
        row = connection.execute("SELECT value FROM meta WHERE key = ?", (KEY,)).fetchone()
    return "" if row is None else str(row[0])


def ended(double: GrafanaDouble) -> int:
    """How many annotations are spans."""
    return sum(kept.time_end > kept.time for kept in double.kept.values())


async def prepare(path: Path) -> None:
    """A journal in which nothing has happened yet, so far as annotations have looked."""
    async with Journal(JournalSettings(path=path)):
        pass
    async with grafana() as double, annotating(path, double):
        await until(lambda: note(path))


async def test_killed_between_the_annotation_and_its_note_it_makes_no_second_one(tmp_path: Path) -> None:
    """Grafana has added it and has not answered when SIGKILL comes; the next process finds it, and closes it, too."""
    path = tmp_path / "journal.db"
    await prepare(path)
    before = note(path)
    async with Journal(JournalSettings(path=path)) as journal:
        await keep(journal, condition(), condition("cleared", NOW + MINUTE))
    async with grafana() as double:
        for method in ("POST", "PATCH"):
            double.silent = True
            async with annotating(path, double):
                await until(lambda: double.count(method))  # noqa: B023 - awaited at once
            double.silent = False
            assert note(path) == before or method == "PATCH"
        async with annotating(path, double):
            await until(lambda: '"open": {}' in note(path) and note(path) != before)
    (kept,) = double.kept.values()
    assert (kept.time, kept.time_end) == (NOW, NOW + MINUTE)
    assert double.count("POST") == 1


async def test_killed_at_any_moment_it_makes_each_annotation_once(tmp_path: Path) -> None:
    """Several kills amid many events: all are there, once, in their order, every one with its end."""
    path = tmp_path / "journal.db"
    await prepare(path)
    chance = random.Random(8)
    events = [condition(asset=f"a{number:02}", time_ms=NOW + number) for number in range(EVENTS)]
    async with Journal(JournalSettings(path=path)) as journal:
        for number, event in enumerate(events):
            await keep(journal, event, condition("cleared", NOW + number + MINUTE, asset=event.subject))
    async with grafana() as double:
        for kill in range(1, 4):
            async with annotating(path, double):
                await until(lambda: len(double.kept) >= kill * 5)  # noqa: B023 - awaited at once
                await asyncio.sleep(chance.uniform(0, 0.02))
        async with annotating(path, double):
            await until(lambda: ended(double) == EVENTS)
    assert [kept.time for kept in double.kept.values()] == [event.time_ms for event in events]
    assert all(kept.time_end == kept.time + MINUTE for kept in double.kept.values())
    assert all(len(double.with_tag(event_tag(event.id))) == 1 for event in events)
