"""A process that only annotates, to be killed: `python -m tests.ingest.grafana.annotating JOURNAL URL`."""

import asyncio
import sys
from pathlib import Path

from pydantic import SecretStr

from ingest.clock import wall_clock
from ingest.grafana import annotations
from ingest.grafana.client import GrafanaClient
from ingest.journal import Journal
from ingest.settings import GrafanaSettings, JournalSettings
from ingest.telemetry import Telemetry
from tests.doubles.grafana import TOKEN


async def annotate(path: Path, url: str) -> None:
    """Annotate for ever."""
    settings = GrafanaSettings(url=url, token=SecretStr(TOKEN), timeout_s=60, backoff_min_s=0.01, backoff_max_s=0.1)
    async with Journal(JournalSettings(path=path)) as journal:
        await annotations.Annotator(
            GrafanaClient(settings), journal, settings, wall_clock, Telemetry(), lambda _: ""
        ).run()


if __name__ == "__main__":
    annotations.LOOK_S = 0.05
    asyncio.run(annotate(Path(sys.argv[1]), sys.argv[2]))
