"""How far the simulation is, and how it is ended."""

import contextlib
import signal
from collections.abc import Iterable, Iterator
from threading import Event
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from simulator.device import NS_PER_S
from simulator.faults import Message


@contextlib.contextmanager
def signals(stop: Event) -> Iterator[None]:
    """SIGINT and SIGTERM end the simulation, not the program."""

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Watch:
    """Shows how far the simulated time is."""

    def __init__(self, shown: Progress | None, start_ns: int, end_ns: int | None) -> None:
        self._progress = shown
        self._start_ns = start_ns
        if shown is not None:
            total = None if end_ns is None else (end_ns - start_ns) / NS_PER_S
            self._task = shown.add_task("simulating", total=total, messages=0)

    def __call__(self, messages: Iterable[Message]) -> Iterator[Message]:
        """The messages, each counted when the next one is asked for."""
        for number, message in enumerate(messages, start=1):
            yield message
            self.at(message.time_ns, number)

    def at(self, time_ns: int, number: int) -> None:
        """So far, and so many messages."""
        if self._progress is not None:
            self._progress.update(self._task, completed=(time_ns - self._start_ns) / NS_PER_S, messages=number)


@contextlib.contextmanager
def progress(start_ns: int, end_ns: int | None, *, quiet: bool) -> Iterator[Watch]:
    """A bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield Watch(None, start_ns, end_ns)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[messages]} messages"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as shown:
        yield Watch(shown, start_ns, end_ns)
