"""What responsive plan selection is worth in the closed loop, beside what it is meant to be worth.

Real service, real broker, SUMO below; five seeds, the same traffic without and with Stadtfunk. The aims: on top of one
fixed plan 7 % less delay of people in a peak that the schedule knows and 15 % in one that it does not, on top of
time-of-day plans 5 % in the latter, on top of local actuated control nowhere more than 1 % worse; pedestrians' p95 wait
nowhere longer. An aim is judged by the mean; `±` is half of the 95 % interval over the seeds.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from simulator.error import SimulatorError
from simulator.progress import signals
from simulator.sumo.arterial import Control, Demand
from simulator.sumo.command import Study
from simulator.sumo.comparison import DELAY, WAIT, Comparison, Interval, compare
from simulator.sumo.loop import Ran
from simulator.sumo.report import as_dict, carried_lines, heading, plot, tables
from simulator.sumo.runs import play_all

LESS_DELAY = {
    (Control.FIXED, Demand.SCHEDULED_PEAK): -7.0,
    (Control.FIXED, Demand.UNSCHEDULED_PEAK): -15.0,
    (Control.TIME_OF_DAY, Demand.UNSCHEDULED_PEAK): -5.0,
    **{(Control.ACTUATED, demand): 1.0 for demand in Demand},
}
"""Change of the delay of people, in percent, that is allowed at most."""
WIDTH = 100


class Aim(NamedTuple):
    """What was aimed at and what came of it; `most` is the highest change that is allowed."""

    what: str
    most: float
    reached: Interval
    unit: str

    @property
    def is_reached(self) -> bool:
        """Whether the mean is no higher."""
        return self.reached.mean <= self.most

    def line(self) -> str:
        """As a line of the report."""
        mean, half = self.reached
        found = f"{mean:+z.1f} {self.unit}" if half is None else f"{mean:+z.1f} ± {half:.1f} {self.unit}"
        word = "reached" if self.is_reached else "MISSED"
        return f"{self.what:58} aim {self.most:+5.1f} {self.unit}   {found:16} {word}"


def aims(comparisons: Sequence[Comparison]) -> Iterator[Aim]:
    """Each aim that these comparisons can be held against."""
    for each in comparisons:
        delay, wait = each.changes[DELAY], each.changes.get(WAIT)
        most = LESS_DELAY.get((each.control, each.demand))
        if most is not None and delay.percent is not None:
            yield Aim(f"{heading(each)}: delay", most, delay.percent, "%")
        if wait is not None:
            yield Aim(f"{heading(each)}: pedestrians' p95 wait", 0.0, wait.difference, "s")


def main() -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--workers", type=int, help="runs at a time")
    parser.add_argument("--json", type=Path, help="write the comparison there, too")
    parser.add_argument("--plot", type=Path, help="write the picture there, too")
    options = parser.parse_args()
    study = Study(range(options.seed, options.seed + options.seeds))
    stop = threading.Event()
    tasks, began = study.tasks(), time.monotonic()
    done: set[int] = set()

    def shown(number: int, share: float) -> None:
        if share >= 1 and number not in done:
            done.add(number)
            print(f"{len(done)} of {len(tasks)} runs after {time.monotonic() - began:.0f} s", file=sys.stderr)

    try:
        with signals(stop):
            ran = play_all(tasks, shown, stop, options.workers)
    except SimulatorError as error:
        sys.exit(str(error))
    print(f"seeds {', '.join(map(str, study.seeds))}; {len(tasks)} runs in {time.monotonic() - began:.0f} s")
    sys.exit(0 if tell(ran, options.json, options.plot) else 1)


def tell(ran: Sequence[Ran], json_file: Path | None, plot_file: Path | None) -> bool:
    """Write and print what came of it; whether all aims are reached."""
    comparisons = compare(ran)
    if json_file:
        json_file.write_text(json.dumps(as_dict(comparisons, ran)) + "\n", encoding="utf-8")
    if plot_file:
        plot_file.write_text(plot(comparisons), encoding="utf-8")
    Console(width=WIDTH, highlight=False).print(tables(comparisons))
    print("\n".join(carried_lines(ran)))
    found = list(aims(comparisons))
    for aim in found:
        print(aim.line())
    return all(aim.is_reached for aim in found)


if __name__ == "__main__":
    main()
