"""Whether a vehicle could serve one stop if it did nothing else all day."""

from typing import NamedTuple

from rules.waste.route.ending import Ending, Finish, ending
from rules.waste.route.model import NO_WAY, Problem, Stop, Vehicle
from rules.waste.words import Words


def reach(problem: Problem, vehicle: Vehicle) -> "Reach":
    """What this vehicle could do; its depot, sites, start and matrix must be there."""
    return Reach(vehicle, ending(problem, vehicle))


class Reach(NamedTuple):
    """A vehicle, and how its day ends."""

    vehicle: Vehicle
    ending: Ending

    def fault(self, number: int, stop: Stop) -> Words | None:
        """Why the vehicle cannot serve the stop in time, None when it can; what follows upon the vehicle's name."""
        out_s, back = self._out_s(number), self.ending.finish(number)
        if out_s is None or back is None:
            which = Words("dorthin", "to it") if out_s is None else Words("von dort weg", "from it")
            return Words(
                f"findet keinen Weg {which.de}: Lücke in der Wegetabelle, Position oder Straße berichtigen",
                f"finds no way {which.en}: the matrix has a hole, correct the position or the street",
            )
        arrival_s = self.vehicle.shift_from_s + out_s
        if arrival_s > stop.window_until_s:
            late_min = -(-(arrival_s - stop.window_until_s) // 60)
            return Words(
                f"kommt frühestens {late_min} min nach dem Zeitfenster an: Zeitfenster erweitern oder Schicht früher "
                "beginnen",
                f"arrives {late_min} min after its window at best: widen the window or begin the shift earlier",
            )
        early_min = (stop.window_from_s - self.vehicle.until_s) // 60
        if early_min >= 0:
            return Words(
                f"hat schon {early_min} min vor dem Zeitfenster Feierabend: Zeitfenster erweitern oder Schicht "
                "verlängern",
                f"ends its work {early_min} min before its window: widen the window or lengthen the shift",
            )
        return self._way_home(max(arrival_s, stop.window_from_s) + stop.service_s, back)

    def home_fault(self) -> Words | None:
        """What keeps a vehicle without stops from unloading and coming home, None when nothing does."""
        back = self.ending.finish(self.ending.places[self.vehicle.origin])
        if back is None:
            return Words(
                "findet keinen Weg zur Entsorgungsanlage und zurück: Lücke in der Wegetabelle",
                "finds no way to its disposal site and home: the matrix has a hole",
            )
        return self._way_home(self.vehicle.shift_from_s, back)

    def _way_home(self, leaves_s: int, back: Finish) -> Words | None:
        at_site_s, late_s = leaves_s + back.to_site_s, self.ending.late_s
        if back.site is not None:
            at_site_s = max(at_site_s, back.site.opens_s)
            if at_site_s > back.site.closes_s:
                return Words(
                    f"erreicht die Entsorgungsanlage {back.site.id} erst, wenn sie geschlossen ist: früher beginnen "
                    "oder länger öffnen",
                    f"reaches disposal site {back.site.id!r} after it closes: begin earlier or keep it open longer",
                )
        over_s = at_site_s + back.tail_s - late_s
        over_min = -(-over_s // 60)
        if over_s <= 0:
            return None
        if late_s < self.vehicle.until_s:
            return Words(
                f"kommt {over_min} min zu spät zurück, weil die Entsorgungsanlagen schließen: länger öffnen",
                f"comes home {over_min} min after its disposal sites close: keep them open longer",
            )
        return Words(
            f"wäre erst {over_min} min nach Schichtende zurück: Schicht verlängern oder Pause kürzen",
            f"would end its shift {over_min} min late: lengthen it or shorten the break",
        )

    def _out_s(self, column: int) -> int | None:
        row = self.ending.places[self.vehicle.origin]
        seconds = self.ending.matrix.seconds[row][column]
        return None if NO_WAY in (seconds, self.ending.matrix.metres[row][column]) else seconds
