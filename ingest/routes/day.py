"""A day's tours, from the city and what its rules know to a plan with reasons."""

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

from ingest.routes import worker
from ingest.routes.engines import Engine
from ingest.routes.geometry import lines
from ingest.routes.matrix import Patience, fetch
from ingest.routes.matrix_cache import WayCache
from ingest.routes.planning import Job
from ingest.routes.profiles import profiled
from ingest.routes.spots import spots_of
from ingest.routes.worker import Listener
from ingest.settings_routes import RoutesSettings
from rules.asset import TIMEZONE
from rules.city import City
from rules.rule import StateRow
from rules.waste.route.check import Checked, checked
from rules.waste.route.crew import UnderWay, Wish, crew_of, start_id
from rules.waste.route.day_plan import DayPlan, Why
from rules.waste.route.distance import straight_matrix
from rules.waste.route.evaluate import evaluate
from rules.waste.route.fleet import Fleet
from rules.waste.route.model import Order, Problem, RouteError
from rules.waste.route.service_day import ServiceDay
from rules.waste.route.solution import Solution
from rules.waste.route.stops import DueList, due_on
from rules.waste.words import Words

UNNAMED = re.compile(r"[^\w-]+")
"""What does not stand in the id of a plan, for it names files, too."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be planned for a fraction and a day.

    `vehicles` are the only ones to be used, on whatever day; without them those whose service day it is. `unavailable`
    are vehicles that dropped out, `without` stops that are served already. Where `seconds` and `iterations` are both
    None the settings' limits hold, else the given ones alone. `previous` is the plan to start from, `cost_per_change`
    (millionths of a euro) what it costs to take a stop from the vehicle that had it there. `under_way` says of vehicles
    that are on their tour where they are and what they hold; the others begin at their depot, empty.
    """

    day: date
    fraction: str
    vehicles: tuple[str, ...] = ()
    seconds: float | None = None
    iterations: int | None = None
    seed: int = 0
    skip_invalid: bool = False
    previous: tuple[Order, ...] = ()
    cost_per_change: int = 0
    without: frozenset[str] = frozenset()
    unavailable: frozenset[str] = frozenset()
    under_way: Mapping[str, UnderWay] = field(default_factory=dict)


class Planned(NamedTuple):
    """The plans of a day, and why there is none for a fraction."""

    plans: tuple[DayPlan, ...]
    refused: Mapping[str, str]


class _Ways(NamedTuple):
    problem: Problem
    engines: Mapping[str, Engine | None]
    warnings: tuple[Words, ...]


def timezone_of(city: City) -> str:
    """The calendar of the city's tours."""
    return next((asset.timezone for asset in city.assets.values()), TIMEZONE)


async def plan_fractions(
    city: City,
    rows: Sequence[StateRow],
    settings: RoutesSettings,
    requests: Sequence[Request],
    now_ms: int,
    ways: Path | None,
    listener: Listener | None = None,
) -> Planned:
    """A plan for each of these requests for one day, one after the other; a vehicle with a tour is taken for the rest.

    A fraction that cannot be planned does not end the others. Raises CityError.
    """
    plans: list[DayPlan] = []
    refused: dict[str, str] = {}
    taken: frozenset[str] = frozenset()
    for request in requests:
        left = replace(request, unavailable=request.unavailable | taken)
        try:
            plan = await plan_day(city, rows, settings, left, now_ms, ways, listener)
        except RouteError as error:
            refused[request.fraction] = str(error)
            continue
        plans.append(plan)
        taken |= {tour.vehicle for tour in plan.solution.tours}
    return Planned(tuple(plans), refused)


