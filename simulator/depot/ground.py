"""A day of a depot, by the city's file: where things are, how long they take, when they are open."""

from typing import Final, NamedTuple

from rules.city import Asset, City
from rules.event_route import Halt, HaltKind
from rules.waste.route.fleet import site_of, vehicle_of
from rules.waste.route.model import DisposalSite, Stop, Vehicle
from rules.waste.route.service_day import ServiceDay
from rules.waste.route.stops import full_stop
from simulator.device import NS_PER_MS
from simulator.error import SimulatorError

MS_PER_S: Final = 1000
KINDS: Final[dict[HaltKind, str]] = {"stop": "container", "unload": "disposal_site", "home": "depot"}


class Spot(NamedTuple):
    """A position in degrees."""

    longitude: float
    latitude: float


class Ground:
    """The city on one day; raises SimulatorError for what its file does not have, CityError for what is of no use."""

    def __init__(self, city: City, day: ServiceDay) -> None:
        self._assets = city.assets
        self.day = day

    def vehicle(self, name: str) -> Vehicle:
        """The vehicle on its shift of the day."""
        return vehicle_of(self._asset(name, "vehicle"), self._assets, self.day)

    def stop(self, name: str) -> Stop:
        """The container as a stop: service time and window."""
        return full_stop(self._asset(name, KINDS["stop"]), self.day)

    def site(self, name: str) -> DisposalSite:
        """The disposal site: time to unload, opening hours."""
        return site_of(self._asset(name, KINDS["unload"]), self.day)

    def spot(self, name: str) -> Spot:
        """Where a place is."""
        asset = self._asset(name)
        return Spot(asset.longitude, asset.latitude)

    def check(self, halts: tuple[Halt, ...]) -> None:
        """Whether all halts are places that can be driven to; raises SimulatorError, CityError."""
        for halt in halts:
            self._asset(halt.place, KINDS[halt.kind])
            if halt.kind == "stop":
                self.stop(halt.place)
            elif halt.kind == "unload":
                self.site(halt.place)

    def time_ns(self, second: int) -> int:
        """The instant (ns since 1970) of a time in seconds since local midnight."""
        return (self.day.midnight_ms + second * MS_PER_S) * NS_PER_MS

    def _asset(self, name: str, kind: str = "") -> Asset:
        found = self._assets.get(name)
        if found is None or kind not in {"", found.kind}:
            raise SimulatorError(f"{name!r} is no {kind or 'place'} of the city file: expected the service's own file")
        return found
