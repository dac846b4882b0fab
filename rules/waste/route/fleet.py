"""Vehicles of a day, their depots and disposal sites: from the city's features to what tours are planned from.

Defaults that stand in a law: StVZO § 32 (height), § 34 (weight), ArbZG § 4 (breaks). All others are judgement.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, get_args

from rules.asset import Asset
from rules.city import City
from rules.waste.days import LOOK_DAYS
from rules.waste.due_config import WORKING_DAYS, days_of
from rules.waste.route.model import Capacity, Depot, DisposalSite, Loader, Start, Vehicle
from rules.waste.route.property import DAY_MIN, micro_euros, named, one_of, optional_whole, span, texts
from rules.waste.route.service_day import ServiceDay

VEHICLE, DEPOT, SITE = "vehicle", "depot", "disposal_site"
SHIFT = ("06:00", "15:00")
ALWAYS = ("00:00", "24:00")
HEIGHT_CM: Final = 400
"""The greatest height without a permit, for a vehicle of which none is told."""
WEIGHT_KG: Final = 40_000
"""The greatest weight without a permit, the same."""
LONG_MIN, LONGER_MIN = 6 * 60, 9 * 60
BREAK_MIN, LONGER_BREAK_MIN = 30, 45
"""Breaks of who works more than six hours, and more than nine."""
UNLOAD_MIN: Final = 20
RELOADS: Final = 2
FIXED_EUR, KM_EUR, HOUR_EUR = 40, 0.7, 45
MOST: Final = 1_000_000
"""kg or litres of a fraction."""
PROFILE: Final = re.compile(r"[A-Za-z0-9_-]{0,100}")


@dataclass(frozen=True, slots=True)
class Fleet:
    """What a day's tours are driven with; `starts` are where vehicles under way are."""

    vehicles: tuple[Vehicle, ...]
    depots: tuple[Depot, ...]
    sites: tuple[DisposalSite, ...]
    starts: tuple[Start, ...] = ()


def fleet_of(city: City, day: ServiceDay, only: Collection[str] | None = None) -> Fleet:
    """The city's vehicles (or only these ids), with the depots and disposal sites that they need; raises CityError."""
    vehicles = tuple(
        vehicle_of(asset, city.assets, day) for asset in vehicles_in(city) if only is None or asset.id in only
    )
    depots = dict.fromkeys(vehicle.depot for vehicle in vehicles)
    sites = dict.fromkeys(site for vehicle in vehicles for site in vehicle.disposal_sites)
    return Fleet(
        vehicles,
        tuple(_depot(city.assets[id_]) for id_ in depots),
        tuple(site_of(city.assets[id_], day) for id_ in sites),
    )


def vehicles_in(city: City) -> tuple[Asset, ...]:
    """The vehicles in the order of the file."""
    return tuple(asset for asset in city.assets.values() if asset.kind == VEHICLE)


def on_duty(city: City, day: ServiceDay) -> tuple[str, ...]:
    """The vehicles whose service day it is; raises CityError."""
    return tuple(asset.id for asset in vehicles_in(city) if day.works(_service_days(asset)))


def next_service_day(city: City, after: date, timezone: str) -> date | None:
    """The first day after this one on which a vehicle works; None where there is none within 30 days."""
    days = (after + timedelta(days=ahead) for ahead in range(1, LOOK_DAYS + 1))
    return next((day for day in days if on_duty(city, ServiceDay(day, timezone))), None)


def vehicle_of(asset: Asset, assets: Mapping[str, Asset], day: ServiceDay) -> Vehicle:
    """A vehicle on its shift of a day; raises CityError."""
    depot = named(asset, "depot", str(asset.properties.get("depot", "")), assets, DEPOT)
    sites = texts(asset, "disposal_sites")
    for site in sites:
        named(asset, "disposal_sites", site, assets, SITE)
    begin, end = span(asset, ("shift_from", "shift_until"), SHIFT)
    _service_days(asset)
    return Vehicle(
        id=asset.id,
        depot=depot.id,
        shift_from_s=day.second(begin),
        shift_until_s=day.second(end),
        capacity=_capacity(asset),
        disposal_sites=sites,
        break_s=asset.whole("break_min", _break_min(end - begin), low=0, high=end - begin - 1) * 60,
        max_reloads=asset.whole("max_reloads", RELOADS if sites else 0, low=0, high=20),
        payload_kg=optional_whole(asset, "payload_kg", low=1, high=40_000),
        profile=_profile(asset),
        height_cm=asset.whole("height_cm", HEIGHT_CM, low=100, high=500),
        weight_kg=asset.whole("weight_kg", WEIGHT_KG, low=500, high=100_000),
        loader=one_of(asset, "loader", "rear", get_args(Loader)),
        roll_off=asset.flag("roll_off"),
        cost_fixed=micro_euros(asset, "cost_fixed_eur", FIXED_EUR, high=100_000),
        cost_per_m=max(1, micro_euros(asset, "cost_per_km_eur", KM_EUR, per=1000, high=1000)),
        cost_per_s=micro_euros(asset, "cost_per_h_eur", HOUR_EUR, per=3600, high=10_000),
    )


def site_of(asset: Asset, day: ServiceDay) -> DisposalSite:
    """A disposal site on a day; raises CityError."""
    fractions = texts(asset, "fractions")
    if not fractions:
        raise asset.error("fractions", asset.properties.get("fractions"), "a list of the fractions that it takes")
    opens, closes = span(asset, ("opens", "closes"), ALWAYS)
    around = "opens" not in asset.properties and "closes" not in asset.properties
    return DisposalSite(
        id=asset.id,
        longitude=asset.longitude,
        latitude=asset.latitude,
        fractions=frozenset(fractions),
        unload_s=round(asset.number("unload_min", UNLOAD_MIN, low=0, high=600) * 60),
        opens_s=day.second(opens),
        closes_s=day.second(2 * DAY_MIN if around else closes),
    )


def _depot(asset: Asset) -> Depot:
    return Depot(asset.id, asset.longitude, asset.latitude)


def _service_days(asset: Asset) -> frozenset[int]:
    days = days_of(asset, "service_days", WORKING_DAYS)
    if not days:
        raise asset.error("service_days", [], "at least one day of the week")
    return days


def _profile(asset: Asset) -> str:
    value = asset.properties.get("profile", "")
    if not isinstance(value, str) or not PROFILE.fullmatch(value):
        raise asset.error("profile", value, "the routing engine's name of a profile: letters, digits, `_` and `-`")
    return value


def _break_min(shift_min: int) -> int:
    """The least break of a shift in which all the rest is work."""
    if shift_min <= LONG_MIN:
        return 0
    return BREAK_MIN if shift_min - BREAK_MIN <= LONGER_MIN else LONGER_BREAK_MIN


def _capacity(asset: Asset) -> Mapping[str, Capacity]:
    given = asset.properties.get("capacity")
    if not isinstance(given, Mapping) or not given:
        raise asset.error("capacity", given, 'fractions like {"paper": {"mass_kg": 9000, "volume_l": 60000}}')
    return {fraction: _room(asset, fraction, room) for fraction, room in given.items()}


def _room(asset: Asset, fraction: str, room: object) -> Capacity:
    match room:
        case {"mass_kg": int(mass), "volume_l": int(volume), **rest} if not rest:
            if 1 <= mass <= MOST and 1 <= volume <= MOST and bool not in {type(mass), type(volume)}:
                return Capacity(mass, volume)
    expected = f"`mass_kg` and `volume_l`, whole numbers from 1 to {MOST}"
    raise asset.error("capacity", {fraction: room}, expected)
