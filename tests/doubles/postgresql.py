"""A real PostgreSQL on a Unix socket in a fresh folder, with the table of ChirpStack's integration.

The server refuses root: started by root it runs as the user `postgres`, else `nobody`.
"""

import base64
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = "STADTFUNK_TEST_POSTGRES"
MISSING = f"needs PostgreSQL: install the package `postgresql`, or name its folder with initdb and postgres in {FOLDER}"
START_S = 60.0
USER = "chirpstack"
# Columns and types of ChirpStack 4, migration 00000000000000_initial of its PostgreSQL integration.
EVENT_UP = {
    "deduplication_id": "uuid PRIMARY KEY",
    "time": "timestamptz NOT NULL",
    **dict.fromkeys(("tenant_id", "application_id", "device_profile_id"), "uuid NOT NULL"),
    **dict.fromkeys(("tenant_name", "application_name", "device_profile_name", "device_name"), "text NOT NULL"),
    "dev_eui": "char(16) NOT NULL",
    "tags": "jsonb NOT NULL",
    "dev_addr": "char(8) NOT NULL",
    **dict.fromkeys(("adr", "confirmed"), "boolean NOT NULL"),
    **dict.fromkeys(("dr", "f_port"), "smallint NOT NULL"),
    "f_cnt": "bigint NOT NULL",
    "data": "bytea NOT NULL",
    **dict.fromkeys(("object", "rx_info", "tx_info"), "jsonb NOT NULL"),
}


class Postgresql(NamedTuple):
    """The running server; `dsn` is of a superuser without a password."""

    folder: Path

    @property
    def dsn(self) -> str:
        """Where the database is."""
        return f"postgresql://{USER}@/postgres?host={self.folder}"


def programs() -> Path | None:
    """The folder with the server's programs, if there is one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name.zfill(4), reverse=True)
    on_path = shutil.which("initdb")
    candidates = [os.environ.get(FOLDER), *found, Path(on_path).resolve().parent if on_path else None]
    return next((Path(path) for path in candidates if path and (Path(path) / "postgres").is_file()), None)


def _account() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def running() -> Iterator[Postgresql]:
    """Start a server with an empty `event_up`, stop it at the end."""
    where = programs()
    assert where is not None
    account = _account()
    # The path of a Unix socket has 107 bytes, and folders of tests are long and closed to other users.
    with tempfile.TemporaryDirectory(prefix="stadtfunk-pg-") as name:
        folder = Path(name)
        if account:
            os.chown(folder, account["user"], account["group"])
        data = folder / "data"
        quick = ["--no-sync", "--auth=trust", "--encoding=UTF8", "--no-locale", "-U", USER, "-D", str(data)]
        subprocess.run([where / "initdb", *quick], check=True, capture_output=True, cwd=folder, **account)
        settings = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off", "shared_buffers": "16MB"}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [where / "postgres", "-D", data, *options], stdout=log, stderr=log, cwd=folder, **account
            )
        try:
            server = Postgresql(folder)
            _wait(server, process)
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(30)


def _wait(server: Postgresql, process: "subprocess.Popen[bytes]") -> None:
    import psycopg  # noqa: PLC0415 - of an extra; whoever starts a server has it

    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(server.dsn) as connection:
            columns = ", ".join(f"{name} {kind}" for name, kind in EVENT_UP.items())
            connection.execute(f"CREATE TABLE event_up ({columns})".encode())
            return
        time.sleep(0.05)
    raise AssertionError(f"postgres did not start: {(server.folder / 'log').read_text()[-2000:]}")


def insert(server: Postgresql, events: list[dict[str, Any]]) -> None:
    """Put `up` events, as JSON carries them, into the table, as ChirpStack does."""
    import psycopg  # noqa: PLC0415 - see above
    from psycopg.types.json import Jsonb  # noqa: PLC0415 - see above

    names = ["tenantId", "tenantName", "applicationId", "applicationName"]
    names += ["deviceProfileId", "deviceProfileName", "deviceName", "devEui"]
    with psycopg.connect(server.dsn) as connection:
        for event in events:
            info = event["deviceInfo"]
            row = [event["deduplicationId"], event["time"], *(info[name] for name in names), Jsonb(info["tags"])]
            row += [event.get("devAddr", ""), event.get("adr", False), event.get("dr", 0), event.get("fCnt", 0)]
            row += [event.get("fPort", 0), event.get("confirmed", False), base64.b64decode(event.get("data", ""))]
            row += [Jsonb(event.get("object")), Jsonb(event.get("rxInfo", [])), Jsonb(event.get("txInfo"))]
            columns = (
                "deduplication_id, time, tenant_id, tenant_name, application_id, application_name, device_profile_id,"
                " device_profile_name, device_name, dev_eui, tags, dev_addr, adr, dr, f_cnt, f_port, confirmed, data,"
                " object, rx_info, tx_info"
            )
            marks = ", ".join(["%s"] * len(row))
            statement = f"INSERT INTO event_up ({columns}) VALUES ({marks})"  # noqa: S608 - own names
            connection.execute(statement.encode(), row)
