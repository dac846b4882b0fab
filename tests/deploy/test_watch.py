"""The second path: real listeners that die and come back, and a messenger's address that hears of it."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer

import pytest

from ingest.app import Service
from ingest.broker import Mosquitto, free_port
from ingest.settings import load
from tests.ingest.uplinks import CITY

WATCH = Path(__file__).parents[2] / "deploy" / "watch"
UNITS = WATCH.parent / "systemd"


class Listener(BaseHTTPRequestHandler):
    """Answers with its server's status, and keeps what was posted."""

    def do_GET(self) -> None:
        """As a health check is asked."""
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    def do_POST(self) -> None:
        """As a messenger is told."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append(json.loads(body)["text"])  # type: ignore[attr-defined]
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Silent."""


class Server(ThreadingHTTPServer):
    """A listener on a port."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Listener)
        self.status = 200
        self.told: list[str] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def listening(port: int = 0) -> Iterator[Server]:
    """A listener for as long as the context lasts."""
    server = Server(port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def messenger() -> Iterator[Server]:
    """Who is told."""
    with listening() as server:
        yield server


class Watch:
    """The script with its memory in a folder."""

    def __init__(self, folder: Path, targets: str, **settings: str) -> None:
        self.environment = {
            "PATH": os.environ["PATH"],
            "STATE_DIRECTORY": str(folder / "watch"),
            "WATCH_TARGETS": targets,
            "WATCH_AFTER": "2",
            **settings,
        }

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Ask once."""
        command = [str(WATCH), *words]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)


def test_each_part_that_dies_is_told_once_and_its_return_too(tmp_path: Path, messenger: Server) -> None:
    """After two bad answers, not after one; the other parts are not blamed; quotes break nothing."""
    port = free_port()
    with listening() as other:
        targets = f"chain=http://127.0.0.1:{port}/health/chain other={other.url}/"
        watch = Watch(tmp_path, targets, WATCH_WEBHOOK=messenger.url)
        with listening(port):
            assert watch().returncode == 0
        assert messenger.told == []
        watch()
        assert messenger.told == [], "one bad answer may be a restart"
        watch()
        watch()
        (said,) = messenger.told
        assert "trouble: chain" in said
        with listening(port) as back:
            back.status = 503
            watch()
            assert len(messenger.told) == 1, "an answer that is no 200 is no life"
            back.status = 200
            watch()
            watch()
        assert [text.split(":")[0] for text in messenger.told] == ["Störung / trouble", "wieder gut / well again"]
        other.status = 500
        watch()
        watch()
        assert "trouble: other" in messenger.told[-1]


def test_what_could_not_be_told_is_told_later(tmp_path: Path, messenger: Server) -> None:
    """The exit code says so meanwhile, so that systemd shows a failed unit."""
    watch = Watch(tmp_path, f"dead=http://127.0.0.1:{free_port()}/", WATCH_WEBHOOK=messenger.url)
    messenger.status = 500
    watch()
    assert watch().returncode == 1
    messenger.status = 200
    messenger.told.clear()
    assert watch().returncode == 0
    assert len(messenger.told) == 1


def test_a_trouble_that_lasts_is_told_again(tmp_path: Path, messenger: Server) -> None:
    """After as many hours as are set."""
    watch = Watch(tmp_path, f"dead=http://127.0.0.1:{free_port()}/", WATCH_WEBHOOK=messenger.url, WATCH_AGAIN_H="0")
    for _ in range(3):
        watch()
    assert len(messenger.told) == 2


class Postman(StreamRequestHandler):
    """Takes one mail as a server of SMTP does (RFC 5321), and keeps what was said."""

    def handle(self) -> None:
        """Yes to everything."""
        self.wfile.write(b"220 here\r\n")
        said: list[str] = self.server.said  # type: ignore[attr-defined]
        within = False
        for line in self.rfile:
            said.append(line.decode().rstrip("\r\n"))
            if within and line != b".\r\n":
                continue
            within = line.upper().startswith(b"DATA")
            self.wfile.write(b"354 go on\r\n" if within else b"250 yes\r\n")
            if line.upper().startswith(b"QUIT"):
                return


