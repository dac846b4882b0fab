"""What both engines share: one input into one target, findings on disk, and the engine that needs nothing else."""

import hashlib
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import FrameType

from tests.fuzz.found import FOUND
from tests.fuzz.target import Target

SECONDS_AN_INPUT = 10
MEGABYTES = 1024
REPORT_S = 2.0
SHOWN = 200
ROOT = Path(__file__).parents[2]
FINDING = "FINDING"
ENDED = "ENDED"


class TooSlow(BaseException):
    """One input took too long; no part of the service may catch this."""


class Findings:
    """Failures of one target, each kind once: its input as a file in `folder`, its line on standard output."""

    def __init__(self, target: Target, folder: Path) -> None:
        self.target = target
        self.folder = folder
        self.kinds: dict[str, Path] = {}

    def try_one(self, data: bytes) -> None:
        """Give the target an input and keep it if that fails."""
        try:
            self.target.takes(data)
        except (Exception, TooSlow) as error:  # noqa: BLE001 - everything that is not of our tree is what we look for
            self._keep(error, data)

    def _keep(self, error: BaseException, data: bytes) -> None:
        kind = kind_of(error)
        if kind in self.kinds:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(data).hexdigest()[:12]
        path = self.folder / f"{self.target.name.replace('/', '-')}-{digest}"
        path.write_bytes(data)
        self.kinds[kind] = path
        print(f"{FINDING} {path} {kind} {str(error)[:SHOWN]!a}", flush=True)  # noqa: T201 - the runner reads it


def kind_of(error: BaseException) -> str:
    """Type, and the place in this repository where it was raised."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if ROOT in Path(frame.filename).parents]
    where = f"{Path(frames[-1].filename).relative_to(ROOT)}:{frames[-1].lineno}" if frames else "?"
    return f"{type(error).__name__} at {where}"


def seeds_of(target: Target) -> tuple[bytes, ...]:
    """The target's own seeds and what made it fail before."""
    return target.seeds + FOUND.get(target.name, ())


def explore(target: Target, inputs: int, seed: int, findings: Findings) -> None:
    """Seeds first, then damaged ones, without looking at coverage; progress in libFuzzer's words."""
    random, seeds = Random(seed), seeds_of(target)
    begin = reported = time.monotonic()
    with _time_limit():
        for number in range(1, inputs + 1):
            signal.setitimer(signal.ITIMER_REAL, SECONDS_AN_INPUT)
            findings.try_one(seeds[number - 1] if number <= len(seeds) else target.draw(random))
            now = time.monotonic()
            if now - reported >= REPORT_S or number == inputs:
                reported = now
                rate = int(number / max(now - begin, 1e-9))
                print(f"#{number} pulse corp: {len(seeds)} exec/s: {rate}", flush=True)  # noqa: T201 - for the runner


@contextmanager
def _time_limit() -> Iterator[None]:
    def too_slow(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow(f"more than {SECONDS_AN_INPUT} s")

    before = signal.signal(signal.SIGALRM, too_slow)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
