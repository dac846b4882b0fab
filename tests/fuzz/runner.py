"""A given number of inputs over all targets, each target in a process of its own.

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
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.engine import FINDING, ROOT
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

PROGRESS = re.compile(r"#(?P<inputs>\d+)\s.*?(?:cov: (?P<coverage>\d+) .*?)?corp: (?P<corpus>\d+)")
ARTIFACT = re.compile(r"Test unit written to (?P<path>\S+)")
SHOW_S = 5.0
LAST_WORDS = 5


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
            f"{self.target:<32} {self.inputs:>9} inputs {rate:>8.0f}/s  coverage {self.coverage:>5}  "
            f"corpus {self.corpus:>5}  findings {len(self.findings)}"
        )


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

    def one(share: tuple[Target, int]) -> Result:
        target, inputs = share
        return run(command(target, engine, inputs, arguments.seed, arguments.folder), target.name)

    with ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(one, shares(chosen, arguments.inputs)))
    return report(results, time.monotonic() - begin)


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


def shares(targets: Sequence[Target], inputs: int) -> Iterator[tuple[Target, int]]:
    """Each target with its part of the inputs, by weight, the heaviest first."""
    whole = sum(target.weight for target in targets)
    for target in sorted(targets, key=lambda target: -target.weight):
        yield target, max(1, -int(-inputs * target.weight // whole))


def command(target: Target, engine: str, inputs: int, seed: int, folder: Path) -> list[str]:
    """The worker's command line."""
    words = ["--engine", engine, "--inputs", str(inputs), "--seed", str(seed), "--folder", str(folder.absolute())]
    return [sys.executable, "-m", "tests.fuzz.worker", target.name, *words]


def run(words: Sequence[str], name: str) -> Result:
    """One worker from its start to its end, with its progress shown."""
    result, begin, shown = Result(name), time.monotonic(), time.monotonic()
    last: deque[str] = deque(maxlen=LAST_WORDS)
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=ROOT, stdout=pipe, stderr=subprocess.STDOUT, errors="replace") as worker:
        for line in worker.stdout or ():
            last.append(line.rstrip())
            result.seconds = time.monotonic() - begin
            take(result, line)
            if time.monotonic() - shown >= SHOW_S:
                shown = time.monotonic()
                say(result.line())
    if worker.returncode and not result.findings:
        result.findings.append(f"ended with code {worker.returncode}: {' | '.join(last)}")
    say(result.line())
    return result


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
