"""The garbage collector's share."""

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from ingest import collector


class Node:
    """Something that can hold itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the collector as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


async def test_what_lives_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has come since the last second is not looked at again."""
    monkeypatch.setattr(collector, "SETTLE_S", 0.01)
    gc.unfreeze()
    task = asyncio.create_task(collector.attend())
    kept = [Node() for _ in range(100)]
    await asyncio.sleep(0.2)
    task.cancel()
    assert gc.get_freeze_count() > len(kept)


async def test_a_cycle_that_was_set_aside_goes_with_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting aside loses nothing for ever."""
    monkeypatch.setattr(collector, "SETTLE_S", 0.01)
    monkeypatch.setattr(collector, "SWEEP_S", 0.1)
    node = Node()
    gone = weakref.ref(node)
    gc.freeze()
    del node
    task = asyncio.create_task(collector.attend())
    async with asyncio.timeout(30):
        while gone() is not None:
            await asyncio.sleep(0.02)
    task.cancel()


def test_a_second_of_uplinks_starts_no_collection() -> None:
    """Objects by the ten thousand that live on do not make the collector look at them."""
    collector.spare()
    before = gc.get_stats()[0]["collections"]
    kept = [[number] for number in range(100_000)]
    assert gc.get_stats()[0]["collections"] == before
    assert len(kept) == 100_000
