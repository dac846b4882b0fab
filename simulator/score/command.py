"""`stadtfunk simulate --score`: a simulation through the real service, and how good its decisions were."""

import contextlib
import importlib.resources
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import typer
from rich.console import Console

from rules.city import City
from rules.waste.route.fleet import vehicles_in
from simulator.error import SimulatorError
from simulator.files import read_city
from simulator.play import Plan
from simulator.progress import progress, signals
from simulator.score.play import STEP_S, play, settings_of
from simulator.score.report import Score
from simulator.score.table import show
from simulator.stage import Stage

EXAMPLE = "Example: stadtfunk simulate --score --scenario heavy-rain --for 12h"
WIDE = 140
"""Columns of the tables where there is no terminal."""


def run(city: Path | None, plan: Plan, end_ns: int | None, *, as_json: bool, quiet: bool) -> Score:
    """Play, score and print: JSON or tables on standard output, progress on standard error.

    Ctrl-C ends the play; what was played is scored. Raises BadParameter without an end, else SimulatorError.
    """
    if end_ns is None:
        raise typer.BadParameter("--score needs an end: --for, or a scenario that has one")
    if end_ns <= plan.start_ns:
        raise SimulatorError("--score has nothing to play: its end is its start")
    if plan.models:
        raise SimulatorError("--score has no --models: nothing is true of devices that belong to no asset")
    score = scored(city, plan, end_ns, quiet=quiet)
    if as_json:
        typer.echo(json.dumps(score.as_dict()))
    else:
        console = Console()
        show(score, console if console.is_terminal else Console(width=WIDE))
    return score


def scored(city: Path | None, plan: Plan, end_ns: int, *, quiet: bool, step_s: float = STEP_S) -> Score:
    """The score of a play through a service of its own; raises SimulatorError."""
    stop, place = Event(), read_city(city)
    if not plan.own_rounds:
        _can_be_collected(place, plan)
    with (
        _file(city) as path,
        signals(stop),
        progress(plan.start_ns, end_ns, quiet=quiet) as watch,
        Stage(path, plan.start_ns, settings_of(plan)) as stage,
    ):
        return play(place, plan, end_ns, stage, step_s=step_s, watch=watch.at, stop=stop)


def _can_be_collected(city: City, plan: Plan) -> None:
    """Raises SimulatorError where no tours can be driven, or where they could not be compared."""
    if not vehicles_in(city):
        raise SimulatorError("--score --collected needs vehicles: the city file has no feature of kind vehicle")
    if plan.scenario.strike:
        raise SimulatorError("--score --collected has no scenario with a strike: its depot never strikes")
    if importlib.util.find_spec("pyvrp") is None:
        raise SimulatorError("--score --collected plans tours: install stadtfunk[routes]")


@contextlib.contextmanager
def _file(city: Path | None) -> Iterator[Path]:
    """The city's file, without one the example city's."""
    if city is not None:
        yield city
        return
    with importlib.resources.as_file(importlib.resources.files("deploy") / "city" / "hamm.geojson") as path:
        yield path