class PostOffice(TCPServer):
    """Where mail is handed in."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Postman)
        self.said: list[str] = []


def test_mail(tmp_path: Path) -> None:
    """A message with its headers is handed in by SMTP, which a unit without any rights can do."""
    with PostOffice() as office:
        thread = threading.Thread(target=office.serve_forever, args=(0.05,))
        thread.start()
        settings = {
            "WATCH_MAIL": "leitstelle@hamm.example",
            "WATCH_SMTP": f"smtp://127.0.0.1:{office.server_address[1]}",
            "WATCH_FROM": "stadtfunk@hamm.example",
            "WATCH_AFTER": "1",
        }
        ended = Watch(tmp_path, f"dead=http://127.0.0.1:{free_port()}/", **settings)()
        office.shutdown()
        thread.join()
    assert ended.returncode == 0, ended.stderr
    assert {"MAIL FROM:<stadtfunk@hamm.example>", "RCPT TO:<leitstelle@hamm.example>"} <= {
        line.split("> ")[0] + ">" if line.startswith("MAIL") and "> " in line else line for line in office.said
    }
    mail = message_from_string("\n".join(office.said[office.said.index("DATA") + 1 :]))
    assert (mail["To"], mail["From"]) == ("leitstelle@hamm.example", "stadtfunk@hamm.example")
    assert mail["Subject"].startswith("Stadtfunk (")
    assert "trouble: dead" in mail.get_payload()


def test_mail_that_nobody_takes_is_told_later(tmp_path: Path) -> None:
    """The exit code says so, and no return is told of a trouble that nobody heard of."""
    settings = {"WATCH_MAIL": "a@b.example", "WATCH_SMTP": f"smtp://127.0.0.1:{free_port()}", "WATCH_AFTER": "1"}
    watch = Watch(tmp_path, f"dead=http://127.0.0.1:{free_port()}/", **settings)
    assert watch().returncode == 1
    assert (tmp_path / "watch" / "dead").read_text().endswith("told=0\n")


def test_nobody_to_tell_is_wrong_usage(tmp_path: Path) -> None:
    """A watch that tells nobody would be trusted for nothing."""
    ended = Watch(tmp_path, "x=http://127.0.0.1:9/")()
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)


@pytest.mark.mosquitto
async def test_a_dead_broker_and_a_dead_service_are_told(tmp_path: Path, messenger: Server) -> None:
    """The real service with a real broker: well while its canary comes round, told when either is killed."""
    import asyncio  # noqa: PLC0415 - this test alone

    (tmp_path / "city.geojson").write_text(json.dumps(CITY))
    port = free_port()
    broker = Mosquitto(directory=tmp_path)
    await broker.start()
    settings = load(
        city={"file": tmp_path / "city.geojson"},
        mqtt={"port": broker.port, "reconnect_min_s": 0.05, "reconnect_max_s": 0.1},
        journal={"path": tmp_path / "journal.db"},
        http={"port": port},
        telemetry={"heartbeat_s": 0.3},
    )
    watch = Watch(
        tmp_path, f"service=http://127.0.0.1:{port}/health/chain", WATCH_WEBHOOK=messenger.url, WATCH_AFTER="1"
    )

    async def until(told: int, what: str) -> None:
        async with asyncio.timeout(60):
            while len(messenger.told) < told:
                await asyncio.to_thread(watch)
        assert what in messenger.told[told - 1]

    async with asyncio.TaskGroup() as group:
        service = Service(settings)
        task = group.create_task(service.run())
        async with asyncio.timeout(60):
            while (await asyncio.to_thread(watch)).returncode or "bad=0" not in (
                tmp_path / "watch" / "service"
            ).read_text():
                messenger.told.clear()
        messenger.told.clear()
        (tmp_path / "watch" / "service").unlink()
        await broker.kill()
        await until(1, "trouble: service")
        await broker.start()
        await until(2, "well again: service")
        service.stop()
        await task
        await until(3, "trouble: service")
    await broker.stop()


@pytest.mark.parametrize(("unit", "most"), [("stadtfunk.service", 1.5), ("stadtfunk-watch.service", 2.0)])
def test_units_expose_little(unit: str, most: float) -> None:
    """By systemd's own measure, from 0 (nothing) to 10."""
    command = ["systemd-analyze", "security", "--offline=true", str(UNITS / unit)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert float(said.rsplit("service: ", 1)[1].split()[0]) <= most


def test_a_copy_may_read_the_password_of_the_database() -> None:
    """/root/.pgpass, which the guide names, is seen by the unit, and nothing in homes can be written."""
    assert "\nProtectHome=read-only\n" in (UNITS / "stadtfunk-backup.service").read_text()


def test_units_name_files_that_are_there() -> None:
    """Scripts of the units are scripts of this folder; timers have their service; users are made."""
    for unit in UNITS.glob("*.service"):
        for line in unit.read_text().splitlines():
            if line.startswith("ExecStart=") and "/share/deploy/" in line:
                assert (WATCH.parent / line.split("/share/deploy/")[1].split()[0]).is_file()
    for timer in UNITS.glob("*.timer"):
        assert timer.with_suffix(".service").is_file()
    assert (UNITS / "sysusers.conf").read_text().splitlines()[1].startswith("u stadtfunk ")
    for line in (UNITS / "tmpfiles.conf").read_text().splitlines()[1:]:
        kind, path, mode, *_ = line.split()
        assert (kind, path[0], mode[0]) == ("d", "/", "0")
