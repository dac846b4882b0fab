"""How a vehicle's day ends: from its last stop to one of its disposal sites and home, as the solver is to plan it.

The site is a matter of the last stop alone: the one by which the way home, unloading included, costs least. Only sites
are chosen from that are open whenever the first one is, within the shift; the evaluator knows nothing of this.
"""

from collections.abc import Mapping
from typing import NamedTuple

from rules.waste.route.model import NO_WAY, DisposalSite, Matrix, Problem, Vehicle


class Finish(NamedTuple):
    """From a place home by a site (None: straight): `to_site_s` until the site is reached, `tail_s` from then on."""

    site: DisposalSite | None
    metres: int
    to_site_s: int
    tail_s: int

    @property
    def seconds(self) -> int:
        """All of it."""
        return self.to_site_s + self.tail_s


class Ending(NamedTuple):
    """What a vehicle may choose from at the end of its day; `places` are the numbers of matrix rows."""

    vehicle: Vehicle
    matrix: Matrix
    places: Mapping[str, int]
    sites: tuple[DisposalSite, ...]

    @property
    def chosen(self) -> bool:
        """Whether it depends on the last stop; else the day ends at the one site, or in the depot."""
        return len(self.sites) > 1 or self.vehicle.start is not None

    @property
    def early_s(self) -> int:
        """When it may be home at the earliest: from then on whatever site it has come by was open in time."""
        begins_s = self.vehicle.shift_from_s
        return max((site.opens_s + self._tail_s(site) for site in self.sites if site.opens_s > begins_s), default=0)

    @property
    def late_s(self) -> int:
        """When it must be home at the latest, by shift and sites."""
        return min([self.vehicle.until_s, *(site.closes_s + self._tail_s(site) for site in self.sites)])

    @property
    def exact(self) -> bool:
        """Whether it may be home at `early_s` at the earliest by any way, so that it never waits for nothing."""
        return not self.early_s or len(self.vehicle.disposal_sites) == 1

    @property
    def _straight_home(self) -> bool:
        """Whether there is nothing to unload as long as it serves no stop."""
        return self.vehicle.start is not None and self.vehicle.is_empty

    @property
    def idle(self) -> int:
        """What it costs a vehicle under way with nothing on board to come home without a stop."""
        way = self.finish(self.places[self.vehicle.origin]) if self._straight_home else None
        return 0 if way is None else self._cost(way)[0]

    @property
    def tail(self) -> tuple[int, int]:
        """Metres and seconds from the first site on, unloading included; nothing for a vehicle without sites."""
        if not self.sites:
            return 0, 0
        way = self._by(self.places[self.sites[0].id], self.sites[0], self.places[self.vehicle.depot])
        return (0, 0) if way is None else (way.metres, way.tail_s)

    def finish(self, place: int) -> Finish | None:
        """The cheapest way home from the last stop, or from where the tour begins; None where there is no way."""
        home = self.places[self.vehicle.depot]
        if not self.sites or (self._straight_home and place == self.places[self.vehicle.origin]):
            return self._straight(place, home)
        ways = [way for way in (self._by(place, site, home) for site in self.sites) if way is not None]
        return min(ways, key=self._cost, default=None)

    def home(self, place: int) -> tuple[int, int] | None:
        """Metres and seconds of `finish`; from one of its sites, where it was just emptied, straight home."""
        if place in {self.places[site] for site in self.vehicle.disposal_sites}:
            return self._way(place, self.places[self.vehicle.depot])
        way = self.finish(place)
        return None if way is None else (way.metres, way.seconds)

    def _straight(self, place: int, home: int) -> Finish | None:
        way = self._way(place, home)
        return None if way is None else Finish(None, way[0], way[1], 0)

    def _by(self, place: int, site: DisposalSite, home: int) -> Finish | None:
        number = self.places[site.id]
        there, back = self._way(place, number), self._way(number, home)
        if there is None or back is None:
            return None
        return Finish(site, there[0] + back[0], there[1], site.unload_s + back[1])

    def _cost(self, way: Finish) -> tuple[int, int]:
        return way.metres * self.vehicle.cost_per_m + way.seconds * self.vehicle.cost_per_s, way.seconds

    def _tail_s(self, site: DisposalSite) -> int:
        way = self._way(self.places[site.id], self.places[self.vehicle.depot])
        return 0 if way is None else site.unload_s + way[1]

    def _way(self, row: int, column: int) -> tuple[int, int] | None:
        return _way(self.matrix, row, column)


def ending(problem: Problem, vehicle: Vehicle) -> Ending:
    """What the vehicle may choose from; its depot, sites, start and matrix must be there."""
    known = {site.id: site for site in problem.sites}
    own = [known[name] for name in vehicle.disposal_sites]
    matrix = problem.matrices[vehicle.profile]
    places = problem.index()
    home = places[vehicle.depot]
    able = (site for site in own[1:] if _stands_in(site, own[0], vehicle) and _way(matrix, places[site.id], home))
    sites = (*own[:1], *able)
    return Ending(vehicle, matrix, places, sites)


def _stands_in(site: DisposalSite, first: DisposalSite, vehicle: Vehicle) -> bool:
    """Whether it is open whenever the first one is, within the shift."""
    opens_s, closes_s = max(first.opens_s, vehicle.shift_from_s), min(first.closes_s, vehicle.until_s)
    return site.opens_s <= opens_s and site.closes_s >= closes_s


def _way(matrix: Matrix, row: int, column: int) -> tuple[int, int] | None:
    if row == column:
        return 0, 0
    way = matrix.metres[row][column], matrix.seconds[row][column]
    return None if NO_WAY in way else way
