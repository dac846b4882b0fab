"""Whether a vehicle could serve one stop if it did nothing else all day."""

from typing import NamedTuple

from rules.waste.route.model import NO_WAY, DisposalSite, Matrix, Problem, Stop, Vehicle


def reach(problem: Problem, vehicle: Vehicle) -> "Reach":
    """What this vehicle could do; its depot, sites and matrix must be there."""
    index = problem.index()
    first = vehicle.disposal_sites[:1]
    site = next((site for site in problem.sites if site.id in first), None)
    depot = index[vehicle.depot]
    return Reach(vehicle, problem.matrices[vehicle.profile], depot, site, depot if site is None else index[site.id])


class Reach(NamedTuple):
    """A vehicle with the places (numbers of the matrix) where its day begins and where it unloads last."""

    vehicle: Vehicle
    matrix: Matrix
    depot: int
    site: DisposalSite | None
    last: int

    def fault(self, number: int, stop: Stop) -> str:
        """Why the vehicle cannot serve the stop in time, empty when it can; what follows upon the vehicle's name."""
        out_s, back_s = self._seconds(self.depot, number), self._seconds(number, self.last)
        if out_s is None or back_s is None:
            which = "to it" if out_s is None else "from it"
            return f"finds no way {which}: the matrix has a hole, correct the position or the street"
        arrival_s = self.vehicle.shift_from_s + out_s
        if arrival_s > stop.window_until_s:
            late_min = -(-(arrival_s - stop.window_until_s) // 60)
            return f"arrives {late_min} min after its window at best: widen the window or begin the shift earlier"
        done_s = max(arrival_s, stop.window_from_s) + stop.service_s
        return self._way_home(done_s + back_s)

    def home_fault(self) -> str:
        """What keeps an empty vehicle from unloading and coming home, empty when nothing does."""
        out_s = 0 if self.site is None else self._seconds(self.depot, self.last)
        if out_s is None or self._seconds(self.last, self.depot) is None:
            return "finds no way to its disposal site and home: the matrix has a hole"
        return self._way_home(self.vehicle.shift_from_s + out_s)

    def _way_home(self, at_last_s: int) -> str:
        home_s = at_last_s
        if self.site is not None:
            if at_last_s > self.site.closes_s:
                return f"reaches disposal site {self.site.id!r} after it closes: begin earlier or keep it open longer"
            home_s = (
                max(at_last_s, self.site.opens_s) + self.site.unload_s + (self._seconds(self.last, self.depot) or 0)
            )
        over_s = home_s - self.vehicle.until_s
        return (
            f"would end its shift {-(-over_s // 60)} min late: lengthen it or shorten the break" if over_s > 0 else ""
        )

    def _seconds(self, row: int, column: int) -> int | None:
        if row == column:
            return 0
        seconds = self.matrix.seconds[row][column]
        return None if NO_WAY in (seconds, self.matrix.metres[row][column]) else seconds
