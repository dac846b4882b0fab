"""How far the search for tours is, shown on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ingest.routes.planning import Told


@contextmanager
def shown(seconds: float | None, iterations: int | None, *, quiet: bool) -> "Iterator[Bar]":
    """Progress on standard error, where that is a terminal."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield Bar(None, None, None)
        return
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[best]}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bar(progress, seconds, iterations)


class Bar:
    """What searches tell of themselves."""

    def __init__(self, progress: Progress | None, seconds: float | None, iterations: int | None) -> None:
        self._progress = progress
        self._seconds = seconds
        self._iterations = iterations
        if progress is not None:
            self._task = progress.add_task("searching", total=1, best="")

    def __call__(self, told: Told) -> None:
        """Show it."""
        if self._progress is None:
            return
        done = max(told.elapsed_s / self._seconds if self._seconds else 0, told.iteration / (self._iterations or 1e12))
        best = "no plan yet" if told.best is None else f"{told.best / 1e6:.2f} EUR, {told.iteration} iterations"
        self._progress.update(self._task, completed=done, best=best)
