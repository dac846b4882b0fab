"""The fault suite at length: every scenario under several seeds, one line each, and a table at the end.

Exit code 0 when every promise held, 1 else. A run that failed keeps its folder and prints its seed.
"""

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import NamedTuple

from tests.faults.scenarios import SCENARIOS
from tests.faults.stage import NotHere, Result, Run

FIRST_SEED = 20261122
RUN_S = 1200.0
"""Seconds one run may take."""


class Line(NamedTuple):
    """One run, for the table."""

    scenario: str
    seed: int
    verdict: str
    result: Result
    seconds: float


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        prog="make faults", description=__doc__, epilog='Example: make faults ARGS="--seeds 3 --minutes 10"'
    )
    parser.add_argument("--seeds", type=int, default=1, help="seeds for each scenario (default %(default)s)")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="the first of them (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=30, help="no run begins later (default %(default)s)")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="only this one; may be given again")
    parser.add_argument("--faults", type=int, help="faults in each run (default: as the scenario says)")
    parser.add_argument("--keep", type=Path, help="where folders of failed runs go (default: the system's for such)")
    options = parser.parse_args()
    deadline = time.monotonic() + options.minutes * 60
    lines: list[Line] = []
    for seed in range(options.seed, options.seed + options.seeds):
        for name in options.scenario or SCENARIOS:
            if time.monotonic() < deadline:
                lines.append(one(name, seed, options.faults or SCENARIOS[name][1], options.keep))
            else:
                lines.append(Line(name, seed, "not run", Result(0, 0, "time is up"), 0.0))
                tell(lines[-1])
    print_table(lines)
    sys.exit(any(line.verdict == "FAILED" for line in lines))


def one(name: str, seed: int, faults: int, keep: Path | None) -> Line:
    """Run one scenario in a folder of its own, and print its line."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"stadtfunk-{name}-{seed}-", dir=keep))
    begin = time.monotonic()
    logging.basicConfig(filename=folder / "harness.log", force=True)
    try:
        result = asyncio.run(asyncio.wait_for(SCENARIOS[name][0](Run(folder, seed, faults)), RUN_S))
        verdict = "held"
    except NotHere as missing:
        result, verdict = Result(0, 0, str(missing)), "skipped"
    except Exception as error:  # noqa: BLE001 - whatever it is, the run has failed and the next one goes on
        (folder / "traceback.txt").write_text(traceback.format_exc())
        result, verdict = Result(0, 0, f"{type(error).__name__}: {error}; kept in {folder}"), "FAILED"
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)
    line = Line(name, seed, verdict, result, time.monotonic() - begin)
    if verdict != "FAILED":
        shutil.rmtree(folder)
    tell(line)
    return line


def tell(line: Line) -> None:
    """One line of progress."""
    result = line.result
    sys.stdout.write(
        f"{line.verdict:8} {line.scenario:18} seed {line.seed}  {result.faults:4} faults {result.uplinks:7} uplinks"
        f" {line.seconds:6.1f} s  {result.note}\n"
    )
    sys.stdout.flush()


def print_table(lines: list[Line]) -> None:
    """What came of each scenario."""
    sys.stdout.write(f"\n{'scenario':18} {'held':>5} {'failed':>7} {'skipped':>8} {'faults':>7} {'uplinks':>8}\n")
    for name in SCENARIOS:
        mine = [line for line in lines if line.scenario == name]
        if mine:
            verdicts = [line.verdict for line in mine]
            faults = sum(line.result.faults for line in mine)
            uplinks = sum(line.result.uplinks for line in mine)
            skipped = sum(verdict in {"skipped", "not run"} for verdict in verdicts)
            held, failed = verdicts.count("held"), verdicts.count("FAILED")
            sys.stdout.write(f"{name:18} {held:5} {failed:7} {skipped:8} {faults:7} {uplinks:8}\n")
    for line in lines:
        if line.verdict == "FAILED":
            again = f"--scenario {line.scenario} --seed {line.seed}"
            sys.stdout.write(f'again: make faults ARGS="{again}"\n')


if __name__ == "__main__":
    main()
