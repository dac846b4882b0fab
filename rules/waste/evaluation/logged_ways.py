"""How long a log's own tours were, and what that says of tours with other stops.

Shortest ways through places grow with the root of their number (Beardwood, Halton, Hammersley 1959); a tour's time is
mostly spent at its stops and grows with their number.
"""

from collections.abc import Callable, Iterable, Sequence
from math import ceil, sqrt
from statistics import fmean, linear_regression, pstdev
from typing import Final, NamedTuple

from rules.waste.days import DAY_MS
from rules.waste.evaluation.figures import quantile
from rules.waste.evaluation.tour_log import Logged

LEAST_TOURS: Final = 10
LEAST_SPREAD: Final = 0.05
HOUR_MS: Final = 3_600_000


class Line(NamedTuple):
    """So much each tour, and so much each unit of its size."""

    a_tour: float
    a_unit: float

    def at(self, size: float) -> float:
        """Of a tour of that size."""
        return self.a_tour + self.a_unit * size


class Ways(NamedTuple):
    """What days with so many stops cost; None where the log does not tell. `most_stops` fit into a tour."""

    km_line: Line | None
    hours_line: Line | None
    most_stops: float

    def km(self, stops: int) -> float | None:
        """Kilometres of a day."""
        return self._of_day(self.km_line, stops, sqrt)

    def hours(self, stops: int) -> float | None:
        """Hours of a day's vehicles."""
        return self._of_day(self.hours_line, stops, float)

    def _of_day(self, line: Line | None, stops: int, size: Callable[[float], float]) -> float | None:
        if line is None:
            return None
        tours = ceil(stops / self.most_stops)
        return tours * line.at(size(stops / tours)) if tours else 0.0


def ways(rows: Iterable[Logged]) -> Ways:
    """Straight lines through the km and hours of the log's tours (a vehicle's day) over their stops.

    There is none for too few tours, and where all have about as many stops: nothing tells then what fewer would save.
    """
    by_tour: dict[tuple[str, int], list[Logged]] = {}
    for row in rows:
        by_tour.setdefault((row.vehicle, row.time_ms // DAY_MS), []).append(row)
    tours = list(by_tour.values())
    lengths = [(sqrt(len(stops)), km) for stops in tours if (km := _km(stops)) is not None]
    times = [(float(len(stops)), hours) for stops in tours if (hours := _hours(stops)) is not None]
    return Ways(_line(lengths), _line(times), quantile(sorted(float(len(stops)) for stops in tours), 0.9))


def _km(stops: Sequence[Logged]) -> float | None:
    return max((stop.km for stop in stops if stop.km is not None), default=None)


def _hours(stops: Sequence[Logged]) -> float | None:
    """As the log has them, else from a vehicle's first emptying to its last."""
    told = max((stop.hours for stop in stops if stop.hours is not None), default=None)
    if told is not None:
        return told
    times = [stop.time_ms for stop in stops if stop.vehicle]
    span_ms = max(times) - min(times) if times else 0
    return span_ms / HOUR_MS if span_ms else None


def _line(points: Sequence[tuple[float, float]]) -> Line | None:
    sizes, found = [size for size, _ in points], [length for _, length in points]
    if len(points) < LEAST_TOURS or pstdev(sizes) < LEAST_SPREAD * fmean(sizes):
        return None
    slope, _ = linear_regression(sizes, found)
    slope = min(max(0.0, slope), fmean(found) / fmean(sizes))
    return Line(fmean(found) - slope * fmean(sizes), slope)
