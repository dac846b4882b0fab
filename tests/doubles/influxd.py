"""A real InfluxDB for the tests: 1.8.10 as a child process, or a server that runs already, named by variables."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Protocol

START_S = 60.0
STOP_S = 20.0
ANSWER_S = 30.0
ADMINISTRATOR, PASSWORD = "root", "r00t's\\secret"
EXECUTABLE_VARIABLE = "STADTFUNK_TEST_INFLUXD"
URL_VARIABLE = "STADTFUNK_TEST_INFLUXDB_URL"
TOKEN_VARIABLE = "STADTFUNK_TEST_INFLUXDB_TOKEN"
ORGANISATION_VARIABLE = "STADTFUNK_TEST_INFLUXDB_ORG"
MISSING = f"needs influxd 1.8.10 (`make influxd`, {EXECUTABLE_VARIABLE} or PATH) or a server in {URL_VARIABLE}"
MISSING_PROCESS = f"needs influxd 1.8.10 itself, to stop and start it: `make influxd`, {EXECUTABLE_VARIABLE} or PATH"
MISSING_2 = f"needs an InfluxDB 2.x in {URL_VARIABLE}, and in {TOKEN_VARIABLE} its operator's token"
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
auth-enabled = {authentication}
[monitor]
store-enabled = false
"""
Values = list[list[object]]
Answer = dict[str, Any]


class Database(Protocol):
    """What the tests of writing need of a server, whichever it is."""

    url: str
    token: str
    organisation: str
    release: Literal["1.8", "2"]

    def create(self, bucket: str, kept_s: int = 0) -> None:
        """Make a bucket that keeps its points so long, 0 for ever."""
        ...

    def drop(self, bucket: str) -> None:
        """Remove it with all its points."""
        ...

    def query(self, text: str, database: str = "") -> Values:
        """The rows of an InfluxQL statement, all series together."""
        ...


class Influxd:
    """InfluxDB 1.8.10 as a child process: its ports and its folder stay the same from start to start."""

    organisation = ""
    release: Literal["1.8", "2"] = "1.8"

    def __init__(self, program: Path, folder: Path, *, authentication: bool = False) -> None:
        self._program = program
        self._folder = folder
        self.rpc, self.port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = f"{ADMINISTRATOR}:{PASSWORD}" if authentication else ""
        self._process: subprocess.Popen[bytes] | None = None
        configuration = CONFIGURATION.format(
            rpc=self.rpc, http=self.port, folder=folder, authentication=str(authentication).lower()
        )
        (folder / "influxdb.conf").write_text(configuration)

    def start(self) -> None:
        """Start it and wait until it answers; with authentication on the administrator is there from then on."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-config", self._folder / "influxdb.conf"], stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_S
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.kill()
                raise AssertionError(f"influxd did not start: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)
        if self.token:
            password = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
            self.query(f"CREATE USER {ADMINISTRATOR} WITH PASSWORD '{password}' WITH ALL PRIVILEGES")

    def stop(self) -> None:
        """End it in order."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """SIGKILL: what it had not written to its disk is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def create(self, bucket: str, kept_s: int = 0) -> None:
        """Make a database."""
        duration = f"{kept_s}s" if kept_s else "INF"
        self.query(f'CREATE DATABASE "{bucket}" WITH DURATION {duration} NAME "autogen"')

    def drop(self, bucket: str) -> None:
        """Remove a database."""
        self.query(f'DROP DATABASE "{bucket}"')

    def query(self, text: str, database: str = "") -> Values:
        """The rows of an InfluxQL statement."""
        form = urllib.parse.urlencode({"q": text, "db": database, "epoch": "ms"}).encode()
        return _values(_ask(urllib.request.Request(f"{self.url}/query", form, _headers(self.token))))  # noqa: S310 - loopback

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/ping", timeout=1):  # noqa: S310 - loopback
            return True
        return False


