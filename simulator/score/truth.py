"""The truth of a simulation as it is scored: a course for each quantity of each asset."""

from simulator.device import NS_PER_MS
from simulator.score.course import Course
from simulator.truth import CITY, Row


class NotScored(Exception):
    """Why something cannot be scored."""


class Truth:
    """A witness that remembers. Rows must come in the order of time."""

    def __init__(self) -> None:
        self._courses: dict[tuple[str, str], Course[float]] = {}

    def __call__(self, row: Row) -> None:
        """One more row."""
        course = self._courses.setdefault((row.asset, row.quantity), Course())
        course.add(row.time_ns // NS_PER_MS, row.value)

    def of(self, asset: str, quantity: str) -> Course[float]:
        """What is true of an asset; raises NotScored."""
        found = self._courses.get((asset, quantity))
        if found is None:
            raise NotScored(f"the truth has no {quantity} of {asset}")
        return found

    def at(self, asset: str, quantity: str) -> Course[float]:
        """What is true at an asset: its own where that is known, else the city's; raises NotScored."""
        found = self._courses.get((asset, quantity)) or self._courses.get((CITY, quantity))
        if found is None:
            raise NotScored(f"the truth has no {quantity}, neither of {asset} nor of the city")
        return found
