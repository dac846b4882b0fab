"""Which vehicles collect a fraction on a day, and what of each is left for it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from rules.city import City
from rules.waste.route.fleet import Fleet, fleet_of, on_duty, vehicles_in
from rules.waste.route.model import Load, RouteError, Start, Vehicle
from rules.waste.route.service_day import ServiceDay


class UnderWay(NamedTuple):
    """A vehicle on its tour: the place of the city where it was last, what it holds of the fraction, what it still has.

    `max_reloads` None: as many as in the morning.
    """

    place: str
    on_board: Load = Load(0, 0)
    break_taken: bool = False
    max_reloads: int | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """Which vehicles are wanted: `only` these, never those in `without`; `under_way` by their ids."""

    fraction: str
    only: Sequence[str] = ()
    without: Collection[str] = ()
    under_way: Mapping[str, UnderWay] = field(default_factory=dict)


def crew_of(city: City, day: ServiceDay, now_ms: int, wish: Wish) -> Fleet:
    """The vehicles that can take the fraction from now on, each with nothing but it.

    Those on duty, or only the named ones on whatever day. Raises RouteError when there is none, CityError for
    properties that cannot be used.
    """
    fraction, without = wish.fraction, frozenset(wish.without)
    _check_known(city, (*wish.only, *wish.under_way))
    wanted = frozenset(wish.only or on_duty(city, day))
    fleet = able(fleet_of(city, day, wanted - without), fraction)
    left = tuple(_left(vehicle, wish, (now_ms - day.midnight_ms) // 1000) for vehicle in fleet.vehicles)
    ready = tuple(vehicle for vehicle in left if vehicle.until_s > vehicle.shift_from_s)
    if not ready:
        absent = able(fleet_of(city, day, wanted & without), fraction).vehicles
        gone = [vehicle.id for vehicle in (*absent, *left)]
        why = f"; on another tour, out of service or with their shift over: {', '.join(gone)}" if gone else ""
        raise RouteError(f"no vehicle takes {fraction or 'what has no fraction'} on {day.date}{why}")
    return replace(_needed(fleet, ready), starts=tuple(_starts(city, ready, wish)))


def _check_known(city: City, ids: Sequence[str]) -> None:
    known = {asset.id for asset in vehicles_in(city)}
    for id_ in ids:
        if id_ not in known:
            raise RouteError(f"{id_}: no vehicle of the city, expected one of {', '.join(sorted(known)) or 'none'}")


def _left(vehicle: Vehicle, wish: Wish, now_s: int) -> Vehicle:
    """The vehicle with what is left of its shift, and of its tour where it is on one."""
    vehicle = replace(vehicle, shift_from_s=max(vehicle.shift_from_s, now_s))
    under_way = wish.under_way.get(vehicle.id)
    if under_way is None:
        return vehicle
    return replace(
        vehicle,
        start=start_id(vehicle.id),
        on_board={wish.fraction: under_way.on_board} if any(under_way.on_board) else {},
        break_s=0 if under_way.break_taken else vehicle.break_s,
        max_reloads=vehicle.max_reloads if under_way.max_reloads is None else under_way.max_reloads,
    )


def start_id(vehicle: str) -> str:
    """The id of the place where a vehicle under way is."""
    return f"{vehicle} (under way)"


def _starts(city: City, vehicles: Sequence[Vehicle], wish: Wish) -> Iterator[Start]:
    for vehicle in vehicles:
        if vehicle.start is not None:
            place = wish.under_way[vehicle.id].place
            if place not in city.assets:
                raise RouteError(f"{vehicle.id}: was last at {place!r}, expected a place of the city")
            yield Start(vehicle.start, city.assets[place].longitude, city.assets[place].latitude)


def able(fleet: Fleet, fraction: str) -> Fleet:
    """Those of the vehicles that can take the fraction, each with nothing but it, on whatever day and time."""
    takers = (vehicle for vehicle in fleet.vehicles if fraction in vehicle.capacity)
    return _needed(fleet, tuple(_only(fleet, vehicle, fraction) for vehicle in takers))


def _only(fleet: Fleet, vehicle: Vehicle, fraction: str) -> Vehicle:
    """The vehicle for one fraction: its own room, the disposal sites that take it (all where none does)."""
    takes = {site.id for site in fleet.sites if fraction in site.fractions}
    sites = tuple(site for site in vehicle.disposal_sites if site in takes)
    room = {fraction: vehicle.capacity[fraction]}
    return replace(vehicle, capacity=room, disposal_sites=sites or vehicle.disposal_sites)


def _needed(fleet: Fleet, vehicles: tuple[Vehicle, ...]) -> Fleet:
    depots = {vehicle.depot for vehicle in vehicles}
    sites = {site for vehicle in vehicles for site in vehicle.disposal_sites}
    return Fleet(
        vehicles,
        tuple(depot for depot in fleet.depots if depot.id in depots),
        tuple(site for site in fleet.sites if site.id in sites),
    )
