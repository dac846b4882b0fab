"""The journal's disk is full, really: a small tmpfs, or where nobody may mount one, a limit on the size of files."""

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.faults.balance import Imbalance
from tests.faults.harness import Running, service
from tests.faults.stage import Result, Run, Stage, staged

DISK_BYTES = 24_000_000
LEFT_BYTES = 40_000
SEEN_S = 20.0


class Disk:
    """A folder whose disk can be filled and freed."""

    def __init__(self, folder: Path, *, mounted: bool) -> None:
        self.folder = folder
        self.mounted = mounted

    def fill(self, pid: int) -> None:
        """Leave hardly anything."""
        if self.mounted:
            free = shutil.disk_usage(self.folder).free
            with contextlib.suppress(OSError), (self.folder / "ballast").open("wb", buffering=0) as ballast:
                ballast.write(bytes(max(0, free - LEFT_BYTES)))
        else:
            sizes = [file.stat().st_size for file in self.folder.iterdir() if file.is_file()]
            _limit_files(pid, max(sizes) + LEFT_BYTES)

    def free(self, pid: int | None) -> None:
        """Give the space back."""
        if self.mounted:
            (self.folder / "ballast").unlink(missing_ok=True)
        elif pid is not None:
            with contextlib.suppress(ProcessLookupError):
                _limit_files(pid, resource.RLIM_INFINITY)


def _limit_files(pid: int, size: int) -> None:
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """A disk of 24 MB if we may mount one, else a plain folder."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        yield Disk(folder, mounted=mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


async def full_disk(run: Run) -> Result:
    """The journal's disk fills up under load until commits fail; all goes on once there is space again.

    Now and then the service is killed on the full disk, and started there.
    """
    with small_disk(run.folder / "disk") as disk:
        async with staged(run, journal=disk.folder / "journal.db") as stage:
            restarts = 0
            for number in range(run.faults):
                async with stage.life() as life:
                    if not number:
                        stage.publish()
                    await stage.moving()
                    restarts += await _full_once(stage, disk, life)
            async with stage.life() as last:
                await stage.settle(last)
                kind = "tmpfs of 24 MB" if disk.mounted else "limit on file size"
                return Result(run.faults, stage.traffic.sent, f"{kind}, {restarts} starts on the full disk")


async def _full_once(stage: Stage, disk: Disk, life: Running) -> bool:
    seen = _failures(stage)
    disk.fill(life.process.pid)
    async with asyncio.timeout(SEEN_S):
        while _failures(stage) == seen:
            await asyncio.sleep(0.05)
    await stage.pause(0.3, 1.5)
    killed = stage.rng.random() < 0.5
    if killed:
        await life.end(signal.SIGKILL)
        if disk.mounted:
            await _start_on_full_disk(stage)
        disk.free(None)
        return True
    before = (await life.status())["totals"]["uplinks"]
    disk.free(life.process.pid)
    async with asyncio.timeout(SEEN_S):
        while (await life.status())["totals"]["uplinks"] == before:
            await asyncio.sleep(0.05)
    if await life.end(signal.SIGTERM) != 0:
        raise Imbalance("the service did not end in order")
    return False


async def _start_on_full_disk(stage: Stage) -> None:
    """It runs with what room its log still has, or ends with exit code 1; both are honest."""
    async with service(stage.installation) as life:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3):
                if await life.process.wait() != 1:
                    raise Imbalance(f"the service ended with exit code {life.process.returncode} on a full disk")
                return
        await life.end(signal.SIGKILL)


def _failures(stage: Stage) -> int:
    """How often the service said that a commit did not fit."""
    text = stage.installation.log.read_text(errors="replace")
    return sum("commit failed" in line and "full" in line for line in text.splitlines())
