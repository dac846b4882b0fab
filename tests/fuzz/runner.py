"""A given number of inputs over all targets, by as many workers as there are processors.

Example: make fuzz ARGS="--inputs 1000000 --seed 7"
"""

import argparse
import importlib.util
import os
import re
import secrets
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from tests.fuzz.engine import ENDED, FINDING, ROOT
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

PROGRESS = re.compile(r"#(?P<inputs>\d+)\s.*?(?:cov: (?P<coverage>\d+) .*?)?corp: (?P<corpus>\d+)")
ARTIFACT = re.compile(r"Test unit written to (?P<path>\S+)")
SHOW_S = 5.0
LAST_WORDS = 5


class Order(NamedTuple):
    """So many inputs for a target."""

    target: str
    inputs: int


@dataclass
class Result:
    """What came of one target."""

    target: str
    inputs: int = 0
    coverage: str = "-"
    corpus: str = "-"
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)

    def line(self) -> str:
        """The progress of the target."""
        rate = self.inputs / self.seconds if self.seconds else 0.0
        return (
            f"{self.target:<34} {self.inputs:>9} inputs {rate:>8.0f}/s  coverage {self.coverage:>5}  "
            f"corpus {self.corpus:>5}  findings {len(self.findings)}"
        )


class Board:
    """The orders still to be taken, and how far all of them together are; for several threads."""

    def __init__(self, orders: Sequence[Order]) -> None:
        self.results: list[Result] = []
        self._orders = orders
        self._waiting = deque(orders)
        self._lock = Lock()

    def orders(self) -> Iterator[Order]:
        """The next order, as long as there is one."""
        while True:
            with self._lock:
                if not self._waiting:
                    return
                order = self._waiting.popleft()
            yield order

    def end(self, result: Result) -> None:
        """A target is done with."""
        with self._lock:
            self.results.append(result)
            self.show(result)

    def show(self, result: Result) -> None:
        """One line: how many targets are done with, and how far this one is."""
        size = len(str(len(self._orders)))
        say(f"{len(self.results):>{size}} of {len(self._orders)}  {result.line()}")

    def leave(self) -> None:
        """What nobody took is a finding each."""
        self.results += [Result(order.target, findings=["no worker was left to run it"]) for order in self.orders()]


def main(words: Sequence[str] | None = None) -> int:
    """Run; 0 without a finding, 1 with one, 2 for a wrong use."""
    arguments = _parser().parse_args(words)
    beginnings = tuple(arguments.target) or ("",)
    chosen = [target for target in TARGETS if target.name.startswith(beginnings)]
    if not chosen:
        sys.stderr.write(f"no target begins with {', '.join(beginnings)}\n")
        return 2
    engine = choose_engine(arguments.engine)
    say(f"{arguments.inputs} inputs over {len(chosen)} targets, seed {arguments.seed}, engine {engine}")
    begin = time.monotonic()
    board = Board(list(shares(chosen, arguments.inputs)))
    words = command(engine, arguments.seed, arguments.folder)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        list(pool.map(lambda _: work(words, board), range(min(arguments.jobs, len(chosen)))))
    board.leave()
    return report(board.results, time.monotonic() - begin)


def _parser() -> argparse.ArgumentParser:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stadtfunk" / "fuzz"
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=1_000_000, help="inputs over all targets")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31), help="of the random numbers")
    parser.add_argument("--target", action="append", default=[], help="only targets that begin so; may be repeated")
    parser.add_argument("--engine", choices=("auto", "atheris", "random"), default="auto")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at a time")
    parser.add_argument("--folder", type=Path, default=home, help="where corpus and findings go")
    return parser


def choose_engine(asked: str) -> str:
    """The engine asked for; `auto` is atheris where it is installed."""
    if asked != "auto":
        return asked
    if importlib.util.find_spec("atheris") is not None:
        return "atheris"
    say("atheris is not installed: random damage instead, which does not look at coverage")
    return "random"


def shares(targets: Sequence[Target], inputs: int) -> Iterator[Order]:
    """Each target with its part of the inputs, by weight, the heaviest first."""
    whole = sum(target.weight for target in targets)
    for target in sorted(targets, key=lambda target: -target.weight):
        yield Order(target.name, max(1, -int(-inputs * target.weight // whole)))


def command(engine: str, seed: int, folder: Path) -> list[str]:
    """A worker's command line."""
    words = ["--engine", engine, "--seed", str(seed), "--folder", str(folder.absolute())]
    return [sys.executable, "-m", "tests.fuzz.worker", *words]


def work(words: Sequence[str], board: Board) -> None:
    """One worker, from its start until no order is left or it died."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        words, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as worker:
        for order in board.orders():
            alive = run(worker, order, board)
            if not alive:
                return


def run(worker: "subprocess.Popen[str]", order: Order, board: Board) -> bool:
    """One order, with its progress shown; whether the worker lives."""
    result, begin, shown = Result(order.target), time.monotonic(), time.monotonic()
    last: deque[str] = deque(maxlen=LAST_WORDS)
    code: int | None = None
    give(worker, order)
    for line in worker.stdout or ():
        result.seconds = time.monotonic() - begin
        if line.startswith(ENDED):
            code = int(line.removeprefix(ENDED))
            break
        last.append(line.rstrip())
        take(result, line)
        if time.monotonic() - shown >= SHOW_S:
            shown = time.monotonic()
            board.show(result)
    alive = code is not None
    ended = worker.wait() if code is None else code
    if (ended or not alive) and not result.findings:
        result.findings.append(f"ended with code {ended}: {' | '.join(last)}")
    board.end(result)
    return alive


def give(worker: "subprocess.Popen[str]", order: Order) -> None:
    """Write the order down for the worker; what becomes of one that died is seen by its silence."""
    if worker.stdin is not None:
        with suppress(BrokenPipeError):
            worker.stdin.write(f"{order.target} {order.inputs}\n")
            worker.stdin.flush()


def take(result: Result, line: str) -> None:
    """What one line of a worker says: progress, a finding, or an input that hung or took too much memory."""
    if line.startswith(FINDING):
        _, path, kind = line.split(maxsplit=2)
        result.findings.append(f"{kind.strip()}\n    {reproduce(result.target, path)}")
    elif artifact := ARTIFACT.search(line):
        result.findings.append(f"hang or memory\n    {reproduce(result.target, artifact['path'])}")
    elif progress := PROGRESS.match(line):
        result.inputs = int(progress["inputs"])
        result.corpus, result.coverage = progress["corpus"], progress["coverage"] or "-"


def reproduce(target: str, path: str) -> str:
    """The command that puts this input through its target once more."""
    return f"{sys.executable} -m tests.fuzz.worker {target} --reproduce {path}"


def report(results: Sequence[Result], seconds: float) -> int:
    """The findings and the sum; the exit code."""
    found = [(result.target, text) for result in results for text in result.findings]
    for target, text in found:
        say(f"{target}: {text}")
    say(f"{sum(result.inputs for result in results)} inputs in {seconds:.0f} s, {len(found)} findings")
    return 1 if found else 0


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
