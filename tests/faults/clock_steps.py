"""The system's clock is set, forwards and back, while the service runs: its process sees a false one."""

import re
import shutil
import signal
import time
from datetime import datetime
from pathlib import Path

from tests.faults.balance import Imbalance
from tests.faults.stage import NotHere, Result, Run, staged

TOLD_S = 600.0
"""Seconds a run takes at most: so old a true time can be."""
STEPS_S = (-40 * 86_400, -7200, -600, -90, -5, 5, 90, 600, 7200, 40 * 86_400)
LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/local/lib")


def library() -> Path | None:
    """The library of faketime; its program sets a variable that outranks the file, so it is preloaded without it."""
    if shutil.which("faketime") is None:
        return None
    found = [path for root in LIBRARIES for path in Path(root).glob("**/faketime/libfaketimeMT.so.1")]
    return found[0] if found else None


async def step_clock(run: Run) -> Result:
    """The clock jumps by seconds, hours and weeks, with a kill in between: uplinks are stored once all the same."""
    preload = library()
    if preload is None:
        raise NotHere("needs faketime")
    clock = run.folder / "clock"
    _set(clock, 0)
    environment = {
        "LD_PRELOAD": str(preload),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
    async with staged(run) as stage:
        steps = 0
        for last in (False, True):
            async with stage.life(environment) as life:
                if not last:
                    stage.publish()
                while steps < run.faults / (1 if last else 2):
                    _set(clock, stage.rng.choice(STEPS_S) if steps else 7200)
                    await stage.pause(1.2, 2.5)
                    steps += 1
                if not last:
                    await life.end(stage.rng.choice([signal.SIGKILL, signal.SIGTERM]))
                    continue
                _set(clock, 0)
                await stage.pause(1.2, 1.5)
                await stage.settle(life)
        shift_s = farthest_s(stage.installation.log.read_text(errors="replace"))
        if shift_s < 600:
            raise Imbalance("the false clock did not reach the service: its log is on time")
        return Result(steps, stage.traffic.sent, f"its log is {shift_s:.0f} s off at most")


def farthest_s(log: str) -> float:
    """How far the times in a log of the last minutes are from now, at most."""
    times = [datetime.fromisoformat(found).timestamp() for found in re.findall(r'"timestamp": "([^"]+)"', log)]
    return max((abs(time.time() - at) for at in times), default=0.0) - TOLD_S


def _set(clock: Path, offset_s: int) -> None:
    new = clock.with_suffix(".new")
    new.write_text(f"{offset_s:+d}\n")
    new.replace(clock)
