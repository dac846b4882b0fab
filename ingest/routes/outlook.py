"""What there is to plan on a day: fractions, vehicles and their shifts, by the city's file and the settings."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ingest.settings_routes import RoutesSettings
from rules.city import City
from rules.waste.collection_due import RULE
from rules.waste.route.agenda import MINUTE_MS, Times, at_ms, evening_before
from rules.waste.route.fleet import fleet_of, on_duty
from rules.waste.route.model import Vehicle
from rules.waste.route.property import DAY_MIN
from rules.waste.route.service_day import ServiceDay


@dataclass(frozen=True, slots=True)
class Outlook:
    """A day: by fraction the vehicles that are there for it, and when what is to be done."""

    day: ServiceDay
    vehicles: Mapping[str, tuple[Vehicle, ...]]
    times: Mapping[str, Times]


def outlook(city: City, day: ServiceDay, settings: RoutesSettings, called: Mapping[str, Collection[str]]) -> Outlook:
    """The fractions of the city's containers for which a vehicle is on duty that day, or has a tour; raises CityError.

    `called` are the vehicles that have one, by fraction: people may have called them in. Of a fraction for which only
    vehicles were there that are gone, the day goes until midnight.
    """
    duty = frozenset(on_duty(city, day))
    wanted = duty.union(*called.values())
    fleet = fleet_of(city, day, wanted).vehicles if wanted else ()
    collected = {asset.properties.get("fraction") for asset in city.assets.values() if asset.kind == RULE.kind}
    names = [name for vehicle in fleet if vehicle.id in duty for name in vehicle.capacity if name in collected]
    takers = {
        name: tuple(one for one in fleet if name in one.capacity and (one.id in duty or one.id in called.get(name, ())))
        for name in dict.fromkeys([*names, *called])
    }
    freeze_ms = at_ms(evening_before(city, day), settings.freeze_min) if fleet else 0
    return Outlook(day, takers, {name: _times(day, found, freeze_ms, settings) for name, found in takers.items()})


def _times(day: ServiceDay, vehicles: tuple[Vehicle, ...], freeze_ms: int, settings: RoutesSettings) -> Times:
    if not vehicles:
        return Times(0, 0, day.midnight_ms, at_ms(day, DAY_MIN))
    begin_ms = day.midnight_ms + min(vehicle.shift_from_s for vehicle in vehicles) * 1000
    end_ms = day.midnight_ms + max(vehicle.shift_until_s for vehicle in vehicles) * 1000
    return Times(freeze_ms, begin_ms - settings.refresh_before_min * MINUTE_MS, begin_ms, end_ms)
