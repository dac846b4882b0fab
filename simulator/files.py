"""What the commands read, and how they say that it is of no use."""

import contextlib
import importlib.resources
from collections.abc import Iterator
from pathlib import Path

import typer

from rules.city import City, CityError
from simulator.error import SimulatorError


def read_city(path: Path | None) -> City:
    """The city of a file, without one the example city; raises SimulatorError."""
    example = importlib.resources.files("deploy") / "city" / "hamm.geojson"
    try:
        return City.parse((path or example).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SimulatorError(f"cannot read city file {path or example}: {error}") from error
    except CityError as error:
        raise SimulatorError(f"city file {path or example}: {error}") from error


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """A file that cannot be written, or that no space is left for, is named; raises SimulatorError."""
    try:
        yield
    except OSError as error:
        raise SimulatorError(f"cannot write {path}: {error.strerror}") from error


@contextlib.contextmanager
def speaking_plainly() -> Iterator[None]:
    """Errors become one line on standard error, and exit code 1."""
    try:
        yield
    except (SimulatorError, CityError) as error:
        typer.echo(f"stadtfunk: error: {' '.join(str(error).split())}", err=True)
        raise typer.Exit(1) from error
