"""Whether a vehicle could serve one stop if it did nothing else all day."""

from typing import NamedTuple

from rules.waste.route.ending import Ending, Finish, ending
from rules.waste.route.model import NO_WAY, Problem, Stop, Vehicle


def reach(problem: Problem, vehicle: Vehicle) -> "Reach":
    """What this vehicle could do; its depot, sites, start and matrix must be there."""
    return Reach(vehicle, ending(problem, vehicle))


class Reach(NamedTuple):
    """A vehicle, and how its day ends."""

    vehicle: Vehicle
    ending: Ending

    def fault(self, number: int, stop: Stop) -> str:
        """Why the vehicle cannot serve the stop in time, empty when it can; what follows upon the vehicle's name."""
        out_s, back = self._out_s(number), self.ending.finish(number)
        if out_s is None or back is None:
            which = "to it" if out_s is None else "from it"
            return f"finds no way {which}: the matrix has a hole, correct the position or the street"
        arrival_s = self.vehicle.shift_from_s + out_s
        if arrival_s > stop.window_until_s:
            late_min = -(-(arrival_s - stop.window_until_s) // 60)
            return f"arrives {late_min} min after its window at best: widen the window or begin the shift earlier"
        early_min = (stop.window_from_s - self.vehicle.until_s) // 60
        if early_min >= 0:
            return f"ends its work {early_min} min before its window: widen the window or lengthen the shift"
        return self._way_home(max(arrival_s, stop.window_from_s) + stop.service_s, back)

    def home_fault(self) -> str:
        """What keeps a vehicle without stops from unloading and coming home, empty when nothing does."""
        back = self.ending.finish(self.ending.places[self.vehicle.origin])
        if back is None:
            return "finds no way to its disposal site and home: the matrix has a hole"
        return self._way_home(self.vehicle.shift_from_s, back)

    def _way_home(self, leaves_s: int, back: Finish) -> str:
        at_site_s, late_s = leaves_s + back.to_site_s, self.ending.late_s
        if back.site is not None:
            at_site_s = max(at_site_s, back.site.opens_s)
            if at_site_s > back.site.closes_s:
                return f"reaches disposal site {back.site.id!r} after it closes: begin earlier or keep it open longer"
        over_s = at_site_s + back.tail_s - late_s
        if over_s <= 0:
            return ""
        if late_s < self.vehicle.until_s:
            return f"comes home {-(-over_s // 60)} min after its disposal sites close: keep them open longer"
        return f"would end its shift {-(-over_s // 60)} min late: lengthen it or shorten the break"

    def _out_s(self, column: int) -> int | None:
        row = self.ending.places[self.vehicle.origin]
        seconds = self.ending.matrix.seconds[row][column]
        return None if NO_WAY in (seconds, self.ending.matrix.metres[row][column]) else seconds
