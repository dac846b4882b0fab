"""A double of Grafana, and the command for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.doubles.grafana_server import GrafanaServer, grafana_server
from tests.ingest.grafana.provision.pushing import Pusher


@pytest.fixture
async def server() -> AsyncIterator[GrafanaServer]:
    """A new Grafana: one organisation, nothing in it."""
    async with grafana_server() as double:
        yield double


@pytest.fixture
def push(tmp_path: Path, server: GrafanaServer) -> Pusher:
    """The command against it."""
    return Pusher(tmp_path, server)
