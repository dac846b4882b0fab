"""What stands against tours in the city's file, and whether they can be planned and driven."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

import aiohttp

from ingest.app import read_city, service_clock
from ingest.finding import Finding
from ingest.routes.engines import EngineError, Spot
from ingest.routes.profiles import profiled
from ingest.settings import Settings, SettingsError
from ingest.settings_routes import RoutesSettings
from rules.asset import Asset, CityError
from rules.city import City
from rules.waste.route.check import check
from rules.waste.route.crew import able
from rules.waste.route.distance import straight_matrix
from rules.waste.route.fleet import Fleet, fleet_of, site_of, vehicle_of, vehicles_in
from rules.waste.route.model import Problem, Stop
from rules.waste.route.service_day import ServiceDay
from rules.waste.route.stops import full_stop

FILE, ROUTES, URL = "city.file", "routes", "routes.url"
SHOWN = 20
AT_ONCE = 200
"""Containers in one matrix, which grows with their square."""
CONNECT_S = 5.0
Read = Callable[[Asset, ServiceDay], object]


async def findings(settings: Settings) -> list[Finding]:
    """Nothing in a city without vehicles; else faults in its file, the solver, the routing engine."""
    with suppress(SettingsError):
        city = read_city(settings)
        if vehicles_in(city):
            return await _findings(settings, city, service_clock(settings)())
    return []


async def _findings(settings: Settings, city: City, now_ms: int) -> list[Finding]:
    zone = settings.city.timezone
    day = ServiceDay(datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(zone)).date(), zone)
    found = _shortened("error", tuple(_wrong(city, day)))
    if not found:
        fleet = fleet_of(city, day)
        found = _shortened("warning", tuple(_unfit(city, fleet, day)))
        found += await _engines(settings.routes, fleet)
    if find_spec("pyvrp") is None:
        found.append(Finding("warning", ROUTES, "no solver, no tour is planned: install stadtfunk[routes]"))
    return found


def _wrong(city: City, day: ServiceDay) -> Iterator[str]:
    """Properties that cannot be used, of each asset the first one."""
    sites = {site for asset in vehicles_in(city) for site in _sites(asset)}
    readers: Mapping[str, Read] = {
        "vehicle": lambda asset, day: vehicle_of(asset, city.assets, day),
        "container": full_stop,
        "disposal_site": lambda asset, day: site_of(asset, day) if asset.id in sites else None,
    }
    for asset in city.assets.values():
        try:
            if asset.kind in readers:
                readers[asset.kind](asset, day)
        except CityError as error:
            yield str(error)


def _sites(asset: Asset) -> Sequence[object]:
    named = asset.properties.get("disposal_sites")
    return [name for name in named if isinstance(name, str)] if isinstance(named, list) else ()


def _unfit(city: City, fleet: Fleet, day: ServiceDay) -> Iterator[str]:
    """What no vehicle can do, were every container full and every vehicle on duty."""
    stops: dict[str, list[Stop]] = {}
    for asset in city.assets.values():
        if asset.kind == "container":
            stop = full_stop(asset, day)
            stops.setdefault(stop.fraction, []).append(stop)
    for fraction, some in stops.items():
        crew = able(fleet, fraction)
        if crew.vehicles:
            yield from _faults(crew, some)
        else:
            what = f"takes {fraction}" if fraction else "takes what has no `fraction`"
            yield f"no vehicle {what}: {_listed(stop.id for stop in some)}"


def _faults(crew: Fleet, stops: Sequence[Stop]) -> Iterator[str]:
    """Faults by straight lines; each once, though a vehicle's stand in every part."""
    vehicles = tuple(replace(vehicle, profile="") for vehicle in crew.vehicles)
    told = dict[str, None]()
    for begin in range(0, len(stops), AT_ONCE):
        part = tuple(stops[begin : begin + AT_ONCE])
        matrix = straight_matrix((*crew.depots, *crew.sites, *part))
        told |= dict.fromkeys(map(str, check(Problem(crew.depots, crew.sites, part, vehicles, {"": matrix}))))
    yield from told


async def _engines(settings: RoutesSettings, fleet: Fleet) -> list[Finding]:
    """Whether the routing engine knows a way from a depot to itself, with each profile."""
    spots = [Spot(depot.longitude, depot.latitude) for depot in fleet.depots[:1]]
    found = []
    timeout = aiohttp.ClientTimeout(total=min(settings.timeout_s, CONNECT_S))
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for name, engine in profiled(settings, fleet.vehicles).engines.items():
            if engine is None:
                continue
            try:
                await engine.ask(session, spots, spots)
                found.append(Finding("ok", URL, f"{settings.url}: {settings.engine}, {name}"))
            except EngineError as error:
                found.append(Finding("warning", URL, f"{error}: tours are planned by straight lines"))
    return found


def _shortened(level: Literal["error", "warning"], texts: Sequence[str]) -> list[Finding]:
    found = [Finding(level, FILE, text) for text in texts[:SHOWN]]
    if len(texts) > SHOWN:
        found.append(Finding(level, FILE, f"and {len(texts) - SHOWN} more lines about tours"))
    return found


def _listed(ids: Iterator[str], most: int = 5) -> str:
    first = list(islice(ids, most))
    more = sum(1 for _ in ids)
    return ", ".join(first) + (f" and {more} more" if more else "")
