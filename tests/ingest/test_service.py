"""The service as a whole, where a part fails that should not."""

import asyncio
from pathlib import Path

import pytest

from ingest.app import Service
from ingest.broker import EmbeddedBroker
from ingest.outbox import Outbox
from ingest.settings import given

WAIT_S = 30.0


async def test_a_part_that_fails_ends_the_service(
    embedded_broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that raises ends the service promptly and loudly, so that its supervisor starts it again."""

    async def fail(_: Outbox) -> None:
        await asyncio.sleep(0.3)
        raise ZeroDivisionError("our own")

    monkeypatch.setattr(Outbox, "run", fail)
    service = Service(given(mqtt={"port": embedded_broker.port}, journal={"path": tmp_path / "j.db"}, http={"port": 0}))
    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.timeout(WAIT_S):
            await service.run()
    assert caught.group_contains(ZeroDivisionError, match="our own")
