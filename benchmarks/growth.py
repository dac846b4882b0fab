"""What an uplink costs when more and more devices are known: CPU of the whole service, and its peak memory.

The journal is filled with that many device records first. Then uplinks wait in Mosquitto: from as many different
known devices as there are uplinks (or from all of them in turns), the worst case, for nearly none is in memory when
it is heard; or, with `--active`, from so many of them while the others are quiet and rest on disk. `stadtfunk run`
drains them into the store, without a city. The reference is the smallest number. Each size has a fresh InfluxDB;
with the embedded store (where there is no InfluxDB) the first point of a series counts, too.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from database import influxdb
from pipeline import CONFIG, HTTP_PORT, MOSQUITTO, PORT, Result, cpu_seconds, peak_mb, polled, wait_for_line
from uplinks import dev_eui, messages, publish, session, settings_text

from decoders.quantity import Privacy
from ingest.fleet import store as fleet_store
from ingest.journal_schema import open_writer, transaction
from rules.device.record import About, Battery, Day, Record

DEVICES = (1_000, 10_000, 100_000, 1_000_000)
INTERVAL_MS = 900_000
STRIDE = 7_919
CHUNK = 20_000


def main() -> None:
    """Run all sizes and print figures and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uplinks", type=int, default=50_000)
    parser.add_argument("--devices", type=int, nargs="+", default=list(DEVICES))
    parser.add_argument("--active", type=int, help="how many of them send (default: all, in turns)")
    parser.add_argument("--influxdb", help="url of a running InfluxDB; else a fresh influxd (`make influxd`)")
    options = parser.parse_args()
    if MOSQUITTO is None:
        sys.exit("Mosquitto is needed for this benchmark")
    first = None
    for devices in options.devices:
        with influxdb(options.influxdb) as url:
            stride = max(1, devices // options.active) if options.active else STRIDE
            result = measure(devices, options.uplinks, stride, url)
        each = result.cpu_s * 1e6 / options.uplinks
        first = first or each
        print(
            f"{devices:9} devices {options.uplinks / result.seconds:9.0f}/s {each:7.1f} µs CPU an uplink"
            f" {each / first:6.2f} x {result.peak_mb:6.0f} MB",
            flush=True,
        )


def measure(devices: int, uplinks: int, stride: int, url: str | None) -> Result:
    """One size on a fresh journal and a fresh broker."""
    with tempfile.TemporaryDirectory(prefix="stadtfunk-bench-") as name:
        folder = Path(name)
        fill(folder / "journal.db", devices)
        (folder / "mosquitto.conf").write_text(CONFIG + ("user root\n" if os.geteuid() == 0 else ""))
        broker = subprocess.Popen([str(MOSQUITTO), "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            session(PORT, "stadtfunk-bench", "application/+/device/+/event/+")
            publish(PORT, messages(uplinks, devices, stride))
            return drain(folder, uplinks, url)
        finally:
            broker.terminate()
            broker.wait()


def fill(path: Path, devices: int) -> None:
    """Records of devices that were last heard one interval ago."""
    connection = open_writer(path)
    now_ms = int(time.time() * 1000)
    for start in range(0, devices, CHUNK):
        records = {dev_eui(number): known(number, now_ms) for number in range(start, min(start + CHUNK, devices))}
        with transaction(connection):
            fleet_store.fold(connection, {name: fleet_store.resting(one) for name, one in records.items()})
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()


def known(number: int, now_ms: int) -> Record:
    """A healthy device with a battery and a month of history."""
    day = now_ms // 86_400_000
    return Record(
        about=About(f"device-{number:04}", "", "city", "", "", "", Privacy.OPEN),
        first_ms=now_ms - 30 * 86_400_000,
        last_ms=now_ms - INTERVAL_MS,
        interval_ms=float(INTERVAL_MS),
        intervals=2_880,
        f_cnt=0,
        dev_addr=f"{number:08x}",
        joined_ms=0,
        reset_ms=0,
        gateway="0016c001f153a140",
        margin_db=10.0,
        margins=2_880,
        offset_ms=0,
        hour=now_ms // 3_600_000,
        battery=Battery(3.6, None, None, volts=True, first_day=day - 30, day=day, total=36.0, readings=10),
        day=Day(day, 40, 0, 0, 0, 40),
        silent=False,
        problems=0,
        shown_until_ms=0,
        deadline_ms=now_ms + INTERVAL_MS,
    )


def drain(folder: Path, uplinks: int, url: str | None) -> Result:
    """The whole service, from its own command line; waits until all is in the store."""
    text = settings_text(folder, PORT, HTTP_PORT, url)
    city = f'[city]\nfile = "{folder}/city.geojson"\n'
    (folder / "stadtfunk.toml").write_text(text.replace(city, ""))
    program = shutil.which("stadtfunk", path=str(Path(sys.executable).parent)) or "stadtfunk"
    service = subprocess.Popen(
        [program, "run", "-c", str(folder / "stadtfunk.toml")], stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for_line(service, "service started")
        begin, cpu = time.perf_counter(), cpu_seconds(service.pid)
        for status in polled():
            if status["totals"]["uplinks"] >= uplinks and not status["journal"]["lines"]:
                break
        seconds = time.perf_counter() - begin
        if status["totals"]["stored"] != uplinks:
            sys.exit(f"not everything was stored: {status}")
        return Result(seconds, cpu_seconds(service.pid) - cpu, peak_mb(service.pid))
    finally:
        service.terminate()
        service.communicate()


if __name__ == "__main__":
    main()
