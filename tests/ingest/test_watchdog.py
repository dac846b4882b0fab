"""Signs of life, received on a real datagram socket as systemd would."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import watchdog

WAIT_S = 20


class Systemd:
    """A socket that listens, and the environment that names it."""

    def __init__(self, address: str) -> None:
        self.environment = {"NOTIFY_SOCKET": address}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1))
        self._socket.settimeout(0)

    def heard(self) -> list[str]:
        """What came since the last look."""
        found = []
        while True:
            try:
                found.append(self._socket.recv(100).decode())
            except BlockingIOError:
                return found

    def close(self) -> None:
        """End."""
        self._socket.close()


@pytest.fixture(params=["file", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    """A listener on each kind of socket."""
    name = f"@stadtfunk-test-{os.getpid()}-{tmp_path.name}" if request.param == "abstract" else str(tmp_path / "notify")
    listener = Systemd(name)
    yield listener
    listener.close()


def test_words_arrive(systemd: Systemd) -> None:
    """On a socket in the file system and on an abstract one."""
    assert watchdog.notify(watchdog.READY, systemd.environment)
    assert watchdog.notify(watchdog.STOPPING, systemd.environment)
    assert systemd.heard() == ["READY=1", "STOPPING=1"]


def test_nobody_listens(tmp_path: Path) -> None:
    """Without an address, with one of another kind, with a socket that is gone: nothing is sent and nothing raised."""
    for address in ({}, {"NOTIFY_SOCKET": "vsock:1"}, {"NOTIFY_SOCKET": str(tmp_path / "gone")}):
        assert not watchdog.notify(watchdog.READY, address)


def test_the_interval_is_half_of_what_systemd_waits() -> None:
    """And None without a watchdog, with nonsense, or where another process is meant."""
    assert watchdog.interval_s({"WATCHDOG_USEC": "90000000"}) == 45
    assert watchdog.interval_s({"WATCHDOG_USEC": "90000000", "WATCHDOG_PID": str(os.getpid())}) == 45
    assert watchdog.interval_s({"WATCHDOG_USEC": "90000000", "WATCHDOG_PID": "1"}) is None
    assert watchdog.interval_s({}) is watchdog.interval_s({"WATCHDOG_USEC": "soon"}) is None
    assert watchdog.interval_s({"WATCHDOG_USEC": "0"}) is None


async def test_signs_of_life_stop_with_life(systemd: Systemd) -> None:
    """WATCHDOG=1 comes again and again while all is well, and no more when it is not."""
    well = True
    task = asyncio.create_task(watchdog.attend(lambda: well, systemd.environment | {"WATCHDOG_USEC": "20000"}))
    heard: list[str] = []
    async with asyncio.timeout(WAIT_S):
        while len(heard) < 3:
            heard += systemd.heard()
            await asyncio.sleep(0.005)
    assert set(heard) == {"WATCHDOG=1"}
    well = False
    systemd.heard()
    await asyncio.sleep(0.1)
    assert systemd.heard() == []
    task.cancel()
    await asyncio.wait([task])


async def test_without_a_watchdog_it_ends_at_once() -> None:
    """Nobody waits: nothing to do."""
    async with asyncio.timeout(WAIT_S):
        await watchdog.attend(lambda: True, {})
