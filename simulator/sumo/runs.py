"""Many runs, each in a process of its own (libsumo holds one simulation a process), some at a time."""

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Final, NamedTuple

from rules.asset import CityError
from simulator.error import SimulatorError
from simulator.sumo.loop import Ran, Task, Watch, play

LOOK_S: Final = 0.2
END_S: Final = 60.0
"""How long a run may take to put its service and SUMO away."""

Play = Callable[[Task, Watch], Ran]
Shown = Callable[[int, float], None]
"""Is told how far a run is: its number, and the share that is done."""


class Interrupted(SimulatorError):
    """The runs were ended before their time."""


class _Child(NamedTuple):
    number: int
    process: BaseProcess


def play_all(
    tasks: Sequence[Task], shown: Shown, stop: threading.Event, workers: int | None = None, play: Play = play
) -> list[Ran]:
    """Play the tasks, `workers` at a time (by default as many as there are processors); what they came to, in order.

    The first run that fails ends them all with its SimulatorError; so does `stop`, with Interrupted. None stays behind.
    """
    crew = _Crew(tasks, shown, play)
    try:
        while crew.goes_on(workers or multiprocessing.cpu_count()):
            if stop.is_set():
                raise Interrupted(f"interrupted: {len(crew.done)} of {len(tasks)} runs were done")
    finally:
        crew.end()
    return [crew.done[number] for number in range(len(tasks))]


class _Crew:
    """The processes."""

    def __init__(self, tasks: Sequence[Task], shown: Shown, play: Play) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._waiting = list(enumerate(tasks))
        self._children: dict[Connection, _Child] = {}
        self._shown = shown
        self._play = play
        self.done: dict[int, Ran] = {}

    def goes_on(self, workers: int) -> bool:
        """Start what there is room for, listen for a while; False when all is done."""
        while self._waiting and len(self._children) < workers:
            self._start(*self._waiting.pop(0))
        for ready in wait(list(self._children), LOOK_S):
            if isinstance(ready, Connection):
                self._listen(ready)
        return bool(self._waiting or self._children)

    def _start(self, number: int, task: Task) -> None:
        ours, its = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_run, args=(self._play, task, its))
        process.start()
        its.close()
        self._children[ours] = _Child(number, process)

    def _listen(self, connection: Connection) -> None:
        child = self._children[connection]
        try:
            said = connection.recv()
        except EOFError:
            child.process.join()
            raise SimulatorError(f"run {child.number + 1} ended by itself, exit {child.process.exitcode}") from None
        if isinstance(said, float):
            self._shown(child.number, said)
            return
        del self._children[connection]
        child.process.join()
        connection.close()
        if isinstance(said, str):
            raise SimulatorError(said)
        self.done[child.number] = said
        self._shown(child.number, 1.0)

    def end(self) -> None:
        """No longer listen to those that still run, which ends them with all that belongs to them."""
        for connection, child in self._children.items():
            connection.close()
            child.process.join(END_S)
            if child.process.is_alive():
                child.process.kill()
                child.process.join()
        self._children.clear()


def _run(play: Play, task: Task, connection: Connection) -> None:
    """A run, in its process; it ends when nobody listens. An interrupt of the terminal is the parent's business."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _pass)
    with contextlib.suppress(BrokenPipeError):
        try:
            connection.send(play(task, connection.send))
        except (SimulatorError, CityError) as error:
            connection.send(str(error))
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - the outermost boundary of a process
            connection.send(f"{type(error).__name__}: {error}")


def _pass(_number: int, _frame: FrameType | None) -> None:
    """No SIG_IGN, which the processes that a run starts would inherit."""
