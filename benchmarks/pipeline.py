"""A backlog drained through the whole service, beside a paho-mqtt subscriber that only receives and acknowledges.

100,000 uplinks of about 1.1 kB wait in Mosquitto, in one persistent session for each of the two. The subscriber
speaks MQTT 3.1.1 and acknowledges by hand in batches of 500. The service is `stadtfunk run`: parse, decode, rules,
journal with fsync, store. Both rates are from the first message to the last; the service is done when the last line is
in the store. CPU is the process's own (user and system), without the start of the interpreter.
"""

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from database import influxdb
from uplinks import FILTER, city, messages, publish, session, settings_text

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
PORT = 18831
HTTP_PORT = 18832
LIMIT_S = 300
CONFIG = f"""
listener {PORT} 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_inflight_messages 1000
persistence false
log_type none
"""
PAHO = """
import sys, time
import paho.mqtt.client as mqtt
port, wanted = int(sys.argv[1]), int(sys.argv[2])
waiting, count, begin, cpu = [], 0, 0.0, 0.0
def on_message(client, userdata, message):
    global count, begin, cpu
    if not count:
        begin, cpu = time.perf_counter(), time.process_time()
    count += 1
    waiting.append((message.mid, message.qos))
    if len(waiting) == 500 or count == wanted:
        for mid, qos in waiting:
            client.ack(mid, qos)
        waiting.clear()
    if count == wanted:
        print(time.perf_counter() - begin, time.process_time() - cpu, flush=True)
        client.disconnect()
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "bench-paho", clean_session=False,
                     protocol=mqtt.MQTTv311, manual_ack=True)
client.on_message = on_message
client.connect("127.0.0.1", port)
client.loop_forever()
"""


class Result(NamedTuple):
    """Seconds from first to last, CPU-seconds, peak memory in MB."""

    seconds: float
    cpu_s: float
    peak_mb: float


def main() -> None:
    """Run both and print the figures and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uplinks", type=int, default=100_000)
    parser.add_argument("--influxdb", help="url of a running InfluxDB; else a fresh influxd (`make influxd`)")
    parser.add_argument("--sqlite", action="store_true", help="the embedded store instead")
    options = parser.parse_args()
    if MOSQUITTO is None:
        sys.exit("Mosquitto is needed for this benchmark")
    with tempfile.TemporaryDirectory(prefix="stadtfunk-bench-") as name:
        folder = Path(name)
        (folder / "mosquitto.conf").write_text(CONFIG + ("user root\n" if os.geteuid() == 0 else ""))
        broker = subprocess.Popen([MOSQUITTO, "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            with influxdb(options.influxdb) as url:
                run(folder, options.uplinks, None if options.sqlite else url)
        finally:
            broker.terminate()
            broker.wait()


def run(folder: Path, uplinks: int, url: str | None) -> None:
    """Fill the two sessions, drain them one after the other, print."""
    session(PORT, "bench-paho", FILTER)
    session(PORT, "stadtfunk-bench", "application/+/device/+/event/+")
    size = publish(PORT, messages(uplinks))
    paho = drain_paho(uplinks)
    service = drain_service(folder, uplinks, url)
    store = "InfluxDB" if url else "SQLite"
    print(f"{uplinks} uplinks of {size} bytes on average, queued in Mosquitto; store: {store}")
    for title, result in (("paho-mqtt, receive and acknowledge", paho), ("stadtfunk run, everything", service)):
        print(
            f"{title:36} {uplinks / result.seconds:9.0f}/s  {result.cpu_s * 100_000 / uplinks:6.2f} CPU-s per 100,000"
            f"  {result.peak_mb:5.0f} MB"
        )
    print(f"ratio: {service.cpu_s / paho.cpu_s:.2f} x CPU, {paho.seconds / service.seconds:.2f} x rate")


def drain_paho(uplinks: int) -> Result:
    """The reference: only receives and acknowledges."""
    answer = subprocess.run(
        [sys.executable, "-c", PAHO, str(PORT), str(uplinks)],
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT_S,
    )
    seconds, cpu_s = map(float, answer.stdout.split())
    return Result(seconds, cpu_s, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)


def drain_service(folder: Path, uplinks: int, url: str | None) -> Result:
    """The whole service, from its own command line."""
    (folder / "city.geojson").write_text(json.dumps(city()))
    (folder / "stadtfunk.toml").write_text(settings_text(folder, PORT, HTTP_PORT, url))
    command = [str(Path(sys.executable).with_name("stadtfunk")), "run", "-c", str(folder / "stadtfunk.toml")]
    service = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        wait_for_line(service, "service started")
        begin, cpu = time.perf_counter(), cpu_seconds(service.pid)
        for status in polled():
            if status["totals"]["uplinks"] >= uplinks and not status["journal"]["lines"]:
                break
        seconds = time.perf_counter() - begin
        result = Result(seconds, cpu_seconds(service.pid) - cpu, peak_mb(service.pid))
        if status["totals"]["stored"] != uplinks:
            sys.exit(f"not everything was stored: {status}")
        return result
    finally:
        service.terminate()
        service.communicate()


def polled() -> Iterator[dict[str, Any]]:
    """The service's status, four times a second."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        time.sleep(0.25)
        with urllib.request.urlopen(f"http://127.0.0.1:{HTTP_PORT}/api/v1/status", timeout=10) as answer:
            yield json.load(answer)
    sys.exit("the service took too long")


def wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    """Read the log until a line says this."""
    assert process.stderr is not None  # noqa: S101 - it is a pipe
    for line in process.stderr:
        if text in line:
            return
    sys.exit("the service ended before it began")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    """Peak resident memory of a process."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
