"""Damaged messages all the way into the journal of a running service."""

from pathlib import Path
from random import Random

from tests.fuzz.engine import seeds_of
from tests.fuzz.targets import BY_NAME
from tests.ingest.bench import city_settings, running
from tests.ingest.uplinks import raw

DRAWN = 250
AT_ONCE = 50


async def test_damaged_messages_are_committed(tmp_path: Path) -> None:
    """Each is acknowledged after a commit, is counted once, and none is our mistake."""
    target, random = BY_NAME["chain"], Random(20)
    inputs = [*seeds_of(target), *(target.draw(random) for _ in range(DRAWN))]
    parts = [data.partition(b"\n") for data in inputs]
    messages = [
        raw(payload, number, where=where.decode("utf-8", "replace")) for number, (where, _, payload) in enumerate(parts)
    ]
    async with running(city_settings(tmp_path)) as bench:
        for first in range(0, len(messages), AT_ONCE):
            await bench.send(*messages[first : first + AT_ONCE])
        reasons = {reason for reason, _ in await bench.letters()}
    assert len(bench.broker.acknowledged) == len(messages)
    assert {"topic", "event"} <= reasons
    assert "internal" not in reasons
