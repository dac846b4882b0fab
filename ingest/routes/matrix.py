"""The matrix of a day: from a routing engine, block by block, or along the great circle when it does not answer.

Ways of an engine and of the great circle are never mixed: the one that is always shorter would draw the tours to it.
"""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import aiohttp

from ingest.routes.engines import BLOCK, Engine, EngineError, Spot
from ingest.routes.matrix_cache import UNKNOWN, Block, WayCache, unknown
from rules.waste.route.distance import straight_matrix
from rules.waste.route.model import Matrix
from rules.waste.words import Words

TIMEOUT_S = 20.0
"""For one answer."""
PATIENCE_S = 600.0
"""For all of them."""
AT_ONCE = 2


class Fetched(NamedTuple):
    """A matrix; `drivable` when an engine made it, `warnings` say why not, or what was not kept."""

    matrix: Matrix
    drivable: bool
    warnings: tuple[Words, ...] = ()


class Patience(NamedTuple):
    """Seconds for one answer and for all of them."""

    timeout_s: float = TIMEOUT_S
    total_s: float = PATIENCE_S


async def fetch(
    spots: Sequence[Spot],
    engine: Engine | None,
    cache: WayCache | None,
    now_s: int,
    patience: Patience | None = None,
) -> Fetched:
    """The matrix of these positions in their order; without an engine, or when it fails, by straight lines."""
    if engine is None:
        return Fetched(await asyncio.to_thread(straight_matrix, spots), drivable=False)
    warnings: list[Words] = []
    table = await _known(engine, cache, spots, now_s, warnings)
    asked: list[Block] = []
    try:
        await _ask_all(engine, spots, table, asked, patience or Patience())
    except EngineError as error:
        matrix = await asyncio.to_thread(straight_matrix, spots)
        straight = Words(f"gerade Linien statt Straßen: {error}", f"straight lines instead of streets: {error}")
        return Fetched(matrix, drivable=False, warnings=(*warnings, straight))
    finally:
        if asked and cache is not None:
            try:
                await asyncio.to_thread(cache.keep, engine.key, spots, table, asked, now_s)
            except sqlite3.Error as error:
                warnings.append(
                    Words(
                        f"Wege werden nicht in ihrer Datei behalten: {error}",
                        f"ways are not kept in their file: {error}",
                    )
                )
    return Fetched(table, drivable=True, warnings=tuple(warnings))


async def _known(
    engine: Engine, cache: WayCache | None, spots: Sequence[Spot], now_s: int, warnings: list[Words]
) -> Matrix:
    if cache is None:
        return unknown(len(spots))
    try:
        return await asyncio.to_thread(cache.find, engine.key, spots, now_s)
    except sqlite3.Error as error:
        warnings.append(
            Words(f"Wege sind nicht aus ihrer Datei lesbar: {error}", f"ways are not read from their file: {error}")
        )
        return unknown(len(spots))


async def _ask_all(
    engine: Engine, spots: Sequence[Spot], table: Matrix, asked: list[Block], patience: Patience
) -> None:
    """Fill what is unknown; `asked` are the blocks that were answered, also before an error."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def ask(sources: Sequence[int], targets: Sequence[int]) -> None:
        async with limit:
            ways = await engine.ask(session, [spots[row] for row in sources], [spots[column] for column in targets])
        for row, of_row in zip(sources, ways, strict=True):
            for column, way in zip(targets, of_row, strict=True):
                if row != column:
                    table.metres[row][column], table.seconds[row][column] = way
        asked.append((sources, targets))

    timeout = aiohttp.ClientTimeout(total=patience.timeout_s)
    try:
        async with (
            asyncio.timeout(patience.total_s),
            aiohttp.ClientSession(timeout=timeout) as session,
            asyncio.TaskGroup() as tasks,
        ):
            for sources, targets in _blocks(table):
                tasks.create_task(ask(sources, targets))
    except ExceptionGroup as errors:
        first = errors.exceptions[0]
        if isinstance(first, EngineError):
            raise EngineError(str(first)) from errors
        raise
    except TimeoutError as error:
        raise EngineError(f"{engine.key}: not all answers within {patience.total_s:g} s") from error


def _blocks(table: Matrix) -> list[Block]:
    """What is unknown, in blocks of at most BLOCK sources and targets: sources that lack the same go together."""
    size = len(table.metres)
    alike: dict[tuple[int, ...], list[int]] = {}
    for row, metres in enumerate(table.metres):
        if UNKNOWN not in metres:
            continue
        missing = tuple(column for column, way in enumerate(metres) if way == UNKNOWN)
        if len(missing) == size - 1:
            missing = tuple(range(size))  # with its own, so that all who know nothing are alike
        alike.setdefault(missing, []).append(row)
    return [
        (sources, targets) for missing, rows in alike.items() for sources in _parts(rows) for targets in _parts(missing)
    ]


def _parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for begin in range(0, len(numbers), BLOCK):
        yield numbers[begin : begin + BLOCK]
