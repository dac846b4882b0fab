"""A database that goes away: everything waits, is written once it is back, and nothing is doubled."""

import asyncio
import signal
from pathlib import Path

import pytest

from ingest.broker import Mosquitto
from tests.doubles.influx import Buckets, Scripted, serving
from tests.faults.harness import Installation, Traffic, service

RATE = 100.0
AWAY_S = 4.0
WAIT_S = 60.0
SINK = '[influxdb]\nurl = "{url}"\nbackoff_min_s = 0.05\nbackoff_max_s = 0.5\n'


def counters(buckets: Buckets) -> list[int]:
    """The f_cnt of every `link` point, one for each."""
    return sorted(
        int(fields["f_cnt"])
        for bucket in buckets.values()
        for (measurement, _, _), fields in bucket.items()
        if measurement == "link"
    )


@pytest.mark.mosquitto
@pytest.mark.timeout(240)
async def test_everything_waits_for_a_double_that_is_away(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """InfluxDB (a double on a real socket) answers 503, then 500 for a while, then not at all, then again."""
    traffic, stop = Traffic(mosquitto.port), asyncio.Event()
    async with serving("1.8") as first:
        url = first.url
        installation = Installation(tmp_path, mosquitto.port, SINK.format(url=url))
        first.script += [Scripted(503, "busy", {"Retry-After": "1"}), Scripted(500), Scripted(429)]
        async with service(installation) as running:
            await running.connected()
            publishing = asyncio.create_task(traffic.at_rate(RATE, stop))
            async with asyncio.timeout(WAIT_S):
                while not counters(first.buckets):
                    await asyncio.sleep(0.05)
            first.script += [Scripted(500)] * 100_000
            await asyncio.sleep(AWAY_S)
            status = await running.status()
            assert "sink influxdb" in status["problems"]
            assert status["journal"]["lines"] > RATE
            await running.end(signal.SIGKILL)
    await asyncio.sleep(1)
    async with service(installation) as running:
        await running.connected()
        await asyncio.sleep(1)
        assert "sink influxdb" in (await running.status())["problems"]
        async with serving("1.8", int(url.rsplit(":", 1)[1]), first.buckets) as again:
            stop.set()
            await publishing
            async with asyncio.timeout(WAIT_S):
                while counters(again.buckets) != list(range(traffic.sent)):
                    await asyncio.sleep(0.1)
            assert await running.end(signal.SIGTERM) == 0
    assert installation.journal_rows("SELECT count(*) FROM dead_letter") == [(0,)]
