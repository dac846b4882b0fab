"""A million points from the journal into InfluxDB, beside the official client writing the same lines from memory.

The lines are those of uplinks (readings, `link`, `device`), in bodies of one commit of 500 uplinks each. The service's
side is its own drain: rows read from the journal with their checksums, sent in writes of 5,000 lines, cursor noted. The
reference sends the same lines in writes of 5,000, one after the other, each awaited. Each writes into a database of its
own; rounds alternate; the ratio is of the medians.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import cast

from database import influxdb
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.domain.write_precision import WritePrecision

from decoders.quantity import Privacy
from ingest.clock import wall_clock
from ingest.drain import Drain
from ingest.influx import InfluxSink
from ingest.journal import Journal
from ingest.journal_records import Batch
from ingest.settings import InfluxSettings, JournalSettings
from ingest.telemetry import Telemetry

COMMIT_LINES = 1500
WRITE_LINES = 5000
DEVICES = 1000


def main() -> None:
    """Run the rounds and print figures and ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--influxdb", help="url of a running InfluxDB 1.8; else a fresh influxd (`make influxd`)")
    options = parser.parse_args()
    with influxdb(options.influxdb) as url:
        if url is None:
            sys.exit("InfluxDB is needed for this benchmark: `make influxd`")
        run(url, options.points, options.rounds)


def run(url: str, points: int, rounds: int) -> None:
    """Alternate, print."""
    lines = [point(number) for number in range(points)]
    figures: dict[str, list[tuple[float, float]]] = {"influxdb-client from memory": [], "journal and drain": []}
    for number in range(rounds):
        for name, way in zip(figures, (from_memory, from_journal), strict=True):
            database = f"bench_drain_{number}_{way.__name__}"
            query(url, f'DROP DATABASE "{database}"')
            query(url, f'CREATE DATABASE "{database}"')
            figures[name].append(asyncio.run(way(url, database, lines)))
            query(url, f'DROP DATABASE "{database}"')
    rates = {}
    for name, results in figures.items():
        rates[name] = points / statistics.median(seconds for seconds, _ in results)
        cpu = statistics.median(cpu for _, cpu in results) / points * 1e6
        print(f"{name:28} {rates[name]:9.0f} points/s {cpu:6.2f} µs CPU a point")
    print(f"ratio: {rates['journal and drain'] / rates['influxdb-client from memory']:.2f} x rate")


def point(number: int) -> str:
    """A line as an uplink makes it: one of its three."""
    device, kind = number // 3 % DEVICES, number % 3
    tags = (
        f"application=city,asset=lot-{device % 20},dev_eui=70b3d57ed1{device:06x},device=device-{device:04},model=a/b"
    )
    time_ms = 1_780_000_000_000 + number // 3
    if kind == 0:
        return (
            f"link,{tags} rssi=-97.0,snr=7.5,gateways=2,spreading_factor=7,f_cnt={number},payload_bytes=2,"
            f"clock_offset_s=0.0,frames_lost=0 {time_ms}"
        )
    if kind == 1:
        return f"parking,{tags} occupied={number % 2}.0 {time_ms}"
    return f"device,{tags} device_temperature={number % 40}.5,battery_voltage=3.6 {time_ms}"


async def from_memory(url: str, database: str, lines: list[str]) -> tuple[float, float]:
    """The reference; returns seconds and CPU-seconds."""
    precision = cast("WritePrecision", WritePrecision.MS)
    async with InfluxDBClientAsync(url, "", "") as client:
        api = client.write_api()
        begin, cpu = time.perf_counter(), time.process_time()
        for start in range(0, len(lines), WRITE_LINES):
            body = "\n".join(lines[start : start + WRITE_LINES]).encode()
            await api.write(database, "", body, write_precision=precision)
        return time.perf_counter() - begin, time.process_time() - cpu


async def from_journal(url: str, database: str, lines: list[str]) -> tuple[float, float]:
    """The journal, filled before; returns seconds and CPU-seconds of draining it."""
    with tempfile.TemporaryDirectory(prefix="stadtfunk-bench-") as name:
        settings = JournalSettings(path=Path(name) / "journal.db")
        sink = InfluxSink(InfluxSettings(url=url, bucket_internal=database, batch_lines=WRITE_LINES))
        async with Journal(settings) as journal:
            journal.register(sink.name)
            for start in range(0, len(lines), COMMIT_LINES):
                batch = Batch(messages=COMMIT_LINES // 3)
                batch.lines[Privacy.INTERNAL] = lines[start : start + COMMIT_LINES]
                await journal.commit(batch, wall_clock())
            drain = Drain(
                sink, journal, settings, wall_clock, Telemetry(), batch_lines=WRITE_LINES, backoff_s=(0.5, 10.0)
            )
            begin, cpu = time.perf_counter(), time.process_time()
            task = asyncio.create_task(drain.run())
            while journal.waiting_bytes:  # noqa: ASYNC110 - the drain gives no signal
                await asyncio.sleep(0.01)
            result = time.perf_counter() - begin, time.process_time() - cpu
            task.cancel()
            await asyncio.wait([task])
        await sink.close()
    return result


def query(url: str, text: str) -> None:
    """Run an InfluxQL statement."""
    form = urllib.parse.urlencode({"q": text}).encode()
    with urllib.request.urlopen(f"{url}/query", form, timeout=60) as answer:  # noqa: S310 - as given by whoever runs this
        answer.read()


if __name__ == "__main__":
    main()
