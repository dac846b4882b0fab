"""A stage whose service, or whose player, is gone."""

import asyncio
import json

import pytest

from ingest import stage as stages
from ingest.stage import StageError

ORDER = {"to_ms": 1, "messages": 0}


class Stuck:
    """A stage on which nothing is ever committed, or all at once."""

    def __init__(self, *, ends: bool) -> None:
        self.ends = ends
        self.cancelled = False

    async def advance(self, _to_ms: int, _messages: int) -> None:
        """For ever, or no time at all."""
        try:
            while not self.ends:
                await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    def problems(self) -> dict[str, str]:
        """Why."""
        return {"journal": "file is not a database"}


async def _step(stage: Stuck, lines: asyncio.StreamReader, serving: asyncio.Task[None]) -> bytes:
    step = stages._step(stage, ORDER, lines, serving)  # type: ignore[arg-type] # as much of a stage as it asks for
    return await asyncio.wait_for(step, 20)


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def test_the_next_order_follows_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    """The answer comes when the step is done."""
    lines = asyncio.StreamReader()
    lines.feed_data(b"")
    serving = asyncio.create_task(_for_ever())
    asyncio.get_running_loop().call_later(0.2, lines.feed_data, b"next\n")
    assert await _step(Stuck(ends=True), lines, serving) == b"next\n"
    assert json.loads(capsys.readouterr().out) == {"at_ms": 1}
    serving.cancel()


@pytest.mark.parametrize("gone", ["service", "player", "time"])
async def test_a_step_that_cannot_end_is_an_error(gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a dead service, nor a player that has left, nor a journal that takes nothing keeps the child alive."""
    lines, stage = asyncio.StreamReader(), Stuck(ends=False)
    serving = asyncio.create_task(asyncio.sleep(0) if gone == "service" else _for_ever())
    if gone == "player":
        lines.feed_eof()
    if gone == "time":
        monkeypatch.setattr(stages, "STEP_S", 0.05)
    with pytest.raises(StageError, match="file is not a database"):
        await _step(stage, lines, serving)
    await asyncio.sleep(0)
    assert stage.cancelled
    serving.cancel()
