"""Which routing engine with which profile knows the ways of a vehicle."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from ingest.routes.engines import Engine, Osrm, Valhalla
from ingest.settings_routes import RoutesSettings
from rules.waste.route.model import Vehicle

CM, KG = 100, 1000
"""In a metre, in a tonne."""


class Profiled(NamedTuple):
    """Vehicles with the profile that names their matrix, and the engine of each profile; None: straight lines."""

    vehicles: tuple[Vehicle, ...]
    engines: Mapping[str, Engine | None]


def profiled(settings: RoutesSettings, vehicles: Iterable[Vehicle]) -> Profiled:
    """The vehicles as the configured engine tells them apart; Valhalla by height and weight, too."""
    engines: dict[str, Engine | None] = {}
    known = []
    for vehicle in vehicles:
        name, engine = _profile(settings, vehicle)
        engines.setdefault(name, engine)
        known.append(replace(vehicle, profile=name))
    return Profiled(tuple(known), engines)


def _profile(settings: RoutesSettings, vehicle: Vehicle) -> tuple[str, Engine | None]:
    if settings.engine == "none" or settings.url is None:
        return "", None
    if settings.engine == "osrm":
        name = vehicle.profile or settings.profile or "driving"
        return name, Osrm(settings.url, name)
    costing = vehicle.profile or settings.profile or "truck"
    options = {"height": vehicle.height_cm / CM, "weight": vehicle.weight_kg / KG}
    name = f"{costing} {options['height']:g} m {options['weight']:g} t"
    return name, Valhalla(settings.url, costing, options)