class Running2:
    """A 2.x server that somebody started; only the buckets that tests make in it are touched."""

    release: Literal["1.8", "2"] = "2"

    def __init__(self, url: str, token: str, organisation: str) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self.organisation = organisation

    def create(self, bucket: str, kept_s: int = 0) -> None:
        """Make a bucket."""
        organisations = self.ask("GET", f"/orgs?{urllib.parse.urlencode({'org': self.organisation})}")["orgs"]
        rules = [{"type": "expire", "everySeconds": kept_s}]
        self.ask("POST", "/buckets", {"orgID": organisations[0]["id"], "name": bucket, "retentionRules": rules})

    def drop(self, bucket: str) -> None:
        """Remove a bucket."""
        name = urllib.parse.urlencode({"name": bucket, "org": self.organisation})
        for item in self.ask("GET", f"/buckets?{name}")["buckets"]:
            self.ask("DELETE", f"/buckets/{item['id']}")

    def query(self, text: str, database: str = "") -> Values:
        """The rows of an InfluxQL SELECT, by the database that stands for the bucket."""
        asked = urllib.parse.urlencode({"q": text, "db": database, "epoch": "ms"})
        return _values(_ask(urllib.request.Request(f"{self.url}/query?{asked}", headers=_headers(self.token))))  # noqa: S310 - as the one who runs the tests says

    def ask(self, method: str, path: str, body: dict[str, object] | None = None) -> Answer:
        """The answer of its interface at a path under /api/v2; any error fails the test."""
        headers = {**_headers(self.token), "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        return _ask(urllib.request.Request(f"{self.url}/api/v2{path}", data, headers, method=method))  # noqa: S310 - the same


@contextlib.contextmanager
def own_organisation(server: Running2, name: str) -> Iterator[Running2]:
    """The same server in an organisation of its own, with its administrator's token; removed with all that is in it.

    The operator's token would do, but for InfluxQL: that asks the organisation that a token is of.
    """
    identity = server.ask("POST", "/orgs", {"name": name})["id"]
    permissions = [
        {"action": action, "resource": {"type": kind, "orgID": identity}}
        for action in ("read", "write")
        for kind in ("authorizations", "buckets", "tasks")
    ]
    user = server.ask("GET", "/me")["id"]
    for action, kind, of in (("read", "orgs", identity), ("read", "users", user), ("write", "users", user)):
        permissions.append({"action": action, "resource": {"type": kind, "id": of}})
    authorization = {"orgID": identity, "description": "administrator", "permissions": permissions}
    try:
        yield Running2(server.url, server.ask("POST", "/authorizations", authorization)["token"], name)
    finally:
        for kind in ("tasks", "authorizations"):
            while found := server.ask("GET", f"/{kind}?orgID={identity}&limit=100")[kind]:
                for item in found:
                    server.ask("DELETE", f"/{kind}/{item['id']}")
        server.ask("DELETE", f"/orgs/{identity}")


def executable() -> Path | None:
    """The server's program, if there is one: named by a variable, on PATH, or made by `make influxd`."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    candidates = (
        os.environ.get(EXECUTABLE_VARIABLE),
        shutil.which("influxd"),
        cache / "stadtfunk/influxd-1.8.10/influxd",
    )
    return next((Path(path) for path in candidates if path and Path(path).is_file()), None)


def elsewhere() -> Running2 | None:
    """The server that the variables name, if they do."""
    url = os.environ.get(URL_VARIABLE)
    if not url:
        return None
    return Running2(url, os.environ.get(TOKEN_VARIABLE, ""), os.environ.get(ORGANISATION_VARIABLE, ""))


@contextlib.contextmanager
def running(program: Path, folder: Path, *, authentication: bool = False) -> Iterator[Influxd]:
    """A server for as long as the context lasts."""
    server = Influxd(program, folder, authentication=authentication)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in sockets]


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Token {token}"} if token else {}


def _ask(request: urllib.request.Request) -> Answer:
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310 - the same
            return json.loads(answer.read() or "{}")  # type: ignore[no-any-return]  # what the server says
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{request.full_url}: {error.code} {error.read().decode(errors='replace')}") from error


def _values(answer: Answer) -> Values:
    results = answer["results"]
    assert all("error" not in result for result in results), results
    return [row for result in results for series in result.get("series", []) for row in series.get("values", [])]
