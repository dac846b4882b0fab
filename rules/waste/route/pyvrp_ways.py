"""The ways of a problem as PyVRP wants them: a matrix for all vehicles that have the same."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from rules.waste.route.ending import Ending
from rules.waste.route.model import NO_WAY, Problem

FORBIDDEN_M = 10_000_000
FORBIDDEN_S = 864_000
"""For a way that does not exist: longer than any shift, so no feasible route takes it."""

Whole = npt.NDArray[np.int64]
Cell = TypeVar("Cell", np.int64, np.bool_)
Home = tuple[tuple[int, int] | None, ...]
"""From each place metres and seconds home by the last unloading; empty for vehicles that end at one site."""


class Profile(NamedTuple):
    """What the ways of a vehicle depend on: matrix, places it may not enter or that cost a change, the way home."""

    name: str
    closed: tuple[int, ...]
    changed: tuple[int, ...]
    change_m: int
    home: Home


def profile(problem: Problem, ends: Ending, planned: Mapping[str, str]) -> Profile:
    """That of a vehicle; `planned` says which vehicle had a stop before, where changes cost."""
    vehicle, first = ends.vehicle, len(problem.depots) + len(problem.sites)
    stops = tuple(enumerate(problem.stops, first))
    return Profile(
        name=vehicle.profile,
        closed=tuple(number for number, stop in stops if vehicle.obstacle(stop)),
        changed=tuple(number for number, stop in stops if planned.get(stop.id, vehicle.id) != vehicle.id),
        change_m=problem.change_m(vehicle) if planned else 0,
        home=tuple(map(ends.home, range(len(problem.places)))) if ends.chosen else (),
    )


def matrices(problem: Problem, profile: Profile, *, with_home: bool) -> tuple[Whole, Whole]:
    """Metres and seconds between all places, and where asked for HOME as the last one."""
    matrix = problem.matrices[profile.name]
    metres, seconds = _whole(matrix.metres), _whole(matrix.seconds)
    none = (metres == NO_WAY) | (seconds == NO_WAY)
    none[:, list(profile.closed)] = True
    none[:, len(metres) - len(problem.starts) :] = True
    metres[:, list(profile.changed)] += profile.change_m
    if with_home:
        home = profile.home or (None,) * len(metres)
        metres = _with_column(metres, [0 if way is None else way[0] for way in home], 0)
        seconds = _with_column(seconds, [0 if way is None else way[1] for way in home], 0)
        none = _with_column(none, [way is None for way in home], fill=True)
    metres[none], seconds[none] = FORBIDDEN_M, FORBIDDEN_S
    np.fill_diagonal(metres, 0)
    np.fill_diagonal(seconds, 0)
    return metres, seconds


def _with_column(table: npt.NDArray[Cell], column: Sequence[int], fill: int) -> npt.NDArray[Cell]:
    """The table with one more place at its end, which nobody leaves."""
    size = len(table) + 1
    larger = np.full((size, size), fill, dtype=table.dtype)
    larger[:-1, :-1] = table
    larger[:-1, -1] = column
    return larger


def _whole(rows: Sequence[Iterable[int]]) -> Whole:
    return np.array([np.asarray(row, dtype=np.int64) for row in rows], dtype=np.int64)
