"""A real InfluxDB 1.8.10 on free loopback ports with a fresh data folder."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

START_S = 20.0
MISSING = (
    "needs influxd 1.8.10: in STADTFUNK_TEST_INFLUXD, on PATH or as ~/.cache/stadtfunk/influxd-1.8.10/influxd; "
    "build it with GOBIN=$HOME/.cache/stadtfunk/influxd-1.8.10 "
    'go install -ldflags "-X main.version=1.8.10" github.com/influxdata/influxdb/cmd/influxd@v1.8.10'
)
CONFIGURATION = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[http]
bind-address = "127.0.0.1:{http}"
flux-enabled = true
log-enabled = false
[monitor]
store-enabled = false
"""


class Influxd(NamedTuple):
    """The running server."""

    url: str

    def query(self, text: str, database: str = "") -> list[list[object]]:
        """The rows of an InfluxQL statement, all series together."""
        form = urllib.parse.urlencode({"q": text, "db": database, "epoch": "ms"}).encode()
        with urllib.request.urlopen(f"{self.url}/query", form, timeout=10) as answer:  # noqa: S310 - our own loopback server
            results = json.load(answer)["results"]
        assert all("error" not in result for result in results), results
        return [row for result in results for series in result.get("series", []) for row in series["values"]]


def executable() -> Path | None:
    """The server's program, if there is one."""
    cached = Path.home() / ".cache/stadtfunk/influxd-1.8.10/influxd"
    candidates = (os.environ.get("STADTFUNK_TEST_INFLUXD"), shutil.which("influxd"), cached)
    return next((Path(path) for path in candidates if path and Path(path).is_file()), None)


@contextlib.contextmanager
def running(program: Path, folder: Path) -> Iterator[Influxd]:
    """Start the server, wait until it answers, stop it at the end."""
    rpc, http = _free_ports(2)
    configuration = folder / "influxdb.conf"
    configuration.write_text(CONFIGURATION.format(rpc=rpc, http=http, folder=folder))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-config", configuration], stdout=log, stderr=log)
    try:
        server = Influxd(f"http://127.0.0.1:{http}")
        _wait(server, process, folder / "log")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(server: Influxd, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{server.url}/ping", timeout=1):  # noqa: S310 - the same
            return
        time.sleep(0.05)
    raise AssertionError(f"influxd did not start: {log.read_text()[-2000:]}")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in sockets]
