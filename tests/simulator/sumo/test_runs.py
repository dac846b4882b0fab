"""Runs in processes of their own: all of them, in order, and none left when one fails or somebody interrupts."""

import multiprocessing
import os
import threading
import time
from pathlib import Path

import pytest

from simulator.error import SimulatorError
from simulator.sumo.arterial import Control, Demand, Run
from simulator.sumo.loop import Ran, Task, Watch
from simulator.sumo.person_delay import Outcome
from simulator.sumo.runs import Interrupted, play_all

BOUND_S = 60.0
NOTHING = Outcome(*(0.0 for _ in Outcome._fields))


def _tasks(count: int) -> list[Task]:
    return [Task(Run(Demand.SCHEDULED_PEAK, seed, Control.FIXED), stadtfunk=False) for seed in range(count)]


def _ran(task: Task) -> Ran:
    return Ran(task, NOTHING._replace(persons=os.getpid()), {}, {}, ())


def at_once(task: Task, watch: Watch) -> Ran:
    """A run that takes the longer the lower its seed is."""
    time.sleep(0.2 / (1 + task.run.seed))
    watch(0.5)
    return _ran(task)


def without_end(_task: Task, watch: Watch) -> Ran:
    """A run that goes on until it is ended."""
    for _ in range(round(BOUND_S * 100)):
        watch(0.1)
        time.sleep(0.01)
    raise AssertionError("nobody ended the run")


def failing(task: Task, watch: Watch) -> Ran:
    """The second run cannot go on; all others would without end."""
    if task.run.seed == 1:
        raise SimulatorError("no broker")
    return without_end(task, watch)


def broken(_task: Task, _watch: Watch) -> Ran:
    """A run in which something goes wrong that nobody thought of."""
    raise RuntimeError("Invalid seed")


def dying(_task: Task, _watch: Watch) -> Ran:
    """A run whose process is gone."""
    os._exit(3)


def _ignore(_number: int, _share: float) -> None:
    """Nobody looks."""


def _no_children() -> bool:
    return multiprocessing.active_children() == []


def test_all_in_order() -> None:
    """What runs came to is in the order of the tasks, each from a process of its own; every run is shown to its end."""
    shown: list[tuple[int, float]] = []
    ran = play_all(_tasks(3), lambda number, share: shown.append((number, share)), threading.Event(), 2, at_once)
    assert [each.task.run.seed for each in ran] == [0, 1, 2]
    assert len({each.outcome.persons for each in ran} | {os.getpid()}) == 4
    assert {(number, 1.0) for number in range(3)} | {(number, 0.5) for number in range(3)} == set(shown)
    assert _no_children()


class Crowd:
    """A run that tells how many there are at a time, in hundredths."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, task: Task, watch: Watch) -> Ran:
        """Come, look, go."""
        mine = self.folder / str(os.getpid())
        mine.touch()
        for _ in range(20):
            watch(len(list(self.folder.iterdir())) / 100)
            time.sleep(0.02)
        mine.unlink()
        return _ran(task)


def test_no_more_than_wanted(tmp_path: Path) -> None:
    """Never more runs go on at a time than were asked for."""
    shown: list[float] = []
    play_all(_tasks(4), lambda _number, share: shown.append(share), threading.Event(), 2, Crowd(tmp_path))
    assert max(share for share in shown if share < 1) <= 0.02


def test_one_failure_ends_all() -> None:
    """The first run that cannot go on ends the others, and its message is the error."""
    with pytest.raises(SimulatorError, match=r"^no broker$"):
        play_all(_tasks(3), _ignore, threading.Event(), 2, failing)
    assert _no_children()


def test_interrupt_ends_all() -> None:
    """Once stopped, no run stays behind, and what was done is said."""
    stop = threading.Event()
    with pytest.raises(Interrupted, match="0 of 3 runs were done"):
        play_all(_tasks(3), lambda _number, _share: stop.set(), stop, 2, without_end)
    assert _no_children()


def test_a_process_that_dies() -> None:
    """A run whose process ends without a word is an error that names its exit code."""
    with pytest.raises(SimulatorError, match="run 1 ended by itself, exit 3"):
        play_all(_tasks(1), _ignore, threading.Event(), 1, dying)
    assert _no_children()


def test_whatever_goes_wrong_is_one_line() -> None:
    """An error of SUMO's own is told with its kind, and nothing of a traceback."""
    with pytest.raises(SimulatorError, match=r"^RuntimeError: Invalid seed$"):
        play_all(_tasks(1), _ignore, threading.Event(), 1, broken)
    assert _no_children()


def test_orphans_end(tmp_path: Path) -> None:
    """When the parent is killed, its runs notice and end."""
    parent = multiprocessing.get_context("spawn").Process(target=parent_of_one, args=(tmp_path,))
    parent.start()
    child = _pid(tmp_path / "child")
    parent.kill()
    parent.join()
    bound = time.monotonic() + BOUND_S
    while Path(f"/proc/{child}").exists() and time.monotonic() < bound and not _is_zombie(child):
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists() or _is_zombie(child)


class Noting:
    """A run without end that leaves its process id in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, task: Task, watch: Watch) -> Ran:
        """Begin."""
        (self.folder / "begun").write_text(str(os.getpid()))
        (self.folder / "begun").rename(self.folder / "child")
        return without_end(task, watch)


def parent_of_one(folder: Path) -> None:
    """A process that plays one run."""
    play_all(_tasks(1), _ignore, threading.Event(), 1, Noting(folder))


def _pid(file: Path) -> int:
    bound = time.monotonic() + BOUND_S
    while not file.exists():
        assert time.monotonic() < bound
        time.sleep(0.02)
    return int(file.read_text())


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
