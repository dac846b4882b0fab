"""What `stadtfunk simulate --sumo` does: play the closed loop over several seeds and say what came of it."""

import contextlib
import importlib.util
import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from simulator.error import SimulatorError
from simulator.progress import signals
from simulator.sumo.arterial import Control, Demand, Run
from simulator.sumo.comparison import compare
from simulator.sumo.demand import DAYS
from simulator.sumo.loop import Ran, Task
from simulator.sumo.report import as_dict, bars, carried_lines, closing, plot, tables
from simulator.sumo.runs import Shown, play_all

MISSING: Final = "stadtfunk: error: the closed loop needs SUMO: pip install 'stadtfunk[sumo]'"
LAST_SEED: Final = 2**31 - 1
WIDTH: Final = 110
"""Of the table where there is no terminal."""


class Study(NamedTuple):
    """What is compared: each demand with each control, without and with Stadtfunk, for each seed.

    `span_s` ends each run earlier than its demand does; `city` is a file in the place of the arterial's own.
    """

    seeds: Sequence[int]
    controls: Sequence[Control] = tuple(Control)
    demands: Sequence[Demand] = tuple(Demand)
    span_s: float | None = None
    city: Path | None = None

    def tasks(self) -> list[Task]:
        """All runs, pair by pair; raises SimulatorError for a city file that cannot be read and seeds SUMO has not."""
        if not all(0 <= seed <= LAST_SEED for seed in self.seeds):
            raise SimulatorError(f"SUMO takes seeds from 0 to {LAST_SEED}, not {self.seeds[0]} to {self.seeds[-1]}")
        try:
            city = None if self.city is None else self.city.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SimulatorError(f"cannot read city file {self.city}: {error}") from error
        return [
            Task(Run(demand, seed, control), stadtfunk, self.span_s, city)
            for demand in self.demands
            for control in self.controls
            for seed in self.seeds
            for stadtfunk in (False, True)
        ]


def run(
    study: Study,
    *,
    picture: Path | None = None,
    as_json: bool = False,
    quiet: bool = False,
    workers: int | None = None,
) -> None:
    """Play the study and print its table (or JSON), with a picture where one is wanted.

    Wrong usage (exit code 2): no SUMO, a picture that is no SVG, a span in which nobody counts yet. Raises
    SimulatorError for all else.
    """
    if importlib.util.find_spec("libsumo") is None:
        typer.echo(MISSING, err=True)
        raise typer.Exit(2)
    if picture is not None and picture.suffix.lower() != ".svg":
        raise typer.BadParameter(f"--plot writes SVG, expected a name that ends in .svg, not {picture.name!r}")
    if picture is not None and not picture.absolute().parent.is_dir():
        raise SimulatorError(f"cannot write {picture}: there is no folder {picture.absolute().parent}")
    _long_enough(study)
    runs = _played(study.tasks(), workers, quiet=quiet)
    comparisons = compare(runs)
    if picture is not None:
        _write(picture, plot(comparisons))
    if as_json:
        typer.echo(json.dumps(as_dict(comparisons, runs)))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    console.print(tables(comparisons))
    for line in (*bars(comparisons), "", *carried_lines(runs), "", *closing(comparisons)):
        console.print(line, soft_wrap=True)


def _long_enough(study: Study) -> None:
    counted_s = max(DAYS[demand].counted_s for demand in study.demands)
    if study.span_s is not None and study.span_s <= counted_s:
        raise typer.BadParameter(f"people count from second {counted_s} on: --for {study.span_s:g}s is too short")


def _played(tasks: Sequence[Task], workers: int | None, *, quiet: bool) -> list[Ran]:
    stop = threading.Event()
    with signals(stop), _bars(tasks, quiet=quiet) as shown:
        return play_all(tasks, shown, stop, workers)


@contextlib.contextmanager
def _bars(tasks: Sequence[Task], *, quiet: bool) -> Iterator[Shown]:
    """A bar for all runs and one for each that goes on, on a terminal."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _number, _share: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield _Bars(progress, tasks)


class _Bars:
    """Called with a run's number and share, it moves its bar on."""

    def __init__(self, progress: Progress, tasks: Sequence[Task]) -> None:
        self._progress = progress
        self._tasks = tasks
        self._all = progress.add_task(f"{len(tasks)} runs", total=len(tasks))
        self._shares: dict[int, float] = {}
        self._bars: dict[int, TaskID] = {}

    def __call__(self, number: int, share: float) -> None:
        self._shares[number] = share
        self._progress.update(self._all, completed=sum(self._shares.values()))
        if number not in self._bars:
            self._bars[number] = self._progress.add_task(_title(self._tasks[number]), total=1)
        self._progress.update(self._bars[number], completed=share, visible=share < 1)


def _title(task: Task) -> str:
    run, on_top = task.run, "with Stadtfunk" if task.stadtfunk else "without"
    return f"{run.demand.value}, {run.control.value}, seed {run.seed}, {on_top}"


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SimulatorError(f"cannot write {file}: {error.strerror}") from error
