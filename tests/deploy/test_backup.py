"""What `deploy/backup` keeps, `deploy/restore` brings back."""

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from ingest.dead_letter import Reason, dead_letter
from ingest.journal import Journal
from ingest.journal_records import Batch
from ingest.journal_schema import JournalError, open_reader, open_writer
from ingest.settings import JournalSettings
from tests.doubles import influxd, postgresql

DEPLOY = Path(__file__).parents[2] / "deploy"
NOW = 1_795_000_000_000
WAIT_S = 30


class Place:
    """A machine's files, and the scripts run on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = folder / "var" / "journal.db"
        self.settings = folder / "etc"
        self.grafana = folder / "grafana" / "grafana.db"
        self.copies = folder / "copies"
        self.environment = {
            **os.environ,
            "STADTFUNK_BACKUP_ENV": "/nowhere",
            "STADTFUNK_PYTHON": sys.executable,
            "STADTFUNK_JOURNAL": str(self.journal),
            "STADTFUNK_SETTINGS": str(self.settings),
            "GRAFANA_DB": str(self.grafana),
        }

    def fill(self) -> None:
        """A journal with a dead letter, settings, and a database like Grafana's."""
        self.journal.parent.mkdir()
        with closing(open_writer(self.journal)):
            pass
        self.settings.mkdir()
        (self.settings / "stadtfunk.toml").write_text("[city]\n")
        self.grafana.parent.mkdir()
        with closing(sqlite3.connect(self.grafana)) as connection, connection:
            connection.execute("CREATE TABLE dashboard (title TEXT)")
            connection.execute("INSERT INTO dashboard VALUES ('Stadt')")

    def run(self, script: str, *words: str) -> subprocess.CompletedProcess[str]:
        """One of the scripts."""
        command = [str(DEPLOY / script), *words]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)

    def backup(self, *words: str) -> Path:
        """The newest copy."""
        said = self.run("backup", *words, str(self.copies))
        assert said.returncode == 0, said.stderr
        return next(path for path in self.copies.iterdir() if f"kept: {path}\n" in said.stdout)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A filled machine."""
    found = Place(tmp_path)
    found.fill()
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who alone gives files away")
def test_what_root_restores_belongs_to_its_program(place: Place) -> None:
    """Journal and Grafana's database are their folder's owner's, who could not open root's."""
    copy = place.backup()
    os.chown(place.journal.parent, 1234, 1235)
    os.chown(place.grafana.parent, 1236, 1237)
    assert place.run("restore", "--force", str(copy), "journal", "grafana").returncode == 0
    assert (place.journal.stat().st_uid, place.journal.stat().st_gid) == (1234, 1235)
    assert (place.grafana.stat().st_uid, place.grafana.stat().st_gid) == (1236, 1237)


async def test_a_journal_in_use_is_copied_whole_and_comes_back(place: Place) -> None:
    """While the service writes: the copy has what was committed, and the service goes on from it after a restore."""
    letter = dead_letter(Reason.EVENT, "x", "application/x", b"{", NOW, JournalSettings())
    async with Journal(JournalSettings(path=place.journal)) as journal:
        await journal.commit(Batch(dead_letters=[letter]), NOW)
        copy = place.backup()
        held = place.run("restore", "--force", str(copy), "journal")
        assert (held.returncode, held.stderr.count("\n")) == (1, 1)
        assert "the service runs on" in held.stderr
    refused = place.run("restore", str(copy), "journal")
    assert refused.returncode == 1
    assert "say --force" in refused.stderr
    for path in place.journal.parent.iterdir():
        path.unlink()
    assert place.run("restore", str(copy), "journal").stdout == "restored: journal\n"
    async with Journal(JournalSettings(path=place.journal)) as journal:
        assert journal.damage is None
        await journal.commit(Batch(), NOW)
    with closing(open_reader(place.journal)) as connection:
        assert connection.execute("SELECT count(*) FROM dead_letter").fetchone()[0] == 1


def test_settings_and_grafana_come_back(place: Place) -> None:
    """Both are as they were; files that are there are left alone without --force."""
    copy = place.backup()
    (place.settings / "stadtfunk.toml").write_text("changed")
    assert place.run("restore", str(copy), "settings").returncode == 1
    assert (place.settings / "stadtfunk.toml").read_text() == "changed"
    (place.settings / "stadtfunk.toml").rename(place.settings / "city.geojson")
    assert place.run("restore", str(copy), "settings").returncode == 1, "any file that is there is somebody's"
    place.grafana.unlink()
    assert place.run("restore", "--force", str(copy)).stdout.split("\n")[:-1] == [
        "restored: settings",
        "restored: journal",
        "restored: grafana",
    ]
    assert (place.settings / "stadtfunk.toml").read_text() == "[city]\n"
    with closing(sqlite3.connect(place.grafana)) as connection:
        assert connection.execute("SELECT title FROM dashboard").fetchall() == [("Stadt",)]


def test_a_damaged_copy_restores_nothing(place: Place) -> None:
    """One byte that differs is seen before anything is touched."""
    copy = place.backup()
    with (copy / "grafana.db").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff")
    before = place.journal.stat().st_mtime_ns
    said = place.run("restore", "--force", str(copy))
    assert said.returncode == 1
    assert "nothing was restored" in said.stderr
    assert place.journal.stat().st_mtime_ns == before


def test_a_failed_copy_leaves_nothing_behind(place: Place) -> None:
    """A database that is not there fails the whole, and no half of a copy stays."""
    place.environment["CHIRPSTACK_DSN"] = "postgresql://nobody@127.0.0.1:9/none"
    said = place.run("backup", str(place.copies))
    assert said.returncode == 1
    assert "ChirpStack's database could not be copied" in said.stderr
    assert list(place.copies.iterdir()) == []


def test_old_copies_go(place: Place) -> None:
    """The newest ones stay, and whatever has another name."""
    for day in range(1, 5):
        (place.copies / f"2026-01-0{day}T000000Z").mkdir(parents=True)
    (place.copies / "mine").mkdir()
    newest = place.backup("--keep", "2")
    assert sorted(path.name for path in place.copies.iterdir()) == ["2026-01-04T000000Z", newest.name, "mine"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("backup", []),
        ("backup", ["--keep", "x", "d"]),
        ("backup", ["a", "b"]),
        ("restore", []),
        ("restore", ["--force"]),
    ],
)
def test_wrong_usage_is_two(place: Place, script: str, words: list[str]) -> None:
    """And changes nothing."""
    assert place.run(script, *words).returncode == 2
    assert not place.copies.exists()


def test_a_journal_of_a_newer_version_is_refused(place: Place) -> None:
    """After going back to an older service: the message names both versions, and the file stays as it is."""
    with closing(sqlite3.connect(place.journal)) as connection, connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute(f"PRAGMA user_version = {version + 1}")
    with pytest.raises(JournalError, match=rf"{version + 1}.*{version}"):
        open_writer(place.journal)


@pytest.mark.skipif(postgresql.programs() is None, reason=postgresql.MISSING)
def test_chirpstacks_database_comes_back(place: Place) -> None:
    """Into an empty database, and over a full one with --force only."""
    programs = postgresql.programs()
    assert programs is not None
    place.environment["PATH"] = f"{programs}:{os.environ['PATH']}"
    with postgresql.running() as server:
        place.environment["CHIRPSTACK_DSN"] = server.dsn
        sql(server.dsn, "CREATE TABLE device (name text); INSERT INTO device VALUES ('p1')")
        copy = place.backup()
        assert place.run("restore", str(copy), "chirpstack").returncode == 1
        sql(server.dsn, "DROP TABLE device, event_up")
        said = place.run("restore", str(copy), "chirpstack")
        assert said.returncode == 0, said.stderr
        assert sql(server.dsn, "SELECT name FROM device") == "p1"
        sql(server.dsn, "DELETE FROM device")
        assert place.run("restore", "--force", str(copy), "chirpstack").returncode == 0
        assert sql(server.dsn, "SELECT name FROM device") == "p1"


IN_STACK = """#!/bin/sh
[ "$1 $2 $3" = "compose exec --no-TTY" ] || exit 3
[ -e compose.yaml ] || exit 4
script=$(printf '%s' "$7" | sed "s#/run/state#$STATE/$4#g; s#/var/lib/influxdb2#$STATE#g")
exec sh -ec "$script"
"""
INFLUX = """#!/bin/sh
[ "$INFLUX_TOKEN" = token-of-all ] || { echo unauthorized >&2; exit 1; }
[ "$2 $3" = "--host http://127.0.0.1:8086" ] || exit 5
for last; do :; done
case $1 in
backup) mkdir "$last"; echo "told on standard output"; cp "$STATE/readings" "$last/shard" ;;
restore) cp "$last/shard" "$STATE/readings" ;;
esac
"""


@pytest.mark.skipif(postgresql.programs() is None, reason=postgresql.MISSING)
def test_the_databases_of_a_container_stack_come_back(place: Place, tmp_path: Path) -> None:
    """Both are asked in their containers, with the secrets that lie there; the programs' own words stay out of it."""
    programs = postgresql.programs()
    assert programs is not None
    tools, state, stack = tmp_path / "tools", tmp_path / "state", tmp_path / "stack"
    for folder in (tools, state / "influxdb", state / "postgresql", stack):
        folder.mkdir(parents=True)
    (stack / "compose.yaml").touch()
    for name, text in (("docker", IN_STACK), ("influx", INFLUX)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    (state / "influxdb" / "token").write_text("token-of-all")
    (state / "postgresql" / "password").write_text("unused")
    (state / "readings").write_text("21.5")
    with postgresql.running() as server:
        sql(server.dsn, "CREATE DATABASE chirpstack")
        dsn = server.dsn.replace("/postgres?", "/chirpstack?")
        sql(dsn, "CREATE TABLE device (name text); INSERT INTO device VALUES ('p1')")
        place.environment |= {
            "PATH": f"{tools}:{programs}:{os.environ['PATH']}",
            "STATE": str(state),
            "STADTFUNK_COMPOSE": str(stack),
            "PGHOST": str(server.folder),
        }
        copy = place.backup()
        assert (copy / "influxdb" / "shard").read_text() == "21.5"
        sql(dsn, "DELETE FROM device")
        (state / "readings").unlink()
        assert "holds 1 tables" in place.run("restore", str(copy), "chirpstack").stderr
        said = place.run("restore", "--force", str(copy), "influxdb", "chirpstack")
        assert said.returncode == 0, said.stderr
        assert sql(dsn, "SELECT name FROM device") == "p1"
    assert (state / "readings").read_text() == "21.5"
    assert not (state / "copy").exists()
    (state / "influxdb" / "token").write_text("wrong")
    failed = place.run("backup", str(place.copies))
    assert (failed.returncode, failed.stderr) == (
        1,
        "backup: InfluxDB in the stack could not be copied: unauthorized\n",
    )


def sql(dsn: str, text: str) -> str:
    """What PostgreSQL answers."""
    command = ["psql", "--no-align", "--tuples-only", "--quiet", f"--dbname={dsn}", f"--command={text}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.influxd(process=True)
def test_readings_come_back(place: Place, tmp_path: Path) -> None:
    """InfluxDB 1.8: a database that was dropped has its point again."""
    program = influxd.executable()
    assert program is not None
    place.environment["INFLUXD"] = str(program)
    folder = tmp_path / "influxd"
    folder.mkdir()
    with influxd.running(program, folder) as server:
        place.environment["INFLUX1_BACKUP_HOST"] = f"127.0.0.1:{server.rpc}"
        server.create("stadtfunk_open")
        body = b"environment air_temperature=21.5 1795000000000"
        write = Request(f"{server.url}/write?db=stadtfunk_open&precision=ms", data=body, method="POST")  # noqa: S310
        with urlopen(write) as answer:  # noqa: S310 - our own server
            assert answer.status == 204
        copy = place.backup()
        server.drop("stadtfunk_open")
        said = place.run("restore", str(copy), "influxdb")
        assert said.returncode == 0, said.stderr
        until = time.monotonic() + WAIT_S
        while not (found := server.query("SELECT air_temperature FROM environment", "stadtfunk_open")):
            assert time.monotonic() < until, "the shard is not there"
            time.sleep(0.1)
        assert found[0][-1] == 21.5