async def plan_day(
    city: City,
    rows: Sequence[StateRow],
    settings: RoutesSettings,
    request: Request,
    now_ms: int,
    ways: Path | None,
    listener: Listener | None = None,
) -> DayPlan:
    """The plan of a fraction's day; `ways` is the file of known ways (`ingest.routes.matrix_cache.NAME`).

    Without stops it has no tours. Raises RouteError with a line for each fault of containers and vehicles, or why there
    is no plan; CityError for properties that cannot be used.
    """
    day = ServiceDay(request.day, timezone_of(city))
    due = await asyncio.to_thread(due_on, city, rows, day, now_ms)
    fleet = crew_of(city, day, now_ms, _wish(request))
    problem, engines, warnings = await _with_ways(_problem(fleet, due, request), settings, ways, now_ms)
    ready = await asyncio.to_thread(checked, problem, skip_invalid=request.skip_invalid)
    solution = await _solved(ready, settings, request, listener)
    drawn = await lines(ready.problem, solution, engines, _patience(settings))
    grounded = tuple(
        Words(
            f"bleibt im Depot: {fault.asset}: {fault.message.de}",
            f"stays in the depot: {fault.asset}: {fault.message.en}",
        )
        for fault in ready.grounded
    )
    return DayPlan(
        id=_plan_id(request, solution, now_ms),
        day=request.day,
        fraction=request.fraction,
        timezone=day.timezone,
        midnight_ms=day.midnight_ms,
        created_ms=now_ms,
        problem=ready.problem,
        solution=solution,
        why=_reasons(due, problem),
        names=_names(city, problem) | _where(city, request),
        districts=_districts(city, problem),
        lines=drawn.lines,
        warnings=(*due.warnings, *warnings, *grounded, *drawn.warnings),
        fixed_stops=due.fixed.get(request.fraction, 0.0),
    )


def _wish(request: Request) -> Wish:
    return Wish(request.fraction, request.vehicles, request.unavailable, request.under_way)


def _problem(fleet: Fleet, due: DueList, request: Request) -> Problem:
    """The day without its matrices."""
    stops = (stop for stop in due.stops if stop.fraction == request.fraction and stop.id not in request.without)
    return Problem(
        depots=fleet.depots,
        sites=fleet.sites,
        stops=tuple(stops),
        vehicles=fleet.vehicles,
        matrices={},
        previous=request.previous,
        cost_per_change=request.cost_per_change,
        starts=fleet.starts,
    )


async def _with_ways(problem: Problem, settings: RoutesSettings, file: Path | None, now_ms: int) -> _Ways:
    """The day with a matrix for each profile: all by the routing engine, or all by straight lines."""
    vehicles, engines = profiled(settings, problem.vehicles)
    problem = replace(problem, vehicles=vehicles)
    cache = None if file is None else WayCache(file)
    spots = spots_of(problem)
    matrices, warnings = {}, list[Words]()
    for profile, engine in engines.items():
        fetched = await fetch(spots, engine, cache, now_ms // 1000, _patience(settings))
        matrices[profile] = fetched.matrix
        warnings += fetched.warnings
        if not fetched.drivable:
            straight = dict.fromkeys(engines, await asyncio.to_thread(straight_matrix, spots))
            return _Ways(replace(problem, matrices=straight), {}, tuple(warnings))
    return _Ways(replace(problem, matrices=matrices, drivable=True), engines, tuple(warnings))


def _patience(settings: RoutesSettings) -> Patience:
    return Patience(settings.timeout_s, settings.total_s)


async def _solved(ready: Checked, settings: RoutesSettings, request: Request, listener: Listener | None) -> Solution:
    if not ready.problem.stops:
        return evaluate(ready.problem, (), ready.unserved)
    seconds, iterations = request.seconds, request.iterations
    if seconds is None and iterations is None:
        seconds, iterations = settings.seconds, settings.iterations
    job = Job(ready.problem, iterations, seconds, request.seed, ready.unserved)
    return await worker.plan(job, listener)


def _plan_id(request: Request, solution: Solution, now_ms: int) -> str:
    """Day, fraction, and what tells it from other plans for them."""
    digest = hashlib.sha256(repr((now_ms, request.seed, solution.orders)).encode()).hexdigest()
    return f"{request.day}-{UNNAMED.sub('_', request.fraction)}-{digest[:8]}"


def _reasons(due: DueList, problem: Problem) -> Mapping[str, Why]:
    return {stop.id: due.why[stop.id] for stop in problem.stops}


def _names(city: City, problem: Problem) -> dict[str, str]:
    """Of vehicles, too."""
    ids = (item.id for item in (*problem.places, *problem.vehicles))
    return {id_: city.assets[id_].name for id_ in ids if id_ in city.assets}


def _where(city: City, request: Request) -> dict[str, str]:
    """Of where vehicles under way begin: the place at which they were last."""
    return {start_id(vehicle): city.assets[where.place].name for vehicle, where in request.under_way.items()}


def _districts(city: City, problem: Problem) -> Mapping[str, str]:
    """The names of the districts in which places lie."""
    assets = city.assets
    found = {place.id: assets[place.id].district for place in problem.places if place.id in assets}
    return {id_: assets[name].name if name in assets else name for id_, name in found.items() if name}
